"""Mutants of the formulas of bounds/ and closed_form/, drawn at random: which of them no test kills.

``python -m tests.mutation.campaign --mutants 200 --seed 1``: the same mutants on every machine, those of a
larger number go on where a smaller one stopped, and a change to one module leaves those drawn in the
others.  Results are appended to a file, so a run that was ended goes on.

Own code, since neither tool of the field serves: mutmut 3.8 leaves what is outside functions alone, where the
theorems' formulas are, and every decorated function (properties, cached values); cosmic-ray 8.7 runs one
command for all mutants, one after another and on the checked-out files.  Neither draws a sample, nor changes
sqrt, exp or min.
"""

import argparse
import hashlib
import json
import multiprocessing
import os
import signal
import sys
import time
import tomllib
from collections.abc import Callable
from multiprocessing.connection import wait
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("bounds", "closed_form")
#: Wall seconds after which a mutant is killed: a process may also wait.
HUNG = 900.0
#: What is said of a process that sent nothing.
LOST = "a test died, or took too long"
#: What every test imports; imported once, before processes are forked.
SHARED = ("numpy", "numpy.polynomial", "scipy.special", "scipy.optimize", "scipy.integrate", "scipy.stats",
          "sympy", "sympy.abc", "matplotlib.figure", "flint")


def drawn(root: Path) -> list:
    """Every mutant of the packages, not of their ``__init__`` nor of what is written from formulas."""
    from tests.mutation.operators import mutants

    files = [path for package in PACKAGES for path in sorted((root / package).rglob("*.py"))]
    left_out = {root / "bounds" / "stated" / "functions.py"}
    return [mutant for path in files if path.name != "__init__.py" and path not in left_out
            for mutant in mutants(root, path)]


def shuffled(every: list, seed: int) -> list:
    """The mutants in the order of hashes of their keys: each has its place whatever others there are."""
    return sorted(every, key=lambda each: hashlib.sha256(repr((seed, *each.key)).encode()).digest())


def equivalents() -> dict:
    """Reasons why no test can kill a mutant, by its key."""
    with open(Path(__file__).with_name("equivalents.toml"), "rb") as file:
        known = tomllib.load(file).get("mutant", [])
    return {(each["module"], each["function"], each["before"], each["after"], each.get("number", 1)):
            each["reason"] for each in known}


def results(path: Path) -> dict:
    """The last result of every mutant in a file, by its key; a line that was cut off does not count."""
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            result = json.loads(line)
        except json.JSONDecodeError:
            continue
        found[tuple(result["key"])] = result
    return found


