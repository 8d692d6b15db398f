"""The text of f, g and beta becomes an exact expression or one clear line, quickly, and never runs."""

import contextlib
import math
import sys
import time
from fractions import Fraction
from unittest import mock

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bounds.symbolic import expressions
from bounds.symbolic.expressions import ExpressionError, parse_expression
from tests.bounds.tolerances import EXPRESSION_CALLS, EXPRESSION_RELATIVE
from tests.drawn import examples
from tests.tolerances import HANGING
from tests.work_limit import at_most

T = sympy.Symbol("t", nonnegative=True)

EXACT = {
    "1/10 + 199/10*t": sympy.Rational(1, 10) + sympy.Rational(199, 10) * T,
    "0.1 + 19.9*t": sympy.Rational(1, 10) + sympy.Rational(199, 10) * T,
    "1e-5": sympy.Rational(1, 100000),
    ".5e2": sympy.Integer(50),
    "t^2": T**2,
    "-t^2": -(T**2),
    "2^t + 1": 2**T + 1,
    "2**-t": 2 ** (-T),
    "2*exp(-3*t)": 2 * sympy.exp(-3 * T),
    "e**t": sympy.exp(T),
    "sqrt(2)": sympy.sqrt(2),
    "cos(pi*t/2)**2": sympy.cos(sympy.pi * T / 2) ** 2,
    "abs(t - 1)": sympy.Abs(T - 1),
    "(1 + 2*t)**3.5": (1 + 2 * T) ** sympy.Rational(7, 2),
    " \t( t )  ": T,
    "tanh(t)/cosh(t) - sinh(t)*log(1 + t)": sympy.tanh(T) / sympy.cosh(T) - sympy.sinh(T) * sympy.log(1 + T),
    "1/3": sympy.Rational(1, 3),
    "0e999999999": sympy.Integer(0),
    "0.1 + min(20*t, 8)": sympy.Rational(1, 10) + sympy.Min(20 * T, 8),
    "max(t, 1, 2 - t)": sympy.Max(T, 1, 2 - T),
    "log10(1 + t)": sympy.log(1 + T) / sympy.log(10),
    "sigmoid(10*(t - 0.5))": 1 / (1 + sympy.exp(5 - 10 * T)),
    "sign(t - 1)": sympy.sign(T - 1),
    "heaviside(t - 1)": (1 + sympy.sign(T - 1)) / 2,
    "if(t < 1, 2, 3)": sympy.Piecewise((2, T < 1), (3, True)),
    "2 if t < 1 else 3": sympy.Piecewise((2, T < 1), (3, True)),
    "2 if (t < 1) else 3 if t <= 2 else t": sympy.Piecewise((2, T < 1), (3, T <= 2), (T, True)),
    "piecewise(t > 2, 2, t >= 1, t^2, 5)": sympy.Piecewise((2, T > 2), (T**2, T >= 1), (5, True)),
    "Piecewise((2, t < 1), (3, True))": sympy.Piecewise((2, T < 1), (3, True)),
    "if(t >= 0, 1, 2)": sympy.Integer(1),
    "if(t < 1, log(t), sqrt(t - 1))": sympy.Piecewise((sympy.log(T), T < 1), (sympy.sqrt(T - 1), True)),
}

