"""Lines and tables say what the results say."""

import math

import pytest

from bounds.bound import Bound
from closed_form import Bracket
from tests.bad_problems import VALID, toml, write_problem
from tests.page_text import text
from verify import load_problem
from verify.certificates.certificate import Certificate, Verdict
from verify.certificates.sampled import name_of
from verify.pages import tables

BOUND = {
    "total": 0.123456,
    "terms": {"first": 0.1, "second": 0.023456},
    "information": "constants",
    "notes": [],
}


def test_the_start_is_in_the_line_where_the_file_gives_it(tmp_path):
    """The mean and the covariance of the start are said as they are read, and not where there are none."""
    plain = tables.describe(load_problem(write_problem(tmp_path, toml(VALID["gaussian"]))))
    assert "prior_" not in plain
    given = VALID["gaussian"] | {"scheme.prior_mean": "0.5", "scheme.prior_covariance": "2.25"}
    line = tables.describe(load_problem(write_problem(tmp_path, toml(given))))
    assert ", prior_mean = 0.5, prior_covariance = 2.25" in line and "\n" not in line


@pytest.mark.parametrize("base", VALID)
def test_a_problem_is_described_in_one_line(base, tmp_path):
    """File, process, dimension, scheme and horizon are in it."""
    problem = load_problem(write_problem(tmp_path, toml(VALID[base])))
    line = tables.describe(problem)
    assert "\n" not in line and line.startswith("problem.toml · ")
    # the funnel proves no assumption
    dim = (problem.law or problem.assumptions[0]).dim
    for part in (
        problem.process.name,
        problem.scheme.key,
        f"in dimension {dim}",
        f"{problem.scheme.grid.steps} steps",
    ):
        assert part in line


def test_bounds_are_listed_with_their_terms_from_large_to_small():
    """An infinite term comes first; a theorem that does not apply is left to the remarks, unless none does."""
    results = [
        {
            "theorem": "one",
            "kind": "upper",
            "applicable": True,
            **BOUND,
            "terms": {"small": 0.1, "large": None},
        },
        {"theorem": "two", "kind": "lower", "applicable": True, **BOUND},
        {"theorem": "three", "kind": "upper", "applicable": False, "total": None, "terms": {}},
    ]
    shown = text(tables.bounds_table(results))
    shown = shown.replace("\N{NO-BREAK SPACE}", " ")
    assert "large inf, small 0.1" in shown and "first 0.1, second 0.02346" in shown
    assert "≤ 0.1235" in shown and "≥ 0.1235" in shown and "three" not in shown
    assert "does not apply" in text(tables.bounds_table(results[2:]))


@pytest.mark.parametrize(
    ("measured", "shown"),
    [
        (Bracket(0.0152918466, 0.0152918467, "quantile coupling"), "0.01529"),
        (Bracket(0.0150000001, 0.0153, "samples"), "[0.015, 0.0153]"),
        (Bracket(0.0, math.inf, "no exact law"), "unknown"),
        (Bracket(0.25, math.inf, "one side"), "≥ 0.25"),
    ],
)
def test_certificates_show_both_sides_of_what_was_measured(measured, shown):
    """One number where four digits agree, both sides where they do not, and no number where there is none."""
    certificate = Certificate(
        "martingale",
        Verdict.HOLDS,
        Bound.from_dict("martingale", "upper", {**BOUND, "details": {}}),
        measured,
        8.0,
    )
    page = text(tables.certificates_table([certificate]))
    assert tables.measured_lines([certificate])[0] == f"{name_of(measured)} by: {measured.method}"
    assert shown in page and "HOLDS" in page and "0.1235" in page


def test_certificates_that_do_not_apply_have_no_numbers():
    """Dashes stand for the bound, the measurement and the ratio."""
    certificate = Certificate("martingale", Verdict.NOT_APPLICABLE, None, None, None, ("one block: no",))
    assert text(tables.certificates_table([certificate])).count("–") == 3


def test_remarks_say_everything_once():
    """Theorems that share a remark share a line, and a note that a line contains already is left out."""
    entries = [
        ("one", (), ("vacuous",)),
        ("two", ("data: none", "scheme: other"), ()),
        ("three", (), ("vacuous",)),
    ]
    assert tables.remarks(entries, ["none", "centred"]) == [
        "one, three: vacuous",
        "two: does not apply: data: none; scheme: other",
        "note: centred",
    ]


def test_lower_bound_table():
    """Steps are counted with separators, and a dash stands where no number is claimed."""
    answer = {"steps": 400, "total": 0.01, "leading_order": 0.011, "c": 0.25}
    answer["requirements"] = [{"eps": 0.01, "steps": 12345}, {"eps": 0.1, "steps": None}]
    shown = text(tables.lower_bound_table(answer))
    assert "12,345" in shown and "K = 400" in shown and shown.rstrip().endswith("–")
    short = text(tables.lower_bound_table({**answer, "leading_order": None, "requirements": []}))
    assert "leading" not in short and "0.01" in short


def test_theorems_that_do_not_apply_are_one_line_where_nobody_asks_why():
    """They are named at the end, without their reasons, after what is said of the others and the notes; where none
    applies the reasons are what is asked."""
    entries = [("one", (), ("tight",)), ("two", ("data: none",), ()), ("three", ("scheme: other",), ())]
    assert tables.remarks(entries, ["n"], why=False) == [
        "one: tight", "note: n", "do not apply (--why says why): two, three"]
    assert tables.remarks(entries[1:], [], why=False) == tables.remarks(entries[1:], [])
    assert tables.remarks(entries[:1], [], why=False) == ["one: tight"]


def test_bounds_from_different_information_say_which_is_whose():
    """One line: alone where all bounds are from the same, with theorems where they are not, none without bounds."""
    assert tables.informed([("one", "constants"), ("two", "constants")]) == ["bounds from: constants"]
    assert tables.informed([("one", "MMSE curve"), ("two", "constants"), ("three", "constants")]) == [
        "bounds from: MMSE curve (one); constants (two, three)"]
    assert tables.informed([]) == []


def test_tables_read_at_sixty_columns():
    """No cell of `certify` and `bound` is broken but the longest names, and no line is longer than 60 characters."""
    certificate = Certificate("martingale-coupled", Verdict.HOLDS,
                              Bound.from_dict("martingale-coupled", "upper", {**BOUND, "details": {}}),
                              Bracket(0.0152918466, 0.0152918467, "quantile coupling"), 8.0)
    entry = {"theorem": "martingale-coupled", "kind": "upper", "applicable": True, **BOUND}
    for table in (tables.certificates_table([certificate]), tables.bounds_table([entry])):
        lines = text(table, width=60).splitlines()
        assert any("martingale-coupled" in line and "0.1235" in line for line in lines)
        assert max(map(len, lines)) <= 60
