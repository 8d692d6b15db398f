"""Commands are the files of a folder, imported when they are wanted."""

import subprocess
import sys

import pytest

import verify.commands
from tests.command_line import run
from verify.cli import cli

COMMAND = '''
import click

@click.command("{name}", short_help="Says what it was told.")
@click.argument("word")
def told(word):
    """Say WORD."""
    click.echo(f"told: {{word}}")

COMMAND = told
'''


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder that is searched for commands too."""
    monkeypatch.setattr(verify.commands, "__path__", [*verify.commands.__path__, str(tmp_path)])
    yield tmp_path
    for file in tmp_path.glob("*.py"):
        sys.modules.pop(f"verify.commands.{file.stem}", None)


def test_every_file_is_a_command_of_its_name():
    """The names are those of the files, sorted, with dashes; each file defines the command of its name."""
    assert list(cli.commands) == sorted(cli.commands) and len(cli.commands) == len(list(cli.commands))
    assert {"lower-bound", "list", "certify"} <= set(cli.commands)
    assert all(command.name == name for name, command in cli.commands.items())
    assert "lower_bound" not in cli.commands


def test_a_command_dropped_into_a_folder_is_there(folder):
    """A new file is listed with its short help and runs, with no other edit."""
    (folder / "tell_me.py").write_text(COMMAND.format(name="tell-me"))
    assert "tell-me" in cli.commands
    assert "Says what it was told." in run("--help").stdout
    assert run("tell-me", "it").stdout == "told: it\n"


@pytest.mark.parametrize("text", ["", COMMAND.format(name="another")])
def test_a_file_without_its_command_is_refused(text, folder):
    """A file that defines no command, or one of another name, is an error that names the file."""
    (folder / "told.py").write_text(text)
    with pytest.raises(TypeError, match="told must define COMMAND, a command called 'told'"):
        run("told", "it")


def test_only_the_command_that_runs_is_imported():
    """The help of one command leaves the files of the others alone."""
    code = (
        "import sys\n"
        "from verify.cli import cli\n"
        "try: cli.main(['table', '--help'])\n"
        "except SystemExit as stop: assert stop.code == 0\n"
        "print(*(name for name in sys.modules if name.startswith('verify.commands.')))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "verify.commands.table"
