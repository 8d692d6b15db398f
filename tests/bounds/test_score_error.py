"""Score errors in the units of what a network predicts, one or one for each step."""

from dataclasses import replace

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from bounds import ScoreError, Setting, SmoothedSupport, StronglyLogConcave, flow_matching, general, ou, vp
from bounds.claim import closed_form, recursion
from bounds.facts import DataFacts
from bounds.process import ForwardProcess
from bounds.processes.cld import cld
from bounds.recursion.stepwise import stepwise_bound
from bounds.sampler import scheme
from bounds.score_error import UNITS, _is_flow_matching, on_steps, read_error
from bounds.theorems import theorems
from closed_form import Gaussian
from tests.bounds.tolerances import RECURSION_RELATIVE, SAME_ERRORS
from tests.drawn import examples
from verify.certificates.question import setting_of

VP = vp("1/10 + 199/10*t")
MODES, STRONG = SmoothedSupport(1.0, 0.5), StronglyLogConcave(2.0, 4.0)
#: (theorem, sampler, assumption) of every theorem that takes a score error of one block.
ASKED = {
    "martingale": ("martingale", "euler-maruyama", MODES),
    "martingale-coupled": ("martingale-coupled", "posterior-mean", MODES),
    "flow": ("flow", "ddim", MODES),
    "flow, two evaluations": ("flow", "heun", MODES),
    "gao": ("gao2025-general-sde", "euler-maruyama", STRONG),
    "gentiloni": ("gentiloni2025-weak-log-concave", "euler-maruyama", STRONG)}


def total(name, error, unit="score", steps=30, process=None):
    """The bound and its terms."""
    key, sampler, assumption = ASKED[name]
    setting = Setting(process or ou(), assumption, scheme(sampler, 3.0, steps), error, 0.0,
                      DataFacts(time_regularity=0.1), unit)
    found = theorems()[key].bound(setting)
    return found.total, found.terms["score bias"]


@pytest.mark.parametrize("name", ASKED)
def test_a_constant_list_is_its_number(name):
    """One size for every step, all equal, is that size for all; and a number of the score is left as it is."""
    one, listed = total(name, 0.2), total(name, [0.2] * 30)
    assert listed == pytest.approx(one, rel=SAME_ERRORS)
    assert total(name, ScoreError(0.2)) == one
    assert total(name, [0.0] * 30)[0] == pytest.approx(total(name, 0.0)[0], rel=SAME_ERRORS)


@pytest.mark.parametrize("name", [name for name in ASKED if name != "flow, two evaluations"])
@pytest.mark.parametrize("unit", ["epsilon", "denoiser"])
def test_an_error_of_a_prediction_is_the_list_it_makes_of_the_score(name, unit):
    """With M_ε = sM and M_D = s²M/a, step by step."""
    _, sampler, assumption = ASKED[name]
    path = Setting(ou(), assumption, scheme(sampler, 3.0, 30)).table.path
    a, s = path.a[:-1], np.sqrt(path.s_sq[:-1])
    weight = 1 / s if unit == "epsilon" else a / s**2
    assert total(name, 0.2, unit) == pytest.approx(total(name, (0.2 * weight).tolist()), rel=RECURSION_RELATIVE)


def test_the_velocity_of_flow_matching():
    """M_u = sM/a, a = 1 − t and s = t, and on the same process by formulas."""
    times = np.linspace(0.9, 0.0, 31)[:-1]
    mine = general("1/(1 - t)", "sqrt(2*t/(1 - t))")
    sampler = scheme("euler-maruyama", 0.9, 30)
    found = [theorems()["martingale"].bound(Setting(process, MODES, sampler, error, score_error_in=unit)).total
             for process, error, unit in (
                 (flow_matching(), 0.2, "velocity"), (mine, 0.2, "velocity"),
                 (flow_matching(), (0.2 * (1 - times) / times).tolist(), "score"))]
    assert found == pytest.approx([found[0]] * 3, rel=RECURSION_RELATIVE)


