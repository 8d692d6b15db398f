"""What a step misses of the flow on a known law: against quantiles by bisection, and closed forms of
Gaussians."""

from functools import cache

import numpy as np
import pytest
from scipy import linalg, optimize, special, stats

from closed_form import Gaussian, GaussianMixture
from closed_form.posteriors import flow_errors
from tests.closed_form.tolerances import FLOW_ERRORS

TAU, R = np.array([6.0, 2.0, 0.7, 0.3]), np.array([3.0, 1.0, 0.3, 0.0])
THREE = GaussianMixture([[-1.5], [0.0], [1.0]], [0.2, 0.5, 0.3], std=0.4)


def errors_of(law):
    """What steps miss on a law, as the theorems are told."""
    return law.facts().flow_errors


def euler(y, index, noise):
    """DDIM's step."""
    tau, r = TAU[index][:, None], R[index][:, None]
    return y - (tau - r) * noise(y, tau)


def midpoint(y, index, noise):
    """The midpoint method's."""
    tau, r = TAU[index][:, None], R[index][:, None]
    middle = (tau + r) / 2
    return y - (tau - r) * noise(y - (tau - middle) * noise(y, tau), middle)


def still(y, index, noise):
    """A step that does nothing."""
    return y + 0 * noise(y, TAU[index][:, None])


NODES, RULE = np.polynomial.legendre.leggauss(16)
#: Normal levels on 40 panels: the quantiles are steep between modes.
Z = (np.linspace(-7.8, 7.8, 40)[:, None] + 0.2 * NODES).ravel()
RULE = np.tile(0.2 * RULE, 40) * stats.norm.pdf(Z)


@cache
def quantiles(spread):
    """Quantiles of the three modes at a deviation, by bisection from the nearer tail."""
    means, weights = THREE.means[:, 0], THREE.weights

    def excess(x, z):
        side = 1.0 if z < 0 else -1.0
        return side * (weights @ special.ndtr(side * (x - means) / spread) - special.ndtr(side * z))

    return np.array([optimize.brentq(excess, -60.0, 60.0, (each,), xtol=1e-14) for each in Z])


@pytest.mark.parametrize("step", [euler, midpoint, still])
def test_quantiles_of_both_levels(step):
    """Each is the mean square over levels u of what the step makes of one quantile, less the other."""
    means, weights = THREE.means[:, 0], THREE.weights

    def noise(y, sigma):
        variance = THREE.std**2 + sigma**2
        shares = weights * np.exp(-np.square(y[..., None] - means) / (2 * variance[..., None]))
        return sigma * (y - (shares @ means) / shares.sum(axis=-1)) / variance

    found = errors_of(THREE)(TAU, R, step)
    for k in range(len(TAU)):
        start, end = (quantiles(float(np.hypot(THREE.std, level[k]))) for level in (TAU, R))
        miss = step(start[None], np.array([k]), noise)[0] - end
        assert found[k] == pytest.approx(float(np.sqrt(RULE @ np.square(miss))), rel=FLOW_ERRORS)


def test_gaussians_and_their_mixtures_of_one():
    """Two equal components are a Gaussian, whose errors are |J − ρ| √(v + τ²) a coordinate."""
    v, drift = 0.3, 0.25

    def step(y, index, noise):
        return (1 + drift) * euler(y, index, noise)

    J = (1 + drift) * (1 - (TAU - R) * TAU / (v + TAU**2))
    alone = np.abs(J - np.sqrt((v + R**2) / (v + TAU**2))) * np.sqrt(v + TAU**2)
    many = errors_of(Gaussian(np.zeros(5), v))(TAU, R, step)
    np.testing.assert_allclose(many, np.sqrt(5) * alone, rtol=FLOW_ERRORS)
    line = errors_of(GaussianMixture([[0.0], [1e-9]], std=np.sqrt(v)))(TAU, R, step)
    np.testing.assert_allclose(line, alone, rtol=FLOW_ERRORS)
    # a mean that the step does not keep
    moved = errors_of(Gaussian([3.0, 4.0], v))(TAU, R, step)
    np.testing.assert_allclose(moved, np.sqrt(2 * alone**2 + (5 * drift) ** 2), rtol=FLOW_ERRORS)


