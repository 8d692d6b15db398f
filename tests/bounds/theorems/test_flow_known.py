"""The flow bound where the law is known: printed numbers, below the constants step by step, above the
truth."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounds import BoundedSupport, Setting, TimeGrid, edm, flow_matching, ou, vp
from bounds.facts import DataFacts
from bounds.recursion.flow.data import FlowData
from bounds.recursion.flow.recursion import flow_ingredients, known_errors
from bounds.recursion.flow.steps import FlowSteps
from bounds.recursion.flow.twice import TwiceSteps, twice_ingredients
from bounds.sampler import Scheme, scheme
from bounds.samplers import samplers
from bounds.theorems import theorems
from closed_form import Gaussian, GaussianMixture
from closed_form.law import Parts
from closed_form.posteriors.flow_errors import FlowErrors
from tests.bounds.tolerances import FLOW_EXACT, FOUR_DIGITS, KNOWN_RULE, SLOPE
from tests.drawn import examples
from verify import strategies
from verify.certificates.certificate import Verdict, certify_setting
from verify.certificates.question import setting_of

FLOW = theorems()["flow"]
SILENT = [key for key in samplers(1) if key in FLOW.domain.sampler]
MODES, FAR = GaussianMixture.two_modes(2.0, 0.5), GaussianMixture.two_modes(2.0, 0.2)
THREE = GaussianMixture([[-1.5], [0.0], [1.0]], [0.2, 0.5, 0.3], std=0.6)
WIDE = float(np.sqrt(6401))
VP = vp("1/10 + 199/10*t")


def levels(high, low, steps, last=True):
    """EDM's grid of noise levels, ρ = 7, with a last step to 0 or without one."""
    spaced = np.linspace(high ** (1 / 7), low ** (1 / 7), steps + (not last)) ** 7
    spaced[0], spaced[-1] = high, low
    return TimeGrid.from_times(np.append(spaced, 0.0) if last else spaced)


def on(key, grid, prior_std=None):
    """A sampler by its key on a grid."""
    return Scheme(samplers()[key], grid, prior_std)


EDM, COARSE = levels(20.0, 0.02, 64), levels(80.0, 0.002, 18)
#: (process, law, scheme, bound) of an independent prototype: the table's column "known law".
PRINTED = {
    "OU, Euler": (ou(), MODES, scheme("ode-euler", 5, 100), 0.06217),
    "OU, exponential": (ou(), MODES, scheme("ode-exponential", 5, 100), 0.05242),
    "OU, DDIM": (ou(), MODES, scheme("ddim", 5, 100), 0.136),
    "OU, midpoint": (ou(), MODES, scheme("midpoint", 5, 100), 0.00689),
    "VP, DDIM": (VP, MODES, scheme("ddim", 1, 200), 0.0267),
    "VP, exponential": (VP, MODES, scheme("ode-exponential", 1, 200), 0.01381),
    "EDM, DDIM": (edm(), MODES, on("ddim", EDM), 0.08615),
    "EDM, Heun": (edm(), MODES, on("heun", EDM), 0.01134),
    "EDM, midpoint": (edm(), MODES, on("midpoint", EDM), 0.006609),
    "EDM, DPM-Solver-2": (edm(), MODES, on("dpm-solver-2", EDM), 0.008738),
    "three modes, Heun": (edm(), THREE, on("heun", COARSE, WIDE), 0.1709),
    "three modes, midpoint": (edm(), THREE, on("midpoint", COARSE, WIDE), 0.01547),
    "three modes, DDIM": (edm(), THREE, on("ddim", levels(80.0, 0.002, 36), WIDE), 0.2006),
    "flow matching, DDIM": (flow_matching(), MODES, scheme("ddim", 63 / 64, 63), 0.06364),
    "flow matching, Heun in t": (flow_matching(), MODES, scheme("heun-t", 63 / 64, 63), 0.001547),
    "far modes, DDIM": (edm(), FAR, on("ddim", EDM), 1.034),
    "far modes, Heun": (edm(), FAR, on("heun", EDM), 0.8152)}


@pytest.mark.parametrize("name", PRINTED)
def test_printed_numbers(name):
    """The recursion on the exact local errors is the prototype's to its digits, is used, and the bound says
    so."""
    process, law, sampler, expected = PRINTED[name]
    found = FLOW.bound(setting_of(process, law, sampler))
    assert found.details["known_recursion"] == pytest.approx(expected, rel=FOUR_DIGITS)
    assert found.details["recursion"] == "known"
    assert found.information == "errors of every step, known recursion"
    assert found.total <= sum(found.terms.values()) * (1 + FLOW_EXACT)


@pytest.mark.parametrize("key, plain", [("ddim", 132.8), ("heun", 116.8)])
def test_known_errors_without_saturation(key, plain):
    """Far modes: with contractions alone the known errors grow to the prototype's numbers."""
    setting = setting_of(edm(), FAR, on(key, EDM))
    start = FLOW.bound(setting).terms["initialisation"]
    refined = replace(ingredients_of(setting)[1], saturated=None)
    a_end, path = setting.table.path.a[-1], setting.table.path
    growth = float(np.prod(refined.contraction))
    assert start > 0 and a_end == 1.0
    alone = refined.end(0.0, True, 0.0, 0.0)
    initial = float(np.sqrt((np.sqrt(path.s_sq[0]) - np.hypot(20.0, 1.0)) ** 2))
    assert alone <= plain * (1 + FOUR_DIGITS) <= alone + growth * max(2.0, initial) * (1 + FOUR_DIGITS)


