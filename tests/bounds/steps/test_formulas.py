"""A sampler by formulas: every symbol against quadrature, what cancels, what is refused, what it is as a
value."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
import sympy
from flint import arb
from scipy import integrate

from bounds import Scheme, Setting, StronglyLogConcave, TimeGrid, cld, ou, own_sampler
from bounds.sampler import scheme
from bounds.samplers import samplers
from bounds.steps.formulas import SYMBOLS
from bounds.steps.stated import stated
from bounds.steps.table import StepTable
from bounds.symbolic import balls
from bounds.theorems import theorems
from tests.bounds.tolerances import PATH_RELATIVE, STATED_DEFECT, STATED_NOISE
from tests.own_samplers import FORMULAS, PROCESSES, own

TIMES = TimeGrid.from_times([1.3, 1.0, 0.2, 0.05])
GOOD = ("1 + F", "G", "G")


def table(process, formulas, grid=TIMES):
    """The step table of a sampler by formulas."""
    return StepTable(process, Scheme(own(formulas), grid))


def meant(process, symbol, t, r):
    """What a symbol means on the step from t to r, by scipy.quad."""
    f = lambda u: float(process.f_values(np.array([u]))[0])  # noqa: E731
    g_sq = lambda u: float(process.g_sq_values(np.array([u]))[0])  # noqa: E731
    quad = lambda of, low, high: integrate.quad(of, low, high, epsabs=1e-14, epsrel=1e-13)[0]  # noqa: E731
    F = lambda low, high: quad(f, low, high)  # noqa: E731
    variance = lambda low, high: quad(lambda u: np.exp(-2 * F(u, high)) * g_sq(u), low, high)  # noqa: E731
    return {
        "h": lambda: t - r, "t": lambda: t, "r": lambda: r, "f": lambda: f(t), "g": lambda: g_sq(t) ** 0.5,
        "f_r": lambda: f(r), "g_r": lambda: g_sq(r) ** 0.5, "F": lambda: F(r, t),
        "G": lambda: quad(g_sq, r, t),
        "E": lambda: quad(lambda u: np.exp(F(r, u)) * g_sq(u), r, t), "C": lambda: variance(r, t),
        "a": lambda: np.exp(-F(0, t)), "a_r": lambda: np.exp(-F(0, r)), "s_sq": lambda: variance(0, t),
        "s_sq_r": lambda: variance(0, r)}[symbol]()


@pytest.mark.parametrize("symbol", SYMBOLS)
@pytest.mark.parametrize("name", ["vp", "general"])
def test_every_symbol_means_what_it_says(name, symbol):
    """P = symbol is, in every step, the number that the symbol's meaning has by quadrature."""
    found = table(PROCESSES[name], (symbol, "G", "G")).P
    steps = zip(TIMES.times[:-1], TIMES.times[1:], strict=True)
    assert found == pytest.approx([meant(PROCESSES[name], symbol, t, r) for t, r in steps], rel=PATH_RELATIVE)


@pytest.mark.parametrize("key", ["posterior-mean", "ancestral"])
def test_defects_that_cancel_on_paper_cancel(key):
    """P = a_r/a is Φ⁻¹ and Q = (a_r/a)(s² − …) is Φ⁻¹C: both defects are 0, exactly."""
    found = table(PROCESSES["general"], FORMULAS[key]).stated
    assert np.all(found.c1 == 0) and np.all(found.c1_error == 0)
    assert np.all(found.c2 == 0) and np.all(found.c2_error == 0)


@pytest.mark.parametrize("name", PROCESSES)
@pytest.mark.parametrize("key", ["euler-maruyama", "frozen-euler-maruyama", "exponential"])
def test_defects_are_those_of_the_sampler(name, key):
    """What is derived from formulas differs from the defects a sampler states by no more than both allow
    for."""
    mine, theirs = table(PROCESSES[name], FORMULAS[key]), scheme(key, 1.3, 3).sampler
    theirs = StepTable(PROCESSES[name], Scheme(theirs, TIMES))
    for defect in ("c1", "c2"):
        apart = np.abs(getattr(mine, defect) - getattr(theirs, defect))
        allowed = getattr(mine, f"{defect}_error") + getattr(theirs, f"{defect}_error")
        assert np.all(apart <= allowed) and np.all(getattr(mine, f"{defect}_error") <= STATED_DEFECT)


