"""Laws on a line and their noisy steps point by point, as numba compiles it; `law` and `propagation` do it on arrays."""

import math

import numpy as np

REACH = 8.6  # standard deviations kept of a Gaussian: exp(-8.6²/2) is below the rounding of 1
NEGLIGIBLE = 1e-20  # densities below this share of the largest one are dropped between steps
CROWDED = 2000.0  # even grids of more points than this give way to panels if few of the points matter
_SETTLED = 8.5  # standard deviations beyond which Φ is 1 to all digits
_LOOKS = 50  # at one step: more than any takes


def add_bells(padded, first, factors, height, bell) -> None:
    """Add height_j e^{shift_j places} bell from place first_j on, for all j: outwards from the middle of each bell by
    the ``factors`` e^{shift_j/scale}."""
    half = len(bell) // 2
    for j in range(len(first)):
        middle, up, down = first[j] + half, factors[j], 1.0 / factors[j]
        if not 0 <= first[j] < len(padded) - 2 * half:  # compiled loops look at no limits
            raise ValueError("a bell must lie on the grid")
        right = left = height[j]
        padded[middle] += right * bell[half]
        for i in range(1, half + 1):
            right *= up
            left *= down
            padded[middle + i] += right * bell[half + i]
            padded[middle - i] += left * bell[half - i]


def parity_step(means, weights, parity, std, noise, slope, spacing, most, kept, pull, steep, bend, at, added, nu, logs):
    """A step from sources on an even grid to the next, by the numbers of `maps.Scores.shared`.

    Returns means, weights and parities of the next sources, the largest slope of the map, the aliasing, and the grid's
    low end and width; no means where anything is not as usual, which `propagation.Route` then finds out by itself.
    """
    nothing = np.empty(0), np.empty(0), np.empty(0, np.int64), 0.0, 0.0, 0.0, 0.0
    low, high = means[0], means[0]
    for mean in means:
        low, high = min(low, mean), max(high, mean)
    low -= REACH * std
    width = high + REACH * std - low
    if not math.isfinite(width):
        return nothing
    found, count = min(slope, noise * 4.0 * CROWDED * spacing / width), len(means)
    first, factors, heights, exponents = np.empty(count, np.int64), np.empty(count), np.empty(count), np.empty(len(nu))
    for attempt in range(_LOOKS):
        slope = 1.05 * found
        dx = spacing / math.hypot(1.0 / std, slope / noise)
        if not width / dx <= 10 * most:
            return nothing
        n, scale = int(width / dx) + 2, std / dx
        half = math.ceil(REACH * scale)
        length = n + 2 * half + 1
        bell, padded = np.empty(2 * half + 1), np.zeros(2 * length)
        for i in range(-half, half + 1):
            bell[half + i] = math.exp(-0.5 * (i / scale) * (i / scale)) / (math.sqrt(2.0 * math.pi) * std)
        for j in range(count):
            position = (means[j] - low) / dx
            nearest = math.floor(position + 0.5)
            shift = (position - nearest) / scale
            first[j] = int(nearest) + parity[j] * length
            factors[j] = math.exp(shift / scale)
            heights[j] = weights[j] * math.exp(-0.5 * shift * shift)
        add_bells(padded, first, factors, heights, bell)
        largest = 0.0
        for i in range(half, half + n):
            largest = max(largest, padded[i] + padded[length + i])
        doubt, points = 0.0, 0
        for i in range(half, half + n):
            total = padded[i] + padded[length + i]
            doubt = max(doubt, abs(padded[i] - padded[length + i]) / (total + 1e-10 * largest))
            if total > NEGLIGIBLE * largest:
                points += 1
        if points > most:
            return nothing
        y, mass, odd = np.empty(points), np.empty(points), np.empty(points, np.int64)
        steepest, rise, rises, k, before = 0.0, 0.0, 0.0, 0, -2
        for i in range(n):
            total = padded[half + i] + padded[length + half + i]
            if not total > NEGLIGIBLE * largest:
                continue
            x = low + dx * i
            t, top = (x - at) * steep, -math.inf
            for j in range(len(nu)):
                exponents[j] = nu[j] * t + (logs[j] - bend * (nu[j] * nu[j]))
                top = max(top, exponents[j])
            whole, mean, square = 0.0, 0.0, 0.0
            for j in range(len(nu)):
                share = math.exp(exponents[j] - top)
                whole += share
                mean += nu[j] * share
                square += nu[j] * nu[j] * share
            mean /= whole
            local = kept + pull * steep * max(square / whole - mean * mean, 0.0)
            y[k], mass[k], odd[k] = kept * x + pull * mean + added, dx * total, i % 2
            if not (math.isfinite(y[k]) and math.isfinite(local)):
                return nothing
            steepest = max(steepest, abs(local))
            if before == i - 1:
                risen = abs(y[k] - y[k - 1])
                rise, rises = max(rise, risen), rises + risen
            before = i
            k += 1
        found = max(steepest, rise / dx)
        wanted = spacing / math.hypot(1.0 / std, found / noise)
        if found <= slope and (attempt > 0 or wanted <= 2.0 * dx):
            return y, mass, odd, found, doubt, low, width
        if points * dx / wanted > max(CROWDED, 10.0 * (rises / noise + points * dx / std) / spacing):
            return nothing
    return nothing


def banded_sum(result, x, first, last, means, weights, std, side) -> None:
    """Σ_j w_j curve((x − m_j)/std) over first ≤ j < last at every x: the density (``side`` 0), Φ(z) (1) or Φ(−z) (−1)."""
    for i in range(len(x)):
        total = 0.0
        if side == 0:
            for j in range(first[i], last[i]):
                z = (x[i] - means[j]) / std
                total += weights[j] * math.exp(-0.5 * z * z)
            total /= math.sqrt(2.0 * math.pi) * std
        else:
            for j in range(first[i], last[i]):
                z = side * ((x[i] - means[j]) / std)
                total += weights[j] * (1.0 if z > _SETTLED else 0.5 * math.erfc(-math.sqrt(0.5) * z))
        result[i] = total
