"""The constant of the lower bound: formula, zeros, and the exact error it predicts."""

import math
import time

import numpy as np
import pytest
import sympy
from scipy.integrate import quad

from bounds import ou, sub_vp, ve, vp
from bounds.schedules import cosine, exponential, linear, polynomial
from tests.tolerances import LEADING_QUADRATURE, NEAR_LEADING_ORDER
from tests.verify.tolerances import SLOPE_OF_LEADING_ORDER
from verify.studies import lower_constants
from verify.studies.lower_constants import (
    measured_constants,
    plot_lower_constants,
    signed_integral,
    symbolic_constant,
    vanishing_stds,
)

S, T = sympy.symbols("S T", positive=True)


@pytest.mark.parametrize(
    "process, horizon", [(ou(), 6.0), (ve(1), 20.0), (ve("exp(t)"), 3.0), (vp(1), 8.0)], ids=str
)
@pytest.mark.parametrize("std", [0.3, 2.5])
def test_the_formula_is_the_integral(process, horizon, std):
    """Sympy's closed form, scipy's quadrature of λa²S²/V² written here and the number used agree."""
    found = symbolic_constant(process)
    f, g_sq, a, s_sq = (sympy.lambdify(sympy.Symbol("t", nonnegative=True), e, "math") for e in (
        process.f, process.g_sq, process.a.expression, process.s_sq.expression))

    def integrand(t):
        V = a(t) ** 2 * std**2 + s_sq(t)
        return (g_sq(t) ** 2 / V - f(t) * g_sq(t) - f(t) ** 2 * V) * a(t) ** 2 * std**4 / V**2

    expected = quad(integrand, 0, horizon, limit=200, epsabs=1e-13)[0]
    assert found.route == "closed form"
    assert math.isclose(
        float(found.integral.subs({S: std**2, T: horizon})),
        expected,
        rel_tol=LEADING_QUADRATURE,
        abs_tol=1e-10,
    )
    assert math.isclose(
        signed_integral(process, horizon, std), expected, rel_tol=LEADING_QUADRATURE, abs_tol=1e-10
    )


def test_the_formula_has_one_time_limit(monkeypatch):
    """Simplifying and integrating share their seconds: past them the integral is left unevaluated."""
    def slowly(expression):
        end = time.monotonic() + 2.0
        while time.monotonic() < end:
            pass
        return expression

    monkeypatch.setattr(lower_constants, "FORMULA_SECONDS", 0.2)
    monkeypatch.setattr(lower_constants, "tidy", slowly)
    found = symbolic_constant(ou())
    assert found.route == "quadrature"
    assert isinstance(found.integral, sympy.Integral)


def test_where_the_constant_vanishes():
    """For OU only at σ0² = 1.59708; for VE with constant g nowhere."""
    assert [std**2 for std in vanishing_stds(ou(), 15.0)] == [pytest.approx(1.59708, abs=1e-5)]
    assert vanishing_stds(ve(1), 60.0) == []


@pytest.mark.parametrize(
    "process, horizon",
    [
        (vp(linear("1/10", "199/10")), 1.5),
        pytest.param(vp(polynomial(1, 2, 2)), 3.0, marks=pytest.mark.deep),
        pytest.param(vp(exponential("1/10", 5)), 1.5, marks=pytest.mark.deep),
        (vp(cosine()), 0.99),
        (sub_vp(linear("1/10", "199/10")), 1.5),
    ],
    ids=["linear", "polynomial", "exponential", "cosine", "sub-vp"],
)
def test_at_the_vanishing_std_the_error_is_of_second_order(process, horizon):
    """One σ0 for every named schedule; there the exact error falls like K⁻², and like K⁻¹ a little beside
    it."""
    (std,) = vanishing_stds(process, horizon)
    fewer, more = (
        measured_constants(process, horizon, steps, [std, 1.5 * std]) / steps for steps in (2000, 4000)
    )
    np.testing.assert_allclose(np.log2(fewer / more), [2.0, 1.0], atol=SLOPE_OF_LEADING_ORDER)


@pytest.mark.parametrize("process, horizon", [(ou(), 10.0), (ve(1), 50.0)], ids=["ou", "ve"])
def test_the_exact_error_follows_the_constant(process, horizon):
    """W2·K/(√d T) of the exact chain tends to |e/h|/(2σ0)."""
    stds = [0.5, 1.0, 3.0]
    expected = [abs(signed_integral(process, horizon, std)) / (2 * std) for std in stds]
    np.testing.assert_allclose(
        measured_constants(process, horizon, 8000, stds), expected, rtol=NEAR_LEADING_ORDER
    )


def test_the_picture_marks_the_zero():
    """One curve, one set of points and one line where c vanishes."""
    from matplotlib.figure import Figure

    ax = Figure().add_subplot()
    plot_lower_constants(ax, ou(), 10.0, steps=200)
    assert len(ax.lines) == 3 and "σ0 = 1.264" in ax.get_legend().get_texts()[2].get_text()
