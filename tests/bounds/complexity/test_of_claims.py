"""Orders of claims: against the engine for theorems, numbers by hand, and reasons why there are none."""

import mpmath
import pytest
import sympy

from bounds import claim, ou, sub_vp, ve, vp
from bounds.claim.symbols import SYMBOLS
from bounds.complexity.growth import NoOrder, Order
from bounds.complexity.of_claims import _constants
from bounds.complexity.orders import complexity, of_process
from bounds.complexity.published import published_orders
from bounds.theorems import theorems
from tests.bounds.tolerances import ALONG_ORDERS
from tests.drawn import thinned

HALF = sympy.Rational(1, 2)
SIMPLE = dict(
    source="Me 2026, Theorem 1", process=["ou"], sampler=["exponential"], data=["strong-log-concave"],
    initial="exp(-T)*sqrt(m2 + d)",
    growth="Max(Abs(exp(h) - 2*(exp(h)-1)*m0), Abs(exp(h) - 2*(exp(h)-1)*L0))",
    local="2*(exp(h)-1)*((1-exp(-h))*sqrt(d*L0) + sqrt(2*h*d)*L0 + M)")


def recursion(**changed):
    """A claim by a recursion for any process, with parts replaced."""
    return claim.recursion("mine", **{"source": "Me", "initial": "exp(-T)*sqrt(m2)", "growth": "exp(-h*m0)",
                                      "local": "h*sqrt(h*d) + h*M", **changed})


def simple(**changed):
    """The claim of the docs."""
    return claim.recursion("simple2026", **{**SIMPLE, **changed})


@pytest.mark.parametrize("hypotheses", [["m0 <= 3"], ["m0 >= 1/2"], ["m0 <= 3", "L0 >= 4"], []])
def test_constants_by_positive_numbers_are_the_constants(hypotheses):
    """m0 and L0 within hypotheses about one of them are what positive numbers make of them."""
    data, names = _constants(recursion(hypotheses=hypotheses))
    known = {name: SYMBOLS[name].symbol for name in ("m0", "L0")}
    assert all(sympy.simplify(data[name].subs(names) - known[name]) == 0 for name in known)


def summed(**terms):
    """A claim by a sum of terms."""
    return claim.closed_form("sum", source="Me", terms={"initialisation": "exp(-T)*sqrt(d)", **terms})


@pytest.mark.parametrize("row", thinned(published_orders(), every=4), ids=lambda row: row.name)
def test_a_claim_of_the_shape_of_theorem_g_has_its_orders(row):
    """The same growth, start and local error as Theorem G: T, h, M and K are those derived of it from its
    densities, by limits in R."""
    theorem = recursion(initial="a_T*sqrt(m2)", growth="Max(Abs(P - Q*alpha_t), Abs(P - Q*L_t))",
                        local="sqrt(d*G)*(Abs(F) + Q*L_t) + Q*M")
    found, expected = (complexity(each, row.f, row.g_sq) for each in
                       (theorem, theorems()["gao2025-general-sde"]))
    for name in ("horizon", "step", "score_error", "steps"):
        assert getattr(found, name).same(getattr(expected, name)), name
    assert found.theorem == "mine" and found.growth.level == expected.growth.level


@pytest.mark.parametrize(("hypotheses", "m0", "steps"), [
    (["m0 >= 1"], 1.5, Order(d=1, eps=-2, log=1)),
    (["m0 <= 1/4"], 0.2, Order(d=1 / (2 * sympy.Symbol("m0", positive=True)),
                               eps=-1 / sympy.Symbol("m0", positive=True), log=1))])
def test_along_its_orders_every_term_is_of_the_size_of_the_error(hypotheses, m0, steps):
    """With T and h of the orders the initial and the discretisation term, summed by hand as a geometric
    series to 150 digits, stay in proportion to ε, whether the recursion contracts or amplifies."""
    found, symbol = of_process(simple(hypotheses=hypotheses), ou()), sympy.Symbol("m0", positive=True)
    assert found.steps.same(steps) and found.assumes == hypotheses[0]
    sizes = []
    for accuracy in (8, 10):
        with mpmath.workdps(150):
            eps, L0 = mpmath.mpf(10) ** -accuracy, 2
            T = -mpmath.log(eps) * mpmath.mpf(float(found.horizon_factor.subs(symbol, m0)))
            h = eps ** mpmath.mpf(float(found.step.eps.subs(symbol, m0)))
            e = mpmath.expm1(h)
            growth = max(abs(1 + e - 2 * e * m0), abs(1 + e - 2 * e * L0))
            local = 2 * e * (-mpmath.expm1(-h) * mpmath.sqrt(L0) + mpmath.sqrt(2 * h) * L0)
            whole = growth ** (T / h)
            sizes.append((whole * mpmath.exp(-T) / eps, local * (whole - 1) / (growth - 1) / eps))
    for one, other in zip(*sizes, strict=True):
        assert float(one / other) == pytest.approx(1.0, rel=ALONG_ORDERS)


