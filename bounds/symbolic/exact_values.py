"""Exact values beside their floats, so that no huge exact number is ever formed."""

import ast
import math
import numbers
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

import sympy

MAX_MAGNITUDE = 1e100
MAX_EXPONENT = 20
MAX_BITS = 1000

_ZERO_TO_ROUNDING = 1e-10


def _jump(x: sympy.Expr) -> sympy.Expr:
    """0 before x = 0, 1 after it; ½ there, a value that no integral sees."""
    return (1 + sympy.sign(x)) / 2


# name -> (exact function, the same function on floats, which guards the exact one)
FUNCTIONS: dict[str, tuple[Callable, Callable]] = {
    "exp": (sympy.exp, lambda x: math.exp(x) or 1e-320),  # too small, not zero
    "log": (sympy.log, math.log),
    "sqrt": (sympy.sqrt, math.sqrt),
    "sin": (sympy.sin, math.sin),
    "cos": (sympy.cos, math.cos),
    "tan": (sympy.tan, math.tan),
    "cot": (sympy.cot, lambda x: 1.0 / math.tan(x)),
    "sinh": (sympy.sinh, math.sinh),
    "cosh": (sympy.cosh, math.cosh),
    "tanh": (sympy.tanh, math.tanh),
    "abs": (sympy.Abs, abs),
    "Abs": (sympy.Abs, abs),
    "sign": (sympy.sign, lambda x: float((x > 0) - (x < 0))),
    "heaviside": (_jump, lambda x: ((x > 0) - (x < 0) + 1) / 2),
    "Heaviside": (_jump, lambda x: ((x > 0) - (x < 0) + 1) / 2),
    "log10": (lambda x: sympy.log(x) / sympy.log(10), math.log10),
    "sigmoid": (lambda x: 1 / (1 + sympy.exp(-x)), lambda x: 1 / (1 + (math.exp(-x) if x < 700 else 1e300)))}
#: Those of a real argument only.
OF_REALS = ("abs", "Abs", "sign", "heaviside", "Heaviside")
#: Functions of two or more arguments.
SEVERAL: dict[str, tuple[Callable, Callable]] = {
    "Max": (sympy.Max, max), "Min": (sympy.Min, min), "max": (sympy.Max, max), "min": (sympy.Min, min)}
CONSTANTS = {"pi": (sympy.pi, math.pi), "e": (sympy.E, math.e), "E": (sympy.E, math.e)}
OPERATORS: dict[type, Callable] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow}
COMPARISONS: dict[type, Callable] = {ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
                                     ast.GtE: operator.ge}
_UNDEFINED = (sympy.I, sympy.zoo, sympy.oo, -sympy.oo, sympy.nan)


class Refused(Exception):
    """A reason without the argument's name, which the border adds."""


@dataclass(frozen=True)
class ExactValue:
    """An exact expression and, when it does not depend on the symbol, its value as a float."""

    exact: sympy.Expr
    constant: float | None


def from_number(value: numbers.Real) -> sympy.Expr:
    """The exact rational a number stands for; a float by its shortest decimal form."""
    if isinstance(value, numbers.Rational):
        exact = sympy.Rational(int(value.numerator), int(value.denominator))
    elif math.isfinite(value):
        exact = sympy.Rational(float.__repr__(float(value)))
    else:
        raise Refused("it must be finite")
    return _checked(exact, _float(lambda: float(exact))).exact


def from_decimal(word: str) -> ExactValue:
    """The exact rational of a decimal number; its size is checked before the exact value is formed."""
    approximate = _float(lambda: float(word))
    if approximate == 0:  # never form 10**999999999 for "0e-999999999"
        if re.search("[1-9]", re.split("[eE]", word)[0]):
            raise Refused(f"a constant is smaller than {1 / MAX_MAGNITUDE:g}")
        return ExactValue(sympy.Integer(0), 0.0)
    return _checked(sympy.Rational(word), approximate)


def combined(op: ast.operator, first: ExactValue, second: ExactValue, formula: bool = False) -> ExactValue:
    """``first op second``, guarded so that no huge exact number is ever formed; a ``formula`` may have a
    power of symbols to symbols."""
    apply = OPERATORS[type(op)]
    if isinstance(op, ast.Div) and second.constant is not None:
        exactly_known = second.exact.is_Rational
        if second.exact.is_zero or (not exactly_known and abs(second.constant) < _ZERO_TO_ROUNDING):
            raise Refused("it divides by zero")
    if isinstance(op, ast.Pow):
        _check_power(first, second, formula)
    both = first.constant is not None and second.constant is not None
    constant = _float(lambda: apply(first.constant, second.constant)) if both else None
    return _checked(apply(first.exact, second.exact), constant)