REFUSED = {
    "": "empty",
    " \t ": "empty",
    "x": "'x' is neither t nor one of",
    "x + t": "'x' is neither",
    "tt": "'tt' is neither",
    "T": "'T' is neither",
    "nan": "'nan' is neither",
    "inf": "'inf' is neither",
    "oo": "'oo' is neither",
    "I*t": "'I' is neither",
    "2t": "write a '*'",
    "2 t": "syntax",
    "1_000": "'_000' is neither",
    "0x10": "'x10' is neither",
    "1j": "'j' is neither",
    "t +": "syntax",
    "(t": "syntax",
    "0123": "syntax",
    "t if t else 1": "a condition must compare",
    "if(t, 1, 2)": "a condition must compare",
    "if(t < 1, 2)": "a condition and two values",
    "if(t < 1, 2, 3, 4, 5)": "a condition and two values",
    "piecewise(t < 1, 2)": "a last value for elsewhere",
    "Piecewise((2, t < 1))": "the last condition True",
    "Piecewise((2, t < 1), 3)": "the last condition True",
    "1 + if": "needs an argument",
    "True": "True must be the last condition",
    "True + t": "True must be the last condition",
    "if(sqrt(t - 1) < 1, 1, 2)": "what a condition compares must be real",
    "min(sqrt(t - 1), 1)": "argument of min must be real",
    "sign(sqrt(t - 1))": "argument of sign must be real",
    "min(t)": "one argument",
    "if(t < 1, 1/0, 2)": "divides by zero",
    "if(t < 1, 2, log(-1))": "not a real number",
    "sigmoid(1e10 + t)": "exponent",
    "lambda t: t": "'lambda' is neither",
    "[t for t in t]": "'[' is not allowed",
    "t < 1": "must be the condition of an if",
    "(t < 1)*2": "must be the condition of an if",
    "t == 1": "'=' is not allowed",
    "t := 1": "':' is not allowed",
    "'t'": "is not allowed",
    '"t"': "is not allowed",
    "t.real": "'.' is not allowed",
    "t;t": "';' is not allowed",
    "t\nt": "'\\n' is not allowed",
    "t\x00": "'\\x00' is not allowed",
    "ｔ": "'\\uff54' is not allowed",
    "t − 1": "'\\u2212' is not allowed",
    "t²": "'\\xb2' is not allowed",
    "t // 2": "FloorDiv is not allowed",
    "t % 2": "'%' is not allowed",
    "t @ t": "'@' is not allowed",
    "~t": "'~' is not allowed",
    "t, t": "Tuple is not allowed",
    "()": "Tuple is not allowed",
    "exp": "needs an argument",
    "exp()": "one argument",
    "exp(t, 2)": "one argument",
    "exp(t)(t)": "one argument",
    "exp(x=t)": "'x' is neither",
    "exp(*t)": "Starred is not allowed",
    "t(1)": "one argument",
    "2(t)": "one argument",
    "gamma(t)": "'gamma' is neither",
    "__import__('os')": "'__import__' is neither",
    "exp.__class__": "'.' is not allowed",
    "1/0": "divides by zero",
    "t/(2 - 2)": "divides by zero",
    "1/(t - t)": "divides by zero",
    "0**-1": "divides by zero",
    "1/(sqrt(2)**2 - 2)": "divides by zero",
    "1/((sqrt(2) + 1)*(sqrt(2) - 1) - 1)": "divides by zero",
    "log(0)": "not a real number",
    "log(-1)": "not a real number",
    "sqrt(-1)": "not a real number",
    "sqrt(-1 - t**2)": "not real",
    "(-8)**(1/3)": "integer exponent",
    "(-2)**t": "integer exponent",
    "0**t": "constant exponent",
    "t**t": "constant base or a constant exponent",
    "abs(sqrt(t - 1))": "argument of abs must be real",
    "tan(pi/2)": "undefined",
    "1e400": "larger than",
    "1e-400": "smaller than",
    "1e999999999": "larger than",
    "exp(-1000)": "smaller than",
    "9**9**9": "exponent",
    "2**(10**9)": "exponent",
    "(1 + 1e-30)**(10**9)": "exponent",
    "9**(9 + t - t)**9": "exponent",
    "9**(8 + t - t)**2": "exponent",
    "2**(1e10 + t)": "exponent",
    "exp((1e10 + t)*log(2))": "exponent",
    "t**1e10": "exponent",
    "((t**20)**20)**20": "exponent",
    "(1e90*t)**20": "too large",
    "exp(10**10)": "larger than",
    "exp(exp(exp(10)))": "larger than",
    "cosh(99/cot(sin(log(99)*2**99)))": "exponent",
    "exp(" * 6 + "t" + ")" * 6: "nested",
    "t+" * 110 + "t": "parts",
    "-" * 250 + "t": "parts",
    "-" * 150 + "t": "deep",
    "(" * 200 + "t": "syntax",
    "1" * 150: "at most 110 characters",
    "t + " + "1" * 400: "at most 300 characters",
}


