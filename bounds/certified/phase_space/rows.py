"""The rows of the samplers of position and velocity in balls, each with the noise it is coupled to.

The rules are those of `bounds.samplers` restated, as these are numpy's.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import sympy

from bounds.certified.data import NotCertified
from bounds.certified.number import real_root
from bounds.certified.phase_space.langevin import Langevin, matrix
from bounds.certified.phase_space.moments import exponential_moments
from bounds.process import ForwardProcess
from bounds.sampler import Scheme
from bounds.steps.phase_space.splitting import Splitting
from bounds.symbolic.balls import BallFunction
from bounds.symbolic.integrals import TIME


@dataclass(frozen=True)
class Row:
    """One row: it takes U at clock time ``upper`` to that at ``lower`` by y ↦ Py + Qs + noise.

    ``coupling`` and ``noise_flow`` are as in `bounds.steps.phase_space.rows.Rows`.
    """

    upper: object
    lower: object
    P: object
    Q: object
    coupling: object
    noise_flow: str

    @property
    def width(self):
        """Clock distance."""
        return self.upper - self.lower


def clock_times(process: ForwardProcess, times: np.ndarray) -> list:
    """u = ∫β at decreasing times.

    Raises
    ------
    NotCertified
        If the clock is not proved to run forward on all of [0, T].
    NotEnclosed
        If it cannot be written in ball arithmetic.
    """
    found = _values(process.clock, times)
    if times[-1] == 0:
        # so it is by definition, its ball need not be
        found[-1] *= 0
    for at, (high, low) in enumerate(itertools.pairwise(found)):
        if not high > low >= 0:
            raise NotCertified("certified needs a clock that increases from 0 on [0, T], got "
                               f"{float(high):.6g} at t = {times[at]:.6g} and {float(low):.6g} at t = "
                               f"{times[at + 1]:.6g}")
    return found


def _values(expression: sympy.Expr, times: np.ndarray) -> list:
    from flint import arb

    function = BallFunction(expression)
    return [function.interval(arb(time)) for time in times.tolist()]


def rows(langevin: Langevin, process: ForwardProcess, scheme: Scheme, clock: list) -> list[Row]:
    """The rows of a scheme, downwards, between clock times as of `clock_times`.

    Raises
    ------
    NotCertified
        If the sampler is not known here.
    """
    sampler, steps = scheme.sampler, list(itertools.pairwise(clock))
    if isinstance(sampler.phase_space, Splitting):
        return list(_Split(langevin, sampler.phase_space).rows(steps))
    if scheme.key == "frozen-euler-maruyama":
        return list(_frozen(langevin, process, scheme.grid.times, steps))
    if scheme.key not in _ROWS:
        raise NotCertified(f"certified needs a sampler with rows in ball arithmetic, got {scheme.key}")
    return [Row(high, low, *_ROWS[scheme.key](langevin, high - low)) for high, low in steps]


def _euler(langevin: Langevin, h):
    one = langevin.one
    return one - langevin.A * h, langevin.D * h, one, "none"


def _frozen(langevin: Langevin, process: ForwardProcess, times, steps):
    from flint import arb

    speeds = _values(sympy.diff(process.clock, TIME), times[:-1])
    spans = itertools.pairwise(times.tolist())
    for (high, low), (start, end), speed in zip(steps, spans, speeds, strict=True):
        length = (arb(start) - arb(end)) * speed
        P, Q, one, flow = _euler(langevin, length)
        yield Row(high, low, P, Q, one * real_root(length / (high - low)), flow)


def _exponential(langevin: Langevin, h):
    # ∫_0^h e^{aw}(I − wN) dw
    first, second = exponential_moments(-langevin.a * h, 2)
    grown = langevin.one * (h * first) - langevin.N * (h * h * second)
    return langevin.transition(-h), grown * langevin.D, langevin.one, "inverse"


def _posterior_mean(langevin: Langevin, h):
    back = langevin.transition(-h)
    return back, back * matrix(langevin.covariance(h)), langevin.one, "inverse"


_ROWS = {"euler-maruyama": _euler, "exponential": _exponential, "posterior-mean": _posterior_mean}


class _Split:
    """A splitting: its rows go from kick to kick, and the first and last half flow have their own."""

    def __init__(self, langevin: Langevin, splitting: Splitting):
        self.langevin, self.splitting = langevin, splitting
        self.nilpotent = langevin.renormalised + langevin.one * langevin.a
        self.none, self.pull = langevin.one * 0, langevin.D * langevin.stationary.inv()

    def rows(self, steps):
        from flint import arb

        langevin, splitting = self.langevin, self.splitting
        one, before = langevin.one, splitting.before
        upper, found = steps[0][0], (one, self.none, self.none)
        for high, low in steps:
            h = high - low
            if before:
                at = high - arb(splitting.kick_at) * h
                yield self._row(upper, at, *self._composed(before, h, *found))
                upper = at
            found = self._composed(splitting.after, h, one + self.pull * h, langevin.D * h, self.none)
            if not before:
                yield self._row(high, low, *found)
        if before:
            yield self._row(upper, steps[-1][1], *found)

    def _row(self, upper, lower, P, Q, noise) -> Row:
        _, exact = self._part("flow", upper - lower)
        return Row(upper, lower, P, Q, _lower_root(noise) * _inverse(_lower_root(exact)), "renormalised")

    def _composed(self, parts, h, P, Q, noise):
        from flint import arb

        for name, fraction in parts:
            moved, added = self._part(name, arb(fraction) * h)
            P, Q, noise = moved * P, moved * Q, moved * noise * moved.transpose() + added
        return P, Q, noise

    def _part(self, name: str, length):
        """(map, noise covariance) of one part."""
        from flint import arb_mat

        langevin, drift, zero = self.langevin, self.langevin.renormalised, self.none
        D = langevin.D
        if name == "flow":
            nilpotent = self.nilpotent
            E = exponential_moments(2 * langevin.a * length)
            turned = nilpotent * D
            square = length * length
            noise = (D * (length * E[0]) + (turned + turned.transpose()) * (square * E[1])
                     + turned * nilpotent.transpose() * (square * length * E[2]))
            return langevin.transition(length, nilpotent), noise
        if name == "friction":
            rates = drift[0, 0], drift[1, 1]
            grown = [length * exponential_moments(-2 * rate * length, 1)[0] for rate in rates]
            moved = arb_mat([[(rates[0] * length).exp(), 0], [0, (rates[1] * length).exp()]])
            return moved, arb_mat([[D[0, 0] * grown[0], 0], [0, D[1, 1] * grown[1]]])
        place = (0, 1) if name == "drift" else (1, 0)
        moved = langevin.one * 1
        moved[place] = length * drift[place]
        return moved, zero


def _lower_root(covariance):
    """L with LLᵀ = covariance and L_vx = 0; the velocity always has noise, the position need not."""
    from flint import arb_mat

    vv = real_root(covariance[1, 1])
    xv = covariance[0, 1] / vv if covariance[0, 1] != 0 else covariance[0, 1]
    return arb_mat([[real_root(covariance[0, 0] - xv * xv), xv], [0, vv]])


def _inverse(upper):
    """The inverse of an upper triangular matrix."""
    from flint import arb_mat

    xx, vv = 1 / upper[0, 0], 1 / upper[1, 1]
    return arb_mat([[xx, -upper[0, 1] * xx * vv], [0, vv]])
