"""What the docstring of a public name says: every argument, what is refused, and where a formula is from."""

import inspect
import re
from enum import Enum
from importlib import import_module

import pytest

from tests.whole.shown_code import PACKAGES, PUBLIC, public_names

NAMES = [(module, name) for module, name in public_names()
         if module in PUBLIC and not inspect.ismodule(getattr(import_module(module), name))]


def public_of(package):
    """(Name, object, docstring) of what a package offers in public, in its modules too."""
    for module, name in NAMES:
        if module.split(".")[0] == package:
            found = getattr(import_module(module), name)
            yield f"{module}.{name}", found, inspect.getdoc(found) or ""


@pytest.mark.parametrize("package", PACKAGES)
def test_every_argument_is_described(package):
    """The docstring names every argument of a function, and every field of a class."""
    for where, found, docstring in public_of(package):
        assert docstring, where
        if isinstance(found, type) and issubclass(found, Exception | Enum):
            continue
        for argument in inspect.signature(found).parameters:
            assert re.search(rf"\b{argument}\b", docstring), f"{where}: {argument}"


@pytest.mark.parametrize("package", PACKAGES)
def test_errors_are_named(package):
    """What takes arguments says which errors it raises, or whose they are, unless it only records results."""
    for where, found, docstring in public_of(package):
        records = "Attributes\n" in docstring and "Parameters\n" not in docstring
        if not isinstance(found, type) and inspect.signature(found).parameters and not records:
            assert re.search(r"^Raises$|\w+Error|[Ee]rrors", docstring, re.MULTILINE), where


@pytest.mark.parametrize("package", ["bounds", "closed_form"])
def test_mathematics_has_a_source(package):
    """A process, an assumption and a distance say where they are from: a paper, a section, or a classic rule."""
    homes = ("bounds.processes", "bounds.assumptions", "closed_form.distances", "closed_form.sampler_laws",
             "closed_form.posteriors")
    for where, found, docstring in public_of(package):
        if found.__module__.startswith(homes):
            said = docstring + inspect.getmodule(found).__doc__
            assert re.search(r"arXiv|docs/theory\.md|et al\.|optimal transport", said), where
