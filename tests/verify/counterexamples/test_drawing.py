"""What a seed draws stays what it was, whatever samplers are registered later; those are drawn by name."""

import hashlib

import numpy as np
import pytest

from bounds.samplers import samplers
from verify.counterexamples import drawing
from verify.counterexamples.drawing import NumpyDraw, problem
from verify.counterexamples.search import examine

#: Digests of the problems of seeds 0 to 199, recorded before samplers could be added.
DRAWN = {"one-block": "f1a32018b3bf2589", "cld": "cfe1b8a1198d48b6"}


def drawn(seed, **options):
    return problem(NumpyDraw(np.random.default_rng(seed)), **options)


def facts(question):
    """Words and numbers that tell a problem from others, its sampler last."""
    grid, law = question.scheme.grid, question.law
    numbers = (
        grid.horizon, grid.early_stop, float(grid.times.sum()), law.second_moment, law.mean_norm,
        question.score_error,
        question.score_noise, question.scheme.prior_std or 0.0,
    )
    words = (
        question.process.name,
        str(question.process.parameters),
        grid.kind,
        grid.steps,
        type(law).__name__,
        law.dim,
    )
    return (*words, *(f"{number:.6e}" for number in numbers), question.scheme.key)


def digest(process):
    """One short word for the problems of the first two hundred seeds."""
    found = hashlib.sha256()
    for seed in range(200):
        found.update(repr(facts(drawn(seed, process=process))).encode())
    return found.hexdigest()[:16]


@pytest.mark.parametrize("process", DRAWN)
def test_a_new_sampler_leaves_old_draws_as_they_were(process, monkeypatch):
    """With two more samplers registered, first and last, two hundred seeds draw the problems they drew."""
    known, added = samplers(), samplers()["euler-maruyama"]
    monkeypatch.setattr(drawing, "samplers", lambda: {"a-newcomer": added, **known, "newcomer": added})
    assert digest(process) == DRAWN[process]


@pytest.mark.parametrize("process", DRAWN)
def test_a_sampler_is_drawn_by_name(process):
    """A sampler asked for replaces the one drawn, and nothing else of the problem changes."""
    for seed in range(30):
        plain, chosen = drawn(seed, process=process), drawn(seed, process=process, sampler="exponential")
        assert facts(chosen) == (*facts(plain)[:-1], "exponential")


def test_every_registered_sampler_holds():
    """Every sampler, one registered later too, is examined by name on the processes it has a form for."""
    for sampler in samplers():
        found = []
        for process in drawing.PROCESSES:
            try:
                found += [f for seed in range(2) for f in examine(seed, "gaussian", 20, process, sampler)]
            except ValueError as error:
                assert "must be one of" in str(error)
        assert found and {finding.verdict for finding in found} == {"HOLDS"}
        assert all(f" {sampler} " in finding.description for finding in found)


def test_an_unknown_sampler_is_refused():
    """A sampler that nobody registered is refused by name."""
    with pytest.raises(ValueError, match=r"sampler must be one of .*, got 'newcomer'"):
        drawn(0, sampler="newcomer")
