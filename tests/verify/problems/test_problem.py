"""Problem files become the objects they mean; whatever is wrong with one is a single clear line."""

import copy
import json
import math
import os
import time
import tomllib

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from bounds import BoundedSupport, LogLipschitz, StronglyLogConcave, WeaklyLogConcave
from bounds.process import Coefficient, Family
from bounds.processes import families
from bounds.theorems import theorems
from closed_form.laws.funnel import Funnel
from closed_form.laws.gaussian import Gaussian
from closed_form.laws.mixture import GaussianMixture
from tests.bad_problems import BAD_OVERRIDES, BAD_PROBLEMS, VALID, toml, write_problem
from tests.drawn import examples
from tests.tolerances import HANGING
from tests.verify.tolerances import PROBLEM_ROUNDING
from verify.certificates.certificate import certify_setting
from verify.certificates.question import setting_of_problem
from verify.problems import process as problem_process
from verify.problems.problem import (
    ProblemError,
    bundled_problem,
    bundled_problems,
    load_problem,
    read_problem,
)

T = sympy.Symbol("t", nonnegative=True)


def load(folder, base, overrides=(), **changes):
    """A valid problem, changed, from a file in the folder."""
    values = {**VALID[base], **{key.replace("__", "."): value for key, value in changes.items()}}
    return load_problem(write_problem(folder, toml(values)), overrides)


def assert_one_line(error):
    """The message is printable, short, and has no trace of the machinery."""
    message = str(error)
    assert message and message.isprintable() and len(message) < 600
    assert "Traceback" not in message and "Error(" not in message


# -- what is refused ----------------------------------------------------------------------


def test_the_list_of_bad_problems_is_long_and_without_repeats():
    """At least 70 kinds of mistakes are covered, each under its own name."""
    names = [bad.name for bad in BAD_PROBLEMS]
    assert len(names) >= 70
    assert len(names) == len(set(names))


@pytest.mark.parametrize("bad", BAD_PROBLEMS, ids=lambda bad: bad.name)
def test_bad_problems_are_refused_in_one_line(bad, tmp_path):
    """Each mistake gives one line with the expected fragment, and nothing is written beside the file."""
    path = bad.write(tmp_path)
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(ProblemError) as caught:
        load_problem(path)
    assert bad.fragment in str(caught.value)
    assert_one_line(caught.value)
    assert sorted(os.listdir(tmp_path)) == before


@pytest.mark.parametrize("override", BAD_OVERRIDES, ids=lambda text: text[:20])
def test_bad_overrides_are_refused_in_one_line(override, tmp_path):
    """A wrong --set gives one line that names the key or the form it must have."""
    with pytest.raises(ProblemError) as caught:
        load(tmp_path, "gaussian", [override])
    assert BAD_OVERRIDES[override] in str(caught.value)
    assert_one_line(caught.value)


@pytest.mark.parametrize(
    ("name", "fragment"),
    [
        ("nowhere.toml", "does not exist"),
        (".", "regular file"),
        ("x" * 5000, "cannot be read"),
        ("a\0b", "not exist"),
    ],
    ids=["missing", "folder", "long", "NUL"],
)
def test_the_problem_file_must_be_a_file(name, fragment, tmp_path):
    """A path that is not a regular file is refused with the reason."""
    with pytest.raises(ProblemError, match=fragment) as caught:
        load_problem(tmp_path / name)
    assert_one_line(caught.value)


def test_a_data_file_that_is_too_large_is_refused(tmp_path):
    """Data files above 50 MB are refused before they are read."""
    (tmp_path / "large.csv").touch()
    os.truncate(tmp_path / "large.csv", 50_000_001)
    with pytest.raises(ProblemError, match=r"data\.file must be at most 50000000 bytes"):
        load(tmp_path, "samples", data__file='"large.csv"')


def test_a_process_that_hangs_sympy_is_refused(monkeypatch):
    """Building f and g squared has a time limit too; what takes longer is refused in one line."""

    def hang(g):
        time.sleep(HANGING)

    hanging = Family("ve", hang, {"g": Coefficient()})
    monkeypatch.setattr(problem_process, "families", lambda: {**families(), "ve": hanging})
    monkeypatch.setattr(problem_process, "BUILD_SECONDS", 0.05)
    with pytest.raises(ProblemError, match="must be simpler") as caught:
        read_problem(tomllib.loads(toml(VALID["strong"])))
    assert_one_line(caught.value)


