"""closed_form's own numbers of a step: against closed forms, within their stated errors, and independent."""

from dataclasses import replace

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from bounds import ForwardProcess, TimeGrid, general, ou, ve, vp
from bounds.sampler import Scheme
from bounds.samplers import samplers
from bounds.symbolic.balls import NotEnclosed
from bounds.symbolic.expressions import real_function
from closed_form import Gaussian
from closed_form.steps import table
from closed_form.steps.polynomials import polynomials
from closed_form.steps.quadrature import gauss
from closed_form.steps.table import exact_steps
from tests.closed_form.tolerances import CHAIN_SAME, CHAIN_WIDTH, FIRST_ORDER
from tests.drawn import examples, thinned
from tests.own_samplers import FORMULAS, PROCESSES, own
from verify import setting_of

NAMES = ("P", "Q", "noise_var", "a", "s_sq")
KEYS = sorted(key for key, sampler in samplers(1).items()
              if sampler.evaluations == 1 and sampler.multistep is None)


def steps_of(process, times, key="euler-maruyama", law=None):
    """Both routes, closed_form's and the table of bounds, and what rounding does to the noise of the
    latter."""
    scheme = Scheme(samplers(1)[key], TimeGrid(np.asarray(times, dtype=float)))
    setting = setting_of(process, law or Gaussian([0.3], 0.7), scheme)
    return exact_steps(process, scheme, setting.assumption,
                       setting.facts.moments), setting.table.steps(), setting.table.noise_error


@pytest.mark.parametrize("count", [4, 8, 17, 24])
def test_a_rule_integrates_polynomials_exactly(count):
    """n nodes integrate degrees below 2n over [0, 1], and degrees below n up to each node, to the last
    bits."""
    rule = gauss(count)
    for degree in range(2 * count):
        assert abs(rule.nodes**degree @ rule.weights * (degree + 1) - 1) < CHAIN_SAME / 1e4
    for degree in range(count):
        found = rule.nodes**degree @ rule.inner * (degree + 1)
        assert np.abs(found - rule.nodes ** (degree + 1)).max() < CHAIN_SAME / 1e4


@pytest.mark.parametrize("process, key", thinned(
    [ou(), vp("0.1+19.9*t"), ve("0.01*5000^t"), general("-sin(3*t)", "1+t/2")], KEYS, every=2), ids=str)
@settings(max_examples=examples(4))
@given(st.lists(st.floats(0.01, 0.5), min_size=1, max_size=6), st.booleans())
def test_two_routes_agree(process, key, lengths, stopped):
    """Every number of every sampler is that of the table of bounds, to the rounding of floats."""
    times = np.cumsum([0.05 * stopped, *lengths])[::-1]
    mine, its, lost = steps_of(process, times, key)
    for name in NAMES:
        size = np.abs(getattr(its, name))
        slack = CHAIN_WIDTH * (size + 1e-3 * size.max()) + (lost if name == "noise_var" else 0)
        assert np.all(np.abs(getattr(mine, name) - getattr(its, name)) <= slack)


@pytest.mark.parametrize("key", sorted(set(FORMULAS) - {"posterior-mean-matched"}))
@pytest.mark.parametrize("name", PROCESSES)
def test_a_sampler_by_formulas_is_the_one_that_it_states(name, key):
    """Every number of a sampler that is stated by formulas is that of the sampler itself, on any process."""
    grid = TimeGrid.from_times([1.3, 1.0, 0.2, 0.05])
    mine, its = (exact_steps(PROCESSES[name], Scheme(sampler, grid))
                 for sampler in (own(FORMULAS[key]), samplers()[key]))
    for column in NAMES:
        size, apart = np.abs(getattr(its, column)), np.abs(getattr(mine, column) - getattr(its, column))
        assert np.all(apart <= CHAIN_SAME * (size + 1e-3 * size.max()))


