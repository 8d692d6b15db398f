"""Discrete schedules in problem files: lists, columns in files and schedulers, to the same levels."""

import json
from pathlib import Path

import numpy as np
import pytest

from bounds.noise_levels import DiscreteSchedule
from tests.verify.tolerances import LEVELS
from verify.problems.noise_schedule import IRRELEVANT
from verify.problems.problem import load_problem, read_problem
from verify.problems.section import ProblemError

ALPHAS = [0.95, 0.8, 0.5, 0.2, 0.05]
#: As a model's folder has it, Stable Diffusion's.
STABLE = {"_class_name": "PNDMScheduler", "_diffusers_version": "0.6.0", "beta_end": 0.012,
          "beta_schedule": "scaled_linear", "beta_start": 0.00085, "num_train_timesteps": 1000,
          "set_alpha_to_one": False, "skip_prk_steps": True, "steps_offset": 1, "trained_betas": None,
          "clip_sample": False}
TABLES = {"process": {"family": "ou"}, "data": {"law": "gaussian", "mean": [0.0], "covariance": 0.25}}


def problem(folder=".", **scheme):
    """The problem with a discrete schedule."""
    return read_problem({**TABLES, "scheme": {"kind": "ddim", "grid": "discrete", **scheme}}, folder)


def scheduler(folder: Path, **changes):
    """The problem on 50 steps of a scheduler."""
    (folder / "scheduler.json").write_text(json.dumps({**STABLE, **changes}))
    return problem(folder, scheduler="scheduler.json", steps=50)


def test_the_times_are_the_clock_of_the_schedule():
    """With OU the times are −½ log ᾱ to rounding, whatever way ᾱ is given, and a is √ᾱ."""
    found = problem(alphas_cumprod=ALPHAS)
    wanted = -np.log([*ALPHAS[::-1], 1.0]) / 2
    assert np.allclose(found.scheme.grid.times, wanted, rtol=LEVELS, atol=0)
    betas = 1 - np.array(ALPHAS) / [1.0, *ALPHAS[:-1]]
    other = problem(betas=betas.tolist()).scheme.grid.times
    assert np.allclose(other, wanted, rtol=LEVELS, atol=0)
    a = found.scheme.table(found.process).path.a
    assert np.allclose(a[:-1] ** 2, ALPHAS[::-1], rtol=LEVELS, atol=0)


def test_columns_in_files_are_lists(tmp_path):
    """A .npy array, a CSV column with or without a name, and one line of numbers are the list."""
    np.save(tmp_path / "alphas.npy", np.array(ALPHAS))
    rows = "\n".join(map(str, ALPHAS))
    (tmp_path / "plain.csv").write_text(rows)
    (tmp_path / "named.csv").write_text("alphas_cumprod\n" + rows + "\n")
    (tmp_path / "line.csv").write_text(", ".join(map(str, ALPHAS)))
    wanted = problem(alphas_cumprod=ALPHAS).scheme
    for name in ("alphas.npy", "plain.csv", "named.csv", "line.csv"):
        assert problem(tmp_path, alphas_cumprod=name).scheme == wanted


def test_a_scheduler_says_the_levels_and_how_to_step(tmp_path):
    """Stable Diffusion's 50 steps go from index 981 in steps of 20 to 1 and end at index 0; the table may say
    otherwise."""
    found = scheduler(tmp_path)
    logs = DiscreteSchedule.named("scaled_linear", 1000, 0.00085, 0.012).log_alphas_cumprod
    wanted = -logs[[*range(981, 0, -20), 0]] / 2
    assert np.allclose(found.scheme.grid.times, wanted, rtol=LEVELS, atol=0)
    other = problem(tmp_path, scheduler="scheduler.json", steps=50, spacing="trailing", last_zero=True)
    assert np.allclose(other.scheme.grid.times, [*(-logs[999::-20] / 2), 0.0], rtol=LEVELS, atol=0)
    newer = scheduler(tmp_path, timestep_spacing="trailing", final_sigmas_type="zero")
    assert newer.scheme == other.scheme


@pytest.mark.parametrize("form", ["linear", "scaled_linear", "squaredcos_cap_v2", "sigmoid"])
def test_every_named_schedule_is_read(form, tmp_path):
    """Each has the levels of its formula."""
    found = scheduler(tmp_path, beta_schedule=form, steps_offset=0, set_alpha_to_one=True)
    logs = DiscreteSchedule.named(form, 1000, 0.00085, 0.012).log_alphas_cumprod
    assert np.allclose(found.scheme.grid.times, [*(-logs[980::-20] / 2), 0.0], rtol=LEVELS, atol=0)


