"""W2 between a density on an even grid and a mixture on the line, however far the modes are apart."""

import numpy as np
from scipy import fft
from scipy.interpolate import make_interp_spline

from closed_form.distances.panels import added_up

#: Upsampling of the density by its Fourier series, and the degree of the spline through it.
FINER, DEGREE = 4, 5
#: Tails of this many times the mass that went astray are not measured.
TAIL = 100.0
#: Part of the whole to which a panel is integrated, and halvings at most.
PANEL, DEPTH = 1e-9, 45
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(6)


def density_w2(law, places, density, astray: float) -> tuple[float, float]:
    r"""(W2, doubt): :math:`W_2^2 = \int f(x) (x - G^{-1}(F(x)))^2 dx`, where the map may be all but a jump.

    Parameters
    ----------
    law : LineMixture
        With distribution function G.
    places, density : arrays of shape (n,)
        An even grid, and a density f that vanishes towards its sides.
    astray : float
        Mass that may be anywhere: it moves every level F by as much, and hides tails not much heavier.
    """
    n, length = len(places), len(places) * (places[1] - places[0])
    finer = places[0] + length * np.arange(n * FINER) / (n * FINER)
    curve = make_interp_spline(finer, fft.irfft(fft.rfft(density), n=n * FINER) * FINER, k=DEGREE)
    below = curve.antiderivative()
    levels, tail = below(finer), TAIL * astray
    ends = finer[np.argmax(levels > tail) : len(finer) - np.argmax(levels[::-1] < 1 - tail)]

    def gap(x):
        return x - law.ppf(np.clip(below(x), tail / 2, 1 - tail / 2))

    edges = np.append(ends[: -1 : 2 * FINER], ends[-1])
    panels = _GaussPanels(lambda x: curve(x) * np.square(gap(x)), edges[:-1], edges[1:])
    total, doubt = added_up(panels, PANEL, DEPTH)
    distances = np.abs(gap(ends))
    unseen = doubt + 2 * astray * distances.mean() * (ends[-1] - ends[0])
    # a tail of mass 100η: the distance there grows no faster than its level falls
    unseen += 8 * tail * max(distances[0], distances[-1]) ** 2
    value = np.sqrt(max(total, 0.0))
    return float(value), float(np.sqrt(value**2 + unseen) - value)


class _GaussPanels:
    """The shares of a smooth function's integral between ``low`` and ``high`` (n,), by a Gauss rule."""

    def __init__(self, function, low, high):
        self.function, self.low, self.high = function, low, high
        half = (high - low) / 2
        nodes = low[:, None] + half[:, None] * (1 + _NODES)
        self.share = half * (function(nodes.ravel()).reshape(nodes.shape) @ _WEIGHTS)
        self.noise = self.unseen = np.zeros_like(self.share)

    def halves(self, which):
        """Both halves of the chosen panels, lefts first."""
        low, high = self.low[which], self.high[which]
        middle = (low + high) / 2
        return _GaussPanels(self.function, np.concatenate([low, middle]), np.concatenate([middle, high]))
