"""Hypothesis strategies for random admissible problems, for this project's tests and its users'."""

from hypothesis import strategies as st

from verify.counterexamples.drawing import RandomProblem, problem


class HypothesisDraw:
    """Choices drawn by Hypothesis, so that failures shrink."""

    def __init__(self, draw):
        self._draw = draw

    def uniform(self, low, high):
        return self._draw(st.floats(low, high))

    def integer(self, low, high):
        return self._draw(st.integers(low, high))


@st.composite
def problems(draw, kind: str | None = None, most_steps: int = 200, process: str = "one-block",
             sampler: str | None = None) -> RandomProblem:
    """Random admissible problems, as `verify.counterexamples.drawing.problem` (``process="cld"``: two
    blocks)."""
    return problem(HypothesisDraw(draw), kind=kind, most_steps=most_steps, process=process, sampler=sampler)
