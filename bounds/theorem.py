"""What a theorem is: a statement in sympy, hypotheses to check, a second derivation, and numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import sympy

from bounds.argument import check_type
from bounds.bound import EARLY_STOPPING, Bound
from bounds.leading import Leading
from bounds.process import ForwardProcess
from bounds.sampler import Scheme
from bounds.setting import Setting
from bounds.stated import Stated
from bounds.symbolic.expressions import numpy_function


class NotApplicable(ValueError):
    """A theorem (its key) was asked for where hypotheses do not hold: ``unmet`` has a line for each."""

    theorem: str
    unmet: tuple[str, ...]

    def __init__(self, theorem: str, unmet: Iterable[str]):
        self.theorem, self.unmet = theorem, tuple(unmet)
        super().__init__(f"{theorem} does not apply: " + "; ".join(self.unmet))


@dataclass(frozen=True)
class Source:
    """Where a theorem is from."""

    paper: str
    where: str
    arxiv: str | None = None

    def __str__(self):
        return f"{self.paper}, {self.where}" + (f" (arXiv {self.arxiv})" if self.arxiv else "")


@dataclass(frozen=True)
class Condition:
    """A hypothesis: ``check`` returns None where it holds, and what is wrong where it does not."""

    name: str
    statement: str
    check: Callable[[Setting], str | None]


@dataclass(frozen=True)
class Domain:
    """Where a theorem is stated, as keys (empty: anywhere): problems that test it are drawn from there, with the
    parameters of samplers that are named drawn too."""

    process: tuple[str, ...] = ()
    sampler: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    grid: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()

    parts: ClassVar[tuple[str, ...]] = ("process", "sampler", "data", "grid")

    @staticmethod
    def known(part: str) -> tuple[str, ...]:
        """Every key there is of a part."""
        from bounds.assumptions import assumptions
        from bounds.processes import families
        from bounds.samplers import samplers

        if part == "grid":
            return "uniform", "geometric", "list"
        return tuple({"process": families, "sampler": samplers, "data": assumptions}[part]())

    def named(self) -> list[tuple[str, tuple[str, ...]]]:
        """The parts that are restricted, with their keys."""
        return [(part, getattr(self, part)) for part in self.parts if getattr(self, part)]


@dataclass(frozen=True)
class Case:
    """A setting on which a theorem is tested: how loose it may be, and which statements matter there.

    Attributes
    ----------
    process, scheme : callable
        () -> the process, the scheme.
    law : callable
        (module of laws) -> the data; called with `closed_form.laws`, which this package does not import.
    information : str
        "all" or "constants": what the bound may know of the data.
    ratio_ceiling : float
        Largest bound/exact allowed.
    decisive : mapping of str to float
        Statement key -> factor: with that statement multiplied by it, the total must fall below the exact W2.
    """

    name: str
    process: Callable[[], ForwardProcess]
    law: Callable[[Any], Any]
    scheme: Callable[[], Scheme]
    score_error: float = 0.0
    score_noise: float = 0.0
    information: str = "all"
    ratio_ceiling: float = np.inf
    decisive: dict[str, float] = field(default_factory=dict)


def gaussian(variance, dim: int = 1, mean: float = 0.0) -> Callable[[Any], Any]:
    """The law of a case: N(mean (1, …, 1), variance I)."""
    return lambda laws: laws.Gaussian(np.full(dim, mean), variance)


@dataclass(frozen=True)
class Theorem:
    """One result of the literature, or ours: one file in `bounds.theorems`.

    Attributes
    ----------
    key, title : str
    source : Source
    kind : str
        "upper" (W2 is at most) or "lower" (W2 of this sampler is at least).
    statement : str
        The inequality in LaTeX; each named expression of ``stated`` completes it.
    symbols : dict of str to str
        Every symbol of ``stated`` with its meaning.
    conditions : tuple of Condition
        The hypotheses, which `unmet` checks.
    stated : mapping of str to sympy expression
        What the formula is made of, as stated, in a form that does not cancel; a `bounds.stated.Stated` is built
        when it is first read.  ``evaluate`` gets them as functions of numbers; suprema and integrals that are no
        expression (gao2025's initial distance, θ and ω) it computes itself.
    derive : callable or None
        () -> the same expressions rebuilt from lemmas; None where the statement is taken as it is.
    evaluate : callable
        (Setting, functions) -> Bound, where ``functions`` are the lambdified ``stated``.
    derivation : str
        One sentence: how ``derive`` gets there.
    cases : tuple of Case
        Settings on which it is tested.
    leading : callable, optional
        () -> `bounds.leading.Leading`: the statement to leading order in the step, from which
        `bounds.complexity.orders` derives the orders.
    domain : Domain
        Where it is stated.
    ingredients : callable, optional
        (Setting, functions) -> Ingredients, for theorems whose value is the error recursion.
    in_balls : callable, optional
        (Setting, formulas, precision) -> `bounds.certified.one_block.InBalls`, for theorems that
        `bounds.certified` can prove to the last digit; ``formulas`` are the ``stated`` in ball arithmetic.
    any_start : bool
        Whether its initial term serves every Gaussian that a sampler starts from, and not N(0, vI) alone.
    """

    key: str
    title: str
    kind: str
    source: Source
    statement: str
    symbols: dict[str, str]
    conditions: tuple[Condition, ...]
    stated: Mapping[str, sympy.Expr]
    derive: Callable[[], Mapping[str, sympy.Expr]] | None
    evaluate: Callable[[Setting, Any], Bound]
    derivation: str = ""
    cases: tuple[Case, ...] = ()
    leading: Callable[[], Leading] | None = None
    ingredients: Callable[[Setting, Any], Any] | None = None
    in_balls: Callable[..., Any] | None = None
    domain: Domain = Domain()
    any_start: bool = False

    def __reduce__(self):
        """A theorem of the registry by its key, any other by its fields: a process of a pool gets either."""
        from bounds.theorems import theorems

        if theorems().get(self.key) is self:
            return _registered, (self.key,)
        return type(self), tuple(getattr(self, each.name) for each in fields(self))

    @cached_property
    def functions(self) -> Mapping[str, Callable[..., Any]]:
        """The stated expressions as vectorised numpy functions of their symbols, by name."""
        ahead = self.stated.functions if isinstance(self.stated, Stated) else None
        return ahead or {name: _Function(expression) for name, expression in self.stated.items()}

    @cached_property
    def formulas(self) -> Mapping[str, Callable[..., Any]]:
        """The same in ball arithmetic, each made when it is first asked for."""
        from bounds.certified.data import Formulas

        return Formulas(self.stated)

    def unmet(self, setting: Setting) -> tuple[str, ...]:
        """The hypotheses that do not hold, one line each (empty: the theorem applies)."""
        if (asked := setting.scheme.score_times) is not None:
            return (f"score in time: no bound is known where scores of other times than the state's are asked for "
                    f"(score_times), got {len(asked)} times",)
        found = ((condition.name, condition.check(setting)) for condition in self.conditions)
        lines = tuple(f"{name}: {problem}" for name, problem in found if problem is not None)
        scheme = setting.scheme
        if self.any_start or scheme.is_isotropic:
            return lines
        given = "prior_mean" if scheme.prior_covariance is None else "prior_covariance"
        return (*lines, f"start: stated for a prior N(0, vI), got {given} = {getattr(scheme, given).tolist()!r:.40}")

    def bound(self, setting: Setting) -> Bound:
        """The theorem at numbers; raises `NotApplicable`, naming each hypothesis that is not met."""
        check_type("setting", setting, Setting, "a Setting")
        if unmet := self.unmet(setting):
            raise NotApplicable(self.key, unmet)
        with np.errstate(over="ignore"):
            found = self.evaluate(setting, self.functions)
            if self.kind == "upper" and np.any(left := setting.left_of_mean):
                found = found.added(EARLY_STOPPING, left)
        if unproved := setting.table.path.unproved:
            said = f"not enclosed: {unproved}"
            estimated = "; ".join(filter(None, (found.estimated, said)))
            return replace(found, notes=(*found.notes, said), estimated=estimated)
        return found

    def certified(self, setting: Setting, precision: int = 128) -> Bound:
        """As `bound`, in ball arithmetic of so many bits: every digit is proved.

        Raises
        ------
        NotApplicable
        bounds.certified.data.NotCertified
            If something that the bound needs has no proof in ball arithmetic.
        """
        from bounds.certified.bound import certified_bound
        from bounds.certified.data import NotCertified

        check_type("setting", setting, Setting, "a Setting")
        if unmet := self.unmet(setting):
            raise NotApplicable(self.key, unmet)
        if np.any(setting.left_of_mean):
            raise NotCertified("certified needs early_stop = 0 or data of mean 0 where the sampler starts from their mean "
                               f"(a(T) = 0), got early_stop {setting.scheme.grid.early_stop:g}")
        return certified_bound(self, setting, precision)

    @cached_property
    def derived(self) -> dict[str, sympy.Expr]:
        """What ``derive`` finds, derived once; nothing where the statement is taken as it is."""
        return self.derive() if self.derive else {}

    def agreement(self) -> dict[str, bool]:
        """Whether each stated expression is the one derived, to thirty digits; False for one alone, and
        nothing where nothing is derived."""
        return dict(self._agreement)

    @cached_property
    def _agreement(self) -> dict[str, bool]:
        from bounds.symbolic.agreement import agrees

        stated, derived = self.stated, self.derived
        if self.derive is None:
            return {}
        return {name: name in stated and name in derived and agrees(stated[name], derived[name])
                for name in {**stated, **derived}}

    def corrupted(self, name: str, factor: float | str) -> Theorem:
        """The same theorem with one stated expression multiplied by ``factor``: for testing the tests."""
        return replace(self, stated={**self.stated, name: sympy.Rational(str(factor)) * self.stated[name]})

    def latex(self) -> str:
        """The statement and its expressions in LaTeX."""
        lines = (rf"\mathrm{{{name.replace('_', chr(92) + ' ')}}} &= {sympy.latex(expression)}"
                 for name, expression in self.stated.items())
        return "\n".join((self.statement, *lines))


def _registered(key: str) -> Theorem:
    from bounds.theorems import theorems

    return theorems()[key]


class _Function:
    """A sympy expression called by keyword: ``function(P=…, Q=…)``, ignoring what it does not need."""

    def __init__(self, expression):
        self.expression = expression

    @cached_property
    def _made(self):
        symbols = tuple(sorted(self.expression.free_symbols, key=str))
        return [str(symbol) for symbol in symbols], numpy_function(symbols, self.expression)

    def __call__(self, **values):
        names, call = self._made
        return call(*(values[name] for name in names))