@contextlib.contextmanager
def little_work():
    """In the block the time limit is off, so that only what bounds the work itself can stop a build."""
    without = mock.patch.object(expressions, "Deadline", lambda _: contextlib.nullcontext())
    with without, at_most(EXPRESSION_CALLS):
        yield


@pytest.mark.parametrize("text", EXACT)
def test_text_becomes_the_exact_expression(text):
    """Decimals are rationals, ^ is a power with the precedence of **, names are the usual functions."""
    assert parse_expression(text) == EXACT[text]


@pytest.mark.parametrize(("text", "value"), [
    ("t+" * 90 + "t", 91 * T), ("t-(" * 70 + "t" + ")" * 70, T), ("-" * 90 + "t", T)])
def test_what_is_nested_once_a_sign_is_read(text, value):
    """A sum of ninety terms, seventy differences inside one another and ninety signs are within the
    limits."""
    assert parse_expression(text) == value


@pytest.mark.parametrize("text", REFUSED)
def test_refusals_name_the_argument_the_requirement_and_the_text(text):
    """What is not a real function of t is refused in one short line that says why, with little work."""
    with pytest.raises(ExpressionError) as caught, little_work():
        parse_expression(text, name="process.beta")
    message = str(caught.value)
    assert REFUSED[text] in message
    assert message.startswith("process.beta must be a real function of t: ")
    assert len(message.splitlines()) == 1 and len(message) < 300
    assert message.isprintable()


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (3, sympy.Integer(3)),
        (-0.1, sympy.Rational(-1, 10)),
        (19.9, sympy.Rational(199, 10)),
        (1e-5, sympy.Rational(1, 100000)),
        (Fraction(2, 7), sympy.Rational(2, 7)),
        (np.float64(0.3), sympy.Rational(3, 10)),
        (np.int64(4), sympy.Integer(4)),
    ],
)
def test_numbers_stand_for_themselves(number, expected):
    """A number is taken exactly, a float by its shortest decimal form."""
    assert parse_expression(number) == expected


@pytest.mark.parametrize(
    "value",
    [True, False, None, [1], {"t": 1}, b"t", 1j, math.nan, math.inf, -math.inf, 1e200, 10**6000, 1e-200],
    ids=lambda value: type(value).__name__,
)
def test_other_types_and_unusable_numbers_are_refused(value):
    """Booleans, bytes, containers, NaN, infinities and monstrous numbers are not expressions."""
    with pytest.raises(ExpressionError, match=r"process\.f must be a real function of t"):
        parse_expression(value)


def test_the_symbol_can_be_chosen():
    """The expression is in the caller's own symbol, and then t is a stranger."""
    s = sympy.Symbol("s", real=True)
    assert parse_expression("2*s", s) == 2 * s
    assert parse_expression("2*u", "u") == 2 * sympy.Symbol("u", nonnegative=True)
    with pytest.raises(ExpressionError, match="'t' is neither s"):
        parse_expression("2*t", s)


# -- laws ----------------------------------------------------------------------


def _unary(name, function):
    return lambda pair: (f"{name}({pair[0]})", lambda t: function(pair[1](t)))


def _binary(sign, function):
    return lambda pairs: (
        f"({pairs[0][0]} {sign} {pairs[1][0]})",
        lambda t: function(pairs[0][1](t), pairs[1][1](t)),
    )


def _exp(x):
    """e^x where floats have it."""
    if x > 709:
        raise OverflowError
    return mpmath.exp(x)


