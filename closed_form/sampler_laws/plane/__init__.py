"""The sampler's exact law for data whose means span a plane, as a density on an even grid of that plane."""
