"""One panel of the coupling on a line: its doubts hold what a rule on it misses."""

import numpy as np
import pytest

from closed_form.distances.line import _Coupling, _Panels
from closed_form.distances.line_mixture import LineMixture


@pytest.mark.parametrize("half", [9.0, 12.0, 15.0])
def test_the_doubt_of_a_long_panel_holds_its_error(half):
    """N(0, 1) and N(0, 4) are 1 apart. On a panel so long that its rule misses much of the mass the share is
    off by no more than noise and what was not seen, though x = y in its middle."""
    curve = _Coupling.of(LineMixture([0.0], [1.0]), LineMixture([0.0], [2.0]))
    s = np.array([[-half, half]])
    panel = _Panels.of(curve, s, curve.half_gap(s.ravel()).reshape(1, 2))
    assert abs(panel.delta[0, 1]) < 1e-9 * half
    assert panel.unseen[0] > 1e-3
    assert abs(panel.share[0] - 1.0) <= panel.unseen[0] + panel.noise[0]


def test_the_doubt_of_short_panels_is_small():
    """On panels of a tenth of a deviation nothing is unseen, noise is rounding, and the shares add up to W2²
    = 1."""
    curve = _Coupling.of(LineMixture([0.0], [1.0]), LineMixture([0.0], [2.0]))
    ends = np.linspace(-13.0, 13.0, 261)
    delta = curve.half_gap(ends)
    panels = _Panels.of(curve, *(np.stack([array[:-1], array[1:]], axis=1) for array in (ends, delta)))
    assert panels.share.sum() == pytest.approx(1.0, rel=1e-12)
    assert panels.unseen.sum() < 1e-12 and 0 < panels.noise.sum() < 1e-11
