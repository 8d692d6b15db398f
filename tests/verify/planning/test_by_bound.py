"""Plans by the bound itself, for critically-damped Langevin and for theorems without a model: K, K − 1,
horizon, grid, floor."""

import math
from dataclasses import replace

import numpy as np
import pytest

from bounds import edm, euler_maruyama, ou, ve, vp
from bounds.complexity.best_grid import model_of
from bounds.processes.cld import cld
from bounds.sampler import scheme
from bounds.theorem import NotApplicable
from bounds.theorems import theorems
from closed_form import Gaussian, GaussianMixture
from tests.verify.tolerances import PHASE_MODEL, PLAN_EXCESS
from verify.certificates.certificate import Verdict, certify
from verify.certificates.question import setting_of
from verify.planning import by_bound as direct_planner
from verify.planning.by_bound import DirectPlanner, planner_of
from verify.planning.by_model import Planner

MARTINGALE = theorems()["martingale"]
LAW = Gaussian(np.full(1, 0.5), 0.25)


def setting(**options):
    """N(1/2, 1/4) by critically-damped Langevin."""
    return setting_of(cld(1, 2), LAW, euler_maruyama(1.0, 1), **options)


@pytest.fixture(scope="module")
def planner():
    """The planner of that question; it remembers the bounds it has evaluated."""
    return planner_of(MARTINGALE, setting())


def bound_of(question, horizon, steps):
    """The theorem on a uniform grid."""
    return MARTINGALE.bound(replace(question, scheme=euler_maruyama(horizon, steps))).total


def test_the_plan_is_the_least_over_horizons(planner):
    """K reaches ε, K − 1 does not, and one per cent fewer steps reach it at no horizon."""
    question, eps = setting(), 0.1
    plan = planner.plan(eps)
    assert plan.reached and plan.bound.total == bound_of(question, plan.horizon, plan.steps) <= eps
    assert plan.bound_one_step_less == bound_of(question, plan.horizon, plan.steps - 1) > eps
    fewer = int(np.ceil(plan.steps / PLAN_EXCESS)) - 1
    horizons = plan.horizon * np.geomspace(0.3, 3.0, 13)
    assert all(bound_of(question, float(horizon), fewer) > eps for horizon in horizons)


def test_certify_holds_at_the_plan(planner):
    """The exact W2 of the position at the plan is at most the planned bound."""
    plan = planner.plan(0.2)
    certificate = certify(
        "martingale", process=cld(1, 2), law=LAW, scheme=replace(euler_maruyama(1.0, 1), grid=plan.grid)
    )
    assert certificate.verdict is Verdict.HOLDS and certificate.bound.total == plan.bound.total <= 0.2


def test_a_clock_of_varying_speed_is_planned():
    """A clock that stands still at t = 0: K reaches ε, K − 1 does not, and about as many steps do as on an
    even clock that shows the same at the end."""
    plans = [
        planner_of(MARTINGALE, setting_of(cld(clock=clock), LAW, euler_maruyama(1.0, 1)), horizon=horizon).plan(0.3)
        for clock, horizon in (("t", 4.0), ("t**2", 2.0))
    ]
    assert all(plan.reached and plan.bound.total <= 0.3 < plan.bound_one_step_less for plan in plans)
    assert plans[1].steps < 4 * plans[0].steps


def test_a_score_budget_is_kept():
    """With a share of ε set aside the bound allows for that score error, and takes more steps."""
    plan, exact = (planner_of(MARTINGALE, setting(), horizon=2.0, score_share=share).plan(0.4) for share in (0.3, 0.0))
    assert plan.score_error > 0 and plan.bound.total <= 0.4 and plan.bound.terms["score bias"] > 0
    assert plan.steps > exact.steps


@pytest.mark.parametrize(
    ("options", "score_error", "why"), [({}, 1.0, "score bias"), ({"horizon": 1.0}, 0.0, "initialisation")]
)
def test_what_is_out_of_reach_is_said(options, score_error, why):
    """An unreachable ε names what blocks it and a floor above ε."""
    plan = planner_of(MARTINGALE, setting(score_error=score_error), **options).plan(0.01)
    assert not plan.reached and plan.steps is None and plan.blocking.startswith(why) and plan.floor > 0.01


def test_too_many_steps_are_said(planner):
    """An ε that would take more steps than can be bounded names the discretisation."""
    plan = planner.plan(1e-5)
    assert not plan.reached and plan.blocking.startswith("discretisation")


