"""Writes stated expressions as a module of numpy functions, so that numbers need not wait for sympy's printer."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path

import sympy
from sympy.printing.numpy import NumPyPrinter

#: Characters in a line.
WIDTH = 110
HEAD = '''"""The stated expressions of the theorems as numpy functions; written by `make functions`, not by hand."""

import functools

import numpy
'''


def source(stated: Mapping[str, Mapping[str, sympy.Expr]]) -> str:
    """The module: for each theorem its expressions by name, one function for those that several have."""
    printer = NumPyPrinter({"fully_qualified_modules": True, "inline": True, "allow_unknown_functions": False})
    functions: dict[tuple[str, sympy.Expr], str] = {}
    parts: list[str] = []
    tables: list[str] = []
    taken: set[str] = set()
    for key, expressions in stated.items():
        rows = []
        for name, expression in expressions.items():
            if (name, expression) not in functions:
                own = f"_{name}" if name not in taken else f"_{name}_of_{key.replace('-', '_')}"
                taken.add(name)
                functions[name, expression] = own
                parts.append(_function(own, expression, printer))
            rows.append(f'        "{name}": {functions[name, expression]},')
        tables.append("\n".join((f'    "{key}": {{', *rows, "    },")))
    said = "#: By theorem and name, called by keyword; what a function does not need it ignores."
    table = "\n".join([said, "FUNCTIONS = {", *tables, "}"])
    return "\n\n\n".join([HEAD.rstrip(), *parts]) + f"\n\n\n{table}\n"


def _function(name: str, expression: sympy.Expr, printer: NumPyPrinter) -> str:
    """One function, its common parts computed once, in the order in which `sympy.lambdify` has them."""
    common, (whole,) = sympy.cse([expression], list=True)
    arguments = ", ".join(sorted(map(str, expression.free_symbols)))
    lines = _wrapped(f"def {name}(*, {arguments}, **_):", "        ", "")
    for symbol, part in common:
        lines += _wrapped(f"{symbol} = {printer.doprint(part)}", "        ", "    ")
    return "\n".join(lines + _wrapped(f"return {printer.doprint(whole)}", "        ", "    "))


def _wrapped(line: str, deeper: str, indent: str) -> list[str]:
    if len(indent + line) <= WIDTH:
        return [indent + line]
    if not line.startswith("def "):
        word, sign, rest = line.partition("return " if line.startswith("return ") else " = ")
        line = f"{word}{sign}({rest})"
    return textwrap.wrap(line, WIDTH, initial_indent=indent, subsequent_indent=deeper, break_long_words=False,
                         break_on_hyphens=False)


def write() -> None:
    """Write ``bounds/stated/functions.py`` anew from what the theorems state."""
    from bounds.stated import Stated
    from bounds.theorems import theorems

    stated = {key: each.stated for key, each in theorems().items() if isinstance(each.stated, Stated)}
    Path(__file__).with_name("functions.py").write_text(source(stated), encoding="utf-8")
