"""Horizons where nothing is left of the data, a(T) = 0: truth, bounds, particles, plans, and what is refused."""

from itertools import pairwise

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounds import Scheme, Setting, StronglyLogConcave, TimeGrid, general, vp
from bounds.sampler import scheme
from bounds.steps import from_noise
from bounds.steps.from_noise import entered, noise_at
from bounds.theorems import theorems
from closed_form import Gaussian, GaussianMixture, sampler_w2
from closed_form.certified.chain import certified_w2
from closed_form.sampler_laws.line.propagation import GridTooLarge
from closed_form.sampler_laws.plane.sampler import plane_law
from closed_form.steps.table import exact_steps
from tests.drawn import examples
from tests.tolerances import SAME_INCREMENTS, STANDARD_ERRORS
from tests.torch_required import torch_backend
from tests.verify.tolerances import (
    MATCHED_LIMIT,
    MOVED_PLANE,
    NOISE_LIMIT,
    NOISE_LIMIT_BOUND,
    NOISE_LIMIT_MULTISTEP,
)
from verify import certify, sample
from verify.certificates.question import setting_of
from verify.planning.by_bound import planner_of
from verify.problems.describing import described
from verify.problems.problem import read_problem

COSINE = vp("pi/1.008*tan(pi/2*(t+0.008)/1.008)")
FLOW = general("1/(1-t)", "sqrt(2*t/(1-t))")
LAW = Gaussian([0.3], 0.25)
MODES = GaussianMixture([[-1.0], [1.5]], std=0.5)
PLANE = GaussianMixture([[0.5, 0.0], [2.0, 0.0], [1.0, 1.5]], std=0.8)
SERVED = ("ancestral", "ancestral-large", "ddim", "dpmpp-2m")


def recursion(process, key, steps, eta=0.0):
    """W2 of N(0.3, ¼) from the first step's N(a m, v): two recursions, of mean and variance, by their textbook formulas."""
    with mpmath.workdps(40):
        rate = mpmath.pi / 2 / mpmath.mpf("1.008")
        start = mpmath.cos(rate * mpmath.mpf("0.008"))
        laws = []
        for t in TimeGrid.uniform(1, steps).times[1:].tolist():
            a = 1 - mpmath.mpf(t) if process is FLOW else mpmath.cos(rate * (t + mpmath.mpf("0.008"))) / start
            laws.append((a, mpmath.mpf(t) ** 2 if process is FLOW else 1 - a * a))
        mean, variance = laws[0][0] * mpmath.mpf(0.3), 1 if key == "ancestral-large" else laws[0][1]
        for (a, s_sq), (b, r_sq) in pairwise(laws):
            # E[X_0 | y] is linear in y
            gain = a / 4 / (a * a / 4 + s_sq)
            if key == "ddim":
                own = eta**2 * r_sq / s_sq * (s_sq - (a / b) ** 2 * r_sq)
                kept = mpmath.sqrt((r_sq - own) / s_sq)
            else:
                C = s_sq - (a / b) ** 2 * r_sq
                own, kept = C if key == "ancestral-large" else C * r_sq / s_sq, a / b * r_sq / s_sq
            slope = kept + (b - kept * a) * gain
            mean, variance = (b - slope * a) * mpmath.mpf(0.3) + slope * mean, slope**2 * variance + own
        return float(mpmath.hypot(mean - mpmath.mpf(0.3), mpmath.sqrt(variance) - 0.5))


@pytest.mark.parametrize("process", [COSINE, FLOW], ids=["cosine", "flow matching"])
@pytest.mark.parametrize(("key", "given"), [("ancestral", {}), ("ancestral-large", {}), ("ddim", {}), ("ddim", {"eta": 0.5})])
def test_truth_is_that_of_its_own_recursion(process, key, given):
    """On a Gaussian the exact W2 from a(T) = 0 encloses what a recursion in 40 digits finds, in floats and in balls."""
    chosen, truth = scheme(key, 1.0, 40, **given), recursion(process, key, 40, **given)
    found, proved = sampler_w2(LAW, exact_steps(process, chosen)), certified_w2(LAW, process, chosen)
    for bracket in (found, proved):
        assert bracket.lower * (1 - 1e-15) <= truth <= bracket.upper * (1 + 1e-15)
        assert bracket.upper - bracket.lower < NOISE_LIMIT * truth


