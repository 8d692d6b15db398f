r"""The exact W2 error of a sampler, by whichever closed form the data law admits."""

from __future__ import annotations

import math

import numpy as np

from bounds.steps.affine import Steps
from closed_form.bracket import Bracket
from closed_form.distances.line_mixture import LineMixture
from closed_form.geometry.orthogonal_factors import ROUNDING, factors
from closed_form.laws.gaussian import Gaussian
from closed_form.laws.mixture import GaussianMixture
from closed_form.sampler_laws.gaussian_chain import gaussian_chain
from closed_form.sampler_laws.line.sampler import line_w2
from closed_form.sampler_laws.phase_space.gaussian_chain import phase_gaussian_w2

_EPS = np.finfo(float).eps


def exact_law_available(law) -> str | None:
    """Why `sampler_w2` has no exact answer for ``law``; None if it has one.

    Available: any Gaussian; any mixture of Gaussians in dimension 1; in dimension d, mixtures with one
    isotropic covariance and collinear means, or means that are a product over orthogonal directions.
    """
    if isinstance(law, Gaussian):
        return None
    if not isinstance(law, GaussianMixture):
        return f"no exact law of the sampler is known for data of type {type(law).__name__}"
    if law.dim == 1 or _as_gaussian(law) is not None:
        return None
    if law.std is None:
        kind = "one covariance that is not isotropic" if law.covariances is None else "unequal covariances"
        return f"the components have {kind}; in dimension {law.dim} the exact law needs one multiple of I"
    rank = law.span()[1].shape[1]
    if rank > 1 and isinstance(reason := factors(law), str):
        return f"the means span {rank} dimensions; the exact law needs them on one line, or a product: {reason}"
    return None


def sampler_w2(
    law: Gaussian | GaussianMixture,
    steps: Steps,
    score_error: float = 0.0,
    score_noise: float = 0.0,
    direction: np.ndarray | None = None,
) -> Bracket:
    r"""W2 between the law of the sampler's last iterate and the data law, exact up to the bracket.

    The score used is s(y) + b + N(0, M_noise²/d I), with a constant b of norm exactly ``score_error``.
    A mixture with collinear means splits over the line and its complement, independent of each other:

    .. math:: W_2^2 = W_2^2(\mathrm{line}) + W_2^2(\mathrm{across}).

    In phase space it is the distance of the position, and the score errors are those of the velocity's score.

    Parameters
    ----------
    law : Gaussian or GaussianMixture
    steps : Steps
    score_error : float
        Norm M of the constant error b of the score, at least 0.
    score_noise : float
        L2 size M_noise of the fresh Gaussian error of the score, at least 0.
    direction : array of shape (d,), optional
        Direction of b, any non-zero length. By default: opposite to the mean for a Gaussian whose mean is
        not 0; along the line of the means for a mixture; the first axis otherwise.

    Returns
    -------
    Bracket

    Raises
    ------
    ValueError
        If `exact_law_available` gives a reason, an argument is not as above, or the quadrature along the
        line would need a grid beyond its limit (the message says at which step).

    References
    ----------
    docs/theory.md section 8.
    """
    reason = exact_law_available(law)
    if reason is not None:
        raise ValueError(f"law has no exact sampler law: {reason}")
    score_error, score_noise = _size("score_error", score_error), _size("score_noise", score_noise)
    gaussian = law if isinstance(law, Gaussian) else _as_gaussian(law)
    bias = score_error * _unit(law, gaussian, direction)
    if gaussian is not None:
        return _gaussian_w2(gaussian, steps, bias, score_noise)
    if law.dim == 1:
        return _line_w2(law, steps, float(bias[0]), score_noise)
    if not law.is_collinear:
        return _product_w2(law, steps, bias, score_noise)
    return _split_w2(law, steps, bias, score_noise)


def _gaussian_w2(law: Gaussian, steps, bias: np.ndarray, score_noise: float) -> Bracket:
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


def _product_w2(law: GaussianMixture, steps, bias: np.ndarray, score_noise: float) -> Bracket:
    """Every factor on its own line and the rest as one Gaussian, added in squares; equal factors are measured once."""
    found = factors(law)
    noise, known, parts = score_noise / math.sqrt(law.dim), {}, []
    for line, direction in zip(found.lines, found.directions, strict=True):
        push = float(direction @ bias)
        key = line.means.tobytes(), line.weights.tobytes(), push
        if key not in known:
            known[key] = _line_w2(line, steps, push, noise)
        parts.append(known[key])
    if found.rest is not None:
        spare = noise * math.sqrt(found.rest.dim)
        parts.append(_gaussian_w2(found.rest, steps, found.basis.T @ bias, spare))
    size = float(np.linalg.norm(law.means, axis=1).max())
    # places that differ by their rounding are one
    return Bracket.root_sum_sq(parts).widened((16 * _EPS + ROUNDING * (len(found.lines) > 0)) * size)


def _split_w2(law: GaussianMixture, steps, bias: np.ndarray, score_noise: float) -> Bracket:
    """The line through the means and the d − 1 directions across it, added in squares."""
    line, direction, offset = law.line()
    noise = score_noise / math.sqrt(law.dim)
    along = _line_w2(line, steps, float(direction @ bias), noise)
    gaussian = Gaussian(_across(offset, direction), law.std**2)
    across = _gaussian_w2(gaussian, steps, _across(bias, direction), noise * math.sqrt(law.dim - 1))
    both = Bracket.root_sum_sq([along, across])
    return both.widened(16 * _EPS * float(np.linalg.norm(law.means, axis=1).max()))


def _across(x: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Coordinates of ``x`` in an orthonormal basis of the complement of ``direction``, shape (d−1,)."""
    mirror = direction.copy()
    mirror[0] += math.copysign(1.0, direction[0])  # Householder: the reflection takes direction to ∓ e₁
    return (x - mirror * (2.0 * (mirror @ x) / (mirror @ mirror)))[1:]


def _as_gaussian(law: GaussianMixture) -> Gaussian | None:
    """The mixture as a Gaussian, if all its components are the same."""
    if law.covariances is not None or (law.means != law.means[0]).any():
        return None
    return Gaussian(law.means[0], law.std**2 if law.std is not None else law.component_covariance)


def _unit(law, gaussian: Gaussian | None, direction) -> np.ndarray:
    """Unit vector along which the constant score error points."""
    if direction is not None:
        direction = np.atleast_1d(np.asarray(direction, dtype=float))
        if direction.shape != (law.dim,) or not np.isfinite(direction).all() or not direction.any():
            raise ValueError(f"direction must be non-zero of shape ({law.dim},), got {direction!r:.80}")
        direction = direction / np.abs(direction).max()
        return direction / np.linalg.norm(direction)
    if gaussian is None:
        return law.line()[1] if law.is_collinear else factors(law).directions[0]
    if gaussian.mean.any():
        return _unit(law, gaussian, -gaussian.mean)
    return np.eye(1, law.dim)[0]


def _size(name: str, value) -> float:
    if isinstance(value, bool | str) or not np.isscalar(value):
        raise TypeError(f"{name} must be a number of at least 0, got {value!r}")
    if not 0.0 <= value < math.inf:
        raise ValueError(f"{name} must be finite and at least 0, got {value}")
    return float(value)
