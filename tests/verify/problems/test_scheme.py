"""Grids of noise levels and priors in problem files: the numbers they give, and what is said of them reads
back."""

import itertools

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounds import Scheme, TimeGrid, cld, ou, vp
from bounds.processes.edm import edm
from bounds.sampler import ddim, euler_maruyama, scheme, variance_of
from bounds.samplers import samplers
from bounds.setting import Setting
from bounds.theorems import theorems
from closed_form import Gaussian, GaussianMixture
from closed_form.certified.chain import certified_w2
from tests.verify.tolerances import (
    DDIM_ANYWHERE,
    FLOW_GAIN,
    LEVELS,
    PRINTED_EXACT,
    PRIOR_ROUNDING,
    SAMPLED_SPREAD,
)
from verify import certify, sample
from verify.certificates.question import setting_of
from verify.levels import grid_of_levels, grid_of_steps, rho_grid
from verify.problems.describing import described
from verify.problems.problem import read_problem
from verify.problems.section import ProblemError

EDM = {"grid": "rho", "sigma_max": 20.0, "sigma_min": 0.02, "steps": 64}
LONG = {"grid": "rho", "sigma_max": 80.0, "sigma_min": 0.002, "steps": 36, "rho": 7.0}
NARROW = {"law": "gaussian", "mean": [0.0], "covariance": 0.25}
MODES = {"law": "mixture", "means": [[-1.0], [1.0]], "std": 0.5}
THREE = {"law": "mixture", "means": [[-1.5], [0.0], [1.0]], "weights": [0.2, 0.5, 0.3], "std": 0.6}


def problem(data, family="edm", **given):
    """A problem on DDIM."""
    process = {"family": family} if isinstance(family, str) else family
    return read_problem({"process": process, "data": data, "scheme": {"kind": "ddim", **given}})


@pytest.mark.parametrize(("data", "given", "bound", "exact"), [
    (NARROW, EDM, 0.01516, 0.01516), (MODES, EDM, 0.2079, 0.02305),
    (THREE, {**LONG, "prior": 1.0}, 0.6229, 0.07058)], ids=["gaussian", "modes", "three"])
def test_the_rows_of_edm(data, given, bound, exact):
    """The flow bound and the exact W2 of DDIM on ρ-grids of EDM are the independent prototype's: the truth to
    the digits printed, the bound no larger and hardly smaller."""
    found = problem(data, **given)
    certificate = certify("flow", process=found.process, law=found.law, scheme=found.scheme)
    assert certificate.verdict == "HOLDS"
    # as printed, to half a unit of the last digit
    details = certificate.bound.details
    least = min(value for name, value in details.items() if name.endswith("_recursion") and name != "known_recursion")
    assert (1 - FLOW_GAIN) * bound <= least <= bound * (1 + PRINTED_EXACT)
    assert certificate.bound.total <= least * (1 + PRINTED_EXACT)
    assert np.isclose(certificate.measured.upper, exact, rtol=PRINTED_EXACT)


def test_the_saturated_rows_of_edm():
    """Narrow modes, and bounded data on a ρ-grid without the level 0: the saturated recursion of the
    prototype, and the early stop on top."""
    found = problem({**MODES, "std": 0.2}, **EDM)
    bound = theorems()["flow"].bound(setting_of(found.process, found.law, found.scheme, information="constants"))
    assert (1 - FLOW_GAIN) * 1.255 <= bound.total <= 1.255 * (1 + PRINTED_EXACT)
    data = {"assumption": "bounded", "radius": 1.0, "second_moment": 1.0, "mean_norm": 0.0}
    found = problem(data, grid="rho", sigma_max=20.0, sigma_min=0.1, steps=64, last_zero=False)
    bound = theorems()["flow"].bound(Setting(found.process, found.assumptions[0], found.scheme))
    alone = bound.total - bound.terms["early stopping"]
    assert (1 - FLOW_GAIN) * 1.604 <= alone <= 1.604 * (1 + PRINTED_EXACT)


@pytest.mark.parametrize("family", ["edm", "flow-matching", "ou", {"family": "vp", "beta": "1/10 + 199/10*t"},
                                    {"family": "ve", "g": "exp(t)"}])
def test_ddim_sees_the_levels_only(family):
    """On the same noise levels and with the prior as wide as the data DDIM ends in the same law on every
    family, and the bounds agree."""
    found = problem(NARROW, family, **EDM, prior="spread")
    certificate = certify("flow", process=found.process, law=found.law, scheme=found.scheme)
    assert np.isclose(certificate.measured.upper, 0.015005168115738, rtol=DDIM_ANYWHERE)
    assert np.isclose(certificate.bound.total, 0.015005168115738, rtol=DDIM_ANYWHERE)


