"""Experiments: one file each, listed by being here."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

Tell = Callable[..., None]


@dataclass(frozen=True)
class Result:
    """What an experiment found.

    Attributes
    ----------
    rows : list of dict
        One table, plain data.
    findings : list of str
        What the rows say, one line each, with numbers.
    """

    rows: list[dict]
    findings: list[str]


@dataclass(frozen=True)
class Experiment:
    """A question that is answered by computing.

    Attributes
    ----------
    key, title, question : str
    run : callable
        (quick, tell) -> Result; ``quick`` shrinks grids, ``tell(fraction, what)`` is told of progress.
    draw : callable
        (matplotlib Figure, Result) -> None.
    """

    key: str
    title: str
    question: str
    run: Callable[[bool, Tell], Result]
    draw: Callable


def experiments() -> dict[str, Experiment]:
    """Every experiment by key."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    found = [importlib.import_module(f"{__name__}.{name}").EXPERIMENT for name in names]
    return {experiment.key: experiment for experiment in found}