def test_sympy_is_not_asked_where_coefficients_differ(monkeypatch):
    """A process that is not flow matching at two times is refused a velocity without a word from sympy."""
    monkeypatch.setattr(sympy, "simplify", None)
    with pytest.raises(ValueError, match="unless a \\+ s = 1"):
        Setting(vp("7.74 + abs(log10(6.34) - 1e100 - 13.2)"), MODES, scheme("heun-t", 0.75, 4), 0.1, score_error_in="velocity")


@pytest.mark.parametrize("process", [general("sqrt(t - 1/2)", "1"), general("1/(1 - t)", "sqrt(2*t/(1 - t))")],
                         ids=["no values", "no answer"])
def test_what_is_not_known_to_be_flow_matching_is_not(process, monkeypatch):
    """A process that has no values at early times, or of which sympy says nothing, is refused a velocity."""
    monkeypatch.setattr(sympy, "simplify", None)
    _is_flow_matching.cache_clear()
    assert not _is_flow_matching(process)
    _is_flow_matching.cache_clear()


def test_a_list_is_what_is_measured_step_by_step():
    """`stepwise_bound` with sizes is the bound of the setting that lists them."""
    sizes = np.linspace(0.3, 0.05, 40)
    setting = Setting(ou(), MODES, scheme("euler-maruyama", 3.0, 40), 0.0, 0.02)
    one = stepwise_bound("martingale", setting, sizes)
    other = theorems()["martingale"].bound(replace(setting, score_error=sizes.tolist()))
    assert one.total == pytest.approx(other.total, rel=SAME_ERRORS)
    assert one.terms["score bias"] == pytest.approx(other.terms["score bias"], rel=SAME_ERRORS)


@settings(max_examples=examples(20))
@given(name=st.sampled_from(sorted(ASKED)), unit=st.sampled_from(UNITS[:3]), data=st.data(),
       factor=st.floats(1.0, 3.0))
def test_grows_with_every_step_s_error_and_linearly(name, unit, data, factor):
    """A larger error at one step makes the bound no smaller; the term of score errors is linear in all of them."""
    sizes = data.draw(st.lists(st.floats(0.0, 0.1), min_size=8, max_size=8))
    place = data.draw(st.integers(0, 7))
    more = [size + 0.05 * (i == place) for i, size in enumerate(sizes)]
    less, larger = (total(name, each, unit, 8) for each in (sizes, more))
    assert less[0] <= larger[0] * (1 + SAME_ERRORS)
    scaled = total(name, [factor * size for size in sizes], unit, 8)
    if max(larger[0], scaled[0]) < 0.5:  # nothing saturates
        assert scaled[1] == pytest.approx(factor * less[1], rel=RECURSION_RELATIVE)
    assert less[0] <= total(name, max(sizes), unit, 8)[0] * (1 + SAME_ERRORS)


def test_a_claim_has_the_largest():
    """M in a theorem of one's own is the largest error that any evaluation has."""
    claim = closed_form("mine", source="here", terms={"score bias": "M*T"}, data=("strong-log-concave",))
    setting = Setting(ou(), STRONG, scheme("euler-maruyama", 3.0, 30), 0.2, score_error_in="epsilon")
    least = float(np.sqrt(setting.table.path.s_sq[-2]))
    assert claim.bound(setting).total == pytest.approx(3 * 0.2 / least, rel=RECURSION_RELATIVE)
    exact = recursion("without", source="here", initial="a_T*sqrt(m2)", growth="1", local="h",
                      data=("strong-log-concave",))
    assert exact.unmet(setting) and not exact.unmet(Setting(ou(), STRONG, setting.scheme))


@pytest.mark.parametrize("unit", UNITS[:3])
@pytest.mark.parametrize("key", ["martingale", "gao2025-general-sde", "gentiloni2025-weak-log-concave"])
def test_balls_have_each_step_s_own(key, unit):
    """In ball arithmetic the bound with a list in any unit is the float's, hardly below."""
    sizes = np.linspace(0.05, 0.2, 12).tolist()
    setting = setting_of(ou(), Gaussian([0.5], 0.25), scheme("euler-maruyama", 2.0, 12), sizes, 0.01,
                         score_error_in=unit)
    setting = setting.with_facts(replace(setting.facts, time_regularity=0.1))
    floats, balls = theorems()[key].bound(setting), theorems()[key].certified(setting)
    assert float(balls.total) <= floats.total <= float(balls.total) * (1 + 1e-6)
    assert float(balls.terms["score bias"]) == pytest.approx(floats.terms["score bias"], rel=1e-6)