@pytest.mark.parametrize("name", PROCESSES)
def test_the_law_where_a_step_ends_is_that_of_the_path(name):
    """P = a_r and Q = s²_r are a and s² at the times after each step."""
    grid = TimeGrid.from_times([1.3, 1.0, 0.2, 0.05])
    found = exact_steps(PROCESSES[name], Scheme(own(("a_r", "s_sq_r", "G")), grid))
    for mine, its in ((found.P, found.a), (found.Q, found.s_sq)):
        assert np.all(np.abs(mine - its[1:]) <= CHAIN_SAME)


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


def shifted(found, by, doubt):
    """Polynomials of f and g² moved by constants, and known up to others."""
    coefficients, remainder = found.coefficients.copy(), found.remainder.copy()
    coefficients[:, :, 0] += np.array(by)[:, None]
    remainder += np.array(doubt)[:, None]
    return replace(found, coefficients=coefficients, remainder=remainder)


@pytest.mark.parametrize("key", ["exponential", "ancestral", "euler-maruyama"])
@pytest.mark.parametrize("rate", [0.5, -0.5])
@pytest.mark.parametrize("off", [(1e-6, 0.0), (0.0, 1e-6), (1e-6, 1e-6)])
def test_what_polynomials_leave_open_is_carried_on(key, rate, off, monkeypatch):
    """Where f and g² are known to 1e-6 the numbers of every process as near as that are within the errors,
    which are some thirty times that at most."""
    process = general(str(-rate), "1+t/2")
    chosen = Scheme(samplers(1)[key], TimeGrid(np.array([2.0, 1.3, 0.4, 0.1])))
    plain = table.polynomials(process, 2.0)

    def numbers(by, doubt):
        monkeypatch.setattr(table, "polynomials", lambda *_: shifted(plain, by, doubt))
        return exact_steps(process, chosen)

    middle, none = numbers((0.0, 0.0), off), (0.0, 0.0)
    moved = [numbers((one * off[0], other * off[1]), none) for one in (-1, 1) for other in (-1, 1)]
    for name in (*NAMES, "prior_var"):
        error, size = np.asarray(getattr(middle.errors, name)), np.abs(getattr(middle, name))
        reached = np.max([np.abs(getattr(each, name) - getattr(middle, name)) for each in moved], axis=0)
        assert np.all(reached <= error * (1 + FIRST_ORDER)), name
        assert np.all(error <= 4e-5 * np.maximum(size, 1)), name


@pytest.mark.parametrize("off", [(1e-3, 0.0, 0.0), (0.0, 1e-3, 0.0), (0.0, 0.0, 1e-3)])
def test_an_error_of_any_part_of_closed_noise_counts(off):
    """Ancestral noise C s²(r)/s²(τ) = 0.3·0.1/0.4: an error of 1e-3 of one of them alone is in its error; the
    noise of a step to time 0 is nothing, exactly."""
    found = object.__new__(table.StepNumbers)
    found.rule = samplers(1)["ancestral"].one_block
    found.C, found.C_error = np.array([0.3]), np.array([off[0]])
    found.s_sq, found.s_sq_error = np.array([0.1, 0.4]), np.array([off[1], off[2]])
    found._close_noise()
    wanted = 0.075 * (off[0] / 0.3 + off[1] / 0.1 + off[2] / 0.4)
    assert found.noise == pytest.approx([0.075])
    assert found.noise_error == pytest.approx([wanted], rel=FIRST_ORDER)
    found.s_sq = np.array([0.0, 0.4])
    found._close_noise()
    assert found.noise_error == [0.0] == found.noise


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.25, -1.0])
@pytest.mark.parametrize("width", [0.5, 0.1, 0.03, 0.005])
def test_nodes_are_the_fewest_that_the_theorem_allows(rate, width):
    """In the middle of [0, 2], where F grows by its drift on an ellipse within the disc of radius 3, or on
    the best one for four nodes if that is smaller: the first of 4, 8, 24 nodes that miss less than 1e-19."""
    found = table.StepNumbers(general(str(rate), "1"), np.array([2.0, 1 + width / 2, 1 - width / 2, 0.0]),
                              samplers(1)["exponential"].one_block)
    drift = abs(rate) * width
    axis = min(6 / width, max(2.5, 8 / drift))
    rho, grown = axis + np.sqrt(axis**2 - 1), np.exp(drift * (axis + 1)) * (1 + 256 * drift)
    fits = [count for count in (4, 8, 24) if 64 / 15 * grown * rho ** (-2.0 * count) <= 1e-19]
    assert found._count[found._step == 1].tolist() == [fits[0]] * max(1, int(np.ceil(drift / 0.5)))