JUNK = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=20),
        st.sampled_from(["t", "ou", "vp", "uniform", "gaussian", math.nan, math.inf, -1, 0, 10**400, b"t"]),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=6,
)


@settings(deadline=None, derandomize=True, max_examples=examples(150))
@given(st.sampled_from([base for base in VALID if base != "samples"]), st.data())
def test_any_value_in_any_place_is_accepted_or_refused_in_one_line(base, data):
    """Whatever stands in one place of a valid problem, the answer is a Problem or a ProblemError."""
    tables = tomllib.loads(toml(VALID[base]))
    section = data.draw(st.sampled_from(sorted(tables)))
    key = data.draw(st.sampled_from([*sorted(tables[section]), "extra"]))
    tables[section][key] = data.draw(JUNK)
    try:
        problem = read_problem(tables)
    except ProblemError as error:
        assert_one_line(error)
    else:
        assert read_problem(problem.as_dict()).as_dict() == problem.as_dict()


# -- what is accepted ----------------------------------------------------------------------


@pytest.mark.parametrize("base", VALID)
def test_the_normal_form_is_plain_complete_and_stable(base, tmp_path):
    """as_dict survives JSON and gives the same problem again, with nothing left to defaults."""
    problem = load(tmp_path, base)
    tables = problem.as_dict()
    assert json.loads(json.dumps(tables)) == tables
    again = read_problem(copy.deepcopy(tables), folder=tmp_path)
    assert again.as_dict() == tables
    assert np.array_equal(again.scheme.grid.times, problem.scheme.grid.times)
    assert {"kind", "horizon", "steps", "grid", "early_stop", "score_error", "score_noise"} <= tables[
        "scheme"
    ].keys()
    tables["scheme"]["steps"] = -1
    assert problem.as_dict()["scheme"]["steps"] != -1


def test_gaussian_problem(tmp_path):
    """A Gaussian with a full covariance under VP is read as it stands."""
    problem = load(tmp_path, "gaussian")
    assert isinstance(problem.law, Gaussian)
    assert problem.law.covariance.tolist() == [[2.0, 0.5], [0.5, 1.0]]
    assert problem.process.f == (sympy.Rational(1, 10) + sympy.Rational(199, 10) * T) / 2
    assert (problem.scheme.key, problem.scheme.grid.steps, problem.scheme.prior_std) == (
        "euler-maruyama",
        20,
        None,
    )
    assert (problem.score_error, problem.score_noise, problem.time_regularity) == (0.0, 0.0, None)
    assert [type(assumption) for assumption in problem.assumptions] == [StronglyLogConcave]
    assert problem.source == "problem.toml"


@pytest.mark.parametrize(
    ("changes", "mean", "covariance"),
    [
        ({"data__mean": "1", "data__covariance": "2", "data__dim": "2"}, [1, 1], [[2, 0], [0, 2]]),
        ({"data__mean": "1", "data__covariance": "2"}, [1], [[2]]),
        ({"data__mean": "0", "data__covariance": "[2, 3]"}, [0, 0], [[2, 0], [0, 3]]),
        ({"data__mean": "[1, 2]", "data__covariance": "3.0", "data__dim": "2"}, [1, 2], [[3, 0], [0, 3]]),
    ],
)
def test_gaussian_shapes(changes, mean, covariance, tmp_path):
    """Numbers stand for every coordinate, a list of variances for a diagonal."""
    law = load(tmp_path, "gaussian", **changes).law
    assert law.mean.tolist() == mean
    assert law.covariance.tolist() == covariance


def test_mixture_problem(tmp_path):
    """Means, weights, std, a geometric grid and both score errors are read as they stand."""
    problem = load(tmp_path, "mixture")
    assert isinstance(problem.law, GaussianMixture)
    assert problem.law.means.tolist() == [[-1.0], [1.0]]
    assert (problem.law.weights.tolist(), problem.law.std) == ([0.25, 0.75], 0.5)
    assert [type(assumption) for assumption in problem.assumptions] == [WeaklyLogConcave, LogLipschitz]
    assert (problem.score_error, problem.score_noise) == (0.1, 0.1)
    assert problem.scheme.grid.kind == "geometric"


