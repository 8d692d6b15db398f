r"""Critically-damped Langevin in balls, at clock times that are numbers, intervals or boxes.

All of it is e^{uA} = e^{−au}(I + uN) and moments of the exponential, written so that a box near u = 0 is not
taken to be wider than it is: sums of terms that are not negative, and what vanishes with u divided by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from bounds.certified.phase_space.moments import POINT, exponential_moments
from bounds.process import ForwardProcess
from bounds.symbolic.balls import BallFunction

#: Derivatives with which a box is followed from its middle.
ORDER = 4

@dataclass(frozen=True)
class Seen:
    """What U_t says of X_0, as in `bounds.steps.phase_space.channel`; pairs are (x, v), triples (xx, xv, vv).

    ``near`` is e^{au}φ and ``turned`` adj(S) of it; ``unit`` is u where the velocity starts from a point,
    else 1, and ``turned``, ``det_S`` and ``size`` are in it.
    """

    a_sq: object
    near: tuple
    turned: tuple
    S: tuple
    det_S: object
    size: object
    unit: object

    @cached_property
    def s_sq(self):
        """Noise variance of the scalar channel."""
        return self.det_S / self.size

    @cached_property
    def omega(self) -> tuple:
        """The direction in which the data are seen."""
        scale = 1 / self.size
        return self.turned[0] * scale, self.turned[1] * scale

    def covariance_plus(self, variance):
        """(S + variance φφᵀ, its determinant over ``unit``): a sum of terms that are all positive."""
        share, (x, v), (xx, xv, vv) = variance * self.a_sq, self.near, self.S
        plus = xx + share * (x * x), xv + share * (x * v), vv + share * (v * v)
        return plus, self.det_S + share * self.size

    def hessian_floor(self, l):
        """``unit`` times H(c_lo) = −(S + lφφᵀ)⁻¹, a triple."""
        (xx, xv, vv), determinant = self.covariance_plus(l)
        scale = 1 / determinant
        return -vv * scale, xv * scale, -xx * scale


class Langevin:
    """The process in its clock's own time; ``complex`` is the same with constants that are complex balls.

    Attributes
    ----------
    a, D_x, D_v, variance : arb
        −a is the double eigenvalue, D the noise, v² the variance of V_0.
    starts_still : bool
        Whether v = 0.
    A, N, D, stationary, renormalised : arb_mat
        Drift, A + aI, noise, Σ_∞ and Ã.
    """

    def __init__(self, process: ForwardProcess):
        from flint import arb, arb_mat

        numbers = [process.parameters[name] for name in ("a", "sigma", "epsilon")]
        a, sigma, epsilon, self.variance = (BallFunction(number).interval(arb(0))
                                            for number in (*numbers, process.velocity_variance))
        self.a, self.D_x, self.D_v = a, epsilon * epsilon, sigma * sigma
        self.starts_still = bool(process.velocity_variance == 0)
        self.one, square = arb_mat([[1, 0], [0, 1]]), a * a
        self.A = arb_mat([[0, square], [-1, -2 * a]])
        self.N, self.D = self.A + self.one * a, arb_mat([[self.D_x, 0], [0, self.D_v]])
        cross = -self.D_x / (2 * square)
        self.stationary = arb_mat([[(5 * self.D_x / a + a * self.D_v) / 4, cross],
                                   [cross, (self.D_x + square * self.D_v) / (4 * square * a)]])
        self.renormalised = -self.A - self.D * self.stationary.inv()

    @property
    def complex(self) -> Langevin:
        """The same for boxes: python-flint is slow where real and complex balls meet."""
        from flint import acb, acb_mat

        other = object.__new__(Langevin)
        for name, value in vars(self).items():
            if hasattr(value, "nrows"):
                value = acb_mat(value)
            elif not isinstance(value, bool):
                value = acb(value)
            setattr(other, name, value)
        return other

    def transition(self, clock, nilpotent=None):
        """Φ = e^{uA} = e^{−au}(I + uN), or with another N; negative u give the inverse."""
        return (self.one + (self.N if nilpotent is None else nilpotent) * clock) * (-self.a * clock).exp()

    def covariance(self, clock, over=None) -> tuple:
        """C = ∫_0^u Φ(w)DΦ(w)ᵀ dw, a triple; over ``clock`` where ``over`` is 1."""
        return self._covariance(clock, clock if over is None else over)[0]

    def _covariance(self, clock, first):
        z = 2 * self.a * clock
        E = exponential_moments(z)
        late, square = z * z / 4 * E[2], clock * clock
        decay, a_sq = (-z).exp(), self.a * self.a
        xx = self.D_v * (a_sq * a_sq * square * E[2])
        xv = clock * (self.D_v * (a_sq * decay) / 2)
        vv = self.D_v * (E[0] - z * E[1] + late)
        if self.D_x != 0:
            xx += self.D_x * (E[0] + z * E[1] + late)
            xv -= self.D_x * (clock * (E[1] + z / 2 * E[2]))
            vv += self.D_x * (square * E[2])
        return (first * xx, first * xv, first * vv), E, decay, z

    def seen(self, clock) -> Seen:
        """The channel at clock times >= 0, or on a box around such."""
        middle = type(clock)(clock.real.mid())
        off = clock - middle
        if off.abs_upper() < POINT or (self.starts_still and clock.contains(0)):
            return self._seen(clock)
        return self._around(self._seen(middle), middle, clock, off)

    def _seen(self, clock) -> Seen:
        r"""The same free of cancellation down to 0.

        With y = u − w, :math:`\zeta^T\mathrm{adj}(C)\zeta = e^{-2au}\int_0^u e^{-2aw}
        (\sigma^2a^4y^2 + \varepsilon^2(1 - ay)^2)dw`, ζ = Φe₂.
        """
        one = clock * 0 + 1
        unit = clock if self.starts_still else one
        (xx, xv, vv), E, a_sq, z = self._covariance(clock, one if self.starts_still else clock)
        shift = self.a * clock
        x, v = near = 1 + shift, -clock
        omega = vv * x - xv * v, xx * v - xv * x
        size = omega[0] * x + omega[1] * v
        determinant = unit * (xx * vv - xv * xv)
        spread = unit * xx, unit * xv, unit * vv
        if not self.starts_still:
            far = self.a * shift, 1 - shift
            v_sq = self.variance * a_sq
            # ∫(1−s)ⁿ e^{−zs} ds
            once, twice = E[0] - E[1], E[0] - 2 * E[1] + E[2]
            crossed = self.D_v * (far[0] * far[0] * twice)
            if self.D_x != 0:
                crossed += self.D_x * (E[0] - z * once + z * z / 4 * twice)
            determinant += v_sq * (clock * crossed)
            omega = omega[0] + v_sq * far[1], omega[1] - v_sq * far[0]
            size += v_sq
            spread = (spread[0] + v_sq * (far[0] * far[0]), spread[1] + v_sq * (far[0] * far[1]),
                      spread[2] + v_sq * (far[1] * far[1]))
        return Seen(a_sq, near, omega, spread, determinant, size, unit)

    def _around(self, seen: Seen, middle, clock, off) -> Seen:
        r"""The channel on a box by Taylor's formula at its middle, the last derivative over all of the box.

        .. math:: S' = AS + SA^T + D, \quad S'(u + \delta) = \Phi(\delta)S'(u)\Phi(\delta)^T, \quad
                  (\det S)' = -4a\det S + \varepsilon^2S_{vv} + \sigma^2S_{xx}

        and :math:`\eta' = -3a\eta - A^T\eta + \mathrm{adj}(D)\nu`, η = adj(S)ν, ν = e^{au}φ; ηᵀν likewise.
        """
        unit = seen.unit
        spreads = self._spreads(seen.S)
        flow, (xx, xv, vv) = self.transition(off), spreads[1]
        left = flow * matrix((xx, xv, vv)) * flow.transpose()
        wide = [None, (left[0, 0], left[0, 1], left[1, 1])]
        for _ in range(ORDER - 1):
            wide.append(self._moved(wide[-1]))
        powers = _powers(off)
        xx, xv, vv = wide[0] = tuple(_taylor([each[i] for each in spreads[:ORDER]] + [wide[-1][i]], powers)
                                     for i in range(3))
        x, v = near = 1 + self.a * clock, -clock
        first, second = vv * x - xv * v, xx * v - xv * x
        at_middle = self.derivatives(seen, middle)
        over_box = self._chains(wide, xx * vv - xv * xv, first * x + second * v, first, second, clock)
        determinant, size, first, second = (_taylor([*thin[:ORDER], all_[ORDER]], powers)
                                            for thin, all_ in zip(at_middle, over_box, strict=True))
        if self.starts_still:
            unit = clock
            determinant, size, first, second = (value / unit for value in (determinant, size, first, second))
        return Seen((-2 * self.a * clock).exp(), near, (first, second), wide[0], determinant, size, unit)

    def _moved(self, triple) -> tuple:
        """AX + XAᵀ."""
        (xx, xv, vv), a, square = triple, self.a, self.a * self.a
        return 2 * square * xv, square * vv - xx - 2 * a * xv, -2 * xv - 4 * a * vv

    def _spreads(self, S) -> list:
        """Derivatives of S."""
        xx, xv, vv = self._moved(S)
        found = [S, (xx + self.D_x, xv, vv + self.D_v)]
        for _ in range(ORDER - 1):
            found.append(self._moved(found[-1]))
        return found

    def derivatives(self, seen: Seen, clock) -> list:
        """Derivatives, from the 0th on, of det S, of ηᵀν and of both entries of η in time."""
        known = (seen.unit * value for value in (seen.det_S, seen.size, *seen.turned))
        return self._chains(self._spreads(seen.S), *known, clock)

    def _chains(self, spreads, determinant, size, first, second, clock) -> list:
        """The same from the derivatives of S."""
        a, square, D_x, D_v = self.a, self.a * self.a, self.D_x, self.D_v
        x, v = 1 + a * clock, -clock
        # noise's part of the derivatives, a polynomial
        grown = [D_v * x * x + D_x * v * v, 2 * (a * D_v * x - D_x * v), 2 * (square * D_v + D_x)]
        pushed = [(D_v * x, D_x * v), (D_v * a, -D_x)]
        found = [[determinant], [size], [first], [second]]
        for k in range(ORDER):
            xx, _, vv = spreads[k]
            determinant = D_x * vv + D_v * xx - 4 * a * determinant
            size = -2 * a * size + (grown[k] if k < 3 else 0)
            first, second = second - 3 * a * first, -a * second - square * first
            if k < 2:
                first, second = first + pushed[k][0], second + pushed[k][1]
            for values, value in zip(found, (determinant, size, first, second), strict=True):
                values.append(value)
        return found


def _powers(off) -> list:
    """δᵏ/k!."""
    found = [off * 0 + 1]
    for k in range(1, ORDER + 1):
        found.append(found[-1] * off / k)
    return found


def _taylor(derivatives, powers):
    first, *rest = derivatives
    return sum((value * power for value, power in zip(rest, powers[1:], strict=True)), first)


def matrix(triple):
    """The symmetric matrix of a triple (xx, xv, vv)."""
    from flint import acb_mat, arb_mat

    xx, xv, vv = triple
    return (arb_mat if hasattr(xx, "nonnegative_part") else acb_mat)([[xx, xv], [xv, vv]])
