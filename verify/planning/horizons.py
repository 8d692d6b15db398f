"""The horizon with the least cost, at any time scale: a scan over doublings, then a bounded search."""

import math
from collections.abc import Callable
from functools import cached_property, lru_cache

import numpy as np

from bounds.process import ForwardProcess
from bounds.steps.path import Path, Unresolved
from bounds.steps.pieces import is_usable
from verify.planning.bound_on_grids import BoundOnGrids

#: Horizons tried per doubling of the horizon at first.
HORIZONS_PER_DOUBLING = 2
LONGEST_DOUBLINGS = 40
#: s/a at the shortest horizon tried, over the size of the data.
LITTLE_NOISE = 1e-1
#: Relative accuracy of the horizon.
HORIZON_ACCURACY = 1e-3
#: Part of the error at which the initial one no longer matters.
NEGLIGIBLE = 1e-3
#: How much more may be left of it where no horizon so far was of use: removing it would not make one so.
OF_NO_USE = 30.0
#: s/a beyond which no horizon is of use.
BEYOND = 1e30
#: Relative accuracy of the time at which a process ends.
END_ACCURACY = 1e-8
#: Relative gain of a longer horizon that counts, and growth of s/a over a doubling that does.
GAIN, SATURATED = 1e-6, 1e-6


