"""A sampler of one's own by formulas: P, Q and the noise's variance in what is known of a step, in balls.

>>> from bounds import Scheme, TimeGrid, own_sampler
>>> sampler = own_sampler("ddim", P="a_r/a", Q="a_r/a*s_sq - sqrt(s_sq*s_sq_r)", noise="0")
>>> scheme = Scheme(sampler, TimeGrid.uniform(1.0, 200))

Formulas are read through the whitelist of problem files, never run as code, and evaluated on balls that hold
the step's numbers: what claim and truth make of them is enclosed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from numbers import Real

import numpy as np
import sympy

from bounds.steps.rule import Rule, Sampler
from bounds.symbolic.balls import BallFormula, BallFunction, NotEnclosed
from bounds.symbolic.expressions import parse_formula

#: Bits in which formulas are evaluated where the route says nothing else.
PRECISION = 128

#: What a formula may contain, with its meaning; a step goes from t down to r.
SYMBOLS = {
    "h": "length of the step, t − r",
    "t": "time at which the step starts, where the score is evaluated",
    "r": "time at which the step ends",
    "f": "f(t), the drift where the step starts",
    "g": "g(t), the diffusion where the step starts",
    "f_r": "f(r), the drift where the step ends",
    "g_r": "g(r), the diffusion where the step ends",
    "F": "∫f over the step",
    "G": "∫g² over the step",
    "E": "∫e^{F(u)}g(u)² du over the step, F(u) the ∫f from r to u",
    "C": "C(t, r): variance of the noise of the forward step, e^{−2F}∫e^{2F(u)}g(u)² du",
    "a": "a(t)",
    "s_sq": "s²(t)",
    "a_r": "a(r)",
    "s_sq_r": "s²(r)",
}
_REAL = {"f", "f_r", "F"}
_POSITIVE = {"h", "t", "a", "a_r"}
_SYMBOLS = {name: sympy.Symbol(name, **{"real" if name in _REAL else "positive" if name in _POSITIVE else
                                        "nonnegative": True}) for name in SYMBOLS}
#: Squares of g, of which the routes know more than of g itself.
_SQUARES = {name: sympy.Symbol(f"{name}_sq", nonnegative=True) for name in ("g", "g_r")}
_PARTS = ("P", "Q", "noise")


class StepRefused(ValueError):
    """A step on which a formula gives no number that a sampler can use."""


@dataclass(frozen=True)
class StepFormulas:
    """P, Q and the noise's variance of a step, as text or numbers, of the sampler ``key``."""

    key: str
    P: str | Real
    Q: str | Real
    noise: str | Real

    @property
    def texts(self) -> dict[str, str | Real]:
        """The formulas as they were given."""
        return {name: getattr(self, name) for name in _PARTS}

    @property
    def silent(self) -> bool:
        """Whether there is no noise at all."""
        return _expressions(self)["noise"] == 0

    def needs(self, defects: bool = False) -> set[str]:
        """Names of the numbers of a step that `values` asks for."""
        used = _expressions(self)
        names = used if defects else _PARTS
        return {str(symbol) for name in names for symbol in used[name].free_symbols}

    def values(self, known: Mapping[str, Sequence], times: Sequence,
               defects: bool = False) -> dict[str, list]:
        """Lists of arb of every step: P, Q, noise, and with ``defects`` c1 = Φ⁻¹ − P and c2 = Φ⁻¹C − Q.

        Parameters
        ----------
        known : mapping
            Balls of every step by the names of `needs`.
        times : sequence
            (t, r) of every step, for messages.

        Raises
        ------
        StepRefused
            Where P, Q or the noise is not finite, or Q or the noise is negative.
        """
        expressions, found = _expressions(self), {}
        for name in expressions if defects else _PARTS:
            found[name] = _balls(expressions[name]).of_columns(known, len(times))
            if not all(value.is_finite() for value in found[name]) or (
                    name in ("Q", "noise") and any(value < 0 for value in found[name])):
                for value, (t, r) in zip(found[name], times, strict=True):
                    self._check(name, value, t, r)
        for name in ("Q", "noise"):
            found[name] = [value if value >= 0 else _not_negative(value) for value in found[name]]
        return found

    def _check(self, name: str, value, t: float, r: float) -> None:
        requirement = None
        if not value.is_finite():
            requirement, shown = "a finite real number", "none"
        elif name in ("Q", "noise") and value < 0:
            requirement, shown = "at least 0", f"{float(value.mid()):.6g}"
        if requirement:
            raise StepRefused(f"sampler {self.key}: {_SHOWN.get(name, name)} must be {requirement} in every "
                              f"step, got {shown} in the step from t = {float(t):.6g} to r = {float(r):.6g}")


