"""Exact laws of a sampler that uses the step before: against 50 digits, a plain loop, its order, and
parts."""

from dataclasses import replace

import mpmath
import numpy as np
import pytest
from scipy import special

from bounds import general, ou, vp
from bounds.grid import TimeGrid
from bounds.processes.edm import edm
from bounds.sampler import Scheme, dpmpp_2m
from bounds.samplers import samplers
from bounds.steps.affine import PastErrors, StepErrors
from bounds.symbolic.balls import NotEnclosed
from closed_form import Gaussian, GaussianMixture
from closed_form.certified.chain import certified_w2
from closed_form.law import NoExactLaw
from closed_form.sampler_laws.gaussian_chain import gaussian_chain
from closed_form.sampler_laws.line.sampler import line_w2
from closed_form.sampler_laws.w2 import sampler_w2
from closed_form.steps.table import exact_steps
from tests.closed_form.tolerances import CHAIN_SAME, START_MAP, TWO_ROUTES
from tests.tolerances import THREE_DIGITS

TWO_MODES = GaussianMixture([[-1.0], [1.0]], std=0.5)
PROCESSES = {"ou": ou(), "vp": vp("1/10 + 199/10*t"), "edm": edm(),
             "general": general("sin(3*t)", "1 + 9/10*cos(2*t)")}


def rho_grid(largest, smallest, count, last=True):
    """The grid of EDM, ρ = 7: ``count`` levels and then 0, in σ = t."""
    levels = np.linspace(largest ** (1 / 7), smallest ** (1 / 7), count) ** 7
    return TimeGrid.from_times([largest, *levels[1:-1], smallest, *[0.0] * last])


def on(grid):
    """The sampler on a grid."""
    return Scheme(samplers()["dpmpp-2m"], grid)


@pytest.mark.parametrize("stop", [0.0, 0.1])
@pytest.mark.parametrize("name", PROCESSES)
def test_two_routes_find_the_same_steps(name, stop):
    """All numbers of both routes agree to rounding, and their errors are proved and as small."""
    scheme = on(TimeGrid.uniform(1.0, 30, stop))
    mine, other = exact_steps(PROCESSES[name], scheme), scheme.steps(PROCESSES[name])
    assert not mine.estimated and not np.any(mine.noise_var)
    pairs = [(getattr(mine, name), getattr(other, name), getattr(mine.errors, name))
             for name in ("P", "Q", "a", "s_sq")]
    pairs += [(getattr(mine.past, name), getattr(other.past, name), getattr(mine.past.errors, name))
              for name in ("keep", "now", "before")]
    for one, two, error in pairs:
        assert one.astype(float) == pytest.approx(two, rel=10 * TWO_ROUTES, abs=1e-300)
        assert np.all(error <= 10 * TWO_ROUTES * np.abs(one) + 1e-30)


def exact_moments(variance, mean, bias, steps):
    """Lag, factor of the start, and what noise of unit size in every score adds, by loops with 50 digits."""
    number = lambda x: mpmath.mpf(float(x))  # noqa: E731
    past, count = steps.past, len(steps)

    def ends(start, mean, pushes):
        y, seen = start, mpmath.mpf(0)
        for i in range(count):
            V = number(steps.a[i]) ** 2 * variance + number(steps.s_sq[i])
            score = pushes[i] - (y - number(steps.a[i]) * mean) / V
            now = number(steps.P[i]) * y + number(steps.Q[i]) * score
            keep, fresh, before = (number(column[i]) for column in (past.keep, past.now, past.before))
            y, seen = keep * y + fresh * now + before * seen, now
        return y

    zero = [mpmath.mpf(0)] * count
    lag = ends(mpmath.mpf(0), mean, [bias] * count) - number(steps.a[-1]) * mean
    single = [ends(mpmath.mpf(0), 0, [*zero[:i], mpmath.mpf(1), *zero[i + 1:]]) for i in range(count)]
    return lag, ends(mpmath.mpf(1), 0, zero), sum(each**2 for each in single)


def test_the_chain_is_the_loop_with_fifty_digits():
    """Mean and variance of every coordinate, with bias and fresh noise in the score, within their errors."""
    law, bias, noise = Gaussian([0.7, -3.0], [0.25, 4.0]), np.array([0.3, 0.1]), 0.2
    for process, grid in ((ou(), TimeGrid.uniform(3.0, 17)), (edm(), rho_grid(20.0, 0.02, 12))):
        steps = exact_steps(process, on(grid)).rounded()
        chain = gaussian_chain(law, steps, bias, noise)
        with mpmath.workdps(50):
            for i, (variance, mean) in enumerate(zip(law.eigenvalues, law.mean, strict=True)):
                lag, factor, fresh = exact_moments(mpmath.mpf(variance), mpmath.mpf(float(mean)),
                                                   mpmath.mpf(float(bias[i])), steps)
                v = factor**2 * mpmath.mpf(float(steps.prior_var)) + fresh * mpmath.mpf(noise) ** 2 / 2
                assert abs(float(lag) - float(chain.lag[i])) <= chain.mean_error[i] + 1e-16 * abs(float(lag))
                assert abs(float(v) - chain.variances[i]) <= chain.variance_error[i] + 2e-16 * float(v)
                assert chain.variance_error[i] <= CHAIN_SAME * max(float(v), 1.0)


