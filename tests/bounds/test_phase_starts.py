"""Starts of position and velocity that are not centred: exact laws, bounds, particles, and what is refused by name."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounds import TimeGrid
from bounds.processes.cld import cld
from bounds.sampler import Scheme, euler_maruyama, exponential_integrator, scheme
from bounds.theorems import theorems
from closed_form import Gaussian, GaussianMixture, sampler_w2
from closed_form.distances.line_mixture import LineMixture
from closed_form.sampler_laws.phase_space.line import phase_line_w2, position_density
from closed_form.sampler_laws.reach import farthest
from closed_form.steps.table import exact_steps
from tests.bounds.tolerances import EXACT_INITIAL, START_RECURSION, TEN_DIGITS
from tests.drawn import examples, thinned
from tests.tolerances import STANDARD_ERRORS
from tests.torch_required import torch_backend
from verify import certify, sample
from verify.certificates.question import setting_of
from verify.particles.backends import backend as numpy_backend
from verify.problems.problem import read_problem

SAMPLERS = ("euler-maruyama", "exponential", "posterior-mean", "sscs", "leapfrog", "symplectic-euler")
#: In two dimensions, of which no axis is the data's.
TURNED = Gaussian([0.5, -1.0], [[0.7, 0.2], [0.2, 0.4]])
BOTH = [[1.0, -2.0], [0.5, 3.0]]
NARROW = [[1.5, -0.2], [-0.2, 0.8]]
MODES = GaussianMixture([[-1.0], [2.0]], [0.3, 0.7], std=0.5)


def _followed(law, steps, begun, prior):
    """(Mean, covariance) of the last position, by a recursion in 2d×2d matrices in floats."""
    unit = np.eye(law.dim)
    state, spread = np.concatenate(begun), np.kron(prior, unit)
    for P, Q, noise, phi, S in zip(steps.P, steps.Q, steps.noise_var, steps.a, steps.s_sq, strict=False):
        J, shift = np.kron(P, unit), np.zeros(2 * law.dim)
        if Q.any():
            seen = np.kron(S, unit) + np.kron(np.outer(phi, phi), law.covariance)
            pull = np.kron(Q, unit) @ np.linalg.inv(seen)
            J, shift = J - pull, pull @ np.kron(phi, law.mean)
        state, spread = J @ state + shift, J @ spread @ J.T + np.kron(noise, unit)
    return state[: law.dim], spread[: law.dim, : law.dim]


def _apart(law, mean, covariance):
    """W2 between N(mean, covariance) and a Gaussian law."""
    values, basis = np.linalg.eigh(law.covariance)
    root = (basis * np.sqrt(values)) @ basis.T
    kept = np.sqrt(np.linalg.eigvalsh(root @ covariance @ root)).sum()
    return np.sqrt(np.sum((mean - law.mean) ** 2) + np.trace(covariance) + values.sum() - 2 * kept)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=examples(12), deadline=None)
def test_drawn_starts(seed):
    """From drawn means of position and velocity, and covariances, on drawn Gaussian data the exact law is that of a
    recursion in matrices, and no bound is below it, with all that is known and from constants."""
    rng = np.random.default_rng(seed)
    d, key = int(rng.integers(1, 4)), SAMPLERS[rng.integers(len(SAMPLERS))]
    factor, root = rng.normal(size=(d, d + 1)), rng.normal(size=(2, 3))
    law = Gaussian(2 * rng.normal(size=d), factor @ factor.T / d + 0.1 * np.eye(d))
    process = cld(epsilon=float(rng.choice([0.0, 0.4])), velocity_variance=float(rng.choice([0.0, 1.0])))
    mean = 3 * rng.normal(size=[(), (d,), (2, d)][rng.integers(3)])
    covariance = root @ root.T + 0.1 * np.eye(2) if rng.uniform() < 0.5 else None
    chosen = scheme(key, float(rng.uniform(0.5, 5)), int(rng.integers(5, 50)), early_stop=0.01, prior_mean=mean,
                    prior_covariance=covariance)
    steps = chosen.steps(process)
    begun = mean if np.ndim(mean) == 2 else [np.broadcast_to(mean, d), np.zeros(d)]
    exact = sampler_w2(law, exact_steps(process, chosen))
    expected = _apart(law, *_followed(law, steps, begun, steps.prior_var))
    assert exact.midpoint == pytest.approx(expected, rel=START_RECURSION)
    names = ("martingale", "strasman2025-cld") if key == "euler-maruyama" else ("martingale",)
    for name in names:
        for information in ("all", "constants"):
            bound = theorems()[name].bound(setting_of(process, law, chosen, information=information))
            assert bound.total >= exact.upper, (name, information)


@pytest.mark.parametrize("information", ["all", "constants"])
@pytest.mark.parametrize("mean", [3.0, [-3.0, 1.0], BOTH])
def test_the_initial_term_of_a_mean(mean, information):
    """After a step that does next to nothing the bound of Gaussian data from far away is next to the exact W2 where the
    data's mean is known, and not below it where only its size is."""
    chosen = exponential_integrator(1e-7, 1, prior_mean=mean, prior_covariance=NARROW)
    certificate = certify("martingale", process=cld(), law=TURNED, scheme=chosen, information=information)
    assert certificate.measured.upper <= certificate.bound.total
    if information == "all":
        assert certificate.bound.total < (1 + EXACT_INITIAL) * certificate.measured.lower


