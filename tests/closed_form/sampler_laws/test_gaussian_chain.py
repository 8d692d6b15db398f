"""The Gaussian chain against 50-digit loops, full matrices and published numbers."""

import math
from dataclasses import replace

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounds.start import Start
from bounds.steps.affine import StepErrors, Steps
from closed_form.laws.gaussian import Gaussian
from closed_form.sampler_laws import gaussian_chain as chains
from closed_form.sampler_laws.extended_precision import root_gap
from closed_form.sampler_laws.gaussian_chain import gaussian_chain
from tests.closed_form.tolerances import CHAIN_MILLION_WIDTH, CHAIN_SAME, CHAIN_WIDTH, LEADING_ORDER
from tests.drawn import examples
from tests.tolerances import BRUTE_FORCE, THREE_DIGITS


def ou_euler(horizon, k):
    """Euler-Maruyama for dX = −X dt + √2 dB on a uniform grid, coefficients by hand."""
    time = np.linspace(horizon, 0.0, k + 1)
    h = -np.diff(time)
    s_sq = -np.expm1(-2.0 * time)
    return Steps(time, 1.0 + h, 2.0 * h, 2.0 * h, np.exp(-time), s_sq, float(s_sq[0]))


def ve_euler(horizon, k):
    """Euler-Maruyama for dX = dB on a uniform grid, coefficients by hand."""
    time = np.linspace(horizon, 0.0, k + 1)
    h = -np.diff(time)
    return Steps(time, np.ones(k), h, h, np.ones(k + 1), time, horizon)


def exact_moments(variance, mean, bias, noise_var, steps):
    """Mean and variance of the last iterate in one dimension, by a 50-digit loop."""
    exact = [mpmath.mpf(float(x)) for x in (variance, mean, bias, steps.prior_var)]
    variance, mean, bias, v = exact
    e = mpmath.mpf(0)
    for i in range(len(steps)):
        P, Q, n, a, s_sq = (
            mpmath.mpf(float(x[i])) for x in (steps.P, steps.Q, steps.noise_var, steps.a, steps.s_sq)
        )
        V = a * a * variance + s_sq
        e = P * e + Q * ((a * mean - e) / V + bias)
        v = (P - Q / V) ** 2 * v + n + Q * Q * noise_var
    return e, v


def exact_w2(law, bias, noise_size, steps):
    """W2 to a Gaussian with diagonal covariance, 50 digits."""
    total = mpmath.mpf(0)
    for variance, mean, push in zip(law.eigenvalues, law.mean, bias, strict=True):
        noise_var = mpmath.mpf(noise_size) ** 2 / law.dim
        e, v = exact_moments(variance, mean, push, noise_var, steps)
        total += (e - mpmath.mpf(float(mean))) ** 2
        total += (mpmath.sqrt(v) - mpmath.sqrt(mpmath.mpf(float(variance)))) ** 2
    return mpmath.sqrt(total)


