r"""The data as a certified bound sees them: constants in balls, of Gaussian data exact functions of the
spectrum."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import sympy

from bounds.certified.number import real_root
from bounds.setting import Setting
from bounds.symbolic.balls import BallFormula

#: A constant this close to the one of the Gaussian law is meant to be that, rounded to a float.
SAME = 1e-9


class NotCertified(ValueError):
    """There is no proof in ball arithmetic of what was asked; the message is one line and names what is
    missing."""


class BallData:
    """The constants of one problem.

    Attributes
    ----------
    d, l, wide, M, m2, m, centred, mean_norm : arb
        Dimension; 1/L, 1/α and M of the envelope; E‖X_0‖², the same per dimension, that less ‖E X_0‖²/d, and
        ‖E X_0‖ or the largest it may be.
    spectrum : list of (arb, int), or None
        Eigenvalues of a Gaussian's covariance and how often they occur.
    knows_moments, knows_distance : bool
        Whether the bound may use the posterior moments, and W2(p_0, N(0, vI)).

    Raises
    ------
    NotCertified
        If a constant rests on a numerical table, or the assumption is not one of strong or weak
        log-concavity.
    """

    def __init__(self, setting: Setting):
        from flint import arb

        assumption, facts = setting.assumption, setting.facts
        if setting.shape:
            raise NotCertified("certified takes one problem, got a batch")
        if assumption.weak_log_concavity is None:
            raise NotCertified(f"certified needs a strongly or weakly log-concave law, got {assumption.key}")
        known = facts.gaussian_spectrum
        if known is None and (facts.moments is not None or facts.distance_to_gaussian is not None):
            raise NotCertified("certified needs a Gaussian law or constants alone: the MMSE curve of other laws is "
                               "a numerical table")
        self.knows_moments = facts.moments is not None
        self.knows_distance = facts.distance_to_gaussian is not None
        alpha, M = assumption.weak_log_concavity
        self.d, self.M = arb(int(assumption.dim)), arb(float(M))
        self.l, self.wide = 1 / arb(float(assumption.smoothness)), 1 / arb(float(alpha))
        #: As given: matched noise is made with these, whatever the data really are.
        self.given = self.l, self.wide
        self.m2, self.spectrum = arb(float(assumption.second_moment)), None
        self.mean_sq = None if assumption.mean_norm is None else arb(float(assumption.mean_norm)) ** 2
        if known is not None:
            self._sharpen(*known)
        rest = self.m2 - self.d * self.l
        self.mean_norm = real_root(rest.max(arb(0)) if self.mean_sq is None else self.mean_sq)
        self.m = (self.m2 / self.d).max(self.l)
        self.centred = ((self.m2 - (0 if self.mean_sq is None else self.mean_sq)) / self.d).max(self.l)

    def _sharpen(self, mean, variances) -> None:
        """Constants that are those of N(m, Σ), from its exact numbers."""
        from flint import arb

        values, counts = np.unique(np.asarray(variances, dtype=float), return_counts=True)
        self.spectrum = [(arb(value), count) for value, count in zip(values.tolist(), counts.tolist(),
                                                                     strict=True)]
        sizes, often = np.unique(np.abs(np.asarray(mean, dtype=float)), return_counts=True)
        mean_sq = sum((arb(x) * arb(x) * n for x, n in zip(sizes.tolist(), often.tolist(), strict=True)),
                      arb(0))
        second = mean_sq + sum((value * count for value, count in self.spectrum), arb(0))
        self.l = _meant(self.l, self.spectrum[0][0])
        self.wide = _meant(self.wide, self.spectrum[-1][0])
        self.m2 = _meant(self.m2, second)
        if self.mean_sq is not None:
            self.mean_sq = _meant(self.mean_sq, mean_sq, second)
        self.gaussian_mean_sq, self._mean, self._variances = mean_sq, mean, variances

    @cached_property
    def axes(self) -> list:
        """(eigenvalue, squared size of the mean in its eigenspace) of Gaussian data."""
        from flint import arb

        found, mean = [], np.asarray(self._mean, dtype=float)
        for value, _ in self.spectrum:
            sizes, often = np.unique(np.abs(mean[np.asarray(self._variances) == float(value)]),
                                     return_counts=True)
            found.append((value, sum((arb(x) * arb(x) * n for x, n in zip(sizes.tolist(), often.tolist(), strict=True)),
                                     arb(0))))
        return found

    @property
    def flat(self) -> bool:
        """Whether the envelope leaves no room: c_lo = c_up."""
        return bool(self.wide == self.l and self.M == 0)

    def floor(self, a_sq, s_sq):
        """H_lo = −1/(a² l + s²)."""
        return -1 / (a_sq * self.l + s_sq)

    def gap(self, a_sq, s_sq):
        """H(c_up) − H(c_lo)."""
        if self.flat:
            return a_sq * 0
        broad = a_sq * self.wide + s_sq
        width = (self.wide - self.l) / ((a_sq * self.l + s_sq) * broad)
        # M a²/(a² + α s²)², α = 1/wide
        return a_sq * (width + self.M * self.wide * self.wide / (broad * broad) if self.M != 0 else width)

    def middle(self, a_sq, s_sq):
        """H at the middle of the envelope of the constants as given."""
        low, wide = self.given
        broad = a_sq * wide + s_sq
        excess = self.M * wide * wide * a_sq / (broad * broad) if self.M != 0 else 0
        return (excess - 1 / (a_sq * low + s_sq) - 1 / broad) / 2

    def excess_of(self, variance, a_sq, s_sq):
        """The Hessian's excess over H_lo of data with this variance."""
        if variance is self.l:
            return a_sq * 0
        return a_sq * (variance - self.l) / ((s_sq + a_sq * variance) * (s_sq + a_sq * self.l))

    def moments(self, a_sq, s_sq):
        """Mean and mean square of the Hessian's excess of Gaussian data."""
        first = second = a_sq * 0
        for value, count in self.spectrum:
            if value == self.l:
                continue
            excess = self.excess_of(value, a_sq, s_sq)
            share = excess * (count / self.d)
            first, second = first + share, second + share * excess
        return first, second

    def smaller_excess(self, view):
        """The largest mean excess that constants allow: the smaller of the gap and the linear estimator's.

        Their difference has the sign of a² (M w² m + w(w − m)) + s² (M w² + w − m), w = 1/α, m the variance.
        """
        if self.flat:
            return self.gap(view.a_sq, view.s_sq)
        if not view.boxed:
            return self.gap(view.a_sq, view.s_sq).min(self._linear(view.a_sq, view.s_sq))
        more, centred = self.M * self.wide * self.wide, self.centred
        rest = self.wide - centred
        return view.decided(lambda real: real.a_sq * (more * centred + self.wide * rest) + real.s_sq
                            * (more + rest),
                            lambda: self._linear(view.a_sq, view.s_sq),
                            lambda: self.gap(view.a_sq, view.s_sq))

    def _linear(self, a_sq, s_sq):
        return self.excess_of(self.centred, a_sq, s_sq)

    def distance(self, variance):
        """W2(N(m, Σ), N(0, variance I))."""
        width = real_root(variance)
        total = self.gaussian_mean_sq
        for value, count in self.spectrum:
            spread = real_root(value) - width
            total = total + count * (spread * spread)
        return real_root(total)