def test_zero_terminal_snr_is_refused_by_name_or_left_out(tmp_path):
    """A rescaled schedule stepped from its last level is refused; left out, the next is the first, and a note
    says what that means."""
    with pytest.raises(ProblemError, match=r"got 0 at index 999 \(zero terminal SNR\).*skip_zero_snr"):
        scheduler(tmp_path, rescale_betas_zero_snr=True, timestep_spacing="trailing")
    found = problem(tmp_path, scheduler="scheduler.json", steps=50, skip_zero_snr=True)
    assert found.scheme.grid.steps == 49 and "index 999 is infinite" in found.notes[-1]
    logs = DiscreteSchedule.named("scaled_linear", 1000, 0.00085, 0.012).with_zero_terminal_snr()
    assert np.isclose(found.scheme.grid.horizon, -logs.log_alphas_cumprod[979] / 2, rtol=LEVELS)
    leading = scheduler(tmp_path, rescale_betas_zero_snr=True)
    assert leading.scheme.grid.steps == 50


def test_what_lies_between_the_levels_is_said():
    """A note says that the process between them is a choice."""
    found = problem(alphas_cumprod=ALPHAS, steps=2)
    assert "gives 3 noise levels, of 5 that it has" in found.notes[-1] and "a choice" in found.notes[-1]


def test_clipping_is_said_to_be_left_out(tmp_path):
    """A scheduler that clips is read, and a note says that the sampler here does not."""
    assert any("clip_sample = true is no part of the sampler" in note
               for note in scheduler(tmp_path, clip_sample=True).notes)


def test_the_normal_form_needs_no_file(tmp_path):
    """What a problem says of itself has the levels, and reads back to the same sampler anywhere."""
    found = scheduler(tmp_path)
    again = read_problem(found.as_dict())
    assert again.scheme == found.scheme and again.tables == found.tables
    assert found.as_dict()["scheme"]["grid"] == "sigmas"


def test_levels_are_those_of_any_family():
    """On another family the levels are the same, the times its own."""
    tables = {**TABLES, "process": {"family": "edm"}}
    found = read_problem({**tables, "scheme": {"kind": "ddim", "grid": "discrete", "alphas_cumprod": ALPHAS}})
    assert np.allclose(np.square(found.scheme.grid.times[:-1]), 1 / np.array(ALPHAS[::-1]) - 1, rtol=LEVELS)


@pytest.mark.parametrize(("changes", "words"), [
    ({"sigma": 1}, r"unknown key scheduler\.sigma in 'scheduler\.json'"),
    ({"beta_schedul": 1}, r"did you mean 'beta_schedule'\?"),
    ({"use_karras_sigmas": True}, r"scheduler\.use_karras_sigmas must be false"),
    ({"beta_schedule": "quadratic"}, r"scheduler\.beta_schedule must be one of linear, scaled_linear"),
    ({"beta_start": None}, r"scheduler\.beta_start is missing"),
    ({"beta_start": 0.0}, r"beta_start must lie in \(0, 1\)"),
    ({"num_train_timesteps": 0}, r"scheduler\.num_train_timesteps must be a whole number"),
    ({"trained_betas": [0.1, 2.0]}, r"betas must lie in \(0, 1\), got 2 at index 1"),
    ({"timestep_spacing": "even"}, r"scheduler\.timestep_spacing must be one of leading"),
    ({"set_alpha_to_one": 1}, r"scheduler\.set_alpha_to_one must be true or false"),
    ({"steps_offset": 1.5}, r"steps_offset must be a whole number"),
    ({"steps_offset": 30}, r"steps_offset must keep every index between 0 and 999")])
def test_bad_schedulers_are_refused_in_one_line(changes, words, tmp_path):
    """Keys that are unknown or change the levels, and values that are none, are refused by name."""
    with pytest.raises(ProblemError, match=words) as caught:
        scheduler(tmp_path, **changes)
    assert "\n" not in str(caught.value)


def test_keys_that_say_nothing_of_levels_are_let_through(tmp_path):
    """A scheduler with every key that is known not to matter is the one without."""
    wanted = scheduler(tmp_path).scheme
    assert scheduler(tmp_path, **dict.fromkeys(IRRELEVANT, "anything")).scheme == wanted


