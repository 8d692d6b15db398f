"""Say everything about one theorem: as plain data, as LaTeX, as a sheet of lines and tables.

Sympy and rich are imported when used.
"""

from collections.abc import Mapping

from verify.pages.tables import empty_table


def theorem_facts(theorem) -> dict:
    """Everything ``show`` says about a theorem, as plain data; both routes are compared here, where there are
    two (else "derived" and "agrees" are None)."""
    import sympy

    derived, agreement = theorem.derived, theorem.agreement()
    stated = {}
    for name, expression in theorem.stated.items():
        stated[name] = {
            "expression": str(expression),
            "latex": sympy.latex(expression, symbol_names=latex_names(expression)),
            "derived": str(derived[name]) if name in derived else None,
            "agrees": agreement.get(name),
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
        "agrees": all(agreement.values()) if agreement else None,
    }


def latex_names(expression) -> dict:
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

    from bounds.symbolic.agreement import AGREEMENT_DIGITS, AGREEMENT_POINTS

    source = facts["source"]
    arxiv = f" (arXiv {source['arxiv']})" if source["arxiv"] else ""
    hypotheses = empty_table("hypothesis", "statement")
    for hypothesis in facts["hypotheses"]:
        hypotheses.add_row(hypothesis["name"], hypothesis["statement"])
    expressions = empty_table("expression", "stated", "derived")
    for name, entry in facts["stated"].items():
        said = {True: "agrees", False: f"DIFFERS: {entry['derived']}",
                None: "taken as stated"}[entry["agrees"]]
        expressions.add_row(name, entry["expression"], said)
    symbols = empty_table("symbol", "meaning")
    for name, meaning in facts["symbols"].items():
        symbols.add_row(name, meaning)
    if facts["agrees"] is None:
        derivation = [facts["derivation"]]
    else:
        verdict = "agree" if facts["agrees"] else "DO NOT AGREE"
        derivation = [f"derived from: {facts['derivation']}",
                      f"the stated and the derived expressions {verdict}"
                      f" ({AGREEMENT_DIGITS} digits, {AGREEMENT_POINTS} random points)"]
    return [
        Text(f"{facts['key']}: {facts['title']} ({facts['kind']} bound)", "bold"),
        f"source: {source['paper']}, {source['where']}{arxiv}",
        f"statement: {facts['statement']}",
        hypotheses,
        expressions,
        *derivation,
        symbols,
    ]
