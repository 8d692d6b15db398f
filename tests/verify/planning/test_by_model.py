"""Plans: the smallest number of steps, against brute force, orders and the truth."""

import math
from dataclasses import replace

import numpy as np
import pytest

from bounds import Scheme, StronglyLogConcave, euler_maruyama, ou, own_sampler, ve, vp
from bounds.complexity.orders import of_process
from bounds.grid import TimeGrid
from bounds.setting import Setting
from bounds.theorem import NotApplicable
from bounds.theorems import theorems
from closed_form import Gaussian, GaussianMixture
from tests.drawn import thinned
from tests.verify.tolerances import EXPONENT, PLAN_EXCESS
from verify.certificates.certificate import Verdict, certify
from verify.certificates.question import setting_of
from verify.counterexamples.drawing import NumpyDraw, log_uniform, problem
from verify.planning import bound_on_grids
from verify.planning.bound_on_grids import BoundOnGrids
from verify.planning.by_model import CALIBRATION_STEPS, Planner
from verify.planning.horizons import Horizons

MARTINGALE = theorems()["martingale"]


def small_problem(seed):
    """(setting, ε) of a random problem that takes at most some hundred steps; None where it does not."""
    draw = NumpyDraw(np.random.default_rng(seed))
    drawn = problem(draw, most_steps=4)
    setting = setting_of(drawn.process, drawn.law, drawn.scheme, assumption=None)
    if drawn.scheme.sampler.needs_envelope or drawn.scheme.prior_std is not None:
        return None
    return setting, log_uniform(draw, 0.05, 0.5) * math.sqrt(drawn.law.second_moment)


def brute_force(setting, eps, steps, horizons):
    """Whether some horizon reaches ε with so many uniform steps."""
    for horizon in horizons:
        try:
            grid = TimeGrid.uniform(horizon, steps, setting.scheme.grid.early_stop)
            with np.errstate(all="ignore"):  # far too long a horizon
                if MARTINGALE.bound(replace(setting, scheme=replace(setting.scheme, grid=grid))).total <= eps:
                    return True
        except ValueError:
            continue
    return False


def check_against_brute_force(seed, horizons=60):
    """None where the seed draws no small problem; otherwise the plan, after comparing it with brute force."""
    drawn = small_problem(seed)
    if drawn is None:
        return None
    setting, eps = drawn
    plan = Planner(MARTINGALE, setting).plan(eps)
    if not plan.reached or plan.steps > 400:
        return None
    assert plan.bound.total <= eps and (plan.steps == 1 or plan.bound_one_step_less > eps)
    # one step fewer than 1 % above the true minimum would allow
    fewer = math.ceil(plan.steps / PLAN_EXCESS) - 1
    if fewer >= 1:
        tried = plan.horizon * np.geomspace(0.2, 5.0, horizons)
        assert not brute_force(setting, eps, fewer, tried), (seed, plan.steps, plan.horizon)
    return plan


def test_no_fewer_steps_do():
    """On small random problems no horizon reaches ε with 1 % fewer steps, and K − 1 steps do not reach it."""
    assert sum(check_against_brute_force(seed, 12) is not None for seed in (5, 6, 12)) == 2


@pytest.mark.deep
def test_no_fewer_steps_do_on_200_problems():
    """The same on 200 problems and a finer scan of horizons."""
    found, seed = 0, 0
    while found < 200:
        found += check_against_brute_force(seed) is not None
        seed += 1


@pytest.mark.parametrize(("law", "grid"), thinned(
    [Gaussian(np.full(3, 1.0), 0.25), GaussianMixture.two_modes(2.0, 0.5)], ["uniform", "best"], every=2))
def test_certify_holds_at_the_plan(law, grid):
    """The exact W2 of the planned sampler is at most the planned bound."""
    planner = Planner(MARTINGALE, setting_of(ou(), law, euler_maruyama(1, 1)), grid=grid)
    plan = planner.plan(0.2)
    scheme = replace(planner.setting.scheme, grid=plan.grid)
    certificate = certify("martingale", process=ou(), law=law, scheme=scheme)
    assert certificate.verdict is Verdict.HOLDS and certificate.bound.total == plan.bound.total <= 0.2


def constants(dim=1):
    """Data known by their constants alone, the same in every coordinate."""
    return StronglyLogConcave(m0=1.0, L0=2.0, dim=dim, second_moment=0.8 * dim, mean_norm=0.0)


def planner(process, dim=1, **options):
    """The planner for these data; it remembers what it knows of every horizon."""
    return Planner(MARTINGALE, Setting(process, constants(dim), euler_maruyama(1, 1)), **options)


def planned(process, eps, dim=1, **options):
    """Steps planned for these data."""
    return planner(process, dim, **options).plan(eps)


def test_a_process_that_ends_is_planned_up_to_its_end():
    """Where a(t) reaches 0 the best horizon may lie in a valley just before that: it is found."""
    plan = check_against_brute_force(16, 12)
    assert plan.reached and plan.steps < 150


