"""Data in binary files are what they are in CSV, or are refused in one clear line, and nothing in them is run."""

import importlib
import sys

import numpy as np
import pytest

from closed_form import data_file
from closed_form.laws.samples import read_samples
from tests.bad_problems import VALID, toml, write_problem
from tests.command_line import answer
from verify.problems.problem import ProblemError, load_problem

VALUES = np.array([[1.0, 2.0, 3.0], [2.0, 1.0, 3.0], [4.0, 1.5, 3.0]])


class Trap:
    """An object whose unpickling would say so."""

    def __reduce__(self):
        return pytest.fail, ("unpickled",)


def array_file(folder, values, name="data.npy"):
    """Path of an array saved by numpy."""
    np.save(folder / name, values)
    return folder / name


def table_file(folder, columns, name="data.parquet"):
    """Path of a Parquet file of columns."""
    pyarrow, parquet = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    parquet.write_table(pyarrow.Table.from_arrays([pyarrow.array(values) for values in columns.values()],
                                                  names=list(columns)), folder / name)
    return folder / name


def test_the_law_of_a_problem_is_that_of_the_same_data_in_csv(tmp_path):
    """One problem with its data as CSV, as an array and as a table has one law; so have its columns by name."""
    array_file(tmp_path, VALUES)
    table_file(tmp_path, dict(zip("xyz", VALUES.T, strict=True)))
    laws = []
    for name, columns in (("data.csv", '["z", "x"]'), ("data.npy", '["3", "1"]'), ("data.parquet", '["z", "x"]')):
        base = {**VALID["samples"], "data.file": f'"{name}"', "data.columns": columns, "data.standardize": "false"}
        laws.append(load_problem(write_problem(tmp_path, toml(base))).law)
    assert laws[0].means.tolist() == [[3.0, 1.0], [3.0, 2.0], [3.0, 4.0]]
    for law in laws[1:]:
        assert np.array_equal(law.means, laws[0].means) and np.array_equal(law.weights, laws[0].weights)


@pytest.mark.parametrize("dtype", ["f2", "f4", ">f8", "i1", "u8"])
def test_numbers_of_any_type_are_read(tmp_path, dtype):
    """Arrays of floats and integers of any size and byte order, one column too, and tables of them."""
    assert np.array_equal(read_samples(array_file(tmp_path, VALUES.astype(dtype))), VALUES.astype(dtype))
    assert read_samples(array_file(tmp_path, VALUES[:, 0].astype(dtype))).tolist() == [[1.0], [2.0], [4.0]]
    if not dtype.startswith(">"):
        assert read_samples(table_file(tmp_path, {"a": VALUES[:, 0].astype(dtype)})).tolist() == [[1.0], [2.0], [4.0]]


def test_standardized_columns_are_those_of_csv(tmp_path):
    """Both kinds are shifted and scaled as CSV is."""
    csv = tmp_path / "data.csv"
    csv.write_text("x,y\n1,2\n2,1\n4,1.5\n")
    expected = read_samples(csv, standardize=True)
    assert np.array_equal(read_samples(array_file(tmp_path, VALUES[:, :2]), standardize=True), expected)
    columns = {"x": VALUES[:, 0], "y": VALUES[:, 1]}
    assert np.array_equal(read_samples(table_file(tmp_path, columns), standardize=True), expected)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.array([[Trap()]], dtype=object), "cannot read .* as an array of numbers saved by numpy"),
        (np.zeros((0, 2)), "cannot read|must hold real numbers"),
        (np.zeros((2, 2, 2)), r"must hold real numbers in shape \(n, d\), got float64 in shape \(2, 2, 2\)"),
        (np.array(1.0), "must hold real numbers"),
        (np.array([1j]), "must hold real numbers .* got complex128"),
        (np.array([True]), "must hold real numbers .* got bool"),
        (np.array(["a"]), "must hold real numbers"),
        (np.array([(1.0, 2)], dtype="f8,i4"), "must hold real numbers"),
        (np.array([[1.0, 2.0], [3.0, np.nan]]), "row 2, column 2: expected a finite number, got nan"),
    ],
)
def test_arrays_that_are_no_data_are_refused(tmp_path, values, message):
    """Objects, which would be unpickled, other kinds, shapes and sizes, and what is not finite give one line."""
    with pytest.raises(ValueError, match=message) as caught:
        read_samples(array_file(tmp_path, values))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("ending", [".npy", ".parquet"])
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x04\x95", b"\x93NUMPY\x01\x00\x08\x00{'descr'",
                                     b"\x93NUMPY\x01\x00\x10\x00((((((((((((((((", b"PAR1PAR1", b"x,y\n1,2\n"])
