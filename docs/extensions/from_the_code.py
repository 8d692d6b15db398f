"""Write the pages of the site that say what the code says: theorems, processes, samplers, measured tables, notebooks.

They go to docs/generated, which is not kept, each file only where its text changes, so that what Sphinx has read it
need not read again.
"""

import json
import re
import shutil
from importlib import import_module
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from latex2mathml.converter import convert

HERE = Path(__file__).resolve().parents[1]
OUT = HERE / "generated"
NOTEBOOKS = HERE.parent / "notebooks"


class FromPackage(Directive):
    """Every public name of a package, by autodoc."""

    required_arguments = 1

    def run(self):
        package = import_module(self.arguments[0])
        lines = []
        for name in sorted(set(package.__all__)):
            kind = "autoclass" if isinstance(getattr(package, name), type) else "autofunction"
            members = ["   :members:"] if kind == "autoclass" else []
            lines += [f".. {kind}:: {package.__name__}.{name}", *members, ""]
        parent = nodes.section()
        self.state.nested_parse(StringList(lines, source=package.__name__), self.content_offset, parent)
        return parent.children


def setup(app):
    """Called by Sphinx: the pages are written before any is read."""
    app.add_directive("from-package", FromPackage)
    app.add_html_math_renderer("mathml", (_inline_formula, None), (_formula, None))
    app.connect("config-inited", lambda *_: write_all())
    app.connect("source-read", _lead_to_pages)
    return {"version": "1", "parallel_read_safe": True}


def _inline_formula(writer, node) -> None:
    writer.body.append(convert(node.astext()))
    raise nodes.SkipNode


def _formula(writer, node) -> None:
    """MathML, which browsers draw by themselves: the site needs no network."""
    writer.body.append(f'<div class="math">{convert(node.astext(), display="block")}</div>')
    raise nodes.SkipNode


#: Links that lead out of docs/ in the repository, and the pages that stand for them on the site.
_PAGES = {"](../CONTRIBUTING.md)": "](generated/contributing.md)", "](examples/own_theorem)": "](generated/own_theorem.md)"}


def _lead_to_pages(_app, _name, source) -> None:
    for link, page in _PAGES.items():
        source[0] = source[0].replace(link, page)


def write_all() -> None:
    """Every page, and nothing of pages that are no longer written."""
    pages = {**theorem_pages(), **process_pages(), **catalogue_pages(), **measured_pages(), **copied_pages()}
    for name, text in pages.items():
        _write(OUT / name, text)
    copied = _copy_notebooks()
    kept = {OUT / name for name in pages} | copied
    for path in OUT.rglob("*"):
        if path.is_file() and path not in kept:
            path.unlink()


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def _copy_notebooks() -> set[Path]:
    """The notebooks, where Sphinx looks for them."""
    copied = set()
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        target = OUT / "gallery" / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists() or target.read_bytes() != path.read_bytes():
            shutil.copyfile(path, target)
        copied.add(target)
    return copied


def theorem_pages() -> dict[str, str]:
    """A page a theorem: statement, hypotheses, every formula as sympy has it, and whether both routes agree."""
    from bounds.theorems import theorems
    from verify.pages.theorem_sheet import theorem_facts

    return {f"theorems/{key}.md": _theorem_page(theorem_facts(theorem)) for key, theorem in theorems().items()}


def _theorem_page(facts) -> str:
    source = facts["source"]
    link = f" ([arXiv {source['arxiv']}](https://arxiv.org/abs/{source['arxiv']}))" if source["arxiv"] else ""
    agreed = {True: "Both routes agree on every formula.", None: "Every formula is taken as stated."}
    assert facts["agrees"] in agreed, f"{facts['key']}: stated and derived differ"
    where = f"{source['paper']}, {source['where']}{link}".replace("docs/theory.md", "[Theory](../../theory.md)")
    lines = [f"# {facts['title']}", f"`{facts['key']}`: {_article(facts['kind'])} bound. Source: {where}.",
             f"```{{math}}\n{facts['statement']}\n```", "## Hypotheses",
             _table(("hypothesis", "it asks"), [(h["name"], h["statement"]) for h in facts["hypotheses"]]), "## Formulas",
             f"Derived again from: {_plain(facts['derivation'].rstrip('.'))}. {agreed[facts['agrees']]}"]
    for name, entry in facts["stated"].items():
        lines += [f"**{name.replace('_', ' ')}**", f"```{{math}}\n{entry['latex']}\n```"]
    lines += ["## Symbols", _table(("symbol", "meaning"), facts["symbols"].items())]
    return _page(lines)