#: One process of each row of the published table; of those alike but for their speed, one in the fast suite.
ROWS = [
    ve("exp(t)"),
    *(pytest.param(process, marks=pytest.mark.deep) for process in (ve(1), ve("sqrt(2*t)"), ve("(1+t)**2"))),
    ou(),
    vp("1/10+2*t"),
    *(pytest.param(process, marks=pytest.mark.deep) for process in (vp("(1+t)**3"), vp("exp(t)/2"))),
]


@pytest.mark.parametrize("process", ROWS, ids=lambda p: f"{p.name} {p.g_sq}")
def test_exponents_of_the_plan_are_the_derived_ones(process):
    """Fitted over ε and over d, for all eight rows; where T grows like logarithms they are those of K/T."""
    derived = of_process(MARTINGALE, process)

    def exponent(one, other, ratio):
        steps = one.steps / other.steps
        return math.log(steps if derived.horizon.eps else steps / (one.horizon / other.horizon)) / math.log(
            ratio
        )

    coarse, fine = map(planner(process).plan, (4e-3, 1e-3))
    assert abs(exponent(coarse, fine, 4) - float(derived.steps.eps)) <= EXPONENT
    low, high = planned(process, 0.02, 100), planned(process, 0.02, 1600)
    assert abs(exponent(high, low, 16) - float(derived.steps.d)) <= EXPONENT


def test_steps_depend_on_the_error_per_coordinate():
    """For data alike in every coordinate K depends on ε/√d only."""
    assert planned(ou(), 0.05).steps == planned(ou(), 0.5, 100).steps


def test_a_best_grid_needs_fewer_steps():
    """VE with constant g at ε = 4e-3: the best grid needs less than a fifth of the uniform one's steps."""
    assert planned(ve(1), 4e-3, grid="best").steps < planned(ve(1), 4e-3).steps / 5


def test_a_score_budget_is_kept():
    """With a share of ε set aside, the planned bound allows for that score error and still is at most ε."""
    plan = planned(ou(), 0.1, score_share=0.4)
    setting = Setting(
        ou(), constants(), replace(euler_maruyama(1, 1), grid=plan.grid), score_error=plan.score_error
    )
    bound = MARTINGALE.bound(setting)
    assert plan.score_error > 0 and bound.total == plan.bound.total <= 0.1
    assert math.isclose(bound.terms["score bias"], 0.04, rel_tol=0.1)
    assert plan.steps > planned(ou(), 0.1).steps


@pytest.mark.parametrize(
    ("options", "score_error", "why"),
    [
        ({}, 1.0, "score bias"),
        ({"horizon": 0.5}, 0.0, "initialisation"),
        ({"horizon": 0.5}, 2.0, "score bias"),
    ],
)
def test_what_is_out_of_reach_is_said(options, score_error, why):
    """An unreachable ε names the largest error that steps do not remove, and the floor exceeds ε."""
    setting = Setting(ou(), constants(), euler_maruyama(1, 1), score_error=score_error)
    plan = Planner(MARTINGALE, setting, **options).plan(1e-3)
    assert not plan.reached and plan.steps is None and plan.blocking.startswith(why) and plan.floor > 1e-3


def test_early_stopping_blocks():
    """The distance W2(p_{t0}, p_0) stays whatever the steps."""
    setting = Setting(ou(), constants(), euler_maruyama(1, 1, early_stop=0.1))
    plan = Planner(MARTINGALE, setting).plan(0.05)
    assert not plan.reached and plan.blocking.startswith("early stopping")


def test_a_model_that_does_not_describe_the_sampler_is_seen_with_few_steps():
    """Where the noise of a step does not shrink with it the model is refused before millions of steps are tried."""
    sampler = own_sampler("noisy", P="a_r/a", Q="E", noise=0.003)
    setting = setting_of(vp("1/10 + 199/10*t"), Gaussian([0.0, 1.0], [[2.0, 0.5], [0.5, 1.0]]),
                         Scheme(sampler, TimeGrid.uniform(1.0, 20)))
    planner, seen = Planner("martingale", setting), []
    value = planner._bounds.value
    planner._bounds.value = lambda T, steps, eps: seen.append(steps) or value(T, steps, eps)
    assert not planner._trusted(2.0, 7.8, 8e6)
    assert max(seen) <= CALIBRATION_STEPS


def test_the_scan_over_horizons_ends_where_none_is_better():
    """At a horizon of one step no longer one is looked at, however long the process forgets nothing."""
    setting = setting_of(ou(), Gaussian([0.0], [[1.0]]), euler_maruyama(horizon=1, steps=1))
    horizons, seen = Planner("martingale", setting)._horizons, []
    for least in (-math.inf, 1.0):
        seen.append([])
        horizons._scan(lambda T: seen[-1].append(T) or 1.0, lambda _: 0.1, 4, least)
    assert len(seen[1]) == 1 < len(seen[0])


