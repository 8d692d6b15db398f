"""Read the table of the sampler: a scheme on a grid of times or of noise levels, from a prior."""

from collections.abc import Iterable
from pathlib import Path

from bounds.grid import MAX_STEPS, TimeGrid
from bounds.process import ForwardProcess
from bounds.sampler import Scheme, variance_of
from bounds.samplers import samplers
from bounds.score_error import UNITS, ScoreError, read_error
from bounds.steps.churn import raised_times
from bounds.steps.from_noise import left_behind
from bounds.steps.rule import Sampler
from bounds.symbolic.deadline import Deadline
from verify.levels import grid_of_levels, rho_grid
from verify.problems import noise_schedule
from verify.problems.data import Data
from verify.problems.section import ProblemError, Section, hint, shown

#: How long the times of noise levels may be looked for.
LEVEL_SECONDS = 30.0
#: Keys of the table that every grid may have, but for the times.
KEYS = ("kind", "grid", "prior", "prior_std", "prior_mean", "prior_covariance", "last_step_noise", "score_times",
         "score_error", "score_error_in", "score_noise")
#: Keys that say the times.
TIMES = ("horizon", "steps", "early_stop")
#: Keys that go with one kind of grid.
OF_GRID = {"uniform": (), "geometric": (), "quadratic": (), "shift": ("shift",), "list": (),
            "rho": ("sigma_max", "sigma_min", "rho", "last_zero"),
            "sigmas": ("sigmas",), "discrete": noise_schedule.KEYS}
#: Relative distance of times that are the same: roots may be found otherwise elsewhere.
SAME_TIME = 1e-9
#: Grids by name, in a file.
NAMES = ("uniform", "geometric", "quadratic", "shift", "rho", "sigmas", "discrete")
#: Those that are named, begin at the horizon and take nothing else.
PLAIN = ("uniform", "geometric", "quadratic")
PRIORS = ("forward", "spread", "mean")


def read_scheme(section: Section, process: ForwardProcess, data: Data, folder: Path,
                own: Sampler | None = None) -> tuple[Scheme, dict, tuple[str, ...]]:
    """The sampler, its normal form and notes; ``own`` is the file's own, meant where no other is named."""
    shape = section.get("grid", "uniform")
    if isinstance(shape, list):
        shape = "list"
    elif not isinstance(shape, str) or shape not in NAMES:
        raise ProblemError(f"{section.name}.grid must be one of {', '.join(NAMES)}, or a list of times, got "
                           f"{shown(shape)}{hint(shape, NAMES)}")
    every = [key for keys in OF_GRID.values() for key in keys]
    owner = "scheme" if shape in (*PLAIN, "list") else f"grid {shape!r}"
    parameters = {each.name: each for one in samplers().values() for each in one.parameters}
    section.only((*KEYS[:1], *TIMES, *OF_GRID[shape], *KEYS[1:], *parameters), every, owner)
    known = samplers() if own is None else {**samplers(), own.key: own}
    kind = section.choice("kind", known) if own is None else section.choice("kind", known, own.key)
    sampler = _with_parameters(section, known[kind], parameters)
    early_stop = section.number("early_stop", data.early_stop, minimum=0.0)
    if data.early_stop is not None and early_stop != data.early_stop:
        raise section.refuse("early_stop", f"the same as data.early_stop = {data.early_stop:g}")
    prior = _prior(section, data, process.blocks)
    noise = section.flag("last_step_noise", True)
    notes: list[str] = []
    with section.border():
        if shape in ("rho", "sigmas", "discrete"):
            grid = _level_grid(section, shape, process, folder, notes)
            _check_times(section, grid, early_stop)
        else:
            grid = _grid(section, early_stop)
        scheme = Scheme(sampler, grid, **prior, last_step_noise=noise, score_times=_score_times(section))
        if process.blocks == 1 and sampler.stages is not None and sampler.stages.churn is not None:
            raised_times(process, grid.times, sampler.stages.churn)
        left_behind(process, scheme)
    said = {"kind": kind, **sampler.given, **table_of_grid(grid), **_said_of_prior(section, scheme), **said_of_last_step(scheme)}
    return scheme, said, tuple(notes)