@cache
def _made_of() -> dict[sympy.Symbol, sympy.Expr]:
    """What the numbers of a step are made of: a and s² at its start are those at its end moved, so that what cancels in
    their ratios cancels before anything is rounded."""
    decay = sympy.exp(-_SYMBOLS["F"])
    return {_SYMBOLS["a"]: _SYMBOLS["a_r"] * decay, _SYMBOLS["s_sq"]: _SYMBOLS["s_sq_r"] * decay**2 + _SYMBOLS["C"],
            **{_SYMBOLS[name]: sympy.sqrt(square) for name, square in _SQUARES.items()}}


_SHOWN = {"c1": "P", "c2": "Q"}


@lru_cache(maxsize=256)
def _expressions(formulas: StepFormulas) -> dict[str, sympy.Expr]:
    """The formulas in what a step's numbers are made of, and what the exact step has more."""
    parsed = {name: parse_formula(text, _SYMBOLS, f"sampler {formulas.key}: {name}").xreplace(_made_of())
              for name, text in formulas.texts.items()}
    growth = sympy.exp(_SYMBOLS["F"])
    return {**parsed, "c1": growth - parsed["P"], "c2": growth * _SYMBOLS["C"] - parsed["Q"]}


@lru_cache(maxsize=1024)
def _balls(expression: sympy.Expr) -> BallFormula:
    return BallFormula(expression)


@lru_cache(maxsize=256)
def _function(expression: sympy.Expr) -> BallFunction:
    return BallFunction(expression)


def _not_negative(ball):
    """The part of a ball that is not negative; it has one."""
    from flint import arb

    return arb(0).union(arb(ball.upper()))


def coefficients(process, times: Sequence[tuple], needed: set[str]) -> dict[str, list]:
    """f and g² where steps from t to r start and end, in balls, as far as they are ``needed``.

    A function without ball arithmetic is taken at its floats.
    """
    from flint import arb

    found = {}
    for name, expression, at, values in (("f", process.f, 0, process.f_values),
                                         ("g_sq", process.g_sq, 0, process.g_sq_values),
                                         ("f_r", process.f, 1, process.f_values),
                                         ("g_r_sq", process.g_sq, 1, process.g_sq_values)):
        if name in needed:
            places = [float(time[at]) for time in times]
            try:
                function = _function(expression)
                found[name] = ([function.interval(arb(place)) for place in places] if expression.free_symbols
                               else [function.interval(arb(places[0]))] * len(places))
            except NotEnclosed:
                found[name] = [arb(value) for value in values(np.array(places)).tolist()]
    return found


def _exponential_weight(nodes):
    """The integrand of E."""
    return np.exp(nodes.F) * nodes.g_sq


def _exponential_defect(nodes):
    """The integrand of Φ⁻¹C − E."""
    return np.exp(nodes.F) * np.expm1(nodes.F - nodes.F_end) * nodes.g_sq


def _diffusion(nodes, _):
    """g, whose square is the integrand of G."""
    return np.sqrt(nodes.g_sq)


def _is_number(text: str) -> bool:
    """Whether a text is a number, or the name of what is none: as a key it would be taken for one."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def own_sampler(key: str, *, P, Q, noise, source: str = "stated by its formulas") -> Sampler:
    r"""A sampler of one's own, :math:`y' = P y + Q s(t, y) + \sqrt{\mathrm{noise}}\,\xi` with ξ ~ N(0, I).

    Everything that works for a sampler of this package works for it: bounds and exact laws derive from the
    three formulas what else they need.  For processes of one block.

    Parameters
    ----------
    key : str
        What the sampler is called: letters, digits, hyphens, and no number.
    P, Q, noise : str or number
        Formulas in the symbols of `SYMBOLS` (``sgm-bounds list symbols``): the linear coefficient, the
        score's, and the variance of the noise of a step from t down to r.
    source : str
        Where it is from.

    Raises
    ------
    ValueError, TypeError
        Naming the sampler, the argument, the requirement and what came.  A formula that gives no finite
        number on a step, or a negative Q or noise, is refused where that step is asked for.
    """
    if (not isinstance(key, str) or not key.replace("-", "").isalnum() or not key.isascii()
        or _is_number(key)):
        raise ValueError(f"sampler: key must be letters, digits and hyphens, and no number, got {key!r}")
    if not isinstance(source, str) or not source.strip():
        raise TypeError(f"sampler {key}: source must be a text, got {source!r}")
    for name, text in zip(_PARTS, (P, Q, noise), strict=True):
        if isinstance(text, bool) or not isinstance(text, str | Real):
            raise TypeError(f"sampler {key}: {name} must be a formula, text or a number, got "
                            f"{type(text).__name__}")
    formulas = StepFormulas(key, P, Q, noise)
    for expression in _expressions(formulas).values():
        _balls(expression)  # what has no rule in ball arithmetic is refused here
    return Sampler(
        key=key, source=source, what="A step is what its formulas say.",
        exact="Exact where they are the coefficients of the reverse process.", strong_order=None,
        one_block=Rule(drift=None, score_weight=_exponential_weight, score_defect=_exponential_defect,
                       amplitude=_diffusion, formulas=formulas))
