"""The command ``sweep``: its file, its tables, its picture and its exit codes."""

import csv
import json
import sys

import pytest

from tests.command_line import answer, assert_refused, everything_in, run, schema

TEXT = """
compute = "certify"
theorems = ["martingale"]
base = "two_modes"
[sweep]
scheme.steps = [4, 8]
"data.std" = [0.5, 0.9]
"""


@pytest.fixture
def asked(tmp_path):
    """A sweep's file."""
    path = tmp_path / "s.toml"
    path.write_text(TEXT)
    return path


def test_answers_are_kept_and_told(asked):
    """The lines are beside the file, CSV has the same numbers, the picture is drawn, and --json sums up."""
    csv_file, picture = asked.with_name("s.csv"), asked.with_name("s.svg")
    found = run("sweep", asked, "--workers", 1, "--table", csv_file, "--plot", picture)
    assert found.exit_code == 0 and "4 HOLDS" in found.stdout and "4 computed now" in found.stdout
    header, *cells = map(json.loads, asked.with_name("s.jsonl").read_text().splitlines())
    for line in (header, *cells):
        schema("sweep").validate(line)
    rows = list(csv.DictReader(csv_file.read_text().splitlines()))
    assert [float(row["bound"]) for row in rows] == [cell["results"][0]["bound"] for cell in cells]
    assert [row["data.std"] for row in rows] == ["0.5", "0.9", "0.5", "0.9"]
    assert "martingale, data.std = 0.5" in picture.read_text()
    document = answer("sweep", asked, "--workers", 1)
    schema("sweep").validate(document)
    assert (document["cells"], document["computed"], document["failed"]) == (4, 0, 0)
    assert document["theorems"][0]["verdicts"] == {"HOLDS": 4}


def test_failed_cells_are_told_once_for_each_reason(asked):
    """Exit code 2, and one line for all cells of one reason."""
    asked.write_text(TEXT.replace("[4, 8]", "[0, 4]"))
    found = run("sweep", asked, "--workers", 1)
    assert found.exit_code == 2
    assert "cell 0 and 1 more failed (scheme.steps = 0, data.std = 0.5): scheme.steps must be" in found.stdout


@pytest.mark.parametrize(("args", "why"), [
    (["--table", "s.txt"], "--table must end in .csv or .parquet"),
    (["--table", "s.parquet"], "pyarrow is not installed: pip install 'sgm-bounds[tables]'"),
    (["--plot", "s.txt"], "--plot must end in .png"), (["--plot", "s.png", "--over", "scheme.kind"], "--over must be"),
    (["--workers", "0"], "not in the range"), (["--workers", "2", "--dask", "tcp://x"], "exclude each other"),
    (["--dask", "tcp://127.0.0.1:1"], "distributed is not installed: pip install 'sgm-bounds[dask]'"),
    (["--theorem", "nothing"], "theorem must be one of"), (["--out", "none/o.jsonl"], "cannot write"),
])
def test_what_cannot_be_done_is_refused_first(asked, args, why, monkeypatch):
    """One line, before anything is computed, and no file is left."""
    for module in ("distributed", "pyarrow"):
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.chdir(asked.parent)
    assert why in assert_refused(run("sweep", asked, *args))
    assert everything_in(asked.parent) == ["s.toml"]
