"""A sweep of 2,000 cells through five kills, and what a second process is worth: python tests/benchmarks/sweeps.py."""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SWEEP = """
compute = "certify"
theorems = ["martingale", "martingale-coupled"]
[process]
family = "ou"
[data]
{data}
[scheme]
kind = "euler-maruyama"
horizon = 4.0
[sweep]
"scheme.steps" = {{ from = 10, to = {steps}, number = {counts}, spacing = "log", whole = true }}
"{width}" = {{ from = 0.2, to = 2, number = {widths}, spacing = "log" }}
"""
GAUSSIAN = {"data": 'law = "gaussian"\nmean = 0.5', "width": "data.covariance"}
#: Cells of which each takes a tenth of a second: what a process costs to start is little beside them.
MIXTURE = {"data": 'law = "mixture"\nmeans = [[-1.0], [1.0]]', "width": "data.std"}


def written(folder, data, steps, counts, widths):
    """A sweep's file in a folder."""
    path = Path(folder) / "s.toml"
    path.write_text(SWEEP.format(**data, steps=steps, counts=counts, widths=widths))
    return path


def started(path, out, workers):
    """The command on a sweep, in a process of its own."""
    command = [sys.executable, "-m", "verify.cli", "sweep", str(path), "--out", str(out), "--workers", str(workers)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)


def lines_of(out):
    """Whole lines that are kept so far."""
    part = out.with_name(out.name + ".part")
    return part.read_bytes().count(b"\n") if part.exists() else 0


def killed(path, out, kills, cells, chance):
    """Run a sweep, killing it as often as told, each time some cells later; the seconds it took."""
    for _ in range(kills):
        process, goal = started(path, out, 2), lines_of(out) + chance.randint(1, max(1, cells // (kills + 1)))
        while lines_of(out) < goal and process.poll() is None:
            time.sleep(0.01)
        assert process.poll() is None, "it was done before it could be killed"
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert started(path, out, 2).wait() == 0


def seconds(path, out, workers):
    """(Seconds on the wall, seconds of all processors) of a whole run."""
    wall, before = time.monotonic(), os.times()
    assert started(path, out, workers).wait() == 0
    after = os.times()
    return time.monotonic() - wall, sum(after[2:4]) - sum(before[2:4])


def main():
    """Print what was found."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        path = written(folder, GAUSSIAN, 200, 40, 50)
        killed(path, folder / "killed.jsonl", 5, 2000, random.Random(1))
        seconds(path, folder / "whole.jsonl", 2)
        whole = (folder / "whole.jsonl").read_bytes()
        assert whole == (folder / "killed.jsonl").read_bytes()
        cells = whole.count(b"\n") - 1
        sys.stdout.write(f"{cells} cells, five kills: the same {len(whole)} bytes\n")
        path = written(folder, MIXTURE, 400, 20, 20)
        one, two = (seconds(path, folder / f"{workers}.jsonl", workers) for workers in (1, 2))
        assert (folder / "1.jsonl").read_bytes() == (folder / "2.jsonl").read_bytes()
        for name, (wall, cpu) in (("1 process", one), ("2 processes", two)):
            sys.stdout.write(f"{name}: {wall:.1f} s on the wall, {cpu:.1f} s of processors\n")
        sys.stdout.write(f"2 processes are {one[0] / two[0]:.2f} times as fast on the wall, and by the processors' "
                         f"time, were both free, {one[1] / (two[1] / 2):.2f} times\n")


if __name__ == "__main__":
    main()
