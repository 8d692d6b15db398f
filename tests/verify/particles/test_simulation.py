"""The vectorised sampler: the right chain, the same bits on any schedule, bounded memory, clear refusals."""

import subprocess
import sys

import array_api_strict
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounds.steps.affine import Steps
from closed_form.laws.gaussian import Gaussian
from closed_form.laws.mixture import GaussianMixture
from tests.drawn import examples
from tests.tolerances import SAME_INCREMENTS, STANDARD_ERRORS
from tests.torch_required import torch_backend
from tests.verify.tolerances import SAME_INCREMENTS_FLOAT32, SAMPLER_MEMORY
from verify.particles.backends import Backend, backend
from verify.particles.simulation import sample

TWO_MODES = GaussianMixture([[-1.0], [1.0]], std=0.5)
KINDS = ("isotropic", "diagonal", "full", "one std", "one covariance", "many covariances")


def euler(k: int = 8, horizon: float = 2.0) -> Steps:
    """Euler-Maruyama for the Ornstein-Uhlenbeck process, by hand."""
    time = np.linspace(horizon, 0.0, k + 1)
    h = -np.diff(time)
    a = np.exp(-time)
    return Steps(time, 1.0 + h, 2.0 * h, 2.0 * h, a, 1.0 - a * a, 1.0)


def random_law(kind: str, dim: int, components: int, seed: int):
    """A law of every kind the sampler tells apart, with moderate constants."""
    rng = np.random.default_rng(seed)
    means = rng.uniform(-1.0, 1.0, (components, dim))
    roots = rng.uniform(-0.5, 0.5, (components, dim, dim))
    covariances = roots @ np.swapaxes(roots, 1, 2) + 0.4 * np.eye(dim)
    weights = rng.dirichlet(np.ones(components))
    match kind:
        case "isotropic":
            return Gaussian(means[0], 0.7)
        case "diagonal":
            return Gaussian(means[0], np.diag(covariances[0]))
        case "full":
            return Gaussian(means[0], covariances[0])
        case "one std":
            return GaussianMixture(means, weights, std=0.6)
        case "one covariance":
            return GaussianMixture(means, weights, covariance=covariances[0])
        case _:
            return GaussianMixture(means, weights, covariances=covariances)


def laws(*kinds: str):
    """Laws of these kinds, up to 5 dimensions and 6 components."""
    sizes = st.integers(1, 5), st.integers(1, 6), st.integers(0, 2**32 - 1)
    return st.builds(random_law, st.sampled_from(kinds), *sizes)


@st.composite
def random_steps(draw) -> Steps:
    """Any coefficients: steps that skip the score, steps without noise, any early stopping."""
    k = draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    time = np.sort(rng.uniform(0.1, 3.0, k + 1))[::-1]
    skipped, silent = rng.random((2, k)) < 0.2
    return Steps(
        time,
        rng.uniform(0.5, 1.2, k),
        np.where(skipped, 0.0, rng.uniform(0.0, 0.5, k)),
        np.where(silent, 0.0, rng.uniform(0.0, 0.5, k)),
        np.exp(-time),
        rng.uniform(0.1, 1.0, k + 1),
        rng.uniform(0.0, 2.0),
    )


def plain(law, steps: Steps, normals: np.ndarray, bias=0.0, score_noise: float = 0.0) -> np.ndarray:
    """The chain as it is defined, one step after another, with the law's own score."""
    y = np.sqrt(steps.prior_var) * normals[0]
    for i in range(len(steps)):
        score = law.pushed(steps.a[i], steps.s_sq[i]).score(y) + bias
        noise_var = steps.noise_var[i] + steps.Q[i] ** 2 * score_noise**2 / law.dim
        y = steps.P[i] * y + steps.Q[i] * score + np.sqrt(noise_var) * normals[i + 1]
    return y


