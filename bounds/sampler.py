"""A sampler at work: which one, on which grid of times, from which prior."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from bounds.argument import check_type
from bounds.grid import TimeGrid
from bounds.process import ForwardProcess
from bounds.samplers import samplers
from bounds.steps.affine import Steps
from bounds.steps.phase_space.table import PhaseTable
from bounds.steps.rule import Sampler
from bounds.steps.table import StepTable
from bounds.value import Value


@dataclass(frozen=True, eq=False, repr=False)
class Scheme(Value):
    """A sampler, the grid it walks down, and the Gaussian it starts from.

    Parameters
    ----------
    sampler : Sampler
    grid : TimeGrid
    prior_std : float, optional
        Standard deviation of the isotropic Gaussian prior; by default s(T), as in arXiv 2311.11003.
    prior_spread : float
        v >= 0, a variance of the data: the prior is N(0, (s²(T) + a²(T) v) I), whose variance is p_T's where
        v is the data's.  See `with_spread_of`.

    Raises
    ------
    ValueError, TypeError
        If ``prior_std`` is not a positive number, or both are given.
    """

    sampler: Sampler
    grid: TimeGrid
    prior_std: float | None = None
    prior_spread: float = 0.0

    def __post_init__(self):
        check_type("sampler", self.sampler, Sampler, "a Sampler")
        check_type("grid", self.grid, TimeGrid, "a TimeGrid")
        std = self.prior_std
        if std is not None and not (isinstance(std, int | float) and not isinstance(std, bool)
                                    and np.isfinite(std) and std > 0):
            raise ValueError(f"prior_std must be positive and finite, got {std!r}")
        spread = self.prior_spread
        if isinstance(spread, bool) or not (isinstance(spread, int | float) and 0 <= spread < np.inf):
            raise ValueError(f"prior_spread must be >= 0 and finite, got {spread!r}")
        if std is not None and spread:
            raise ValueError(f"prior_spread must be left out where prior_std is given, got {spread!r}")
        if self.sampler.formulas is not None and samplers().get(self.key, self.sampler) != self.sampler:
            raise ValueError(f"sampler must have a key of its own, got {self.key!r}, which is a sampler of this "
                             "package")

    def __repr__(self):
        prior = "" if self.prior_std is None else f", prior_std={self.prior_std:g}"
        prior += f", prior_spread={self.prior_spread:g}" if self.prior_spread else ""
        return f"<{self.key}, {self.grid!r}{prior}>"

    @property
    def key(self) -> str:
        return self.sampler.key

    def prior_var(self, a_sq, s_sq, exact: Callable = float):
        """Variance of the prior from a² and s² at the horizon; ``exact`` makes their kind of number of a
        float."""
        if self.prior_std is not None:
            return exact(self.prior_std) * exact(self.prior_std)
        return s_sq + a_sq * exact(self.prior_spread) if self.prior_spread else s_sq

    def prior_excess(self, a_sq, s_sq, exact: Callable = float):
        """v where the prior is that of data N(0, v I) at the horizon: (σ² − s²)/a², which may be negative."""
        if self.prior_std is None:
            return exact(self.prior_spread)
        return (self.prior_var(a_sq, s_sq, exact) - s_sq) / a_sq

    def with_spread_of(self, data) -> "Scheme":
        """The same from the prior whose variance is that of X_T, for a law or an assumption."""
        return replace(self, prior_std=None, prior_spread=variance_of(data))

    def steps(self, process: ForwardProcess, assumption=None, moments=None) -> Steps:
        """The sampler as numbers, from its `table`."""
        return self.table(process, assumption, moments).steps()

    def table(self, process: ForwardProcess, assumption=None, moments=None) -> StepTable | PhaseTable:
        """The sampler on a process, step by step; only matched noise looks at the assumption and the moments.

        Raises
        ------
        ValueError
            If matched noise is asked for without an assumption, or the process is not usable up to the
            horizon.
        """
        check_type("process", process, ForwardProcess, "a ForwardProcess")
        return (PhaseTable(process, self) if process.blocks == 2
                else StepTable(process, self, assumption, moments))


def variance_of(data) -> float:
    """m_c = (E‖X_0‖² − ‖E X_0‖²)/d of a law or an assumption, at most E‖X_0‖²/d where the mean is unknown."""
    mean_norm = 0.0 if data.mean_norm is None else float(data.mean_norm)
    return max((float(data.second_moment) - mean_norm**2) / data.dim, 0.0)


def scheme(key: str | Sampler, horizon: float, steps: int, *, grid: str = "uniform", early_stop: float = 0.0,
           prior_std=None, prior_spread: float = 0.0):
    """A sampler, or one by its key, on a "uniform" or "geometric" `TimeGrid` of that horizon, steps and early
    stop.

    ``prior_std`` and ``prior_spread`` are those of `Scheme`.  Raises ValueError if a name is unknown or a
    number out of range.
    """
    check_type("scheme", key, (str, Sampler), "a sampler or the key of one")
    if isinstance(key, str) and key not in samplers():
        raise ValueError(f"scheme must be one of {', '.join(samplers())}, got {key!r}")
    check_type("grid", grid, str, "uniform or geometric")
    if grid not in ("uniform", "geometric"):
        raise ValueError(f"grid must be uniform or geometric, got {grid!r}")
    sampler = samplers()[key] if isinstance(key, str) else key
    return Scheme(sampler, getattr(TimeGrid, grid)(horizon, steps, early_stop), prior_std, prior_spread)


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
ode_euler = _named("ode-euler")
ode_exponential = _named("ode-exponential")
ddim = _named("ddim")
sscs = _named("sscs")
leapfrog = _named("leapfrog")
symplectic_euler = _named("symplectic-euler")
