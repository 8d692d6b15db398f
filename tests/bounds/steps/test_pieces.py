"""No feature of f and g² hides between the nodes of a step, and errors called proved hold what is missed."""

from dataclasses import replace

import numpy as np
import pytest
from flint import arb
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import erf

from bounds import ForwardProcess, general, ve, vp
from bounds.steps import pieces
from bounds.steps.analytic_panels import Panels, _bounds_of, analytic_panels
from bounds.steps.path import Path
from bounds.symbolic.balls import BallFunction
from bounds.symbolic.expressions import real_function
from tests.bounds.tolerances import FEATURE_RELATIVE, PATH_RELATIVE


def path(f, g_sq, times) -> Path:
    """The path of a process from f and g² as text."""
    return Path(ForwardProcess.scalar("test", real_function("f", f), real_function("g", g_sq)),
                np.array(times))


@given(st.floats(0.01, 0.99), st.floats(1, 7), st.floats(-2, 2))
def test_a_spike_is_seen_wherever_it_is(at, log_narrow, log_tall):
    """∫g² over one step holds the whole of a spike a million times narrower than the step."""
    narrow, tall = float(f"{10**log_narrow:.6g}"), float(f"{10**(log_tall + log_narrow):.6g}")
    at = float(f"{at:.6g}")
    found = path("0", f"1+{tall}*exp(-({narrow}*(t-{at}))^2)", [1.0, 0.0])
    wanted = 1 + tall / narrow * np.sqrt(np.pi) / 2 * (erf(narrow * (1 - at)) + erf(narrow * at))
    assert found.C[0] == pytest.approx(wanted, rel=FEATURE_RELATIVE)
    assert abs(found.C[0] - wanted) <= found.C_error[0] + 4e-16 * wanted


@given(st.floats(0.01, 0.99), st.integers(1, 5))
def test_a_jump_and_a_kink_are_seen(at, steps):
    """∫f and ∫g² of a jump and of a kink are those of the two sides, on any grid."""
    at = float(f"{at:.6g}")
    times = np.linspace(1, 0, steps + 1)
    found = path(f"abs(t-{at})", f"2+abs(t-{at})/(t-{at})", times)
    F = (np.square(times - at) * np.sign(times - at)) / 2
    jump = np.where(times > at, 3 * (times - at), times - at)
    assert found.F == pytest.approx(F[:-1] - F[1:], rel=PATH_RELATIVE)
    weighted = path("0", f"2+abs(t-{at})/(t-{at})", times)
    assert weighted.C == pytest.approx(jump[:-1] - jump[1:], rel=PATH_RELATIVE)


@pytest.mark.parametrize("text", ["heaviside(t-{at})", "(sign(t-{at})+1)/2", "if(t<{at}, 0, 1)",
                                  "0 if t <= {at} else 1", "piecewise(t<{at}/2, 0, t<{at}, 0, 1)",
                                  "Piecewise((0, t < {at}), (1, True))"])
def test_every_way_to_write_a_jump_is_seen(text):
    """∫g² of a jump at √2/3, which no float is, is that of its two sides however the jump is written."""
    times = np.linspace(1, 0, 8)
    found = path("0", f"0.1+20*({text.format(at='sqrt(2)/3')})", times)
    wanted = 0.1 * times + 20 * np.maximum(times - np.sqrt(2) / 3, 0)
    assert found.C == pytest.approx(wanted[:-1] - wanted[1:], rel=PATH_RELATIVE) and not found.unproved


@pytest.mark.parametrize("text", ["min(20*t, 8)", "8-max(8-20*t, 0)", "if(20*t < 8, 20*t, 8)", "20*t if t < 0.4 else 8"])
def test_every_way_to_write_a_clipped_rise_is_seen(text):
    """∫f of 20 t up to 8 is that of the line and the constant, whatever the grid."""
    times = np.linspace(1, 0, 8)
    found = path(text, "1", times)
    wanted = 10 * np.minimum(times, 0.4) ** 2 + 8 * np.maximum(times - 0.4, 0)
    assert found.F == pytest.approx(wanted[:-1] - wanted[1:], rel=PATH_RELATIVE) and not found.unproved