@pytest.mark.parametrize(
    ("spread", "expected"),
    [
        ({"data__covariance": "0.25"}, [[0.25, 0.0], [0.0, 0.25]]),
        ({"data__covariance": "[1.0, 2.0]"}, [[1.0, 0.0], [0.0, 2.0]]),
        ({"data__covariance": "[[2.0, 1.0], [1.0, 2.0]]"}, [[2.0, 1.0], [1.0, 2.0]]),
        ({"data__covariances": "[0.25, 0.25]"}, [[0.25, 0.0], [0.0, 0.25]]),
        ({"data__covariances": "[[1.0, 2.0], [1.0, 2.0]]"}, [[1.0, 0.0], [0.0, 2.0]]),
    ],
)
def test_mixture_spreads(spread, expected, tmp_path):
    """A variance, a list of variances and a matrix say what a component's covariance is."""
    law = load(tmp_path, "mixture", data__std=None, data__means="[[0.0, 0.0], [0.0, 0.0]]", **spread).law
    assert law.covariance == pytest.approx(np.array(expected), abs=PROBLEM_ROUNDING)


def test_unequal_covariances_are_a_law_without_constants(tmp_path):
    """A mixture with no proved constants is still a problem, and a note says what is missing."""
    changes = {"data__std": None, "data__covariances": "[1.0, 2.0]", "scheme__kind": '"euler-maruyama"'}
    problem = load(tmp_path, "mixture", **changes)
    assert problem.assumptions == ()
    assert "unequal covariances" in problem.notes[0]


def test_constants_stated_of_a_law(tmp_path):
    """Law and assumption together: the constants are those stated, the moments the law's, and a note says
    so."""
    constants = {
        "data__assumption": '"weak-log-concave"',
        "data__alpha": "2.7",
        "data__M": "20.0",
        "data__L": "4.0",
    }
    stated = {
        "data__std": None,
        "data__covariances": "[0.25, 0.36]",
        "scheme__kind": '"euler-maruyama"',
        **constants,
    }
    problem = load(tmp_path, "mixture", **stated)
    (assumption,) = problem.assumptions
    assert (assumption.alpha, assumption.M, assumption.L) == (2.7, 20.0, 4.0)
    assert (assumption.second_moment, assumption.mean_norm) == (
        problem.law.second_moment,
        problem.law.mean_norm,
    )
    assert any("by hand" in note for note in problem.notes)
    assert (
        certify_setting(theorems()["martingale"], setting_of_problem(problem), problem.law).verdict == "HOLDS"
    )
    with pytest.raises(ValueError, match="second_moment must be at least the law's"):
        setting_of_problem(load(tmp_path, "mixture", **stated | {"data__second_moment": "0.9"}))
    with pytest.raises(ProblemError, match="does not belong to law 'funnel'"):
        load(tmp_path, "funnel", **constants)


def test_funnel_problem(tmp_path):
    """A funnel is read as it stands, with its defaults in the normal form, and a note says that nothing is
    proved."""
    problem = load(tmp_path, "funnel")
    assert problem.law == Funnel(20, 1.5, True)
    assert problem.assumptions == () and "no assumption is proved for a funnel" in problem.notes[0]
    plain = load(tmp_path, "funnel", data__std=None, data__standardized=None)
    assert plain.law == Funnel(20) and plain.as_dict()["data"]["std"] == 1.0


def test_samples_problem(tmp_path):
    """The named columns of the file beside the problem are standardised and smoothed."""
    problem = load(tmp_path, "samples")
    assert (problem.law.dim, problem.law.std, len(problem.law.means)) == (2, 0.7, 3)
    assert problem.law.mean == pytest.approx(np.zeros(2), abs=PROBLEM_ROUNDING)
    assert problem.law.second_moment == pytest.approx(2 + 2 * 0.49)
    assert (problem.scheme.prior_std, problem.scheme.grid.early_stop) == (1.5, 0.01)
    absolute = load(tmp_path, "samples", data__file=f'"{tmp_path / "data.csv"}"')
    assert absolute.law.means.tolist() == problem.law.means.tolist()


@pytest.mark.parametrize(
    ("base", "kind", "constants"),
    [
        (
            "strong",
            StronglyLogConcave,
            {"m0": 0.5, "L0": 2.0, "dim": 3, "second_moment": 6.5, "mean_norm": 1.0},
        ),
        ("weak", WeaklyLogConcave, {"alpha": 1.0, "M": 2.0, "L": 4.0, "dim": 1, "second_moment": 3.0}),
        ("lipschitz", LogLipschitz, {"alpha": 1.0, "lipschitz": 0.5, "L": 4.0, "second_moment": 2.25}),
        ("bounded", BoundedSupport, {"radius": 1.0, "second_moment": 1.0, "mean_norm": 0.0}),
    ],
)
def test_constants(base, kind, constants, tmp_path):
    """Each assumption is built from its constants; a missing second moment is c_up(0) in every direction."""
    problem = load(tmp_path, base)
    (assumption,) = problem.assumptions
    assert type(assumption) is kind and problem.law is None
    assert {name: getattr(assumption, name) for name in constants} == constants