def test_the_scan_does_not_creep_towards_what_it_cannot_reach():
    """A cost that falls by a hundredth a horizon ends the scan where a million times less is wanted, and goes on to the
    last horizon where a tenth less is, or nothing is said."""
    setting = setting_of(ou(), Gaussian([0.0], [[1.0]]), euler_maruyama(horizon=1, steps=1))
    horizons, seen = Planner("martingale", setting)._horizons, []
    horizons._settled = lambda scale, error: True
    for cost, most in ((0.99, 1e-6), (0.99, 0.9), (0.99, math.inf)):
        seen.append([])
        horizons._scan(lambda T, cost=cost: seen[-1].append(T) or cost ** len(seen[-1]), lambda _: 0.1, 4, -math.inf, most)
    assert [len(each) for each in seen] == [6, 80, 80]


def test_a_horizon_that_cannot_be_better_or_of_use_is_not_improved():
    """No horizon between those of the scan is looked at where one costs the least there is, or all are hopeless."""
    setting = setting_of(ou(), Gaussian([0.0], [[1.0]]), euler_maruyama(horizon=1, steps=1))
    horizons, scans = Planner("martingale", setting)._horizons, []
    horizons._scan = lambda *_: (1.0, 1.0)
    for options in (dict(least=1.0), dict(hopeless=0.5), dict(hopeless=2.0)):
        scans.append([])
        horizons.best(lambda T: scans[-1].append(T) or 1 + abs(T - 1.1), **options)
    assert not scans[0] and not scans[1] and scans[2]


def test_fewer_steps_at_the_horizon_found_are_looked_for_in_strides():
    """Where a horizon of more steps reaches ε with far fewer, as in another valley, the least of them is found with few
    bounds."""
    setting = setting_of(ou(), Gaussian([0.0], [[1.0]]), euler_maruyama(horizon=1, steps=1))
    planner, asked = Planner("martingale", setting, horizon=1.0), []
    planner._bounds.value = lambda T, steps, eps: asked.append(steps) or (1.0 if steps >= 700 else 3.0)
    for high in (700, 701, 2000):
        asked.clear()
        assert planner._least_below(high, 1.0, 2.0) == 700 and len(asked) < 25


def test_a_refusal_of_a_model_is_remembered(monkeypatch):
    """A horizon at which the bound refuses is tried once, and refused each time."""
    setting = setting_of(ou(), Gaussian([0.0], [[1.0]]), euler_maruyama(horizon=1, steps=1))
    bounds, asked = Planner("martingale", setting)._bounds, []

    def refuse(*_):
        asked.append(1)
        raise ValueError("process: no such horizon")

    monkeypatch.setattr(bound_on_grids, "model_of", refuse)
    for _ in range(2):
        with pytest.raises(ValueError, match="no such horizon"):
            bounds.model(3.0)
    assert len(asked) == 1


def test_bad_arguments_are_refused():
    """Each names itself and what it must be."""
    setting = Setting(ou(), constants(), euler_maruyama(1, 1))
    for options, name in (
        ({"grid": "fine"}, "grid"),
        ({"horizon": -1.0}, "horizon"),
        ({"score_share": 1.0}, "score_share"),
    ):
        with pytest.raises(ValueError, match=name):
            Planner(MARTINGALE, setting, **options)
    with pytest.raises(ValueError, match="eps must be positive"):
        Planner(MARTINGALE, setting).plan(0.0)
    with pytest.raises(ValueError, match="gao2025"):
        Planner(theorems()["gao2025-general-sde"], setting)
    from bounds import BoundedSupport

    with pytest.raises(NotApplicable):
        Planner(MARTINGALE, Setting(ou(), BoundedSupport(radius=1.0, dim=1), euler_maruyama(1, 1)))


def test_a_scan_ends_where_errors_grow_beyond_numbers(monkeypatch):
    """Where every step expands what is wrong beyond floats, longer horizons are looked at no further, and the least bound
    is that of a scan which looks at all of them."""
    looked, found, value = [], [], BoundOnGrids.value
    monkeypatch.setattr(BoundOnGrids, "value", lambda self, T, *rest: looked.append(T) or value(self, T, *rest))
    monkeypatch.setattr(BoundOnGrids, "model_steps", 60)
    setting = setting_of(ve("1/100*exp(851/100*t)"), Gaussian(0.0, 100.0), euler_maruyama(1, 1))
    grows = Horizons._grows
    for rule in (grows, lambda self, horizon: False):
        monkeypatch.setattr(Horizons, "_grows", rule)
        looked.clear()
        horizon, bound = Planner("martingale", setting).least_bound(40)
        found.append((horizon, bound.total, len(looked)))
    assert found[0][:2] == found[1][:2] and np.isfinite(found[0][1])
    assert 2 * found[0][2] < found[1][2]
    planner = Planner("martingale", setting)
    assert grows(planner._horizons, 10.0) and not grows(planner._horizons, 1.0) and not grows(planner._horizons, 1e3)