def _score_times(section: Section):
    """The times whose scores are asked for, where the file says them."""
    if "score_times" not in section.values:
        return None
    return section.array("score_times", (1,), "a list of times, one for each step")


def _with_parameters(section: Section, sampler: Sampler, known: Iterable[str]) -> Sampler:
    """The sampler with what the table says of its parameters; ``known`` are those of any sampler."""
    own = {each.name: each for each in sampler.parameters}
    for name in known:
        if name in section.values and name not in own:
            raise section.refuse(name,
                                 f"left out for {sampler.key}, which takes {', '.join(own) or 'no parameter'}")
    given = {each.argument: section.number(name) for name, each in own.items() if name in section.values}
    for name, each in own.items():
        if name in section.values and not each.allows(section.get(name)):
            raise section.refuse(name, each.requirement)
    return sampler.at(**given)


def read_score_error(section: Section, process: ForwardProcess, steps: int) -> float | ScoreError:
    """One size of the score error, or one for each step, of the score or of what a network predicts."""
    unit = section.choice("score_error_in", UNITS, UNITS[0])
    if isinstance(section.get("score_error", 0.0), list):
        sizes = section.array("score_error", (1,), "a number, or a list of one for each step").tolist()
        least = min(sizes)
        if least < 0:
            raise section.refuse("score_error", "made of numbers of at least 0")
    else:
        sizes = section.number("score_error", 0.0, minimum=0.0)
    with section.border():
        found = read_error(sizes, unit)
        if isinstance(found, ScoreError):
            found.check(process, steps)
    return found


def _prior(section: Section, data: Data, blocks: int) -> dict:
    """What `Scheme` takes of the prior."""
    dim = data.law.dim if data.law is not None else int(data.assumptions[0].dim)
    mean = {}
    if "prior_mean" in section.values:
        both = ", or two such lists, of position and velocity" if blocks == 2 else ""
        given = section.array("prior_mean", (0, 1, 2) if both else (0, 1), f"a number or a list of numbers{both}")
        if given.ndim and given.shape not in ((dim,), (blocks, dim)):
            raise section.refuse("prior_mean", f"a number or a list of {dim}, the dimension of the data{both}")
        mean["prior_mean"] = given
        if section.values.get("prior") == "mean":
            raise section.refuse("prior_mean", "left out where scheme.prior is mean")
    if "prior_covariance" in section.values:
        for other in ("prior", "prior_std"):
            if other in section.values:
                raise section.refuse(other, "left out where scheme.prior_covariance is given")
        given = section.array("prior_covariance", (0, 1, 2), "a variance, a list of variances or a matrix")
        if blocks == 1 and given.ndim and given.shape != (dim,) * given.ndim:
            raise section.refuse("prior_covariance", f"of the dimension of the data, {dim}")
        return {**mean, "prior_covariance": given}
    return {**mean, **_variance(section, data)}


def _variance(section: Section, data: Data) -> dict:
    """The variance of an isotropic prior."""
    std = section.number("prior_std", None, positive=True)
    given = section.get("prior", "forward")
    if isinstance(given, str):
        chosen = section.choice("prior", PRIORS, "forward")
        if chosen != "spread":
            return {"prior_std": std, "from_mean": chosen == "mean"}
        about = data.law if data.law is not None else data.assumptions[0]
        spread = variance_of(about)
    else:
        spread = section.number("prior", minimum=0.0)
    if std is not None:
        raise section.refuse("prior", "left out where scheme.prior_std is given")
    return {"prior_spread": spread}


def grid_keys() -> set[str]:
    """Every key of a scheme that says something of its grid."""
    return {"grid", *TIMES, *(key for keys in OF_GRID.values() for key in keys)}


def said_of_start(scheme: Scheme) -> dict:
    """What a problem file says of the mean and the covariance of the prior, where they are given."""
    found = {"prior_mean": scheme.prior_mean, "prior_covariance": scheme.prior_covariance}
    return {name: value.tolist() for name, value in found.items() if value is not None}


