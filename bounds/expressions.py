"""Turn the text of f(t), g(t) or beta(t) into an exact sympy expression without ever evaluating the text."""

from __future__ import annotations

import ast
import math
import numbers
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

import sympy

from .deadline import Deadline

MAX_CHARACTERS = 300
MAX_NODES = 200
MAX_DEPTH = 100
MAX_NESTED_CALLS = 5
MAX_DIGITS = 110
MAX_MAGNITUDE = 1e100
MAX_EXPONENT = 20
MAX_BITS = 1000
MAX_SECONDS = 5.0

_SHOWN_CHARACTERS = 60
_ZERO_TO_ROUNDING = 1e-10
_TOKEN = re.compile(
    r"(?P<space>[ \t]+)|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<operator>\*\*|[-+*/^(),])",
    re.ASCII,
)

# name -> (exact function, the same function on floats, which guards the exact one)
_FUNCTIONS: dict[str, tuple[Callable, Callable]] = {
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
}
_CONSTANTS = {"pi": (sympy.pi, math.pi), "e": (sympy.E, math.e), "E": (sympy.E, math.e)}
_OPERATORS: dict[type, Callable] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_UNDEFINED = (sympy.I, sympy.zoo, sympy.oo, -sympy.oo, sympy.nan)
_KNOWN = "pi, e, exp, log, sqrt, sin, cos, tan, cot, sinh, cosh, tanh, abs"


class ExpressionError(ValueError):
    """The text is not an expression this package accepts; the message is one line naming the argument."""


class _Refused(Exception):
    """A reason without the argument's name, which the border adds."""


@dataclass(frozen=True)
class _Value:
    """An exact expression and, when it does not depend on the symbol, its value as a float."""

    exact: sympy.Expr
    constant: float | None


def parse_expression(
    text: str | numbers.Real, symbol: str | sympy.Symbol = "t", *, name: str = "process.f"
) -> sympy.Expr:
    r"""Exact expression in one symbol, for example ``"1/10 + 199/10*t"`` or ``"sqrt(2)*exp(t)"``.

    The text is split by a whitelist of tokens, parsed into a syntax tree that is walked node by node, and
    never evaluated. Accepted: decimal numbers (exact: ``0.1`` is 1/10), the symbol, ``pi``, ``e``,
    ``+ - * / **`` (``^`` means ``**``), parentheses and one-argument
    ``exp log sqrt sin cos tan cot sinh cosh tanh abs``. Length, nesting, sizes of numbers and powers are
    bounded before sympy sees them: that is what keeps building quick. The time limit is a second fence.

    Parameters
    ----------
    text : str or real number
        The expression; an int or a float stands for itself (a float by its shortest decimal form).
    symbol : str or sympy.Symbol, default "t"
        The only free symbol allowed; a string makes ``Symbol(symbol, nonnegative=True)``, a time.
    name : str
        What the error message calls the argument.

    Returns
    -------
    sympy.Expr
        Real wherever it is defined, with rational coefficients and no undefined part.

    Raises
    ------
    ExpressionError
        One line: the argument, the requirement, the offending text.
    """
    variable = symbol if isinstance(symbol, sympy.Symbol) else sympy.Symbol(symbol, nonnegative=True)
    try:
        with Deadline(MAX_SECONDS):
            return _build(text, variable)
    except _Refused as reason:
        why = str(reason)
    except TimeoutError:
        why = f"building it takes longer than {MAX_SECONDS:g} s"
    except Exception:  # the parser's and sympy's own refusals of odd input, whose messages may span lines
        why = "it cannot be turned into an expression"
    raise ExpressionError(f"{name} must be a real function of {variable.name}: {why}; got {_shown(text)}")


def _build(text: object, variable: sympy.Symbol) -> sympy.Expr:
    """The checked expression of a text or a number."""
    if isinstance(text, bool) or not isinstance(text, str | numbers.Real):
        raise _Refused(f"it must be a string or a number, not {type(text).__name__}")
    if not isinstance(text, str):
        return _number(text)
    source = _clean(text, variable.name)
    try:
        tree = ast.parse(source, mode="eval").body
    except SyntaxError:
        raise _Refused("the syntax is wrong") from None
    if sum(isinstance(node, ast.expr) for node in ast.walk(tree)) > MAX_NODES:
        raise _Refused(f"it must have at most {MAX_NODES} parts")
    exact = _walk(tree, variable, source, depth=0, calls=0).exact
    if exact.is_extended_real is False:
        raise _Refused("it is not real")
    return exact


