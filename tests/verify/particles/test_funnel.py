"""The funnel's sampler by the Gram matrix of its other coordinates: the law of the full sampler, in one block
and two."""

import numpy as np
import pytest
from scipy.stats import ks_2samp

from bounds import vp
from bounds.processes.cld import cld
from bounds.sampler import scheme
from bounds.steps.phase_space.path import PhasePath
from closed_form.laws.funnel import Funnel
from closed_form.sampler_laws.phase_space.score import PhaseLaw
from tests.drawn import thinned
from tests.verify.tolerances import FUNNEL_SAME_LAW
from verify.particles.simulation import sample

LAW = Funnel(9, 1.0, standardized=True)


def steps_of(name):
    """Samplers of one block and two, with singular and full noise."""
    if name == "vp":
        return scheme("euler-maruyama", 0.5, 8).steps(vp("6"))
    key, epsilon = name.rsplit(" ", 1)
    return scheme(key, 0.6, 8).steps(
        cld(a=0.7, sigma=1.4, epsilon=float(epsilon), velocity_variance=0.1, clock="4*t")
    )


@pytest.mark.parametrize(("name", "started"), thinned(
    ["vp", "euler-maruyama 0", "euler-maruyama 0.5", "sscs 0", "leapfrog 0.3", "symplectic-euler 0.3"], [False, True], every=3))
def test_the_reduced_sampler_has_the_same_law(name, started):
    """First coordinate, length of the others, one of them and the joint of the two pass a two-sample test."""
    steps, n = steps_of(name), 20_000
    start = None
    if started:
        blocks = () if name == "vp" else (2,)
        start = np.random.default_rng(4).standard_normal((n, *blocks, LAW.dim)) * np.array([1.5] + [0.8] * 8)
    errors = {"score_error": 0.5, "score_noise": 0.4, "start": start}
    full, reduced = sample(LAW, steps, n, 1, **errors), sample(LAW, steps, n, 2, reduce=True, **errors)
    views = (lambda x: x[:, 0], lambda x: length(x), lambda x: x[:, 4], lambda x: length(x) - x[:, 0])
    assert min(ks_2samp(view(full), view(reduced)).pvalue for view in views) > FUNNEL_SAME_LAW


def length(x):
    """Log of the length of all but the first coordinate."""
    return np.log(np.square(x[:, 1:]).sum(axis=1))


@pytest.mark.parametrize("name", ["vp", "euler-maruyama 0", "euler-maruyama 0.5"])
def test_schedule_changes_no_bit(name):
    """Blocks and threads leave every bit as it is, whole and reduced."""
    for reduce in (False, True):
        whole = sample(LAW, steps_of(name), 3000, 5, reduce=reduce)
        for block, threads in ((1, 1), (900, 2), (10**6, 1)):
            assert np.array_equal(
                sample(LAW, steps_of(name), 3000, 5, reduce=reduce, block=block, threads=threads), whole
            )


def test_samples_approach_the_data():
    """From the exact law at T, small steps end at the funnel: scale of the others against the first
    coordinate."""
    process, n = cld(a=1, sigma=2, epsilon=0.5, velocity_variance=0.5), 6000
    rng, path = np.random.default_rng(1), PhasePath(process)
    phi, S = (part[0] for part in path.kernel(np.array([1.0])))
    noise = np.einsum("ij,njd->nid", np.linalg.cholesky(S), rng.standard_normal((n, 2, LAW.dim)))
    start = phi[:, None] * LAW.sample(n, rng)[:, None] + noise
    x = sample(LAW, scheme("posterior-mean", 1.0, 200).steps(process), n, 3, reduce=True, start=start)
    y = LAW.sample(n, rng)
    views = (lambda x: x[:, 0], lambda x: length(x), lambda x: length(x) - x[:, 0])
    assert min(ks_2samp(view(x), view(y)).pvalue for view in views) > FUNNEL_SAME_LAW


def test_small_funnels_and_foreign_directions():
    """In few dimensions reduce changes nothing; an error off the first axis, and increments, are refused."""
    small = Funnel(3)
    assert np.array_equal(
        sample(small, steps_of("vp"), 50, 1, reduce=True), sample(small, steps_of("vp"), 50, 1)
    )
    with pytest.raises(ValueError, match="along its first axis"):
        sample(LAW, steps_of("vp"), 50, 1, reduce=True, score_error=0.1, direction=np.ones(9))
    with pytest.raises(ValueError, match="increments replace the seed"):
        sample(LAW, steps_of("vp"), 50, None, reduce=True, increments=np.zeros((9, 50, 9)))


def test_the_kernel_uses_the_exact_score():
    """One long step without noise moves particles by the score of the closed form, within the rule's stated
    error."""
    steps = steps_of("euler-maruyama 0.5")
    start = np.random.default_rng(2).standard_normal((64, 2, LAW.dim))
    normals = np.zeros((len(steps) + 1, 2, 64, LAW.dim))
    x = sample(LAW, steps, 64, None, increments=normals, start=start)
    y = np.swapaxes(start, 0, 1)
    for i in range(len(steps)):
        score = np.stack(PhaseLaw(LAW, steps.a[i], steps.s_sq[i]).score(*y))
        y = np.einsum("ij,jnd->ind", steps.P[i], y) + np.einsum("ij,jnd->ind", steps.Q[i], score)
    assert np.abs(x - y[0]).max() < 1e-3 * np.abs(x).max()


@pytest.mark.parametrize("reduce", [pytest.param(False, marks=pytest.mark.deep), True])
def test_a_scheme_that_diverges_is_left_where_no_digit_is_known(reduce, monkeypatch):
    """Steps far too long for VP: no score is asked for at particles 1e20 times as far out as the law."""
    farthest, moves = [], Funnel.shrinkage

    def asked(self, first, energy, a, s_sq, *rule):
        farthest.append(np.sqrt(energy.max() / (1 + a * a * self.second_moment / s_sq)))
        return moves(self, first, energy, a, s_sq, *rule)

    monkeypatch.setattr(Funnel, "shrinkage", asked)
    steps = scheme("euler-maruyama", 40.0, 200).steps(vp("1/10 + 199/10*t"))
    with pytest.raises(OverflowError, match=r"1e\+20 times as far out .*: the scheme diverges"):
        sample(LAW, steps, 20, 3, reduce=reduce)
    assert 1e15 < max(farthest) <= 1e20 and len(farthest) < 40
