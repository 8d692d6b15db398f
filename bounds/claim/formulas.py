"""Formulas and inequalities of a claim: read from text, evaluated for a question in ball arithmetic."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import sympy

from bounds.claim.symbols import LONGEST, SYMBOLS, Numbers
from bounds.symbolic.balls import BallFormula
from bounds.symbolic.expressions import ExpressionError, parse_formula

#: Bits in which formulas are evaluated: what cancels in float64 (e^h − 1 for short steps) does not here.
PRECISION = 128
_RELATION = re.compile(r"<=|>=|<|>")


def formula(text, name: str) -> sympy.Expr:
    """A formula in the symbols of `bounds.claim.symbols`; ``name`` is what an error calls it.

    Raises ExpressionError naming the formula, the requirement and the text.
    """
    return parse_formula(text, {known.name: known.symbol for known in SYMBOLS.values()}, name)


def symbols_of(*expressions: sympy.Expr) -> list[str]:
    """The names of the symbols in expressions, in the order of `bounds.claim.symbols`."""
    used = {str(symbol) for expression in expressions for symbol in expression.free_symbols}
    return [name for name in SYMBOLS if name in used]


@lru_cache(maxsize=256)
def _balls(expression: sympy.Expr) -> BallFormula:
    return BallFormula(expression)


def value(expression: sympy.Expr, numbers: Numbers, name: str):
    """A formula without a step, as an arb; `h` is the longest step.

    Raises ValueError where it is no finite real number.
    """
    known = {symbol: _ball(*(LONGEST.value(numbers) if symbol == "h" else numbers[symbol]))
             for symbol in symbols_of(expression)}
    found = _balls(expression)(**known)
    if not found.is_finite():
        raise ValueError(f"{name} must be a finite real number, got {expression} with {_shown(known)}")
    return found


def values(expression: sympy.Expr, numbers: Numbers, name: str) -> list:
    """A formula at every step, as arbs; steps with equal numbers are evaluated once.

    Raises ValueError where it is no finite real number.
    """
    steps, used = numbers.grid.steps, symbols_of(expression)
    own = [symbol for symbol in used if SYMBOLS[symbol].scope == "step"]
    fixed = {symbol: _ball(*numbers[symbol]) for symbol in used if symbol not in own}
    call = _balls(expression)
    columns = [np.broadcast_to(part, steps).astype(float) for symbol in own for part in numbers[symbol]]
    rows, inverse = (np.unique(np.stack(columns, axis=1), axis=0, return_inverse=True) if own
                     else (np.zeros((1, 0)), np.zeros(steps, dtype=int)))
    found = []
    for row in rows.tolist():
        known = fixed | {symbol: _ball(*row[2 * at : 2 * at + 2]) for at, symbol in enumerate(own)}
        found.append(call(**known))
        if not found[-1].is_finite():
            raise ValueError(f"{name} must be a finite real number in every step, got {expression} with "
                             f"{_shown(known)}")
    return [found[at] for at in inverse.ravel().tolist()]


def _ball(middle, error):
    from flint import arb

    return arb(float(middle), float(error))


def _shown(known: Mapping) -> str:
    return ", ".join(f"{name} = {float(ball.mid()):.6g}" for name, ball in known.items()) or "no symbols"


@dataclass(frozen=True)
class Inequality:
    """A hypothesis such as ``h*L0 <= 1``, in every step where it has a step's symbols."""

    text: str
    difference: sympy.Expr
    strict: bool

    @classmethod
    def parse(cls, text: str, name: str) -> "Inequality":
        """From text with one of < <= > >=; raises ExpressionError naming the hypothesis."""
        sides = _RELATION.split(text) if isinstance(text, str) else ()
        if len(sides) != 2:
            raise ExpressionError(f"{name} must be an inequality with one of < <= > >=, got {text!r}")
        relation = _RELATION.search(text).group()
        left, right = (formula(side, name) for side in sides)
        return cls(text, left - right if "<" in relation else right - left, len(relation) == 1)

    def check(self, setting) -> str | None:
        """Why it does not hold, or None; what rounding leaves open counts as equal."""
        numbers = Numbers(setting)
        steps = any(SYMBOLS[symbol].scope == "step" and symbol != "h" for symbol
                    in symbols_of(self.difference))
        found = (values(self.difference, numbers, self.text) if steps
                 else [value(self.difference, numbers, self.text)])
        for at, gap in enumerate(found):
            if gap > 0 or (self.strict and not gap < 0):
                where = f" in step {at + 1}" if steps else ""
                return f"needs {self.text}, the sides differ by {abs(float(gap.mid())):.6g}{where}"
        return None
