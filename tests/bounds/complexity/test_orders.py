"""Derived iteration complexities: the eight published rows, and the numbers they must agree with."""

import math

import numpy as np
import pytest
import sympy
from scipy.integrate import quad
from scipy.optimize import brentq

from bounds import StronglyLogConcave, general, ou, ve, vp
from bounds.complexity.growth import NoOrder, Order
from bounds.complexity.orders import complexity, of_process
from bounds.complexity.published import published_orders
from bounds.leading import sizes
from bounds.process import ForwardProcess
from bounds.sampler import euler_maruyama
from bounds.setting import Setting
from bounds.symbolic.integrals import TIME
from bounds.theorems import theorems
from tests.drawn import thinned
from tests.tolerances import LEADING_QUADRATURE, NEAR_LEADING_ORDER

GAO, MARTINGALE = theorems()["gao2025-general-sde"], theorems()["martingale"]
GENTILONI = theorems()["gentiloni2025-weak-log-concave"]
HALF = sympy.Rational(1, 2)


def test_published_rows_are_of_the_kind_that_they_are_called():
    """g² = 2f in the rows of VP, which keep the variance, and f = 0 in those of VE."""
    for row in published_orders():
        assert row.g_sq == 2 * row.f or not row.name.startswith("VP")
        assert (row.f == 0) == row.name.startswith("VE")


@pytest.mark.parametrize("row", published_orders(), ids=lambda row: row.name)
def test_derived_orders_are_the_published_ones(row):
    """K of Theorem G is the table's, row by row; VE with constant g lacks the printed logarithm, and says
    so."""
    found = complexity(GAO, row.f, row.g_sq).steps
    if row.remark:
        assert row.name == "VE, constant" and (found * Order(log=1)).same(row.steps)
    else:
        assert found.same(row.steps)


@pytest.mark.parametrize("row", thinned(published_orders(), every=2), ids=lambda row: row.name)
def test_the_martingale_bound_needs_the_square_root_of_the_steps_per_unit_of_time(row):
    """h = ε/√d in place of ε²/d for every row, and a VE horizon with the exponent 2/3 of the published
    one."""
    ours, published = complexity(MARTINGALE, row.f, row.g_sq), complexity(GAO, row.f, row.g_sq)
    assert ours.step.same(Order(d=-HALF, eps=1)) and published.step.same(Order(d=-1, eps=2))
    power = sympy.Rational(2, 3) if published.growth.level == 0 else 1
    assert ours.horizon.same(published.horizon**power)


@pytest.mark.parametrize("row", published_orders(), ids=lambda row: row.name)
def test_a_sharper_start_shortens_the_horizon_of_theorem_g_alone(row):
    """From the martingale theorem's initial error Theorem G keeps its step, and for VE with g ~ t^c T is
    (√d/ε)^{2/(3(2c+1))}."""
    plain, sharper = complexity(GAO, row.f, row.g_sq), complexity(GAO, row.f, row.g_sq, MARTINGALE)
    assert sharper.step.same(plain.step) and sharper.theorem == GAO.key
    c = {"VE, constant": 0, "VE, √(2at)": HALF, "VE, (b+at)^c": sympy.Symbol("c", positive=True)}.get(
        row.name
    )
    power = 0 if c is None else sympy.Rational(2, 3) / (2 * c + 1)
    horizon = plain.horizon if c is None else Order(d=power / 2, eps=-power)
    assert sharper.horizon.same(horizon) and sharper.steps.same(Order(d=1, eps=-2) * horizon)
    assert "centred data" in sharper.assumes


def test_errors_that_add_up_do_so_up_to_the_theorem_s_own_horizon():
    """f = 1, g = e^{−t}: R = t, T = X^{2/3} for the martingale bound with X = √d/ε, its bias adds up to
    T^{1/2}, so K = X²."""
    found = complexity(MARTINGALE, 1, sympy.exp(-2 * TIME))
    assert found.horizon.same(Order(d=HALF, eps=-1) ** sympy.Rational(2, 3))
    assert found.step.same(Order(d=-2 * sympy.Rational(1, 3), eps=4 * sympy.Rational(1, 3)))
    assert found.steps.same(Order(d=1, eps=-2)) and found.leading_constant is None
    # a logarithm of T is one of √d/ε, whatever power of it T is
    assert complexity(MARTINGALE, 0, 1).score_error.same(Order(eps=1, log=-1))


