"""regimes: the boundary of the contractive phase in words, JSON and as a picture."""

import numpy as np
import pytest

from tests.command_line import answer, assert_refused, run, schema


def test_two_modes_have_both_phases():
    """½N(±1,¼) under OU: ξ = ½log(28/16), η where 2(α_t − M_t) = 1, from the closed forms by hand."""
    found = answer("regimes", "two_modes")
    schema("regimes").validate(found)
    assert found["xi"] == pytest.approx(0.5 * np.log(28 / 16), rel=1e-12)
    assert found["eta"] == pytest.approx(0.5 * np.log((16 + np.sqrt(16**2 + 16 * 9)) / 16), rel=1e-12)
    assert found["backward_time"] == pytest.approx(5 - found["eta"])
    before, after = (
        [r["rate"] for r in found["rate"] if (r["time"] > found["eta"]) == late] for late in (False, True)
    )
    assert max(before) <= 1e-9
    assert min(after) >= -1e-9


def test_other_processes_go_by_numbers(tmp_path):
    """For a process without closed form the rate vanishes at η."""
    found = answer("regimes", "two_modes", "--set", 'process.family="vp"', "--set", 'process.beta="1 + t"')
    times, rates = (np.array([r[k] for r in found["rate"]]) for k in ("time", "rate"))
    assert abs(np.interp(found["eta"], times, rates)) < 0.02
    assert 0 < found["xi"] < found["eta"] < 5


def test_the_picture_is_written_once(tmp_path):
    """A PNG appears, and is not replaced without --force."""
    path = tmp_path / "rate.png"
    assert run("regimes", "two_modes", "--out", path).exit_code == 0
    assert path.read_bytes().startswith(b"\x89PNG")
    assert "--force" in assert_refused(run("regimes", "two_modes", "--out", path))
    assert run("regimes", "two_modes", "--out", path, "--force").exit_code == 0


def test_two_blocks(tmp_path):
    """The rate changes sign at η, in the metric that is named; the picture is drawn; v = 0 has no regularity
    constant."""
    found = answer("regimes", "critically_damped")
    schema("regimes").validate(found)
    times, rates = (np.array([r[k] for r in found["rate"]]) for k in ("time", "rate"))
    assert abs(np.interp(found["eta"], times, rates)) < 0.01 and 0 < found["xi"] < found["eta"] < 10
    assert rates[-1] == pytest.approx(found["metric"]["drift_rate"], rel=1e-2)
    assert found["metric"]["drift_rate"] == pytest.approx(1 - 1 / found["metric"]["kappa"])
    text = run("regimes", "critically_damped", "--out", tmp_path / "rate.png").stdout
    assert "regularity constant C_T = 2.124" in text and (tmp_path / "rate.png").exists()
    still = answer("regimes", "critically_damped", "--set", "process.velocity_variance=0")
    assert still["metric"]["regularity_constant"] is None
    assert (
        "no regularity constant"
        in run("regimes", "critically_damped", "--set", "process.velocity_variance=0").stdout
    )


@pytest.mark.parametrize("rho", ["1", "-0.1", "nan"])
def test_margins_out_of_range_are_refused(rho):
    """ρ lies in [0, 1)."""
    assert "rho" in assert_refused(run("regimes", "two_modes", "--rho", rho))
