"""What is installed works away from the source: every module, data file, schema and type marker is in the
wheel."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("bounds", "closed_form", "verify")


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A folder that holds the contents of the wheel."""
    target = tmp_path_factory.mktemp("wheel") / "installed"
    zipfile.ZipFile(wheel).extractall(target)
    return target


def test_the_wheel_holds_every_file_of_the_packages(installed):
    """No module, problem file, data file, schema or py.typed of the source is missing, and no test is
    installed."""
    source = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    there = {str(path.relative_to(installed)) for path in installed.rglob("*") if path.is_file()}
    assert source <= there
    assert {path.split(os.sep)[0] for path in there if ".dist-info" not in path} == set(PACKAGES)
    kinds = {Path(path).suffix for path in source} | {Path(path).name for path in source}
    assert {".toml", ".csv", ".json", "py.typed"} <= kinds


def test_the_command_runs_from_the_wheel(installed, tmp_path):
    """A bundled problem that reads a bundled CSV file is certified by the installed code, not by the
    source's."""
    code = "import verify, verify.cli; print(verify.__file__); verify.cli.main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "certify", "old_faithful", "--theorem", "martingale", "--json"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(installed)}, capture_output=True, text=True,
        check=True,
    )
    where, document = done.stdout.split("\n", 1)
    assert where.startswith(str(installed))
    assert json.loads(document)["certificates"][0]["verdict"] == "HOLDS"
