"""The search for counterexamples finds none, and its looseness stays where it was; a planted one is found."""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from tolerances import INSIDE_BRACKET

from bounds.theorem import theorems
from verify import search as searching
from verify.search import as_rows, examine, search, summary

#: Largest median of bound/exact over random problems, for the sharpest applicable theorem.
MEDIAN_CEILING = {"Gaussian": 1.5, "GaussianMixture": 3.0}


def check(findings, least):
    """No violation, enough problems, and median looseness below the ceilings.

    A bound may lie inside the bracket of the truth only where the two agree to the bracket's width.
    """
    assert not [finding for finding in findings if finding.verdict == "VIOLATED"]
    undecided = [finding for finding in findings if finding.verdict == "INCONCLUSIVE"]
    assert len(undecided) <= 1e-3 * len(findings)
    assert all(finding.lower <= finding.bound and abs(finding.ratio - 1) <= INSIDE_BRACKET for finding in undecided)
    assert len({(finding.kind, finding.seed) for finding in findings}) >= least
    for kind, ceiling in MEDIAN_CEILING.items():
        ratios = [f.ratio for f in findings if f.kind == kind and f.theorem == "martingale" and f.information == "all"]
        assert np.median(ratios) <= ceiling


def test_three_hundred_random_problems(record_property):
    """On 300 random admissible problems every applicable theorem holds; the ratios are printed at the end."""
    gaussian = search(range(220), kind="gaussian", most_steps=1000)
    mixtures = search(range(80), kind="mixture", most_steps=60)
    found = gaussian + mixtures
    record_property("summary", summary(found))
    check(found, 295)


@pytest.mark.deep
def test_twenty_thousand_random_problems():
    """On 16,000 Gaussian and at least 5,000 mixture problems, drawn at random, every applicable theorem holds."""
    found = []
    with ProcessPoolExecutor(2) as pool:
        for kind, seeds, most_steps in (("gaussian", range(16_000), 4000), ("mixture", range(5_500), 600)):
            part = search(seeds, pool, kind=kind, most_steps=most_steps)
            print(f"\n{kind}: {len({f.seed for f in part})} problems\n{summary(part)}", flush=True)
            print(*[f for f in part if f.verdict != "HOLDS"], sep="\n", flush=True)
            found += part
    check(found, 21_000)
    assert len({finding.seed for finding in found if finding.kind == "GaussianMixture"}) >= 5_000


def test_a_planted_error_is_found(monkeypatch):
    """With the missed noise of the martingale theorem quartered, the search finds violations."""
    broken = theorems()["martingale"].corrupted("variance_known", 0.25)
    monkeypatch.setattr(searching, "theorems", lambda: {"martingale": broken})
    found = search(range(40), kind="gaussian", most_steps=300)
    assert any(finding.verdict == "VIOLATED" for finding in found)


@pytest.mark.parametrize("seed", [3950, 6690, 9703])
def test_rounding_once_mistaken_for_proof(seed):
    """Exact W2 of 1e-11, or P − Q/V all but cancelling: every theorem holds, also against the sampler's own rounding."""
    found = examine(seed, "gaussian", 1500)
    assert {finding.verdict for finding in found} == {"HOLDS"}


def test_results_do_not_depend_on_the_executor():
    """The same seeds give the same findings in this process and in a pool."""
    with ProcessPoolExecutor(2) as pool:
        options = {"kind": "gaussian", "most_steps": 50}
        assert search(range(4), pool, **options) == search(range(4), **options)


def test_progress_and_rows():
    """Progress is reported problem by problem, and findings become plain rows."""
    seen = []
    found = search(range(3), progress=seen.append, kind="gaussian", most_steps=20)
    assert seen == [1, 2, 3]
    assert all(isinstance(row["ratio"], float) for row in as_rows(found))
    assert replace(found[0]) == examine(0, "gaussian", 20)[0]
