"""Claims: their numbers against the formulas by hand, what they refuse, and that a false one is refuted."""

import json
import pickle
from itertools import pairwise

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounds import (
    StronglyLogConcave,
    WeaklyLogConcave,
    claim,
    cld,
    euler_maruyama,
    exponential_integrator,
    ou,
    ve,
    vp,
)
from bounds.claim.symbols import SYMBOLS, Numbers
from bounds.grid import TimeGrid
from bounds.sampler import Scheme
from bounds.samplers import samplers
from bounds.setting import Setting
from bounds.symbolic.expressions import ExpressionError
from bounds.theorem import NotApplicable
from closed_form import Gaussian, GaussianMixture
from tests.bounds.tolerances import CLAIM_BY_HAND, CLAIM_SYMBOL
from tests.command_line import schema
from verify import certify, setting_of
from verify.certificates.certificate import Certificate, Verdict

SIMPLE = dict(
    source="Me 2026, Theorem 1", process=["ou"], sampler=["exponential"], data=["strong-log-concave"],
    initial="exp(-T)*sqrt(m2 + d)",
    growth="Max(Abs(exp(h) - 2*(exp(h)-1)*m0), Abs(exp(h) - 2*(exp(h)-1)*L0))",
    local="2*(exp(h)-1)*((1-exp(-h))*sqrt(d*L0) + sqrt(2*h*d)*L0 + M)")
LAW = Gaussian([0.5, 0.0], np.array([0.6, 0.8]))
DATA = StronglyLogConcave(1.0, 2.0, dim=3, mean_norm=0.7)


def simple(**changed):
    """The claim of the docs, with parts replaced."""
    return claim.recursion("simple2026", **{**SIMPLE, **changed})


def by_hand(times, law, error):
    """E_K of the claim of the docs, to 40 digits from its formulas."""
    with mpmath.workdps(40):
        exp, sqrt = mpmath.exp, mpmath.sqrt
        m0, L0, d = 1 / mpmath.mpf(float(max(law.eigenvalues))), 1 / mpmath.mpf(float(min(law.eigenvalues))), law.dim
        found = exp(-mpmath.mpf(times[0])) * sqrt(mpmath.mpf(law.second_moment) + d)
        for above, below in pairwise(times):
            h = mpmath.mpf(above) - mpmath.mpf(below)
            growth = max(abs(exp(h) - 2 * (exp(h) - 1) * m0), abs(exp(h) - 2 * (exp(h) - 1) * L0))
            found = growth * found + 2 * (exp(h) - 1) * (
                (1 - exp(-h)) * sqrt(d * L0) + sqrt(2 * h * d) * L0 + mpmath.mpf(error))
        return found


@given(st.lists(st.floats(1e-9, 1.0), min_size=1, max_size=12), st.floats(0.0, 3.0))
def test_a_recursion_is_what_its_formulas_say(lengths, error):
    """On any grid, short steps whose formulas cancel among them, the bound is E_K, from above and hardly
    so."""
    times = np.append(np.cumsum(lengths)[::-1], 0.0)
    scheme = Scheme(samplers()["exponential"], TimeGrid.from_times(times))
    bound = simple().bound(setting_of(ou(), LAW, scheme, error))
    expected = by_hand(times.tolist(), LAW, error)
    assert expected <= mpmath.mpf(bound.total) <= expected * (1 + CLAIM_BY_HAND)
    assert bound.total == pytest.approx(sum(bound.terms.values()), rel=1e-12)
    assert (bound.terms["score bias"] > 0) == (error > 0)


def test_a_closed_form_is_the_sum_of_its_terms():
    """A sum of terms is rounded upwards, with h the longest step and the names of the docs."""
    found = claim.closed_form("sum", source="Me, (1)", terms={
        "initialisation": "exp(-T)*sqrt(m2)", "discretisation": "L0*sqrt(d*h)", "score_bias": "T*M"})
    grid = TimeGrid.from_times([2.0, 1.5, 0.3, 0.0])
    bound = found.bound(Setting(vp(1), DATA, Scheme(samplers()["euler-maruyama"], grid), 0.25))
    second = 0.7**2 + 3.0  # the largest variance of 1-strongly log-concave data in dimension 3
    terms = np.exp(-2.0) * np.sqrt(second), 2.0 * np.sqrt(3 * 1.2), 0.5
    assert list(bound.terms) == ["initialisation", "discretisation", "score bias", "score noise"]
    assert bound.total == pytest.approx(sum(terms), rel=1e-12)
    assert [bound.terms[name] for name in list(bound.terms)[:3]] == pytest.approx(terms, rel=1e-12)


