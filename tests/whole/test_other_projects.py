"""Another project's package under one of our names is warned of where ours are imported, in one line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def warnings_of(code, *folders):
    """What a line of Python says on the error stream with these folders, then the source, on the path."""
    path = os.pathsep.join(map(str, (*folders, ROOT)))
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONWARNINGS": "always"}
    return subprocess.run([sys.executable, "-P", "-c", code], env=environment, cwd=folders[0] if folders else ROOT,
                          capture_output=True, text=True, check=True).stderr


def test_our_own_packages_are_ours():
    """Nothing is said where nothing is overwritten, whichever is imported first."""
    for first, second in (("bounds", "verify"), ("verify", "bounds"), ("closed_form", "bounds")):
        assert warnings_of(f"import {first}, {second}") == ""


@pytest.mark.parametrize(("theirs", "ours"), [("verify", "bounds"), ("closed_form", "bounds"), ("bounds", "verify")])
def test_a_package_of_another_project_is_named(theirs, ours, tmp_path):
    """The warning says which package, where it is and what to do."""
    (tmp_path / theirs).mkdir()
    (tmp_path / theirs / "__init__.py").write_text("'''Somebody else's.'''\n")
    said = warnings_of(f"import {ours}", tmp_path)
    assert f"the package {theirs} in {tmp_path / theirs / '__init__.py'} is not that of sgm-bounds" in said
    assert f"pip uninstall {theirs}, then pip install --force-reinstall sgm-bounds" in said
    assert said.count("UserWarning") == 1


def test_a_package_whose_first_file_is_gone_is_named(tmp_path):
    """Where the other project was uninstalled again our folder is left without its `__init__.py`."""
    (tmp_path / "bounds").symlink_to(ROOT / "bounds")
    (tmp_path / "verify").mkdir()
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONWARNINGS": "always"}
    done = subprocess.run([sys.executable, "-S", "-P", "-c", "import bounds"], env=environment, cwd=tmp_path,
                          capture_output=True, text=True, check=True)
    assert "the package verify in a folder without __init__.py is not that of sgm-bounds" in done.stderr
