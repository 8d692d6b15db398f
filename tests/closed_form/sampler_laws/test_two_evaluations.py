"""Exact laws of samplers with two score evaluations a step: against 50 digits, particles and known numbers."""

from dataclasses import replace

import mpmath
import numpy as np
import pytest
from scipy.stats import norm

from bounds import ou
from bounds.grid import TimeGrid
from bounds.processes.edm import edm
from bounds.processes.flow_matching import flow_matching
from bounds.sampler import Scheme, heun, midpoint
from bounds.samplers import samplers
from bounds.steps.affine import SecondErrors, StepErrors
from bounds.symbolic.balls import NotEnclosed
from closed_form import Gaussian, GaussianMixture
from closed_form.certified.chain import certified_w2
from closed_form.law import NoExactLaw
from closed_form.sampler_laws.gaussian_chain import gaussian_chain
from closed_form.sampler_laws.w2 import sampler_w2
from closed_form.steps.table import exact_steps
from tests.closed_form.tolerances import CHAIN_SAME, CHAIN_WIDTH
from tests.tolerances import THREE_DIGITS

TWICE = [key for key, sampler in samplers(1).items() if sampler.evaluations == 2]
TWO_MODES = GaussianMixture([[-1.0], [1.0]], std=0.5)


def rho_grid(largest, smallest, count, end=0.0):
    """The grid of EDM, ρ = 7: ``count`` levels and then ``end``, in σ = t."""
    levels = np.linspace(largest ** (1 / 7), smallest ** (1 / 7), count) ** 7
    return TimeGrid.from_times([largest, *levels[1:], end])


def exact_moments(variance, mean, bias, noise_var, steps):
    """Lag of the mean and variance of the last iterate in one dimension, by a 50-digit loop."""
    number = lambda x: mpmath.mpf(float(x))  # noqa: E731
    second, lag, v = steps.second, -number(steps.a[0]) * mean, number(steps.prior_var)
    for i in range(len(steps)):
        P, Q, a, s_sq, a_next = map(number, (steps.P[i], steps.Q[i], steps.a[i], steps.s_sq[i],
                                             steps.a[i + 1]))
        keep, P2, Q2, a2, s2 = (number(getattr(second, name)[i]) for name in ("keep", "P", "Q", "a", "s_sq"))
        first, then = P - Q / (a * a * variance + s_sq), P2 - (Q2 / (a2 * a2 * variance + s2) if Q2 else 0)
        y = lag + a * mean
        u = P * y + Q * (-lag / (a * a * variance + s_sq) + bias)
        y = keep * y + P2 * u + Q2 * (bias - ((u - a2 * mean) / (a2 * a2 * variance + s2) if Q2 else 0))
        lag = y - a_next * mean
        v = (keep + then * first) ** 2 * v + ((then * Q) ** 2 + Q2**2) * noise_var
    return lag, v


@pytest.mark.parametrize("key", TWICE)
def test_the_chain_is_the_loop_with_fifty_digits(key):
    """Mean and variance of every coordinate, with bias and fresh noise in both evaluations, within their errors."""
    law, bias, noise = Gaussian([0.7, -3.0], [0.25, 4.0]), np.array([0.3, 0.1]), 0.2
    for process, grid in ((ou(), TimeGrid.uniform(3.0, 37)), (edm(), rho_grid(20.0, 0.02, 20))):
        steps = exact_steps(process, Scheme(samplers()[key], grid)).rounded()
        chain = gaussian_chain(law, steps, bias, noise)
        with mpmath.workdps(50):
            for i, (variance, mean) in enumerate(zip(law.eigenvalues, law.mean, strict=True)):
                lag, v = exact_moments(mpmath.mpf(variance), mpmath.mpf(float(mean)),
                                       mpmath.mpf(float(bias[i])),
                                       mpmath.mpf(noise) ** 2 / 2, steps)
                assert abs(float(lag) - float(chain.lag[i])) <= chain.mean_error[i] + 1e-16 * abs(float(lag))
                assert abs(float(v) - chain.variances[i]) <= chain.variance_error[i] + 2e-16 * float(v)
                assert chain.variance_error[i] <= CHAIN_SAME * max(float(v), 1.0)


def test_errors_of_either_stage_widen_the_bracket_enough():
    """With every number moved by its error, one sign or the other, the variance stays within its own error."""
    steps = exact_steps(ou(), heun(2.0, 11)).rounded()
    size = 1e-9
    errors = StepErrors(*(np.full(len(x), size) for x in (steps.P, steps.Q, steps.noise_var, steps.a,
                                                          steps.s_sq)))
    second = replace(steps.second, errors=SecondErrors(*(np.full(11, size) for _ in range(5))))
    known = gaussian_chain(Gaussian([1.0], 0.25), replace(steps, errors=errors, second=second))
    rng = np.random.default_rng(5)
    for _ in range(30):
        moved = replace(steps, **{name: getattr(steps, name) + size * rng.choice([-1, 1],
                                                                                 len(getattr(steps, name)))
                                  for name in ("P", "Q", "a", "s_sq")},
                        second=replace(steps.second, **{name: getattr(steps.second,
                                                                      name) + size * rng.choice([-1, 1], 11)
                                                        for name in ("keep", "P", "Q", "a", "s_sq")}))
        found = gaussian_chain(Gaussian([1.0], 0.25), moved)
        assert abs(found.variances[0] - known.variances[0]) <= known.variance_error[0]
        assert abs(float(found.lag[0] - known.lag[0])) <= known.mean_error[0] + size


