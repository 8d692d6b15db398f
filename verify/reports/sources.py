"""The sources of theorems, samplers and processes as BibTeX."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from bounds.processes import families
from bounds.theorem import Theorem
from verify.plain import one_line
from verify.problems.problem import Problem

#: The entry of what this project derives itself.
OURS = "sgmbounds"
_ARXIV = re.compile(r"\b(\d{4}\.\d{4,5})\b")
_DDPM = "Ho et al. 2020"


@cache
def entries() -> dict[str, str]:
    """Every entry of ``bounds/sources.bib`` by its key."""
    text = (files("bounds") / "sources.bib").read_text(encoding="utf-8")
    return {found[1]: found[0] for found in re.finditer(r"^@\w+\{([\w-]+),\n.*?^\}", text, re.DOTALL | re.MULTILINE)}


@cache
def by_arxiv() -> dict[str, str]:
    """The key of the entry of every arXiv number."""
    return {_ARXIV.search(text.split("eprint", 1)[1])[1]: key for key, text in entries().items() if "eprint" in text}


def of_text(text: str) -> list[str]:
    """The entries of the papers whose arXiv numbers a text has, in their order."""
    known = by_arxiv()
    return list(dict.fromkeys(known[number] for number in _ARXIV.findall(text) if number in known))


def of_theorem(theorem: Theorem) -> str:
    """The BibTeX entry of a theorem's source: its paper, ours where it is derived here, or a note of one's own."""
    source = theorem.source
    if found := of_text(source.arxiv or source.paper):
        return entries()[found[0]]
    if source.paper.startswith("docs/"):
        return entries()[OURS]
    fields = {"title": source.paper, "note": source.where}
    if source.arxiv:
        fields |= {"eprint": source.arxiv, "archiveprefix": "arXiv"}
    lines = ",\n".join(f"  {name} = {{{_plain(value)}}}" for name, value in fields.items())
    return f"@misc{{{re.sub(r'[^A-Za-z0-9-]', '', theorem.key) or 'own'},\n{lines}\n}}"


def of_problem(problem: Problem, theorems: Iterable[Theorem]) -> list[str]:
    """The BibTeX entries of what a result used: the theorems, the sampler, the process, the assumption and this
    package."""
    sampler = problem.scheme.sampler.source or ""
    family = families().get(problem.process.name)
    told = [sampler, (family.make.__doc__ or "") if family else "",
            *((type(each).__doc__ or "") for each in problem.assumptions[:1])]
    used = [of_theorem(each) for each in theorems]
    used += [entries()[key] for text in told for key in of_text(text)]
    if _DDPM in sampler:
        used.append(entries()["ho2020"])
    return list(dict.fromkeys([*used, entries()[OURS]]))


def _plain(text: str) -> str:
    """A text that cannot leave its braces."""
    return one_line(text).replace("{", "(").replace("}", ")").replace("\\", "/")
