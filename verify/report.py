"""Turn results into plain data, tables, LaTeX and axes; nothing here reads, writes or prints.

Tables are rich renderables and axes are matplotlib's; these, numpy and sympy are imported when used.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

#: Points at which the stated and the derived form of a theorem are compared, and the digits that must agree.
AGREEMENT_POINTS, AGREEMENT_DIGITS = 32, 30

_VERDICT_STYLE = {"HOLDS": "green", "VIOLATED": "bold red", "INCONCLUSIVE": "yellow", "NOT_APPLICABLE": "dim"}
_CLOSED_FORMS = {
    "integral_f": ("∫f from r to τ", r"\int_r^\tau f"),
    "integral_g_sq": ("∫g² from r to τ", r"\int_r^\tau g^2"),
    "transition": ("Φ(τ, r)", r"\Phi(\tau, r)"),
    "covariance": ("C(τ, r)", r"C(\tau, r)"),
    "a": ("a(t) = Φ(t, 0)", "a(t)"),
    "s_sq": ("s²(t) = C(t, 0)", "s^2(t)"),
}


# -- numbers and plain data ----------------------------------------------------------------------------


def plain(value: Any) -> Any:
    """``value`` as data that JSON can hold: numpy becomes Python, tuples lists, NaN and infinities None."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, str | bool | int) or value is None:
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, Iterable):
        return [plain(item) for item in value]
    return str(value)


def number(value: float | None) -> str:
    """Four significant digits; a dash where there is no number."""
    return "–" if value is None else f"{value:.4g}"


def one_line(text: Any, limit: int = 500) -> str:
    """Any message on one printable line of moderate length."""
    line = " ".join(str(text).split())
    line = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)
    return line if len(line) <= limit else line[: limit - 3] + "..."


def describe(problem) -> str:
    """A problem in one line: process, data with the constants proved for them, sampler, score error."""
    tables, scheme = problem.tables, problem.scheme
    process = ", ".join(
        f"{key} = {one_line(value, 60)}" for key, value in tables["process"].items() if key != "family"
    )
    process = f"{tables['process']['family']}{f' ({process})' if process else ''}"
    data = f"{tables['data'].get('law', 'constants')} in dimension {tables['data']['dim']}"
    if problem.assumptions:
        data += f": {_assumption_line(problem.assumptions[0])}"
    sampler = f"{scheme.key}, T = {scheme.grid.horizon:g}, {scheme.grid.steps} steps, grid {scheme.grid.kind}"
    if scheme.grid.early_stop:
        sampler += f", stopped at {scheme.grid.early_stop:g}"
    errors = {"score error": problem.score_error, "score noise": problem.score_noise}
    sampler += "".join(f", {name} {value:g}" for name, value in errors.items() if value)
    return f"{problem.source} · {process} · {data} · {sampler}"


def _assumption_line(assumption) -> str:
    moments = ("dim", "second_moment", "mean_norm")
    constants = [f"{name} = {value:.4g}" for name, value in vars(assumption).items() if name not in moments]
    return f"{assumption.key} ({', '.join(constants)})"


def result(theorem, bound, unmet: Sequence[str]) -> dict:
    """One entry of ``bound --json``: a theorem with its bound, or with the hypotheses that are not met."""
    empty = {"total": None, "terms": {}, "information": None, "notes": [], "details": {}}
    numbers = empty if bound is None else plain(bound.as_dict())
    return {
        "theorem": theorem.key,
        "title": theorem.title,
        "kind": theorem.kind,
        "applicable": bound is not None,
        "unmet": list(unmet),
        **numbers,
    }


# -- tables ----------------------------------------------------------------------


def _table(*columns: str, **options):
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, **options)
    for name in columns:
        right = name.startswith(">")
        table.add_column(
            name.lstrip(">"), justify="right" if right else "left", no_wrap=right, overflow="fold"
        )
    return table


