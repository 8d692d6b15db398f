"""Notebooks run from top to bottom, draw, assert what they say, and use and define nothing that is not public."""

import ast
import re
from pathlib import Path
from types import ModuleType

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from tests.quick_results import remember
from tests.torch_required import require_torch
from tests.whole.shown_code import hidden_imports
from verify import experiments
from verify.studies import schedules

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
#: Notebooks that train a network.
OF_NETWORKS = ("from_network_to_verdict", "score_errors")


@pytest.fixture(scope="module")
def shell(shared_folder):
    """What a kernel runs cells with, in this process, where all is imported; what a test has run already it takes
    from there."""
    with pytest.MonkeyPatch.context() as patch:
        for module, name in ((experiments, "experiments"), (schedules, "compare")):
            patch.setattr(module, name, getattr(module, name))  # so that it is put back
        remember(str(shared_folder))
        config = Config({"HistoryManager": {"enabled": False}})
        yield InteractiveShell(config=config, user_module=ModuleType("notebook_shell"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
@pytest.mark.filterwarnings("default")  # other libraries', not ours
def test_notebook_runs(path, shell):
    """The notebook executes without an error, from a namespace and a pyplot in which nothing is, and draws."""
    if path.stem in OF_NETWORKS:
        require_torch()
    shell.reset()
    plt.close("all")
    with np.errstate(**dict.fromkeys(("divide", "invalid", "over"), "warn")):  # as where nobody says
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "code":
                shell.run_cell(cell.source).raise_error()
    assert any(ax.has_data() for number in plt.get_fignums() for ax in plt.figure(number).axes)
    plt.close("all")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_clean(path):
    """No outputs are stored, and no function or class is defined: if one is needed, the package lacks it."""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            assert not cell.outputs
            nodes = ast.walk(ast.parse(cell.source))
            assert not [n for n in nodes if isinstance(n, ast.FunctionDef | ast.ClassDef)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_imports_public_names(path):
    """What the notebook imports of the packages is in the ``__all__`` of a public module."""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            assert hidden_imports(cell.source) == []


def test_a_hidden_import_is_named():
    """A name that no public module offers is found, whichever way it is imported."""
    assert hidden_imports("from bounds.recursion.stepwise import stepwise_bound\nimport verify.cli, bounds") == [
        "bounds.recursion.stepwise.stepwise_bound", "verify.cli"]
    assert hidden_imports("from bounds import claim, ou\nfrom bounds.claim import load\nimport numpy") == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_asserts_what_it_says(path):
    """The last cell of code holds two assertions or more, and in them two numbers or more that the text says."""
    cells = nbformat.read(path, as_version=4).cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    said = {float(number) for number in re.findall(r"\d+(?:\.\d+)?", text.replace(",", ""))}
    last = [cell.source for cell in cells if cell.cell_type == "code"][-1]
    asserts = [node for node in ast.walk(ast.parse(last)) if isinstance(node, ast.Assert)]
    held = {node.value for node in ast.walk(ast.parse(last)) if isinstance(node, ast.Constant)
            and type(node.value) in (int, float)}
    assert len(asserts) >= 2 and len(held & said) >= 2, (len(asserts), sorted(held & said))
