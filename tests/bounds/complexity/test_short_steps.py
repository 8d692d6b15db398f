"""Symbols of a step on the path of a process."""

import numpy as np
import pytest
import sympy

from bounds import StronglyLogConcave
from bounds.complexity.growth import LATE as t
from bounds.complexity.short_steps import Path, _uncancelled
from tests.bounds.tolerances import PATH_RELATIVE


@pytest.mark.parametrize(("f", "g_sq", "a_sq", "s_sq"), [
    (sympy.S.One, sympy.Integer(2), np.exp(-1.0), 1 - np.exp(-1.0)), (sympy.S.Zero, 2 * t, 1.0, 0.25)])
def test_the_hessian_of_the_noised_law(f, g_sq, a_sq, s_sq):
    """alpha_t and L_t at t = 1/2 are the floor and the ceiling of −∇² log p_t of data between m0 and L0."""
    path, data = Path(f, g_sq, sympy.Rational(1, 2), sympy.Integer(3)), StronglyLogConcave(0.5, 3.0)
    high = -data.hessian_lower(a_sq, s_sq)
    low = high - data.hessian_gap(a_sq, s_sq)
    found = [float(path[name].subs(t, sympy.Rational(1, 2))) for name in ("alpha_t", "L_t")]
    assert found == pytest.approx([low, high], rel=PATH_RELATIVE)


def test_what_is_asymptotic_may_stand_in_products_and_not_in_differences():
    """F ~ fh may take the place of F in products of powers of it; where one factor is a difference it may not."""
    F, x = sympy.symbols("F x", positive=True)
    assert _uncancelled(x * F**2, F) and _uncancelled(F * (x + F), F)
    assert not _uncancelled(x * (F - x), F) and not _uncancelled(F * (F - x), F)
