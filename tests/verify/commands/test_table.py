"""The command ``table``."""

from tests.command_line import answer, assert_refused, problem, run, schema


def test_the_table_in_text_and_json():
    """The JSON holds eight published rows and the problem's own; the text shows them with the remark."""
    document = answer("table", "two_modes")
    schema("table").validate(document)
    assert len(document["rows"]) == 9 and document["rows"][-1]["published"] is None
    assert document["rows"][-1]["martingale"]["steps"] == "√d log(d/ε)/ε"
    text = run("table", "two_modes", "--details").stdout
    assert "others" in document["rows"][0] and "gentiloni2025-weak-log-concave: T" in text
    assert "VP, linear" in text and "logarithm is not needed" in text and "Ω(√d/ε)" in text


def test_formats():
    """Markdown and LaTeX hold the name, the four orders and the lower bound of every row, and exclude
    --json."""
    tex = run("table", "--format", "latex").stdout
    rows = [line for line in tex.splitlines() if line.endswith(r"\\")]
    assert (
        tex.startswith(r"\begin{tabular}{lllllllll}")
        and len(rows) == 8
        and all(line.count("&") == 8 for line in rows)
    )
    assert rows[0].startswith("VE, exponential & $0$ &")
    assert all(line.endswith(r"$\Omega(\sqrt{d}/\varepsilon)$ \\") for line in rows)
    assert sum(" & no & " in line for line in rows) == 1
    markdown = run("table", "--format", "markdown").stdout.splitlines()
    assert markdown[0].endswith("| martingale K | lower bound |") and all(
        line.endswith("| Ω(√d/ε) |") for line in markdown[2:]
    )
    assert len(markdown) == 10
    assert_refused(run("table", "--format", "latex", "--json"))


def test_a_theorem_of_ones_own_has_a_column(tmp_path):
    """With a claim every row of the JSON holds its orders or the reason, and the text its column; a file that
    is not there is named."""
    file = tmp_path / "mine.toml"
    file.write_text('[claim]\nkey = "mine"\nsource = "Me"\nprocess = ["ou"]\ninitial = "exp(-T)*sqrt(m2)"\n'
                    'growth = "exp(-h*m0)"\nlocal = "h^2*d + h*M"\n')
    document = answer("table", "--theorem", file)
    schema("table").validate(document)
    assert [row["asked"].get("steps") for row in document["rows"]] == [None] * 8 + ["d log(d/ε)/ε"]
    assert document["rows"][0]["asked"]["reason"] == "mine: stated for ou"
    assert "mine K" in run("table", "--theorem", file).stdout
    assert "nothing.toml" in assert_refused(run("table", "--theorem", tmp_path / "nothing.toml"))


def test_a_missing_problem_is_refused(tmp_path):
    """A file that is not there is named."""
    assert "does not exist" in assert_refused(
        run("table", problem(tmp_path, "gaussian"), tmp_path / "nothing.toml")
    )


def test_samplers_without_noise_in_closed_form():
    """With --ode every closed form is there in text, JSON, Markdown and LaTeX; other options are refused."""
    document = answer("table", "--ode")
    schema("table").validate(document)
    rows = {row["sampler"]: row for row in document["ode"]}
    assert set(rows) == {"ddim", "heun", "midpoint", "dpm-solver-2", "ode-euler", "ode-exponential"}
    assert rows["ddim"]["best"] == "pi**2*sqrt(d)*sqrt(v)/(8*K)" and rows["ddim"]["one_sign"]
    text = run("table", "--ode").stdout
    assert "no grid does with fewer steps than K = π^2 √(d) √(v)/(8 ε)" in " ".join(text.split())
    assert run("table", "--ode", "--format", "latex").stdout.count(r"\\") == 7
    assert run("table", "--ode", "--format", "markdown").stdout.count("\n") == 8
    assert "--ode takes no problem" in run("table", "two_modes", "--ode").stderr
