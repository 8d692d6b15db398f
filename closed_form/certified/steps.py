r"""Every step of a sampler of one block in balls: P, Q, noise and the forward law."""

import itertools
from dataclasses import dataclass
from functools import lru_cache
from types import SimpleNamespace

import numpy as np

from bounds.process import ForwardProcess
from bounds.steps.formulas import coefficients
from bounds.symbolic.balls import BallFunction, NotAnalytic
from bounds.symbolic.bisection import Bisection
from closed_form.certified.expansion import TERMS, Expansion, Interval, balls

#: Bits of a ball's middle.
PRECISION = 128
#: Remainder of a part's series, relative to the function.
REMAINDER = 1e-26
#: Where g² is smaller than this in its mean over [0, T] it need not be so exact.
MINOR = 1e-9
#: Longest ∫|f| over a piece, for the series of e^{2F} to be short.
LONGEST_DRIFT = 0.5
#: A step to time 0, where s² vanishes, is halved towards 0 so often if its noise looks at s².
MAX_LEVELS = 110
#: A piece is halved, up to so often, while a ball of an integral over it is wider than this, relatively.
SHARP, MAX_HALVINGS = 1e-24, 12


@dataclass(frozen=True)
class BallSteps:
    """Lists of arb: P, Q and noise of k steps, a and s² at k + 1 times, decreasing; the prior's variance."""

    P: list
    Q: list
    noise_var: list
    a: list
    s_sq: list
    prior_var: object

    def __len__(self) -> int:
        return len(self.P)


@lru_cache(maxsize=64)
def _parts(process: ForwardProcess, horizon: float) -> tuple[np.ndarray, list[bool]]:
    """Ends of parts of [0, T], and on which of them f and g² have short series; on others they hardly
    vary."""
    functions = [BallFunction(process.f), BallFunction(process.g_sq)]

    def short(left, middle, right, real, sizes):
        from flint import arb

        half = arb(right - left)
        for function, size, minor in zip(functions, sizes, (1.0, MINOR), strict=True):
            try:
                last = function.taylor(real, TERMS + 1)[TERMS]
            except NotAnalytic:
                return None
            remainder = float((abs(last) * (half / 2) ** TERMS).abs_upper())
            lead = float(abs(function.interval(arb(middle))).mid())
            if not remainder <= REMAINDER * max(lead, minor * size / horizon):
                return None
        return True

    unknown = [False, process.g_sq.is_nonnegative is not True]
    found = list(Bisection(functions, ("f", "g²"), unknown, horizon, short).parts())
    return np.array([0.0, *(right for right, *_ in found)]), [bool(kept) for _, kept, _ in found]


def ball_steps(process: ForwardProcess, times: np.ndarray, rule, hessian=None, prior_var=None,
               precision: int = PRECISION) -> BallSteps:
    """The steps of a sampler's rule in balls.

    Parameters
    ----------
    process : ForwardProcess
        Of one block.
    times : array of shape (k+1,)
        Decreasing.
    rule : bounds.steps.rule.Rule
    hessian : callable, optional
        (a², s²) -> H(c*), for a rule that needs it; of objects with arithmetic.
    prior_var : callable, optional
        (a², s², arb) at the horizon -> the prior's variance, by default s²: `Scheme.prior_var`.
    precision : int
        Bits.

    Raises
    ------
    NotEnclosed
        If the coefficients cannot be written in ball arithmetic.
    ValueError
        Where f or g² is seen not to be usable on (0, T].
    """
    from flint import arb

    with balls(precision):
        parts = _parts(process, float(times[0]))
        functions = BallFunction(process.f), BallFunction(process.g_sq)
        ascending = [float(t) for t in times[::-1]]
        points = ascending if ascending[0] == 0 else [0.0, *ascending]
        a, s_sq, log_a, found = [arb(1)], [arb(0)], arb(0), []
        for lower, upper in itertools.pairwise(points):
            own = lower >= ascending[0]
            step = _Step(functions, rule, hessian, parts, lower, upper, a[-1], s_sq[-1],
                         process if own and rule.formulas is not None else None)
            log_a -= step.F
            a.append(log_a.exp())
            s_sq.append(s_sq[-1] * (-2 * step.F).exp() + step.C)
            found.append(step)
        kept = len(ascending)
        a, s_sq, found = a[-kept:][::-1], s_sq[-kept:][::-1], found[-(kept - 1):][::-1]
        prior = s_sq[0] if prior_var is None else prior_var(a[0] ** 2, s_sq[0], arb)
        return BallSteps([x.P for x in found], [x.Q for x in found], [x.noise for x in found], a, s_sq, prior)


