"""The Ornstein–Uhlenbeck process: the simplest whose law forgets the data, at rate 1."""

import numpy as np

from bounds.process import Family, ForwardProcess


def ou() -> ForwardProcess:
    r"""Ornstein–Uhlenbeck: f = 1, g = √2 (arXiv 2501.02298 eq. (3))."""
    return ForwardProcess.scalar("ou", 1, 2)


FAMILY = Family("ou", ou, {}, time_of_level=lambda sigma: np.log1p(np.square(sigma)) / 2)
