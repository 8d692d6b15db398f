"""Small inputs as users have them, each to a truth computed elsewhere or refused with what to write instead."""

import math
import os
import subprocess
import sys
from pathlib import Path

import mpmath
import numpy as np
import pytest

from bounds import euler_maruyama, ou, vp
from bounds.sampler import Scheme
from bounds.samplers import samplers
from closed_form import Gaussian, GaussianMixture, sampler_w2
from tests.tolerances import THREE_DIGITS
from tests.whole.tolerances import DISCRETE, LAST_DIGIT, PUBLISHED, ROUNDING
from verify import certify
from verify.certificates.certificate import Verdict
from verify.problems.problem import load_problem
from verify.problems.section import ProblemError

CASES = Path(__file__).parent / "cases"
#: Exact W2, to the digits known.
KNOWN = {
    "k4_singular_full": "0.15812286982345", "k4_singular_diagonal": "0.15814505094863",
    "k4_rank1_early_stop": "0.1444299829218", "k5_noise_free_last_step": "0.03361857097",
    "k5_ddpm_fixed_large": "0.000751516335931", "k6_clipmin": "0.0117497655860343",
}
#: What data of two points, −1 and 1, must give: W2 of 400 steps, and the bound.
TWO_POINTS, TWO_POINTS_BOUND = 0.0152918, 0.09953
#: The same function of t, min(20t, 8), without min.
CLIPPED = "0.1 + (20*t + 8 - abs(20*t - 8))/2"


def case(name, **changes):
    """A problem of the folder, some keys of a table changed: table__key = text."""
    return load_problem(str(CASES / f"{name}.toml"),
                        [f"{key.replace('__', '.')}={value}" for key, value in changes.items()])


def to_the_digits(text):
    """The number printed, up to what its last digit leaves."""
    return pytest.approx(float(text), rel=ROUNDING, abs=LAST_DIGIT * 10.0 ** -(len(text) - 2))


def truth(problem):
    """The exact W2 of a problem."""
    return sampler_w2(problem.law, problem.scheme.steps(problem.process))


def certified(problem, theorem="martingale"):
    """A theorem on a problem, held against the truth."""
    return certify(theorem, process=problem.process, law=problem.law, scheme=problem.scheme)


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_the_truth_is_the_number_known(name):
    """The exact W2 is the number found elsewhere, and no bound that applies is below it."""
    problem = case(name)
    assert truth(problem).midpoint == to_the_digits(KNOWN[name])
    certificate = certified(problem)
    singular = "singular" in name
    assert certificate.verdict is (Verdict.NOT_APPLICABLE if singular else Verdict.HOLDS)
    if singular:
        assert any("early_stop" in each for each in certificate.unmet)


def test_a_minimum_without_min_is_the_same():
    """β written with abs gives the W2 of β written with min."""
    assert truth(case("k6_clipmin", process__beta=f'"{CLIPPED}"')).midpoint == to_the_digits(KNOWN["k6_clipmin"])


def test_a_list_of_betas_is_the_discrete_recursion():
    """DDPM's list of β is the recursion in ᾱ, done here with β̃ and √α, and the bound is above it."""
    problem, betas = case("k6_betas_list"), np.array([0.0001, 0.01, 0.02])
    alphas = np.cumprod(1 - betas)
    mean, variance, data = 0.0, 1 - alphas[-1], (0.3, 0.25)
    for k in (2, 1, 0):
        before = alphas[k - 1] if k else 1.0
        whole = alphas[k] * data[1] + 1 - alphas[k]
        keep, pull = (1 - betas[k] / whole) / math.sqrt(1 - betas[k]), betas[k] / math.sqrt(1 - betas[k])
        mean = keep * mean + pull * math.sqrt(alphas[k]) * data[0] / whole
        variance = keep**2 * variance + betas[k] * (1 - before) / (1 - alphas[k])
    wanted = math.hypot(mean - data[0], math.sqrt(variance) - math.sqrt(data[1]))
    assert truth(problem).midpoint == pytest.approx(wanted, rel=DISCRETE)
    assert certified(problem).verdict is Verdict.HOLDS


@pytest.mark.parametrize(("name", "fragment", "changes"), [
    ("k1_csv_without_header", "must name the columns, got numbers: -1", {"data__header": "false"}),
    ("k1_csv_pandas_index", "column 1", {"data__columns": '["x"]'}),
])
def test_a_table_without_names_is_refused_or_told(name, fragment, changes):
    """A header made of numbers, or a column without a name, is refused in one line that says what to write; that
    written, it is two modes in dimension 1."""
    with pytest.raises(ProblemError, match=fragment) as refused:
        case(name)
    assert "\n" not in str(refused.value)
    problem = case(name, **changes)
    certificate = certified(problem)
    assert problem.law.dim == 1
    assert certificate.measured.midpoint == pytest.approx(TWO_POINTS, rel=THREE_DIGITS / 100)
    assert certificate.bound.total == pytest.approx(TWO_POINTS_BOUND, rel=THREE_DIGITS)


def test_a_covariance_asymmetric_by_single_precision_is_its_symmetric_part():
    """It has a note, and the truth of the covariance with both entries at their mean."""
    problem = case("k3_float32_covariance")
    assert any("symmetric part" in note for note in problem.notes)
    middle = (0.30000001192 + 0.3) / 2
    wanted = sampler_w2(Gaussian([0.0, 0.0], [[1.0, middle], [middle, 2.0]]), problem.scheme.steps(ou()))
    assert truth(problem).midpoint == pytest.approx(wanted.midpoint, rel=PUBLISHED)
    assert certified(problem).verdict is Verdict.HOLDS