#: docs/theory.md section 12: exact errors of an independent prototype, to the digits printed there.
KNOWN = [
    ("edm", "heun", 64, 0.0002328), ("edm", "midpoint", 64, 0.0001691),
    ("edm", "dpm-solver-2", 64, 9.886e-05)]


@pytest.mark.parametrize("name, key, count, expected", KNOWN)
def test_gaussian_errors_are_the_known_ones(name, key, count, expected):
    """N(0, 1/4) from σ = 20 on the grid of EDM: the W2 of an independent implementation, and a sharp bracket."""
    steps = exact_steps(edm(), Scheme(samplers()[key], rho_grid(20.0, 0.02, count)))
    found = sampler_w2(Gaussian([0.0], 0.25), steps)
    assert found.midpoint == pytest.approx(expected, rel=THREE_DIGITS)
    assert found.upper - found.lower <= CHAIN_WIDTH and not found.estimated


MIXTURES = [
    ("heun", edm(), rho_grid(20.0, 0.3, 8), None),
    ("heun-t", flow_matching(), TimeGrid.uniform(63 / 64, 8), None),
    ("dpm-solver-2", edm(), rho_grid(20.0, 0.1, 10), 20.1)]


def by_quantiles(law, steps):
    """W2 of the image of a Gaussian under increasing steps, by quantiles at 20,000 Gauss nodes: no code of the
    package's but its score."""
    nodes, weights = np.polynomial.legendre.leggauss(20)
    edges = np.linspace(-9.0, 9.0, 1001)
    z = (edges[:-1, None] + np.diff(edges)[:, None] * (nodes + 1) / 2).ravel()
    weight = (np.diff(edges)[:, None] * weights / 2).ravel() * norm.pdf(z)
    y, second = np.sqrt(steps.prior_var) * z, steps.second
    score = lambda x, a, s_sq: law.pushed(float(a), float(s_sq)).score(x[:, None])[:, 0]  # noqa: E731
    for i in range(len(steps)):
        u = steps.P[i] * y + steps.Q[i] * score(y, steps.a[i], steps.s_sq[i])
        y = second.keep[i] * y + second.P[i] * u
        if second.Q[i]:
            y = y + second.Q[i] * score(u, second.a[i], second.s_sq[i])
    assert np.all(np.diff(y) > 0)
    means, weights_of = law.means[:, 0], law.weights
    low, high = np.full_like(z, means.min() - 10.0), np.full_like(z, means.max() + 10.0)
    for _ in range(60):
        middle = (low + high) / 2
        # from the nearer tail, that nothing is lost
        side = np.where(z < 0, 1.0, -1.0)
        mass = sum(w * norm.cdf(side * (middle - m) / 0.5) for m, w in zip(means, weights_of, strict=True))
        above = np.where(z < 0, mass > norm.cdf(z), mass < norm.sf(z))
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return float(np.sqrt(np.sum(weight * (y - (low + high) / 2) ** 2)))


@pytest.mark.parametrize("key, process, grid, prior_std", MIXTURES, ids=[each[0] for each in MIXTURES])
def test_the_law_on_a_line_is_the_image_of_the_prior(key, process, grid, prior_std):
    """On two modes the bracket holds W2 as the monotone map of a normal, integrated on its own."""
    steps = exact_steps(process, Scheme(samplers()[key], grid, prior_std))
    found = sampler_w2(TWO_MODES, steps)
    assert found.midpoint == pytest.approx(by_quantiles(TWO_MODES, steps.rounded()), rel=1e-6)


def test_lines_and_what_is_across_add_in_squares():
    """A mixture along a line in three dimensions: the line's W2 and the Gaussian chain across it."""
    steps = exact_steps(ou(), midpoint(2.0, 4))
    law = GaussianMixture([[-1.0, 0.0, 0.0], [1.0, 0.0, 0.0]], std=0.5)
    line, across = sampler_w2(TWO_MODES, steps), sampler_w2(Gaussian([0.0, 0.0], 0.25), steps)
    assert sampler_w2(law, steps).midpoint == pytest.approx(np.hypot(line.midpoint, across.midpoint),
                                                            rel=1e-8)


def test_what_is_not_known_is_refused_by_name():
    """Off Gaussian data fresh noise inside a step has no exact law, and two evaluations have no chain in
    balls."""
    steps = exact_steps(ou(), heun(3.0, 8))
    with pytest.raises(NoExactLaw, match="score_noise must be 0 for the exact law of two evaluations"):
        sampler_w2(TWO_MODES, steps, score_noise=0.1)
    with pytest.raises(NotEnclosed, match="heun evaluates the score twice a step"):
        certified_w2(Gaussian([0.0], 1.0), ou(), heun(3.0, 8))
