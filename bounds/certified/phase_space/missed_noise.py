"""v_k² of a row in balls: the theorem's integrand at points of the row and on boxes around parts of it."""

from __future__ import annotations

import itertools
import math

from bounds.certified.data import BallData, Formulas
from bounds.certified.phase_space.langevin import Langevin, matrix
from bounds.certified.phase_space.quadrature import Quadrature
from bounds.certified.phase_space.rows import Row
from bounds.symbolic.balls import NotEnclosed

#: What an integral may miss in units of the row's noise.
NEGLIGIBLE = 1e-34
ENTRIES = ("xx", "xv", "vx", "vv")


def entries(name: str, values) -> dict:
    """Four balls as arguments of a formula: name_xx … name_vv."""
    return {f"{name}_{place}": value for place, value in zip(ENTRIES, values, strict=True)}


class MissedNoise:
    """v_k² of any row under any weights."""

    def __init__(self, langevin: Langevin, data: BallData, formulas: Formulas):
        from flint import acb, ctx

        self.real, self.langevin, self.formulas, self.data = langevin, langevin.complex, formulas, data
        self.nilpotent = self.langevin.renormalised + self.langevin.one * self.langevin.a
        self.l, self.wide, self.M, self.centred = (acb(x) for x in (data.l, data.wide, data.M, data.centred))
        self.fixed = dict(d=acb(data.d), D_x=self.langevin.D_x, D_v=self.langevin.D_v)
        if data.knows_moments:
            self.spectrum = [(acb(value), acb(count / data.d)) for value, count in data.spectrum
                             if not value == data.l]
        else:
            self.least, self.rising = formulas.branches("phase_variance")
            # where M = 0 both bounds of the mean excess are those of a variance
            smaller = data.centred.upper() <= data.wide.upper()
            both = [self._gap, self._linear] if data.M > 0 else [self._gap]
            self.means = [self._linear] if smaller else both
        self.quadrature, self.sharp = Quadrature(), 2.0 ** -(ctx.prec // 4)

    def __call__(self, row: Row, weights, about: float):
        """v_k² for the weights P_k, a triple; ``about`` what it is decides how closely it is looked at."""
        from flint import acb

        P = dict(zip(("P_xx", "P_xv", "P_vv"), (acb(x) for x in weights), strict=True))
        data, look, width = self.data, _Look(self, row), row.width
        size = data.d * width * (weights[0] * self.real.D_x + weights[2] * self.real.D_v)
        sharp = about * self.sharp if math.isfinite(about) else 0.0
        tolerance = max(sharp, float(size.upper()) * NEGLIGIBLE, 1e-300) / float(width)
        if data.knows_moments:
            found = self.quadrature.gauss(lambda place: self._known(look, P, place), tolerance)
        elif data.flat:
            found = self.quadrature.gauss(lambda place: self._least(look, P, place), tolerance)
        else:
            found = self.quadrature.greatest(lambda place: self._branches(look, P, place), tolerance)
        if not found.is_finite():
            raise NotEnclosed(f"what the row from the clock time {float(row.upper):.6g} misses of the noise "
                              "is not seen to be bounded")
        return width * found.max(found * 0)

    def _known(self, look: _Look, P: dict, place):
        values, seen = look(place)
        first, second = self._moments(seen)
        return [self.formulas["phase_variance_known"](**values, **P, **self.fixed, x_mean=first, x_sq=second)]

    def _least(self, look: _Look, P: dict, place):
        """The integrand where nothing is above c_lo."""
        values, _ = look(place)
        zero = place * 0
        return [self.least(**values, **P, **self.fixed, x_mean=zero, X=zero)]

    def _branches(self, look: _Look, P: dict, place):
        """The integrand's two arguments of the maximum, the larger for both bounds of the mean excess."""
        values, seen = look(place)
        values |= P | self.fixed | {"X": self._gap(seen)}
        found = [self.rising(**values, x_mean=mean(seen)) for mean in self.means]
        return [self.least(**values), found[0], found[-1]]

    def _gap(self, seen):
        """H(c_up) − H(c_lo), as `BallData.gap`."""
        if self.data.flat:
            return seen.a_sq * 0
        found = self._excess(self.wide, seen)
        if self.M == 0:
            return found
        broad = (seen.a_sq * self.wide + seen.s_sq) / self.wide
        return found + self.M * seen.a_sq / (broad * broad)

    def _linear(self, seen):
        """The largest mean excess that the covariance allows."""
        return self._excess(self.centred, seen)

    def _excess(self, variance, seen):
        a_sq, s_sq = seen.a_sq, seen.s_sq
        return a_sq * (variance - self.l) / ((s_sq + a_sq * variance) * (s_sq + a_sq * self.l))

    def _moments(self, seen):
        """Mean and mean square of the excess of Gaussian data."""
        first = second = seen.a_sq * 0
        for value, share in self.spectrum:
            excess = self._excess(value, seen)
            shared = share * excess
            first, second = first + shared, second + shared * excess
        return first, second


class _Look:
    """A row at places of [0, 1], from its lower end up: arguments of the formula that rest on it alone."""

    def __init__(self, missed: MissedNoise, row: Row):
        from flint import acb, acb_mat

        self.langevin, self.l, self.affine = missed.langevin, missed.l, missed.formulas["phase_affine"]
        self.width, self.lower = acb(row.width), acb(row.lower)
        self.flow, self.coupling, self.nilpotent = row.noise_flow, acb_mat(row.coupling), missed.nilpotent
        #: Where the velocity starts from a point the score grows like 1/u, and C(u) falls like u.
        self.singular = self.langevin.starts_still and row.lower == 0

    def __call__(self, place):
        langevin = self.langevin
        distance = self.width * place
        seen = langevin.seen(self.lower + distance)
        back = langevin.transition(-distance)
        gain = back * matrix(langevin.covariance(distance, over=distance * 0 + 1 if self.singular else None))
        x_x, x_v, v_v = seen.hessian_floor(self.l)
        if not self.singular:
            x_x, x_v, v_v = x_x / seen.unit, x_v / seen.unit, v_v / seen.unit
        zero = distance * 0
        kept = [zero] * 4 if self.flow == "inverse" else (back - self._noise(distance)).entries()
        g_xx, g_xv, g_vx, g_vv = gain.entries()
        # row by row: the row of Φ⁻¹C, and the column of H(c_lo)
        pairs = itertools.product(((g_xx, g_xv), (g_vx, g_vv)), ((x_x, x_v), (x_v, v_v)))
        low = [self.affine(P=P, Q_x=Q_x, Q_v=Q_v, H_x=H_x, H_v=H_v, X=zero, w=zero, w_x=zero, w_v=zero)
               for P, ((Q_x, Q_v), (H_x, H_v)) in zip(kept, pairs, strict=True)]
        x, v = seen.omega
        rise = g_xx * x + g_xv * v, g_vx * x + g_vv * v
        if self.singular:
            rise = distance * rise[0], distance * rise[1]
        return dict(**entries("n", low), K_x=rise[0], K_v=rise[1], w_x=x, w_v=v), seen

    def _noise(self, distance):
        """n, which takes Σ dB of the exact process to the row's noise."""
        if self.flow == "none":
            return self.coupling
        return self.coupling * self.langevin.transition(distance, self.nilpotent)