def _number(value: numbers.Real) -> sympy.Expr:
    """The exact rational a number stands for; a float by its shortest decimal form."""
    if isinstance(value, numbers.Rational):
        exact = sympy.Rational(int(value.numerator), int(value.denominator))
    elif math.isfinite(value):
        exact = sympy.Rational(float.__repr__(float(value)))
    else:
        raise _Refused("it must be finite")
    return _checked(exact, _float(lambda: float(exact))).exact


def _clean(text: str, variable: str) -> str:
    """The text with ``^`` written ``**``, after every token has been found in the whitelist."""
    if not text.strip(" \t"):
        raise _Refused("it is empty")
    if len(text) > MAX_CHARACTERS:
        raise _Refused(f"it must have at most {MAX_CHARACTERS} characters, not {len(text)}")
    position, parts, after_number = 0, [], False
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            raise _Refused(f"the character {text[position]!a} is not allowed")
        kind, word = token.lastgroup, token.group()
        if kind == "name":
            if word != variable and word not in _FUNCTIONS and word not in _CONSTANTS:
                raise _Refused(f"{word[:20]!r} is neither {variable} nor one of {_KNOWN}")
            if after_number:
                raise _Refused(f"write a '*' between a number and {word!r}")
        if kind == "number" and len(word) > MAX_DIGITS:
            raise _Refused(f"a number must have at most {MAX_DIGITS} characters")
        after_number = kind == "number"
        parts.append("**" if word == "^" else word)
        position = token.end()
    return "".join(parts).strip(" \t")


def _walk(node: ast.AST, variable: sympy.Symbol, source: str, depth: int, calls: int) -> _Value:
    """The value of one node of the syntax tree; anything that is not on the list is refused."""
    if depth > MAX_DEPTH:
        raise _Refused(f"it is nested more than {MAX_DEPTH} deep")
    if calls > MAX_NESTED_CALLS:
        raise _Refused(f"functions and powers are nested more than {MAX_NESTED_CALLS} deep")
    match node:
        case ast.Constant():
            return _literal(ast.get_source_segment(source, node) or "")
        case ast.Name(id=word) if word == variable.name:
            return _Value(variable, None)
        case ast.Name(id=word) if word in _CONSTANTS:
            return _Value(*_CONSTANTS[word])
        case ast.UnaryOp(op=ast.UAdd() | ast.USub(), operand=inner):
            value = _walk(inner, variable, source, depth + 1, calls)
            sign = 1 if isinstance(node.op, ast.UAdd) else -1
            return _Value(sign * value.exact, None if value.constant is None else sign * value.constant)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            power = isinstance(op, ast.Pow)
            first = _walk(left, variable, source, depth + 1, calls + power)
            second = _walk(right, variable, source, depth + 1, calls + power)
            return _combine(op, first, second)
        case ast.Call(func=ast.Name(id=word), args=[argument], keywords=[]) if word in _FUNCTIONS:
            value = _walk(argument, variable, source, depth + 1, calls + 1)
            return _apply(word, value)
        case ast.Call():
            raise _Refused("a call must be one of the known functions with one argument")
        case ast.Name(id=word):
            raise _Refused(f"the function {word!r} needs an argument in parentheses")
    kind = type(node.op if isinstance(node, ast.BinOp) else node).__name__
    raise _Refused(f"{kind} is not allowed")


def _literal(word: str) -> _Value:
    """The exact rational of a decimal number; its size is checked before the exact value is formed."""
    approximate = _float(lambda: float(word))
    if approximate == 0:  # never form 10**999999999 for "0e-999999999"
        if re.search("[1-9]", re.split("[eE]", word)[0]):
            raise _Refused(f"a constant is smaller than {1 / MAX_MAGNITUDE:g}")
        return _Value(sympy.Integer(0), 0.0)
    return _checked(sympy.Rational(word), approximate)


def _combine(op: ast.operator, first: _Value, second: _Value) -> _Value:
    """``first op second``, guarded so that no huge exact number is ever formed."""
    apply = _OPERATORS[type(op)]
    if isinstance(op, ast.Div) and second.constant is not None:
        exactly_known = second.exact.is_Rational
        if second.exact.is_zero or (not exactly_known and abs(second.constant) < _ZERO_TO_ROUNDING):
            raise _Refused("it divides by zero")
    if isinstance(op, ast.Pow):
        _check_power(first, second)
    both = first.constant is not None and second.constant is not None
    constant = _float(lambda: apply(first.constant, second.constant)) if both else None
    return _checked(apply(first.exact, second.exact), constant)


