"""The exact law of the sampler with a wrong score, against other exact routes."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from bounds import euler_maruyama, ou, posterior_mean
from closed_form import Gaussian, GaussianMixture
from closed_form.sampler_laws.line.perturbed_score import _size, perturbed_line, perturbed_w2
from closed_form.sampler_laws.line.propagation import Sources
from closed_form.sampler_laws.w2 import sampler_w2
from tests.closed_form.tolerances import PERTURBED
from tests.drawn import examples

LAW = GaussianMixture(np.array([[-1.0], [0.8]]), weights=[0.4, 0.6], std=0.5)


def numbers(steps=30, horizon=3.0, make=euler_maruyama):
    """The sampler as numbers."""
    return make(horizon, steps).steps(ou(), LAW.assumptions()[0])


def constant(i, x):
    """1 everywhere."""
    return np.ones_like(x), np.zeros_like(x)


@settings(max_examples=examples(4))
@given(st.floats(-1.0, 1.0), st.sampled_from([euler_maruyama, posterior_mean]), st.integers(5, 40))
def test_a_constant_error_is_the_bias_already_known(size, make, steps):
    """A constant error agrees with the sampler's exact law under a constant bias, zero included."""
    steps = numbers(steps, make=make)
    known = sampler_w2(LAW, steps, abs(size), direction=np.array([math.copysign(1.0, size)]))
    found = perturbed_w2(LAW, steps, lambda i, x: (np.full_like(x, size), np.zeros_like(x)))
    assert found.midpoint == pytest.approx(known.midpoint, rel=PERTURBED)


def test_a_linear_error_on_a_gaussian_is_an_affine_recursion():
    """N(0.3, 0.7) with e = c x: mean and variance follow the affine recursion written here."""
    law, c = Gaussian(np.array([0.3]), 0.49), 0.2
    steps = euler_maruyama(3.0, 50).steps(ou())
    mean, var = 0.0, steps.prior_var
    for i in range(50):
        V = steps.a[i] ** 2 * 0.49 + steps.s_sq[i]
        slope = steps.P[i] + steps.Q[i] * (c - 1 / V)
        mean, var = slope * mean + steps.Q[i] * steps.a[i] * 0.3 / V, slope**2 * var + steps.noise_var[i]
    expected = math.hypot(mean - 0.3, math.sqrt(var) - 0.7)
    found = perturbed_w2(law, steps, lambda i, x: (c * x, np.full_like(x, c)))
    assert found.midpoint == pytest.approx(expected, rel=PERTURBED)


def bump(i, x):
    """A Gaussian bump at 0.1."""
    z = (x - 0.1) / 0.3
    return np.exp(-0.5 * z**2), -z / 0.3 * np.exp(-0.5 * z**2)


def test_the_error_has_the_size_asked_for():
    """At the first step, where the law is N(0, prior), the rescaled bump has L2 norm M by scipy's
    quadrature."""
    steps = numbers()
    found = perturbed_line(LAW, steps, bump, 0.25)
    np.testing.assert_allclose(found.sizes, 0.25, rtol=1e-12)
    std = math.sqrt(steps.prior_var)
    density = lambda x: math.exp(-0.5 * (x / std) ** 2) / (std * math.sqrt(2 * math.pi))  # noqa: E731
    norm = math.sqrt(quad(lambda x: bump(0, np.array([x]))[0][0] ** 2 * density(x), -8, 8, points=[0.1])[0])
    plain = perturbed_line(LAW, steps, bump).sizes[0]
    assert plain == pytest.approx(norm, rel=1e-6)


def test_moments_agree_with_simulation():
    """Mean and variance of the perturbed law lie within five standard errors of 40,000 simulated
    particles."""
    steps, rng, n = numbers(20), np.random.default_rng(4), 40_000
    law = perturbed_line(LAW, steps, bump).law
    y = math.sqrt(steps.prior_var) * rng.standard_normal(n)
    for i in range(len(steps)):
        score = LAW.pushed(float(steps.a[i]), float(steps.s_sq[i])).score(y[:, None])[:, 0]
        y = (
            steps.P[i] * y
            + steps.Q[i] * (score + bump(i, y)[0])
            + math.sqrt(steps.noise_var[i]) * rng.standard_normal(n)
        )
    mean = float(law.weights @ law.means)
    var = float(law.weights @ (law.means - mean) ** 2 + law.std**2)
    assert abs(y.mean() - mean) < 5 * math.sqrt(var / n)
    assert abs(y.var() - var) < 5 * float(np.std((y - mean) ** 2)) / math.sqrt(n)


def test_bad_errors_are_refused():
    """An error that vanishes cannot be rescaled, and a law in the plane is not a line."""
    with pytest.raises(ValueError, match="must not vanish"):
        perturbed_line(LAW, numbers(), lambda i, x: (0 * x, 0 * x), 0.1)
    with pytest.raises(ValueError, match="dimension 1"):
        perturbed_line(GaussianMixture.two_modes(2.0, 0.5, dim=2), numbers(), constant)


def test_the_size_of_an_error_under_narrow_modes():
    """E x² over modes at ±1 of width 1e-4, however many points between them say nothing, is 1 + 1e-8."""
    sources = Sources(np.array([1.0, -1.0]), np.array([1.0, 1.0]), 1e-4)
    found = _size(lambda i, x: (x, np.ones_like(x)), 0, sources)
    assert found**2 == pytest.approx(1.0 + 1e-8, rel=1e-12)
