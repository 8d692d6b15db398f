"""The command ``plan``."""

import json

from tests.command_line import answer, assert_refused, problem, run, schema
from verify import load_problem


def test_plans_in_json_and_text():
    """Two problems, two errors: the JSON fits its schema, is sorted, and K − 1 does not suffice; the text
    says the same of one."""
    args = ("plan", "two_modes", "lower_bound", "--eps", "0.5", "--eps", "0.2", "--horizon", 4.0)
    document = answer(*args)
    schema("plan").validate(document)
    plans = document["plans"]
    assert [plan["eps"] for plan in plans] == [0.5, 0.5, 0.2, 0.2] and plans[0]["steps"] <= plans[1]["steps"]
    assert all(plan["bound"] <= plan["eps"] < plan["bound_one_step_less"] for plan in plans)
    text = run("plan", "lower_bound", *args[3:]).stdout
    assert all(str(plan["steps"]) in text for plan in plans if plan["problem"] == "lower_bound")


def test_the_truth_is_measured_on_request():
    """--certify adds the exact W2, below the bound; the grid's times are there, and one plan is at the top as
    well."""
    document = answer("plan", "ve_constant", "--eps", "0.2", "--grid", "best", "--certify")
    schema("plan").validate(document)
    (plan,) = document["plans"]
    assert plan.items() <= document.items()
    assert plan["truth"]["verdict"] == "HOLDS" and plan["truth"]["upper"] <= plan["bound"]
    assert len(plan["grid"]["times"]) == plan["steps"] + 1


def test_an_unknown_truth_is_called_unknown(tmp_path):
    """Where no exact law is known, or constants are all there is, the text says why the W2 is unknown."""
    in_space = problem(tmp_path, "mixture", {
        "data.means": "[[-1.0, 0.0, 0.0], [1.0, 0.3, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.5]]", "data.weights": None,
        "data.std": "0.7",
        "scheme.kind": '"euler-maruyama"', "scheme.score_error": "0", "scheme.score_noise": "0"})
    text = run("plan", in_space, "--eps", 1, "--certify").stdout
    assert "unknown   INCONCLUSIVE" in text and " inf" not in text
    assert "no exact W2 is known: the means span 3 dimensions" in text
    text = run("plan", problem(tmp_path, "lipschitz"), "--eps", 10, "--certify").stdout
    assert "no exact W2 is known: the data are constants alone" in text


def test_an_error_out_of_reach_is_exit_code_two(tmp_path):
    """The reason is in the JSON and in the text."""
    args = ("plan", problem(tmp_path, "gaussian"), "--eps", "1e-3", "--set", "scheme.score_error=2")
    document = answer(*args, code=2)
    schema("plan").validate(document)
    assert document["plans"][0]["blocking"].startswith("score bias")
    assert "out of reach" in run(*args).stdout


def test_bad_input_is_one_line():
    """A wrong ε, theorem or problem is refused by name."""
    assert "eps must be positive" in assert_refused(run("plan", "two_modes", "--eps", "-1"))
    assert_refused(run("plan", "two_modes"))
    assert "theorem must be one of" in assert_refused(
        run("plan", "two_modes", "--eps", "1", "--theorem", "gao2025")
    )
    assert "upper bound" in assert_refused(
        run("plan", "wide_gaussian", "--eps", "1", "--theorem", "gaussian-lower-bound")
    )
    assert "strong log-concavity" in assert_refused(
        run("plan", "two_modes", "--eps", "1", "--theorem", "gao2025-general-sde")
    )
    assert json.loads(run("plan", "two_modes", "--eps", "1", "--json").stdout)["schema_version"] == 1


def test_a_plan_that_takes_too_long_is_given_up():
    """After the seconds allowed one line names the question and what would help."""
    said = assert_refused(run("plan", "two_modes", "--eps", 0.1, "--seconds", 0.001))
    assert "no plan for eps = 0.1" in said and "--seconds" in said and "--horizon" in said


def test_plans_count_score_evaluations(tmp_path):
    """A step of two evaluations counts twice, the one to time 0 of Heun's method once, and samplers without
    noise are planned with the flow bound by default."""
    path = problem(tmp_path, "gaussian", {"scheme.kind": '"heun"', "data.mean": "[0.0, 0.0]"})
    args = ("plan", path, "--eps", 0.3, "--horizon", 1.0)
    document = answer(*args)
    schema("plan").validate(document)
    assert document["theorem"] == "flow" and document["evaluations"] == 2 * document["steps"] - 1 > 1
    assert "evaluations" in run(*args).stdout


def test_a_grid_of_the_file_that_is_replaced_is_named(tmp_path):
    """A listed grid is not what is planned on: a note says so in text and JSON, the line about the problem is that of
    the question answered, and a uniform grid needs no note."""
    listed = problem(tmp_path, "gaussian", {"process.family": '"ou"', "process.beta": None,
                                            "scheme.grid": "[3.0, 1.0, 0.0]", "scheme.horizon": None,
                                            "scheme.steps": None})
    args = ("plan", listed, "--eps", 1, "--horizon", 1.5)
    document = answer(*args)
    schema("plan").validate(document)
    (note,) = document["notes"]
    assert "its grid (list, T = 3, 2 steps) is not the plan's" in note
    text = " ".join(run(*args).stdout.split())
    assert f"note: {note}" in text and "T = 3, 2 steps, grid list" not in text
    assert "T = 1.5, the fewest steps, grid uniform" in text
    given = problem(tmp_path, "gaussian", {"process.family": '"ou"', "process.beta": None})
    assert answer("plan", given, "--eps", "1", "--horizon", 1.5)["notes"] == []


def test_an_error_that_takes_too_many_steps_is_not_said_to_be_below_the_bound(tmp_path):
    """ε = 1e-12 fails for want of steps: what the bound would tend to is below ε, and is not said to stay above."""
    args = ("plan", problem(tmp_path, "gaussian", {"process.family": '"ou"', "process.beta": None,
                                               "scheme.score_error": "0", "scheme.score_noise": "0"}),
            "--eps", "1e-12", "--horizon", 40)
    document = answer(*args, code=2)
    assert document["floor"] < document["eps"]
    text = " ".join(run(*args).stdout.split())
    assert "is out of reach, discretisation: more than" in text and "stays above" not in text
    assert text.endswith(f"only with ever more would the bound tend to {document['floor']:.4g}")


def test_a_plan_is_saved_as_a_problem(tmp_path):
    """The file asks the same at the planned grid: its bound is the plan's, with the data's file found from anywhere; two
    plans, and a file that exists, are refused."""
    for name, grid in (("old_faithful", "uniform"), ("two_modes", "best")):
        path = tmp_path / f"{name}.toml"
        args = ("plan", name, "--eps", "0.4", "--grid", grid, "--save", path)
        planned, bound = answer(*args), answer("bound", path, "--theorem", "martingale")["results"][0]
        assert bound["total"] == planned["bound"]
        assert load_problem(path).scheme.grid.steps == planned["steps"]
        assert "exists already" in assert_refused(run(*args))
    args = "plan", "lower_bound", "--eps", "1", "--horizon", 2.0, "--save", path, "--force"
    assert f"wrote {path}" in run(*args).stdout.replace("\n", "")
    assert "one problem" in run("plan", "two_modes", "--eps", "1", "--eps", "0.5", "--save", tmp_path / "no.toml").stderr
