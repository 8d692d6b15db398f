r"""The exact W2 error of a sampler, by whichever closed form the data law admits."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from bounds.annotations import Array
from bounds.argument import check_type
from bounds.score_error import ScoreError, on_steps, read_error
from bounds.start import Start
from bounds.steps.affine import Steps
from closed_form.bracket import Bracket
from closed_form.distances.line_mixture import LineMixture
from closed_form.law import Law, NoExactLaw, Parts, Plane
from closed_form.law_input import error_size
from closed_form.laws.gaussian import Gaussian
from closed_form.sampler_laws.gaussian_chain import gaussian_chain
from closed_form.sampler_laws.line.sampler import line_w2
from closed_form.sampler_laws.phase_space.gaussian_chain import phase_gaussian_w2


def exact_law_available(law: Law) -> str | None:
    """Why `sampler_w2` has no exact answer for ``law``; None if it has one.

    Available: any Gaussian; any mixture of Gaussians in dimension 1; in dimension d, mixtures with one
    isotropic covariance and collinear means, means in a plane, or means that are a product over orthogonal
    directions.  Where means span a plane the law is known for samplers of one block.
    """
    try:
        _parts(law)
    except NoExactLaw as error:
        return None if isinstance(law, Law) and law.plane() is not None else str(error)
    return None


def _parts(law) -> Parts:
    if not isinstance(law, Law):
        raise NoExactLaw(f"no exact law of the sampler is known for data of type {type(law).__name__}")
    return law.split()


def sampler_w2(law: Law, steps: Steps, score_error: float | Sequence[float] | ScoreError = 0.0,
               score_noise: float = 0.0, direction: ArrayLike | None = None) -> Bracket:
    r"""W2 between the law of the sampler's last iterate and the data law, exact up to the bracket.

    The score used is s(y) + b + N(0, M_noise²/d I), with a constant b of norm exactly ``score_error``.
    The law's parts are independent, so their distances add in squares (`closed_form.law.Parts`):

    .. math:: W_2^2 = \sum_i W_2^2(\mathrm{line}_i) + W_2^2(\mathrm{across}).

    In phase space it is the distance of the position, and the score errors are those of the velocity's score.

    Parameters
    ----------
    law : Law
        A Gaussian, or a GaussianMixture with parts or a plane.
    steps : Steps
    score_error : float, sequence of float, or ScoreError
        Norm M of the constant error b of the score, at least 0; a list has one for each step, and a
        `bounds.score_error.ScoreError` may be in the units of what a network predicts.  All have one direction.
    score_noise : float
        L2 size M_noise of the fresh Gaussian error of the score, at least 0.
    direction : array of shape (d,), optional
        Direction of b, any non-zero length; ``law.bias_direction()`` by default.

    Returns
    -------
    Bracket

    Raises
    ------
    NoExactLaw
        If `exact_law_available` gives a reason.
    GridTooLarge
        If the quadrature along a line, or in a plane, would need a grid beyond its limit.
    TypeError, ValueError
        If an argument is not as above.

    References
    ----------
    docs/theory.md section 8.
    """
    check_type("law", law, Law, "a law of the data (Gaussian, GaussianMixture, …)")
    check_type("steps", steps, Steps, "Steps, as Scheme.steps(process) gives them")
    try:
        parts = _parts(law)
    except NoExactLaw as error:
        plane = law.plane() if steps.blocks == 1 else None
        if plane is None:
            raise NoExactLaw(f"law has no exact sampler law: {error}") from None
        parts = None
    if isinstance(score_error, np.ndarray):
        score_error = score_error.tolist()
    score_error, steps = on_steps(read_error(score_error), steps)
    if parts is None:
        return _across_plane(law, plane, steps, law.bias(score_error, direction), error_size("score_noise", score_noise))
    plain = steps.rounded() if steps.blocks == 2 else steps
    bias, score_noise = law.bias(score_error, direction), error_size("score_noise", score_noise)
    noise, known, brackets = score_noise / math.sqrt(law.dim), {}, []
    if parts.lines:
        _check_apart(steps, parts.directions)
    for line, along in zip(parts.lines, parts.directions, strict=True):
        found, push, own = line.components(), float(along @ bias), plain
        key = *(array.tobytes() for array in (found.means, found.weights, found.spectrum)), push
        if steps.start is not None:
            own = replace(plain, start=steps.start.turned(along[None]))
            key += own.start.mean.tobytes(), own.start.spread.astype(float).tobytes()
        if key not in known:  # equal lines are measured once
            known[key] = _line_w2(line, own, push, noise)
        brackets.append(known[key])
    if parts.rest is not None:
        spare = score_noise * math.sqrt(parts.rest.dim / law.dim)
        brackets.append(_gaussian_w2(parts.rest, _steps_across(steps, parts, law.dim), parts.across(bias), spare))
    return Bracket.root_sum_sq(brackets).widened(parts.rounding)


def _across_plane(law, plane, steps, bias: Array, score_noise: float) -> Bracket:
    """The law along the plane and the Gaussian across it, which add in squares."""
    from closed_form.sampler_laws.plane.sampler import plane_w2  # imports scipy.ndimage and scipy.sparse

    _check_apart(steps, plane.directions, together=True)
    own = steps if steps.start is None else replace(steps, start=steps.start.turned(plane.directions))
    brackets = [plane_w2(plane.law, own, plane.directions @ bias, score_noise / math.sqrt(law.dim))]
    if plane.rest is not None:
        spare = score_noise * math.sqrt(plane.rest.dim / law.dim)
        brackets.append(_gaussian_w2(plane.rest, _steps_across(steps, plane, law.dim), plane.across(bias), spare))
    return Bracket.root_sum_sq(brackets).widened(plane.rounding)


def _check_apart(steps: Steps, directions: Array, together: bool = False) -> None:
    """Refuse a start whose coordinates along the parts of the law depend on each other."""
    groups = [directions] if together else [direction[None] for direction in directions]
    if steps.start is not None and any(steps.start.mixes(group) for group in groups):
        what = "the plane of the means" if together else "each line of the means"
        raise NoExactLaw(f"prior_covariance must have {what} and what is across it as axes for an exact law of a "
                         f"mixture, got {steps.start.spread.tolist()!r:.60}")


def _steps_across(steps: Steps, parts: Parts | Plane, dim: int) -> Steps:
    """The steps with the start as it is in the coordinates across the parts."""
    start = steps.start
    if start is None:
        return steps
    if steps.blocks == 2:
        mean = np.stack([parts.across(part) for part in start.mean_of(dim).astype(float)])
        return replace(steps, start=replace(start, mean=mean))
    if start.spread.ndim == 0:
        return replace(steps, start=Start(np.asarray(parts.across(start.mean_of(dim).astype(float))), start.spread))
    across = np.stack([parts.across(axis) for axis in np.eye(dim)], axis=1)
    return replace(steps, start=start.turned(across))


def _gaussian_w2(law: Gaussian, steps, bias: Array, score_noise: float) -> Bracket:
    if steps.blocks == 2:
        return phase_gaussian_w2(law, steps, bias, score_noise)
    return gaussian_chain(law, steps, bias, score_noise).w2()


def _line_w2(law, steps, bias: float, score_noise: float) -> Bracket:
    if steps.blocks == 2:
        from closed_form.sampler_laws.phase_space.line import (
            phase_line_w2,  # imports scipy.interpolate, a fifth of a second
        )

        return phase_line_w2(LineMixture.of(law), steps, bias, score_noise)
    return line_w2(law, steps, bias, score_noise)
