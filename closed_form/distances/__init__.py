"""W2 between laws: Gaussians, laws on the line, densities on a grid, samples."""
