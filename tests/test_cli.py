"""The command line: right numbers, right exit codes, and one line for whatever is wrong."""

import base64
import contextlib
import errno
import hashlib
import io
import json
import math
import os
import pty
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from importlib.resources import files

import click
import jsonschema
import numpy as np
import pytest
from bad_problems import BAD_OVERRIDES, BAD_PROBLEMS, VALID, toml, write_problem
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerances import SAME_INCREMENTS, THREE_DIGITS

import verify.certificate
from bounds.schedules import FAMILIES
from bounds.schemes import SCHEMES
from bounds.theorem import NotApplicable, Theorem, theorems
from verify import bundled_problem, certify, load_problem, sample
from verify.certificate import Certificate, Verdict, setting_of_problem
from verify.cli import PICTURE, _progress, _verdict_code, cli

FAST = ("--set", "scheme.steps=20")
NOT_COLLINEAR = {"data.means": "[[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]", "data.weights": None}
WORDS = ["bound", "certify", "lower-bound", "show", "sample", "--json", "--set", "--theorem", "-n", "--out"]
UNEQUAL = {
    "data.means": "[[0.0], [1.0]]",
    "data.std": None,
    "data.covariances": "[1.0, 0.5]",
    "scheme.kind": '"euler-maruyama"',
}


def run(*args, **options):
    """A command run in this process; programming errors come through."""
    return CliRunner().invoke(cli, [str(arg) for arg in args], catch_exceptions=False, **options)


def answer(*args, code=0):
    """The JSON document of a command that ends with ``code`` and says nothing on the error stream."""
    result = run(*args, "--json")
    assert (result.exit_code, result.stderr) == (code, "")
    return json.loads(result.stdout, parse_constant=pytest.fail)


def problem(folder, base, changes=()):
    """Path of a valid problem, changed."""
    return write_problem(folder, toml({**VALID[base], **dict(changes)}))


