"""The command ``schedules``."""

from tests.command_line import answer, assert_refused, problem, run, schema


def test_two_schedules_in_json_text_and_picture(tmp_path):
    """Rows, verdict and picture are there."""
    args = (
        "schedules",
        problem(tmp_path, "gaussian"),
        "--steps",
        10,
        "--schedule",
        "VE, constant",
    )
    document = answer(*args, "--schedule", "OU", "--out", tmp_path / "s.png")
    schema("schedules").validate(document)
    assert document["holds"] and {row["schedule"] for row in document["rows"]} == {"OU", "VE, constant"}
    assert (tmp_path / "s.png").stat().st_size > 10_000
    assert "VE, constant" in run(*args).stdout


def test_constants_alone_are_refused(tmp_path):
    """Without a law there is no exact W2; unknown schedules are named."""
    assert "law in closed form" in assert_refused(run("schedules", problem(tmp_path, "strong")))
    assert "VP, linear" in assert_refused(run("schedules", "two_modes", "--schedule", "cubic"))


#: Modes in space, not in one plane and no product: no exact law is known.
SOLID = {"data.means": "[[-1.0, 0.0, 0.0], [1.0, 0.3, 0.0], [0.0, 1.0, 0.0], [0.2, 0.1, 1.0]]", "data.weights": None,
            "scheme.kind": '"euler-maruyama"'}


def test_bounds_are_compared_where_no_exact_w2_is_known(tmp_path):
    """The bounds, ranks and gains are there; the exact W2 is unknown with its reason, and the exit code 3."""
    args = ("schedules", problem(tmp_path, "mixture", SOLID), "--steps", 10, "--schedule", "OU")
    document = answer(*args, "--out", tmp_path / "s.png", code=3)
    schema("schedules").validate(document)
    (row,) = document["rows"]
    assert row["uniform_bound"] > 0 and row["gain_bound"] > 0
    assert document["holds"] is row["uniform_exact"] is row["best_exact"] is row["gain_exact"] is None
    (reason,) = document["notes"]
    assert reason.startswith("no exact W2 is known for OU: the means span 3 dimensions")
    result = run(*args)
    assert (result.exit_code, result.stderr) == (3, "") and "the means span 3 dimensions" in result.stdout


def test_constants_stated_by_hand_are_those_compared_with(tmp_path):
    """Modes of unequal covariances, of which nothing is proved, are compared from the constants stated."""
    stated = {"data.std": None, "data.covariances": "[1.0, 2.0]", "data.assumption": '"weak-log-concave"',
              "data.alpha": "0.3", "data.M": "3.0", "data.L": "3.0", "scheme.kind": '"euler-maruyama"'}
    path = problem(tmp_path, "mixture", stated)
    document = answer("schedules", path, "--steps", 10, "--schedule", "OU")
    assert document["holds"] and document["notes"] == []


def test_schedules_of_a_sampler_without_noise(tmp_path):
    """For DDIM all schedules are one on their best grids, which is the cosine schedule, by the flow bound."""
    args = ("schedules", problem(tmp_path, "gaussian"), "--steps", 12, "--sampler", "ddim")
    document = answer(*args, "--schedule", "OU", "--schedule", "VE, √(2t)")
    schema("schedules").validate(document)
    bounds = [row["best_bound"] for row in document["rows"]]
    assert document["holds"] and max(bounds) < 1.05 * min(bounds)
    assert all(row["best_bound"] < row["uniform_bound"] for row in document["rows"])
