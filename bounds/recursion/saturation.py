r"""What becomes of an error where the posterior mean cannot leave a ball: data μ + s0 G with μ in a ball.

With V = a² s0² + s² the score is :math:`s_t(x) = -(x - a E[\mu | x])/V`, so that a step makes of an error E at most
|P + QH_lo| E + 2R|Q|a/V, whatever E is; and it is near the exact process's own step whatever came before.
"""

from __future__ import annotations

from functools import cached_property
from math import hypot

import numpy as np

from bounds.recursion.data import Constants, expand
from bounds.recursion.propagation import raised
from bounds.setting import Setting

#: Relative rounding of a step's numbers.
ROUNDING = 16 * np.finfo(float).eps


class Saturation:
    r"""Other ways for an error through every step.

    Parameters
    ----------
    setting : Setting
        Of data that have a ball.
    functions
        The stated expressions as functions of numbers.
    reach : array of shape (...)
        2V/(aR) at the end: below it the last step is not saturated.  Saturation is looked at, and believed, above
        it only, so that a bound that grows with a score error goes on growing.
    """

    def __init__(self, setting: Setting, functions, reach):
        self._setting, self._functions, self.reach = setting, functions, reach

    @classmethod
    def of(cls, setting: Setting, functions) -> Saturation | None:
        """Of a setting; None where the data have no ball."""
        ball = setting.assumption.ball
        if ball is None:
            return None
        path = setting.table.path
        with np.errstate(divide="ignore"):  # a may underflow to 0: nothing is left of the data to saturate
            spread = path.a[-1] * np.square(ball[1]) + path.s_sq[-1] / path.a[-1]
        return cls(setting, functions, 2 * spread / np.maximum(ball[0], 1e-300))

    def on(self, setting: Setting) -> Saturation:
        """The same on a grid with the same end."""
        return Saturation(setting, self._functions, self.reach)

    @cached_property
    def columns(self) -> tuple:
        """(kept, moved, replaced, noise_sq, drawn), each of shape (..., k), from above.

        |J| = |P + QH_lo| and what two points of the ball may add; and, against the exact step, which forgets where it
        came from, what is known at the step's start, the squared difference of the noises, and what the ball
        leaves open within the step.
        """
        setting, functions = self._setting, self._functions
        table, path, data = setting.table, setting.table.path, Constants(setting.assumption, 1)
        radius, std = setting.assumption.mapped(lambda value: expand(value, 1)).ball
        centre = expand(setting.assumption.largest_mean_norm, 1) + radius
        a_sq, s_sq = np.square(path.a), path.s_sq
        floor, _ = data.hessian(a_sq[:-1], s_sq[:-1])
        after = a_sq[1:] * np.square(std) + s_sq[1:]
        values = dict(P=table.P, Q=table.Q, H_lo=floor, c1=table.c1, c2=table.c2, a_sq=a_sq[:-1], R=radius,
                      centre=centre, d=data.d, F=path.F, C=path.C, noise_var=table.noise_var, after=after)
        kept, moved, replaced, noise_sq, drawn = (functions[name](**values) for name in (
            "ball_kept", "ball_moved", "ball_replaced", "ball_noise_sq", "ball_drawn"))
        relative = ROUNDING + table.relative_error
        a, spread = path.a[:-1], np.sqrt(a_sq[:-1] * np.square(radius) - data.d / floor)
        off = table.c1_error + table.c2_error * np.abs(floor)
        lost = np.sqrt(data.d) * ((relative + _relative(table.noise_error, table.noise_var)) * np.sqrt(table.noise_var)
                                  + relative * np.sqrt(path.C * after * np.abs(floor)))
        return (kept + relative * (np.abs(table.P) + table.Q * np.abs(floor)), moved * (1 + relative),
                replaced * (1 + relative) + off * spread + table.c1_error * a * centre,
                np.square(np.sqrt(noise_sq) + lost), drawn * (1 + relative))

    def end(self, start, contraction, bias, variance, bent=0.0, fresh=0.0, forgets: bool = True):
        """E_K where some step is saturated, rounded to nearest; None where none is, and ∞ in a batch.

        Parameters
        ----------
        start : array of shape (...)
            E_0.
        contraction, bias, variance : arrays of shape (..., k)
            A_k, b_k and v_k².
        bent, fresh : arrays of shape (..., k) or 0
            Q_k M and (Q_k M_noise)².
        forgets : bool
            Whether a step may be held against the exact one.
        """
        kept, moved, replaced, noise_sq, drawn = self.columns
        replaced = replaced if forgets else np.full_like(replaced, np.inf)
        shape = np.broadcast_shapes(np.shape(start), *(np.shape(column)[:-1] for column in (
            contraction, bias, variance, bent, fresh, moved, replaced) if np.ndim(column)))
        with np.errstate(over="ignore", invalid="ignore"):
            columns = [np.nan_to_num(np.broadcast_to(column, (*shape, contraction.shape[-1])), nan=np.inf,
                                     posinf=np.inf) for column in (
                contraction, bias + bent, np.sqrt(variance + fresh), kept, moved, replaced + bent,
                np.sqrt(noise_sq + fresh), drawn)]
            if not shape:
                return _end_of_one(float(start), [column.tolist() for column in columns])
            return _end_of_many(np.broadcast_to(np.asarray(start, dtype=float), shape),
                                [np.moveaxis(column, -1, 0) for column in columns])

    def lower(self, plain, *recursion):
        """``plain``, which is E_K without saturation, or what `end` makes of it."""
        if not np.any(plain > self.reach):
            return plain
        found = self.end(*recursion)
        if found is None:
            return plain
        found = np.maximum(raised(found, recursion[1].shape[-1]), self.reach)
        return np.where(plain > self.reach, np.fmin(plain, found), plain)[()]

    def own(self, start, contraction, bent=0.0, fresh=0.0):
        """What a start, a score error or fresh noise alone becomes: `end` without the step's own errors."""
        none = np.zeros_like(contraction)
        return self.end(start, contraction, none, none, bent, fresh, forgets=False)


def _end_of_one(error: float, columns) -> float | None:
    bitten = False
    # the least of three couples every step to the one before
    for A, b, v, J, moved, N, u, W in zip(*columns, strict=True):
        grown, bounded = A * error if error else 0.0, J * error + moved
        through = hypot((bounded if bounded < grown else grown) + b, v)
        replaced = hypot(J * error + N, u) + W
        bitten = bitten or bounded < grown or replaced < through
        error = replaced if replaced < through else through
    return error if bitten else None


def _end_of_many(error, columns):
    bitten = np.zeros(error.shape, dtype=bool)
    for A, b, v, J, moved, N, u, W in zip(*columns, strict=True):
        grown, bounded = np.where(error > 0, A * error, 0.0), J * error + moved
        through = np.hypot(np.minimum(grown, bounded) + b, v)
        replaced = np.hypot(J * error + N, u) + W
        bitten |= (bounded < grown) | (replaced < through)
        error = np.minimum(replaced, through)
    return np.where(bitten, error, np.inf) if bitten.any() else None


def _relative(error, value):
    return np.where(value > 0, error / np.maximum(value, 1e-300), 0.0)
