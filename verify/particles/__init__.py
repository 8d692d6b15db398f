"""The sampler run on particles: one vectorised loop over numpy or torch."""
