"""Parts of a step in balls: what holds on the ellipse around a part holds at its ends."""

import pytest
from flint import arb, ctx

from bounds import euler_maruyama, general, vp
from bounds.certified.steps import ball_steps


@pytest.mark.parametrize("process", [general("1 + t", "1 + t"), vp("2 + 2*t")], ids=str)
def test_the_box_of_a_part_holds_both_ends(process):
    """∫f from the step's lower end, of f = 1 + t, is in the box of every part at its ends, and so is e^{∫f}."""
    with ctx.workprec(150):
        for step in ball_steps(process, euler_maruyama(2.0, 2), None, 150):
            for frame in step.frames:
                for t in (arb(frame.left), arb(frame.right)):
                    F = t + t * t / 2 - arb(step.lower) - arb(step.lower) ** 2 / 2
                    assert frame.box.F.real.contains(F) and frame.box.growth.real.contains(F.exp())
