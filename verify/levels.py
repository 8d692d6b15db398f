"""Grids of noise levels: the times at which σ = s/a of a process is what a list, a ρ-grid or a schedule
says."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from bounds.grid import MAX_STEPS, TimeGrid
from bounds.noise_levels import rho_levels
from bounds.process import ForwardProcess
from bounds.processes import families, process_of
from bounds.steps.path import Path

#: Doublings of time in which the largest level is looked for, from 1.
DOUBLINGS = 60
#: Largest miss of log σ: a level that is not reached is missed by more.
MISSED = 1e-9
#: What stands for log σ where it is −∞, or where the process is not usable.
FAR = 800.0
#: Times between which levels are looked for, as parts of the horizon; nearer to 0 noise that cancels there,
#: as that of sub-vp, would be integrated a hundred times longer.
_MESH = np.concatenate([[0.0], np.geomspace(1e-6, 1.0, 25)])


def grid_of_levels(process: ForwardProcess | str, sigmas: ArrayLike) -> TimeGrid:
    """The grid whose noise levels are given, to a few roundings of σ and t.

    Parameters
    ----------
    process : ForwardProcess or str
        Of one block, or the key of one that needs no coefficients.
    sigmas : array of shape (k+1,)
        Strictly decreasing levels σ >= 0; only the last may be 0.

    Raises
    ------
    ValueError
        If they are not such levels, or the process does not reach the first.
    """
    levels = np.array(sigmas, dtype=float)
    return _grid(process_of(process), levels, "sigmas", {"sigmas": levels.tolist()})


def rho_grid(process: ForwardProcess | str, sigma_max: float, sigma_min: float, steps: int, *, rho: float = 7.0,
             last_zero: bool = True) -> TimeGrid:
    """The ρ-grid of EDM on any process (Karras et al. 2022, arXiv 2206.00364, eq. (5)).

    Parameters
    ----------
    process : ForwardProcess or str
        As in `grid_of_levels`.
    sigma_max, sigma_min : float
        The first noise level and the last positive one, in units of the data.
    steps : int
    rho : float
        ρ > 0: how the levels crowd at the end.
    last_zero : bool
        Whether a last step goes to the level 0.

    Raises
    ------
    ValueError
        As by `bounds.noise_levels.rho_levels`, or if the process does not reach ``sigma_max``.
    """
    if not 1 <= steps <= MAX_STEPS:
        raise ValueError(f"steps must be between 1 and {MAX_STEPS}, got {steps}")
    made = {"sigma_max": float(sigma_max), "sigma_min": float(sigma_min), "steps": int(steps),
            "rho": float(rho), "last_zero": bool(last_zero)}
    return _grid(process_of(process), rho_levels(sigma_max, sigma_min, steps, rho, last_zero), "rho", made)


def grid_made(process: ForwardProcess, kind: str, made: Mapping) -> TimeGrid:
    """The grid of kind "rho" or "sigmas" that `TimeGrid.made` says, on a process."""
    return rho_grid(process, **made) if kind == "rho" else grid_of_levels(process, **made)


def grid_of_steps(process: ForwardProcess, grid: TimeGrid, steps: int) -> TimeGrid:
    """A grid of the same kind from the same horizon to the same end, laid out again with so many steps.

    Where the kind is no formula (a list of times or of levels, a discrete schedule) the times are those at
    the same fractions of the way along the list.

    Parameters
    ----------
    process : ForwardProcess
        On which a ρ-grid has its noise levels.
    grid : TimeGrid
    steps : int

    Raises
    ------
    ValueError
        As by `TimeGrid` and `rho_grid`.
    """
    if grid.kind == "shift":
        return TimeGrid.shifted(grid.horizon, steps, grid.early_stop, **grid.made)
    if grid.kind in ("uniform", "geometric", "quadratic"):
        return getattr(TimeGrid, grid.kind)(grid.horizon, steps, grid.early_stop)
    if grid.kind == "rho":
        return rho_grid(process, **{**grid.made, "steps": steps})
    if steps == grid.steps:
        return grid
    if not 1 <= steps <= MAX_STEPS:
        raise ValueError(f"steps must be between 1 and {MAX_STEPS}, got {steps}")
    places = np.linspace(0.0, grid.steps, steps + 1)
    return TimeGrid.from_times(np.interp(places, np.arange(grid.steps + 1), grid.times))


def _grid(process: ForwardProcess, levels: np.ndarray, kind: str, made: dict) -> TimeGrid:
    if process.blocks != 1:
        raise ValueError(f"grid must be one of times for a process of two blocks, got {kind}: it has no one "
                         "noise level")
    if levels.ndim != 1 or len(levels) < 2:
        raise ValueError(f"sigmas must be a list of at least two noise levels, got shape {levels.shape}")
    if not np.all(np.isfinite(levels)):
        raise ValueError("sigmas must hold finite noise levels only")
    if np.any(rises := levels[1:] >= levels[:-1]):
        at = int(np.argmax(rises))
        raise ValueError(f"sigmas must decrease strictly, got {levels[at]:.9g} then {levels[at + 1]:.9g}")
    if levels[-1] < 0:
        raise ValueError(f"sigmas must end at a noise level >= 0, got {levels[-1]:g}")
    positive = levels[levels > 0]
    times = np.append(times_of_levels(process, positive), np.zeros(len(levels) - len(positive)))
    return TimeGrid(times, kind, MappingProxyType(made), copy=False)


def times_of_levels(process: ForwardProcess, levels: np.ndarray) -> np.ndarray:
    """The times of decreasing levels > 0: from the family's own formula where it has one, else as roots."""
    family = families().get(process.name)
    if family is not None and family.time_of_level and family.make() == process:
        return family.time_of_level(levels)
    from scipy.optimize import elementwise  # a third of a second, which a problem file need not wait for

    horizon = _horizon(process, levels[0])
    if len(levels) == 1:
        return np.array([horizon])
    mesh = horizon * _MESH
    known = _log_sigma(process, mesh)
    # one cell more on either side: log σ of a time depends on the others' by its rounding
    place = np.searchsorted(known, np.log(levels[1:]))
    ends = mesh[np.maximum(place - 2, 0)], mesh[np.minimum(place + 1, len(mesh) - 1)]

    found = elementwise.find_root(_miss_on(process, mesh), ends, args=(np.log(levels[1:]),))
    _check(levels[1:], found.x, found.f_x)
    return np.append(horizon, found.x)


