"""Notebooks run from top to bottom, define nothing, and are stored without outputs."""

import ast
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
@pytest.mark.filterwarnings("default")  # the kernel's own libraries, not ours
def test_notebook_runs(path, monkeypatch):
    """The notebook executes without an error."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("MPLBACKEND", "agg")
    NotebookClient(nbformat.read(path, as_version=4), timeout=300, kernel_name="python3").execute()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_clean(path):
    """No outputs are stored, and no function or class is defined: if one is needed, the package lacks it."""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            assert not cell.outputs
            nodes = ast.walk(ast.parse(cell.source))
            assert not [n for n in nodes if isinstance(n, ast.FunctionDef | ast.ClassDef)]
