"""The same tests for every theorem in the folder: dropping a file there is enough to be tested here."""

from dataclasses import replace
from functools import lru_cache

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from bounds import BoundedSupport, StronglyLogConcave, ou, vp
from bounds.facts import DataFacts
from bounds.process import ForwardProcess
from bounds.processes.cld import cld
from bounds.sampler import euler_maruyama, scheme
from bounds.samplers import samplers
from bounds.setting import Setting
from bounds.theorem import NotApplicable
from bounds.theorems import theorems
from closed_form import Gaussian
from tests import laws
from tests.bounds.tolerances import METRIC_SEARCH, RECURSION_RELATIVE, SYMBOLIC
from tests.drawn import examples
from verify.certificates.certificate import Verdict, certify_setting, measure
from verify.certificates.question import setting_of
from verify.certificates.sampled import Sampled
from verify.strategies import problems

THEOREMS = theorems()
CASES = [(theorem.key, case.name) for theorem in THEOREMS.values() for case in theorem.cases]
KEYS = pytest.mark.parametrize("key", THEOREMS)
#: Every theorem on every kind of process its cases are about: one block and two.
PROCESSES = {1: ou(), 2: cld()}
HOMES = [
    (key, blocks)
    for key, theorem in THEOREMS.items()
    for blocks in sorted({c.process().blocks for c in theorem.cases})
]
AT_HOME = pytest.mark.parametrize("key, blocks", HOMES)


def at_home(key, horizon, steps):
    """Euler–Maruyama, or a sampler that the theorem is stated for."""
    known = THEOREMS[key].domain.sampler
    return scheme("euler-maruyama" if not known or "euler-maruyama" in known else known[0], horizon, steps)


def applicable(key, question):
    """A drawn question with a sampler that the theorem is stated for."""
    known = THEOREMS[key].domain.sampler
    kept = not known or question.scheme.key in known
    sampler = question.scheme.sampler if kept else samplers()[known[question.scheme.grid.steps % len(known)]]
    return setting_of(question.process, question.law, replace(question.scheme, sampler=sampler),
                      question.score_error, question.score_noise)


@lru_cache
def case_setting(key, name):
    """(theorem, case, law, setting, exact W2) of one case."""
    theorem = THEOREMS[key]
    (case,) = [c for c in theorem.cases if c.name == name]
    law = case.law(laws)
    setting = setting_of(
        case.process(), law, case.scheme(), case.score_error, case.score_noise, information=case.information
    )
    return theorem, case, law, setting, measure(setting, law)


@KEYS
def test_every_theorem_documents_itself(key):
    """Four headings, a source, every symbol explained, no symbol beyond those, and LaTeX from the stated
    formula."""
    theorem = THEOREMS[key]
    module = __import__(f"bounds.theorems.{key.replace('-', '_')}", fromlist=["THEOREM"])
    for heading in ("Statement", "Hypotheses", "Source", "Transcription"):
        assert heading in module.__doc__
    used = {str(s) for expression in theorem.stated.values() for s in expression.free_symbols}
    assert used == set(theorem.symbols)
    assert all(meaning for meaning in theorem.symbols.values())
    whole = theorem.latex()
    for expression in theorem.stated.values():
        assert sympy.latex(expression) in whole
    assert theorem.cases


@KEYS
def test_stated_and_derived_agree(key):
    """The formula as stated equals the formula rebuilt from lemmas, at exact rational points to 25 digits."""
    theorem = THEOREMS[key]
    derived = theorem.derived
    assert set(derived) == set(theorem.stated)
    rng = np.random.default_rng(11)
    for name, stated in theorem.stated.items():
        symbols = sorted(stated.free_symbols | derived[name].free_symbols, key=str)
        both = [
            sympy.lambdify(symbols, expression, modules="mpmath", cse=True)
            for expression in (stated, derived[name])
        ]
        for _ in range(16):
            point = {str(s): sympy.Rational(int(rng.integers(1, 400)), 97) for s in symbols}
            # names fix what must be ordered or negative: H_lo < H_lo + X < 0, l <= m
            if "H_lo" in point:
                point["H_lo"] = -point["H_lo"] - point.get("X", 0)
            if "m" in point:
                point["m"] += point.get("l", 0)
            if "x_mean" in point:  # at most X, and small enough for a mean
                point["x_mean"] /= 10
            with mpmath.workdps(60):
                one, two = (function(*(mpmath.mpf(v.p) / v.q for v in point.values())) for function in both)
                assert abs(one - two) <= SYMBOLIC * max(1, abs(one), abs(two)), (name, point)


