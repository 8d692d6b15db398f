"""How far a last iterate can be: never less than the exact W2, and what moments say of it to the letter."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bounds import Scheme, TimeGrid
from bounds.processes import process_of
from bounds.sampler import scheme
from bounds.samplers import samplers
from bounds.start import Start
from bounds.steps.affine import Steps
from closed_form import Gaussian, GaussianMixture
from closed_form.laws.funnel import Funnel
from closed_form.sampler_laws.reach import farthest, reach
from closed_form.sampler_laws.w2 import sampler_w2
from tests.closed_form.tolerances import REACH, REACHED
from tests.drawn import examples

FAR_MODES = GaussianMixture([[-2.0, 0.5], [1.0, 0.5]], [0.3, 0.7], std=0.4)
#: Samplers whose numbers take nothing of the data.
KEYS = sorted(key for key, each in samplers().items() if each.one_block is None or not each.one_block.needs_envelope)
OWN = GaussianMixture([[-1.0], [1.0]], [0.4, 0.6], covariances=[[[0.1]], [[0.5]]])


def steps_of(key: str, count: int) -> Steps:
    """Steps of a sampler, with one block where it has that form."""
    one = samplers()[key].one_block is not None
    return scheme(key, 3.0, count).steps(process_of("ou" if one else "cld"))


@pytest.mark.parametrize("noise", [0.0, 0.8])
@pytest.mark.parametrize("key", ["euler-maruyama", "ddim", "heun", "dpmpp-2m", "sscs", "leapfrog"])
def test_of_a_centred_gaussian_it_is_the_distance(key, noise):
    """One component draws nothing: what is left is the difference of the deviations, with fresh noise in the score too."""
    law, steps = Gaussian([0.0, 0.0], 0.49), steps_of(key, 8)
    found = farthest(law, steps, np.zeros(2), noise / math.sqrt(2))
    assert found == pytest.approx(sampler_w2(law, steps, 0.0, noise).upper, rel=REACH)


@settings(max_examples=examples(8))
@given(st.sampled_from(KEYS), st.integers(2, 12), st.sampled_from([0.0, 0.7]),
       st.sampled_from([FAR_MODES, OWN]))
def test_it_is_never_below_the_exact_distance(key, count, error, law):
    """Any sampler, with one block or two, off by a constant or not: the exact W2 is below, and it is finite where
    components share a covariance."""
    steps = steps_of(key, count)
    found = farthest(law, steps, law.bias(error))
    assert found < math.inf or (law is OWN and (steps.blocks == 2 or steps.past is not None))
    if steps.blocks == 1:
        assert sampler_w2(law, steps, error).lower <= found


def test_what_is_drawn_is_reached():
    """A wide start falls to the outermost means: all of D, and no more, is between an iterate and its linear part."""
    law, rng = GaussianMixture([[-1.0, 0.0], [3.0, 0.0], [0.0, 2.0]], [0.5, 0.3, 0.2], std=0.3), np.random.default_rng(3)
    steps = Steps(np.array([1.0, 0.0]), *(np.array([x]) for x in (0.9, 0.05, 0.0)), np.array([0.8, 1.0]),
                  np.array([0.01, 0.0]), 400.0)
    known, y = reach(law.components(), steps, np.array([0.2, 0.1]), 0.0), rng.standard_normal((4000, 2)) * 20.0
    variance = 0.8**2 * 0.3**2 + 0.01
    kept, pull = 0.9 - 0.05 / variance, 0.05 * 0.8 / variance
    score = law.pushed(0.8, 0.01).score(y)
    off = 0.9 * y + 0.05 * score - kept * y - pull * law.mean
    assert np.linalg.norm(off, axis=1).max() == pytest.approx(known.drawn, rel=REACHED)
    assert np.linalg.norm(off, axis=1).max() <= known.drawn * (1 + REACH)
    assert known.deviations == pytest.approx(np.full(2, abs(kept) * 20.0), rel=REACH)
    centre = pull * law.mean + 0.05 * np.array([0.2, 0.1])
    assert known.off == pytest.approx(np.linalg.norm(centre - law.mean), rel=REACH)


def test_moments_alone_are_the_distance_of_independent_laws():
    """Deviations far apart are best left independent: the moments of both laws, as written out."""
    law, steps = FAR_MODES, steps_of("euler-maruyama", 20)
    known, found = reach(law.components(), steps, np.zeros(2), 0.3), farthest(law, steps, np.zeros(2), 0.3)
    sure, spread = known.drawn + known.off, law.means - law.mean
    between = float(law.weights @ np.square(spread).sum(axis=1))
    apart = np.linalg.norm(known.deviations - 0.4) + sure + math.sqrt(between)
    alone = math.hypot(np.linalg.norm(known.deviations) + sure, math.sqrt(between + 2 * 0.4**2))
    assert found == pytest.approx(min(apart, alone), rel=REACH)


def test_a_law_that_is_no_sum_of_gaussians_has_none():
    """Nothing is known of a funnel's iterates."""
    assert farthest(Funnel(3), steps_of("euler-maruyama", 5), np.zeros(3)) == math.inf


