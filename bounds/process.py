r"""The forward SDE dU = A(t)U dt + Σ(t)dB: its coefficients, and everything sympy can derive from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
import sympy

from bounds.annotations import Array, Symbolic
from bounds.symbolic.digits import InTime
from bounds.symbolic.integrals import DUMMY, END, INNER, START, TIME, Derived, at_start, integral, tidy
from bounds.value import Value

#: Times at which f and g² are compared first, and the largest denominator of a ratio that is recognised.
SEVERAL, LARGEST_DENOMINATOR = (0.0625, 0.375, 1.5, 6.0), 10**6


@dataclass(frozen=True, eq=False, repr=False)
class ForwardProcess(Value):
    r"""A linear forward SDE :math:`dU = A(t) U dt + \Sigma(t) dB` on k blocks of R^d.

    For k = 1 any f(t) and g(t) are served.  For k = 2 only critically-damped Langevin is: everything
    downstream (`bounds.steps.phase_space`) rests on its closed forms and refuses a process not made by
    `bounds.processes.cld.cld`.

    Parameters
    ----------
    name : str
        What reports call it.
    drift, noise : sympy matrices of shape (k, k)
        A(t) and Σ(t) as functions of `TIME`; each entry acts on a block of R^d.
    clock : sympy expression
        ∫β: the process runs at speed β when A and Σ are constant in the clock's own time (used for k = 2).
    velocity_variance : sympy expression, optional
        v² for k = 2, where U_0 = (X_0, V_0) and V_0 ~ N(0, v² I); None for k = 1.
    parameters : dict
        The coefficients as reports show them; all they decide is in the other fields, so they are not
        compared.

    Raises
    ------
    ValueError
        If the matrices are not k×k, k not 1 or 2, or depend on something else than time.

    Source: arXiv 2311.11003 eq. (2.1) for k = 1; arXiv 2511.02419 for k = 2.
    """

    name: str
    drift: sympy.ImmutableMatrix
    noise: sympy.ImmutableMatrix
    clock: sympy.Expr = TIME
    velocity_variance: sympy.Expr | None = None
    parameters: dict[str, Any] = field(default_factory=dict, compare=False)

    def __post_init__(self):
        for label in ("drift", "noise"):
            matrix = sympy.ImmutableMatrix(getattr(self, label))
            shape = matrix.shape
            if shape not in ((1, 1), (2, 2)) or shape != sympy.ImmutableMatrix(self.drift).shape:
                raise ValueError(f"{label} must be a 1×1 or 2×2 matrix like the drift, got shape {shape}")
            extra = matrix.free_symbols - {TIME}
            if extra:
                raise ValueError(f"{label} must be a function of t alone, got {sorted(map(str, extra))}")
            object.__setattr__(self, label, matrix)

    def __repr__(self):
        given = ", ".join(f"{name}={value!r}" for name, value in self.parameters.items())
        return f"<process {self.name}({given})>"

    @classmethod
    def scalar(cls, name: str, f: Symbolic | float, g_sq: Symbolic | float,
               parameters: dict[str, Any] | None = None) -> ForwardProcess:
        r"""The one-block process :math:`dX = -f(t) X dt + g(t) dB`, from f and g²."""
        f, g_sq = sympy.sympify(f, strict=True), sympy.sympify(g_sq, strict=True)
        drift, noise = sympy.ImmutableMatrix([[-f]]), sympy.ImmutableMatrix([[sympy.sqrt(g_sq)]])
        return cls(name, drift, noise, parameters=parameters or {})

    @property
    def blocks(self) -> int:
        """k: 2 for position and velocity (cld, langevin), 1 for every other process."""
        return self.drift.shape[0]

    @property
    def is_critically_damped(self) -> bool:
        """Whether this is position and velocity whose drift has a double eigenvalue −a: "a" among the parameters."""
        return self.blocks == 2 and "a" in self.parameters

    def _scalar(self) -> None:
        if self.blocks != 1:
            raise ValueError(f"f and g belong to one-block processes; {self.name} has {self.blocks} blocks")

    @cached_property
    def f(self) -> sympy.Expr:
        """The drift f of dX = −f X dt + g dB."""
        self._scalar()
        return -self.drift[0, 0]

    @cached_property
    def g_sq(self) -> sympy.Expr:
        """g², the squared diffusion coefficient."""
        self._scalar()
        return self.noise[0, 0] ** 2

    @cached_property
    def level(self) -> sympy.Rational | None:
        """v where g² = 2vf at all times, v rational: s² is then v(1 − a²); else None."""
        from flint import arb

        from bounds.symbolic.balls import BallFunction, NotEnclosed

        try:
            f, g_sq = BallFunction(self.f), BallFunction(self.g_sq)
        except NotEnclosed:
            return None
        values = [g_sq.interval(arb(t)) / (2 * f.interval(arb(t))) for t in SEVERAL]
        # sympy is asked only where it may be so
        if not all(value.is_finite() and value.overlaps(values[0]) for value in values):
            return None
        level = Fraction(float(values[0])).limit_denominator(LARGEST_DENOMINATOR)
        found = sympy.Rational(level.numerator, level.denominator)
        return found if sympy.expand(self.g_sq - 2 * found * self.f) == 0 else None

    @cached_property
    def integral_f(self) -> Derived:
        """∫_r^τ f."""
        return integral(self.f.subs(TIME, DUMMY), DUMMY, START, END)

    @cached_property
    def integral_g_sq(self) -> Derived:
        """∫_r^τ g²."""
        return integral(self.g_sq.subs(TIME, DUMMY), DUMMY, START, END)

    @cached_property
    def transition(self) -> Derived:
        r""":math:`\Phi(\tau, r) = e^{-\int_r^\tau f}`."""
        inner = self.integral_f
        if inner.route != "closed form":
            return Derived(self._not_worked_out[0], inner.route)
        return Derived(tidy(sympy.exp(-inner.expression)), inner.route)

    @cached_property
    def covariance(self) -> Derived:
        r""":math:`C(\tau, r) = \int_r^\tau \Phi(\tau,u)^2 g(u)^2 du`."""
        inner = self.integral_f
        if inner.route != "closed form":
            return Derived(self._not_worked_out[1], "quadrature")
        # VP in disguise: g² = 2f makes the integrand a derivative
        if tidy(self.g_sq - 2 * self.f) == 0:
            return Derived(tidy(1 - sympy.exp(-2 * inner.expression)), "closed form")
        kernel = sympy.exp(-2 * inner.expression.subs(START, DUMMY)) * self.g_sq.subs(TIME, DUMMY)
        found = integral(kernel, DUMMY, START, END)
        return found if found.route == "closed form" else Derived(self._not_worked_out[1], found.route)

    @cached_property
    def _not_worked_out(self) -> tuple[sympy.Expr, sympy.Expr]:
        """Φ and C as integrals."""
        total = sympy.Integral(self.f.subs(TIME, INNER), (INNER, START, END))
        kernel = sympy.exp(-2 * total.subs(START, DUMMY)) * self.g_sq.subs(TIME, DUMMY)
        return sympy.exp(-total), sympy.Integral(kernel, (DUMMY, START, END))

    @cached_property
    def a(self) -> Derived:
        r""":math:`a(t) = \Phi(t, 0)`: X_t = a X_0 + s Z."""
        return at_start(self.transition, self._not_worked_out[0])

    @cached_property
    def s_sq(self) -> Derived:
        """s²(t) = C(t, 0)."""
        return at_start(self.covariance, self._not_worked_out[1])

    def closed_forms(self) -> dict[str, Derived]:
        """Everything derived, by name, with the route taken."""
        names = ("integral_f", "integral_g_sq", "transition", "covariance", "a", "s_sq")
        return {name: getattr(self, name) for name in names}

    @cached_property
    def _numeric(self):
        return InTime(self.f), InTime(self.g_sq)

    def rounding(self, horizon: float) -> tuple[float, float]:
        """By how much more than a few roundings `f_values` and `g_sq_values` may be off up to a time, relative."""
        f, g_sq = (each.rounding(horizon) for each in self._numeric)
        return f, g_sq

    def f_values(self, times: Array) -> Array:
        """f at ``times`` (any shape); refuses values that are not real and finite."""
        return self._values("f", self._numeric[0], times)

    def g_sq_values(self, times: Array) -> Array:
        """g² at ``times`` (any shape); refuses values that are negative, complex or infinite."""
        values = self._values("g²", self._numeric[1], times)
        if values.size and values.min() < 0:
            at = np.unravel_index(np.argmin(values), values.shape)
            raise ValueError(f"process: g² must be >= 0 on [0, T], got g²({float(times[at]):.6g}) = "
                             f"{float(values[at]):.6g}")
        return values

    @staticmethod
    def _values(label, function, times):
        try:
            with np.errstate(all="ignore"):
                values = np.asarray(function(times))
        except OverflowError:
            raise ValueError(f"process: {label} must be finite on (0, T], its constants leave the range of "
                             "floats") from None
        if np.iscomplexobj(values):
            values = np.where(np.abs(values.imag) > 0, np.nan, values.real)
        # a constant is looked at once
        seen = values.astype(float)
        values = np.broadcast_to(seen, np.shape(times))
        if not np.isfinite(seen.sum()):
            bad = ~np.isfinite(values)
            if bad.any():
                at = tuple(np.argwhere(bad)[0])
                where = "(0, T]" if times[at] > 0 else "[0, T]"
                raise ValueError(f"process: {label} must be real and finite on {where}, got {values[at]} at t "
                                 f"= {float(times[at]):.6g}")
        return values


@dataclass(frozen=True)
class Coefficient:
    """An argument of a family of processes."""

    #: What ``show`` takes where none is given; None if it has to be given.
    example: str | None = None
    #: What a problem file means by leaving it out, as it would be written; None if it must not be left out.
    default: str | float | None = None


@dataclass(frozen=True)
class Family:
    """Processes that differ in their coefficients only, by their key in problem files.

    The docstring of ``make``, which takes the coefficients by name, opens with what the family is.
    """

    key: str
    make: Callable[..., ForwardProcess]
    coefficients: Mapping[str, Coefficient]
    #: The time at which σ = s/a is a level > 0, for arrays, of a family without coefficients; None: it is
    #: sought.
    time_of_level: Callable[[np.ndarray], np.ndarray] | None = None
