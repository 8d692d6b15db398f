"""What the docstring of a public name says: every argument, what is refused, and where a formula is from."""

import inspect
import re
from enum import Enum
from importlib import import_module

import pytest

from tests.whole.shown_code import PUBLIC, public_names

NAMES = [(module, name) for module, name in public_names()
         if module in PUBLIC and not inspect.ismodule(getattr(import_module(module), name))]


def docstring_of(module, name):
    """The public object and its docstring."""
    found = getattr(import_module(module), name)
    return found, inspect.getdoc(found) or ""


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_every_argument_is_described(module, name):
    """The docstring names every argument of a function, and every field of a class."""
    found, docstring = docstring_of(module, name)
    assert docstring
    if isinstance(found, type) and issubclass(found, Exception | Enum):
        return
    for argument in inspect.signature(found).parameters:
        assert re.search(rf"\b{argument}\b", docstring), argument


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_errors_are_named(module, name):
    """What takes arguments says which errors it raises, or whose they are, unless it only records results."""
    found, docstring = docstring_of(module, name)
    records = "Attributes\n" in docstring and "Parameters\n" not in docstring
    if not isinstance(found, type) and inspect.signature(found).parameters and not records:
        assert re.search(r"^Raises$|\w+Error|[Ee]rrors", docstring, re.MULTILINE)


@pytest.mark.parametrize(("module", "name"), [each for each in NAMES if each[0] in ("bounds", "closed_form")])
def test_mathematics_has_a_source(module, name):
    """A process, an assumption and a distance say where they are from: a paper, a section, or a classic rule."""
    found, docstring = docstring_of(module, name)
    home = found.__module__
    if home.startswith(("bounds.processes", "bounds.assumptions", "closed_form.distances", "closed_form.sampler_laws",
                        "closed_form.posteriors")):
        assert re.search(r"arXiv|docs/theory\.md|et al\.|optimal transport", docstring + inspect.getmodule(found).__doc__)
