"""Coefficients as callables: the numbers of the same expression, what rests on them, and what is refused."""

import math
from functools import partial

import numpy as np
import pytest

from bounds import cld, euler_maruyama, general, ou, sub_vp, ve, vp
from bounds.certified.data import NotCertified
from bounds.sampler import scheme
from bounds.schedules import table
from closed_form import Gaussian
from tests.own_samplers import FORMULAS, own
from tests.verify.tolerances import OWN_COEFFICIENT
from verify import certify

LAW = Gaussian([1.0], 0.5)
SCHEME = euler_maruyama(1.0, 20)
#: A process of callables, and the same of expressions.
PAIRS = {
    "vp": (vp(lambda t: 0.1 + 5 * t), vp("1/10 + 5*t")),
    "ve": (ve(math.exp), ve("exp(t)")),
    "general": (general(lambda t: np.sin(5 * t) - 0.5, lambda t: 1 + np.cos(t) / 2),
                general("sin(5*t) - 1/2", "1 + cos(t)/2")),
    "one of two": (general("1/2", lambda t: 2.0), general("1/2", 2)),
}


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("theorem", ["martingale", "martingale-coupled", "gao2025-general-sde",
                                     "gaussian-lower-bound"])
def test_a_callable_gives_the_numbers_of_the_expression(theorem, name):
    """Bound and truth are those of the same coefficients as expressions, and both say that nothing is
    enclosed."""
    mine, theirs = (certify(theorem, process=process, law=LAW, scheme=SCHEME) for process in PAIRS[name])
    assert mine.verdict == theirs.verdict == "HOLDS"
    assert mine.bound.total == pytest.approx(theirs.bound.total, rel=OWN_COEFFICIENT)
    assert mine.measured.upper == pytest.approx(theirs.measured.upper, rel=OWN_COEFFICIENT)
    assert all("estimated: not enclosed" in side or "not enclosed: no ball arithmetic" in side
               for side in mine.sides.values())
    assert "not enclosed: no ball arithmetic" in mine.bound.notes[-1] and not mine.problem


@pytest.mark.parametrize(
    "key", ["ancestral", "posterior-mean-matched", own(FORMULAS["frozen-euler-maruyama"])],
    ids=["ancestral", "matched", "formulas"])
def test_every_sampler_takes_a_callable(key):
    """Whichever sampler it is, one of formulas in f(t) and g(t) too, its bound is that of the expression."""
    totals = [certify("martingale", process=process, law=LAW, scheme=scheme(key, 1.0, 20)).bound.total
              for process in PAIRS["vp"]]
    assert totals[0] == pytest.approx(totals[1], rel=OWN_COEFFICIENT)


def test_a_callable_of_one_time_may_branch():
    """A callable that takes no arrays is asked time by time, and gives what the table of its points gives."""
    jump = lambda t: 0.5 if t < 0.25 else 0.5 + 4 * (t - 0.25)  # noqa: E731
    ask = partial(certify, "martingale", law=LAW, scheme=SCHEME)
    points = table([0.0, 0.25, 1.0], lambda times: [jump(t) for t in times])
    mine, theirs = ask(process=vp(jump)), ask(process=vp(points))
    assert mine.bound.total == pytest.approx(theirs.bound.total, rel=OWN_COEFFICIENT)
    assert not theirs.bound.estimated and mine.bound.estimated


@pytest.mark.parametrize(("ask", "message"), [
    (lambda: certify("martingale", process=vp(lambda t: "x"), law=LAW, scheme=SCHEME),
     "process: beta must be a callable that takes a time to a number, at t = 1 it ends with ValueError"),
    (lambda: certify("martingale", process=vp(lambda t: [t, t]), law=LAW, scheme=SCHEME),
     "process: beta must be a callable that takes a time to a number, at t = 1 it ends with TypeError"),
    (lambda: certify("martingale", process=ve(lambda t: 1j), law=LAW, scheme=SCHEME),
     "process: g must be a callable that takes a time to a number, at t = 1 it ends with TypeError"),
    (lambda: certify("martingale", process=vp(lambda t: 1j * t), law=LAW, scheme=SCHEME), "process: "),
    (lambda: certify("martingale", process=vp(lambda t: -t), law=LAW, scheme=SCHEME),
     "process: g² must be >= 0 on [0, T], got g²(1) = -1"),
    (lambda: certify("martingale", process=vp(lambda t: np.nan * t), law=LAW, scheme=SCHEME),
     "process: f must be real and finite on (0, T], got nan"),
    (lambda: sub_vp(lambda t: t), "sub-vp: beta must have a closed-form integral, got beta(t)"),
    (lambda: cld(clock=lambda t: t), "clock must be an expression in t, got a function"),
])
def test_what_is_no_coefficient_is_refused(ask, message):
    """A callable that gives no usable numbers, or where none will do, is refused in one line."""
    with pytest.raises((ValueError, TypeError)) as refused:
        ask()
    assert str(refused.value).startswith(message) and str(refused.value).isprintable()


def test_nothing_of_a_callable_is_certified():
    """In ball arithmetic a callable is refused by name."""
    with pytest.raises(NotCertified, match="certified: no ball arithmetic for beta"):
        certify("martingale", process=PAIRS["vp"][0], law=LAW, scheme=SCHEME, certified=True)


def test_processes_of_callables_are_values():
    """A process is equal to itself, and two of two callables are not: nobody can tell whether they agree."""
    one, other = PAIRS["vp"][0], vp(lambda t: 0.1 + 5 * t)
    assert one == one and hash(one) == hash(one) and one != other != ou()
    assert repr(one) == "<process vp(beta='beta(t)')>"
