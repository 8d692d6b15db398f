"""The closed forms of samplers without noise on Gaussian data as rows: text, Markdown and LaTeX."""

from collections.abc import Callable, Sequence
from typing import Any

import sympy

#: Columns, and what of a row is in each.
COLUMNS = {"sampler": "sampler", "order": "order", "log-error of a step h": "local_error",
           "W2, equal steps": "uniform", "best density of steps": "density", "W2 on it, K steps": "best",
           "K for W2 = ε": "steps"}
#: In text, in place of what sympy prints.
_TEXT = (("**", "^"), ("sigma", "σ"), ("epsilon", "ε"), ("sqrt", "√"), ("gamma", "Γ"), ("pi", "π"),
         ("*", " "))


def ode_rows(tell: Callable = lambda fraction=None, what=None: None) -> list[dict[str, Any]]:
    """`bounds.complexity.of_flow.flow_orders` as plain data: expressions as text and as LaTeX."""
    from bounds.complexity.of_flow import OF_LEVELS, OF_TIME, flow_order

    rows, keys = [], (*OF_LEVELS, *OF_TIME)
    for done, key in enumerate(keys):
        tell(done / len(keys), f"series of {key}")
        found = flow_order(key)
        forms = {name: getattr(found, name) for name in list(COLUMNS.values())[2:]}
        rows.append({
            "sampler": key, "steps_of": found.variable, "order": found.order,
            **{name: None if form is None else str(form) for name, form in forms.items()},
            "latex": {name: None if form is None else sympy.latex(form) for name, form in forms.items()},
            "one_sign": found.one_sign,
        })
    return rows


def _cells(row: dict) -> list[str]:
    cells = [f"{row['sampler']}, steps of {row['steps_of']}"]
    for name in list(COLUMNS.values())[1:]:
        text = "–" if row[name] is None else str(row[name])
        for old, new in _TEXT:
            text = text.replace(old, new)
        cells.append(text)
    return cells


def ode_text(rows: Sequence[dict]):
    """The rows as a table for the terminal."""
    from verify.pages.tables import empty_table

    table = empty_table(*COLUMNS)
    for row in rows:
        table.add_row(*_cells(row))
    return table


def ode_markdown(rows: Sequence[dict]) -> str:
    """The rows as a Markdown table."""
    lines = [list(COLUMNS), ["---"] * len(COLUMNS), *(_cells(row) for row in rows)]
    return "".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |\n" for line in lines)


def ode_latex(rows: Sequence[dict]) -> str:
    """The rows as a LaTeX tabular; needs no package."""
    head = list(COLUMNS)
    for old, new in (("W2 = ε", r"$W_2 = \varepsilon$"), ("W2", "$W_2$"), ("K ", "$K$ ")):
        head = [name.replace(old, new) for name in head]
    lines = [rf"\begin{{tabular}}{{{'l' * len(head)}}}", " & ".join(head) + r" \\ \hline"]
    for row in rows:
        variable = row["steps_of"].replace("σ", r"\sigma")
        forms = [row["latex"][name] for name in list(COLUMNS.values())[2:]]
        lines.append(" & ".join([rf"{row['sampler']}, steps of ${variable}$", str(row["order"]),
                                 *(f"${form}$" if form else "--" for form in forms)]) + r" \\")
    return "\n".join([*lines, r"\end{tabular}", ""])


def ode_remarks(rows: Sequence[dict]) -> list[str]:
    """What the forms are about, and what no grid avoids."""
    found = ["Data N(0, v I) in dimension d, from far away down to 0, to leading order; steps of σ for any "
             "process, of t for OU. Of Heun's and DPM-Solver's last step to 0, Euler's, nothing is counted."]
    row = next((row for row in rows if row["sampler"] == "ddim"), None)
    if row is not None:
        found.append("ddim: its log-errors have one sign, so that no grid does with fewer steps than K = "
                     f"{_cells(row)[-1]}; on equal steps of arctan(σ/√v), the cosine schedule, these are "
                     "enough.")
    return found