@pytest.mark.parametrize("axis, share, fewest", [(142.147, 0.004, 4), (8.4601, 0.002, 8)])
def test_nodes_are_as_few_as_the_ellipse_allows(axis, share, fewest):
    """Without drift (64/15)ϱ^−2n = 1e-19 on ellipses of these semi-axes: a step in the middle of [0, 2] has n
    nodes where the disc of radius 3 holds a little more, and more nodes where it holds a little less."""
    more = {4: 8, 8: 24}[fewest]
    for factor, count in ((1 + share, fewest), (1 - share, more)):
        width = 6 / (axis * factor)
        times = np.array([2.0, 1 + width / 2, 1 - width / 2, 0.0])
        assert table.StepNumbers(ve(1), times, samplers(1)["exponential"].one_block)._count[1] == count


@pytest.mark.parametrize("rate", [0.0, 0.25])
def test_what_a_rule_misses_of_a_piece_by_hand(rate, monkeypatch):
    """With two nodes the errors of ∫f and C over three steps of [0, 2] are what Trefethen's theorem 19.3
    allows on their ellipses, where e^{2F} grows, and 256 ∫f for F at the nodes."""
    monkeypatch.setattr(table, "COUNTS", (2, 24))
    monkeypatch.setattr(table, "MISSED", 1.0)
    found = table.StepNumbers(general(str(rate), "sqrt(3)"), np.array([2.0, 4 / 3, 2 / 3, 0.0]),
                              samplers(1)["exponential"].one_block)
    for step, off in enumerate((2 / 3, 0.0, 2 / 3)):
        drift = rate * 2 / 3
        axis = min((3 - off) * 3, max(2.5, 2 * 2 / drift) if drift else np.inf)
        rho = axis + np.sqrt(axis**2 - 1)
        missed = 2 / 3 * 32 / 15 * rho**-4.0 / (1 - rho**-2.0)
        grown = np.exp(drift * (axis + 1)) * (1 + 256 * drift)
        assert found.F_error[step] == pytest.approx(rate * missed, rel=1e-3, abs=1e-30)
        # what is missed of g², and twice what is of ∫f, allowed for twice; e^{2(F − F')} at nodes is below 1
        allowed = 3 * grown * missed + 4 * found.F_error[step] * float(found.C[step])
        assert np.exp(-drift / 2) * allowed <= found.C_error[step] <= allowed * (1 + 1e-6)


@pytest.mark.parametrize("stop", [0.0, 0.25])
@pytest.mark.parametrize("variance", [0.5, 1e-9])
def test_matched_noise_is_that_of_the_data_it_is_matched_to(variance, stop):
    """For g = 3, f = 0 and H = −1/V, V = λ + 9t, the noise of a step from V to V' is V'(1 − V'/V), to time 0
    where the steps halve as well: within its error, which is tiny, and holds what 2e-15 of H make of it."""
    times = np.array([2.0, 1.0, 0.5 + stop, stop])

    def steps(factor):
        matched = samplers(1)["posterior-mean-matched"]
        return table.StepNumbers(general("0", "3"), times, matched.one_block,
                                 lambda a_sq, s_sq: -factor / (a_sq * variance + s_sq),
                                 variance).steps(Scheme(matched, TimeGrid(times), 3.0))

    found, V = steps(1.0), variance + 9 * times.astype(np.longdouble)
    wanted, error = V[1:] * (1 - V[1:] / V[:-1]), found.errors.noise_var
    assert np.all(np.abs(found.noise_var - wanted) <= error) and np.all(error <= CHAIN_SAME * wanted)
    moved = np.abs(steps(1 + 1e-6).noise_var - found.noise_var) * 2e-9
    assert np.all((error >= moved * (1 - 1e-3))[wanted > 1e-3])  # below that the square of it decides
    assert found.prior_var == 9 and found.errors.prior_var == 0


