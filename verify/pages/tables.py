"""Turn problems, bounds and certificates into lines and rich tables; nothing here reads, writes or prints.

Rich is imported when used.
"""

import decimal
import math
from collections.abc import Iterable, Mapping, Sequence

from verify.plain import number, one_line

#: Digits of a certified number on a page.
SHOWN = 16
_VERDICT_STYLE = {"HOLDS": "green", "VIOLATED": "bold red", "INCONCLUSIVE": "yellow", "NOT_APPLICABLE": "dim"}


def describe(problem, sought: str | None = None) -> str:
    """A problem in one line: process, data with the constants proved for them, sampler, score error; ``sought``
    is said in place of a horizon, steps and grid that are not the file's."""
    tables, scheme = problem.tables, problem.scheme
    process = ", ".join(f"{key} = {one_line(value, 60)}" for key, value in tables["process"].items()
                        if key != "family")
    process = f"{tables['process']['family']}{f' ({process})' if process else ''}"
    data = f"{tables['data'].get('law', 'constants')} in dimension {tables['data']['dim']}"
    if problem.assumptions:
        data += f": {_assumption_line(problem.assumptions[0])}"
    walked = f"T = {scheme.grid.horizon:g}, {scheme.grid.steps} steps, grid {scheme.grid.kind}"
    sampler = f"{scheme.name}, {sought or walked}"
    if scheme.grid.early_stop:
        sampler += f", stopped at {scheme.grid.early_stop:g}"
    sampler += "".join(f", {name} = {one_line(tables['scheme'][name], 60)}" for name in ("prior_mean", "prior_covariance")
                       if name in tables["scheme"])
    errors = {"score error": problem.score_error, "score noise": problem.score_noise}
    sampler += "".join(f", {name} {f'{value:g}' if isinstance(value, float) else value}"
                       for name, value in errors.items() if value)
    return f"{problem.source} · {process} · {data} · {sampler}"


def _assumption_line(assumption) -> str:
    moments = ("dim", "second_moment", "mean_norm")
    constants = [f"{name} = {value:.4g}" for name, value in vars(assumption).items() if name not in moments]
    return f"{assumption.key} ({', '.join(constants)})"