LEAVES = st.one_of(
    st.just(("t", lambda t: t)),
    st.just(("pi", lambda _: +mpmath.pi)),
    st.integers(0, 9).map(lambda n: (str(n), lambda _, n=n: mpmath.mpf(n))),
    st.integers(1, 99).map(lambda n: (f"{n / 10}", lambda _, n=n: mpmath.mpf(n) / 10)),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        inner.map(_unary("-", lambda x: -x)),
        inner.map(_unary("exp", _exp)),
        inner.map(_unary("cos", mpmath.cos)),
        inner.map(_unary("tanh", mpmath.tanh)),
        inner.map(_unary("abs", abs)),
        inner.map(_unary("sigmoid", lambda x: 1 / (1 + _exp(-x)))),
        st.tuples(inner, inner).map(lambda pair: (f"max({pair[0][0]}, {pair[1][0]})",
                                                  lambda t: max(pair[0][1](t), pair[1][1](t)))),
        st.tuples(inner, inner).map(lambda pair: (f"if(t < 1, {pair[0][0]}, {pair[1][0]})",
                                                  lambda t: pair[t >= 1][1](t))),
        st.tuples(inner, inner).map(_binary("+", lambda x, y: x + y)),
        st.tuples(inner, inner).map(_binary("-", lambda x, y: x - y)),
        st.tuples(inner, inner).map(_binary("*", lambda x, y: x * y)),
        st.tuples(inner, st.integers(1, 4)).map(
            lambda pair: (f"({pair[0][0]})^{pair[1]}", lambda t: pair[0][1](t) ** pair[1])
        ),
    ),
    max_leaves=8,
)


@settings(deadline=None, derandomize=True, max_examples=examples(75))
@given(TREES)
def test_value_and_round_trip(tree):
    """The expression has the tree's value in arithmetic of 400 digits, and so has what its own text parses to."""
    text, function = tree
    try:
        expression = parse_expression(text)
        again = parse_expression(str(expression))
    except ExpressionError as error:
        # size limits are the only reason to refuse such a tree
        assert any(word in str(error) for word in ("larger", "smaller", "nested", "at most", "too"))
        return
    for time_value in (0.25, 1.5):
        try:
            with mpmath.workdps(400):
                expected = sympy.Float(function(mpmath.mpf(time_value)), 400)
        except OverflowError:
            continue
        scale = max(1, abs(expected))
        exact_time = sympy.Rational(time_value)
        for candidate in (expression, again):
            value = candidate.subs(T, exact_time).evalf(30)
            assert abs(value - expected) <= EXPRESSION_RELATIVE * scale


SOUP = st.lists(
    st.sampled_from(
        [
            *"tx0123456789+-*/^().,_[]{}:;=<>!@%&|~'\"\\ \t\n\x00",
            *("**", "//", "exp", "log", "sqrt", "sin", "tan", "cot", "cosh", "tanh", "abs", "pi", "e", "0.5"),
            *("1e9", "(t)", "(t-1)", "min(", "if(t<1,", "lambda", "if", "else", "for", "in", "__import__", "eval", "open"),
            *("__class__", "None", "True", "nan", "inf", "zoo", "ｔ", "𝑡", "−", "²", "\u202e", "\ud800"),
        ]
    ),
    max_size=40,
).map("".join)


@settings(deadline=None, derandomize=True, max_examples=examples(80))
@given(st.one_of(SOUP, st.text(max_size=400)))
@example("(" * 5000)
@example("-" * 100_000)
@example("\ud800")
@example("t" + "**t" * 90)
def test_soup_gives_an_expression_or_an_expression_error(text):
    """Any text gives an expression in t or an ExpressionError of one printable line, with little work."""
    try:
        with little_work():
            expression = parse_expression(text)
        assert expression.free_symbols <= {T}
        assert not expression.has(sympy.I, sympy.zoo, sympy.oo, sympy.nan)
    except ExpressionError as error:
        assert str(error).isprintable()
        assert "cannot be turned" not in str(error)  # every refusal has its own reason


