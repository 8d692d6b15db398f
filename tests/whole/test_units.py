"""Every kind of unit is one file: a template of each, dropped into a folder that its registry searches, is
all it takes."""

import ast
import importlib
import io
import os
import shutil
import subprocess
import sys
import tokenize
from pathlib import Path

import numpy as np
import pytest

from tests.command_line import answer, problem, run, schema
from tests.tolerances import STANDARD_ERRORS
from tests.whole.tolerances import ANOTHER_NAME, EXACT_SAMPLER

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "tests" / "units").rglob("*.py"))
#: The registry of each kind.
REGISTRIES = {
    "theorems": "bounds.theorems", "processes": "bounds.processes", "assumptions": "bounds.assumptions",
    "samplers": "bounds.samplers", "laws": "closed_form.laws", "commands": "verify.commands",
    "experiments": "verify.experiments",
}
#: Runs pytest with one folder more on a registry's path.
GENERIC = """
import importlib, sys
import pytest
registry, folder, *arguments = sys.argv[1:]
importlib.import_module(registry).__path__.append(folder)
sys.exit(pytest.main(["-q", "-x", "-p", "no:cacheprovider", *arguments]))
"""
#: What a template may be long, docstrings and comments apart.
MOST_LINES = 40
OU = {"process": {"family": "ou"}, "data": {"law": "gaussian", "mean": 1.0, "covariance": 0.5}}


@pytest.fixture
def add(tmp_path, monkeypatch):
    """Put the template of a kind into a folder of its own and that on the registry's path; returns (key,
    folder)."""
    added = []

    def put(kind):
        (template,) = (ROOT / "tests" / "units" / kind).glob("*.py")
        folder = tmp_path / "added"
        folder.mkdir()
        shutil.copy(template, folder)
        registry = importlib.import_module(REGISTRIES[kind])
        monkeypatch.setattr(registry, "__path__", [*registry.__path__, str(folder)])
        added.append(f"{REGISTRIES[kind]}.{template.stem}")
        return template.stem.replace("_", "-"), folder

    yield put
    for name in added:
        sys.modules.pop(name, None)


def written(folder, process=None, data=None, **scheme):
    """Path of a problem file with these tables; a table left out is that of N(1, 1/2) under OU."""
    tables = {"process": process or OU["process"], "data": data or OU["data"]}
    tables["scheme"] = {"kind": "euler-maruyama", "horizon": 2.0, "steps": 20, **scheme}
    text = "".join(
        f"[{name}]\n" + "".join(f"{key} = {value!r}\n".replace("'", '"') for key, value in table.items())
        for name, table in tables.items()
    )
    path = folder / f"problem-{len(list(folder.iterdir()))}.toml"
    path.write_text(text)
    return path


def martingale(path):
    """Total of the martingale bound on a problem."""
    (entry,) = answer("bound", path, "--theorem", "martingale")["results"]
    return entry["total"]


