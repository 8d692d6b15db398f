"""The table of iteration complexities: published, derived from the same theorem, and what the martingale
bound gives."""

import time
from collections.abc import Callable, Sequence

from bounds.symbolic.deadline import Deadline
from bounds.theorem import Theorem

PUBLISHED_THEOREM, OURS = "gao2025-general-sde", "martingale"
#: Families whose processes are among the published rows.
IN_PUBLISHED = "vp", "ve", "general"
#: What sympy may take for a row: of a problem, and of the published ones, which are known to end.
ROW_SECONDS, PUBLISHED_SECONDS = 60.0, 120.0
#: Proposition 8 of arXiv 2311.11003: what Euler–Maruyama cannot beat on Gaussian data, whatever f and g.
LOWER, LOWER_LATEX = "Ω(√d/ε)", r"\Omega(\sqrt{d}/\varepsilon)"
#: Seconds sympy may spend on the g that is shown of a g².
ROOT_SECONDS = 4.0


def published_rows(tell: Callable = lambda fraction=None, what=None: None,
                   theorem: Theorem | None = None) -> list[dict]:
    """The eight rows of arXiv 2311.11003 with what sympy derives for each; of one more ``theorem`` too."""
    from bounds.complexity.published import published_orders
    from verify.studies.rows_ahead import row_ahead

    rows, known = [], published_orders()
    for done, published in enumerate(known):
        tell(done / len(known), f"limits of {published.name}")
        row = row_ahead(published) or published_row(published)
        if theorem is not None:
            until = time.monotonic() + PUBLISHED_SECONDS
            row |= {"asked": _orders(theorem, published.f, published.g_sq, until),
                    **{name: row.pop(name) for name in ("published", "agrees", "remark")}}
        rows.append(row)
    return [_plain(row) for row in rows]


def published_row(published) -> dict:
    """One of them, derived here and now."""
    row = derived_row(published.name, published.f, published.g_sq)
    gao = row["derived"].get("steps_order")
    row["published"] = {"steps": str(published.steps), "latex": published.steps.latex}
    row["agrees"] = gao is not None and gao.same(published.steps)
    row["remark"] = published.remark
    return _plain(row)


def process_row(name: str, process, theorem: Theorem | None = None) -> dict:
    """The same for a problem's one-block process, with nothing published."""
    row = derived_row(name, process.f, process.g_sq, ROW_SECONDS, theorem)
    row.update(published=None, agrees=None, remark="")
    return _plain(row)


def stated_rows(theorem: Theorem) -> list[dict]:
    """Rows of processes that a theorem names and no published row is about, with their example
    coefficients."""
    from bounds.processes import families

    rows = []
    for key in theorem.domain.process:
        family = families()[key]
        given = {name: each.example for name, each in family.coefficients.items() if each.default is None}
        if key in IN_PUBLISHED or None in given.values():
            continue
        process = family.make(**given)
        if process.blocks == 1:
            shown = ", ".join(f"{name} = {value}" for name, value in given.items())
            rows.append(process_row(f"{key} ({shown})" if shown else key, process, theorem))
    return rows


def derived_row(name: str, f, g_sq, seconds: float = PUBLISHED_SECONDS,
                theorem: Theorem | None = None) -> dict:
    """Orders of both theorems, and of the published from the initial error of ours; where none is derived
    within the time for the row, the reason."""
    import sympy

    from bounds.symbolic.deadline import attempt
    from bounds.theorems import theorems

    until = time.monotonic() + seconds
    g = attempt(lambda: sympy.powsimp(sympy.sqrt(g_sq), force=True), sympy.sqrt(g_sq), ROOT_SECONDS)
    known = theorems()
    row = {
        "process": name, "f": str(f), "g": str(g), "f_latex": sympy.latex(f), "g_latex": sympy.latex(g),
        "derived": _orders(known[PUBLISHED_THEOREM], f, g_sq, until),
        "sharper_start": _orders(known[PUBLISHED_THEOREM], f, g_sq, until, known[OURS]),
        "martingale": _orders(known[OURS], f, g_sq, until),
        "others": [_orders(known[key], f, g_sq, until) for key in _others()],
        "lower_bound": LOWER, "lower_bound_latex": LOWER_LATEX,
    }
    return row if theorem is None else row | {"asked": _orders(theorem, f, g_sq, time.monotonic() + seconds)}


def _others() -> list[str]:
    """Keys of the other theorems that state a leading order."""
    from bounds.theorems import theorems

    return [key for key, theorem in theorems().items()
            if theorem.leading is not None and key not in (PUBLISHED_THEOREM, OURS)]


def _orders(theorem: Theorem, f, g_sq, until: float, start: Theorem | None = None) -> dict:
    from bounds.complexity.growth import NoOrder
    from bounds.complexity.orders import complexity

    named = {"theorem": theorem.key, "initial_error": (start or theorem).key}
    try:
        with Deadline(max(until - time.monotonic(), 1e-3)):
            found = complexity(theorem, f, g_sq, start)
    except (NoOrder, TimeoutError) as error:
        in_time = isinstance(error, NoOrder) and time.monotonic() < until
        why = str(error) if in_time else "sympy finds no orders in the time for a row"
        return {**named, "reason": why}
    orders = {name: getattr(found, name) for name in ("horizon", "step", "score_error", "steps")}
    return {
        # a claim for an exact score allows no error
        **named, **{name: str(order or 0) for name, order in orders.items()},
        "latex": {name: order.latex if order else "0" for name, order in orders.items()},
        "error": str(found.error),
        "leading_constant": None if found.leading_constant is None else str(found.leading_constant),
        "assumes": found.assumes, "steps_order": found.steps,
    }