@given(st.sampled_from([{"grid": "rho"}, {"grid": "rho", "last_zero": False}, {"grid": "sigmas"}]),
       st.sampled_from(["ou", "edm", "flow-matching", {"family": "general", "f": "1/2", "g": "1 + t"}]),
       st.sampled_from([{}, {"prior": "spread"}, {"prior": "forward"}, {"prior": 0.25}, {"prior_std": 2.0}]),
       st.integers(1, 40), st.floats(1.0, 30.0))
def test_what_a_problem_says_of_itself_reads_back(grid, family, prior, steps, sigma_max):
    """The normal form of every grid of levels and every prior is read as the same sampler, and so is what is
    said of a question asked in Python."""
    levels = {"sigmas": np.linspace(sigma_max, 0, steps + 1).tolist()} if grid["grid"] == "sigmas" else {
        "sigma_max": sigma_max, "sigma_min": 0.01, "steps": steps}
    found = problem(NARROW, family, **grid, **levels, **prior)
    again = read_problem(found.as_dict())
    assert again.scheme == found.scheme and again.tables == found.tables
    assert read_problem(described(found.process, found.law, found.scheme)).scheme == found.scheme
    assert found.scheme.grid.steps == steps


def test_levels_made_for_another_process_are_said_as_times():
    """A grid of levels of EDM on OU is no grid of these levels there: a file says its times."""
    chosen = Scheme(samplers()["ddim"], rho_grid(edm(), 3.0, 0.1, 9))
    law = Gaussian([0.0], 0.25)
    found = described(ou(), law, chosen)["scheme"]
    assert found["grid"] == chosen.grid.times.tolist() and "sigma_max" not in found
    assert np.array_equal(read_problem(described(ou(), law, chosen)).scheme.grid.times, chosen.grid.times)


def test_a_grid_that_a_search_found_is_said_as_times():
    """A grid of another kind than a file can name, as plans make, is said by its times."""
    law, times = Gaussian([0.0], 0.25), np.array([1.0, 0.25, 0.0])
    chosen = Scheme(samplers()["ddim"], TimeGrid(times, "best"))
    again = read_problem(described(ou(), law, chosen)).scheme
    assert np.array_equal(again.grid.times, times)


def test_steps_and_process_of_a_grid_of_levels_may_be_overridden():
    """The file says levels, not times: another process or number of steps makes another grid of the same
    levels."""
    found = problem(NARROW, "edm", **EDM)
    other = problem(NARROW, "ou", **{**EDM, "steps": 10})
    assert (found.scheme.grid.horizon, found.scheme.grid.steps) == (20.0, 64)
    assert np.isclose(other.scheme.grid.horizon, np.log(401) / 2) and other.scheme.grid.steps == 10


# -- the prior ---------------------------------------------------------------------------------------------


def test_the_spread_is_the_variance_of_the_data():
    """m_c is the variance a coordinate of a law has, whatever its mean, and of constants the largest there
    can be where the mean is not known."""
    law = GaussianMixture([[0.0, 3.0], [2.0, 3.0]], std=0.5)
    assert np.isclose(variance_of(law), 0.25 + 0.5, rtol=PRIOR_ROUNDING)
    assert problem({"law": "mixture", "means": [[0.0, 3.0], [2.0, 3.0]], "std": 0.5}, **EDM,
                   prior="spread").scheme.prior_spread == variance_of(law)
    constants = {"assumption": "strong-log-concave", "m0": 1.0, "L0": 2.0, "second_moment": 3.0}
    assert problem(constants, **EDM, prior="spread").scheme.prior_spread == 3.0
    assert problem({**constants, "mean_norm": 1.5}, **EDM, prior="spread").scheme.prior_spread == 0.75


@pytest.mark.parametrize("family", [ou(), vp("1 + t")])
@pytest.mark.parametrize("key", ["ddim", "euler-maruyama", "posterior-mean"])
def test_every_route_starts_from_the_same_prior(family, key):
    """The table of bounds, the truth's own steps, both in balls and samples start from variance s² + a²v, and
    that is where a prior of that standard deviation starts."""
    law = Gaussian([1.0], 4.0)
    wide = scheme(key, 1.0, 20).with_spread_of(law)
    assert wide.prior_spread == 4.0 and wide.prior_std is None
    table = wide.table(family)
    a_sq, s_sq = float(table.path.a[0]) ** 2, float(table.path.s_sq[0])
    assert np.isclose(table.prior_var, s_sq + 4 * a_sq, rtol=PRIOR_ROUNDING)
    same = scheme(key, 1.0, 20, prior_std=table.prior_var**0.5)
    name = "flow" if key == "ddim" else "martingale"
    found, other = (certify(name, process=family, law=law, scheme=each) for each in (wide, same))
    assert found.verdict == other.verdict == "HOLDS"
    assert np.isclose(found.measured.lower, other.measured.upper, rtol=DDIM_ANYWHERE)
    assert np.isclose(found.bound.total, other.bound.total, rtol=DDIM_ANYWHERE)
    truth = certified_w2(law, family, wide)
    assert truth.lower <= found.measured.upper and found.measured.lower <= truth.upper
    if key != "ddim":
        proved = theorems()[name].certified(setting_of(family, law, wide))
        assert np.isclose(proved.total, found.bound.total, rtol=DDIM_ANYWHERE)
    drawn = sample(law, table.steps(), 40_000, 7)
    forward = sample(law, scheme(key, 1.0, 20).steps(family), 40_000, 7)
    # the exact law of the chain at its end, by linear steps: variance grows with the prior's
    assert np.var(drawn) > np.var(forward) * (1 + SAMPLED_SPREAD)


