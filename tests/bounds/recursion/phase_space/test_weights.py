"""Weights of the two-block recursion: they dominate both ends in exact arithmetic, are the least that do, and
are certified."""

import os
from fractions import Fraction

import numpy as np
import pytest

from bounds import WeaklyLogConcave, compiled
from bounds.contraction.metric import KAPPAS
from bounds.processes.cld import cld
from bounds.recursion.data import Constants
from bounds.recursion.phase_space import weights as module
from bounds.recursion.phase_space.one_question import PhaseProblem
from bounds.recursion.phase_space.weight_search import candidates, metric_weights
from bounds.recursion.phase_space.weights import Jacobians, backward, forms, forward, in_metric
from bounds.sampler import scheme
from bounds.setting import Setting
from bounds.theorems import theorems
from tests.bounds.tolerances import CERTIFICATE, PHASE_WEIGHTS, RECURSION_RELATIVE
from tests.tolerances import BRUTE_FORCE

MARTINGALE = theorems()["martingale"]
TWO_MODES = WeaklyLogConcave(4.0, 16.0, 4.0, second_moment=1.25)
KEYS = ("euler-maruyama", "posterior-mean", "exponential", "sscs", "leapfrog")


def problem_of(key="euler-maruyama", process=None, horizon=5.0, steps=40, assumption=TWO_MODES, **errors):
    """The two-block problem of one sampler."""
    setting = Setting(process or cld(), assumption, scheme(key, horizon, steps), **errors)
    return PhaseProblem(setting, MARTINGALE.functions, Constants(assumption, 0))


def random_jacobians(seed, steps=30, scale=1.0):
    """J(c_lo) at random, and J(c_up) a matrix of rank one away, in units that differ by ``scale``."""
    rng = np.random.default_rng(seed)
    low = np.eye(2) + rng.normal(size=(steps, 2, 2)) * rng.choice([0.01, 0.3, 2.0], size=(steps, 1, 1))
    columns, rows = rng.normal(size=(2, steps, 2)) * rng.choice([0.0, 1e-3, 1.0], size=(1, steps, 1))
    high = low + columns[:, :, None] * rows[:, None, :]
    units = np.array([1.0, scale])
    low, high = (matrix * units / units[:, None] for matrix in (low, high))
    return Jacobians(low, high, np.maximum(np.abs(low), np.abs(high)))


def exactly_above(jacobians, weights):
    """Whether P_{k−1} ⪰ JᵀP_kJ at both ends of every step, in rational arithmetic on the floats
    themselves."""
    for k in range(len(jacobians)):
        p, q, r = (Fraction(value) for value in weights[k + 1].tolist())
        above = [Fraction(value) for value in weights[k].tolist()]
        for J in (jacobians.low[k], jacobians.high[k]):
            a, b, c, d = (Fraction(value) for value in J.ravel().tolist())
            x = above[0] - (a * a * p + 2 * a * c * q + c * c * r)
            y = above[1] - (a * b * p + (a * d + b * c) * q + c * d * r)
            z = above[2] - (b * b * p + 2 * b * d * q + d * d * r)
            if x < 0 or z < 0 or x * z < y * y:
                return False
    return True


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e5])
def test_joins_dominate_exactly(seed, scale):
    """The join of smallest determinant is above both ends of every step, whatever the units of the
    velocity."""
    jacobians = random_jacobians(seed, scale=scale)
    for last in ((1.0, 0.0, 1e-8 * scale**2), (1.0, 0.3 * scale, scale**2)):
        assert exactly_above(jacobians, backward(jacobians, last))


