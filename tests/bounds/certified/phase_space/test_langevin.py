"""The process in balls: moments and channel against many digits at numbers, and on boxes."""

import pytest
from flint import acb, arb, ctx
from mpmath import mp, mpf, quad

from bounds.certified.phase_space.langevin import ORDER, Langevin, _powers
from bounds.certified.phase_space.moments import exponential_moments
from bounds.processes.cld import cld
from tests.balls import exactly, holds
from tests.bounds.tolerances import BALL_SLACK, BOX_WIDTH
from tests.phase_space_exact import DIGITS, PROCESSES, ExactPhase

PRECISION = 300
TIMES = (1e-6, 1e-3, 0.1, 1.0, 7.0, 40.0)
#: Where in a box, in its half widths, the functions are looked at.
PLACES = (0.9, -0.9, 0.9j, 0.6 - 0.6j)


@pytest.mark.parametrize("z", [-40.0, -3.0, -1.0, -1e-9, 0.0, 1e-12, 0.3, 1.999, 2.001, 30.0])
def test_moments_of_the_exponential(z):
    """E_n(z) = ∫ sⁿ e^{−zs} ds is in its ball, which is small, on both sides of the series."""
    with ctx.workprec(PRECISION), mp.workdps(DIGITS):
        for n, ball in enumerate(exponential_moments(arb(z), 4)):
            wanted = quad(lambda s, n=n: s**n * mp.exp(-mpf(z) * s), [0, 0.25, 0.5, 0.75, 1])
            assert holds(ball, wanted, abs(wanted) * mpf(10) ** -40)
            assert exactly(ball.rad()) <= abs(wanted) * mpf(10) ** -50


@pytest.mark.parametrize("middle", [-3.0, 0.0, 0.4, 2.0, 9.0])
def test_moments_on_boxes(middle):
    """On a box of the complex plane the moments are balls that hold the moments at its points."""
    with ctx.workprec(PRECISION):
        around = arb(0, 0.3)
        found = exponential_moments(acb(middle + around, around), 3)
        for place in PLACES:
            point = acb(middle) + acb(0.3 * place)
            decay = (-point).exp()
            direct = [(1 - decay) / point] if middle or place else []
            for n in (1, 2):
                direct.append((n * direct[-1] - decay) / point)
            assert all(ball.overlaps(value) for ball, value in zip(found, direct, strict=True))
        narrow = exponential_moments(arb(middle, 1e-18), 3)
        assert all(ball.real.contains(value) for ball, value in zip(found, narrow, strict=True))


@pytest.mark.parametrize("constants", PROCESSES, ids=str)
@pytest.mark.parametrize("time", TIMES)
def test_channel(constants, time):
    """Φ, C, S, det S, a², s², ω and H(c_lo) of 60 digits are in their balls."""
    with ctx.workprec(PRECISION), mp.workdps(90):
        langevin, exact = Langevin(cld(*map(str, constants))), ExactPhase(*map(str, constants), digits=90)
        seen = langevin.seen(arb(time))
        phi, S = exact.kernel(mpf(time))
        q, a = exact.information(mpf(time)), mp.exp(-exact.a * mpf(time))
        psi, floor = S**-1 * phi, exact.hessian(mpf(time), 1 / (mpf(0.25) ** -1 + q))
        C = exact.covariance(mpf(time))
        low = [value / seen.unit for value in seen.hessian_floor(arb(0.25))]
        pairs = [(seen.a_sq, a**2), (seen.s_sq, a**2 / q), (seen.det_S * seen.unit, mp.det(S)),
                 *zip(seen.omega, psi * a / q, strict=True),
                 *zip(seen.S, (S[0, 0], S[0, 1], S[1, 1]), strict=True),
                 *zip(low, (floor[0, 0], floor[0, 1], floor[1, 1]), strict=True),
                 *zip(langevin.covariance(arb(time)), (C[0, 0], C[0, 1], C[1, 1]), strict=True),
                 *zip(langevin.transition(arb(time)).entries(), exact.flow(mpf(time)), strict=True),
                 *zip(langevin.stationary.entries(), exact.stationary, strict=True)]
        for ball, wanted in pairs:
            assert holds(ball, wanted, abs(wanted) * mpf(10) ** -40)
            assert exactly(ball.rad()) <= abs(wanted) * mpf(BALL_SLACK) or wanted == 0


