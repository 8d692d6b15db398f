"""Run commands in tests, and read what they answer."""

import json
import signal
import subprocess
import sys
from functools import cache
from importlib.metadata import entry_points
from importlib.resources import files

import jsonschema
import pytest
from click.testing import CliRunner

from tests.bad_problems import VALID, toml, write_problem
from verify.cli import cli

#: What loads the pytest plugin in a run of its own, where no installation does.
PLUGIN = () if list(entry_points(group="pytest11", name="sgm_bounds")) else ("-p", "verify.pytest_plugin")
FAST = ("--set", "scheme.steps=20")


def run(*args, **options):
    """A command run in this process; programming errors come through."""
    return CliRunner().invoke(cli, [str(arg) for arg in args], catch_exceptions=False, **options)


def answer(*args, code=0):
    """The JSON document of a command that ends with ``code`` and says nothing on the error stream."""
    result = run(*args, "--json")
    assert (result.exit_code, result.stderr) == (code, "")
    return json.loads(result.stdout, parse_constant=pytest.fail)


def problem(folder, base, changes=()):
    """Path of a valid problem, changed."""
    return write_problem(folder, toml({**VALID[base], **dict(changes)}))


@cache
def schema(name):
    """A validator for a schema that comes with the package."""
    document = json.loads((files("verify") / f"{name}.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(document)
    return jsonschema.Draft202012Validator(document)


def assert_refused(result, code=2):
    """One line on the error stream, nothing on the output, no traceback; returns the line."""
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr.startswith("sgm-bounds: ") and result.stderr.endswith("\n")
    line = result.stderr[:-1]
    assert line.isprintable() and "Traceback" not in line
    return line


def started(*args, **options):
    """A command in a process of its own, which heeds Ctrl-C even where the tests run as a background job that
    does not."""
    command = [sys.executable, "-m", "verify.cli", *map(str, args)]
    heeds = signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a handler is reset in the child, "ignore" is not
    try:
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    finally:
        signal.signal(signal.SIGINT, heeds)


def everything_in(folder):
    """Names of all files below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