def test_constant_pixels_are_named_and_not_scaled():
    """Columns 0, 32 and 39 of the digits hold one value: named in a note, and 0 for every picture."""
    problem = case("k10_digits_constant_pixel")
    assert any("columns 0, 32, 39" in note for note in problem.notes)
    rows = np.loadtxt(CASES / "data" / "digits_num.csv", delimiter=",", skiprows=1)
    assert np.flatnonzero(np.ptp(rows, axis=0) == 0).tolist() == [0, 32, 39]
    assert np.isfinite(problem.law.second_moment)


@pytest.mark.deep
def test_eight_modes_on_a_circle_have_a_finite_bracket():
    """The lower side is above 0, and the bound above the upper side."""
    found = certified(case("k11_circle8"))
    assert found.verdict is Verdict.HOLDS and 0 < found.measured.lower <= found.measured.upper < math.inf


#: W2 where β jumps from 1 to 9 at √2/3, N(0.3, ¼), T = 1, 100 steps.
JUMP = {"euler-maruyama": "0.00929681346864615", "ancestral": "0.0287741155804706"}


def by_recursion(beta, K, ancestral):
    """W2 for N(0.3, ¼) where β is beta[0] before the jump at √2/3 and beta[1] after it, with 40 digits."""
    with mpmath.workdps(40):
        jump, times = mpmath.sqrt(2) / 3, [mpmath.mpf(K - k) / K for k in range(K + 1)]
        data, v, before, after = mpmath.mpf("0.3"), mpmath.mpf("0.25"), *map(mpmath.mpf, beta)
        clock = [before * min(t, jump) + after * max(t - jump, 0) for t in times]
        a, s_sq = [mpmath.exp(-c / 2) for c in clock], [1 - mpmath.exp(-c) for c in clock]
        mean, variance = mpmath.mpf(0), s_sq[0]
        for k in range(K):
            b, whole = clock[k] - clock[k + 1], a[k] ** 2 * v + s_sq[k]
            P, Q, noise = 1 + b / 2, b, b
            if ancestral:
                P, lost = mpmath.exp(b / 2), 1 - mpmath.exp(-b)
                Q, noise = P * lost, lost * s_sq[k + 1] / s_sq[k]
            mean = (P - Q / whole) * mean + Q * a[k] * data / whole
            variance = (P - Q / whole) ** 2 * variance + noise
        return float(mpmath.sqrt((mean - data) ** 2 + (mpmath.sqrt(variance) - mpmath.sqrt(v)) ** 2))


@pytest.mark.parametrize("key", sorted(JUMP))
@pytest.mark.parametrize("beta", [
    "1 + 8*heaviside(t - sqrt(2)/3)", "5 + 4*sign(t - sqrt(2)/3)", "if(t < sqrt(2)/3, 1, 9)",
    "if(t <= sqrt(2)/3, 1, 9)", "piecewise(t < sqrt(2)/3, 1, t <= sqrt(2)/3, 1000, 9)",
])
def test_a_jump_inside_a_step_is_where_it_is(beta, key):
    """With β from 1 to 9 at √2/3, inside one of a hundred steps, the bracket of a certificate holds the W2 of a
    recursion with 40 digits, which is the number known, whatever is said of the one point."""
    wanted = by_recursion(("1", "9"), 100, key == "ancestral")
    found = certify("martingale", process=vp(beta), law=Gaussian([0.3], 0.25),
                    scheme=Scheme(samplers()[key], euler_maruyama(1, 100).grid))
    assert wanted == to_the_digits(JUMP[key])
    assert found.verdict is Verdict.HOLDS
    assert found.measured.lower <= wanted <= found.measured.upper
    assert found.measured.midpoint == to_the_digits(JUMP[key])


#: Means so far away that squares overflow, law by law.
FAR = {
    "gaussian": 'mean = [1e200]\ncovariance = 0.25',
    "mixture": 'means = [[-1e200], [1e200]]\nstd = 0.5',
    "samples": 'file = "far.csv"\nsmoothing = 0.5',
}


@pytest.mark.parametrize("law", sorted(FAR))
def test_no_warning_leaks_where_means_overflow(law, tmp_path):
    """With warnings as errors, ``python -m verify certify`` of means of 1e200 answers, or refuses in one line."""
    (tmp_path / "far.csv").write_text("x\n-1e200\n1e200\n")
    (tmp_path / "problem.toml").write_text(
        f'[process]\nfamily = "ou"\n[data]\nlaw = "{law}"\n{FAR[law]}\n[scheme]\nkind = "euler-maruyama"\n'
        "horizon = 5.0\nsteps = 4\n")
    done = subprocess.run([sys.executable, "-W", "error", "-m", "verify", "certify", "problem.toml"], cwd=tmp_path,
                          capture_output=True, text=True, check=False,
                          env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])})
    assert done.returncode in (0, 2, 3) and "Warning" not in done.stderr + done.stdout
    assert done.returncode != 2 or len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_tensors_are_arrays_without_a_warning():
    """Means, weights and a covariance as tensors of torch, with gradients or single precision, are the law of their
    arrays; warnings are errors here."""
    torch = pytest.importorskip("torch")
    plain = GaussianMixture([[-1.0], [1.0]], weights=[0.25, 0.75], std=0.5)
    means = torch.tensor([[-1.0], [1.0]], dtype=torch.float32, requires_grad=True)
    assert GaussianMixture(means, weights=torch.tensor([0.25, 0.75]), std=torch.tensor(0.5)) == plain
    single = Gaussian(torch.tensor([0.25]), torch.tensor([[0.5]], requires_grad=True))
    assert single == Gaussian([0.25], [[0.5]])
    assert certify("martingale", process=ou(), law=single, scheme=euler_maruyama(3, 20)).verdict is Verdict.HOLDS