def process_pages() -> dict[str, str]:
    """A page a process family: the SDE and the closed forms that sympy finds for its example coefficients."""
    from bounds.processes import families
    from bounds.symbolic.expressions import parse_expression
    from bounds.symbolic.integrals import TIME
    from verify.pages.process_sheet import process_facts

    pages = {}
    for key, family in families().items():
        examples = {name: each.example for name, each in family.coefficients.items() if each.default is None}
        made = family.make(**{name: parse_expression(text, TIME, name=f"process.{name}")
                              for name, text in examples.items()})
        facts = process_facts(made, examples)
        shown = ", ".join(f"{name} = {text}" for name, text in examples.items())
        about = (family.make.__doc__ or "").strip().splitlines()[0].split(": :math:")[0].rstrip(".")
        lines = [f"# `{key}`", f"{_plain(about)}.", f"Shown with {shown}." if shown else "",
                 f"```{{math}}\n{facts['latex']}\n```", "## Closed forms"]
        for entry in facts["closed_forms"].values():
            lines += [f"{entry['label']} ({entry['route']}):", f"```{{math}}\n{entry['latex']}\n```"]
        pages[f"processes/{key}.md"] = _page(lines)
    return pages


def catalogue_pages() -> dict[str, str]:
    """What ``sgm-bounds list`` prints: samplers, assumptions, bundled problems, symbols of formulas."""
    from verify.commands.list import everything, symbols

    found = everything()
    schemes = [(f"`{each['key']}`", "; ".join(each["parameters"]) or "–", each["source"]) for each in found["schemes"]]
    assumed = [(f"`{each['key']}`", ", ".join(each["constants"]), each["about"]) for each in found["assumptions"]]
    problems = [(f"`{each['name']}`", each["about"]) for each in found["problems"]]
    signs = [(f"`{each['symbol']}`", each["meaning"], each["scope"], each["of"], each["in"]) for each in symbols()]
    return {
        "samplers.md": _page(["# Samplers", "What `kind` of a `[scheme]` may be.",
                              _table(("kind", "parameters", "source"), schemes)]),
        "assumptions.md": _page(["# Assumptions", "What `assumption` of a `[data]` may be, where no law is given.",
                                 _table(("assumption", "constants", "meaning"), assumed)]),
        "problems.md": _page(["# Bundled problems", "Their names work in place of a file.",
                              _table(("name", "about"), problems)]),
        "symbols.md": _page(["# Symbols of formulas",
                             "What a formula of a claim or a sampler of one's own may contain; those of scope \"step\" have"
                             " a value for every step.", _table(("symbol", "meaning", "scope", "of", "in"), signs)]),
    }


def measured_pages() -> dict[str, str]:
    """The tables of tightness and of times, from the JSON that ``make tables`` and ``make bench`` write."""
    tightness = json.loads((HERE / "data" / "tightness.json").read_text(encoding="utf-8"))
    keys = sorted({key for row in tightness["rows"] for key in row["bounds"]})
    head = ("process", "data", "T, K", "exact W2", *(f"`{key}`" for key in keys))
    rows = []
    for row in tightness["rows"]:
        exact = (row["exact"][0] + row["exact"][1]) / 2
        shown = [f"{value:.4g} ({value / exact:.1f})" if (value := row["bounds"].get(key)) else "–" for key in keys]
        rows.append((row["process"], row["data"], f"{row['horizon']:g}, {row['steps']}", f"{exact:.4g}", *shown))
    times = json.loads((HERE / "data" / "benchmarks.json").read_text(encoding="utf-8"))
    machine = ", ".join(f"{key} {value}" for key, value in times["machine"].items())
    return {
        "tightness.md": _page([
            "# How tight?", "Euler–Maruyama on uniform grids; in brackets bound over exact W2. Written by `make tables`.",
            _table(head, rows)]),
        "benchmarks.md": _page([
            "# Benchmarks", f"Medians, written by `make bench`, on {machine}. The machine is shared: ratios say more than"
            " times.", _table(("work", "median"), [(name, f"{value:.3g}") for name, value in times["rows"].items()])]),
    }


def copied_pages() -> dict[str, str]:
    """What lies beside docs/ in the repository: how to contribute, what changed, the example of a theorem of one's own."""
    top, example = HERE.parent, HERE / "examples" / "own_theorem"
    shown = ["# A theorem in a repository of its own"]
    for path in sorted(example.iterdir()):
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            kind = {".py": "python", ".toml": "toml"}.get(path.suffix, "text")
            shown += [f"`{path.name}`", f"````{kind}\n{text.rstrip()}\n````"]
    contributing = (top / "CONTRIBUTING.md").read_text(encoding="utf-8").replace("](docs/", "](../")
    return {
        "contributing.md": contributing.replace("](tests/mutation/results.md", "](mutants.md"),
        "changelog.md": (top / "CHANGELOG.md").read_text(encoding="utf-8").replace("](docs/", "](../"),
        "mutants.md": (top / "tests" / "mutation" / "results.md").read_text(encoding="utf-8"),
        "own_theorem.md": _page(shown),
    }


def _page(lines) -> str:
    return "\n\n".join(line for line in lines if line) + "\n"


def _table(head, rows) -> str:
    cells = [tuple(_plain(str(cell)).replace("|", "\\|") for cell in row) for row in rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *cells])


def _plain(text: str) -> str:
    """Text in which Markdown sees no markup but code."""
    return re.sub(r"([*_<>\[\]])", r"\\\1", text)


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"
