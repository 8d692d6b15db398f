r"""Samplers of position and velocity: the rows of one-block schemes read for k = 2, and splittings as coefficient lists.

A splitting solves dU = ÃU dt + Σ dB, with :math:`\tilde A = \Sigma_\infty A^T \Sigma_\infty^{-1}`, in parts, and adds
the score by kicks :math:`U \mathrel{+}= h D(s + \Sigma_\infty^{-1}U)`.  Parts of the flow, each solved exactly:
"flow" (all of it), "drift" (position by velocity), "force" (velocity by position), "friction" (the diagonal, with the noise).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bounds.steps.phase_space.path import PhasePath, exponential_moments


@dataclass(frozen=True)
class Splitting:
    """A splitting sampler as a list of coefficients.

    Attributes
    ----------
    key, source : str
    before, after : tuple of (part, fraction)
        What a step does before and after its kick; every part's fractions sum to 1 over the step.
    order : int
        Strong order: E‖exact − sampler‖² to the power 1/2 falls like h^order under one Brownian motion.
    needs_envelope : bool
        False: the noise does not depend on the data.
    """

    key: str
    source: str
    before: tuple
    after: tuple
    order: int = 1
    needs_envelope: bool = False

    @property
    def kick_at(self) -> float:
        """Fraction of the step at which the score is evaluated."""
        return max((fraction for _, fraction in self.before), default=0.0)

    @property
    def palindromic(self) -> bool:
        """Whether a step read backwards is itself: then it is reversible without noise and friction."""
        return self.after == self.before[::-1]


#: Splittings by the key used in problem files.
SPLITTINGS = {
    rule.key: rule
    for rule in (
        Splitting(
            "sscs", "Dockhorn et al. 2022 (arXiv 2112.07068): half flow, kick, half flow",
            before=(("flow", 0.5),), after=(("flow", 0.5),),
        ),
        Splitting(
            "leapfrog", "palindrome of drift, friction, force around the kick (after Leimkuhler and Matthews 2013)",
            before=(("drift", 0.5), ("friction", 0.5), ("force", 0.5)),
            after=(("force", 0.5), ("friction", 0.5), ("drift", 0.5)),
        ),
        Splitting(
            "symplectic-euler", "velocity first, then position with the new velocity (Hairer, Lubich and Wanner 2006)",
            before=(), after=(("force", 1.0), ("friction", 1.0), ("drift", 1.0)),
        ),
    )
}  # fmt: skip

#: Strong order of every sampler of position and velocity: one-block schemes that have a two-block form, and splittings.
ORDERS = {"euler-maruyama": 1, "frozen-euler-maruyama": 1, "exponential": 1, "posterior-mean": 1}
ORDERS |= {rule.key: rule.order for rule in SPLITTINGS.values()}


@dataclass(frozen=True)
class Rows:
    """The rows of a sampler: clock times (k+1,), and P, Q, noise of shape (k, 2, 2).

    ``coupling`` is T of shape (k, 2, 2): the noise is written ∫ T e^{wB}Σ dB, w the clock distance to the row's lower end
    and B as named by ``noise_flow`` ("none": 0, "inverse": −A, "renormalised": Ã).
    """

    clock: np.ndarray
    P: np.ndarray
    Q: np.ndarray
    noise: np.ndarray
    coupling: np.ndarray
    noise_flow: str


def rows_of(rule, path: PhasePath, times) -> Rows:
    """The rows of a rule on a grid of decreasing times.

    Raises
    ------
    ValueError
        If the rule has no two-block form.
    """
    clock = path.clock(times)
    if isinstance(rule, Splitting):
        return _splitting(rule, path, clock)
    if rule.key not in ORDERS:
        known = ", ".join(ORDERS)
        raise ValueError(f"scheme must be one of {known} for critically-damped Langevin, got {rule.key!r}")
    h = (clock[:-1] - clock[1:])[:, None, None]
    unit = np.broadcast_to(np.eye(2), (len(h), 2, 2))
    if rule.key == "euler-maruyama":
        return Rows(clock, unit - h * path.A, h * path.D, h * path.D, unit, "none")
    if rule.key == "frozen-euler-maruyama":
        frozen = (np.asarray(times[:-1]) - times[1:])[:, None, None] * path.speed(times[:-1])[:, None, None]
        # only the covariance of the noise matters to the sampler: the proof may spread it evenly over the step
        return Rows(clock, unit - frozen * path.A, frozen * path.D, frozen * path.D, unit * np.sqrt(frozen / h), "none")
    back = path.transition(-h[:, 0, 0])
    gain = back @ path.covariance(h[:, 0, 0])
    noise = gain @ np.swapaxes(back, 1, 2)
    Q = gain if rule.key == "posterior-mean" else _grown(path, h) @ path.D
    return Rows(clock, back, Q, (noise + np.swapaxes(noise, 1, 2)) / 2, unit, "inverse")


def _grown(path: PhasePath, h):
    """∫_0^h e^{−wA} dw = ∫ e^{aw}(I − wN) dw."""
    i0, i1, _ = exponential_moments(path.a, h)
    # e^{aw} = e^{ah}e^{−a(h−w)}
    growth = np.exp(path.a * h)
    return growth * (i0 * np.eye(2) - (h * i0 - i1) * path.N)


def part(path: PhasePath, name: str, length):
    """(map, noise covariance) of one part over clock distances of shape (k,): arrays of shape (k, 2, 2)."""
    length = np.asarray(length, dtype=float)
    drift = path.renormalised_drift
    moved, noise = np.zeros((len(length), 2, 2)), np.zeros((len(length), 2, 2))
    moved[:] = np.eye(2)
    if name == "flow":
        nilpotent = drift + path.a * np.eye(2)
        moved = np.exp(-path.a * length)[:, None, None] * (np.eye(2) + length[:, None, None] * nilpotent)
        i0, i1, i2 = (moment[:, None, None] for moment in exponential_moments(2 * path.a, length))
        turned = nilpotent @ path.D
        noise = i0 * path.D + i1 * (turned + turned.T) + i2 * (turned @ nilpotent.T)
    elif name == "drift":
        moved[:, 0, 1] = length * drift[0, 1]
    elif name == "force":
        moved[:, 1, 0] = length * drift[1, 0]
    elif name == "friction":
        for i in (0, 1):
            rate = drift[i, i]
            moved[:, i, i] = np.exp(rate * length)
            grown = length if rate == 0 else np.expm1(2 * rate * length) / (2 * rate)
            noise[:, i, i] = path.D[i, i] * grown
    else:
        raise ValueError(f"part must be flow, drift, force or friction, got {name!r}")
    return moved, noise


def _splitting(rule: Splitting, path: PhasePath, clock) -> Rows:
    h = clock[:-1] - clock[1:]
    unit = np.eye(2)
    kick = h[:, None, None] * path.D
    start = unit + kick @ np.linalg.inv(path.stationary)
    # a row: the kick of one step, what follows it, and what precedes the kick of the next
    lengths, kicks = [(part_, fraction * h) for part_, fraction in rule.after], clock[:-1] - rule.kick_at * h
    P, Q, noise = _composed(path, lengths, start, kick, np.zeros_like(kick))
    ends = clock[1:]
    if rule.before:
        following = [(part_, fraction * h[1:]) for part_, fraction in rule.before]
        later = _composed(path, following, P[:-1], Q[:-1], noise[:-1])
        P, Q, noise = (np.concatenate([new, old[-1:]]) for new, old in zip(later, (P, Q, noise), strict=True))
        opening = [(part_, fraction * h[:1]) for part_, fraction in rule.before]
        zero = np.zeros((1, 2, 2))
        first = _composed(path, opening, unit[None], zero, zero)
        P, Q, noise = (np.concatenate([new, old]) for new, old in zip(first, (P, Q, noise), strict=True))
        ends = np.concatenate([kicks, clock[-1:]])
    clock = np.concatenate([clock[:1], ends])
    _, exact = part(path, "flow", clock[:-1] - clock[1:])
    return Rows(clock, P, Q, noise, _lower_root(noise) @ np.linalg.inv(_lower_root(exact)), "renormalised")


def _composed(path, parts, P, Q, noise):
    for name, length in parts:
        moved, added = part(path, name, length)
        P, Q, noise = moved @ P, moved @ Q, moved @ noise @ np.swapaxes(moved, 1, 2) + added
    return P, Q, noise


def _lower_root(matrix):
    """L with LLᵀ = matrix and L_vx = 0; the velocity always has noise, the position need not."""
    found = np.zeros_like(matrix)
    velocity = np.sqrt(matrix[:, 1, 1])
    found[:, 1, 1] = velocity
    found[:, 0, 1] = matrix[:, 0, 1] / velocity
    found[:, 0, 0] = np.sqrt(np.maximum(matrix[:, 0, 0] - np.square(found[:, 0, 1]), 0.0))
    return found