def applied(word: str, value: ExactValue, formula: bool = False) -> ExactValue:
    """A known function of a value; whether the argument of abs is real, a ``formula`` shows where it is
    evaluated."""
    exact, approximate = FUNCTIONS[word]
    constant = None if value.constant is None else _float(lambda: approximate(value.constant))
    if word == "sigmoid":
        _check_exponent(value.exact)
    if word == "exp" and value.exact.has(sympy.log):  # sympy turns exp(c*log(b)) into b**c
        _check_exponent(value.exact)
    if word in OF_REALS and not formula:
        _check_real(value.exact, f"the argument of {word}")
    return _checked(exact(value.exact), constant)


def extreme(word: str, values: list[ExactValue], formula: bool = False) -> ExactValue:
    """The largest or the smallest of several values; whether they are real, a ``formula`` shows where it is
    evaluated."""
    exact, approximate = SEVERAL[word]
    if not formula:
        for value in values:
            _check_real(value.exact, f"the argument of {word}")
    constants = [value.constant for value in values]
    return _checked(exact(*(value.exact for value in values)),
                    None if None in constants else approximate(constants))


def compared(op: ast.cmpop, first: ExactValue, second: ExactValue) -> sympy.Basic:
    """``first op second`` as a condition."""
    for value in (first, second):
        _check_real(value.exact, "what a condition compares")
    return COMPARISONS[type(op)](first.exact, second.exact)


def chosen(conditions: list, value: ExactValue, otherwise: ExactValue) -> ExactValue:
    """``value`` where all of ``conditions`` hold, else ``otherwise``."""
    exact = value.exact
    rest = otherwise.exact
    for condition in conditions[::-1]:
        others = rest.args if isinstance(rest, sympy.Piecewise) else [(rest, True)]
        exact = sympy.Piecewise((exact, condition), *others)
    return _checked(exact, None)


def _check_real(exact: sympy.Expr, word: str) -> None:
    """Refuse what may not be real where a sign is asked."""
    if not exact.is_extended_real:
        raise Refused(f"{word} must be real for every t >= 0")


def _check_power(base: ExactValue, exponent: ExactValue, formula: bool) -> None:
    """Refuse a power before sympy forms it: exponent too large, result too long, or not real."""
    if base.constant is None and exponent.constant is None and not formula:
        raise Refused("a power must have a constant base or a constant exponent")
    if base.constant is not None and base.constant < 0 and not exponent.exact.is_integer:
        raise Refused("a negative number must have an integer exponent")
    if base.exact.is_zero and exponent.constant is None:
        raise Refused("zero must have a constant exponent")
    _check_exponent(exponent.exact)
    if exponent.constant is None:
        return
    if abs(exponent.constant) > MAX_EXPONENT:
        raise Refused(f"an exponent must be at most {MAX_EXPONENT} in size")
    if _bits(base.exact) * abs(exponent.constant) > MAX_BITS:
        raise Refused("a power makes a number too large")


def _check_exponent(exact: sympy.Expr) -> None:
    """Refuse numbers in an exponent that sympy could turn into the power of a number."""
    if any(abs(number) > MAX_EXPONENT for number in exact.atoms(sympy.Rational)):
        raise Refused(f"a number in an exponent must be at most {MAX_EXPONENT} in size")


def _float(compute: Callable[[], float]) -> float:
    """A constant's value, refused when it is not a finite real of moderate size."""
    try:
        value = compute()
    except OverflowError:
        raise Refused(f"a constant is larger than {MAX_MAGNITUDE:g}") from None
    except ZeroDivisionError:
        raise Refused("it divides by zero") from None
    except ValueError:
        raise Refused("a constant is not a real number") from None
    if isinstance(value, complex) or math.isnan(value):
        raise Refused("a constant is not a real number")
    if abs(value) > MAX_MAGNITUDE:
        raise Refused(f"a constant is larger than {MAX_MAGNITUDE:g}")
    if 0 < abs(value) < 1 / MAX_MAGNITUDE:
        raise Refused(f"a constant is smaller than {1 / MAX_MAGNITUDE:g}")
    return value


def _checked(exact: sympy.Expr, constant: float | None) -> ExactValue:
    """The value, refused when sympy found it undefined, not real, or full of huge numbers."""
    if exact.has(*_UNDEFINED):
        raise Refused("it is undefined or not real")
    if _bits(exact) > MAX_BITS:
        raise Refused("it contains a number with too many digits")
    for power in exact.atoms(sympy.Pow):
        if power.exp.is_Rational and abs(power.exp) > MAX_EXPONENT and not power.base.is_Rational:
            raise Refused(f"an exponent must be at most {MAX_EXPONENT} in size")
    if constant is None and not exact.free_symbols:  # the symbol cancelled, as in 9 + t - t
        constant = _float(lambda: float(exact))
    return ExactValue(exact, float(exact) if exact.is_Rational else constant)


def _bits(exact: sympy.Expr) -> int:
    """Length of the longest numerator or denominator inside an expression."""
    rationals = exact.atoms(sympy.Rational)
    return max((max(int(abs(r.p)).bit_length(), int(r.q).bit_length()) for r in rationals), default=0)
