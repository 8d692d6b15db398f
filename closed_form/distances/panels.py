"""Integrals over panels that are halved until their halves add up to them."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np


class Panels(Protocol):
    """Pieces of a range, each with its share of the integral by one rule.

    Attributes
    ----------
    share : array of shape (n,)
    noise : array of shape (n,)
        What rounding can do to the share: no panel is halved for less.
    unseen : array of shape (n,)
        What the rule is known to have missed.
    """

    share: np.ndarray
    noise: np.ndarray
    unseen: np.ndarray

    def halves(self, which: np.ndarray) -> Panels:
        """Both halves of the chosen panels, lefts first."""


def added_up(panels: Panels, target: float, depth: int) -> tuple[float, float]:
    """The integral, and a bound of its error from the last changes, what was unseen and the noise.

    Parameters
    ----------
    panels : Panels
    target : float
        A panel is done once its change is below this part of the whole, or below its noise.
    depth : int
        Halvings of a panel before its change is accepted as it is.
    """
    shares, doubts = [], []
    going = np.arange(len(panels.share))
    for left in reversed(range(depth)):
        finer = panels.halves(going)
        pair, noise, unseen = (part.reshape(2, -1).sum(axis=0)
                               for part in (finer.share, finer.noise, finer.unseen))
        doubt = np.abs(pair - panels.share[going]) + unseen
        total = math.fsum(shares) + pair.sum()
        done = (doubt <= np.maximum(target * total, noise)) | (left == 0)
        shares.extend(pair[done])
        doubts.extend(doubt[done] + noise[done])
        panels, going = finer, np.flatnonzero(np.tile(~done, 2))
        if not going.size:
            break
    return math.fsum(shares), math.fsum(doubts)
