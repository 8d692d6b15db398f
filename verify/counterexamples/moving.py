"""The positive numbers of a problem, and the problem with other ones: what an optimiser may move."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

#: Numbers are moved between these, and to so many digits: problems are read by people.
LEAST, LARGEST, DIGITS = 1e-4, 1e4, 4
#: Horizons are between these, and coefficients of a process changed by at most this factor: what the process
#: does up to the horizon stays within what can be integrated in no time.
SHORTEST, LONGEST, FACTOR = 0.01, 20.0, 5.0
_IN_TEXT = re.compile(r"\d+\.\d*(?:e[+-]?\d+)?")


@dataclass(frozen=True)
class Number:
    """A positive number in the tables of a problem.

    Attributes
    ----------
    value : float
    replaced : callable
        (tables, number) -> tables with the number in its place; the given ones stay as they are.
    least, largest : float
    """

    value: float
    replaced: Callable[[Mapping, float], dict]
    least: float = LEAST
    largest: float = LARGEST


def numbers_of(tables: Mapping, most_steps: int) -> list[Number]:
    """Horizon and steps, sizes of the data and of the errors, early stop, and coefficients of the process."""
    return [*_of_scheme(tables["scheme"], most_steps), *_of_data(tables["data"]),
            *_of_process(tables["process"])]


def moved(tables: Mapping, numbers: Sequence[Number], logarithms: Sequence[float]) -> dict:
    """The problem with each number replaced by the one of that logarithm."""
    for number, logarithm in zip(numbers, logarithms, strict=True):
        value = float(np.exp(np.clip(logarithm, np.log(number.least), np.log(number.largest))))
        tables = number.replaced(tables, float(f"{value:.{DIGITS}g}"))
    return dict(tables)


def _in_table(name: str, key: str, change: Callable = lambda old, new: new) -> Callable:
    """Replaces one entry; ``change`` makes it of the old one and the number."""
    return lambda tables, number: {**tables, name: {**tables[name], key: change(tables[name][key], number)}}


def _of_scheme(scheme: Mapping, most_steps: int):
    if isinstance(scheme.get("grid"), list):
        return [Number(scheme["horizon"], _stretched, SHORTEST, LONGEST), *_errors(scheme)]
    steps = _in_table("scheme", "steps", lambda _, number: max(1, round(number)))
    if "sigma_max" in scheme:
        levels = (Number(scheme[key], _in_table("scheme", key)) for key in ("sigma_max", "sigma_min"))
        return [*levels, Number(scheme["steps"], steps, 1.0, most_steps), *_errors(scheme)]
    found = [Number(scheme["horizon"], _longer, SHORTEST, LONGEST),
             Number(scheme["steps"], steps, 1.0, most_steps)]
    if scheme.get("early_stop"):
        found.append(Number(scheme["early_stop"], _in_table("scheme", "early_stop")))
    return found + _errors(scheme)


def _errors(scheme: Mapping):
    return [Number(scheme[key], _in_table("scheme", key)) for key
            in ("score_error", "score_noise", "prior_std")
            if scheme.get(key)]


def _longer(tables: Mapping, horizon: float) -> dict:
    """With another horizon, and the early stop at the same fraction of it."""
    scheme = {**tables["scheme"], "horizon": horizon}
    if scheme.get("early_stop"):
        scheme["early_stop"] = float(f"{scheme['early_stop'] * horizon / tables['scheme']['horizon']:.{DIGITS}g}")
    return {**tables, "scheme": scheme}


def _stretched(tables: Mapping, horizon: float) -> dict:
    """With another horizon, and the times of the grid at the same fractions of it."""
    times = np.array(tables["scheme"]["grid"]) * (horizon / tables["scheme"]["horizon"])
    grid = [horizon, *(float(f"{time:.6g}") for time in times[1:])]
    return {**tables, "scheme": {**tables["scheme"], "horizon": horizon, "grid": grid}}


def _of_data(data: Mapping):
    if "assumption" in data:
        return []  # its constants are stated of this law
    if data["law"] == "mixture":
        return [Number(data["std"], _in_table("data", "std")), *_scaled(data, "means")]
    return [*_scaled(data, "mean"), *_scaled(data, "covariance")]


def _scaled(data: Mapping, key: str):
    """The largest entry, with which the others are scaled."""
    size = float(np.max(np.abs(data[key])))

    def change(old, number):
        scaled = np.asarray(old, dtype=float) * (number / np.max(np.abs(old)))
        return np.vectorize(lambda entry: float(f"{entry:.{DIGITS}g}"))(scaled).tolist()

    return [Number(size, _in_table("data", key, change))] if size else []


def _of_process(process: Mapping):
    found = []
    for key, value in process.items():
        if isinstance(value, str) and key != "family":
            found += [_in_text(key, place, float(match.group()))
                      for place, match in enumerate(_IN_TEXT.finditer(value)) if float(match.group())]
        elif isinstance(value, float) and value > 0:
            found.append(Number(value, _in_table("process", key), value / FACTOR, value * FACTOR))
    return found


def _in_text(key: str, place: int, value: float) -> Number:
    """The decimal number at a place among those in the text of a coefficient."""

    def change(text: str, number: float) -> str:
        match = list(_IN_TEXT.finditer(text))[place]
        return text[: match.start()] + f"{number:.6f}" + text[match.end() :]

    return Number(value, _in_table("process", key, change), value / FACTOR, value * FACTOR)
