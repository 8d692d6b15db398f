"""What a law answers for itself: parts, components, score errors and refusals, with defaults for laws yet to
come."""

from __future__ import annotations

import numpy as np
import pytest

from bounds import euler_maruyama, ou
from closed_form import Funnel, Gaussian, GaussianMixture, sampler_w2
from closed_form.law import Law, NoAssumption, NoExactLaw
from closed_form.laws import laws
from tests.closed_form.tolerances import LAW_SYMMETRY
from tests.tolerances import LAW_ROUNDING, SAME_INCREMENTS
from verify import certify
from verify.particles.simulation import sample

ROTATION = np.linalg.qr(np.random.default_rng(0).standard_normal((2, 2)))[0]
PRODUCT = GaussianMixture(np.array([[x, y] for x in (-1.0, 1.0) for y in (-2.0, 2.0)]) @ ROTATION.T, std=0.5)
FULL = np.array([[2.0, 0.5], [0.5, 1.0]])


class Borrowed(Law):
    """Another law's samples and score, and nothing else: what the least new law defines."""

    def __init__(self, law):
        self.law, self.dim, self.second_moment, self.mean_norm = (
            law,
            law.dim,
            law.second_moment,
            law.mean_norm,
        )

    def sample(self, n, rng):
        return self.law.sample(n, rng)

    def pushed(self, a, s_sq):
        return self.law.pushed(a, s_sq)


def test_default_directions():
    """Against the mean of a Gaussian, along collinear means, the first axis otherwise."""
    cases = [
        (Gaussian([3.0, -4.0], 1.0), [-0.6, 0.8]),
        (Gaussian([0.0, 0.0], 1.0), [1.0, 0.0]),
        (GaussianMixture([[3.0, -4.0], [3.0, -4.0]], std=1.0), [-0.6, 0.8]),
        (GaussianMixture([[0.0, -2.0], [0.0, 5.0]], std=1.0), [0.0, 1.0]),
        (GaussianMixture([[0.0, 1.0], [1.0, 0.0], [0.0, 0.0]], std=1.0), [1.0, 0.0]),
        (GaussianMixture([[0.0, 1.0], [0.0, 0.0]], covariance=np.diag([1.0, 2.0])), [1.0, 0.0]),
        (Funnel(2), [1.0, 0.0]),
    ]
    for law, expected in cases:
        assert np.allclose(law.bias_direction(), expected, rtol=0.0, atol=SAME_INCREMENTS)


def test_samples_follow_the_sampler_that_is_measured():
    """On a turned product the score error of samples points where `certify` has it: on the line it
    measures."""
    steps = euler_maruyama(3.0, 50).steps(ou())
    measured = certify(
        "martingale", process=ou(), law=PRODUCT, scheme=euler_maruyama(3.0, 50), score_error=2.0
    ).measured
    assert measured.midpoint == pytest.approx(sampler_w2(PRODUCT, steps, 2.0).midpoint, rel=LAW_SYMMETRY)
    assert measured.midpoint == pytest.approx(3.8708, rel=1e-4)
    along = PRODUCT.split().directions[0]
    drawn = sample(PRODUCT, steps, 50, 0, score_error=2.0)
    assert (drawn == sample(PRODUCT, steps, 50, 0, score_error=2.0, direction=along)).all()
    assert abs(along @ [1.0, 0.0]) < 0.99


@pytest.mark.parametrize(
    "law",
    [
        Gaussian([1.0, 2.0], 0.3), Gaussian([1.0, 2.0], [0.3, 0.7]), Gaussian([1.0, 2.0], FULL), PRODUCT,
        GaussianMixture([[0.0, 1.0], [2.0, 0.0]], [0.3, 0.7], covariance=FULL),
        GaussianMixture([[0.0, 1.0], [2.0, 0.0]], [0.3, 0.7], covariances=[FULL, 2.0 * np.eye(2)]),
    ],
)
def test_components_are_the_law(law):
    """Their projections have the mean and the variance of the law, in any direction."""
    direction, found = ROTATION[0], law.components()
    means, variances = found.along(direction)
    mean = found.weights @ means
    assert mean == pytest.approx(direction @ law.mean, rel=LAW_ROUNDING, abs=LAW_ROUNDING)
    variance = found.weights @ (variances + (means - mean) ** 2)
    assert variance == pytest.approx(direction @ law.covariance @ direction, rel=LAW_ROUNDING)


