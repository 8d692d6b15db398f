"""Cells side by side in the lanes of a processor's vectors: their normals, and all steps of components of one covariance,
by loops that numba compiles."""

import math
from collections.abc import Callable, Sequence

import numba
import numpy as np
from numba.extending import intrinsic
from numba.np.random._constants import fi_double, ki_double, wi_double, ziggurat_nor_inv_r, ziggurat_nor_r
from numpy import float64, int64, uint64, uintp

#: Cells whose streams are advanced together, and particles of a tile, which stays in the L1 cache.
LANES, TILE = 16, 128

#: numpy's ziggurat: scale of each layer by layer and sign, what is inside it without a look, and the density at its edges.
_SCALES, _INSIDE = np.concatenate([wi_double, -wi_double]), np.concatenate([ki_double, ki_double]).astype(np.int64)
_EDGES = np.array(fi_double)
_R, _INV_R = float(ziggurat_nor_r), float(ziggurat_nor_inv_r)
_LAYER, _PLACE = uint64(511), uint64(0xFFFFFFFFFFFFF)
_ONE, _TWO, _THREE, _FOUR = (uintp(k) for k in range(1, 5))
_NEXT, _NEXT_2, _NEXT_3, _NEXT_4 = (uintp(k * LANES) for k in range(1, 5))
#: Sums keep their order: `exponential` rounds by one.
_OPTIONS = {"nogil": True, "error_model": "numpy", "fastmath": {"contract"}}


def _compiled(loop: Callable) -> Callable:
    """A loop of numbers alone, kept on disk beside this file, or in NUMBA_CACHE_DIR, where either can be written to."""
    try:
        return numba.njit(loop, cache=True, **_OPTIONS)
    except RuntimeError:  # nowhere to keep it
        return numba.njit(loop, **_OPTIONS)


def _compiled_within(loop: Callable) -> Callable:
    """The same as a part of those that call it: counting its references would take longer than what it does."""
    return numba.njit(loop, inline="always", **_OPTIONS)