def bounds_table(results: Sequence[Mapping]):
    """The entries of ``bound`` as a table: theorem, total, terms from largest to smallest, information."""
    table = _table("theorem", "", ">bound", "terms", "information")
    for entry in results:
        if not entry["applicable"]:
            table.add_row(entry["theorem"], "", "–", "does not apply", "", style="dim")
            continue
        terms = sorted(entry["terms"].items(), key=lambda term: -math.inf if term[1] is None else -term[1])
        side = "W2 ≤" if entry["kind"] == "upper" else "W2 ≥"
        total = "inf" if entry["total"] is None else number(entry["total"])
        shown = ", ".join(f"{name} {'inf' if value is None else number(value)}" for name, value in terms)
        table.add_row(entry["theorem"], side, total, shown, entry["information"])
    return table


def certificates_table(certificates: Sequence):
    """Certificates as a table: theorem, verdict, bound, measured error with its method, ratio."""
    from rich.text import Text

    table = _table("theorem", "verdict", ">bound", ">exact W2", ">ratio", "measured by", "information")
    for certificate in certificates:
        verdict = str(certificate.verdict)
        bound, measured = certificate.bound, certificate.measured
        total = "–" if bound is None else "inf" if bound["total"] is None else number(bound["total"])
        row = (
            total,
            _bracket(measured),
            number(certificate.ratio),
            "" if measured is None else measured.method,
        )
        information = "" if bound is None else bound["information"]
        table.add_row(certificate.theorem, Text(verdict, _VERDICT_STYLE[verdict]), *row, information)
    return table


def _bracket(measured) -> str:
    if measured is None:
        return "–"
    if math.isinf(measured.upper):
        return f"≥ {number(measured.lower)}" if measured.lower else "unknown"
    low, high = number(measured.lower), number(measured.upper)
    return low if low == high or measured.relative_width < 1e-6 else f"[{low}, {high}]"


def remarks(entries: Iterable[tuple[str, Sequence[str], Sequence[str]]], notes: Iterable[str]) -> list[str]:
    """Lines below a table, from (theorem, unmet, notes) and the problem's notes; nothing is said twice."""
    said: dict[str, list[str]] = {}
    for theorem, unmet, own in entries:
        for line in own:
            said.setdefault(line, []).append(theorem)
        if unmet:
            said.setdefault(f"does not apply: {'; '.join(unmet)}", []).append(theorem)
    new = [note for note in notes if not any(note in line for line in said)]
    lines = [f"{', '.join(theorems)}: {line}" for line, theorems in said.items()]
    return [*lines, *(f"note: {note}" for note in new)]


def lower_bound_table(answer: Mapping):
    """What ``lower-bound`` found: the exact value, its leading order, and the steps an error needs."""
    table = _table("quantity", ">value")
    table.add_row(f"exact W2 after K = {answer['steps']} steps (rounded down)", number(answer["total"]))
    if answer["leading_order"] is not None:
        table.add_row("leading order c T √d / K", number(answer["leading_order"]))
        table.add_row("c(σ0)", number(answer["c"]))
    for needed in answer["requirements"]:
        table.add_row(
            f"K ≥ c T √d / ε · (1 + o(1)) for ε = {needed['eps']:g}", number_of_steps(needed["steps"])
        )
    return table


def number_of_steps(steps: int | None) -> str:
    """A count with separated thousands; a dash for none."""
    return "–" if steps is None else f"{steps:,}"


def catalogue_tables(catalogue: Mapping[str, Sequence[Mapping]]) -> list:
    """One table for every section of what ``list`` knows."""
    tables = []
    for section, entries in catalogue.items():
        table = _table(*entries[0], title=section, title_justify="left", title_style="bold")
        for entry in entries:
            shown = [", ".join(value) if isinstance(value, list) else str(value) for value in entry.values()]
            table.add_row(*shown)
        tables.append(table)
    return tables


def checks_table(checks: Sequence[Mapping]):
    """What ``doctor`` found, one line each."""
    from rich.text import Text

    table = _table("what", "found", "")
    for check in checks:
        mark = Text("ok", "green") if check["ok"] else Text("WRONG", "bold red")
        table.add_row(check["name"], check["found"], mark)
    return table