@pytest.mark.parametrize(
    "law", [PRODUCT, GaussianMixture([[0.0, 1.0, 2.0], [1.0, 1.0, 0.0]], std=0.4), Gaussian([1.0, 2.0], FULL)]
)
def test_parts_carry_the_second_moment(law):
    """Lines along orthonormal directions and the rest across them have the law's E‖X‖² together."""
    parts = law.split()
    np.testing.assert_allclose(
        parts.directions @ parts.directions.T, np.eye(len(parts.lines)), atol=LAW_ROUNDING
    )
    pieces = [*parts.lines, *([parts.rest] if parts.rest is not None else [])]
    assert sum(piece.dim for piece in pieces) == law.dim
    assert sum(piece.second_moment for piece in pieces) == pytest.approx(law.second_moment, rel=LAW_ROUNDING)
    if parts.rest is not None:
        x = np.arange(1.0, law.dim + 1)
        assert np.sum((parts.directions @ x) ** 2) + np.sum(parts.across(x) ** 2) == pytest.approx(
            x @ x, rel=LAW_ROUNDING
        )


def test_a_law_of_its_score_alone_is_simulated():
    """A new law that only samples and pushes is drawn by its pushed score, in one block as the mixture that
    it is."""
    law = GaussianMixture([[0.0, 1.0], [2.0, 0.0]], [0.3, 0.7], covariance=FULL)
    steps = euler_maruyama(3.0, 20).steps(ou())
    normals = np.random.default_rng(3).standard_normal((21, 30, 2))
    options = {"score_error": 0.3, "score_noise": 0.2, "direction": [1.0, 1.0], "increments": normals}
    found, known = (sample(one, steps, 30, None, **options) for one in (Borrowed(law), law))
    np.testing.assert_allclose(found, known, rtol=0.0, atol=SAME_INCREMENTS)


def test_a_new_law_refuses_what_is_not_known_of_it():
    """Nothing is proved, nothing exact, no curve and no posterior: typed refusals that name the type."""
    law = Borrowed(Gaussian([1.0], 0.5))
    with pytest.raises(NoAssumption, match="no assumption is proved for data of type Borrowed"):
        law.assumptions()
    with pytest.raises(NoExactLaw, match="no exact law of the sampler is known for data of type Borrowed"):
        law.split()
    assert law.posterior_moments() is None and law.components() is None and law.facts().moments is None
    with pytest.raises(ValueError, match="posterior in closed form, got Borrowed"):
        law.posterior(np.zeros(1), 1.0, 1.0)
    with pytest.raises(ValueError, match="reduce needs a Gaussian"):
        sample(law, euler_maruyama(1.0, 2).steps(ou()), 5, 0, reduce=True)


def test_a_law_without_assumption_does_not_apply():
    """`certify` reads the refusal's type, so a new law's own words serve."""
    certificate = certify(
        "martingale", process=ou(), law=Borrowed(Gaussian([1.0], 0.5)), scheme=euler_maruyama(1.0, 4)
    )
    assert certificate.verdict == "NOT_APPLICABLE" and "Borrowed" in certificate.unmet[0]


def test_the_registry_knows_every_law_by_its_key():
    """A file of closed_form/laws is a law that problem files may name."""
    assert list(laws()) == ["funnel", "gaussian", "mixture", "samples"]
    assert all(unit.key == key and unit.keys and callable(unit.read) for key, unit in laws().items())
