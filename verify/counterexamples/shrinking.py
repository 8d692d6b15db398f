"""A counterexample made small: fewer dimensions, steps and digits, as long as it stays one."""

import json
from collections.abc import Callable, Iterator, Mapping

import numpy as np

#: Problems tried, at most.
MOST_TRIES = 150


def shrunk(tables: Mapping, still: Callable[[dict], bool]) -> dict:
    """The smallest tables found of a problem for which ``still`` holds, which it does of the given ones."""
    tried, found = {_text(tables)}, dict(tables)
    while True:
        for simpler in _simpler(found):
            if _text(simpler) in tried:
                continue
            if len(tried) > MOST_TRIES:
                return found
            tried.add(_text(simpler))
            if still(simpler):
                found = simpler
                break
        else:
            return found


def _text(tables: Mapping) -> str:
    return json.dumps(tables, sort_keys=True)


def _simpler(tables: Mapping) -> Iterator[dict]:
    """Problems with one thing simpler, the largest steps first."""
    process, data, scheme = (dict(tables[name]) for name in ("process", "data", "scheme"))

    def with_scheme(**changed):
        table = {**scheme, **changed}
        return {**tables, "scheme": {key: value for key, value in table.items() if value is not None}}

    for key in ("grid", "early_stop", "score_noise", "score_error", "prior_std", "prior"):
        if key in scheme:
            yield with_scheme(**{key: None})
    for data_table in _simpler_data(data):
        yield {**tables, "data": data_table}
    if not isinstance(scheme.get("grid"), list):
        steps = scheme["steps"]
        for count in (1, 2, 10, 100, steps // 8, steps // 2, 3 * steps // 4):
            if 0 < count < steps:
                yield with_scheme(steps=count)
        for horizon in _rounder(scheme.get("horizon") or 0.0):
            yield with_scheme(horizon=horizon)
    for key in ("score_error", "score_noise", "early_stop", "sigma_max", "sigma_min"):
        for value in _rounder(scheme.get(key) or 0.0):
            yield with_scheme(**{key: value})
    for key, text in process.items():
        for plain in ("1", "t"):
            if key != "family" and isinstance(text, str) and len(text) > len(plain):
                yield {**tables, "process": {**process, key: plain}}
        if isinstance(text, float):
            for value in _rounder(text):
                yield {**tables, "process": {**process, key: value}}


def _simpler_data(data: Mapping) -> Iterator[dict]:
    if data["law"] == "gaussian":
        spread, mean = np.atleast_1d(data["covariance"]), np.atleast_1d(data["mean"])
        if len(spread) > 1 or data.get("dim", 1) > 1 or len(mean) > 1:
            yield {**data, "dim": 1, "mean": float(mean.ravel()[0]), "covariance": float(spread.ravel()[0])}
            yield {**data, "dim": 1, "mean": float(mean.ravel()[0]), "covariance": float(spread.ravel()[-1])}
            yield {**data, "covariance": float(spread.ravel()[0])}
        if spread.ndim == 1 and len(spread) > 2:
            yield {**data, "mean": [float(mean[0]), float(mean[-1])],
                   "covariance": [float(spread[0]), float(spread[-1])]}
        if spread.ndim == 1 and len(spread) > 1:
            for digits in (1, 2):
                rounder = [float(f"{value:.{digits}g}") for value in spread]
                if rounder != spread.tolist():
                    yield {**data, "covariance": rounder}
        if np.any(mean):
            yield {**data, "mean": (0.0 * mean).tolist() if len(mean) > 1 else 0.0}
        if spread.size == 1:
            for value in _rounder(float(spread.ravel()[0])):
                yield {**data, "covariance": value}
        if mean.size == 1:
            for value in _rounder(float(mean.ravel()[0])):
                yield {**data, "mean": value}
    elif data["law"] == "mixture" and "assumption" not in data:
        means = np.array(data["means"], dtype=float)
        if means.shape[1] > 1:
            yield {**data, "means": means[:, :1].tolist()}
        if len(means) > 2:
            yield {**data, "means": means[[0, -1]].tolist()}
        for value in _rounder(data["std"]):
            yield {**data, "std": value}


def _rounder(value: float) -> list[float]:
    """1, and the number with fewer digits, where that is another number."""
    if not value:
        return []
    digits = [float(f"{value:.{count}g}") for count in (1, 2)]
    plain = [1.0] if abs(value) != 1.0 else []
    return [each for each in dict.fromkeys(plain + digits) if each != value
            and _digits(each) < _digits(value)]


def _digits(value: float) -> int:
    return len(f"{value:.17g}".strip("0").replace(".", "").strip("0")) if value else 0
