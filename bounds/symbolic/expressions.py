"""Turn the text of f(t), g(t) or beta(t) into an exact sympy expression without ever evaluating the text."""

import ast
import numbers
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from itertools import pairwise

import sympy

from bounds.symbolic.deadline import Deadline
from bounds.symbolic.exact_values import (
    COMPARISONS,
    CONSTANTS,
    FUNCTIONS,
    MAX_BITS,
    OPERATORS,
    SEVERAL,
    ExactValue,
    Refused,
    applied,
    chosen,
    combined,
    compared,
    extreme,
    from_decimal,
    from_number,
)
from bounds.symbolic.integrals import TIME
from bounds.symbolic.own_function import own_function
from bounds.symbolic.piecewise_constant import PiecewiseConstant
from bounds.symbolic.piecewise_linear import PiecewiseLinear

#: Of a coefficient of time, and of a formula in many symbols.
MAX_CHARACTERS, MAX_FORMULA_CHARACTERS = 300, 2000
MAX_NODES, MAX_FORMULA_NODES = 200, 600
MAX_DEPTH = 100
MAX_NESTED_CALLS = 5
MAX_DIGITS = 110
MAX_SECONDS = 5.0

_SHOWN_CHARACTERS = 60
_TOKEN = re.compile(
    r"(?P<space>[ \t]+)|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<comparison>[<>]=?)|(?P<operator>\*\*|[-+*/^(),])",
    re.ASCII)
#: What formulas in papers are written with, and what to write for it here.
_WRITTEN = {"√": "sqrt(…)", "α": "alpha", "σ": "sigma", "·": "*", "×": "*", "−": "-", "²": "^2", "≤": "<=",
            "≥": ">="}
_KNOWN = "pi, e, exp, log, log10, sqrt, sin, cos, tan, cot, sinh, cosh, tanh, sigmoid, abs, sign, heaviside"
#: What chooses between values, in a coefficient only.
_CHOOSING = ("if", "else", "where", "piecewise", "Piecewise", "True")


class ExpressionError(ValueError):
    """The text is not an expression this package accepts; the message is one line naming the argument."""


@dataclass(frozen=True)
class _Grammar:
    """What may be written: a coefficient in one symbol, or a formula in many."""

    symbols: Mapping[str, sympy.Symbol]
    characters: int = MAX_CHARACTERS
    nodes: int = MAX_NODES
    formula: bool = False

    @property
    def known(self) -> str:
        """The symbols and functions, for the refusal of another name."""
        if self.formula:
            return f"one of {', '.join(self.symbols)}, nor of {_KNOWN}, Max, Min"
        return f"{' '.join(self.symbols)} nor one of {_KNOWN}, max, min, if, piecewise"


