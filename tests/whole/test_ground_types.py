"""Sympy counts with Python's integers here, though python-flint is installed, and says the same with
flint's."""

import os
import subprocess
import sys

SCRIPT = """
import bounds, sympy
from bounds import vp, euler_maruyama
from bounds.theorems import theorems
from closed_form import Gaussian
from sympy.external.gmpy import GROUND_TYPES
from verify import certify
process = vp("0.1+19.9*t")
found = certify("martingale", process=process, law=Gaussian([1.0], 0.5), scheme=euler_maruyama(1.0, 20))
print(GROUND_TYPES)
print(process.a.expression, process.s_sq.expression, theorems()["martingale"].agreement())
print(repr(found.bound.total), found.measured)
"""


def said(ground_types: str | None) -> list[str]:
    """What a fresh interpreter says, line by line."""
    chosen = {} if ground_types is None else {"SYMPY_GROUND_TYPES": ground_types}
    kept = {name: value for name, value in os.environ.items() if name != "SYMPY_GROUND_TYPES"}
    ran = subprocess.run([sys.executable, "-c", SCRIPT], env=kept | chosen, capture_output=True,
                         text=True, check=True)
    return ran.stdout.splitlines()


def test_the_answer_does_not_depend_on_the_integers():
    """Python's integers are the default, and flint's give the same closed forms and numbers."""
    plain, flint = said(None), said("flint")
    assert (plain[0], flint[0]) == ("python", "flint")
    assert plain[1:] == flint[1:]

