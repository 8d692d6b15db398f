"""Keys are accepted where an object of a registry is due, and a key that nothing has is refused in one
line."""

import inspect
import pickle
import re
from importlib import import_module
from typing import get_args, get_type_hints

import numpy as np
import pytest

from bounds import ForwardProcess, Scheme, Setting, Theorem, cld, euler_maruyama, ou, scheme
from bounds.assumption import Assumption
from bounds.complexity.best_grid import model_of
from bounds.complexity.orders import complexity, of_process
from bounds.processes import families, process_of
from bounds.recursion.stepwise import stepwise_bound
from bounds.samplers import samplers
from bounds.steps.phase_space.path import PhasePath
from bounds.steps.rule import Sampler
from bounds.theorems import theorems
from bounds.theorems.gaussian_lower_bound import defect_over_step
from closed_form import Funnel, Gaussian, GaussianMixture
from tests.whole.shown_code import public_names
from verify import certify, certify_setting, planner_of, setting_of
from verify.certificates.theorem_named import find_theorem
from verify.counterexamples.campaign import refute
from verify.counterexamples.drawing import NumpyDraw, problem
from verify.counterexamples.refuting import hunt
from verify.counterexamples.search import examine_all
from verify.planning.by_bound import DirectPlanner
from verify.planning.by_model import Planner
from verify.strategies import processes, questions
from verify.studies.constants import constants_of_samples
from verify.studies.convexity_profile import profile_at
from verify.studies.lower_constants import signed_integral, vanishing_stds
from verify.studies.regimes import regimes_of
from verify.studies.schedules import compare
from verify.testing import check

LAW, MIXTURE, PLAN = Gaussian([0.5], 0.25), GaussianMixture.two_modes(2.0, 0.5), euler_maruyama(1.0, 4)
QUESTION, MARTINGALE = setting_of(ou(), LAW, PLAN), theorems()["martingale"]
POINTS = np.array([[0.0], [1.0], [3.0]])
#: What takes a key, by the argument's name, a key, the object it stands for, and what is done with either.
KEYS = [
    ("theorem", "martingale", MARTINGALE, find_theorem),
    ("theorem", "martingale", MARTINGALE, lambda x: certify(x, process=ou(), law=LAW, scheme=PLAN)),
    ("theorem", "martingale", MARTINGALE, lambda x: certify_setting(x, QUESTION, LAW)),
    ("theorem", "martingale", MARTINGALE, lambda x: planner_of(x, QUESTION).plan(0.5).steps),
    ("theorem", "martingale", MARTINGALE, lambda x: Planner(x, QUESTION).plan(0.5).steps),
    ("theorem", "martingale", MARTINGALE, lambda x: DirectPlanner(x, QUESTION, horizon=2.0).plan(0.5).steps),
    ("theorem", "martingale", MARTINGALE, lambda x: stepwise_bound(x, QUESTION, np.full(4, 0.1))),
    ("theorem", "martingale", MARTINGALE, lambda x: model_of(x, QUESTION, 8).best_grid(4)),
    ("theorem", "martingale", MARTINGALE, lambda x: str(complexity(x, 1, 2).steps)),
    ("theorem", "martingale", MARTINGALE, lambda x: str(of_process(x, ou()).steps)),
    ("start", "martingale", MARTINGALE, lambda x: str(complexity("martingale", 1, 2, x).steps)),
    ("theorem", "martingale", MARTINGALE, lambda x: check(x, problems=2, plant=False)),
    ("theorem", "martingale", MARTINGALE, lambda x: hunt(x, 0, 0, stop=lambda: True).number),
    ("theorem", "martingale", MARTINGALE, lambda x: refute(x, seconds=1e-9).theorem.key),
    ("theorem", "martingale", MARTINGALE,
     lambda x: len(examine_all([0], theorem=x, kind="gaussian", most_steps=3))),
    ("theorem", "martingale", MARTINGALE, lambda x: [questions(x), find_theorem(x)][1]),
    ("theorem", "martingale", MARTINGALE,
     lambda x: constants_of_samples(POINTS, ou(), PLAN, x, [1.0], resamples=1).rows[0].bound),
    ("theorem", "martingale", MARTINGALE, lambda x: [each.bound for each in compare(LAW, 2, ["OU"], x)]),
    ("process", "ou", ou(), process_of),
    ("process", "ou", ou(), lambda x: certify("martingale", process=x, law=LAW, scheme=PLAN)),
    ("process", "ou", ou(), lambda x: setting_of(x, LAW, PLAN).process),
    ("process", "ou", ou(), lambda x: Setting(x, QUESTION.assumption, PLAN).process),
    ("process", "ou", ou(), lambda x: PLAN.steps(x).P.tolist()),
    ("process", "cld", cld(), lambda x: PLAN.table(x).steps().P.tolist()),
    ("process", "cld", cld(), lambda x: PhasePath(x).sigma),
    ("process", "ou", ou(), lambda x: str(of_process("martingale", x).steps)),
    ("process", "ou", ou(), lambda x: profile_at(x, LAW, distances=[1.0]).proved.tolist()),
    ("process", "ou", ou(), lambda x: regimes_of(x, QUESTION.assumption, 2.0).eta),
    ("process", "ou", ou(), defect_over_step),
    ("process", "ou", ou(), lambda x: signed_integral(x, 2.0, 1.5)),
    ("process", "ou", ou(), lambda x: vanishing_stds(x, 15.0, [1.2, 3.0])),
    ("process", "ou", ou(),
     lambda x: constants_of_samples(POINTS, x, PLAN, "martingale", [1.0], resamples=1).rows[0].xi),
    ("sampler", "ancestral", samplers()["ancestral"], lambda x: Scheme(x, PLAN.grid)),
    ("sampler", "ancestral", samplers()["ancestral"], lambda x: scheme(x, 1.0, 4)),
    ("assumption", "log-lipschitz", MIXTURE.assumptions()[1],
     lambda x: setting_of(ou(), MIXTURE, PLAN, assumption=x)),
    ("assumption", "log-lipschitz", MIXTURE.assumptions()[1],
     lambda x: certify("martingale", process=ou(), law=MIXTURE, scheme=PLAN, assumption=x)),
]
NAMES = [f"{name}-{place}" for place, (name, *_) in enumerate(KEYS)]
#: Keys that stand for no object, by the argument's name: one of them, and what takes it.
CHOICES = [
    ("grid", "uniform", lambda x: scheme("ancestral", 1.0, 4, grid=x)),
    ("grid", "best", lambda x: planner_of("martingale", QUESTION, grid=x)),
    ("information", "constants", lambda x: setting_of(ou(), LAW, PLAN, information=x)),
    ("schedule", "OU", lambda x: compare(LAW, 2, [x])),
    ("kind", "gaussian", lambda x: problem(NumpyDraw(np.random.default_rng(0)), kind=x, most_steps=3)),
    ("sampler", "ancestral", lambda x: problem(NumpyDraw(np.random.default_rng(0)), sampler=x, most_steps=3)),
    ("process", "cld", processes),
]


