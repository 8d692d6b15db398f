"""A last step without noise, and DDPM's large variance: exact laws, bounds, particles and what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounds import Scheme, TimeGrid, claim, ou, own_sampler, vp
from bounds.noise_levels import DiscreteSchedule
from bounds.processes.cld import cld
from bounds.sampler import euler_maruyama, heun, scheme
from bounds.samplers import samplers
from bounds.steps.phase_space.path import PhasePath
from bounds.steps.phase_space.splitting import Splitting
from bounds.theorems import theorems
from closed_form import Gaussian, GaussianMixture, sampler_w2
from closed_form.certified.chain import certified_w2
from closed_form.steps.table import exact_steps
from tests.bounds.tolerances import BESIDE_BALLS, ROUNDED, TEN_DIGITS
from tests.drawn import examples
from tests.tolerances import STANDARD_ERRORS
from verify import sample
from verify.certificates.certificate import measure
from verify.certificates.question import setting_of
from verify.levels import grid_of_levels
from verify.particles.backends import backend as backend_named
from verify.planning.by_bound import planner_of
from verify.problems.describing import described
from verify.problems.problem import read_problem
from verify.studies.equal_effort import compare_samplers

LAW, MODES = Gaussian([0.3], 0.25), GaussianMixture.two_modes(2.0, 0.5)
WIDE = vp("1/10 + 199/10*t")
NOISY = sorted(key for key, each in samplers(1).items() if not each.follows_ode)
UPPER = ("martingale", "martingale-coupled", "flow-between")


@pytest.mark.parametrize(("steps", "expected"), [(20, 0.03361857097), (1000, 0.001120573003)])
def test_noise_removed_from_the_last_step(steps, expected):
    """Euler–Maruyama of VP as score_sde runs it, whose last step adds no noise, is at the W2 of an independent
    computation, in extended precision and in balls."""
    chosen = euler_maruyama(1, steps, early_stop=1e-3, prior_std=1, last_step_noise=False)
    found = sampler_w2(LAW, exact_steps(WIDE, chosen))
    assert found.midpoint == pytest.approx(expected, rel=TEN_DIGITS)
    if steps == 20:
        proved = certified_w2(LAW, WIDE, chosen)
        assert found.lower <= proved.upper and proved.lower <= found.upper


@pytest.mark.parametrize(("key", "last", "expected"), [("ancestral-large", False, 0.000751516335931),
                                                       ("ancestral", True, 0.003889921295802)])
def test_variances_of_ddpm(key, last, expected):
    """DDPM with a linear schedule of 1,000 steps and no noise in its last step is at the W2 of an independent
    computation with either variance: σ² = β, and that of X_r given X_τ and X_0, whose last step has none itself."""
    betas = np.linspace(1e-4, 0.02, 1000)
    schedule = DiscreteSchedule.from_alphas_cumprod(np.cumprod(1 - betas))
    levels = schedule.levels(schedule.indices(1000))
    chosen = Scheme(key, grid_of_levels(ou(), levels), 1.0, last_step_noise=last)
    assert sampler_w2(LAW, exact_steps(ou(), chosen)).midpoint == pytest.approx(expected, rel=TEN_DIGITS)


def test_the_large_variance_is_that_of_the_forward_step():
    """∫n²g² is C, and on N(0, 1) under OU every step is that of the reverse process."""
    table = scheme("ancestral-large", 2.0, 7).table(ou())
    assert table.noise_var == pytest.approx(-np.expm1(-2 * table.path.F), rel=ROUNDED)
    factor = table.P - table.Q
    assert np.square(factor) + table.noise_var == pytest.approx(np.ones(7), rel=ROUNDED)


@pytest.mark.parametrize("key", [*NOISY, "own"])
def test_only_the_noise_of_the_last_step_is_left_out(key):
    """Every other number of the steps is as it was, for formulas too, by both routes."""
    sampler = own_sampler("own", P="exp(F)", Q="E", noise="G") if key == "own" else samplers()[key]
    grid, constants = TimeGrid.uniform(1.3, 4, 0.1), LAW.assumptions()[0]
    whole, bare = (Scheme(sampler, grid, last_step_noise=last) for last in (True, False))
    for made in (lambda x: x.steps(WIDE, constants), lambda x: exact_steps(WIDE, x, constants)):
        before, after = made(whole), made(bare)
        assert after.noise_var[-1] == 0 < before.noise_var[-1]
        for name in ("P", "Q", "a", "s_sq"):
            assert np.array_equal(getattr(after, name), getattr(before, name))
        assert np.array_equal(after.noise_var[:-1], before.noise_var[:-1])


@pytest.mark.parametrize("law", [LAW, MODES], ids=["Gaussian", "two modes"])
@pytest.mark.parametrize("key", [*NOISY, "own"])
def test_bounds_in_floats_are_those_in_balls(key, law):
    """The bounds of floats are above the balls, and near them."""
    sampler = own_sampler("own", P="exp(F)", Q="E", noise="G") if key == "own" else samplers()[key]
    asked = setting_of(ou(), law, Scheme(sampler, TimeGrid.uniform(1.0, 3, 0.1), last_step_noise=False),
                       information="constants")
    for name in UPPER[:2]:
        plain, proved = theorems()[name].bound(asked).total, theorems()[name].certified(asked)
        assert proved.total <= plain * (1 + ROUNDED) and plain == pytest.approx(proved.total, rel=BESIDE_BALLS)


@settings(max_examples=examples(5))
@given(key=st.sampled_from(NOISY), gaussian=st.booleans(), steps=st.integers(1, 16), horizon=st.floats(0.2, 4.0),
       stop=st.sampled_from([0.0, 0.02, 0.3]), kind=st.sampled_from(["uniform", "geometric"]),
       prior=st.sampled_from([None, 0.8, 2.0]), noise=st.sampled_from([0.0, 0.1]),
       variance=st.floats(0.02, 9.0), mean=st.floats(-2.0, 2.0))
def test_bounds_hold_without_the_noise_of_the_last_step(key, gaussian, steps, horizon, stop, kind, prior, noise,
                                                        variance, mean):
    """The exact W2 of every sampler with noise is at most what every theorem that applies says of it, and at
    least what the lower bound says."""
    law = Gaussian([mean, 0.0], [variance, 1.0]) if gaussian else GaussianMixture.two_modes(2.0, variance**0.5)
    if kind == "geometric" and stop == 0:
        stop = 0.01
    chosen = scheme(key, horizon, steps, grid=kind, early_stop=stop * horizon / 2, prior_std=prior,
                    last_step_noise=False)
    asked = setting_of(ou(), law, chosen, 0.0, noise if gaussian else 0.0)
    exact, held = measure(asked, law), set()
    for theorem in theorems().values():
        if not theorem.unmet(asked):
            total = theorem.bound(asked).total
            assert exact.upper <= total if theorem.kind == "upper" else total <= exact.upper
            held.add(theorem.key)
    assert held >= set(UPPER) and ("gaussian-lower-bound" in held) == (gaussian and noise == 0)


def test_bounds_of_the_flow_are_sharper():
    """Held against the flow, which has no noise either, the last step costs h in place of √h: four times the steps
    make the bound between flow and reverse SDE about a quarter, martingale only a half."""
    def falls(name):
        totals = [theorems()[name].bound(setting_of(ou(), LAW, euler_maruyama(8, steps, last_step_noise=False))).total
                  for steps in (400, 1600)]
        return totals[0] / totals[1]

    assert falls("martingale") < 2.3 < 3.3 < falls("flow-between")


@pytest.mark.parametrize("name", ["numpy", "torch"])
def test_particles_follow_the_law(name):
    """The variance of 40,000 particles is that of the exact law, whose last step has no noise."""
    if name == "torch":
        pytest.importorskip("torch")
    steps, n = euler_maruyama(2.0, 4, early_stop=0.1, last_step_noise=False).steps(ou()), 40_000
    variance, spread = steps.prior_var, steps.a**2 / 4 + steps.s_sq
    for k in range(len(steps)):
        variance = (steps.P[k] - steps.Q[k] / spread[k]) ** 2 * variance + steps.noise_var[k]
    found = sample(Gaussian([0.0], 0.25), steps, n, 5, backend=backend_named(name))
    assert found.var() == pytest.approx(variance, abs=STANDARD_ERRORS * variance * np.sqrt(2 / n))


def test_theorems_about_the_published_sampler_refuse():
    """Theorems that are stated for Euler–Maruyama, claims among them, and those about the flow say that this is
    another sampler."""
    asked = setting_of(ou(), LAW, euler_maruyama(1, 4, last_step_noise=False))
    words = "stated for euler-maruyama, got euler-maruyama, last step without noise"
    own = claim.closed_form("mine", source="Me 2026", terms={"discretisation": "h*m2"}, sampler=["euler-maruyama"])
    for theorem in (theorems()["gentiloni2025-weak-log-concave"], theorems()["gao2025-general-sde"], own):
        assert any(words in reason for reason in theorem.unmet(asked))
    assert any("whose steps have noise" in reason for reason in theorems()["flow"].unmet(asked))


def test_problem_files_and_comparisons():
    """A problem file says it, a scheme said by a file is equal, and samplers beside it lose the noise of their last
    step where they have any."""
    chosen = euler_maruyama(1, 6, early_stop=0.1, last_step_noise=False)
    found = read_problem(described(ou(), LAW, chosen))
    assert found.scheme == chosen != euler_maruyama(1, 6, early_stop=0.1)
    assert found.as_dict()["scheme"]["last_step_noise"] is False
    assert "last step without noise" in repr(chosen) and chosen.with_spread_of(LAW).last_step_noise is False
    rows = {row.sampler: row for row in compare_samplers(found, names=["euler-maruyama", "ddim"], steps=6)}
    exact = sampler_w2(LAW, exact_steps(ou(), chosen)).midpoint
    assert rows["euler-maruyama"].exact.midpoint == pytest.approx(exact, rel=ROUNDED)
    assert rows["ddim"].exact is not None


def test_plans():
    """A theorem whose bound the last step spoils refuses to plan, by name; that of the flow finds its steps."""
    asked = setting_of(ou(), LAW, euler_maruyama(1, 4, last_step_noise=False))
    with pytest.raises(ValueError, match=r"last_step_noise must be left out to plan by martingale, .* got False"):
        planner_of("martingale", asked, horizon=2.0)
    plan = planner_of("flow-between", asked, horizon=2.0).plan(0.2)
    assert plan.reached and plan.bound.total <= 0.2 and plan.steps < 100


@pytest.mark.parametrize(("make", "words"), [
    (lambda: scheme("ddim", 1.0, 4, last_step_noise=False),
     "last_step_noise must be left out for ddim, whose steps have no noise, got False"),
    (lambda: heun(20.0, 64, churn=4.0, s_tmax=10.0, last_step_noise=False),
     "last_step_noise must be left out for heun (churn = 4, s_tmax = 10), whose steps have no noise, got False"),
    (lambda: euler_maruyama(1.0, 4, last_step_noise=0), "last_step_noise must be True or False, got 0"),
    (lambda: euler_maruyama(1.0, 4, last_step_noise="no"), "last_step_noise must be True or False, got 'no'")])
def test_what_is_refused(make, words):
    """One line names the argument, what it must be and what came."""
    with pytest.raises(ValueError) as refused:
        make()
    assert str(refused.value) == words


def _position(process, chosen):
    """Mean and variance of the last position for N(0.3, ¼), by a recursion in matrices, the last step's parts of noise
    left out by hand."""
    path, times = PhasePath(process), chosen.grid.times
    silent = Scheme(chosen.sampler, TimeGrid.from_times(times[-2:])).table(process)
    rows = Scheme(chosen.sampler, chosen.grid).table(process)
    mean, covariance = np.zeros(2), path.stationary
    for i in range(len(rows.P)):
        noise = rows.noise[i]
        if isinstance(chosen.sampler.phase_space, Splitting):
            # what the last step's parts before and after its kick add is what they add alone
            alone = silent.noise[0] if i == len(rows.P) - 2 else silent.noise[1] if i == len(rows.P) - 1 else 0 * noise
            noise = noise - alone
        elif i == len(rows.P) - 1:
            noise = 0 * noise
        phi, S = path.kernel(rows.clock[i])
        inverse = np.linalg.inv(S + 0.25 * np.outer(phi, phi))
        J, pull = rows.P[i] - rows.Q[i] @ inverse, rows.Q[i] @ inverse @ phi
        mean, covariance = J @ mean + pull * 0.3, J @ covariance @ J.T + noise
    return mean[0], covariance[0, 0]


@pytest.mark.parametrize("key", ["euler-maruyama", "exponential", "posterior-mean", "sscs", "leapfrog"])
def test_position_and_velocity_without_the_last_noise(key):
    """Without the noise of the last step critically-damped Langevin is at the W2 of a recursion in matrices, of a
    splitting without that of every part of the step; martingale holds, balls and theorems for Euler–Maruyama refuse."""
    process, chosen = cld(epsilon=0.5), scheme(key, 5, 16, last_step_noise=False)
    mean, variance = _position(process, chosen)
    found = sampler_w2(LAW, exact_steps(process, chosen))
    assert found.midpoint == pytest.approx(np.hypot(mean - 0.3, np.sqrt(variance) - 0.5), rel=TEN_DIGITS)
    assert theorems()["martingale"].bound(setting_of(process, LAW, chosen)).total >= found.upper
    if key == "euler-maruyama":
        (line,) = theorems()["strasman2025-cld"].unmet(setting_of(process, LAW, chosen))
        assert "last step without noise" in line
        with pytest.raises(ValueError, match="certified: last_step_noise must be left out with position and velocity"):
            theorems()["martingale"].certified(setting_of(process, LAW, chosen))
        n = 20_000
        x = sample(LAW, chosen.steps(process), n, seed=5)[:, 0]
        assert abs(x.mean() - mean) < STANDARD_ERRORS * np.sqrt(variance / n)
        assert abs(x.var() - variance) < STANDARD_ERRORS * variance * np.sqrt(2 / n)


def test_modes_without_the_last_noise_of_the_velocity():
    """On two modes Euler–Maruyama without position noise has the same position without the last noise, which is the
    velocity's alone; a last step that moves the position by the velocity's score is refused by name."""
    found = [sampler_w2(MODES, exact_steps(cld(), euler_maruyama(4, 12, last_step_noise=last))) for last in (True, False)]
    assert found[0].lower <= found[1].upper and found[1].lower <= found[0].upper
    with pytest.raises(ValueError, match="law on a line is not known where the last step has no noise"):
        sampler_w2(MODES, exact_steps(cld(), scheme("exponential", 4, 12, last_step_noise=False)))
