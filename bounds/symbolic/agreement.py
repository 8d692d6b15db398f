"""Whether two expressions, such as a theorem's stated and derived form, are the same function."""

import random

import mpmath
import numpy as np
import sympy
from numpy.polynomial import legendre

#: Points at which two expressions are compared, and the digits that must agree.
AGREEMENT_POINTS, AGREEMENT_DIGITS = 32, 30
#: Intervals on which a closed form is compared with quadrature where it can be evaluated, of which so many
#: must be usable; periods and poles further up are out of sight.
INTERVALS = ((0.01, 0.02), (0.05, 0.15), (0.2, 0.8), (0.1, 1.7), (0.5, 3.0), (0.2, 9.0), (2.0, 30.0),
             (0.7, 95.0))
USABLE_INTERVALS = 3
#: Largest difference of the two, and least accuracy of the quadrature, relative to the integral's size.
INTEGRAL_AGREEMENT, INTEGRAL_ACCURACY = 1e-8, 1e-10
_PANELS, _HALVINGS, _NODES = 256, 40, legendre.leggauss(10)


def agrees(stated, derived) -> bool:
    r"""Whether two expressions agree to thirty digits at random points where both are real.

    Their symbols are drawn from ±[2⁻³, 2³], again where a side is complex or undefined; False too where fewer
    than `AGREEMENT_POINTS` of 100 times as many draws are usable.
    """
    symbols = sorted(stated.free_symbols | derived.free_symbols, key=str)
    call = sympy.lambdify(symbols, [stated, derived], modules="mpmath")
    rng, found = random.Random(20), 0
    with mpmath.workdps(2 * AGREEMENT_DIGITS):
        for _ in range(100 * AGREEMENT_POINTS):
            point = [mpmath.mpf(rng.choice((-1, 1, 1)) * 2 ** rng.uniform(-3, 3)) for _ in symbols]
            try:
                first, second = (mpmath.mpf(value) for value in call(*point))
            except (TypeError, ValueError, ZeroDivisionError):  # complex, or not defined there
                continue
            if not mpmath.isfinite(first) or not mpmath.isfinite(second):
                continue
            size = max(abs(first), abs(second), 1)
            if abs(first - second) > size * mpmath.mpf(10) ** -AGREEMENT_DIGITS:
                return False
            found += 1
            if found == AGREEMENT_POINTS:
                return True
    return False


def is_integral(found, integrand, variable, start, end) -> bool:
    r"""Whether a closed form is :math:`\int_{start}^{end}` of an integrand, by adaptive quadrature of it.

    The symbols of ``end`` take the upper ends of `INTERVALS`, those of ``start`` the lower, others a value
    around 1; intervals on which the integrand is not real and finite, or not resolved, are passed over.
    """
    start, end = sympy.sympify(start), sympy.sympify(end)
    others = sorted(found.free_symbols | integrand.free_symbols - {variable}, key=str)
    closed, good = sympy.lambdify(others, found, modules="mpmath"), 0
    values = sympy.lambdify([variable, *others], integrand, modules="numpy", cse=True)
    for low, high in INTERVALS:
        numbers = {each: 0.7 + 0.6 * place for place, each in enumerate(others)}
        numbers |= {each: low for each in start.free_symbols} | {each: high for each in end.free_symbols}
        point, ends = [numbers[each] for each in others], [float(side.subs(numbers)) for side in (start, end)]
        total, size = _quadrature(lambda u, point=point: values(u, *point), *ends)
        if not size < np.inf:
            continue
        with mpmath.workdps(60):
            value = mpmath.mpmathify(closed(*map(mpmath.mpf, point)))
            if not mpmath.isfinite(value) or abs(value - total) > INTEGRAL_AGREEMENT * size:
                return False
        good += 1
    return good >= USABLE_INTERVALS


def _quadrature(function, low: float, high: float) -> tuple[float, float]:
    """(∫ function, ∫ of its size) by panels that are halved where that matters; NaN where it is not real and
    finite or not resolved."""
    x, w = _NODES
    # so many that no kink between the first nodes and the end of a panel matters
    left, width = np.linspace(low, high, _PANELS + 1)[:-1], np.full(_PANELS, (high - low) / _PANELS)
    total, size, before = 0.0, 0.0, np.zeros(0)
    with np.errstate(all="ignore"):
        for halving in range(_HALVINGS):
            values = np.asarray(function(left[:, None] + width[:, None] * (x + 1) / 2))
            values = np.broadcast_to(values, (len(left), len(x)))
            if np.iscomplexobj(values) or not np.isfinite(values).all():
                break
            here, mass = (values @ w * width / 2, np.abs(values) @ w * width / 2)
            if halving:
                pairs = here.reshape(-1, 2).sum(axis=1)
                rough = np.abs(pairs - before) > INTEGRAL_ACCURACY * (size + mass.sum())
                total += pairs[~rough].sum()
                size += mass.reshape(-1, 2).sum(axis=1)[~rough].sum()
                keep = np.repeat(rough, 2)
                left, width, here = left[keep], width[keep], here[keep]
                if not len(left):
                    return total, size
            before = here
            left = np.stack([left, left + width / 2], axis=1).ravel()
            width = np.repeat(width / 2, 2)
    return np.nan, np.nan
