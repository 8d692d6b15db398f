"""The initial term of two blocks in balls: next to the one in floats, under many metrics."""

import numpy as np
import pytest
from flint import arb, ctx

from bounds import StronglyLogConcave, WeaklyLogConcave, euler_maruyama
from bounds.certified.data import Formulas
from bounds.certified.phase_space.question import BallQuestion
from bounds.processes.cld import cld
from bounds.recursion.data import Constants
from bounds.recursion.phase_space.one_question import PhaseProblem
from bounds.setting import Setting
from bounds.theorems import theorems
from closed_form import Gaussian
from tests.bounds.tolerances import CERTIFIED_ABOVE, CERTIFIED_BELOW
from verify import setting_of

THEOREM = theorems()["martingale"]
#: P_0 as (xx, xv, vv): round, nearly singular, of any scale.
METRICS = ((1.0, 0.0, 1.0), (1.0, 0.0, 1e-8), (2.0, -1.3, 0.9), (1e-20, 9e-21, 1e-20), (3e40, 1e40, 5e40))
SETTINGS = {
    "known": (cld(), Gaussian([1.0, 0.5], np.array([0.5, 2.0])), 2.0),
    "far": (cld(epsilon=0.5), Gaussian([30.0], 0.25), 0.1),
    "at rest": (cld(1, 2, 0, 0), Gaussian([0.0], 3.0), 5.0),
    "long": (cld(0.5, 2, 0.1), Gaussian([1.0], 2.0), 20.0),
    "constants": (cld(), StronglyLogConcave(0.5, 2.0, 2, 4.0, 1.0), 2.0),
    "weak": (cld(), WeaklyLogConcave(4.0, 16.0, 4.0, second_moment=1.25), 1.0),
    "mean unknown": (cld(), StronglyLogConcave(0.5, 2.0, 1, 9.0, None), 0.3),
}


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("name", SETTINGS)
def test_near_the_one_in_floats(name, metric):
    """E_0 is the one in floats, of the same source, and its ball is small."""
    process, data, horizon = SETTINGS[name]
    chosen = euler_maruyama(horizon, 2)
    make = setting_of if isinstance(data, Gaussian) else Setting
    setting = make(process, data, chosen)
    problem = PhaseProblem(setting, THEOREM.functions, Constants(setting.assumption, 0))
    floats = problem.initial(metric)
    with ctx.workprec(256):
        start = BallQuestion(setting, Formulas(THEOREM.stated)).start(problem.start.gammas.tolist())
        found, term = start.error(tuple(arb(x) for x in metric))
        mixing = start.mixing
    assert term == floats.term
    assert float(mixing) == pytest.approx(problem.start.mixing, rel=CERTIFIED_ABOVE)
    assert floats.error * (1 - CERTIFIED_BELOW) <= found <= floats.error * (1 + CERTIFIED_ABOVE)
    assert found.rad() <= 1e-30 * found
