"""What a data law answers for itself, with the defaults that a new one inherits, and how a problem file names
it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import ArrayLike

from bounds.annotations import Array
from bounds.argument import check_type, unit_of
from bounds.assumption import Assumption
from bounds.facts import DataFacts
from closed_form.law_input import error_size, unit_vector

#: Relative slack when a law is held against an assumption's constants.
SLACK = 1e-9
#: Largest dimension that a problem file may ask for.
MAX_DIM = 10_000_000
#: What a value of a data law's key may be: arrays are lists of numbers, or of such lists.
FORMS = ("number", "positive number", "count", "flag", "text", "list of texts", "number or array", "array")


class NoAssumption(ValueError):
    """Nothing is proved about this law; the message says why."""


class NoExactLaw(ValueError):
    """The law of the sampler is not known exactly for this data law; the message says why."""


@dataclass(frozen=True, eq=False)
class Components:
    r"""A law as finitely many Gaussians, :math:`\sum_i w_i N(\mu_i, U_i \mathrm{diag}(\lambda_i) U_i^T)`.

    Attributes
    ----------
    means : array of shape (c, d)
    weights : array of shape (c,)
    spectrum : array of shape (), (d,) or (c, d)
        λ: one number for all directions and components, one for each direction, or one of each component too.
    frame : array of shape (d, d) or (c, d, d), or None
        U, with eigenvectors as columns; None where they are the coordinate axes.
    """

    means: np.ndarray
    weights: np.ndarray
    spectrum: np.ndarray
    frame: np.ndarray | None = None

    def along(self, direction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Means and variances of every component along a unit ``direction`` (d,), both of shape (c,)."""
        turned = direction if self.frame is None else direction @ self.frame
        variances = self.spectrum if self.spectrum.ndim == 0 else (self.spectrum * turned**2).sum(axis=-1)
        return self.means @ direction, np.broadcast_to(variances, self.weights.shape)


@dataclass(frozen=True, eq=False)
class Parts:
    """A law of R^d as independent laws along orthonormal directions and a Gaussian across them.

    Attributes
    ----------
    lines : tuple of Law
        Laws of direction·X, each of dimension 1 with ``components()``.
    directions : array of shape (r, d)
        Their unit directions.
    rest : Gaussian or None
        The law across them, of dimension d − r.
    across : callable
        Coordinates of a vector (d,) in the orthonormal basis of the complement that ``rest`` uses, shape
        (d − r,).
    rounding : float
        How far in W2 the parts together may be from the law.
    """

    lines: tuple
    directions: np.ndarray
    rest: Any = None
    across: Callable[[np.ndarray], np.ndarray] | None = None
    rounding: float = 0.0


@dataclass(frozen=True, eq=False)
class Plane:
    """A law of R^d as a law along a plane and an independent Gaussian across it.

    Attributes
    ----------
    law : Law
        Of dimension 2: the law of directions·X.
    directions : array of shape (2, d)
        Orthonormal.
    rest, across, rounding
        As of `Parts`.
    """

    law: Any
    directions: np.ndarray
    rest: Any = None
    across: Callable[[np.ndarray], np.ndarray] | None = None
    rounding: float = 0.0


class Pushed(Protocol):
    """A law with noise, as samplers see it."""

    def score(self, x: Array) -> Array:
        """∇ log p(x), x and result of shape (n, d)."""


