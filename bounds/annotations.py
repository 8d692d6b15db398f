"""What type checkers are told of numbers, arrays and expressions."""

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray


class Symbolic(Protocol):
    """An expression of sympy, whose own classes tell some type checkers nothing."""

    @property
    def free_symbols(self) -> Any:
        """The symbols in it."""


#: Floats, of any shape.
Array: TypeAlias = NDArray[np.float64]
#: A number, or an array of them where one evaluation answers a batch of questions.
Numbers: TypeAlias = float | Array
#: A whole number, python's or numpy's.
Count: TypeAlias = int | np.integer
#: A formula in t: an expression of sympy, a text such as "1/10 + 199/10*t", or a number.
Expression: TypeAlias = Symbolic | float | str
#: A function of time: a formula in t, or any callable, of one time or of an array of them.
TimeFunction: TypeAlias = Expression | Callable[[float], float] | Callable[[Array], Array]
