r"""What a step of a sampler without noise misses of the probability-flow ODE, where the law is known.

On a line the flow from a noise level τ to r is the monotone map between the quantiles of both, so that
:math:`\|\mathrm{step}(Y_\tau) - Y_r\|` is an integral over one variable, whatever the step is.  With x at r
as that variable, at the level u = P(Y_r <= x), the integrand is as smooth as the density there.

Source: docs/theory.md section 12.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from closed_form.distances.roots import elementwise_roots, to_level

#: (y, index, noise) -> what steps of these numbers make of points y (p, n); noise(y, σ) is E[Z | Y = y].
Step = Callable[[np.ndarray, np.ndarray, Callable], np.ndarray]

#: Deviations kept around a mean, the mass beyond, and the length of a panel in deviations.
REACH, BEYOND, PANEL = 9.0, 2.3e-19, 1.0
#: Nodes times components at most: beyond that nothing is said.
MOST = 1 << 24
#: Rounding of a point, relative to its size.
ROUNDING = 64 * np.finfo(float).eps
#: Points at once.
_BLOCK = 1 << 16


def _poorer() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gauss' nodes and weights, and what a rule without two nodes, exact to degree 13, takes off them."""
    nodes, weights = np.polynomial.legendre.leggauss(16)
    kept, other = np.delete(np.arange(16), [4, 11]), np.zeros(16)
    moments = np.append(2.0, np.zeros(13))
    other[kept] = np.linalg.solve(np.polynomial.legendre.legvander(nodes[kept], 13).T, moments)
    return nodes, weights, weights - other


_NODES, _WEIGHTS, _LESS = _poorer()


@dataclass(frozen=True, eq=False)
class FlowErrors:
    """Local errors of any step on a law with parts: lines with components of one width, and a Gaussian.

    ``parts`` are a `closed_form.law.Parts`.
    """

    parts: Any

    @classmethod
    def of(cls, parts: Any) -> FlowErrors | None:
        """Of such parts; None where the components of a line have different widths."""
        return None if any(np.ptp(line.components().spectrum) > 0 for line in parts.lines) else cls(parts)

    def __call__(self, tau: np.ndarray, r: np.ndarray, step: Step) -> np.ndarray:
        r"""‖step(Y_τ) − Y_r‖ from above, where Y_r is where the flow takes Y_τ: array of shape (k,).

        Parameters
        ----------
        tau, r : arrays of shape (k,)
            Noise levels, τ > r >= 0.
        step : callable
            Affine in y and in every noise it asks for, coordinate by coordinate.
        """
        total, known = np.zeros(len(tau)), {}
        for line in self.parts.lines:
            found = line.components()
            key = found.means.tobytes(), found.weights.tobytes(), found.spectrum.tobytes()
            if key not in known:
                std = float(np.sqrt(found.spectrum.ravel()[0]))
                known[key] = _Line(found.means[:, 0], found.weights, std)(tau, r, step)
            total += known[key]
        size = 0.0
        if self.parts.rest is not None:
            total += _across(self.parts.rest, tau, r, step)
            size = self.parts.rest.second_moment
        size += sum(line.second_moment for line in self.parts.lines)
        dim = len(self.parts.lines) + (0 if self.parts.rest is None else self.parts.rest.dim)
        return np.sqrt(total) + ROUNDING * np.sqrt(size + dim * np.square(tau)) + self.parts.rounding


def _across(rest, tau, r, step: Step) -> np.ndarray:
    """The mean square for a Gaussian: along an eigenvector both maps are affine, and the flow keeps the mean, which a
    step may leave; then a later evaluation pulls it back."""
    values, place, counts = np.unique(rest.eigenvalues, return_inverse=True, return_counts=True)
    before, after = (np.sqrt(values + np.square(level[:, None])) for level in (tau, r))
    index, mean = np.arange(len(tau)), rest.mean if rest.basis is None else rest.mean @ rest.basis

    def noise(y, sigma):
        return y * (sigma / (values + np.square(sigma)))

    moved = step(before, index, noise)
    drift = step(np.ones_like(before), index, lambda y, sigma: noise(y - 1, sigma)) - 1
    return np.square(moved - after) @ counts + np.square(drift) @ np.bincount(place, np.square(mean))


