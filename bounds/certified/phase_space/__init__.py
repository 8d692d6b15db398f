"""The same for critically-damped Langevin: rows of position and velocity, and what they miss, in balls."""