def schema(name):
    """A validator for a schema that comes with the package."""
    document = json.loads((files("verify") / f"{name}.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(document)
    return jsonschema.Draft202012Validator(document)


def assert_refused(result, code=2):
    """One line on the error stream, nothing on the output, no traceback; returns the line."""
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr.startswith("sgm-bounds: ") and result.stderr.endswith("\n")
    line = result.stderr[:-1]
    assert line.isprintable() and "Traceback" not in line
    return line


def started(*args, **options):
    """A command in a process of its own."""
    command = [sys.executable, "-m", "verify.cli", *map(str, args)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def everything_in(folder):
    """Names of all files below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


# -- bound ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["two_modes", "lower_bound", "ve_constant", "wide_gaussian"])
def test_bound_prints_the_numbers_of_the_library(name):
    """Every theorem appears, with the total, terms and unmet hypotheses that the library gives."""
    document = answer("bound", name, *FAST)
    schema("bound").validate(document)
    setting = setting_of_problem(load_problem(bundled_problem(name), ["scheme.steps=20"]))
    assert [entry["theorem"] for entry in document["results"]] == list(theorems())
    for entry in document["results"]:
        try:
            expected = theorems()[entry["theorem"]].bound(setting)
        except NotApplicable as error:
            assert (entry["applicable"], entry["unmet"]) == (False, list(error.unmet))
        else:
            assert entry["applicable"] and entry["total"] == float(expected.total)
            assert entry["terms"] == {term: float(value) for term, value in expected.terms.items()}


def test_bound_of_one_theorem_that_does_not_apply_exits_2_with_the_reason():
    """The hypothesis that is not met is named, in JSON and in words."""
    document = answer("bound", "two_modes", *FAST, "--theorem", "gaussian-lower-bound", code=2)
    schema("bound").validate(document)
    (entry,) = document["results"]
    assert not entry["applicable"] and entry["unmet"][0].startswith("Gaussian data: ")
    result = run("bound", "two_modes", *FAST, "--theorem", "gaussian-lower-bound")
    assert result.exit_code == 2 and "Gaussian data" in result.stdout


def test_information_constants_leaves_the_mmse_curve_out():
    """A bound from constants alone is larger, and says so."""
    sharp = answer("bound", "two_modes", *FAST)["results"][0]
    plain = answer("bound", "two_modes", *FAST, "--information", "constants")["results"][0]
    assert sharp["total"] < plain["total"]
    assert (sharp["information"], plain["information"]) == ("MMSE curve", "constants")


def test_set_overrides_the_file():
    """The problem evaluated is the one with the overrides, and the document records it."""
    document = answer("bound", "two_modes", "--set", "scheme.steps=7", "--set", "data.std=1.5")
    assert document["problem"]["scheme"]["steps"] == 7
    assert document["problem"]["data"]["std"] == 1.5
    assert document["results"][0]["details"]["steps"] == 7


@pytest.mark.parametrize("base", sorted(set(VALID) - {"samples"}))
def test_every_kind_of_problem_gets_a_table(base, tmp_path):
    """Every family, law, assumption and scheme gets a table with four digits and the problem's notes."""
    path = problem(tmp_path, base)
    document, result = answer("bound", path), run("bound", path)
    schema("bound").validate(document)
    assert result.exit_code == 0 and result.stderr == ""
    entry = next(entry for entry in document["results"] if entry["applicable"])
    assert f"{entry['total']:.4g}" in result.stdout
    flat = " ".join(result.stdout.split())
    assert all(note in flat for note in document["notes"])


def test_unequal_covariances_apply_nowhere_but_can_be_sampled(tmp_path):
    """Where nothing is proved about the data every theorem says why, and the sampler still runs."""
    path = problem(tmp_path, "mixture", UNEQUAL)
    document = answer("bound", path, code=2)
    schema("bound").validate(document)
    assert all("unequal covariances" in entry["unmet"][0] for entry in document["results"])
    certificates = answer("certify", path, code=2)
    schema("certificate").validate(certificates)
    assert {c["verdict"] for c in certificates["certificates"]} == {"NOT_APPLICABLE"}
    assert " ".join(run("certify", path).stdout.split()).count("unequal covariances") == 1
    assert run("sample", path, "--out", tmp_path / "x.npy", "-n", 50).exit_code == 0


def test_an_infinite_bound_is_null_in_json(tmp_path):
    """Overflow never becomes NaN or Infinity in the document."""
    path = problem(tmp_path, "weak", {"data.M": "1e12", "scheme.steps": "400"})
    document = answer("bound", path)
    schema("bound").validate(document)
    assert document["results"][0]["total"] is None
    assert " inf " in run("bound", path).stdout


def test_a_path_that_exists_wins_over_a_bundled_name(tmp_path, monkeypatch):
    """A file called two_modes in the working folder is read in place of the bundled problem."""
    problem(tmp_path, "gaussian").rename(tmp_path / "two_modes")
    monkeypatch.chdir(tmp_path)
    assert answer("bound", "two_modes")["problem"]["data"]["law"] == "gaussian"


# -- certify ----------------------------------------------------------------------


def test_certify_holds_and_measures_once(monkeypatch):
    """Every theorem that applies holds against one measurement, and certificates can be read again."""
    calls = []
    measure = verify.certificate.measure
    monkeypatch.setattr(verify.certificate, "measure", lambda *args: calls.append(1) or measure(*args))
    document = answer("certify", "lower_bound", *FAST)
    schema("certificate").validate(document)
    assert len(calls) == 1
    question = load_problem(bundled_problem("lower_bound"), ["scheme.steps=20"])
    for entry in document["certificates"]:
        schema("certificate").validate(entry)
        again = Certificate.from_json(json.dumps(entry))
        expected = certify(again.theorem, process=question.process, law=question.law, scheme=question.scheme)
        assert again.verdict is Verdict.HOLDS
        assert (again.bound, again.measured) == (expected.bound, expected.measured)


def test_certify_prints_verdict_bound_measurement_and_ratio():
    """The table has the four digits of bound, exact error and ratio, and how the error was measured."""
    (entry, *_) = answer("certify", "two_modes", *FAST)["certificates"]
    text = run("certify", "two_modes", *FAST).stdout
    row = next(line.split() for line in text.splitlines() if line.startswith(" martingale "))
    exact = entry["measured"]["upper"]
    assert row[:5] == [
        "martingale",
        "HOLDS",
        *(f"{x:.4g}" for x in (entry["bound"]["total"], exact, entry["ratio"])),
    ]
    assert entry["measured"]["method"] in text


def test_a_violated_bound_exits_1(monkeypatch):
    """A corrupted statement is caught, and the exit code says so even though other theorems hold."""
    corrupted = theorems()["martingale"].corrupted("variance_known", "1/4")
    monkeypatch.setattr("bounds.theorem.theorems", lambda: {**theorems(), "martingale": corrupted})
    certificates = answer("certify", "ve_constant", code=1)["certificates"]
    verdicts = {entry["theorem"]: entry["verdict"] for entry in certificates}
    assert verdicts["martingale"] == "VIOLATED" and verdicts["gaussian-lower-bound"] == "HOLDS"
    assert "VIOLATED" in run("certify", "ve_constant").stdout


def test_no_exact_law_is_inconclusive_and_exits_3(tmp_path):
    """Means that span a plane leave the error unknown: the verdict is INCONCLUSIVE, with the reason."""
    path = problem(tmp_path, "mixture", NOT_COLLINEAR)
    document = answer("certify", path, code=3)
    schema("certificate").validate(document)
    entry = document["certificates"][0]
    assert (entry["verdict"], entry["measured"]["upper"], entry["ratio"]) == ("INCONCLUSIVE", None, None)
    assert "span 2 dimensions" in entry["measured"]["method"]
    result = run("certify", path)
    assert result.exit_code == 3 and "unknown" in result.stdout


def test_a_measurement_that_fails_is_inconclusive(monkeypatch):
    """When the exact law cannot be computed the reason takes the place of the method."""

    def fail(*_):
        raise ValueError("the grid would be too large")

    monkeypatch.setattr(verify.certificate, "measure", fail)
    entry = answer("certify", "two_modes", *FAST, code=3)["certificates"][0]
    assert entry["measured"] == {
        "lower": 0.0,
        "upper": None,
        "method": "not measured: the grid would be too large",
    }


def test_certify_needs_a_law(tmp_path):
    """Constants alone leave nothing to compare with: one line names what is missing."""
    assert "data.law" in assert_refused(run("certify", problem(tmp_path, "strong")))


def test_the_measured_score_error_is_described():
    """With a score error the reader is told which error the measured sampler has."""
    result = run("certify", "wide_gaussian", *FAST, "--set", "scheme.score_error=0.1")
    assert result.exit_code == 0 and "constant vector of norm 0.1" in result.stdout


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        (["HOLDS"], 0),
        (["HOLDS", "NOT_APPLICABLE"], 0),
        (["HOLDS", "VIOLATED", "INCONCLUSIVE"], 1),
        (["HOLDS", "INCONCLUSIVE"], 3),
        (["NOT_APPLICABLE"], 2),
    ],
)
def test_exit_codes_follow_the_worst_verdict(verdicts, code):
    """1 if any is violated, else 3 if any is inconclusive, else 0 if any holds, else 2."""
    assert _verdict_code([Certificate("", Verdict(v), None, None, None) for v in verdicts]) == code


# -- lower-bound ----------------------------------------------------------------------


def test_lower_bound_on_the_standard_gaussian():
    """OU, N(0, I_100): exact 0.006253, leading order sqrt(d) h/4, and K = c T sqrt(d)/eps steps."""
    document = answer("lower-bound", "lower_bound", "--eps", 0.01, "--eps", 1)
    h = 4 / 1600
    assert document["total"] == pytest.approx(0.006253, rel=THREE_DIGITS)
    assert document["leading_order"] == pytest.approx(math.sqrt(100) * h / 4, rel=THREE_DIGITS)
    assert document["c"] == pytest.approx(1 / 4, rel=THREE_DIGITS)
    wanted = [math.ceil(document["c"] * 4 * math.sqrt(100) / eps) for eps in (0.01, 1)]
    assert [needed["steps"] for needed in document["requirements"]] == wanted
    text = run("lower-bound", "lower_bound").stdout
    assert "0.006253" in text and "ε = 0.001" in text


def test_lower_bound_names_what_is_not_met():
    """On a mixture, and with a score error, it exits 2 with the hypotheses that fail."""
    document = answer("lower-bound", "two_modes", "--set", "scheme.score_error=0.1", code=2)
    assert [line.split(":")[0] for line in document["unmet"]] == ["Gaussian data", "exact score"]
    assert run("lower-bound", "two_modes").exit_code == 2


def test_lower_bound_without_a_leading_order():
    """On another grid the exact value stands alone, and asking for an error is refused."""
    grid = ("--set", "scheme.grid=geometric")
    document = answer("lower-bound", "lower_bound", *grid)
    assert document["total"] > 0 and document["c"] is None and document["requirements"] == []
    assert "uniform grid" in assert_refused(run("lower-bound", "lower_bound", *grid, "--eps", 1))


def test_lower_bound_says_where_the_mild_condition_fails(monkeypatch):
    """Where the leading order vanishes no number of steps is claimed."""
    evaluate = theorems()["gaussian-lower-bound"].evaluate

    def vanishing(*args):
        bound = evaluate(*args)
        object.__setattr__(bound, "notes", ("the mild condition (5.35) fails",))
        return bound

    theorem = replace(theorems()["gaussian-lower-bound"], evaluate=vanishing)
    monkeypatch.setattr("verify.certificate.theorems", lambda: {theorem.key: theorem})
    document = answer("lower-bound", "lower_bound", *FAST)
    assert {needed["steps"] for needed in document["requirements"]} == {None}


# -- list and show ----------------------------------------------------------------------


def test_list_names_everything():
    """Every theorem, process, scheme, assumption and bundled problem is there, in both forms."""
    document = answer("list")
    assert [entry["key"] for entry in document["theorems"]] == list(theorems())
    assert [entry["key"] for entry in document["processes"]] == list(FAMILIES)
    assert [entry["key"] for entry in document["schemes"]] == list(SCHEMES)
    assert {"two_modes", "old_faithful"} <= {entry["name"] for entry in document["problems"]}
    text = run("list").stdout
    names = [entry.get("key") or entry["name"] for section in document.values() for entry in section]
    assert all(name in text for name in names)


@pytest.mark.parametrize("key", theorems())
def test_show_a_theorem(key):
    """Statement, symbols, hypotheses and source are shown, and both routes agree."""
    facts, theorem = answer("show", key), theorems()[key]
    assert facts["agrees"] and facts["statement"] == theorem.statement
    assert set(facts["stated"]) == set(theorem.stated) and set(facts["symbols"]) == set(theorem.symbols)
    assert [each["name"] for each in facts["hypotheses"]] == [c.name for c in theorem.conditions]
    text, latex = run("show", key).stdout, run("show", key, "--latex").stdout
    assert "expressions agree" in text and theorem.source.paper in text
    assert all(name in text for name in theorem.stated)
    assert latex.startswith(r"\begin{align*}") and theorem.statement in latex
    assert latex.count("{") == latex.count("}")


def test_show_says_when_the_routes_disagree(monkeypatch):
    """A corrupted statement differs from its derivation, and the sheet says so."""
    corrupted = {"martingale": theorems()["martingale"].corrupted("contraction", "9/10")}
    monkeypatch.setattr("bounds.theorem.theorems", lambda: corrupted)
    facts = answer("show", "martingale")
    assert not facts["agrees"] and not facts["stated"]["contraction"]["agrees"]
    assert "DO NOT AGREE" in run("show", "martingale").stdout


@pytest.mark.parametrize("family", FAMILIES)
def test_show_a_process(family):
    """Each family has closed forms from sympy, in words and in LaTeX, with the route."""
    facts = answer("show", family)
    assert set(facts["closed_forms"]) == {
        "integral_f", "integral_g_sq", "transition", "covariance", "a", "s_sq",
    }  # fmt: skip
    assert {form["route"] for form in facts["closed_forms"].values()} == {"closed form"}
    assert r"\Phi(\tau, r)" in run("show", family, "--latex").stdout
    assert "closed form" in run("show", family).stdout


def test_show_takes_coefficients_and_says_quadrature(monkeypatch):
    """--set changes the process; where sympy finds no integral in time the route is quadrature."""
    facts = answer("show", "vp", "--set", "process.beta=2*t")
    assert facts["closed_forms"]["a"]["expression"] == "exp(-t**2/2)"
    monkeypatch.setattr("bounds.process.CLOSED_FORM_SECONDS", 0.4)
    facts = answer("show", "general", "--set", "process.f=cos(t)", "--set", "process.g=1")
    assert facts["closed_forms"]["s_sq"]["route"] == "quadrature"


# -- sample ----------------------------------------------------------------------


def test_sample_writes_what_the_library_draws(tmp_path):
    """The file holds the sampler's particles, bit for bit, whatever the number of threads."""
    path, out = problem(tmp_path, "mixture"), tmp_path / "x.npy"
    written = answer("sample", path, "--out", out, "-n", 5000, "--seed", 7)
    assert (written["shape"], written["dtype"], written["seed"]) == ([5000, 1], "float64", 7)
    question = load_problem(path)
    setting = setting_of_problem(question)
    errors = {"score_error": question.score_error, "score_noise": question.score_noise}
    expected = sample(question.law, setting.table.steps(), 5000, 7, **errors)
    assert (np.load(out) == expected).all()
    again = run("sample", path, "--out", out, "-n", 5000, "--seed", 7, "--threads", 2, "--force")
    assert again.exit_code == 0 and "5000 samples" in again.stdout
    assert (np.load(out) == expected).all()


def test_sample_on_torch_and_in_float32(tmp_path):
    """The torch backend draws the same samples to rounding; float32 is written as float32."""
    if os.environ.get("REQUIRE_TORCH") != "1":
        pytest.importorskip("torch")
    path = problem(tmp_path, "gaussian")
    for name, options in {"n": (), "t": ("--backend", "torch"), "f": ("--dtype", "float32")}.items():
        assert run("sample", path, "--out", tmp_path / f"{name}.npy", "-n", 64, *options).exit_code == 0
    numpy_, torch_, single = (np.load(tmp_path / f"{name}.npy") for name in "ntf")
    assert np.abs(numpy_ - torch_).max() <= SAME_INCREMENTS * np.abs(numpy_).max()
    assert single.dtype == np.float32


def test_sample_replaces_a_file_only_by_force(tmp_path):
    """An existing file stays as it was, byte for byte, unless --force is given."""
    path, out = problem(tmp_path, "gaussian"), tmp_path / "x.npy"
    out.write_bytes(b"precious")
    assert "--force" in assert_refused(run("sample", path, "--out", out))
    assert out.read_bytes() == b"precious"
    assert run("sample", path, "--out", out, "-n", 10, "--force").exit_code == 0
    assert np.load(out).shape == (10, 2)


@pytest.mark.parametrize("out", ["missing/x.npy", "problem.toml/x.npy", ".", "x" * 300, "a\0b"])
def test_sample_refuses_a_path_it_cannot_write(out, tmp_path):
    """Folders, missing folders and impossible names are one line, and nothing is written."""
    path = problem(tmp_path, "gaussian")
    before = everything_in(tmp_path)
    assert_refused(run("sample", path, "--out", f"{tmp_path}/{out}", "-n", 10))
    assert everything_in(tmp_path) == before


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ValueError("the score does not exist"), 2),
        (MemoryError(), 2),
        (OSError(errno.ENOSPC, "No space left on device"), 2),
        (KeyboardInterrupt(), 130),
    ],
    ids=["ValueError", "MemoryError", "full disk", "Ctrl-C"],
)
def test_a_run_that_fails_leaves_no_file(error, code, tmp_path, monkeypatch):
    """Whatever stops the sampler, the temporary file goes and the old file stays."""

    def fail(*_, out, **__):
        out[:] = 1.0
        raise error

    monkeypatch.setattr("verify.sampler.sample", fail)
    path, out = problem(tmp_path, "gaussian"), tmp_path / "x.npy"
    out.write_bytes(b"precious")
    before = everything_in(tmp_path)
    assert_refused(run("sample", path, "--out", out, "-n", 10, "--force"), code)
    assert (everything_in(tmp_path), out.read_bytes()) == (before, b"precious")