@pytest.mark.parametrize("seed", range(12))
def test_optimal_weights_dominate_exactly(seed):
    """The minimiser of tr(PW) is above both ends, for well-conditioned measures and for nearly singular
    ones."""
    jacobians, rng = random_jacobians(seed), np.random.default_rng(100 + seed)
    factors = rng.normal(size=(30, 2, 2)) * rng.choice([1.0, 1e-5], size=(30, 1, 2))
    W = factors @ np.swapaxes(factors, 1, 2)
    measures = np.stack([W[:, 0, 0], W[:, 0, 1], W[:, 1, 1]], axis=1)
    assert exactly_above(jacobians, backward(jacobians, (1.0, 0.0, 1e-8), measures))


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("epsilon", [0, 0.5])
def test_every_choice_dominates_exactly(key, epsilon):
    """On a mixture with M = 16, α = 4, all the weights that are tried, constant metrics too, are above both
    ends."""
    problem = problem_of(key, cld(epsilon=epsilon))
    tried, _ = candidates(problem)
    assert {choice.name.split(",")[0] for choice in tried} == {"join", "optimal", "constant metric"}
    assert all(exactly_above(problem.jacobians, choice.weights) for choice in tried)


@pytest.mark.parametrize("seed", range(6))
def test_optimal_weights_are_the_least(seed):
    """tr(P W) of a step's weights is tr(X_2 W) plus the positive eigenvalues of Lᵀ(X_1 − X_2)L: no P above
    both has less."""
    jacobians, rng = random_jacobians(seed, steps=1), np.random.default_rng(seed)
    factor = rng.normal(size=(2, 2))
    W = factor @ factor.T
    weights = backward(jacobians, (1.0, 0.1, 0.5), [[W[0, 0], W[0, 1], W[1, 1]]])
    last = np.array([[1.0, 0.1], [0.1, 0.5]])
    one, two = (J[0].T @ last @ J[0] for J in (jacobians.low, jacobians.high))
    least = np.trace(two @ W) + np.maximum(np.linalg.eigvalsh(factor.T @ (one - two) @ factor), 0.0).sum()
    p, q, r = weights[0]
    assert p * W[0, 0] + 2 * q * W[0, 1] + r * W[1, 1] == pytest.approx(least, rel=PHASE_WEIGHTS)


@pytest.mark.parametrize("seed", range(6))
def test_the_join_has_the_smallest_determinant(seed):
    """det of the join is ∏max(Λ, 1)·det X_2, Λ the eigenvalues of X_1 against X_2."""
    jacobians = random_jacobians(seed, steps=1)
    p, q, r = backward(jacobians, (1.0, 0.1, 0.5))[0]
    last = np.array([[1.0, 0.1], [0.1, 0.5]])
    one, two = (J[0].T @ last @ J[0] for J in (jacobians.low, jacobians.high))
    expected = np.linalg.det(two) * np.prod(
        np.maximum(np.linalg.eigvals(np.linalg.solve(two, one)).real, 1.0)
    )
    assert p * r - q * q == pytest.approx(expected, rel=PHASE_WEIGHTS)


def test_equal_ends_are_a_product():
    """Where both ends agree the weights are JᵀP_kJ, to rounding."""
    jacobians = random_jacobians(3)
    jacobians = Jacobians(jacobians.low, jacobians.low, np.abs(jacobians.low))
    weights = backward(jacobians, (1.0, 0.0, 0.5))
    product = np.linalg.multi_dot(jacobians.low[::-1])
    expected = product.T @ np.diag([1.0, 0.5]) @ product
    found = np.array([[weights[0, 0], weights[0, 1]], [weights[0, 1], weights[0, 2]]])
    np.testing.assert_allclose(found, expected, rtol=BRUTE_FORCE, atol=BRUTE_FORCE * np.trace(expected))


def test_forms_are_the_products():
    """X_1 and X_2 are JᵀP_kJ at both ends."""
    jacobians, rng = random_jacobians(8), np.random.default_rng(8)
    weights = rng.uniform(1.0, 2.0, size=(30, 3)) * [1.0, 0.1, 1.0]
    matrices = np.stack([weights[:, 0], weights[:, 1], weights[:, 1], weights[:, 2]], axis=1).reshape(
        -1, 2, 2
    )
    for (x, y, z), J in zip(forms(jacobians, weights), (jacobians.low, jacobians.high), strict=True):
        expected = np.swapaxes(J, 1, 2) @ matrices @ J
        np.testing.assert_allclose(x, expected[:, 0, 0], rtol=BRUTE_FORCE)
        np.testing.assert_allclose(y, expected[:, 0, 1], rtol=BRUTE_FORCE, atol=BRUTE_FORCE)
        np.testing.assert_allclose(z, expected[:, 1, 1], rtol=BRUTE_FORCE)


