r"""Posterior of a funnel's scale variable given a noisy observation: one integral a particle, by an adaptive
trapezoid.

With :math:`\tau \sim N(0, 1)`, :math:`z = y + s\tau` and :math:`p = 1/(1 + e^{-z})` the posterior has the log
density

.. math:: \ell(\tau) = -\tfrac12\tau^2 - \tfrac r2 (1 - p) - \tfrac n2 \log(1 + e^z).

Its likelihood has one maximum, at :math:`e^z = r/n - 1`, so every mode lies between there and 0.
"""

import math

import numpy as np

#: Nodes of the short rule, an odd number, over ±REACH standard deviations of a posterior that is nearly
#: Gaussian.
NODES = 41
REACH = 8.0
_NEWTON = 4
#: A particle gets the long rule if every second node changes the shrinkage by more than NESTED (whose square
#: is about the short rule's own error), if more than that square may lie beyond the ends, or if there may be
#: two modes.
NESTED, _CONVEX = 1e-5, 0.75
#: The long rule: reach in prior standard deviations, and spacing in the narrowest width there can be.
_LONG_REACH, _LONG_SPACING = 8.5, 0.6
#: Particles and numbers worked on at a time: what fits the cache, and what malloc does not take from the
#: system anew.
_PARTICLES, _NUMBERS = 4096, 12_800
_LARGEST_EXPONENT = 700.0


def scale_posterior(start, energy, slope: float, count: int, nodes: int = NODES, nested: float = NESTED):
    r"""Moments of the posterior of every particle.

    Parameters
    ----------
    start : array of shape (n,)
        y, log signal-to-noise at the mean of the scale given its own observation; −inf where there is no
        signal.
    energy : array of shape (n,)
        r >= 0, sum of squares of the other coordinates in units of the noise.
    slope : float
        s > 0: standard deviation of the scale given its own observation, times σ_f.
    count : int
        Number of the other coordinates, at least 1.
    nodes : int
        Of the short rule, odd; the long one is refined in proportion.
    nested : float
        Largest relative change of the shrinkage without every second node that the short rule may show.

    Returns
    -------
    left : array of shape (n,)
        E[1 − p], the shrinkage of the other coordinates.
    pull : array of shape (n,)
        :math:`E[\tfrac12 p(r(1-p) - n)]`, mean slope of the log-likelihood in z.
    log_mass : array of shape (n,)
        :math:`\log\int N(\tau; 0, 1) e^{\ell + \tau^2/2} d\tau`.
    """
    start = np.maximum(start, -_LARGEST_EXPONENT)
    parts = [_chunk(start[i : i + _PARTICLES], energy[i : i + _PARTICLES], slope, count, nodes, nested)
             for i in range(0, len(start), _PARTICLES)]
    return tuple(np.concatenate(each) for each in zip(*parts, strict=True))