def _meant(given, exact, scale=None):
    """The exact number where the given one is that, rounded."""
    near = abs(given - exact) <= SAME * (exact if scale is None else scale)
    return exact if near else given


class Formulas(dict):
    """The stated expressions in balls, by name, each made when it is asked for."""

    def __init__(self, stated: dict):
        super().__init__()
        self._stated = stated

    def __missing__(self, name: str) -> BallFormula:
        self[name] = formula = BallFormula(self._stated[name])
        return formula

    def branches(self, name: str) -> list[BallFormula]:
        """A stated expression with its one maximum taken by each of its arguments, the simplest first."""
        key = name, "branches"
        if key not in self:
            self[key] = [BallFormula(branch) for branch in _branches(self._stated[name])]
        return self[key]

    def of_a_view(self, name: str, nothing: tuple[str, ...] = ()) -> list[BallFormula]:
        """The same, if there is a maximum, with the symbols ``nothing`` at 0 and e^F by the name growth."""
        key = name, nothing
        if key not in self:
            stated = self._stated[name]
            named = {symbol.name: symbol for symbol in stated.free_symbols}
            stated = stated.subs({named[each]: 0 for each in nothing if each in named})
            if "F" in named:
                stated = stated.subs(sympy.exp(named["F"]), sympy.Symbol("growth", positive=True))
            self[key] = [BallFormula(branch) for branch in _branches(stated)]
        return self[key]


def _branches(stated) -> list:
    choices = stated.atoms(sympy.Max)
    if not choices:
        return [stated]
    (choice,) = choices
    return [stated.subs(choice, argument) for argument
            in sorted(choice.args, key=lambda argument: len(argument.free_symbols))]