def test_weights_beyond_floats_are_infinite():
    """From where JᵀPJ leaves the range of floats the weights are infinite, never NaN."""
    huge = np.broadcast_to(1e80 * np.eye(2), (5, 2, 2))
    weights = backward(Jacobians(huge, huge, huge), (1.0, 0.0, 1.0))
    assert np.all(np.isinf(weights[:4])) and np.all(np.isfinite(weights[4:]))


def test_a_constant_metric_starts_at_the_position():
    """λ_K𝔐 ⪰ e₁e₁ᵀ with equality in one direction, and λ grows by the squared norms."""
    fixed, growth = np.array([[2.0, -0.5], [-0.5, 1.0]]), np.array([1.1, 0.7, 1.3])
    weights = in_metric(growth, fixed)
    p, q, r = weights[-1]
    assert (p - 1) * r - q * q == pytest.approx(0.0, abs=BRUTE_FORCE)
    np.testing.assert_allclose(weights[:, 0] / p, [1.001**2, 0.91**2, 1.3**2, 1.0], rtol=BRUTE_FORCE)


def test_a_constant_metric_does_not_underflow():
    """λ_k stays above a floor and, where steps expand again, still dominates the step:
    λ_{k−1} ≥ ‖J_k‖²λ_k."""
    growth = np.repeat([1e10, 1e-10, 1e5], [5, 100, 3])
    weights = in_metric(growth, np.eye(2))
    assert weights[:, 0].min() > 1e-300
    assert np.all(weights[:-1, 0] >= growth**2 * weights[1:, 0])


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("steps", [20, 200])
def test_optimal_is_at_most_the_join_and_the_join_at_most_the_metrics(key, steps):
    """E_K falls from the best constant metric to the best join to the optimal weights, strictly on a
    mixture."""
    problem = problem_of(key, horizon=10.0, steps=steps)
    tried, _ = candidates(problem)
    best = {}
    for choice in tried:
        kind = choice.name.split(",")[0]
        best[kind] = min(best.get(kind, np.inf), choice.total)
    assert best["optimal"] < best["join"] < best["constant metric"]
    metrics = [problem.choice("metric", metric_weights(problem, kappa)).total for kappa in KAPPAS]
    assert best["constant metric"] == pytest.approx(min(metrics), rel=RECURSION_RELATIVE)


@pytest.mark.parametrize("epsilon", [0, 0.5])
@pytest.mark.parametrize("steps", [10, 100, 400])
def test_the_dual_certifies_the_optimum_without_bias(epsilon, steps):
    """For the posterior mean, which has no bias, tr(e₁e₁ᵀW_K) is E_K² to 1e-6 and never above it."""
    problem = problem_of("posterior-mean", cld(epsilon=epsilon), 10.0, steps)
    tried, certificate = candidates(problem)
    total = min(choice.total for choice in tried)
    assert certificate <= total
    assert certificate == pytest.approx(total, rel=CERTIFICATE)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("error", [0.0, 0.5])
def test_the_dual_is_never_above_the_bound(key, error):
    """With bias and score errors too the certificate is at most the bound, and within one percent of it."""
    tried, certificate = candidates(problem_of(key, score_error=error, score_noise=error))
    total = min(choice.total for choice in tried)
    assert 0.99 * total <= certificate <= total


