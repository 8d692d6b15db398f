"""A sweep is the same however it is run, keeps what is done, and says of a failed cell why."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor, Future, ThreadPoolExecutor

import pytest

from bounds.theorems import theorems
from tests.command_line import schema
from tests.verify.sweeps.dying import Item, deadly
from tests.whole.test_architecture import ROOT
from verify import certify, sweep
from verify.problems.problem import read_problem
from verify.sweeps.processes import in_processes
from verify.sweeps.tables import optional

OU = {"process": {"family": "ou"}, "data": {"law": "gaussian", "mean": 0.0, "covariance": 1.0},
      "scheme": {"kind": "euler-maruyama", "horizon": 1.0, "steps": 4}}
ASKED = {**OU, "compute": "certify", "theorems": ["martingale", "flow"],
         "sweep": {"scheme.steps": [2, 0, 5], "data.covariance": [0.5, 2.0]}}
FORTY = """
theorems = ["martingale"]
base = "two_modes"
[scheme]
steps = 5
[sweep]
"data.std" = { from = 0.3, to = 2, number = 40 }
"""


class Broken:
    """An executor that is no more."""

    def submit(self, *_):
        """Nothing is taken."""
        future = Future()
        future.set_exception(BrokenExecutor("gone"))
        return future


def test_cells_are_what_single_commands_say():
    """Every cell has the bound, the truth and the verdict of its problem asked alone; a theorem that does not
    apply says why, a problem that is wrong is a reason."""
    found = sweep(ASKED)
    for cell in found.cells:
        schema("sweep").validate(cell)
        if cell["values"]["scheme.steps"] == 0:
            assert cell["results"] == [] and cell["failed"].startswith("scheme.steps must be a whole number")
            continue
        problem = read_problem({**OU, "data": {**OU["data"], "covariance": cell["values"]["data.covariance"]},
                                "scheme": {**OU["scheme"], "steps": cell["values"]["scheme.steps"]}})
        alone = certify("martingale", process=problem.process, law=problem.law, scheme=problem.scheme)
        martingale, flow = cell["results"]
        assert (martingale["bound"], martingale["verdict"]) == (alone.bound.total, "HOLDS")
        assert (martingale["lower"], martingale["ratio"]) == (alone.measured.lower, alone.ratio)
        assert (flow["applicable"], flow["verdict"], flow["bound"]) == (False, None, None) and flow["unmet"]
    schema("sweep").validate(found.header)
    assert [row["cell"] for row in found.rows] == [0, 0, 1, 1, 2, 3, 4, 4, 5, 5]


def test_any_executor_gives_the_same(tmp_path):
    """Threads give the cells of this process, in order; an executor that broke is refused in one line."""
    with ThreadPoolExecutor(2) as threads:
        assert sweep(ASKED, executor=threads).cells == sweep(ASKED).cells
    with pytest.raises(ChildProcessError, match="the executor broke before its work was done: gone"):
        sweep(ASKED, executor=Broken())


def test_what_is_done_is_not_done_again(tmp_path, monkeypatch):
    """A second run computes nothing, a wider sweep only what is new, a narrower one is refused without force,
    and a failed cell is computed again where that is asked."""
    out = tmp_path / "o.jsonl"
    first = sweep(ASKED, out=out)
    whole = out.read_bytes()
    assert first.computed == 6 and sweep(ASKED, out=out).computed == 0 and out.read_bytes() == whole
    wider = {**ASKED, "sweep": {"scheme.steps": [7, 2, 5], "data.covariance": [0.5, 2.0]}}
    assert (sweep(wider, out=out).computed, sweep(wider, out=out).cells) == (2, sweep(wider).cells)
    with pytest.raises(ValueError, match=r"holds 2 cells that this sweep does not ask for"):
        sweep(ASKED, out=out)
    assert sweep(ASKED, out=out, force=True).computed == 2 and out.read_bytes() == whole
    assert sweep(ASKED, out=out, retry=True).computed == 2


def test_seeds_do_not_depend_on_the_order():
    """A cell of samples has its own seed, which the same cell of another sweep has too."""
    asked = {**OU, "compute": "certify", "theorems": ["flow"], "samples": 100}
    one = sweep({**asked, "sweep": {"scheme.steps": [2, 3]}}).cells
    other = sweep({**asked, "sweep": {"scheme.steps": [4, 3, 2]}}).cells
    assert [cell["seed"] for cell in one] == [other[2]["seed"], other[1]["seed"]]
    assert len({cell["seed"] for cell in other}) == 3
    assert sweep({**asked, "seed": 1, "sweep": {"scheme.steps": [2]}}).cells[0]["seed"] != one[0]["seed"]


def test_a_bug_in_a_cell_is_named(monkeypatch):
    """An error that nobody expected is the reason of its cell, and the other cells are there."""
    monkeypatch.setattr("verify.sweeps.cell._found", lambda key: {}["nothing"])
    cells = sweep({**OU, "theorems": ["martingale"], "sweep": {"scheme.steps": [2, 0]}}).cells
    assert cells[0]["failed"] == "unexpected KeyError: 'nothing'" and "whole number" in cells[1]["failed"]


def test_own_theorems_are_asked_by_object():
    """A theorem object, of no registry, is one of a sweep's."""
    mine = theorems()["martingale"].corrupted("variance_known", "1/100")
    asked = {**OU, "compute": "certify", "scheme": {"kind": "euler-maruyama", "horizon": 4.0},
             "sweep": {"scheme.steps": [100], "data.covariance": [0.25]}}
    (said,) = sweep(asked, theorems=[mine]).cells[0]["results"]
    assert (said["theorem"], said["verdict"]) == ("martingale", "VIOLATED")