def relative_gap(x: np.ndarray, y: np.ndarray) -> float:
    """Largest difference, relative to the size of the particles."""
    return np.abs(x - y).max() / max(1.0, np.abs(y).max())


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=examples(7), deadline=None)
@given(st.data(), random_steps(), st.integers(1, 70), st.floats(0, 1), st.floats(0, 1), st.integers(0, 99))
def test_sampler_is_the_chain(kind, data, steps, n, score_error, score_noise, seed):
    """On given increments every law gives the chain of its definition, score errors included."""
    law = data.draw(laws(kind))
    rng = np.random.default_rng(seed)
    normals, direction = rng.standard_normal((len(steps) + 1, n, law.dim)), rng.standard_normal(law.dim)
    expected = plain(law, steps, normals, score_error * direction / np.linalg.norm(direction), score_noise)
    error = {"direction": direction, "score_error": score_error, "score_noise": score_noise}
    actual = sample(law, steps, n, None, increments=normals, **error)
    assert relative_gap(actual, expected) < SAME_INCREMENTS


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("library", ["torch", "strict"])
def test_libraries_agree_on_the_same_increments(kind, library):
    """numpy, torch and the strict array namespace agree to 1e-12 relative on the same increments."""
    law, steps = random_law(kind, 4, 5, 17), euler(20)
    other = torch_backend() if library == "torch" else Backend("array-api-strict", array_api_strict)
    normals = np.random.default_rng(1).standard_normal((21, 3000, 4))
    options = {"increments": normals, "score_error": 0.3, "score_noise": 0.2, "block": 700}
    expected = sample(law, steps, 3000, None, **options)
    actual = sample(law, steps, 3000, None, backend=other, threads=2, **options)
    assert relative_gap(actual, expected) < SAME_INCREMENTS


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["numpy", "torch"])
def test_single_precision_stays_close(kind, name):
    """float32 follows float64 on the same seed to single precision, and returns float32."""
    law = random_law(kind, 3, 4, 23)
    options = {"dtype": "float32"}
    chosen = torch_backend(**options) if name == "torch" else backend(**options)
    actual = sample(law, euler(20), 500, 4, backend=chosen)
    assert actual.dtype == np.float32
    assert relative_gap(actual, sample(law, euler(20), 500, 4)) < SAME_INCREMENTS_FLOAT32


@settings(max_examples=examples(15), deadline=None)
@pytest.mark.parametrize("reduce", [False, True])
@given(st.data(), st.integers(1, 9000), st.integers(1, 20000), st.integers(1, 4), st.floats(0, 1))
def test_schedule_and_length_change_no_bit(reduce, data, n, block, threads, part):
    """Block size, thread count and the number of later particles leave every bit as it is."""
    law = data.draw(laws(*(KINDS[:4] if reduce else KINDS)))
    whole = sample(law, euler(3), n, 5, reduce=reduce)
    assert np.array_equal(sample(law, euler(3), n, 5, block=block, threads=threads, reduce=reduce), whole)
    shorter = max(1, int(part * n))
    assert np.array_equal(sample(law, euler(3), shorter, 5, reduce=reduce), whole[:shorter])


@pytest.mark.parametrize("reduce", [False, None])
def test_products_of_matrices_do_not_depend_on_the_block(reduce):
    """Bits are kept where the work is done by BLAS: many components in many dimensions."""
    rng = np.random.default_rng(8)
    for law in (
        GaussianMixture(rng.normal(size=(12, 64)), std=0.5),
        GaussianMixture(rng.normal(size=(300, 7)), std=0.5),
        random_law("full", 100, 1, 9),
    ):
        whole = sample(law, euler(4), 900, 6, reduce=reduce)
        for block, threads in ((1, 1), (70, 2), (600, 2), (10**6, 3)):
            assert np.array_equal(sample(law, euler(4), 900, 6, block=block, threads=threads, reduce=reduce), whole)


def test_only_the_span_is_simulated_where_it_is_small():
    """By default high dimensions with few components are reduced, and nothing else is: no other law, and no run that is
    given increments, a start or a score."""
    rng = np.random.default_rng(3)
    for law in (GaussianMixture(rng.normal(size=(16, 64)), std=0.5), random_law("full", 64, 1, 2)):
        drawn = sample(law, euler(3), 40, 5)
        assert np.array_equal(drawn, sample(law, euler(3), 40, 5, reduce=True))
        assert not np.array_equal(drawn, sample(law, euler(3), 40, 5, reduce=False))
        normals = rng.standard_normal((4, 40, 64))
        given = {"increments": normals, "start": None}, {"start": normals[0]}
        for options, seed in zip(given, (None, 5), strict=True):
            assert np.array_equal(sample(law, euler(3), 40, seed, **options),
                                  sample(law, euler(3), 40, seed, reduce=False, **options))
        assert sample(law, euler(3), 40, 5, score=lambda x, t: -x).shape == (40, 64)
    for law in (GaussianMixture(rng.normal(size=(17, 64)), std=0.5), random_law("full", 63, 1, 2),
                GaussianMixture(rng.normal(size=(2, 64)), covariances=np.array([0.5, 1.0])[:, None, None] * np.eye(64))):
        assert np.array_equal(sample(law, euler(3), 40, 5), sample(law, euler(3), 40, 5, reduce=False))


