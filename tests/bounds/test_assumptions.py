"""Posterior-covariance envelopes: against laws whose posterior is known, against sympy, and at the border."""

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from bounds import BoundedSupport, LogLipschitz, StronglyLogConcave, WeaklyLogConcave
from bounds.assumption import LARGEST_CONSTANT, check_constant
from bounds.assumptions import assumptions
from bounds.assumptions.smoothed_support import SmoothedSupport
from tests.bounds.tolerances import PATH_RELATIVE

SCALE = st.floats(-3, 3).map(lambda x: 10.0**x)
INFORMATION = st.floats(-6, 8).map(lambda x: 10.0**x)


def make(key, low=0.5, extra=2.0, high=3.0):
    """One assumption of each kind."""
    return {
        "strong-log-concave": lambda: StronglyLogConcave(low, high, dim=2),
        "weak-log-concave": lambda: WeaklyLogConcave(low, extra, high, dim=2),
        "log-lipschitz": lambda: LogLipschitz(low, extra, high, dim=2),
        "bounded": lambda: BoundedSupport(extra, dim=2),
        "smoothed-support": lambda: SmoothedSupport(extra, low, dim=2),
    }[key]()


@pytest.mark.parametrize("key", assumptions())
@given(q=INFORMATION, a=SCALE)
def test_hessian_envelope_is_tweedies_formula(key, q, a):
    """H(c) = −1/s² + c a²/s⁴ at both ends of the envelope, where that form is still accurate."""
    assumption = make(key)
    a_sq = min(a, 1.0) ** 2
    s_sq = a_sq / q
    psi_sq = a_sq / s_sq**2
    low = -1 / s_sq + assumption.c_lo(q) * psi_sq
    gap = (assumption.c_up(q) - assumption.c_lo(q)) * psi_sq
    assert assumption.hessian_lower(a_sq, s_sq) == pytest.approx(low, rel=1e-9, abs=1e-9 / s_sq)
    assert assumption.hessian_gap(a_sq, s_sq) == pytest.approx(gap, rel=1e-9, abs=1e-9 / s_sq)


@pytest.mark.parametrize(("key", "perturbed"), [
    ("strong-log-concave", False), ("weak-log-concave", True), ("log-lipschitz", True), ("bounded", False)])
def test_what_is_log_concave_is_not_perturbed(key, perturbed):
    """An M or a Lipschitz constant perturbs log-concave data; those in a ball are no perturbation of such."""
    assert make(key).is_perturbed == perturbed
    assert not WeaklyLogConcave(0.5, 0.0, 3.0, dim=2).is_perturbed


@pytest.mark.parametrize("key", assumptions())
def test_symbolic_envelope_is_the_numeric_one(key):
    """The sympy row of the table takes the values of the numeric one."""
    assumption, q = make(key), sympy.Symbol("q", positive=True)
    names = {"m_0": 0.5, "alpha": 0.5, "M": 2.0, "ell": 2.0, "R": 2.0, "std": 0.5, "L_0": 3.0, "L_U": 3.0, "q": 0.7}
    for expression, number in zip(
        assumption.symbolic(q), (assumption.c_lo(0.7), assumption.c_up(0.7)), strict=True
    ):
        found = expression.subs({s: names[str(s)] for s in expression.free_symbols})
        assert float(found) == pytest.approx(float(number), rel=PATH_RELATIVE)


@given(SCALE, SCALE, INFORMATION)
def test_rows_nest(low, ratio, q):
    """M = 0 or a zero Lipschitz constant give row one back; with M = lipschitz², row two is the sharper."""
    high = low * (1 + ratio)
    strong = StronglyLogConcave(low, high)
    for other in (WeaklyLogConcave(low, 0.0, high), LogLipschitz(low, 0.0, high)):
        assert other.c_up(q) == pytest.approx(strong.c_up(q), rel=1e-12)
        assert other.c_lo(q) == pytest.approx(strong.c_lo(q), rel=1e-12)
    assert WeaklyLogConcave(low, ratio**2, high).c_up(q) <= LogLipschitz(low, ratio, high).c_up(q) * (
        1 + 1e-12
    )


