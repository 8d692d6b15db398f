"""The exact law of the sampler's last iterate, and its W2 distance to the data."""