def test_a_start_that_does_not_hold_is_refused():
    """Theorem W's initial error is not lent to a process it does not hold for."""
    with pytest.raises(NoOrder, match="gentiloni2025-weak-log-concave: needs g² = 2c²f"):
        complexity(GAO, 0, 1, GENTILONI)


LOG_RATIOS = (
    (ve(1), math.log),
    (ve("sqrt(2*t)"), lambda T: 2 * math.log(T)),
    (ou(), lambda T: 2 * T + math.log(-math.expm1(-2 * T))),
    (vp("1/10+2*t"), lambda T: T / 10 + T**2),
)


@pytest.mark.parametrize(("process", "log_ratio"), LOG_RATIOS, ids=lambda value: getattr(value, "name", ""))
@pytest.mark.parametrize("theorem", [GAO, MARTINGALE], ids=lambda t: t.key)
def test_the_horizon_is_the_root_of_the_initial_error(theorem, process, log_ratio):
    """T ∼ factor·order: the root of i(R(T)) = ε/(2√d), with log R written here, approaches it."""
    found = of_process(theorem, process)
    accuracy = 10.0 ** (9 if found.growth.level == 0 else 60)

    def excess(T):
        # log i for m0 = m = 1 and large R, where i is 1/R (Theorem G) or R^{−3/2}/2
        return (-log_ratio(T) if theorem is GAO else -1.5 * log_ratio(T) - math.log(2)) + math.log(
            2 * accuracy
        )

    root = brentq(excess, 1.0, 1e12)
    constants = {symbol: 1 for symbol in found.horizon_factor.free_symbols}
    order = accuracy ** float(2 * found.horizon.d) * math.log(accuracy) ** float(found.horizon.log)
    assert math.isclose(root, float(found.horizon_factor.subs(constants)) * order, rel_tol=NEAR_LEADING_ORDER)


@pytest.mark.parametrize("process, horizon", [(ou(), 12.0), (ve(1), 400.0), (vp("1/10+2*t"), 5.0)])
def test_leading_order_is_the_limit_of_the_bound(process, horizon):
    """(bound − i)/(h I) tends to a number between 1/√2 and 1: the sum of two terms against their
    recursion."""
    initial, steps, _ = sizes(MARTINGALE.leading(), process, horizon, strong=1.0, smooth=2.0, moment=0.8)
    data = StronglyLogConcave(m0=1.0, L0=2.0, dim=1, second_moment=0.8, mean_norm=0.0)
    ratios = []
    for K in (2000, 8000):
        total = MARTINGALE.bound(Setting(process, data, euler_maruyama(horizon, K))).total
        ratios.append((total - initial) / (steps * horizon / K))
    assert math.isclose(*ratios, rel_tol=NEAR_LEADING_ORDER)
    assert math.sqrt(0.5) * (1 - NEAR_LEADING_ORDER) <= ratios[-1] <= 1 + NEAR_LEADING_ORDER


@pytest.mark.parametrize("process, horizon", [(ou(), 1.5), (vp("1/10+2*t"), 1.2)], ids=["ou", "vp"])
def test_every_leading_term_of_theorem_w_is_its_limit(process, horizon):
    """Unknown mean, prior N(0, I): the three terms of the product form tend to √d i, √(d h) I and M J, each
    on its own."""
    dim, count, error = 3, 40_000, 0.7
    initial, steps, score = sizes(GENTILONI.leading(), process, horizon, strong=1.0, smooth=2.0, moment=0.8)
    data = StronglyLogConcave(m0=1.0, L0=2.0, dim=dim, second_moment=0.8 * dim, mean_norm=None)
    scheme = euler_maruyama(horizon, count, prior_std=1.0)
    terms = GENTILONI.bound(Setting(process, data, scheme, error)).terms
    leading = {
        "initialisation": math.sqrt(dim) * initial, "score bias": error * score,
        "discretisation": math.sqrt(dim * horizon / count) * steps,
    }
    assert terms == pytest.approx(leading, rel=NEAR_LEADING_ORDER)