@pytest.mark.parametrize(
    ("stop", "code", "line"), [("SIGINT", 130, b"sgm-bounds: interrupted\n"), ("SIGTERM", 143, b"")]
)
def test_a_killed_run_leaves_no_file(stop, code, line, tmp_path):
    """Ctrl-C and termination in the middle of a long run remove the unfinished file."""
    path = problem(tmp_path, "mixture")
    before = everything_in(tmp_path)
    process = started("sample", path, "--out", tmp_path / "x.npy", "-n", 10_000_000)
    deadline = time.monotonic() + 60
    while everything_in(tmp_path) == before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert everything_in(tmp_path) != before
    process.send_signal(getattr(signal, stop))
    out, err = process.communicate()
    assert (process.returncode, out, err) == (code, b"", line)
    assert everything_in(tmp_path) == before


# -- what is refused ----------------------------------------------------------------------


@pytest.mark.parametrize("bad", BAD_PROBLEMS, ids=lambda bad: bad.name)
def test_bad_problems_are_one_line(bad, tmp_path):
    """Each mistake in a file gives exit 2 and one line with the expected words, and nothing is written."""
    path = bad.write(tmp_path)
    before = everything_in(tmp_path)
    assert bad.fragment in assert_refused(run("bound", path))
    assert everything_in(tmp_path) == before