# -- theorems and processes ----------------------------------------------------------------------


def catalogue(problems: Sequence[Mapping]) -> dict[str, list[dict]]:
    """Every theorem, process, scheme and assumption the package knows, and the bundled problems given."""
    from dataclasses import fields

    from bounds.assumptions import ASSUMPTIONS
    from bounds.schedules import FAMILIES
    from bounds.schemes import SCHEMES
    from bounds.theorem import theorems

    moments = ("dim", "second_moment", "mean_norm")
    return {
        "theorems": [
            {"key": t.key, "title": t.title, "kind": t.kind, "source": str(t.source)}
            for t in theorems().values()
        ],
        "processes": [
            {"key": key, "parameters": list(names), "about": _summary(make)}
            for key, (make, names) in FAMILIES.items()
        ],
        "schemes": [{"key": key, "source": rule.source} for key, rule in SCHEMES.items()],
        "assumptions": [
            {
                "key": key,
                "constants": [f.name for f in fields(kind) if f.name not in moments],
                "about": _summary(kind),
            }
            for key, kind in ASSUMPTIONS.items()
        ],
        "problems": [dict(problem) for problem in problems],
    }


def _summary(thing) -> str:
    """The first line of a docstring, without its mathematics."""
    return (thing.__doc__ or "").strip().splitlines()[0].split(": :math:")[0].rstrip(".")


def theorem_facts(theorem) -> dict:
    """Everything ``show`` says about a theorem, as plain data; both routes are compared here."""
    import sympy

    derived = theorem.derive()
    stated = {}
    for name, expression in theorem.stated.items():
        stated[name] = {
            "expression": str(expression),
            "latex": sympy.latex(expression, symbol_names=_latex_names(expression)),
            "derived": str(derived[name]),
            "agrees": agrees(expression, derived[name]),
        }
    source = {"paper": theorem.source.paper, "where": theorem.source.where, "arxiv": theorem.source.arxiv}
    return {
        "key": theorem.key,
        "title": theorem.title,
        "kind": theorem.kind,
        "source": source,
        "statement": theorem.statement,
        "hypotheses": [{"name": c.name, "statement": c.statement} for c in theorem.conditions],
        "stated": stated,
        "symbols": dict(theorem.symbols),
        "derivation": theorem.derivation,
        "agrees": set(derived) == set(theorem.stated) and all(entry["agrees"] for entry in stated.values()),
    }


def agrees(stated, derived) -> bool:
    r"""Whether two expressions agree to thirty digits at random points where both are real.

    Parameters
    ----------
    stated, derived : sympy expressions
        Their symbols are drawn from ±[2⁻³, 2³]; points where a side is complex or undefined are drawn again.

    Returns
    -------
    bool
        False too where fewer than `AGREEMENT_POINTS` of 100 times as many draws are usable.
    """
    import mpmath
    import sympy

    symbols = sorted(stated.free_symbols | derived.free_symbols, key=str)
    call = sympy.lambdify(symbols, [stated, derived], modules="mpmath")
    rng, found = random.Random(20), 0
    with mpmath.workdps(2 * AGREEMENT_DIGITS):
        for _ in range(100 * AGREEMENT_POINTS):
            point = [mpmath.mpf(rng.choice((-1, 1, 1)) * 2 ** rng.uniform(-3, 3)) for _ in symbols]
            try:
                first, second = (mpmath.mpf(value) for value in call(*point))
            except (TypeError, ValueError, ZeroDivisionError):  # complex, or not defined there
                continue
            if not mpmath.isfinite(first) or not mpmath.isfinite(second):
                continue
            size = max(abs(first), abs(second), 1)
            if abs(first - second) > size * mpmath.mpf(10) ** -AGREEMENT_DIGITS:
                return False
            found += 1
            if found == AGREEMENT_POINTS:
                return True
    return False