@pytest.mark.parametrize("key, name", CASES)
def test_cases_hold_and_are_not_vacuous(key, name):
    """On each of its cases the theorem holds, within the looseness the case allows."""
    theorem, case, law, setting, measured = case_setting(key, name)
    certificate = certify_setting(theorem, setting, law, measured)
    assert certificate.verdict is Verdict.HOLDS
    assert 1 - 1e-9 <= certificate.ratio <= case.ratio_ceiling


DECISIVE = [(k, n, term) for k, n in CASES for c in THEOREMS[k].cases if c.name == n for term in c.decisive]


@pytest.mark.parametrize("key, name, term", DECISIVE)
def test_a_corrupted_statement_is_caught(key, name, term):
    """With one stated expression spoiled, a tight case is VIOLATED."""
    theorem, case, law, setting, measured = case_setting(key, name)
    corrupted = theorem.corrupted(term, case.decisive[term])
    if term not in _used(theorem, setting):
        pytest.fail(f"{term} plays no part in {name}")
    assert certify_setting(corrupted, setting, law, measured).verdict is Verdict.VIOLATED


def _used(theorem, setting):
    """Which stated expressions the numbers of a setting really come from."""
    seen = set()

    class Spy(dict):
        def __getitem__(self, name):
            seen.add(name)
            return super().__getitem__(name)

    theorem.evaluate(setting, Spy(theorem.functions))
    return seen


@KEYS
def test_every_theorem_has_a_decisive_case(key):
    """Each theorem names at least one case on which a corrupted statement is caught."""
    assert any(case.decisive for case in THEOREMS[key].cases)


@AT_HOME
@settings(max_examples=examples(4))
@given(error=st.floats(0.0, 2.0), noise=st.floats(0.0, 2.0), more=st.floats(0.0, 1.0))
def test_terms_grow_with_every_error_source(key, blocks, error, noise, more):
    """Named terms are non-negative, none decreases when a score error grows, and the total is at most their
    sum.

    With two blocks the metric is chosen for the total, which alone must grow: a term may give way to another.
    """
    theorem, process = THEOREMS[key], PROCESSES[blocks]
    law = Gaussian([0.3, -0.2], [0.5, 1.5])
    if theorem.kind == "lower":
        setting = setting_of(process, law, at_home(key, 2.0, 12))
        assert all(value >= 0 for value in theorem.bound(setting).terms.values())
        return
    small, large = (
        theorem.bound(setting_of(process, law, at_home(key, 2.0, 12), e, n))
        for e, n in ((error, noise), (error + more, noise + more))
    )
    for name, value in small.terms.items():
        assert 0 <= value and (blocks == 2 or value <= large.terms[name] * (1 + 1e-12))
    assert small.total <= large.total * (1 + (METRIC_SEARCH if blocks == 2 else 1e-12))
    assert small.total <= sum(small.terms.values()) * (1 + 1e-9)
    assert small.total >= max(small.terms.values()) * (1 - 1e-9)


@AT_HOME
@settings(max_examples=examples(4))
@given(factor=st.floats(-2, 2).map(lambda x: 10.0**x))
def test_scaling_the_data_scales_every_bound(key, blocks, factor):
    """With x → cx, and the noise, prior and score scaled to match, every bound is multiplied by c."""
    theorem, process, size = THEOREMS[key], PROCESSES[blocks], sympy.Rational(factor)
    scaled = (
        ForwardProcess.scalar("scaled", process.f, process.g_sq * size**2) if blocks == 1
        else cld(sigma=2 * size, velocity_variance=size**2)
    )
    # M1 compares ‖x‖ with 1 and does not scale: zero it where a theorem takes it
    facts = DataFacts(time_regularity=0.0)
    law = StronglyLogConcave(2.0, 2.0, dim=3, mean_norm=0.7)
    error = 0.0 if theorem.kind == "lower" else 0.2
    one = theorem.bound(Setting(process, law, at_home(key, 2.0, 15), error, error, facts)).total
    two = theorem.bound(
        Setting(scaled, law.scaled(factor), at_home(key, 2.0, 15), error / factor, error / factor, facts)
    ).total
    assert two == pytest.approx(factor * one, rel=RECURSION_RELATIVE if blocks == 1 else METRIC_SEARCH)


