"""Rows of position and velocity, and what they make of Gaussian data, in ball arithmetic."""
