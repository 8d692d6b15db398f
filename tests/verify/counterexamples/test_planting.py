"""Planted mistakes: which of them problems catch, and what descents find besides."""

from types import SimpleNamespace

import pytest

from bounds.theorems import theorems
from closed_form import Bracket
from verify.certificates.certificate import Verdict
from verify.counterexamples.planting import Planting
from verify.testing import check


class _Fixed:
    """A theorem whose bound, corrupted, is a number, or none where it is a question that it cannot take."""

    def __init__(self, kind, total):
        self.kind, self.stated, self._total = kind, {"term": None}, total

    def corrupted(self, name, factor):
        """The same whatever the mistake."""
        return self

    def bound(self, setting):
        """Of the setting "unusable" an error."""
        if setting == "unusable":
            raise ValueError("no number")
        return SimpleNamespace(total=self._total)


@pytest.mark.parametrize(("kind", "total", "caught"), [
    ("upper", 0.99, "1/2"), ("upper", 1.01, None), ("lower", 2.01, "2"), ("lower", 1.99, None)])
def test_what_would_be_caught(kind, total, caught):
    """A planted mistake is caught where the bound passes the far side of the exact W2, here in [1, 2], and
    only there; a problem that the mistake makes unusable says nothing."""
    certificate = SimpleNamespace(measured=Bracket(1.0, 2.0, "by hand"), verdict=Verdict.HOLDS, ratio=1.0)
    held = [(SimpleNamespace(setting=name), certificate) for name in ("unusable", "usable")]
    assert Planting(_Fixed(kind, total), held).caught() == {"term": caught}
    assert Planting(_Fixed(kind, total), held[:1]).caught() == {"term": None}


@pytest.mark.deep
def test_descents_catch_more():
    """Of Theorem G, whose score and √h terms others outweigh in most problems, descents catch a halved score
    term and N(0, I) a missing √h term; without them less is caught."""
    theorem = theorems()["gao2025-general-sde"]
    found, plain = check(theorem, problems=60), check(theorem, problems=60, seek=False)
    assert found.caught["score"] == "1/2" != plain.caught["score"]
    assert found.caught["discretisation"] is not None
    assert found.applied == plain.applied == 60
