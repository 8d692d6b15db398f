"""The arrows between the packages, lazy imports, and house rules that a machine can check."""

import ast
import re
import subprocess
import sys
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("bounds", "closed_form", "verify")
MODULES_OF = {package: sorted((ROOT / package).rglob("*.py")) for package in PACKAGES}
MODULES = [path for package in PACKAGES for path in MODULES_OF[package]]
FOLDERS = sorted({path.parent for path in MODULES})
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))
#: What closed_form may know of bounds: the question, never an answer to it, and how a loop is compiled.
QUESTION = {
    "annotations", "argument", "value",
    "process", "processes", "schedules", "assumption", "assumptions", "facts", "grid", "sampler", "samplers",
    "score_error", "start", "steps",
    "symbolic", "registry", "compiled",
}
#: What of `bounds.steps` computes: closed_form has its own.
ANSWERS = {f"bounds.steps.{name}" for name
           in ("path", "table", "pieces", "panels", "kinks", "analytic_panels")}
#: A file name that starts so says which folder it belongs in; these two are things.
PREFIXES = ("phase_", "cli_", "problem_", "line_")
NOUNS = {"line_mixture", "phase_space"}
#: The files of a folder that a reader still takes in at a glance.
MOST_FILES = 20
ids = lambda path: str(path.relative_to(ROOT))  # noqa: E731


def module_name(path):
    """Dotted name of the module in a file."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {module_name(path): path for path in MODULES}


def imported(tree, *, top_only=False):
    """Absolute names of the modules a syntax tree imports, wherever in it."""
    for node in tree.body if top_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"line {node.lineno}: imports are absolute"
            whole = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in NAMES else node.module for name in whole)


@cache
def parsed(path):
    """Syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("package", PACKAGES)
def test_claim_and_truth_share_only_the_question(package):
    """bounds imports none of closed_form, verify and scipy; closed_form imports of bounds the question
    only."""
    for path in MODULES_OF[package]:
        names = set(imported(parsed(path)))
        roots = {name.split(".")[0] for name in names}
        if package == "bounds":
            assert not roots & {"closed_form", "verify", "scipy"}, ids(path)
        if package == "closed_form":
            assert "verify" not in roots, ids(path)
            seen = {name.split(".")[1] for name in names if name.startswith("bounds.")}
            assert seen <= QUESTION and "bounds" not in names, ids(path)
            assert not names & ANSWERS, ids(path)


def test_no_module_imports_itself_in_the_end():
    """Imports make no cycle, those inside functions included."""
    graph = {name: set(imported(parsed(path))) & set(NAMES) - {name} for name, path in NAMES.items()}
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the cycle


@pytest.mark.parametrize("folder", FOLDERS, ids=ids)
def test_a_folder_is_taken_in_at_a_glance(folder):
    """No folder holds more files than a reader takes in, nor a file whose name says that a folder is
    missing."""
    stems = {path.stem for path in folder.glob("*.py")}
    assert len(stems) <= MOST_FILES
    assert not [stem for stem in stems - NOUNS if stem.startswith(PREFIXES)]


@pytest.mark.parametrize("folder", FOLDERS, ids=ids)
def test_a_folder_says_in_one_sentence_what_is_in_it(folder):
    """The docstring of ``__init__`` is one sentence."""
    docstring = " ".join(ast.get_docstring(parsed(folder / "__init__.py")).split())
    assert docstring.endswith((".", "?"))
    assert not re.search(r"[.?!] +[A-Z]", docstring), docstring


@pytest.mark.parametrize("package", PACKAGES)
def test_heavy_libraries_are_imported_lazily(package):
    """torch, matplotlib, POT, flint, rich and scipy.stats are never imported at the top of a module."""
    heavy = ("torch", "matplotlib", "ot", "flint", "rich", "scipy.stats")
    for path in MODULES_OF[package]:
        tops = list(imported(parsed(path), top_only=True))
        assert not [n for n in tops if n in heavy or n.startswith(tuple(h + "." for h in heavy))], ids(path)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_says_why_it_exists(package):
    """A module opens with a docstring of one sentence; public functions and classes have docstrings."""
    for path in MODULES_OF[package]:
        tree = parsed(path)
        docstring = ast.get_docstring(tree)
        assert docstring and docstring.split("\n\n")[0].rstrip().endswith((".", "?")), ids(path)
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                assert ast.get_docstring(node), f"{ids(path)}: {node.name}"


@pytest.mark.parametrize("package", PACKAGES)
def test_the_library_does_not_print_or_evaluate(package):
    """No print, eval, exec or sympify of text in the packages: strangers' text never runs."""
    for path in MODULES_OF[package]:
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("print", "eval", "exec"), f"{ids(path)}:{node.lineno}"
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                assert node.func.attr not in ("parse_expr",), f"{ids(path)}:{node.lineno}"


def test_every_test_says_what_must_be_true():
    """Each test function has a docstring."""
    for path in TESTS:
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                assert ast.get_docstring(node), f"{ids(path)}: {node.name}"


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_a_package_costs_nothing(package):
    """`import bounds` and friends load neither numpy nor sympy: names resolve on first use."""
    code = f"import sys, {package}; sys.exit(any(m in sys.modules for m in ('numpy', 'sympy', 'scipy')))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize("package", PACKAGES)
def test_public_names_resolve(package):
    """Every name a package offers can be imported from it, and others are refused."""
    module = __import__(package)
    for name in module.__all__:
        assert getattr(module, name) is not None
    with pytest.raises(AttributeError):
        module.no_such_name  # noqa: B018


def test_no_public_name_is_also_a_module():
    """A lazy name that is a submodule's would become that submodule once it is imported."""
    for package in PACKAGES:
        names = set(__import__(package).__all__)
        modules = {path.stem for path in (ROOT / package).iterdir() if path.suffix == ".py" or path.is_dir()}
        assert not names & modules


def test_constants_are_defined_once():
    """A second definition, of a tolerance say, would replace the first without a word."""
    for path in [*MODULES, *(ROOT / "tests").glob("*.py")]:
        names = [
            name.id
            for node in parsed(path).body if isinstance(node, ast.Assign)
            for target in node.targets
            for name in ast.walk(target)
            if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store) and name.id.isupper()
        ]
        assert sorted(names) == sorted(set(names)), ids(path)


def test_a_law_answers_for_itself():
    """Outside the laws' own folder hardly any line asks which of them it has."""
    laws = {"Gaussian", "GaussianMixture", "Funnel"}
    asked = [
        f"{ids(path)}:{node.lineno}"
        for path in MODULES if path.parent != ROOT / "closed_form" / "laws"
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "isinstance"
        and laws & {name.id for name in ast.walk(node.args[1]) if isinstance(name, ast.Name)}
    ]
    assert len(asked) <= 3, asked
