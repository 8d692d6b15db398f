r"""W2 between a sample on the line, as it is, and a law: every cell of 1/n of mass goes to its own value.

With q_i and v_i the mean and the variance of the law's i-th cell of mass 1/n,
:math:`W_2^2 = \frac1n\sum_i (x_{(i)} - q_i)^2 + \frac1n\sum_i v_i`.  Both are smooth in i: they are computed at a
thousand cells or two, and polynomials between these say the rest.
"""

import math
from itertools import pairwise

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import ArrayLike

from closed_form.bracket import Bracket
from closed_form.distances.line_mixture import LineMixture
from closed_form.law import Law
from closed_form.law_input import finite_array

_EPS = np.finfo(float).eps
#: Cells at which a panel is computed, at either end each for itself, and in a panel too short for polynomials.
NODES, ENDS, SHORT = 20, 16, 64
#: Parts of a panel between whose fewer nodes cells are filled in.
PARTS, FEW = 32, 8
#: Coefficients looked at, their margin, and what mean and root of variance of a cell may miss beside how far the law goes.
LAST, MARGIN, MISSED = 3, 10.0, 2e-14
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(16)
_FEW_NODES = chebyshev.chebpts1(FEW)
_FROM_FEW = np.linalg.inv(chebyshev.chebvander(_FEW_NODES, FEW - 1)).T


def w2_sample_to_law(x: ArrayLike, law: Law | LineMixture) -> Bracket:
    r"""W2 between the uniform law on a sample of the line and a law, (Σ_i ∫ (x_(i) − Q(u))² du)^½ over cells of u.

    The error is that of the quantile function Q between its nodes, to about 1e-14 of how far the law goes, and the
    rounding of a sum; beside sorting, 10⁶ values take a few milliseconds.

    Parameters
    ----------
    x : array of shape (n,) or (n, 1)
    law : Gaussian or GaussianMixture of dimension 1 without point masses, or LineMixture

    Returns
    -------
    Bracket
        In the units of ``x``, of the distance of this sample, not of the law that it was drawn from.

    Raises
    ------
    ValueError
        If the sample is empty, has another shape or is not finite, or the law has not one dimension or a component
        without a density.

    Source: docs/theory.md section 8.
    """
    x, law = finite_array("x", x), law if isinstance(law, LineMixture) else LineMixture.of(law)
    if x.size == 0 or not (x.ndim == 1 or (x.ndim == 2 and x.shape[1] == 1)):
        raise ValueError(f"x must have shape (n,) or (n, 1) with n >= 1, got {x.shape}")
    x = np.sort(x.ravel())
    cells = _Cells(law, len(x))
    square, spread, missed_sq, longest, bases = 0.0, 0.0, 0.0, 1, {}
    for first, (means, own, missed) in cells.alone():
        gaps = x[first : first + len(means)] - means
        square, spread = square + float(gaps @ gaps), spread + float(own.sum())
        missed_sq += float(missed @ missed)
    for first, stop, coefficients, missed in cells.panels():
        near, variances, rest = _filled(first, stop, coefficients, bases)
        split = first + near.size
        gaps = np.subtract(x[first:split].reshape(near.shape), near, out=near)
        last = x[split:stop] - rest
        square += float(np.matmul(gaps[:, None, :], gaps[:, :, None]).sum()) + float(last @ last)
        spread, missed_sq = spread + variances, missed_sq + (stop - first) * missed**2
        longest = max(longest, near.shape[1])
    value = math.sqrt((square + spread) / len(x))
    far = max(map(abs, law.support()))
    doubt = math.sqrt(missed_sq / len(x)) + 16 * _EPS * (far + float(np.abs(x[[0, -1]]).max()))
    doubt += _of_levels(law, value) + _EPS * (longest + 64) * value
    return Bracket.exact(value, doubt, "sorting, cells of the law",
                         "the law's cells between nodes, by their last coefficients")


def _of_levels(law: LineMixture, value: float) -> float:
    """What rounding of the law's levels does to a distance: at most δ(∫min(F, 1 − F)²/p)^½ where mass moves inside the
    law, and anywhere √δ times its width, or δ width²/(2 W2) to first order."""
    places, below, above = law.table
    width, delta = float(places[-1] - places[0]), 4 * _EPS
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        cost = np.square(np.minimum(below, above)) / law.pdf(places)
    inside = delta * math.sqrt(2 * float(np.trapezoid(cost, places)))
    anywhere = width * min(math.sqrt(delta), 0.5 * delta * width / max(value, _EPS * width))
    return inside if inside < anywhere else anywhere


