"""The numbers of every row of a sampler of position and velocity by a route of their own."""
