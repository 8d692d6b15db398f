"""Integrals over [0, 1] in balls: of what is analytic, of maxima with kinks, and what is refused."""

import numpy as np
import pytest
from flint import acb, arb, ctx

import bounds.certified.phase_space.quadrature as quadrature
from bounds.certified.phase_space.quadrature import Quadrature
from bounds.symbolic.balls import NotEnclosed

TOLERANCE = 1e-25


@pytest.fixture(autouse=True)
def many_bits():
    """192 bits."""
    with ctx.workprec(192):
        yield


@pytest.mark.parametrize("pole", [-1.0, -0.01, -1e-6])
def test_analytic(pole):
    """∫ 1/(z − p) is log((1 − p)/−p), as sharp as asked for, however near the pole is."""
    found = Quadrature().gauss(lambda z: [1 / (z - pole)], TOLERANCE)
    wanted = ((1 - arb(pole)) / -arb(pole)).log()
    assert found.overlaps(wanted) and found.rad() < 2 * TOLERANCE


@pytest.mark.parametrize("count", [3, 5, 8])
@pytest.mark.parametrize("reach", [1.25, 2.0, 4.0])
def test_what_a_rule_misses(count, reach):
    """Of the Chebyshev polynomial of degree 2n, whose largest value on the ellipse is (ϱ²ⁿ + ϱ⁻²ⁿ)/2, Gauss'
    n nodes miss no more than is allowed for, and a good part of it."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    degree = 2 * count
    missed = abs(weights @ np.polynomial.chebyshev.chebval(nodes, [0] * degree + [1]) - 2 / (1 - degree**2))
    rho = reach + np.sqrt(reach**2 - 1)
    allowed = float(quadrature.gauss_error(count, reach)) * (rho**degree + rho**-degree) / 2
    assert missed <= allowed <= 4 * missed


def test_a_narrow_bump_is_not_missed():
    """A bump that no node of a rule of few nodes would see is integrated."""
    width = arb(2) ** -20
    found = Quadrature().gauss(lambda z: [1 / (1 + ((z - arb(1) / 3) / width) ** 2)], TOLERANCE)
    wanted = width * ((arb(2) / 3 / width).atan() + (arb(1) / 3 / width).atan())
    assert found.overlaps(wanted) and found.rad() < 1e-20


@pytest.mark.parametrize("at", [0.0, 1e-9, 0.3, 0.5, 1.0])
def test_a_kink(at):
    """∫ max(0, z − a) is (1 − a)²/2 whichever comes first, and ∫ min(0, z − a) is −a²/2."""
    zero, above, below = acb(0), (1 - arb(at)) ** 2 / 2, -(arb(at) ** 2) / 2
    cases = ((lambda z: [zero, z - at, z - at], above), (lambda z: [z - at, zero, zero], above),
             (lambda z: [acb(-1), z - at, zero], below), (lambda z: [acb(-1), zero, z - at], below))
    for values, wanted in cases:
        found = Quadrature().greatest(values, TOLERANCE)
        assert found.overlaps(wanted) and found.rad() < 1e-23


def test_the_smaller_of_two_under_a_floor():
    """∫ max(1/4, min(z, 1 − z)) is 5/16."""
    found = Quadrature().greatest(lambda z: [acb(0.25), z, 1 - z], TOLERANCE)
    assert found.overlaps(arb(5) / 16) and found.rad() < 1e-23


def test_functions_that_are_the_same():
    """Branches that differ by less than their balls need no halving."""
    near = acb(arb(1, 1e-40))
    found = Quadrature().greatest(lambda z: [z, z * near, z], TOLERANCE)
    assert found.overlaps(arb(1) / 2) and found.rad() < 1e-23


def test_what_needs_too_many_parts_is_refused(monkeypatch):
    """A pole on the way is refused, in one line."""
    monkeypatch.setattr(quadrature, "MOST_PARTS", 50)
    with pytest.raises(NotEnclosed, match="more than 50 parts"):
        Quadrature().gauss(lambda z: [1 / (z - arb(1) / 3)], TOLERANCE)


@pytest.mark.parametrize("tolerance", [1e-4, 1e-25])
def test_what_polynomials_miss_is_in_the_ball(tolerance):
    """∫ max(0, e^{3z} − e^{3a}) is in its ball also where few points are asked for."""
    at = arb(3) / 10
    wanted = ((3 * arb(1)).exp() - (3 * at).exp()) / 3 - (1 - at) * (3 * at).exp()
    floor = (3 * acb(at)).exp()
    found = Quadrature().greatest(lambda z: [acb(0), (3 * z).exp() - floor, acb(100)], tolerance)
    assert found.contains(wanted) and found.rad() < 3 * tolerance
    # with no kink nothing else is left open
    whole = ((3 * arb(1)).exp() - 1) / 3
    found = Quadrature().greatest(lambda z: [acb(0), (3 * z).exp(), acb(100)], tolerance)
    assert found.contains(whole) and found.rad() < 3 * tolerance
    found = Quadrature().gauss(lambda z: [(3 * z).exp()], tolerance)
    assert found.contains(whole) and found.rad() < 3 * tolerance
