"""The same for critically-damped Langevin: rows of position and velocity, what they miss, and the recursion, in balls."""