#: Two points: where the flow is stopped, and the prototype's bound without early stopping's own term.
@pytest.mark.parametrize("key, stop, expected", [("ddim", 0.1, 1.49), ("heun", 0.1, 1.396),
                                                 ("heun", 0.4, 0.01794)])
def test_two_points(key, stop, expected):
    """½δ(±1) stopped early: the law has no density at time 0, and its local errors are known all the same."""
    facts = DataFacts(flow_errors=FlowErrors(Parts((Points(),), np.ones((1, 1)))))
    sampler = on(key, levels(20.0, stop, 64, last=False))
    found = FLOW.bound(Setting(edm(), BoundedSupport(1.0, 1, 1.0, 0.0), sampler, facts=facts))
    assert found.details["known_recursion"] - stop == pytest.approx(expected, rel=FOUR_DIGITS)


class Points:
    """½δ(±1), as a line of parts."""

    second_moment = 1.0

    def components(self):
        """Two components without width."""
        from closed_form.law import Components

        return Components(np.array([[-1.0], [1.0]]), np.array([0.5, 0.5]), np.asarray(0.0))


def ingredients_of(setting):
    """(From constants, with known errors) what the recursion of a setting runs on."""
    data = FlowData(setting.assumption, FLOW.functions)
    twice = setting.scheme.sampler.evaluations == 2
    steps = (TwiceSteps if twice else FlowSteps).of(setting, data)
    parts = (twice_ingredients if twice else flow_ingredients)(setting, data, steps, FLOW.functions)
    return parts, known_errors(setting, data, steps, replace(parts, local=np.full_like(parts.local, np.inf)))


@settings(max_examples=examples(12))
@given(key=st.sampled_from(SILENT), steps=st.integers(1, 40), far=st.floats(0.1, 3.0),
       std=st.floats(0.2, 1.5), share=st.floats(0.05, 0.95), dim=st.integers(1, 4),
       process=st.sampled_from(["ou", "vp", "edm"]))
def test_known_errors_are_below_those_of_constants(key, steps, far, std, share, dim, process):
    """Of every step what is known of the law is at most what its constants allow, whatever the sampler."""
    means = np.zeros((2, dim))
    means[1, 0] = far
    law = GaussianMixture(means, [share, 1 - share], std=std)
    grid = {"ou": TimeGrid.uniform(4.0, steps), "vp": TimeGrid.uniform(1.0, steps),
            "edm": levels(15.0, 0.05, steps + 1)}[process]
    made = {"ou": ou(), "vp": VP, "edm": edm()}[process]
    setting = setting_of(made, law, on(key, grid))
    parts, known = ingredients_of(setting)
    size = np.sqrt(law.second_moment + dim * setting.table.path.s_sq[0])
    assert np.all(known.local <= parts.local * (1 + KNOWN_RULE) + 1e-12 * size)
    assert FLOW.bound(setting).total <= FLOW.bound(setting.without_facts()).total * (1 + KNOWN_RULE)


@settings(max_examples=examples(12))
@given(strategies.questions(FLOW, most_steps=40))
def test_never_violated(question):
    """On drawn problems whose law is known the bound is at least the exact W2."""
    setting = setting_of(question.setting.process, question.problem.law, question.setting.scheme,
                         question.setting.score_error)
    certificate = certify_setting(FLOW, setting, question.problem.law)
    assert certificate.verdict in (Verdict.HOLDS, Verdict.INCONCLUSIVE)


@pytest.mark.parametrize("key, order", [("ddim", 1.0), ("heun", 2.0), ("midpoint", 2.0)])
def test_order(key, order):
    """Halving the steps divides the errors of known steps by two to the order of the sampler."""
    settings_of = (setting_of(edm(), MODES, on(key, levels(20.0, 0.1, K, last=False))) for K in (128, 256))
    totals = [FLOW.bound(setting).terms["discretisation"] for setting in settings_of]
    assert np.log2(totals[0] / totals[1]) == pytest.approx(order, abs=SLOPE)


def test_constants_alone_know_nothing_of_the_steps():
    """With --information constants there is no such recursion, and the bound is the larger one."""
    setting = setting_of(ou(), MODES, scheme("ddim", 5, 20), information="constants")
    found = FLOW.bound(setting)
    assert "known_recursion" not in found.details and found.information == "constants, saturated recursion"
    assert found.total > FLOW.bound(setting_of(ou(), MODES, scheme("ddim", 5, 20))).total


def test_a_folded_line_is_decided():
    """Where Heun's method folds the line the sorted values decide: HOLDS, from a bracket that says what it
    is."""
    law = GaussianMixture.two_modes(2.0, 0.05)
    setting = setting_of(edm(), law, on("heun", TimeGrid.from_times([20.0, 2.0, 0.5, 0.1, 0.0])))
    certificate = certify_setting(FLOW, setting, law)
    assert certificate.verdict is Verdict.HOLDS and "sorted map of the start" in certificate.measured.method
    assert certificate.sides["upper"].startswith("estimated")


def test_anisotropic_gaussians():
    """N(0, diag(0.2, 1, 3)): with exact errors of every step the bound is within a third of the truth, from
    constants it is farther."""
    law = Gaussian(np.zeros(3), [0.2, 1.0, 3.0])
    setting = setting_of(ou(), law, scheme("ddim", 5.0, 60))
    certificate = certify_setting(FLOW, setting, law)
    assert certificate.verdict is Verdict.HOLDS and certificate.bound.details["recursion"] == "known"
    assert certificate.ratio < 4 / 3 < FLOW.bound(setting.without_facts()).total / certificate.measured.upper
