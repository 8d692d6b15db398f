"""closed_form's own numbers of a step: against closed forms, within their stated errors, and independent."""

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounds import ForwardProcess, TimeGrid, general, ou, ve, vp
from bounds.sampler import Scheme
from bounds.samplers import samplers
from bounds.symbolic.expressions import real_function
from closed_form import Gaussian
from closed_form.steps.polynomials import polynomials
from closed_form.steps.quadrature import gauss
from closed_form.steps.table import exact_steps
from tests.closed_form.tolerances import CHAIN_SAME, CHAIN_WIDTH
from verify import setting_of

NAMES = ("P", "Q", "noise_var", "a", "s_sq")
KEYS = sorted(samplers(1))


def steps_of(process, times, key="euler-maruyama", law=None):
    """Both routes, closed_form's and the table of bounds, and what rounding does to the noise of the latter."""
    scheme = Scheme(samplers(1)[key], TimeGrid(np.asarray(times, dtype=float)))
    setting = setting_of(process, law or Gaussian([0.3], 0.7), scheme)
    return exact_steps(process, scheme, setting.assumption, setting.facts.moments), setting.table.steps(), setting.table.noise_error


@pytest.mark.parametrize("count", [4, 8, 17, 24])
def test_a_rule_integrates_polynomials_exactly(count):
    """n nodes integrate degrees below 2n over [0, 1], and degrees below n up to each node, to the last bits."""
    rule = gauss(count)
    for degree in range(2 * count):
        assert abs(rule.nodes**degree @ rule.weights * (degree + 1) - 1) < CHAIN_SAME / 1e4
    for degree in range(count):
        found = rule.nodes**degree @ rule.inner * (degree + 1)
        assert np.abs(found - rule.nodes ** (degree + 1)).max() < CHAIN_SAME / 1e4


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("process", [ou(), vp("0.1+19.9*t"), ve("0.01*5000^t"), general("-sin(3*t)", "1+t/2")],
                         ids=str)
@given(st.lists(st.floats(0.01, 0.5), min_size=1, max_size=6), st.booleans())
def test_two_routes_agree(process, key, lengths, stopped):
    """Every number of every sampler is that of the table of bounds, to the rounding of floats."""
    times = np.cumsum([0.05 * stopped, *lengths])[::-1]
    mine, its, lost = steps_of(process, times, key)
    for name in NAMES:
        size = np.abs(getattr(its, name))
        slack = CHAIN_WIDTH * (size + 1e-3 * size.max()) + (lost if name == "noise_var" else 0)
        assert np.all(np.abs(getattr(mine, name) - getattr(its, name)) <= slack)


@pytest.mark.parametrize("key", ["exponential", "ancestral"])
@given(st.floats(0.05, 2), st.floats(0.1, 3), st.integers(1, 6), st.booleans())
def test_errors_hold_what_is_missed(key, rate, size, count, stopped):
    """For f = r, g² = s the numbers of 40 digits lie within the stated errors, and these are tiny."""
    rate, size = float(f"{rate:.6g}"), float(f"{size:.6g}")
    times = np.linspace(2.0, 0.25 * stopped, count + 1)
    process = ForwardProcess.scalar("test", real_function("f", rate), real_function("g", size))
    chosen = Scheme(samplers(1)[key], TimeGrid(times))
    found = exact_steps(process, chosen)
    with mpmath.workdps(40):
        r, s = mpmath.mpf(str(rate)), mpmath.mpf(str(size))
        for k in range(count):
            h = mpmath.mpf(float(times[k])) - mpmath.mpf(float(times[k + 1]))
            at = mpmath.mpf(float(times[k]))
            s_sq, lower = (-s * mpmath.expm1(-2 * r * place) / (2 * r) for place in (at, at - h))
            wanted = {"P": mpmath.exp(r * h), "Q": s * mpmath.expm1(r * h) / r, "a": mpmath.exp(-r * at),
                      "noise_var": s * mpmath.expm1(2 * r * h) / (2 * r), "s_sq": s_sq}
            if key == "ancestral":
                C = -s * mpmath.expm1(-2 * r * h) / (2 * r)
                wanted |= {"Q": mpmath.exp(r * h) * C, "noise_var": C * lower / s_sq}
            for name, value in wanted.items():
                error = float(getattr(found.errors, name)[k])
                digits = repr(getattr(found, name)[k]).removeprefix("np.longdouble('").removesuffix("')")
                assert abs(mpmath.mpf(digits) - value) <= error + mpmath.mpf(10) ** -19 * abs(value)
                assert error <= CHAIN_SAME / 1e3 * abs(value)


def test_polynomials_stand_for_the_functions():
    """Off the nodes, too, f and g² are within the stated remainder of their polynomials."""
    process = ForwardProcess.scalar("test", real_function("f", "tanh(40*(t-0.3))"),
                                    real_function("g", "1+50*exp(-(300*(t-0.7))^2)"))
    found, t = polynomials(process, 1.0), np.linspace(1e-4, 1, 997)
    part = np.searchsorted(found.edges, t, side="right") - 1
    part = np.minimum(part, len(found.edges) - 2)
    half = np.diff(found.edges)[part] / 2
    y = (t - found.edges[part] - half) / half
    for which, values in enumerate((process.f_values(t), process.g_sq_values(t))):
        powers = y[:, None] ** np.arange(found.coefficients.shape[2])
        fitted = (found.coefficients[which, part] * powers).sum(axis=1).astype(float)
        assert np.abs(fitted - values).max() <= CHAIN_SAME * np.abs(values).max()
        assert np.all(found.remainder[which] <= 1e-15 * np.abs(values).max())


def test_what_cannot_be_enclosed_says_so():
    """Coefficients with a function that has no ball arithmetic are taken from the table, and said to be."""
    import sympy

    from bounds.symbolic.integrals import TIME

    process = ForwardProcess.scalar("test", sympy.Rational(1, 2), 1 + sympy.atan(TIME) ** 2)
    mine, its, _ = steps_of(process, [1.0, 0.5, 0.0])
    assert "not enclosed" in mine.errors.estimated and "atan" in mine.errors.estimated
    assert mine.P == pytest.approx(its.P)