def test_the_process_chooses_the_planner_and_bad_arguments_are_refused():
    """Unknown grids, shares of one and theorems of one block are refused by name."""
    assert isinstance(planner_of(MARTINGALE, setting_of(ou(), LAW, euler_maruyama(1.0, 1))), Planner)
    with pytest.raises(ValueError, match="grid must be one of uniform, best"):
        DirectPlanner(MARTINGALE, setting(), grid="geometric")
    with pytest.raises(ValueError, match="score_share"):
        DirectPlanner(MARTINGALE, setting(), score_share=1.0)
    with pytest.raises(ValueError, match="eps must be positive"):
        DirectPlanner(MARTINGALE, setting()).plan(0.0)
    with pytest.raises(NotApplicable):
        DirectPlanner(theorems()["martingale-coupled"], setting())
    with pytest.raises(ValueError, match="theorem must be an upper bound, got gaussian-lower-bound"):
        planner_of(theorems()["gaussian-lower-bound"], setting_of(ou(), LAW, euler_maruyama(1.0, 1)))
    with pytest.raises(ValueError, match="grid must be uniform for gao2025-general-sde"):
        planner_of(
            theorems()["gao2025-general-sde"], setting_of(ou(), LAW, euler_maruyama(1.0, 1)), grid="best"
        )