@st.composite
def any_steps(draw):
    """Arbitrary coefficients, tied to no process: factors A of both signs, tiny, zero and above one."""
    k = draw(st.integers(1, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    time = np.sort(rng.uniform(0.1, 5.0, k + 1))[::-1]
    return Steps(
        time,
        rng.uniform(-0.5, 2.0, k),
        rng.uniform(0.0, 1.5, k) * rng.integers(0, 2, k),
        rng.uniform(0.0, 1.0, k) * rng.integers(0, 2, k),
        np.append(rng.uniform(0.0, 1.0, k), draw(st.sampled_from([1.0, 0.9]))),
        np.append(rng.uniform(0.1, 2.0, k), 0.0),
        draw(st.sampled_from([0.0, 1.0, 25.0])),
    )


@given(
    steps=any_steps(),
    variances=st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=3),
    mean=st.floats(-10, 10),
    bias=st.floats(-1, 1),
    noise_size=st.floats(0, 1),
)
@settings(max_examples=examples(30), deadline=None)
def test_bracket_contains_fifty_digit_loop(steps, variances, mean, bias, noise_size):
    """Whatever the coefficients, the 50-digit W2 lies inside the bracket."""
    law = Gaussian(np.full(len(variances), mean), np.array(variances))
    push = np.full(law.dim, bias)
    measured = gaussian_chain(law, steps, push, noise_size).w2()
    with mpmath.workdps(50):
        expected = exact_w2(law, push, noise_size, steps)
        assert mpmath.mpf(measured.lower) <= expected <= mpmath.mpf(measured.upper)


@pytest.mark.parametrize("steps", [ou_euler(5.0, 400), ve_euler(3.0, 300)], ids=["ou", "ve"])
def test_bracket_is_tight_on_a_real_process(steps):
    """For a real process the bracket holds the 50-digit W2 and is closed to rounding."""
    law = Gaussian([0.7, -2.0], np.array([0.25, 3.0]))
    measured = gaussian_chain(law, steps, [0.1, 0.05], 0.2).w2()
    with mpmath.workdps(50):
        expected = exact_w2(law, [0.1, 0.05], 0.2, steps)
        assert mpmath.mpf(measured.lower) <= expected <= mpmath.mpf(measured.upper)
    assert measured.relative_width < CHAIN_WIDTH


def test_moments_agree_with_the_fifty_digit_loop_within_their_error_bounds():
    """Mean and variance are within the bounds reported with them, up to the last float64 digit."""
    steps, law = ou_euler(4.0, 200), Gaussian([1.5], 0.3)
    chain = gaussian_chain(law, steps, [0.2], 0.1)
    with mpmath.workdps(50):
        e, v = exact_moments(0.3, 1.5, 0.2, mpmath.mpf(0.1) ** 2, steps)
    eps = np.finfo(float).eps
    assert abs(float(e) - chain.mean[0]) <= float(chain.mean_error[0]) + eps * abs(float(e))
    assert abs(float(v) - chain.variances[0]) <= float(chain.variance_error[0]) + eps * float(v)


def test_full_covariance_agrees_with_matrix_recursion():
    """A covariance that is not diagonal gives what the recursion on full matrices gives."""
    rng = np.random.default_rng(7)
    root = rng.normal(size=(4, 4))
    law = Gaussian(rng.normal(size=4), root @ root.T + 0.1 * np.eye(4))
    steps, bias, noise_size = ou_euler(3.0, 60), rng.normal(size=4), 0.5
    mean, covariance, eye = np.zeros(4), steps.prior_var * np.eye(4), np.eye(4)
    for i in range(len(steps)):
        precision = np.linalg.inv(steps.a[i] ** 2 * law.covariance + steps.s_sq[i] * eye)
        A = steps.P[i] * eye - steps.Q[i] * precision
        mean = A @ mean + steps.Q[i] * (steps.a[i] * precision @ law.mean + bias)
        covariance = A @ covariance @ A.T + (steps.noise_var[i] + steps.Q[i] ** 2 * noise_size**2 / 4) * eye
    final = gaussian_chain(law, steps, bias, noise_size).law()
    np.testing.assert_allclose(final.mean, mean, rtol=BRUTE_FORCE, atol=BRUTE_FORCE)
    np.testing.assert_allclose(final.covariance, covariance, rtol=BRUTE_FORCE, atol=BRUTE_FORCE)


def test_rotating_data_and_bias_leaves_w2_unchanged():
    """W2 of a rotated Gaussian with a rotated bias equals that of the diagonal one, within the brackets."""
    rng = np.random.default_rng(3)
    rotation, _ = np.linalg.qr(rng.normal(size=(5, 5)))
    values, mean, bias = np.array([0.1, 0.5, 0.5, 0.5, 2.0]), rng.normal(size=5), rng.normal(size=5)
    plain = gaussian_chain(Gaussian(mean, values), ou_euler(3.0, 50), bias, 0.3).w2()
    turned_law = Gaussian(rotation @ mean, (rotation * values) @ rotation.T)
    turned = gaussian_chain(turned_law, ou_euler(3.0, 50), rotation @ bias, 0.3).w2()
    assert turned.lower <= plain.upper and plain.lower <= turned.upper
    assert turned.relative_width < BRUTE_FORCE


@pytest.mark.parametrize(
    ("law", "steps", "expected"),
    [
        (Gaussian([0.0], 0.25), ou_euler(4.0, 400), 0.009553),
        (Gaussian(np.zeros(100), 1.0), ou_euler(4.0, 1600), 0.006253),
        (Gaussian([0.0], 0.25), ve_euler(40.0, 1600), 0.01274),
    ],
    ids=["ou", "ou-100", "ve"],
)
def test_reference_table(law, steps, expected):
    """The exact W2 column of docs/theory.md section 9."""
    assert gaussian_chain(law, steps).w2().midpoint == pytest.approx(expected, rel=THREE_DIGITS)


def test_million_steps_reach_the_leading_order():
    """OU, σ0 = 1: W2·4/(√d h) tends to 1, seen at a million steps."""
    k = 1_000_000
    measured = gaussian_chain(Gaussian(np.zeros(9), 1.0), ou_euler(12.0, k)).w2()
    assert measured.midpoint * 4.0 / (3.0 * 12.0 / k) == pytest.approx(1.0, rel=LEADING_ORDER)
    assert measured.relative_width < CHAIN_MILLION_WIDTH


def test_equal_eigenvalues_act_like_one():
    """An isotropic Gaussian in dimension 1000 is √1000 times the one-dimensional problem."""
    many = gaussian_chain(Gaussian(np.zeros(1000), 0.25), ou_euler(4.0, 100)).w2()
    one = gaussian_chain(Gaussian([0.0], 0.25), ou_euler(4.0, 100)).w2()
    assert many.midpoint == pytest.approx(math.sqrt(1000) * one.midpoint, rel=CHAIN_SAME)


@pytest.mark.parametrize("start", [None, Start((np.arange(3000) == 2) * 1.0, np.array(0.5))], ids=["noise", "start"])
def test_of_many_coordinates_those_alike_are_computed_once(start, monkeypatch):
    """W2 and the law where 4 kinds of coordinates stand for 3,000 are those of all 3,000, one by one."""
    law = Gaussian((np.arange(3000) == 1) * 1.0, 0.25 + (np.arange(3000) == 1999))
    steps, bias = replace(ou_euler(2.0, 10), start=start), np.where(np.arange(3000) == 7, 0.3, 0.1)
    whole = gaussian_chain(law, steps, bias, 0.2)
    monkeypatch.setattr(chains, "MANY", 3000)
    chain = gaussian_chain(law, steps, bias, 0.2)
    assert len(chain.few.variances) == (4 if start is None else 5)
    for target in (None, Gaussian(np.full(3000, 0.1), 0.3)):
        found, expected = chain.w2(target), whole.w2(target)
        assert found.lower == pytest.approx(expected.lower, rel=CHAIN_SAME)
        assert found.upper == pytest.approx(expected.upper, rel=CHAIN_SAME)
    np.testing.assert_array_equal(chain.law().mean, whole.law().mean)
    np.testing.assert_array_equal(chain.law().eigenvalues, whole.law().eigenvalues)


def test_coordinates_that_are_all_different_have_a_chain_each(monkeypatch):
    """Where hardly any coordinate is like the first nothing is put together."""
    monkeypatch.setattr(chains, "MANY", 3)
    assert len(gaussian_chain(Gaussian([0.0, 1.0, 2.0], 1.0), ou_euler(2.0, 2)).variances) == 3


def test_many_distinct_eigenvalues_agree_with_one_at_a_time():
    """Blocks of eigenvalues give the same variances as separate runs."""
    values = np.linspace(0.1, 4.0, 700)
    together = gaussian_chain(Gaussian(np.zeros(700), values), ou_euler(4.0, 333)).variances
    for i in (0, 350, 699):
        alone = gaussian_chain(Gaussian([0.0], values[i]), ou_euler(4.0, 333)).variances[0]
        assert together[i] == pytest.approx(alone, rel=CHAIN_SAME)


def test_early_stopped_target_is_the_law_at_the_last_time():
    """A one-step chain that is exact to rounding has W2 zero to the law at its own last time."""
    law = Gaussian([1.0, -2.0], np.array([[2.0, 0.3], [0.3, 1.0]]))
    time = np.array([2.0, 0.5])
    a, s_sq = np.exp(-time), -np.expm1(-2.0 * time)
    idle = Steps(time, np.array([0.0]), np.array([0.0]), np.array([1.0]), a, s_sq, 1.0)
    chain = gaussian_chain(law, idle)
    expected = math.hypot(*(a[1] * law.mean), *(1.0 - np.sqrt(law.pushed(a[1], s_sq[1]).eigenvalues)))
    assert chain.w2(law.pushed(a[1], s_sq[1])).midpoint == pytest.approx(expected, rel=CHAIN_SAME)


def test_target_that_does_not_commute_uses_the_bures_distance():
    """For 2×2 covariances that do not commute: tr A + tr B − 2(tr AB + 2√det AB)^½ under the root."""
    law = Gaussian([0.0, 0.0], np.array([1.0, 4.0]))
    target = Gaussian([1.0, 0.0], np.array([[2.0, 0.9], [0.9, 1.0]]))
    chain = gaussian_chain(law, ou_euler(3.0, 40))
    A, B = np.diag(chain.variances), target.covariance
    cross = math.sqrt(np.trace(A @ B) + 2.0 * math.sqrt(np.linalg.det(A) * np.linalg.det(B)))
    expected = math.sqrt(np.sum((chain.mean - target.mean) ** 2) + np.trace(A) + np.trace(B) - 2.0 * cross)
    measured = chain.w2(target)
    assert measured.midpoint == pytest.approx(expected, rel=BRUTE_FORCE)


def test_exact_cancellation_of_a_step_forgets_the_past():
    """With P = Q/V the step forgets everything: the law is N(Q a m/V, noise)."""
    time, a, s_sq = np.array([1.0, 0.0]), np.array([0.5, 1.0]), np.array([0.75, 0.0])
    steps = Steps(time, np.array([2.0]), np.array([2.0]), np.array([0.3]), a, s_sq, 1e300)
    law = gaussian_chain(Gaussian([4.0], 1.0), steps).law()
    assert law.mean[0] == pytest.approx(4.0, rel=CHAIN_SAME)
    assert law.covariance[0, 0] == pytest.approx(0.3, rel=CHAIN_SAME)


def test_overflow_is_reported_as_an_open_bracket():
    """A chain that leaves the range of numbers has no upper side, and its law is refused."""
    k = 30_000
    time, ones = np.linspace(1.0, 0.0, k + 1), np.ones(k + 1)
    steps = Steps(time, np.full(k, 9.0), np.zeros(k), np.ones(k), ones, ones, 1.0)
    chain = gaussian_chain(Gaussian([0.0], 1.0), steps)
    assert chain.w2().upper == math.inf
    with pytest.raises(ValueError, match="finite"):
        chain.law()


def test_memory_of_products_beyond_float64_is_kept():
    """Huge growth followed by a reset is finite, though the partial products exceed 1e308."""
    P = np.concatenate([np.full(300, 1e2), [0.0], np.full(3, 0.5)])
    k = len(P)
    steps = Steps(
        np.linspace(1.0, 0.0, k + 1), P, np.zeros(k), np.ones(k), np.ones(k + 1), np.ones(k + 1), 1.0
    )
    assert gaussian_chain(Gaussian([0.0], 1.0), steps).variances[0] == pytest.approx(
        1.0 + 0.25 + 0.0625 + 0.015625, rel=CHAIN_SAME
    )


def test_singular_data_are_fine_while_the_score_exists():
    """A point mass under OU: the score exists at every time used, and W2 is the RMS distance to it."""
    steps, law = ou_euler(3.0, 30), Gaussian([2.0], 0.0)
    measured = gaussian_chain(law, steps).w2()
    e, v = exact_moments(0.0, 2.0, 0.0, 0.0, steps)
    assert measured.midpoint == pytest.approx(float(mpmath.sqrt((e - 2) ** 2 + v)), rel=CHAIN_SAME)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"bias": [1.0]}, "bias"),
        ({"bias": [1.0, math.nan]}, "bias"),
        ({"noise_size": -1.0}, "noise_size"),
        ({"noise_size": math.inf}, "noise_size"),
    ],
)
def test_bad_input_is_refused(call, message):
    """Each argument that is not as documented is named in a ValueError."""
    with pytest.raises(ValueError, match=message):
        gaussian_chain(Gaussian([0.0, 0.0], 1.0), ou_euler(1.0, 2), **call)


