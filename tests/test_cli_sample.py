"""sample: the file holds what the library draws."""


import numpy as np
from command_line import answer, problem, run
from tolerances import SAME_INCREMENTS
from torch_required import require_torch

from verify import load_problem, sample
from verify.settings import setting_of_problem


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


def test_sample_positions_of_two_blocks(tmp_path):
    """For critically-damped Langevin the file holds the positions, as many as asked for, of about the data's size."""
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
