"""What every theorem says of one cell of a sweep, as plain data; a cell that fails says why in one line."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from bounds.compiled import anew
from bounds.theorem import Theorem
from closed_form import Bracket
from verify.certificates.certificate import Certificate, certify_setting, measure
from verify.certificates.question import setting_of_problem
from verify.certificates.theorem_named import find_theorem
from verify.pages.console import EVALUATION, FAILURES, keeps_tracebacks, reason_of
from verify.plain import one_line, plain
from verify.problems.problem import Problem, read_problem


def answer(tables: Mapping[str, Any], asked: Mapping[str, Any], theorems: tuple[str | Theorem, ...], seed: int,
           folder: Path) -> dict[str, Any]:
    """``results``, one for each theorem, and ``failed``: None, or why there are none; the same whatever other cells the
    process has done.

    Parameters
    ----------
    tables : mapping
        The problem.
    asked : mapping
        As `verify.sweeps.asking.Sweep.asked`.
    theorems : tuple of (str or Theorem)
    seed : int
        Of the samples.
    folder : Path
        Where data files are looked up.
    """
    anew()
    try:
        with np.errstate(all="ignore"):  # what overflows is in the numbers
            problem = read_problem(tables, folder)
            found = _certified if asked["compute"] == "certify" else _bounded
            return {"results": found(problem, [_found(each) for each in theorems], asked, seed), "failed": None}
    except FAILURES as error:
        return {"results": [], "failed": one_line(reason_of(error))}
    except Exception as error:
        if keeps_tracebacks():
            raise
        # a bug in one cell must not stop the others, nor be taken for an answer
        return {"results": [], "failed": one_line(f"unexpected {type(error).__name__}: {error}")}


def _found(theorem: str | Theorem) -> Theorem:
    return _named(theorem) if isinstance(theorem, str) else theorem


@lru_cache(maxsize=64)
def _named(theorem: str) -> Theorem:
    return find_theorem(theorem)


def _bounded(problem: Problem, theorems: list[Theorem], asked: Mapping, seed: int) -> list[dict]:
    """The bound of every theorem."""
    rows = []
    setting = setting_of_problem(problem, asked["information"])
    for each in theorems:
        unmet = each.unmet(setting)
        bound = None if unmet else each.bound(setting)
        rows.append(_row(each, unmet, None if bound is None else bound.as_dict()))
    return rows


def _certified(problem: Problem, theorems: list[Theorem], asked: Mapping, seed: int) -> list[dict]:
    """A verdict on every theorem; the error is measured once, and only if one applies."""
    if problem.law is None:
        raise ValueError("certify needs data.law: constants alone leave no exact law to compare with")
    setting = setting_of_problem(problem, asked["information"])
    measured, rows = None, []
    for each in theorems:
        if unmet := each.unmet(setting):
            rows.append(_row(each, unmet, None))
            continue
        if measured is None:
            measured = _measured(setting, problem.law, asked["samples"], seed)
        found = certify_setting(each, setting, problem.law, measured)
        rows.append(_row(each, (), found.bound.as_dict(), found))
    return rows


def _measured(setting, law, samples: int, seed: int) -> Bracket:
    """The exact error, or [0, ∞) with the reason where its computation fails."""
    try:
        return measure(setting, law, samples, seed)
    except EVALUATION as error:
        return Bracket(0.0, float("inf"), f"not measured: {reason_of(error)}")


def _row(theorem: Theorem, unmet: tuple[str, ...], bound: Mapping | None,
         certificate: Certificate | None = None) -> dict:
    """One theorem's answer."""
    bound = bound or {"total": None, "terms": {}, "information": None, "notes": [], "estimated": ""}
    measured = certificate and certificate.measured
    return plain({
        "theorem": theorem.key, "kind": theorem.kind, "applicable": not unmet, "unmet": unmet,
        "bound": bound["total"], "terms": bound["terms"], "information": bound["information"],
        "notes": bound["notes"], "estimated": bound["estimated"],
        "verdict": certificate and str(certificate.verdict),
        "lower": measured and measured.lower, "upper": measured and measured.upper,
        "measured_by": measured and measured.method, "ratio": certificate and certificate.ratio,
    })
