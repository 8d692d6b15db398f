"""Sliced W2 between two samples, a point estimate."""

import numpy as np
import pytest

from tests.tolerances import LAW_ROUNDING
from tests.verify.tolerances import SLICED_PROJECTIONS
from verify.lower_sides.sliced import sliced_w2


def test_a_shift_is_its_mean_square_projection():
    """A common shift m gives |m|²/d in the mean over directions; exactly |m| on the line."""
    x = np.random.default_rng(0).standard_normal((300, 6))
    shift = np.array([3.0, 0.0, -1.0, 0.0, 2.0, 0.0])
    assert sliced_w2(x, x + shift, projections=20_000) == pytest.approx(
        np.sqrt(14 / 6), rel=SLICED_PROJECTIONS
    )
    assert sliced_w2(x[:, :1], x[:, :1] - 2.5) == pytest.approx(2.5, rel=LAW_ROUNDING)
    assert sliced_w2(x, x[::-1]) == pytest.approx(0.0, abs=LAW_ROUNDING)


def test_agrees_with_pot_on_its_directions():
    """On the line one projection is enough, and POT's one-dimensional distance is the same number."""
    ot = pytest.importorskip("ot")
    x, y = np.random.default_rng(1).standard_normal((2, 50, 1))
    assert sliced_w2(x, 2 * y) == pytest.approx(np.sqrt(ot.emd2_1d(x[:, 0], 2 * y[:, 0])), rel=1e-8)


@pytest.mark.parametrize(
    ("x", "y", "options", "fragment"),
    [
        (np.zeros((3, 2)), np.zeros((4, 2)), {}, "one shape"), (np.zeros(3), np.zeros(3), {}, "one shape"),
        (np.zeros((3, 2)), np.full((3, 2), np.nan), {}, "finite"),
        (np.zeros((3, 2)), np.zeros((3, 2)), {"projections": 0}, "at least 1"),
    ],
)
def test_wrong_samples_are_refused(x, y, options, fragment):
    """Unequal shapes, values that are not finite and no projection are refused."""
    with pytest.raises(ValueError, match=fragment):
        sliced_w2(x, y, **options)
