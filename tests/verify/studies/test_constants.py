"""Constants from samples: those of the smoothed empirical law, over bandwidths."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounds import euler_maruyama, ou
from bounds.theorems import theorems
from closed_form.geometry.convexity_profile import convexity_profile
from closed_form.laws.samples import smoothed_data
from tests.bad_problems import VALID, toml, write_problem
from tests.command_line import answer, assert_refused, problem, run, schema
from tests.drawn import examples
from verify.studies.constants import constants_of_samples, plot_constants

MARTINGALE = theorems()["martingale"]


def estimate(samples, bandwidths=None, **options):
    """The estimate for OU and 300 steps of Euler–Maruyama."""
    return constants_of_samples(
        samples, ou(), euler_maruyama(6, 300), MARTINGALE, bandwidths, resamples=5, **options
    )


@settings(max_examples=examples(7))
@given(st.integers(0, 10**6), st.integers(2, 40), st.integers(1, 6), st.floats(0.2, 5.0))
def test_constants_are_the_formula_and_do_not_depend_on_order_or_place(seed, n, dim, s):
    """α = L = 1/s² and M = R²/s⁴; reordering, shifting and rotating the samples changes neither R nor M."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, dim))
    found = estimate(x, [s])
    (row,) = found.rows
    assert (row.assumption.alpha, row.assumption.L) == (1 / s**2, 1 / s**2)
    assert row.assumption.M == pytest.approx(found.radius**2 / s**4) and row.expansion == pytest.approx(
        (found.radius / s) ** 2
    )
    basis = np.linalg.qr(rng.normal(size=(dim, dim)))[0]
    moved = estimate(rng.permutation(x) @ basis + rng.normal(size=dim), [s])
    assert moved.radius == pytest.approx(found.radius, rel=1e-7)
    assert row.moved == pytest.approx(s * math.sqrt(dim))


def test_constants_fall_with_the_bandwidth_and_become_useful():
    """α, M and the expansion decrease in s; rows are vacuous below the useful bandwidth and useful above
    it."""
    found = estimate(np.random.default_rng(3).normal(size=(60, 2)))
    for name in ("alpha", "M"):
        assert (np.diff([getattr(row.assumption, name) for row in found.rows]) < 0).all()
    edge = found.useful.noise_std
    sure = [row for row in found.rows if row.bandwidth < 0.95 * edge or row.bandwidth > 1.05 * edge]
    assert all(row.vacuous == (row.bandwidth < edge) for row in sure if row.bandwidth < 3 * edge)
    low, high = found.radius_range
    assert low <= high <= found.radius * (1 + 1e-9)


def test_the_constants_hold_for_the_smoothed_law():
    """The convexity profile of the smoothed samples never drops below their α − f_M(r)/r."""
    x = np.random.default_rng(5).normal(size=(30, 2))
    (row,) = estimate(x, [0.6]).rows
    found = convexity_profile(smoothed_data(x, 0.6), np.geomspace(0.1, 5, 6), pairs=500)
    assert (found.values >= row.assumption.profile(found.distances) - 1e-7).all()


@pytest.mark.parametrize(
    "samples", [np.zeros((5, 2)), np.zeros((1, 2)), np.zeros(5), np.array([[0.0], [np.nan]])]
)
def test_bad_samples_are_refused(samples):
    """One point, equal points, a wrong shape and NaN are refused by name."""
    with pytest.raises(ValueError, match="samples"):
        estimate(samples, [1.0])


def test_old_faithful_on_the_command_line(tmp_path):
    """The bundled data: R and the useful bandwidth, the bandwidths of the rules, a picture and the meaning in
    words."""
    document = answer("constants", "old_faithful", "--out", tmp_path / "c.png")
    schema("constants").validate(document)
    assert document["samples"] == 272 and document["radius"] == pytest.approx(1.53607, rel=1e-5)
    assert document["useful"]["bandwidth"] == pytest.approx(0.525, rel=0.01) and len(document["rows"]) == 13
    text = run("constants", "old_faithful", "--bandwidth", "0.7").stdout
    assert "not of the law the samples came from" in text and "Useful from s = 0.525" in text


def test_csv_files_and_bad_input(tmp_path):
    """A CSV file works by columns; a mixture, a bandwidth of 0 and options out of place are refused."""
    data = tmp_path / "points.csv"
    data.write_text("x,y\n0,1\n1,2\n2,0\n")
    document = answer("constants", data, "--columns", "x", "--standardize", "--bandwidth", 1)
    schema("constants").validate(document)
    assert (document["dim"], document["samples"]) == (1, 3)
    assert "smoothing must be one positive number" in assert_refused(
        run("constants", data, "--bandwidth", "0")
    )
    assert 'data.law = "samples"' in assert_refused(run("constants", "two_modes"))
    assert_refused(run("constants", problem(tmp_path, "samples"), "--standardize"))
    assert_refused(run("constants", data, "--set", "scheme.steps=3"))


def test_data_without_a_header_keep_their_first_row(tmp_path):
    """A CSV of numbers is refused until it is said whether it has a header, here and in a problem file."""
    data = tmp_path / "data.csv"
    data.write_text("0,1\n1,2\n2,0\n")
    line = assert_refused(run("constants", data))
    assert "data.csv must name the columns, got numbers: 0, 1; write" in line and "--no-header" in line
    counts = {option: answer("constants", data, option, "--bandwidth", 1)["samples"]
              for option in ("--no-header", "--header")}
    assert counts == {"--no-header": 3, "--header": 2}
    changes = {"data.columns": None, "data.header": "false"}
    path = write_problem(tmp_path, toml({**VALID["samples"], **changes}), {"data.csv": data.read_text()})
    assert answer("constants", path, "--bandwidth", 1)["samples"] == 3
    assert_refused(run("constants", path, "--no-header"))


def test_the_picture_shades_what_is_vacuous():
    """The shaded region ends at the useful bandwidth."""
    from matplotlib.figure import Figure

    found = estimate(np.random.default_rng(3).normal(size=(20, 1)))
    ax = Figure().add_subplot()
    plot_constants(ax, found)
    assert ax.patches[0].get_bbox().x1 == pytest.approx(found.useful.noise_std)


def test_digits_need_a_smoothing_of_the_size_of_their_spread():
    """scikit-learn's digits in 64 dimensions: every rule's bandwidth is vacuous, and the useful one is above
    0.4, where the bound saturates."""
    datasets = pytest.importorskip("sklearn.datasets")
    found = estimate(datasets.load_digits().data / 16, [0.24, 1.5])
    assert (found.samples, found.dim) == (1797, 64) and found.radius == pytest.approx(2.652, rel=1e-3)
    assert [row.vacuous for row in found.rows] == [True, False] and found.useful.noise_std > 0.4
