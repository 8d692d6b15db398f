r"""Score and density of a Gaussian mixture in phase space: U_t given component i is N(φμ_i, S + φφᵀ ⊗
Σ_i)."""

from functools import reduce

import numpy as np

#: Largest exponent that a place's share may have at a position, or at a velocity, for their product to stay well
#: within the range of floats.
FACTORED = 330.0


class PhaseMixtureScore:
    r"""The score of an isotropic mixture under critically-damped Langevin at one clock time.

    .. math:: s(y) = -\sum_i w_i(y) V_i^{-1}(y - \varphi\mu_i), \qquad V_i = S + \sigma_i^2\varphi\varphi^T.

    Parameters
    ----------
    weights : array of shape (c,)
    means : array of shape (c, d)
    variances : array of shape (c,)
        σ_i², of every coordinate.
    phi : array of shape (2,)
    S : array of shape (2, 2)

    References
    ----------
    docs/theory.md section 8.
    """

    def __init__(self, weights, means, variances, phi, S):
        self.means = np.asarray(means, dtype=float)
        self.phi = np.asarray(phi, dtype=float)
        covariance = S + np.asarray(variances, dtype=float)[:, None, None] * np.outer(phi, phi)
        determinant = covariance[:, 0, 0] * covariance[:, 1, 1] - np.square(covariance[:, 0, 1])
        self.xx, self.vv = covariance[:, 1, 1] / determinant, covariance[:, 0, 0] / determinant
        self.xv = -covariance[:, 0, 1] / determinant
        self._alike = len(self.means) > 1 and np.ptp(variances) == 0
        dim = self.means.shape[1]
        self.log_scale = np.log(weights) - dim * (np.log(determinant) / 2 + np.log(2 * np.pi))

    def _terms(self, x, v):
        """(log w_i p_i, precision times gap): arrays (..., c) and two of (..., c, d)."""
        gap_x = x[..., None, :] - self.phi[0] * self.means
        gap_v = v[..., None, :] - self.phi[1] * self.means
        pulled_x = self.xx[:, None] * gap_x + self.xv[:, None] * gap_v
        pulled_v = self.xv[:, None] * gap_x + self.vv[:, None] * gap_v
        energy = np.sum(gap_x * pulled_x + gap_v * pulled_v, axis=-1) / 2
        return self.log_scale - energy, pulled_x, pulled_v

    def log_density(self, x, v):
        """log p_t at positions and velocities of shape (..., d)."""
        logs, _, _ = self._terms(x, v)
        top = logs.max(axis=-1)
        return top + np.log(np.sum(np.exp(logs - top[..., None]), axis=-1))

    def score(self, x, v):
        """(∇_x log p_t, ∇_v log p_t) at positions and velocities of shape (..., d)."""
        logs, pulled_x, pulled_v = self._terms(x, v)
        share = np.exp(logs - logs.max(axis=-1, keepdims=True))
        share /= share.sum(axis=-1, keepdims=True)
        return tuple(-np.sum(share[..., None] * pulled, axis=-2) for pulled in (pulled_x, pulled_v))

    def pushed(self, push, x, v):
        """push·(∇_x, ∇_v) log p_t on the line (d = 1), for positions and velocities of shapes that
        broadcast."""
        return self._pushed(push, x, v)[0]

    def pushed_sheared(self, push, place, shear, v):
        """`pushed` at x = place + shear·v, for places and velocities of shapes (m,) and (n, 1): of components that
        differ in their means only the shares are products of what the place and what the velocity makes of them, and
        their sums are two products of matrices."""
        if not self._alike:
            return self.pushed(push, place + shear * v, v)
        by_x, by_v = self._by
        middle, away = self._middle, self.means[:, 0] - self._middle
        at_place = by_x * (place - self.phi[0] * middle)
        at_v = (by_x * shear * v + by_v * (v - self.phi[1] * middle)).ravel()
        if np.abs(away).max() * max(np.abs(at_place).max(), np.abs(at_v).max()) > FACTORED:
            return self.pushed(push, place + shear * v, v)
        fixed = self._fixed(away)
        by_place = np.exp(np.outer(away, at_place))
        by_velocity = np.exp(np.outer(at_v, away) + (fixed - fixed.max()))
        found = (by_velocity * away) @ by_place
        found /= by_velocity @ by_place
        # `_from_mean` in parts of the place and of the velocity
        pull, steeper, flatter = self._slopes(push)
        found *= pull
        found -= steeper * (place - self.phi[0] * middle)
        found -= steeper * shear * v + flatter * (v - self.phi[1] * middle)
        return found

    def pushed_with_slope(self, push, x, v):
        """(`pushed`, its derivative in x)."""
        return self._pushed(push, x, v, slope=True)

    def _pushed(self, push, x, v, slope: bool = False):
        if self._alike:
            return self._pushed_alike(push, x, v, slope)
        logs, pulled, steeper, pulls = [], [], [], []
        for mean, xx, xv, vv, scale in zip(self.means[:, 0], self.xx, self.xv, self.vv, self.log_scale,
                                           strict=True):
            gap_x, gap_v = x - self.phi[0] * mean, v - self.phi[1] * mean
            force = xv * gap_x + vv * gap_v
            # the energy by its complete square: V_xx⁻¹ gap_x² + vv⁻¹ force²
            logs.append(scale - ((xx - xv * xv / vv) * np.square(gap_x) + np.square(force) / vv) / 2)
            along = xx * gap_x + xv * gap_v if slope or push[0] else 0.0
            pulled.append(push[1] * force + push[0] * along)
            if slope:
                steeper.append(push[1] * xv + push[0] * xx)
                pulls.append(along)
        top = np.max(logs, axis=0) if len(logs) > 1 else logs[0]
        total, summed, mixed, pull, rise = 0.0, 0.0, 0.0, 0.0, 0.0
        for i, (log, force) in enumerate(zip(logs, pulled, strict=True)):
            share = np.exp(log - top) if len(logs) > 1 else 1.0
            total, summed = total + share, summed + share * force
            if slope:
                pull, mixed, rise = (pull + share * pulls[i], mixed + share * pulls[i] * force,
                                     rise + share * steeper[i])
        mean = summed / total
        # share_i′ = share_i (E[pull] − pull_i)
        return -mean, (mixed / total - mean * pull / total - rise / total) if slope else None

    def _pushed_alike(self, push, x, v, slope: bool):
        """`_pushed` of components that differ in their means only: their shares are exponentials linear in x,
        v."""
        middle, away, (by_x, by_v) = self._middle, self.means[:, 0] - self._middle, self._by
        along = by_x * (x - self.phi[0] * middle) + by_v * (v - self.phi[1] * middle)
        logs = [known + place * along for known, place in zip(self._fixed(away).tolist(), away.tolist(), strict=True)]
        top = reduce(np.maximum, logs)
        shares = [np.exp(log - top) for log in logs]
        total = sum(shares)
        mean = sum(place * share for place, share in zip(away.tolist(), shares, strict=True)) / total
        found = self._from_mean(push, mean, x, v)
        if not slope:
            return found, None
        pull, steeper, _ = self._slopes(push)
        spread = sum(share * np.square(place - mean) for place,
                     share in zip(away.tolist(), shares, strict=True))
        return found, pull * by_x * spread / total - steeper

    @property
    def _middle(self):
        """The place from which those of components that are alike are measured."""
        return (self.means.min() + self.means.max()) / 2

    @property
    def _by(self):
        """What x and v add to the exponents of shares of components that are alike, per place."""
        phi_x, phi_v = self.phi
        return self.xx[0] * phi_x + self.xv[0] * phi_v, self.xv[0] * phi_x + self.vv[0] * phi_v

    def _fixed(self, away):
        """What is in those exponents whatever x and v, up to what all components share."""
        by_x, by_v = self._by
        return self.log_scale - np.square(away) * (self.phi[0] * by_x + self.phi[1] * by_v) / 2

    def _from_mean(self, push, mean, x, v):
        """push·(∇_x, ∇_v) log p_t of components that are alike, of which the mean place given x, v is ``mean``."""
        pull, steeper, flatter = self._slopes(push)
        gap_x, gap_v = x - self.phi[0] * self._middle, v - self.phi[1] * self._middle
        return pull * mean - (steeper * gap_x + flatter * gap_v)

    def _slopes(self, push):
        """What `_from_mean` multiplies by the mean, and takes off for x and for v."""
        xx, xv, vv, (by_x, by_v) = self.xx[0], self.xv[0], self.vv[0], self._by
        return push[0] * by_x + push[1] * by_v, push[0] * xx + push[1] * xv, push[0] * xv + push[1] * vv