@pytest.mark.parametrize(
    ("kind", "files"),
    [
        ("theorems", ["tests/bounds/test_theorems.py"]),
        ("samplers", ["tests/bounds/test_samplers.py"]),
        ("experiments", ["tests/verify/test_experiments.py"]),
    ],
)
def test_the_tests_of_a_registry_run_on_a_new_file(kind, files, add):
    """Tests that go through a registry find the new unit and pass on it; its row of expected steps is a
    sampler's own."""
    key, folder = add(kind)
    chosen = f"{key} and not follow_the_table"
    done = subprocess.run(
        [sys.executable, "-c", GENERIC, REGISTRIES[kind], folder, *files, "-k", chosen],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True, text=True, check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_theorem_is_one_file(add, tmp_path):
    """It is listed, shown, and bounds a problem: here, by the sum of the martingale bound's terms."""
    key, _ = add("theorems")
    path = written(tmp_path, score_error=0.1)
    (entry,) = answer("bound", path, "--theorem", key)["results"]
    assert entry["total"] == pytest.approx(sum(entry["terms"].values()), rel=ANOTHER_NAME)
    assert entry["total"] > martingale(path)
    assert key in run("list").stdout and "Minkowski" in run("show", key).stdout


def test_a_process_is_one_file(add, tmp_path):
    """It is listed, its closed forms are derived and shown, and OU twice as fast needs half the time."""
    key, _ = add("processes")
    fast = written(tmp_path, {"family": key, "rate": 2}, horizon=1.0)
    assert martingale(fast) == pytest.approx(martingale(written(tmp_path)), rel=ANOTHER_NAME)
    assert key in run("list").stdout and "exp(-2*t)" in run("show", key, "--set", "process.rate=2").stdout
    assert run("certify", fast).exit_code == 0


def test_an_assumption_is_one_file(add, tmp_path):
    """Constants by its name give the bound that the same law has under the name of another assumption."""
    key, _ = add("assumptions")
    new = written(tmp_path, data={"assumption": key, "m0": 2.0, "condition": 4.0, "dim": 3})
    old = written(tmp_path, data={"assumption": "strong-log-concave", "m0": 2.0, "L0": 8.0, "dim": 3})
    assert martingale(new) == pytest.approx(martingale(old), rel=ANOTHER_NAME)
    assert key in run("list").stdout


def test_a_sampler_is_one_file(add, tmp_path):
    """It is listed, sampled and certified; on N(0, 1), for which it is exact, it is off by rounding alone."""
    key, _ = add("samplers")
    path = written(
        tmp_path, data={"law": "gaussian", "mean": 0.0, "covariance": 1.0}, kind=key, prior_std=1.0
    )
    document = answer("certify", path)
    schema("certificate").validate(document["certificates"][0])
    assert (
        max(each["measured"]["upper"] for each in document["certificates"] if each["measured"])
        <= EXACT_SAMPLER
    )
    assert key in run("list").stdout


def test_a_law_is_one_file(add, tmp_path):
    """It is bounded and simulated: nothing is certain about the exact error, and samples have the law's
    size."""
    key, _ = add("laws")
    path = written(
        tmp_path, data={"law": key, "width": 2.0, "dim": 2}, early_stop=0.01, horizon=4.0, steps=100
    )
    assert np.isfinite(martingale(path))
    assert run("certify", path).exit_code == 3
    out = tmp_path / "samples.npy"
    assert run("sample", path, "-n", 4000, "--seed", 1, "--out", out).exit_code == 0
    size_sq = np.square(np.load(out)).sum(axis=1)
    error = size_sq.std() / np.sqrt(len(size_sq))
    assert abs(size_sq.mean() - 8 / 3) <= STANDARD_ERRORS * error + 0.1 * 8 / 3


def test_a_command_is_one_file(add, tmp_path):
    """It is listed in the help and runs, in text and JSON."""
    key, _ = add("commands")
    assert key in run("--help").stdout
    path = problem(tmp_path, "gaussian")
    document = answer(key, path)
    assert document["second_moment"] >= document["mean_norm"] ** 2
    assert f"{document['second_moment']:.6g}" in run(key, path).stdout


def test_an_experiment_is_one_file(add, tmp_path):
    """It is listed, and its quick form runs to rows, findings and a picture."""
    key, _ = add("experiments")
    assert key in [each["key"] for each in answer("experiment")["experiments"]]
    document = answer("experiment", key, "--quick", "--out", tmp_path / "e.png")
    schema("experiment").validate(document)
    assert (tmp_path / "e.png").stat().st_size > 0


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_contributing_shows_the_template(path):
    """CONTRIBUTING.md has every template word for word."""
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert f"```python\n{path.read_text(encoding='utf-8')}```" in contributing


def code_lines(text):
    """Lines that hold code: neither blank nor within a comment or a docstring."""
    quiet = {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    }
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    lines = {
        line
        for token in tokens
        if token.type not in quiet
        for line in range(token.start[0], token.end[0] + 1)
    }
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
            lines -= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return len(lines)


def test_there_is_a_short_template_of_every_kind():
    """One file for each registry, of fewer lines of code than fit on a screen."""
    assert sorted(path.parent.name for path in TEMPLATES) == sorted(REGISTRIES)
    assert {path.stem: code_lines(path.read_text(encoding="utf-8")) for path in TEMPLATES if
            code_lines(path.read_text(encoding="utf-8")) >= MOST_LINES} == {}