def _horizon(process: ForwardProcess, level: float) -> float:
    """The time at which the process has the largest level."""
    from scipy.optimize import elementwise

    def alone(times):
        found = [_log_sigma_to(process, time) for time in times.ravel().tolist()]
        return np.reshape(found, times.shape) - np.log(level)

    bracket = elementwise.bracket_root(alone, 0.5, 1.0, xmin=0.0, maxiter=DOUBLINGS)
    (lower, upper), (_, reached) = bracket.bracket, bracket.f_bracket
    if not bracket.success and max(np.abs(bracket.f_bracket)) > FAR / 2:
        raise ValueError(f"sigmas must be noise levels that the process reaches, got {level:g}: it is not "
                         f"usable up to t = {upper:.6g}")
    if not bracket.success:
        raise ValueError(f"sigmas must be noise levels that the process reaches, got {level:g}: it has "
                         f"{level * np.exp(reached):.6g} at t = {upper:.6g}")
    if reached < FAR / 2:  # on one path, on which what is proved of f and g² is so once
        found = elementwise.find_root(_miss_on(process, upper * _MESH), (lower, upper), args=(np.log(level),))
    else:
        found = elementwise.find_root(alone, (lower, upper))
    _check(np.array([level]), np.array([found.x]), np.array([found.f_x]))
    return float(found.x)


def _miss_on(process: ForwardProcess, mesh: np.ndarray) -> Callable:
    """log σ less a target, at times between those of a mesh."""

    def miss(times, targets):
        found = _log_sigma(process, np.append(mesh, times.ravel()))
        return found[len(mesh):].reshape(times.shape) - targets

    return miss


def _check(levels, times, misses) -> None:
    """Refuse a level that is not met: the process is not usable where it would be."""
    if not np.all(met := np.abs(misses) <= MISSED):
        at = int(np.argmin(met))
        raise ValueError(f"sigmas must be noise levels that the process reaches, got {levels[at]:.6g}: it is "
                         f"not usable beyond t = {times[at]:.6g}")


def _log_sigma_to(process: ForwardProcess, time: float) -> float:
    """log σ at one time; `FAR` where the process is not usable up to it."""
    if time == 0:
        return -FAR
    try:
        return float(_log_sigma(process, time * _MESH)[-1])
    except ValueError:
        return FAR


def _log_sigma(process: ForwardProcess, times: np.ndarray) -> np.ndarray:
    """log σ at times >= 0, 0 among them."""
    every, back = np.unique(times, return_inverse=True)
    with np.errstate(all="ignore"):
        path = Path(process, every[::-1])
        found = np.log(path.s_sq) / 2 - np.log(path.a)
    return np.clip(np.nan_to_num(found, nan=FAR), -FAR, FAR)[::-1][back]
