r"""Every row of a sampler of position and velocity in balls: all of it exponentials of matrices.

A part of :math:`dU = BU\,dt + \Sigma\,dB` over a clock distance h has the map :math:`e^{hB}` and the noise
:math:`\int_0^h e^{wB}De^{wB^T}dw`, which are blocks of one exponential.

Source: Van Loan 1978 (Computing integrals involving the matrix exponential).
"""

import itertools
from dataclasses import dataclass

import numpy as np
import sympy

from bounds.process import ForwardProcess
from bounds.sampler import Scheme
from bounds.steps.phase_space.splitting import Splitting
from bounds.symbolic.balls import BallFunction, NotEnclosed
from bounds.symbolic.integrals import TIME


@dataclass(frozen=True)
class BallRows:
    """Lists of arb_mat: P, Q, noise of k rows, (φ, S) at k + 1 times, decreasing; Σ_∞."""

    maps: list
    kernels: list
    prior: object


def ball_rows(process: ForwardProcess, scheme: Scheme) -> BallRows:
    """The rows of a scheme at the precision of the moment.

    Raises
    ------
    NotEnclosed
        If the clock cannot be written in ball arithmetic, or the sampler is not known here.
    ValueError
        If the clock is seen not to run forward on the grid.
    """
    langevin = _Langevin(process)
    clock = langevin.values(process.clock, scheme.grid.times)
    for high, low in itertools.pairwise(clock):
        if not high > low:
            raise ValueError(f"process: clock must increase from 0 on [0, T], got {high} after {low}")
    found = list(langevin.rows(scheme, clock))
    ends = [at for at, _ in found] + clock[-1:]
    fraction = scheme.sampler.score_at
    if fraction is not None:
        # the first row has no kick
        ends[1:-1] = [high - fraction * (high - low) for high, low in itertools.pairwise(clock)]
    return BallRows([maps for _, maps in found], [langevin.kernel(at) for at in ends], langevin.stationary)


def solved(B, D, h):
    """(e^{hB}, ∫_0^h e^{wB}De^{wBᵀ}dw)."""
    from flint import arb_mat

    n = B.nrows()
    joint = arb_mat(2 * n, 2 * n)
    for i in range(n):
        for j in range(n):
            joint[i, j], joint[i, n + j], joint[n + i, n + j] = -h * B[i, j], h * D[i, j], h * B[j, i]
    joint = joint.exp()
    crossed, turned = (arb_mat(n, n, [joint[i, n + j] for i in part for j in range(n)])
                       for part in (range(n), range(n, 2 * n)))
    moved = turned.transpose()
    return moved, moved * crossed


class _Langevin:
    """The process between clock times."""

    def __init__(self, process: ForwardProcess):
        from flint import arb, arb_mat

        self._process = process
        a, sigma, epsilon, variance = (
            BallFunction(number).interval(arb(0))
            for number in (*(process.parameters[name] for name in ("a", "sigma", "epsilon")),
                           process.velocity_variance))
        self.one = arb_mat([[1, 0], [0, 1]])
        self.A = arb_mat([[0, a * a], [-1, -2 * a]])
        self.D = arb_mat([[epsilon * epsilon, 0], [0, sigma * sigma]])
        self._start = arb_mat([[0, 0], [0, variance]])
        # AΣ + ΣAᵀ + D = 0, entry by entry
        system = arb_mat([[0, 2 * a * a, 0], [-1, -2 * a, a * a], [0, -2, -4 * a]])
        xx, xv, vv = system.solve(arb_mat([[-self.D[0, 0]], [0], [-self.D[1, 1]]])).entries()
        self.stationary = arb_mat([[xx, xv], [xv, vv]])

    @staticmethod
    def values(expression: sympy.Expr, times: np.ndarray) -> list:
        """An expression at times."""
        from flint import arb

        function = BallFunction(expression)
        return [function.interval(arb(time)) for time in times.tolist()]

    def kernel(self, clock):
        """(φ, S)."""
        from flint import arb_mat

        flow, spread = solved(self.A, self.D, clock)
        return arb_mat([[flow[0, 0]], [flow[1, 0]]]), spread + flow * self._start * flow.transpose()

    def rows(self, scheme: Scheme, clock):
        """Yield (clock time, (P, Q, noise)) of every row."""
        sampler, key, steps = scheme.sampler, scheme.key, list(itertools.pairwise(clock))
        if isinstance(sampler.phase_space, Splitting):
            yield from self._splitting(sampler.phase_space, steps)
        elif key == "frozen-euler-maruyama":
            from flint import arb

            times = scheme.grid.times
            speeds = self.values(sympy.diff(self._process.clock, TIME), times[:-1])
            for at, start, end, speed in zip(clock, times.tolist(), times[1:].tolist(), speeds, strict=False):
                yield at, self._euler((arb(start) - arb(end)) * speed)
        elif key in ("euler-maruyama", "exponential", "posterior-mean"):
            make = getattr(self, "_" + key.split("-")[0])
            yield from ((high, make(high - low)) for high, low in steps)
        else:
            raise NotEnclosed(f"no rows in ball arithmetic for the sampler {key}")

    def _euler(self, h):
        return self.one - self.A * h, self.D * h, self.D * h

    def _exponential(self, h):
        """Q = ∫e^{−wA}dw D, from −A beside the constant 1."""
        from flint import arb_mat

        joint = arb_mat(4, 4)
        for i in (0, 1):
            joint[i, i + 2] = h * self.D[i, i]
            for j in (0, 1):
                joint[i, j] = -h * self.A[i, j]
        joint = joint.exp()
        back, noise = solved(-self.A, self.D, h)
        return back, arb_mat(2, 2, [joint[i, j] for i in (0, 1) for j in (2, 3)]), noise

    def _posterior(self, h):
        back, noise = solved(-self.A, self.D, h)
        return back, back * solved(self.A, self.D, h)[1], noise

    def _splitting(self, splitting: Splitting, steps):
        from flint import arb

        none, at = self.one * 0, steps[0][0]
        row = self.one, none, none
        for high, low in steps:
            h = high - low
            if splitting.before:
                yield at, self._through(splitting.before, h, row)
                at = high - arb(splitting.kick_at) * h
            kick = self.D * h
            row = self._through(splitting.after, h, (self.one + kick * self.stationary.inv(), kick, none))
            if not splitting.before:
                yield high, row
        if splitting.before:
            yield at, row

    def _through(self, parts, h, row):
        from flint import arb, arb_mat

        drift, zero = -self.A - self.D * self.stationary.inv(), arb(0)
        P, Q, noise = row
        for name, fraction in parts:
            B = {"flow": drift, "drift": arb_mat([[zero, drift[0, 1]], [zero, zero]]),
                 "force": arb_mat([[zero, zero], [drift[1, 0], zero]]),
                 "friction": arb_mat([[drift[0, 0], zero], [zero, drift[1, 1]]])}[name]
            noisy = name in ("flow", "friction")
            moved, added = solved(B, self.D if noisy else self.D * 0, h * arb(fraction))
            P, Q, noise = moved * P, moved * Q, moved * noise * moved.transpose() + added
        return P, Q, noise