def test_the_truth_from_a_wide_prior_is_that_of_forty_digits():
    """DDIM on a ρ-grid of EDM from the prior N(0, σ² + v) multiplies mean and deviation by
    1 − (τ − r)τ/(v + τ²): the exact W2 holds what 40 digits make of it."""
    law, variance = Gaussian([0.25], 0.25), mpmath.mpf(0.25)
    chosen = Scheme(samplers()["ddim"], rho_grid(edm(), 80.0, 0.002, 18)).with_spread_of(law)
    with mpmath.workdps(40):
        levels = [mpmath.mpf(time) for time in chosen.grid.times.tolist()]
        factor = mpmath.fprod(1 - (upper - lower) * upper / (variance + upper**2)
                              for upper, lower in itertools.pairwise(levels))
        spread = factor * mpmath.sqrt(levels[0] ** 2 + variance) - mpmath.sqrt(variance)
        wanted = mpmath.hypot(spread, factor / 4)
    found = certify("flow", process=edm(), law=law, scheme=chosen)
    assert found.verdict == "HOLDS" and found.measured.lower <= wanted <= found.measured.upper
    assert found.measured.relative_width < DDIM_ANYWHERE


@pytest.mark.parametrize("key", [
    "gentiloni2025-weak-log-concave", "gao2025-general-sde", "martingale-coupled", "gaussian-lower-bound"])
def test_every_theorem_knows_the_prior(key):
    """A prior of variance s² + a²v is that of this standard deviation to every theorem, in floats and in
    balls."""
    law, theorem = Gaussian([0.5], 0.25), theorems()[key]
    wide = euler_maruyama(2.0, 50).with_spread_of(law)
    same = euler_maruyama(2.0, 50, prior_std=wide.table(ou()).prior_var**0.5)
    settings = [setting_of(ou(), law, each) for each in (wide, same)]
    for totals in ([theorem.bound(each).total for each in settings],
                   [theorem.certified(each).total for each in settings]):
        assert np.isclose(*totals, rtol=DDIM_ANYWHERE)


def test_a_wider_prior_takes_the_initial_error_away():
    """From the prior as wide as X_T the initial error of N(0, ¼) is 0 up to rounding, and the bound
    smaller."""
    law = Gaussian([0.0], 0.25)
    plain = theorems()["martingale"].bound(setting_of(ou(), law, euler_maruyama(2.0, 50)))
    wide = theorems()["martingale"].bound(setting_of(ou(), law, euler_maruyama(2.0, 50).with_spread_of(law)))
    assert wide.terms["initialisation"] < 1e-6 * plain.terms["initialisation"] and wide.total < plain.total


@pytest.mark.parametrize(("make", "words"), [
    (lambda: ddim(1.0, 5, prior_spread=-1.0), "prior_spread must be >= 0"),
    (lambda: ddim(1.0, 5, prior_spread=np.inf), "prior_spread must be >= 0 and finite"),
    (lambda: ddim(1.0, 5, prior_spread=True), "prior_spread must be >= 0"),
    (lambda: ddim(1.0, 5, prior_spread="wide"), "prior_spread must be >= 0"),
    (lambda: ddim(1.0, 5, prior_spread=1.0, prior_std=2.0), "left out where prior_std"),
    (lambda: scheme("sscs", 1.0, 5, prior_spread=1.0).steps(cld()),
     "prior_spread must be left out for critically")])
