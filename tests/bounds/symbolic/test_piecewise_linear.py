"""Tables as schedules: their values, balls, integrals across their points, and what is refused."""

import itertools

import mpmath
import numpy as np
import pytest
import sympy
from flint import arb, ctx
from hypothesis import given
from hypothesis import strategies as st

from bounds import exponential_integrator, ve, vp
from bounds.schedules import table
from bounds.steps.analytic_panels import analytic_panels
from bounds.steps.path import Path
from bounds.symbolic.balls import BallFunction, NotAnalytic
from bounds.symbolic.integrals import TIME
from closed_form import Gaussian
from tests.bounds.tolerances import PATH_RELATIVE
from tests.command_line import FAST, answer, assert_refused, problem, run
from verify import certify

TIMES, VALUES = [0.0, 0.1, 0.33, 0.5, 1.0], [1.0, 3.0, 0.2, 5.0, 2.0]


def test_values():
    """At numbers the table is exact, at arrays it is linear between the points, and undefined outside
    them."""
    beta = table(TIMES, VALUES)
    assert beta.subs(TIME, sympy.Rational(3, 4)) == sympy.Rational(7, 2)
    process = vp(beta)
    assert process.g_sq_values(np.array(TIMES)).tolist() == VALUES
    assert process.f_values(np.array([0.05, 0.75])) == pytest.approx([1.0, 1.75], rel=1e-15)
    assert beta.subs(TIME, 2) is sympy.nan and "table of 5 points" in repr(process)
    with pytest.raises(ValueError, match="must be real and finite"):
        process.f_values(np.array([1.5]))


@given(st.lists(st.floats(0.01, 1.0), min_size=1, max_size=6), st.data())
def test_balls_hold_every_value(lengths, data):
    """The ball over an interval holds the values on it, and is not larger than their range by much."""
    times = np.append(0.0, np.cumsum(lengths))
    values = np.array(data.draw(st.lists(st.floats(0.0, 5.0), min_size=len(times), max_size=len(times))))
    low, high = sorted(data.draw(st.tuples(*[st.floats(0.0, float(times[-1]))] * 2)))
    function = BallFunction(table(times, values))
    found = function.interval(arb(low).union(arb(high)))
    inside = [*np.interp(np.linspace(low, high, 50), times, values),
              *values[(times >= low) & (times <= high)]]
    for value in inside:
        assert float(found.lower()) - 1e-12 <= value <= float(found.upper()) + 1e-12
    assert float(found.upper() - found.lower()) <= max(inside) - min(inside) + 1e-6


def test_a_part_across_a_point_is_not_analytic():
    """Between two points the table is the line through them, also off the real axis; across one it has a
    kink."""
    function = BallFunction(table(TIMES, VALUES))
    with ctx.workprec(64):
        assert function.taylor(arb(0.5).union(arb(1.0)), 3)[1].overlaps(arb(-6))
        with pytest.raises(NotAnalytic):
            function.taylor(arb(0.4).union(arb(0.6)), 3)


def test_steps_are_cut_at_the_points():
    """The panels of a table end where its points are, and nothing else: a thousand points make a thousand
    panels."""
    times = np.linspace(0.0, 1.0, 1001)
    process = vp(table(times, lambda t: 1 + np.sin(40 * t) ** 2))
    found = analytic_panels((process.f, process.g_sq), ("f", "g²"), (False, True), 1.0)
    assert found.edges == pytest.approx(times, abs=0) and found.unproved == "" and not found.hidden.any()


@pytest.mark.parametrize("grid", [[1.0, 0.0], [1.0, 0.9, 0.32, 0.05, 0.0]])
def test_integrals_are_exact(grid):
    """∫f of a step is the sum of trapezoids, and C of VP is 1 − e^{−2∫f}, whatever the points inside the
    step."""
    path = Path(vp(table(TIMES, VALUES)), np.array(grid))
    for k, (above, below) in enumerate(itertools.pairwise(grid)):
        places = sorted({above, below, *(t for t in TIMES if below < t < above)})
        heights = np.interp(places, TIMES, VALUES)
        half = sum(mpmath.mpf(float(x)) * (mpmath.mpf(q) - p) for x, p, q in
                   zip((heights[1:] + heights[:-1]) / 4, places, places[1:], strict=False))
        assert path.F[k] == pytest.approx(float(half), rel=PATH_RELATIVE)
        assert path.C[k] == pytest.approx(float(-mpmath.expm1(-2 * half)), rel=PATH_RELATIVE)


def test_bound_and_truth_agree_with_the_same_line():
    """A table of a straight line gives the bound and the exact W2 of its expression, proved as that."""
    times = np.array([0.0, 0.2, 0.7, 1.0])
    one, two = (certify("martingale", process=process, law=Gaussian([0.5], 0.3),
                        scheme=exponential_integrator(1, 9))
                for process in (ve(table(times, 1 + 3 * times)), ve("1 + 3*t")))
    assert one.bound.total == pytest.approx(two.bound.total, rel=1e-10)
    assert one.measured.midpoint == pytest.approx(two.measured.midpoint, rel=1e-10)
    assert "estimated" not in one.measured.method and not one.bound.notes


@pytest.mark.parametrize(("times", "values", "named"), [
    ([0.0], [1.0], "table must be 2 to 3000 points"), ([0.0, 1.0], [1.0], "must be 2 to 3000 points"),
    ([0.1, 1.0], [1.0, 1.0], "times that increase from 0, got 0.1 first"),
    ([0.0, 1.0, 1.0], [1.0] * 3, "a step that does not"),
    ([0.0, 1.0], [1.0, np.nan], "finite times and values"),
])
def test_a_wrong_table_is_named(times, values, named):
    """A table of one point, of unequal lengths, not from 0, not increasing or not finite is refused by
    name."""
    with pytest.raises(ValueError, match=named):
        table(times, values)


def test_a_table_in_a_problem_file(tmp_path):
    """A problem file takes points for a coefficient; a horizon beyond the last, and what is no point, are
    named."""
    path = problem(tmp_path, "gaussian", {"process.beta": "[[0, 0.1], [0.5, 3.0], [1, 20.0]]"})
    (entry,) = answer("certify", path, "--theorem", "martingale", *FAST)["certificates"]
    assert entry["verdict"] == "HOLDS" and entry["problem"]["process"]["beta"] == [[0, 0.1], [0.5, 3.0], [1, 20.0]]
    assert "real and finite" in assert_refused(run("certify", path, *FAST, "--set", "scheme.horizon=2"))
    for wrong in ("[[0, 1], [1]]", '[[0, "t"], [1, 2]]', "[]"):
        path = problem(tmp_path, "gaussian", {"process.beta": wrong})
        assert "process.beta must be" in assert_refused(run("certify", path))
