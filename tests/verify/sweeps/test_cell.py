"""What one cell of a sweep answers."""

import os

import pytest

from bounds import compiled
from closed_form.sampler_laws.line.point_by_point import parity_step
from verify.sweeps.cell import answer

PROBLEM = {"process": {"family": "ou"},
           "data": {"law": "mixture", "means": [[-1.0], [1.0]], "std": 0.5},
           "scheme": {"kind": "euler-maruyama", "horizon": 4.0, "steps": 40}}


def test_no_digit_depends_on_what_the_process_did_before(tmp_path):
    """A cell answers the same to the last bit where the process has worked long enough for compiled loops."""
    if os.environ.get("REQUIRE_NUMBA") != "1":
        pytest.importorskip("numba")
    asked = {"compute": "certify", "information": "all", "samples": 0}
    first = answer(PROBLEM, asked, ("martingale",), 0, tmp_path)
    compiled.compiled(parity_step, 2 * compiled.WORTH)
    assert compiled.compiled(parity_step, 0.0) is not None
    assert answer(PROBLEM, asked, ("martingale",), 0, tmp_path) == first and first["failed"] is None
