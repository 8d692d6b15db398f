"""Parts of a step in balls: what holds on the ellipse around a part."""

import pytest
from flint import arb, ctx

from bounds import euler_maruyama, general, vp
from bounds.certified.frame import REACHES
from bounds.certified.steps import ball_steps


@pytest.mark.parametrize("process", [general("1/(t + 1/5)", "1 + t"), vp("2/(t + 1/5)")], ids=str)
def test_the_box_of_a_part_holds_the_real_line_in_it(process):
    """Beside a pole of f = 1/(t + 1/5) ∫f from the step's lower end, and its exponential, are in the box of every
    part at its ends and at the ends of the ellipse around it."""
    with ctx.workprec(150):
        for step in ball_steps(process, euler_maruyama(1.0, 2), None, 150):
            for frame in step.frames:
                middle, half = (arb(frame.left) + arb(frame.right)) / 2, frame.length / 2
                for place in (1, -1, REACHES[frame.reach], -REACHES[frame.reach]):
                    growth = (middle + half * place + arb(1) / 5) / (arb(step.lower) + arb(1) / 5)
                    assert frame.box.growth.real.overlaps(growth) and frame.box.F.real.overlaps(growth.log())
