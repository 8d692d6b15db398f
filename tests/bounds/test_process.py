"""Forward processes: sympy's closed forms against numerical integration, and the border."""

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy.polys.polyerrors import CoercionFailed, PolynomialError

from bounds import cld, general, ou, sub_vp, ve, vp
from bounds.complexity.growth import NoOrder
from bounds.complexity.orders import complexity
from bounds.contraction.ou_phases import ou_scale_sq
from bounds.process import ForwardProcess
from bounds.schedules import constant, cosine, exponential, linear, polynomial
from bounds.steps.path import Path
from bounds.symbolic.integrals import END, START, TIME
from bounds.theorems import theorems
from tests.bounds.tolerances import KINKED_FORM, PATH_RELATIVE
from tests.drawn import examples, thinned

t = TIME
FAMILIES = {
    "ou": ou(),
    "vp constant": vp(constant(2)),
    "vp linear": vp(linear(sympy.Rational(1, 10), sympy.Rational(199, 10))),
    "vp polynomial": vp(polynomial(1, 2, 3)),
    "vp exponential": vp(exponential(1, sympy.Rational(1, 2))),
    "vp cosine": vp(cosine(2)),
    "ve constant": ve(constant(3)),
    "ve exponential": ve(exponential(1, 1)),
    "ve polynomial": ve(polynomial(1, 1, sympy.Rational(1, 3))),
    "ve sqrt": ve(sympy.sqrt(2 * t)),
    "sub-vp": sub_vp(linear(1, 1)),
    "general growing": general(-sympy.Rational(1, 2), 1 + t),
    "general oscillating": general(sympy.sin(5 * t), sympy.Integer(1)),
}
TIMES = np.array([1.5, 1.1, 0.5, 0.01, 0.0])


def _reference(process, start, end):
    """(Φ, C) between two times by 30-digit quadrature of the definitions."""
    f = sympy.lambdify(t, process.f, "mpmath")
    g_sq = sympy.lambdify(t, process.g_sq, "mpmath")
    with mpmath.workdps(20):
        def phi(low):
            return mpmath.exp(-mpmath.quad(f, mpmath.linspace(low, end, 4), method="gauss-legendre"))

        kernel = lambda u: phi(u) ** 2 * g_sq(u)  # noqa: E731
        covariance = mpmath.quad(kernel, mpmath.linspace(start, end, 4), method="gauss-legendre")
        return float(phi(start)), float(covariance)


@pytest.mark.parametrize("name", thinned(FAMILIES, every=2))
def test_steps_agree_with_high_precision_quadrature(name):
    """Φ and C of every step, and a and s² at every time, agree with 20-digit quadrature of their
    definitions."""
    process = FAMILIES[name]
    path = Path(process, TIMES)
    for i in range(len(TIMES) - 1):
        phi, covariance = _reference(process, TIMES[i + 1], TIMES[i])
        assert np.exp(-path.F[i]) == pytest.approx(phi, rel=PATH_RELATIVE)
        assert path.C[i] == pytest.approx(covariance, rel=PATH_RELATIVE)
    a, s_sq = _reference(process, 0.0, TIMES[0])
    assert path.a[0] == pytest.approx(a, rel=PATH_RELATIVE)
    assert path.s_sq[0] == pytest.approx(s_sq, rel=PATH_RELATIVE)


@pytest.mark.parametrize("name", thinned([n for n in FAMILIES if n not in ("general oscillating", "sub-vp")], every=2))
def test_closed_forms_agree_with_the_numbers(name):
    """Where sympy finds closed forms, they take the values that quadrature gives."""
    process = FAMILIES[name]
    path = Path(process, TIMES)
    assert process.transition.route == "closed form"
    assert process.covariance.route == "closed form"
    values = {START: sympy.Rational(1, 2), END: sympy.Rational(11, 10)}
    assert float(process.transition.expression.subs(values).evalf(25)) == pytest.approx(
        np.exp(-path.F[1]), rel=PATH_RELATIVE
    )
    assert float(process.covariance.expression.subs(values).evalf(25)) == pytest.approx(
        path.C[1], rel=PATH_RELATIVE
    )
    moment = {t: sympy.Rational(3, 2)}
    assert float(process.a.expression.subs(moment).evalf(25)) == pytest.approx(path.a[0], rel=PATH_RELATIVE)
    assert float(process.s_sq.expression.subs(moment).evalf(25)) == pytest.approx(
        path.s_sq[0], rel=PATH_RELATIVE
    )


