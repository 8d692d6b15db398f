"""What a sweep's file asks: cells in order, keys that follow what they are of, and refusals in one line."""

import pytest

from verify.problems.section import ProblemError
from verify.sweeps.asking import load_sweep, read_sweep

OU = {"process": {"family": "ou"}, "data": {"law": "gaussian", "mean": 0.0, "covariance": 1.0},
      "scheme": {"kind": "euler-maruyama", "horizon": 1.0, "steps": 4}}


def asked(axes, **other):
    """A sweep of one problem."""
    return read_sweep({**OU, "sweep": axes, **other})


def values_of(axis):
    """What a range stands for."""
    return asked({"scheme.steps": axis}).axes[0].values


def test_the_first_key_varies_slowest():
    """Cells are the product of the keys' values, each with its problem and a key of its own."""
    sweep = asked({"scheme.steps": [2, 3], "data": {"covariance": [1.0, 4.0, 9.0]}})
    cells = list(sweep)
    assert [tuple(cell.values.values()) for cell in cells] == [(k, v) for k in (2, 3) for v in (1.0, 4.0, 9.0)]
    assert [cell.index for cell in cells] == list(range(6)) and len({cell.key for cell in cells}) == 6
    assert cells[5].tables["scheme"]["steps"] == 3 and cells[5].tables["data"]["covariance"] == 9.0
    assert OU["scheme"]["steps"] == 4


def test_ranges_have_both_ends():
    """A range is linear, logarithmic or of whole numbers, which never come twice."""
    assert values_of({"from": 0, "to": 1, "number": 5}) == (0.0, 0.25, 0.5, 0.75, 1.0)
    assert values_of({"from": 0.1, "to": 10, "number": 3, "spacing": "log"}) == (0.1, 1.0, 10.0)
    assert values_of({"from": 1, "to": 4, "number": 9, "spacing": "log", "whole": True}) == (1, 2, 3, 4)
    assert values_of({"from": 3, "to": 3, "number": 1}) == (3.0,)


def test_a_key_is_of_all_that_its_answer_depends_on(tmp_path):
    """The same cell of another sweep has the same key; another question, or other data, has another."""
    def key_of(**other):
        return asked({"scheme.steps": other.pop("steps", [2])}, **other).cell(0).key

    assert key_of() == key_of(steps=[2, 3])
    assert len({key_of(), key_of(steps=[3]), key_of(compute="certify"), key_of(seed=1),
                key_of(theorems=["martingale"]), key_of(information="constants")}) == 6
    (tmp_path / "d.csv").write_text("x\n1\n2\n")
    data = {**OU, "data": {"law": "samples", "file": "d.csv", "smoothing": 0.5}, "sweep": {"scheme.steps": [2]}}
    before = read_sweep(data, tmp_path).cell(0).key
    (tmp_path / "d.csv").write_text("x\n1\n3\n")
    assert read_sweep(data, tmp_path).cell(0).key != before


def test_a_base_is_a_file_or_a_bundled_problem(tmp_path):
    """What the sweep's file says of the problem is written over its base."""
    (tmp_path / "s.toml").write_text('base = "two_modes"\n[data]\nstd = 0.7\n[sweep]\nscheme.steps = [3]\n')
    tables = load_sweep(tmp_path / "s.toml").cell(0).tables
    assert tables["data"] == {"law": "mixture", "means": [[-1.0], [1.0]], "std": 0.7}
    assert (tables["process"]["family"], tables["scheme"]["steps"]) == ("ou", 3)


@pytest.mark.parametrize(("change", "why"), [
    ({"sweep": {}}, "must have a key that varies"),
    ({"sweep": {"scheme.steps": []}}, r"sweep.scheme.steps must be a list of values, or a range from, to, number, got"),
    ({"sweep": {"scheme.steps": 5}}, "sweep.scheme.steps must be a list"),
    ({"sweep": {"scheme.steps": [2, 2]}}, "must have different values"),
    ({"sweep": {"scheme.steps": [float("nan")]}}, "finite numbers"),
    ({"sweep": {"steps": [2]}}, "sweep.steps must name a section and a key"),
    ({"sweep": {"schem.steps": [2]}}, "did you mean 'scheme'"),
    ({"sweep": {"scheme.steps": {"from": 1, "to": 2}}}, "sweep.scheme.steps.number is missing"),
    ({"sweep": {"scheme.steps": {"from": 1, "to": 2, "number": 1}}}, "number must be at least 2 where the ends"),
    ({"sweep": {"scheme.steps": {"from": 0, "to": 2, "number": 3, "spacing": "log"}}}, "linear unless both ends"),
    ({"sweep": {"scheme.steps": {"from": 1, "to": 2, "number": 3, "step": 1}}}, "unknown key sweep.scheme.steps.step"),
    ({"sweep": {"scheme.steps": {"from": 1, "to": 9, "number": 401},
                "scheme.horizon": {"from": 1, "to": 9, "number": 500}}}, "at most 200000 cells, got 200500"),
    ({"swep": {}}, "unknown key swep of a sweep.*did you mean 'sweep'"),
    ({"compute": "certified"}, "compute must be one of bound, certify, got 'certified'"),
    ({"theorems": ["martingal"]}, "did you mean 'martingale'"),
    ({"theorems": ["mine.py:X"]}, "--theorem takes FILE.py:NAME too"),
    ({"samples": 5}, "samples must be 0, or a whole number from 100"),
    ({"samples": 100}, 'samples must be left out with compute = "bound"'),
    ({"base": "nothing.toml"}, "base does not exist"),
    ({"base": 3}, "base must be the name of a problem file"),
    ({"scheme": 3}, "scheme must be a table, got 3"),
])
def test_what_is_wrong_is_named(change, why):
    """Every mistake is one line that names the key, the requirement and the value."""
    with pytest.raises(ProblemError, match=why) as caught:
        read_sweep({**OU, "sweep": {"scheme.steps": [2, 3]}, **change})
    assert "\n" not in str(caught.value)
