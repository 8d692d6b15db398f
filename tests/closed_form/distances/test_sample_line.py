"""W2 from a sample on the line to a law: partial moments of 40 digits, every cell for itself, closed forms."""

from itertools import pairwise

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from closed_form import Gaussian, GaussianMixture, w2_line, w2_sample_to_law, w2_samples
from closed_form.distances.line_mixture import LineMixture
from closed_form.distances.sample_line import _Cells
from tests.closed_form.tolerances import FAR_SHARES, QUANTILE_COUPLING, SAMPLE_TO_LAW, SAMPLE_WIDTH
from tests.drawn import examples, thinned

LAWS = {
    "normal": LineMixture([0.3], 1.4),
    "two modes": LineMixture([-2.0, 2.0], 0.5),
    "far and narrow": LineMixture([-100.0, 100.0], 0.01, [0.31, 0.69]),
    "three widths": LineMixture([0.0, 1.0, 5.0], np.array([1e-3, 0.3, 1.0]), [0.2, 0.5, 0.3]),
    "many": LineMixture(np.linspace(-3.0, 3.0, 40), 0.05, np.linspace(1.0, 2.0, 40)),
}


def by_partial_moments(x, law):
    """(E Y² + mean x² − 2 Σ x_i (M(t_i) − M(t_{i−1})))^½, M the first moment up to the quantiles t_i."""
    n, parts = len(x), list(zip(law.means.tolist(), law.stds.tolist(), law.weights.tolist(), strict=True))
    with mpmath.workdps(40):
        def normal(z, curve, far):
            return curve(z) if abs(z) < 40 else mpmath.mpf(far(z))

        def summed(curve):
            return mpmath.fsum(w * curve(mpmath.mpf(m), mpmath.mpf(s)) for m, s, w in parts) / mpmath.fsum(
                w for _, _, w in parts)

        def below(t):
            return summed(lambda m, s: normal((t - m) / s, mpmath.ncdf, lambda z: z > 0))

        def first(t):
            return summed(lambda m, s: m * normal((t - m) / s, mpmath.ncdf, lambda z: z > 0)
                          - s * normal((t - m) / s, mpmath.npdf, lambda z: 0))

        total = summed(lambda m, s: m * m + s * s) + mpmath.fsum(mpmath.mpf(v) ** 2 for v in x.tolist()) / n
        near = law.ppf(np.arange(1, n) / n).tolist() if n > 1 else []
        moments = [mpmath.mpf(0)]
        for i, t in enumerate(near, start=1):
            low, high = mpmath.mpf(t) - mpmath.mpf(10) ** -10, mpmath.mpf(t) + mpmath.mpf(10) ** -10
            level = mpmath.mpf(i) / n
            for _ in range(45):
                middle = (low + high) / 2
                low, high = (middle, high) if below(middle) < level else (low, middle)
            moments.append(first(low))
        moments.append(summed(lambda m, s: m))
        steps = [after - before for before, after in pairwise(moments)]
        return mpmath.sqrt(total - 2 * mpmath.fsum(v * step for v, step in zip(np.sort(x).tolist(), steps, strict=True)))


@pytest.mark.parametrize("name, n", [*thinned(LAWS, [1, 2, 9], every=2), pytest.param("many", 33, marks=pytest.mark.deep)])
def test_against_partial_moments(name, n):
    """The bracket holds the distance by partial moments in 40 digits, and is narrow."""
    law = LAWS[name]
    x = law.ppf(np.random.default_rng(n).uniform(size=n)) + 0.01
    found, exact = w2_sample_to_law(x, law), by_partial_moments(x, law)
    assert found.lower <= exact <= found.upper
    assert found.relative_width < SAMPLE_WIDTH


def test_shares_of_far_modes_that_no_float_is():
    """A third of the mass a million deviations away: levels are rounded, which moves mass across; the bracket knows."""
    law = LineMixture([-1e5, 1e5], 0.1, [1 / 3, 2 / 3])
    x = np.array([-1e5, 1e5, 1e5]) + 0.1 * np.random.default_rng(1).normal(size=3)
    found, exact = w2_sample_to_law(x, law), by_partial_moments(x, law)
    assert found.lower <= exact <= found.upper
    assert found.relative_width < FAR_SHARES


@pytest.mark.parametrize("name", LAWS)
def test_panels_against_every_cell(name):
    """Where polynomials fill the cells in, they are what they are one by one, whether the sample is the law's or not."""
    law, n = LAWS[name], 30_011
    rng = np.random.default_rng(7)
    means, variances, _ = _Cells(law, n)(np.arange(n, dtype=float))
    for x in (law.ppf(rng.uniform(size=n)), rng.standard_normal(n), means + 1e-3):
        found = w2_sample_to_law(x[:, None], law)
        exact = np.sqrt((np.square(np.sort(x) - means).sum() + variances.sum()) / n)
        assert found.midpoint == pytest.approx(exact, rel=SAMPLE_TO_LAW)
        assert found.relative_width < SAMPLE_WIDTH
    assert len(_Cells(law, n).panels()) > 10


def test_the_sum_of_variances_is_the_floor():
    """No sample of n is nearer to a law than that of its cells' means, whose squared distance is the mean of their
    variances: what is left of the variance."""
    law, n = LAWS["two modes"], 4096
    means, variances, _ = _Cells(law, n)(np.arange(n, dtype=float))
    nearest = w2_sample_to_law(means, law).midpoint
    assert nearest**2 == pytest.approx(4.25 - np.square(means).mean(), rel=1e-6)
    assert nearest == pytest.approx(np.sqrt(variances.mean()), rel=SAMPLE_TO_LAW)
    assert w2_sample_to_law(means + np.where(np.arange(n) % 2, 1e-6, -1e-6), law).lower > nearest


@settings(max_examples=examples(4))
@given(seed=st.integers(0, 10**6), shift=st.floats(-5, 5), n=st.integers(1, 40))
def test_between_other_distances(seed, shift, n):
    """One value has ((x − m)² + σ²)^½; a shift of both changes nothing; the triangle inequality holds with the distances
    of two samples and of two laws."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(2, n, 1))
    law, other = Gaussian([0.5], 0.49), GaussianMixture.two_modes(1.0, 0.4)
    first = w2_sample_to_law(x, law)
    one = w2_sample_to_law(x[:1], law)
    assert one.midpoint == pytest.approx(np.hypot(x[0, 0] - 0.5, 0.7), rel=QUANTILE_COUPLING)
    moved = w2_sample_to_law(x + shift, Gaussian([0.5 + shift], 0.49))
    assert moved.midpoint == pytest.approx(first.midpoint, rel=QUANTILE_COUPLING)
    assert first.lower <= w2_sample_to_law(y, law).upper + w2_samples(x, y).upper
    assert first.lower <= w2_sample_to_law(x, other).upper + w2_line(law, other).upper


def test_refuses_what_is_no_sample_on_a_line():
    """An empty sample, two columns, a number that is not finite and a law in the plane are named."""
    law = Gaussian([0.0], 1.0)
    for x in (np.zeros(0), np.zeros((2, 2))):
        with pytest.raises(ValueError, match="x must have shape"):
            w2_sample_to_law(x, law)
    with pytest.raises(ValueError, match="x must"):
        w2_sample_to_law(np.array([0.0, np.nan]), law)
    with pytest.raises(ValueError, match="dim = 1"):
        w2_sample_to_law(np.zeros(3), Gaussian([0.0, 0.0], 1.0))
    with pytest.raises(ValueError, match="stds must be positive"):
        w2_sample_to_law(np.zeros(3), Gaussian([0.0], 0.0))
