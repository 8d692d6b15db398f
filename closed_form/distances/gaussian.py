"""The 2-Wasserstein distance between two Gaussian laws, as a bracket."""

import math

import numpy as np

from bounds.argument import check_type
from closed_form.bracket import Bracket
from closed_form.laws.gaussian import Gaussian

_EPS = np.finfo(float).eps
_TINY = np.finfo(float).tiny
#: Dimension from which the trace formula is tried first, and the relative half-width up to which it is kept.
LARGE, SURE = 64, 1e-9


def w2_gaussian(p: Gaussian, q: Gaussian) -> Bracket:
    r"""W2 between Gaussians: :math:`(\|m_1-m_2\|^2 + \min_U \|L_1 - L_2U\|_F^2)^{1/2}`, L_i a root of Σ_i.

    The minimum over orthogonal U is attained at the polar factor of L₂ᵀL₁. Being a norm of a difference
    it has none of the cancellation of the trace formula, whose floor is 1e-7. That one is a seventh of the work: it
    is taken from 64 dimensions on where it is sure to 1e-9. Covariances that share their eigenvectors need O(d)
    operations.

    Parameters
    ----------
    p, q : Gaussian
        Of one dimension.

    Raises
    ------
    ValueError, TypeError
        If the dimensions differ, or a law is no Gaussian.

    Source: docs/theory.md section 8.
    """
    for name, law in (("p", p), ("q", q)):
        check_type(name, law, Gaussian, "a Gaussian")
    if p.dim != q.dim:
        raise ValueError(f"both laws must have the same dimension, got {p.dim} and {q.dim}")
    shift = p.mean - q.mean
    distance = float(np.linalg.norm(shift))
    moved = Bracket.exact(distance, (8 + math.log2(p.dim)) * _EPS * distance, "mean difference")
    if p.basis is q.basis:
        values = p.eigenvalues, q.eigenvalues
    elif p.spread.ndim == 0 or q.spread.ndim == 0:
        values = np.sort(p.eigenvalues), np.sort(q.eigenvalues)
    else:
        apart = _traces(p, q) if p.dim >= LARGE else None
        apart = _procrustes(p, q) if apart is None else apart
        return Bracket.root_sum_sq([moved, apart], apart.method)
    blurs = [0.0 if law.basis is None else p.dim * _EPS * law.eigenvalues.max() for law in (p, q)]
    return Bracket.root_sum_sq([moved, _commuting(values, blurs)], "Bures distance, common eigenvectors")


def _commuting(values: tuple[np.ndarray, np.ndarray], blurs: list[float]) -> Bracket:
    """(Σ(√λ_i − √λ'_i)²)^½ from λ − λ', so that nothing cancels, for eigenvalues known to a blur each."""
    first, second = (np.sqrt(part) for part in values)
    total = first + second
    size = float(np.linalg.norm((values[0] - values[1]) / np.where(total > 0.0, total, 1.0)))
    rounding = (8 + math.log2(len(first))) * _EPS * size
    for root, blur in zip((first, second), blurs, strict=True):  # √(λ+blur) − √λ <= min(√blur, blur/√λ)
        reach = np.full(root.shape, math.sqrt(blur))
        rounding += float(np.linalg.norm(np.minimum(reach, blur / np.maximum(root, _TINY))))
    return Bracket.exact(size, rounding, "Bures distance, common eigenvectors")