@pytest.mark.parametrize("formulas", [
    *FORMULAS.values(), ("1", "G", "h"), ("1", "G", "2*G"), ("1", "E", "C/7"), ("1", "G", "C*s_sq_r/s_sq/4"),
    ("1", "G", "h^3"), ("1", "G", 0)])
@pytest.mark.parametrize("name", PROCESSES)
def test_the_noise_spread_over_a_step_is_the_noise(name, formulas):
    """∫n²g² of what the proof spreads over a step is the variance of the sampler's noise."""
    found = table(PROCESSES[name], formulas)
    (spread,), _ = found.path.integrate(lambda nodes: (np.square(found.amplitude(nodes)),))
    assert spread == pytest.approx(found.noise_var, rel=STATED_NOISE)
    assert np.all(found.stated.left <= STATED_NOISE * np.sqrt(found.noise_var))


def test_a_step_to_time_0_may_end_without_noise():
    """Ancestral sampling has no noise in its last step, whichever way it is stated."""
    found = table(ou(), FORMULAS["ancestral"], TimeGrid.uniform(1.0, 4))
    assert found.noise_var[-1] == 0 and np.all(found.noise_var[:-1] > 0)


WRONG = {
    "noise below 0": (("1", "G", "-h"), "noise must be at least 0 in every step, got -0.3 in the step from t "
                      "= 1.3 to r = 1"),
    "Q below 0": (("1", "h - 1/2", "G"), "Q must be at least 0 in every step, got -0.2 in the step from t = "
                  "1.3 to r = 1"),
    "a pole": (("1/(t - 1)", "G", "G"), "P must be a finite real number in every step, got none in the step "
               "from t = 1 to r = 0.2"),
    "not real": (("1", "G", "sqrt(r - 1/10)"), "noise must be a finite real number in every step, got none "
                 "in the step from t = 0.2 to r = 0.05"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_step_without_a_number_is_refused(case):
    """A formula that gives no finite number, or a negative one, is refused in a line with step and value."""
    formulas, message = WRONG[case]
    with pytest.raises(ValueError) as refused:
        table(PROCESSES["vp"], formulas)
    assert str(refused.value) == f"sampler own: {message}"


@pytest.mark.parametrize(("change", "message"), [
    ({"key": "two words"}, "sampler: key must be letters, digits and hyphens, and no number, got 'two"),
    ({"key": "nan"}, "sampler: key must be letters, digits and hyphens, and no number, got 'nan'"),
    ({"source": ""}, "sampler own: source must be a text, got ''"),
    ({"P": "1 + q"}, "sampler own: P must be a formula in known symbols: 'q' is neither one of h, t, r"),
    ({"Q": "__import__('os')"}, "sampler own: Q must be a formula in known symbols"),
    ({"P": ["1"]}, "sampler own: P must be a formula, text or a number, got list"),
    ({"noise": None}, "sampler own: noise must be a formula, text or a number, got NoneType"),
    ({"noise": True}, "sampler own: noise must be a formula, text or a number, got bool"),
    ({"noise": float("nan")}, "sampler own: noise must be a formula in known symbols"),
])
def test_wrong_formulas_are_refused(change, message):
    """What is no formula, key or source is refused in one line that names the sampler and the argument."""
    with pytest.raises((ValueError, TypeError)) as refused:
        own_sampler(**{"key": "own", **dict(zip(("P", "Q", "noise"), GOOD, strict=True)), **change})
    assert str(refused.value).startswith(message) and str(refused.value).isprintable()


def test_a_sampler_by_formulas_does_not_pass_for_another():
    """A theorem stated for Euler–Maruyama cannot be had by calling one's own sampler so."""
    with pytest.raises(ValueError, match="sampler must have a key of its own, got 'euler-maruyama'"):
        Scheme(own(("1", "G", "G"), "euler-maruyama"), TIMES)


def test_two_blocks_have_no_formulas():
    """On critically-damped Langevin a sampler by formulas is refused by name."""
    with pytest.raises(ValueError, match="Langevin, got 'own'"):
        Scheme(own(GOOD), TIMES).steps(cld())


def test_a_sampler_by_formulas_is_a_value():
    """It is equal, with the same hash, to one of the same formulas and to its own pickle, and to no other."""
    mine, again, other = (Scheme(own(formulas), TIMES) for formulas in (GOOD, GOOD, ("1", "G", "G")))
    copy = pickle.loads(pickle.dumps(mine))
    assert mine == again == copy != other and hash(mine) == hash(again) == hash(copy)
    assert np.array_equal(copy.steps(ou()).P, mine.steps(ou()).P)


def test_a_changed_sampler_of_no_registry_is_pickled_by_its_fields():
    """A sampler that no file has, but of functions that have names, crosses to another process."""
    rule = replace(own(GOOD).one_block, formulas=None)
    mine = replace(own(GOOD), one_block=rule)
    assert pickle.loads(pickle.dumps(mine)) == mine


def test_a_scheme_takes_a_sampler_or_its_key():
    """`scheme` makes the same of a sampler of the registry and of its key; anything else is refused."""
    assert scheme(samplers()["exponential"], 1.0, 5) == scheme("exponential", 1.0, 5)
    with pytest.raises(TypeError, match="sampler must be a Sampler or the key of one, got int"):
        scheme(3, 1.0, 5)


def test_a_batch_of_problems_has_one_table():
    """Bounds of many constants at once are those of each."""
    theorem, grid = theorems()["martingale"], Scheme(own(FORMULAS["exponential"]), TimeGrid.uniform(1.0, 10))
    sizes = np.array([1.0, 2.0])
    many = theorem.bound(Setting(ou(), StronglyLogConcave(sizes, 4.0, dim=2), grid)).total
    each = [theorem.bound(Setting(ou(), StronglyLogConcave(size, 4.0, dim=2), grid)).total
            for size in sizes.tolist()]
    assert many == pytest.approx(each, rel=PATH_RELATIVE)


def test_what_is_open_below_an_early_stop_is_open_in_every_step():
    """P = a_r may be off by what a is off by where the sampler stops, and so may Q = s²_r, twice as much."""
    found = table(ou(), ("a_r", "s_sq_r", "G"))
    path, ones, open_below = found.path, np.ones(TIMES.steps), 1e-6
    path.below_error = open_below
    known = stated(own(("a_r", "s_sq_r", "G")).one_block.formulas, path, ones, ones, 0 * ones)
    assert np.all(known.P_error >= open_below * known.P) and np.all(known.Q_error >= 2 * open_below * known.Q)


def test_columns_are_evaluated_an_operation_at_a_time(monkeypatch):
    """A formula of columns gives in every row what it gives of the row, in blocks too, and no row by itself is asked
    for; a constant coefficient is asked for once."""
    monkeypatch.setattr(balls, "COLUMN_ROWS", 3)
    expression = sympy.sympify("Max(x, y)*exp(-x) + sqrt(x) + 3 + Piecewise((x, x > y), (y*x, True))")
    formula, rng = balls.BallFormula(expression), np.random.default_rng(4)
    columns = {name: list(map(arb, rng.uniform(0.5, 2, 7).tolist())) for name in "xy"}
    rows = [formula(x=x, y=y) for x, y in zip(*columns.values(), strict=True)]
    assert [str(each) for each in formula.of_columns(columns, 7)] == [str(each) for each in rows]
    asked = []
    interval = balls.BallFunction.interval
    monkeypatch.setattr(balls.BallFunction, "interval", lambda self, t: asked.append(t) or interval(self, t))
    monkeypatch.setattr(balls.BallFormula, "__call__", lambda *_, **__: pytest.fail("a row by itself"))
    table(ou(), ("1 + F*g^2", "G", "G*f^2"), TimeGrid.uniform(1.3, 10))
    assert len(asked) == 2
