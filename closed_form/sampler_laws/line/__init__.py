"""The sampler's exact law for data on a line, by kernel quadrature."""