def test_variance_preserving_processes_preserve_variance():
    """For VP, s² = 1 − a² as an identity of sympy expressions; for sub-VP it is (1 − a²)²."""
    for name in ("vp constant", "vp linear", "vp polynomial", "vp exponential", "vp cosine"):
        process = FAMILIES[name]
        assert sympy.simplify(process.s_sq.expression - (1 - process.a.expression**2)) == 0
    process = FAMILIES["sub-vp"]
    defect = process.s_sq.expression - (1 - process.a.expression**2) ** 2
    assert abs(float(defect.subs(t, sympy.Rational(7, 10)).evalf(30))) < PATH_RELATIVE


def test_routes_are_reported():
    """An integral without an elementary closed form is reported as quadrature, and still has numbers."""
    process = general(sympy.exp(sympy.sin(t)) , 1)
    assert process.integral_f.route == "quadrature"
    assert process.covariance.route == "quadrature"
    assert ou().covariance.route == "closed form"
    phi, covariance = _reference(process, 0.0, 1.0)
    path = Path(process, np.array([1.0, 0.0]))
    assert path.s_sq[0] == pytest.approx(covariance, rel=PATH_RELATIVE)
    assert path.a[0] == pytest.approx(phi, rel=PATH_RELATIVE)


def test_cosine_schedule_is_the_published_one():
    """a² of the cosine schedule is cos²(π/2 (t/T'+s)/(1+s)), normalised at 0."""
    process, s = vp(cosine(2)), sympy.Rational(1, 125)
    published = (sympy.cos(sympy.pi / 2 * (t / 2 + s) / (1 + s)) / sympy.cos(sympy.pi / 2 * s / (1 + s))) ** 2
    assert float(
        (process.a.expression**2 - published).subs(t, sympy.Rational(9, 10)).evalf(30)
    ) == pytest.approx(0, abs=1e-20)


def test_the_type_holds_two_blocks():
    """A two-block drift with a clock is a process, and refuses to speak of f and g."""
    drift = sympy.Matrix([[0, 1], [-1, -2]])
    process = ForwardProcess("cld", drift, sympy.diag(0, 2), clock=4 * t)
    assert process.blocks == 2
    with pytest.raises(ValueError, match="2 blocks"):
        process.f  # noqa: B018


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: Path(vp(t - 1), np.array([2.0, 0.0])), "g² must be >= 0"),
        (lambda: Path(general(1 / (t - 1), 1), np.array([2.0, 0.0])), "converge|finite"),
        (lambda: Path(general(1, sympy.sqrt(t - 1)), np.array([2.0, 0.0])), "g² must be"),
        (lambda: Path(general(sympy.log(t - 1), 1), np.array([2.0, 0.0])), "real and finite"),
        (lambda: Path(ve(0), np.array([1.0, 0.0])), "vanish"),
        (lambda: Path(general(-1000, 1), np.array([5.0, 0.0])), "finite"),
        (lambda: vp(sympy.Symbol("x")), "function of t"),
        (lambda: general("x + t", 1), "t"),
        (lambda: ForwardProcess("bad", sympy.zeros(3, 3), sympy.zeros(3, 3)), "1×1 or 2×2"),
        (lambda: ForwardProcess("bad", sympy.Matrix([[sympy.Symbol("q")]]), sympy.eye(1)), "function of t"),
    ],
)
def test_unusable_processes_are_refused(make, words):
    """A process whose coefficients are not real, finite, integrable functions of t with g² >= 0 is
    refused."""
    with pytest.raises(ValueError, match=words):
        make()


GIVES_UP = [(name, "sqrt(1 + t)", error) for name in ("integrate", "simplify") for error in (
    RecursionError, PolynomialError, CoercionFailed, NotImplementedError, ZeroDivisionError, KeyError, TypeError,
    NameError)]


# what is integrated once is remembered, so that these come first; the last takes long where nothing is simplified
@pytest.mark.parametrize(("name", "g", "error"), [
    ("integrate", "2 + t", RecursionError), *GIVES_UP,
    pytest.param("simplify", "2 + t", RecursionError, marks=pytest.mark.deep)])