class _Cells:
    """Cells of 1/n of the mass of a law, at any real place c: from c/n to (c + 1)/n."""

    def __init__(self, law: LineMixture, n: int):
        self.law, self.n = law, n
        self.low, self.high = law.support()
        self.size = max(abs(self.low), abs(self.high))
        knots = law.knots()
        self.cuts = np.sort(np.concatenate([knots, (knots[1:] + knots[:-1]) / 2]))
        self._single, self._whole = [], []
        self._cut()

    def alone(self) -> list:
        """(First cell, (means, variances, what they miss)) of runs of cells, each computed for itself."""
        return self._single

    def panels(self) -> list:
        """(First cell, stop, coefficients (nodes, 2) of mean and variance, what they miss) of the others."""
        return self._whole

    def _cut(self) -> None:
        """Panels twice as long each time from either end, halved until polynomials follow them."""
        n, places = self.n, [0]
        while places[-1] < n // 2:
            places.append(min(max(ENDS, 2 * places[-1]), n // 2))
        places = sorted({*places, *(n - place for place in places)})
        going = list(pairwise(places))
        nodes, single = chebyshev.chebpts1(NODES), []
        to_coefficients = np.linalg.inv(chebyshev.chebvander(nodes, NODES - 1))
        while going:
            single += [ends for ends in going if ends[1] - ends[0] < SHORT]
            going = [ends for ends in going if ends[1] - ends[0] >= SHORT]
            if not going:
                break
            first, stop = np.array(going).T[:, :, None]
            # from the middle of the first cell to that of the last
            at = first + (stop - 1 - first) * (1 + nodes) / 2
            *parts, lost = (part.reshape(at.shape) for part in self(at.ravel()))
            found = np.stack(parts, axis=2)
            coefficients = np.einsum("kn,pnc->pkc", to_coefficients, found)
            tail = MARGIN * np.abs(coefficients[:, -LAST:]).max(axis=1)
            missed = tail[:, 0] + tail[:, 1] / np.sqrt(found[..., 1].min(axis=1))
            fine = missed <= MISSED * self.size
            missed += lost.max(axis=1)
            self._whole += [(*going[k], coefficients[k], float(missed[k])) for k in np.flatnonzero(fine)]
            halves = [(going[k], sum(going[k]) // 2) for k in np.flatnonzero(~fine)]
            going = [pair for (start, end), middle in halves for pair in ((start, middle), (middle, end))]
        if single:
            places = np.concatenate([np.arange(*ends) for ends in single])
            cuts = np.cumsum([end - start for start, end in single])[:-1]
            found = [np.split(part, cuts) for part in self(places.astype(float))]
            self._single = list(zip([start for start, _ in single], zip(*found, strict=True), strict=True))

    def __call__(self, c: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Mean and variance of the cells at places (m,), by Gauss's rule between the knots of the law, and what they may
        miss, together: the mass that is not 1/n may lie anywhere in the cell."""
        n = self.n
        ends = np.concatenate([c, c + 1])
        inside = (ends > 0) & (ends < n)
        places = np.where(ends <= 0, self.low, self.high)
        places[inside] = self.law.quantile(ends[inside] / n, (n - ends[inside]) / n)
        start, stop = np.clip(places, self.low, self.high).reshape(2, -1)
        before, after = np.searchsorted(self.cuts, start, "right"), np.searchsorted(self.cuts, stop, "left")
        count = np.maximum(after - before, 0) + 1
        owner = np.repeat(np.arange(len(c)), count)
        place = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
        padded = np.append(self.cuts, self.high)
        left = np.where(place == 0, start[owner], padded[before[owner] + place - 1])
        right = np.where(place == count[owner] - 1, stop[owner], padded[before[owner] + place])
        half = (right - left) / 2
        # places are kept from the start of their cell, that nothing cancels
        x = left[:, None] + half[:, None] * (1 + _NODES)
        mass = self.law.pdf(x) * half[:, None] * _WEIGHTS
        x -= start[owner, None]

        def summed(values):
            return np.bincount(owner, values.sum(axis=1), len(c))

        whole = summed(mass)
        mean = summed(mass * x) / whole
        x -= mean[owner, None]
        variance, width, off = summed(mass * np.square(x)) / whole, stop - start, np.abs(n * whole - 1)
        root = np.maximum(np.sqrt(variance), np.finfo(float).tiny)
        return start + mean, variance, off * width + np.minimum(np.sqrt(off), off * width / root) * width


def _filled(first: int, stop: int, coefficients: np.ndarray, bases: dict) -> tuple[np.ndarray, float, np.ndarray]:
    """Means of the cells of a panel, those of equal parts (parts, cells) and of what is left over, and the sum of all
    variances; ``bases`` keeps what parts of one length share."""
    length = (stop - first) // PARTS
    def at(cells):
        return chebyshev.chebvander(2 * (cells - first) / (stop - 1 - first) - 1, NODES - 1) @ coefficients

    middle = (length - 1) / 2
    parts = first + length * np.arange(PARTS)[:, None] + middle * (1 + _FEW_NODES)
    values = at(parts)
    if length not in bases:
        inner = np.arange(length) / max(middle, 0.5) - 1
        bases[length] = _FROM_FEW @ chebyshev.chebvander(inner, FEW - 1).T
    basis, rest = bases[length], at(np.arange(first + PARTS * length, stop))
    variances = float((values[..., 1] @ basis.sum(axis=1)).sum() + rest[:, 1].sum())
    return values[..., 0] @ basis, variances, rest[:, 0]
