"""Notebooks run from top to bottom, define nothing, and are stored without outputs."""

import ast
from pathlib import Path
from types import ModuleType

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from tests.quick_results import remember
from verify import experiments
from verify.studies import schedules

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


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
    """The notebook executes without an error, from a namespace and a pyplot in which nothing is."""
    shell.reset()
    plt.close("all")
    with np.errstate(**dict.fromkeys(("divide", "invalid", "over"), "warn")):  # as where nobody says
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "code":
                shell.run_cell(cell.source).raise_error()
    plt.close("all")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_clean(path):
    """No outputs are stored, and no function or class is defined: if one is needed, the package lacks it."""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            assert not cell.outputs
            nodes = ast.walk(ast.parse(cell.source))
            assert not [n for n in nodes if isinstance(n, ast.FunctionDef | ast.ClassDef)]
