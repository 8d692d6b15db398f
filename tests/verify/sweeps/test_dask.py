"""A sweep on a real Dask cluster, one of whose workers is killed."""

import os
import signal

import pytest

from verify import sweep
from verify.sweeps.tables import write_table

ASKED = {"theorems": ["martingale"], "process": {"family": "ou"},
         "data": {"law": "gaussian", "mean": 0.0}, "scheme": {"kind": "euler-maruyama", "horizon": 2.0},
         "sweep": {"scheme.steps": [2, 0, 8, 16], "data.covariance": {"from": 0.1, "to": 10, "number": 10}}}


def required(module):
    """The library; without it the test is skipped, or fails if REQUIRE_DASK=1, as in make deep."""
    if os.environ.get("REQUIRE_DASK") == "1":
        __import__(module)
    return pytest.importorskip(module)


@pytest.mark.deep
@pytest.mark.filterwarnings("default")
def test_a_worker_that_is_killed_costs_nothing(tmp_path):
    """Forty cells on two workers, one killed at the tenth: every cell is there, the file that of a run in this
    process, and pandas reads the same rows from Parquet."""
    distributed, pandas = required("distributed"), required("pandas")
    done = []
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        victim = next(iter(cluster.workers.values())).process.pid

        def told(cells, *_):
            done.append(cells)
            if cells == 10:
                os.kill(victim, signal.SIGKILL)

        found = sweep(ASKED, out=tmp_path / "dask.jsonl", dask=cluster.scheduler_address, progress=told)
    alone = sweep(ASKED, out=tmp_path / "alone.jsonl")
    assert done[-1] == found.computed == 40
    assert (tmp_path / "dask.jsonl").read_bytes() == (tmp_path / "alone.jsonl").read_bytes()
    write_table(str(tmp_path / "o.parquet"), alone.rows, False)
    frame = pandas.read_parquet(tmp_path / "o.parquet")
    assert frame["bound"].dropna().tolist() == alone.to_pandas()["bound"].dropna().tolist()
    assert len(frame) == 40


@pytest.mark.deep
def test_a_scheduler_that_is_not_there_is_named():
    """One line with the address."""
    required("distributed")
    with pytest.raises(ConnectionError, match=r"no Dask scheduler answers at 'tcp://127\.0\.0\.1:1'"):
        sweep(ASKED, dask="tcp://127.0.0.1:1")