def test_whatever_sympy_raises_is_no_closed_form(monkeypatch, name, g, error):
    """Where sympy gives up, in whatever way, the forms are there by another route, and so are the numbers."""
    def fails(*_, **__):
        raise error("sympy gave up")

    monkeypatch.setattr(sympy, name, fails)
    process = general("1 + t", g)
    forms = process.closed_forms()
    assert forms["integral_f"].route == ("quadrature" if name == "integrate" else "closed form")
    assert {form.route for form in forms.values()} <= {"quadrature", "closed form"}
    assert ou_scale_sq(vp("7 + 11*t")) in (None, 1.0)
    assert Path(process, np.array([1.0, 0.0])).a[0] == pytest.approx(np.exp(-1.5), rel=PATH_RELATIVE)
    with pytest.raises(NoOrder, match=r"sympy|closed form"):
        complexity(theorems()["martingale"], process.f, process.g_sq)


@pytest.mark.parametrize("text", ["sqrt(1.23456789012345678901234567)*t", "1.12345678901234567890123**0.5*t",
                                  "t*cos(12345678901234567890.1)**2", "log(98765432109876543210.123 + t)"])
def test_long_decimals_are_numbers(text):
    """Numbers of more digits than numpy's integers hold give the values that 30 digits give."""
    process, times = vp(text), np.array([0.3, 1.0])
    expected = [float(process.g_sq.subs(TIME, sympy.Rational(str(time))).evalf(30)) for time in times]
    assert process.g_sq_values(times) == pytest.approx(expected, rel=PATH_RELATIVE)
    assert cld(clock=text.replace("log(", "t*log(")).clock.subs(TIME, 1) > 0


def numbers(form, low, high):
    """A closed form of `process` at r = low and τ = t = high, by 30 digits."""
    return complex(form.expression.subs({START: low, END: high, TIME: high}).evalf(30))


@settings(max_examples=examples(2))
@given(st.sampled_from(("abs(t - {0})", "{1} + abs(t - {0})", "exp(-abs(t - {0}))",
                        "abs(t - {0})*abs(t - {1})", "{1} + abs(cos({0}*t))", "1/(1 + abs(t - {0}))",
                        "1/({1} + 1 + cos(t)**2)")),
       st.integers(1, 8), st.integers(1, 4))
def test_a_closed_form_is_true_or_not_said_to_be_one(form, quarters, size):
    """Where coefficients have kinks or antiderivatives jump, closed forms are what quadrature gives."""
    beta = form.format(f"{quarters}/4", f"{size}/2")
    process = vp(beta)
    forms = process.closed_forms()
    for low, high in ((0, sympy.Rational(3, 5)), (sympy.Rational(3, 10), 2), (0, 9)):
        total = float(Path(process, np.linspace(float(high), float(low), 80)).F.sum())
        expected = {"integral_f": total, "integral_g_sq": 2 * total, "transition": np.exp(-total),
                    "covariance": -np.expm1(-2 * total)}
        expected |= {"a": np.exp(-total), "s_sq": -np.expm1(-2 * total)} if low == 0 else {}
        for name, value in expected.items():
            if forms[name].route == "closed form":
                assert numbers(forms[name], low, high) == pytest.approx(value, rel=KINKED_FORM), (beta, name)


def test_kinks_keep_their_closed_forms():
    """Both sides of |t − 1| are in the closed form; those of |cos t|, true up to 2π only, are no closed
    form, and sub-VP, which needs one, refuses it."""
    assert {form.route for form in vp("abs(t - 1)").closed_forms().values()} == {"closed form"}
    assert {form.route for form in vp("abs(cos(t))").closed_forms().values()} == {"quadrature"}
    with pytest.raises(ValueError, match="beta must have a closed-form integral"):
        sub_vp("abs(cos(t))")


@pytest.mark.parametrize("process, level", [
    (vp("1 + t"), 1), (general("t", "sqrt(3*t)"), sympy.Rational(3, 2)),
    (vp("1 + abs(t - 1/3)/(t - 1/3)/2"), 1), (ve("1"), None),
    (sub_vp(linear(1, 1)), None), (general("1 + t", "sqrt(2 + t)"), None),
    (ForwardProcess.scalar("arctangent", sympy.atan(t), 2 * sympy.atan(t)), None)], ids=str)
def test_level(process, level):
    """v where g² = 2vf at all times, whatever f: there s² is v(1 − a²); None where there is no such v, or f
    has no ball arithmetic."""
    assert process.level == level
    if level is not None:
        path = Path(process, np.array([1.5, 1.0, 0.2, 0.0]))
        found = float(level) * (1 - path.a**2)
        assert path.s_sq == pytest.approx(found, rel=PATH_RELATIVE, abs=PATH_RELATIVE)
