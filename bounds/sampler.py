"""A sampler at work: which one, on which grid of times, from which prior."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol, Unpack

import numpy as np
from numpy.typing import ArrayLike

from bounds.annotations import Array, Count
from bounds.argument import check_key, check_type, unit_of
from bounds.assumption import Assumption
from bounds.grid import TimeGrid
from bounds.process import ForwardProcess
from bounds.processes import process_of
from bounds.samplers import samplers
from bounds.start import PhaseStart, Start, read_covariance, read_mean
from bounds.steps.affine import Steps
from bounds.steps.churn_table import ChurnTable
from bounds.steps.from_noise import entered
from bounds.steps.multistep import MultistepTable
from bounds.steps.parameters import Parameters
from bounds.steps.phase_space.table import PhaseTable
from bounds.steps.rule import Sampler
from bounds.steps.stage_table import StageTable
from bounds.steps.table import StepTable
from bounds.value import Value


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Scheme(Value):
    """A sampler, the grid it walks down, and the Gaussian it starts from.

    Parameters
    ----------
    sampler : Sampler or str
        Or its key in `bounds.samplers.samplers`.
    grid : TimeGrid
    prior_std : float, optional
        Standard deviation of the isotropic Gaussian prior, in units of the data: what a standard normal is
        multiplied by; by default s(T), as in arXiv 2311.11003.  One block only: critically-damped Langevin starts
        from N(0, Σ_∞) (`bounds.processes.cld.stationary`), of which this is no multiple, and refuses it.
    prior_spread : float
        v >= 0, a variance of the data: the prior is N(0, (s²(T) + a²(T) v) I), whose variance is p_T's where
        v is the data's.  See `with_spread_of`.
    last_step_noise : bool
        Whether the last step adds its noise; many implementations return its mean.
    from_mean : bool
        Whether the Gaussian that it starts from has the mean of X_T, a(T) E X_0, and not 0; for samplers of one
        block whose linear part is exact, so that nothing depends on where the data are.
    score_times : array of shape (k,), optional
        Times whose score each step asks for at its state, where they are not those of the grid; for samplers of one
        block with one evaluation a step.  Exact laws and particles serve it; no theorem is about it.
    prior_mean : float, or array of shape (d,) or (2, d), optional
        Mean of the prior, 0 by default.  On critically-damped Langevin the position's, or both, the velocity's second.
    prior_covariance : float, or array of shape (d,) or (d, d), optional
        Covariance of the prior in place of the two above: one variance, one for each coordinate, or a matrix; it
        may be singular, and 0 is a point.  On critically-damped Langevin the 2×2 matrix of position and velocity,
        the same for every coordinate.
    parameters
        Of the sampler, where it takes some: `bounds.steps.parameters.Parameters`, such as ``eta=0.5`` of DDIM.

    Raises
    ------
    ValueError, TypeError
        If ``prior_std`` is not a positive number, or two of it, ``prior_spread`` and ``prior_covariance`` are given; if
        the mean or the covariance is none; if a parameter is out of its range, or none of the sampler's; if ``churn``
        is too large for so many steps; if ``last_step_noise`` is false for a sampler without noise; if ``from_mean`` is
        true for a sampler whose linear part is held, or beside a mean or a covariance.
    """

    sampler: Sampler
    grid: TimeGrid
    prior_std: float | None = None
    prior_spread: float = 0.0
    last_step_noise: bool = True
    from_mean: bool = False
    score_times: Array | None = None
    prior_mean: Array | None = None
    prior_covariance: Array | None = None

    def __init__(self, sampler: Sampler | str, grid: TimeGrid, prior_std: float | None = None,
                 prior_spread: float = 0.0, last_step_noise: bool = True, from_mean: bool = False,
                 score_times: ArrayLike | None = None, prior_mean: ArrayLike | None = None,
                 prior_covariance: ArrayLike | None = None, **parameters: Unpack[Parameters]) -> None:
        sampler = unit_of("sampler", sampler, Sampler, samplers()).at(**parameters)
        check_type("grid", grid, TimeGrid, "a TimeGrid")
        std = prior_std
        if std is not None and not (isinstance(std, int | float) and not isinstance(std, bool)
                                    and np.isfinite(std) and std > 0):
            raise ValueError(f"prior_std must be positive and finite, got {std!r}")
        spread = prior_spread
        if isinstance(spread, bool) or not (isinstance(spread, int | float) and 0 <= spread < np.inf):
            raise ValueError(f"prior_spread must be >= 0 and finite, got {spread!r}")
        if std is not None and spread:
            raise ValueError(f"prior_spread must be left out where prior_std is given, got {spread!r}")
        mean, covariance = read_mean(prior_mean), read_covariance(prior_covariance)
        if covariance is not None and (std is not None or spread):
            raise ValueError(f"prior_covariance must be left out where {'prior_spread' if spread else 'prior_std'} is "
                             f"given, got {covariance.tolist()!r:.60}")
        check_last_step(sampler, last_step_noise)
        _check_from_mean(sampler, from_mean)
        if from_mean and not (mean is None and covariance is None):
            raise ValueError(f"{'prior_mean' if mean is not None else 'prior_covariance'} must be left out where from_mean is "
                             f"given, got {(covariance if mean is None else mean).tolist()!r:.60}")
        if from_mean and spread:
            raise ValueError(f"prior_spread must be left out where from_mean is given, got {spread!r}")
        score_times = None if score_times is None else _checked_times(sampler, grid, score_times)
        if sampler.formulas is not None and samplers().get(sampler.key, sampler) != sampler:
            raise ValueError(f"sampler must have a key of its own, got {sampler.key!r}, which is a sampler of "
                             "this package")
        if sampler.stages is not None and sampler.stages.churn is not None:
            sampler.stages.churn.check(grid.steps)
        self.__dict__.update(sampler=sampler, grid=grid, prior_std=std, prior_spread=spread,
                             last_step_noise=last_step_noise, from_mean=from_mean, score_times=score_times,
                             prior_mean=mean, prior_covariance=covariance)

    def __repr__(self):
        prior = "" if self.prior_std is None else f", prior_std={self.prior_std:g}"
        prior += f", prior_spread={self.prior_spread:g}" if self.prior_spread else ""
        prior += ", from_mean=True" if self.from_mean else ""
        for name, value in (("prior_mean", self.prior_mean), ("prior_covariance", self.prior_covariance)):
            prior += "" if value is None else f", {name}={value.tolist()!r:.40}"
        return f"<{self.name}, {self.grid!r}{prior}>"

    @property
    def key(self) -> str:
        return self.sampler.key

    @property
    def name(self) -> str:
        """The sampler's key with the values of its parameters, as messages and pages have it."""
        return (self.sampler.name + ("" if self.last_step_noise else ", last step without noise")
                + ("" if self.score_times is None else ", score of other times"))

    def prior_var(self, a_sq: Any, s_sq: Any, exact: Callable[[float], Any] = float) -> Any:
        """Variance of the prior from a² and s² at the horizon; ``exact`` makes their kind of number of a
        float.  Not a number where the covariance is no multiple of I."""
        if self.prior_covariance is not None:
            return exact(float(self.prior_covariance) if self.prior_covariance.ndim == 0 else float("nan"))
        if self.prior_std is not None:
            return exact(self.prior_std) * exact(self.prior_std)
        return s_sq + a_sq * exact(self.prior_spread) if self.prior_spread else s_sq

    def prior_excess(self, a_sq: Any, s_sq: Any, exact: Callable[[float], Any] = float) -> Any:
        """v where the prior is that of data N(0, v I) at the horizon: (σ² − s²)/a², which may be negative."""
        if self.prior_std is None and self.prior_covariance is None:
            return exact(self.prior_spread)
        return (self.prior_var(a_sq, s_sq, exact) - s_sq) / a_sq

    def with_spread_of(self, data: Any) -> "Scheme":
        """The same from the prior whose variance is that of X_T, for a law or an assumption."""
        return replace(self, prior_std=None, prior_spread=variance_of(data), prior_covariance=None)

    @property
    def is_isotropic(self) -> bool:
        """Whether the prior is N(0, vI), v > 0."""
        covariance = self.prior_covariance
        centred = self.prior_mean is None or not self.prior_mean.any()
        return centred and (covariance is None or (covariance.ndim == 0 and bool(covariance > 0)))

    def start(self, variance: Any) -> Start | PhaseStart | None:
        """The prior where it is not isotropic, from the variance that it has where its covariance is not given; with two
        blocks, whose variance is a matrix, where it is not centred."""
        if self.is_isotropic:
            return None
        mean = np.zeros(()) if self.prior_mean is None else self.prior_mean
        if np.ndim(variance) == 2:
            return PhaseStart(mean, variance) if mean.any() else None
        return Start(mean, np.asarray(variance) if self.prior_covariance is None else self.prior_covariance)

    def check_dimension(self, dim: int, blocks: int) -> None:
        """Refuse a mean or a covariance of the prior that is of another dimension than the data."""
        if (start := self.start(0.0 if blocks == 1 else np.eye(2))) is not None:
            start.check(dim)

    def steps(self, process: ForwardProcess | str, assumption: Assumption | None = None,
              moments: Any = None) -> Steps:
        """The sampler as numbers, from its `table`."""
        return self.started(self.table(process, assumption, moments).steps())

    def started(self, steps: Steps) -> Steps:
        """The steps of the scheme's table from where the scheme starts."""
        return replace(steps, start=self.start(steps.prior_var))

    def table(self, process: ForwardProcess | str, assumption: Assumption | None = None,
              moments: Any = None) -> StepTable | StageTable | ChurnTable | MultistepTable | PhaseTable:
        """The sampler on a process, step by step; only matched noise looks at the assumption and the moments.

        Raises
        ------
        ValueError
            If matched noise is asked for without an assumption, or the process is not usable up to the
            horizon.
        """
        process = process_of(process)
        scheme = entered(process, self, assumption, moments)
        if process.blocks == 1 and self.sampler.stages is not None:
            return (StageTable if self.sampler.stages.churn is None else ChurnTable)(process, scheme,
                                                                                     assumption)
        if process.blocks == 1 and self.sampler.multistep is not None:
            return MultistepTable(process, scheme, assumption)
        return (PhaseTable(process, scheme) if process.blocks == 2
                else StepTable(process, scheme, assumption, moments))