def test_errors_of_the_numbers_widen_the_bracket_enough():
    """With every number moved by its error, one sign or the other, mean and variance stay within their
    errors."""
    steps, size, names = exact_steps(ou(), dpmpp_2m(2.0, 11)).rounded(), 1e-9, ("keep", "now", "before")
    errors = StepErrors(*(np.full(len(getattr(steps, name)), size)
                          for name in ("P", "Q", "noise_var", "a", "s_sq")))
    past = replace(steps.past, errors=PastErrors(*(np.full(11, size) for _ in names)))
    known = gaussian_chain(Gaussian([1.0], 0.25), replace(steps, errors=errors, past=past))
    rng = np.random.default_rng(5)

    def off(values):
        return values + size * rng.choice([-1, 1], len(values))

    for _ in range(30):
        moved = replace(steps, **{name: off(getattr(steps, name)) for name in ("P", "Q", "a", "s_sq")},
                        past=replace(steps.past, **{name: off(getattr(steps.past, name)) for name in names}))
        found = gaussian_chain(Gaussian([1.0], 0.25), moved)
        assert abs(found.variances[0] - known.variances[0]) <= known.variance_error[0]
        assert abs(float(found.lag[0] - known.lag[0])) <= known.mean_error[0] + size


@pytest.mark.parametrize("bias", [0.0, -0.2])
def test_the_map_of_the_start_is_the_chain_on_gaussian_data(bias):
    """On a line the composed maps of Gaussian data give the W2 of the two-term recursion."""
    law, steps = Gaussian([0.4], 0.3), exact_steps(edm(), on(rho_grid(20.0, 0.05, 24)))
    line, chain = line_w2(law, steps, bias), gaussian_chain(law, steps, np.array([bias])).w2()
    assert line.midpoint == pytest.approx(chain.midpoint, rel=START_MAP)


@pytest.mark.parametrize("law", [Gaussian([0.0], 0.25), TWO_MODES], ids=["normal", "two modes"])
def test_second_order(law):
    """Twice the steps leave a quarter of W2, from a prior so wide that nothing else is left."""
    errors = []
    for count in (64, 128, 256):
        scheme = replace(on(rho_grid(50.0, 0.1, count, last=False)), prior_std=None).with_spread_of(law)
        steps = exact_steps(edm(), scheme)
        if law.components().means.shape[0] == 1:
            end = law.pushed(1.0, 0.01)
            errors.append(gaussian_chain(law, steps).w2(end).midpoint)
        else:
            errors.append(line_w2(law, steps, target=law.pushed(1.0, 0.01)).midpoint)
    assert np.log2(errors[1] / errors[2]) == pytest.approx(2.0, abs=0.1)


def test_two_modes_by_a_loop():
    """On two modes the bracket holds W2 as a plain loop over 16,000 nodes has it."""
    steps = exact_steps(edm(), on(rho_grid(20.0, 0.05, 12)))
    nodes, rule = np.polynomial.legendre.leggauss(20)
    z = (np.linspace(-8.99, 8.99, 900)[:, None] + 0.01 * nodes).ravel()
    weight = np.tile(0.01 * rule, 900) * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
    plain = steps.rounded()
    y, seen = np.sqrt(plain.prior_var) * z, 0.0
    for i in range(len(plain)):
        score = TWO_MODES.pushed(1.0, float(plain.s_sq[i])).score(y[:, None])[:, 0]
        now = plain.P[i] * y + plain.Q[i] * score
        y, seen = plain.past.keep[i] * y + plain.past.now[i] * now + plain.past.before[i] * seen, now
    assert np.all(np.diff(y) > 0)
    low, high = np.full_like(z, -12.0), np.full_like(z, 12.0)
    for _ in range(60):
        middle = (low + high) / 2
        mass = (special.ndtr(2 * (middle + 1)) + special.ndtr(2 * (middle - 1))) / 2
        above = mass > special.ndtr(z)
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    wanted = float(np.sqrt(weight @ np.square(y - (low + high) / 2)))
    assert sampler_w2(TWO_MODES, steps).midpoint == pytest.approx(wanted, rel=THREE_DIGITS)


def test_lines_and_what_is_across_add_in_squares():
    """A mixture along a line in three dimensions: the line's W2 and the chain across it; a product: its
    lines."""
    steps = exact_steps(ou(), dpmpp_2m(2.0, 6))
    law = GaussianMixture([[-1.0, 0.0, 0.0], [1.0, 0.0, 0.0]], std=0.5)
    line, across = sampler_w2(TWO_MODES, steps), sampler_w2(Gaussian([0.0, 0.0], 0.25), steps)
    wanted = np.hypot(line.midpoint, across.midpoint)
    assert sampler_w2(law, steps).midpoint == pytest.approx(wanted, rel=START_MAP)
    corners = GaussianMixture([[x, y] for x in (-1.0, 1.0) for y in (-1.0, 1.0)], std=0.5)
    assert sampler_w2(corners, steps).midpoint == pytest.approx(np.sqrt(2) * line.midpoint, rel=1e-6)


def test_what_is_not_known_is_refused_by_name():
    """Off Gaussian data fresh noise in the score has no exact law, and a past no chain in balls."""
    with pytest.raises(NoExactLaw, match=r"score_noise must be 0 .* a sampler that uses the step before"):
        sampler_w2(TWO_MODES, exact_steps(ou(), dpmpp_2m(3.0, 8)), score_noise=0.1)
    with pytest.raises(NotEnclosed, match="dpmpp-2m uses the step before"):
        certified_w2(Gaussian([0.0], 1.0), ou(), dpmpp_2m(3.0, 8))


def test_without_balls_the_numbers_are_the_claims_and_say_so():
    """Where f is a function without ball arithmetic the steps are those of the table, estimated."""
    process = general(lambda t: np.abs(np.sin(t)), "1")
    found = exact_steps(process, dpmpp_2m(1.0, 5))
    assert "not enclosed" in found.estimated
    assert found.past.now == pytest.approx(dpmpp_2m(1.0, 5).steps(process).past.now, rel=0)
