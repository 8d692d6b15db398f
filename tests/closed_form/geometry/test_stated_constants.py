"""Constants stated of a law: proved ones are never contradicted, ones a little too favourable are."""

from dataclasses import replace

import numpy as np
import pytest

from bounds import BoundedSupport, LogLipschitz, StronglyLogConcave
from closed_form import Gaussian, GaussianMixture, OwnLaw
from closed_form.geometry.stated_constants import contradiction

MODES = GaussianMixture([[-1.0], [1.0]], weights=[0.3, 0.7], std=0.5)
WEAK = MODES.assumptions()[0].weaker()
PLANE = GaussianMixture([[0.0, 0.0], [1.0, 0.5], [-1.0, 2.0]], std=0.6)
ATOMS = OwnLaw(1, sample=lambda n, rng: rng.choice([-1.0, 1.0], (n, 1)), second_moment=1.0,
               score=lambda x, a, s_sq: (a * np.tanh(a * x / s_sq) - x) / s_sq)
GAUSSIAN = Gaussian([1.0, 0.0], [0.5, 2.0])


@pytest.mark.parametrize("law", [MODES, PLANE, GAUSSIAN], ids=["two modes", "plane", "Gaussian"])
def test_proved_constants_are_not_contradicted(law):
    """What is proved of a law no slope of its score contradicts, for any noise, seed or kind of constants."""
    for assumption in law.assumptions():
        assert all(contradiction(law, assumption, n=100, seed=seed) is None for seed in range(5))


@pytest.mark.parametrize("dim", [1, 3])
def test_a_numerical_derivative_is_not_held_to_its_last_digits(dim):
    """A standard normal by its log-density has m0 = L0 = 1, which leave its slopes no room, and is not
    contradicted; 0.999 for both, which is too smooth, is."""
    law = OwnLaw(dim, sample=lambda n, rng: rng.standard_normal((n, dim)), second_moment=dim,
                 log_density=lambda x, a, s_sq: -np.square(x).sum(axis=-1) / (2 * (a**2 + s_sq)))
    assert all(contradiction(law, StronglyLogConcave(1.0, 1.0, dim), n=50, seed=seed) is None
               for seed in range(3))
    wide = StronglyLogConcave(0.999, 0.999, dim)
    assert contradiction(law, wide, n=50) is not None


def test_a_support_is_not_contradicted():
    """Two atoms at ±1 are in a ball of radius 1, and of no smaller one."""
    assert contradiction(ATOMS, BoundedSupport(1.0, 1, 1.0)) is None
    assert contradiction(ATOMS, BoundedSupport(0.97, 1, 0.9)) is not None


@pytest.mark.parametrize(("law", "changed"), [
    (GAUSSIAN, StronglyLogConcave(0.51, 2.0, 2, 3.5, 1.0)),
    (GAUSSIAN, StronglyLogConcave(0.5, 1.99, 2, 3.5, 1.0)),
    (MODES, replace(WEAK, M=0.98 * WEAK.M)),
    (MODES, replace(WEAK, alpha=4.1, L=4.1)),
    (MODES, replace(WEAK, alpha=3.0, L=3.5)),
    (MODES, LogLipschitz(4.0, 2.2, 4.0, 1, MODES.second_moment, MODES.mean_norm)),
], ids=["m0", "L0", "M", "alpha", "L", "lipschitz"])
def test_constants_that_are_too_favourable(law, changed):
    """A constant that is too favourable by some percent (a Lipschitz one by a factor 1.8) is contradicted,
    by a slope that is the score's own and is outside what the constants allow."""
    found = contradiction(law, changed)
    (x, y), score = found.points, law.pushed(1.0, found.noise_var).score
    slope = float(((score(x[None]) - score(y[None])) @ (x - y))[0] / ((x - y) @ (x - y)))
    assert found.slope == pytest.approx(slope, rel=1e-6)
    assert not found.least <= slope <= found.most
    assert "under these constants, got" in str(found)


@pytest.mark.parametrize(("changed", "named"), [
    ({"law": 3}, "law must be a law of the data"),
    ({"assumption": 3}, "assumption must be an Assumption"),
    ({"assumption": StronglyLogConcave(1.0, 1.0, 3)}, "assumption.dim must be the law's, 1, got 3"),
    ({"n": 0}, "n must be an integer of at least 1, got 0"),
    ({"n": 2.5}, "n must be an integer of at least 1, got 2.5"),
])
def test_wrong_arguments_are_named(changed, named):
    """What is no law, no assumption, of another dimension or no number of chords is refused by name."""
    with pytest.raises((ValueError, TypeError), match=named):
        contradiction(**{"law": MODES, "assumption": MODES.assumptions()[0], **changed})
