"""Expressions in ball arithmetic hold the values that 40 digits give, whatever they are made of."""

import mpmath
import pytest
import sympy
from flint import acb, arb, ctx
from hypothesis import given
from hypothesis import strategies as st

from bounds.symbolic.balls import BallFormula, BallFunction, NotAnalytic, NotEnclosed, _Hyperbolic, _Power
from bounds.symbolic.expressions import real_function
from bounds.symbolic.integrals import TIME

TEXTS = [
    "1/3", "t", "0.1+19.9*t", "exp(-(5*(t-0.8))^2)", "sqrt(t+1/7)", "(t+0.1)^(2/3)", "1/(3-t)", "log(1+t)^3",
    "sin(3*t)*cos(t)", "tan(t/3)", "cot(1+t/9)", "sinh(t)-cosh(2*t)", "tanh(4*(t-1))-tanh(4*(t-2))",
    "tanh(300*(t-1))", "abs(t-0.7)", "abs(t-0.7)/(t-0.7)", "2^t", "e^(-t)*pi", "t^20", "abs(sin(5*t))^3",
]
OTHERS = [
    sympy.Piecewise((TIME**2, TIME < 1), (sympy.exp(TIME), True)),
    sympy.Max(TIME, 1 - TIME, sympy.Rational(3, 4)),
    sympy.Min(sympy.sin(TIME), sympy.Rational(1, 2)), sympy.Float(0.1) * TIME,
]
EXPRESSIONS = [real_function("f", text) for text in TEXTS] + OTHERS
PLACES = st.floats(1e-3, 2.5)


def truth(expression, place: float):
    """The value in 40 digits."""
    with mpmath.workdps(40):
        return sympy.lambdify(TIME, expression, modules="mpmath")(mpmath.mpf(place))


def holds(ball, value) -> bool:
    """Whether a ball reaches a 40-digit value."""
    return bool(ball.overlaps(arb(mpmath.nstr(value, 35, min_fixed=-1, max_fixed=-1))))


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=str)
@given(left=PLACES, length=st.floats(1e-9, 0.5), share=st.floats(0, 1))
def test_an_interval_holds_every_value(expression, left, length, share):
    """A ball over an interval reaches the value at each of its points."""
    right = left + length
    ball = BallFunction(expression).interval(arb(left).union(arb(right)))
    place = min(max(left + share * length, left), right)
    assert not ball.is_finite() or holds(ball, truth(expression, place))


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=str)
@given(left=PLACES, length=st.floats(1e-6, 0.05), share=st.floats(0, 1))
def test_taylor_coefficients_hold_the_derivatives(expression, left, length, share):
    """The coefficient of order k over an interval reaches f⁽ᵏ⁾/k! at each of its points."""
    right = left + length
    try:
        found = BallFunction(expression).taylor(arb(left).union(arb(right)), 6)
    except NotAnalytic:
        return
    place = min(max(left + share * length, left), right)
    with mpmath.workdps(60):
        at = sympy.lambdify(TIME, expression, modules="mpmath")
        wanted = mpmath.taylor(at, mpmath.mpf(place), 5)
    for order, value in enumerate(wanted):
        slack = arb(0, float(mpmath.mpf(10) ** -15 * (1 + abs(value))))  # the step of the differences
        assert holds(found[order] + slack, mpmath.re(value))


def test_series_keep_their_terms():
    """As many Taylor coefficients come back as were asked for: python-flint's limit of ten is lifted."""
    found = BallFunction(real_function("f", "exp(2*t)")).taylor(arb(0), 30)
    assert found.prec == 30 and found[29].overlaps(arb(2) ** 29 / arb(29).gamma() / 29)
    assert ctx.cap == 10


@pytest.mark.parametrize("text, place, radius", [
    ("abs(t-1)", 1.0, 0.1), ("sqrt(t-1)", 1.05, 0.1), ("log(t-1)", 1.05, 0.1),
    ("abs(t-1)/(t-1)", 1.0, 1e-12)])
def test_a_disc_at_a_kink_is_not_analytic(text, place, radius):
    """No bound is given on a disc that holds a kink, a jump or a branch point of the function."""
    around = arb(0, radius)
    with pytest.raises(NotAnalytic):
        BallFunction(real_function("f", text)).disc(acb(arb(place) + around, around), arb(place) + around)


def test_a_pole_leaves_no_finite_ball():
    """A disc or an interval that holds a pole has no finite ball."""
    function, around = BallFunction(real_function("f", "1/(t-1)")), arb(0, 0.1)
    assert not function.interval(arb(1) + around).is_finite()
    assert not function.disc(acb(arb(1) + around, around), arb(1) + around).is_finite()


