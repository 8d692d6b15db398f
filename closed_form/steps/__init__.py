"""The numbers of every step of a sampler by a route of their own: Taylor polynomials with proved
remainders."""
