"""The site is built without a warning, says what the code says, and the commands on its pages do what they say."""

import io
import json
import re
import shutil
from importlib.resources import files

import pytest

from bounds.theorems import theorems
from tests.benchmarks.tightness import questions
from tests.document_commands import ROOT, blocks_of, run_commands, write_files
from tests.whole.test_readme import README

PAGES = ("first-bound.md", "newcomer.md", "claims.md",
         *sorted(f"how-to/{path.name}" for path in (ROOT / "docs" / "how-to").glob("*.md")))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built site; warnings are errors.  Notebooks are executed by a test of their own."""
    from sphinx.application import Sphinx

    out, said = tmp_path_factory.mktemp("site"), io.StringIO()
    app = Sphinx(str(ROOT / "docs"), str(ROOT / "docs"), str(out), str(out / "doctrees"), "html",
                 confoverrides={"nb_execution_mode": "off"}, status=None, warning=said, warningiserror=True)
    app.build()
    assert app.statuscode == 0, said.getvalue()
    return out


@pytest.mark.filterwarnings("default")  # of Sphinx's own extensions; what Sphinx warns of is an error all the same
def test_every_theorem_has_a_page_with_its_formulas(site):
    """The page of a theorem holds a formula of MathML for each that it states, and its hypotheses."""
    for key, theorem in theorems().items():
        page = (site / "generated" / "theorems" / f"{key}.html").read_text(encoding="utf-8")
        assert page.count("<math ") >= len(theorem.stated) + 1
        assert all(f"<p>{condition.name}" in page for condition in theorem.conditions), key


@pytest.mark.filterwarnings("default")
def test_nothing_is_loaded_from_elsewhere(site):
    """No page asks for a script, a style or a picture from the network."""
    for path in site.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.findall(r"<(?:script|img|link)[^>]*(?:src|href)=\"https?://", text), path.name


@pytest.mark.filterwarnings("default")
def test_the_reference_holds_every_public_name(site):
    """Each public name of the packages is in the Python reference."""
    import bounds
    import closed_form
    import verify

    page = (site / "api.html").read_text(encoding="utf-8")
    for package in (bounds, closed_form, verify):
        for name in package.__all__:
            assert f'id="{package.__name__}.{name}"' in page, name


def test_the_kept_table_of_tightness_is_that_of_the_readme():
    """docs/data/tightness.json holds the README's rows, with its digits, for the questions it is made from."""
    rows = {row["data"]: row for row in json.loads((ROOT / "docs/data/tightness.json").read_text(encoding="utf-8"))["rows"]}
    assert set(rows) == set(questions())
    for data, row in rows.items():
        (line,) = [line for line in README.splitlines() if line.startswith("|") and f"| {data} |" in line]
        exact, plain = (float(cell) for cell in line.split("|")[4:6])
        assert row["exact"][0] <= row["exact"][1]
        assert sum(row["exact"]) / 2 == pytest.approx(exact, rel=5e-4)
        assert row["bounds"]["martingale"] == pytest.approx(plain, rel=5e-4)


@pytest.mark.parametrize("page", PAGES)
def test_commands_of_a_page_do_what_it_says(page, tmp_path, monkeypatch):
    """Every command shown runs on the files shown, prints the lines below it, and ends with 0."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(str(files("verify.problems") / "old_faithful.csv"), tmp_path / "faithful.csv")
    blocks = blocks_of(page)
    write_files(blocks, tmp_path)
    assert run_commands(blocks) >= 1


def test_the_python_of_the_first_page_runs():
    """The example in Python holds its own assertions."""
    (code,) = [text for language, text in blocks_of("first-bound.md") if language == "python"]
    exec(compile(code, "first-bound.md", "exec"), {})  # our own page, not a stranger's