def test_bad_priors_are_refused_by_name(make, words):
    """A spread that is none, or of a prior stated otherwise, is refused in one line."""
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.parametrize(("given", "words"), [
    ({**EDM, "prior": "wide"}, r"scheme\.prior must be one of forward, spread, mean, got 'wide'"),
    ({**EDM, "prior": -1.0}, r"scheme\.prior must be a finite number of at least 0"),
    ({**EDM, "prior": True}, r"scheme\.prior must be a finite number"),
    ({**EDM, "prior": "spread", "prior_std": 2.0}, r"scheme\.prior must be left out where scheme\.prior_std"),
    ({**EDM, "prior": 0.5, "prior_std": 2.0}, r"scheme\.prior must be left out"),
    ({**EDM, "rho": 0}, r"scheme\.rho must be a positive finite number, got 0"),
    ({**EDM, "rho": -7}, r"scheme\.rho must be a positive"),
    ({**EDM, "sigma_min": 30.0}, r"scheme\.sigma_min must be below sigma_max = 20, got 30"),
    ({**EDM, "sigma_max": None}, r"scheme\.sigma_max must be a positive finite number"),
    ({**EDM, "sigma_min": 0.0}, r"scheme\.sigma_min must be a positive"),
    ({**EDM, "last_zero": "no"}, r"scheme\.last_zero must be true or false"),
    ({**EDM, "steps": 0}, r"scheme\.steps must be a whole number"),
    ({**EDM, "horizon": 19.0}, r"scheme\.horizon must be left out, or the time of the first noise"),
    ({**EDM, "early_stop": 0.1}, r"scheme\.early_stop must be left out, or the time of the last noise"),
    ({**EDM, "sigmas": [1.0, 0.0]}, r"scheme\.sigmas does not belong to grid 'rho'"),
    ({"grid": "uniform", "horizon": 1.0, "steps": 5, "rho": 7}, r"scheme\.rho does not belong to scheme"),
    ({"grid": "sigmas"}, r"scheme\.sigmas is missing"),
    ({"grid": "sigmas", "sigmas": [0.0, 1.0]}, r"scheme\.sigmas must decrease strictly"),
    ({"grid": "sigmas", "sigmas": [1.0]}, r"scheme\.sigmas must be a list of at least two"),
    ({"grid": "sigmas", "sigmas": "1, 0"}, r"scheme\.sigmas must be a list of noise levels"),
    ({"grid": "sigmas", "sigmas": [1.0, 0.0], "steps": 2}, r"scheme\.steps must be one less than"),
    ({"grid": "sigmas", "sigmas": [1.0, -1.0]}, r"scheme\.sigmas must end at a noise level >= 0"),
    ({"grid": "karras", "steps": 3}, r"scheme\.grid must be one of uniform, geometric, quadratic, shift, rho")])
def test_bad_grids_and_priors_are_refused_in_one_line(given, words):
    """What is no grid of levels or no prior is refused by its key, with the value."""
    with pytest.raises(ProblemError, match=words) as caught:
        problem(NARROW, **given)
    assert "\n" not in str(caught.value)


def test_levels_beyond_a_process_are_refused_in_one_line():
    """A level that the process does not reach, and levels of two blocks, are refused with the reason."""
    ending = {"family": "general", "f": "-1", "g": "1"}
    with pytest.raises(ProblemError, match=r"scheme.*noise levels that the process reaches, got 20"):
        problem(NARROW, ending, **EDM)
    with pytest.raises(ProblemError, match="two blocks"):
        problem(NARROW, "cld", **{**EDM, "kind": "sscs"})


def test_steps_cut_finer_keep_their_places():
    """What halves the steps of a grid of levels makes a list of times, which says no levels that it has
    not."""
    from verify.certificates.two_levels import _refined

    law = Gaussian([0.0], 0.25)
    grid = grid_of_levels(ou(), [2.0, 0.5, 0.0])
    setting = setting_of(ou(), law, Scheme(samplers()["euler-maruyama"], grid))
    finer = _refined(setting, 2).scheme.grid
    assert finer.kind == "list" and not finer.made and finer.steps == 4
    assert np.array_equal(finer.times[::2], setting.scheme.grid.times)


@pytest.mark.parametrize("grid", [{"grid": "quadratic"}, {"grid": "shift", "shift": 3.0}])
def test_grids_by_name_are_read_and_said_again(grid):
    """A grid that is named by its formula is read, described from Python, read again, and laid out for other steps."""
    file = {"process": {"family": "ou"}, "data": {"law": "gaussian", "mean": 0.3, "covariance": 0.25},
            "scheme": {"kind": "ddim", "horizon": 2.0, "steps": 8, "early_stop": 0.01, **grid}}
    problem = read_problem(file)
    said = described(problem.process, problem.law, problem.scheme)
    assert grid.items() <= said["scheme"].items() and read_problem(said).scheme == problem.scheme
    half = grid_of_steps(problem.process, problem.scheme.grid, 4).times
    assert half == pytest.approx(problem.scheme.grid.times[::2], rel=LEVELS)