@pytest.mark.parametrize("process", [COSINE, FLOW], ids=["cosine", "flow matching"])
@pytest.mark.parametrize("key", SERVED)
def test_truth_is_the_limit_of_stopping_short(process, key):
    """The exact W2 at T = 1 is the limit of those at 0.999 and 0.999999, ever nearer."""
    at = [sampler_w2(LAW, exact_steps(process, scheme(key, T, 100))).midpoint for T in (0.999, 0.999999, 1.0)]
    assert abs(at[2] - at[1]) < abs(at[2] - at[0]) / 2
    assert at[1] == pytest.approx(at[2], rel=NOISE_LIMIT_MULTISTEP if key == "dpmpp-2m" else NOISE_LIMIT)


@pytest.mark.parametrize("key", ["ancestral", "ddim"])
def test_mixtures_have_the_same_limit(key):
    """On a line, with a mean that is not 0, the exact W2 is the limit of stopping short too."""
    short, whole = (sampler_w2(MODES, exact_steps(FLOW, scheme(key, T, 3))) for T in (0.999999, 1.0))
    room = NOISE_LIMIT * whole.midpoint
    assert short.lower - room <= whole.upper and whole.lower <= short.upper + room


def test_it_does_not_matter_where_the_data_are():
    """In the plane the law of the sampler from a(T) = 0 is that of the data less their mean, which starts from 0, moved
    by the mean; a step that takes everything to a point is refused where it stops just short."""
    centred, steps, means = GaussianMixture(PLANE.means - PLANE.mean, std=0.8), exact_steps(FLOW, scheme("ancestral", 1.0, 4)), []
    for law in (PLANE, centred):
        found = plane_law(law, steps)
        means.append(np.array([(found.values.sum(axis=1 - axis) @ found.grid.axes()[axis]) for axis in (0, 1)])
                     / found.values.sum())
    assert means[0] - means[1] == pytest.approx(PLANE.mean, abs=MOVED_PLANE)
    with pytest.raises(GridTooLarge, match="times too narrow for a grid"):
        sampler_w2(PLANE, exact_steps(FLOW, scheme("ancestral", 0.999999, 4)))


def test_matched_noise_is_that_of_the_first_step():
    """Matched noise is exact on an isotropic Gaussian from a(T) = 0 as from below it; elsewhere the truth is the limit of
    stopping short, and the bound below that."""
    assert certify("martingale", process=FLOW, law=LAW, scheme=scheme("posterior-mean-matched", 1.0, 12)).bound.total < 1e-6
    law = Gaussian([0.3, 1.0], [0.25, 1.0])
    short, whole = (certify("martingale", process=FLOW, law=law, scheme=scheme("posterior-mean-matched", T, 12))
                    for T in (0.999999, 1.0))
    assert whole.verdict == "HOLDS" and whole.measured.midpoint == pytest.approx(short.measured.midpoint, rel=MATCHED_LIMIT)
    assert whole.measured.lower < whole.bound.total < short.bound.total


@pytest.mark.parametrize("early_stop", [0.0, 1e-3])
@pytest.mark.parametrize(("theorem", "key"), [("martingale", "ancestral"), ("martingale-coupled", "ancestral"),
                                              ("flow-between", "ancestral"), ("flow", "ddim")])
def test_bounds_are_no_larger_than_in_the_limit(theorem, key, early_stop):
    """A bound at a(T) = 0 is finite, holds, and is at most that of stopping at 0.999999, but for what early stopping
    adds of the mean."""
    short, whole = (certify(theorem, process=FLOW, law=LAW, scheme=scheme(key, T, 40, early_stop=early_stop))
                    for T in (0.999999, 1.0))
    assert whole.verdict == "HOLDS"
    room = NOISE_LIMIT_BOUND * short.bound.total + early_stop * LAW.mean_norm
    assert whole.bound.total == pytest.approx(short.bound.total, abs=room)


@given(st.floats(-3, 3), st.floats(0.05, 4), st.integers(2, 40), st.sampled_from([0.0, 1e-3, 0.3]),
       st.sampled_from(["ancestral", "ancestral-large", "ddim"]), st.floats(0, 0.1))
