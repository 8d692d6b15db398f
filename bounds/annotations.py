"""What type checkers are told of numbers, arrays and expressions."""

from typing import TypeAlias

import numpy as np
import sympy
from numpy.typing import NDArray

#: Floats, of any shape.
Array: TypeAlias = NDArray[np.float64]
#: A number, or an array of them where one evaluation answers a batch of questions.
Numbers: TypeAlias = float | Array
#: A whole number, python's or numpy's.
Count: TypeAlias = int | np.integer
#: A formula in t: an expression of sympy, a text such as "1/10 + 199/10*t", or a number.
Expression: TypeAlias = sympy.Expr | float | str