@AT_HOME
def test_the_right_limits(key, blocks):
    """With exact score, long horizon and ever more steps, every bound tends to 0 at its order or better."""
    theorem = THEOREMS[key]
    law = Gaussian([0.1], 0.8)
    totals = [
        theorem.bound(setting_of(PROCESSES[blocks], law, at_home(key, 9.0 * blocks, K))).total
        for K in (300, 1200, 4800)
    ]
    assert totals[2] < 0.6 * totals[1] < 0.36 * totals[0]


@AT_HOME
@settings(max_examples=examples(5))
@given(data=st.data())
def test_never_violated_on_drawn_gaussian_problems(key, blocks, data):
    """On drawn admissible problems with Gaussian data the verdict is HOLDS wherever the theorem applies."""
    question = data.draw(problems(kind="gaussian", process={1: "one-block", 2: "cld"}[blocks]))
    setting = applicable(key, question)
    certificate = certify_setting(THEOREMS[key], setting, question.law)
    assert certificate.verdict in (Verdict.HOLDS, Verdict.NOT_APPLICABLE)


@pytest.mark.parametrize("key", [key for key, blocks in HOMES if blocks == 1])
@settings(max_examples=examples(3))
@given(question=problems(kind="mixture", most_steps=40))
def test_never_violated_on_drawn_mixtures(key, question):
    """On drawn admissible mixtures the verdict is HOLDS wherever the theorem applies and the truth is
    known, and never VIOLATED."""
    setting = applicable(key, question)
    certificate = certify_setting(THEOREMS[key], setting, question.law)
    measured = certificate.measured
    if isinstance(measured, Sampled):
        assert certificate.verdict in (Verdict.HOLDS, Verdict.INCONCLUSIVE)
        return
    if measured is not None and np.isinf(measured.upper):
        assert certificate.verdict is Verdict.INCONCLUSIVE
        return
    assert certificate.verdict in (Verdict.HOLDS, Verdict.NOT_APPLICABLE)


UNMET = [
    ("martingale-coupled", Setting(cld(), StronglyLogConcave(1, 1), euler_maruyama(1, 3)), "one block"),
    ("gao2025-general-sde", Setting(cld(), StronglyLogConcave(1, 1), euler_maruyama(1, 3)), "one block"),
    ("gaussian-lower-bound", Setting(cld(), StronglyLogConcave(1, 1), euler_maruyama(1, 3)), "one block"),
    (
        "gentiloni2025-weak-log-concave",
        Setting(cld(), StronglyLogConcave(1, 1), euler_maruyama(1, 3)),
        "one block",
    ),
    ("martingale", Setting(ou(), BoundedSupport(1.0), euler_maruyama(1, 3)), "finite Fisher information"),
    (
        "gao2025-general-sde",
        Setting(ou(), StronglyLogConcave(1, 1), scheme("exponential", 1, 3)),
        "Euler–Maruyama",
    ),
    ("gao2025-general-sde", Setting(ou(), StronglyLogConcave(1, 1), euler_maruyama(1, 3)), "time regularity"),
    (
        "gao2025-general-sde",
        Setting(vp(1), BoundedSupport(1.0), euler_maruyama(1, 3)),
        "strong log-concavity",
    ),
    ("martingale", Setting(ou(), StronglyLogConcave(1, 1), scheme("ddim", 1, 3)), "noise"),
    ("flow", Setting(ou(), StronglyLogConcave(1, 1), euler_maruyama(1, 3)), "no noise"),
    ("flow", Setting(ou(), BoundedSupport(1.0), scheme("ddim", 1, 3)), "finite Fisher information"),
    ("gaussian-lower-bound", Setting(ou(), StronglyLogConcave(1, 2), euler_maruyama(1, 3)), "Gaussian data"),
    (
        "gaussian-lower-bound",
        Setting(ou(), StronglyLogConcave(1, 1), euler_maruyama(1, 3), 0.1),
        "exact score",
    ),
]


@pytest.mark.parametrize("key, setting, hypothesis", UNMET)
def test_unmet_hypotheses_are_refused_by_name(key, setting, hypothesis):
    """A theorem whose hypothesis is not met refuses, and names the hypothesis."""
    with pytest.raises(NotApplicable, match=hypothesis) as refused:
        THEOREMS[key].bound(setting)
    assert any(line.startswith(hypothesis) for line in refused.value.unmet)
