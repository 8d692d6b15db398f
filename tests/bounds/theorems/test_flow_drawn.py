"""The flow bound on problems drawn at random: never violated, and no looser than it is printed to be."""

from collections import defaultdict
from functools import lru_cache

import numpy as np
import pytest
from scipy import stats

from bounds import Setting, TimeGrid, edm, flow_matching, general, ou, sub_vp, ve, vp
from bounds.sampler import Scheme, variance_of
from bounds.samplers import samplers
from bounds.theorems import theorems
from closed_form import Gaussian, GaussianMixture
from closed_form.steps.table import exact_steps
from tests.bounds.tolerances import QUADRATURE_OF_MAPS
from verify.certificates.certificate import Verdict, certify_setting, measure
from verify.levels import rho_grid

FLOW = theorems()["flow"]
#: What a seed draws from; samplers registered later are not among them.
SILENT = ("ode-euler", "ode-exponential", "ddim", "heun", "heun-t", "midpoint", "dpm-solver-2")
PROCESSES = (
    (ou, 5.0), (lambda: vp("1/10 + 199/10*t"), 1.0), (lambda: vp("1 + t^2"), 2.0), (lambda: ve("1 + t"), 3.0),
    (lambda: ve("1/10*exp(3*t)"), 1.5), (lambda: sub_vp("1 + 5*t"), 1.0),
    (lambda: general("-1/5", "1 + t"), 2.0), (edm, 40.0), (flow_matching, 0.97))
#: Largest median of bound over exact W2, by the evaluations of a step and the data.
MEDIAN = {(1, "Gaussian"): 1.25, (1, "mixture"): 2.1, (2, "Gaussian"): 1.35, (2, "mixture"): 2.1}


@lru_cache(maxsize=16)
def process(place):
    """A process, made once: what is proved of its coefficients is remembered."""
    return PROCESSES[place][0]()


def drawn(seed, mixture, most_steps):
    """(law, setting) of a seed: a sampler without noise on a line, any grid, a score error in two of five."""
    rng = np.random.default_rng([seed, mixture])
    place = int(rng.integers(len(PROCESSES)))
    horizon = float(PROCESSES[place][1] * rng.uniform(0.3, 1.0))
    std = float(np.exp(rng.uniform(np.log(0.2), np.log(3.0))))
    if mixture:
        count = int(rng.integers(2, 6))
        means = std * rng.uniform(0.2, 1.4) * np.linspace(-1.0, 1.0, count)[:, None]
        law = GaussianMixture(means, weights=(w := rng.uniform(0.1, 1.0, count)) / w.sum(), std=std)
    else:
        law = Gaussian([std * float(rng.choice([0.0, 1.0, -0.3]))], std**2)
    steps = int(np.exp(rng.uniform(np.log(2), np.log(most_steps + 1))))
    scheme = Scheme(samplers()[str(rng.choice(SILENT))], _grid(rng, place, horizon, steps),
                    prior_spread=float(rng.choice([0.0, variance_of(law)])))
    error = float(rng.choice([0, 0, 0, 1, 1]) * rng.uniform(0.001, 0.1) / std)
    return law, Setting(process(place), law.assumptions()[0], scheme, error)


def _grid(rng, place, horizon, steps):
    kind = rng.choice(["uniform", "geometric", "list", "levels"])
    if kind == "levels" and place >= len(PROCESSES) - 2:
        highest = horizon if place == len(PROCESSES) - 2 else horizon / (1 - horizon)
        return rho_grid(process(place), highest, 0.01 * highest, max(steps, 2), rho=7.0,
                        last_zero=bool(rng.integers(2)))
    if kind in ("uniform", "geometric"):
        return getattr(TimeGrid, kind)(horizon, steps)
    return TimeGrid.from_times(horizon * np.append(np.linspace(1.0, 0.0, steps + 1)[:-1] ** 2, 0.0))


