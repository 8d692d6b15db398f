"""The two-block initial term: at least the exact W2 in the metric, equal to it for Gaussian data, sound at
every extreme."""

from dataclasses import replace

import numpy as np
import pytest
from mpmath import mp

from bounds import StronglyLogConcave, WeaklyLogConcave
from bounds.processes.cld import cld
from bounds.recursion.phase_space.initial import Start, coupled, error_in_metric
from bounds.steps.phase_space.channel import channel
from bounds.steps.phase_space.path import PhasePath
from bounds.theorems import theorems
from tests.bounds.tolerances import INITIAL_EXACT, INITIAL_ROUNDING
from tests.phase_space_exact import DIGITS, PROCESSES, ExactPhase

FUNCTIONS = theorems()["martingale"].functions
GIVEN = pytest.mark.parametrize("constants", PROCESSES)


def gelbrich(constants, time, metric, variance, mean):
    """W2 in the metric between N(φm, S + Vφφᵀ) and N(0, Σ_∞) in 60 digits: the exact W2 for Gaussian data in
    d = 1."""
    with mp.workdps(DIGITS):
        exact = ExactPhase(*constants)
        law, prior = exact.second_moment(time, mp.mpf(variance)), exact.stationary
        P, phi = mp.matrix(metric), exact.flow(time)[:, 0]
        # tr(√A P-metric): the fidelity of 2×2 matrices is (tr AB + 2√det AB)^{1/2}
        product = P * law * P * prior
        fidelity = mp.sqrt(sum(product[i, i] for i in (0, 1)) + 2 * mp.sqrt(abs(mp.det(product))))
        spread = P * law + P * prior
        square = mp.mpf(mean) ** 2 * (phi.T * P * phi)[0] + spread[0, 0] + spread[1, 1] - 2 * fidelity
        return float(mp.sqrt(max(square, 0)))


def known_gaussian(variance, mean):
    """γ -> W2(N(m, V), N(0, γ)) in d = 1."""
    return lambda gamma: float(np.hypot(mean, np.sqrt(variance) - np.sqrt(gamma)))


def metrics(path):
    """Weights in units of the stationary law: round, all but one-sided, and far out of range."""
    x, v = np.sqrt(np.diag(path.stationary))
    for p, q, r in ((1, 0, 1), (1, 0.9, 1), (1, 0, 1e-8), (1e-8, 0, 1), (1, -0.999999, 1), (1e120, 0, 1e110)):
        yield p / x**2, q / (x * v), r / v**2


@GIVEN
@pytest.mark.parametrize("time", [0.01, 0.5, 3.0])
@pytest.mark.parametrize("size", [0.1, 1.0, 20.0])
def test_exact_for_gaussian_data(constants, time, size):
    """For N(m, V) on the line, known, E_0 is the exact W2 in the metric, never less, in every metric."""
    path = PhasePath(cld(*constants))
    variance, mean = (size**2 * path.stationary[0, 0]), 0.3 * np.sqrt(path.stationary[0, 0])
    assumption = StronglyLogConcave(1 / variance, 1 / variance, mean_norm=mean)
    start = Start.of(
        path, time / path.a, path.stationary, assumption, FUNCTIONS, known_gaussian(variance, mean)
    )
    for weights in metrics(path):
        exact = gelbrich(constants, time / path.a, [weights[:2], weights[1:]], variance, mean)
        found = error_in_metric(start, weights, assumption, FUNCTIONS).error
        # what cancels in the metric: law and prior, by the weights' diagonal
        size = np.diag(path.stationary + start.seen.covariance_plus(variance)[0]) @ [weights[0], weights[2]]
        assert (
            exact
            <= found
            <= exact * (1 + INITIAL_EXACT) + INITIAL_ROUNDING * max(np.sqrt(size), size / exact)
        )


@GIVEN
def test_never_below_for_mixtures(constants):
    """For modes at ±m, from the constants alone, E_0 is at least the distance of the second moments
    (Gelbrich)."""
    path = PhasePath(cld(*constants))
    unit = path.stationary[0, 0]
    assumption = WeaklyLogConcave(1 / unit, 2 / unit, 1 / unit, second_moment=3 * unit)
    for time in (0.05, 1.0, 4.0):
        start = Start.of(path, time / path.a, path.stationary, assumption, FUNCTIONS)
        for weights in metrics(path):
            exact = gelbrich(constants, time / path.a, [weights[:2], weights[1:]], 3 * unit, 0.0)
            assert error_in_metric(start, weights, assumption, FUNCTIONS).error >= exact


@GIVEN
def test_distance_from_the_prior_at_time_zero(constants):
    """``mixing`` is the exact W2(p_0 ⊗ N(0, v²), N(0, Σ_∞)) for known Gaussian data, V_0 = 0 included."""
    path = PhasePath(cld(*constants))
    variance, mean = 2.0 * path.stationary[0, 0], 0.4
    assumption = StronglyLogConcave(1 / variance, 1 / variance, mean_norm=mean)
    start = Start.of(path, 1.0, path.stationary, assumption, FUNCTIONS, known_gaussian(variance, mean))
    exact = gelbrich(constants, 0, [[1, 0], [0, 1]], variance, mean)
    assert (
        exact
        <= start.mixing
        <= exact * (1 + INITIAL_EXACT) + INITIAL_ROUNDING * np.sqrt(np.trace(path.stationary) + variance)
    )