def test_a_lower_claim_is_never_negative():
    """A lower bound is rounded downwards and is at least 0."""
    make = lambda text: claim.closed_form("low", source="Me", kind="lower", terms={"all": text})  # noqa: E731
    setting = Setting(ou(), DATA, euler_maruyama(1.0, 4))
    third = make("1/3").bound(setting).total
    assert third < mpmath.mpf(1) / 3 < third * (1 + 1e-14)
    assert make("-d").bound(setting).total == 0.0
    certificate = certify(make("sqrt(m2)"), process=ou(), law=LAW, scheme=euler_maruyama(3.0, 300))
    assert certificate.verdict is Verdict.VIOLATED


@pytest.mark.parametrize("name", [name for name, known in SYMBOLS.items() if known.scope != "data"])
@pytest.mark.parametrize("process", [vp("1/10 + 3*t"), ve("1 + t")], ids=["vp", "ve"])
def test_every_symbol_is_what_it_says(process, name):
    """Every symbol is within its error of its definition, by integrals worked out by hand in 30 digits."""
    times = [1.25, 0.75, 0.5, 0.125]
    setting = Setting(process, DATA, Scheme(samplers()["euler-maruyama"], TimeGrid.from_times(times), 1.5),
                      0.3, 0.2)
    with mpmath.workdps(30):
        number = mpmath.mpf
        if process.name == "vp":  # g² = 2f = β
            of_f, of_g_sq = lambda t: number(t) / 20 + 3 * number(t) ** 2 / 4, lambda t: number(t) / 10 + 3 * number(t) ** 2 / 2
            s_sq = lambda t: 1 - mpmath.exp(-2 * of_f(t))  # noqa: E731
        else:
            of_f, of_g_sq = lambda t: number(0), lambda t: ((1 + number(t)) ** 3 - 1) / 3
            s_sq = of_g_sq
        a = lambda t: mpmath.exp(-of_f(t))  # noqa: E731
        f_over, g_over = (lambda r, t, of=of: of(t) - of(r) for of in (of_f, of_g_sq))
        steps = list(pairwise(times))
        above, below = times[:-1], times[1:]
        one, two = 1 / mpmath.mpf(DATA.L0), 1 / mpmath.mpf(DATA.m0)
        expected = {
            "d": 3, "m2": 0.7**2 + 3, "mean_norm": 0.7, "T": 1.25, "t0": 0.125, "K": 3, "M": 0.3,
            "M_noise": 0.2,
            "sigma": 1.5, "a_T": a(1.25), "s_T": mpmath.sqrt(s_sq(1.25)), "a_0": a(0.125),
            "s_0": mpmath.sqrt(s_sq(0.125)), "F_T": f_over(0.125, 1.25), "G_T": g_over(0.125, 1.25),
            "h": [t - r for t, r in steps], "t": above, "r": below, "k": [1, 2, 3],
            "F": [f_over(r, t) for t, r in steps], "G": [g_over(r, t) for t, r in steps],
            "C": [s_sq(t) - (a(t) / a(r)) ** 2 * s_sq(r) for t, r in steps],
            "P": [1 + f_over(r, t) for t, r in steps], "Q": [g_over(r, t) for t, r in steps],
            "n_sq": [g_over(r, t) for t, r in steps], "a": [a(t) for t in above],
            "a_r": [a(r) for r in below],
            "s_sq": [s_sq(t) for t in above], "s_sq_r": [s_sq(r) for r in below],
            "L_t": [1 / (a(t) ** 2 * one + s_sq(t)) for t in above],
            "alpha_t": [1 / (a(t) ** 2 * two + s_sq(t)) for t in above]}[name]
    found, error = Numbers(setting)[name]
    expected = np.array(expected, dtype=np.longdouble if np.ndim(expected) == 0 else object)
    off = np.abs((np.asarray(found, dtype=object) - expected).astype(float))
    assert np.all(off <= error + CLAIM_SYMBOL * np.abs(np.asarray(found, dtype=float)))
    assert np.all(np.asarray(error) <= CLAIM_SYMBOL * np.abs(np.asarray(found, dtype=float)) * 10)