@settings(max_examples=examples(10))
def test_bounds_hold_from_noise(mean, variance, steps, early_stop, key, score_error):
    """On drawn Gaussians no upper bound from a(T) = 0 is below the exact W2, nor a lower one above it."""
    chosen = scheme(key, 1.0, steps, early_stop=early_stop)
    setting = setting_of(FLOW, Gaussian([mean, 1.0], variance), chosen, score_error)
    truth = sampler_w2(Gaussian([mean, 1.0], variance), exact_steps(FLOW, chosen), score_error)
    for theorem in theorems().values():
        if theorem.unmet(setting):
            continue
        total = theorem.bound(setting).total
        assert total >= truth.lower if theorem.kind == "upper" else total <= truth.upper


def test_constants_alone_are_those_of_the_centred_data():
    """Where the mean is unknown it is taken to be as large as E‖X_0‖² allows, and what early stopping leaves of it is
    in the bound."""
    known = StronglyLogConcave(4.0, 4.0, 1, 1.25, 1.0)
    unknown = StronglyLogConcave(4.0, 4.0, 1, 1.25, None)
    for early_stop in (0.0, 0.1):
        here, there = (Setting(FLOW, each, scheme("ancestral", 1.0, 20, early_stop=early_stop)) for each in (known, unknown))
        totals = [theorems()["martingale"].bound(each).total for each in (here, there)]
        assert totals[1] >= totals[0] * (1 - 1e-12)
        assert here.left_of_mean == pytest.approx(early_stop, rel=1e-9)


def test_particles_start_from_the_mean():
    """Particles of two laws have the exact law's mean and spread to five standard errors, on numpy, on torch from the
    same increments, in their span, and by a score and a step of one's own."""
    count = 8_000
    for law, steps in ((MODES, exact_steps(COSINE, scheme("ddim", 1.0, 30)).rounded()),
                       (PLANE, scheme("ancestral", 1.0, 8).steps(FLOW))):
        plain, reduced = (sample(law, steps, count, 5, reduce=reduce) for reduce in (False, True))
        error = STANDARD_ERRORS * plain.std(axis=0) * (2 / count) ** 0.5
        assert np.all(abs(plain.mean(axis=0) - reduced.mean(axis=0)) < error)
        assert np.all(abs(plain.mean(axis=0) - law.mean) < error + 0.03)
        few = sample(law, steps, 64, 5)
        assert sample(law, steps, 64, 5, backend=torch_backend()) == pytest.approx(few, abs=SAME_INCREMENTS)
    of_step = sample(MODES, scheme("ddim", 1.0, 30).steps(COSINE), 64, 5, step=lambda y, k, now: y)
    start = entered(COSINE, scheme("ddim", 1.0, 30)).steps(COSINE)
    assert of_step.mean() == pytest.approx(start.a[0] * 0.25, abs=STANDARD_ERRORS * (start.s_sq[0] / 64) ** 0.5)


def test_plans_keep_the_horizon():
    """A plan at a(T) = 0 finds as many steps as one at 0.999999, and moves neither horizon nor grid."""
    planner, short = (planner_of("flow", setting_of(FLOW, LAW, scheme("ddim", T, 10)), horizon=fixed)
                      for T, fixed in ((1.0, None), (0.999999, 0.999999)))
    plan = planner.plan(0.05)
    assert (plan.steps, plan.horizon) == (short.plan(0.05).steps, 1.0)
    for wrong, options in (("horizon must be left out", {"horizon": 0.5}), ("grid must be uniform", {"grid": "best"})):
        with pytest.raises(ValueError, match=wrong):
            planner_of("flow", setting_of(FLOW, LAW, scheme("ddim", 1.0, 10)), **options)


@pytest.mark.parametrize(("f", "g", "expected"), [
    ("1/(1-t)", "sqrt(2*t/(1-t))", 1.0), ("2/(1-t)", "sqrt(12/(1-t))", 3.0),
    ("if(t < 0.5, 1, 1/(1-t)^2)", "2/(1-t)", 2.0), ("(1-t)^(-1/2)", "1", None), ("1", "1/(1-t)", None),
    ("1/(1-t)", "1", None), ("1/(1-t)", "1/(1-t)", None)])
def test_where_nothing_is_left_is_seen(f, g, expected):
    """a(T) = 0 is seen by the order of f at T, and s²(T) is lim g²/(2f): f that is integrable, or a s²(T) of 0 or ∞,
    is none."""
    assert noise_at(general(f, g), 1.0) == expected
    assert noise_at(general(f, g), 0.75) is None


FILE = {"process": {"family": "general", "f": "1/(1-t)", "g": "sqrt(2*t/(1-t))"},
        "data": {"law": "gaussian", "mean": 0.3, "covariance": 0.25},
        "scheme": {"kind": "ancestral", "horizon": 1.0, "steps": 20}}


