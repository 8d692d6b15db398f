"""Whether two expressions, such as a theorem's stated and derived form, are the same function."""

import random

import mpmath
import sympy

#: Points at which two expressions are compared, and the digits that must agree.
AGREEMENT_POINTS, AGREEMENT_DIGITS = 32, 30


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
