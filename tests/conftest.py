"""Strict numerics and explicit Hypothesis profiles for every test."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import hypothesis
import matplotlib
import numpy as np
import pytest

import bounds  # noqa: F401 (before sympy, which a test may import first: see there)
from bounds.compiled import anew
from tests.drawn import examples
from tests.source import files_of_the_source

ROOT = Path(__file__).resolve().parents[1]

matplotlib.use("Agg")
# collection makes objects that stay: nothing is garbage before its end
gc.disable()
# workers are told the width of a terminal: what commands print here is as wide as where nobody says
os.environ.pop("COLUMNS", None)

# derandomize is set explicitly: Hypothesis changes its default where it believes that it runs in CI
hypothesis.settings.register_profile(
    "ci", derandomize=True, deadline=None, max_examples=examples(12), print_blob=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
# a mutant that fails is killed, and its example need not be made small
hypothesis.settings.register_profile(
    "mutants", hypothesis.settings.get_profile("ci"), report_multiple_bugs=False,
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
)
hypothesis.settings.register_profile("explore", derandomize=False, deadline=None, max_examples=300)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture(autouse=True)
def strict_numerics():
    """Invalid operations and divisions by zero are errors wherever the code does not say otherwise, and no test depends on
    how much work those before it did."""
    anew()
    with np.errstate(invalid="raise", divide="raise"):
        yield


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory):
    """A folder that all processes of this run of the tests share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def source_distribution(tmp_path_factory):
    """The folder that the sdist of a clean copy of the source unpacks to."""
    folder = tmp_path_factory.mktemp("sdist")
    for name in files_of_the_source():
        (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / "source" / name)
    code = "import sys; from setuptools.build_meta import build_sdist; build_sdist(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, str(folder)], cwd=folder / "source", check=True, capture_output=True)
    (found,) = folder.glob("*.tar.gz")
    with tarfile.open(found) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    (unpacked,) = (folder / "unpacked").iterdir()
    return unpacked


@pytest.fixture(scope="session")
def wheel(source_distribution, tmp_path_factory):
    """The wheel that is built from the source distribution."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir"]
    subprocess.run([*command, str(folder), str(source_distribution)], check=True, capture_output=True)
    (found,) = folder.glob("*.whl")
    return found


def pytest_collection_modifyitems(items):
    """Tests of the whole tool come first, as some take seconds and none should be the last; its notebooks come after the
    schedules and experiments that some of them show: the worker that has run these has them."""

    def turn(item):
        if item.path.name == "test_notebooks.py":
            return 2
        if item.path.parent.name == "whole":
            return 0
        shown = item.path.name == "test_experiments.py" or item.path.parts[-2:] == ("studies", "test_schedules.py")
        return 1 if shown else 3

    items.sort(key=turn)


@hypothesis.settings(max_examples=1, database=None)
@hypothesis.given(hypothesis.strategies.none())
def _first_draw(nothing):
    """Nothing: Hypothesis makes its generator at the first draw, and some versions warn of one that is held by what
    the garbage collector no longer looks at."""


def pytest_collection_finish():
    """What was imported stays: the garbage collector need not look at it once, nor often at the rest."""
    gc.freeze()
    _first_draw()
    gc.enable()
    gc.set_threshold(100_000, 50, 100)


def pytest_terminal_summary(terminalreporter):
    """Print what tests recorded as a summary: minimum, median and worst ratios of bound to truth."""
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, text in getattr(report, "user_properties", ()):
                if name == "summary" and report.when == "call":
                    terminalreporter.write_line(f"\n{report.nodeid}\n{text}")