@pytest.mark.parametrize(
    "process, horizon", [(ou(), 2.0), (ve(1), 5.0), (vp("1/10+2*t"), 1.2)], ids=["ou", "ve", "vp"]
)
def test_the_leading_weight_of_a_score_error_is_its_limit(process, horizon):
    """The martingale theorem's term of a score error M tends to M J."""
    _, _, score = sizes(MARTINGALE.leading(), process, horizon, strong=1.0, smooth=2.0, moment=0.8)
    data = StronglyLogConcave(m0=1.0, L0=2.0, dim=1, second_moment=0.8)
    bound = MARTINGALE.bound(Setting(process, data, euler_maruyama(horizon, 8000), 0.7))
    assert math.isclose(bound.terms["score bias"], 0.7 * score, rel_tol=NEAR_LEADING_ORDER)


def test_theorem_w_has_the_published_orders_where_it_holds():
    """K = d log(d/ε)/ε² for OU, d √log(d/ε)/ε² for linear VP; VE and g² ≠ 2c²f are refused by name."""
    alpha, beta, t = sympy.Symbol("alpha", positive=True), sympy.Symbol("b", positive=True), TIME
    found = complexity(GENTILONI, alpha, 2 * alpha)
    assert found.steps.same(Order(d=1, eps=-2, log=1)) and found.score_error.same(Order(eps=1))
    assert complexity(GENTILONI, beta * t / 2, 3 * beta * t).steps.same(Order(d=1, eps=-2, log=HALF))
    for f, g_sq in ((0, 1), (t, 1)):
        with pytest.raises(NoOrder, match="gentiloni2025-weak-log-concave: needs g² = 2c²f with c constant"):
            complexity(GENTILONI, f, g_sq)


def test_leading_sizes_are_the_integrals():
    """The numbers behind Theorem G for OU are the integrals of its densities by scipy's quadrature."""
    m0, L0, m, T = 0.7, 3.0, 1.2, 6.0

    def weight(t):
        return math.exp(t) / (1 + m0 * math.expm1(2 * t))

    def density(t):
        return weight(t) * math.sqrt(2) * (1 + 2 * min(1 / -math.expm1(-2 * t), L0 * math.exp(2 * t)))

    expected = (
        math.sqrt(m) / (1 + m0 * math.expm1(2 * T)),
        quad(density, 0, T, points=[0.5 * math.log(1 + 1 / L0)])[0],
        quad(lambda t: 2 * weight(t), 0, T)[0],
    )
    np.testing.assert_allclose(
        sizes(GAO.leading(), ou(), T, strong=m0, smooth=L0, moment=m), expected, rtol=LEADING_QUADRATURE
    )


@pytest.mark.parametrize(
    ("process", "why"),
    [
        (vp("exp(-t)"), "initial error does not vanish"),
        (ve("exp(-t)"), "initial error does not vanish"),
        (general("sin(t)", 1), "no limit"),
        (ForwardProcess.scalar("shrinking", -sympy.S.One / 2, sympy.exp(TIME)), "negative"),
    ],
)
def test_processes_without_an_order_are_refused(process, why):
    """A process that forgets the data at no horizon, or whose limits are not there, is refused by name."""
    with pytest.raises(NoOrder, match=why):
        of_process(MARTINGALE, process)


def test_a_theorem_without_a_leading_order_is_refused():
    """The lower bound states no leading order in this sense."""
    with pytest.raises(NoOrder, match="states no leading order"):
        of_process(theorems()["gaussian-lower-bound"], ou())


def test_a_corrupted_statement_changes_the_order():
    """A density of another size moves K: g³ in place of g makes VE with growing g need more steps."""
    from dataclasses import replace

    from bounds.leading import Density, R, a, slope

    heavier = tuple(Density(part.expression * a**2 * slope * R, part.p) for part in GAO.leading().steps)
    corrupted = replace(GAO, leading=lambda: replace(GAO.leading(), steps=heavier))
    row = published_orders()[3]
    assert not complexity(corrupted, row.f, row.g_sq).steps.same(row.steps)