def _said_of_prior(section: Section, scheme: Scheme) -> dict:
    return {**said_of_start(scheme), **_said_of_variance(section, scheme)}


def _said_of_variance(section: Section, scheme: Scheme) -> dict:
    if scheme.prior_covariance is not None:
        return {}
    if scheme.prior_std is not None:
        return {"prior_std": scheme.prior_std, **({"prior": "mean"} if scheme.from_mean else {})}
    given = section.get("prior", "forward")
    return {} if given == "forward" else {"prior": given}


def said_of_last_step(scheme: Scheme) -> dict:
    """What a problem file says of the noise of the last step, and of the times of scores: nothing where they are its own."""
    asked = {} if scheme.score_times is None else {"score_times": scheme.score_times.tolist()}
    return asked if scheme.last_step_noise else {"last_step_noise": False, **asked}


def table_of_grid(grid: TimeGrid) -> dict:
    """What a problem file says of a grid, and the times and the number of steps that this makes."""
    shape = grid.kind if grid.made or grid.kind in PLAIN else grid.times.tolist()
    return {"horizon": grid.horizon, "steps": grid.steps, "grid": shape, "early_stop": grid.early_stop,
            **grid.made}


def _level_grid(section: Section, shape: str, process: ForwardProcess, folder: Path,
                notes: list[str]) -> TimeGrid:
    """A grid of noise levels; what is to be said of it goes to the notes."""
    with Deadline(LEVEL_SECONDS):
        if shape == "rho":
            levels = (section.number(key, positive=True) for key in ("sigma_max", "sigma_min"))
            return rho_grid(process, *levels, section.count("steps", MAX_STEPS),
                            rho=section.number("rho", 7.0, positive=True),
                            last_zero=section.flag("last_zero", True))
        if shape == "sigmas":
            grid = grid_of_levels(process, section.array("sigmas", (1,), "a list of noise levels"))
            if section.count("steps", MAX_STEPS, grid.steps) != grid.steps:
                raise section.refuse("steps", f"one less than the number of scheme.sigmas, {grid.steps}")
            return grid
        levels, found = noise_schedule.read_levels(section, folder)
        notes += found
        return grid_of_levels(process, levels)


def _check_times(section: Section, grid: TimeGrid, early_stop: float | None) -> None:
    """Refuse a horizon or an early stop other than that of the first and the last noise level."""
    given = section.number("horizon", grid.horizon, positive=True)
    if not abs(given - grid.horizon) <= SAME_TIME * grid.horizon:
        raise section.refuse("horizon", f"left out, or the time of the first noise level, {grid.horizon!r}")
    if early_stop is not None and not abs(early_stop - grid.early_stop) <= SAME_TIME * grid.early_stop:
        raise ProblemError("scheme.early_stop must be left out, or the time of the last noise level, "
                           f"{grid.early_stop!r}, got {early_stop!r}")


def _grid(section: Section, early_stop: float | None) -> TimeGrid:
    """A named grid, or an explicit list that horizon, steps and early_stop, where given, must agree with."""
    shape = section.get("grid", "uniform")
    if not isinstance(shape, list):
        horizon, steps = section.number("horizon", positive=True), section.count("steps", MAX_STEPS)
        if shape == "shift":
            return TimeGrid.shifted(horizon, steps, early_stop or 0.0, shift=section.number("shift", positive=True))
        return getattr(TimeGrid, shape)(horizon, steps, early_stop or 0.0)
    grid = TimeGrid.from_times(section.array("grid", (1,), "uniform, geometric or a list of times"))
    if section.number("horizon", grid.horizon, positive=True) != grid.horizon:
        raise section.refuse("horizon", f"the first time of scheme.grid, {grid.horizon:g}")
    if section.count("steps", MAX_STEPS, grid.steps) != grid.steps:
        raise section.refuse("steps", f"one less than the number of times in scheme.grid, {grid.steps}")
    if early_stop is not None and early_stop != grid.early_stop:
        last = f"the last time of scheme.grid, {grid.early_stop:g}"
        raise ProblemError(f"early_stop must be {last}, got {early_stop:g}")
    return grid
