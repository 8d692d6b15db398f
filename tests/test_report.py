"""Tables, LaTeX and axes say what the results say, and nothing else happens."""

import io
import json
import math
import sys

import numpy as np
import pytest
import sympy
from bad_problems import VALID, toml, write_problem
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from rich.console import Console
from tolerances import AXES_ROUNDING

from bounds.process import ForwardProcess
from bounds.schedules import vp
from bounds.theorem import theorems
from closed_form import Bracket
from verify import load_problem, report
from verify.certificate import Certificate, Verdict

X, Y = sympy.symbols("x y_sq", real=True)
BOUND = {
    "total": 0.123456,
    "terms": {"first": 0.1, "second": 0.023456},
    "information": "constants",
    "notes": [],
}


def text(*renderables):
    """What a plain page 120 characters wide shows."""
    console = Console(width=120, color_system=None, force_terminal=False)
    with console.capture() as captured:
        for renderable in renderables:
            console.print(renderable, markup=False, highlight=False)
    return captured.get()


# -- numbers and plain data ----------------------------------------------------------------------

NUMBERS = st.floats() | st.integers() | st.booleans() | st.none() | st.text(max_size=5)
ARRAYS = (
    st.lists(st.floats(), max_size=4).map(np.array)
    | st.floats().map(np.float64)
    | st.integers(0, 9).map(np.int64)
)
TREES = st.recursive(
    NUMBERS | ARRAYS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
)


@given(TREES)
def test_plain_data_is_always_json(tree):
    """Whatever goes in, strict JSON comes out, and plain data is left alone."""
    plain = report.plain(tree)
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain == report.plain(plain)


def test_plain_data_keeps_full_precision_and_drops_infinities():
    """Numbers survive to the last bit; NaN and infinities become None."""
    value = report.plain(
        {"a": np.float64(1 / 3), "b": (math.inf, np.nan, -math.inf), "c": np.arange(2), 3: True}
    )
    assert value == {"a": 1 / 3, "b": [None, None, None], "c": [0, 1], "3": True}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0152918466, "0.01529"),
        (1.9507e-6, "1.951e-06"),
        (12345.6, "1.235e+04"),
        (0.0, "0"),
        (math.inf, "inf"),
        (None, "–"),
    ],
)
def test_numbers_have_four_digits(value, shown):
    """Four significant digits, and a dash for nothing."""
    assert report.number(value) == shown


@given(st.text())
def test_any_message_fits_on_one_line(message):
    """The result is printable and short, and what is a line already is left alone."""
    line = report.one_line(message)
    assert len(line) <= 500 and all(c.isprintable() for c in line)
    assert report.one_line(line) == line


@pytest.mark.parametrize("base", VALID)
def test_a_problem_is_described_in_one_line(base, tmp_path):
    """File, process, dimension, scheme and horizon are in it."""
    problem = load_problem(write_problem(tmp_path, toml(VALID[base])))
    line = report.describe(problem)
    assert "\n" not in line and line.startswith("problem.toml · ")
    dim = problem.assumptions[0].dim
    for part in (
        problem.process.name,
        problem.scheme.key,
        f"in dimension {dim}",
        f"{problem.scheme.grid.steps} steps",
    ):
        assert part in line


# -- tables ----------------------------------------------------------------------


def test_bounds_are_listed_with_their_terms_from_large_to_small():
    """An infinite term comes first, and a theorem that does not apply says so."""
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
    shown = text(report.bounds_table(results))
    assert "large inf, small 0.1" in shown and "first 0.1, second 0.02346" in shown
    assert "W2 ≤   0.1235" in shown and "W2 ≥   0.1235" in shown and "does not apply" in shown


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
    certificate = Certificate("martingale", Verdict.HOLDS, {**BOUND, "details": {}}, measured, 8.0)
    page = text(report.certificates_table([certificate]))
    assert shown in page and measured.method in page and "HOLDS" in page and "0.1235" in page


def test_certificates_that_do_not_apply_have_no_numbers():
    """Dashes stand for the bound, the measurement and the ratio."""
    certificate = Certificate("martingale", Verdict.NOT_APPLICABLE, None, None, None, ("one block: no",))
    assert text(report.certificates_table([certificate])).count("–") == 3


