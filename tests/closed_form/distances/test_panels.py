"""Panels are halved until their halves add up, and what is still open at the last halving is in the doubt."""

import numpy as np
import pytest

from closed_form.distances.panels import added_up


class Roots:
    """√x on panels, by the value in their middle: a rule whose error falls by more than half at every
    halving."""

    def __init__(self, low, high, noise=0.0):
        self.low, self.high, self.rounding = low, high, noise
        self.share = (high - low) * np.sqrt((low + high) / 2)
        self.noise, self.unseen = np.full(low.shape, noise), np.zeros(low.shape)

    def halves(self, which):
        low, high = self.low[which], self.high[which]
        middle = (low + high) / 2
        return Roots(np.concatenate([low, middle]), np.concatenate([middle, high]), self.rounding)


@pytest.mark.parametrize(("target", "depth"), [(1e-4, 30), (1e-7, 30), (1e-7, 1), (1e-7, 4)])
def test_the_doubt_holds_the_error(target, depth):
    """The integral is within the doubt, at the end of the halving as well; the doubt is small where that was
    not reached."""
    total, doubt = added_up(Roots(np.arange(4.0), np.arange(1.0, 5.0)), target, depth)
    assert abs(total - 16 / 3) <= doubt
    assert depth < 30 or doubt < 2000 * target


def test_noise_stops_the_halving():
    """A change below a panel's own rounding is accepted after one halving, and the rounding counted."""
    panels = Roots(np.zeros(1), np.ones(1), noise=1.0)
    total, doubt = added_up(panels, 0.0, 50)
    halves = panels.halves(np.arange(1)).share
    assert total == halves.sum() and doubt == pytest.approx(2.0 + abs(halves.sum() - panels.share[0]))
