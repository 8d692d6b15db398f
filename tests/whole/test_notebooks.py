"""Notebooks run from top to bottom, define nothing, and are stored without outputs."""

import ast
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def client(shared_folder):
    """A kernel for all notebooks, which takes long to start; what a test has run already it takes from
    there."""
    remember = f"from tests.quick_results import remember\nremember({str(shared_folder)!r})"
    first = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(remember)])
    client = NotebookClient(first, timeout=300, kernel_name="python3")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv("MPLBACKEND", "agg")
        with client.setup_kernel():
            client.execute(cleanup_kc=False)
            yield client


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
@pytest.mark.filterwarnings("default")  # the kernel's own libraries, not ours
def test_notebook_runs(path, client):
    """The notebook executes without an error, from a namespace and a pyplot in which nothing is."""
    client.nb = nbformat.read(path, as_version=4)
    clean = "%reset -f\nimport matplotlib.pyplot\nmatplotlib.pyplot.close('all')\n%reset -f"
    client.nb.cells.insert(0, nbformat.v4.new_code_cell(clean))
    client.execute(cleanup_kc=False)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_clean(path):
    """No outputs are stored, and no function or class is defined: if one is needed, the package lacks it."""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            assert not cell.outputs
            nodes = ast.walk(ast.parse(cell.source))
            assert not [n for n in nodes if isinstance(n, ast.FunctionDef | ast.ClassDef)]