@pytest.mark.parametrize(("changed", "message"), [
    *(({"kind": kind}, r"^scheme\.kind must be one of ancestral, ancestral-large, ddim, dpmpp-2m, posterior-mean-matched "
       rf"where a\(T\) = 0, at horizon 1, got '{kind}', .* horizon = 0\.999999$")
      for kind in ("euler-maruyama", "exponential", "posterior-mean", "heun", "ode-exponential")),
    ({"steps": 1}, r"^scheme\.steps must be at least 2 where"),
    ({"prior_std": 2.0}, r"^scheme\.prior_std must be s\(T\) = 1, or left out,")])
def test_what_has_no_limit_is_refused(changed, message):
    """A sampler whose first step is infinite, a single step and another start are refused in one line that says which
    serve, where, and what to do."""
    with pytest.raises(ValueError, match=message):
        read_problem(FILE | {"scheme": FILE["scheme"] | changed})


def test_files_say_it_back():
    """A problem at a(T) = 0, and one that starts from the mean of X_T before it, is read, described and read again."""
    whole = read_problem(FILE)
    said = described(whole.process, whole.law, whole.scheme)
    assert read_problem(said).scheme == whole.scheme
    early = read_problem(FILE | {"scheme": FILE["scheme"] | {"horizon": 0.5, "prior": "mean"}})
    assert early.scheme.from_mean and read_problem(described(early.process, early.law, early.scheme)).scheme == early.scheme
    grid = TimeGrid.from_times(whole.scheme.grid.times[1:])
    assert entered(FLOW, whole.scheme) == Scheme("ancestral", grid, from_mean=True)


def test_a_list_of_score_errors_leaves_the_first_out():
    """The first step asks for no score: its error must be 0, and the others are those of their steps."""
    chosen, sizes = scheme("ddim", 1.0, 3), [0.0, 0.1, 0.2]
    found = sampler_w2(LAW, exact_steps(FLOW, chosen), sizes)
    assert found == sampler_w2(LAW, exact_steps(FLOW, chosen), sizes[1:])
    assert setting_of(FLOW, LAW, chosen, sizes).step_errors.tolist() == sizes[1:]
    with pytest.raises(ValueError, match=r"score_error must be 0 at place 0, where a\(T\) = 0"):
        setting_of(FLOW, LAW, chosen, [0.3, 0.1, 0.2])


@pytest.mark.parametrize(("key", "options", "message"), [
    ("exponential", {"from_mean": 1}, "from_mean must be True or False"),
    ("euler-maruyama", {"from_mean": True}, "from_mean must be left out for euler-maruyama"),
    ("ddim", {"from_mean": True, "prior_spread": 1.0}, "prior_spread must be left out where from_mean is given")])
def test_starts_from_the_mean_are_checked(key, options, message):
    """Starting from the mean of X_T is refused, by name, where the sampler's linear part is not the process's."""
    with pytest.raises(ValueError, match=message):
        Scheme(key, TimeGrid.uniform(1, 5), **options)


@pytest.mark.parametrize("kind", ["ancestral", "ddim"])
def test_a_level_without_signal_is_left_out_from_the_mean(kind):
    """A discrete schedule with zero terminal SNR, whose last level is left out and whose start has the mean, is the limit of
    one with next to no signal there."""
    file = {"process": {"family": "ou"}, "data": FILE["data"]}
    told = {"kind": kind, "grid": "discrete"}
    zero, little = (read_problem(file | {"scheme": told | more}) for more in (
        {"alphas_cumprod": [0.9, 0.6, 0.2, 0.0], "skip_zero_snr": True, "prior": "mean"},
        {"alphas_cumprod": [0.9, 0.6, 0.2, 1e-14]}))
    found, limit = (sampler_w2(LAW, exact_steps(each.process, each.scheme)).midpoint for each in (zero, little))
    assert found == pytest.approx(limit, rel=NOISE_LIMIT)


def test_no_limit_is_sought_for_long(monkeypatch):
    """Where an expression at T has more digits than sympy ever writes, there is no limit, and no waiting for one."""
    monkeypatch.setattr(from_noise, "SECONDS", 0.2)
    assert noise_at(general("log10(tanh(t^3 - 5.46^t))", "tanh(log10(t))"), 4.277566632599447e64) is None