def test_numbers_without_drift_are_exact_to_a_few_roundings():
    """With f = 0 and g = 1, P and a are 1 and the rest are lengths: off by nothing, and by 1e-16 on paper."""
    times = np.array([2.0, 1.25, 0.5])
    for key in ("exponential", "euler-maruyama", "ancestral"):
        found = exact_steps(ve(1), Scheme(samplers(1)[key], TimeGrid(times)))
        assert np.all(found.P == 1) and np.all(found.a == 1)
        for name in NAMES:
            error, size = getattr(found.errors, name), np.abs(getattr(found, name))
            assert np.all(error >= 0) and np.all(error <= 1e-15 * size)


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


@pytest.mark.parametrize("count", [1, 4])
def test_a_kink_and_a_jump_are_seen(count):
    """∫f of |t − 7/10| and C of a jump from 1 to 3 there are those of the two sides, within their errors."""
    process = ForwardProcess.scalar("test", real_function("f", "abs(t-0.7)"), real_function("g", "1"))
    times = np.linspace(1.0, 0.0, count + 1)
    found = exact_steps(process, Scheme(samplers(1)["exponential"], TimeGrid(times)))
    half = np.square(times - 0.7) * np.sign(times - 0.7) / 2
    assert np.log(found.P).astype(float) == pytest.approx(half[:-1] - half[1:], rel=CHAIN_SAME)
    jump = ForwardProcess.scalar("test", real_function("f", "0"), real_function("g", "2+abs(t-0.7)/(t-0.7)"))
    found = exact_steps(jump, Scheme(samplers(1)["exponential"], TimeGrid(times)))
    sides = np.where(times > 0.7, 3 * (times - 0.7), times - 0.7)
    wanted = sides[:-1] - sides[1:]
    assert np.all(np.abs(found.Q.astype(float) - wanted) <= found.errors.Q + 1e-15 * wanted)
    assert np.all(found.errors.Q <= CHAIN_SAME * wanted)


@pytest.mark.parametrize("count", [9, 20])
def test_what_is_below_a_step_takes_no_digits_of_it(count):
    """Where a drift leaves 1e-39 of the data matched noise is what the step's own contraction leaves of the variance of
    isotropic data, from which it follows that the last law is the data's: to rounding, however many steps are below."""
    law, times = Gaussian([1.0], 0.18), np.linspace(9.9, 0.0, count + 1)
    found, _, _ = steps_of(general("3/100 + 89*t/50", "1 + t"), times, "posterior-mean-matched", law)
    before, after = (found.a[i]**2 * 0.18 + found.s_sq[i] for i in (slice(None, -1), slice(1, None)))
    contraction = found.P - found.Q / before
    assert np.all(np.abs(contraction**2 * before + found.noise_var - after) <= CHAIN_SAME * after)


def test_a_number_may_take_digits_of_its_own():
    """cos 10^100, of which a float and 160 bits know nothing, is a number as any other: W2 and steps are those of its
    digits."""
    with mpmath.workdps(150):
        size = str(mpmath.mpf("19.8") + abs(mpmath.cos(mpmath.mpf(10) ** 100)))
    times = np.linspace(1.0, 0.0, 5)
    named, plain = (steps_of(ve(g), times, "exponential")[0] for g in ("19.8 + abs(cos(1e100))", f"{size[:40]}"))
    for name in NAMES:
        assert np.allclose(getattr(named, name), getattr(plain, name), rtol=CHAIN_SAME, atol=0), name
    assert not named.estimated


def test_what_a_coefficient_is_not_known_to_is_not_left_out():
    """In 160 bits 10^100 + t is not known to a period of its cosine: nothing is said to be proved, and the same of a number
    that would take more digits than it may have."""
    for g in ("20 + cos(1e100 + t)", 20 + sympy.cos(sympy.Integer(3) ** 8000)):
        with pytest.raises(NotEnclosed):
            polynomials(ve(g), 1.0)
