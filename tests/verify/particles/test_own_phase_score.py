"""A score of your own in phase space: the exact one gives the same particles, errors are measured row by row,
and the bound with them is above the truth."""

from dataclasses import replace

import numpy as np
import pytest

from bounds import cld, scheme
from bounds.recursion.stepwise import stepwise_bound
from bounds.samplers import samplers
from bounds.theorems import theorems
from closed_form import Gaussian, GaussianMixture
from closed_form.sampler_laws.phase_space.score import PhaseLaw
from tests.drawn import thinned
from tests.torch_required import torch_backend
from tests.verify.tolerances import OWN_SCORE, SCORE_ERROR
from verify import setting_of
from verify.particles.own_score import torch_score
from verify.particles.score_errors import score_error_of
from verify.particles.simulation import sample

LAW = GaussianMixture([[-1.0, 0.0], [1.0, 0.5]], std=0.5)
MARTINGALE = theorems()["martingale"]


def question(key="euler-maruyama", epsilon=0.0, law=LAW, steps=20):
    """The question, and the rows of its sampler."""
    setting = setting_of(cld(epsilon=epsilon), law, scheme(key, 4.0, steps))
    return setting, setting.table.steps()


def exact(rows, law=LAW, off=0.0, both=True):
    """The exact score of the velocity, off by a constant vector, as a callable; with the position's or
    without."""
    place = {float(time): i for i, time in enumerate(rows.time)}

    def score(y, t):
        of_x, of_v = PhaseLaw(law, rows.a[place[t]], rows.s_sq[place[t]]).score(y[:, 0], y[:, 1])
        of_v = of_v + off / np.sqrt(law.dim)
        return np.stack([of_x, of_v], axis=1) if both else of_v

    return score


@pytest.mark.parametrize("key, epsilon", thinned(sorted(samplers(2)), [0.0, 0.3], every=2))
def test_the_exact_score_as_a_callable(key, epsilon):
    """With the exact scores as a callable the particles are those of the sampler, biases, given starts,
    blocks and threads included; the velocity's alone serves where no row uses the position's."""
    _, rows = question(key, epsilon)
    start = np.random.default_rng(5).standard_normal((700, 2, 2))
    for options in ({}, {"threads": 2, "block": 300, "score_error": 0.3, "score_noise": 0.2},
                    {"start": start}):
        expected = sample(LAW, rows, 700, 3, **options)
        found = sample(LAW, rows, 700, 3, score=exact(rows), **options)
        assert found == pytest.approx(expected, rel=OWN_SCORE, abs=OWN_SCORE)
    if epsilon == 0 and key != "posterior-mean":
        alone = sample(LAW, rows, 700, 3, score=exact(rows, both=False))
        assert np.array_equal(alone, sample(LAW, rows, 700, 3, score=exact(rows)))
    else:
        with pytest.raises(ValueError, match=r"score must return an array of shape \(\d+, 2, 2\), as this "
                                             r"sampler uses the position's score too, got \(\d+, 2\)"):
            sample(LAW, rows, 700, 3, score=exact(rows, both=False))


@pytest.mark.parametrize("key", ["euler-maruyama", "sscs"])
def test_a_constant_bias_is_measured(key):
    """Off by 0.1 in the velocity the L2 error is 0.1 in every row that uses a score and 0 in the first half
    flow of a splitting, and the bound with these sizes is the bound with M."""
    setting, rows = question(key)
    errors = score_error_of(exact(rows, off=0.1), LAW, rows, 200)
    used = rows.Q.any(axis=(1, 2))
    assert errors.sizes[used] == pytest.approx(0.1, rel=SCORE_ERROR) and not errors.sizes[~used].any()
    one = MARTINGALE.bound(replace(setting, score_error=0.1))
    stepwise = stepwise_bound(MARTINGALE, setting, np.full(len(rows), 0.1))
    assert stepwise.total == pytest.approx(one.total, rel=1e-9)
    assert stepwise.terms == pytest.approx(one.terms, rel=1e-9)


def test_an_error_of_the_position_counts_where_it_is_used():
    """An error of the position's score alone is none for Euler–Maruyama with ε = 0, and is measured for
    ε > 0."""
    for epsilon, size in ((0.0, 0.0), (0.5, 0.2)):
        _, rows = question(epsilon=epsilon)
        right = exact(rows)

        def wrong(y, t, right=right):
            return right(y, t) + np.array([0.2, 0.0])[:, None] / np.sqrt(2)

        found = score_error_of(wrong, LAW, rows, 200).sizes
        assert found == pytest.approx(size, rel=SCORE_ERROR, abs=SCORE_ERROR)


def gaussian_w2(law, rows, sizes):
    """W2 of the position on Gaussian data on a line, the velocity's score off by sizes[i] in row i: mean and
    covariance, row by row."""
    mean, covariance, (mu,), v = np.zeros(2), rows.prior_var, law.mean, law.second_moment - law.mean_norm**2
    for i, size in enumerate(sizes):
        marginal = np.outer(rows.a[i], rows.a[i]) * v + rows.s_sq[i]
        inverse = np.linalg.inv(marginal)
        slope = rows.P[i] - rows.Q[i] @ inverse
        mean = slope @ mean + rows.Q[i] @ (inverse @ rows.a[i] * mu + np.array([0.0, size]))
        covariance = slope @ covariance @ slope.T + rows.noise_var[i]
    return np.hypot(mean[0] - mu, np.sqrt(covariance[0, 0]) - np.sqrt(v))


def test_smaller_errors_late_make_a_smaller_bound():
    """A bound with the error of each row is above the exact W2 with biases of these sizes and below the one
    with the largest for all; without errors it is the bound without."""
    law = Gaussian([0.5], [0.6])
    for key in ("euler-maruyama", "sscs", "symplectic-euler"):
        setting, rows = question(key, law=law, steps=60)
        for sizes in (np.linspace(2.0, 0.01, len(rows)), np.linspace(0.01, 2.0, len(rows))):
            stepwise = stepwise_bound(MARTINGALE, setting, sizes)
            one = stepwise_bound(MARTINGALE, setting, np.full(len(rows), 2.0)).total
            assert gaussian_w2(law, rows, sizes) <= stepwise.total < one
            assert stepwise.total <= sum(stepwise.terms.values()) * (1 + 1e-12)
        assert stepwise_bound(MARTINGALE, setting, np.zeros(len(rows))).total == pytest.approx(
            MARTINGALE.bound(setting).total, rel=1e-11)


def test_wrong_sizes_are_named():
    """A splitting has one row more than steps, and sizes of another number are refused."""
    setting, _ = question("sscs")
    with pytest.raises(ValueError, match=r"sizes must be 21 finite numbers >= 0, one a step, got an array of "
                                         r"shape \(20,\)"):
        stepwise_bound(MARTINGALE, setting, np.ones(20))


def test_a_torch_module_is_a_score():
    """A module of (position, velocity) and t is a score on numpy's particles and on torch's, the same to the
    precision it computes in."""
    _, rows = question()
    chosen = torch_backend()
    score = torch_score(lambda y, t: -y[:, 1] * (1 + t[:, None]), dtype="float64")
    one = sample(LAW, rows, 500, 3, score=score)
    assert one == pytest.approx(sample(LAW, rows, 500, 3, score=score, backend=chosen), rel=OWN_SCORE,
                                abs=OWN_SCORE)
    assert one == pytest.approx(sample(LAW, rows, 500, 3, score=lambda y, t: -y[:, 1] * (1 + t)),
                                rel=OWN_SCORE, abs=OWN_SCORE)
