"""A sampler at work: which one, on which grid of times, from which prior."""

from dataclasses import dataclass

import numpy as np

from bounds.grid import TimeGrid
from bounds.process import ForwardProcess
from bounds.samplers import samplers
from bounds.steps.affine import Steps
from bounds.steps.phase_space.table import PhaseTable
from bounds.steps.rule import Sampler
from bounds.steps.table import StepTable


@dataclass(frozen=True)
class Scheme:
    """A sampler, the grid it walks down, and the Gaussian it starts from.

    Parameters
    ----------
    sampler : Sampler
    grid : TimeGrid
    prior_std : float, optional
        Standard deviation of the isotropic Gaussian prior; by default s(T), as in arXiv 2311.11003.

    Raises
    ------
    ValueError, TypeError
        If ``prior_std`` is not a positive number.
    """

    sampler: Sampler
    grid: TimeGrid
    prior_std: float | None = None

    def __post_init__(self):
        if self.prior_std is not None and not (isinstance(self.prior_std, int | float)
                                               and not isinstance(self.prior_std, bool)
                                               and np.isfinite(self.prior_std) and self.prior_std > 0):
            raise ValueError(f"prior_std must be positive and finite, got {self.prior_std!r}")

    @property
    def key(self) -> str:
        return self.sampler.key

    def steps(self, process: ForwardProcess, assumption=None, moments=None) -> Steps:
        """The sampler as numbers.

        Parameters
        ----------
        process : ForwardProcess
            Of one block, or critically-damped Langevin.
        assumption, moments
            Data assumption and, where known, posterior moments: only matched noise looks at them.

        Raises
        ------
        ValueError
            If matched noise is asked for without an assumption, or the process is not usable up to the
            horizon.
        """
        if process.blocks == 2:
            return PhaseTable(process, self).steps()
        return StepTable(process, self, assumption, moments).steps()


def scheme(key: str, horizon: float, steps: int, *, grid: str = "uniform", early_stop: float = 0.0,
           prior_std=None):
    """A sampler by name on a uniform or geometric grid.

    Parameters
    ----------
    key : str
        One of `samplers`.
    horizon, steps, early_stop
        As in `TimeGrid`.
    grid : str
        "uniform" or "geometric".
    prior_std : float, optional

    Raises
    ------
    ValueError
        If a name is unknown or a number out of range.
    """
    if key not in samplers():
        raise ValueError(f"scheme must be one of {', '.join(samplers())}, got {key!r}")
    if grid not in ("uniform", "geometric"):
        raise ValueError(f"grid must be uniform or geometric, got {grid!r}")
    times = getattr(TimeGrid, grid)(horizon, steps, early_stop)
    return Scheme(samplers()[key], times, prior_std)


def _named(key: str):
    sampler = samplers()[key]

    def make(horizon: float, steps: int, **options) -> Scheme:
        return scheme(key, horizon, steps, **options)

    make.__name__ = make.__qualname__ = key.replace("-", "_")
    make.__doc__ = (
        f"The {key} sampler ({sampler.source}); see `scheme` for the parameters.\n\n"
        f"{sampler.what}  {sampler.exact}  Strong order {sampler.strong_order:g}.")
    return make


euler_maruyama = _named("euler-maruyama")
frozen_euler_maruyama = _named("frozen-euler-maruyama")
exponential_integrator = _named("exponential")
posterior_mean = _named("posterior-mean")
posterior_mean_matched = _named("posterior-mean-matched")
ancestral = _named("ancestral")
sscs = _named("sscs")
leapfrog = _named("leapfrog")
symplectic_euler = _named("symplectic-euler")