def test_what_is_not_real_in_the_other_case_does_not_matter():
    """log(t − ½) and √(t − ½) behind a condition that holds after ½ only are integrated there, and proved."""
    found = path("if(t < 0.75, 0, log(t - 0.5))", "1 if t <= 0.5 else 1 + sqrt(t - 0.5)", [1.0, 0.0])
    logs = 0.5 * np.log(0.5) - 0.5 - (0.25 * np.log(0.25) - 0.25)
    assert found.F[0] == pytest.approx(logs, rel=PATH_RELATIVE) and not found.unproved
    assert path("0", "1 if t <= 0.5 else 1 + sqrt(t - 0.5)", [1.0, 0.0]).C[0] == pytest.approx(
        1 + 0.5**1.5 / 1.5, rel=FEATURE_RELATIVE)
    with pytest.raises(ValueError, match="f must be real and finite"):
        path("if(t < 0.4, 0, log(t - 0.5))", "1", [1.0, 0.0])


@given(st.floats(1e-9, 1e-3), st.floats(0.1, 5))
def test_a_nearly_singular_end_is_seen(offset, size):
    """∫f of size/√(t + offset) over one step is 2·size·(√(1 + offset) − √offset)."""
    offset, size = float(f"{offset:.6g}"), float(f"{size:.6g}")
    found = path(f"{size}/sqrt(t+{offset})", "1", [1.0, 0.0])
    wanted = 2 * size / (np.sqrt(1 + offset) + np.sqrt(offset))
    assert found.F[0] == pytest.approx(wanted, rel=FEATURE_RELATIVE)
    assert abs(found.F[0] - wanted) <= found.F_error[0] + 4e-16 * wanted


def test_a_smooth_process_needs_one_panel():
    """Coefficients that are polynomials of low degree are proved on [0, T] at once."""
    for process in (vp("0.1+19.9*t"), general("1", "2"), ve("t")):
        panels = analytic_panels((process.f, process.g_sq), ("f", "g²"), (False, True), 1.0)
        assert len(panels.edges) == 2 and not panels.unproved


@pytest.mark.parametrize("f, g_sq, words", [
    ("0", "1-1.001*exp(-(1e4*(t-0.3141))^2)", "g² must be >= 0"),
    ("tan(t)", "1", "f must be real and finite"),
    ("0", "1/(t-0.7)^2", "g² must be real and finite"), ("0", "1-2*t", "g² must be >= 0"),
    ("1/t", "1", "f must be real and finite"), ("log(t-1)", "1", "f must be real and finite"),
    ("0", "(t-1)/abs(t-1)", "g² must be >= 0")])
def test_what_is_not_admissible_anywhere_is_refused(f, g_sq, words):
    """A coefficient that is negative or singular on however small a part of [0, T] is refused by name."""
    with pytest.raises(ValueError, match=words):
        path(f, g_sq, [2.0, 1.0, 0.0])


@pytest.mark.parametrize("g_sq", ["sin(3*t)^2", "t^20", "abs(t-0.7)", "(1-t)^2*exp(-t)", "t^(1/5)"])
def test_a_root_of_g_is_allowed(g_sq):
    """g² may vanish at points: it is proved not to be negative there."""
    assert not path("1/2", g_sq, [2.0, 1.0, 0.0]).unproved


def test_what_is_not_proved_is_said():
    """An integrable singularity at 0 and a coefficient that oscillates too fast leave a reason."""
    assert "bounded near t" in path("0", "1/sqrt(t)", [1.0, 0.0]).unproved
    assert "parts" in path("0", "2-cos(exp(10*t))", np.linspace(1, 0, 401)).unproved