class _Line:
    """Σ w_j N(μ_j, s²) on a line, at noise levels."""

    def __init__(self, means: np.ndarray, weights: np.ndarray, std: float):
        order = np.argsort(means)
        self._means, self._weights, self._std = means[order], weights[order], std

    def __call__(self, tau, r, step: Step) -> np.ndarray:
        """∫(step(y) − x)² p_r(x) dx of every step, y being where x is from, with what the rule may miss."""
        index, low, high = self._panels(np.hypot(self._std, r))
        if index is None:
            return np.full(len(tau), np.inf)
        total, farthest = np.zeros(len(tau)), np.zeros(len(tau))
        size = max(1, _BLOCK // len(_NODES))
        for start in range(0, len(index), size):
            part = slice(start, start + size)
            square, far = self._shares(index[part], low[part], high[part], tau, r, step)
            np.add.at(total, index[part], square)
            np.maximum.at(farthest, index[part], far)
        # beyond the panels: tails, and gaps between components, where nothing moves farther than they reach
        gone = BEYOND * (np.square(farthest) + np.square(np.ptp(self._means)))
        return total + gone

    def _panels(self, spread):
        """(Step, ends) of all panels of all steps, around means apart from another; None for too many."""
        closest = self._std if self._std > 0 else float(spread.min())
        places = np.floor((self._means - self._means[0]) / (PANEL * closest))
        chosen = self._means[np.unique(places, return_index=True)[1]]
        middles = (chosen[1:] + chosen[:-1]) / 2
        reach = REACH * spread[:, None] + PANEL * closest
        low = np.maximum(chosen - reach, np.append(-np.inf, middles))
        high = np.minimum(chosen + reach, np.append(middles, np.inf))
        counts = np.ceil((high - low) / (PANEL * spread[:, None])).astype(int)
        if counts.sum() * len(_NODES) * len(self._means) > MOST:
            return None, None, None
        index = np.repeat(np.broadcast_to(np.arange(len(spread))[:, None], counts.shape), counts.ravel())
        counts = counts.ravel()
        place = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        low, width = np.repeat(low.ravel(), counts), np.repeat((high - low).ravel() / counts, counts)
        return index, low + place * width, low + (place + 1) * width

    def _shares(self, index, low, high, tau, r, step: Step):
        """Integrals over panels from above, and the largest error in each."""
        half = (high - low)[:, None] / 2
        x = low[:, None] + half * (1 + _NODES)
        before, after = (np.hypot(self._std, level[index])[:, None] for level in (tau, r))
        miss = step(self._origin(x, before, after), index, self.noise) - x
        mass = half * self._density(x, after) * np.square(miss)
        return mass @ _WEIGHTS + np.abs(mass @ _LESS), np.abs(miss).max(axis=1)

    def _origin(self, x, before, after):
        """The y at deviation ``before`` with as much mass below it as x has at ``after``, by the nearer tail.

        Every point moves from the means as a Gaussian's would from one of them.
        """
        ratio = before / after
        low, high = (mean + (x - mean) * ratio for mean in (self._means[-1], self._means[0]))
        side = np.where(self._tail(x, after, 1.0) <= 0.5, 1.0, -1.0)
        level = self._tail(x, after, side)
        if self._means[0] == self._means[-1]:
            return low
        slack = ROUNDING * (np.abs(low) + np.abs(high))
        low, high, before = (np.broadcast_to(each, x.shape) for each in (low - slack, high + slack, before))
        start, end = (side * (self._tail(y, before, side) - level) for y in (low, high))
        # where rounding hides the sign either end will do
        found = np.where(start >= 0, low, high)
        inside = (start < 0) & (end > 0)
        if inside.any():
            def excess(y, level, side, spread):
                found = self._tail(y, spread, side)
                return side * (found - level), side * to_level(found, level, self._density(y, spread))

            found[inside] = elementwise_roots(
                excess, low[inside], high[inside], tuple(each[inside] for each in (level, side, before)),
                1e-15 * float(np.ptp(self._means)))
        return found

    def _tail(self, y, spread, side):
        """P(Y <= y) where ``side`` is 1, P(Y > y) where it is −1."""
        from scipy.special import ndtr

        return sum(w * ndtr(side * (y - m) / spread) for m, w in zip(self._means, self._weights, strict=True))

    def _density(self, x, spread):
        shares = sum(w * np.exp(-0.5 * np.square((x - m) / spread))
                     for m, w in zip(self._means, self._weights, strict=True))
        return shares / (np.sqrt(2 * np.pi) * spread)

    def noise(self, y, sigma):
        """E[Z | Y = y] = σ (y − E[μ | Y = y])/(s² + σ²)."""
        variance = self._std**2 + np.square(sigma)
        nearest = np.square(y - self._means[np.clip(np.searchsorted(
            (self._means[1:] + self._means[:-1]) / 2, y), 0, len(self._means) - 1)])
        whole, mean = np.zeros_like(y), np.zeros_like(y)
        for m, w in zip(self._means, self._weights, strict=True):
            share = w * np.exp((nearest - np.square(y - m)) / (2 * variance))
            whole += share
            mean += share * m
        return sigma * (y - mean / whole) / variance