def check_last_step(sampler: Sampler, noise: Any) -> None:
    """Refuse a ``last_step_noise`` that is no truth value, or that takes noise from a sampler without."""
    if not isinstance(noise, bool):
        raise ValueError(f"last_step_noise must be True or False, got {noise!r:.60}")
    if not noise and sampler.follows_ode:
        raise ValueError(f"last_step_noise must be left out for {sampler.name}, whose steps have no noise, got "
                         f"{noise}")


def _check_from_mean(sampler: Sampler, from_mean: Any) -> None:
    """Refuse what is no truth value, and a sampler that does not take a X_0 to the next a X_0."""
    if not isinstance(from_mean, bool):
        raise ValueError(f"from_mean must be True or False, got {from_mean!r:.60}")
    rule = sampler.one_block
    if from_mean and (rule is None or rule.drift is not None or rule.formulas is not None
                      or (rule.stages is not None and rule.stages.coefficients_of_time)):
        raise ValueError(f"from_mean must be left out for {sampler.name}, whose linear part is not that of the process, "
                         f"got {from_mean}")


def _checked_times(sampler: Sampler, grid: TimeGrid, given: ArrayLike) -> Array:
    """One positive time for each step of a sampler with one evaluation a step."""
    rule = sampler.one_block
    if rule is None or rule.stages is not None or rule.multistep is not None:
        raise ValueError(f"score_times must be left out for {sampler.name}, whose steps are not P y + Q s(y)")
    times = np.array(given, dtype=float)
    if times.shape != (grid.steps,):
        raise ValueError(f"score_times must be one time for each of the {grid.steps} steps, got shape {times.shape}")
    if not np.all(np.isfinite(times) & (times > 0)):
        at = int(np.argmin(np.isfinite(times) & (times > 0)))
        raise ValueError(f"score_times must be positive and finite, got {times[at]} at place {at}")
    times.setflags(write=False)
    return times