def test_constants_of_weakly_log_concave_data_are_what_they_are_called():
    """α, M and L0 as the assumption has them."""
    numbers = Numbers(Setting(ou(), WeaklyLogConcave(0.5, 2.0, 3.0), euler_maruyama(1.0, 4)))
    assert [float(numbers[name][0]) for name in ("alpha", "weak_M", "L0")] == [0.5, 2.0, 3.0]


def test_a_negative_upper_bound_is_refuted():
    """Where the formulas give less than 0 the bound is 0, says so, and is VIOLATED; the certificate keeps its
    schema."""
    theorem = claim.closed_form("negative", source="Me", terms={"initialisation": "1 - T"})
    found = certify(theorem, process=ou(), law=LAW, scheme=euler_maruyama(3.0, 30))
    assert found.verdict is Verdict.VIOLATED and found.bound.total == 0.0
    assert "a formula is negative here: 0 is taken in its place" in found.bound.notes
    schema("certificate").validate(json.loads(found.to_json()))


def test_a_certificate_of_a_claim_can_be_read():
    """The certificate of a lower claim, which no registry knows, comes back from JSON as a lower bound."""
    theorem = claim.closed_form("low", source="Me", kind="lower", terms={"all": "0"})
    found = certify(theorem, process=ou(), law=LAW, scheme=euler_maruyama(3.0, 30))
    again = Certificate.from_json(found.to_json())
    assert again.bound.kind == "lower" and again.verdict is Verdict.HOLDS


def test_a_false_claim_is_refuted():
    """With its local term a thousand times too small the claim of the docs is VIOLATED, as stated it
    HOLDS."""
    local = f"({SIMPLE['local']})/1000"
    verdicts = [certify(theorem, process=ou(), law=LAW, scheme=exponential_integrator(5.0, 50)).verdict
                for theorem in (simple(), simple(local=local))]
    assert verdicts == [Verdict.HOLDS, Verdict.VIOLATED]


def test_hypotheses_are_checked_by_name():
    """Another process, sampler, data, grid, a score noise, an early stop, an inequality: each is named."""
    theorem = simple(grid=["uniform"], hypotheses=["h*L0 <= 1/10", "T >= 1"])
    scheme = Scheme(samplers()["euler-maruyama"], TimeGrid.from_times([0.5, 0.25, 0.1]))
    setting = Setting(vp(1), WeaklyLogConcave(1.0, 0.5, 2.0), scheme, 0.0, 0.1)
    with pytest.raises(NotApplicable) as refused:
        theorem.bound(setting)
    for said in ("process: stated for ou, got vp", "sampler: stated for exponential, got euler-maruyama",
                 "data: stated for strong-log-concave, got weak-log-concave",
                 "grid: stated for uniform, got list",
                 "no score noise: the formulas do not contain M_noise, got score_noise 0.1",
                 "early_stop 0.1", "hypothesis: needs h*L0 <= 1/10", "hypothesis: needs T >= 1"):
        assert any(said in line for line in refused.value.unmet), said
    assert not theorem.unmet(setting_of(ou(), LAW, exponential_integrator(2.0, 100)))


def test_what_touches_an_inequality_meets_it():
    """h·8 <= 1 holds for eight steps on [0, 1], and h·8 < 1 does not."""
    setting = setting_of(ou(), LAW, exponential_integrator(1.0, 8))
    assert not simple(hypotheses=["8*h <= 1"]).unmet(setting)
    assert simple(hypotheses=["8*h < 1"]).unmet(setting)


