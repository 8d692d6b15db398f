"""The law of X_0 seen through Gaussian noise: its moments over all noise levels, and itself."""