def test_a_mean_that_the_data_have_too():
    """Where rows take φm to the next, the sampler of data with mean m from φm is as far off as that of centred data from 0,
    and from a mean of 0 everything is as without one."""
    centred, moved = (Gaussian(mean, TURNED.covariance) for mean in ([0.0, 0.0], TURNED.mean))
    plain = exponential_integrator(3, 30)
    phi = plain.steps(cld()).a[0]
    begun = exponential_integrator(3, 30, prior_mean=np.outer(phi, TURNED.mean))
    found = sampler_w2(moved, exact_steps(cld(), begun))
    assert found.midpoint == pytest.approx(sampler_w2(centred, exact_steps(cld(), plain)).midpoint, rel=START_RECURSION)
    zero = exponential_integrator(3, 30, prior_mean=np.zeros((2, 2)))
    one, two = (certify("martingale", process=cld(), law=TURNED, scheme=each) for each in (plain, zero))
    assert one.bound.total == two.bound.total and one.measured == two.measured


@pytest.mark.parametrize("backend", [numpy_backend, torch_backend])
def test_particles_begin_at_the_mean(backend):
    """Particles have the mean and the covariance of the exact law; so have those of a score of one's own."""
    chosen, n = euler_maruyama(3, 30, prior_mean=BOTH, prior_covariance=NARROW), 20_000
    steps = chosen.steps(cld())
    mean, covariance = _followed(TURNED, steps, np.array(BOTH), np.array(NARROW))

    def own(y, t):
        i = int(np.argmin(np.abs(steps.time - t)))
        seen = np.kron(steps.s_sq[i], np.eye(2)) + np.kron(np.outer(steps.a[i], steps.a[i]), TURNED.covariance)
        found = -(np.asarray(y).reshape(-1, 4) - np.kron(steps.a[i], TURNED.mean)) @ np.linalg.inv(seen)
        return found.reshape(-1, 2, 2)

    for score in (None, own) if backend is numpy_backend else (None,):
        found = sample(TURNED, steps, n, seed=3, backend=backend(), score=score)
        assert np.all(np.abs(found.mean(axis=0) - mean) < STANDARD_ERRORS * np.sqrt(np.diag(covariance) / n))
        sizes = np.sqrt((np.outer(np.diag(covariance), np.diag(covariance)) + covariance**2) / n)
        assert np.all(np.abs(np.cov(found.T) - covariance) < STANDARD_ERRORS * sizes)