CALLS = st.recursive(
    st.sampled_from(["t", "2", "7", "99", "0.5", "1e10", "pi", "e", "0", "1/3"]),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(sorted(expressions.FUNCTIONS)), inner).map("{0[0]}({0[1]})".format),
        st.tuples(st.sampled_from(["max", "min"]), inner, inner).map("{0[0]}({0[1]}, {0[2]})".format),
        st.tuples(inner, inner, inner).map("if({0[0]} < {0[1]}, {0[2]}, {0[0]})".format),
        st.tuples(inner, st.sampled_from("+ - * / ^ **".split()), inner).map("({0[0]}{0[1]}{0[2]})".format),
    ),
    max_leaves=12,
)


@settings(deadline=None, derandomize=True, max_examples=examples(75))
@given(CALLS)
@example("sqrt((t^((((t^0)-0.5)**(((t/(1**1/3))/e)+1e10))**1/3)))")
@example("(sin((0/pi))^cosh((2^(1e10+t))))")
@example("cot(sinh((pi**sinh(tan(tan((1/3**(1e10+(0.5+t)))))))))")
@example("(sinh(exp((((pi+(log(t)+cosh(99)))+(1e10-e))^(0-2))))/1)")
@example("exp((99/cot(sin((log(99)/(0.5**99))))))")
def test_well_formed_trees_never_make_sympy_think_for_long(text):
    """Trees on which sympy itself can run for ever are refused before sympy sees them, without the timer."""
    with contextlib.suppress(ExpressionError), little_work():
        parse_expression(text)


# -- fences ----------------------------------------------------------------------

_EVENTS = []  # not empty: armed
_WATCHED = ("os.system", "subprocess.Popen", "os.exec", "os.posix_spawn", "os.remove", "socket.connect")


def _watch(event, arguments):
    if _EVENTS and (event in _WATCHED or (event == "open" and str(arguments[1])[:1] in ("w", "a", "x"))):
        _EVENTS.append((event, arguments))
    elif _EVENTS and event == "exec" and arguments[0].co_filename in ("<string>", "<unknown>"):
        _EVENTS.append((event, arguments))


@pytest.fixture(scope="module")
def watch():
    """An audit hook, which Python cannot remove again; it only looks while armed."""
    sys.addaudithook(_watch)


@pytest.mark.parametrize(
    "attack",
    [
        "__import__('pathlib').Path('{path}').touch()",
        "open('{path}','w')",
        "exec(\"open('{path}','w')\")",
        "(lambda: open('{path}','w'))()",
        "[c for c in ().__class__.__base__.__subclasses__()]",
        "exp(t).__class__.__mro__[1](open('{path}','w'))",
        "t if open('{path}','w') else t",
        "f\"{{open('{path}','w')}}\"",
        "(t:=open('{path}','w'))",
        "eval(compile('1','','eval'))",
        "log(__builtins__)",
        "t**__import__('os').system('touch {path}')",
        "sympify('t')",
    ],
)
@pytest.mark.usefixtures("watch")
def test_code_in_the_text_is_refused_and_not_run(attack, tmp_path):
    """Texts that try to run code raise, leave no file, and trigger no exec, open or process event."""
    target = tmp_path / "sentinel"
    _EVENTS[:] = ["armed"]
    with pytest.raises(ExpressionError):
        parse_expression(attack.format(path=target))
    seen, _EVENTS[:] = _EVENTS[1:], []
    assert seen == []
    assert not target.exists()


def test_the_time_limit_stops_a_slow_build(monkeypatch):
    """If a build is slow after all, the timer turns it into the usual error."""
    monkeypatch.setattr(expressions, "MAX_SECONDS", 0.05)
    monkeypatch.setitem(expressions.FUNCTIONS, "exp", (lambda x: time.sleep(HANGING), math.exp))
    with pytest.raises(ExpressionError, match="takes longer than"):
        parse_expression("exp(t)")


def test_a_failure_inside_sympy_is_an_expression_error(monkeypatch):
    """Exceptions of the libraries below do not reach the caller, nor do their messages of many lines."""

    def fail(_):
        raise RecursionError("many\nlines")

    monkeypatch.setitem(expressions.FUNCTIONS, "exp", (fail, math.exp))
    with pytest.raises(ExpressionError, match="cannot be turned into an expression; got 'exp"):
        parse_expression("exp(t)")
