"""The rate of critically-damped Langevin bounds the growth of reverse paths, and at equilibrium is that of
Ã."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from bounds import StronglyLogConcave, WeaklyLogConcave
from bounds.contraction.metric import contracting_metric
from bounds.processes.cld import cld
from bounds.steps.phase_space.path import PhasePath
from closed_form import GaussianMixture
from closed_form.sampler_laws.phase_space.mixture_score import PhaseMixtureScore
from tests.verify.tolerances import PATH_GROWTH
from verify.studies.regimes import regimes_of


def test_two_reverse_paths_grow_no_faster():
    """|Z|_𝔐 of two paths of ½N(±1,¼) under one noise, solved without noise, stays below e^{−∫μ} from start to
    end."""
    process, law = cld(clock="2*t"), GaussianMixture.two_modes(2.0, 0.5)
    found, path = regimes_of(process, law.assumptions()[0], 1.2), PhasePath(process)
    fixed = contracting_metric(path, found.metric["kappa"])

    def velocity(back, u):
        clock = 2 * (1.2 - back)
        phi, S = path.kernel(np.array(clock))
        score = PhaseMixtureScore(law.weights, law.means, np.full(2, 0.25), phi, S)
        moved = []
        for x, v in u.reshape(2, 2):
            _, pull = score.score(np.array([x]), np.array([v]))
            moved.append(2 * (-path.A @ [x, v] + path.D @ [0.0, pull[0]]))
        return np.concatenate(moved)

    start = np.array([0.02, 0.0, -0.02, 0.01])
    done = solve_ivp(velocity, (0.0, 1.2), start, rtol=1e-9, atol=1e-12, dense_output=True)
    back = np.linspace(0.0, 1.2, 60)
    Z = np.array([done.sol(t)[:2] - done.sol(t)[2:] for t in back])
    size = np.sqrt(np.einsum("ni,ij,nj->n", Z, fixed, Z))
    rate = np.interp(1.2 - back, found.times, found.rate)
    grown = np.concatenate([[0.0], np.cumsum((rate[1:] + rate[:-1]) / 2 * np.diff(back))])
    assert np.all(size <= size[0] * np.exp(-grown) * (1 + PATH_GROWTH))
    assert size.max() > 2 * size[0]


def test_at_equilibrium_the_rate_is_that_of_the_drift():
    """For N(0, I) at Σ_∞ = I nothing but Ã is left, and the largest κ is best: μ = a(1 − 1/κ) at all
    times."""
    found = regimes_of(cld(), StronglyLogConcave(1.0, 1.0), 4.0)
    assert np.ptp(found.rate) <= 1e-12 and found.rate[0] == pytest.approx(1 - 1 / found.metric["kappa"])
    assert found.eta == 0 and found.xi == 0


def test_log_concavity_is_not_enough():
    """ξ is before η: p_t is log-concave on the phase space while the flow may still expand."""
    found = regimes_of(cld(), WeaklyLogConcave(alpha=4.0, M=16.0, L=4.0), 8.0)
    assert 0 < found.xi < found.eta