def parse_expression(text: str | numbers.Real, symbol: str | sympy.Symbol = "t", *,
                     name: str = "process.f") -> sympy.Expr:
    r"""Exact expression in one symbol, for example ``"1/10 + 199/10*t"`` or ``"sqrt(2)*exp(t)"``.

    The text is split by a whitelist of tokens, parsed into a syntax tree that is walked node by node, and
    never evaluated. Accepted: decimal numbers (exact: ``0.1`` is 1/10), the symbol, ``pi``, ``e``,
    ``+ - * / **`` (``^`` means ``**``), parentheses, one-argument
    ``exp log log10 sqrt sin cos tan cot sinh cosh tanh sigmoid abs sign heaviside``, ``max`` and ``min`` of two or
    more, and choices: ``if(t < 1, 2, 3)``, ``2 if t < 1 else 3`` and ``piecewise(t < 1, 2, t < 3, 4, 5)``, whose
    conditions compare by ``< <= > >=``. Length, nesting, sizes of numbers and powers are
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
    return _parsed(text, _Grammar({variable.name: variable}),
                   f"{name} must be a real function of {variable.name}")


def parse_formula(text: str | numbers.Real, symbols: Mapping[str, sympy.Symbol], name: str) -> sympy.Expr:
    """Exact expression in many symbols, by the rules of `parse_expression`.

    A power may have both base and exponent in symbols, and ``Max`` and ``Min`` take two or more arguments.

    Parameters
    ----------
    text : str or real number
    symbols : mapping of str to sympy.Symbol
        Every symbol that may be used.
    name : str
        What the error message calls the formula.

    Raises
    ------
    ExpressionError
        One line: the formula, the requirement, the offending text.
    """
    grammar = _Grammar(symbols, MAX_FORMULA_CHARACTERS, MAX_FORMULA_NODES, formula=True)
    return _parsed(text, grammar, f"{name} must be a formula in known symbols")


def _parsed(text, grammar: _Grammar, requirement: str) -> sympy.Expr:
    try:
        with Deadline(MAX_SECONDS):
            return _build(text, grammar)
    except Refused as reason:
        why = str(reason)
    except TimeoutError:
        why = f"building it takes longer than {MAX_SECONDS:g} s"
    except Exception:  # the parser's and sympy's own refusals of odd input, whose messages may span lines
        why = "it cannot be turned into an expression"
    raise ExpressionError(f"{requirement}: {why}; got {_shown(text)}")


def real_function(name: str, value) -> sympy.Expr:
    """A coefficient as an expression in `TIME` alone, from an expression, a number, text or a callable.

    Raises ValueError if it depends on something else, or the text is refused by `parse_expression`.
    """
    if callable(value) and not isinstance(value, sympy.Basic):
        return own_function(name, value)
    return _of_text(name, value) if isinstance(value, str) else _real_function(name, value)


@lru_cache(maxsize=256)
def _of_text(name: str, text: str) -> sympy.Expr:
    """What a text says, read once: processes are made again and again."""
    return _real_function(name, text)


def _real_function(name: str, value) -> sympy.Expr:
    if isinstance(value, sympy.Expr):
        expression = value.subs({symbol: TIME for symbol in value.free_symbols if symbol.name == "t"})
    else:
        expression = parse_expression(value, TIME, name=f"process.{name}")
    extra = {str(s) for s in expression.free_symbols - {TIME}}
    if extra:
        raise ValueError(f"{name} must be a function of t alone, got also {', '.join(sorted(extra))}")
    return expression.replace(lambda part: part.is_Mul, _with_signs)


def _with_signs(product: sympy.Mul) -> sympy.Expr:
    """|x|/x and x/|x| written as the sign of x: finite at 0, where a quotient is not."""
    factors = list(product.args)
    for factor in product.args:
        base, exponent = factor.as_base_exp()
        if not (isinstance(base, sympy.Abs) and exponent in (1, -1)):
            continue
        for sign in (1, -1):
            other = (sign * base.args[0]) ** -exponent
            if other in factors:
                factors.remove(factor)
                factors[factors.index(other)] = sign * sympy.sign(base.args[0])
                break
    return sympy.Mul(*factors)


def exact(number) -> sympy.Expr:
    """An exact number: decimals as they are written (0.1 is 1/10), sympy's numbers as they are."""
    return number if isinstance(number, sympy.Expr) else sympy.Rational(str(number))


def for_numbers(expression: sympy.Expr) -> sympy.Expr:
    """The expression with floats for what is made of exact numbers with too many digits for numpy."""
    if isinstance(expression, PiecewiseLinear | PiecewiseConstant):
        return expression
    if all(max(abs(number.p), number.q) < 2**63 for number in expression.atoms(sympy.Rational)):
        return expression
    return expression.n(17) if expression.is_number else expression.func(*map(for_numbers, expression.args))


@lru_cache(maxsize=1024)
def numpy_function(symbols: tuple[sympy.Symbol, ...], expression: sympy.Expr) -> Callable:
    """The expression as a numpy function of its symbols, made once: processes and theorems are made again and
    again."""
    if isinstance(expression, sympy.Rational):  # sympy's printers take a twentieth of a second to import
        number = int(expression) if expression.is_Integer else int(expression.p) / int(expression.q)
        return lambda *_: number
    return sympy.lambdify(symbols, expression, modules="numpy", cse=True)


