"""The law of a sampler in the plane: what is known of it by other routes, and what is refused."""

import math

import numpy as np
import pytest

from bounds.steps.affine import SecondStage, Steps
from closed_form.law import NoExactLaw
from closed_form.laws.mixture import GaussianMixture
from closed_form.sampler_laws.line.propagation import GridTooLarge
from closed_form.sampler_laws.line.sampler import sampler_line
from closed_form.sampler_laws.plane.law import PlaneLaw
from closed_form.sampler_laws.plane.sampler import plane_law
from tests.closed_form.tolerances import PLANE_DENSITY, PLANE_MASS, PLANE_RIPPLE

FIRST, SECOND = ([-1.0, 1.0], [0.3, 0.7]), ([-1.2, 0.3, 1.1], [0.2, 0.5, 0.3])
PRODUCT = GaussianMixture([(x, y) for x in FIRST[0] for y in SECOND[0]],
                          [v * w for v in FIRST[1] for w in SECOND[1]], std=0.6)


def ou_euler(horizon, k):
    """Euler-Maruyama for dX = −X dt + √2 dB on a uniform grid, coefficients by hand."""
    time = np.linspace(horizon, 0.0, k + 1)
    h, s_sq = -np.diff(time), -np.expm1(-2.0 * time)
    return Steps(time, 1.0 + h, 2.0 * h, 2.0 * h, np.exp(-time), s_sq, float(s_sq[0]))


@pytest.mark.parametrize(("bias", "noise"), [((0.0, 0.0), 0.0), ((0.3, -0.2), 0.4)])
def test_a_product_is_the_product_of_its_lines(bias, noise):
    """The density in the plane is that of the two lines, multiplied, with errors of the score as without."""
    steps = ou_euler(2.0, 15)
    found = plane_law(PRODUCT, steps, bias, noise)
    lines = [sampler_line(GaussianMixture(np.array(means)[:, None], weights, std=0.6), steps, push, noise).law
             for (means, weights), push in zip((FIRST, SECOND), bias, strict=True)]
    expected = np.multiply.outer(*(line.pdf(x) for line, x in zip(lines, found.grid.axes(), strict=True)))
    assert np.abs(found.values - expected).max() <= PLANE_DENSITY * expected.max()
    assert float(found.values.sum()) * found.grid.cell == pytest.approx(1.0, abs=PLANE_MASS)


def test_steps_without_noise_carry_the_density_along():
    """Two steps of Euler's method for the probability flow, in one evaluation and as one step of two."""
    time = np.linspace(0.4, 0.0, 3)
    h, s_sq, a = 0.2, -np.expm1(-2.0 * time), np.exp(-time)
    P, Q, none = np.full(2, 1 + h), np.full(2, h), np.zeros(2)
    plain = plane_law(PRODUCT, Steps(time, P, Q, none, a, s_sq, 1.0))
    second = SecondStage(time[1:2], np.zeros(1), P[1:], Q[1:], a[1:2], s_sq[1:2])
    twice = plane_law(PRODUCT, Steps(time[[0, 2]], P[:1], Q[:1], none[:1], a[[0, 2]], s_sq[[0, 2]], 1.0,
                                     second=second))
    line = sampler_line(GaussianMixture(np.array(FIRST[0])[:, None], FIRST[1], std=0.6),
                        Steps(time, P, Q, none, a, s_sq, 1.0)).law
    for found in (plain, twice):
        marginal = found.values.sum(axis=1) * found.grid.spacing
        expected = line.pdf(found.grid.axes()[0])
        assert np.abs(marginal - expected).max() <= PLANE_DENSITY * expected.max()


@pytest.mark.parametrize(("std", "lengths"), [(1.0, 0), (1.08, 1)])
def test_many_steps_that_hardly_move_anything_make_no_waves(std, lengths):
    """On grids of even and of odd lengths a hundred steps of little noise leave a Gaussian a Gaussian."""
    found, n, noise = PlaneLaw.gaussian(std, 0.25), 100, 0.075
    assert found.grid.shape[0] % 2 == found.grid.shape[1] % 2 == lengths
    for _ in range(n):
        found.move(lambda x: (x, np.multiply.outer(np.eye(2), np.ones(x.shape[1]))), noise, 0.26, 1 << 14)
    variance = std**2 + n * noise**2
    expected = np.multiply.outer(*(np.exp(-x * x / (2 * variance)) for x in found.grid.axes())) / (2 * math.pi * variance)
    assert np.abs(found.values - expected).max() <= PLANE_DENSITY * expected.max()
    assert found.unresolved <= PLANE_DENSITY and -found.values.min() <= PLANE_RIPPLE * expected.max()


def test_what_the_plane_cannot_hold_is_refused_by_name():
    """Steps that may fold the plane, and grids that would take minutes, are refused with the numbers."""
    with pytest.raises(NoExactLaw, match="steps are too long for the law in the plane: P - Q/V must be positive"):
        plane_law(PRODUCT, ou_euler(2.0, 1))
    wide = GaussianMixture(300 * PRODUCT.means, PRODUCT.weights, std=0.1)
    with pytest.raises(GridTooLarge, match=r"would take about .* s on grids of up to .* points, above the limit"):
        plane_law(wide, ou_euler(2.0, 100))
    with pytest.raises(GridTooLarge, match="above the limit of 500"):
        plane_law(PRODUCT, ou_euler(2.0, 15), most=500)
