"""A plan as a problem file: the question with the horizon, steps, grid and score error that were found."""

from pathlib import Path

from bounds.score_error import ScoreError
from verify.planning.plan import Plan
from verify.problems.problem import Problem
from verify.problems.scheme import grid_keys, table_of_grid


def planned_tables(question: Problem, plan: Plan, folder: Path) -> dict[str, dict]:
    """The tables of a problem file that asks the question at the plan.

    Parameters
    ----------
    question : Problem
        What was planned.
    plan : Plan
        One that reaches its error.
    folder : Path
        Where the names of files in the question are looked for; they become absolute.
    """
    tables, kept = question.as_dict(), grid_keys()
    scheme = {key: value for key, value in tables["scheme"].items() if key not in kept}
    error = plan.score_error
    scheme |= table_of_grid(plan.grid) | (error.table() if isinstance(error, ScoreError) else {"score_error": error})
    if "file" in tables["data"]:
        tables["data"]["file"] = str((folder / tables["data"]["file"]).resolve())
    return {**tables, "scheme": scheme}
