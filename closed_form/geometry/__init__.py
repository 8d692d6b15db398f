"""Shapes of data: the ball around its points, how convex −log p is, and its factors over orthogonal
directions."""
