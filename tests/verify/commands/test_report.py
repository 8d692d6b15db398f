"""The page of a problem: whole, self-contained, its numbers those of the certificate; and the sources it cites."""

import json
import re
from html.parser import HTMLParser

import pytest

from bounds.samplers import samplers
from bounds.theorems import theorems
from tests.command_line import answer, assert_refused, run
from verify.reports.sources import by_arxiv, entries, of_text

STRANGE = '<script>alert("x")</script>&{{ 7*7 }}'
PROBLEM = """# {strange}
[process]
family = "ou"
[data]
law = "mixture"
means = [[-1.0], [1.0]]
std = 0.7
[sampler]
P = "exp(F)"
Q = "2*sinh(F)"
noise = "exp(2*F) - 1"
source = '{strange}'
[scheme]
horizon = 2.0
steps = 6
"""
VOID = {"meta", "link", "br", "img", "input", "hr"}


class Page(HTMLParser):
    """What is in a page: elements by their tags, ids, addresses, numbers of the rows of verdicts."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.ids, self.addresses, self.rows, self.script = [], [], [], [], {}, ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        """Keep what a tag says."""
        said = dict(attributes)
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        self.ids += [said["id"]] if "id" in said else []
        self.addresses += [value for name, value in attributes if name in ("href", "src", "srcset", "action")]
        self.addresses += re.findall(r"url\(([^)]*)\)", said.get("style") or "")
        if "data-theorem" in said and tag == "tr":
            self.rows[said["data-theorem"]] = []
            self.row = self.rows[said["data-theorem"]]
        if tag == "data" and self.open[-2] == "td" and "value" in said and self.rows:
            self.row.append(float(said["value"]))
        assert not [name for name, _ in attributes if name.startswith("on")]

    def handle_endtag(self, tag):
        """Every element is closed in its place."""
        assert self.open.pop() == tag
        if tag == "table":
            self.row = []

    def handle_startendtag(self, tag, attributes):
        """An element of SVG that is closed at once."""
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_data(self, data):
        """The certificates."""
        if self.open and self.open[-1] == "script":
            self.script += data


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A page about a problem with the text of a stranger."""
    folder = tmp_path_factory.mktemp("report")
    problem, out = folder / "p.toml", folder / "p.html"
    problem.write_text(PROBLEM.format(strange=STRANGE))
    result = run("report", problem, "--out", out)
    assert result.exit_code == 0 and "wrote" in result.stdout
    return problem, out, out.read_text(encoding="utf-8")


def test_the_page_needs_nothing_else(made):
    """No address but those within the page and empty data, no script but the certificates, ids once each, below 3 MB."""
    page = Page(made[2])
    assert page.open == [] and len(page.ids) == len(set(page.ids)) > 10
    assert page.tags.count("script") == 1 and not {"iframe", "object", "embed", "img"} & set(page.tags)
    for address in page.addresses:
        assert address == "data:," or (address.strip("'\"")[1:] in page.ids and "#" in address), address
    assert len(made[2].encode()) < 3e6 and "prefers-color-scheme: dark" in made[2] and "@media print" in made[2]
    assert page.tags.count("svg") > 5


def test_its_numbers_are_the_certificate_s(made):
    """Bound, both sides of W2 and the ratio of every theorem, to the last digit, and the JSON in the page."""
    page, document = Page(made[2]), answer("certify", made[0])
    shown = json.loads(page.script)
    assert shown["certificates"] == document["certificates"]
    for each in document["certificates"]:
        expected = []
        if each["bound"]:
            measured = each["measured"]
            expected = [each["bound"]["total"], measured["lower"], measured["upper"], each["ratio"]]
        assert page.rows[each["theorem"]] == expected
    assert sum(map(bool, page.rows.values())) >= 2


def test_a_strangers_text_is_text(made):
    """What a problem file says never becomes a tag or a formula of the template."""
    assert "<script>alert" not in made[2] and "&lt;script&gt;alert" in made[2] and "{{ 7*7 }}" in made[2]


def test_what_cannot_be_done_is_refused(made, tmp_path):
    """Another ending, a page that exists, and constants alone: one line each."""
    problem, out, _ = made
    assert "--out must end in .html" in assert_refused(run("report", problem, "--out", tmp_path / "p.pdf"))
    assert "--force" in assert_refused(run("report", problem, "--out", out))


def test_every_source_has_an_entry():
    """Each paper that a theorem or a sampler names by its arXiv number is in the bibliography, once."""
    told = [each.source.arxiv or "" for each in theorems().values()]
    told += [each.source or "" for each in samplers().values()]
    for number in re.findall(r"\d{4}\.\d{5}", " ".join(told)):
        assert of_text(number), number
    assert len(by_arxiv()) == len(entries()) - 1
    assert all(text.count("{") == text.count("}") for text in entries().values())


def test_cite_names_what_was_used():
    """A problem's theorems, sampler and this package; one theorem alone; neither is refused."""
    found = run("cite", "two_modes").stdout
    assert {"@software{sgmbounds", "@misc{gentiloni2025"} <= {line.rstrip(",") for line in found.splitlines()}
    assert run("cite", "--theorem", "strasman2025-cld").stdout.startswith("@misc{strasman2025,")
    assert answer("cite", "--theorem", "martingale") == {"bibtex": [entries()["sgmbounds"]]}
    assert "cite needs a PROBLEM" in assert_refused(run("cite"))