def _latex_names(expression) -> dict:
    """Readable LaTeX for the symbols of code: a_sq is a², multi-letter parts are upright."""
    import sympy

    def part(word: str) -> str:
        plain_word = sympy.latex(sympy.Symbol(word))
        return plain_word if len(word) == 1 or plain_word.startswith("\\") else rf"\mathrm{{{word}}}"

    names = {}
    for symbol in expression.free_symbols:
        head, _, tail = str(symbol).partition("_")
        if tail == "sq":
            names[symbol] = rf"{{{part(head)}^{{2}}}}"
        elif tail:
            names[symbol] = rf"{part(head)}_{{{part(tail)}}}"
        elif len(head) > 1 and not head[1:].isdigit():
            names[symbol] = part(head)
    return names


def theorem_latex(facts: Mapping) -> str:
    """A theorem as a LaTeX ``align*`` environment: the statement, then each expression of it."""
    lines = [rf"& {facts['statement']}"]
    for name, entry in facts["stated"].items():
        words = name.replace("_", r"\ ")
        lines.append(rf"\mathrm{{{words}}} &= {entry['latex']}")
    return "\n".join([r"\begin{align*}", " \\\\\n".join(lines), r"\end{align*}"])


def theorem_sheet(facts: Mapping) -> list:
    """A theorem as lines and tables."""
    from rich.text import Text

    source = facts["source"]
    arxiv = f" (arXiv {source['arxiv']})" if source["arxiv"] else ""
    hypotheses = _table("hypothesis", "statement")
    for hypothesis in facts["hypotheses"]:
        hypotheses.add_row(hypothesis["name"], hypothesis["statement"])
    expressions = _table("expression", "stated", "derived")
    for name, entry in facts["stated"].items():
        expressions.add_row(
            name, entry["expression"], "agrees" if entry["agrees"] else f"DIFFERS: {entry['derived']}"
        )
    symbols = _table("symbol", "meaning")
    for name, meaning in facts["symbols"].items():
        symbols.add_row(name, meaning)
    verdict = "agree" if facts["agrees"] else "DO NOT AGREE"
    return [
        Text(f"{facts['key']}: {facts['title']} ({facts['kind']} bound)", "bold"),
        f"source: {source['paper']}, {source['where']}{arxiv}",
        f"statement: {facts['statement']}",
        hypotheses,
        expressions,
        f"derived from: {facts['derivation']}",
        f"the stated and the derived expressions {verdict}"
        f" ({AGREEMENT_DIGITS} digits, {AGREEMENT_POINTS} random points)",
        symbols,
    ]


def process_facts(process, parameters: Mapping[str, Any]) -> dict:
    """Everything ``show`` says about a process, as plain data: what sympy derived, and by which route."""
    import sympy

    f, g_sq = sympy.latex(process.f), sympy.latex(process.g_sq)
    closed = {}
    for name, derived in process.closed_forms().items():
        label, latex = _CLOSED_FORMS[name]
        closed[name] = {
            "label": label,
            "expression": str(derived.expression),
            "latex": f"{latex} = {sympy.latex(derived.expression)}",
            "route": derived.route,
        }
    return {
        "key": process.name,
        "parameters": plain(parameters),
        "f": str(process.f),
        "g_sq": str(process.g_sq),
        "latex": rf"dX = -f X\,dt + g\,dB,\quad f(t) = {f},\quad g(t)^2 = {g_sq}",
        "closed_forms": closed,
    }


def process_latex(facts: Mapping) -> str:
    """A process as a LaTeX ``align*`` environment."""
    lines = [rf"& {facts['latex']}"]
    lines += [
        rf"& {entry['latex']} && \text{{({entry['route']})}}" for entry in facts["closed_forms"].values()
    ]
    return "\n".join([r"\begin{align*}", " \\\\\n".join(lines), r"\end{align*}"])


