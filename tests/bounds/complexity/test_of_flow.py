"""Closed forms of samplers without noise on N(0, v I): as derived by hand, and as the exact law has them."""

import numpy as np
import pytest
import sympy

from bounds import TimeGrid, edm, ou
from bounds.complexity.of_flow import (
    EPS,
    OF_LEVELS,
    OF_TIME,
    SIGMA,
    D,
    FlowOrder,
    H,
    K,
    T,
    V,
    best_density,
    flow_order,
    flow_orders,
)
from bounds.sampler import Scheme, scheme
from bounds.samplers import samplers
from bounds.theorems import theorems
from closed_form import Gaussian, GaussianMixture
from closed_form.steps.table import exact_steps
from tests.bounds.tolerances import EQUAL_ANGLES, FINE_SLOPE, SYMBOLS_IN_FLOATS
from tests.tolerances import BRUTE_FORCE, NEAR_LEADING_ORDER
from verify.certificates.certificate import measure
from verify.certificates.question import setting_of

VARIANCE, DIM = 0.3, 3
LAW = Gaussian(np.zeros(DIM), VARIANCE)
ROOT = sympy.sqrt(D * V)
#: Log-errors of a step, W2 on equal steps, and on the best grid, from theory by hand.
STATED = {
    "ddim": (-(H**2) * V / (2 * (V + SIGMA**2) ** 2), sympy.sqrt(D) * sympy.pi * H / 8,
             ROOT * sympy.pi**2 / (8 * K)),
    "heun": (H**3 * SIGMA * V / (2 * (V + SIGMA**2) ** 3), sympy.sqrt(D) * H**2 / (8 * sympy.sqrt(V)), None),
    "dpm-solver-2": (H**3 * V / (8 * SIGMA * (V + SIGMA**2) ** 2), None, None),
    "midpoint": (-(H**4) * SIGMA**2 * V / (8 * (V + SIGMA**2) ** 4), None, None),
    "ode-euler": (None, ROOT * H * sympy.Abs(1 / V - 1 - sympy.log(V)) / 4, None),
    "ode-exponential": (None, sympy.sqrt(D) * H * sympy.Abs(V - 1) / (4 * sympy.sqrt(V)), None),
}


def w2(process, sampler, grid):
    """The exact W2 to the law at the grid's end, from the prior that is as wide as p_T."""
    steps = exact_steps(process, Scheme(samplers()[sampler], grid, prior_spread=VARIANCE))
    slope = 1 / (steps.a[:-1] ** 2 * VARIANCE + steps.s_sq[:-1])
    moved = steps.P - steps.Q * slope
    if (second := steps.second) is not None:
        inner = np.where(second.Q == 0, 0.0, 1 / np.maximum(second.a**2 * VARIANCE + second.s_sq, 1e-300))
        moved = second.keep + (second.P - second.Q * inner) * moved
    end = np.sqrt(steps.a[-1] ** 2 * VARIANCE + steps.s_sq[-1])
    return float(np.sqrt(DIM) * abs(np.sqrt(float(steps.prior_var)) * np.prod(moved) - end))


def number(expression, **values):
    """The expression at d and v of the law."""
    known = {V: VARIANCE, D: DIM, **{{"h": H, "K": K}[name]: value for name, value in values.items()}}
    return float(expression.subs(known))


@pytest.mark.parametrize("key", STATED)
def test_derived_forms_are_those_of_the_theory(key):
    """sympy derives the log-errors, sums and best grids that were found by hand."""
    found = flow_order(key)
    for stated, derived in zip(STATED[key], (found.local_error, found.uniform, found.best), strict=True):
        for v in () if stated is None else (sympy.Rational(1, 3), sympy.Rational(2)):
            known = {V: v, D: 2, H: 1, K: 5, SIGMA: sympy.Rational(3, 4)}
            assert float((stated - derived).subs(known)) == pytest.approx(0, abs=SYMBOLS_IN_FLOATS)
    assert found.order == {"midpoint": 3, "heun": 2, "dpm-solver-2": 2}.get(key, 1)


@pytest.mark.parametrize("key", ["ddim", "heun", "midpoint"])
def test_equal_steps_of_the_level(key):
    """On equal steps of σ from far away the exact W2 is the closed form, without a last step of Euler's."""
    count, far = 4000, 60.0
    h = far / count
    stages = samplers()[key].stages
    stop = h if stages is not None and stages.euler_to_zero else 0.0
    grid = TimeGrid.uniform(far, count - (stop > 0), stop)
    stated = number(flow_order(key).uniform, h=h)
    assert w2(edm(), key, grid) == pytest.approx(stated, rel=2 * NEAR_LEADING_ORDER)


@pytest.mark.parametrize("key", OF_TIME)
def test_equal_steps_of_time(key):
    """On equal steps of t under OU the exact W2 is the closed form."""
    found = w2(ou(), key, TimeGrid.uniform(10.0, 4000))
    assert found == pytest.approx(number(flow_order(key).uniform, h=10.0 / 4000), rel=NEAR_LEADING_ORDER)