def test_missing_moments_are_noted_not_silent(tmp_path):
    """Centred data and the largest second moment are assumed on the reader's behalf, so they are noted."""
    assert load(tmp_path, "strong").notes == ()
    assert load(tmp_path, "strong").time_regularity == 1.0
    notes = load(tmp_path, "weak").notes
    assert len(notes) == 2 and "centred" in notes[0] and "second_moment" in notes[1]
    unknown_mean = load(tmp_path, "strong", data__mean_norm=None)
    assert unknown_mean.assumptions[0].mean_norm is None and unknown_mean.notes == ()


def test_a_smoothed_support_is_a_continuous_mixture(tmp_path):
    """Radius R and std s give α = L = 1/s², M = R²/s⁴ and at most R² + d s² for the second moment, no early
    stop."""
    (found,) = load(tmp_path, "smoothed").assumptions
    assert (found.alpha, found.L, found.M, found.second_moment) == (4.0, 4.0, 16.0, 1.25)
    assert load(tmp_path, "smoothed", data__second_moment="0.9").assumptions[
        0
    ].second_moment == pytest.approx(0.9)


def test_bounded_data_stop_early(tmp_path):
    """The early stop of bounded data may stand in either section, and reaches the grid."""
    assert load(tmp_path, "bounded").scheme.grid.early_stop == 0.01
    elsewhere = load(tmp_path, "bounded", data__early_stop=None, scheme__early_stop="0.02")
    assert elsewhere.scheme.grid.early_stop == 0.02


def test_a_list_is_a_grid(tmp_path):
    """A list of times is the grid; horizon, steps and early stop may repeat what it says."""
    assert load(tmp_path, "strong").scheme.grid.times.tolist() == [2.0, 1.0, 0.5, 0.0]
    repeated = {"scheme__horizon": "2", "scheme__steps": "3", "scheme__early_stop": "0"}
    assert load(tmp_path, "strong", **repeated).scheme.grid.times.tolist() == [2.0, 1.0, 0.5, 0.0]


def test_overrides_are_toml_or_bare_text(tmp_path):
    """The last override of a key wins; text that is not TOML is taken as a string."""
    overrides = [
        "scheme.steps=8",
        "scheme.steps = 16",
        "scheme.grid=geometric",
        'scheme.kind="exponential"',
        "process.beta=1/10 + t",
        "data.mean=[3, 4]",
        "scheme.score_error=1e-2",
    ]
    problem = load(tmp_path, "gaussian", overrides)
    assert problem.scheme.grid.steps == 16
    assert (problem.scheme.grid.kind, problem.scheme.key) == ("geometric", "exponential")
    assert problem.process.g_sq == T + sympy.Rational(1, 10)
    assert problem.law.mean.tolist() == [3.0, 4.0]
    assert problem.score_error == 0.01


@pytest.mark.parametrize(
    ("process", "f", "g_sq"),
    [
        ({"process__family": '"ou"', "process__beta": None}, sympy.Integer(1), sympy.Integer(2)),
        ({"process__beta": '"2 + 2*t"'}, 1 + T, 2 + 2 * T),
        ({"process__beta": "3"}, sympy.Rational(3, 2), sympy.Integer(3)),
        ({"process__family": '"ve"', "process__beta": None, "process__g": '"exp(t)"'}, 0, sympy.exp(2 * T)),
        (
            {"process__family": '"sub-vp"', "process__beta": '"2"'},
            sympy.Integer(1),
            2 * (1 - sympy.exp(-4 * T)),
        ),
        (
            {
                "process__family": '"general"',
                "process__beta": None,
                "process__f": "-1",
                "process__g": '"1 - t"',
            },
            sympy.Integer(-1),
            (1 - T) ** 2,
        ),
    ],
)
def test_process_families(process, f, g_sq, tmp_path):
    """Every family gives its f and g squared, exactly."""
    built = load(tmp_path, "gaussian", **process).process
    assert sympy.simplify(built.f - f) == 0
    assert sympy.simplify(built.g_sq - g_sq) == 0


