"""What the samplers of position and velocity do, restated: P, Q and noise of every row, with their errors.

With the samplers of `bounds.samplers` these share which parts a splitting takes in which order, nothing else.
"""

from collections.abc import Callable

import numpy as np

from bounds.steps.phase_space.splitting import Splitting
from closed_form.steps.phase_space.flow import Flow
from closed_form.within import Within

_EYE = np.eye(2)


def rows(sampler, flow: Flow, times: np.ndarray, clock: Within, silent: bool = False) -> tuple[Within, ...] | None:
    """(clock times (k+1,), P, Q, noise of shape (k, 2, 2)); None for a sampler not restated here.

    ``clock`` is the clock at the grid's ``times``; if ``silent`` the last step has no noise.
    """
    if isinstance(sampler.phase_space, Splitting):
        return _splitting(sampler.phase_space, flow, clock, silent)
    if sampler.key not in SAMPLERS:
        return None
    *found, noise = SAMPLERS[sampler.key](flow, times, clock)
    return *found, Within.concatenate([noise[:-1], noise[-1:] * 0]) if silent else noise


def _euler(flow, clock, length):
    """The coefficients held over ``length``."""
    length = length[:, None, None]
    return clock, _EYE - length * flow.A, length * flow.D, length * flow.D


def _euler_maruyama(flow, _, clock):
    return _euler(flow, clock, clock[:-1] - clock[1:])


def _frozen_euler_maruyama(flow, times, clock):
    at = Within(times)
    return _euler(flow, clock, (at[:-1] - at[1:]) * flow.speed(times[:-1]))


def _exponential(flow, _, clock):
    """Q = ∫Φ⁻¹ dw D."""
    h = clock[:-1] - clock[1:]
    return clock, flow.transition(-h), flow.reverse_integral(h) @ flow.D, flow.reverse_covariance(h)


def _posterior_mean(flow, _, clock):
    """Q = Φ⁻¹C."""
    h = clock[:-1] - clock[1:]
    back = flow.transition(-h)
    return clock, back, back @ flow.covariance(h), flow.reverse_covariance(h)


#: By their keys, but for the splittings.
SAMPLERS: dict[str, Callable] = {
    "euler-maruyama": _euler_maruyama, "frozen-euler-maruyama": _frozen_euler_maruyama,
    "exponential": _exponential, "posterior-mean": _posterior_mean}


def _splitting(splitting: Splitting, flow: Flow, clock: Within, silent: bool):
    """From kick to kick: what follows one kick, then what precedes the next and, but for the last, that
    kick; if ``silent`` the parts of the last step add no noise."""
    h = clock[:-1] - clock[1:]
    drawn = np.ones((len(h), 1, 1))
    drawn[-1] = 0.0 if silent else 1.0
    kick = h[:, None, None] * flow.D
    P, Q = _EYE + kick @ flow.stationary_inverse, kick
    found = _through(flow, splitting.after, h, drawn, P, Q, kick * 0)
    ends = clock[1:]
    if splitting.before:
        one = Within(_EYE[None])
        first = _through(flow, splitting.before, h[:1], drawn[:1], one, one * 0, one * 0)
        later = _through(flow, splitting.before, h[1:], drawn[1:], *(matrix[:-1] for matrix in found))
        found = [Within.concatenate([start, middle, end[-1:]])
                 for start, middle, end in zip(first, later, found, strict=True)]
        ends = Within.concatenate([clock[:-1] - splitting.kick_at * h, clock[-1:]])
    return Within.concatenate([clock[:1], ends]), *found


def _through(flow, parts, h, drawn, P, Q, noise):
    for name, fraction in parts:
        moved, added = _part(flow, name, fraction * h)
        P, Q, noise = moved @ P, moved @ Q, moved @ noise @ moved.swapaxes(1, 2)
        if added is not None:
            noise = noise + (added if drawn.all() else added * drawn)
    return P, Q, noise


def _part(flow, name, h):
    """(map, noise or None) of a part of dU = ÃU dt + Σ dB over clock distances (k,)."""
    drift = flow.renormalised_drift
    if name == "flow":
        return flow.renormalised(h), flow.renormalised_covariance(h)
    one, none = Within(np.ones(len(h))), Within(np.zeros(len(h)))
    if name == "drift":
        return Within.stack([[one, h * drift[0, 1]], [none, one]]), None
    if name == "force":
        return Within.stack([[one, none], [h * drift[1, 0], one]]), None
    grown = [(drift[i, i] * h).exp() for i in (0, 1)]
    noise = [flow.D[i, i] * flow.grown_variance(drift[i, i], h) for i in (0, 1)]
    return tuple(Within.stack([[entries[0], none], [none, entries[1]]]) for entries in (grown, noise))
