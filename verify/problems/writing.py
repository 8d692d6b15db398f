"""The tables of a problem, from its objects and as the text of a problem file."""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path


def problem_tables(process, law, scheme, score_error: float = 0.0,
                   score_noise: float = 0.0) -> dict[str, dict]:
    """The tables of a problem with Gaussian data or a mixture, to the last digit."""
    coefficients = {key: str(value) for key, value in process.parameters.items() if key != "family"}
    if process.blocks == 2:
        coefficients["clock"] = str(process.clock)
    data = ({"law": "gaussian", "mean": law.mean.tolist(), "covariance": law.spread.tolist()}
            if hasattr(law, "spread") else
            {"law": "mixture", "means": law.means.tolist(), "weights": law.weights.tolist(), "std": law.std})
    grid = scheme.grid
    table = {"kind": scheme.key, "horizon": grid.horizon, "steps": grid.steps, "early_stop": grid.early_stop,
             "grid": grid.times.tolist() if grid.kind == "list" else grid.kind,
             "score_error": score_error, "score_noise": score_noise}
    if scheme.prior_std is not None:
        table["prior_std"] = scheme.prior_std
    return {"process": {"family": process.parameters.get("family", process.name), **coefficients},
            "data": data,
            "scheme": table}


def problem_text(tables: Mapping[str, Mapping], about: str = "") -> str:
    """TOML that `verify.problems.problem.load_problem` reads back to the same tables; ``about`` is a
    comment."""
    lines = [f"# {line}" for line in about.splitlines()]
    for name, table in tables.items():
        lines += ["", f"[{name}]", *(f"{key} = {_value(value)}" for key, value in table.items())]
    return "\n".join(lines).strip() + "\n"


def _value(value) -> str:
    # JSON's numbers, strings and lists are TOML's; infinities are not in a problem
    return json.dumps(value, allow_nan=False)


def save_problem(path: str | Path, tables: Mapping[str, Mapping], about: str = "") -> None:
    """Write a problem file, whole or not at all; an old one is replaced."""
    path = Path(path)
    handle, part = tempfile.mkstemp(dir=path.parent, prefix=".sgm-bounds-", suffix=".part")
    try:
        with open(handle, "w", encoding="utf-8") as file:
            file.write(problem_text(tables, about))
        os.replace(part, path)
    except BaseException:
        os.unlink(part)
        raise