@given(SCALE, st.floats(0.01, 3.0), INFORMATION)
def test_two_modes_attain_the_weak_envelope(std, distance, q):
    """For two equal modes along a line the largest tilted variance is exactly c_up: 1/(α+q) + M/(α+q)²."""
    alpha, radius = 1 / std**2, distance * std
    assumption = WeaklyLogConcave(alpha, radius**2 * alpha**2, alpha)
    # symmetric tilt: components of variance 1/(α+q) at ± αR/(α+q)
    exact = 1 / (alpha + q) + (alpha * radius / (alpha + q)) ** 2
    assert assumption.c_up(q) == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize("key", assumptions())
@given(q=INFORMATION, noise=SCALE)
def test_smoothing_follows_the_posterior(key, q, noise):
    """Cov of X+σZ is σ²/(1+σ²q) + Cov(X | q')/(1+σ²q)², q' = q/(1+σ²q): exact below, never smaller above."""
    assumption = make(key)
    smooth = assumption.smoothed(noise)
    seen = q / (1 + noise * q)
    low, up = (
        noise / (1 + noise * q) + c(seen) / (1 + noise * q) ** 2 for c in (assumption.c_lo, assumption.c_up)
    )
    assert smooth.c_lo(q) <= low * (1 + 1e-9)
    assert smooth.c_up(q) >= up * (1 - 1e-9)
    if key != "log-lipschitz":
        assert smooth.c_up(q) == pytest.approx(up, rel=1e-9)
    assert smooth.second_moment == pytest.approx(assumption.second_moment + 2 * noise)


@pytest.mark.parametrize("key", assumptions())
@given(q=INFORMATION, factor=SCALE)
def test_scaling_scales_variances(key, q, factor):
    """The envelope of cX at information q is c² times that of X at c²q."""
    assumption = make(key)
    scaled = assumption.scaled(factor)
    assert scaled.c_up(q) == pytest.approx(factor**2 * assumption.c_up(factor**2 * q), rel=1e-9)
    assert scaled.c_lo(q) == pytest.approx(factor**2 * assumption.c_lo(factor**2 * q), rel=1e-9)


@pytest.mark.parametrize("key", assumptions())
@given(q=INFORMATION)
def test_products_and_rotations(key, q):
    """A product's envelope holds both factors'; a rotation changes nothing."""
    one = make(key)
    other = make(key, low=0.7, extra=1.0, high=5.0)
    both = one.product(other)
    assert both.dim == 4
    assert both.c_lo(q) <= min(one.c_lo(q), other.c_lo(q)) * (1 + 1e-12)
    assert both.c_up(q) >= max(one.c_up(q), other.c_up(q)) * (1 - 1e-12)
    assert one.rotated() == one


def test_a_ball_bounds_the_whole_variance():
    """E‖X_0‖² of data in a ball of radius 2 about a mean of norm 1 is at most 4 + 1, in any dimension."""
    assert BoundedSupport(2.0, dim=3, mean_norm=1.0).second_moment == 5.0


