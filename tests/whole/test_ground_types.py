"""Sympy counts with Python's integers here, though python-flint is installed, and says the same with
flint's."""

import os
import subprocess
import sys
from pathlib import Path

from bounds import euler_maruyama, vp
from bounds.theorems import theorems
from closed_form import Gaussian
from verify import certify

ROOT = Path(__file__).resolve().parents[2]
KIND = "import bounds, sympy; from sympy.external.gmpy import GROUND_TYPES; print(GROUND_TYPES)"


def told() -> list[str]:
    """Closed forms and numbers, line by line."""
    process = vp("0.1+19.9*t")
    found = certify("martingale", process=process, law=Gaussian([1.0], 0.5), scheme=euler_maruyama(1.0, 20))
    return [f"{process.a.expression} {process.s_sq.expression} {theorems()['martingale'].agreement()}",
            f"{found.bound.total!r} {found.measured}"]


def said(script: str, **chosen: str) -> list[str]:
    """What a fresh interpreter says, line by line."""
    kept = {name: value for name, value in os.environ.items() if name != "SYMPY_GROUND_TYPES"}
    ran = subprocess.run([sys.executable, "-c", script], env=kept | {"PYTHONPATH": str(ROOT)} | chosen,
                         capture_output=True, text=True, check=True)
    return ran.stdout.splitlines()


def test_the_answer_does_not_depend_on_the_integers():
    """Python's integers are the default, and flint's give the same closed forms and numbers."""
    from sympy.external.gmpy import GROUND_TYPES  # bounds chooses first

    assert said(KIND) == ["python"] == [GROUND_TYPES]
    ask = f"{KIND}; from tests.whole.test_ground_types import told; print(*told(), sep='\\n')"
    assert said(ask, SYMPY_GROUND_TYPES="flint") == ["flint", *told()]