def test_bytes_that_are_something_else_are_refused(tmp_path, ending, content):
    """Archives, pickles, cut headers and texts by a false name give one line that names the file."""
    path = tmp_path / f"data{ending}"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"cannot read .*data") as caught:
        read_samples(path)
    assert "\n" not in str(caught.value)


def test_an_array_larger_than_its_file_is_refused(tmp_path):
    """A header that says more numbers than the file has bytes allocates nothing."""
    path = array_file(tmp_path, np.zeros((9, 1)))
    path.write_bytes(path.read_bytes().replace(b"'shape': (9, 1), }    ", b"'shape': (9, 9999), } "))
    with pytest.raises(ValueError, match="cannot read"):
        read_samples(path)


def test_tables_that_are_no_data_are_refused(tmp_path):
    """Texts, gaps, an index of pandas, columns that are not there or twice, and no rows are named."""
    for columns, asked, message in (
        ({"a": ["x"]}, None, "column 'a': expected numbers, got string"),
        ({"a": [True]}, None, "column 'a': expected numbers, got bool"),
        ({"a": [1.0, None]}, None, "column 'a': expected a finite number, got none in a row"),
        ({"a": [1.0, np.inf]}, None, "row 2, column 'a': expected a finite number, got inf"),
        ({"a": [1.0], "__index_level_0__": [0]}, None, r"has an index written by pandas: .*columns = \['a'\]"),
        ({"a": [1.0]}, ["b"], "no column 'b', its columns are a"),
        ({"a": [1.0]}, [], "columns must be a list"),
        ({"a": np.zeros(0)}, None, "at least one column and one row, got 1 and 0"),
    ):
        with pytest.raises(ValueError, match=message):
            read_samples(table_file(tmp_path, columns), asked)
    indexed = table_file(tmp_path, {"a": [1.0], "__index_level_0__": [0]})
    assert read_samples(indexed, ["a"]).tolist() == [[1.0]]


def test_files_too_large_are_refused(tmp_path, monkeypatch):
    """More numbers than are read of a file are refused before they are read."""
    monkeypatch.setattr(data_file, "MOST_NUMBERS", 8)
    for path in (array_file(tmp_path, VALUES), table_file(tmp_path, dict(zip("xyz", VALUES.T, strict=True)))):
        with pytest.raises(ValueError, match="must hold at most 8 numbers, got 9"):
            read_samples(path)


def test_a_header_belongs_to_csv_and_a_missing_file_is_named(tmp_path):
    """What is said of a header line is refused for files without one; a file that is not there is named."""
    with pytest.raises(ValueError, match=r"header must be left out for \.npy"):
        read_samples(array_file(tmp_path, VALUES), header=True)
    for name in ("gone.npy", "gone.parquet"):
        with pytest.raises(ValueError, match=f"no such file: .*{name}"):
            read_samples(tmp_path / name)


def test_parquet_without_pyarrow_is_refused_by_name(tmp_path, monkeypatch):
    """The line of a problem names the key, the library and the extra that brings it."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    base = {**VALID["samples"], "data.file": '"data.parquet"'}
    path = write_problem(tmp_path, toml(base), {"data.parquet": b"PAR1"})
    with pytest.raises(ProblemError, match=r"^data\.file: .* needs pyarrow, .* pip install 'sgm-bounds\[tables\]'"):
        load_problem(path)


def test_constants_takes_an_array_as_it_takes_csv(tmp_path, monkeypatch):
    """`sgm-bounds constants` of an array answers what it answers of the same numbers in CSV."""
    monkeypatch.chdir(tmp_path)
    array_file(tmp_path, VALUES)
    (tmp_path / "data.csv").write_text("x,y,z\n1,2,3\n2,1,3\n4,1.5,3\n")
    of_csv, of_array = (answer("constants", name, "--bandwidth", "2") for name in ("data.csv", "data.npy"))
    assert {**of_csv, "source": None} == {**of_array, "source": None}
