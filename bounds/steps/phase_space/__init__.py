"""The same for critically-damped Langevin, where a step acts on position and velocity."""