def test_score_of_a_point_mass_is_refused():
    """A step that uses the score where the forward variance is zero names the time."""
    steps = ou_euler(1.0, 2)
    frozen = Steps(steps.time, steps.P, steps.Q, steps.noise_var, steps.a, 0.0 * steps.s_sq, 1.0)
    with pytest.raises(ValueError, match="does not exist"):
        gaussian_chain(Gaussian([0.0], 0.0), frozen)


def test_target_of_another_dimension_is_refused():
    """W2 to a law of another dimension is an error, not a broadcast."""
    with pytest.raises(ValueError, match="target must have dimension 1"):
        gaussian_chain(Gaussian([0.0], 1.0), ou_euler(1.0, 2)).w2(Gaussian([0.0, 0.0], 1.0))


def test_errors_have_room_for_their_second_order():
    """Half a percent less s² moves mean and variance by more than a first-order error, and by no more than
    the law says."""
    law, none = Gaussian([1.0], 0.8), np.zeros(1)
    a, s_sq = np.array([0.5, 0.7]), np.array([0.9, 0.6])
    steps = Steps(np.array([1.0, 0.0]), none + 1.1, none + 0.2, none + 0.3, a, s_sq, 1.2)
    off = 0.005 * (a**2 * 0.8 + s_sq)
    found = gaussian_chain(law, replace(steps, errors=StepErrors(none, none, none, np.zeros(2), off)))
    other = gaussian_chain(law, replace(steps, s_sq=s_sq - off))
    moved = [np.abs(other.lag - found.lag).astype(float), np.abs(other.variances - found.variances)]
    for difference, error in zip(moved, (found.mean_error, found.variance_error), strict=True):
        assert error / 1.01 < difference <= error


def test_roots_of_many_that_are_alike_are_taken_once():
    """One entry is computed, and every entry is the one that it would be by itself."""
    alike = [np.full(5, x, dtype=np.longdouble) for x in (2.0, 1e-17, 1.5)]
    for many, (one,) in zip(root_gap(*alike, 1e-16), root_gap(*(each[:1] for each in alike), 1e-16), strict=True):
        assert many.strides == (0,) and many.tolist() == [one] * 5
    alike[0][3] = 3.0
    assert root_gap(*alike, 1e-16)[0][3] == root_gap(*(each[3:4] for each in alike), 1e-16)[0][0]