@pytest.mark.parametrize("override", BAD_OVERRIDES, ids=lambda text: text[:20])
def test_bad_overrides_are_one_line(override, tmp_path):
    """Each mistake in --set gives exit 2 and one line with the expected words."""
    line = assert_refused(run("certify", problem(tmp_path, "gaussian"), "--set", override))
    assert BAD_OVERRIDES[override] in line


@pytest.mark.parametrize(
    ("args", "fragment"),
    [
        (["nothing"], "No such command 'nothing'"),
        (["--nothing"], "No such option"),
        (["bound"], "Missing argument"),
        (["bound", "two_modes", "two_modes"], "unexpected extra argument"),
        (["bound", "two_modes", "--steps", "3"], "No such option"),
        (["bound", "nowhere.toml"], "does not exist"),
        (["bound", ""], "regular file"),
        (["bound", "two_mode"], "did you mean 'two_modes'"),
        (["bound", "two_modes", "--theorem", "gao"], "theorem must be one of martingale"),
        (["bound", "two_modes", "--information", "some"], "'some' is not one of"),
        (["certify", "two_modes", "--set"], "requires an argument"),
        (["lower-bound", "lower_bound", "--eps", "0"], "positive and finite"),
        (["lower-bound", "lower_bound", "--eps", "nan"], "positive and finite"),
        (["lower-bound", "lower_bound", "--eps", "inf"], "positive and finite"),
        (["lower-bound", "lower_bound", "--eps", "small"], "not a valid float"),
        (["show"], "Missing argument"),
        (["show", "vpp"], "KEY must be a theorem or a process family"),
        (["show", "vp", "--latex", "--json"], "exclude each other"),
        (["show", "martingale", "--set", "process.beta=1"], "not to a theorem"),
        (["show", "vp", "--set", "process.gamma=1"], "takes process.beta="),
        (["show", "vp", "--set", "beta=1"], "takes process.beta="),
        (["show", "ou", "--set", "process.beta=1"], "takes nothing"),
        (
            ["show", "vp", "--set", "process.beta=__import__('os')"],
            "process.beta must be a real function of t",
        ),
        (["show", "vp", "--set", "process.beta=tau"], "process.beta must be a real function of t"),
        (["sample", "two_modes"], "Missing option '--out'"),
        (["sample", "two_modes", "--out", "x.npy", "-n", "0"], "not in the range"),
        (["sample", "two_modes", "--out", "x.npy", "-n", "9" * 30], "not in the range"),
        (["sample", "two_modes", "--out", "x.npy", "-n", "999999999999"], "cannot write"),
        (["sample", "two_modes", "--out", "x.npy", "--seed", "-1"], "not in the range"),
        (["sample", "two_modes", "--out", "x.npy", "--threads", "0"], "not in the range"),
        (["sample", "two_modes", "--out", "x.npy", "--backend", "jax"], "backend name must be one of"),
        (["sample", "two_modes", "--out", "x.npy", "--dtype", "int"], "backend dtype must be one of"),
        (["sample", "two_modes", "--out", "x.npy", "--device", "cuda"], "backend device must be"),
        (["demo", "--out", os.devnull], "File exists"),
    ],
    ids=lambda value: " ".join(value)[:50] if isinstance(value, list) else "",
)
def test_bad_command_lines_are_one_line(args, fragment, tmp_path, monkeypatch):
    """Each mistake on the command line gives exit 2 and one line with the expected words."""
    monkeypatch.chdir(tmp_path)
    assert fragment in assert_refused(run(*args))
    assert everything_in(tmp_path) == []


