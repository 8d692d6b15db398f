"""Brackets refuse what cannot be true and never lose the truth to rounding."""

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from closed_form.bracket import Bracket

sizes = st.floats(0.0, 1e100, allow_subnormal=False)


@pytest.mark.parametrize(
    ("lower", "upper"),
    [(math.nan, 1.0), (0.0, math.nan), (-1e-300, 1.0), (2.0, 1.0), (math.inf, math.inf), (-1.0, -0.5)],
)
def test_sides_that_cannot_be(lower, upper):
    """A NaN, a negative or infinite lower side, and sides in the wrong order are refused."""
    with pytest.raises(ValueError, match="Bracket"):
        Bracket(lower, upper, "test")


@pytest.mark.parametrize(("lower", "upper", "method"), [(True, 1.0, "m"), (0.0, "1", "m"), (0.0, 1.0, None)])
def test_sides_are_numbers(lower, upper, method):
    """Sides must be real numbers and the method a string."""
    with pytest.raises(TypeError, match="Bracket"):
        Bracket(lower, upper, method)


@pytest.mark.parametrize(("value", "rounding"), [(math.nan, 0.0), (math.inf, 0.0), (1.0, -1.0), (-2.0, 1.0)])
def test_exact_refuses(value, rounding):
    """An exact value must be finite, its rounding non-negative, and together they must allow 0 or more."""
    with pytest.raises(ValueError, match="must be"):
        Bracket.exact(value, rounding)


def test_exact_clips_at_zero():
    """The lower side never falls below 0, not even for a value that rounding made negative."""
    bracket = Bracket.exact(-1e-18, 1e-17)
    assert bracket.lower == 0.0
    assert bracket.upper >= 9e-18


@given(value=sizes, rounding=sizes)
def test_exact_holds_the_interval(value, rounding):
    """In exact arithmetic, value ± rounding lies between the sides (or below 0)."""
    bracket = Bracket.exact(value, rounding)
    assert Fraction(bracket.lower) <= max(Fraction(0), Fraction(value) - Fraction(rounding))
    assert Fraction(value) + Fraction(rounding) <= Fraction(bracket.upper)


@settings(deadline=None)
@given(sides=st.lists(st.tuples(sizes, sizes), min_size=1, max_size=30))
def test_root_sum_sq_holds_the_exact_range(sides):
    """The squared sides enclose the exact sums of squares of the squared sides of the parts."""
    parts = [Bracket(min(pair), max(pair), "part") for pair in sides]
    total = Bracket.root_sum_sq(parts)
    assert Fraction(total.lower) ** 2 <= sum(Fraction(part.lower) ** 2 for part in parts)
    assert Fraction(total.upper) ** 2 >= sum(Fraction(part.upper) ** 2 for part in parts)
    assert total.upper <= (1 + 1e-13) * math.hypot(*(part.upper for part in parts)) + 1e-300


@given(pair=st.tuples(sizes, sizes), factor=sizes)
def test_scaled_holds_the_exact_range(pair, factor):
    """factor·[lower, upper], taken exactly, lies inside the scaled bracket."""
    bracket = Bracket(min(pair), max(pair), "part")
    image = bracket.scaled(factor)
    assert Fraction(image.lower) <= Fraction(factor) * Fraction(bracket.lower)
    assert Fraction(factor) * Fraction(bracket.upper) <= Fraction(image.upper)


@given(pair=st.tuples(sizes, sizes), margin=sizes)
def test_widened_holds_the_exact_range(pair, margin):
    """[lower − margin, upper + margin], taken exactly, lies inside the widened bracket."""
    bracket = Bracket(min(pair), max(pair), "part")
    wider = bracket.widened(margin)
    assert Fraction(wider.lower) <= max(Fraction(0), Fraction(bracket.lower) - Fraction(margin))
    assert Fraction(bracket.upper) + Fraction(margin) <= Fraction(wider.upper)


def test_no_upper_side():
    """A bracket with no upper side keeps it through every operation."""
    bracket = Bracket(1.0, math.inf, "projections")
    for image in (bracket.scaled(2.0), bracket.widened(0.5), Bracket.root_sum_sq([bracket, bracket])):
        assert image.upper == math.inf
        assert math.isfinite(image.lower)
    assert bracket.midpoint == math.inf
    assert bracket.relative_width == math.inf
    assert bracket.scaled(0.0).upper == 0.0


def test_midpoint_and_width():
    """Of [1, 3] the midpoint is 2 and the relative width 1; the point 0 has width 0."""
    assert Bracket(1.0, 3.0, "m").midpoint == 2.0
    assert Bracket(1.0, 3.0, "m").relative_width == 1.0
    assert Bracket(0.0, 0.0, "m").relative_width == 0.0
    assert 2.5 in Bracket(1.0, 3.0, "m")
    assert 3.5 not in Bracket(1.0, 3.0, "m")


@pytest.mark.parametrize("factor", [-1.0, math.nan, math.inf])
def test_bad_factor_and_margin(factor):
    """A factor must be finite and non-negative, a margin non-negative, and a sum needs a part."""
    with pytest.raises(ValueError, match="factor"):
        Bracket(1.0, 2.0, "m").scaled(factor)
    with pytest.raises(ValueError, match="margin"):
        Bracket(1.0, 2.0, "m").widened(-abs(factor) if factor == factor and factor < 1 else math.nan)
    with pytest.raises(ValueError, match="at least one"):
        Bracket.root_sum_sq([])


def test_a_number_known_to_the_last_bit_is_both_sides():
    """Without rounding both sides are the number, and with a rounding of 1 they are that far away."""
    sharp = Bracket.exact(2.5, 0.0)
    assert sharp.lower == sharp.upper == 2.5
    wide = Bracket.exact(2.5, 1.0)
    assert wide.lower <= 1.5 and wide.upper >= 3.5 and wide.relative_width == pytest.approx(0.8)