def test_what_is_no_score_error_is_refused():
    """Sizes, units, lengths and processes that do not go together, in one line that names them."""
    sampler = scheme("euler-maruyama", 1.0, 4)
    with pytest.raises(ValueError, match=r"^score_error must be >= 0 and finite, got -1.0 at place 1$"):
        ScoreError([0.0, -1.0])
    with pytest.raises(ValueError, match=r"^score_error must be >= 0 and finite, got nan$"):
        ScoreError(float("nan"), "epsilon")
    with pytest.raises(ValueError, match=r"got an empty list$"):
        ScoreError([])
    with pytest.raises(TypeError, match=r"^score_error must be made of numbers >= 0, got 'x' at place 0$"):
        ScoreError(["x"])
    with pytest.raises(TypeError, match=r"^score_error must be a number >= 0, or a list"):
        ScoreError({"M": 1.0})
    with pytest.raises(ValueError, match=r"^score_error_in must be one of .*, got 'epsilom' \(did you mean 'epsilon'"):
        Setting(ou(), STRONG, sampler, 0.1, score_error_in="epsilom")
    with pytest.raises(ValueError, match=r"^score_error must be one number, or one for each of the 4 steps, got 3$"):
        Setting(ou(), STRONG, sampler, [0.1] * 3)
    with pytest.raises(ValueError, match=r"got 'velocity' on ou$"):
        Setting(ou(), STRONG, sampler, 0.1, score_error_in="velocity")
    with pytest.raises(ValueError, match=r"^score_error_in must be left out where score_error is a ScoreError"):
        read_error(ScoreError(0.1), "epsilon")
    with pytest.raises(ValueError, match=r"^score_error must be one number on a process of two blocks"):
        Setting(cld(), STRONG, sampler, [0.1] * 4)
    with pytest.raises(ValueError, match=r"^score_error_in must be 'score' on a process of two blocks"):
        Setting(cld(), STRONG, sampler, 0.1, score_error_in="denoiser")
    with pytest.raises(ValueError, match=r"^score_error must be one number, or one for each of the 4 steps"):
        on_steps(ScoreError([0.1] * 3), sampler.steps(ou()))


def test_where_there_is_no_noise_no_score_is_asked_for():
    """At s = 0, where a last evaluation has weight 0, an error of the predicted noise counts as none."""
    assert ScoreError(0.3, "epsilon").at(np.ones(2), np.array([4.0, 0.0])).tolist() == [0.15, 0.0]
    assert ScoreError([0.3, 0.1], "score").at(np.ones(2), np.array([4.0, 0.0])).tolist() == [0.3, 0.1]


def test_it_says_what_it_is():
    """In words, as a truth value and as the entry of a problem file."""
    assert str(ScoreError(0.1, "epsilon")) == "0.1 of the epsilon"
    assert str(ScoreError([0.1, 0.2])) == "0.1 to 0.2 of the score, one for each of 2 steps"
    assert ScoreError([0.0, 0.1]) and not ScoreError([0.0, 0.0])
    assert ScoreError([0.1, 0.2], "denoiser").table() == {"score_error": [0.1, 0.2], "score_error_in": "denoiser"}
    assert ScoreError(0.1).table() == {"score_error": 0.1}
    assert ScoreError([0.1, 0.2]) == ScoreError(np.array([0.1, 0.2]))


def test_processes_with_the_same_law_are_flow_matching():
    """A velocity is refused on a process whose a + s is not 1, whatever it is called."""
    other = ForwardProcess.scalar("flow-matching-like", flow_matching().f, sympy.Integer(1))
    with pytest.raises(ValueError, match=r"unless a \+ s = 1"):
        Setting(other, STRONG, scheme("euler-maruyama", 0.5, 4), 0.1, score_error_in="velocity")
