"""Data as far away as a problem file may say: every command answers, and numpy never warns."""

import pytest

from tests.command_line import problem, run

#: The farthest mean of a Gaussian, and of a mixture, that a problem file may say.
FAR = {
    "gaussian": {"data.mean": "1e75", "data.covariance": "0.25"},
    "mixture": {"data.means": "[[-1e49], [1e49]]", "data.weights": None, "data.std": "0.5"},
}
COMMANDS = ("bound", "certify", "lower-bound")


@pytest.mark.parametrize("base", FAR)
@pytest.mark.parametrize("asked", COMMANDS)
def test_commands_on_far_data_answer_without_a_warning(asked, base, tmp_path):
    """Warnings are errors here: each command ends with an exit code of its own, and what it says on the error stream
    is at most one line, which is no warning."""
    path = problem(tmp_path, base, {"process.family": '"ou"', "process.beta": None, "scheme.kind": '"euler-maruyama"',
                                    "scheme.score_error": "0", "scheme.score_noise": "0", "scheme.horizon": "2.0",
                                    "scheme.steps": "10", **FAR[base]})
    result = run(asked, path)
    assert result.exit_code in (0, 1, 2, 3)
    assert result.stderr.count("\n") <= 1 and "encountered" not in result.stderr + result.stdout
