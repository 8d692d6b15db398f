"""The error recursion of samplers that follow the probability-flow ODE, in Y = X/a and the noise level σ = s/a."""