def plain(found):
    """A result as something to be compared."""
    return pickle.dumps(found) if isinstance(found, Setting) else found


@pytest.mark.parametrize(("name", "key", "object_", "call"), KEYS, ids=NAMES)
def test_a_key_stands_for_its_object(name, key, object_, call):
    """With the key the answer is that with the object."""
    assert plain(call(key)) == plain(call(object_))


@pytest.mark.parametrize(("name", "key", "call"),
                         [(name, key, call) for name, key, _, call in KEYS] + CHOICES)
def test_an_unknown_key_is_refused(name, key, call):
    """One line that names the argument, the keys that there are, what came, and the key it may have meant."""
    wrong = key + "x"
    with pytest.raises(ValueError) as refused:
        call(wrong)
    said = str(refused.value)
    assert re.fullmatch(rf"{name} must be one of .+, got '{wrong}' \(did you mean '{key}'\?\)", said)
    assert key in re.split("one of |, ", said)
    with pytest.raises((TypeError, ValueError), match=rf"^{name} must be .*, got"):
        call(3)


@pytest.mark.parametrize("key", [key for key, family in families().items()
                                 if any(about.default is None for about in family.coefficients.values())])
def test_a_family_with_coefficients_says_so(key):
    """The key of a family whose coefficients must be given is refused with the function that takes them."""
    needed = r"^process must be made with its .*, as by bounds\.\w+\(.*\), got"
    with pytest.raises(ValueError, match=needed) as refused:
        process_of(key)
    name = re.search(r"bounds\.(\w+)\(", str(refused.value))[1]
    assert getattr(import_module("bounds"), name) is families()[key].make


@pytest.mark.parametrize(("module", "name"), public_names())
def test_public_functions_take_keys(module, name):
    """What README, documents and notebooks use takes a key where it takes a theorem, a sampler or a process,
    and where it takes a law also for the assumption on it."""
    function = getattr(import_module(module), name, None)
    if not inspect.isroutine(function):
        return
    hints = get_type_hints(function, localns={"Axes": object, "Bracket": object})
    due = {Theorem, Sampler, ForwardProcess} | ({Assumption} if "law" in hints else set())
    for argument in inspect.signature(function).parameters:
        kinds = [hints[argument], *get_args(hints[argument])] if argument in hints else []
        assert not any(kind in kinds for kind in due) or str in kinds, argument


def test_a_law_without_assumptions_has_none_of_any_key():
    """Where nothing is proved of the law a theorem does not apply, whichever assumption is asked for."""
    found = certify("martingale", process=ou(), law=Funnel(3), scheme=PLAN, assumption="log-lipschitz")
    assert found.verdict == "NOT_APPLICABLE" and "no assumption is proved for a funnel" in found.unmet[0]
