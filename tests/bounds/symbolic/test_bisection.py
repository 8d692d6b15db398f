"""Parts of [0, T]: they cover all of it, narrow at kinks until nothing hides there, and refuse what they
must."""

import itertools
import math

import pytest
from flint import ctx

from bounds.symbolic.balls import BallFunction, NotAnalytic
from bounds.symbolic.bisection import MAX_PARTS, Bisection, TooManyParts
from bounds.symbolic.expressions import real_function


def search(text, horizon=2.0, checked=False, smooth=None):
    """A search for one function of that text, whose parts are smooth where it has a Taylor series."""
    function = BallFunction(real_function("f", text) if isinstance(text, str) else text)

    def series(left, middle, right, real, sizes):
        try:
            function.taylor(real, 2)
        except NotAnalytic:
            return None
        return left, middle, right

    return Bisection([function], ("f",), [checked], horizon, smooth or series)


def test_parts_cover_the_whole_time():
    """Halved until they are no longer than 1/4, parts go from 0 to T without a gap, each with its own
    middle."""
    found = list(search("1+t", smooth=lambda left, middle, right, real, sizes: (
        (left, middle, right) if right - left <= 0.25 else None)).parts())
    lefts, middles, rights = zip(*(kept for _, kept, _ in found), strict=True)
    assert lefts == tuple(k / 4 for k in range(8)) and rights == tuple((k + 1) / 4 for k in range(8))
    assert middles == tuple((2 * k + 1) / 8 for k in range(8))
    assert [right for right, *_ in found] == list(rights) and all(hidden == [0.0] for *_, hidden in found)


def test_the_size_of_a_function_is_that_of_its_integral():
    """∫|f| over [0, T] by sixteen places: exact for a line through 0, either way up; a place where it is not
    finite does not count."""
    assert search("3*t").sizes == pytest.approx([6.0])
    assert search("-3*t").sizes == pytest.approx([6.0])
    assert search("1/(t-1.0625)", smooth=lambda *_: True).sizes[0] == pytest.approx(
        2 / 15 * sum(abs(1 / (k / 8 + 1 / 16 - 1.0625)) for k in range(16) if k != 8))


def narrow(found):
    """(length, what is hidden, left end) of the one part that is not smooth."""
    left = {right: left for left, right in itertools.pairwise([0.0, *(right for right, *_ in found)])}
    ((right, (hidden,)),) = [(right, hidden) for right, kept, hidden in found if kept is None]
    return right - left[right], hidden, left[right]


@pytest.mark.parametrize("scale", [1.0, 1e-40])
def test_what_a_kink_hides(scale):
    """|t − 7/10| is smooth but on one part, which hides its values times its length, no more than 1e-30 of
    the integral, in whatever units."""
    found = list(search(f"{scale}*abs(t-0.7)").parts())
    length, hidden, left = narrow(found)
    assert left <= 0.7 <= left + length and length <= 2e-9
    assert 0.2 * length**2 * scale <= hidden <= 1e-30 * 1.09 * scale
    assert len(found) < 120


def test_a_kink_that_hides_nothing_is_on_a_narrow_part_all_the_same():
    """1 + 1e-40|t − 7/10| hides nothing on a part of any length: 1e-9 of T is narrow enough."""
    with ctx.workprec(160):
        length, _, left = narrow(list(search("1+1e-40*abs(t-0.7)", horizon=200.0).parts()))
    assert left <= 0.7 <= left + length and 2e-7 / 2 < length <= 2e-7


def test_a_jump_is_cut_until_next_to_nothing_is_left():
    """A jump of 2 hides twice the length of its part, which is as short as floats allow."""
    _, hidden, _ = narrow(list(search("3+abs(t-0.7)/(t-0.7)").parts()))
    assert 0 < hidden <= 2 * 4 * math.ulp(0.7)


@pytest.mark.parametrize("text, refused", [
    ("t-1/1000", True), ("t-3", True), ("t", False), ("(t-1)^2", False), ("(t-1)^2-1e-9", True),
    ("1e-40*((t-1)^2-1e-9)", True)])
def test_what_must_not_be_negative(text, refused):
    """A function that is below 0 on a part of [0, T], however small, is refused where it has to be positive,
    and one that touches 0 is not."""
    chosen = search(text, checked=True)
    if not refused:
        assert not [kept for _, kept, _ in chosen.parts() if kept is None]
        return
    with pytest.raises(ValueError, match=r"process: f must be >= 0 on \(0, T\], it is at most -"):
        list(chosen.parts())
    assert list(search(text).parts())  # where it may be


@pytest.mark.parametrize("text, place", [
    ("1/(t-0.7)", 0.7), ("1/(2-t)", 2.0), ("1/t", 0.0), ("1/(t-0.7)^2", 0.7), ("1e-40/(t-0.7)", 0.7)])
def test_a_pole_is_refused_where_it_is(text, place):
    """A pole has no integral: the message says where."""
    with pytest.raises(ValueError, match="must be real and finite") as found:
        list(search(text).parts())
    assert float(str(found.value).split("near t = ")[1]) == pytest.approx(place, abs=1e-6)


def test_an_integrable_end_is_said_not_to_be_bounded():
    """t^(−1/2) has an integral: its last part at 0, 1e-30 of T, holds next to nothing of it, and the reason
    is given."""
    chosen = search("1/sqrt(t)", horizon=200.0)
    (first, kept, (held,)), *rest = chosen.parts()
    assert kept is None and chosen.unproved == "f is not seen to be bounded near t = 0"
    assert 1e-28 / 2 < first <= 2e-28
    # ∫ up to there is 2√first, and its value at twice that times that a little less
    assert 0.25 * 2 * math.sqrt(first) <= held <= 2 * math.sqrt(first)
    assert all(part is not None for _, part, _ in rest)


def test_an_integrable_singularity_inside():
    """log|t − 7/10| holds next to nothing around its singularity, which is on a part as short as floats
    allow."""
    chosen = search("log(abs(t-0.7))")
    length, held, left = narrow(list(chosen.parts()))
    assert left <= 0.7 <= left + length and held == pytest.approx(-math.log(length) * length, rel=0.2)
    assert "near t = 0.7" in chosen.unproved


def test_too_many_parts_are_not_looked_at():
    """2048 parts are found, and more than 4000 end in an error of their own."""
    def cut(share):
        return search("1+t", smooth=lambda left, middle, right, real, sizes: right - left <= share or None)

    assert len(list(cut(2 / 2048).parts())) == 2048
    with pytest.raises(TooManyParts, match=f"more than {MAX_PARTS} parts"):
        list(cut(2 / 4096).parts())
