r"""What every data assumption is: an envelope, with its checks at the border and its calculus."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from bounds.annotations import Numbers

#: Relative slack granted to constants that were themselves computed in floating point.
CONSTANT_SLACK = 1e-12
#: Constants lie within this factor of 1 and their squares too: products of four never leave the range of
#: floats, where an excess would vanish and a bound drop below the truth.
LARGEST_CONSTANT = 1e50


def check_constant(name: str, value: ArrayLike, *, positive: bool = False, infinite: bool = False) -> Any:
    """Refuse NaN, infinities and wrong signs at the border; return the value as float or float array."""
    requirement = "positive" if positive else "non-negative"
    array = np.asarray(value)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} must be a {requirement} number, got {value!r}")
    array = array.astype(float)
    bad = np.isnan(array) | (np.isinf(array) & (not infinite)) | (array < 0) | (positive & (array == 0))
    if np.any(bad):
        raise ValueError(f"{name} must be {requirement}{'' if infinite else ' and finite'}, got "
                         f"{float(array[bad].flat[0])}")
    limit = LARGEST_CONSTANT**2 if name == "second_moment" else LARGEST_CONSTANT
    far = (array > limit) & np.isfinite(array) | (positive & (array < 1 / limit))
    if np.any(far):
        between = f"between {1 / limit:g} and {limit:g}" if positive else f"at most {limit:g}"
        raise ValueError(f"{name} must be {between} (choose other units), got {float(array[far].flat[0])}")
    return float(array) if array.ndim == 0 else array


def _check_order(small_name, large_name, small, large):
    """Refuse ``small`` > ``large``, up to the slack."""
    if np.any(np.asarray(small) > np.asarray(large) * (1 + CONSTANT_SLACK)):
        raise ValueError(f"{small_name} must be at most {large_name}, got {small_name} = {small} > "
                         f"{large_name} = {large}")


def constant(power: int, product: Callable | None = None, *, positive: bool = True,
             infinite: bool = False) -> dict[str, Any]:
    """The metadata of a field that is a constant: its power of the factor that scales the data, its rule for
    products, and whether it may be infinite."""
    return {"power": power, "product": product, "positive": positive, "infinite": infinite}


def _check_moments(assumption) -> None:
    """Check dim, ‖E X_0‖ and E‖X_0‖² against each other and the envelope; fill in the second moment."""
    dim = assumption.dim
    if not np.all(np.equal(np.mod(dim, 1), 0)) or np.any(np.asarray(dim) < 1) or isinstance(dim, bool):
        raise ValueError(f"dim must be a positive integer, got {dim!r}")
    mean_norm = assumption.mean_norm
    if mean_norm is not None:
        mean_norm = check_constant("mean_norm", mean_norm)
    mean_sq = 0.0 if mean_norm is None else np.square(mean_norm)
    second = assumption.second_moment
    if second is None:
        if mean_norm is None:
            raise ValueError("second_moment (E‖X_0‖²) or mean_norm (‖E X_0‖) must be given, got neither")
        second = assumption._largest_variance() + mean_sq
    second = check_constant("second_moment", second)
    spread = dim * assumption.c_lo(0.0)
    if np.any(second < (mean_sq + spread) * (1 - CONSTANT_SLACK)):
        raise ValueError(f"second_moment must be at least mean_norm² + dim/L = {np.max(mean_sq + spread):.6g} "
                         f"under these constants, got {np.min(second):.6g}")
    most = mean_sq + dim * assumption.c_up(0.0)
    if mean_norm is not None and np.any(second > most * (1 + 1e-9)):
        raise ValueError(f"second_moment must be at most mean_norm² + dim·c_up(0) = {np.max(most):.6g} under "
                         f"these constants, got {np.max(second):.6g}")
    object.__setattr__(assumption, "mean_norm", mean_norm)
    object.__setattr__(assumption, "second_moment", np.maximum(second, mean_sq + spread))


class Assumption:
    """What the theorems may ask of the data; each kind adds its own excess over the floor of the envelope.

    Parameters
    ----------
    constants
        What the kind declares by `constant`; a number or an array each.
    dim : int
    second_moment : float, optional
        E‖X_0‖², not centred; by default the largest value the constants allow.
    mean_norm : float or None
        ‖E X_0‖; ``None`` when unknown (then ``second_moment`` is needed).

    Raises
    ------
    ValueError, TypeError
        If a constant is out of range or contradicts another.
    """

    #: Of the kind, as in problem files.
    key: ClassVar[str]
    #: Keys of kinds that this one is a special case of.
    also: ClassVar[tuple[str, ...]] = ()
    #: Names of the strong convexity (of a part of the potential) and of the smoothness, where there are.
    convexity_and_smoothness: ClassVar[tuple[str, ...]] = ()

    dim: int
    second_moment: Numbers
    mean_norm: Numbers | None

    def __post_init__(self):
        for name, about in self._constants():
            value = check_constant(name, getattr(self, name), positive=about["positive"],
                                   infinite=about["infinite"])
            object.__setattr__(self, name, value)
        if self.convexity_and_smoothness:
            _check_order(*self.convexity_and_smoothness, *self._ends)
        _check_moments(self)

    @classmethod
    def _constants(cls):
        return [(each.name, each.metadata) for each in fields(cls) if each.metadata]

    @property
    def needs_early_stop(self) -> bool:
        """Whether the Fisher information at t = 0 may be infinite: there is no smoothness."""
        return bool(np.any(np.isinf(self.smoothness)))

    @property
    def _ends(self):
        return tuple(getattr(self, name) for name in self.convexity_and_smoothness)

    @property
    def smoothness(self) -> Numbers:
        """One-sided smoothness L: Hess(-log p_0) <= L I (``inf`` if none)."""
        return np.maximum(*self._ends)

    def _base_variance(self, q):
        return 1.0 / (self._ends[0] + q)

    def _excess_over_base(self, q):
        return 0.0

    def _largest_variance(self):
        return self.dim * self.c_up(0.0)

    def c_lo(self, q: ArrayLike) -> Numbers:
        r""":math:`c_{lo}(q) = 1/(L+q)` (0 when no smoothness is known)."""
        return 1.0 / (self.smoothness + np.asarray(q, dtype=float))

    def c_up(self, q: ArrayLike) -> Numbers:
        r""":math:`c_{up}(q)`, the largest posterior variance in any direction at information q."""
        q = np.asarray(q, dtype=float)
        with np.errstate(invalid="ignore", divide="ignore"):
            return self._excess_over_base(q) + self._base_variance(q)

    def hessian_lower(self, a_sq: Numbers, s_sq: Numbers) -> Numbers:
        r""":math:`H(c_{lo}) = -1/(a^2/L + s^2)` (Woodbury form, finite at t = 0; shapes broadcast)."""
        return -1.0 / (a_sq / self.smoothness + s_sq)

    def hessian_gap(self, a_sq: Numbers, s_sq: Numbers) -> Numbers:
        """H(c_up) − H(c_lo) of log p_t (never negative; shapes broadcast)."""
        return gap(a_sq, s_sq, self._ends[0], self.smoothness)

    def mapped(self, function: Callable[[Any], Any]) -> Self:
        """The same assumption with every constant put through ``function``."""
        other = object.__new__(type(self))
        for name, value in vars(self).items():
            object.__setattr__(other, name, function(value))
        return other

    @property
    def weak_log_concavity(self) -> tuple[Numbers, Numbers] | None:
        """(α, M) with which the data are weakly log-concave (M = 0: strongly); None where nothing says so."""
        return None

    @property
    def strong_log_concavity(self) -> Numbers | None:
        """α − M where it is positive everywhere, so that the data are strongly log-concave; else None."""
        if self.weak_log_concavity is None:
            return None
        alpha, M = self.weak_log_concavity
        return alpha - M if np.all(np.asarray(M) < alpha) else None

    @property
    def ball(self) -> tuple[Numbers, Numbers] | None:
        """(R, s0) where the data are known to be μ + s0 G with μ in a ball of radius R; else None."""
        return None

    @property
    def is_perturbed(self) -> bool:
        """Whether the data are a perturbation, by M or a Lipschitz constant, of log-concave ones."""
        return bool(np.any(self._excess_over_base(0.0) > 0))

    @property
    def largest_mean_norm(self) -> Numbers:
        """‖E X_0‖, or the largest that E‖X_0‖² and the floor of the envelope allow."""
        if self.mean_norm is not None:
            return self.mean_norm
        return np.sqrt(np.maximum(self.second_moment - self.dim * self.c_lo(0.0), 0.0))

    @property
    def centred_variance(self) -> Numbers:
        """m_c = (E‖X_0‖² − ‖E X_0‖²)/d, with ‖E X_0‖ = 0 when the mean is unknown (an upper bound then)."""
        mean_sq = 0.0 if self.mean_norm is None else np.square(self.mean_norm)
        return np.maximum((self.second_moment - mean_sq) / self.dim, self.c_lo(0.0))

    def centred(self) -> Self:
        """The law of X_0 − E X_0: the same envelope, the mean 0."""
        second = np.asarray(self.second_moment, dtype=float)
        if self.mean_norm is not None:
            second = second - np.square(self.mean_norm) + 4 * np.finfo(float).eps * second
        most, least = self.dim * self.c_up(0.0), self.dim * self.c_lo(0.0)
        second = np.maximum(np.minimum(second, most), least)
        return replace(self, second_moment=second if np.ndim(second) else float(second), mean_norm=0.0)

    def rotated(self) -> Self:
        """The law of RX_0 for an orthogonal R: the same envelope (arXiv 2506.09681, calculus of φ)."""
        return replace(self)

    def scaled(self, factor: float) -> Self:
        """The law of factor·X_0, each constant times its power of the factor."""
        factor = check_constant("factor", factor, positive=True)
        constants = {name: getattr(self, name) * factor ** about["power"] for name,
                     about in self._constants()}
        mean_norm = None if self.mean_norm is None else self.mean_norm * factor
        return replace(self, **constants, mean_norm=mean_norm, second_moment=self.second_moment * factor**2)

    def product(self, other: Self) -> Self:
        """The law of (X_0, X_0') with independent parts of one kind, each constant by its rule."""
        if type(self) is not type(other):
            raise TypeError(f"product needs two assumptions of one kind, got {self.key} and {other.key}")
        constants = {name: about["product"](getattr(self, name), getattr(other, name))
                     for name, about in self._constants()}
        means = (self.mean_norm, other.mean_norm)
        return replace(self, **constants, dim=self.dim + other.dim,
                       second_moment=self.second_moment + other.second_moment,
                       mean_norm=None if None in means else np.hypot(*means))

    def _blurred(self, noise_var: float, **constants):
        return replace(self, **constants, second_moment=self.second_moment + self.dim * noise_var)


def gap(a_sq: Numbers, s_sq: Numbers, low: Numbers, high: Numbers) -> Numbers:
    """1/(a²/high + s²) − 1/(a²/low + s²), without cancellation."""
    # (1/low − 1/high) may round below zero when the constants agree
    width = np.maximum(1 / low - 1 / high, 0.0)
    return a_sq * width / ((a_sq / high + s_sq) * (a_sq / low + s_sq))