def test_constants_of_other_data_are_named():
    """A formula with m0 does not apply to data without one, and one with weak_M does not to bounded data."""
    theorem = claim.closed_form("weak", source="Me", terms={"initialisation": "m0 + weak_M"})
    law = GaussianMixture.two_modes(4.0, 0.5)
    assert any("needs m0" in line for line in theorem.unmet(setting_of(ou(), law, euler_maruyama(1.0, 5))))


def test_two_blocks_have_no_one_block_symbols():
    """A claim with a symbol of one block does not apply to Langevin, one without does."""
    setting = setting_of(cld(), LAW, euler_maruyama(2.0, 5))
    with_path = claim.closed_form("path", source="Me", terms={"initialisation": "a_T"})
    assert with_path.unmet(setting) == ("one block: the process has 2 blocks, this form needs 1",)
    assert claim.closed_form("plain", source="Me",
                             terms={"initialisation": "exp(-T) + h"}).bound(setting).total > 0


@pytest.mark.parametrize(("changed", "named"), [
    (dict(local="q*h"), r"claim simple2026: local .*'q' \(Q\?\) is neither one of d, m2"),
    (dict(local="__import__('os')"), "claim simple2026: local .*'__import__' is neither"),
    (dict(local="h*l0"), r"claim simple2026: local .*'l0' \(L0\?\) is neither one of d, m2"),
    (dict(local="h*alpha_T"), r"'alpha_T' \(alpha_t\?\) is neither"),
    (dict(local="√h"), r"claim simple2026: local .* is not allowed, write sqrt"),
    (dict(process=["cld"], sampler=[], local="h*P"),
     "claim simple2026: process cld has two blocks, where formulas must not contain P"),
    (dict(local="h +"), "claim simple2026: local .*syntax"),
    (dict(initial="h*t"), "claim simple2026: initial must be one number, without the symbols of a step, got t"),
    (dict(hypotheses=["h*L0"]), "claim simple2026: hypothesis must be an inequality"),
    (dict(hypotheses="h < 1"), "claim simple2026: hypotheses must be a list"),
    (dict(process=["oo"]), "claim simple2026: process must be among .*ou.*got 'oo'"),
    (dict(sampler="exponential"), "claim simple2026: sampler must be a list of keys, got 'exponential'"),
    (dict(kind="both"), "claim simple2026: kind must be upper or lower, got 'both'"),
    (dict(source=""), "claim simple2026: source must be a text"),
])
def test_what_is_wrong_is_named(changed, named):
    """A wrong argument is refused in one line that names the claim, the argument, the requirement and the
    value."""
    with pytest.raises((ValueError, TypeError), match=named) as refused:
        simple(**changed)
    assert "\n" not in str(refused.value)


def test_terms_of_an_upper_bound_have_known_names():
    """A term that is none of the error sources is refused, as are no terms and a key with spaces."""
    with pytest.raises(ValueError, match=r"terms must be among initialisation.*got 'rest'"):
        claim.closed_form("sum", source="Me", terms={"rest": "1"})
    with pytest.raises(TypeError, match="at least one"):
        claim.closed_form("sum", source="Me", terms={})
    with pytest.raises(ValueError, match="key must be letters"):
        claim.closed_form("a b", source="Me", terms={"initialisation": "1"})


@pytest.mark.parametrize(("changed", "named"), [
    (dict(local="sqrt(h - 1)"), r"local must be a finite real number in every step, got sqrt\(h - 1\) with h = 0.2"),
    (dict(growth="h - 1"), "growth must be at least 0, got -0.8 in step 1"),
    (dict(initial="1/(T - 1)"), "initial must be a finite real number"),
])
def test_formulas_that_are_no_number_are_named(changed, named):
    """A formula that is not real and finite, or a negative growth, is refused with the numbers put in."""
    with pytest.raises(ValueError, match=f"simple2026: {named}"):
        simple(**changed).bound(setting_of(ou(), LAW, exponential_integrator(1.0, 5)))


