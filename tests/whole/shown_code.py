"""The Python that the README, the documents and the notebooks show, and the public names in it."""

import ast
import json
import re
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: Modules that say in ``__all__`` what of them is public.
PUBLIC = ("bounds", "bounds.claim", "bounds.complexity.of_flow", "bounds.complexity.orders",
          "bounds.contraction.renormalised_score", "bounds.processes.cld", "bounds.schedules",
          "bounds.steps.phase_space.path", "bounds.theorems", "bounds.theorems.gaussian_lower_bound", "closed_form",
          "closed_form.sampler_laws.line.perturbed_score", "closed_form.sampler_laws.phase_space.score", "verify",
          "verify.experiments", "verify.lower_sides.sliced", "verify.pages.palette", "verify.pages.plots",
          "verify.strategies", "verify.studies.constants", "verify.studies.equal_effort",
          "verify.studies.learned_score", "verify.studies.lower_constants", "verify.studies.regimes",
          "verify.studies.schedules", "verify.testing")
PACKAGES = ("bounds", "closed_form", "verify")


def kept_pages() -> list[Path]:
    """The pages of docs/, without those that building the site makes."""
    return [path for path in sorted((ROOT / "docs").rglob("*.md")) if "generated" not in path.parts]


def shown_code() -> dict[str, str]:
    """Every block of Python and every notebook as a file of its own, by a name that can be imported."""
    found = {}
    for document in [ROOT / "README.md", *kept_pages()]:
        blocks = re.findall(r"```python\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL)
        for place, text in enumerate(blocks):
            named = re.match(r"# file: (\S+)\n", text)
            name = named[1] if named else f"{re.sub(r'[^a-z]', '_', document.stem.lower())}_{place}.py"
            assert name not in found, name
            found[name] = text
    for module in sorted((ROOT / "docs" / "examples").rglob("*.py")):
        found[module.name] = module.read_text(encoding="utf-8")
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        code = ("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
        found[f"notebook_{notebook.stem}.py"] = "\n\n".join(code)
    return found


def public_names() -> list[tuple[str, str]]:
    """(module, name) of every name in an ``__all__``, and of every other that the code shown imports."""
    found = {(module, name) for module in PUBLIC for name in import_module(module).__all__}
    for text in shown_code().values():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom) and node.module.startswith(PACKAGES):
                found |= {(node.module, alias.name) for alias in node.names}
    return sorted(found)


def hidden_imports(text: str) -> list[str]:
    """What code imports of the packages that no ``__all__`` of a public module offers, as "module.name"."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names
                      if alias.name.split(".")[0] in PACKAGES and alias.name not in PUBLIC]
        elif isinstance(node, ast.ImportFrom) and node.module.split(".")[0] in PACKAGES:
            offered = import_module(node.module).__all__ if node.module in PUBLIC else ()
            wanted = {alias.name: f"{node.module}.{alias.name}" for alias in node.names}
            found += [full for name, full in wanted.items() if name not in offered and full not in PUBLIC]
    return found
