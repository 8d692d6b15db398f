"""The strategies for users' own tests: what they draw is what they say."""

import math

import pytest
from hypothesis import given, settings

from bounds.theorem import Domain
from bounds.theorems import theorems
from tests.drawn import examples
from tests.verify.test_testing import TRUE
from verify import Verdict, certify_setting, strategies

FEW = settings(max_examples=examples(4))


@FEW
@given(strategies.questions(TRUE))
def test_questions_are_inside(question):
    """A question drawn for a theorem is inside its hypotheses, and its exact W2 holds against it."""
    found = certify_setting(TRUE, question.setting, question.law, question.measured)
    assert found.verdict is Verdict.HOLDS


@FEW
@given(strategies.processes("vp", "ve"), strategies.laws("weak-log-concave"),
       strategies.schemes("exponential"),
       strategies.data_assumptions("strong-log-concave"), strategies.samplers(blocks=2), strategies.grids(),
       strategies.score_errors(2.0))
def test_parts_are_of_the_kind_asked_for(process, law, scheme, assumption, sampler, grid, error):
    """Families, assumptions, samplers and blocks are those asked for; grids end at 0 or stop early, errors
    are bounded."""
    assert process.name in ("vp", "ve") and scheme.key == "exponential"
    assert law.assumptions()[0].key == "weak-log-concave" and assumption.key == "strong-log-concave"
    assert sampler.form(2) is not None and 0 <= grid.early_stop < grid.horizon and 0 <= error <= 2.0


@FEW
@given(strategies.problem_files(Domain(process=("cld",)), most_steps=10))
def test_problems_of_two_blocks(problem):
    """A problem in phase space can be asked of a theorem."""
    assert problem.process.blocks == 2 and theorems()["martingale"].title


@pytest.mark.parametrize("largest", [0.0, -1.0, math.inf, math.nan])
def test_a_score_error_has_a_size(largest):
    """The largest score error to be drawn is positive and finite."""
    with pytest.raises(ValueError, match=r"^largest must be positive and finite, got"):
        strategies.score_errors(largest)
