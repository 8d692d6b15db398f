"""M1 of Gaussian data: above the supremum, however narrow a feature, and as sampled where nothing hides."""

from itertools import pairwise

import mpmath
import numpy as np
import pytest
import sympy

from bounds import general, ou, ve, vp
from bounds.process import ForwardProcess
from bounds.recursion.time_regularity import (
    GIVEN,
    SAMPLED,
    Centre,
    Parts,
    Rates,
    Spectrum,
    Supremum,
    sampled,
    time_regularity,
)
from bounds.steps.path import Path
from bounds.symbolic.integrals import TIME
from closed_form import Gaussian
from tests.bounds.tolerances import DIGITS, PATH_DENSE, REGULARITY_COARSE, REGULARITY_DENSE, REGULARITY_PROVED
from tests.unusual import draw
from tests.work_limit import at_most

#: Calls that M1 of a smooth problem may take.
CALLS = 60_000


def proved(process, law, horizon: float, stop: float = 0.0) -> float:
    """The enclosure's upper end, with nothing sampled."""
    known, parts = Supremum(0.0), Parts(process, horizon, stop)
    spectrum = Spectrum.of(*law.facts().time_regularity)
    for curve in (Rates(spectrum, parts.level), Centre(spectrum, parts.level)):
        known.over(parts, curve)
    return known.proved


def rates(f, g_sq, a_sq, s_sq, law):
    """max_i |V_i'|/V_i² and ‖(a/V)'m‖ at one time, in the numbers that are given."""
    variances = [a_sq * value + s_sq for value in law.eigenvalues.tolist()]
    moved = [abs(g_sq - 2 * f * variance) / variance**2 for variance in variances]
    pushed = [(f * variance - g_sq) / variance**2 * mean for variance, mean
              in zip(variances, law.mean.tolist(), strict=True)]
    return max(*moved, (a_sq * sum(x * x for x in pushed)) ** 0.5)


def by_many_digits(seed: int, features: list[str], inner):
    """The supremum for a seed of `tests.unusual` by 30 digits: on parts that end at the ``features``, a fine
    grid of times that gathers at both ends of each part, and a search by thirds around the largest value.

    ``inner`` is (t) -> (f, g², ∫f, ∫g²), of which a VP process takes the first three, and a VE one the last.
    """
    drawn = draw(seed)
    with mpmath.workdps(30):
        cuts = [mpmath.mpf(place) for place in (0, *features, drawn.scheme.grid.times[0])]

        def at(t):
            f, g_sq, integral = inner(t)
            if drawn.process.name == "ve":
                return rates(f, g_sq, mpmath.mpf(1), integral, drawn.law)
            a_sq = mpmath.exp(-2 * integral)
            return rates(f, g_sq, a_sq, 1 - a_sq, drawn.law)

        near = [mpmath.mpf(10) ** (-mpmath.mpf(k) / 8) / 2 for k in range(80)]
        times = sorted({left + (right - left) * share for left, right in pairwise(cuts)
                        for part in near for share in (0, part, 1 - part, 1)})
        values = [at(t) for t in times]
        top = max(range(len(times)), key=lambda place: values[place])
        low, high = times[max(top - 1, 0)], times[min(top + 1, len(times) - 1)]
        for _ in range(120):
            one, two = low + (high - low) / 3, high - (high - low) / 3
            low, high = (one, high) if at(one) < at(two) else (low, two)
        return drawn, float(max(values[top], at(low)))


def root_schedule(t):
    """f, g² and ∫f of β = 583/(5000 √(t + 2/78125))."""
    shift, size = mpmath.mpf(2) / 78125, mpmath.mpf(583) / 5000
    beta = size / mpmath.sqrt(t + shift)
    return beta / 2, beta, size * (mpmath.sqrt(t + shift) - mpmath.sqrt(shift))


def spike_schedule(t):
    """The same of β = 0.06787 + 337/25 exp(−(374.8 (t − 1.0273))²)."""
    base, tall = mpmath.mpf(6787) / 100000, mpmath.mpf(337) / 25
    narrow, at = mpmath.mpf(1874) / 5, mpmath.mpf(9625801) / 25000 / (mpmath.mpf(1874) / 5)
    beta = base + tall * mpmath.exp(-((narrow * (t - at)) ** 2))
    area = mpmath.sqrt(mpmath.pi) / 2 / narrow * (mpmath.erf(narrow * (t - at)) + mpmath.erf(narrow * at))
    return beta / 2, beta, (base * t + tall * area) / 2