@settings(max_examples=60)
@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=8), max_size=5))
def test_any_command_line_is_answered_or_refused_in_one_line(args):
    """Whatever the arguments, the command ends with a known exit code and at most one line of complaint."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        result = run(*args)
        assert result.exit_code in (0, 2)
        if result.exit_code == 2 and not result.stdout:
            assert_refused(result)
        assert os.listdir() == []


@pytest.mark.parametrize(
    ("error", "fragment"),
    [
        (OverflowError("too large"), "martingale: too large"),
        (FloatingPointError("underflow"), "martingale: underflow"),
        (MemoryError(), "martingale: not enough memory"),
        (ValueError("two\nlines"), "martingale: two lines"),
        (ImportError("no module"), "no module"),
        (RecursionError(), "nested too deeply"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_failures_of_evaluation_are_one_line(error, fragment, monkeypatch):
    """Arithmetic, memory and missing parts give exit 2 and one line, with the theorem where there is one."""

    def fail(*_):
        raise error

    monkeypatch.setattr(Theorem, "bound", fail)
    assert fragment in assert_refused(run("bound", "two_modes", *FAST))


@pytest.mark.parametrize("error", [AttributeError, TypeError, KeyError, AssertionError])
def test_programming_errors_keep_their_traceback(error, monkeypatch):
    """A bug is not dressed up as wrong input."""

    def fail(*_):
        raise error("bug")

    monkeypatch.setattr(Theorem, "bound", fail)
    with pytest.raises(error):
        run("bound", "two_modes", *FAST)


def test_the_debug_variable_keeps_every_traceback(monkeypatch):
    """SGM_BOUNDS_DEBUG=1 lets refusals of the library through as they are."""
    monkeypatch.setenv("SGM_BOUNDS_DEBUG", "1")
    with pytest.raises(ValueError, match="theorem must be one of"):
        run("bound", "two_modes", "--theorem", "none")


def test_interruption_is_one_line(monkeypatch):
    """Ctrl-C during an evaluation gives exit 130 and one line."""

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Theorem, "bound", interrupt)
    assert assert_refused(run("bound", "two_modes", *FAST), 130) == "sgm-bounds: interrupted"


# -- demo and doctor ----------------------------------------------------------------------


@pytest.fixture
def quick_demo(monkeypatch):
    """The demo with few steps."""
    import verify.cli

    load = verify.cli._load
    monkeypatch.setattr(
        verify.cli, "_load", lambda name, overrides: load(name, (*overrides, "scheme.steps=10"))
    )
    monkeypatch.setattr(verify.cli, "_DEMO_STEPS", dict.fromkeys(verify.cli._DEMO_STEPS, (5, 10)))


@pytest.mark.usefixtures("quick_demo")
def test_demo_certifies_both_problems_and_writes_one_picture(tmp_path):
    """Both problems hold, the folder is made, and exactly one PNG is in it; a second run replaces it."""
    folder = tmp_path / "new" / "out"
    document = answer("demo", "--out", folder)
    schema("certificate").validate(document)
    assert sum(entry["verdict"] == "HOLDS" for entry in document["certificates"]) == 4
    assert everything_in(folder) == [PICTURE]
    assert (folder / PICTURE).read_bytes().startswith(b"\x89PNG\r\n")
    result = run("demo", "--out", folder)
    assert (
        result.exit_code == 0 and result.stdout.count("HOLDS") == 4 and str(folder / PICTURE) in result.stdout
    )


@pytest.mark.usefixtures("quick_demo")
def test_a_demo_that_fails_leaves_no_picture(tmp_path, monkeypatch):
    """An error while the picture is written leaves nothing in the folder."""

    def fail(_self, path, **_):
        path.write_bytes(b"half a picture")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", fail)
    assert "No space left" in assert_refused(run("demo", "--out", tmp_path))
    assert everything_in(tmp_path) == []


def installation(folder, content, monkeypatch, rival=False):
    """A folder on the path where sgm-bounds, and perhaps a rival, claim the package verify."""
    digest = hashlib.sha256(b"ours").digest()
    value = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    claims = {"sgm_bounds": ("sgm-bounds", f"verify/__init__.py,sha256={value},4\n")}
    if rival:
        claims["verify"] = ("verify", "verify/__init__.py,,\n")
    for stem, (name, record) in claims.items():
        info = folder / f"{stem}-1.1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.1\n")
        (info / "top_level.txt").write_text("verify\n")
        (info / "RECORD").write_text(record)
    (folder / "verify").mkdir()
    (folder / "verify" / "__init__.py").write_bytes(content)
    monkeypatch.syspath_prepend(folder)


def finding(document, name):
    """One line of what doctor found."""
    return next(check for check in document["checks"] if check["name"] == name)


def test_doctor_lists_versions_and_finds_nothing_wrong():
    """Here everything needed is installed and the packages are this project's."""
    document = answer("doctor")
    assert document["ok"]
    assert finding(document, "numpy")["found"] == np.__version__
    assert finding(document, "click")["ok"] and finding(document, "package verify")["ok"]
    assert "numpy" in run("doctor").stdout


