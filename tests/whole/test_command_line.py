"""The command line: mistakes are one line, help is complete and loads nothing heavy."""

import contextlib
import os
import subprocess
import sys
import tempfile

import click
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.command_line import assert_refused, everything_in, run
from tests.drawn import examples
from verify.cli import cli

WORDS = ["bound", "certify", "lower-bound", "show", "sample", "--json", "--set", "--theorem", "-n", "--out"]


@pytest.mark.parametrize(
    ("args", "fragment"),
    [
        (["nothing"], "No such command 'nothing'"),
        (["--nothing"], "No such option"),
        (["bound"], "Missing argument"),
        (["bound", "two_modes", "two_modes"], "unexpected extra argument"),
        (["bound", "two_modes", "--steps", "3"], "No such option"),
        (["bound", "nowhere.toml"], "does not exist"),
        (["bound", ""], "regular file"),
        (["bound", "two_mode"], "did you mean 'two_modes'"),
        (["bound", "two_modes", "--theorem", "gao"], "theorem must be one of martingale"),
        (["bound", "two_modes", "--information", "some"], "'some' is not one of"),
        (["certify", "two_modes", "--set"], "requires an argument"),
        (["lower-bound", "lower_bound", "--eps", "0"], "positive and finite"),
        (["lower-bound", "lower_bound", "--eps", "nan"], "positive and finite"),
        (["lower-bound", "lower_bound", "--eps", "inf"], "positive and finite"),
        (["lower-bound", "lower_bound", "--eps", "small"], "not a valid float"),
        (["show"], "Missing argument"),
        (["show", "vpp"], "KEY must be a theorem or a process family"),
        (["show", "vp", "--latex", "--json"], "exclude each other"),
        (["show", "martingale", "--set", "process.beta=1"], "not to a theorem"),
        (["show", "vp", "--set", "process.gamma=1"], "takes process.beta="),
        (["show", "vp", "--set", "beta=1"], "takes process.beta="),
        (["show", "ou", "--set", "process.beta=1"], "takes nothing"),
        (
            ["show", "vp", "--set", "process.beta=__import__('os')"],
            "process.beta must be a real function of t",
        ),
        (["show", "vp", "--set", "process.beta=tau"], "process.beta must be a real function of t"),
        (["sample", "two_modes"], "Missing option '--out'"),
        (["sample", "two_modes", "--out", "x.npy", "-n", "0"], "not in the range"),
        (["sample", "two_modes", "--out", "x.npy", "-n", "9" * 30], "not in the range"),
        (["sample", "two_modes", "--out", "x.npy", "-n", "999999999999"], "cannot write"),
        (["sample", "two_modes", "--out", "x.npy", "--seed", "-1"], "not in the range"),
        (["sample", "two_modes", "--out", "x.npy", "--threads", "0"], "not in the range"),
        (["sample", "two_modes", "--out", "x.npy", "--backend", "jax"], "backend name must be one of"),
        (["sample", "two_modes", "--out", "x.npy", "--dtype", "int"], "backend dtype must be one of"),
        (["sample", "two_modes", "--out", "x.npy", "--device", "cuda"], "backend device must be"),
        (["demo", "--out", os.devnull], "File exists"),
    ],
    ids=lambda value: " ".join(value)[:50] if isinstance(value, list) else "",
)
def test_bad_command_lines_are_one_line(args, fragment, tmp_path, monkeypatch):
    """Each mistake on the command line gives exit 2 and one line with the expected words."""
    monkeypatch.chdir(tmp_path)
    assert fragment in assert_refused(run(*args))
    assert everything_in(tmp_path) == []


@settings(max_examples=examples(30))
@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=8), max_size=5))
def test_any_command_line_is_answered_or_refused_in_one_line(args):
    """Whatever the arguments, the command ends with a known exit code and at most one line of complaint."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        result = run(*args)
        assert result.exit_code in (0, 2)
        if result.exit_code == 2 and not result.stdout:
            assert_refused(result)
        assert os.listdir() == []


def test_help_imports_nothing_heavy():
    """--help of the command and of every subcommand leaves numpy, sympy, scipy, rich and matplotlib alone."""
    code = (
        "import sys\n"
        "from verify.cli import cli\n"
        "for name in ['', *cli.commands]:\n"
        "    try: cli.main([*name.split(), '--help'])\n"
        "    except SystemExit as stop: assert stop.code == 0\n"
        "heavy = {'numpy', 'sympy', 'scipy', 'rich', 'matplotlib', 'torch', 'ot'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("Usage:") == 1 + len(cli.commands)


@pytest.mark.parametrize(("command", "given", "threads"), [
    ("bound", None, "1"), ("bound", "3", "3"), ("sample", None, None)])
def test_blas_has_one_thread_unless_asked(command, given, threads):
    """A command but `sample` sets the threads of BLAS to one before numpy is there; a number of the user's stays."""
    code = ("import os, sys; from verify import cli; sys.argv[1:] = [sys.argv[1], '--help']\n"
            "try: cli.main()\nexcept SystemExit: print('numpy' in sys.modules, os.environ.get('OPENBLAS_NUM_THREADS'))")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS")}
    environment |= {} if given is None else {"OPENBLAS_NUM_THREADS": given}
    done = subprocess.run([sys.executable, "-c", code, command], capture_output=True, text=True, check=True,
                          env=environment)
    assert done.stdout.splitlines()[-1] == f"False {threads}"


def test_version_and_bare_command():
    """--version is one line; without a command the help is shown."""
    assert run("--version").stdout.startswith("sgm-bounds ")
    assert run().stdout == run("--help").stdout and run().exit_code == 0


def test_every_option_is_explained():
    """Every command has a summary, and every option a help text."""
    for command in cli.commands.values():
        assert command.help
        assert all(p.help for p in command.params if isinstance(p, click.Option)), command.name