def box_schedule(t):
    """f, g² and ∫g² of g = 0.555 (tanh u − tanh v + 1/2), u = 15240 t − one, v = 15240 t − two."""
    narrow, size = mpmath.mpf(15240), mpmath.mpf(111) / 200
    one, two = mpmath.mpf(3965067) / 6250, mpmath.mpf(16005348609) / 25000000
    rise, fall = (mpmath.tanh(narrow * t - edge) for edge in (one, two))
    # ∫tanh u, and tanh u tanh v = 1 − (tanh u − tanh v)/tanh(u − v)
    first, second = (mpmath.log(mpmath.cosh(narrow * t - edge) / mpmath.cosh(edge)) / narrow
                     for edge in (one, two))
    squares = 2 * t - (rise + mpmath.tanh(one) + fall + mpmath.tanh(two)) / narrow
    both = t - (first - second) / mpmath.tanh(two - one)
    return 0, (size * (rise - fall + 0.5)) ** 2, size**2 * (squares - 2 * both + first - second + t / 4)


@pytest.mark.parametrize("seed, features, schedule", [
    (247, ["2.56e-5"], root_schedule),
    (231, ["1.020", "1.0263", "1.0273", "1.0283", "1.034"], spike_schedule),
    (242, ["0.04155", "0.041628", "0.0417", "0.04195", "0.042009", "0.04208"], box_schedule)],
    ids=["near-singular", "spike", "box"])
def test_narrow_features_are_not_missed(seed, features, schedule):
    """Where f and g² change within far less than a step M1 is at least the supremum by 30 digits, and hardly
    more; the largest sampled value is far below."""
    drawn, truth = by_many_digits(seed, features, schedule)
    path = Path(drawn.process, drawn.scheme.grid.times)
    found = time_regularity(drawn.law.facts().time_regularity, path)
    assert not found.estimated
    assert truth * (1 - DIGITS) <= found.value <= truth * (1 + REGULARITY_PROVED)
    assert sampled(Spectrum.of(*drawn.law.facts().time_regularity), path) < truth / 2


SMOOTH = [(vp("1/10 + 199/10*t"), 1.0), (ou(), 5.0), (ve("1 + sin(7*t)"), 1.0),
          (general("sin(4*t)", "1 + t"), 2.0), (general("-1/2", "exp(t)"), 1.5)]


@pytest.mark.parametrize("process, horizon", SMOOTH, ids=str)
@pytest.mark.parametrize("law", [Gaussian([1.0, -0.5], np.array([0.25, 2.0])), Gaussian([0.0], 1.0),
                                 Gaussian([3.0], 1e-5)], ids=["two", "standard", "narrow"])
def test_smooth_problems_keep_the_sampled_value(process, horizon, law):
    """Where nothing hides M1 is what sampling finds, raised by no more than is proved, at few calls."""
    path, known = Path(process, np.linspace(horizon, 0.0, 301)), law.facts().time_regularity
    with at_most(CALLS):
        found = time_regularity(known, path)
    seen = sampled(Spectrum.of(*known), path)
    assert found.estimated == ""
    assert seen <= found.value <= seen * (1 + REGULARITY_PROVED)


@pytest.mark.parametrize("process, horizon", SMOOTH, ids=str)
def test_the_enclosure_is_tight(process, horizon):
    """Proved from nothing, the supremum is at least the largest of many values, and next to it."""
    law = Gaussian([1.0, -0.5, 0.2], np.array([0.25, 2.0, 4.0]))
    times = np.linspace(horizon, 0.0, 20_001)
    path = Path(process, times)
    f, g_sq = process.f_values(times), process.g_sq_values(times)
    dense = max(rates(*each, law) for each in zip(f, g_sq, np.square(path.a), path.s_sq, strict=True))
    assert dense * (1 - PATH_DENSE) <= proved(process, law, horizon) <= dense * (1 + REGULARITY_DENSE)


def test_an_eigenvalue_in_between_may_decide():
    """OU for a short time: |V'|/V² = |2/V² − 2/V| is ½ at V = 2, more than at both ends of the spectrum."""
    law = Gaussian([0.0, 0.0, 0.0, 0.0], np.array([1.5, 1.9, 2.0001, 50.0]))
    outer = Gaussian([0.0, 0.0], np.array([1.5, 50.0]))
    assert proved(ou(), law, 1e-3) == pytest.approx(0.5, rel=REGULARITY_DENSE)
    assert proved(ou(), outer, 1e-3) < 0.45


@pytest.mark.parametrize("mean", [0.0, 1.0], ids=["centred", "with means"])
def test_many_eigenvalues(mean):
    """Of a thousand distinct variances all count: M1 is at least the largest value of any, and next to it."""
    law = Gaussian(mean * np.linspace(-1, 1, 1000), np.geomspace(1.2, 30, 1000))
    process, times = vp("1/10 + 10*t"), np.linspace(1.0, 0.0, 401)
    path = Path(process, times)
    with at_most(20 * CALLS):
        found = proved(process, law, 1.0)
    f, g_sq, a_sq = (values[:, None] for values in (process.f_values(times), process.g_sq_values(times),
                                                    np.square(path.a)))
    V = a_sq * law.eigenvalues + path.s_sq[:, None]
    centre = np.sqrt(a_sq[:, 0]) * np.linalg.norm((f * V - g_sq) / V**2 * law.mean, axis=1)
    dense = max(np.max(np.abs(g_sq - 2 * f * V) / V**2), centre.max())
    assert dense * (1 - PATH_DENSE) <= found <= dense * (1 + REGULARITY_COARSE)


