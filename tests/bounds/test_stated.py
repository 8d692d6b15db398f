"""Stated expressions: functions written ahead are those of the expressions, which no bound needs to build."""

import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sympy

import bounds.stated.functions
from bounds.stated import Stated
from bounds.stated.source import source
from bounds.theorems import theorems

ROOT = Path(__file__).resolve().parents[2]
HALVED = {"half": sympy.Symbol("x", real=True) / 2}


def _halved() -> dict:
    return HALVED


def test_the_functions_are_written_from_what_is_stated():
    """``bounds/stated/functions.py`` is, to the character, what the theorems' expressions give; `make functions` writes
    it anew."""
    stated = {key: each.stated for key, each in theorems().items()}
    assert all(isinstance(each, Stated) for each in stated.values())
    assert Path(bounds.stated.functions.__file__).read_text(encoding="utf-8") == source(stated)


@pytest.mark.parametrize("name", ["variance", "phase_bias_sq", "initial_log_concave_sq"])
def test_a_function_written_ahead_gives_the_floats_of_the_expression(name):
    """Numbers from the module and from sympy's own printing of the same expression are the same to the last bit."""
    martingale = theorems()["martingale"]
    anew = replace(martingale, stated=dict(martingale.stated))
    assert not isinstance(anew.stated, Stated)
    rng = np.random.default_rng(17)
    values = {str(each): rng.uniform(0.1, 2.0, 50) for each in sorted(martingale.stated[name].free_symbols, key=str)}
    values["H_lo"] = -3 - values.get("H_lo", 0.0)
    found, other = (each.functions[name](**values) for each in (martingale, anew))
    assert np.array_equal(found, other) and np.all(np.isfinite(found))


def test_a_statement_without_functions_is_printed_by_sympy():
    """A theorem whose functions have not been written yet is evaluated all the same; a corrupted one by its own
    expressions."""
    new = replace(theorems()["martingale"], key="new", stated=Stated("new", _halved))
    assert new.functions["half"](x=3.0) == 1.5
    assert new.corrupted("half", 3).functions["half"](x=3.0) == 4.5
    assert dict(pickle.loads(pickle.dumps(new.stated))) == HALVED


def test_a_bound_builds_no_expression_of_its_theorem():
    """In a fresh process a bound is computed before any stated expression has been built."""
    code = ("from bounds import Setting, StronglyLogConcave, euler_maruyama; from bounds.theorems import theorems; "
            "known = theorems(); setting = Setting('ou', StronglyLogConcave(1.0, 2.0, second_moment=1.0), "
            "euler_maruyama(2, 20)); found = known['martingale'].bound(setting).total; import sys; "
            "sys.exit(any('whole' in vars(each.stated) for each in known.values()) or not found > 0)")
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
