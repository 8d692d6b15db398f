"""What is distributed works away from the source: the sdist has all that its tests need, and in the wheel is every
module, data file, schema and type marker."""

import json
import os
import subprocess
import sys
import tomllib
from configparser import ConfigParser
from pathlib import Path

import pytest

from tests.source import files_of_the_source

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("bounds", "closed_form", "verify")
#: What setuptools writes into a source distribution.
WRITTEN = ("PKG-INFO", "sgm_bounds.egg-info")


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A folder that the wheel is installed into, as pip does."""
    target = tmp_path_factory.mktemp("wheel") / "installed"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-compile", "--target"]
    subprocess.run([*command, str(target), str(wheel)], check=True, capture_output=True)
    return target


def run_installed(installed, folder, *command):
    """What a command prints, in a folder of its own and with the installed packages first."""
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def test_the_source_distribution_tests_itself(source_distribution):
    """Every file of the source is in it, tests, notebooks, documents and settings of tools too, and as it was."""
    source = files_of_the_source()
    there = {str(path.relative_to(source_distribution)) for path in source_distribution.rglob("*") if path.is_file()}
    assert set(source) <= there
    assert {name for name in there - set(source) if not name.startswith(WRITTEN)} == set()
    for name in source:
        if name != "setup.cfg":  # setuptools adds a section of its own
            assert (source_distribution / name).read_bytes() == (ROOT / name).read_bytes(), name


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
    folders = {path.split(os.sep)[0] for path in there if ".dist-info" not in path}
    assert folders == {*PACKAGES, "bin"} and "bin/sgm-bounds" in there
    kinds = {Path(path).suffix for path in source} | {Path(path).name for path in source}
    assert {".toml", ".csv", ".json", "py.typed"} <= kinds


def test_the_command_runs_from_the_wheel(installed, tmp_path):
    """The console script finds itself unchanged since it was installed, and reads a bundled CSV file."""
    script = str(installed / "bin" / "sgm-bounds")
    doctor = json.loads(run_installed(installed, tmp_path, script, "doctor", "--json"))
    packages = {check["name"]: check for check in doctor["checks"]}
    for package in PACKAGES:
        found = packages[f"package {package}"]
        assert found["ok"] and found["found"] == f"in {installed / package}"
    document = json.loads(run_installed(installed, tmp_path, script, "bound", "old_faithful", "--json",
                                        "--theorem", "martingale"))
    assert document["results"][0]["applicable"]


def test_the_module_runs_from_the_wheel(installed, tmp_path):
    """`python -m verify` certifies in an empty folder, by the installed code, and leaves nothing there."""
    where = run_installed(installed, tmp_path, sys.executable, "-c", "import verify; print(verify.__file__)")
    assert where.startswith(str(installed))
    document = json.loads(run_installed(installed, tmp_path, sys.executable, "-m", "verify", "certify", "two_modes",
                                        "--theorem", "martingale", "--json"))
    assert document["certificates"][0]["verdict"] == "HOLDS"
    assert not list(tmp_path.iterdir())


def test_the_metadata_say_what_is_tested(installed):
    """The classifiers name the versions of Python that are tested, and the least is the one that is required."""
    settings = ConfigParser()
    settings.read(ROOT / "setup.cfg")
    name = "Programming Language :: Python :: "
    minor = [line.removeprefix(name) for line in settings["metadata"]["classifiers"].splitlines()
             if line.startswith(f"{name}3.")]
    assert settings["options"]["python_requires"] == f">={minor[0]}"
    (metadata,) = installed.glob("*.dist-info/METADATA")
    text = metadata.read_text(encoding="utf-8")
    for version in minor:
        assert f"Classifier: {name}{version}\n" in text
    ruff = tomllib.loads((ROOT / ".ruff.toml").read_text(encoding="utf-8"))
    assert ruff["target-version"] == f"py{minor[0].replace('.', '')}"