@pytest.mark.parametrize("key, epsilon", thinned(["euler-maruyama", "sscs"], [0.0, 0.3], every=2))
def test_modes_on_a_line(key, epsilon):
    """The density on position and velocity from far away is a Gaussian's chain where modes are one, has the mean of
    particles where they are two, is no farther than moments say, and holds the bound."""
    process, chosen = cld(epsilon=epsilon), scheme(key, 2, 20, prior_mean=[[4.0], [-3.0]])
    steps, n = exact_steps(process, chosen).rounded(), 10_000
    one = Gaussian([0.5], 0.25)
    chain, density = sampler_w2(one, steps), phase_line_w2(LineMixture.of(one), steps)
    assert density.lower <= chain.midpoint <= density.upper
    places, values, _ = position_density(LineMixture.of(MODES), steps)
    drawn = sample(MODES, steps, n, seed=5)[:, 0]
    middle = np.average(places, weights=values)
    assert abs(drawn.mean() - middle) < STANDARD_ERRORS * drawn.std() / np.sqrt(n)
    certificate = certify("martingale", process=process, law=MODES, scheme=chosen)
    assert certificate.verdict == "HOLDS" and certificate.measured.upper <= farthest(MODES, steps, np.zeros(1))


def test_modes_in_three_dimensions():
    """Across the line of the means the law is a Gaussian's from the part of the mean that is across, and squares add."""
    law = GaussianMixture([[-1.0, 0.0, 1.0], [2.0, 0.0, 1.0]], [0.3, 0.7], std=0.5)
    mean = np.array([[1.0, 2.0, -1.0], [0.0, 0.5, 1.0]])
    found, *parts = (sampler_w2(each, exact_steps(cld(), scheme("sscs", 3, 30, prior_mean=mean[:, axes])))
                     for each, axes in ((law, slice(None)), (MODES, slice(0, 1)), (Gaussian([0.0, 1.0], 0.25), slice(1, 3))))
    assert found.midpoint == pytest.approx(np.hypot(*(part.midpoint for part in parts)), rel=TEN_DIGITS)


def test_what_moments_say_of_a_mean():
    """Of one component the last position is as far as moments say, to their room: from a mean too."""
    law = Gaussian([0.5], 0.25)
    steps = exact_steps(cld(), euler_maruyama(2, 20, prior_mean=[[4.0], [-3.0]]))
    exact = sampler_w2(law, steps)
    apart = _followed(law, steps.rounded(), np.array([[4.0], [-3.0]]), np.eye(2))
    far = abs(np.sqrt(apart[1][0, 0]) - 0.5) + abs(apart[0][0] - 0.5)
    assert exact.upper <= farthest(law, steps, np.zeros(1)) == pytest.approx(far, rel=EXACT_INITIAL)


def test_a_problem_file_says_the_mean():
    """A file's mean of position and velocity is the scheme's, and a certificate's question reads as the same."""
    tables = {"process": {"family": "cld"}, "data": {"law": "gaussian", "mean": [1.0, 0.0], "covariance": 0.5},
              "scheme": {"kind": "sscs", "horizon": 2.0, "steps": 10, "prior_mean": BOTH}}
    problem = read_problem(tables)
    assert problem.scheme == Scheme("sscs", TimeGrid.uniform(2.0, 10), prior_mean=BOTH)
    certificate = certify("martingale", process=problem.process, law=problem.law, scheme=problem.scheme)
    assert certificate.verdict == "HOLDS" and read_problem(certificate.problem).scheme == problem.scheme


def test_what_cannot_take_a_mean_says_so():
    """Ball arithmetic names the mean of the start."""
    with pytest.raises(ValueError, match="certified: prior_mean must be left out"):
        certify("martingale", process=cld(), law=Gaussian([0.5], 0.4), scheme=scheme("sscs", 2, 10, prior_mean=1.0), certified=True)
