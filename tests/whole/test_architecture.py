"""The arrows between the packages, lazy imports, and house rules that a machine can check."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("bounds", "closed_form", "verify")
MODULES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))
ids = lambda path: str(path.relative_to(ROOT))  # noqa: E731


def imported(tree, package, *, top_only=False):
    """Absolute names of the modules a syntax tree imports."""
    nodes = tree.body if top_only else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                base = package.split(".")[: len(package.split(".")) - node.level + 1]
                yield ".".join([*base, node.module] if node.module else base)
            else:
                yield node.module


def parsed(path):
    relative = path.relative_to(ROOT)
    package = ".".join(relative.parent.parts)
    return ast.parse(path.read_text(encoding="utf-8")), package


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_claim_and_truth_share_only_the_question(path):
    """bounds imports neither closed_form nor verify; closed_form imports no theorem and no recursion."""
    tree, package = parsed(path)
    names = list(imported(tree, package))
    if package.startswith("bounds"):
        assert not [n for n in names if n.startswith(("closed_form", "verify", "scipy"))]
    if package.startswith("closed_form"):
        forbidden = ("verify", "bounds.theorem", "bounds.bound", "bounds.setting", "bounds.recursion.propagation")
        assert not [n for n in names if n.startswith(forbidden)]
        assert {n for n in names if n.startswith("bounds")} <= {
            "bounds.process", "bounds.sampler", "bounds.steps.affine", "bounds.assumptions", "bounds.steps.path",
        }  # fmt: skip


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_heavy_libraries_are_imported_lazily(path):
    """torch, matplotlib, POT, flint, rich and scipy.stats are never imported at the top of a module."""
    tree, package = parsed(path)
    heavy = ("torch", "matplotlib", "ot", "flint", "rich", "scipy.stats")
    tops = list(imported(tree, package, top_only=True))
    assert not [n for n in tops if n in heavy or n.startswith(tuple(h + "." for h in heavy))]


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_every_module_says_why_it_exists(path):
    """A module opens with a docstring of one sentence; public functions and classes have docstrings."""
    tree, _ = parsed(path)
    docstring = ast.get_docstring(tree)
    assert docstring and docstring.splitlines()[0].rstrip().endswith((".", "?"))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), node.name


@pytest.mark.parametrize("path", MODULES, ids=ids)
def test_the_library_does_not_print_or_evaluate(path):
    """No print, eval, exec or sympify of text in the packages: strangers' text never runs."""
    tree, _ = parsed(path)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in ("print", "eval", "exec"), node.lineno
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            assert node.func.attr not in ("parse_expr",), node.lineno


@pytest.mark.parametrize("path", TESTS, ids=ids)
def test_every_test_says_what_must_be_true(path):
    """Each test function has a docstring."""
    tree, _ = parsed(path)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            assert ast.get_docstring(node), f"{path.name}: {node.name}"


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


@pytest.mark.parametrize("path", [*MODULES, *sorted((ROOT / "tests").glob("*.py"))], ids=ids)
def test_constants_are_defined_once(path):
    """A second definition, of a tolerance say, would replace the first without a word."""
    tree, _ = parsed(path)
    names = [
        name.id
        for node in tree.body if isinstance(node, ast.Assign)
        for target in node.targets
        for name in ast.walk(target)
        if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store) and name.id.isupper()
    ]  # fmt: skip
    assert sorted(names) == sorted(set(names))
