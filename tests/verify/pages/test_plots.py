"""Axes show the bounds, the truth and the gap, and nothing global changes."""

import io
import math
import sys

import numpy as np
import pytest
from matplotlib.figure import Figure

from closed_form import Bracket
from tests.verify.tolerances import AXES_ROUNDING, PEAK_ON_GRID
from verify.pages import plots

STEPS = (10, 100, 1000)
EXACT = [Bracket(0.1, 0.1, "exact"), Bracket(0.008, 0.012, "samples"), Bracket(0.001, 0.001, "exact")]
LINES = {"martingale": (0.5, 0.05, 0.005), "other": (math.inf, 2.0, 1.0)}


def drawn(**options):
    """Axes with three bounds-and-truth points."""
    return plots.plot_bounds(Figure().add_subplot(), STEPS, EXACT, LINES, **options)


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
    ax = plots.plot_bounds(Figure().add_subplot(), STEPS, unknown, LINES, guides={"exact": -1.0})
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
        plots.plot_bounds(Figure().add_subplot(), steps, exact, bounds)


def test_demo_figure_shares_one_scale_and_one_legend():
    """Panels have the same limits, each label appears once in the legend, and the figure can be saved."""
    panel = {"steps": STEPS, "exact": EXACT, "bounds": LINES, "ceiling": 0.7}
    figure = plots.demo_figure([{**panel, "title": "a"}, {**panel, "title": "b", "bounds": {}}], "both")
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


def test_picture_of_the_counterexample_shows_growth_unless_the_law_is_uncorrelated():
    """The line of c peaks at σ²(√(1+c²) − 1): the score contracts |Z| in every direction only where c = 0."""
    ax = plots.log_concavity_is_not_enough(Figure().add_subplot(), (0.0, 0.75), sigma=2.0)
    flat, grown = (line for line in ax.get_lines() if len(line.get_xdata()) > 2)
    assert max(flat.get_ydata()) == pytest.approx(0.0, abs=AXES_ROUNDING)
    # √(1 + 0.75²) = 1.25
    assert max(grown.get_ydata()) == pytest.approx(1.0, rel=PEAK_ON_GRID)
    assert grown.get_ydata()[-1] == pytest.approx(-8.0, rel=AXES_ROUNDING)
    assert ax.get_legend_handles_labels()[1] == ["c = 0: 1-log-concave", "c = 0.75: 0.25-log-concave"]
    low, high = ax.get_ylim()
    assert low < -8.0 and high > 1.0


@pytest.mark.parametrize("correlations", [(), (1.0,), (0.0, -1.5)])
def test_picture_of_the_counterexample_refuses_laws_that_are_not_log_concave(correlations):
    """H is negative definite for |c| < 1 alone."""
    with pytest.raises(ValueError, match="strictly between -1 and 1"):
        plots.log_concavity_is_not_enough(Figure().add_subplot(), correlations)


def test_nothing_of_pyplot_is_touched():
    """Figures are made without pyplot, so that a notebook's own figures stay as they are."""
    before = "matplotlib.pyplot" in sys.modules
    plots.demo_figure([{"steps": STEPS, "exact": EXACT, "bounds": LINES}])
    assert ("matplotlib.pyplot" in sys.modules) == before
