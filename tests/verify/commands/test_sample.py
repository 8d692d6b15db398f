"""sample: the file holds what the library draws."""

from dataclasses import replace

import numpy as np
import pytest

from tests.command_line import answer, assert_refused, problem, run
from tests.tolerances import SAME_INCREMENTS
from tests.torch_required import require_torch
from verify import load_problem, sample
from verify.certificates.question import setting_of_problem

#: Two modes in five dimensions.
PAIR = {"data.means": [[1.0, 0, 0, 0, 0], [-1.0, 0, 0, 0, 0]]}


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


def test_sample_begins_where_the_file_says(tmp_path):
    """Particles of a file with a mean and a covariance of the start are those of the scheme from there, far from those
    of a centred one."""
    tables = {"scheme.prior_mean": "40.0", "scheme.prior_covariance": "0.25"}
    path, out = problem(tmp_path, "gaussian", tables), tmp_path / "x.npy"
    answer("sample", path, "--out", out, "-n", 300, "--seed", 7)
    question = load_problem(path)
    errors = {"score_error": question.score_error, "score_noise": question.score_noise}
    steps = question.scheme.steps(question.process)
    assert (np.load(out) == sample(question.law, steps, 300, 7, **errors)).all()
    centred = sample(question.law, replace(steps, start=None), 300, 7, **errors)
    assert np.load(out).mean() > centred.mean() + 0.1


def test_sample_reduced_to_the_span_of_the_means(tmp_path):
    """--reduce draws what the library draws with reduce=True, and is refused where it is not offered."""
    path, out = problem(tmp_path, "mixture", PAIR), tmp_path / "x.npy"
    answer("sample", path, "--out", out, "-n", 300, "--seed", 7, "--reduce")
    question = load_problem(path)
    setting = setting_of_problem(question)
    errors = {"score_error": question.score_error, "score_noise": question.score_noise}
    assert (np.load(out) == sample(question.law, setting.table.steps(), 300, 7, reduce=True, **errors)).all()
    refused = run("sample", problem(tmp_path, "cld"), "--out", tmp_path / "y.npy", "--reduce")
    assert "reduce is for processes of one block" in assert_refused(refused)


def test_sample_positions_of_two_blocks(tmp_path):
    """For critically-damped Langevin the file holds the positions, as many as asked for, of about the data's
    size."""
    path, out = problem(tmp_path, "cld"), tmp_path / "x.npy"
    assert answer("sample", path, "--out", out, "-n", 2000)["shape"] == [2000, 2]
    drawn = np.load(out)
    assert drawn.shape == (2000, 2) and 0.2 < drawn.std() < 5.0


def test_sample_on_torch_and_in_float32(tmp_path):
    """The torch backend draws the same samples to rounding; float32 is written as float32."""
    require_torch()
    path = problem(tmp_path, "gaussian")
    for name, options in {"n": (), "t": ("--backend", "torch"), "f": ("--dtype", "float32")}.items():
        assert run("sample", path, "--out", tmp_path / f"{name}.npy", "-n", 64, *options).exit_code == 0
    numpy_, torch_, single = (np.load(tmp_path / f"{name}.npy") for name in "ntf")
    assert np.abs(numpy_ - torch_).max() <= SAME_INCREMENTS * np.abs(numpy_).max()
    assert single.dtype == np.float32


@pytest.mark.parametrize("base", ["cld", "funnel"])
def test_sample_in_phase_space(base, tmp_path):
    """A problem of two blocks is sampled: the positions of what the library draws, for a funnel too."""
    path, out = problem(tmp_path, base), tmp_path / "x.npy"
    answer("sample", path, "--out", out, "-n", 300, "--seed", 3)
    question = load_problem(path)
    assert (np.load(out) == sample(question.law, question.scheme.steps(question.process), 300, 3)).all()


def test_sample_takes_the_bundled_problem(tmp_path):
    """The problem of critically-damped Langevin that comes with the package is sampled."""
    out = tmp_path / "x.npy"
    assert answer("sample", "critically_damped", "--set", "scheme.steps=20", "--out", out, "-n", 50)[
        "shape"
    ] == [50, 1]
    assert np.isfinite(np.load(out)).all()


def test_nothing_is_certified_about_a_funnel(tmp_path):
    """bound and certify say that no assumption is proved, in every entry, and end without a verdict."""
    path = problem(tmp_path, "funnel")
    for command in ("bound", "certify"):
        document = answer(command, path, code=2)
        entries = document.get("results") or document["certificates"]
        assert entries and all(
            "no assumption is proved for a funnel" in entry["unmet"][0] for entry in entries
        )


@pytest.mark.parametrize("kind", ["heun-t", "dpmpp-2m"])
def test_fresh_noise_in_the_score_of_several_evaluations(tmp_path, kind):
    """score_noise with a sampler that asks more than once, or keeps what it saw, moves its particles apart."""
    changes = {"scheme.kind": f'"{kind}"', "scheme.score_noise": "3.0", "scheme.score_error": "0.0"}
    for noise in ("3.0", "0.0"):
        path = problem(tmp_path, "mixture", changes | {"scheme.score_noise": noise})
        answer("sample", path, "--out", tmp_path / f"{noise}.npy", "-n", 1000)
    noisy, quiet = (np.load(tmp_path / f"{noise}.npy") for noise in ("3.0", "0.0"))
    assert noisy.std() > 1.05 * quiet.std()