class Horizons:
    """Finds horizons for one question.

    ``fixed``: a horizon to keep to, if any.
    """

    def __init__(self, bounds: BoundOnGrids, fixed: float | None):
        self._bounds, self.fixed, self._stop = bounds, fixed, bounds.stop

    def best(self, cost: Callable[[float], float], start: float | None = None,
             size: Callable[[float], float] = float, patience: int = 2 * HORIZONS_PER_DOUBLING,
             least: float = -math.inf, most: float = math.inf, hopeless: float = math.inf) -> float:
        """The horizon with the least cost, scanned for or near ``start``.

        ``size`` turns the least cost so far into an error below which nothing of the initial error matters;
        where that is so, the scan goes on for ``patience`` horizons without gain.  It ends at a cost of ``least``,
        below which there is none, and does not go on for gains that, to the last horizon, would leave it above ``most``,
        where none is of use.  A cost of ``least`` or above ``hopeless`` is not improved between the horizons of
        the scan.
        """
        from scipy.optimize import minimize_scalar

        if self.fixed is not None:
            return self.fixed
        if start is None:
            (best, value), span = self._scan(cost, size, patience, least, most), math.log(2.0) / HORIZONS_PER_DOUBLING
        else:
            best, value, span = start, cost(start), math.log(2.0)
            if value == math.inf:
                return start
        if value <= least or value > hopeless:
            return best
        centre = math.log(self._scale(best))
        found = minimize_scalar(lambda x: min(or_infinite(cost, self._at(math.exp(x))), 1e300),
                                bounds=(centre - span, centre + span), method="bounded",
                                options={"xatol": HORIZON_ACCURACY})
        return self._at(math.exp(found.x)) if found.fun <= value else best

    def _at(self, scale: float) -> float:
        """The horizon of a scale: t0 + scale at first, then halving what is left of a process that ends."""
        return self._stop + scale / (1 + scale / self._longest)

    def _scale(self, horizon: float) -> float:
        """The inverse of `_at`."""
        length = horizon - self._stop
        return length / max(1 - length / self._longest, END_ACCURACY)

    @cached_property
    def _longest(self) -> float:
        """How long the process lasts: ∞, or just below the time at which a reaches 0 or s² infinity."""
        from scipy.optimize import bisect

        low = self._shortest
        for _ in range(LONGEST_DOUBLINGS // 3):
            noise = self._noise(8 * low)
            if math.isnan(noise):
                break
            if noise == math.inf:
                if self._noise(low) > BEYOND:
                    break  # it only leaves the range of numbers
                ended = bisect(self._lasts(8 * low), low, 8 * low, rtol=END_ACCURACY)
                return ended * (1 - 2 * END_ACCURACY)
            low *= 8
        return math.inf

    def _lasts(self, too_long: float) -> Callable[[float], float]:
        """1 where a process lasts over a horizon, else −1; shorter ones than this are cut in the same panels."""
        process, reach = self._bounds.setting.process, self._stop + too_long
        reach = reach if is_usable(process, reach) else 0.0
        return lambda horizon: 1.0 if noise_over(process, self._stop, horizon, reach) < 1e300 else -1.0

    def coarse(self, doublings: int, error: float) -> list[float]:
        """Horizons a factor of two apart, up to where the initial error is far below ``error``."""
        found = []
        for power in range(doublings):
            scale = self._shortest * 2.0**power
            found.append(self._at(scale))
            if self._settled(scale, error):
                break
        return found

    def _scan(self, cost, size, patience: int, least: float, most: float = math.inf):
        worse, lost, last = 0, 0, HORIZONS_PER_DOUBLING * LONGEST_DOUBLINGS
        best, value = self._at(self._shortest), math.inf
        for power in range(last):
            # every second one is exactly twice another, whose noise is known
            scale = self._shortest * 2.0 ** (power / HORIZONS_PER_DOUBLING)
            horizon = self._at(scale)
            found = or_infinite(cost, horizon)
            # what is left of the initial error keeps falling: that alone is no reason to go on
            gains = found < value * (1 - GAIN)
            if gains and 0 < most < found and value < math.inf:
                gains = math.log(found / most) + (last - power) * math.log(found / value) <= 0
            worse = 0 if gains else worse + 1
            best, value = (horizon, found) if found < value else (best, value)
            if value <= least:
                break
            # a mixture's bound may rise before it falls: only the end of the initial error ends the scan
            if worse > patience and self._settled(scale, size(value) * (1.0 if value <= most else OF_NO_USE)):
                break
            lost = lost + 1 if value < found == math.inf else 0
            if lost > patience and self._grows(horizon):
                break
        return best, value

    @cached_property
    def _shortest(self) -> float:
        """Where a scan starts: a horizon whose noise, over a, is far below the size of the data."""
        assumption = self._bounds.setting.assumption
        size = math.sqrt(float(assumption.second_moment) / float(np.max(assumption.dim)))
        horizon = 1.0
        for _ in range(LONGEST_DOUBLINGS):
            if self._noise(horizon) <= LITTLE_NOISE * size:
                break
            horizon /= 2
        for _ in range(LONGEST_DOUBLINGS):
            if not self._noise(2 * horizon) <= LITTLE_NOISE * size:
                break
            horizon *= 2
        return horizon

    def _noise(self, horizon: float) -> float:
        """s/a over this horizon; ∞ where the process has ended, NaN where one step of it cannot be resolved."""
        return noise_over(self._bounds.setting.process, self._stop, horizon)

    def _grows(self, horizon: float) -> bool:
        """Whether the initial error grows beyond numbers: where shorter horizons had a cost, longer ones have none."""
        try:
            return self._bounds.initial_left(horizon) == math.inf
        except ValueError:
            return False

    def _settled(self, scale: float, error: float) -> bool:
        """Whether a longer horizon changes nothing: little initial error is left, or s/a no longer grows."""
        horizon = self._at(scale)
        before = self._noise(self._at(scale / 2) - self._stop)
        if self._noise(horizon - self._stop) <= before * (1 + SATURATED):
            return True
        try:
            return self._bounds.initial_left(horizon) < NEGLIGIBLE * error
        except ValueError:
            return True


@lru_cache(maxsize=4096)
def noise_over(process: ForwardProcess, stop: float, horizon: float, reach: float = 0.0) -> float:
    """s/a over a horizon from ``stop`` on, remembered for the next plan: `Horizons` looks at the same ones for
    any ε and grid; ``reach`` as for `Path`."""
    try:
        path = Path(process, np.array([stop + horizon, stop]), reach=reach)
    except Unresolved:
        return math.nan
    except ValueError:
        return math.inf
    kept = float(path.a[0] / path.a[1])
    return math.sqrt(path.C[0]) / kept if kept > 0 else math.inf


def or_infinite(cost: Callable[[float], float], horizon: float) -> float:
    """The cost, or ∞ where the process has ended or leaves the range of numbers."""
    try:
        return cost(horizon)
    except ValueError:
        return math.inf