def test_doctor_accepts_an_installation_that_is_as_recorded(tmp_path, monkeypatch):
    """Files with the recorded hashes and no other owner are fine."""
    installation(tmp_path, b"ours", monkeypatch)
    document = answer("doctor")
    assert finding(document, "sgm-bounds")["found"] == "1.1" and finding(document, "package verify")["ok"]


@pytest.mark.parametrize(("content", "rival"), [(b"theirs", False), (b"ours", True), (b"theirs", True)])
def test_doctor_finds_packages_overwritten_by_another_project(content, rival, tmp_path, monkeypatch):
    """A changed file, or another project that claims the package, is named and exits 2."""
    installation(tmp_path, content, monkeypatch, rival)
    check = finding(answer("doctor", code=2), "package verify")
    assert not check["ok"]
    assert ("also claimed by verify" in check["found"]) == rival
    assert ("changed since installation: verify/__init__.py" in check["found"]) == (content != b"ours")
    result = run("doctor")
    assert result.exit_code == 2 and "WRONG" in result.stdout


# -- a process of its own ----------------------------------------------------------------------


def test_help_imports_nothing_heavy():
    """--help of the command and of every subcommand leaves numpy, sympy, scipy, rich and matplotlib alone."""
    code = (
        "import sys\n"
        "from verify.cli import cli\n"
        "for name in ['', *cli.commands]:\n"
        "    try: cli.main([*name.split(), '--help'])\n"
        "    except SystemExit as stop: assert stop.code == 0\n"
        "heavy = {'numpy', 'sympy', 'scipy', 'rich', 'matplotlib', 'torch', 'ot'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("Usage:") == 1 + len(cli.commands)


def test_version_and_bare_command():
    """--version is one line; without a command the help is shown."""
    assert run("--version").stdout.startswith("sgm-bounds ")
    assert run().stdout == run("--help").stdout and run().exit_code == 0


def test_every_option_is_explained():
    """Every command has a summary, and every option a help text."""
    for command in cli.commands.values():
        assert command.help
        assert all(p.help for p in command.params if isinstance(p, click.Option)), command.name


@pytest.mark.parametrize("args", [["list"], ["--help"]])
def test_a_reader_that_leaves_is_not_an_error(args):
    """A closed pipe ends the command silently, with the code of a broken pipe."""
    process = started(*args)
    process.stdout.close()
    assert (process.stderr.read(), process.wait()) == (b"", 141)
    process.stderr.close()


@pytest.mark.parametrize("args", [["list"], ["list", "--json"], ["--help"]])
def test_an_output_that_cannot_be_written_is_one_line(args):
    """A full disk behind the output gives exit 2 and one line."""
    with open("/dev/full", "wb") as full:
        command = [sys.executable, "-m", "verify.cli", *args]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 2 and done.stderr.count(b"\n") == 1 and b"No space left" in done.stderr


def on_a_terminal(*args, **environment):
    """Everything a command writes to a terminal, both streams."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "verify.cli", *args]
    plain = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    environment = {**plain, "TERM": "xterm-256color", "COLUMNS": "120", **environment}
    process = subprocess.Popen(command, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    written = b""
    with os.fdopen(ours, "rb", buffering=0) as stream:
        while True:
            try:
                part = stream.read(65536)
            except OSError:  # how a terminal says that nobody writes any more
                break
            if not part:
                break
            written += part
    assert process.wait() == 0
    return written


def test_colours_and_progress_are_for_terminals():
    """A terminal gets colours unless NO_COLOR is set; a pipe gets none even if FORCE_COLOR is."""
    assert b"\x1b[" in on_a_terminal("doctor")
    assert b"\x1b[" not in on_a_terminal("doctor", NO_COLOR="1")
    process = started("doctor", env={**os.environ, "FORCE_COLOR": "1", "PYTHONIOENCODING": "ascii"})
    out, err = process.communicate()
    assert (process.returncode, err) == (0, b"") and b"\x1b" not in out and b"numpy" in out


def test_long_work_shows_progress_on_the_error_stream_only(monkeypatch):
    """After a moment a bar appears on a terminal's error stream and is gone at the end."""
    monkeypatch.setattr("verify.cli._PROGRESS_DELAY", 0.0)

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm-256color")
    with _progress("working") as tell:
        time.sleep(0.2)
        tell(0.5, "half way")
        time.sleep(0.2)
    assert "working" in screen.getvalue() and "half way" in screen.getvalue()