def test_bounded_plus_noise_holds_on_a_known_law():
    """Uniform on {−R, R} plus N(0, v) is two modes, whose largest tilted variance the constructor's row
    attains."""
    row = BoundedSupport(1.5).plus_noise(4.0, 4.0, 0.25)
    for q in (0.0, 0.3, 10.0):
        assert row.c_up(q) == pytest.approx(1 / (4 + q) + (4 * 1.5 / (4 + q)) ** 2, rel=1e-12)


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: StronglyLogConcave(2.0, 1.0), "m0 must be at most L0"),
        (lambda: StronglyLogConcave(-1.0, 1.0), "m0 must be positive"),
        (lambda: StronglyLogConcave(np.nan, 1.0), "m0"),
        (lambda: StronglyLogConcave(np.inf, np.inf), "m0 must be positive and finite"),
        (lambda: StronglyLogConcave(1.0, np.nan), "L0"),
        (lambda: StronglyLogConcave(1.0, 2.0, dim=0), "dim"),
        (lambda: StronglyLogConcave(1.0, 1.0, dim=2, second_moment=1.0), "second_moment must be at least"),
        (lambda: StronglyLogConcave(1.0, 1.0, second_moment=5.0), "second_moment must be at most"),
        (lambda: StronglyLogConcave(1.0, 1.0, mean_norm=-1.0), "mean_norm"),
        (lambda: StronglyLogConcave(1.0, 1.0, mean_norm=None), "second_moment"),
        (lambda: WeaklyLogConcave(0.0, 1.0, 1.0), "alpha"),
        (lambda: WeaklyLogConcave(1.0, -1.0, 1.0), "M must be non-negative"),
        (lambda: WeaklyLogConcave(2.0, 1.0, 1.0), "alpha must be at most L"),
        (lambda: LogLipschitz(1.0, -1.0, 1.0), "lipschitz"),
        (lambda: BoundedSupport(-1.0), "radius"),
        (lambda: BoundedSupport(1e-60), "radius must be between"),
        (lambda: BoundedSupport(np.inf), "radius"),
    ],
)
def test_impossible_constants_are_refused(call, words):
    """Constants that no law has are refused, and the message names the constant."""
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize("value", ["1", None, True, [1, "x"]])
def test_constants_must_be_numbers(value):
    """Strings, None and booleans are not constants."""
    with pytest.raises(TypeError, match="m0"):
        StronglyLogConcave(value, 2.0)


@pytest.mark.parametrize("value", [1e-51, 1e51])
def test_constants_far_from_one_are_refused(value):
    """Beyond 1e±50 products of constants would leave the range of floats: other units are asked for."""
    for make in (lambda: StronglyLogConcave(m0=value, L0=value), lambda: BoundedSupport(radius=value)):
        with pytest.raises(ValueError, match="choose other units"):
            make()


def test_modes_closer_than_their_width_are_strongly_log_concave():
    """M < α makes weakly log-concave data (α − M)-strongly log-concave, M ≥ α says nothing, and m0 is
    itself."""
    assert WeaklyLogConcave(2.0, 0.5, 3.0).strong_log_concavity == 1.5
    assert WeaklyLogConcave(2.0, 2.0, 3.0).strong_log_concavity is None
    assert StronglyLogConcave(0.75, 3.0).strong_log_concavity == 0.75
    assert BoundedSupport(2.0).strong_log_concavity is None


def test_the_least_convexity_profile_goes_from_alpha_minus_m_to_alpha():
    """α − f_M(r)/r is α − M next to 0, α far away, and 2 − 2√3 tanh(√3/2) at 1 for α = 2, M = 3."""
    found = WeaklyLogConcave(2.0, 3.0, 8.0).profile(np.array([1e-5, 1.0, 1e9]))
    assert found == pytest.approx([-1.0, 2 - 2 * np.sqrt(3) * np.tanh(np.sqrt(3) / 2), 2.0], rel=1e-8)


def test_one_dimension_of_many_that_is_no_integer_is_refused():
    """Every dimension of a batch must be a positive integer."""
    with pytest.raises(ValueError, match=r"dim must be a positive integer, got \[2"):
        StronglyLogConcave(1.0, 2.0, dim=[2, 1.5])


def test_a_second_moment_is_at_most_the_square_of_the_largest_constant():
    """Data as wide as the largest constant have that second moment; more is refused with the limit."""
    assert check_constant("second_moment", LARGEST_CONSTANT**2) == LARGEST_CONSTANT**2
    with pytest.raises(ValueError, match=r"second_moment must be at most 1e\+100 .*, got 1.1e\+100"):
        check_constant("second_moment", 1.1e100)


@pytest.mark.parametrize(("radius", "std", "message"), [
    (1.0, 1e30, r"std must be between 1e-25 and 1e\+25 .*, got 1e\+30"), (1.0, 1e-30, "std must be .*, got 1e-30"),
    (1e10, 1e-10, r"radius/std² must be between 0 and 1e\+25 .*, got 9.99")])
def test_a_ball_smoothed_beyond_all_constants_is_refused_by_its_own_names(radius, std, message):
    """Where α or M of smoothed data are beyond what constants may be, the width or the radius is named."""
    with pytest.raises(ValueError, match=message):
        SmoothedSupport(radius, std)