def test_noise_matched_to_narrow_data_is_seen():
    """Near time 0, where s² vanishes, steps are halved: the noise of data of variance 1e-12 comes out
    whole."""
    from bounds import posterior_mean_matched
    from closed_form import Gaussian
    from verify import setting_of

    table = setting_of(general("0", "1"), Gaussian([0.0], 1e-12), posterior_mean_matched(1.0, 3)).table
    # exact for isotropic Gaussian data: v_r = (V_r/V_τ)² V_τ + noise
    s_sq = table.path.s_sq + 1e-12
    assert table.noise_var == pytest.approx(s_sq[1:] - np.square(s_sq[1:]) / s_sq[:-1],
                                            rel=FEATURE_RELATIVE * 100)


@pytest.mark.parametrize("few, many", [(5, 10), (1, 2)])
def test_what_a_rule_misses_of_a_piece_by_hand(few, many, monkeypatch):
    """Of f = 1/4 and g² = 3 over three steps of [0, 1] the rule misses what its ellipse within the disc of
    the panel allows, the same on either side of the middle; with many nodes that is less than rounding."""
    monkeypatch.setattr(pieces, "SHORT", few)
    monkeypatch.setattr(pieces, "LONG", many)
    found = pieces.pieces(general("1/4", "sqrt(3)"), np.array([1.0, 2 / 3, 1 / 3, 0.0]))
    for step, off in enumerate((1 / 3, 0.0, 1 / 3)):
        axis = min((4 / 2 - off) * 6, max(3.0, 2 * few * 12))
        rho = axis + np.sqrt(axis**2 - 1)
        nodes = few if found.short[step] else many
        missed = 32 / 15 / 3 * rho ** (-2.0 * nodes) / (1 - rho**-2)
        rounded = 2 / 3 / 3 * 2 * np.finfo(float).eps * (1 - step / 3)
        growth = np.exp((axis + 1) / 12) * (1 + 256 / 12)
        assert found.f_error[step] == pytest.approx((missed + rounded) / 4, rel=0.01)
        assert found.g_sq_error[step] == pytest.approx(3 * (growth * missed + rounded), rel=0.01)


@pytest.mark.parametrize("axis, few", [(18.25, False), (18.33, True)])
def test_few_nodes_do_from_an_axis_on(axis, few):
    """Without drift five nodes do where (64/15)ϱ^−10 is below 1e-15: from ϱ = 36.56 on, of semi-axis
    18.29."""
    width = 4 / axis
    found = pieces.pieces(ve(1), np.array([1.0, (1 + width) / 2, (1 - width) / 2, 0.0]))
    assert found.short[1] == few


def test_few_nodes_do_where_the_disc_is_far():
    """Of five steps of [0, 1] with hardly any drift the middle one alone has an ellipse of semi-axis 20
    within the disc, which is enough for few nodes; those beside it have 18 and 16."""
    found = pieces.pieces(general("1/1000", "1"), np.linspace(1.0, 0.0, 6))
    assert found.short.tolist() == [False, False, True, False, False]
    assert found.count.tolist() == [1] * 5 and found.edges(np.array([2]), 1).tolist() == [[0.0, 1.0]]


def test_steps_are_cut_at_panels_unless_one_disc_reaches_round_them():
    """The disc of a panel is four half panels wide: that of [1, 2] reaches well round [0.9, 1.1], but not
    that of [2, 2.25] round [1.9, 2.3], nor one of a narrow panel, which has no bound, round anything."""
    edges, times = np.array([0.0, 1.0, 2.0, 2.25, 2.5]), np.array([0.0, 0.9, 1.1, 1.9, 2.3, 2.5])
    bounded, none = np.ones((2, 4)), np.zeros((2, 4))
    inner = edges[1:-1]
    assert pieces._needed(inner, times, Panels(edges, bounded, none, True)).tolist() == [2.0, 2.25]
    for panels in (Panels(edges, none, none, True), Panels(edges, bounded, none, False)):
        assert pieces._needed(inner, times, panels).tolist() == inner.tolist()


