"""Where no exact law is known: brackets between couplings and projections hold what is known exactly."""

import math

import numpy as np
import pytest

from bounds import Scheme, TimeGrid, cld, euler_maruyama, ou
from bounds.sampler import scheme
from closed_form import Gaussian, GaussianMixture
from closed_form.geometry.spanned import spanned
from closed_form.laws.samples import smoothed_data
from closed_form.sampler_laws.w2 import sampler_w2
from tests.drawn import thinned
from tests.tolerances import LAW_ROUNDING, STANDARD_ERRORS
from tests.verify.tolerances import BESIDE, BESIDE_ELSEWHERE
from verify.certificates.beside_data import HIGHEST, _Lengths, _sides, beside_data
from verify.certificates.certificate import Verdict, certify
from verify.certificates.question import setting_of
from verify.certificates.sampled import REFUTED
from verify.particles.simulation import sample

TURN = np.linalg.qr(np.random.default_rng(5).normal(size=(5, 5)))[0]
#: Two modes each way over three turned directions, shifted: a product, whose W2 is known.
CORNERS = np.array([[x, y, z] for x in (-0.8, 0.8) for y in (-0.5, 0.5) for z in (-0.3, 0.3)])
PRODUCT = GaussianMixture(CORNERS @ TURN[:3] + 0.4 * TURN[3], std=0.6)


@pytest.mark.parametrize(("key", "steps", "errors"), [
    pytest.param("euler-maruyama", 8, (0.0, 0.0), marks=pytest.mark.deep), ("euler-maruyama", 8, (0.3, 0.4)),
    pytest.param("ddim", 8, (0.3, 0.0), marks=pytest.mark.deep), ("heun", 6, (0.0, 0.0)), ("dpmpp-2m", 8, (0.0, 0.0))])
def test_the_bracket_holds_what_is_known(key, steps, errors):
    """A product turned in space: exact W2, by lines, is in the bracket, whose upper side is not far above."""
    setting = setting_of(ou(), PRODUCT, scheme(key, 2.0, steps), *errors)
    found, exact = beside_data(setting, PRODUCT, 1, "asked for"), sampler_w2(PRODUCT, setting.table.steps(), *errors)
    assert found.lower <= exact.lower and exact.upper <= found.upper <= BESIDE * exact.upper
    assert found.upper <= found.proved < math.inf and found.given == ""
    assert found.method.endswith("no exact law: asked for")
    assert (key, errors) != ("euler-maruyama", (0.3, 0.4)) or beside_data(setting, PRODUCT, 1, "asked for") == found


def test_coarse_steps_are_seen_from_below():
    """Two long steps: the lower side of samples alone is above half the truth."""
    setting = setting_of(ou(), PRODUCT, euler_maruyama(2.0, 2))
    found, exact = beside_data(setting, PRODUCT, 1, ""), sampler_w2(PRODUCT, setting.table.steps())
    assert exact.lower / 2 < found.lower <= exact.lower


def test_columns_of_flowers_have_a_bracket():
    """Fifteen flowers of four columns, smoothed: certify ends with two finite sides, and the bound holds."""
    rows = np.random.default_rng(7).normal([5.0, 3.4, 1.5, 0.2], [0.35, 0.38, 0.17, 0.1], size=(15, 4)).round(1)
    law = smoothed_data(rows, 0.7, standardize=True)
    found = certify("martingale", process=ou(), law=law, scheme=euler_maruyama(4.0, 12))
    assert found.verdict is Verdict.HOLDS and 0 < found.measured.upper < found.measured.proved < found.bound.total


def test_two_blocks_have_the_moments():
    """Position and velocity beyond a line: both sides are finite, the upper one by moments."""
    law = GaussianMixture([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], std=0.6)
    found = certify("martingale", process=cld(), law=law, scheme=euler_maruyama(4.0, 20)).measured
    assert 0 <= found.lower < found.upper == found.proved < math.inf and "moments of both laws" in found.method


@pytest.mark.parametrize("key", thinned(["heun", "midpoint", "dpm-solver-2", "dpmpp-2m"], every=3))
def test_fresh_noise_inside_a_step(key):
    """Modes that are all but one: with fresh noise in both evaluations, or in one with a past, the exact W2 of the Gaussian
    is in the bracket, and pairs with the flow say more than moments of modes apart."""
    near, far, noise = GaussianMixture(1e-6 * np.eye(4), std=0.7), GaussianMixture(np.eye(4), std=0.7), 4.0
    setting = setting_of(ou(), near, scheme(key, 2.0, 8), 0.0, noise)
    exact = sampler_w2(Gaussian(near.mean, 0.49), setting.steps, 0.0, noise)
    found = beside_data(setting, near, 1, "asked for")
    assert 0 < found.lower <= exact.lower * (1 + 1e-5) and exact.upper <= found.upper * (1 + 1e-5) < math.inf
    apart = beside_data(setting_of(ou(), far, scheme(key, 2.0, 8), 0.0, noise), far, 1, "asked for")
    assert apart.upper < apart.proved < math.inf and "pairs of the sampler and the flow" in apart.method


def test_what_is_not_known_stays_open():
    """Of covariances of their own nothing is known where each step uses the one before and diverges: [0, ∞) with the
    reason."""
    law = GaussianMixture([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], covariances=[np.eye(2), 2 * np.eye(2), np.diag([1.0, 2.0])])
    setting = setting_of(ou(), PRODUCT, scheme("dpmpp-2m", 2.0, 5))
    found = beside_data(setting, law, 1, "asked for")
    assert (found.lower, found.upper, found.method) == (0.0, math.inf, "no exact law: asked for")