def process_sheet(facts: Mapping) -> list:
    """A process as lines and a table."""
    from rich.text import Text

    table = _table("quantity", "expression", "route")
    for entry in facts["closed_forms"].values():
        table.add_row(entry["label"], entry["expression"], entry["route"])
    chosen = ", ".join(f"{key} = {value}" for key, value in facts["parameters"].items())
    return [
        Text(f"{facts['key']}: dX = −f X dt + g dB{f' with {chosen}' if chosen else ''}", "bold"),
        f"f(t) = {facts['f']},  g(t)² = {facts['g_sq']}",
        table,
    ]


# -- axes ----------------------------------------------------------------------

#: Colours that stay apart for colour-blind readers; a theorem keeps its own in every picture.
_PALETTE = ("#CC79A7", "#009E73", "#E69F00", "#7F3C8D", "#999933")
_STYLES = {
    "martingale": {"color": "#0072B2"},
    "martingale-coupled": {"color": "#56B4E9", "dashes": (4, 1.5)},
    "gao2025-general-sde": {"color": "#D55E00"},
}
_EXACT = "exact W2 of the sampler"


def plot_bounds(
    ax,
    steps: Sequence[int],
    exact: Sequence,
    bounds: Mapping[str, Sequence[float]],
    *,
    title: str = "",
    ceiling: float | None = None,
    guides: Mapping[str, float] | None = None,
):
    r"""Bounds as lines and the exact error as markers over the number of steps, on log-log axes.

    Parameters
    ----------
    ax : matplotlib Axes
        Drawn on and returned.
    steps : sequence of int, shape (m,)
        Increasing.
    exact : sequence of Bracket or float, shape (m,)
        A bracket wider than its marker gets an error bar; one without an upper side is left out.
    bounds : mapping of label to sequence of float, each of shape (m,)
        Infinite or NaN where there is none.
    title : str
    ceiling : float, optional
        :math:`\sqrt{E\|X_0\|^2}`: bounds above it say less than the point 0 does; that region is shaded.
    guides : mapping of label to slope, optional
        A dotted line of that slope below the line of that label, or below the markers for any other label.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        If the sequences have different lengths, or fewer than two steps are given.
    """
    import numpy as np

    steps = np.asarray(steps, dtype=float)
    sides = np.array([(e.lower, e.upper) if hasattr(e, "lower") else (e, e) for e in exact], dtype=float)
    lengths = {len(steps), len(sides), *(len(values) for values in bounds.values())}
    if len(lengths) != 1 or len(steps) < 2:
        raise ValueError(
            f"steps, exact and bounds must have one length of at least 2, got lengths {sorted(lengths)}"
        )
    lines = {label: np.asarray(values, dtype=float) for label, values in bounds.items()}
    lines = {label: np.where(np.isfinite(values), values, np.nan) for label, values in lines.items()}
    free = iter(_PALETTE * (1 + len(lines)))
    for label, values in lines.items():
        style = _STYLES.get(label) or {"color": next(free)}
        ax.plot(steps, values, linewidth=2.2, label=label, zorder=3, solid_capstyle="round", **style)
    known = np.isfinite(sides[:, 1])
    middle, half = sides.mean(axis=1)[known], (np.diff(sides)[:, 0] / 2)[known]
    seen = half > 0.02 * middle
    ax.plot(steps[known], middle, "o", color="#1a1a1a", markersize=6, label=_EXACT, zorder=5)
    ax.errorbar(
        steps[known][seen], middle[seen], half[seen], fmt="none", ecolor="#1a1a1a", elinewidth=1.2, zorder=4
    )
    for label, slope in (guides or {}).items():
        values = lines.get(label, np.interp(steps, steps[known], middle) if known.any() else None)
        if values is not None and np.isfinite(values[-1]):
            _guide(ax, steps, float(values[-1]), slope)
    if known[-1]:
        _gap(ax, float(steps[-1]), [float(values[-1]) for values in lines.values()], float(middle[-1]))
    _finish(ax, title, ceiling)
    ax.set_xlim(steps[0] / 1.4, steps[-1] * 2.4)
    everything = np.concatenate([middle, *lines.values()])
    everything = everything[np.isfinite(everything) & (everything > 0)]
    if everything.size:
        top = everything.max() if ceiling is None else min(everything.max(), ceiling)
        ax.set_ylim(everything.min() / 3, 3 * top)
    return ax