@pytest.mark.parametrize(("theorem", "process", "horizon", "step", "score"), [
    (recursion(), ou(), Order(log=1), Order(d=-1, eps=2), Order(eps=1)),
    (recursion(local="h^2*d"), ou(), Order(log=1), Order(d=-1, eps=1), None),
    (recursion(local="sqrt(h^3*d + h^2*M^2)"), ou(), Order(log=1), Order(d=-1, eps=2), Order(eps=1)),
    (recursion(local="h^2*d/sqrt(t)"), ou(), Order(log=1), Order(d=-1, eps=1), None),
    (recursion(local="h*d/K"), ou(), Order(log=1), Order(d=-1, eps=1, log=1), None),
    (recursion(initial="a_T*sqrt(m2)", growth="1"), ou(), Order(log=1), Order(d=-1, eps=2, log=-2),
     Order(eps=1, log=-1)),
    (recursion(initial="sqrt(m2)", growth="1 - Q*alpha_t", local="Q*sqrt(d*h)*L_t + Q*M"), ve(1),
     Order(d=HALF, eps=-1), Order(d=-1, eps=2), Order(eps=1, log=-1)),
    (recursion(initial="a_T*sqrt(d)", growth="P - Q*alpha_t", local="sqrt(h)*Q*sqrt(d*L_t)"),
     vp("1/10 + 2*t"), Order(log=HALF), Order(d=-1, eps=2), None),
    (recursion(process=["sub-vp"], initial="a_T*sqrt(d)", growth="P - Q*alpha_t", local="h*Q*d"), sub_vp(1),
     Order(log=1), Order(d=-1, eps=1), None),
    (summed(discretisation="h*d"), ou(), Order(log=1), Order(d=-1, eps=1), None),
    (summed(discretisation="h*T^2*d", score_bias="T*M"), ou(), Order(log=1), Order(d=-1, eps=1, log=-2),
     Order(eps=1, log=-1)),
    (summed(initialisation="(1 - m0*h)^K*sqrt(m2)", discretisation="sqrt(d*h)"), ou(), Order(log=1),
     Order(d=-1, eps=2), None),
    (summed(initialisation="exp(-T)*sqrt(m2) + h*d", discretisation="h"), ou(), Order(log=1),
     Order(d=-1, eps=1), None),
    (summed(discretisation="h*exp(-T) + h^2*exp(T)"), ou(), Order(log=1), Order(d=-HALF / 2, eps=1), None),
    (summed(initialisation="1/T^2", discretisation="h*T"), ou(), Order(eps=-HALF), Order(eps=3 * HALF), None),
    (summed(initialisation="exp(-exp(T))", discretisation="h*exp(T)"), ou(), Order(loglog=1),
     Order(eps=1, log=-1), None),
], ids=range(16))
def test_orders_by_hand(theorem, process, horizon, step, score):
    """Horizon, step and score error as worked out by hand: contraction, none at all, powers of T and terms of
    which T decides."""
    found = of_process(theorem, process)
    assert found.horizon.same(horizon) and found.step.same(step), (found.horizon, found.step)
    assert found.score_error is None if score is None else found.score_error.same(score)
    assert found.steps.same(horizon * step**-1)


@pytest.mark.parametrize(("theorem", "process", "why"), [
    (simple(), ou(), "the order depends on the sign of 1 - 2[*]m0"),
    (simple(), ve(1), "simple2026: stated for ou"),
    (recursion(grid=["geometric"]), ou(), "stated for geometric grids"),
    (recursion(local="h/k"), ou(), "mine: k, the number of a step, has no order"),
    (recursion(data=["bounded"], growth="1 - h*alpha_t"), ou(), "alpha_t has an order for strongly"),
    (recursion(growth="1/2"), ou(), "growth tends to 1/2 as h → 0, not to 1"),
    (recursion(growth="1 - sqrt(h)"), ou(), "growth must be 1 [+] λh"),
    (recursion(growth="1 + h*d"), ou(), "mine: growth must not contain d"),
    (recursion(growth="exp(2*h)"), ou(), "the initial term grows with T"),
    (recursion(local="h*sqrt(d)"), ou(), "no step is short enough"),
    (recursion(local="h^2*d/t"), ou(), "the local terms of the last steps grow like 1/t or faster"),
    (recursion(local="h^2*exp(d)"), ou(), "exp[(]d[)] is no sum of powers of h and d"),
    (recursion(local="h^3 + G - C"), ou(), "what [CG] is to first order in h cancels"),
    (recursion(local="h^2*sqrt(T + t)"), ou(), "the local term mixes T with the time of a step"),
    (recursion(initial="0"), ou(), "the initial term is 0"),
    (recursion(initial="sqrt(m2)", growth="1"), ou(), "the initial term does not vanish as T → ∞"),
    (recursion(local="0"), ou(), "without a discretisation term any h will do"),
    (recursion(initial="sqrt(m2)/t0"), ou(), "initial is infinite at t0 = 0"),
    (summed(initialisation="1/log(1 + T)", discretisation="h"), ou(), "falls like none|does not vanish"),
    (summed(discretisation="sqrt(h)*d^(1/4) + h*d^2"), ou(), "neither outweighs the other"),
    (summed(initialisation="sqrt(exp(-T)*m2 + h*d)", discretisation="h"), ou(), "must have a limit as h → 0"),
    (claim.closed_form("late", source="Me", terms={"discretisation": "h"}), ou(),
     "late: without an initialisation term"),
    (claim.closed_form("low", source="Me", kind="lower", terms={"all": "h"}), ou(),
     "low: a lower bound guarantees no number of steps"),
], ids=range(23))
def test_why_there_is_no_order(theorem, process, why):
    """Where there is no order, one line says why."""
    with pytest.raises(NoOrder, match=why) as refused:
        of_process(theorem, process)
    assert "\n" not in str(refused.value)


def test_a_claim_lends_and_borrows_no_start():
    """The initial error of a claim is part of its recursion: it takes none from a theorem, and gives none."""
    theorem = theorems()["martingale"]
    with pytest.raises(NoOrder, match="mine: a claim starts from its own initial error"):
        complexity(recursion(), 1, 2, theorem)
    with pytest.raises(NoOrder, match="mine states no leading order"):
        complexity(theorem, 1, 2, recursion())