@pytest.mark.parametrize("constants", PROCESSES, ids=str)
@pytest.mark.parametrize("time", TIMES)
def test_channel_on_boxes(constants, time):
    """On boxes the channel's balls hold its values at their points, and are not many times wider."""
    with ctx.workprec(PRECISION):
        langevin = Langevin(cld(*map(str, constants))).complex
        width = arb(min(time / 100, 0.01 / constants[0]))
        around = arb(0, width.upper())
        box = langevin.seen(acb(time + around, around))
        for place in PLACES:
            seen = langevin.seen(acb(time) + acb(place) * acb(width))
            for name in ("a_sq", "s_sq", "det_S", "size"):
                assert getattr(box, name).overlaps(getattr(seen, name)), name
            for name in ("omega", "S", "turned"):
                pairs = zip(getattr(box, name), getattr(seen, name), strict=True)
                assert all(x.overlaps(y) for x, y in pairs), name
        relative = float(width) * (1 / time + constants[0])
        assert float(box.s_sq.rad() / abs(box.s_sq)) <= BOX_WIDTH * relative


@pytest.mark.parametrize("constants", PROCESSES, ids=str)
def test_boxes_wider_than_the_relaxation(constants):
    """Boxes over which e^{−2au} changes by a factor of 1e17 hold what is seen at their points."""
    with ctx.workprec(PRECISION):
        langevin = Langevin(cld(*map(str, constants))).complex
        time, width = 10.2 / constants[0], 10 / constants[0]
        around = arb(0, width)
        box = langevin.seen(acb(time + around, around))
        for place in (*PLACES, -0.99):
            seen = langevin.seen(acb(time) + acb(place * width))
            pairs = zip((*box.S, box.det_S * box.unit, *(x * box.unit for x in box.turned)),
                        (*seen.S, seen.det_S * seen.unit, *(x * seen.unit for x in seen.turned)), strict=True)
            assert all(x.overlaps(y) for x, y in pairs)


@pytest.mark.parametrize("constants", PROCESSES, ids=str)
def test_derivatives(constants):
    """Derivatives of det S, φᵀadj(S)φe^{2au} and adj(S)φe^{au} in time are those of 90 digits."""
    with ctx.workprec(PRECISION), mp.workdps(90):
        langevin, exact = Langevin(cld(*map(str, constants))), ExactPhase(*map(str, constants), digits=90)
        time = 0.7 / constants[0]
        found = langevin.derivatives(langevin.seen(arb(time)), arb(time))

        def turned(u):
            phi, S = exact.kernel(u)
            return mp.det(S) * S**-1 * phi * mp.exp(exact.a * u)

        def size(u):
            return (exact.kernel(u)[0].T * turned(u))[0] * mp.exp(exact.a * u)

        functions = (lambda u: mp.det(exact.kernel(u)[1]), size, lambda u: turned(u)[0],
                     lambda u: turned(u)[1])
        for chain, function in zip(found, functions, strict=True):
            for k, ball in enumerate(chain):
                wanted = mp.diff(function, mpf(time), k)
                scale = max(abs(function(mpf(time))) * exact.a**k, abs(wanted))
                assert abs(exactly(ball) - wanted) <= scale * mpf(10) ** -12


@pytest.mark.parametrize("epsilon", [0, 0.5])
def test_a_velocity_at_rest_down_to_time_0(epsilon):
    """Where V_0 = 0 a box around time 0 has finite balls that hold what is seen in it."""
    with ctx.workprec(PRECISION):
        langevin = Langevin(cld(1, 2, epsilon, 0)).complex
        around = arb(0, 0.01)
        box = langevin.seen(acb(around, around))
        for time in (1e-9, 1e-4, 0.009):
            seen = langevin.seen(acb(time))
            pairs = [(box.s_sq, seen.s_sq), *zip(box.omega, seen.omega, strict=True),
                     *zip(box.hessian_floor(acb(0.25)), seen.hessian_floor(acb(0.25)), strict=True)]
            assert all(x.is_finite() and x.overlaps(y) for x, y in pairs)


def test_powers_over_factorials_add_up_to_the_exponential():
    """Σ δᵏ/k! is e^δ up to the next term and those after it."""
    with ctx.workprec(PRECISION):
        off = arb(0.01)
        missed = abs(off.exp() - sum(_powers(off), arb(0)))
        assert missed < 1.01 * off ** (ORDER + 1) / arb(ORDER + 2).gamma()
