"""The sampler's exact law for data on a line, by quadrature over the Gaussian of every step."""
