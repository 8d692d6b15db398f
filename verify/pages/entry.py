"""A theorem on a problem as plain data, whether it applies or not."""

from collections.abc import Sequence

from verify.plain import plain


def entry_of(theorem, bound, unmet: Sequence[str]) -> dict:
    """One entry of ``bound --json``: a theorem with its bound, or with the hypotheses that are not met."""
    empty = {"total": None, "terms": {}, "information": None, "notes": [], "details": {}, "proof": None,
             "estimated": ""}
    numbers = empty if bound is None else plain(bound.as_dict())
    return {
        "theorem": theorem.key,
        "title": theorem.title,
        "kind": theorem.kind,
        "applicable": bound is not None,
        "unmet": list(unmet),
        "certified": numbers["proof"] is not None,
        **numbers,
    }
