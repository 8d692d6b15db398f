"""What an experiment is: a question that is answered by computing, and what it found."""

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
