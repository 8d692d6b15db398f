"""Many mutants over processes that can be ended: progress on the way, and every fault in a folder.

``python -m tests.fuzz.campaign --files 100000 --first 0``: a seed a file, the same on every machine, so that
a run goes on where another stopped.
"""

import argparse
import json
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from multiprocessing.connection import wait
from pathlib import Path

#: Weights and arguments: cheap commands often, those of several seconds seldom.
COMMANDS = (
    (30, ("bound", "PROBLEM")),
    (15, ("certify", "PROBLEM")),
    (10, ("certify", "PROBLEM", "--information", "constants")),
    (15, ("regimes", "PROBLEM")),
    (15, ("lower-bound", "PROBLEM")),
    (10, ("sample", "PROBLEM", "-n", "3", "--out", "written.npy")),
    (4, ("plan", "PROBLEM", "--eps", "2", "--seconds", "8")),
    (2, ("profile", "PROBLEM")),
    (2, ("table", "PROBLEM")),
    (1, ("schedules", "PROBLEM", "--steps", "5", "--schedule", "OU")),
    (1, ("lower-bound", "PROBLEM", "--formula")),
)
#: Processor seconds of a file after which a process ends, some way beyond the limit of the judge, and wall seconds
#: after which it is ended: it may also wait.
HUNG, WAITS = 120.0, 1800.0
#: In place of a seed: the process is not ready yet.
STARTING = -1
#: Memory of a process; beyond it Python raises MemoryError.
BYTES = 6 * 2**30


def work(pipe) -> None:
    """Say that it is ready, and judge the seeds that come, each in its own folder, until the pipe closes."""
    from click.testing import CliRunner

    from tests.fuzz.judge import judged
    from tests.fuzz.mutants import mutant
    from tests.mutation.run import allow
    from verify.cli import cli
    from verify.studies import orders

    orders.ROW_SECONDS = 3.0  # a user waits a minute for the limits of a row
    resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
    sys.stdin = open(os.devnull)
    CliRunner().invoke(cli, ["table"])  # the published rows take sympy ten seconds, once
    pipe.send(None)
    while True:
        try:
            seed = pipe.recv()
        except EOFError:
            return
        allow(HUNG)
        whole = mutant(seed, COMMANDS)
        found, smallest = _judged(judged, whole), whole
        if found.fault and found.seconds < 1.0:
            smallest = _smaller(judged, whole, found)
        pipe.send((seed, found, smallest))


def _judged(judged, mutant):
    with tempfile.TemporaryDirectory() as folder:
        return judged(mutant, Path(folder))


def _smaller(judged, mutant, found):
    """The mutant without the lines that its fault does not need."""
    lines = mutant.problem.split(b"\n")
    for place in reversed(range(len(lines))):
        shorter = lines[:place] + lines[place + 1 :]
        now = replace(mutant, problem=b"\n".join(shorter))
        again = _judged(judged, now)
        if again.fault == found.fault and again.said[-60:] == found.said[-60:]:
            lines, mutant = shorter, now
    return mutant


class Crew:
    """Processes that judge seeds; one that hangs or dies is replaced, and its seed reported."""

    def __init__(self, workers: int):
        self.context = multiprocessing.get_context("spawn")
        self.posts: dict = {}
        for _ in range(workers):
            self.hire()

    def hire(self) -> None:
        """Start one more process; its first word is that it is ready."""
        ours, theirs = self.context.Pipe()
        process = self.context.Process(target=work, args=(theirs,), daemon=True)
        process.start()
        theirs.close()
        self.posts[ours] = [process, STARTING, time.monotonic()]

    def findings(self, seeds):
        """(seed, finding, smallest mutant) of every seed as they come; (seed, why, None) where a process was
        lost."""
        seeds = iter(seeds)
        while busy := [pipe for pipe, post in self.posts.items() if post[1] is not None]:
            for pipe in wait(busy, 1.0):
                try:
                    found = pipe.recv()
                except (EOFError, ConnectionError):
                    yield from self._lost(pipe, "the process died, or took too long")
                    continue
                if found:
                    yield found
                self._next(pipe, seeds)
            for pipe in busy:
                if pipe in self.posts and time.monotonic() - self.posts[pipe][2] > WAITS:
                    yield from self._lost(pipe, f"no answer in {WAITS:g} s")

    def _lost(self, pipe, why):
        process, seed, _ = self.posts.pop(pipe)
        process.kill()
        pipe.close()
        if seed == STARTING:
            raise RuntimeError(f"a process does not start: {why}")
        yield seed, why, None
        self.hire()

    def _next(self, pipe, seeds) -> None:
        seed = next(seeds, None)
        self.posts[pipe][1:] = [seed, time.monotonic()]
        if seed is not None:
            pipe.send(seed)


def write(folder: Path, seed: int, why: str, said: str, mutant) -> None:
    """The problem, the data and what happened, in a folder called by the seed."""
    place = folder / str(seed)
    place.mkdir(parents=True, exist_ok=True)
    (place / "problem.toml").write_bytes(mutant.problem)
    (place / "data.csv").write_bytes(mutant.data)
    what = {"fault": why, "arguments": mutant.arguments, "said": said}
    (place / "what.json").write_text(json.dumps(what, indent=1))


def main() -> int:
    """Run the campaign; 1 if anything was at fault."""
    from tests.fuzz.mutants import mutant

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--out", type=Path, default=Path("out/fuzz"), help="folder of the faults")
    asked = parser.parse_args()
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    start, codes, faults, slowest = time.monotonic(), Counter(), Counter(), []
    seeds = range(asked.first, asked.first + asked.files)
    for done, (seed, found, small) in enumerate(Crew(asked.workers).findings(seeds), 1):
        why, said = (found, "") if small is None else (found.fault, found.said)
        if small is not None:
            codes[found.code] += 1
            slowest = sorted([*slowest, (round(found.seconds, 2), seed)], reverse=True)[:10]
        if why:
            faults[why] += 1
            write(asked.out, seed, why, said, small or mutant(seed, COMMANDS))
            last = said.strip().splitlines()[-1][:200] if said.strip() else ""
            print(f"seed {seed}: {why}: {last}", flush=True)
        if done % 1000 == 0 or done == asked.files:
            rate = done / (time.monotonic() - start)
            print(f"{done} files, {rate:.0f}/s, exit codes {dict(codes)}, faults {sum(faults.values())}, "
                  f"slowest {slowest[:1]}", flush=True)
    print(f"slowest (seconds, seed): {slowest}")
    print(f"faults: {dict(faults) or 'none'}" + (f", in {asked.out}" if faults else ""))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
