"""docs/your-own-theorem.md: every file it shows is written, every command it shows is run, in order."""

import os
import shutil
import subprocess
import sys

import pytest

from tests.document_commands import ROOT, blocks_of, run_commands, said, write_files

BLOCKS = blocks_of("your-own-theorem.md")


def test_the_page(tmp_path, monkeypatch):
    """What the page says a command prints is printed; commands end as it says: violations and failed tests
    with 1."""
    monkeypatch.chdir(tmp_path)
    write_files(BLOCKS, tmp_path)
    assert run_commands(BLOCKS) == 11
    assert (tmp_path / "simple2026.violated.toml").exists()


def test_the_sum_of_the_page(tmp_path, monkeypatch):
    """The closed form of the page holds on its problem, and its lower bound too."""
    monkeypatch.chdir(tmp_path)
    for name in ("sum.py", "problem.toml"):
        (text,) = (text for _, text in BLOCKS if text.startswith(f"# file: {name}\n"))
        (tmp_path / name).write_text(text)
    for name in ("THEOREM", "LOWER"):
        code, printed = said(f"sgm-bounds certify problem.toml --theorem sum.py:{name}")
        assert code == 0 and "HOLDS" in printed


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A folder with the built wheels of the project and of the example, as in an environment of their own."""
    target = tmp_path_factory.mktemp("installed")
    source = tmp_path_factory.mktemp("source")
    shutil.copytree(ROOT / "docs" / "examples" / "own_theorem", source / "own")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index",
           "--no-build-isolation"]
    subprocess.run([*pip, "--target", str(target), str(wheel), str(source / "own")], check=True,
                   capture_output=True)
    return target


def ask(installed, folder, *words):
    """A module run with the installed packages alone, not the source's."""
    return subprocess.run([sys.executable, *words], cwd=folder, capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": str(installed)})


def test_a_strangers_repository(installed, tmp_path):
    """The example passes its own test against the built wheel, with the plugin loaded by its entry point, and
    its theorem is there for every command."""
    shutil.copy(ROOT / "docs" / "examples" / "own_theorem" / "test_own_theorem.py", tmp_path)
    done = ask(installed, tmp_path, "-m", "pytest", "-q", "--sgm-problems", "30")
    assert done.returncode == 0 and "theorems against exact laws" in done.stdout, done.stdout + done.stderr
    (text,) = (text for _, text in BLOCKS if text.startswith("# file: problem.toml\n"))
    (tmp_path / "problem.toml").write_text(text)
    # two commands, the second as the command line runs it
    done = ask(installed, tmp_path, "-c", "import own_theorem, verify.cli; "
               "from click.testing import CliRunner; print(verify.__file__, own_theorem.__file__); "
               "print(CliRunner().invoke(verify.cli.cli, ['list', 'theorems']).stdout, 'certified:', flush=True); "
               "verify.cli.main()", "certify", "problem.toml", "--theorem", "simple2026")
    where, _, rest = done.stdout.partition("\n")
    known, _, certified = rest.partition("certified:")
    assert all(path.startswith(str(installed)) for path in where.split()) and where, done
    assert "simple2026" in known and "martingale" in known
    assert done.returncode == 0 and "HOLDS" in certified, done.stderr


def test_a_false_variant_fails(installed, tmp_path):
    """With its local term a hundred times too small the stranger's test is red."""
    own = (ROOT / "docs" / "examples" / "own_theorem" / "own_theorem.py").read_text()
    false = own.replace('local="2*(exp(h)-1)', 'local="(exp(h)-1)/50')
    assert false != own
    (tmp_path / "own_theorem.py").write_text(false)
    test = (ROOT / "docs" / "examples" / "own_theorem" / "test_own_theorem.py").read_text()
    (tmp_path / "test_own_theorem.py").write_text(test)
    done = ask(installed, tmp_path, "-m", "pytest", "-q")
    assert done.returncode == 1 and "simple2026 is VIOLATED" in done.stdout, done.stdout + done.stderr