def exact(law, setting):
    """The W2 on a line by quadrature of |T(z) − Q(Φ(z))|², T the sampler as a map of its start z."""
    z = np.linspace(-8.0, 8.0, 2001)
    weight = stats.norm.pdf(z) * (z[1] - z[0])
    steps = exact_steps(setting.process, setting.scheme, setting.assumption, None)
    x = np.sqrt(float(steps.prior_var)) * z[:, None]

    def score(points, a, s_sq):
        return law.pushed(float(a), float(s_sq)).score(points) + setting.score_error

    for k in range(len(steps.P)):
        moved = steps.P[k] * x + steps.Q[k] * score(x, steps.a[k], steps.s_sq[k])
        if (second := steps.second) is not None:
            again = 0.0
            if second.Q[k] != 0:
                again = second.Q[k] * score(moved, second.a[k], second.s_sq[k])
            moved = second.keep[k] * x + second.P[k] * moved + again
        x = moved
    ends, ranks = x[:, 0], z
    if np.any(np.diff(ends) <= 0):
        order = np.argsort(ends)
        ends, weight = ends[order], weight[order]
        ranks = stats.norm.ppf(np.clip(np.cumsum(weight) - weight / 2, 1e-15, 1 - 1e-15))
    a, s_sq = float(steps.a[-1]), float(steps.s_sq[-1])
    means, spread = a * law.means[:, 0], np.sqrt(a**2 * law.std**2 + s_sq)
    grid = np.linspace(means.min() - 9 * spread, means.max() + 9 * spread, 20_001)[:, None]
    below, above = (stats.norm.cdf(sign * (grid - means) / spread) @ law.weights for sign in (1.0, -1.0))
    place = np.where(below < above, stats.norm.ppf(below), -stats.norm.ppf(above))
    return float(np.sqrt(weight @ np.square(ends - np.interp(ranks, place, grid[:, 0]))))


def ratio(law, setting):
    """Bound over exact W2, which is the project's own for Gaussians and by quadrature for mixtures."""
    if isinstance(law, GaussianMixture):
        return FLOW.bound(setting).total / exact(law, setting)
    certificate = certify_setting(FLOW, setting, law)
    assert certificate.verdict is not Verdict.VIOLATED
    return certificate.bound.total / max(certificate.measured.midpoint, 1e-300)


def check(gaussians, mixtures, most_steps, record=lambda *_: None):
    """No violation among seeds of both kinds of data, and medians below the printed ones."""
    for mixture, seeds in ((False, gaussians), (True, mixtures)):
        found = defaultdict(list)
        for seed in seeds:
            law, setting = drawn(seed, mixture, most_steps)
            found[setting.scheme.sampler.evaluations].append(ratio(law, setting))
            assert found[setting.scheme.sampler.evaluations][-1] >= 1 - QUADRATURE_OF_MAPS, seed
        name = "mixture" if mixture else "Gaussian"
        for evaluations, ratios in sorted(found.items()):
            record("summary", f"flow, {evaluations} evaluations, {name}: {len(ratios)} problems, bound over "
                   f"exact W2 median {np.median(ratios):.3f}, least {min(ratios):.6f}")
            assert np.median(ratios) <= MEDIAN[evaluations, name]


def test_quadrature_is_the_exact_law():
    """The quadrature of the sampler's map is the project's bracket, where the map folds too."""
    for seed in (3, 4, 5):
        law, setting = drawn(seed, True, 8)
        measured = measure(setting, law)
        assert exact(law, setting) == pytest.approx(measured.midpoint, rel=QUADRATURE_OF_MAPS)


def test_a_hundred_problems(record_property):
    """On 100 problems the bound is never below the exact W2, and its median over it is as printed."""
    check(range(60), range(40), 16, record_property)


@pytest.mark.deep
def test_twenty_thousand_problems():
    """The same on 20,000, a quarter of them mixtures, with more steps; a line a kind is printed."""
    check(range(1000, 16_000), range(1000, 6000), 40, lambda _, line: print(line, flush=True))
