r"""How fast the score of a Gaussian law changes in time: the constant M1 of arXiv 2311.11003, Assumption
2."""

import numpy as np

from bounds.process import ForwardProcess

#: Times between two grid times at which the derivative is looked at.
SAMPLES = 8


def time_regularity(law, process: ForwardProcess, time, a, s_sq) -> float:
    r"""M1 with :math:`\|s_t(x) - s_{t'}(x)\| \le M_1 |t - t'| (1 + \|x\|)` on the range of ``time``.

    .. math:: \partial_t s = \frac{V'}{V^2} x + \Big(\frac{a}{V}\Big)' m, \qquad V' = g^2 - 2fV, \quad
        \Big(\frac{a}{V}\Big)' = \frac{a (fV - g^2)}{V^2},

    so M1 is the supremum over time of max(max_i |V_i'|/V_i², ‖(a/V)'m‖), here the largest value at the grid
    times and at eight times in between, raised by the largest change between neighbours.

    Parameters
    ----------
    law : Gaussian
    process : ForwardProcess
    time, a, s_sq : arrays of shape (k+1,)
        Decreasing forward times with the forward law at each.

    Returns
    -------
    float, per unit of time
        The first term in inverse squared data units, the second in inverse ones: one number where ‖x‖ is
        compared with 1.

    Source: arXiv 2311.11003, Assumption 2; docs/theory.md section 5.
    """
    fraction = np.arange(SAMPLES) / SAMPLES
    fine = np.append((time[:-1, None] + np.diff(time)[:, None] * fraction).ravel(), time[-1])
    # between grid times a and s² are interpolated where the coefficients move far slower than the step anyway
    position = -fine
    at = [np.interp(position, -time, values) for values in (a, s_sq)]
    positive = fine > 0
    f, g_sq = np.zeros_like(fine), np.zeros_like(fine)
    f[positive], g_sq[positive] = process.f_values(fine[positive]), process.g_sq_values(fine[positive])
    f[~positive], g_sq[~positive] = f[positive][-1], g_sq[positive][-1]
    rotated = law.mean if law.basis is None else law.basis.T @ law.mean
    distinct, index = np.unique(law.eigenvalues, return_inverse=True)
    mean_sq = np.bincount(index, weights=np.broadcast_to(rotated, index.shape) ** 2)
    largest, centre_sq = np.zeros_like(fine), np.zeros_like(fine)
    for eigenvalue, weight in zip(distinct, mean_sq, strict=True):
        variance = at[0] ** 2 * eigenvalue + at[1]
        np.maximum(largest, np.abs(g_sq - 2 * f * variance) / variance**2, out=largest)
        centre_sq += weight * np.square(at[0] * (f * variance - g_sq) / variance**2)
    curve = np.maximum(largest, np.sqrt(centre_sq))
    return float(curve.max() + np.abs(np.diff(curve)).max(initial=0.0))