@pytest.mark.parametrize(("name", "content", "words"), [
    ("a.json", b"{", "not valid JSON"), ("a.json", b"[1]", "one JSON object"), ("a.json", b"\xff", "UTF-8"),
    ("a.json", b"[" * 100_000, "not valid JSON"), ("a.json", b" " * 1_000_001, "at most 1000000 bytes"),
    ("a.txt", b"1", "ends in .json")])
def test_bad_scheduler_files_are_refused_in_one_line(name, content, words, tmp_path):
    """A file that is no scheduler is refused with the reason."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ProblemError, match=words) as caught:
        problem(tmp_path, scheduler=name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "content", "words"), [
    ("a.csv", b"0.9,0.8\n0.5,0.4\n", "one number a line"), ("a.csv", b"0.9\nx\n", "made of numbers"),
    ("a.csv", b"", "list of 1 to"), ("a.csv", b"0.9\nnan\n", "finite"),
    ("a.csv", b"0.5\n0.9\n", "decrease strictly"), ("a.npy", b"0.9", "saved by numpy"),
    ("a.npy", b"", "saved by numpy"), ("a.txt", b"0.9", "ends in .npy or .csv")])
def test_bad_columns_are_refused_in_one_line(name, content, words, tmp_path):
    """A file that holds no schedule is refused with the reason."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ProblemError, match=words) as caught:
        problem(tmp_path, alphas_cumprod=name)
    assert "\n" not in str(caught.value)


def test_arrays_that_would_run_code_are_refused(tmp_path):
    """An array of objects is not loaded, nor one of text or several taken for numbers."""
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    np.save(tmp_path / "text.npy", np.array(["a"]))
    with open(tmp_path / "several.npy", "wb") as file:
        np.savez(file, a=np.ones(2))
    for name in ("objects.npy", "text.npy", "several.npy"):
        with pytest.raises(ProblemError, match=r"scheme\.betas must be an array"):
            problem(tmp_path, betas=name)


def test_files_must_be_there_and_regular(tmp_path):
    """A name of nothing, or of a folder, is refused."""
    (tmp_path / "folder.npy").mkdir()
    for name, words in (("nothing.csv", "does not exist"), ("folder.npy", "regular file")):
        with pytest.raises(ProblemError, match=words):
            problem(tmp_path, betas=name)


@pytest.mark.parametrize(("scheme", "words"), [
    ({}, "one of alphas_cumprod, betas, scheduler on grid 'discrete', got none"),
    ({"betas": [0.1], "alphas_cumprod": [0.9]}, "got alphas_cumprod and betas"),
    ({"betas": [[0.1]]}, r"scheme\.betas must be a list of numbers"),
    ({"betas": 3}, r"scheme\.betas must be"),
    ({"alphas_cumprod": ALPHAS, "steps": 6}, r"scheme\.steps must be between 1 and the 5 levels"),
    ({"alphas_cumprod": ALPHAS, "spacing": "even"}, r"scheme\.spacing must be one of"),
    ({"alphas_cumprod": ALPHAS, "steps_offset": -1}, r"scheme\.steps_offset must be a whole number"),
    ({"alphas_cumprod": ALPHAS, "last_zero": 1}, r"scheme\.last_zero must be true or false"),
    ({"alphas_cumprod": ALPHAS, "horizon": 3}, r"scheme\.horizon must be left out, or the time of the first"),
    ({"alphas_cumprod": ALPHAS, "early_stop": 0.1},
     r"scheme\.early_stop must be left out, or the time of the last"),
    ({"alphas_cumprod": ALPHAS, "rho": 7}, r"scheme\.rho does not belong to grid 'discrete'"),
    ({"alphas_cumprod": [0.9, 0.95]}, r"scheme\.alphas_cumprod must decrease strictly, got 0.9 then 0.95")])
def test_bad_tables_are_refused_in_one_line(scheme, words):
    """Keys that say no schedule, or two, are refused by name."""
    with pytest.raises(ProblemError, match=words) as caught:
        problem(**scheme)
    assert "\n" not in str(caught.value)


def test_a_problem_names_its_schedule_relative_to_itself(tmp_path):
    """The schedule lies beside the problem, wherever that is."""
    (tmp_path / "scheduler.json").write_text(json.dumps(STABLE))
    (tmp_path / "problem.toml").write_text(
        '[process]\nfamily = "ou"\n[data]\nlaw = "gaussian"\nmean = [0.0]\ncovariance = 0.25\n'
        '[scheme]\nkind = "ddim"\ngrid = "discrete"\nscheduler = "scheduler.json"\nsteps = 50\n')
    assert load_problem(tmp_path / "problem.toml").scheme == scheduler(tmp_path).scheme
