r"""Weights P_k of the two-block recursion: the best, the smallest-determinant join, and a constant metric.

With :math:`P_{k-1} \succeq J(c)^T P_k J(c)` at both ends of the envelope, the error in the norm of P_k obeys
:math:`E_k^2 = (E_{k-1} + d_k)^2 + v_k^2` (docs/theory.md section 4).  Symmetric 2×2 matrices are triples
(xx, xv, vv).
"""

from dataclasses import dataclass
from functools import cached_property
from math import inf, sqrt

import numpy as np

from bounds.compiled import compiled

#: Relative rounding of the entries of a product JᵀPJ, with a margin.
FORM_ROUNDING = 32 * float(np.finfo(float).eps)
#: Weights are kept above this, so that none underflows.
FLOOR = 1e-280
#: Logarithm below which a factor λ_k does not fall, for the same reason.
LOG_FLOOR = -600.0
#: Differences of the two ends below this fraction of their size are rounding.
SAME = 1e-14
#: Of a step of a loop in plain Python.
_STEP_SECONDS = 4e-6
#: Names of the entries of a matrix, row by row.
PLACES = ("xx", "xv", "vx", "vv")


def entries(name: str, matrix) -> dict:
    """The entries of matrices (..., 2, 2) as arguments: name_xx … name_vv."""
    return {f"{name}_{place}": matrix[..., i // 2, i % 2] for i, place in enumerate(PLACES)}


def named(weights) -> dict:
    """Weights (..., 3) as arguments: P_xx, P_xv and P_vv."""
    return {f"P_{place}": weights[..., i] for i, place in enumerate(("xx", "xv", "vv"))}


def triples(matrix) -> np.ndarray:
    """(xx, xv, vv) of symmetric matrices: shape (..., 3) from (..., 2, 2)."""
    return matrix[..., (0, 0, 1), (0, 1, 1)]


def symmetric(weights) -> np.ndarray:
    """The matrices of triples: shape (..., 2, 2) from (..., 3)."""
    return np.take(weights, [[0, 1], [1, 2]], axis=-1)


@dataclass(frozen=True)
class Jacobians:
    """The one-step Jacobians J(c) = P + Q H(c), shape (k, 2, 2), at both ends of the envelope, c_lo and c_up.

    ``size`` is |P| + |Q||H|, entry by entry, the larger of both ends: what rounding is relative to.
    """

    low: np.ndarray
    high: np.ndarray
    size: np.ndarray

    def __len__(self) -> int:
        return len(self.low)

    @cached_property
    def alike(self) -> bool:
        """Whether both ends are the same at every step, as for Gaussian data."""
        return bool(np.array_equal(self.low, self.high))


def backward(jacobians: Jacobians, last, measures=None) -> np.ndarray:
    r"""Weights from the last to the first, each the least that dominates both ends of its step.

    P_0 … P_K have shape (k+1, 3), ``inf`` from where they leave the range of floats.

    Parameters
    ----------
    last : (xx, xv, vv)
        P_K.
    measures : array of shape (k, 3), optional
        W_{k−1}, positive definite: P_{k−1} then minimises tr(PW) over :math:`P \succeq X_1, X_2`, which is
        :math:`X_2 + L^{-T}[L^T(X_1 - X_2)L]_+L^{-1}`, :math:`LL^T = W`.  Without it the join of smallest
        determinant, W = X_2⁻¹.

    Source: docs/theory.md section 4.
    """
    ends = jacobians.low[::-1], jacobians.high[::-1], jacobians.size[::-1]
    if jacobians.alike:
        found = _followed(_above_one_end, last, _columns(ends[1:]))
    else:
        given = np.zeros((len(jacobians), 3)) if measures is None else np.asarray(measures)[::-1]
        own = given[:, 0] * given[:, 2] > 0
        found = _followed(_above_both, last, [*_columns((*ends, given)), own])
    return found[::-1]


def _columns(arrays) -> list:
    """The entries of arrays (k, ...) as arrays of k numbers each, entry by entry."""
    return [column for array in arrays for column in array.reshape(len(array), -1).T]


def _followed(loop, first, columns, *options) -> np.ndarray:
    """What a loop over steps makes of a triple, shape (k+1, 3): ``first``, and ``inf`` from where the loop ends.

    The loops are plain Python on lists, and the same bits from numba on arrays, where a process has work enough.
    """
    found = np.full((3, len(columns[0]) + 1), np.inf)
    found[:, 0] = first
    fast = compiled(loop, _STEP_SECONDS * len(columns[0]))
    if fast is not None:
        fast(*found, *map(np.ascontiguousarray, columns), *options)
        return found.T
    lists = found.tolist()
    loop(*lists, *(column.tolist() for column in columns), *options)
    return np.array(lists).T


def _above_one_end(P_xx, P_xv, P_vv, E, F, G, H, SA, SB, SC, SD) -> None:
    """The weights of each step where both ends are the same: JᵀPJ, and its rounding."""
    p, q, r = P_xx[0], P_xv[0], P_vv[0]
    k = 0
    for e, f, g, h, sa, sb, sc, sd in zip(E, F, G, H, SA, SB, SC, SD):  # noqa: B905 (compiled)
        px, pv = sqrt(p), sqrt(r)
        sx, sv = sa * px + sc * pv, sb * px + sd * pv
        sxx, svv = sx * sx, sv * sv
        if not (sxx + svv) * 1e10 < inf:
            return
        p, q, r = (e * (e * p + 2 * g * q) + g * g * r + FORM_ROUNDING * (sxx + FLOOR),
                   f * (e * p + g * q) + h * (e * q + g * r),
                   f * (f * p + 2 * h * q) + h * h * r + FORM_ROUNDING * (svv + FLOOR))
        k += 1
        P_xx[k], P_xv[k], P_vv[k] = p, q, r


def _above_both(P_xx, P_xv, P_vv, A, B, C, D, E, F, G, H, SA, SB, SC, SD, W_xx, W_xv, W_vv, own) -> None:
    """The minimiser of tr(PW) over P above both ends of each step, raised until it is above both in floating point;
    W is X_2⁻¹ unless it is the step's ``own``."""
    p, q, r = P_xx[0], P_xv[0], P_vv[0]
    k = 0
    for a, b, c, d, e, f, g, h, sa, sb, sc, sd, wx, wc, wv, measured in zip(  # noqa: B905 (compiled)
            A, B, C, D, E, F, G, H, SA, SB, SC, SD, W_xx, W_xv, W_vv, own):
        px, pv = sqrt(p), sqrt(r)
        sx, sv = sa * px + sc * pv, sb * px + sd * pv
        sxx, sxv, svv = sx * sx, sx * sv, sv * sv
        if not (sxx + svv) * 1e10 < inf:
            return
        x1, z1 = a * (a * p + 2 * c * q) + c * c * r, b * (b * p + 2 * d * q) + d * d * r
        x2, z2 = e * (e * p + 2 * g * q) + g * g * r, f * (f * p + 2 * h * q) + h * h * r
        y1 = b * (a * p + c * q) + d * (a * q + c * r)
        y2 = f * (e * p + g * q) + h * (e * q + g * r)
        if not measured:
            wx, wc, wv = z2, -y2, x2
        dx, dy, dz = x1 - x2, y1 - y2, z1 - z2
        p, q, r = x2, y2, z2
        # eigenvalues of WΔ; Δ is never definite beyond rounding: J(c_up) − J(c_lo) has rank one
        determinant = dx * dz - dy * dy
        if determinant > 0.0:
            determinant = 0.0
        size = wx * wv - wc * wc
        if size < 0.0:
            size = 0.0
        half = 0.5 * (wx * dx + 2 * wc * dy + wv * dz)
        root = sqrt(half * half - size * determinant)
        if root > 0:
            upper = half + root if half > 0 else size * -determinant / (root - half)
            share = 0.5 / root
            p += (upper * dx - determinant * wv) * share
            q += (upper * dy + determinant * wc) * share
            r += (upper * dz - determinant * wx) * share
        sxx += FLOOR
        svv += FLOOR
        gx, gz = (p - x1) / sxx, (r - z1) / svv
        hx, hz = (p - x2) / sxx, (r - z2) / svv
        gy, hy = ((q - y1) / sxv, (q - y2) / sxv) if sxv > FLOOR else (0.0, 0.0)
        lift = 0.5 * (sqrt((gx - gz) * (gx - gz) + 4 * gy * gy) - gx - gz)
        other = 0.5 * (sqrt((hx - hz) * (hx - hz) + 4 * hy * hy) - hx - hz)
        if other > lift:
            lift = other
        if not lift > 0.0:
            lift = 0.0
        lift += FORM_ROUNDING
        p += lift * sxx
        r += lift * svv
        k += 1
        P_xx[k], P_xv[k], P_vv[k] = p, q, r


def forms(jacobians: Jacobians, weights):
    """X_1 and X_2, triples of arrays (k,): JᵀP_kJ at both ends, for weights P_1 … P_K of shape (k, 3)."""
    p, q, r = weights.T
    found = []
    for ends in (jacobians.low, jacobians.high):
        a, b, c, d = ends.reshape(-1, 4).T
        middle = a * b * p + (a * d + b * c) * q + c * d * r
        found.append((a * a * p + 2 * a * c * q + c * c * r, middle, b * b * p + 2 * b * d * q + d * d * r))
    return found


def forward(jacobians: Jacobians, weights, initial, drift, drift_measure, variance, noise_measure):
    r"""The dual of `backward`: how much error the worst adversary holds in each direction, W_0 … W_K.

    .. math:: W_k = (1 + d_k/E)\,\Sigma_i J_i W^{(i)} J_i^T + (1 + E/d_k) B_k + V_k

    Weights and W have shape (k+1, 3), and W_0 = ``initial`` is the second moment of the initial error; d_k
    and v_k² have shape (k,), and (k, 3) their measures: tr(P_k B_k) = d_k² and tr(P_k V_k) = v_k².

    Source: docs/theory.md section 4.
    """
    (x1, y1, z1), (x2, y2, z2) = forms(jacobians, weights[1:])
    scale_x, scale_z = SAME * (x1 + x2), SAME * (z1 + z2)
    dx, dz = (np.where(np.abs(v) > s, v, 0.0) for v, s in ((x1 - x2, scale_x), (z1 - z2, scale_z)))
    columns = _columns((jacobians.low, jacobians.high, np.stack([dx, y1 - y2, dz], axis=1), drift, variance,
                        drift_measure, noise_measure))
    wx, wc, wv = (float(value) for value in initial)
    p, q, r = weights[0].tolist()
    error = sqrt(max(p * wx + 2 * q * wc + r * wv, 0.0))
    return _followed(_held, (wx, wc, wv), columns, error, jacobians.alike)


def _held(W_xx, W_xv, W_vv, A, B, C, D, E, F, G, H, D_xx, D_xv, D_vv, drift, variance, B_xx, B_xv, B_vv,
          V_xx, V_xv, V_vv, error, alike) -> None:
    """W of each step of `forward`."""
    wx, wc, wv = W_xx[0], W_xv[0], W_vv[0]
    ux, uc, uv = 0.0, 0.0, 0.0
    k = 0
    for a, b, c, d, e, f, g, h, dx, dy, dz, bias, var, bx, bc, bv, vx, vc, vv in zip(  # noqa: B905 (compiled)
            A, B, C, D, E, F, G, H, D_xx, D_xv, D_vv, drift, variance, B_xx, B_xv, B_vv, V_xx, V_xv, V_vv):
        moved = 1 + (bias / error if error > 0 else 0.0)
        back = 1 + (error / bias if bias > 0 else 0.0)
        if not alike:
            # LΠLᵀ, Π on the positive part of LᵀΔL, LLᵀ = W: the part of the error that c_lo grows most
            m11, m12, m21, m22 = wx * dx + wc * dy, wx * dy + wc * dz, wc * dx + wv * dy, wc * dy + wv * dz
            half = 0.5 * (m11 + m22)
            size, turn = wx * wv - wc * wc, dy * dy - dx * dz
            root = half * half + (size * turn if size > 0 < turn else 0.0)
            if root > 0:
                root = sqrt(root)
                lower, share = half - root, 0.5 / root
                ux, uc, uv = ((m11 * wx + m12 * wc - lower * wx) * share, (m11 * wc + m12 * wv - lower * wc) * share,
                              (m21 * wc + m22 * wv - lower * wv) * share)
            else:
                ux = uc = uv = 0.0
        ox, oc, ov = wx - ux, wc - uc, wv - uv
        wx, wc, wv = e * e * ox + 2 * e * f * oc + f * f * ov, (
            e * g * ox + (e * h + f * g) * oc + f * h * ov), g * g * ox + 2 * g * h * oc + h * h * ov
        if not alike:
            wx += a * a * ux + 2 * a * b * uc + b * b * uv
            wc += a * c * ux + (a * d + b * c) * uc + b * d * uv
            wv += c * c * ux + 2 * c * d * uc + d * d * uv
        wx, wc, wv = moved * wx + back * bx + vx, moved * wc + back * bc + vc, moved * wv + back * bv + vv
        error = sqrt((error + bias) * (error + bias) + var)
        k += 1
        W_xx[k], W_xv[k], W_vv[k] = wx, wc, wv


def in_metric(growth, metric) -> np.ndarray:
    """P_k = λ_k𝔐, shape (k+1, 3), with λ_{k−1} = ‖J_k‖²λ_k and λ_K = (𝔐⁻¹)_11, the least with λ_K𝔐 ⪰ e₁e₁ᵀ.

    ``growth``, of shape (k,): ‖J_k‖ in the metric, the larger of both ends.
    """
    logs = np.concatenate([[0.0], np.cumsum(2 * np.log(np.maximum(growth, 1e-300))[::-1])])
    # λ_{k−1} = max(‖J_k‖²λ_k, floor), solved for all k
    logs = (logs + np.maximum(0.0, LOG_FLOOR - np.minimum.accumulate(logs)))[::-1]
    with np.errstate(over="ignore"):
        scale = np.exp(logs) * metric[1, 1] / (metric[0, 0] * metric[1, 1] - metric[0, 1] ** 2)
    # a sum of logarithms, and its exponential, are off by their size
    rounding = 1 + 1e-12 + 16 * np.finfo(float).eps * np.cumsum(4 + np.abs(logs[::-1]))[::-1]
    return (scale * rounding)[:, None] * triples(metric)
