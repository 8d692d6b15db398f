"""Elementwise roots to the last digit, looked for where they are likely before where they must be."""

import numpy as np


def elementwise_roots(function, low, high, args, accuracy=0.0, wide=None) -> np.ndarray:
    """Elementwise roots, looked for in ``[-wide, wide]`` where [low, high] shows no change of sign."""
    from scipy.optimize.elementwise import find_root

    shape = np.broadcast_shapes(np.shape(low), np.shape(high), *(np.shape(arg) for arg in args))
    low, high = np.broadcast_to(low, shape), np.broadcast_to(high, shape)
    with np.errstate(
        invalid="ignore"
    ):  # Chandrupatla's criterion may take the root of a rounding below 0, and then bisects
        found = find_root(function, (low, high), args=args, tolerances={"xatol": accuracy})
    missed = ~found.success
    if not missed.any():
        return found.x
    if wide is None:
        raise ArithmeticError(f"no root between {low[missed][0]} and {high[missed][0]}")
    x = found.x.copy()
    x[missed] = elementwise_roots(function, -wide[missed], wide[missed], tuple(arg[missed] for arg in args),
                                  accuracy)
    return x
