"""Draw the text of coefficients: random words of the whitelisted grammar, and attempts to leave it."""

from random import Random

FUNCTIONS = ("exp", "log", "sqrt", "sin", "cos", "tan", "cot", "sinh", "cosh", "tanh", "abs", "Abs",
             "sign", "heaviside", "Heaviside", "sigmoid", "log10")
CHOICES = ("if({0} < {1}, {2}, {0})", "{0} if {1} >= {2} else {1}", "piecewise({0} > t, {1}, t < 1, {2}, {0})",
           "Piecewise(({0}, {1} <= t), ({2}, True))", "max({0}, {1}, {2})", "min({0}, {1})", "Max({0}, t)")
NUMBERS = (
    "0", "1", "2", "1/2", "0.1", "1e-9", "1e9", "1e-100", "1e100", "20", "19", "199/10",
    "3.14159265358979323846264", "0." + "3" * 100, "7" * 105, "1e-320", "1e400", "pi", "e", "0.5",
)  # fmt: skip
POWERS = ("2", "3", "(1/2)", "(-1)", "-2", "20", "(1/3)", "t", "0")
#: What is no expression, or would do something if it were run.
ATTEMPTS = (
    "__import__('os').mkdir('ran')", "open('ran', 'w')", "(lambda: t)()", "t.__class__", "exec('import os')",
    "exp.__globals__", "[t for t in (1,)]", "t if t else 1", "f'{t}'", "t; t", "t := 1", "eval('t')", "{t}",
    "t[0]", "'t'", "t == t", "not t", "t and 1", "1j*t", "t!", "x + t", "Symbol('t')", "ехp(t)", "t²", "−t",
    "２*t", "\u202et", "t\u200b", "exp(t, t)", "exp()", "exp", "exp(t=1)", "exp(*t)", "2t", "2(t)", "t(2)",
    "1_0*t", "0x10", "t //2", "t % 2", "t @ t", "~t", "t << 2", "", " ", "()", "((((", "9**9**9**9", "t**t",
    "0**t", "(-1)**t", "t**1000", "2^(2^(2^t))", "oo", "zoo", "nan*t", "I", "(" * 90 + "t" + ")" * 90,
    "if", "if(t<1)", "if(t, 1, 2)", "1 if t < 1", "t < 1", "if(t < 1 < 2, t, 1", "piecewise(t < 1, 2)", "True", "min()",
    "Piecewise((1, t < 1))", "if(t == 1, 2, 3)", "if(t < 1 and t > 0, 1, 2)", "1 if 1 if t < 1 else 2 else 3",
    "(" * 300 + "t" + ")" * 300, "-" * 280 + "t", "t" + "+t" * 149, "exp(" * 5 + "t" + ")" * 5,
)  # fmt: skip


def expression(rng: Random) -> str:
    """A text: mostly of the grammar, sometimes an attempt to leave it."""
    if rng.random() < 0.2:
        return rng.choice(ATTEMPTS)
    if rng.random() < 0.3:  # positive for most times: what comes after the border is reached
        return f"{_number(rng)} + abs({_term(rng, 2)})"
    return _term(rng, rng.choice((1, 1, 2, 2, 3, 4)))


def _term(rng: Random, depth: int) -> str:
    kind = rng.random() if depth else 0.0
    if kind < 0.25:
        return "t" if rng.random() < 0.6 else _number(rng)
    if kind < 0.55:
        return f"{rng.choice(FUNCTIONS)}({_term(rng, depth - 1)})"
    if kind < 0.7:
        return f"({_term(rng, depth - 1)}){rng.choice(('^', '**'))}{rng.choice(POWERS)}"
    if kind < 0.76:
        return rng.choice(CHOICES).format(*(_term(rng, depth - 1) for _ in range(3)))
    sum_ = f"{_term(rng, depth - 1)} {rng.choice('+-*/')} {_term(rng, depth - 1)}"
    return rng.choice((f"({sum_})", f"({sum_})", sum_, f"-({sum_})"))


def _number(rng: Random) -> str:
    return rng.choice(NUMBERS) if rng.random() < 0.4 else f"{rng.uniform(0.05, 20):.3g}"