def test_progress_is_told():
    """Cells done, cells in all, and the seconds left once one is done."""
    told = []
    sweep(ASKED, progress=lambda *said: told.append(said))
    assert [said[:2] for said in told] == [(done, 6) for done in range(7)]
    assert told[0][2] is None and told[-1][2] == 0


@pytest.mark.parametrize(("options", "why"), [
    ({"workers": 0}, "workers must be at least 1, got 0"), ({"theorems": ["nothing"]}, "theorem must be one of"),
    ({"executor": Broken(), "dask": "tcp://x"}, "executor must be left out where dask is given"),
])
def test_wrong_arguments_are_refused(options, why):
    """Before anything is computed, in one line."""
    with pytest.raises(ValueError, match=why):
        sweep(ASKED, **options)


def test_a_library_that_is_missing_is_named(monkeypatch):
    """What brings it is in the error."""
    for module in ("distributed", "pandas"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=r"pip install 'sgm-bounds\[dask\]' brings it"):
        sweep(ASKED, dask="tcp://127.0.0.1:1")
    with pytest.raises(ImportError, match=r"pandas is not installed: pip install 'sgm-bounds\[tables\]'"):
        optional("pandas")


def test_a_process_that_dies_takes_one_cell_with_it():
    """The cell that ends its process has failed, and no other has."""
    found = {cell.index: said for cell, said in in_processes(deadly, map(Item, range(3)), 2)}
    assert found.pop(1)["failed"].startswith("its process ended before it was done")
    assert found == {index: {"results": [index], "failed": None} for index in (0, 2)}


def test_a_run_that_is_killed_goes_on(tmp_path):
    """Forty cells on two processes, killed at the tenth: no process is left, and the file of the second run is
    that of a run in this process, to the byte."""
    (tmp_path / "s.toml").write_text(FORTY)
    out, part = tmp_path / "o.jsonl", tmp_path / "o.jsonl.part"
    command = [sys.executable, "-m", "verify.cli", "sweep", str(tmp_path / "s.toml"), "--out", str(out),
               "--workers", "2"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    while not part.exists() or part.read_bytes().count(b"\n") < 10:
        assert process.poll() is None
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()  # returns when the workers, which have the pipe too, are gone
    assert not out.exists()
    resumed = sweep(tmp_path / "s.toml", out=out)
    assert 0 < resumed.computed <= 30 and not part.exists()
    assert sweep(tmp_path / "s.toml", out=tmp_path / "alone.jsonl").computed == 40
    assert out.read_bytes() == (tmp_path / "alone.jsonl").read_bytes()
    assert resumed.cells[3]["results"][0]["bound"] == resumed.rows[3]["bound"]