def test_same_seed_on_torch_gives_the_same_samples():
    """By default torch consumes the numpy streams, so a seed means the same particles."""
    expected = sample(TWO_MODES, euler(30), 5000, 12)
    actual = sample(TWO_MODES, euler(30), 5000, 12, backend=torch_backend())
    assert relative_gap(actual, expected) < SAME_INCREMENTS


def test_seeds_give_different_samples():
    """Two seeds share no particle."""
    assert not np.intersect1d(sample(TWO_MODES, euler(), 500, 1), sample(TWO_MODES, euler(), 500, 2)).size


def exact_moments(law: Gaussian, steps: Steps, bias: np.ndarray, score_noise: float):
    """Mean and covariance of the chain on Gaussian data, by matrices, from the definition."""
    mean, covariance = np.zeros(law.dim), steps.prior_var * np.eye(law.dim)
    for i in range(len(steps)):
        precision = np.linalg.inv(steps.a[i] ** 2 * law.covariance + steps.s_sq[i] * np.eye(law.dim))
        A = steps.P[i] * np.eye(law.dim) - steps.Q[i] * precision
        mean = A @ mean + steps.Q[i] * (steps.a[i] * precision @ law.mean + bias)
        noise_var = steps.noise_var[i] + steps.Q[i] ** 2 * score_noise**2 / law.dim
        covariance = A @ covariance @ A.T + noise_var * np.eye(law.dim)
    return mean, covariance


