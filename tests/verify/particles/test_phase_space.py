"""The sampler in phase space: the chain of its definition, every scheme, the same bits on any schedule, clear
refusals."""

import numpy as np
import pytest

from bounds.processes.cld import cld
from bounds.sampler import scheme
from bounds.samplers import samplers
from closed_form.laws.funnel import Funnel
from closed_form.laws.gaussian import Gaussian
from closed_form.laws.mixture import GaussianMixture
from closed_form.sampler_laws.phase_space.gaussian_chain import phase_chain
from closed_form.sampler_laws.phase_space.score import PhaseLaw
from tests.tolerances import SAME_INCREMENTS, STANDARD_ERRORS
from tests.torch_required import torch_backend
from tests.verify.particles.test_simulation import KINDS, random_law, relative_gap
from tests.verify.tolerances import PHASE_PARTICLES
from verify.particles.phase_space import upper_roots
from verify.particles.simulation import sample

FORMS = sorted(samplers(2))


def rows(key="euler-maruyama", epsilon=0.3, steps=6, horizon=1.5):
    """A sampler of a process with a clock that is not the time."""
    process = cld(a=0.8, sigma=1.4, epsilon=epsilon, velocity_variance=0.3, clock="t + t**2/2")
    return scheme(key, horizon, steps).steps(process)


def root(covariance):
    """Upper triangular root, by hand; the position's own part is 0 where only rounding is left of it."""
    (xx, xv), (_, vv) = covariance
    both = xv / np.sqrt(vv)
    return np.array([[np.sqrt(xx - both**2) if xx - both**2 > 1e-9 * xx else 0.0, both], [0.0, np.sqrt(vv)]])


def plain(law, steps, normals, bias=0.0, score_noise=0.0, start=None):
    """The chain as it is defined, with the law's score in phase space."""
    moved = "ij,jnd->ind"
    y = np.einsum(moved, root(steps.prior_var), normals[0]) if start is None else np.swapaxes(start, 0, 1)
    for i in range(len(steps)):
        new, covariance = np.einsum(moved, steps.P[i], y), steps.noise_var[i]
        if steps.Q[i].any():
            score = np.stack(PhaseLaw(law, steps.a[i], steps.s_sq[i]).score(*y))
            score[1] += bias
            new += np.einsum(moved, steps.Q[i], score)
            push = steps.Q[i][:, 1]
            covariance = covariance + score_noise**2 / law.dim * np.outer(push, push)
        y = new + np.einsum(moved, root(covariance), normals[i + 1])
    return y[0]


@pytest.mark.parametrize("epsilon", [0.0, 0.3])
@pytest.mark.parametrize("kind", [*KINDS, "funnel"])
def test_sampler_is_the_chain(kind, epsilon):
    """On given increments every law gives the chain of its definition, score errors and a given start
    included."""
    law = Funnel(4, 0.9) if kind == "funnel" else random_law(kind, 4, 3, 41)
    rng = np.random.default_rng(3)
    for key in FORMS:
        steps = rows(key, epsilon)
        normals, direction = rng.standard_normal((len(steps) + 1, 2, 33, 4)), rng.standard_normal(4)
        errors = {"score_error": 0.4, "score_noise": 0.3, "direction": direction}
        bias = 0.4 * direction / np.linalg.norm(direction)
        start = rng.standard_normal((33, 2, 4))
        for given in (None, start):
            expected = plain(law, steps, normals, bias, 0.3, given)
            actual = sample(law, steps, 33, None, increments=normals, start=given, **errors)
            assert relative_gap(actual, expected) < PHASE_PARTICLES