def _plain(row: dict) -> dict:
    for part in _all(row):
        part.pop("steps_order", None)
    return row


def _all(row: dict) -> list[dict]:
    """What is derived of every theorem."""
    asked = [row["asked"]] if "asked" in row else []
    return [row["derived"], row["sharper_start"], row["martingale"], *row["others"], *asked]


#: Letters of a name that LaTeX would read as something else.
_TEXT = {
    "√": r"$\surd$", "^": r"\^{}", "ρ": r"$\rho$", "–": "--", "_": r"\_", "&": r"\&", "%": r"\%", "#": r"\#",
    "$": r"\$",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "\\": r"\textbackslash{}", "ε": r"$\varepsilon$",
}
_HEAD = ("process", "f", "g", "published K", "derived K", "agrees", "sharper start K", "martingale K",
         "lower bound")
#: Theorem G as published, from the initial error of section 4 (docs/theory.md section 7: both are printed),
#: and ours.
_PARTS = "derived", "sharper_start", "martingale"


def _parts(row: dict) -> tuple[str, ...]:
    return (*_PARTS, "asked") if "asked" in row else _PARTS


def _steps(found: dict) -> str:
    """K, or why there is none."""
    return found.get("steps", "none: " + found.get("reason", "").removeprefix(f"{found['theorem']}: "))


def _head(rows: Sequence[dict]) -> list[str]:
    asked = [f"{rows[0]['asked']['theorem']} K"] if rows and "asked" in rows[0] else []
    return [*_HEAD[:-1], *asked, _HEAD[-1]]


def _cells(row: dict) -> tuple[str, ...]:
    agrees = {True: "yes", False: "no", None: ""}[row["agrees"]]
    published = row["published"]["steps"] if row["published"] else ""
    steps = [_steps(row[part]) for part in _parts(row)]
    return row["process"], row["f"], row["g"], published, steps[0], agrees, *steps[1:], row["lower_bound"]


def text_table(rows: Sequence[dict]):
    """The rows as a table for the terminal."""
    from verify.pages.tables import empty_table

    # no room for the start: `remarks` tells
    head = _head(rows)
    start = head.index("sharper start K")
    table = empty_table(*head[:start], *head[start + 1 :])
    for row in rows:
        cells = _cells(row)
        table.add_row(*cells[:start], *cells[start + 1 :])
    return table


def markdown(rows: Sequence[dict]) -> str:
    """The rows as a Markdown table."""
    head = _head(rows)
    lines = [head, ["---"] * len(head), *(_cells(row) for row in rows)]
    return "".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |\n" for line in lines)


def latex(rows: Sequence[dict]) -> str:
    """The rows as a LaTeX tabular; needs no package."""
    head = [_text(name).replace(" K", " $K$") for name in _head(rows)]
    head[1:3] = "$f$", "$g$"
    lines = [rf"\begin{{tabular}}{{{'l' * len(head)}}}", " & ".join(head) + r" \\ \hline"]
    for row in rows:
        steps = [row[part].get("latex", {}).get("steps") for part in _parts(row)]
        published = row["published"]["latex"] if row["published"] else None
        agrees = {True: "yes", False: "no", None: "--"}[row["agrees"]]
        maths = [f"${cell}$" if cell else "--"
                 for cell in (row["f_latex"], row["g_latex"], published, *steps)]
        cells = [_text(row["process"]), *maths[:4], agrees, *maths[4:], f"${row['lower_bound_latex']}$"]
        lines.append(" & ".join(cells) + r" \\")
    return "\n".join([*lines, r"\end{tabular}", ""])


def _text(name: str) -> str:
    return "".join(_TEXT.get(letter, letter) for letter in name)


def details(rows: Sequence[dict]) -> list[str]:
    """Horizon, step, score error and steps of each row in words, by every theorem that holds for it."""
    return [
        f"{row['process']}, {_named(found)}: T = {found['horizon']}, h = {found['step']}, M = "
        f"{found['score_error']}, "
        f"K = {found['steps']}"
        for row in rows
        for found in _all(row)
        if "steps" in found
    ]


def _named(found: dict) -> str:
    start = found["initial_error"]
    return (found["theorem"] if start == found["theorem"]
            else f"{found['theorem']} from the initial error of {start}")


def remarks(rows: Sequence[dict]) -> list[str]:
    """Why an order differs from the published one, what a sharper start changes, and what bounds every row
    from below."""
    differing = [f"{row['process']}: {row['remark']}" for row in rows if row["remark"]]
    sharper = [f"{row['process']} {row['sharper_start']['steps']}" for row in rows
               if "steps" in row["derived"] and row["sharper_start"].get("steps") != row["derived"]["steps"]]
    if asked := [row["asked"] for row in rows if row.get("asked", {}).get("assumes")]:
        differing.append(f"{asked[0]['theorem']} assumes {asked[0]['assumes']}.")
    if sharper:
        differing.append(
            f"From the initial error of {OURS}, {PUBLISHED_THEOREM} gives: {'; '.join(sharper)}; the other "
            f"rows stay."
        )
    return [*differing, f"Lower bound for every row, on Gaussian data with Euler–Maruyama: K = {LOWER}."]
