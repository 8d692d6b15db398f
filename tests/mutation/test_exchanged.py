"""Code exchanged in a process that has imported a module: every function it changes, and only those."""

import builtins
import importlib.util

import pytest

from tests.mutation.exchanged import MARK, exchange, functions_of, marked
from tests.mutation.operators import mutants, mutated

SOURCE = """
from functools import lru_cache

SIDE = 2 * 3


@lru_cache
def area(x):
    return x * x


def outer(x):
    def inner(y):
        return x + y
    return inner


class Box:
    @property
    def edge(self):
        return SIDE - 1
"""


@pytest.fixture
def box(tmp_path):
    """The module, imported, with a closure that lives on, and its mutants by what they change."""
    path = tmp_path / "box.py"
    path.write_text(SOURCE)
    spec = importlib.util.spec_from_file_location("box", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.made = module.outer(1)
    return module, {(each.before, each.after): each for each in mutants(tmp_path, path)}


@pytest.mark.parametrize(("change", "found"), [
    (("x * x", "x / x"), {"area": 1.0, "made": 5.0, "edge": 5}),
    (("x + y", "x - y"), {"area": 9.0, "made": -3.0, "edge": 5}),
    (("SIDE - 1", "SIDE + 1"), {"area": 9.0, "made": 5.0, "edge": 7}),
])
def test_living_functions_have_the_code_of_the_mutant(box, tmp_path, change, found):
    """A cached function, a closure made before and a property do what the mutant says, and no other does."""
    module, changes = box
    tree = mutated(SOURCE, changes[change].site)
    assert exchange(tmp_path / "box.py", tree, functions_of(tmp_path)) > 0
    assert found == {"area": module.area(3.0), "made": module.made(4.0), "edge": module.Box().edge}


def test_what_is_no_functions_code_is_left_to_the_other_way(box, tmp_path):
    """A value computed when a module is imported cannot be exchanged."""
    _, changes = box
    tree = mutated(SOURCE, changes["2 * 3", "2 / 3"].site)
    assert exchange(tmp_path / "box.py", tree, functions_of(tmp_path)) == 0


def test_marks_say_which_mutant_is_reached(box, tmp_path, monkeypatch):
    """A call reaches the mutants of the statements that it runs, and what it returns is as before."""
    module, changes = box
    named = {"area": changes["x * x", "x / x"], "inner": changes["x + y", "x - y"]}
    reached = []
    monkeypatch.setattr(builtins, MARK, reached.append, raising=False)
    tree = marked(SOURCE, {each.site: name for name, each in named.items()})
    assert exchange(tmp_path / "box.py", tree, functions_of(tmp_path)) > 0
    assert (module.area(3.0), reached) == (9.0, ["area"])
    assert (module.made(4.0), reached) == (5.0, ["area", "inner"])