@pytest.mark.parametrize("time", [1e-6, 1e-3, 30.0])
@pytest.mark.parametrize("dim", [2, 50])
def test_unknown_data_in_many_dimensions(time, dim):
    """In d dimensions with variances between V/4 and V, E_0 is at least the sum of the exact squares over the
    axes."""
    path, constants = PhasePath(cld(1, 2, 0, 1)), (1, 2, 0, 1)
    variances = np.linspace(0.25, 1.0, dim)
    assumption = StronglyLogConcave(1.0, 4.0, dim=dim, second_moment=float(variances.sum()) + 0.09)
    start = Start.of(path, time, path.stationary, assumption, FUNCTIONS)
    for weights in metrics(path):
        means = np.eye(dim)[0] * 0.3
        parts = [
            gelbrich(constants, time, [weights[:2], weights[1:]], V, m)
            for V, m in zip(variances, means, strict=True)
        ]
        assert error_in_metric(start, weights, assumption, FUNCTIONS).error >= np.linalg.norm(parts)


def test_the_rotation_is_the_best():
    """GGᵀ is the prior, and no other rotation brings Gz closer to Rz in the metric."""
    rng = np.random.default_rng(2)
    for _ in range(20):
        R, L = np.tril(rng.normal(size=(2, 2, 2)))
        R[np.diag_indices(2)], L[np.diag_indices(2)] = np.abs(np.diag(R)), np.abs(np.diag(L))
        factor = rng.normal(size=(2, 2))
        metric = factor @ factor.T
        G = coupled(R, L, metric)
        np.testing.assert_allclose(G @ G.T, L @ L.T, rtol=INITIAL_EXACT, atol=INITIAL_EXACT)
        apart = np.trace(metric @ (R - G) @ (R - G).T)
        for angle in np.linspace(0, 2 * np.pi, 60):
            turned = L @ [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
            assert apart <= np.trace(metric @ (R - turned) @ (R - turned).T) + INITIAL_EXACT


@pytest.mark.parametrize("scale", [1e-200, 1e-30, 1e30, 1e200])
def test_the_units_of_the_weights_do_not_matter(scale):
    """E_0 of cP is √c E_0 of P, as far as weights go in floats."""
    path = PhasePath(cld(1, 2, 0.5, 1))
    assumption = WeaklyLogConcave(1.0, 0.5, 1.0, second_moment=1.2)
    start = Start.of(path, 1.0, path.stationary, assumption, FUNCTIONS)
    one, other = (
        error_in_metric(start, np.array([1, 0.2, 0.5]) * c, assumption, FUNCTIONS).error for c in (1.0, scale)
    )
    assert other == pytest.approx(np.sqrt(scale) * one, rel=INITIAL_EXACT)


def test_weights_out_of_range():
    """Infinite weights give an infinite error, not an exception."""
    path = PhasePath(cld())
    assumption = StronglyLogConcave(1.0, 1.0)
    start = Start.of(path, 1.0, path.stationary, assumption, FUNCTIONS)
    assert error_in_metric(start, (np.inf, 0.0, 1.0), assumption, FUNCTIONS).error == np.inf


def test_the_measure_is_the_error_in_the_metric():
    """tr(P W_0) ≤ E_0², with equality but for the cross term that E_0 may use."""
    path = PhasePath(cld(1, 2, 0, 1))
    assumption = StronglyLogConcave(1.0, 1.0)
    start = Start.of(path, 0.5, path.stationary, assumption, FUNCTIONS, known_gaussian(1.0, 0.0))
    found = error_in_metric(start, (1.0, 0.3, 0.7), assumption, FUNCTIONS)
    xx, xv, vv = found.measure
    assert xx + 2 * 0.3 * xv + 0.7 * vv == pytest.approx(found.error**2, rel=1e3 * INITIAL_EXACT)


def test_the_measure_of_the_flow_from_time_zero():
    """Where the law is as near to its prior as what the forward flow leaves of their distance at time 0, the
    measure is that of the direction which the flow keeps most of: tr(P W_0) = E_0²."""
    path = PhasePath(cld(1, 2, 0, 1))
    assumption = StronglyLogConcave(0.25, 4.0)
    start = replace(Start.of(path, 0.5, path.stationary, assumption, FUNCTIONS), mixing=0.01)
    found = error_in_metric(start, (1.0, 0.3, 0.7), assumption, FUNCTIONS)
    xx, xv, vv = found.measure
    assert "time 0" in found.term.name
    assert xx + 2 * 0.3 * xv + 0.7 * vv == pytest.approx(found.error**2, rel=1e3 * INITIAL_EXACT)


def test_the_channel_is_that_of_the_horizon():
    """The start sees the data at the horizon and carries Φ(T, 0)."""
    path = PhasePath(cld(1, 2, 0, 1))
    start = Start.of(path, 2.0, path.stationary, StronglyLogConcave(1.0, 1.0), FUNCTIONS)
    np.testing.assert_array_equal(start.seen.S, channel(path, 2.0).S)
    np.testing.assert_array_equal(start.flow, path.transition(2.0))
