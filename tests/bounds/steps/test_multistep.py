"""DPM-Solver++(2M) as numbers: against its definition in half-logSNR, and what the theorems say of it."""

from itertools import pairwise

import numpy as np
import pytest

from bounds import ou, vp
from bounds.claim.hypotheses import conditions
from bounds.claim.symbols import SYMBOLS
from bounds.grid import TimeGrid
from bounds.processes.edm import edm
from bounds.sampler import Scheme, ddim, dpmpp_2m, scheme
from bounds.samplers import samplers
from bounds.steps.rule import Sampler
from bounds.theorem import Domain
from bounds.theorems import theorems
from closed_form import Gaussian
from tests.bounds.tolerances import PATH_RELATIVE
from verify.certificates.question import setting_of

TIMES = (1.3, 1.0, 0.5, 0.2, 0.05)
#: a(t) and s²(t) in closed form.
CLOSED = {
    "ou": (ou(), lambda t: np.exp(-t), lambda t: -np.expm1(-2 * t)),
    "edm": (edm(), lambda t: 1.0, np.square),
    "vp": (vp("2 + 6*t"), lambda t: np.exp(-t - 1.5 * t * t), lambda t: -np.expm1(-2 * t - 3 * t * t))}


def by_definition(a, s_sq, times, x, predict):
    """Algorithm 2 in x, α and λ: the first step of first order, and one to s = 0 as well."""
    previous, length = None, None
    for t, r in pairwise(times):
        prediction, s, end = predict(t, x), np.sqrt(s_sq(t)), np.sqrt(s_sq(r))
        if end == 0:
            x = a(r) * prediction
            continue
        h = np.log(a(r) / end) - np.log(a(t) / s)
        mixed = prediction
        if previous is not None:
            ratio = length / h
            mixed = (1 + 1 / (2 * ratio)) * prediction - 1 / (2 * ratio) * previous
        x = end / s * x - a(r) * np.expm1(-h) * mixed
        previous, length = prediction, h
    return x


@pytest.mark.parametrize("times", [TIMES, (*TIMES[:-1], 0.0)], ids=["stopped", "to 0"])
@pytest.mark.parametrize("name", CLOSED)
def test_steps_are_the_algorithm(name, times):
    """With the score of N(0.3, 0.7) the steps move a point as the algorithm of the paper does."""
    process, a, s_sq = CLOSED[name]
    score = lambda t, x: (a(t) * 0.3 - x) / (a(t) ** 2 * 0.7 + s_sq(t))  # noqa: E731
    steps = Scheme(samplers()["dpmpp-2m"], TimeGrid.from_times(times)).steps(process)
    past, y, seen = steps.past, 1.7, 0.0
    for i in range(len(steps)):
        now = steps.P[i] * y + steps.Q[i] * score(times[i], y)
        y, seen = past.keep[i] * y + past.now[i] * now + past.before[i] * seen, now
    wanted = by_definition(a, s_sq, times, 1.7, lambda t, x: (x + s_sq(t) * score(t, x)) / a(t))
    assert y == pytest.approx(wanted, rel=PATH_RELATIVE)
    assert past.before[0] == 0 and (times[-1] > 0 or past.before[-1] == past.keep[-1] == 0)


def test_one_step_is_that_of_ddim():
    """A single step, which has no past, is DDIM's."""
    one, other = dpmpp_2m(1.0, 1, early_stop=0.3).steps(ou()), ddim(1.0, 1, early_stop=0.3).steps(ou())
    assert one.past.keep + one.past.now * one.P == pytest.approx(other.P, rel=PATH_RELATIVE)
    assert one.past.now * one.Q == pytest.approx(other.Q, rel=PATH_RELATIVE)


def test_it_evaluates_once_and_has_no_noise():
    """One evaluation a step; it follows the flow; only it has a past."""
    found: Sampler = samplers()["dpmpp-2m"]
    assert found.evaluations == 1 and found.follows_ode and found.strong_order == 2
    assert [key for key, sampler in samplers().items() if sampler.multistep is not None] == ["dpmpp-2m"]


def test_every_theorem_refuses_it_by_name():
    """No theorem bounds a sampler with a past: each says so, with the sampler's key, and so does any
    claim."""
    setting = setting_of(ou(), Gaussian([0.0], 1.0), scheme("dpmpp-2m", 2.0, 5))
    for theorem in theorems().values():
        assert any("got dpmpp-2m" in line for line in theorem.unmet(setting))
    for key in ("martingale", "martingale-coupled", "flow", "gaussian-lower-bound"):
        lines = theorems()[key].unmet(setting)
        assert [line for line in lines if "multistep: no bound is known here, got dpmpp-2m" in line]
    claimed = conditions(Domain(), [SYMBOLS["P"].symbol], (), True)
    assert any("multistep" in (each.check(setting) or "") for each in claimed)