def _build(text: object, grammar: _Grammar) -> sympy.Expr:
    """The checked expression of a text or a number."""
    if isinstance(text, bool) or not isinstance(text, str | numbers.Real):
        raise Refused(f"it must be a string or a number, not {type(text).__name__}")
    if not isinstance(text, str):
        return from_number(text)
    source = _clean(text, grammar)
    try:
        tree = ast.parse(source, mode="eval").body
    except SyntaxError:
        raise Refused("the syntax is wrong") from None
    if sum(isinstance(node, ast.expr) for node in ast.walk(tree)) > grammar.nodes:
        raise Refused(f"it must have at most {grammar.nodes} parts")
    exact = _walk(tree, grammar, source, depth=0, calls=0).exact
    if exact.is_extended_real is False:
        raise Refused("it is not real")
    return exact


def _clean(text: str, grammar: _Grammar) -> str:
    """The text with ``^`` written ``**``, after every token has been found in the whitelist."""
    if not text.strip(" \t"):
        raise Refused("it is empty")
    if len(text) > grammar.characters:
        raise Refused(f"it must have at most {grammar.characters} characters, not {len(text)}")
    position, parts, after_number, after_value = 0, [], False, False
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None or (token.lastgroup == "comparison" and grammar.formula):
            instead = _WRITTEN.get(text[position]) if grammar.formula else None
            raise Refused(f"the character {text[position]!a} is not allowed"
                          + (f", write {instead}" if instead else ""))
        kind, word = token.lastgroup, token.group()
        if kind == "name":
            known = word in grammar.symbols or word in FUNCTIONS or word in CONSTANTS
            if not (known or word in SEVERAL or (word in _CHOOSING and not grammar.formula)):
                raise Refused(f"{word[:20]!r}{_meant(word[:20], grammar)} is neither {grammar.known}")
            if after_number:
                raise Refused(f"write a '*' between a number and {word!r}")
        if kind == "number" and len(word) > MAX_DIGITS:
            raise Refused(f"a number must have at most {MAX_DIGITS} characters")
        after_number = kind == "number"
        # Python's own if stands behind a value
        parts.append("where" if word == "if" and not after_value else "**" if word == "^" else word)
        if kind != "space":
            after_value = word == ")" or (kind in ("name", "number") and word not in ("if", "else"))
        position = token.end()
    return "".join(parts).strip(" \t")


def _meant(word: str, grammar: _Grammar) -> str:
    """The symbol of a formula that a misspelt one may stand for, as a question, or ""."""
    names = {name.lower(): name for name in reversed(grammar.symbols)} if grammar.formula else {}
    close = get_close_matches(word.lower(), names, n=1, cutoff=0.7)
    return f" ({names[close[0]]}?)" if close else ""


