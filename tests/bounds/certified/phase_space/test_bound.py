"""Certified bounds of critically-damped Langevin: next to those in floats, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
import sympy
from flint import arb, ctx

from bounds import StronglyLogConcave, WeaklyLogConcave, euler_maruyama
from bounds.certified.data import Formulas, NotCertified
from bounds.certified.phase_space import weighted
from bounds.certified.phase_space.question import BallQuestion
from bounds.grid import TimeGrid
from bounds.processes.cld import cld
from bounds.recursion.phase_space.ingredients import best_weights
from bounds.recursion.phase_space.weights import symmetric
from bounds.sampler import Scheme, exponential_integrator, scheme, sscs
from bounds.samplers import samplers
from bounds.setting import Setting
from bounds.symbolic.integrals import TIME
from bounds.theorems import theorems
from closed_form import Gaussian, GaussianMixture
from tests.bounds.tolerances import CERTIFIED_ABOVE, CERTIFIED_BELOW
from tests.drawn import thinned
from verify import setting_of

KEYS = ("martingale", "strasman2025-cld")
LAW = Gaussian([1.0, 0.5], np.array([0.5, 2.0]))
UNEVEN = TimeGrid(np.array([2.0, 1.25, 1.2, 0.5, 2.0**-20, 0.0]))
#: Process, sampler at work, score error and score noise.
PROBLEMS = {
    "plain": (cld(), euler_maruyama(2.0, 3), 0.0, 0.0),
    "elliptic": (cld(1, 2, "1/2"), euler_maruyama(2.0, 3), 0.0, 0.0),
    "at rest": (cld(1, 2, 0, 0), euler_maruyama(2.0, 2), 0.0, 0.0),
    "elliptic at rest": (cld(2, 1, "1/5", 0), euler_maruyama(2.0, 3), 0.0, 0.0),
    "one step": (cld(), euler_maruyama(1.0, 1), 0.0, 0.0),
    "uneven": (cld("1/2", 3, 0, 1, "t+t^2/3"), Scheme(samplers()["euler-maruyama"], UNEVEN), 0.0, 0.0),
    "errors": (cld(), euler_maruyama(2.0, 3, early_stop=0.2), 0.1, 0.2)}

CONSTANTS = (StronglyLogConcave(0.5, 2.0, 2), StronglyLogConcave(1.0, 1.0, 1, 3.0, None),
             WeaklyLogConcave(4.0, 16.0, 4.0, second_moment=1.25))


def assert_near(key, setting):
    """A certified bound and its terms are those in floats, up to 1e-7 below and 1e-6 above."""
    found, floats = theorems()[key].certified(setting), theorems()[key].bound(setting)
    assert floats.total * (1 - CERTIFIED_BELOW) <= found.total <= floats.total * (1 + CERTIFIED_ABOVE)
    assert found.terms.keys() == floats.terms.keys() and found.information == floats.information
    for name, value in found.terms.items():
        assert value == pytest.approx(floats.terms[name], rel=CERTIFIED_ABOVE, abs=CERTIFIED_BELOW)
    for name in ("initial_term", "steps"):
        assert found.details[name] == floats.details[name]
    assert found.proof.radius < 1e-14 * found.total
    return found


@pytest.mark.parametrize("name, key, information", thinned(PROBLEMS, KEYS, ["all", "constants"], every=5))
def test_near_the_bound_in_floats(name, key, information):
    """On problems unlike each other both theorems are what they are in floats."""
    process, chosen, error, noise = PROBLEMS[name]
    assert_near(key, setting_of(process, LAW, chosen, error, noise, information=information))


@pytest.mark.parametrize("key, grid", thinned(sorted(samplers(2)), [TimeGrid.uniform(1.0, 4), UNEVEN], every=2))
def test_every_sampler(key, grid):
    """The martingale bound of every sampler of two blocks is the one in floats."""
    assert_near("martingale", setting_of(cld(epsilon="1/3"), LAW, Scheme(samplers()[key], grid)))


@pytest.mark.parametrize("assumption", CONSTANTS, ids=("strong", "flat", "weak"))
@pytest.mark.parametrize("key", KEYS)
def test_constants_alone(key, assumption):
    """Constants without a law are certified as they are given."""
    assert_near(key, Setting(cld(), assumption, euler_maruyama(1.0, 5)))


def test_a_mixture_from_its_constants():
    """Of a mixture the bound that uses constants alone is certified."""
    setting = setting_of(cld(), GaussianMixture.two_modes(2.0, 0.5), sscs(1.0, 4), information="constants")
    assert_near("martingale", setting)


def test_a_row_stretches_by_the_larger_end():
    """A row stretches errors between any weights by the larger norm of J at both ends of the envelope."""
    ends = set()
    law = Gaussian([1.0, 0.5], np.array([0.05, 2.0]))
    for horizon, shear in ((2.0, -0.9), (2.0, 0.0), (4.0, 0.9)):
        setting = setting_of(cld(epsilon=0.5), law, euler_maruyama(horizon, 4))
        problem, best, _ = best_weights(setting, theorems()["martingale"].functions)
        before = np.array([2.0, shear, 1.0])
        with ctx.workprec(256):
            question = BallQuestion(setting, Formulas(theorems()["martingale"].stated))
            for k, after in enumerate(best.weights[1:]):
                roots = [np.linalg.cholesky(symmetric(each)).T for each in (before, after)]
                sizes = [np.linalg.norm(roots[1] @ J[k] @ np.linalg.inv(roots[0]), 2)
                         for J in (problem.jacobians.low, problem.jacobians.high)]
                given = [tuple(arb(x) for x in each.tolist()) for each in (before, after)]
                assert float(question.stretch(k, *given)) == pytest.approx(max(sizes), rel=CERTIFIED_ABOVE)
                ends.add(int(np.argmax(sizes)) if max(sizes) > 1.2 * min(sizes) else -1)
    assert {0, 1} <= ends


def test_weights_on_another_scale_give_the_same_bound(monkeypatch):
    """The bound is in units of the position, whatever the scale of the weights."""
    setting = setting_of(cld(), LAW, euler_maruyama(1.0, 4))
    usual = theorems()["martingale"].certified(setting).total

    def scaled(*asked):
        problem, best, certificate = best_weights(*asked)
        return problem, replace(best, weights=16 * best.weights, variance=16 * best.variance), certificate

    monkeypatch.setattr(weighted, "best_weights", scaled)
    assert theorems()["martingale"].certified(setting).total == pytest.approx(usual, rel=CERTIFIED_ABOVE)


@pytest.mark.parametrize("key", KEYS)
def test_precisions_overlap(key):
    """At 64 and 256 bits the balls overlap, and the second is far smaller."""
    setting = setting_of(cld(epsilon=0.5), Gaussian([1.0], 0.5), euler_maruyama(1.0, 5))
    bounds = [theorems()[key].certified(setting, bits) for bits in (64, 256)]
    coarse, fine = (bound.proof for bound in bounds)
    assert bounds[0].total - 3 * coarse.radius <= bounds[1].total <= bounds[0].total
    assert fine.radius < coarse.radius * 1e-12 and fine.digits.startswith(coarse.digits[:10])


def test_details_say_what_was_chosen():
    """The weights, or the metric, that the floats chose are among the details."""
    setting = setting_of(cld(), Gaussian([1.0], 0.5), euler_maruyama(1.0, 5))
    for key, names in (("martingale", ("weights",)), ("strasman2025-cld", ("kappa", "metric"))):
        found, floats = theorems()[key].certified(setting), theorems()[key].bound(setting)
        assert all(found.details[name] == floats.details[name] for name in names)


@pytest.mark.parametrize("key", KEYS)
def test_what_is_not_certified_is_refused_by_name(key):
    """Mixtures whose MMSE curve is known, and clocks without ball arithmetic, are refused in one line."""
    mixture = setting_of(cld(), GaussianMixture.two_modes(2.0, 0.5), euler_maruyama(1.0, 5))
    strange = setting_of(cld(clock=sympy.asinh(TIME)), LAW, euler_maruyama(1.0, 5))
    for setting, named in ((mixture, "Gaussian"), (strange, "asinh")):
        with pytest.raises(NotCertified, match=named) as refused:
            theorems()[key].certified(setting)
        assert "\n" not in str(refused.value)


def test_a_batch_is_refused():
    """Two problems at once are refused by name."""
    setting = Setting(cld(), StronglyLogConcave(0.5, np.array([2.0, 3.0]), 1), exponential_integrator(1.0, 5))
    with pytest.raises(NotCertified, match="batch"):
        theorems()["martingale"].certified(setting)


def test_no_weights_no_certificate():
    """Where no weights give a finite bound there is nothing to certify, and that is said."""
    setting = setting_of(cld(), Gaussian([0.0], 1e-10), scheme("euler-maruyama", 6000.0, 600))
    assert theorems()["martingale"].bound(setting).total == np.inf
    with pytest.raises(NotCertified, match="finite bound"):
        theorems()["martingale"].certified(setting)
