"""The sampler's law for Gaussian data from end to end in ball arithmetic, so that every digit shown is
proved."""