def test_powers_of_symbols_and_extremes():
    """A power may have symbols in base and exponent; Max and Min take several arguments."""
    terms = {"initialisation": "(1 - h)**K + Max(h, T, 1/3) + Min(d, 2, 5)"}
    bound = claim.closed_form("powers", source="Me",
                              terms=terms).bound(setting_of(ou(), LAW, euler_maruyama(0.5, 5)))
    assert bound.total == pytest.approx(0.9**5 + 0.5 + 2, rel=1e-13)


def test_a_stop_of_its_own():
    """With ``stopping`` a claim allows for early stopping and adds it, and only there."""
    theorem = simple(stopping="(1 - a_0)*sqrt(m2) + sqrt(d)*s_0")
    stopped = theorem.bound(setting_of(ou(), LAW, exponential_integrator(2.0, 10, early_stop=0.5)))
    a = np.exp(-0.5)
    expected = (1 - a) * np.sqrt(LAW.second_moment) + np.sqrt(2 * (1 - a**2))
    assert stopped.terms["early stopping"] == pytest.approx(expected, rel=1e-10)
    assert "early stopping" not in theorem.bound(setting_of(ou(), LAW, exponential_integrator(2.0, 10))).terms


def test_a_claim_crosses_processes():
    """A claim, used or not, comes back from a pickle with the same numbers, and so does a theorem of the
    registry."""
    from bounds.theorems import theorems

    theorem, setting = simple(), setting_of(ou(), LAW, exponential_integrator(1.0, 5))
    assert pickle.loads(pickle.dumps(theorem)).bound(setting).total == theorem.bound(setting).total
    assert pickle.loads(pickle.dumps(theorem)).key == "simple2026"
    assert pickle.loads(pickle.dumps(theorems()["martingale"])) is theorems()["martingale"]


def test_a_formula_is_corrupted_as_any_other():
    """With local multiplied by 1/4 the discretisation is a quarter, the initial error unchanged."""
    setting = setting_of(ou(), LAW, exponential_integrator(1.0, 5))
    one, two = (theorem.bound(setting).terms for theorem in (simple(), simple().corrupted("local", 0.25)))
    assert two["discretisation"] == pytest.approx(one["discretisation"] / 4, rel=1e-12)
    assert two["initialisation"] == one["initialisation"]


TOML = """
[claim]
key = "simple2026"
source = "Me 2026, Theorem 1"
process = ["ou"]
initial = "exp(-T)*sqrt(m2 + d)"
growth = "exp(h)"
local = 0.5
"""


def test_a_file_holds_a_claim(tmp_path):
    """A [claim] in TOML is the claim of the same arguments, a recursion or with [claim.terms] a sum."""
    (tmp_path / "one.toml").write_text(TOML)
    (tmp_path / "two.toml").write_text('[claim]\nkey = "two"\nsource = "Me"\nkind = "lower"\n[claim.terms]\nx = "h"\n')
    setting = setting_of(ou(), LAW, euler_maruyama(0.5, 1))
    expected = np.exp(0.5) * np.exp(-0.5) * np.sqrt(LAW.second_moment + 2) + 0.5
    assert claim.load(tmp_path / "one.toml").bound(setting).total == pytest.approx(expected, rel=1e-12)
    assert claim.load(tmp_path / "two.toml").bound(setting).total == pytest.approx(0.5, rel=1e-12)


@pytest.mark.parametrize(("old", "new", "named"), [
    ("[claim]", "[clam]", r"must hold one table \[claim\], got clam"),
    ("growth", "grwth", "claim.grwth is unknown; the keys of a claim are key, source, initial"),
    ('initial = "exp(-T)*sqrt(m2 + d)"\n', "",
     "claim.initial is missing; a claim needs key, source, initial"),
    ("0.5", "0.5]", "must be TOML in UTF-8"),
    ('"exp(h)"', '"open(h)"', "growth must be a formula .*'open'"),
])
def test_a_wrong_file_is_named(tmp_path, old, new, named):
    """A wrong file is refused in one line that names it or its claim, and the key."""
    file = tmp_path / "claim.toml"
    file.write_text(TOML.replace(old, new))
    with pytest.raises((ValueError, ExpressionError), match=named) as refused:
        claim.load(file)
    assert "\n" not in str(refused.value)
