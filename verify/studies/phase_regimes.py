r"""When the reverse flow of critically-damped Langevin contracts: the renormalised curvature against the rate of Ã."""

from __future__ import annotations

import numpy as np
from scipy.integrate import trapezoid
from scipy.optimize import minimize_scalar

from bounds.assumption import Assumption
from bounds.contraction.metric import contracting_metric, norm
from bounds.contraction.rate import Regimes
from bounds.contraction.renormalised_score import regularity_constant, renormalised_hessian
from bounds.process import ForwardProcess
from bounds.recursion.phase_space.constant_metric import KAPPAS
from bounds.steps.phase_space.channel import channel
from bounds.steps.phase_space.path import PhasePath


def phase_regimes(process: ForwardProcess, assumption: Assumption, times, rho: float, last_crossing) -> Regimes:
    r"""ξ, η and the rate :math:`\mu_t = \beta\,(a(1 - 1/\kappa) - \max_c\|D\tilde H_t(c)\|_𝔐)` at increasing times.

    |Z|_𝔐 of two reverse paths under one noise grows at most like e^{−∫μ}; κ is the one with the largest ∫μ.  ξ is
    from when on p_t is log-concave on the phase space, which is not enough for contraction.

    Parameters
    ----------
    process : ForwardProcess
        Critically-damped Langevin.
    assumption : Assumption
    times : array of shape (m,)
        Positive; the last is the horizon.
    rho : float
        Margin of the rate.
    last_crossing : callable
        As `verify.studies.regimes.last_crossing`.

    Returns
    -------
    Regimes
        With ``metric``: κ, the rate of Ã, ∫μ and the regularity constant C_T.

    Source: arXiv 2511.02419 (long-term regularity of the renormalised score); docs/theory.md section 5, Theorem C.
    """
    path, times = PhasePath(process), np.asarray(times, dtype=float)
    clock = path.clock(times[::-1])[::-1]

    def excess(kappa: float, at) -> np.ndarray:
        fixed = contracting_metric(path, kappa)
        return np.maximum(*(norm(path.D @ end, fixed) for end in renormalised_hessian(path, assumption, at)))

    def gained(kappa: float) -> float:
        return path.a * (1 - 1 / kappa) * clock[-1] - trapezoid(excess(kappa, clock), clock)

    kappa = float(minimize_scalar(lambda k: -gained(k), bounds=KAPPAS, method="bounded").x)

    def rate(at) -> np.ndarray:
        at = np.atleast_1d(at)
        return path.speed(at) * (path.a * (1 - 1 / kappa) - excess(kappa, path.clock(at[::-1])[::-1]))

    def curvature(at) -> np.ndarray:
        seen = channel(path, path.clock(np.atleast_1d(at)[::-1])[::-1])
        gap = np.broadcast_to(assumption.hessian_gap(seen.a_sq, seen.s_sq), seen.a_sq.shape)[..., None, None]
        high = seen.hessian_floor(1 / assumption.smoothness) + gap * seen.omega[..., :, None] * seen.omega[..., None, :]
        return -np.linalg.eigvalsh(high)[..., -1]

    horizon = float(times[-1])
    xi = last_crossing(lambda t: curvature(t)[0], times, curvature(times), 0.0)
    eta = last_crossing(lambda t: rate(t)[0], times, rate(times), rho)
    found = {
        "kappa": kappa, "drift_rate": path.a * (1 - 1 / kappa), "integrated_rate": float(gained(kappa)),
        "regularity_constant": regularity_constant(path, assumption, float(clock[-1])),
    }  # fmt: skip
    return Regimes(xi, eta, rho, max(horizon - eta, 0.0), horizon, times, rate(times), found)