@pytest.mark.parametrize("key", ["ddim", "midpoint"])
def test_best_grids(key):
    """With steps laid by the best density the exact W2 is the closed form: equal angles for DDIM."""
    order, count = flow_order(key), 400
    near = np.linspace(0.0, np.pi / 2 - 0.1, 200_001)[:-1]
    fine = np.sqrt(VARIANCE) * np.tan(np.append(near, np.pi / 2 - np.geomspace(0.1, 1e-6, 100_000)))
    density = sympy.lambdify(SIGMA, order.density.subs(V, VARIANCE), "numpy")(np.maximum(fine, 1e-12))
    passed = np.append(0.0, np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(fine)))
    levels = np.interp(np.linspace(passed[-1], 0.0, count + 1), passed, fine)
    if key == "ddim":
        angles = np.diff(np.arctan(levels / np.sqrt(VARIANCE)))
        assert angles == pytest.approx(np.full(count, angles.mean()), rel=EQUAL_ANGLES)
    found = w2(edm(), key, TimeGrid.from_times(levels))
    assert found == pytest.approx(number(order.best, K=count), rel=2 * NEAR_LEADING_ORDER)
    needed = float(order.steps.subs({V: VARIANCE, D: DIM, EPS: found}))
    assert needed == pytest.approx(count, rel=NEAR_LEADING_ORDER)


@pytest.mark.parametrize("shape", [1.0, 2.0, 3.0, 7.0])
def test_no_grid_of_ddim_is_better(shape):
    """On any grid DDIM is worse than on the cosine schedule: W2 is at least √(dv) π²/(8K)."""
    count = 300
    times = 30.0 * np.linspace(1.0, 0.0, count + 1) ** shape
    assert w2(edm(), "ddim", TimeGrid.from_times(times)) > 1.05 * number(flow_order("ddim").best, K=count)


def test_the_density_solves_its_equation():
    """The best density makes |c| n^{-p-1} constant; all rows are there, and others are refused."""
    density = best_density(V / (V + SIGMA**2) ** 2, 1)
    assert sympy.simplify(sympy.diff(V / (V + SIGMA**2) ** 2 / density**2, SIGMA)) == 0
    assert [row.sampler for row in flow_orders()] == [*OF_LEVELS, *OF_TIME]
    assert all(isinstance(row, FlowOrder) for row in flow_orders())
    assert flow_order("ddim").one_sign and flow_order("ode-euler").local_error.has(T)
    with pytest.raises(ValueError, match="sampler must be one of ddim, heun"):
        flow_order("ancestral")


@pytest.mark.parametrize("key, order", [("ddim", 1), ("heun", 2), ("dpm-solver-2", 2), ("midpoint", 3)])
def test_slopes_of_the_exact_error(key, order):
    """From 512 to 2048 steps of EDM's grid the exact W2 on a Gaussian falls with the power of its order."""
    rho = 7.0
    sizes = []
    for count in (512, 2048):
        levels = np.linspace(20.0 ** (1 / rho), 0.02 ** (1 / rho), count + 1) ** rho
        sizes.append(w2(edm(), key, TimeGrid.from_times(levels)))
    assert np.log(sizes[0] / sizes[1]) / np.log(4) == pytest.approx(order, abs=FINE_SLOPE)


@pytest.mark.parametrize("key, order, on_gaussians", [
    ("ddim", 1, 1), ("heun", 2, 2), ("dpm-solver-2", 2, 2), ("midpoint", 2, 3)])
def test_slopes_of_the_bound(key, order, on_gaussians):
    """From 256 to 512 steps the bound falls with its order, one more for midpoint on Gaussians."""
    modes = GaussianMixture.two_modes(2.0, 0.5)
    for law, expected in ((modes, order), (Gaussian([0.0], 0.25), on_gaussians)):
        sizes = []
        for count in (256, 512):
            levels = np.linspace(20.0 ** (1 / 7), 0.02 ** (1 / 7), count + 1) ** 7
            setting = setting_of(edm(), law, Scheme(samplers()[key], TimeGrid.from_times(levels)))
            sizes.append(theorems()["flow"].bound(setting).terms["discretisation"])
        assert np.log2(sizes[0] / sizes[1]) == pytest.approx(expected, abs=FINE_SLOPE)


def test_a_scheme_of_equal_steps_is_meant():
    """Half the step halves the W2 of DDIM on equal steps of t as well."""
    key, counts = "ode-exponential", (1000, 2000)
    ends = [measure(setting_of(ou(), LAW, scheme(key, 8.0, count, prior_spread=VARIANCE)), LAW).midpoint
            for count in counts]
    assert ends[0] / ends[1] == pytest.approx(2.0, rel=NEAR_LEADING_ORDER)
    assert ends[1] == pytest.approx(w2(ou(), key, TimeGrid.uniform(8.0, 2000)), rel=BRUTE_FORCE)