def variance_of(data: Any) -> float:
    """m_c = (E‖X_0‖² − ‖E X_0‖²)/d of a law or an assumption, at most E‖X_0‖²/d where the mean is unknown."""
    mean_norm = 0.0 if data.mean_norm is None else float(data.mean_norm)
    return max((float(data.second_moment) - mean_norm**2) / data.dim, 0.0)


def scheme(sampler: str | Sampler, horizon: float, steps: Count, *, grid: str = "uniform",
           early_stop: float = 0.0, prior_std: float | None = None, prior_spread: float = 0.0,
           last_step_noise: bool = True, prior_mean: ArrayLike | None = None,
           prior_covariance: ArrayLike | None = None, **parameters: Unpack[Parameters]) -> Scheme:
    """A sampler on a "uniform", "geometric" or "quadratic" `TimeGrid` of that horizon, steps and early stop.

    Parameters
    ----------
    sampler : str or Sampler
        A key of `bounds.samplers.samplers`, or the sampler.
    horizon, steps, early_stop
        T, in units of time, K and the time at which the sampler stops.
    grid : str
    prior_std, prior_spread : float, optional
    last_step_noise : bool
    prior_mean, prior_covariance : float or array, optional
        As in `Scheme`.
    parameters
        Of the sampler, as in `Scheme`.

    Raises
    ------
    ValueError, TypeError
        If a name is unknown or a number out of range.
    """
    found = unit_of("sampler", sampler, Sampler, samplers())
    check_key("grid", grid, ("uniform", "geometric", "quadratic"))
    return Scheme(found, getattr(TimeGrid, grid)(horizon, steps, early_stop), prior_std, prior_spread,
                  last_step_noise, prior_mean=prior_mean, prior_covariance=prior_covariance, **parameters)