class Law(ABC):
    """A law of the data in dimension d: what is known of it, in closed form.

    A new law defines ``dim``, ``second_moment``, ``mean_norm``, `sample` and `pushed`, and overrides what
    else is known.

    Attributes
    ----------
    dim : int
        d.
    second_moment, mean_norm : float
        E‖X‖², not centred, and ‖E X‖.
    shrinkage : callable or None
        ``(first, energy, a, s_sq, nodes, nested) -> (c, s_1)`` for laws that rotations of the coordinates
        after the first leave as they are: score of the law of aX + √s_sq Z as s_1 along the first axis and −c
        y_i along every other, at y_1/s and Σ_{i>1} y_i²/s², arrays of shape (n,). ``nodes`` and ``nested``
        set its accuracy.
    score_rounding : float
        Relative error that scores of its pushed laws may have.
    notes : tuple of str
        What was mended in what the law was made of, as a user is to read it.
    """

    dim: int
    second_moment: float
    mean_norm: float
    notes: tuple[str, ...] = ()
    shrinkage: ClassVar[Callable[..., Any] | None] = None
    score_rounding: float = 1e-9

    @abstractmethod
    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """``n`` independent draws, shape (n, d)."""

    @abstractmethod
    def pushed(self, a: float, s_sq: float) -> Pushed:
        """Law of aX + √s_sq Z with Z standard normal: an object with ``score(x)``, x and result of shape (n,
        d)."""

    def assumptions(self) -> tuple[Assumption, ...]:
        """What is proved of the law for the theorems, the sharpest first.

        Raises
        ------
        NoAssumption
            Where nothing is.
        """
        raise NoAssumption(f"no assumption is proved for data of type {type(self).__name__}")

    def components(self) -> Components | None:
        """The law as finitely many Gaussians; None if it is not."""
        return None

    def expectation(self) -> Array:
        """E X, of shape (d,).

        Raises
        ------
        NoExactLaw
            If it is not known.
        """
        if (found := self.components()) is not None:
            return found.weights @ found.means
        if self.mean_norm == 0:
            return np.zeros(self.dim)
        raise NoExactLaw("the mean of the data must be known where the sampler starts from it (a(T) = 0), got data of "
                         f"type {type(self).__name__} with ‖E X_0‖ = {self.mean_norm:g}")

    def split(self) -> Parts:
        """The law as independent parts whose samplers are known exactly.

        Raises
        ------
        NoExactLaw
            If it has none.
        """
        raise NoExactLaw(f"no exact law of the sampler is known for data of type {type(self).__name__}")

    def plane(self) -> Plane | None:
        """The law along a plane and across it, for laws that `split` has no parts of; None if there is none."""
        return None

    def table(self) -> dict[str, Any] | None:
        """The table ``data`` of a problem file that names this law; None where a file cannot."""
        return None

    def bias_direction(self) -> Array:
        """Direction of a constant score error unless one is given, a unit vector (d,): along the first line,
        if any.

        Against the mean of a Gaussian whose mean is not 0; the first axis where the law has no parts.
        """
        try:
            parts = self.split()
        except NoExactLaw:
            return np.eye(1, self.dim)[0]
        return parts.directions[0] if parts.lines else parts.rest.bias_direction()

    def bias(self, size: float, direction: ArrayLike | None = None) -> Array:
        """Constant score error of norm ``size`` along ``direction``, or `bias_direction`; shape (d,).

        Raises
        ------
        TypeError, ValueError
            If ``size`` is not a finite number of at least 0, or ``direction`` not finite, non-zero and of
            shape (d,).
        """
        size = error_size("score_error", size)
        if direction is not None:
            return size * unit_vector("direction", direction, self.dim)
        return size * self.bias_direction() if size else np.zeros(self.dim)

    def posterior_moments(self) -> Any:
        """The MMSE curve and its like (`closed_form.posteriors.moments.PosteriorMoments`); None where not
        known."""
        return None

    def posterior(self, u: Array, a: float, s_sq: float) -> Law:
        """Law of X given aX + √s_sq Z = u, for arguments that `closed_form.posterior` has checked.

        Raises
        ------
        ValueError
            Where it is not known.
        """
        raise ValueError(f"law must have a posterior in closed form, got {type(self).__name__}")

    def facts(self, information: str = "all", smoothness: float | None = None) -> DataFacts:
        """What is known of the law beyond its assumption, for the theorems that can use it.

        Parameters
        ----------
        information : str
            "all", or "constants": then only the time regularity and the Gaussian spectrum, which theorems
            need.
        smoothness : float, optional
            L of the assumption in use: the MMSE curve counts from c_lo = 1/(L+q), so with another L it is
            left out.

        Returns
        -------
        DataFacts
        """
        if information == "constants":
            return DataFacts()
        moments = self.posterior_moments()
        if (moments is not None and smoothness is not None
            and abs(smoothness / moments.smoothness - 1) > SLACK):
            moments = None
        return DataFacts(moments=moments, flow_errors=self._flow_errors())

    def _flow_errors(self):
        """What steps along the flow miss; None where the law has no parts whose quantiles are known."""
        from closed_form.posteriors.flow_errors import FlowErrors

        try:
            return FlowErrors.of(self.split())
        except NoExactLaw:
            return None


def proved(law: Law, key: str) -> Assumption:
    """The assumption of that key among those that the law proves.

    Raises
    ------
    ValueError
        If the law proves none of that key, with those that it does.
    """
    check_type("law", law, Law, "a law of the data (Gaussian, GaussianMixture, …)")
    return unit_of("assumption", key, Assumption, {each.key: each for each in law.assumptions()})


@dataclass(frozen=True)
class DataLaw:
    """A law as a problem file names it: the unit that every file of `closed_form.laws` defines as ``LAW``.

    Attributes
    ----------
    key : str
        The value of ``data.law``.
    keys : tuple of str
        What the table of the data may hold besides.
    read : callable
        (section, folder) -> Law, from the table of the data and the folder that its file names are relative
        to. The section is a `verify.problems.section.Section` that also answers ``file``; it makes the errors
        to raise by ``refuse`` and ``fault``.
    by_hand : bool
        Whether a file may state constants of such a law.
    stored : tuple of str
        Keys whose value in the normal form is the attribute of the law, defaults filled in.
    needed : tuple of str
        Keys that have to be given, whatever the others are.
    forms : mapping of str to str
        What the value of a key is, of `FORMS`, as an editor is told; any value where it is not said.
    """

    key: str
    keys: tuple[str, ...]
    read: Callable[[Any, Any], Law]
    by_hand: bool = True
    stored: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()
    forms: Mapping[str, str] = field(default_factory=dict, hash=False)