def test_a_disc_holds_the_function_beside_its_kink():
    """Where |t − 1| is a polynomial on the interval, the disc may reach over the kink."""
    ball = BallFunction(real_function("f", "abs(t-1)")).disc(acb(arb(2, 1.5), arb(0, 1.5)), arb(2, 0.5))
    assert ball.is_finite() and ball.overlaps(acb(1)) and ball.overlaps(acb(-0.4))


def test_constants_are_their_digits():
    """e and π are balls of their own, and tiny ones."""
    for constant, value in ((sympy.E, mpmath.e), (sympy.pi, mpmath.pi)):
        with mpmath.workdps(40):
            ball = BallFunction(constant).interval(arb(0))
            assert holds(ball, +value) and ball.rad() < 1e-14


def test_what_has_no_rule_is_named():
    """An expression with a function that has no rule is refused by its name."""
    with pytest.raises(NotEnclosed, match="zeta"):
        BallFunction(sympy.zeta(TIME + 2))
    with pytest.raises(NotEnclosed, match="condition"):
        BallFunction(sympy.Piecewise((1, sympy.Eq(TIME, 1)), (0, True)))


def test_conditions_may_be_joined():
    """Several comparisons decide as their sides do; where that is open, both cases are in the ball."""
    inside = sympy.Piecewise((3, sympy.And(TIME > 1, TIME < 2)), (sympy.log(TIME - 2), TIME > 2), (5, True))
    outside = sympy.Piecewise((5, sympy.Or(TIME <= 1, TIME >= 2)), (3, True))
    for place, wanted in ((0.5, 5), (1.5, 3)):
        around = arb(place, 0.25)
        for found in (BallFunction(inside), BallFunction(outside)):
            assert found.interval(around) == wanted
            assert found.disc(acb(around, arb(0, 1)), around) == wanted
    assert BallFunction(outside).interval(arb(1, 0.25)).contains(arb(4))
    with pytest.raises(NotAnalytic):
        BallFunction(outside).disc(acb(arb(1, 0.25)), arb(1, 0.25))
    assert BallFunction(inside).interval(arb(3)) == 0


@pytest.mark.parametrize("text, wanted", [
    ("abs(t-1/2)/(t-1/2)", "sign(t - 1/2)"), ("(t-1)/abs(t-1)", "sign(t - 1)"),
    ("abs(2*t-1)/(1-2*t)", "-sign(2*t - 1)"), ("t*abs(t-1)", "t*Abs(t - 1)")])
def test_a_quotient_with_its_own_size_is_a_sign(text, wanted):
    """|x|/x and x/|x| are read as the sign of x, whose value at 0 is finite."""
    assert str(real_function("f", text)) == wanted


def test_a_power_of_a_ball_across_zero_is_that_of_its_part_above():
    """√ and the cube root of [−1/2, 3/2] hold those of 0 and of 3/2; of a ball that ends at 0, or below, they
    do not."""
    ball = arb(0.5, 1.0)
    for exponent in (sympy.Rational(1, 2), sympy.Rational(1, 3)):
        found = _Power(exponent).interval(ball)
        assert found.contains(0) and found.contains(arb(1.5) ** (arb(1) / int(exponent.q)))
        assert not found.contains(2)
        assert not _Power(exponent).interval(arb(-1.0, 0.5)).is_finite()
    assert not _Power(sympy.Rational(-1, 2)).interval(ball).is_finite()


def test_what_depends_on_constants_alone_is_worked_out_once_for_all_rows(monkeypatch):
    """tanh(19.9)³ is not asked for in every row, and rows are those of the formula one by one."""
    asked, plain = [], _Hyperbolic.interval
    monkeypatch.setattr(_Hyperbolic, "interval", lambda self, x: asked.append(x) or plain(self, x))
    formula = BallFormula(real_function("f", "tanh(199/10)^3*t + sinh(t)"))
    rows = [arb(k) / 7 for k in range(5)]
    found = formula.of_columns({"t": rows}, 5)
    constant = [x for x in asked if x.overlaps(arb("19.9"))]
    assert len(asked) == len(constant) + 5 and len(constant) <= 2  # with more digits the second time
    assert [str(each) for each in found] == [str(formula(t=t)) for t in rows]


@pytest.mark.parametrize("text", ["cos(1e100)", "19.8 + abs(cos(1e100))", "sin(1e40) - cos(1e40)", "sqrt(2)",
                                  "e - 2.71828182845904523536"])
def test_a_number_is_known_to_the_digits_asked_for(text):
    """A number that is made of others holds its value in 150 digits, and no ball is wider than its precision, whatever it
    takes on the way."""
    expression = real_function("f", text)
    with ctx.workprec(53):
        found = BallFunction(expression).interval(arb(0))
    with ctx.workdps(150):
        value = arb(str(expression.evalf(150)))
        assert found.contains(value) or abs(found - value) < 1e-140
    assert found.rel_accuracy_bits() >= 50
