"""Integrals over steps: accuracy, honest error estimates, and independence of how steps are cut."""

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate

from bounds import ForwardProcess, general, ou, ve
from bounds.steps.path import Path
from bounds.symbolic.integrals import TIME
from tests.bounds.tolerances import PATH_RELATIVE


@given(st.lists(st.floats(1e-6, 3.0), min_size=1, max_size=40), st.floats(0, 1))
def test_steps_compose(lengths, stop):
    """a and s² at the horizon do not depend on how [0, T] is cut into steps."""
    times = (stop + np.cumsum([0.0, *lengths]))[::-1]
    process = general(sympy.sin(4 * TIME) - sympy.Rational(1, 3), 1 + TIME / 2)
    many, one = Path(process, times), Path(process, np.array([times[0], 0.0]))
    assert many.a[0] == pytest.approx(one.a[0], rel=100 * PATH_RELATIVE)
    assert many.s_sq[0] == pytest.approx(one.s_sq[0], rel=100 * PATH_RELATIVE)


@pytest.mark.parametrize(
    "integrand",
    [
        lambda n: np.sqrt(n.t),
        lambda n: 1 / (1e-4 + n.t),
        lambda n: np.cos(30 * n.t) ** 2,
        lambda n: np.abs(n.t - 0.3),
    ],
    ids=["root", "boundary layer", "oscillation", "kink"],
)
def test_error_estimates_are_honest(integrand):
    """On singular, stiff, oscillating and kinked integrands the error is within the estimate, and small."""
    times = np.array([2.0, 0.7, 0.0])
    (value,), (error,) = Path(ou(), times).integrate(lambda n: (integrand(n),))

    class At:
        def __init__(self, t):
            self.t = np.asarray(t)

    for i in range(2):
        exact, slack = integrate.quad(
            lambda t: float(integrand(At(t))), times[i + 1], times[i], epsabs=1e-13, epsrel=1e-13, limit=400,
            points=[0.3, 1e-3] if i else None,
        )
        assert abs(value[i] - exact) <= error[i] + slack + 1e-12 * abs(exact)
        assert error[i] <= 1e-9 * abs(exact)


def test_small_steps_do_not_cancel():
    """C over a step of length 1e-9 far from 0 keeps its relative accuracy."""
    path = Path(ou(), np.array([3.0, 3.0 - 1e-9, 0.0]))
    h = path.times[0] - path.times[1]
    assert path.C[0] == pytest.approx(-np.expm1(-2 * h), rel=PATH_RELATIVE)


def test_far_horizons_neither_overflow_nor_lose_the_variance():
    """At ∫f = 600, where e^{2∫f} is no float, s² is still 1 and a is tiny."""
    path = Path(ou(), np.linspace(600.0, 0.0, 1201))
    assert path.s_sq[0] == pytest.approx(1.0, rel=1e-12)
    assert path.a[0] == pytest.approx(np.exp(-600.0), rel=1e-9)


def test_blocks_do_not_matter(monkeypatch):
    """The integrals are the same when the steps are processed a few at a time."""
    times = np.linspace(3.0, 0.0, 301)
    whole = Path(ve(1 + TIME), times)
    monkeypatch.setattr("bounds.steps.path.BLOCK_POINTS", 35)
    cut = Path(ve(1 + TIME), times)
    assert np.array_equal(whole.C, cut.C)
    assert np.array_equal(whole.s_sq, cut.s_sq)


def looked_at(path, integrand, **options):
    """(Nodes of each look of `Path.integrate`, its values and errors) with such options."""
    seen = []

    def counted(nodes):
        seen.append(nodes.t.shape)
        return (integrand(nodes),)

    values = path.integrate(counted, **options)
    return seen, values


def test_nodes_tried_first_change_no_digit():
    """Eight nodes a step where they do, ten where they miss more than a share of the tolerance, and the same value
    to rounding as by ten throughout, for a batch too."""
    path, missed = Path(ou(), np.linspace(3.0, 1.0, 201)), lambda n: np.square(np.exp(n.F) - 1)
    plain, ((whole,), _) = looked_at(path, missed, tolerance=1e-8, problems=3)
    first, ((tried,), _) = looked_at(path, missed, tolerance=1e-8, problems=3, first=8)
    assert plain == [(200, 1, 10)] and first == [(200, 1, 8)]
    assert tried == pytest.approx(whole, rel=PATH_RELATIVE, abs=0.0)
    rough = lambda n: np.square(np.exp(9 * n.F) - 1)  # noqa: E731
    (_, (tried, _)), (_, (whole, _)) = (looked_at(path, rough, tolerance=1e-8, **some)
                                        for some in ({"first": 5}, {"problems": 3}))
    assert tried[0].tolist() == whole[0].tolist()


def test_nodes_that_mostly_fail_are_not_tried_again(monkeypatch):
    """After a block of which most steps need more nodes the next ones get them at once."""
    monkeypatch.setattr("bounds.steps.path.BLOCK_POINTS", 5 * 50)
    path = Path(ou(), np.linspace(3.0, 1.0, 201))
    seen, _ = looked_at(path, lambda n: np.square(np.exp(9 * n.F) - 1), tolerance=1e-8, first=5)
    assert seen == [(50, 1, 5)] + 4 * [(50, 1, 10)]


def test_the_error_of_an_integral_is_a_few_roundings():
    """Without drift ∫g² of a constant over steps of one is off by a rounding at least and by 24 at most."""
    path, unit = Path(ve(1), np.array([3.0, 2.0, 1.0, 0.0])), np.finfo(float).eps
    assert np.all(path.C_error >= unit / 2 * path.C) and np.all(path.C_error <= 24 * unit * path.C)


def test_where_an_integral_does_not_converge_is_said():
    """A pole of g² inside [0.5, 0.6], beside a far larger integral over [0.9, 1]: the message names the step
    of the pole, though the function has no ball arithmetic."""
    g_sq = 10**8 * TIME**40 + sympy.Rational(1, 1000) / sympy.Abs(TIME - sympy.Rational(547, 1000))
    process = ForwardProcess.scalar("test", sympy.Rational(1, 2), g_sq * (1 + sympy.atan(TIME) ** 2))
    with pytest.raises(ValueError, match=r"must converge, they do not between t = 0\.5 and t = 0\.6"):
        Path(process, np.linspace(1.0, 0.0, 11))


@pytest.mark.parametrize("process", [general("1", "2"), ve(3)], ids=["general", "ve"])
def test_what_floats_lose_of_coefficients_is_in_the_errors(process, monkeypatch):
    """∫f and C may be off by as much of themselves as f and g² are; what ∫f is off by changes C, too."""
    times = np.linspace(2.0, 0.0, 5)
    plain = Path(process, times)
    for lost in ((1e-3, 0.0), (0.0, 1e-3)):
        monkeypatch.setattr(ForwardProcess, "rounding", lambda self, horizon, lost=lost: lost)
        found = Path(process, times)
        assert np.allclose(found.F_error - plain.F_error, lost[0] * found.F, rtol=PATH_RELATIVE, atol=1e-15)
        assert np.all(found.C_error >= lost[1] * found.C)
        assert np.all(found.C_error >= 2 * lost[0] * found.F * found.C)