def moment_errors(y: np.ndarray, mean: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Errors of the sample mean and covariance of Gaussian particles, in standard errors."""
    n, variances = len(y), np.diag(covariance)
    in_mean = (y.mean(axis=0) - mean) / np.sqrt(variances / n)
    spread = np.sqrt((np.outer(variances, variances) + covariance**2) / n)
    return np.concatenate([in_mean, ((np.atleast_2d(np.cov(y.T)) - covariance) / spread).ravel()])


@pytest.mark.parametrize("reduce", [False, True])
@pytest.mark.parametrize("noise", ["host", "device"])
@pytest.mark.parametrize("kind", KINDS[:3])
def test_moments_are_those_of_the_exact_chain(kind, noise, reduce):
    """On Gaussian data mean and covariance are the exact chain's within standard errors."""
    law = random_law(kind, 3, 1, 31)
    chosen = torch_backend(noise="device") if noise == "device" else backend()
    y = sample(law, euler(10), 100_000, 3, score_error=0.4, score_noise=0.7, backend=chosen, reduce=reduce)
    exact = exact_moments(law, euler(10), -0.4 * law.mean / np.linalg.norm(law.mean), 0.7)
    assert np.abs(moment_errors(y, *exact)).max() < STANDARD_ERRORS


def test_reduced_mixture_is_line_times_gaussian():
    """Two modes in five dimensions: the line is the 1-D chain, across it a Gaussian chain, independent."""
    u = np.array([0.0, 0.6, 0.0, -0.8, 0.0])
    offset = np.array([0.5, 0.8, -0.3, 0.6, 0.2])
    law = GaussianMixture(offset + np.array([[-1.0], [1.0]]) * u, weights=[0.3, 0.7], std=0.5)
    n, steps = 100_000, euler(10)
    y = sample(law, steps, n, 2, reduce=True, score_error=0.5, score_noise=1.0, direction=u + np.eye(5)[0])
    along, across = y @ u, y - np.outer(y @ u, u)
    bias = 0.5 * (u + np.eye(5)[0]) / np.sqrt(2.0)
    line = GaussianMixture([[-1.0], [1.0]], weights=[0.3, 0.7], std=0.5)
    normals = np.random.default_rng(0).standard_normal((11, n, 1))
    expected = plain(line, steps, normals, bias @ u, score_noise=1.0 / np.sqrt(5.0))[:, 0]
    for power in (1, 2, 3, 4):
        gap = (along**power).mean() - (expected**power).mean()
        assert abs(gap) < STANDARD_ERRORS * np.sqrt(((along**power).var() + (expected**power).var()) / n)
    mean, covariance = exact_moments(Gaussian(offset, 0.25), steps, bias - (bias @ u) * u, 1.0)
    corner = np.linalg.qr(np.column_stack([u, np.eye(5)]))[0][:, 1:5]
    errors = moment_errors(across @ corner, corner.T @ mean, corner.T @ covariance @ corner)
    assert np.abs(errors).max() < STANDARD_ERRORS
    coupling = np.corrcoef(along**2, np.sum((across - mean) ** 2, axis=1))[0, 1]
    assert abs(coupling) < STANDARD_ERRORS / np.sqrt(n)


@settings(max_examples=examples(12), deadline=None)
@given(laws(*KINDS), st.floats(1e-3, 10.0), st.floats(1e-200, 1e200))
def test_bias_has_exactly_the_asked_norm(law, size, length):
    """One step with and without bias differs by Q times a vector of that norm, along the direction."""
    steps = euler(1)
    direction = length * np.linspace(-1.0, 2.0, law.dim)
    normals = np.zeros((2, 1, law.dim))
    shift = sample(law, steps, 1, None, increments=normals, score_error=size, direction=direction)
    shift -= sample(law, steps, 1, None, increments=normals)
    unit = np.linspace(-1.0, 2.0, law.dim) / np.linalg.norm(np.linspace(-1.0, 2.0, law.dim))
    assert relative_gap(shift[0] / steps.Q[0], size * unit) < SAME_INCREMENTS


def test_far_particles_follow_the_nearest_component():
    """A thousand standard deviations from every mean the softmax neither overflows nor divides by zero."""
    law = GaussianMixture([[-1.0], [0.5], [2.0]], std=1e-3)
    normals = np.array([[[-5000.0], [5000.0], [0.7]], [[0.0]] * 3])
    for means in (law.means, law.means[:2]):
        part = GaussianMixture(means, std=1e-3)
        actual = sample(part, euler(1), 3, None, increments=normals)
        assert relative_gap(actual, plain(part, euler(1), normals)) < SAME_INCREMENTS


def test_output_may_be_a_memory_map(tmp_path):
    """Samples are written in place, into any writable array."""
    out = np.lib.format.open_memmap(tmp_path / "x.npy", mode="w+", dtype=float, shape=(5000, 1))
    assert sample(TWO_MODES, euler(), 5000, 1, out=out) is out
    out.flush()
    assert np.array_equal(np.load(tmp_path / "x.npy"), sample(TWO_MODES, euler(), 5000, 1))


@pytest.mark.parametrize("threads", [1, 2])
def test_progress_is_told_after_every_block(threads):
    """Fractions increase to 1, one for every block."""
    told = []
    sample(TWO_MODES, euler(2), 20_000, 1, block=4096, threads=threads, progress=told.append)
    assert told == [0.2, 0.4, 0.6, 0.8, 1.0]


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_in_progress_stops_the_run(threads):
    """An exception of the callback reaches the caller, and the remaining blocks are not started."""
    told, out = [], np.full((200_000, 1), np.nan)

    def progress(fraction: float) -> None:
        told.append(fraction)
        raise InterruptedError("enough")

    with pytest.raises(InterruptedError):
        sample(TWO_MODES, euler(200), 200_000, 1, block=4096, threads=threads, progress=progress, out=out)
    assert len(told) == 1
    assert np.isnan(out).mean() > 0.5


def test_memory_is_bounded_by_the_result():
    """A million particles need their own 8 MB and a few blocks, in one block or two threads."""
    code = """
import resource, sys
import numpy as np
from bounds.steps.affine import Steps
from closed_form.laws.mixture import GaussianMixture
from verify.particles.simulation import sample
time = np.linspace(1.0, 0.0, 4)
a = np.exp(-time)
steps = Steps(time, np.full(3, 4 / 3), np.full(3, 2 / 3), np.full(3, 2 / 3), a, 1 - a * a, 1.0)
law = GaussianMixture([[-1.0], [1.0]], std=0.5)
sample(law, steps, 10, 0)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
x = sample(law, steps, 1_000_000, 0, threads=2)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 - x.nbytes)
"""
    beyond = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert int(beyond) < SAMPLER_MEMORY


@pytest.mark.parametrize(
    "changed, error, message",
    [
        ({"n": 0}, ValueError, "n must be an integer of at least 1, got 0"),
        ({"n": 2.0}, TypeError, "n must be an integer of at least 1, got 2.0"),
        ({"n": True}, TypeError, "n must be an integer"),
        ({"threads": -1}, ValueError, "threads must be an integer of at least 1, got -1"),
        ({"threads": 1.5}, TypeError, "threads must be an integer"),
        ({"block": 0}, ValueError, "block must be an integer of at least 1, got 0"),
        ({"seed": -1}, ValueError, "seed must be a non-negative integer, got -1"),
        ({"seed": None}, TypeError, "seed must be a non-negative integer, got None"),
        ({"score_error": -0.1}, ValueError, "score_error must be finite and at least 0, got -0.1"),
        ({"score_error": "1"}, TypeError, "score_error must be a number"),
        ({"score_noise": float("nan")}, ValueError, "score_noise must be finite and at least 0, got nan"),
        ({"direction": [1.0, 0.0]}, ValueError, r"direction must be finite, non-zero, of shape \(1,\)"),
        ({"direction": [0.0]}, ValueError, "direction must be finite, non-zero"),
        ({"direction": [np.inf]}, ValueError, "direction must be finite, non-zero"),
        ({"law": "mixture"}, TypeError, "law must be a closed_form.law.Law, such as a Gaussian, got str"),
        ({"steps": 8}, TypeError, "steps must be Steps with at least one step, got 8"),
        ({"increments": np.zeros((9, 10, 1))}, ValueError, "increments replace the seed"),
        ({"increments": np.zeros((9, 10, 1)), "seed": None, "reduce": True}, ValueError, "reduce=False"),
        ({"increments": np.zeros((8, 10, 1)), "seed": None}, ValueError, r"\(k\+1, n, d\) = \(9, 10, 1\)"),
        ({"out": np.zeros((10, 2))}, ValueError, r"out must be .* of float64 and shape \(10, 1\)"),
        ({"out": np.zeros((10, 1), np.float32)}, ValueError, "got writable float32"),
        ({"out": [[0.0]] * 10}, ValueError, "out must be a writable numpy array .* got list"),
        ({"out": np.broadcast_to(0.0, (10, 1))}, ValueError, "got read-only float64"),
        (
            {"backend": "torch"},
            TypeError,
            "backend must come from verify.particles.backends.backend, got 'torch'",
        ),
        ({"law": random_law("one covariance", 2, 2, 0), "reduce": True}, ValueError, "reduce needs"),
        ({"law": random_law("many covariances", 2, 2, 0), "reduce": True}, ValueError, "reduce needs"),
    ],
)
def test_bad_arguments_are_refused(changed, error, message):
    """Every bad argument is named, with what it must be and what it was."""
    arguments = {"law": TWO_MODES, "steps": euler(), "n": 10, "seed": 0} | changed
    with pytest.raises(error, match=message):
        sample(**arguments)


@pytest.mark.parametrize("options", [{}, {"threads": 2}, {"reduce": True}])
def test_divergence_is_an_error(options):
    """A scheme that blows up raises instead of returning infinities."""
    steps = euler(2)
    wild = Steps(steps.time, steps.P * 1e200, steps.Q, steps.noise_var, steps.a, steps.s_sq, 1.0)
    with pytest.raises(OverflowError, match="particles left the range of float64"):
        sample(GaussianMixture.two_modes(2.0, 0.5, dim=2), wild, 20_000, 0, **options)


def test_score_of_a_point_mass_is_refused():
    """A step that starts where the law is a point mass has no score, and the time is named."""
    back = euler(2)
    still = Steps(back.time[::-1], back.P, back.Q, back.noise_var, back.a[::-1], back.s_sq[::-1], 1.0)
    with pytest.raises(ValueError, match=r"score at time 0.0 does not exist: the law there has variance 0"):
        sample(Gaussian([1.0], 0.0), still, 10, 0)
