"""What a theorem states, by name: built when it is first read, for numbers come from functions made ahead."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

import sympy


class Stated(Mapping[str, sympy.Expr]):
    """The expressions of one theorem, read-only.

    ``bounds.stated.functions``, which `bounds.stated.source` writes from them, has their functions of numbers: a
    bound is computed without building an expression.

    Parameters
    ----------
    key : str
        Of the theorem.
    build : callable
        () -> dict of str to sympy expression.
    """

    def __init__(self, key: str, build: Callable[[], dict[str, sympy.Expr]]) -> None:
        self.key, self.build = key, build

    @cached_property
    def whole(self) -> dict[str, sympy.Expr]:
        """The expressions, by name."""
        return self.build()

    @cached_property
    def functions(self) -> Mapping[str, Callable[..., Any]] | None:
        """The same as functions of numbers, called by keyword; None where they have not been written."""
        from bounds.stated.functions import FUNCTIONS

        return FUNCTIONS.get(self.key)

    def __getitem__(self, name: str) -> sympy.Expr:
        return self.whole[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.whole)

    def __len__(self) -> int:
        return len(self.whole)

    def __reduce__(self) -> tuple[type[Stated], tuple[str, Callable[[], dict[str, sympy.Expr]]]]:
        return type(self), (self.key, self.build)