def test_remarks_say_everything_once():
    """Theorems that share a remark share a line, and a note that a line contains already is left out."""
    entries = [
        ("one", (), ("vacuous",)),
        ("two", ("data: none", "scheme: other"), ()),
        ("three", (), ("vacuous",)),
    ]
    assert report.remarks(entries, ["none", "centred"]) == [
        "one, three: vacuous",
        "two: does not apply: data: none; scheme: other",
        "note: centred",
    ]


def test_lower_bound_table():
    """Steps are counted with separators, and a dash stands where no number is claimed."""
    answer = {"steps": 400, "total": 0.01, "leading_order": 0.011, "c": 0.25}
    answer["requirements"] = [{"eps": 0.01, "steps": 12345}, {"eps": 0.1, "steps": None}]
    shown = text(report.lower_bound_table(answer))
    assert "12,345" in shown and "K = 400" in shown and shown.rstrip().endswith("–")
    short = text(report.lower_bound_table({**answer, "leading_order": None, "requirements": []}))
    assert "leading" not in short and "0.01" in short


# -- theorems and processes ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stated", "derived", "same"),
    [
        ((X + 1) ** 2, X**2 + 2 * X + 1, True),
        (sympy.sqrt(Y) * sympy.sqrt(Y), Y, True),
        (sympy.Max(X, 0), (X + sympy.Abs(X)) / 2, True),
        ((X + 1) ** 2, X**2 + 2 * X + 1 + sympy.Rational(1, 10**25), False),
        (X, sympy.Abs(X), False),
        (X, X + sympy.I, False),
        (sympy.sqrt(-1 - X**2), X, False),
    ],
    ids=str,
)
def test_expressions_agree_only_if_they_are_the_same(stated, derived, same):
    """Equal functions agree; a difference in the 25th digit, a lost sign or no usable point do not."""
    assert report.agrees(stated, derived) is same


@pytest.mark.parametrize("key", theorems())
def test_latex_of_a_theorem_reads_like_mathematics(key):
    """No code names are left: _sq is a square, long subscripts are upright, and braces balance."""
    facts = report.theorem_facts(theorems()[key])
    latex = report.theorem_latex(facts)
    assert "sq" not in latex.replace("sqrt", "").replace(r"\ sq", "")
    assert latex.count("{") == latex.count("}") and latex.count(r"\left") == latex.count(r"\right")
    assert latex.count("&=") == len(facts["stated"])
    assert "mean_{norm}" not in latex
    sheet = text(*report.theorem_sheet(facts))
    assert key in sheet and "derived from" in sheet


def test_a_process_says_by_which_route():
    """A drift whose exponential has no elementary integral is marked as quadrature, in words and LaTeX."""
    t = sympy.Symbol("t", nonnegative=True)
    facts = report.process_facts(ForwardProcess.scalar("odd", 0, sympy.exp(sympy.sin(t))), {"g": "odd"})
    assert facts["closed_forms"]["a"]["route"] == "closed form"
    assert facts["closed_forms"]["s_sq"]["route"] == "quadrature"
    assert r"\text{(quadrature)}" in report.process_latex(facts)
    assert "quadrature" in text(*report.process_sheet(facts))


def test_the_closed_forms_of_vp_are_right():
    """For constant β = 2 the sheet shows a = e^{-t} and s² = 1 − e^{-2t}."""
    facts = report.process_facts(vp(2), {"beta": 2})
    assert facts["closed_forms"]["a"]["expression"] == "exp(-t)"
    assert sympy.sympify(facts["closed_forms"]["s_sq"]["expression"]) == 1 - sympy.exp(-2 * sympy.Symbol("t"))


# -- axes ----------------------------------------------------------------------

STEPS = (10, 100, 1000)
EXACT = [Bracket(0.1, 0.1, "exact"), Bracket(0.008, 0.012, "samples"), Bracket(0.001, 0.001, "exact")]
LINES = {"martingale": (0.5, 0.05, 0.005), "other": (math.inf, 2.0, 1.0)}


def drawn(**options):
    """Axes with three bounds-and-truth points."""
    return report.plot_bounds(Figure().add_subplot(), STEPS, EXACT, LINES, **options)


