"""The table of iteration complexities: published, derived from the same theorem, and what the martingale
bound gives."""

import time
from collections.abc import Callable, Sequence

from bounds.symbolic.deadline import Deadline

PUBLISHED_THEOREM, OURS = "gao2025-general-sde", "martingale"
#: What sympy may take for a row: of a problem, and of the published ones, which are known to end.
ROW_SECONDS, PUBLISHED_SECONDS = 60.0, 120.0
#: Proposition 8 of arXiv 2311.11003: what Euler–Maruyama cannot beat on Gaussian data, whatever f and g.
LOWER, LOWER_LATEX = "Ω(√d/ε)", r"\Omega(\sqrt{d}/\varepsilon)"
#: Seconds sympy may spend on the g that is shown of a g².
ROOT_SECONDS = 4.0


def published_rows(tell: Callable = lambda fraction=None, what=None: None) -> list[dict]:
    """The eight rows of arXiv 2311.11003 with what sympy derives for each."""
    from bounds.complexity.published import published_orders

    rows, known = [], published_orders()
    for done, published in enumerate(known):
        tell(done / len(known), f"limits of {published.name}")
        row = derived_row(published.name, published.f, published.g_sq)
        gao = row["derived"].get("steps_order")
        row["published"] = {"steps": str(published.steps), "latex": published.steps.latex}
        row["agrees"] = gao is not None and gao.same(published.steps)
        row["remark"] = published.remark
        rows.append(row)
    return [_plain(row) for row in rows]


def process_row(name: str, process) -> dict:
    """The same for a problem's one-block process, with nothing published."""
    row = derived_row(name, process.f, process.g_sq, ROW_SECONDS)
    row.update(published=None, agrees=None, remark="")
    return _plain(row)


def derived_row(name: str, f, g_sq, seconds: float = PUBLISHED_SECONDS) -> dict:
    """Orders of both theorems, and of the published from the initial error of ours; where none is derived
    within the time for the row, the reason."""
    import sympy

    from bounds.symbolic.deadline import attempt

    until = time.monotonic() + seconds
    g = attempt(lambda: sympy.powsimp(sympy.sqrt(g_sq), force=True), sympy.sqrt(g_sq), ROOT_SECONDS)
    return {
        "process": name, "f": str(f), "g": str(g), "f_latex": sympy.latex(f), "g_latex": sympy.latex(g),
        "derived": _orders(PUBLISHED_THEOREM, f, g_sq, until),
        "sharper_start": _orders(PUBLISHED_THEOREM, f, g_sq, until, OURS),
        "martingale": _orders(OURS, f, g_sq, until),
        "others": [_orders(key, f, g_sq, until) for key in _others()],
        "lower_bound": LOWER, "lower_bound_latex": LOWER_LATEX,
    }


def _others() -> list[str]:
    """Keys of the other theorems that state a leading order."""
    from bounds.theorems import theorems

    return [key for key, theorem in theorems().items()
            if theorem.leading is not None and key not in (PUBLISHED_THEOREM, OURS)]


def _orders(key: str, f, g_sq, until: float, start: str | None = None) -> dict:
    from bounds.complexity.growth import NoOrder
    from bounds.complexity.orders import complexity
    from bounds.theorems import theorems

    try:
        with Deadline(max(until - time.monotonic(), 1e-3)):
            found = complexity(theorems()[key], f, g_sq, start and theorems()[start])
    except (NoOrder, TimeoutError) as error:
        in_time = isinstance(error, NoOrder) and time.monotonic() < until
        why = str(error) if in_time else "sympy finds no orders in the time for a row"
        return {"theorem": key, "initial_error": start or key, "reason": why}
    named = {
        "horizon": found.horizon,
        "step": found.step,
        "score_error": found.score_error,
        "steps": found.steps,
    }
    return {
        "theorem": key, "initial_error": start or key, **{name: str(order) for name, order in named.items()},
        "latex": {name: order.latex for name, order in named.items()},
        "error": str(found.error),
        "leading_constant": None if found.leading_constant is None else str(found.leading_constant),
        "assumes": found.assumes, "steps_order": found.steps,
    }


def _plain(row: dict) -> dict:
    for part in (row["derived"], row["sharper_start"], row["martingale"], *row["others"]):
        part.pop("steps_order", None)
    return row


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


def _cells(row: dict) -> tuple[str, ...]:
    agrees = {True: "yes", False: "no", None: ""}[row["agrees"]]
    published = row["published"]["steps"] if row["published"] else ""
    steps = [row[part].get("steps", "none: " + row[part].get("reason", "")) for part in _PARTS]
    return row["process"], row["f"], row["g"], published, steps[0], agrees, *steps[1:], row["lower_bound"]


def text_table(rows: Sequence[dict]):
    """The rows as a table for the terminal."""
    from verify.pages.tables import empty_table

    # no room for the start: `remarks` tells
    start = _HEAD.index("sharper start K")
    table = empty_table(*_HEAD[:start], *_HEAD[start + 1 :])
    for row in rows:
        cells = _cells(row)
        table.add_row(*cells[:start], *cells[start + 1 :])
    return table


def markdown(rows: Sequence[dict]) -> str:
    """The rows as a Markdown table."""
    lines = [_HEAD, ["---"] * len(_HEAD), *(_cells(row) for row in rows)]
    return "".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |\n" for line in lines)


def latex(rows: Sequence[dict]) -> str:
    """The rows as a LaTeX tabular; needs no package."""
    head = [name.replace(" K", " $K$") for name in _HEAD]
    head[1:3] = "$f$", "$g$"
    lines = [rf"\begin{{tabular}}{{{'l' * len(head)}}}", " & ".join(head) + r" \\ \hline"]
    for row in rows:
        steps = [row[part].get("latex", {}).get("steps") for part in _PARTS]
        published = row["published"]["latex"] if row["published"] else None
        agrees = {True: "yes", False: "no", None: "--"}[row["agrees"]]
        name = "".join(_TEXT.get(letter, letter) for letter in row["process"])
        maths = [f"${cell}$" if cell else "--"
                 for cell in (row["f_latex"], row["g_latex"], published, *steps)]
        lines.append(" & ".join([name, *maths[:4], agrees, *maths[4:], f"${row['lower_bound_latex']}$"])
                     + r" \\")
    return "\n".join([*lines, r"\end{tabular}", ""])


def details(rows: Sequence[dict]) -> list[str]:
    """Horizon, step, score error and steps of each row in words, by every theorem that holds for it."""
    return [
        f"{row['process']}, {_named(found)}: T = {found['horizon']}, h = {found['step']}, M = "
        f"{found['score_error']}, "
        f"K = {found['steps']}"
        for row in rows
        for found in (row["derived"], row["sharper_start"], row["martingale"], *row["others"])
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
    if sharper:
        differing.append(
            f"From the initial error of {OURS}, {PUBLISHED_THEOREM} gives: {'; '.join(sharper)}; the other "
            f"rows stay."
        )
    return [*differing, f"Lower bound for every row, on Gaussian data with Euler–Maruyama: K = {LOWER}."]