def test_a_jump_of_the_schedule_is_no_jump_beyond_both_sides():
    """Where β jumps f and g² jump together: M1 is the larger of the values on both sides, not a mixture."""
    law, process = Gaussian([3.0], 4.0), vp("1 + 9/10*abs(t - 1/3)/(t - 1/3)")
    path = Path(process, np.array([1.0, 1 / 3 + 1e-9, 1 / 3 - 1e-9, 0.0]))
    sides = [rates(beta / 2, beta, path.a[k] ** 2, path.s_sq[k], law) for beta in (0.1, 1.9) for k in (1, 2)]
    end = rates(0.95, 1.9, path.a[0] ** 2, path.s_sq[0], law)
    dense = max(rates(0.95, 1.9, a * a, 1 - a * a, law) for a in np.linspace(path.a[0], path.a[1], 4001))
    assert proved(process, law, 1.0) == pytest.approx(max(*sides, end, dense), rel=REGULARITY_DENSE)


def test_the_slope_of_a_rate_holds_its_difference_quotient():
    """Where f and g² change at rates of their own, (q(t₂) − q(t₁))/(t₂ − t₁) is in the range of q'
    between."""
    spectrum, process = Spectrum.of([0.0], [0.25]), general("1 + t", "sqrt(2 + t**2)")
    parts, times = Parts(process, 1.0, 0.0), np.array([0.5, 0.51])
    known, curve = parts.at(times[:1], times[1:]), Rates(spectrum, parts.level)
    law = known.law(spectrum.values, None)
    slope = curve._slope(known, law, curve._rate(known, law.a_sq[2], law.u[2], None), None)
    path = Path(process, np.array([1.0, 0.51, 0.5, 0.0]))
    f, g_sq, V = 1 + times, 2 + times**2, (np.square(path.a) * 0.25 + path.s_sq)[[2, 1]]
    quotient = np.diff(g_sq / V**2 - 2 * f / V) / np.diff(times)
    assert slope.lower <= quotient <= slope.upper and np.all(slope.upper - slope.lower < 0.2 * abs(quotient))


def test_early_stopping_leaves_out_what_is_below():
    """M1 is over [t0, T]: for narrow data it is far smaller with a t0, be that next to T."""
    law = Gaussian([0.0], 1e-6)
    late, whole, last = (proved(ou(), law, 2.0, stop) for stop in (0.1, 0.0, 2.0 - 1e-9))
    V = 1 - (1 - 1e-6) * np.exp(-0.2)
    assert late == pytest.approx(2 * (1 - V) / V**2, rel=REGULARITY_DENSE)
    assert whole == pytest.approx(2 * (1 - 1e-6) / 1e-12, rel=REGULARITY_DENSE)
    W = 1 - (1 - 1e-6) * np.exp(-4.0)
    assert last == pytest.approx(2 * (1 - W) / W**2, rel=REGULARITY_DENSE)


@pytest.mark.parametrize(("mean", "largest"), [(0.0, 24.0), (100.0, 2800.0)])
def test_the_sampled_value_of_narrow_data_is_that_of_the_start(mean, largest):
    """OU from N(m, 1/4) for a short time: V rises from 1/4, so |V'|/V² = 2(1 − V)/V² and |a'V − aV'|/V² m are
    largest at 0, 24 and 28m; what is added for times in between is a small part."""
    spectrum = Spectrum.of(*Gaussian([mean], 0.25).facts().time_regularity)
    found = sampled(spectrum, Path(ou(), np.linspace(0.1, 0.0, 1001)))
    assert largest * (1 - PATH_DENSE) <= found <= largest * (1 + REGULARITY_COARSE)


def test_what_is_not_proved_is_said():
    """A function of the path and what has no ball arithmetic are estimates; a number is taken as it is."""
    path = Path(ou(), np.linspace(1.0, 0.0, 11))
    assert time_regularity(0.7, path) == (0.7, "")
    assert time_regularity(lambda given: given.times[0] * 2, path) == (2.0, GIVEN)
    strange = Path(ForwardProcess.scalar("arctangent", sympy.atan(TIME), 1 + TIME), np.linspace(1.0, 0.0, 11))
    value, estimated = time_regularity(Gaussian([0.0], 1.0).facts().time_regularity, strange)
    assert value > 0 and estimated == SAMPLED
