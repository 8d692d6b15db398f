"""The pytest plugin, in a run of its own: option, marker, report section, exit code."""

import subprocess
import sys

import pytest

from tests.command_line import PLUGIN

TESTS = '''
import pytest
from bounds import claim
from verify.testing import check

THEOREM = claim.closed_form("far", source="Me", process=["ou"], data=["strong-log-concave"],
                            terms={"initialisation": "1000*sqrt(m2 + d)*(1 + M + M_noise)"})

def test_true():
    assert check(THEOREM, plant=False).problems == NUMBER

@pytest.mark.sgm_bounds(problems=2)
def test_marked():
    assert check(THEOREM, plant=False).problems == 2

def test_false(tmp_path):
    check(THEOREM.corrupted("initialisation", "1/1000000"), save=tmp_path / "x.toml", plant=False)
'''


@pytest.mark.parametrize(("options", "number"),
                         [(("--sgm-problems", "3"), 3), (("-n", "1", "--sgm-problems", "4"), 4)])
def test_a_run(tmp_path, options, number):
    """Checks draw as many problems as option or marker say, each has a line in the report, also from another
    process, and a false theorem fails the run."""
    (tmp_path / "test_mine.py").write_text(TESTS.replace("NUMBER", str(number)))
    plugin = (*PLUGIN, "-p", "no:cacheprovider")
    run = subprocess.run([sys.executable, "-m", "pytest", "-q", *plugin, *options, "test_mine.py"],
                         cwd=tmp_path,
                         capture_output=True, text=True)
    assert run.returncode == 1 and "1 failed, 2 passed" in run.stdout, run.stdout + run.stderr
    section = run.stdout.partition("theorems against exact laws (sgm-bounds)")[2]
    assert f"far: {number} of {number} problems, bound/exact at least" in section
    assert "far: 2 of 2 problems" in section and "VIOLATED" in section


def test_a_wrong_number_is_refused(tmp_path):
    """--sgm-problems 0 is wrong input."""
    run = subprocess.run([sys.executable, "-m", "pytest", *PLUGIN, "--sgm-problems", "0"],
                         cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 4 and "--sgm-problems must be at least 1, got 0" in run.stderr
