"""Samplers side by side: the prototype's table at equal evaluations, reasons in place of failures, plans."""

import pytest
from matplotlib.figure import Figure

from bounds.samplers import samplers
from tests.verify.tolerances import PRINTED_EXACT, THREE_PRINTED
from verify.problems.problem import read_problem
from verify.studies.equal_effort import (
    Compared,
    compare_samplers,
    evaluations_of,
    plan_samplers,
    plot_effort,
    plot_plans,
    steps_within,
)

EDM = {"process": {"family": "edm"}, "data": {"law": "mixture", "means": [[-1.0], [1.0]], "std": 0.5},
       "scheme": {"kind": "ddim", "grid": "rho", "sigma_max": 20.0, "sigma_min": 0.02, "steps": 8}}
OU = {"process": {"family": "ou"}, "data": {"law": "gaussian", "mean": 0.0, "covariance": 0.25, "dim": 1},
      "scheme": {"kind": "ddim", "horizon": 4.0, "steps": 10}}
#: (exact W2, bound from constants) at equal evaluations, from the table of an independent prototype.
PRINTED = {
    32: {
        "ddim": (0.0455, 0.379),
        "heun": (0.0203, 0.434),
        "midpoint": (0.00245, 0.258),
        "dpm-solver-2": (0.0116, 0.327),
        "frozen-euler-maruyama": (0.0242, 2.59),
        "posterior-mean": (0.0527, 1.22),
        "posterior-mean-matched": (0.0385, 0.333),
    },
    64: {
        "ddim": (0.0231, 0.208),
        "heun": (0.00354, 0.153),
        "midpoint": (0.00104, 0.0709),
        "dpm-solver-2": (0.00166, 0.0914),
        "frozen-euler-maruyama": (0.0118, 1.55),
        "posterior-mean": (0.0249, 0.74),
        "posterior-mean-matched": (0.0197, 0.211),
    },
    128: {
        "ddim": (0.012, 0.111),
        "heun": (0.00041, 0.0426),
        "midpoint": (0.00097, 0.0222),
        "dpm-solver-2": (0.00062, 0.0277),
        "frozen-euler-maruyama": (0.0057, 0.852),
        "posterior-mean": (0.0121, 0.415),
        "posterior-mean-matched": (0.0099, 0.121),
    },
    256: {
        "ddim": (0.0065, 0.0599),
        "heun": (0.00098, 0.0152),
        "midpoint": (0.001, 0.0099),
        "dpm-solver-2": (0.00107, 0.0117),
        "frozen-euler-maruyama": (0.0027, 0.448),
        "posterior-mean": (0.006, 0.221),
        "posterior-mean-matched": (0.005, 0.0648),
    },
}
CHEAP = ("ddim", "midpoint", "dpm-solver-2", "heun", "frozen-euler-maruyama")


def digits(value, printed):
    """Whether a value is a printed one, of at most three digits and five decimals, to a unit of the last."""
    unit = 10.0 ** -len(f"{printed:.5f}".rstrip("0").partition(".")[2])
    return abs(value - printed) <= unit * (1 + PRINTED_EXACT)


def check(evaluations, names):
    """Exact values to the printed digits; bounds to them, or smaller."""
    found = compare_samplers(read_problem(EDM), evaluations=evaluations, names=names, information="constants")
    rows = {row.sampler: row for row in found}
    assert set(rows) == set(names)
    for name, (exact, bound) in PRINTED[evaluations].items():
        if name in rows:
            row = rows[name]
            assert row.evaluations <= evaluations < row.evaluations + 2
            assert row.bound <= bound * (1 + THREE_PRINTED) and str(row.verdict) == "HOLDS"
            assert digits(row.exact.midpoint, exact)


def test_the_printed_table_at_thirty_two_evaluations():
    """At 32 evaluations on two modes exact W2 and bound are the prototype's, noise or not."""
    check(32, CHEAP)


@pytest.mark.deep
@pytest.mark.parametrize("evaluations", PRINTED)
def test_the_whole_printed_table(evaluations):
    """The same for all its samplers at 32 to 256 evaluations."""
    check(evaluations, tuple(PRINTED[evaluations]))


@pytest.mark.parametrize("key, to_zero, evaluations, steps", [
    ("ddim", True, 7, 7), ("heun", True, 7, 4), ("heun", True, 8, 4), ("heun", False, 7, 3),
    ("heun", True, 1, 1),
    ("midpoint", True, 7, 3), ("midpoint", False, 1, 0), ("euler-maruyama", False, 5, 5)])
def test_steps_that_evaluations_allow(key, to_zero, evaluations, steps):
    """Steps of two evaluations are half as many, the step of Heun's method to 0 takes one, and one more
    step would take too many."""
    sampler = samplers()[key]
    found = steps_within(sampler, evaluations, to_zero)
    taken, more = (evaluations_of(sampler, count, to_zero) for count in (found, found + 1))
    assert found == steps and taken <= evaluations < more


