"""Data sets become mixtures with the same law, or are refused in one clear line."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from closed_form import GaussianMixture, smoothed_data
from closed_form.laws.samples import read_samples
from tests.tolerances import LAW_ROUNDING


@settings(deadline=None)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(1, 30),
    d=st.integers(1, 3),
    s=st.floats(0.1, 2),
    std=st.booleans(),
)
def test_same_law_as_one_component_a_point(seed, n, d, s, std):
    """Merging equal points changes neither density nor score, standardised or not."""
    rng = np.random.default_rng(seed)
    samples = rng.integers(0, 3, size=(n, d)).astype(float)
    if std:
        samples = np.concatenate([samples, np.zeros((1, d)), np.ones((1, d))])
    law = smoothed_data(samples, s, standardize=std)
    if std:
        samples = (samples - samples.mean(axis=0)) / samples.std(axis=0)
    plain = GaussianMixture(samples, std=s)
    x = rng.normal(size=(5, d))
    assert len(law.means) <= 3**d
    assert law.log_density(x) == pytest.approx(plain.log_density(x), abs=LAW_ROUNDING)
    assert law.score(x) == pytest.approx(plain.score(x), abs=LAW_ROUNDING / s**2)


@pytest.mark.parametrize("scale", [1e-200, 1e-8, 1.0, 1e200])
def test_standardised_moments(scale):
    """Standardised data have mean 0 and variance 1, whatever their units; smoothing adds s²."""
    samples = scale * (5.0 + np.random.default_rng(0).gamma(2.0, size=(50, 2)))
    law = smoothed_data(samples, 0.5, standardize=True)
    assert law.mean == pytest.approx(np.zeros(2), abs=LAW_ROUNDING)
    assert np.diag(law.covariance) == pytest.approx(np.full(2, 1.25), rel=LAW_ROUNDING)


@pytest.mark.parametrize(
    ("samples", "smoothing", "standardize", "message"),
    [
        ([], 1.0, False, "samples must have shape"),
        (np.zeros((0, 2)), 1.0, False, "samples must have shape"),
        ([1.0, 2.0], 1.0, False, "samples must have shape"),
        ([[1.0], [np.nan]], 1.0, False, "samples must have finite entries"),
        ([[1.0], [2.0, 3.0]], 1.0, False, "samples must be a rectangular array"),
        ([[1.0], [2.0]], 0.0, False, "smoothing must be one positive number"),
        ([[1.0], [2.0]], -1.0, False, "smoothing must be one positive number"),
        ([[1.0], [2.0]], np.nan, False, "smoothing must have finite entries"),
        ([[1.0], [2.0]], "1", False, "smoothing must be made of real numbers"),
    ],
)
def test_bad_samples(samples, smoothing, standardize, message):
    """Empty, ragged or non-finite data and impossible smoothing are refused by name."""
    with pytest.raises(ValueError, match=message):
        smoothed_data(samples, smoothing, standardize)


def written(tmp_path, text, encoding="utf-8"):
    """Path of a CSV file with this text."""
    path = tmp_path / "data.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_columns_in_the_order_asked_for(tmp_path):
    """Columns are found by name, blank lines, a byte-order mark, CRLF and quotes notwithstanding."""
    path = written(tmp_path, '\ufeffa, b,"c"\r\n1,2.5,"3"\r\n\r\n4,-5e-1,6\r\n')
    assert read_samples(path).tolist() == [[1.0, 2.5, 3.0], [4.0, -0.5, 6.0]]
    assert read_samples(path, ["c", "a"]).tolist() == [[3.0, 1.0], [6.0, 4.0]]
    assert read_samples(path, ["b"], standardize=True)[:, 0] == pytest.approx([1.0, -1.0], rel=LAW_ROUNDING)


@pytest.mark.parametrize(
    ("text", "columns", "message"),
    [
        ("", None, "is empty"),
        ("\n\n", None, "is empty"),
        ("a,b\n", None, "no rows"),
        ("a,b\n1,2\n3\n", None, "line 3: expected 2 fields, got 1"),
        ("a,b\n1,2,3\n", None, "line 2: expected 2 fields, got 3"),
        ("a,b\n1,x\n", None, "line 2, column 'b': expected a finite number, got 'x'"),
        ("a,b\n1,nan\n", None, "expected a finite number, got 'nan'"),
        ("a,b\n1,inf\n", None, "expected a finite number, got 'inf'"),
        ("a,b\n1,\n", None, "expected a finite number, got ''"),
        ("a,b\n1,2\n", ["c"], "no column 'c', its columns are a, b"),
        ("a,a\n1,2\n", ["a"], "must be there, and asked for, once"),
        ("a,b\n1,2\n", ["a", "a"], "must be there, and asked for, once"),
        ("a,b\n1,2\n", [], "columns must be a list"),
        ("a,b\n1,2\n", "a", "columns must be a list"),
        ("a,b\n1,2\n", [1], "columns must be a list"),
        ('a,b\n"1,2\n', None, "cannot read"),
    ],
)
def test_bad_files(tmp_path, text, columns, message):
    """A malformed file is refused in one line that says where."""
    with pytest.raises(ValueError, match=message) as caught:
        read_samples(written(tmp_path, text), columns)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["1.5,2\n3,4\n", "1e-3, nan\n3,4\n", "NA,-2\n3,4\n", "7\n", "2019\n1\n"])
def test_a_first_row_is_not_taken_for_a_header(tmp_path, text):
    """A first line of numbers, some perhaps missing, is refused with the file, the line and what to write."""
    first = text.split("\n")[0].replace(",", ", ").replace("  ", " ")
    with pytest.raises(ValueError, match=r"first line of .*data\.csv must name the columns") as caught:
        read_samples(written(tmp_path, text))
    assert f"got numbers: {first}; write header = false" in str(caught.value)


def test_a_header_that_is_said_to_be_there_or_not(tmp_path):
    """Without a header every line is data and columns go by their number; names may be numbers if said so."""
    path = written(tmp_path, "1.5,2\n3,4\n")
    assert read_samples(path, header=False).tolist() == [[1.5, 2.0], [3.0, 4.0]]
    assert read_samples(path, ["2"], header=False).tolist() == [[2.0], [4.0]]
    assert read_samples(path, ["1.5"], header=True).tolist() == [[3.0]]
    assert read_samples(written(tmp_path, "5\n"), header=False).tolist() == [[5.0]]


def test_unreadable_files(tmp_path):
    """Missing files, directories and bytes that are not text are ValueErrors with the path."""
    with pytest.raises(ValueError, match=r"no such file: .*missing\.csv"):
        read_samples(tmp_path / "missing.csv")
    with pytest.raises(ValueError, match="cannot read"):
        read_samples(tmp_path)
    binary = tmp_path / "binary.csv"
    binary.write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(ValueError, match=r"cannot read .*binary\.csv"):
        read_samples(binary)
    index = written(tmp_path, ",a\n0,1\n1,2\n")
    with pytest.raises(ValueError, match=r"column 1 of .* has no name, .* columns = \['a'\]"):
        read_samples(index)
    assert read_samples(index, columns=["a"]).tolist() == [[1.0], [2.0]]


def test_a_column_of_one_value_is_shifted_only(tmp_path):
    """Standardising leaves a column of one value at 0, and the law names all of them."""
    path = written(tmp_path, "a,b,c\n1,5,1e6\n2,5,1e6\n")
    assert read_samples(path, standardize=True).tolist() == [[-1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]
    law = smoothed_data([[1.0, 5.0, 0.1], [2.0, 5.0, 0.1]], 0.5, standardize=True)
    assert law.means.tolist() == [[-1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]
    assert law.notes == ("standardize: of one value only, so shifted to 0 and not scaled: columns 1, 2 (from 0)",)
    assert not smoothed_data([[1.0, 5.0], [2.0, 4.0]], 0.5, standardize=True).notes
