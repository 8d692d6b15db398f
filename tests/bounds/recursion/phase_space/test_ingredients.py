"""What the first weights make of an error."""

import numpy as np
import pytest

from bounds.recursion.phase_space.ingredients import growth
from tests.tolerances import LAW_ROUNDING


def test_growth_is_the_largest_stretch_between_two_norms():
    """Of P_0 = diag(4, 1) over Σ = diag(9, 1) it is √(36/9); weights of which one is no number promise nothing."""
    assert growth((4.0, 0.0, 1.0), np.diag([9.0, 1.0])) == pytest.approx(2.0, rel=LAW_ROUNDING)
    for lost in (np.nan, np.inf):
        assert growth((1.0, lost, 1.0), np.eye(2)) == np.inf