def _finish(ax, title: str, ceiling: float | None) -> None:
    """Scales, ticks as plain numbers, grid, and the region where a bound says nothing."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.xaxis.set_major_locator(LogLocator(10))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_xlabel("steps K")
    if title:
        ax.set_title(title, fontsize=12, pad=8)
    ax.grid(True, which="major", color="#e3e3e3", linewidth=0.8, zorder=0)
    ax.spines[["top", "right"]].set_visible(False)
    if ceiling is not None:
        ax.axhspan(ceiling, 1e12 * ceiling, color="#f0efec", zorder=0.5, linewidth=0)
        ax.annotate(
            r"vacuous: above $\sqrt{E\,\Vert X_0\Vert^2}$",
            (0.02, ceiling),
            xycoords=("axes fraction", "data"),
            xytext=(0, 4),
            textcoords="offset points",
            ha="left",
            va="bottom",
            fontsize=9,
            color="#77756f",
        )


def _gap(ax, steps: float, bounds: Sequence[float], exact: float) -> None:
    """How many times the exact error the tightest bound is, at the last number of steps."""
    tightest = min((value for value in bounds if math.isfinite(value)), default=0.0)
    if not tightest > exact > 0:
        return
    ax.plot([steps, steps], [exact, tightest], color="#8a8a8a", linewidth=1, zorder=1)
    ax.annotate(
        f"{tightest / exact:.3g}×",
        (steps, math.sqrt(exact * tightest)),
        xytext=(8, 0),
        textcoords="offset points",
        ha="left",
        va="center",
        fontsize=10.5,
        color="#1a1a1a",
    )


def _guide(ax, steps, last: float, slope: float) -> None:
    """A dotted line of a slope below the end of a curve, with its slope in words."""
    ends = [float(steps[-1]) / 5, float(steps[-1])]
    heights = [0.5 * last * (end / steps[-1]) ** slope for end in ends]
    ax.plot(ends, heights, ":", color="#6b6b6b", linewidth=1.6, zorder=2)
    text = {-1.0: "slope −1", -0.5: "slope −½"}.get(slope, f"slope {slope:g}")
    place = {"xytext": (-3, -2), "ha": "right", "va": "top"}
    middle = math.sqrt(ends[0] * ends[1]), math.sqrt(heights[0] * heights[1])
    ax.annotate(text, middle, textcoords="offset points", color="#6b6b6b", fontsize=9.5, **place)


def demo_figure(panels: Sequence[Mapping], title: str = ""):
    """Several `plot_bounds` side by side with one scale of errors and one legend.

    Parameters
    ----------
    panels : sequence of mappings
        Arguments of `plot_bounds`, without the axes.
    title : str

    Returns
    -------
    matplotlib Figure
        Not tied to pyplot, so that nothing global changes.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.3 * len(panels), 4.9), layout="constrained")
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    named, limits = {}, []
    for ax, panel in zip(axes, panels, strict=True):
        plot_bounds(ax, **panel)
        limits.append(ax.get_ylim())
        handles, labels = ax.get_legend_handles_labels()
        named = {**dict(zip(labels, handles, strict=True)), **named}
    axes[0].set_ylim(min(low for low, _ in limits), max(high for _, high in limits))
    axes[0].set_ylabel("2-Wasserstein distance to the data")
    order = sorted(named, key=lambda label: (label == _EXACT, list(named).index(label)))
    figure.legend(
        [named[label] for label in order],
        order,
        loc="outside lower center",
        ncols=len(order),
        frameon=False,
        handlelength=2.6,
        columnspacing=2.2,
    )
    if title:
        figure.suptitle(title, fontsize=13.5)
    return figure