@pytest.mark.parametrize("dim", [3, 4, 5, 6])
def test_parts_of_a_span_are_the_law(dim):
    """Moments of the parts and the vector's length are those of the whole, whatever is left over."""
    means = np.zeros((4, dim))
    means[:, :3] = [[1.0, 0.0, 0.2], [0.0, 1.0, -0.3], [-1.0, -1.0, 0.4], [0.5, 0.5, -1.0]]
    turn = np.linalg.qr(np.random.default_rng(dim).normal(size=(dim, dim)))[0]
    law, bias = GaussianMixture(means @ turn + 0.3, [0.1, 0.2, 0.3, 0.4], std=0.5), np.arange(1.0, dim + 1)
    parts = spanned(law, bias)
    sizes = parts.law.second_moment + sum(count * each.second_moment for each, _, count in parts.across)
    assert parts.law.dim == 3 and parts.law.dim + sum(count * each.dim for each, _, count in parts.across) == dim
    assert sizes == pytest.approx(law.second_moment, rel=LAW_ROUNDING)
    lengths = [parts.bias, *(push for _, push, _ in parts.across)]
    assert math.hypot(*np.concatenate(lengths)) == pytest.approx(np.linalg.norm(bias), rel=LAW_ROUNDING)
    variances = np.linalg.eigvalsh(law.covariance)
    assert np.linalg.eigvalsh(parts.law.covariance) == pytest.approx(variances[-3:], rel=LAW_ROUNDING)


@pytest.mark.parametrize(("key", "start"), [
    ("euler-maruyama", {"prior_mean": 1.5}), pytest.param("ddim", {"prior_mean": 1.5}, marks=pytest.mark.deep),
    ("dpmpp-2m", {"prior_mean": 1.5, "prior_covariance": 0.4}), ("ancestral", {"prior_mean": 1.5, "prior_covariance": 0.0}),
    ("ancestral", {"from_mean": True})])
def test_other_starts_are_inside_too(key, start):
    """From a Gaussian elsewhere, from a point and from the data's mean: exact W2, by lines, is in the bracket."""
    far = GaussianMixture(PRODUCT.means + 1.0, std=PRODUCT.std)
    setting = setting_of(ou(), far, Scheme(key, TimeGrid.uniform(0.7, 12), **start))
    found, exact = beside_data(setting, far, 1, ""), sampler_w2(far, setting.scheme.steps(ou()))
    assert found.lower <= exact.lower and exact.upper <= found.upper <= BESIDE_ELSEWHERE * exact.upper
    assert found.upper <= found.proved < math.inf


def test_a_start_with_axes_of_its_own_is_inside():
    """The mean of the sampler is known whatever the start's axes: what is apart of the means is below both upper sides."""
    turned = TURN.T @ np.diag([0.9, 0.5, 0.4, 0.3, 0.2]) @ TURN
    scheme_of = Scheme("ancestral", TimeGrid.uniform(0.5, 20), prior_mean=[2.0, 0.0, -1.0, 0.0, 1.0], prior_covariance=turned)
    setting = setting_of(ou(), PRODUCT, scheme_of)
    found = beside_data(setting, PRODUCT, 1, "")
    y = sample(PRODUCT, setting.scheme.steps(ou()), 20_000, 3)
    apart = float(np.linalg.norm(y.mean(axis=0) - PRODUCT.mean))
    assert 0.5 < apart and 0 < found.lower < found.upper <= found.proved < math.inf
    assert apart - STANDARD_ERRORS * math.sqrt(float(y.var(axis=0).sum()) / len(y)) <= found.upper


@pytest.mark.parametrize("dim", [1, 3, 40])
def test_lengths_of_normal_vectors_are_their_moments(dim):
    """Data and iterate both Gaussian about one mean: the moments of what is between are at most those of a normal
    vector with both deviations, to the letter."""
    law = GaussianMixture(np.zeros((2, dim)), std=0.6)
    steps = scheme("euler-maruyama", 2.0, 6).steps(ou())
    lengths = _Lengths(law, steps, np.zeros(dim), 0.0)
    variance = float(steps.prior_var)
    for P, Q, noise, a, s_sq in zip(steps.P, steps.Q, steps.noise_var, steps.a[:-1], steps.s_sq[:-1], strict=True):
        variance = float(P - Q / (a * a * 0.36 + s_sq)) ** 2 * variance + float(noise)
    tau = math.sqrt(variance)
    for q in (1, 2, 5):
        assert lengths(q) == pytest.approx((0.6 + tau) * math.prod(dim + 2 * i for i in range(q)) ** (0.5 / q), rel=LAW_ROUNDING)


def test_the_finite_sample_side_is_what_its_inequality_says():
    """Pairs all alike: Bernstein's limit of their square, and Clopper and Pearson's share of none times moments."""

    class Lengths:
        sure = 1.0

        def __call__(self, q):
            return 3.0 * math.sqrt(q)

    n, square = 800, 0.25
    rest, delta = 600, REFUTED / 2
    _, proved = _sides(np.full(n, square), Lengths())
    mean = square + 7 * 2 * square * math.log(2 / delta) / (3 * (rest - 1))
    share = 1 - delta ** (1 / rest)
    tail = min(9.0 * q * share ** (1 - 1 / q) for q in range(1, HIGHEST))
    assert 0.1 * square < tail and proved == pytest.approx(math.sqrt(mean + tail), rel=LAW_ROUNDING)