def test_plot_draws_every_bound_as_a_line_and_the_truth_as_markers():
    """Log-log axes hold each theorem's numbers, the middles of the brackets, and nothing infinite."""
    ax = drawn(title="three points")
    assert (ax.get_xscale(), ax.get_yscale(), ax.get_title()) == ("log", "log", "three points")
    lines = {line.get_label(): line for line in ax.get_lines()}
    assert lines["martingale"].get_ydata().tolist() == [0.5, 0.05, 0.005]
    assert np.isnan(lines["other"].get_ydata()[0]) and lines["other"].get_ydata()[1:].tolist() == [2.0, 1.0]
    truth = lines["exact W2 of the sampler"]
    assert truth.get_linestyle() == "None"
    assert truth.get_ydata() == pytest.approx([0.1, 0.01, 0.001], rel=AXES_ROUNDING)
    assert ax.get_legend_handles_labels()[1] == ["martingale", "other", "exact W2 of the sampler"]


def test_plot_says_how_far_the_tightest_bound_is_from_the_truth():
    """At the last number of steps the ratio is written, here 5."""
    assert "5×" in [annotation.get_text() for annotation in drawn().texts]


def test_plot_guides_have_the_slope_they_name():
    """A guide is a straight dotted line of its slope on log-log axes, below what it guides."""
    for label, slope, words, last in (
        ("exact", -1.0, "slope −1", 0.001),
        ("martingale", -0.5, "slope −½", 0.005),
    ):
        ax = drawn(guides={label: slope})
        (guide,) = [line for line in ax.get_lines() if line.get_linestyle() == ":"]
        x, y = (np.log(np.asarray(data)) for data in guide.get_data())
        assert np.diff(y) / np.diff(x) == pytest.approx([slope], rel=AXES_ROUNDING)
        assert guide.get_ydata()[-1] < last
        assert words in [annotation.get_text() for annotation in ax.texts]


def test_plot_shades_what_is_vacuous_and_keeps_the_rest_in_view():
    """The ceiling starts the shaded region, and a bound far above it does not push the data out of view."""
    ax = drawn(ceiling=0.7)
    (region,) = ax.patches
    assert region.get_xy()[1] == 0.7
    low, high = ax.get_ylim()
    assert low < 0.001 and 0.7 < high < 10


def test_plot_without_a_known_truth():
    """Brackets without an upper side leave the lines alone in the picture."""
    unknown = [Bracket(0.0, math.inf, "unknown")] * 3
    ax = report.plot_bounds(Figure().add_subplot(), STEPS, unknown, LINES, guides={"exact": -1.0})
    labels = {line.get_label(): line for line in ax.get_lines()}
    assert len(labels["exact W2 of the sampler"].get_ydata()) == 0


@pytest.mark.parametrize(
    ("steps", "exact", "bounds"),
    [
        ((10,), EXACT[:1], {}),
        (STEPS, EXACT[:2], {}),
        (STEPS, EXACT, {"martingale": (1.0, 2.0)}),
        ((), [], {}),
    ],
)
def test_plot_refuses_sequences_that_do_not_match(steps, exact, bounds):
    """One line names the requirement and the lengths received."""
    with pytest.raises(ValueError, match="must have one length of at least 2"):
        report.plot_bounds(Figure().add_subplot(), steps, exact, bounds)


def test_demo_figure_shares_one_scale_and_one_legend():
    """Panels have the same limits, each label appears once in the legend, and the figure can be saved."""
    panel = {"steps": STEPS, "exact": EXACT, "bounds": LINES, "ceiling": 0.7}
    figure = report.demo_figure([{**panel, "title": "a"}, {**panel, "title": "b", "bounds": {}}], "both")
    first, second = figure.axes
    assert first.get_ylim() == second.get_ylim()
    (legend,) = figure.legends
    assert [entry.get_text() for entry in legend.get_texts()] == [
        "martingale",
        "other",
        "exact W2 of the sampler",
    ]
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=40)
    assert picture.getvalue().startswith(b"\x89PNG")


def test_nothing_of_pyplot_is_touched():
    """Figures are made without pyplot, so that a notebook's own figures stay as they are."""
    before = "matplotlib.pyplot" in sys.modules
    report.demo_figure([{"steps": STEPS, "exact": EXACT, "bounds": LINES}])
    assert ("matplotlib.pyplot" in sys.modules) == before