def _walk(node: ast.AST, grammar: _Grammar, source: str, depth: int, calls: int) -> ExactValue:
    """The value of one node of the syntax tree; anything that is not on the list is refused."""
    if depth > MAX_DEPTH:
        raise Refused(f"it is nested more than {MAX_DEPTH} deep")
    if calls > MAX_NESTED_CALLS:
        raise Refused(f"functions and powers are nested more than {MAX_NESTED_CALLS} deep")
    match node:
        case ast.Constant(value=float() | int() as number) if not isinstance(number, bool):
            return from_decimal(ast.get_source_segment(source, node) or "")
        case ast.Name(id=word) if word in grammar.symbols:
            return ExactValue(grammar.symbols[word], None)
        case ast.Name(id=word) if word in CONSTANTS:
            return ExactValue(*CONSTANTS[word])
        case ast.UnaryOp(op=ast.UAdd() | ast.USub(), operand=inner):
            value = _walk(inner, grammar, source, depth + 1, calls)
            sign = 1 if isinstance(node.op, ast.UAdd) else -1
            return ExactValue(sign * value.exact, None if value.constant is None else sign * value.constant)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
            power = isinstance(op, ast.Pow)
            first = _walk(left, grammar, source, depth + 1, calls + power)
            second = _walk(right, grammar, source, depth + 1, calls + power)
            return combined(op, first, second, grammar.formula)
        case ast.Call(func=ast.Name(id=word), args=[argument], keywords=[]) if word in FUNCTIONS:
            value = _walk(argument, grammar, source, depth + 1, calls + 1)
            return applied(word, value, grammar.formula)
        case ast.Call(func=ast.Name(id=word), args=[_, _, *_] as several, keywords=[]) if word in SEVERAL:
            values = [_walk(each, grammar, source, depth + 1, calls + 1) for each in several]
            return extreme(word, values, grammar.formula)
        case ast.IfExp(test=test, body=body, orelse=otherwise):
            return _choice([(test, body)], otherwise, grammar, source, depth, calls)
        case ast.Call(func=ast.Name(id="where" | "piecewise" as word), args=several, keywords=[]):
            if len(several) % 2 == 0 or len(several) < 3 or (word == "where" and len(several) > 3):
                raise Refused("if takes a condition and two values" if word == "where" else
                              "piecewise takes conditions, a value after each, and a last value for elsewhere")
            return _choice(list(zip(several[:-1:2], several[1::2], strict=True)), several[-1], grammar, source,
                           depth, calls)
        case ast.Call(func=ast.Name(id="Piecewise"), args=[*pairs, last], keywords=[]):
            match [each.elts for each in (*pairs, last) if isinstance(each, ast.Tuple) and len(each.elts) == 2]:
                case [*found, [otherwise, ast.Constant(value=True)]] if len(found) == len(pairs):
                    return _choice([(test, value) for value, test in found], otherwise, grammar, source, depth,
                                   calls)
            raise Refused("Piecewise takes pairs (value, condition), the last condition True")
        case ast.Compare():
            raise Refused("a comparison must be the condition of an if")
        case ast.Constant(value=True):
            raise Refused("True must be the last condition of a Piecewise")
        case ast.Call():
            raise Refused("a call must be one of the known functions with one argument")
        case ast.Name(id=word):
            raise Refused(f"the function {'if' if word == 'where' else word!r} needs an argument in parentheses")
    kind = type(node.op if isinstance(node, ast.BinOp) else node).__name__
    raise Refused(f"{kind} is not allowed")


def _choice(pairs: list, otherwise: ast.AST, grammar: _Grammar, source: str, depth: int, calls: int) -> ExactValue:
    """The value of the first of ``pairs`` (condition, value) that holds, or ``otherwise``."""
    rest = (grammar, source, depth + 1, calls + 1)
    found = _walk(otherwise, *rest)
    for test, value in reversed(pairs):
        found = chosen(_conditions(test, *rest), _walk(value, *rest), found)
    return found


def _conditions(test: ast.AST, grammar: _Grammar, source: str, depth: int, calls: int) -> list:
    """The comparisons of a condition; ``a < t < b`` has two."""
    if not isinstance(test, ast.Compare) or not all(type(op) in COMPARISONS for op in test.ops):
        raise Refused("a condition must compare with <, <=, > or >=")
    values = [_walk(each, grammar, source, depth, calls) for each in (test.left, *test.comparators)]
    return [compared(op, first, second) for op, (first, second) in zip(test.ops, pairwise(values), strict=True)]


def _shown(text: object) -> str:
    """The offending text on one line, escaped and shortened."""
    if not isinstance(text, str | float) and (not isinstance(text, int) or text.bit_length() > MAX_BITS):
        return type(text).__name__
    whole = ascii(text[: 4 * _SHOWN_CHARACTERS] if isinstance(text, str) else text)
    return whole if len(whole) <= _SHOWN_CHARACTERS else whole[: _SHOWN_CHARACTERS - 3] + "..."