def append(path: Path, result: dict) -> None:
    """One line, in one write, on the disk before this returns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(file, (json.dumps(result, ensure_ascii=False) + "\n").encode())
        os.fsync(file)
    finally:
        os.close(file)


def run_all(root: Path, wanted: list, workers: int, run: Callable):
    """(mutant, failed test or None, seconds) as they come; what hangs or dies counts as failed.

    ``run`` has root, mutant, tests and a pipe, and a process to itself.
    """
    from tests.mutation.run import tests_of

    context, waiting, busy = multiprocessing.get_context("fork"), list(reversed(wanted)), {}
    try:
        while waiting or busy:
            while waiting and len(busy) < workers:
                mutant = waiting.pop()
                ours, theirs = context.Pipe(duplex=False)
                tests = tests_of(root, mutant.module)
                process = context.Process(target=run, args=(root, mutant, tests, theirs))
                process.start()
                theirs.close()
                busy[ours] = mutant, process, time.monotonic()
            for pipe in wait(list(busy), 1.0):
                mutant, process, start = busy[pipe]
                try:
                    failed = next(iter(pipe.recv()[0]), None)
                except EOFError:
                    failed = LOST
                yield mutant, failed, time.monotonic() - start
                _end(busy, pipe)
            for pipe in [pipe for pipe, (_, _, start) in busy.items() if time.monotonic() - start > HUNG]:
                yield busy[pipe][0], f"no answer in {HUNG:g} s", HUNG
                _end(busy, pipe)
    finally:
        for pipe in list(busy):
            _end(busy, pipe)


def _end(busy, pipe) -> None:
    """End a process and those that it started."""
    _, process, _ = busy.pop(pipe)
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        process.kill()
    process.join()
    pipe.close()


def clean(root: Path, modules: list[str]) -> dict:
    """Seconds of every test on the code as it is; None for one that fails, as it would on every mutant."""
    from tests.mutation.run import run, tests_of

    context = multiprocessing.get_context("fork")
    tests = list(dict.fromkeys(test for module in modules for test in tests_of(root, module)))
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=run, args=(root, None, tests, {}, float("inf"), theirs))
    process.start()
    theirs.close()
    failed, seconds = ours.recv()
    process.join()
    return seconds | dict.fromkeys(failed)


def table(chosen: list, found: dict, reasons: dict) -> str:
    """The survivors by module, those known to be equivalent below, and the share killed."""
    rows, known = [], []
    for mutant in sorted(chosen, key=lambda each: (each.module, each.line)):
        result = found.get(mutant.key)
        line = f"{mutant.module}:{mutant.line} {mutant.function}\n    {mutant.before}\n  → {mutant.after}"
        if mutant.key in reasons:
            known.append(f"{line}\n    {reasons[mutant.key]}")
        elif result and result["failed"] is None:
            rows.append(line)
    counted = [each for each in chosen if each.key in found and each.key not in reasons]
    killed = len(counted) - len(rows)
    return "\n".join([
        f"\nknown to be equivalent ({len(known)}):", *known, f"\nsurvivors ({len(rows)}):", *rows,
        f"\n{killed} of {len(counted)} killed ({killed / max(len(counted), 1):.1%}); "
        f"{len(known)} more are equivalent, {len(chosen) - len(counted) - len(known)} not run"])


def asked() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--mutants", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--root", type=Path, default=ROOT, help="folder of the packages and their tests")
    parser.add_argument("--out", type=Path, default=Path("out/mutants.jsonl"), help="file of the results")
    parser.add_argument("--module", default="", help="only of files whose path begins so")
    parser.add_argument("--having", default="", help="only where the expression holds this text")
    parser.add_argument("--again", action="store_true", help="run those again that survived before")
    parser.add_argument("--trusted", action="store_true",
                        help="do not run the tests without a mutant first")
    parser.add_argument("--apart", action="store_true",
                        help="import the changed module for every mutant, as is done with survivors")
    parser.add_argument("--together", action="store_true",
                        help="leave survivors as they are, to be run later")
    parser.add_argument("--longest", type=float, default=float("inf"),
                        help="leave out tests that take longer (seconds), but those of the module's file")
    parser.add_argument("--list", action="store_true", help="print the mutants, run none")
    return parser.parse_args()


def _run_together(question, wanted: list, known: dict) -> None:
    """Keep the results of what is killed by tests that are read once for all mutants, and of nothing else."""
    import pytest

    from tests.mutation.exchanged import Session

    def outcomes(run):
        found = run_all(question.root, wanted, question.workers, run)
        for done, (mutant, failed, seconds) in enumerate(found, 1):
            if failed == LOST or "::" in (failed or ""):
                _note(question, mutant, failed, seconds, f"{done}/{len(wanted)}")

    tests = [question.root / "tests" / package for package in PACKAGES]
    options = ["-qq", "-s", "-p", "no:cacheprovider", f"--rootdir={question.root}"]
    pytest.main([*options, *(str(each) for each in tests if each.exists())],
                plugins=[Session(wanted, outcomes, known, question.longest,
                                 question.out.with_suffix(".reached.json"))])


def _run_apart(question, wanted: list, known: dict) -> None:
    """Each mutant on its own, the module imported as it is changed."""
    from tests.mutation.run import run

    def alone(root, mutant, tests, pipe):
        run(root, mutant, tests, known, question.longest, pipe)

    outcomes = run_all(question.root, wanted, question.workers, alone)
    for done, (mutant, failed, seconds) in enumerate(outcomes, 1):
        _note(question, mutant, failed, seconds, f"{done}/{len(wanted)}")


def _note(question, mutant, failed: str | None, seconds: float, place: str) -> None:
    """Keep a result, and say it."""
    result = {"key": mutant.key, "line": mutant.line, "kind": mutant.kind, "failed": failed,
              "seconds": round(seconds, 1), "longest": question.longest}
    append(question.out, result)
    print(f"{place} {'SURVIVED' if failed is None else 'killed'} {seconds:.0f} s "
          f"{mutant.module}:{mutant.line} {mutant.before[:60]} → {mutant.after[:60]} | {failed or ''}",
          flush=True)


def main() -> int:
    """Run what has no result yet; 1 if a mutant survived."""
    question = asked()
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    # a mutant is as long as what it replaces and as young: its compiled module would be taken for the other's
    sys.dont_write_bytecode = True
    # pytest would load the packages of a plugin's distribution, and that is ours, by itself: from the source
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.environ["HYPOTHESIS_PROFILE"] = "mutants"
    every = shuffled([each for each in drawn(question.root) if each.module.startswith(question.module)],
                     question.seed)
    chosen = [each for each in every if question.having in each.before][: question.mutants]
    reasons, found = equivalents(), results(question.out)
    if question.list:
        print(table(chosen, {each.key: {"failed": None} for each in chosen}, reasons))
        return 0
    wanted = [each for each in chosen if each.key not in reasons and (
        each.key not in found or (question.again and found[each.key]["failed"] is None))]
    print(f"{len(every)} mutants, {len(chosen)} chosen, {len(wanted)} to run", flush=True)
    for name in SHARED:
        __import__(name)
    times = question.out.with_suffix(".seconds.json")
    if wanted and not question.trusted:
        times.parent.mkdir(parents=True, exist_ok=True)
        times.write_text(json.dumps(clean(question.root, [each.module for each in wanted]), indent=0))
    known = json.loads(times.read_text()) if times.exists() else {}
    for test in [test for test, seconds in known.items() if seconds is None]:
        print(f"left out, as it fails without a mutant: {test}", flush=True)
    if wanted and not question.apart:
        # in a process of its own: what is imported here would not be imported again from a changed tree
        context = multiprocessing.get_context("fork")
        together = context.Process(target=_run_together, args=(question, wanted, known))
        together.start()
        together.join()
        done = results(question.out)
        wanted = [each for each in wanted if done.get(each.key, {}).get("failed") is None]
    _run_apart(question, [] if question.together else wanted, known)
    found = results(question.out)
    print(table(chosen, found, reasons))
    return 1 if any(found.get(each.key, {}).get("failed", "") is None for each in chosen
                    if each.key not in reasons) else 0


if __name__ == "__main__":
    sys.exit(main())
