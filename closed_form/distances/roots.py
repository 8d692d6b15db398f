"""Elementwise roots to the last digit, looked for where they are likely before where they must be."""

import numpy as np

_FLOAT = np.finfo(float)
#: Halvings that leave nothing of any interval.
_MOST = 2100


def elementwise_roots(function, low, high, args, accuracy=0.0, wide=None) -> np.ndarray:
    """Elementwise roots, looked for in ``[-wide, wide]`` where [low, high] shows no change of sign."""
    shape = np.broadcast_shapes(np.shape(low), np.shape(high), *(np.shape(arg) for arg in args))
    low, high, *args = (np.broadcast_to(each, shape).ravel() for each in (low, high, *args))
    with np.errstate(invalid="ignore"):
        x = _bracketed(function, low.astype(float), high.astype(float), args, accuracy)
    missed = np.isnan(x)
    if missed.any():
        if wide is None:
            raise ArithmeticError(f"no root between {low[missed][0]} and {high[missed][0]}")
        wide = np.broadcast_to(wide, shape).ravel()[missed]
        x[missed] = elementwise_roots(function, -wide, wide, tuple(arg[missed] for arg in args), accuracy)
    return x.reshape(shape)


def _bracketed(function, x1, x2, args, accuracy) -> np.ndarray:
    """Roots between x1 and x2, all of shape (n,); NaN where the function does not change its sign there.

    Chandrupatla's method (Advances in Engineering Software 28, 1997), which `scipy.optimize.elementwise`
    has too: for these short arrays its bookkeeping takes longer than the functions.
    """
    root, left = np.full(x1.shape, np.nan), np.arange(len(x1))
    f1, f2 = function(x1, *args), function(x2, *args)
    x3 = f3 = None
    for _ in range(_MOST):
        first = np.abs(f1) < np.abs(f2)
        best = np.where(first, x1, x2)
        length, tolerance = np.abs(x2 - x1), 4 * _FLOAT.eps * np.abs(best) + accuracy + 4 * _FLOAT.tiny
        exact = np.abs(np.where(first, f1, f2)) <= _FLOAT.tiny
        lost = ~exact & ~(np.sign(f1) * np.sign(f2) < 0)
        done = exact | lost | (length < tolerance)
        if done.any():
            root[left[done & ~lost]] = best[done & ~lost]
            kept = ~done
            if not kept.any():
                return root
            left, args = left[kept], [arg[kept] for arg in args]
            x1, x2, f1, f2, length, tolerance = (each[kept] for each in (x1, x2, f1, f2, length, tolerance))
            if x3 is not None:
                x3, f3 = x3[kept], f3[kept]
        t = np.full(x1.shape, 0.5)
        if x3 is not None:
            # the inverse quadratic through three points, where it is safe
            with np.errstate(all="ignore"):
                xi, phi = (x1 - x2) / (x3 - x2), (f1 - f2) / (f3 - f2)
                curved = (f1 / (f1 - f2) * f3 / (f3 - f2)
                          - (x3 - x1) / (x2 - x1) * f1 / (f3 - f1) * f2 / (f2 - f3))
                t = np.where((1 - np.sqrt(1 - xi) < phi) & (phi < np.sqrt(xi)), curved, t)
            least = 0.5 * tolerance / length
            t = np.clip(t, least, 1 - least)
        x = x1 + t * (x2 - x1)
        f = function(x, *args)
        same = np.sign(f) == np.sign(f1)
        x3, f3 = np.where(same, x1, x2), np.where(same, f1, f2)
        x2, f2 = np.where(same, x2, x1), np.where(same, f2, f1)
        x1, f1 = x, f
    return root
