"""The sampler's exact law in phase space, for Gaussian data and for mixtures on a line."""
