r"""Samplers of the probability-flow ODE whose step uses what the one before saw, as data in Y = X/a and σ =
s/a.

.. math:: Y_r = k Y + n D(Y, \tau) + b D(Y_{before}, \tau_{before}), \qquad D(Y, \tau) = E[X_0 | Y],

one evaluation of the score a step: D is (x + s² times the score)/a.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from bounds.process import ForwardProcess
from bounds.steps.affine import Past, Steps
from bounds.steps.path import Path, check_drift


@dataclass(frozen=True)
class Spans:
    """What the coefficients of a step may be made of: arrays of shape (k,), or balls of one step.

    Attributes
    ----------
    tau, r : noise levels where the step starts and where it ends.
    whole : τ − r, without cancellation.
    ratio : log(τ/r) over what it was a step before; 0 in the first step and in one to r = 0, without a past.
    """

    tau: Any
    r: Any
    whole: Any
    ratio: Any


class Blend(NamedTuple):
    """The coefficients of a step: of Y, of the prediction of the data there, and of the one before."""

    keep: Any
    now: Any
    before: Any


@dataclass(frozen=True)
class Multistep:
    """A sampler's step that uses the prediction of the step before.

    Attributes
    ----------
    coefficients : callable
        `Spans` -> `Blend`, by arithmetic that arrays and balls know.
    """

    coefficients: Callable


class MultistepTable:
    """What `bounds.steps.table.StepTable` is for samplers without a past.

    Made of what `bounds.sampler.Scheme.steps` takes.

    Attributes
    ----------
    path : Path
        Along the grid's times.
    blend : Blend
        Arrays of shape (k,).
    """

    def __init__(self, process: ForwardProcess, scheme, assumption=None):
        self.scheme, self.rule = scheme, scheme.sampler.one_block
        times = scheme.grid.times
        finest = 0.0 if assumption is None else float(1 / np.max(assumption.smoothness))
        self.path = path = Path(process, times, finest=finest)
        check_drift(path)
        self.prior_var = float(scheme.prior_var(path.a[0] ** 2, path.s_sq[0]))
        sigma = np.sqrt(path.s_sq) / path.a
        tau, r = sigma[:-1], sigma[1:]
        # σ² grows by C/a² over a step upwards
        whole = path.C / np.square(path.a[:-1]) / (tau + r)
        with np.errstate(divide="ignore"):
            length = np.log1p(whole / r)
        ratio = np.append(0.0, length[1:] / length[:-1])
        if times[-1] == 0:
            ratio[-1] = 0.0
        found = self.rule.multistep.coefficients(Spans(tau, r, whole, ratio))
        self.blend = Blend(*(each * np.ones(len(tau)) for each in found))

    def steps(self) -> Steps:
        """The numbers of every step, as the sampler and its exact law use them."""
        path, (keep, now, before) = self.path, self.blend
        a, end = path.a[:-1], path.a[1:]
        past = Past(keep * np.exp(path.F), now * end, before * end)
        return Steps(path.times, 1 / a, path.s_sq[:-1] / a, np.zeros(len(a)), path.a, path.s_sq,
                     self.prior_var, past=past, from_mean=self.scheme.from_mean)