def test_the_measure_moves_by_whichever_end_grows_it():
    """Where one end grows every error more, W moves by that end alone, and noise is added."""
    low = np.broadcast_to(np.diag([0.5, 0.4]), (1, 2, 2))
    high = np.broadcast_to(np.diag([0.9, 0.4]), (1, 2, 2))
    jacobians = Jacobians(low, high, high)
    weights = backward(jacobians, (1.0, 0.0, 1.0))
    zero = np.zeros(1)
    measures = forward(
        jacobians,
        weights,
        (2.0, 0.3, 1.0),
        zero,
        np.zeros((1, 3)),
        np.array([0.6]),
        np.array([[0.5, 0.0, 0.1]]),
    )
    np.testing.assert_allclose(measures[1], [0.81 * 2 + 0.5, 0.36 * 0.3, 0.16 + 0.1], rtol=BRUTE_FORCE)


@pytest.mark.parametrize("seed", range(4))
def test_equal_ends_take_the_same_weights_by_either_route(seed):
    """Where both ends of every step are the same, weights are above them exactly, and the general recursion finds
    the same ones, with measures and without."""
    low = random_jacobians(seed).low
    equal, general = (Jacobians(low, low.copy(), np.abs(low)) for _ in range(2))
    general.__dict__["alike"] = False
    measures = np.random.default_rng(seed).uniform(1, 2, (len(low), 3)) * [1.0, 0.5, 1.0]
    weights = backward(equal, (1.0, 0.1, 0.3), measures)
    assert equal.alike and exactly_above(equal, weights)
    for given in (None, measures):
        assert weights.tolist() == backward(general, (1.0, 0.1, 0.3), given).tolist()
    drift, noise = np.random.default_rng(seed).uniform(0, 1, (2, len(low)))
    rest = (1.0, 0.1, 0.5), drift, measures, noise, measures
    np.testing.assert_allclose(forward(equal, weights, *rest), forward(general, weights, *rest),
                               rtol=RECURSION_RELATIVE)


@pytest.mark.parametrize("seed", range(4))
def test_compiled_loops_give_the_same_bits(seed, monkeypatch):
    """Weights and measures by numba are those of plain Python to the last bit, for one end and for both, with
    measures and without, and where weights leave the range of floats."""
    if os.environ.get("REQUIRE_NUMBA") != "1":
        pytest.importorskip("numba")
    both = random_jacobians(seed)
    one = Jacobians(both.low, both.low.copy(), np.abs(both.low))
    far = Jacobians(np.full((5, 2, 2), 1e90), np.full((5, 2, 2), 1.1e90), np.full((5, 2, 2), 1.1e90))
    rng = np.random.default_rng(seed)
    given, (drift, noise) = rng.uniform(1, 2, (30, 3)) * [1.0, 0.5, 1.0], rng.uniform(0, 1, (2, 30))

    def found():
        for jacobians in (both, one):
            weights = backward(jacobians, (1.0, 0.1, 0.3), given)
            yield from (weights, backward(jacobians, (1.0, 0.1, 0.3)))
            yield forward(jacobians, weights, (1.0, 0.1, 0.5), drift, given, noise, given)
        yield backward(far, (1.0, 0.0, 1.0))

    monkeypatch.setattr(compiled, "WORTH", np.inf)
    plain = list(found())
    monkeypatch.setattr(compiled, "WORTH", 0.0)
    for loop in (module._above_both, module._above_one_end, module._held):
        assert compiled.compiled(loop, 0.0) is not None
    for mine, theirs in zip(plain, found(), strict=True):
        assert np.array_equal(mine, theirs)
    assert np.isinf(plain[-1]).any()


def test_gaussian_data_need_one_pass():
    """For Gaussian data the optimal weights are the last join's, as a pass over its measures confirms."""
    problem = problem_of(assumption=WeaklyLogConcave(2.0, 0.0, 2.0, second_moment=0.5))
    found, _ = candidates(problem)
    (optimal,) = [choice for choice in found if choice.name == "optimal"]
    passed = backward(problem.jacobians, optimal.weights[-1], problem.measures(found[0])[:-1])
    assert problem.jacobians.alike and passed.tolist() == optimal.weights.tolist()
