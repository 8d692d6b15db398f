"""Mutated problem files: an answer, or one line that names what is wrong; no traceback, no long wait."""

import sys
from collections import Counter

import pytest

import verify.commands
from tests.fuzz import judge
from tests.fuzz.mutants import Mutant, mutant

#: Commands of some milliseconds, by weight.
COMMANDS = (
    (3, ("bound", "PROBLEM", "--theorem", "gaussian-lower-bound")),
    (1, ("bound", "PROBLEM", "--theorem", "martingale")),
    (1, ("bound", "PROBLEM", "--theorem", "gao2025-general-sde")),
    (4, ("regimes", "PROBLEM")),
    (3, ("lower-bound", "PROBLEM")),
    (1, ("sample", "PROBLEM", "-n", "3", "--out", "written.npy")),
)
FILES, PARTS = 2000, 8
#: Commands that do what none may, and what the judge says of it.
WRONGDOERS = {
    "raise KeyError('x')": "KeyError comes through",
    "sys.exit(7)": "exit code 7",
    "sys.exit(1)": "exit code 1",
    "print()": None,
    "print('nan')": "the answer is not a number",
    "pass": "nothing is said",
    "os.mkdir('ran')": "it did ['os.mkdir'], wrote ['ran']",
    "exec('try: os.mkdir(\\'no/__pycache__\\')\\nexcept OSError: print()')": None,
    "exec('try: os.mkdir(\\'no/other\\')\\nexcept OSError: print()')": "it did ['os.mkdir'], wrote []",
    "open('ran', 'w').close()": "it did [], wrote ['ran']",
    "os.putenv('KMP_INIT_AT_FORK', 'FALSE'); print()": None,
    "os.putenv('KMP', 'FALSE'); print()": "it did ['os.putenv'], wrote []",
    "os.system('true')": "it did ['os.system'], wrote []",
    "while True: pass": "it takes longer than 0.2 s",
    "raise ValueError('it is wrong')": "the refusal names no table",
    "raise ValueError('data.std must be 1, got nan')": "the refusal speaks of a nan that is not in the file",
    "raise ValueError('data.std must be 1, got 2')": None,
    "print(); raise ValueError('data')": "something is said on the error stream beside an answer",
    "print('data', file=sys.stderr, flush=True); sys.exit(2)": "the refusal is not one line",
}


@pytest.mark.parametrize("part", range(PARTS))
def test_no_problem_file_is_too_odd(part, tmp_path):
    """Whatever a problem file says: an exit code that means something, an answer or one line that names a
    table, nothing written or started, in seconds; and enough files are answered."""
    codes = Counter()
    for seed in range(part, FILES, PARTS):
        folder = tmp_path / str(seed)
        folder.mkdir()
        whole = mutant(seed, COMMANDS)
        found = judge.judged(whole, folder)
        assert found.fault is None, f"seed {seed}: {found.fault}\n{found.said}\n{whole}"
        codes[found.code] += 1
    assert codes[0] > FILES / PARTS / 20 and codes[2] > FILES / PARTS / 2


@pytest.mark.parametrize("deed", WRONGDOERS)
def test_the_judge_sees_what_is_wrong(deed, tmp_path, monkeypatch):
    """A command that lets an error through, hangs, writes, starts something or mumbles is found out."""
    commands, place = tmp_path / "commands", tmp_path / "place"
    commands.mkdir()
    place.mkdir()
    text = "import os, sys, click\n@click.command('odd')\n@click.argument('problem')\ndef odd(problem): "
    (commands / "odd.py").write_text(f"{text}\n    {deed}\nCOMMAND = odd\n")
    monkeypatch.setattr(verify.commands, "__path__", [*verify.commands.__path__, str(commands)])
    monkeypatch.setattr(judge, "SECONDS", 0.2)
    try:
        assert judge.judged(Mutant(b"", b"", ("odd", "PROBLEM")), place).fault == WRONGDOERS[deed]
    finally:
        sys.modules.pop("verify.commands.odd", None)


def test_a_violated_theorem_is_a_fault():
    """The theorems of the project are true: a verdict of VIOLATED, exit code 1, is not one that a file may have; others are."""
    asked = Mutant(b"", b"", ("certify", "PROBLEM"))
    assert judge._fault(asked, 1, "{}", "") == "exit code 1"
    assert [judge._fault(asked, code, "an answer", "") for code in (0, 3)] == [None, None]


def test_a_seed_is_one_file():
    """The same seed gives the same file and command, another one another."""
    assert mutant(7, COMMANDS) == mutant(7, COMMANDS)
    assert len({mutant(seed, COMMANDS).problem for seed in range(50)}) > 45
