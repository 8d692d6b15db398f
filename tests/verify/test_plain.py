"""Plain data is JSON, numbers have four digits, messages fit on a line."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from verify.plain import number, one_line, plain

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
    data = plain(tree)
    assert json.loads(json.dumps(data, allow_nan=False)) == data == plain(data)


def test_plain_data_keeps_full_precision_and_drops_infinities():
    """Numbers survive to the last bit; NaN and infinities become None."""
    value = plain(
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
    assert number(value) == shown


@given(st.text())
def test_any_message_fits_on_one_line(message):
    """The result is printable and short, and what is a line already is left alone."""
    line = one_line(message)
    assert len(line) <= 500 and all(c.isprintable() for c in line)
    assert one_line(line) == line
