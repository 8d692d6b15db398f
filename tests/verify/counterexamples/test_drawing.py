"""What a seed draws stays what it was, whatever samplers are registered later; those are drawn by name."""

import hashlib

import numpy as np
import pytest

from bounds.samplers import samplers
from bounds.theorems import theorems
from verify.counterexamples import drawing
from verify.counterexamples.drawing import NumpyDraw, problem
from verify.counterexamples.moving import moved, numbers_of
from verify.counterexamples.search import examine
from verify.counterexamples.shrinking import shrunk
from verify.counterexamples.tables import changes, draw_tables
from verify.problems.problem import read_problem

#: Digests of the problems of the first seeds, so many, recorded before samplers could be added; of "ode" when it
#: was.
DRAWN = {("one-block", 80): "f7bf0d349001db41", ("cld", 80): "e28eac3aab04bf99", ("ode", 80): "320635fde0997b65",
         ("one-block", 200): "f1a32018b3bf2589", ("cld", 200): "cfe1b8a1198d48b6", ("ode", 200): "e18d289bfe73d5d9"}


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


def digest(process, seeds):
    """One short word for the problems of the first seeds."""
    found = hashlib.sha256()
    for seed in range(seeds):
        found.update(repr(facts(drawn(seed, process=process))).encode())
    return found.hexdigest()[:16]


@pytest.mark.parametrize(("process", "seeds"), [
    pytest.param(*each, marks=[pytest.mark.deep] if each[1] > 80 else []) for each in DRAWN])
def test_a_new_sampler_leaves_old_draws_as_they_were(process, seeds, monkeypatch):
    """With two more samplers registered, first and last, eighty seeds, and two hundred, draw the problems they
    drew."""
    known, added = samplers(), samplers()["euler-maruyama"]
    monkeypatch.setattr(drawing, "samplers", lambda: {"a-newcomer": added, **known, "newcomer": added})
    assert digest(process, seeds) == DRAWN[process, seeds]


@pytest.mark.parametrize("process", drawing.PROCESSES)
def test_a_sampler_is_drawn_by_name(process):
    """A sampler asked for replaces the one drawn, and nothing else of the problem changes."""
    for seed in range(30):
        plain, chosen = drawn(seed, process=process), drawn(seed, process=process, sampler="exponential")
        assert facts(chosen) == (*facts(plain)[:-1], "exponential")


def test_every_registered_sampler_holds():
    """Every sampler that has a theorem, one registered later too, is examined by name on the processes it has a form
    for."""
    for sampler in (key for key, each in samplers().items() if each.multistep is None):
        found = []
        for process in drawing.PROCESSES:
            try:
                found += examine(1, "gaussian", 12, process, sampler)
            except ValueError as error:
                assert "must be one of" in str(error)
        assert found and {finding.verdict for finding in found} == {"HOLDS"}
        assert all(f" {sampler} " in finding.description for finding in found)


def test_noise_free_draws_cover_what_they_should():
    """Drawn problems without noise: every such sampler, the families given by noise levels, ρ-grids, and
    priors of three kinds."""
    found = [drawn(seed, kind="gaussian", process="ode", most_steps=20) for seed in range(70)]
    assert {q.scheme.key for q in found} == {
        "ode-euler", "ode-exponential", "ddim", "heun", "heun-t", "midpoint", "dpm-solver-2"}
    assert {"edm", "flow-matching", "vp", "ve"} <= {q.process.name for q in found}
    assert {q.scheme.grid.kind for q in found} == {"uniform", "geometric", "list", "rho"}
    priors = {(q.scheme.prior_std is None, q.scheme.prior_spread > 0) for q in found}
    assert priors == {(True, False), (False, False), (True, True)}


def test_noise_free_search_holds():
    """On drawn problems without noise the flow bound holds, and no other upper bound applies."""
    found = [each for seed in range(12) for each in examine(seed, "gaussian", 12, "ode")]
    assert {each.theorem for each in found} == {"flow", "gaussian-lower-bound"}
    assert {each.verdict for each in found} == {"HOLDS"}


def test_a_hunt_meets_grids_of_levels():
    """A hunt for the flow draws ρ-grids and wide priors that are problems, can be moved, and shrink."""
    domain, rng = theorems()["flow"].domain, NumpyDraw(np.random.default_rng(5))
    tables = [draw_tables(rng, domain, 20) for _ in range(60)]
    levels = [each for each in tables if each["scheme"].get("grid") == "rho"]
    assert len(levels) >= 8 and any(each["scheme"].get("prior") == "spread" for each in tables)
    for each in levels:
        assert read_problem(each).scheme.grid.kind == "rho"
        numbers = numbers_of(each, 50)
        other = moved(each, numbers, [np.log(1.5 * number.value) for number in numbers])
        made, before = read_problem(other).scheme.grid.made, each["scheme"]
        assert made["sigma_max"] == pytest.approx(1.5 * before["sigma_max"], rel=1e-3)
        assert made["steps"] >= before["steps"]
        assert changes(each)
    steps = [each["scheme"]["steps"] for each in levels]
    assert max(steps) > 1
    small = shrunk(levels[int(np.argmax(steps))], lambda tables: "sigma_max" in tables["scheme"])
    assert small["scheme"]["steps"] == 1 and small["scheme"]["sigma_max"] == 1.0


def test_an_unknown_sampler_is_refused():
    """A sampler that nobody registered is refused by name."""
    with pytest.raises(ValueError, match=r"sampler must be one of .*, got 'newcomer'"):
        drawn(0, sampler="newcomer")