def test_equal_steps_of_every_sampler():
    """At equal steps every sampler of the registry has a row and holds, the smallest bound first; one that uses the step
    before has its exact W2, and no bound with the reason."""
    rows = compare_samplers(read_problem(OU), steps=6)
    assert {row.sampler for row in rows} == set(samplers(1)) and {row.steps for row in rows} == {6}
    *rows, last = rows
    assert [row.bound for row in rows] == sorted(row.bound for row in rows)
    assert {str(row.verdict) for row in rows} == {"HOLDS"}
    assert (last.sampler, last.bound) == ("dpmpp-2m", None) and "multistep" in last.reason
    twice = [key for key, sampler in samplers(1).items() if sampler.evaluations == 2]
    counts = {row.sampler: row.evaluations for row in rows}
    assert all(counts[key] == (11 if key in ("heun", "heun-t", "dpm-solver-2") else 12) for key in twice)
    assert all(count == 6 for key, count in counts.items() if key not in twice)


def test_what_fails_is_a_row_with_its_reason():
    """Too long steps for P = Φ⁻¹, one evaluation for two, and unknown laws are reasons; others go on."""
    long = read_problem({**OU, "scheme": {**OU["scheme"], "horizon": 50.0, "steps": 100}})
    found = compare_samplers(long, evaluations=1, names=("midpoint", "posterior-mean", "ddim"))
    rows = {row.sampler: row for row in found}
    assert rows["midpoint"].reason == "a step takes 2 evaluations" and rows["midpoint"].bound is None
    assert rows["posterior-mean"].reason and rows["posterior-mean"].bound is None
    triangle = {"law": "mixture", "means": [[-1.0, 0.0], [1.0, 0.3], [0.0, 1.0]], "std": 0.5}
    (row,) = compare_samplers(read_problem({**OU, "data": triangle}), steps=5, names=("euler-maruyama",))  # steps may fold it
    assert row.bound > 0 and "no exact W2 is known" in row.reason and str(row.verdict) == "INCONCLUSIVE"
    constants = read_problem({**OU, "data": {"assumption": "strong-log-concave", "m0": 1.0, "L0": 2.0}})
    (row,) = compare_samplers(constants, steps=5, names=("ddim",))
    assert row.bound > 0 and row.exact is None and "constants alone" in row.reason


def test_position_and_velocity_are_compared_too():
    """On critically-damped Langevin the samplers of two blocks are compared at equal evaluations."""
    scheme = {"kind": "leapfrog", "horizon": 4.0, "steps": 10}
    problem = read_problem({"process": {"family": "cld", "sigma": 2.0}, "data": OU["data"], "scheme": scheme})
    rows = compare_samplers(problem, evaluations=40, names=("leapfrog", "exponential"))
    assert {row.steps for row in rows} == {40} and {str(row.verdict) for row in rows} == {"HOLDS"}


def test_a_sampler_of_the_file_is_among_them():
    """A sampler by formulas is compared beside those of the registry."""
    own = {"P": "1 + h*f", "Q": "h*g**2", "noise": "h*g**2"}
    tables = {**OU, "sampler": own, "scheme": {"horizon": 4.0, "steps": 10}}
    rows = compare_samplers(read_problem(tables), steps=50, names=("own", "frozen-euler-maruyama"))
    assert {row.sampler for row in rows} == {"own", "frozen-euler-maruyama"}
    assert all(row.bound > 0 for row in rows)


def test_plans_need_the_fewest_evaluations():
    """Each reaches ε with the steps of its plan, the fewest evaluations first; what does not says why."""
    rows = plan_samplers(read_problem(OU), 0.1, names=("ddim", "euler-maruyama", "ode-exponential"), horizon=4.0)
    needed = [row.evaluations for row in rows]
    assert needed == sorted(needed) and all(row.bound <= 0.1 and str(row.verdict) == "HOLDS" for row in rows)
    wrong = read_problem({**OU, "scheme": {**OU["scheme"], "score_error": 3.0}})
    (row,) = plan_samplers(wrong, 0.05, names=("ddim",), horizon=4.0)
    assert row.evaluations is None and "score bias" in row.reason


@pytest.mark.parametrize("options, message", [
    ({}, "evaluations or steps must be given"), ({"evaluations": 3, "steps": 3}, "not both"),
    ({"steps": 0}, "steps must be at least 1, got 0"),
    ({"steps": 3, "names": ("em",)}, "sampler must be one of")])
def test_wrong_questions_are_refused(options, message):
    """Both counts or none, no step at all, and samplers that nobody registered are refused by name."""
    with pytest.raises(ValueError, match=message):
        compare_samplers(read_problem(OU), **options)


def test_the_pictures_have_a_line_for_every_sampler():
    """One label a sampler that has something to show, and none for one that has nothing."""
    rows = compare_samplers(read_problem(OU), steps=6, names=("ddim", "euler-maruyama"))
    for draw, given in ((plot_effort, ()), (plot_plans, (0.1,))):
        ax = Figure().add_subplot()
        draw(ax, [*rows, Compared("nothing", False, reason="why")], *given)
        labels = [label.get_text() for label in ax.get_yticklabels()]
        assert len(labels) == 2 and all("nothing" not in label for label in labels)