def _apply(word: str, value: _Value) -> _Value:
    """A known function of a value."""
    exact, approximate = _FUNCTIONS[word]
    constant = None if value.constant is None else _float(lambda: approximate(value.constant))
    if word == "exp" and value.exact.has(sympy.log):  # sympy turns exp(c*log(b)) into b**c
        _check_exponent(value.exact)
    if exact is sympy.Abs and not value.exact.is_extended_real:
        raise _Refused("the argument of abs must be real for every t >= 0")
    return _checked(exact(value.exact), constant)


def _check_power(base: _Value, exponent: _Value) -> None:
    """Refuse a power before sympy forms it: exponent too large, result too long, or not real."""
    if base.constant is None and exponent.constant is None:
        raise _Refused("a power must have a constant base or a constant exponent")
    if base.constant is not None and base.constant < 0 and not exponent.exact.is_integer:
        raise _Refused("a negative number must have an integer exponent")
    if base.exact.is_zero and exponent.constant is None:
        raise _Refused("zero must have a constant exponent")
    _check_exponent(exponent.exact)
    if exponent.constant is None:
        return
    if abs(exponent.constant) > MAX_EXPONENT:
        raise _Refused(f"an exponent must be at most {MAX_EXPONENT} in size")
    if _bits(base.exact) * abs(exponent.constant) > MAX_BITS:
        raise _Refused("a power makes a number too large")


def _check_exponent(exact: sympy.Expr) -> None:
    """Refuse numbers in an exponent that sympy could turn into the power of a number."""
    if any(abs(number) > MAX_EXPONENT for number in exact.atoms(sympy.Rational)):
        raise _Refused(f"a number in an exponent must be at most {MAX_EXPONENT} in size")


def _float(compute: Callable[[], float]) -> float:
    """A constant's value, refused when it is not a finite real of moderate size."""
    try:
        value = compute()
    except OverflowError:
        raise _Refused(f"a constant is larger than {MAX_MAGNITUDE:g}") from None
    except ZeroDivisionError:
        raise _Refused("it divides by zero") from None
    except ValueError:
        raise _Refused("a constant is not a real number") from None
    if isinstance(value, complex) or math.isnan(value):
        raise _Refused("a constant is not a real number")
    if abs(value) > MAX_MAGNITUDE:
        raise _Refused(f"a constant is larger than {MAX_MAGNITUDE:g}")
    if 0 < abs(value) < 1 / MAX_MAGNITUDE:
        raise _Refused(f"a constant is smaller than {1 / MAX_MAGNITUDE:g}")
    return value


def _checked(exact: sympy.Expr, constant: float | None) -> _Value:
    """The value, refused when sympy found it undefined, not real, or full of huge numbers."""
    if exact.has(*_UNDEFINED):
        raise _Refused("it is undefined or not real")
    if _bits(exact) > MAX_BITS:
        raise _Refused("it contains a number with too many digits")
    for power in exact.atoms(sympy.Pow):
        if power.exp.is_Rational and abs(power.exp) > MAX_EXPONENT and not power.base.is_Rational:
            raise _Refused(f"an exponent must be at most {MAX_EXPONENT} in size")
    if constant is None and not exact.free_symbols:  # the symbol cancelled, as in 9 + t - t
        constant = _float(lambda: float(exact))
    return _Value(exact, float(exact) if exact.is_Rational else constant)


def _bits(exact: sympy.Expr) -> int:
    """Length of the longest numerator or denominator inside an expression."""
    rationals = exact.atoms(sympy.Rational)
    return max((max(int(abs(r.p)).bit_length(), int(r.q).bit_length()) for r in rationals), default=0)


def _shown(text: object) -> str:
    """The offending text on one line, escaped and shortened."""
    if not isinstance(text, str | float) and (not isinstance(text, int) or text.bit_length() > MAX_BITS):
        return type(text).__name__
    whole = ascii(text[: 4 * _SHOWN_CHARACTERS] if isinstance(text, str) else text)
    return whole if len(whole) <= _SHOWN_CHARACTERS else whole[: _SHOWN_CHARACTERS - 3] + "..."