@pytest.mark.parametrize(
    ("key", "process", "eps"),
    [
        ("gao2025-general-sde", ou(), 0.2),
        pytest.param("gao2025-general-sde", ve(1), 0.1, marks=pytest.mark.deep),
        pytest.param("gao2025-general-sde", vp("1/10+2*t"), 0.2, marks=pytest.mark.deep),
        ("gentiloni2025-weak-log-concave", ou(), 0.1),
        pytest.param("gentiloni2025-weak-log-concave", vp("1/10+2*t"), 0.2, marks=pytest.mark.deep),
        pytest.param("strasman2025-cld", cld(), 0.5, marks=pytest.mark.deep), ("flow", ou(), 0.05), ("flow", edm(), 0.1),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_plans_of_other_theorems_are_the_least(key, process, eps):
    """Theorems G, W, C and of the flow: K reaches ε, K − 1 does not, and two per cent fewer steps reach it at
    no horizon."""
    theorem = theorems()[key]
    sampler = (*theorem.domain.sampler, "euler-maruyama")[0]
    question = setting_of(process, Gaussian(np.zeros(1), 0.5), scheme(sampler, 1.0, 1))
    plan = planner_of(theorem, question).plan(eps)

    def total(horizon, steps):
        return theorem.bound(replace(question, scheme=scheme(sampler, float(horizon), steps))).total

    assert plan.reached and plan.theorem == key and total(plan.horizon, plan.steps) == plan.bound.total <= eps
    assert plan.steps == 1 or total(plan.horizon, plan.steps - 1) == plan.bound_one_step_less > eps
    fewer = int(np.ceil(plan.steps / PLAN_EXCESS**2)) - 1
    assert fewer < 1 or all(
        total(horizon, fewer) > eps for horizon in plan.horizon * np.geomspace(0.5, 2.0, 7)
    )


def test_a_plan_beyond_the_most_steps_says_so(monkeypatch):
    """Theorem G on VE takes more than twenty thousand steps for a small ε, where there may be no more: the
    discretisation is named."""
    assert direct_planner.MOST_STEPS[1] == 1_000_000
    monkeypatch.setitem(direct_planner.MOST_STEPS, 1, 20_000)
    question = setting_of(ve(1), Gaussian(np.zeros(1), 0.5), euler_maruyama(1.0, 1))
    plan = planner_of(theorems()["gao2025-general-sde"], question).plan(0.02)
    assert not plan.reached and plan.blocking.startswith("discretisation: more than 20000 steps")


@pytest.mark.parametrize(
    ("key", "eps", "share", "horizon"),
    [("posterior-mean", 0.5, 0.8, 4.0), pytest.param("posterior-mean", 0.3, 0.8, None, marks=pytest.mark.deep),
     pytest.param("sscs", 0.15, 0.5, None, marks=pytest.mark.deep)],
)
def test_the_best_grid_takes_fewer_steps_and_holds(key, eps, share, horizon):
    """At the plan on the best grid K reaches ε and K − 1 does not, at a horizon that is given or the best;
    equal steps take more, and certify holds."""
    law = GaussianMixture.two_modes(2.0, 0.5)
    question = setting_of(cld(), law, scheme(key, 1.0, 1))
    planner = planner_of(MARTINGALE, question, grid="best", horizon=horizon)
    best, uniform = planner.plan(eps), planner.uniform.plan(eps)
    assert best.steps <= share * uniform.steps and best.grid.kind == "best"
    assert best.bound.total <= eps < best.bound_one_step_less
    certificate = certify(
        "martingale", process=cld(), law=law, scheme=replace(scheme(key, 1.0, 1), grid=best.grid)
    )
    # long steps of a splitting fold the positions over: there the exact law is refused
    assert certificate.verdict is (Verdict.INCONCLUSIVE if key == "sscs" else Verdict.HOLDS)
    assert certificate.bound.total == best.bound.total


def test_a_start_that_no_step_brings_to_the_data_is_seen_with_few_steps(monkeypatch):
    """The flow from a point stays one: ε is refused by the initial error with no bound on 20,000 steps."""
    monkeypatch.setattr(direct_planner, "DOUBLINGS", 3)
    question = setting_of(ou(), Gaussian([0.0], 9.0), scheme("heun", 1.0, 1, prior_covariance=0.0))
    planner, asked = planner_of(theorems()["flow"], question), []
    bound = planner._bounds._at
    monkeypatch.setattr(planner._bounds, "_at", lambda T, steps, error: asked.append(steps) or bound(T, steps, error))
    found = planner.plan(1.0)
    assert not found.reached and found.blocking.startswith("initialisation")
    assert set(asked) == {direct_planner.FIRST_STEPS, direct_planner.MORE * direct_planner.FIRST_STEPS}


def test_a_horizon_of_one_step_ends_the_search(monkeypatch):
    """Where ε is as large as the data the first horizon that takes one step is the plan's, and no other is looked at."""
    question = setting_of(ou(), Gaussian([0.0], 1.0), scheme("heun", 1.0, 1))
    planner, asked = planner_of(theorems()["flow"], question), []
    bound = planner._bounds._at
    monkeypatch.setattr(planner._bounds, "_at", lambda T, steps, error: asked.append(T) or bound(T, steps, error))
    found = planner.plan(2.0)
    assert found.steps == 1 and set(asked) == {found.horizon} == {planner._horizons[0]}


def test_a_bound_that_explodes_with_the_steps_is_left():
    """Where ever more steps multiply a bound far above ε no further ones are tried; a bound that falls is followed."""
    planner, asked = planner_of(MARTINGALE, setting(), horizon=4.0), []
    planner._bounds.value = lambda T, steps, eps: asked.append(steps) or 1e8 * 1.01**steps
    assert planner._steps(1e-3, 4.0, 50.0) is None and asked == [50, 100, 200]
    planner._bounds.value = lambda T, steps, eps: 1e8 / steps
    assert planner._steps(1e4, 4.0, 50.0) == 10_000


def test_equal_steps_where_the_model_of_the_grid_fails(monkeypatch):
    """Far data under leapfrog, whose kicks differ on unequal steps, and no more than 300 steps: the plan is
    the uniform one."""
    monkeypatch.setitem(direct_planner.MOST_STEPS, 2, 300)
    question = setting_of(cld(), Gaussian(np.full(3, 20.0), 1.0), scheme("leapfrog", 1.0, 1))
    planner = planner_of(MARTINGALE, question, grid="best", horizon=6.0)
    best, uniform = planner.plan(0.5), planner.uniform.plan(0.5)
    assert best.reached and best.grid.kind == "uniform" and best.steps == uniform.steps


@pytest.mark.parametrize("key", ["euler-maruyama", "posterior-mean", "symplectic-euler"])
@pytest.mark.parametrize(("variance", "mean"), [(0.1, 1.0), (1.0, 0.0), (5.0, 3.0)])
def test_the_model_of_phase_space_is_the_bound_for_small_steps(variance, mean, key):
    """On uniform grids whose steps are short for the data the model agrees with the bound, and on its best
    grid too."""
    question = setting_of(cld(), Gaussian(np.full(2, mean), variance), scheme(key, 4.0, 1000))
    model = model_of(MARTINGALE, question)
    assert math.isclose(
        model.error(model.uniform_counts(1000)), MARTINGALE.bound(question).total, rel_tol=PHASE_MODEL
    )
    on_best = replace(question, scheme=replace(question.scheme, grid=model.best_grid(1000)))
    assert math.isclose(
        model.error(model.best_counts(1000)), MARTINGALE.bound(on_best).total, rel_tol=PHASE_MODEL
    )
