"""A law of your own: its particles, bounds by stated constants, refutation by samples, and what is
refused."""

import numpy as np
import pytest
from scipy.special import log_ndtr

from bounds import StronglyLogConcave, euler_maruyama, ou, vp
from bounds.theorems import theorems
from closed_form import Gaussian, GaussianMixture, OwnLaw
from tests.closed_form.tolerances import OWN_GRADIENT
from verify import certify, sample, setting_of
from verify.certificates.certificate import Verdict

MIXTURE = GaussianMixture.two_modes(2.0, 0.5, dim=2)
WEAK = MIXTURE.assumptions()[0]


def own(**changed):
    """Two modes in the plane, by functions."""
    given = {"sample": MIXTURE.sample, "second_moment": MIXTURE.second_moment, "assumptions": [WEAK],
             "score": lambda x, a, s_sq: MIXTURE.pushed(a, s_sq).score(x)}
    return OwnLaw(2, **{**given, **changed})


def laplace(b=1.0, std=0.3):
    """Laplace of scale b with Gaussian noise: both halves of its density are exponentials times Φ."""
    def log_density(x, a, s_sq):
        scale, variance = a * b, (a * std) ** 2 + s_sq
        x, root = x[..., 0], np.sqrt((a * std) ** 2 + s_sq)
        right = -x / scale + log_ndtr(x / root - root / scale)
        left = x / scale + log_ndtr(-x / root - root / scale)
        return np.logaddexp(right, left) + variance / (2 * scale**2)

    return OwnLaw(1, sample=lambda n, rng: (rng.laplace(0, b, n) + std * rng.standard_normal(n))[:, None],
                  second_moment=2 * b**2 + std**2, log_density=log_density)


def test_the_same_particles_and_bounds():
    """Two modes given by functions move as the mixture does and have the bounds of their constants."""
    setting = setting_of(ou(), own(), euler_maruyama(3.0, 30))
    steps = setting.table.steps()
    assert sample(own(), steps, 500, 1) == pytest.approx(sample(MIXTURE, steps, 500, 1), rel=1e-9, abs=1e-9)
    constants = setting_of(ou(), MIXTURE, euler_maruyama(3.0, 30), information="constants")
    for key in ("martingale", "gentiloni2025-weak-log-concave"):
        assert theorems()[key].bound(setting).total == theorems()[key].bound(constants).total


def test_a_log_density_is_enough():
    """The score by the derivative of the log-density is the derivative by finite differences in extended
    precision, and the data of a Laplace law with noise come back from the sampler."""
    law = laplace()
    x = np.linspace(-4.0, 4.0, 41)[:, None]
    h = np.longdouble(1e-6)
    up, down = (law._log_density((x + sign * h).astype(np.longdouble).astype(float), 0.8, 0.2) for sign
                in (1, -1))
    assert law.pushed(0.8, 0.2).score(x)[:, 0] == pytest.approx((up - down) / 2e-6, abs=OWN_GRADIENT)
    y = sample(law, euler_maruyama(8.0, 100).steps(vp(1)), 1000, 2)
    assert y.var() == pytest.approx(law.second_moment, rel=0.2) and abs(np.mean(np.abs(y)) - 1.02) < 0.1


def test_samples_refute_a_false_bound():
    """A bound a thousand times too small is VIOLATED by samples of the sampler against samples of the law;
    the bound as it is, is not."""
    false = theorems()["martingale"]
    for name in ("initial_sq", "initial_smooth_sq", "variance", "bias_sq"):
        false = false.corrupted(name, "1/1000000")
    law = own(assumptions=[StronglyLogConcave(0.5, 4.0, 2, second_moment=MIXTURE.second_moment)])
    asked = dict(process=ou(), law=law, scheme=euler_maruyama(0.02, 10), samples=4000)
    assert certify(false, **asked).verdict is Verdict.VIOLATED
    found = certify("martingale", **asked)
    assert found.verdict is Verdict.INCONCLUSIVE and 0 < found.measured.lower < found.bound.total
    assert "samples against 4000 of the data" in found.measured.method


def test_without_constants_nothing_is_claimed():
    """A law without assumptions is sampled, and every bound says why it does not apply."""
    found = certify("martingale", process=ou(), law=laplace(), scheme=euler_maruyama(1.0, 5))
    assert found.verdict is Verdict.NOT_APPLICABLE and "no assumption is stated" in found.unmet[0]


@pytest.mark.parametrize(("changed", "named"), [
    ({"score": None}, "exactly one of score and log_density must be given, got neither"),
    ({"log_density": len}, "exactly one of score and log_density must be given, got both"),
    ({"sample": 3}, "sample must be a callable, got int"),
    ({"second_moment": -1.0}, "second_moment must be positive"),
    ({"assumptions": [StronglyLogConcave(1.0, 1.0)]}, "assumptions must be assumptions of dim 2"),
])
def test_wrong_arguments_are_named(changed, named):
    """What a law of your own cannot be made of is refused by name."""
    with pytest.raises((ValueError, TypeError), match=named):
        own(**changed)


@pytest.mark.parametrize(("changed", "named"), [
    ({"score": lambda x, a, s_sq: x[:, :1]}, r"score must return an array of shape \(\d+, 2\)"),
    ({"score": lambda x, a, s_sq: x * np.nan}, "score must be finite"),
])
def test_wrong_scores_are_named(changed, named):
    """A score of another shape, or not finite, is refused when it is asked."""
    with pytest.raises(ValueError, match=named):
        own(**changed).pushed(0.5, 0.5).score(np.zeros((3, 2)))
    with pytest.raises(ValueError, match="sample must return finite draws of shape"):
        own(sample=lambda n, rng: np.zeros(n)).sample(3, np.random.default_rng(0))


def test_a_gaussian_by_functions_is_short():
    """The shortest law: a Gaussian by its score."""
    law = OwnLaw(1, sample=lambda n, rng: rng.standard_normal((n, 1)), second_moment=1.0,
                 score=lambda x, a, s_sq: -x / (a**2 + s_sq), assumptions=Gaussian([0.0], 1.0).assumptions())
    assert "own law, d = 1" in repr(law)
    assert certify("martingale", process=ou(), law=law,
                   scheme=euler_maruyama(4.0, 50)).verdict is Verdict.INCONCLUSIVE