def test_a_panel_that_holds_next_to_nothing_may_vary_on_its_disc():
    """e^{−1000t} on [3/4, 1] is e^{−375} at most on its disc, which starts at 3/8, and far less at its
    middle: that is enough where a quarter of it is below 1e-12 of the integral, and not where it is above."""
    ball = BallFunction(real_function("f", "exp(-1000*t)"))
    held = np.exp(-375.0) / 4 / 1e-12
    for share, enough in ((3.0, True), (1 / 3, False)):
        found = _bounds_of([ball], [True])(0.75, 0.875, 1.0, arb(0.75).union(arb(1.0)), [share * held])
        assert (found is not None) == enough
    assert _bounds_of([ball], [True])(0.0, 1 / 2048, 1 / 1024, arb(0.0).union(arb(1 / 1024)), [1e-3])[0] >= 1.0


def test_what_kinks_hide_is_an_error(monkeypatch):
    """What narrow panels may hide of ∫f and ∫g² is part of the errors of the step that holds them."""
    plain = analytic_panels

    def hiding(*question):
        found = plain(*question)
        return replace(found, hidden=found.hidden + np.array([[0.25], [0.5]]))

    monkeypatch.setattr(pieces, "analytic_panels", hiding)
    found = pieces.pieces(general("1/10", "2"), np.array([1.0, 0.0]))
    assert 0.25 <= found.f_error[0] < 0.26 and 0.5 <= found.g_sq_error[0] < 0.51


def test_an_error_grows_where_f_is_negative():
    """With f = −3 an error of ∫g² early in a step of length 1 has grown by e⁶ at its end, and so has that of
    C."""
    found = path("-3", "1", [1.0, 0.0])
    assert found.C_error[0] >= np.exp(6) * found._pieces.g_sq_error[0]


def test_a_step_across_an_end_of_a_panel_keeps_to_one_panel():
    """A step on one panel's disc is cut, and its error bounded, by that panel alone, not the rougher one
    beside it."""
    times = np.linspace(1.5, 0.1, 7)  # a panel of sin(5t) ends at 3/4, the next is 40 times as rough
    found = path("sin(5*t)-1/2", "1+cos(t)/2", times)
    assert np.all(found.C_error <= FEATURE_RELATIVE * found.C)
    fine = path("sin(5*t)-1/2", "1+cos(t)/2", np.linspace(1.5, 0.1, 601))
    apart = np.abs(found.F - fine.F.reshape(6, 100).sum(axis=1))
    assert apart.max() <= found.F_error.max() + fine.F_error.sum()


def test_a_drift_whose_disc_is_far_from_it_is_not_cut_in_ever_more_pieces():
    """On discs a few units wide cos is a thousand times what it is: over many periods there are some dozens of pieces
    a unit, each on a panel where ∫|f| is small by its bound, and ∫f is found."""
    process = general("cos(t)", "1+t")
    found = pieces.pieces(process, np.array([1000.0, 500.0, 0.0]))
    assert not found.unproved and len(found.places) < 30 * 1000
    assert Path(process, np.array([10.0, 0.0])).F[0] == pytest.approx(np.sin(10.0), rel=PATH_RELATIVE)


def test_panels_of_a_longer_horizon_serve():
    """With them integrals are the same; a horizon where f or g² is not what it has to be has none."""
    process, times = general("1/(3-t)", "1+t"), np.array([2.0, 1.0, 0.0])
    plain, other = Path(process, times), Path(process, times, reach=2.5)
    assert other.F == pytest.approx(plain.F, rel=PATH_RELATIVE)
    assert other.C == pytest.approx(plain.C, rel=PATH_RELATIVE)
    assert pieces.is_usable(process, 2.5) and not pieces.is_usable(process, 3.5)
