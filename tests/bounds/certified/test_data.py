"""The constants of one problem in balls."""

import numpy as np
from flint import arb, ctx

from bounds import euler_maruyama, ou
from bounds.certified.data import BallData
from closed_form import Gaussian
from verify import setting_of


def test_constants_of_a_gaussian_are_those_of_its_numbers():
    """‖m‖², E‖X‖² and the least variance of N((3, 4), diag(0.1, 0.7)) are those of these floats, exactly."""
    with ctx.workprec(128):
        data = BallData(setting_of(ou(), Gaussian([3.0, 4.0], np.array([0.1, 0.7])), euler_maruyama(1.0, 2)))
        found = data.gaussian_mean_sq, data.mean_sq, data.m2, data.l
        assert all(mine == arb(its) for mine, its in zip(found, (25, 25, 25 + arb(0.1) + arb(0.7), 0.1), strict=True))
