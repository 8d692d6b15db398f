"""Public functions refuse objects of a wrong type by name: what must be given, and the type that came."""

import numpy as np
import pytest

from bounds import Scheme, Setting, euler_maruyama, ou, scheme
from bounds.samplers import samplers
from bounds.theorems import theorems
from closed_form import Gaussian, sampler_w2, w2_gaussian, w2_line
from tests.command_line import assert_refused, problem, run
from verify import certify, certify_setting, measure, planner_of, setting_of
from verify.studies.convexity_profile import profile_at

LAW, PLAN = Gaussian(np.zeros(1), 0.25), euler_maruyama(1.0, 4)
QUESTION, MARTINGALE = setting_of(ou(), LAW, PLAN), theorems()["martingale"]
ASSUMED = QUESTION.assumption

#: What is called, with one argument of a wrong type, by the argument's name and the type that came.
WRONG = [
    ("process", "float", lambda: certify("martingale", process=1.0, law=LAW, scheme=PLAN)),
    ("law", "ndarray", lambda: certify("martingale", process=ou(), law=np.zeros((3, 1)), scheme=PLAN)),
    ("scheme", "str", lambda: certify("martingale", process=ou(), law=LAW, scheme="euler-maruyama")),
    ("assumption", "dict", lambda: certify("martingale", process=ou(), law=LAW, scheme=PLAN, assumption={})),
    ("theorem", "list", lambda: certify(["martingale"], process=ou(), law=LAW, scheme=PLAN)),
    ("theorem", "Setting", lambda: certify_setting(QUESTION, QUESTION, LAW)),
    ("law", "NoneType", lambda: setting_of(ou(), None, PLAN)),
    ("setting", "Gaussian", lambda: measure(LAW, LAW)),
    ("setting", "ForwardProcess", lambda: MARTINGALE.bound(ou())),
    ("setting", "NoneType", lambda: planner_of(MARTINGALE, None)),
    ("theorem", "NoneType", lambda: planner_of(None, QUESTION)),
    ("steps", "Scheme", lambda: sampler_w2(LAW, PLAN)),
    ("law", "list", lambda: sampler_w2([0.0], PLAN.steps(ou()))),
    ("p", "float", lambda: w2_gaussian(1.0, LAW)),
    ("q", "ndarray", lambda: w2_gaussian(LAW, np.zeros(1))),
    ("law", "int", lambda: w2_line(LAW, 3)),
    ("process", "Gaussian", lambda: PLAN.steps(LAW)),
    ("sampler", "NoneType", lambda: scheme(None, 1.0, 4)),
    ("grid", "list", lambda: scheme("ancestral", 1.0, 4, grid=[1.0, 0.0])),
    ("grid", "list", lambda: Scheme(samplers()["ancestral"], [1.0, 0.0])),
    ("sampler", "int", lambda: Scheme(3, PLAN.grid)),
    ("process", "Gaussian", lambda: Setting(LAW, ASSUMED, PLAN)),
    ("assumption", "Gaussian", lambda: Setting(ou(), LAW, PLAN)),
    ("score_error", "NoneType", lambda: Setting(ou(), ASSUMED, PLAN, None)),
    ("score_noise", "str", lambda: Setting(ou(), ASSUMED, PLAN, 0.0, "small")),
    ("facts", "dict", lambda: Setting(ou(), ASSUMED, PLAN, facts={})),
    ("law", "str", lambda: profile_at(ou(), "funnel")),
]


@pytest.mark.parametrize(("name", "came", "call"), WRONG)
def test_a_wrong_type_is_named(name, came, call):
    """One line, a TypeError: the argument, what it must be, and the type that came."""
    with pytest.raises(TypeError, match=rf"^{name} must be .+, got {came}$"):
        call()


def test_a_law_without_a_profile_says_so(tmp_path):
    """A funnel has no convexity profile, which is one line and no traceback."""
    funnel = problem(tmp_path, "funnel", {"process.family": '"ou"'})
    assert "law must be made of Gaussians to have a profile" in assert_refused(run("profile", funnel))
