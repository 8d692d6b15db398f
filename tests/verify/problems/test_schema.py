"""The schema of problem files takes what the reader takes, and refuses what an editor can see to be wrong."""

import json
import tomllib
from importlib.resources import files
from random import Random

import jsonschema
import pytest

from closed_form.law import FORMS
from closed_form.laws import laws
from tests.bad_problems import BAD_PROBLEMS, DATA, VALID, toml
from tests.command_line import assert_refused, run
from tests.drawn import examples
from tests.fuzz.mutants import mutant
from verify.problems.problem import ProblemError, bundled_problem, bundled_problems, load_problem
from verify.problems.schema import FORMS as KNOWN
from verify.problems.schema import problem_schema

SCHEMA = problem_schema()
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)


def refused(text):
    """What the schema says against a problem file."""
    return [error.message for error in VALIDATOR.iter_errors(tomllib.loads(text))]


def test_the_file_is_what_the_registries_give():
    """The schema that is installed is the one made of what there is, and so is what `show schema` prints."""
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    assert json.loads((files("verify") / "problem.schema.json").read_text(encoding="utf-8")) == SCHEMA
    assert json.loads(run("show", "schema").stdout) == SCHEMA
    assert "belong to a theorem or a process" in assert_refused(run("show", "schema", "--latex"))


def test_every_law_says_what_its_values_are():
    """Every key of a bundled law has a form that the schema knows, and what is needed is among the keys."""
    assert set(KNOWN) == set(FORMS)
    for law in laws().values():
        assert set(law.forms) == set(law.keys) and set(law.needed) <= set(law.keys)
        assert set(law.forms.values()) <= set(FORMS)


@pytest.mark.parametrize("name", bundled_problems())
def test_bundled_problems_fit(name):
    """Problems that come with the package validate."""
    assert not refused(bundled_problem(name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("base", VALID)
def test_valid_problems_fit(base):
    """Every valid problem that the bad ones mutate validates."""
    assert not refused(toml(VALID[base]))


@pytest.mark.parametrize(
    ("base", "changes"),
    [
        ("gaussian", {"dta.law": '"gaussian"'}),
        ("gaussian", {"process.bet": '"t"'}),
        ("gaussian", {"process.family": '"vpp"'}),
        ("gaussian", {"process.family": '"ou"'}),
        ("gaussian", {"process.beta": None}),
        ("gaussian", {"process.alphas_cumprod": "[0.5]"}),
        ("gaussian", {"data.law": '"gausian"'}),
        ("gaussian", {"data.means": "[[1.0]]"}),
        ("gaussian", {"data.covariance": None}),
        ("gaussian", {"data.covariance": '"1"'}),
        ("gaussian", {"scheme.kind": '"euler"'}),
        ("gaussian", {"scheme.kind": None}),
        ("gaussian", {"scheme.steps": '"many"'}),
        ("gaussian", {"scheme.steps": "0"}),
        ("gaussian", {"scheme.steps": None}),
        ("gaussian", {"scheme.step": "20"}),
        ("gaussian", {"scheme.eta": "0.5"}),
        ("between", {"scheme.eta": "1.5"}),
        ("gaussian", {"scheme.rho": "7"}),
        ("gaussian", {"scheme.grid": '"cosine"'}),
        ("gaussian", {"scheme.score_error_in": '"eps"'}),
        ("gaussian", {"scheme.last_step_noise": "0"}),
        ("samples", {"data.smoothing": "-1.0"}),
        ("samples", {"data.standardize": '"yes"'}),
        ("samples", {"data.columns": "[]"}),
        ("funnel", {"data.assumption": '"bounded"', "data.radius": "1.0"}),
        ("strong", {"data.m0": None}),
        ("strong", {"data.alpha": "1.0"}),
        ("strong", {"data.early_stop": "0.1"}),
        ("levels", {"scheme.sigma_max": None}),
        ("stated", {"sampler.P": None}),
        ("stated", {"sampler.p": '"a"'}),
    ],
)
def test_what_an_editor_can_see_is_refused(base, changes):
    """Unknown and missing keys, words and kinds of value that nothing takes do not validate."""
    assert refused(toml({**VALID[base], **changes}))


@pytest.mark.parametrize("bad", [bad for bad in BAD_PROBLEMS if "unknown key" in bad.fragment and not bad.text],
                         ids=lambda bad: bad.name)
def test_unknown_keys_that_the_reader_names_are_refused(bad):
    """A key that the reader calls unknown does not validate, unless it is one of the scheduler's JSON."""
    assert refused(bad.content) or bad.fragment.startswith("unknown key scheduler.")


def test_what_the_reader_takes_fits(tmp_path):
    """Of mutated problem files none that the reader takes is refused by the schema."""
    (tmp_path / "data.csv").write_text(DATA)
    (tmp_path / "problem.toml").touch()
    taken = 0
    for seed in Random(7).sample(range(10**6), examples(60)):
        text = mutant(seed, [(1, ("bound",))]).problem
        try:
            said = refused(text.decode("utf-8-sig"))
        except (ValueError, RecursionError):  # no TOML
            continue
        if said:
            (tmp_path / "problem.toml").write_bytes(text)
            with pytest.raises(ProblemError):
                load_problem(tmp_path / "problem.toml")
        taken += not said
    assert taken > examples(60) / 5
