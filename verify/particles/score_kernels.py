"""One step of the sampler without its noise, in place, on particles held as (cells, d, size)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bounds.steps.affine import Steps
from closed_form.law import Law

#: A particle so many times as far out as the law at its time is lost.
FARTHEST = 1e20


def kernel_of(law: Law, steps: Steps, size: float,
              direction) -> SharedCovariance | SeparateCovariances | PushedScore:
    """The step of ``law``, in the frame where the covariance of its components is diagonal."""
    check_law(law)
    if not isinstance(steps, Steps) or len(steps) == 0:
        raise TypeError(f"steps must be Steps with at least one step, got {steps!r:.80}")
    bias, parts = law.bias(size, direction), law.components()
    if parts is None:
        return PushedScore(law, bias) if law.shrinkage is None else Shrinkage(law, bias)
    means, weights, spectrum, frame = parts.means, parts.weights, parts.spectrum, parts.frame
    if spectrum.ndim == 2:
        return SeparateCovariances(means, weights, spectrum, frame, bias)
    if frame is not None:
        means, bias = means @ frame, bias @ frame
    return SharedCovariance(means, weights, spectrum, frame, bias, max(means.shape))


def check_law(law) -> None:
    """Refuse what is no law in closed form."""
    if not isinstance(law, Law):
        raise TypeError(f"law must be a closed_form.law.Law, such as a Gaussian, got {type(law).__name__}")


@dataclass(frozen=True)
class SharedCovariance:
    """Components of one covariance, in ``frame`` diagonal with ``spectrum`` () or (d,): affine, softmax."""

    means: np.ndarray
    weights: np.ndarray
    spectrum: np.ndarray
    frame: np.ndarray | None
    bias: np.ndarray
    width: int

    @property
    def dim(self) -> int:
        return self.means.shape[1]

    def constants(self, steps: Steps, i: int) -> tuple[np.ndarray, ...]:
        """Logits L y + c against component 0, and y <- A y + b + G softmax."""
        a, P, Q = steps.a[i], steps.P[i], steps.Q[i]
        precision = _precision(self.spectrum, steps, i)
        first, rest = self.means[0], self.means[1:]
        L = (rest - first) * (a * precision)
        c = np.log(self.weights[1:] / self.weights[0]) - 0.5 * a * (L * (rest + first)).sum(axis=1)
        A = np.reshape(P - Q * precision, (-1, 1))
        b = Q * (a * precision * first + steps.part(i) * self.bias)
        return L, c[:, None], A, b[:, None], Q * L.T

    @staticmethod
    def advance(y: Any, constants: tuple, xp: Any) -> None:
        L, c, A, b, G = constants
        if L.shape[0]:
            logits = product(L, y, xp)
            logits += c
            pull = product(G, _softmax_of_rest(logits, xp), xp)
        y *= A
        y += b
        if L.shape[0]:
            y += pull


@dataclass(frozen=True)
class SeparateCovariances:
    """Components of unequal covariances vectors diag(values) vectorsᵀ: two products of matrices a step."""

    means: np.ndarray
    weights: np.ndarray
    values: np.ndarray
    vectors: np.ndarray
    bias: np.ndarray
    frame: None = None

    @property
    def dim(self) -> int:
        return self.means.shape[1]

    @property
    def width(self) -> int:
        return self.means.size

    def constants(self, steps: Steps, i: int) -> tuple[np.ndarray, ...]:
        """Whitened offsets R y - m, logits c - |offsets|²/2, and y <- P y + b - Q Rᵀ (weighted offsets)."""
        P, Q, precision = steps.P[i], steps.Q[i], _precision(self.values, steps, i)
        R = np.swapaxes(self.vectors, 1, 2) * np.sqrt(precision)[:, :, None]
        m = steps.a[i] * np.einsum("cij,cj->ci", R, self.means)
        c = np.log(self.weights)
        if Q != 0.0:
            c = c + 0.5 * np.log(precision).sum(axis=1)
        R, push = R.reshape(-1, self.dim), Q * steps.part(i) * self.bias
        return R, m.reshape(-1, 1), c[:, None], np.reshape(P, (1, 1)), push[:, None], -Q * R.T

    @staticmethod
    def advance(y: Any, constants: tuple, xp: Any) -> None:
        R, m, c, P, b, G = constants
        cells, d, size = y.shape
        offsets = product(R, y, xp)
        offsets -= m
        offsets = xp.reshape(offsets, (cells, c.shape[0], d, size))
        logits = c - 0.5 * xp.sum(offsets * offsets, axis=2)
        logits -= xp.max(logits, axis=1, keepdims=True)
        weights = xp.exp(logits)
        weights *= 1.0 / xp.sum(weights, axis=1, keepdims=True)
        offsets *= xp.expand_dims(weights, axis=2)
        y *= P
        y += b
        y += product(G, xp.reshape(offsets, (cells, -1, size)), xp)


@dataclass(frozen=True)
class PushedScore:
    """Any law: the score of its pushed law, particle by particle, on the host."""

    law: Law
    bias: np.ndarray
    frame: None = None

    @property
    def dim(self) -> int:
        return self.law.dim

    width = dim

    def constants(self, steps: Steps, i: int) -> tuple[np.ndarray, ...]:
        """(a, s², P, Q) and Q times the bias."""
        if steps.Q[i] != 0.0 and not steps.s_sq[i] > 0.0:
            name = type(self.law).__name__.lower()
            raise ValueError(
                f"the score at time {steps.time[i]} does not exist: the {name} has no noise there"
            )
        numbers = np.array([steps.a[i], steps.s_sq[i], steps.P[i], steps.Q[i]])
        return numbers, (steps.Q[i] * steps.part(i) * self.bias)[:, None]

    def advance(self, y: Any, constants: tuple, xp: Any) -> None:
        (a, s_sq, P, Q), b = (np.asarray(part) for part in constants)
        if Q == 0.0:
            y *= P
            return
        cells, d, size = y.shape
        x = y.transpose(0, 2, 1).reshape(-1, d)
        score = self.law.pushed(float(a), float(s_sq)).score(x).reshape(cells, size, d)
        y *= P
        y += Q * score.transpose(0, 2, 1)
        y += b


@dataclass(frozen=True)
class Shrinkage(PushedScore):
    """A law that rotations of all coordinates but the first leave as it is: these shrink, by one factor a
    particle."""

    #: Rule of the funnel's integral: relative error of the shrinkage up to 1e-4 in a few particles, mean
    #: square 3e-6 at worst.
    nodes: int = 33
    nested: float = 1e-2

    def advance(self, y: Any, constants: tuple, xp: Any) -> None:
        (a, s_sq, P, Q), b = (np.asarray(part) for part in constants)
        if Q == 0.0:
            y *= P
            return
        rest = y[:, 1:]
        energy = np.einsum("cds,cds->cs", rest, rest, dtype=float).ravel() / s_sq
        first = y[:, 0].ravel() / np.sqrt(s_sq)
        shrinkage, score = self.moves(first.astype(float), energy, float(a), float(s_sq))
        shape = y.shape[0], y.shape[2]
        y[:, 0] *= P
        y[:, 0] += (Q * score).reshape(shape)
        y[:, 1:] *= (P - Q * shrinkage).reshape(shape)[:, None]
        y += b

    def moves(self, first: np.ndarray, energy: np.ndarray, a: float,
              s_sq: float) -> tuple[np.ndarray, np.ndarray]:
        """(c, s_1) at the first coordinate and the others' sum of squares in units of s: s_i = −c y_i for
        i > 1.

        Raises OverflowError where one is `FARTHEST` times as far out as the law reaches.
        """
        if np.any(energy > FARTHEST**2 * (1 + a * a * self.law.second_moment / s_sq)):
            raise OverflowError(f"particles are {FARTHEST:g} times as far out as the law at their time, where its score "
                                "is not known to any digit: the scheme diverges")
        return self.law.shrinkage(first, energy, a, s_sq, self.nodes, self.nested)


def product(matrix: Any, particles: Any, xp: Any) -> Any:
    """Matrix times every cell; one product of one shape per cell, so blocks do not change its rounding."""
    if matrix.shape[1] == 1:
        return matrix * particles
    return xp.matmul(matrix, particles)


def _softmax_of_rest(logits: Any, xp: Any) -> Any:
    """Weights of components 1, 2, … from their logits (cells, c-1, size) against component 0."""
    if logits.shape[1] == 1:
        logits *= 0.5
        weights = xp.tanh(logits)
        weights += 1.0
        weights *= 0.5
        return weights
    top = xp.max(logits, axis=1, keepdims=True)
    logits -= top
    weights = xp.exp(logits)
    weights *= 1.0 / (xp.sum(weights, axis=1, keepdims=True) + xp.exp(-top))
    return weights


def _precision(eigenvalues: np.ndarray, steps: Steps, i: int) -> np.ndarray:
    """1/(a² eigenvalue + s²), or 0 in a step that does not use the score."""
    variance = np.asarray(steps.a[i] ** 2 * eigenvalues + steps.s_sq[i])
    if steps.Q[i] == 0.0:
        return np.zeros_like(variance)
    if not variance.min() > 0.0:
        raise ValueError(
            f"the score at time {steps.time[i]} does not exist: the law there has variance {variance.min()}"
        )
    return 1.0 / variance