class Lanes:
    """The streams of a block's cells, each where numpy's generator would be.

    Parameters
    ----------
    generators : sequence of numpy.random.Generator
        One SFC64 for each cell, at its start; they are read, not advanced.
    """

    def __init__(self, generators: Sequence[np.random.Generator]) -> None:
        states = [generator.bit_generator.state["state"]["state"] for generator in generators]
        self.states = np.zeros((-(-len(states) // LANES), 4, LANES), dtype=np.uint64)
        for cell, state in enumerate(states):
            self.states[cell // LANES, :, cell % LANES] = state
        self.words, self.room = np.empty((TILE, LANES), dtype=np.uint64), np.empty(TILE)

    def fill(self, buffer: np.ndarray) -> None:
        """Write the next draws of every cell into a float64 array (cells, rows, size): bit for bit numpy's."""
        cells, rows, size = buffer.shape
        tile = math.gcd(TILE, rows * size)
        fresh = np.ascontiguousarray(buffer)
        fresh[...] = 0.0
        self._add(fresh.reshape(cells, rows * size // tile, 1, tile), fresh.dtype.type(1))
        if fresh is not buffer:
            buffer[...] = fresh

    def moved(self, y: np.ndarray, constants: Callable[[int], tuple], noise_std: Sequence[float]) -> np.ndarray:
        """Particles (cells, d, size) after all steps, noise included.

        Parameters
        ----------
        y : array
            float64 or float32.
        constants : callable
            Step -> what `SharedCovariance.advance` takes.
        noise_std : sequence of float
            Standard deviation of the noise of each step.
        """
        cells, d, size = y.shape
        tile = math.gcd(TILE, size)
        y = np.ascontiguousarray(y.reshape(cells, d, size // tile, tile).swapaxes(1, 2))
        exp, logits, (top, share) = exp_numbers(y.dtype), None, np.empty((2, tile), y.dtype)
        for i, std in enumerate(noise_std):
            L, c, A, b, G = (np.ascontiguousarray(part) for part in constants(i))
            logits = np.empty((len(L), tile), y.dtype) if logits is None else logits
            if L.shape == (1, 1):
                _move_on_line(y, L, c, A, b, G, exp)
            else:
                _move(y, L, c, A, b, G, logits, top, share, exp)
            self._add(y, y.dtype.type(std))
        return y.swapaxes(1, 2).reshape(cells, d, size)

    def _add(self, y: np.ndarray, scale: np.floating) -> None:
        for group, states in enumerate(self.states):
            _add(states, self.words, _SCALES, _INSIDE, _EDGES, self.room, y[group * LANES : (group + 1) * LANES], scale)


def agree() -> bool:
    """Whether these are the normals of the numpy that is installed."""
    fresh = np.empty((LANES, 1, 1024))
    generators = [np.random.Generator(np.random.SFC64(cell)) for cell in range(LANES)]
    Lanes(generators).fill(fresh)
    return all(np.array_equal(rows[0], each.standard_normal(1024)) for rows, each in zip(fresh, generators, strict=True))


def exp_numbers(dtype: np.dtype) -> tuple[np.floating, ...]:
    """What `exponential` uses in a precision: 1/ln 2, a number whose last place is 1, ln 2 in two parts, the largest
    exponent, and Taylor's coefficients."""
    number = np.dtype(dtype).type
    if number is np.float64:
        own = 1.5 * 2.0**52, 6.93147180369123816490e-01, 1.90821492927058770002e-10, 708.0
    else:
        own = 1.5 * 2.0**23, 0.693359375, -2.12194440054690583e-4, 87.0
    return tuple(number(value) for value in (1 / math.log(2), *own, *(1 / math.factorial(k) for k in range(13))))


@intrinsic
def _times_power(context, mantissa, turns):
    """mantissa·2ⁿ, n the last places of ``turns``."""
    width, places = mantissa.bitwidth, {64: 52, 32: 23}[mantissa.bitwidth]

    def build(context, builder, signature, parts):
        word = context.get_value_type(numba.types.Integer.from_bitwidth(width))
        bits, power = (builder.bitcast(part, word) for part in parts)
        bits = builder.add(bits, builder.shl(power, word(places)))
        return builder.bitcast(bits, context.get_value_type(mantissa))

    return mantissa(mantissa, turns), build


@_compiled
def exponential(x, numbers):
    """exp within 4 ulp, of exponents cut at 708 (87 in float32): numba calls libm for each number, vectors need their own."""
    x = min(max(x, -numbers[4]), numbers[4])
    turns = x * numbers[0] + numbers[1]
    whole = turns - numbers[1]
    r = x - whole * numbers[2]
    r -= whole * numbers[3]
    p = numbers[17] * r + numbers[16]
    p = p * r + numbers[15]
    p = p * r + numbers[14]
    p = p * r + numbers[13]
    p = p * r + numbers[12]
    p = p * r + numbers[11]
    p = p * r + numbers[10]
    p = p * r + numbers[9]
    p = p * r + numbers[8]
    p = p * r + numbers[7]
    p = p * r + numbers[6]
    p = p * r + numbers[5]
    return _times_power(p, turns)


@_compiled
def _move_on_line(y, L, c, A, b, G, exp):
    """`_move` for two components and one coordinate."""
    cells, tiles, _, size = y.shape
    one, slope, shift, A0, b0, pull = exp[5], -L[0, 0], -c[0, 0], A[0, 0], b[0, 0], G[0, 0]
    for cell in range(cells):
        for tile in range(tiles):
            for p in range(size):
                x = y[cell, tile, 0, p]
                y[cell, tile, 0, p] = x * A0 + b0 + pull / (one + exponential(x * slope + shift, exp))


@_compiled
def _move(y, L, c, A, b, G, x, top, share, exp):
    """y <- A y + b + G softmax(L y + c) against component 0, on tiles (cells, tiles, d, size); ``x``, ``top`` and
    ``share`` are room for the logits, the largest and 1 over the sum. Sums go by fours, what is left over first."""
    cells, tiles, d, size = y.shape
    n, one, zero = L.shape[0], exp[5], exp[5] - exp[5]
    odd_d, odd_n = d & 3, n & 3
    for cell in range(cells):
        for tile in range(tiles):
            for j in range(n):
                c0 = c[j, 0]
                if odd_d == 0:
                    for p in range(size):
                        x[j, p] = c0
                elif odd_d == 1:
                    m0 = L[j, 0]
                    for p in range(size):
                        x[j, p] = c0 + m0 * y[cell, tile, 0, p]
                elif odd_d == 2:
                    m0, m1 = L[j, 0], L[j, 1]
                    for p in range(size):
                        x[j, p] = c0 + m0 * y[cell, tile, 0, p] + m1 * y[cell, tile, 1, p]
                else:
                    m0, m1, m2 = L[j, 0], L[j, 1], L[j, 2]
                    for p in range(size):
                        x[j, p] = c0 + m0 * y[cell, tile, 0, p] + m1 * y[cell, tile, 1, p] + m2 * y[cell, tile, 2, p]
                for e in range(odd_d, d, 4):
                    m0, m1, m2, m3 = L[j, e], L[j, e + 1], L[j, e + 2], L[j, e + 3]
                    for p in range(size):
                        x[j, p] += (m0 * y[cell, tile, e, p] + m1 * y[cell, tile, e + 1, p]
                                    + m2 * y[cell, tile, e + 2, p] + m3 * y[cell, tile, e + 3, p])
            if n == 1:
                for p in range(size):
                    x[0, p] = exponential(-x[0, p], exp)
                    share[p] = one / (one + x[0, p])
                    x[0, p] = one
            elif n > 1:
                for p in range(size):
                    top[p] = max(zero, x[0, p])
                for j in range(1, n):
                    for p in range(size):
                        top[p] = max(top[p], x[j, p])
                for p in range(size):
                    share[p] = exponential(-top[p], exp)
                for j in range(n):
                    for p in range(size):
                        x[j, p] = exponential(x[j, p] - top[p], exp)
                        share[p] += x[j, p]
                for p in range(size):
                    share[p] = one / share[p]
            for e in range(d):
                A0, b0 = A[e % A.shape[0], 0], b[e, 0]
                if odd_n == 0:
                    for p in range(size):
                        y[cell, tile, e, p] = y[cell, tile, e, p] * A0 + b0
                elif odd_n == 1:
                    m0 = G[e, 0]
                    for p in range(size):
                        y[cell, tile, e, p] = y[cell, tile, e, p] * A0 + b0 + share[p] * (m0 * x[0, p])
                elif odd_n == 2:
                    m0, m1 = G[e, 0], G[e, 1]
                    for p in range(size):
                        y[cell, tile, e, p] = y[cell, tile, e, p] * A0 + b0 + share[p] * (m0 * x[0, p] + m1 * x[1, p])
                else:
                    m0, m1, m2 = G[e, 0], G[e, 1], G[e, 2]
                    for p in range(size):
                        y[cell, tile, e, p] = (y[cell, tile, e, p] * A0 + b0
                                               + share[p] * (m0 * x[0, p] + m1 * x[1, p] + m2 * x[2, p]))
                for j in range(odd_n, n, 4):
                    m0, m1, m2, m3 = G[e, j], G[e, j + 1], G[e, j + 2], G[e, j + 3]
                    for p in range(size):
                        y[cell, tile, e, p] += share[p] * (m0 * x[j, p] + m1 * x[j + 1, p]
                                                         + m2 * x[j + 2, p] + m3 * x[j + 3, p])


@_compiled
def _add(states, words, scales, inside, edges, room, y, scale):
    """y += scale times the next normals of each cell, row by row through the tiles (cells, tiles, rows, size)."""
    _, tiles, rows, size = y.shape
    ready, flat = size // 4 * 4, words.reshape(-1)
    for row in range(rows):
        for tile in range(tiles):
            _draw(states, words, ready)
            _scatter(states, flat[: ready * LANES], scales, inside, edges, room, y, tile, row, scale)


@_compiled
def _draw(states, words, number):
    """The next words of every lane, an even number: SFC64, two steps at a time."""
    for i in range(0, number, 2):
        for lane in range(states.shape[1]):
            a, b, c, count = states[0, lane], states[1, lane], states[2, lane], states[3, lane]
            for k in range(2):
                word = a + b + count
                words[i + k, lane] = word
                a, b, c = b ^ (b >> uint64(11)), c + (c << uint64(3)), ((c << uint64(24)) | (c >> uint64(40))) + word
                count += uint64(1)
            states[0, lane], states[1, lane], states[2, lane], states[3, lane] = a, b, c, count


@_compiled_within
def _next_word(states, lane):
    """The next word of one lane: a step of SFC64."""
    a, b, c, count = states[0, lane], states[1, lane], states[2, lane], states[3, lane]
    word = a + b + count
    states[0, lane], states[1, lane] = b ^ (b >> uint64(11)), c + (c << uint64(3))
    states[2, lane], states[3, lane] = ((c << uint64(24)) | (c >> uint64(40))) + word, count + uint64(1)
    return word


@_compiled
def _scatter(states, words, scales, inside, edges, room, y, tile, row, scale):
    """Normals of one row of one tile of each cell, by numpy's ziggurat: of the words that were drawn, then, as one in eighty
    of these gives none, of the next ones of the cell's lane. Four words are taken together and written to ``room``; those
    from the first one outside its layer on are written again. Nothing but that one is a surprise to the processor."""
    size, end = uintp(y.shape[3]), uintp(words.size)
    for cell in range(y.shape[0]):
        lane, i, p = uintp(cell), uintp(cell), uintp(0)
        while p < size:
            x, layer, word, outside = 0.0, uint64(0), uint64(0), False
            while i + _NEXT_3 < end:  # p runs behind the words, so that it stays within the row
                word_0, word_1, word_2, word_3 = words[i], words[i + _NEXT], words[i + _NEXT_2], words[i + _NEXT_3]
                k0, k1, k2, k3 = word_0 & _LAYER, word_1 & _LAYER, word_2 & _LAYER, word_3 & _LAYER
                q0, q1 = int64((word_0 >> uint64(9)) & _PLACE), int64((word_1 >> uint64(9)) & _PLACE)
                q2, q3 = int64((word_2 >> uint64(9)) & _PLACE), int64((word_3 >> uint64(9)) & _PLACE)
                one = q0 - inside[k0]  # negative: inside; so is the next one where all up to it are
                two = one & (q1 - inside[k1])
                three = two & (q2 - inside[k2])
                room[p], room[p + _ONE] = float64(q0) * scales[k0], float64(q1) * scales[k1]
                room[p + _TWO], room[p + _THREE] = float64(q2) * scales[k2], float64(q3) * scales[k3]
                if three & (q3 - inside[k3]) < 0:
                    p += _FOUR
                    i += _NEXT_4
                    continue
                accepted = uintp(one < 0) + uintp(two < 0) + uintp(three < 0)
                p += accepted
                i += accepted * _NEXT
                word, outside = words[i], True
                i += _NEXT
                layer = word & _LAYER
                x = float64(int64((word >> uint64(9)) & _PLACE)) * scales[layer]
                break
            if not outside:
                if p == size:
                    break
                if i < end:
                    word = words[i]
                    i += _NEXT
                else:
                    word = _next_word(states, lane)
                layer = word & _LAYER
                place = int64((word >> uint64(9)) & _PLACE)
                x = float64(place) * scales[layer]
                if place < inside[layer]:
                    room[p] = x
                    p += _ONE
                    continue
            negative, layer, beyond = (word >> uint64(17)) & uint64(1), layer & uint64(255), 0.0
            stage = 1 if layer else 2  # 1: between a layer and the density; 2, 3: two exponentials beyond the last layer
            while stage:
                if i < end:
                    word = words[i]
                    i += _NEXT
                else:
                    word = _next_word(states, lane)
                unit = float64(int64(word >> uint64(11))) * 2.0**-53
                if stage == 1:
                    low, room[p] = edges[layer], x
                    p += uintp((edges[layer - uint64(1)] - low) * unit + low < math.exp(-0.5 * x * x))
                    stage = 0
                elif stage == 2:
                    beyond, stage = -_INV_R * math.log1p(-unit), 3
                elif -2.0 * math.log1p(-unit) > beyond * beyond:
                    room[p] = -(_R + beyond) if negative else _R + beyond
                    p += _ONE
                    stage = 0
                else:
                    stage = 2
        for h in range(y.shape[3]):
            y[cell, tile, row, h] += scale * y.dtype.type(room[h])
