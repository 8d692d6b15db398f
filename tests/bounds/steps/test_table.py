"""The table of a scheme: paths that are kept for other data on the same process and grid."""

import numpy as np
import pytest

from bounds import StronglyLogConcave, WeaklyLogConcave, vp
from bounds.sampler import scheme
from bounds.samplers import samplers
from bounds.setting import Setting
from bounds.steps import table as tables
from bounds.theorems import theorems

DATA = (WeaklyLogConcave(1.0, 1.5, 3.0, dim=3), StronglyLogConcave(4.0, 400.0), WeaklyLogConcave(0.1, 0.2, 1e5, dim=2))
KEYS = [key for key in samplers(1) if not scheme(key, 1.0, 2).sampler.follows_ode]


def bounds_of(key, order):
    """The martingale bounds of all data in an order, by their place."""
    found = {}
    for place in order:
        setting = Setting(vp("1/10 + 5*t"), DATA[place], scheme(key, 2.0, 24))
        found[place] = theorems()["martingale"].bound(setting).total
    return found


@pytest.mark.parametrize("key", KEYS)
def test_what_was_asked_before_changes_no_digit(key):
    """A bound is the same to the last digit on a path that is made for it and on one that other data left."""
    fresh = {}
    for place in range(len(DATA)):
        tables._kept_path.cache_clear()
        fresh |= bounds_of(key, [place])
    assert bounds_of(key, (2, 1, 0, 1, 2, 0)) == fresh


def test_paths_are_shared_by_equal_processes_alone():
    """Equal processes share a path that nobody may write to; another schedule, another callable of the same name, and
    another grid have their own."""
    def path_of(beta, steps=8):
        return scheme("euler-maruyama", 1.0, steps).table(vp(beta), DATA[0]).path

    first = path_of("1 + t")
    assert path_of("1 + t").F is first.F
    with pytest.raises(ValueError, match="read-only"):
        first.F[0] = 0.0
    assert len(path_of("1 + t", 9).F) == 9
    for beta in ("2 + t", lambda t: 1 + t, lambda t: 3 + t):
        assert path_of(beta).F is not first.F
    one, other = path_of(lambda t: 1 + t), path_of(lambda t: 3 + t)
    assert np.all(other.F > one.F)


def test_long_paths_are_not_kept():
    """A grid beyond the limit leaves nothing behind."""
    tables._kept_path.cache_clear()
    scheme("euler-maruyama", 1.0, tables.LONGEST_KEPT).table(vp("1 + t"), DATA[0])
    assert tables._kept_path.cache_info().currsize == 0
