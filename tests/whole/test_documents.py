"""What the documents name is there: modules, files and commands."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.whole.shown_code import kept_pages

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *kept_pages()]
ids = lambda path: str(path.relative_to(ROOT))  # noqa: E731


def prose(path):
    """A document without its blocks of code, which have tests of their own."""
    return re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)


@pytest.mark.parametrize("path", DOCUMENTS, ids=ids)
def test_named_modules_are_there(path):
    """A dotted name in the text is a module, or something in one."""
    for name in re.findall(r"`((?:bounds|closed_form|verify)(?:\.\w+)+)", prose(path)):
        module, _, member = name.rpartition(".")
        found = (
            find_spec(name)
            if find_spec(module) and hasattr(__import__(module, fromlist=["_"]), "__path__")
            else None
        )
        assert found or hasattr(__import__(module, fromlist=[member]), member), name


@pytest.mark.parametrize("path", DOCUMENTS, ids=ids)
def test_named_files_are_there(path):
    """A path in the text, from the top of the repository, exists, but for the new files that templates stand
    for."""
    templates = {template.name for template in (ROOT / "tests" / "units").rglob("*.py")}
    for name in re.findall(r"`((?:bounds|closed_form|verify|tests|docs)/[\w/.]+)`", prose(path)):
        assert (ROOT / name).exists() or Path(name).name in templates, name


@pytest.mark.parametrize("path", DOCUMENTS, ids=ids)
def test_links_lead_somewhere(path):
    """A relative link leads to a file, and one within the file to a heading."""
    text = path.read_text(encoding="utf-8")
    titles = (line.lstrip("# ").lower() for line in text.splitlines() if line.startswith("#"))
    headings = {re.sub(r"[^\w -]", "", title).replace(" ", "-") for title in titles}
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
        if target.startswith("#"):
            assert target[1:] in headings, target
        elif "://" not in target:
            assert (path.parent / target.split("#")[0]).exists(), target