def empty_table(*columns: str, **options):
    """A table without rows; columns whose name starts with ``>`` hold numbers."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, **options)
    for name in columns:
        right = name.startswith(">")
        table.add_column(name.lstrip(">"), justify="right" if right else "left", no_wrap=right,
                         overflow="fold")
    return table


def bounds_table(results: Sequence[Mapping]):
    """The entries of ``bound`` that apply as a table: theorem, total, terms from largest to smallest; all, if none applies."""
    table = empty_table("theorem", ">bound on W2", "terms")
    for entry in _applicable(results, lambda entry: entry["applicable"]):
        if not entry["applicable"]:
            table.add_row(entry["theorem"], "–", "does not apply", style="dim")
            continue
        terms = sorted(entry["terms"].items(), key=lambda term: -math.inf if term[1] is None else -term[1])
        total = "inf" if entry["total"] is None else number(entry["total"])
        total = ("≤ " if entry["kind"] == "upper" else "≥ ") + proved(entry.get("proof"), total)
        shown = [f"{name}\N{NO-BREAK SPACE}{'inf' if value is None else number(value)}" for name, value in terms
                 if value is None or value > 0]
        table.add_row(entry["theorem"], total, ", ".join(shown))
    return table


def _applicable(entries: Sequence, applies) -> Sequence:
    """Those that apply, or all where none does: what is left out is named below the table."""
    return [entry for entry in entries if applies(entry)] or entries


def informed(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """A line that says from what the bounds are, from (theorem, information); none where there is none."""
    groups: dict[str, list[str]] = {}
    for theorem, information in pairs:
        groups.setdefault(information, []).append(theorem)
    if len(groups) == 1:
        return [f"bounds from: {next(iter(groups))}"]
    said = [f"{information} ({', '.join(theorems)})" for information, theorems in groups.items()]
    return [f"bounds from: {'; '.join(said)}"] if said else []


def proved(proof: Mapping | None, otherwise: str) -> str:
    """The digits that a ball proves, at most `SHOWN`; ``otherwise`` where it proves none, or there is no
    ball."""
    if proof is None or not proof["digits"]:
        return otherwise
    digits = decimal.Decimal(proof["digits"])
    known = len(digits.as_tuple().digits)
    # cut, not rounded: every digit shown is one of the number
    context = decimal.Context(prec=min(known, SHOWN), rounding=decimal.ROUND_DOWN)
    return f"{context.plus(digits):.{min(known, SHOWN)}g}"


def certificates_table(certificates: Sequence):
    """Certificates that apply as a table: theorem, verdict, bound, measured error, ratio; all, if none applies."""
    from rich.text import Text

    shown = _applicable(certificates, lambda certificate: certificate.bound is not None)
    table = empty_table("theorem", "verdict", ">bound", f">{_measured_name(shown)}", ">ratio")
    for certificate in shown:
        verdict = str(certificate.verdict)
        bound, measured = certificate.bound, certificate.measured
        total = "–" if bound is None else "inf" if math.isinf(bound.total) else number(bound.total)
        if bound is not None and bound.proof is not None:
            total = proved(bound.proof.as_dict(), total)
        table.add_row(certificate.theorem, Text(verdict, _VERDICT_STYLE[verdict]), total, _bracket(measured),
                      number(certificate.ratio))
    return table


def _measured_name(certificates: Sequence) -> str:
    from verify.certificates.sampled import name_of

    names = {name_of(each.measured) for each in certificates if each.measured is not None}
    return names.pop() if len(names) == 1 else "exact W2"


def measured_lines(certificates: Sequence) -> list[str]:
    """How the error was measured, and from what the bounds are: lines below `certificates_table`."""
    methods: dict[str, list[str]] = {}
    for each in certificates:
        if each.measured is not None and each.measured.method:
            methods.setdefault(each.measured.method, []).append(each.theorem)
    name = _measured_name(certificates)
    lines = [f"{name} by: {method}" + (f" ({', '.join(theorems)})" if len(methods) > 1 else "")
             for method, theorems in methods.items()]
    return lines + informed((each.theorem, each.bound.information) for each in certificates if each.bound is not None)


def _bracket(measured) -> str:
    if measured is None:
        return "–"
    if math.isinf(measured.upper):
        return f"≥ {number(measured.lower)}" if measured.lower else "unknown"
    low, high = number(measured.lower), number(measured.upper)
    if getattr(measured, "proof", None) is not None:
        return proved(measured.proof.as_dict(), f"[{low}, {high}]")
    return low if low == high or measured.relative_width < 1e-6 else f"[{low}, {high}]"


def remarks(entries: Iterable[tuple[str, Sequence[str], Sequence[str]]], notes: Iterable[str],
            why: bool = True) -> list[str]:
    """Lines below a table, from (theorem, unmet, notes) and the problem's notes; nothing is said twice.

    Without ``why`` the theorems that do not apply are one line at the end, unless none applies.
    """
    said: dict[str, list[str]] = {}
    entries = list(entries)
    others = [] if why or all(unmet for _, unmet, _ in entries) else [theorem for theorem, unmet, _ in entries if unmet]
    for theorem, unmet, own in entries:
        for line in own:
            said.setdefault(line, []).append(theorem)
        if unmet and theorem not in others:
            said.setdefault(f"does not apply: {'; '.join(unmet)}", []).append(theorem)
    new = [note for note in notes if not any(note in line for line in said)]
    lines = [f"{', '.join(theorems)}: {line}" for line, theorems in said.items()]
    lines += [f"note: {note}" for note in new]
    return lines + ([f"do not apply (--why says why): {', '.join(others)}"] if others else [])


def lower_bound_table(answer: Mapping):
    """What ``lower-bound`` found: the exact value, its leading order, and the steps an error needs."""
    table = empty_table("quantity", ">value")
    table.add_row(f"exact W2 after K = {answer['steps']} steps (rounded down)", number(answer["total"]))
    if answer["leading_order"] is not None:
        table.add_row("leading order c T √d / K", number(answer["leading_order"]))
        table.add_row("c(σ0)", number(answer["c"]))
    for needed in answer["requirements"]:
        table.add_row(f"K ≥ c T √d / ε · (1 + o(1)) for ε = {needed['eps']:g}",
                      number_of_steps(needed["steps"]))
    return table


def number_of_steps(steps: int | None) -> str:
    """A count with separated thousands; a dash for none."""
    return "–" if steps is None else f"{steps:,}"


def catalogue_tables(catalogue: Mapping[str, Sequence[Mapping]]) -> list:
    """One table for every section of what ``list`` knows."""
    tables = []
    for section, entries in catalogue.items():
        table = empty_table(*entries[0], title=section, title_justify="left", title_style="bold")
        for entry in entries:
            shown = [", ".join(value) if isinstance(value, list) else str(value) for value in entry.values()]
            table.add_row(*shown)
        tables.append(table)
    return tables


def checks_table(checks: Sequence[Mapping]):
    """What ``doctor`` found, one line each."""
    from rich.text import Text

    table = empty_table("what", "found", "")
    for check in checks:
        mark = Text("ok", "green") if check["ok"] else Text("WRONG", "bold red")
        table.add_row(check["name"], check["found"], mark)
    return table