@pytest.mark.parametrize(("changes", "words"), [
    ({"process__beta": '"1e12*t"'}, r"process: ∫f over a step must be at most 350, got 2.*; use more steps"),
    ({"process__beta": '"1e-60*exp(-1000*(1+t))"'}, r"nor be so small that its integral is no float"),
])
def test_underflow_is_named_as_what_it_is(changes, words, tmp_path):
    """Where s² is 0 because e^(−∫f) or g² leaves the floats, that is said, and not that g² vanishes."""
    with pytest.raises(ProblemError, match=words):
        load(tmp_path, "gaussian", **changes)


def test_a_long_horizon_of_many_steps_is_not_refused(tmp_path):
    """What is looked at first is coarser than the grid, whose own steps are short enough."""
    problem = load(tmp_path, "gaussian", scheme__horizon="300000", scheme__steps="600000",
                   process__family='"ou"', process__beta=None)
    assert problem.scheme.grid.steps == 600_000


@pytest.mark.parametrize("size", ["1e170", "1e-170", "1e76", "5e-324"])
@pytest.mark.parametrize(("base", "key"), [
    ("mixture", "data.std"), ("samples", "data.smoothing"), ("gaussian", "scheme.horizon"),
    ("gaussian", "scheme.prior_std"), ("gaussian", "scheme.score_error"), ("cld", "scheme.score_noise"),
    ("gaussian", "scheme.early_stop"), ("strong", "data.m0"), ("weak", "data.M"), ("bounded", "data.radius"),
    ("strong", "data.time_regularity"), ("funnel", "data.std"), ("smoothed", "data.std")])
def test_sizes_whose_powers_leave_the_floats_are_refused_by_key(base, key, size, tmp_path):
    """Numbers from 1e170 to 1e-170 are refused with the key, the requirement and the value."""
    with pytest.raises(ProblemError, match=rf"^{key} must be .*, got {size.replace('e', 'e[+]?')}"):
        load(tmp_path, base, **{key.replace(".", "__"): size})


@pytest.mark.parametrize(("base", "key", "value"), [
    ("gaussian", "data.mean", "[1e170, 0.0]"), ("gaussian", "data.covariance", "[1e170, 1.0]"),
    ("mixture", "data.means", "[[1e170], [0.0]]"), ("strong", "scheme.grid", "[1e170, 0.0]")])
def test_lists_of_such_sizes_are_refused_by_key(base, key, value, tmp_path):
    """So are entries of lists, and fields of a data file, by the file."""
    with pytest.raises(ProblemError, match=rf"^{key} must be made of numbers of at most 1e\+75 in size, got"):
        load(tmp_path, base, **{key.replace(".", "__"): value})
    content = toml({**VALID["samples"], "data.standardize": "false"})
    with pytest.raises(ProblemError, match=r"data.file: numbers must be at most 1e\+75 in size, got 1e\+170"):
        load_problem(write_problem(tmp_path, content, {"data.csv": "x,y\n1e170,2\n3,4\n"}))


# -- what is bundled ----------------------------------------------------------------------


def test_bundled_problems():
    """Every bundled file is a valid problem, and the promised five are there."""
    assert {"old_faithful", "two_modes", "lower_bound", "ve_constant", "wide_gaussian"} <= set(
        bundled_problems()
    )
    for name in bundled_problems():
        assert load_problem(bundled_problem(name)).assumptions
    with pytest.raises(ProblemError, match="did you mean 'two_modes'"):
        bundled_problem("two_mode")


def test_old_faithful_is_the_standardised_geyser():
    """The 272 standardised eruption lengths, smoothed by 0.7, make a mixture of second moment 1 + 0.49."""
    problem = load_problem(bundled_problem("old_faithful"))
    assert (problem.law.dim, problem.law.std) == (1, 0.7)
    assert problem.law.mean_norm == pytest.approx(0, abs=PROBLEM_ROUNDING)
    assert problem.law.second_moment == pytest.approx(1.49)
    assert (problem.scheme.grid.horizon, problem.scheme.grid.steps) == (5.0, 1000)


def test_the_wide_gaussian_is_the_negative_bound_case():
    """N(0, 9 I_2) under beta from 0.1 to 20 on [0, 1] in 500 steps."""
    problem = load_problem(bundled_problem("wide_gaussian"))
    assert problem.law.covariance.tolist() == [[9.0, 0.0], [0.0, 9.0]]
    assert problem.process.g_sq_values(np.array([0.0, 1.0])) == pytest.approx([0.1, 20.0])
    assert (problem.scheme.grid.horizon, problem.scheme.grid.steps) == (1.0, 500)