class SchemeMaker(Protocol):
    """One sampler on the grids of `scheme`."""

    def __call__(self, horizon: float, steps: Count, *, grid: str = "uniform", early_stop: float = 0.0,
                 prior_std: float | None = None, prior_spread: float = 0.0, last_step_noise: bool = True,
                 prior_mean: ArrayLike | None = None, prior_covariance: ArrayLike | None = None,
                 **parameters: Unpack[Parameters]) -> Scheme:
        """As `scheme`."""


def _named(key: str) -> SchemeMaker:
    sampler = samplers()[key]

    def make(horizon: float, steps: Count, *, grid: str = "uniform", early_stop: float = 0.0,
             prior_std: float | None = None, prior_spread: float = 0.0, last_step_noise: bool = True,
             prior_mean: ArrayLike | None = None, prior_covariance: ArrayLike | None = None,
             **parameters: Unpack[Parameters]) -> Scheme:
        return scheme(sampler, horizon, steps, grid=grid, early_stop=early_stop, prior_std=prior_std,
                      prior_spread=prior_spread, last_step_noise=last_step_noise, prior_mean=prior_mean,
                      prior_covariance=prior_covariance, **parameters)

    make.__name__ = make.__qualname__ = key.replace("-", "_")
    make.__doc__ = (
        f"The {key} sampler ({sampler.source}).\n\n"
        f"{sampler.what}  {sampler.exact}  Strong order {sampler.strong_order:g}.\n\n"
        "Parameters\n----------\nhorizon, steps, grid, early_stop, prior_std, prior_spread, last_step_noise, "
        "prior_mean, prior_covariance\n    As for `bounds.scheme`, and so are the errors.\nparameters\n    "
        + ("".join(f"``{each.argument}``, {each.requirement}, by default {each.default:g}.  {each.meaning}.\n    "
                   for each in sampler.parameters).rstrip() or "None: this sampler takes none."))
    return make


euler_maruyama = _named("euler-maruyama")
frozen_euler_maruyama = _named("frozen-euler-maruyama")
euler_maruyama_lambda = _named("euler-maruyama-lambda")
exponential_integrator = _named("exponential")
posterior_mean = _named("posterior-mean")
posterior_mean_matched = _named("posterior-mean-matched")
ancestral = _named("ancestral")
ancestral_large = _named("ancestral-large")
ode_euler = _named("ode-euler")
ode_exponential = _named("ode-exponential")
ddim = _named("ddim")
heun = _named("heun")
heun_t = _named("heun-t")
midpoint = _named("midpoint")
dpm_solver_2 = _named("dpm-solver-2")
dpmpp_2m = _named("dpmpp-2m")
sscs = _named("sscs")
leapfrog = _named("leapfrog")
symplectic_euler = _named("symplectic-euler")
