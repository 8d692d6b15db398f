"""Steps refined panel by panel against steps evaluated anew as a whole."""

import numpy as np
import pytest

from bounds import ou
from bounds.processes.general import general
from bounds.steps.cuts import Cut
from bounds.steps.kinks import Kinked, passing
from bounds.steps.path import Path
from tests.bounds.tolerances import REFINED_APART

TIMES = np.linspace(2.0, 0.0, 5)


def kinked(nodes):
    """|s²/a² − c| for three c, of which two have their kinks inside steps."""
    off = nodes.s_sq / nodes.a_sq - np.array([0.7, 3.0, 99.0])[:, None, None, None]
    return Kinked(np.abs(off), 2 * passing(off))


@pytest.mark.parametrize("process", [ou(), general("1/2", "sqrt(t)")], ids=["ou", "sqrt(t)"])
def test_panels_apart_are_integrated_as_whole_steps_are_with_fewer_evaluations(process):
    """Integrals and what they may miss are the same, and a panel that is fine is not evaluated again."""
    path, found = Path(process, TIMES), {}
    for apart in (False, True):
        asked = []

        def counted(nodes, asked=asked):
            asked.append(nodes.t.size)
            return (kinked(nodes), np.sqrt(nodes.s_sq))

        values = path.integrate(counted, 3, apart=apart, floor=lambda nodes: (1e-12, 1e-12 * nodes.g_sq))
        found[apart] = values, sum(asked), len(asked)
    (whole, points, calls), (parts, fewer, once) = found[False], found[True]
    for one, other in zip([*whole[0], *whole[1]], [*parts[0], *parts[1]], strict=True):
        np.testing.assert_allclose(other, one, rtol=REFINED_APART, atol=REFINED_APART)
    assert fewer < points / 2
    assert once <= calls


def test_steps_that_few_nodes_integrate_need_no_panels():
    """Of one smooth integrand nothing is left to refine, and the integrals are those of whole steps."""
    path = Path(ou(), TIMES)
    (whole,), _ = path.integrate(lambda nodes: (nodes.g_sq,))
    (apart,), _ = path.integrate(lambda nodes: (nodes.g_sq,), apart=True)
    np.testing.assert_array_equal(apart, whole)


def test_a_panel_whose_noise_levels_have_moved_is_integrated_again():
    """Halving a panel leaves the others known, until what is below them changes their noise levels."""
    levels = np.arange(1.0, 13.0).reshape(2, 2, 3)
    cut = Cut.fresh(np.arange(2), np.broadcast_to([0.0, 0.5, 1.0], (2, 3)), 3)
    assert cut.new(levels).all()
    cut = Cut(cut.index, cut.edges, levels, (np.ones((5, 2, 2)),))
    assert not cut.new(levels * (1 + 1e-15)).any()
    (half,) = cut.halved(np.array([[False, True], [False, False]]))
    assert half.index.tolist() == [0]
    np.testing.assert_array_equal(half.edges, [[0.0, 0.5, 0.75, 1.0]])
    np.testing.assert_array_equal(half.new(half.levels), [[False, True, True]])
    np.testing.assert_array_equal(half.new(half.levels * (1 + 1e-9)), [[True, True, True]])
