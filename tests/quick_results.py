"""What takes long and several tests ask for, run once a session, by whichever process asks first."""

import hashlib
import os
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from verify import experiments as registry
from verify.studies import schedules

compare = schedules.compare


def _once(folder: Path, name: str, run: Callable):
    """The result of that name, from the session's folder or left there for the next to ask."""
    path = folder / f"{name}.pickle"
    if not path.exists():
        part = folder / f"{name}.{os.getpid()}"
        part.write_bytes(pickle.dumps(run()))
        part.replace(path)
    return pickle.loads(path.read_bytes())


def quick_result(experiment, folder: Path):
    """The quick form's result."""
    return _once(folder, experiment.key, lambda: experiment.run(True, lambda *_: None))


def compared(folder: Path, *question):
    """What `verify.studies.schedules.compare` finds."""
    name = hashlib.sha256(pickle.dumps(question)).hexdigest()
    return _once(folder, f"schedules-{name}", lambda: compare(*question))


def remembered(folder: Path) -> dict:
    """Every experiment, its quick form run once a session."""
    known = registry.experiments()

    def run_of(experiment):
        return lambda quick, tell: quick_result(experiment, folder) if quick else experiment.run(quick, tell)

    return {key: replace(experiment, run=run_of(experiment)) for key, experiment in known.items()}


def remember(folder: str) -> None:
    """Have this process take results from the session's folder: for notebooks."""
    known = remembered(Path(folder))
    registry.experiments = lambda: known
    schedules.compare = lambda *question: compared(Path(folder), *question)
