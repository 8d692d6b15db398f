"""Starts that are neither isotropic nor centred: exact laws, bounds, particles, and what is refused by name."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounds import Scheme, TimeGrid, ou
from bounds.processes.cld import cld
from bounds.sampler import ddim, dpmpp_2m, euler_maruyama, exponential_integrator, heun, scheme
from bounds.start import Start
from bounds.theorems import theorems
from closed_form import Gaussian, GaussianMixture, sampler_w2
from closed_form.certified.chain import certified_w2
from closed_form.sampler_laws.plane.law import PlaneLaw
from closed_form.steps.table import exact_steps
from tests.bounds.tolerances import EXACT_INITIAL, SINGULAR_START, START_RECURSION, TEN_DIGITS
from tests.drawn import examples
from tests.tolerances import STANDARD_ERRORS
from tests.torch_required import torch_backend
from verify import certify, sample
from verify.certificates.question import setting_of
from verify.particles.backends import backend as numpy_backend
from verify.problems.problem import ProblemError, read_problem

SKEW = np.array([[1.0, 0.5, 0.2], [0.5, 2.0, -0.4], [0.2, -0.4, 0.6]])
DATA = {"isotropic": 0.5, "diagonal": np.array([0.5, 1.0, 2.0]),
        "turned": np.array([[0.7, 0.1, 0.0], [0.1, 1.4, 0.5], [0.0, 0.5, 0.9]])}
STARTS = {"point": 0.0, "number": 2.0, "diagonal": [1.0, 0.1, 3.0], "line": [1.0, 0.0, 0.0], "turned": SKEW}
CENTRE = [0.5, -1.0, 2.0]
MODES = GaussianMixture([[-1.0, 0.0], [2.0, 0.0]], [0.3, 0.7], std=0.5)


def _root(matrix):
    """The symmetric root of a matrix that may be singular."""
    values, basis = np.linalg.eigh(matrix)
    return (basis * np.sqrt(np.maximum(values, 0.0))) @ basis.T


def _followed(law, steps, mean, covariance):
    """W2 by a recursion in matrices, in floats, of one evaluation or two, or of a past."""
    mean, covariance, unit = np.array(mean, dtype=float), np.array(covariance, dtype=float), np.eye(law.dim)
    linear, shift, added, seen = unit, np.zeros(law.dim), 0 * unit, None

    def step(numbers, i):
        a, s_sq, P, Q = (float(each[i]) for each in (numbers.a, numbers.s_sq, numbers.P, numbers.Q))
        inverse = np.linalg.inv(a * a * law.covariance + s_sq * unit)
        return P * unit - Q * inverse, Q * a * inverse @ law.mean

    for i in range(len(steps)):
        A, b = step(steps, i)
        now = A @ linear, A @ shift + b
        if steps.past is not None:
            keep, new, old = (float(each[i]) for each in (steps.past.keep, steps.past.now, steps.past.before))
            linear, shift = (keep * x + new * y for x, y in zip((linear, shift), now, strict=True))
            if old:
                linear, shift = linear + old * seen[0], shift + old * seen[1]
            seen = now
            continue
        if steps.second is not None:
            inner, more = step(steps.second, i)
            A, b = inner @ A + float(steps.second.keep[i]) * unit, inner @ b + more
            now = A @ linear, A @ shift + b
        linear, shift = now
        added = A @ added @ A.T + float(steps.noise_var[i]) * unit
    gap = linear @ mean + shift - law.mean
    # V = FFᵀ: tr (Σ^½VΣ^½)^½ is the sum of the singular values of Σ^½F, also where V is singular
    factor = np.hstack([linear @ _root(covariance), _root(added)])
    kept = np.linalg.svd(_root(law.covariance) @ factor, compute_uv=False).sum()
    return np.sqrt(gap @ gap + np.sum(factor**2) + np.trace(law.covariance) - 2 * kept)


@pytest.mark.parametrize("make", [euler_maruyama, heun, dpmpp_2m])
@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("data", DATA)
def test_gaussian_data_from_any_gaussian(data, start, make):
    """The exact law of Gaussian data from a start with a mean, on axes, turned or singular, is that of a recursion in
    matrices."""
    law, covariance = Gaussian([1.0, 2.0, 3.0], DATA[data]), np.asarray(STARTS[start])
    chosen = make(3, 20, prior_mean=CENTRE, prior_covariance=covariance)
    full = covariance if covariance.ndim == 2 else np.diag(np.broadcast_to(covariance, 3))
    found = sampler_w2(law, exact_steps(ou(), chosen))
    within = SINGULAR_START if start == "line" else START_RECURSION
    assert found.midpoint == pytest.approx(_followed(law, chosen.steps(ou()), CENTRE, full), rel=within)
    assert found.upper - found.lower <= within * found.upper


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=examples(8), deadline=None)
def test_bounds_hold_from_drawn_starts(seed):
    """From drawn Gaussians on drawn Gaussian data in one to three dimensions no theorem that takes a start is below the
    exact W2, with all that is known and from constants, and the others refuse the start by name."""
    rng = np.random.default_rng(seed)
    d = int(rng.integers(1, 4))
    shapes = [np.exp(rng.normal(size=())), np.exp(rng.normal(size=d)), rng.normal(size=(d, d + 1))]
    spread, covariance = (each @ each.T / d if each.ndim == 2 else each for each in
                          (shapes[rng.integers(3)] for _ in range(2)))
    covariance = covariance * (rng.uniform() < 0.9)
    law = Gaussian(2 * rng.normal(size=d), spread + (0.05 * np.eye(d) if np.ndim(spread) == 2 else 0.05))
    make, names = [(euler_maruyama, ("martingale", "martingale-coupled", "flow-between")), (ddim, ("flow",)),
                   (exponential_integrator, ("martingale",)), (heun, ("flow",))][rng.integers(4)]
    chosen = make(float(rng.uniform(0.5, 4)), int(rng.integers(5, 60)), prior_mean=2 * rng.normal(size=d),
                  prior_covariance=covariance)
    exact = sampler_w2(law, exact_steps(ou(), chosen))
    for name in names:
        for information in ("all", "constants"):
            bound = theorems()[name].bound(setting_of(ou(), law, chosen, information=information))
            assert bound.total >= exact.lower, (name, information)


@pytest.mark.parametrize("start", STARTS)
def test_the_initial_term_is_exact_on_gaussians(start):
    """E_0 of Gaussian data is W2(p_T, start): with a step that does next to nothing, at a short horizon, the
    bound is next to the exact W2."""
    law = Gaussian([1.0, 2.0, 3.0], DATA["turned"])
    chosen = ddim(1e-7, 1, prior_mean=CENTRE, prior_covariance=STARTS[start])
    certificate = certify("flow", process=ou(), law=law, scheme=chosen)
    assert certificate.measured.lower <= certificate.bound.total < (1 + EXACT_INITIAL) * certificate.measured.lower


def test_a_mean_of_zero_and_a_variance_are_an_isotropic_start():
    """A covariance that is one variance, with a mean of 0, is prior_std its root: bound and truth are the same."""
    law = Gaussian([1.0], 0.5)
    one, two = (euler_maruyama(2, 30, **given) for given in ({"prior_covariance": 2.25, "prior_mean": [0.0]},
                                                             {"prior_std": 1.5}))
    found = [certify("martingale", process=ou(), law=law, scheme=each) for each in (one, two)]
    assert found[0].bound.total == found[1].bound.total and found[0].measured == found[1].measured
    assert certified_w2(law, ou(), one).midpoint == pytest.approx(found[0].measured.midpoint, rel=TEN_DIGITS)


@pytest.mark.parametrize("backend", [numpy_backend, torch_backend])
def test_particles_and_the_law_on_a_line(backend):
    """Particles of two modes from a turned mean and a flat start have the mean that the chain of the components has, and
    the truth on the line and across it holds the bound."""
    given = {"prior_mean": [0.5, 1.0], "prior_covariance": [[0.3, 0.0], [0.0, 0.0]]}
    chosen = euler_maruyama(3, 30, **given)
    certificate = certify("martingale", process=ou(), law=MODES, scheme=chosen)
    assert certificate.verdict == "HOLDS" and 0.1 < certificate.measured.upper < 0.2
    n = 20_000
    found = sample(MODES, chosen.steps(ou()), n, seed=3, backend=backend())
    # across the line the data are N(0, 1/4): a chain of one coordinate
    across = Gaussian([0.0], 0.25)
    steps = chosen.steps(ou())
    mean, var = 1.0, 0.0
    for i in range(len(steps)):
        A = steps.P[i] - steps.Q[i] / (steps.a[i] ** 2 * float(across.spread) + steps.s_sq[i])
        mean, var = A * mean, A * A * var + steps.noise_var[i]
    assert abs(found[:, 1].mean() - mean) < STANDARD_ERRORS * np.sqrt(var / n)
    assert abs(found[:, 1].var() - var) < STANDARD_ERRORS * var * np.sqrt(2 / n)


def test_a_point_without_noise_ends_at_a_point():
    """From a point a sampler without noise ends at one, whose W2 to the data is that of its place."""
    law = GaussianMixture([[-1.0], [2.0]], [0.3, 0.7], std=0.5)
    chosen = ddim(3, 40, prior_mean=0.5, prior_covariance=0)
    found = sampler_w2(law, exact_steps(ou(), chosen))
    (end,) = sample(law, chosen.steps(ou()), 1, seed=1)[0]
    spread = 0.25 + 0.3 * 0.7 * 9
    assert found.midpoint == pytest.approx(np.hypot(end - 1.1, np.sqrt(spread)), rel=TEN_DIGITS)


def test_the_plane_starts_from_a_turned_gaussian():
    """The density in the plane begins with the mass, the mean and the covariance of the start, and a start too narrow for
    a grid is refused by name."""
    mean, covariance = np.array([0.2, -1.0]), np.array([[1.0, 0.3], [0.3, 0.5]])
    law = PlaneLaw.gaussian(1.0, 0.25, Start(mean, covariance))
    x, mass = law.grid.points(), law.values.ravel() * law.grid.cell
    centred = x - mean[:, None]
    assert mass.sum() == pytest.approx(1.0, rel=TEN_DIGITS) and np.allclose(x @ mass, mean, atol=TEN_DIGITS)
    assert np.allclose(centred * mass @ centred.T, covariance, rtol=TEN_DIGITS)
    with pytest.raises(ValueError, match="prior_covariance must be so round that a grid in the plane holds the start"):
        PlaneLaw.gaussian(1.0, 0.25, Start(mean, np.diag([1.0, 0.0])))


def test_position_and_velocity_from_another_gaussian():
    """Critically-damped Langevin from a covariance of its own has the law of a recursion in matrices; from Σ_∞ given as
    such it is as without; and the bounds hold."""
    law, given = Gaussian([0.5], 0.4), np.array([[1.5, -0.2], [-0.2, 0.8]])
    chosen = euler_maruyama(4, 60, prior_covariance=given)
    steps = chosen.steps(cld())
    mean, covariance = np.zeros(2), given
    for i in range(len(steps)):
        inverse = np.linalg.inv(steps.s_sq[i] + 0.4 * np.outer(steps.a[i], steps.a[i]))
        J = steps.P[i] - steps.Q[i] @ inverse
        mean = J @ mean + steps.Q[i] @ inverse @ (steps.a[i] * 0.5)
        covariance = J @ covariance @ J.T + steps.noise_var[i]
    expected = np.hypot(mean[0] - 0.5, np.sqrt(covariance[0, 0]) - np.sqrt(0.4))
    found = sampler_w2(law, exact_steps(cld(), chosen))
    assert found.midpoint == pytest.approx(expected, rel=TEN_DIGITS)
    for name in ("martingale", "strasman2025-cld"):
        assert theorems()[name].bound(setting_of(cld(), law, chosen)).total >= found.upper
    plain, same = (sampler_w2(law, exact_steps(cld(), euler_maruyama(4, 60, **each)))
                   for each in ({}, {"prior_covariance": np.eye(2)}))
    assert plain.midpoint == pytest.approx(same.midpoint, rel=TEN_DIGITS)


@pytest.mark.parametrize(("make", "words"), [
    (lambda: ddim(1, 5, prior_mean="far"), "prior_mean must be a number or a list of numbers, .* got 'far'"),
    (lambda: ddim(1, 5, prior_mean=np.inf), "prior_mean must be finite"),
    (lambda: ddim(1, 5, prior_covariance=-1.0), "prior_covariance must have no negative variance"),
    (lambda: ddim(1, 5, prior_covariance=[[1.0, 2.0], [2.0, 1.0]]), "must be positive semi-definite"),
    (lambda: ddim(1, 5, prior_covariance=[[1.0, 2.0], [0.0, 1.0]]), "must be symmetric"),
    (lambda: ddim(1, 5, prior_covariance=[[1.0, 2.0]]), "must be a square matrix"),
    (lambda: ddim(1, 5, prior_covariance=1.0, prior_std=1.0), "left out where prior_std is given"),
    (lambda: setting_of(ou(), Gaussian([0.0], 1.0), ddim(1, 5, prior_mean=[1.0, 2.0])), "dimension of the data, 1"),
    (lambda: ddim(1, 5, prior_mean=[[1.0], [2.0], [3.0]]), "two lists, of position and velocity, got shape"),
    (lambda: setting_of(ou(), Gaussian([0.0], 1.0), ddim(1, 5, prior_mean=[[1.0], [2.0]])), "for a process of one block"),
    (lambda: setting_of(cld(), Gaussian([0.0], 1.0), scheme("sscs", 1.0, 5, prior_mean=[1.0, 2.0])), "dimension of the data, 1"),
    (lambda: scheme("sscs", 1.0, 5, prior_covariance=1.0).steps(cld()), "positive definite 2x2 matrix of position")])
def test_bad_starts_are_refused_by_name(make, words):
    """A mean or covariance that is none, or of another dimension, is refused in one line."""
    with pytest.raises(ValueError, match=words):
        make()


def test_what_cannot_take_a_start_says_so():
    """A theorem stated for N(0, vI), ball arithmetic and the law of a mixture whose line the start mixes with what is
    across it name the start."""
    chosen = euler_maruyama(2, 20, prior_covariance=[[1.0, 0.5], [0.5, 1.0]])
    law = Gaussian([0.0, 0.0], 1.0)
    for name in ("gao2025-general-sde", "gentiloni2025-weak-log-concave", "gaussian-lower-bound"):
        (line,) = certify(name, process=ou(), law=law, scheme=chosen).unmet
        assert line.startswith("start: stated for a prior N(0, vI), got prior_covariance = [[1.0, 0.5], [0.5, 1.0]]")
    with pytest.raises(ValueError, match="certified: prior_covariance must be left out"):
        certify("martingale", process=ou(), law=law, scheme=chosen, certified=True)
    assert "prior_covariance must have each line" in certify("martingale", process=ou(), law=MODES,
                                                             scheme=chosen).measured.method


def test_a_problem_file_says_the_start():
    """A file's mean and covariance are the scheme's, a certificate's question reads as the same, and a list of another
    length is refused with its key."""
    tables = {"process": {"family": "ou"}, "data": {"law": "gaussian", "mean": [1.0, 0.0], "covariance": 0.5},
              "scheme": {"kind": "ddim", "horizon": 2.0, "steps": 10, "prior_mean": [0.5, 0.0],
                         "prior_covariance": [1.0, 0.5]}}
    problem = read_problem(tables)
    expected = Scheme("ddim", TimeGrid.uniform(2.0, 10), prior_mean=[0.5, 0.0], prior_covariance=[1.0, 0.5])
    assert problem.scheme == expected
    certificate = certify("flow", process=problem.process, law=problem.law, scheme=problem.scheme)
    assert read_problem(certificate.problem).scheme == expected
    for key, value in (("prior_mean", [1.0]), ("prior_covariance", [[1.0]]), ("prior_std", 1.0)):
        with pytest.raises(ProblemError, match=rf"scheme\.{key} must be"):
            read_problem({**tables, "scheme": {**tables["scheme"], key: value}})
