"""The command ``profile`` and what it draws."""

import numpy as np
import pytest

from bounds import ou
from closed_form import Gaussian, GaussianMixture
from tests.command_line import answer, assert_refused, problem, run, schema
from verify.studies.convexity_profile import plot_profile, profile_at


def test_a_mixture_in_json_text_and_picture(tmp_path):
    """Two modes: gap zero within rounding, constants (4, 16), and a picture."""
    document = answer("profile", "two_modes", "--out", tmp_path / "p.png")
    schema("profile").validate(document)
    assert document["constants"] == {"alpha": 4.0, "M": 16.0} and document["reason"] is None
    assert np.abs(document["gap"]).max() < 1e-6 and (tmp_path / "p.png").stat().st_size > 10_000
    assert "smallest gap" in run("profile", "two_modes").stdout


def test_unequal_covariances_have_a_profile_and_no_constants():
    """The profile is there; what is proved is refused with the reason, and the picture has one curve."""
    from matplotlib.figure import Figure

    law = GaussianMixture(np.array([[0.0], [2.0]]), covariances=np.array([[[0.2]], [[1.0]]]))
    found = profile_at(ou(), law)
    assert (
        found.proved is None
        and "unequal covariances" in found.reason
        and np.isfinite(found.found.values).all()
    )
    ax = Figure().add_subplot()
    plot_profile(ax, found)
    assert len(ax.get_legend().get_texts()) == 1


def test_a_gaussian_is_convex_at_every_time():
    """N(0, 4) under OU: α_t = 1/(1 + 3e^{−2t}), M = 0, and the profile equals it."""
    found = profile_at(ou(), Gaussian(np.zeros(1), 4.0), 0.7)
    alpha = 1 / (1 + 3 * np.exp(-1.4))
    assert found.constants["alpha"] == pytest.approx(alpha) and found.constants["M"] == 0.0
    np.testing.assert_allclose(found.found.values, alpha, rtol=1e-6)


def test_bad_input_is_refused(tmp_path):
    """A negative time and constants without a law are named."""
    assert "time must be" in assert_refused(run("profile", "two_modes", "--at", "-1"))
    assert "law in closed form" in assert_refused(run("profile", problem(tmp_path, "weak")))
    refused = assert_refused(run("profile", problem(tmp_path, "funnel", {"process.family": '"ou"'})))
    assert "law must be made of Gaussians to have a profile, got Funnel" in refused


@pytest.mark.parametrize("covariance", [0.0, np.zeros((1, 1))], ids=["variance", "matrix"])
def test_a_point_has_no_profile(covariance):
    """Data in one point are refused as that, before distances are made of their size."""
    with pytest.raises(ValueError, match="data must not be one point"):
        profile_at(ou(), Gaussian([0.5], covariance))
