"""A theorem's bound from its balls: a total on the safe side, and what is proved of it."""

from __future__ import annotations

import decimal
import math
from fractions import Fraction

from bounds.bound import Bound, Proof, vacuous_notes
from bounds.certified.data import Formulas, NotCertified
from bounds.symbolic.balls import NotEnclosed

#: Bits that may be asked for, and most digits that are shown.
LEAST_BITS, MOST_BITS, MOST_DIGITS = 64, 1024, 30


def check_precision(precision) -> int:
    """Refuse a number of bits that is not one."""
    if isinstance(precision, bool) or not isinstance(precision, int):
        raise TypeError(f"precision must be a whole number of bits, got {precision!r}")
    if not LEAST_BITS <= precision <= MOST_BITS:
        raise ValueError(f"precision must be from {LEAST_BITS} to {MOST_BITS} bits, got {precision}")
    return precision


def certified_bound(theorem, setting, precision: int) -> Bound:
    """The bound of a theorem that applies, in balls.

    Raises
    ------
    NotCertified
        Naming what has no proof in ball arithmetic.
    """
    from flint import ctx

    check_precision(precision)
    if theorem.in_balls is None:
        raise NotCertified(f"certified needs a theorem with a form in ball arithmetic, {theorem.key} has none")
    if setting.process.blocks != 1:
        raise NotCertified(f"certified needs a process of one block, {setting.process.name} has "
                           f"{setting.process.blocks}")
    with ctx.workprec(precision):
        try:
            found = theorem.in_balls(setting, Formulas(theorem.stated), precision)
        except NotEnclosed as error:
            raise NotCertified(f"certified: {error}") from None
        if not found.total.is_finite():
            raise NotCertified(f"certified: the ball of {theorem.key} is not finite; try a precision above "
                               f"{precision}")
        upper = theorem.kind == "upper"
        total = above(found.total) if upper else max(0.0, below(found.total))
        terms = {name: above(ball) if upper else max(0.0, below(ball)) for name, ball in found.terms.items()}
        notes = vacuous_notes(total, setting.assumption.second_moment) if upper else ()
        return Bound(theorem.key, theorem.kind, total, terms, found.information, notes, found.details,
                     Proof(proved_digits(found.total), above(found.total.rad()), precision))


def above(ball) -> float:
    """A float above a ball."""
    return math.nextafter(float(ball.upper()), math.inf)


def below(ball) -> float:
    """A float below a ball."""
    return math.nextafter(float(ball.lower()), -math.inf)


def proved_digits(ball) -> str:
    """A ball as a decimal number with the digits on which its two ends agree, at most `MOST_DIGITS`."""
    ends = [_fraction(end) for end in (ball.lower(), ball.upper())]
    for digits in range(MOST_DIGITS, 0, -1):
        context = decimal.Context(prec=digits)
        low, high = (context.divide(decimal.Decimal(end.numerator), decimal.Decimal(end.denominator))
                     for end in ends)
        if low == high:
            return f"{low:.{digits}g}"
    return "0"


def _fraction(end) -> Fraction:
    mantissa, exponent = end.mid().man_exp()
    return int(mantissa) * Fraction(2) ** int(exponent)