@pytest.mark.parametrize("start", [{"prior_mean": [2.0, -1.0]}, {"prior_covariance": [2.0, 0.3]}, {"from_mean": True},
                                   {"prior_mean": [2.0, -1.0], "prior_covariance": [[1.0, 0.4], [0.4, 0.5]]}])
@pytest.mark.parametrize("turned", [False, True])
def test_of_a_gaussian_it_is_the_distance_from_any_start(start, turned):
    """One component and a start with its axes: the distance of the chain to the letter; with axes of its own, an upper side."""
    covariance = [[0.5, 0.2], [0.2, 0.3]] if turned else [0.49, 0.25]
    law, steps = Gaussian([1.0, -0.5], covariance), Scheme("ancestral", TimeGrid.uniform(0.8, 8), **start).steps(process_of("ou"))
    components, exact = law.components(), sampler_w2(law, steps).upper
    assert exact <= farthest(law, steps, np.zeros(2)) < math.inf
    known = reach(components, steps, np.zeros(2), 0.0)
    shared = np.ndim(start.get("prior_covariance", 0)) == 0 or (not turned and np.ndim(start["prior_covariance"]) == 1)
    assert (known is not None) == shared
    if known is not None:
        apart = np.linalg.norm(known.deviations - np.sqrt(components.spectrum))
        assert known.drawn == 0 and math.hypot(known.off, apart) == pytest.approx(exact, rel=REACH)


def test_moments_of_components_of_their_own_are_written_out():
    """Components that differ in their covariances alone, one step from a start elsewhere: what linear maps, errors and
    noise do to E|y − m|² at most is known to the letter."""
    law = GaussianMixture([[0.6, -0.3]] * 2, covariances=[[[0.4, 0.0], [0.0, 0.4]], [[0.3, 0.0], [0.0, 0.3]]])
    P, Q, a, s_sq, var, start, size = 0.9, 0.05, 0.8, 0.3, 0.02, 1.7, 0.4
    steps = Steps(np.array([1.0, 0.0]), *(np.array([x]) for x in (P, Q, var)), np.array([a, 1.0]), np.array([s_sq, 0.0]),
                  1.0, start=Start(np.array([1.5, 0.5]), np.array(start)))
    bias, mean = np.array([0.3, -0.4]), law.means[0]
    around = math.hypot(math.sqrt(2 * start), np.linalg.norm([1.5 - a * 0.6, 0.5 + a * 0.3]))
    kept, drift = P - Q / (a * a * 0.4 + s_sq), abs(P * a - 1.0) * np.linalg.norm(mean)
    moved = kept * around + Q * 0.5 + drift
    found = math.hypot(moved, math.sqrt(2 * (var + (Q * size) ** 2)))
    assert reach(law.components(), steps, bias, size) is None
    assert farthest(law, steps, bias, size) == pytest.approx(math.hypot(found, math.sqrt(0.4 + 0.3)), rel=REACH)
