"""Roots inside brackets: of any increasing function, with few evaluations, and only where signs change."""

import numpy as np
import pytest

from closed_form.distances import line
from closed_form.distances.line_mixture import LineMixture
from closed_form.distances.roots import elementwise_roots
from tests.closed_form.tolerances import LINE_INTEGRAL, QUANTILE_STEPS, ROOT_STEPS

LEVELS = np.linspace(-50.0, 50.0, 401)


def cubes(slope, seen):
    """x³ + x − level with a slope of one's choice, which tells what it is asked."""
    def excess(x, level):
        seen.append(len(x))
        value = x**3 + x - level
        return value, -value / slope(x)

    return excess


@pytest.mark.parametrize("slope", [lambda x: 3 * x**2 + 1, lambda x: 1e3 + x, lambda x: 0 * x, lambda x: x - 1e-3,
                                   lambda x: np.nan * x], ids=["right", "large", "none", "wrong", "no number"])
def test_only_signs_are_trusted(slope):
    """Whatever the slope says the roots are those of the function."""
    far = np.full(LEVELS.shape, 10.0)
    found = elementwise_roots(cubes(slope, []), -far, far, (LEVELS,), 1e-14)
    assert found**3 + found == pytest.approx(LEVELS, rel=LINE_INTEGRAL, abs=LINE_INTEGRAL)


def test_newton_needs_few_evaluations():
    """From the middle of a bracket of 20, 401 roots are known after a dozen evaluations."""
    seen, far = [], np.full(LEVELS.shape, 10.0)
    elementwise_roots(cubes(lambda x: 3 * x**2 + 1, seen), -far, far, (LEVELS,), 1e-14)
    assert len(seen) <= ROOT_STEPS


def test_a_bracket_without_a_root_is_left_or_refused():
    """A root outside is found in the wide bracket, and without one the search says where it was."""
    one, level = np.array([1.0]), np.array([10.0])
    excess = cubes(lambda x: 3 * x**2 + 1, [])
    assert elementwise_roots(excess, 0 * one, one, (level,), 1e-14, wide=5 * one) == pytest.approx(2.0)
    with pytest.raises(ArithmeticError, match=r"no root between 0\.0 and 1\.0"):
        elementwise_roots(excess, 0 * one, one, (level,), 1e-14)


def test_the_coupling_of_two_laws_is_found_in_few_evaluations(monkeypatch):
    """Two laws of two modes ask for their distribution functions no more than so often."""
    asked, cdf = [], LineMixture.cdf
    monkeypatch.setattr(LineMixture, "cdf", lambda law, x: (asked.append(np.size(x)), cdf(law, x))[1])
    assert line.w2_line(LineMixture([-1.0, 1.0], 0.5), LineMixture([-1.1, 1.0], 0.5)).relative_width < LINE_INTEGRAL
    assert sum(asked) <= QUANTILE_STEPS