def _traces(p: Gaussian, q: Gaussian) -> Bracket | None:
    r"""(tr Σ₁ + tr Σ₂ − 2 tr M^½)^½ with M = LᵀΣ₂L, LLᵀ = Σ₁, or None where rounding is too large beside it.

    tr M^½ is concave in M and in Σ₁, with the gradients M^{-½}/2 and T/2, T the optimal map, TΣ₁T = Σ₂. So an error F
    of M costs at most ‖F‖ ‖M^{-½}‖/2 at the smaller end, and the error E of LLᵀ, |E_ij| <= (d+2) eps (Σ_ii Σ_jj)^½,
    ‖E‖ (tr Σ₂/λ_min)^½/2, in Frobenius norms.
    """
    from scipy.linalg import blas, eigvalsh

    # the one that is farther from singular is factored
    near, far = sorted((p, q), key=lambda law: -float(law.eigenvalues[0]) / float(law.eigenvalues[-1] or 1.0))
    first, second, d = near.covariance, far.covariance, p.dim
    traces = float(np.trace(first)), float(np.trace(second))
    lost = (d + 2) * _EPS * traces[0]
    least = float(near.eigenvalues[0]) - 4 * lost
    if not least > 0:
        return None
    try:
        root = np.linalg.cholesky(first)
    except np.linalg.LinAlgError:
        return None
    inner = blas.dtrmm(1.0, root, blas.dtrmm(1.0, root, second, side=1, lower=1), lower=1, trans_a=1)
    values = eigvalsh(inner, check_finite=False)
    # |F| <= (d+2) eps |L|ᵀ|Σ₂||L|, and what the eigenvalues add
    size, spread = (float(np.abs(matrix).sum(axis=0).max()) for matrix in (root, second))
    size = min(math.sqrt(size * float(np.abs(root).sum(axis=1).max())), math.sqrt(traces[0]))
    missed = (d + 2) * _EPS * (size * spread * math.sqrt(traces[0]) + 2 * float(np.linalg.norm(values)))
    if not values[0] > 2 * missed:
        return None
    cross = float(np.sqrt(values).sum())
    doubt = missed * math.sqrt(float((1 / (values - missed)).sum())) + lost * math.sqrt(traces[1] / least)
    doubt += (d + 2) * _EPS * (sum(traces) + 2 * cross)
    square = sum(traces) - 2 * cross
    if not doubt < SURE * square:
        return None
    found = math.sqrt(square)
    return Bracket.exact(found, doubt / found, "Bures distance, trace formula")


def _procrustes(p: Gaussian, q: Gaussian) -> Bracket:
    """min_U ‖L₁ − L₂U‖_F with a bound of what rounding Σ₁, Σ₂, their roots and U can do to it.

    A root has LLᵀ = Σ + E, ‖E‖ <= (d+2) eps tr Σ, and dW2² = tr((I − T)E) with T the optimal map. So E costs
    ‖I − T‖‖E‖ to first order and (1+‖T‖)‖E‖²/λ_min to second, or at most ‖E‖/√λ_min in W2, whatever T is.
    """
    laws, d = (p, q), p.dim
    roots = [_matrix_root(law) for law in laws]
    left, _, right = np.linalg.svd(roots[1].T @ roots[0])
    turned = roots[0], roots[1] @ (left @ right)
    residual = turned[0] - turned[1]
    size = float(np.linalg.norm(residual))
    first_order, always, rounding = 0.0, 0.0, 0.0
    for law, root in zip(laws, turned, strict=True):
        trace, low = float(law.eigenvalues.sum()), float(law.eigenvalues.min())
        error = (d + 2) * _EPS * trace
        rounding += 2.0 * d * _EPS * math.sqrt(trace)
        if low > 4.0 * error:
            stretch = float(np.linalg.norm(np.linalg.solve(root.T, residual.T)))
            first_order += stretch * error + (2.0 + stretch) * error**2 / low
            always += error / math.sqrt(low)
        else:
            first_order = math.inf
            always += math.sqrt(math.sqrt(d) * error)
    doubt = min(always, first_order / size) if size > 0.0 else always
    return Bracket.exact(size, doubt + rounding, "Bures distance, Procrustes form")


def _matrix_root(law: Gaussian) -> np.ndarray:
    """L with LLᵀ = Σ: Cholesky's, or the eigenvectors' when Σ is singular."""
    try:
        return np.linalg.cholesky(law.covariance)
    except np.linalg.LinAlgError:
        basis = np.eye(law.dim) if law.basis is None else law.basis
        return basis * np.sqrt(law.eigenvalues)