@pytest.mark.parametrize("key", FORMS)
@pytest.mark.parametrize("epsilon", [0.0, 0.5])
def test_moments_are_those_of_the_exact_chain(key, epsilon):
    """On Gaussian data the mean and variance of the position are the exact chain's within standard errors."""
    law, steps, n = Gaussian([0.7, -0.4], [0.5, 2.0]), rows(key, epsilon, 20), 40_000
    chain = phase_chain(np.array([0.5, 2.0]), steps, 0.3**2 / 2)
    mean = law.mean * (1 + chain.lag.value) + np.array([0.2, 0.0]) * chain.push.value
    variance = chain.variance.value
    x = sample(law, steps, n, 8, score_error=0.2, score_noise=0.3, direction=np.array([1.0, 0.0]))
    assert np.all(np.abs(x.mean(axis=0) - mean) < STANDARD_ERRORS * np.sqrt(variance / n))
    assert np.all(np.abs(x.var(axis=0) - variance) < STANDARD_ERRORS * variance * np.sqrt(2 / n))


@pytest.mark.parametrize("key", sorted(samplers()))
def test_every_sampler_runs_or_is_refused_by_name(key):
    """Every sampler samples a two-block process, or is refused with those that do."""
    if key in FORMS:
        assert sample(GaussianMixture.two_modes(2.0, 0.5), rows(key), 20, 1).shape == (20, 1)
    else:
        with pytest.raises(ValueError, match="scheme must be one of"):
            rows(key)


@pytest.mark.parametrize("kind", ["one std", "full", "many covariances", "funnel"])
def test_schedule_and_length_change_no_bit(kind):
    """Block size, thread count and the number of later particles leave every bit as it is."""
    law = Funnel(5) if kind == "funnel" else random_law(kind, 5, 3, 2)
    whole = sample(law, rows(), 3000, 5)
    for block, threads in ((1, 1), (700, 2), (10**6, 3)):
        assert np.array_equal(sample(law, rows(), 3000, 5, block=block, threads=threads), whole)
    assert np.array_equal(sample(law, rows(), 1234, 5), whole[:1234])


@pytest.mark.parametrize("kind", KINDS)
def test_torch_gives_the_same_samples(kind):
    """On torch the same seed gives the same particles to rounding."""
    law = random_law(kind, 3, 4, 6)
    expected = sample(law, rows(steps=20), 500, 3)
    assert (
        relative_gap(sample(law, rows(steps=20), 500, 3, backend=torch_backend()), expected) < SAME_INCREMENTS
    )


def test_position_noise_is_drawn_only_where_there_is_some():
    """Without ε an Euler-Maruyama row draws one normal a coordinate; roots of singular covariances are
    exact."""
    found = upper_roots(
        np.array([np.diag([0.0, 4.0]), [[1.0, 2.0], [2.0, 4.0]], np.zeros((2, 2)), [[2.0, 1.0], [1.0, 1.0]]])
    )
    assert found.tolist() == [[[0, 0], [0, 2]], [[0, 1], [0, 2]], [[0, 0], [0, 0]], [[1, 1], [0, 1]]]
    law, steps = Gaussian([0.0], 1.0), rows(epsilon=0.0)
    normals = np.random.default_rng(0).standard_normal((len(steps) + 1, 2, 9, 1))
    other = normals.copy()
    other[1:, 0] = np.nan  # never looked at
    assert np.array_equal(
        sample(law, steps, 9, None, increments=normals), sample(law, steps, 9, None, increments=other)
    )


@pytest.mark.parametrize(
    ("changes", "fragment"),
    [
        ({"reduce": True}, "reduce is for processes of one block, or a funnel"),
        ({"seed": None, "increments": np.zeros((7, 20, 1))}, "increments must have shape"),
        ({"start": np.zeros((20, 1))}, "start must be finite of shape"),
        ({"direction": np.zeros(1), "score_error": 1.0}, "direction must be finite, non-zero"),
    ],
)
def test_bad_arguments_are_refused(changes, fragment):
    """What the two-block sampler does not take is refused by name."""
    arguments = {"law": Gaussian([0.0], 1.0), "steps": rows(), "n": 20, "seed": 1, **changes}
    with pytest.raises(ValueError, match=fragment):
        sample(**arguments)


def test_a_funnel_needs_numpy():
    """The funnel's score is an integral, which torch does not run: it is refused by name."""
    with pytest.raises(ValueError, match="backend must be numpy for a funnel"):
        sample(Funnel(3), rows(), 20, 1, backend=torch_backend())