class _Step:
    """The numbers of one step: F, C, P, Q, noise; ``process`` is given for those of a sampler of formulas."""

    def __init__(self, functions, rule, hessian, parts, lower, upper, a, s_sq, process=None):
        from flint import arb

        self.functions, self.rule, self.hessian = functions, rule, hessian
        self.a_sq, self.s_sq = a * a, s_sq
        late = rule.amplitude_needs_path and rule.closed_noise is None
        pieces = list(_pieces(functions, *parts, lower, upper, late and lower == 0))
        #: f on the pieces not yet halved, by their ends.
        self._f = {(left, right): Expansion.of(functions[0], Interval.of(arb(left), arb(right)), smooth)
                   for left, right, smooth in pieces}
        self.F = sum((f.integral()[0] for f in self._f.values()), arb(0))
        self.ends = [function.interval(arb(upper)) for function in functions]
        self.h = arb(upper) - arb(lower)
        F, sums = arb(0), [arb(0)] * 4
        waiting = [(*piece, MAX_HALVINGS) for piece in reversed(pieces)]
        while waiting:
            left, right, smooth, halvings = waiting.pop()
            moved, found = self._piece(left, right, smooth, F, sums[0])
            middle, found, remainders = left + (right - left) / 2, *zip(*found, strict=True)
            sharp = all(map(_sharp, found, remainders, sums))
            if smooth and halvings and left < middle < right and not sharp:
                waiting += [(middle, right, smooth, halvings - 1), (left, middle, smooth, halvings - 1)]
                continue
            F += moved
            sums = [total + part for total, part in zip(sums, found, strict=True)]
        self.C, self.Q, self.noise, drift = sums
        if rule.closed_noise:
            self.noise = rule.closed_noise(self.C, s_sq, s_sq * (-2 * self.F).exp() + self.C)
        if rule.closed_weight:
            self.Q = rule.closed_weight(self.F, self.C, s_sq, s_sq * (-2 * self.F).exp() + self.C)
        self.P = self.F.exp() if rule.drift is None else 1 + drift
        if process is not None:
            self._state(process, lower, upper, a)

    def _state(self, process, lower, upper, a):
        """P, Q and noise from formulas: Q is E, and the noise G, up to here."""
        from flint import arb

        known = {"h": self.h, "t": arb(upper), "r": arb(lower), "F": self.F, "C": self.C, "E": self.Q,
                 "G": self.noise, "a_r": a, "s_sq_r": self.s_sq}
        formulas, times = self.rule.formulas, [(upper, lower)]
        known = {name: [value] for name, value in known.items()}
        found = formulas.values(known | coefficients(process, times, formulas.needs()), times)
        self.P, self.Q, self.noise = (found[name][0] for name in ("P", "Q", "noise"))

    def _piece(self, left, right, smooth, F, C):
        """∫f over a piece that starts with ∫f = F and C, and its parts of C, Q, the noise and P − 1."""
        from flint import arb

        rule = self.rule
        f = self._f.get((left, right)) or Expansion.of(self.functions[0], Interval.of(arb(left), arb(right)),
                                                       smooth)
        g_sq = Expansion.of(self.functions[1], f.interval, smooth)
        exponent = f.antiderivative(F)
        growth = (2 * (exponent - self.F)).exp()
        nodes = _Nodes(f=f, g_sq=g_sq, F=exponent, growth=growth, h=self.h,
                       ends={"F_end": self.F, "f_end": self.ends[0], "g_sq_end": self.ends[1]})
        kernel = growth * g_sq
        weight = rule.score_weight(nodes).integral() if rule.score_weight else (arb(0), arb(0))
        drift, moved = (arb(0), arb(0)) if rule.drift is None else rule.drift(nodes).integral(), f.integral()[0]
        if rule.closed_noise or rule.amplitude is None:
            return moved, (kernel.integral(), weight, (arb(0), arb(0)), drift)
        if not rule.amplitude_needs_path:
            amplitude = rule.amplitude(nodes, None)
            return moved, (kernel.integral(), weight, (amplitude * amplitude).integral(), drift)
        if left == 0:
            # 0 <= n <= Φ⁻¹, on a piece too short to matter
            noise = arb(0).union(((2 * exponent).exp() * g_sq).integral()[0]), arb(0)
        else:
            decay = (-2 * exponent).exp()
            nodes.C = kernel.antiderivative(C) / growth
            nodes.a_sq, nodes.s_sq = decay * self.a_sq, decay * self.s_sq + nodes.C
            try:
                hessian = None if self.hessian is None else self.hessian(nodes.a_sq, nodes.s_sq)
                amplitude = rule.amplitude(nodes, hessian)
                noise = (amplitude * amplitude).integral()
            except ValueError:  # s² is not seen to be positive: the piece is too long
                noise = arb("nan"), arb("nan")
        return moved, (kernel.integral(), weight, noise, drift)


class _Nodes(SimpleNamespace):
    """What rules see, by the names of `bounds.steps.path.StepNodes`; numbers at the step's end are made of
    ``ends`` when a rule asks for them."""

    def __getattr__(self, name: str):
        if name not in self.ends:
            raise AttributeError(name)
        return self.f.constant(self.ends[name])


def _sharp(part, remainder, total) -> bool:
    """Whether the remainder of a part is small beside it or the total so far."""
    return bool(remainder <= SHARP * (abs(part.mid()) + abs(total.mid()))) or remainder == 0


def _pieces(functions, edges, smooth, lower, upper, to_zero):
    """Ends of the pieces of a step, and whether each is smooth."""
    from flint import arb

    inner = edges[np.searchsorted(edges, lower, side="right") : np.searchsorted(edges, upper)]
    places = np.concatenate([[lower], inner, [upper]])
    if to_zero:
        places = np.union1d(places, upper * 0.5 ** np.arange(1, MAX_LEVELS + 1))
    for left, right in zip(places[:-1].tolist(), places[1:].tolist(), strict=True):
        whole = arb(left).union(arb(right))
        drift = float(abs(functions[0].interval(whole)).upper()) * (right - left)
        count = int(min(max(np.ceil(drift / LONGEST_DRIFT), 1), 256)) if np.isfinite(drift) else 1
        cuts = (left, right) if count == 1 else np.linspace(left, right, count + 1).tolist()
        flag = smooth[np.searchsorted(edges, left, side="right") - 1]
        yield from ((low, high, flag) for low, high in itertools.pairwise(cuts))
