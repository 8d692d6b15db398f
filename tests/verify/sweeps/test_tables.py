"""A sweep's rows in files, with what is optional put in the place of what is not installed."""

import csv
import sys
from types import ModuleType

from verify.sweeps.tables import write_table

ROWS = [{"cell": 0, "data.mean": [0.5, 1], "scheme.prior": "spread", "bound": 1, "failed": None},
        {"cell": 1, "data.mean": [0.5, 2], "scheme.prior": 3, "bound": 0.1, "failed": None}]


def test_csv_has_a_line_for_each_row(tmp_path):
    """Numbers to their last digit, lists as JSON, nothing where there is nothing."""
    path = tmp_path / "o.csv"
    assert write_table(str(path), ROWS, False) == f"wrote {path}"
    rows = list(csv.reader(path.read_text().splitlines()))
    assert rows == [list(ROWS[0]), ["0", "[0.5, 1]", "spread", "1", ""], ["1", "[0.5, 2]", "3", "0.1", ""]]


def test_parquet_has_columns_of_one_type(tmp_path, monkeypatch):
    """What pyarrow is given: numbers where all are numbers, else texts."""
    given = {}
    pyarrow, parquet = ModuleType("pyarrow"), ModuleType("pyarrow.parquet")
    pyarrow.table, pyarrow.parquet = dict, parquet
    parquet.write_table = lambda table, part: given.update(table)
    monkeypatch.setitem(sys.modules, "pyarrow", pyarrow)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", parquet)
    write_table(str(tmp_path / "o.parquet"), ROWS, False)
    assert given == {"cell": [0, 1], "data.mean": ["[0.5, 1]", "[0.5, 2]"], "scheme.prior": ["spread", "3"],
                     "bound": [1.0, 0.1], "failed": [None, None]}