def _chunk(start, energy, slope, count, nodes, nested):
    with np.errstate(divide="ignore", invalid="ignore", under="ignore", over="ignore"):
        mode, width, hard, low, high = _mode(start, energy, slope, count)
        unit, size = np.linspace(-REACH, REACH, nodes), 16 * max(1, _NUMBERS // (16 * nodes))
        found = [np.empty_like(start) for _ in range(3)]
        for i in range(0, len(start), size):
            now = slice(i, i + size)
            *parts, ends, change = _trapezoid(start[now], energy[now], slope, count, mode[now], width[now],
                                              unit)
            for whole, part in zip(found, parts, strict=True):
                whole[now] = part
            hard[now] |= ~(ends < 2.0 * math.log(nested)) | ~(change <= nested)
        places = np.flatnonzero(hard & np.isfinite(start + energy))  # what is not stays NaN
        if len(places):
            refine = max(nodes / NODES, 0.8)
            long = _long(start[places], energy[places], slope, count, low[places], high[places], refine)
            for whole, part in zip(found, long, strict=True):
                whole[places] = part
    return found


def _slopes(tau, start, energy, slope, count):
    """ℓ' and ℓ''."""
    odds = np.exp(np.minimum(start + slope * tau, _LARGEST_EXPONENT))
    left = 1.0 / (1.0 + odds)
    p = odds * left  # 1 − left would lose it where it is small
    pulled = energy * left
    first = (0.5 * slope) * p * (pulled - count) - tau
    second = (0.5 * slope**2) * p * left * (pulled - energy * p - count) - 1.0
    return first, second


def _mode(start, energy, slope, count):
    """Mode, width, whether there may be another mode, and ends that hold every mode; Newton from 0."""
    first, second = _slopes(np.zeros_like(start), start, energy, slope, count)
    up = first > 0.0
    likely = (
        np.log(np.maximum(energy / count - 1.0, 0.0)) - start
    ) / slope  # −inf if the likelihood only falls
    steepest = 0.125 * slope * np.square(energy - count) / np.maximum(energy, 1e-300)
    low = np.where(up, 0.0, np.maximum(likely, first))
    high = np.where(up, np.minimum(likely, steepest), 0.0)
    mode = np.clip(-first / np.minimum(second, -1.0), low, high)
    first, second = _slopes(mode, start, energy, slope, count)
    for _ in range(_NEWTON):
        mode = np.clip(mode - first / second, low, high)
        first, second = _slopes(mode, start, energy, slope, count)
    width = 1.0 / np.sqrt(np.maximum(-second, 1.0 - _CONVEX))
    # a second mode needs a likelihood that is convex between 0 and its maximum: the largest value of ℓ'' + 1
    # there
    p = 1.0 / (1.0 + np.exp(-start))
    root = (3 * energy - count - np.sqrt(3 * energy**2 + count**2)) / (6 * np.maximum(energy, 1e-300))
    p = np.maximum(p, root)
    convex = (0.5 * slope**2) * p * (1.0 - p) * (energy * (1.0 - 2.0 * p) - count)
    hard = (up & (convex > _CONVEX)) | ~(np.abs(first) * width < 0.5)
    return mode, width, hard, low, high


def _trapezoid(start, energy, slope, count, centre, width, unit):
    """The posterior by the trapezoid rule, at the nodes centre + width·unit of every particle.

    Parameters
    ----------
    start, energy, slope, count
        As in `scale_posterior`.
    centre, width : arrays of shape (n,)
    unit : array of shape (nodes,)
        Even, symmetric about 0.

    Returns
    -------
    first, pull, log_mass : arrays of shape (n,)
        ``left``, ``pull`` and ``log_mass`` of `scale_posterior`.
    ends : array of shape (n,)
        ℓ at the higher of the two ends, its maximum over the nodes taken off: how much may lie beyond them.
    nested : array of shape (n,)
        Relative change of ``first`` if only every second node is used.
    """
    unit = unit[:, None]
    tau = unit * width
    tau += centre
    scale = tau * slope
    scale += start
    np.minimum(scale, _LARGEST_EXPONENT, out=scale)
    np.exp(scale, out=scale)
    scale += 1.0
    left = 1.0 / scale
    np.log(scale, out=scale)
    scale *= -0.5 * count
    np.square(tau, out=tau)
    tau *= -0.5
    tau += scale
    np.multiply(left, -0.5 * energy, out=scale)
    tau += scale
    top = tau.max(axis=0)
    tau -= top
    ends = np.maximum(tau[0], tau[-1])
    np.exp(tau, out=tau)
    mass, half = tau.sum(axis=0), tau[::2].sum(axis=0)
    tau *= left
    first, nested = tau.sum(axis=0), tau[::2].sum(axis=0)
    tau *= left
    second = tau.sum(axis=0)
    first /= mass
    second /= mass
    nested = np.abs(nested / half / first - 1.0)
    pull = 0.5 * (energy * (first - second) - count * (1.0 - first))
    log_mass = top + np.log(mass * width * (unit[1, 0] - unit[0, 0])) - 0.5 * math.log(2.0 * math.pi)
    return first, pull, log_mass, ends, nested


def _long(start, energy, slope, count, low, high, refine):
    """The same over all that can carry mass, with a spacing that resolves the narrowest posterior there can
    be."""
    narrow = 1.0 / math.sqrt(1.0 + slope**2 * (0.5 * count + 10.0))
    low, high = low - _LONG_REACH, high + _LONG_REACH
    lengths = 64 * np.ceil((high - low) * refine / (64 * _LONG_SPACING * narrow)).astype(np.int64) + 1
    found = [np.empty_like(start) for _ in range(3)]
    for length in np.unique(lengths):  # a rule that depends on the particle alone, not on its neighbours
        places, unit = np.flatnonzero(lengths == length), np.linspace(-0.5, 0.5, int(length))
        size = max(2, _NUMBERS // int(length))
        for i in range(0, len(places), size):
            now = places[i : i + size]
            if len(now) == 1:  # numpy sums a single column in another order
                now = np.repeat(now, 2)
            centre, width = (low[now] + high[now]) / 2, high[now] - low[now]
            parts = _trapezoid(start[now], energy[now], slope, count, centre, width, unit)[:3]
            for whole, part in zip(found, parts, strict=True):
                whole[now] = part
    return found