def test_a_later_evaluation_sees_where_the_mean_went():
    """On a turned Gaussian a step of two evaluations that leaves the mean misses what its affine map, by matrices,
    misses of the flow's."""
    turn = stats.ortho_group(3, seed=4).rvs()
    mean, spread, one = np.array([3.0, -1.0, 2.0]), turn @ np.diag([0.1, 0.1, 2.0]) @ turn.T, np.eye(3)

    def twice(y, index, noise):
        tau, r = TAU[index][:, None], R[index][:, None]
        inner = 0.8 * y - (tau - r) / 3 * noise(y, tau)
        return 0.5 * y + 0.6 * inner - (tau - r) / 2 * noise(inner, (tau + r) / 2)

    found = errors_of(Gaussian(mean, spread))(TAU, R, twice)
    for tau, r, error in zip(TAU, R, found, strict=True):
        at = [sigma * np.linalg.inv(spread + sigma**2 * one) for sigma in (tau, (tau + r) / 2)]
        # as maps of y − mean: linear part, and what is added
        inner, moved = 0.8 * one - (tau - r) / 3 * at[0], -0.2 * mean
        whole = 0.5 * one + 0.6 * inner - (tau - r) / 2 * at[1] @ inner
        moved = -0.5 * mean + 0.6 * (mean + moved) - (tau - r) / 2 * at[1] @ moved
        before = spread + tau**2 * one
        miss = whole - linalg.sqrtm((spread + r**2 * one) @ np.linalg.inv(before)).real
        wanted = np.sqrt(np.trace(miss @ before @ miss.T) + moved @ moved)
        assert error == pytest.approx(wanted, rel=FLOW_ERRORS)


def test_parts_add_in_squares():
    """A line in three dimensions, turned, and a product of lines: squares of the parts."""
    axis = np.array([2.0, -1.0, 2.0]) / 3
    line, across = errors_of(THREE)(TAU, R, euler), errors_of(Gaussian([0.0, 0.0], 0.16))(TAU, R, euler)
    space = GaussianMixture(THREE.means * axis, THREE.weights, std=0.4)
    np.testing.assert_allclose(errors_of(space)(TAU, R, euler), np.hypot(line, across), rtol=FLOW_ERRORS)
    corners = GaussianMixture([[x, y] for x in (-1.0, 1.0) for y in (-1.0, 1.0)], std=0.4)
    side = errors_of(GaussianMixture.two_modes(2.0, 0.4))(TAU, R, euler)
    np.testing.assert_allclose(errors_of(corners)(TAU, R, euler), np.sqrt(2) * side, rtol=FLOW_ERRORS)


def test_far_modes_and_many():
    """Modes 100 deviations apart move as one each, and 60 components on a grid as the Gaussian they are close
    to."""
    def later(y, index, noise):
        return euler(y, index + 2, noise)

    far, one = (errors_of(law)(TAU[2:], R[2:], later) for law in (
        GaussianMixture([[-50.0], [50.0]], std=1.0), Gaussian([0.0], 1.0)))
    np.testing.assert_allclose(far, one, rtol=FLOW_ERRORS)
    places = np.linspace(-6.0, 6.0, 61)
    weights = stats.norm.pdf(places)
    many = GaussianMixture(places[:, None], weights / weights.sum(), std=0.5)
    found, wanted = (errors_of(law)(TAU, R, euler) for law in (many, Gaussian([0.0], 1.25)))
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_what_has_no_parts_is_not_known(monkeypatch):
    """Components of two widths, or means off a line and no product: None; too much work: infinite, a bound
    still."""
    assert errors_of(GaussianMixture([[0.0], [1.0]], covariances=[[[1.0]], [[2.0]]])) is None
    assert errors_of(GaussianMixture([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], std=1.0)) is None
    monkeypatch.setattr(flow_errors, "MOST", 10)
    assert np.all(np.isinf(errors_of(THREE)(TAU, R, euler)))
