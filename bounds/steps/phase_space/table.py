"""A scheme on critically-damped Langevin: its rows, how far each is from the exact map, and its noise."""

from dataclasses import replace

import numpy as np

from bounds.process import ForwardProcess
from bounds.samplers import samplers
from bounds.steps.affine import Steps
from bounds.steps.phase_space.damped import phase_path
from bounds.steps.phase_space.path import PhasePath
from bounds.steps.phase_space.rows import Rows
from bounds.steps.phase_space.splitting import Splitting

#: Relative rounding of an entry of P, Q, Φ⁻¹ or Φ⁻¹C.
ROUNDING = 16 * np.finfo(float).eps
#: Longest step in relaxation times 1/a, a the fastest rate: e^{2ah} is still a float.
LONGEST = 300.0
#: Smallest eigenvalue of a given prior, over the sum of both.
LEAST = 1e-10


def check_scheme(scheme, longest: float) -> None:
    """Refuse a scheme that has no two-block form, or whose longest step, in relaxation times, is too long."""
    if scheme.prior_std is not None:
        raise ValueError("prior_std must be left out for critically-damped Langevin, whose prior is "
                         f"N(0, Σ_∞), got {scheme.prior_std}")
    if scheme.prior_spread:
        raise ValueError("prior_spread must be left out for critically-damped Langevin, whose prior is "
                         f"N(0, Σ_∞), got {scheme.prior_spread}")
    if scheme.score_times is not None:
        raise ValueError("score_times must be left out for critically-damped Langevin: score_at of sscs asks for the score of "
                         f"another time, got {len(scheme.score_times)} times")
    if scheme.from_mean:
        raise ValueError("from_mean must be left out for critically-damped Langevin, which starts from N(0, Σ_∞), got "
                         f"{scheme.from_mean}")
    given = scheme.prior_covariance
    if given is not None and (given.shape != (2, 2) or not np.linalg.eigvalsh(given)[0] > LEAST * np.trace(given)):
        raise ValueError("prior_covariance must be a positive definite 2x2 matrix of position and velocity for "
                         f"critically-damped Langevin, got {given.tolist()!r:.60}")
    if longest > LONGEST:
        raise ValueError(f"grid must have steps of at most {LONGEST:g}/a on the clock ∫β, "
                         f"got one of {longest:.4g}/a")
    if scheme.sampler.phase_space is None:
        raise ValueError(f"scheme must be one of {', '.join(samplers(2))} for critically-damped "
                         f"Langevin, got {scheme.key!r}")


def asked_at(scheme, grid, clock):
    """Clock times at which the score is asked, where rows start, and the last: those of the state, ``clock``, or of
    the grid's ``grid``, for a splitting that says so."""
    fraction = scheme.sampler.score_at
    if fraction is None:
        return clock
    asked = clock * 1
    # the first row has no kick, and the last time is the grid's
    asked[1:-1] = grid[:-1] - fraction * (grid[:-1] - grid[1:])
    return asked


def _rows(scheme, path: PhasePath) -> Rows:
    """The rows of a scheme, the last step without its noise where the scheme leaves it out."""
    sampler, times = scheme.sampler.phase_space, scheme.grid.times
    if scheme.last_step_noise:
        return sampler(path, times)
    if isinstance(sampler, Splitting):
        return sampler(path, times, silent=True)
    rows = sampler(path, times)
    last = np.ones(len(rows.P))[:, None, None]
    last[-1] = 0.0
    return replace(rows, noise=last * rows.noise, coupling=last * rows.coupling)


class PhaseTable:
    """The two-block counterpart of `bounds.steps.table.StepTable`: a scheme on critically-damped Langevin.

    Attributes
    ----------
    clock : array of shape (k+1,)
        Clock times of the rows.
    P, Q, noise, c1, c2, c1_error, c2_error : arrays of shape (k, 2, 2)
        c1 = Φ⁻¹ − P and c2 = Φ⁻¹C − Q, with bounds of their rounding, entry by entry.
    prior : array of shape (2, 2)
        Of the law that the sampler starts from: Σ_∞, unless the scheme gives another.

    Raises
    ------
    ValueError
        If the scheme has no two-block form, a prior of one block was asked for, or Φ⁻¹ of a step leaves the
        range of floats.

    Source: docs/theory.md section 3.
    """

    def __init__(self, process: ForwardProcess, scheme):
        self.scheme = scheme
        self.path = path = phase_path(process)
        check_scheme(scheme, path.fastest * float(np.max(-np.diff(path.clock(scheme.grid.times)))))
        self._rows = rows = _rows(scheme, path)
        self.clock, self.P, self.Q, self.noise = rows.clock, rows.P, rows.Q, rows.noise
        width = self.clock[:-1] - self.clock[1:]
        back, covariance = path.transition(-width), path.covariance(width)
        gain = back @ covariance
        self.c1, self.c2 = back - self.P, gain - self.Q
        # the clock's own rounding turns Φ by |A| du
        lost = path.lost * ROUNDING * (1 + path.fastest * self.clock[:-1])[:, None, None]
        self.c1_error = lost * (np.abs(back) + np.abs(self.P) + width[:, None, None] * np.abs(path.A))
        self.c2_error = lost * (np.abs(back) @ np.abs(covariance) + np.abs(self.Q))
        self.prior = path.stationary if scheme.prior_covariance is None else scheme.prior_covariance

    def noise_map(self, step, distance) -> np.ndarray:
        """n, which takes Σ dB of the exact process to the noise of the rows ``step``: shape (p, n, 2, 2).

        ``distance``, of shape (p, n): clock distances above the lower ends of the rows (p,).
        """
        coupling = self._rows.coupling[step][:, None]
        if self._rows.noise_flow == "none":
            return np.broadcast_to(coupling, (*distance.shape, 2, 2))
        if self._rows.noise_flow == "inverse":
            back = self.path.transition(-distance)
            return back if self.scheme.last_step_noise else coupling @ back
        return coupling @ self.path.transition(distance, self.path.renormalised_nilpotent)

    def steps(self) -> Steps:
        """P, Q and the noise of every row, as the sampler and its exact law use them."""
        asked = asked_at(self.scheme, self.path.clock(self.scheme.grid.times), self.clock)
        return Steps(asked, self.P, self.Q, self.noise, *self.path.kernel(asked), self.prior)
