"""The tracks of an affine chain against 60 digits: what is not known of a step, and rounding, one at a
time."""

from dataclasses import replace

import numpy as np
import pytest
from mpmath import mp

from bounds.steps.affine import StepErrors, Steps
from closed_form.sampler_laws.affine_scan import affine_tracks
from closed_form.sampler_laws.extended_precision import WIDE, WIDE_EPS
from tests.closed_form.tolerances import FIRST_ORDER

SIZES = {"P": 3e-7, "Q": 2e-7, "noise_var": 5e-7, "a": 1e-7, "s_sq": 4e-7, "prior_var": 6e-7, "values": 7e-7}


def digits(x):
    """A number of any precision in 60 digits."""
    high = float(x)
    return mp.mpf(high) + mp.mpf(float(x - WIDE(high)))


def exact(value, steps):
    """Variance, lag for unit mean and lag for unit bias after all steps, in 60 digits."""
    with mp.workdps(60):
        numbers = {name: [digits(x) for x in np.asarray(getattr(steps, name), dtype=WIDE)]
                   for name in ("P", "Q", "noise_var", "a", "s_sq")}
        variance, eigenvalue = digits(steps.prior_var), digits(value)
        drift, pull = -numbers["a"][0], mp.mpf(0)
        for i in range(len(steps)):
            P, Q, n, a, s_sq = (numbers[name][i] for name in ("P", "Q", "noise_var", "a", "s_sq"))
            A = P - Q / (a * a * eigenvalue + s_sq)
            variance = A * A * variance + n
            drift = A * drift + P * a - numbers["a"][i + 1]
            pull = A * pull + Q
        return variance, drift, pull


def missed(tracks, value, steps):
    """|computed − exact| of the three tracks of one eigenvalue."""
    with mp.workdps(60):
        return np.array([float(abs(digits(track[0]) - known)) for track, known in
                         zip(tracks, exact(value, steps), strict=True)])


def chain(k, **numbers):
    """Steps whose numbers are all of size one and none of them 1."""
    given = dict(P=np.full(k, 1.3), Q=np.full(k, 0.4), noise_var=np.full(k, 0.7), a=np.full(k + 1, 0.6),
                 s_sq=np.full(k + 1, 0.9), prior_var=1.7)
    return Steps(np.arange(k + 1.0)[::-1], **given | numbers)


@pytest.mark.parametrize("kind", SIZES)
@pytest.mark.parametrize("k", [1, 20])
def test_what_is_not_known_of_the_numbers_is_in_the_error(kind, k):
    """Numbers off by their errors, all up or all down, leave the tracks within their errors, which one of
    both ways fills after one step."""
    steps = chain(k)
    errors = {name: np.full(k + 1 if name in ("a", "s_sq") else k, SIZES[name] if name == kind else 0.0)
              for name in ("P", "Q", "noise_var", "a", "s_sq")}
    prior, spectrum = (SIZES[name] if name == kind else 0.0 for name in ("prior_var", "values"))
    known = replace(steps, errors=StepErrors(**errors, prior_var=prior))
    tracks = affine_tracks(np.array([1.1], dtype=WIDE), spectrum, known, steps.noise_var, errors["noise_var"])
    moved = []
    for sign in (-1, 1):
        off = {name: getattr(steps, name) + sign * error for name, error in errors.items()}
        other = replace(steps, **off, prior_var=1.7 + sign * prior)
        moved.append(missed(tracks[..., 0], 1.1 + sign * spectrum, other))
    moved, found = np.max(moved, axis=0), tracks[:, 2, 0].astype(float)
    assert np.all(moved <= found * (1 + FIRST_ORDER) + 1e-17)
    if k == 1:
        assert found[[0, 2]] == pytest.approx(moved[[0, 2]], rel=FIRST_ORDER, abs=1e-16)
        V = 0.36 * 1.1 + 0.9
        # of A(−a) + P a − a' each part counts by its size, though P and a cancel
        mean = {"P": 1.2, "a": 0.4 / V * 1.2 * 1.1 / V * 0.6 + 1.3 - 0.4 / V + 1.3 + 1.0}
        expected = mean[kind] * SIZES[kind] if kind in mean else moved[1]
        assert found[1] == pytest.approx(expected, rel=FIRST_ORDER, abs=1e-16)


def test_rounding_where_a_step_cancels():
    """P and Q/V, or P a and the next a, a million times their difference: what rounding leaves is in the
    error."""
    rng = np.random.default_rng(5)
    worst = np.zeros(3)
    for _ in range(40):
        P = WIDE(1e6) * (1 + WIDE(rng.uniform()))
        a, s_sq = WIDE(rng.uniform(1, 2)), WIDE(rng.uniform(0.5, 2)) / 3
        Q = (P - WIDE(rng.uniform(0.5, 2))) * (a * a * WIDE(0.3) + s_sq)
        steps = chain(1, P=np.array([P]), Q=np.array([Q]), a=np.array([a, P * a - WIDE(rng.uniform())]),
                      s_sq=np.array([s_sq, s_sq]))
        values = np.array([0.3], dtype=WIDE)
        tracks = affine_tracks(values, 0.0, steps, steps.noise_var.astype(WIDE), np.zeros(1))
        off = missed(tracks[..., 0], values[0], steps)
        assert np.all(off <= tracks[:, 2, 0])
        worst = np.maximum(worst, off / (WIDE_EPS * 1e6))
    assert np.all(worst[:2] > 0.05)  # rounding is seen here


def test_rounding_of_the_mean_alone():
    """Where the lag and what a step keeps of it are 0, P a − a' is left, and its rounding is in the error."""
    rng, worst = np.random.default_rng(6), 0.0
    for _ in range(40):
        P, a = WIDE(1e6) * (1 + WIDE(rng.uniform())), WIDE(rng.uniform(1, 2)) / 3
        P, a = np.array([WIDE(1), P]), np.array([a, a, WIDE(float(P * a))])
        steps = chain(2, P=P, Q=P, a=a, s_sq=np.ones(3))
        tracks = affine_tracks(np.zeros(1, dtype=WIDE), 0.0, steps, steps.noise_var, np.zeros(2))
        off = missed(tracks[..., 0], WIDE(0), steps)[1]
        assert off <= tracks[1, 2, 0]
        worst = max(worst, off)
    assert worst > 0.01 * WIDE_EPS * 1e6


def test_blocks_of_steps_and_of_eigenvalues_are_one_chain(monkeypatch):
    """Cut into blocks of a few steps and one eigenvalue the tracks are the same numbers."""
    rng, k = np.random.default_rng(7), 23
    steps = chain(k, P=rng.uniform(0.8, 1.2, k), Q=rng.uniform(0.1, 0.4, k), a=rng.uniform(0.3, 1, k + 1))
    values = np.array([0.2, 1.0, 3.0], dtype=WIDE)
    whole = affine_tracks(values, 1e-9, steps, steps.noise_var, np.zeros(k))
    monkeypatch.setattr("closed_form.sampler_laws.affine_scan._BLOCK", 5)
    parts = affine_tracks(values, 1e-9, steps, steps.noise_var, np.zeros(k))
    assert parts.shape == (3, 3, 3)
    assert parts == pytest.approx(whole, rel=1e-15)
    for place, value in enumerate(values):
        assert np.all(missed(whole[..., place], value, steps) <= whole[:, 2, place])
