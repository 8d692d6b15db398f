"""Noise levels as they are given in practice: the ρ-grid, and discrete schedules of ᾱ or β."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounds.noise_levels import FORMS, DiscreteSchedule, rho_levels
from tests.bounds.tolerances import LEVEL_ROUNDING, PRINTED_LEVEL


@given(st.floats(0.5, 20), st.floats(1e-4, 1.0), st.floats(1.001, 1e4), st.integers(2, 200), st.booleans())
def test_rho_levels_are_equally_spaced_to_the_power(rho, sigma_min, ratio, steps, last_zero):
    """σ^(1/ρ) takes equal steps from the largest level to the smallest, which are as given, and then comes
    0."""
    sigma_max = ratio * sigma_min
    levels = rho_levels(sigma_max, sigma_min, steps, rho, last_zero)
    assert len(levels) == steps + 1 and levels[0] == sigma_max
    positive = levels[:-1] if last_zero else levels
    assert positive[-1] == sigma_min and bool(levels[-1] == 0) is last_zero
    part = np.arange(len(positive)) / (len(positive) - 1)
    ends = sigma_max ** (1 / rho), sigma_min ** (1 / rho)
    wanted = ((1 - part) * ends[0] + part * ends[1]) ** rho
    assert np.allclose(positive, wanted, rtol=LEVEL_ROUNDING, atol=0)


def test_one_step_of_a_rho_grid_goes_to_zero():
    """One step takes the largest level to 0, or to the smallest where 0 is not wanted."""
    assert rho_levels(80.0, 0.1, 1).tolist() == [80.0, 0.0]
    assert rho_levels(80.0, 0.1, 1, last_zero=False).tolist() == [80.0, 0.1]


@pytest.mark.parametrize(("arguments", "words"), [
    ((80, 0.002, 18, 0), "rho must be positive"), ((80, 0.002, 18, -7), "rho must be positive"),
    ((np.inf, 0.002, 18), "sigma_max"), ((80, 0, 18), "sigma_min"), ((1, 2, 18), "sigma_min must be below"),
    ((1, 1, 18), "sigma_min must be below"), ((80, 0.002, 0), "steps")])
def test_bad_rho_grids_are_refused_by_name(arguments, words):
    """What makes no grid is refused in a line that names the argument."""
    with pytest.raises(ValueError, match=words):
        rho_levels(*arguments)


@given(st.lists(st.floats(1e-6, 0.5), min_size=1, max_size=300), st.booleans())
def test_levels_of_a_schedule_are_reproduced(betas, last_zero):
    """σ² = 1/ᾱ − 1 at every level, whether ᾱ or β is given."""
    alphas = np.cumprod(1 - np.array(betas))
    every = np.arange(len(betas))[::-1]
    for schedule in (DiscreteSchedule.from_betas(betas), DiscreteSchedule.from_alphas_cumprod(alphas)):
        levels = schedule.levels(every, last_zero or len(betas) == 1)
        found = levels[levels > 0]
        assert len(found) == len(betas) and np.all(np.diff(levels) < 0)
        # 1 − β rounds β of 1e-6 to ten digits, which ᾱ inherits
        assert np.allclose(1 / (1 + np.square(found)), alphas[::-1], rtol=LEVEL_ROUNDING * len(betas))
    exact = DiscreteSchedule.from_betas(betas[:1]).levels([0])
    assert np.isclose(exact[0] ** 2, betas[0] / (1 - betas[0]), rtol=LEVEL_ROUNDING)


def test_named_schedules_are_those_of_their_sources():
    """The largest levels of Stable Diffusion and DDPM, the cosine's ᾱ while β is not capped, and the
    sigmoid's ends."""
    stable = DiscreteSchedule.named("scaled_linear", 1000, 0.00085, 0.012)
    assert np.isclose(stable.levels([999])[0], 14.6146, rtol=PRINTED_LEVEL)
    assert np.isclose(np.exp(DiscreteSchedule.named("linear", 1000).log_alphas_cumprod[-1]), 4.0358e-5,
                      rtol=PRINTED_LEVEL)
    cosine = np.exp(DiscreteSchedule.named("squaredcos_cap_v2", 100).log_alphas_cumprod)
    places = np.arange(1, 99) / 100
    ratio = np.cos((places + 0.008) / 1.008 * np.pi / 2) / np.cos(0.008 / 1.008 * np.pi / 2)
    assert np.allclose(cosine[:98], ratio**2, rtol=LEVEL_ROUNDING)
    assert np.isclose(cosine[99] / cosine[98], 1e-3, rtol=LEVEL_ROUNDING)
    logs = DiscreteSchedule.named("sigmoid", 2, 0.1, 0.3).log_alphas_cumprod
    low = 0.1 + 0.2 / (1 + np.exp(6))
    assert np.allclose(np.exp(logs), [1 - low, (1 - low) * (1 - 0.4 + low)], rtol=LEVEL_ROUNDING)


@pytest.mark.parametrize(("spacing", "offset", "first", "last"), [
    ("leading", 0, [980, 960, 940], 0), ("leading", 1, [981, 961, 941], 1),
    ("trailing", 0, [999, 979, 959], 19), ("linspace", 0, [999, 979, 958], 0)])
def test_steps_are_placed_as_schedulers_place_them(spacing, offset, first, last):
    """50 steps on 1000 levels start where the three ways to space them say."""
    found = DiscreteSchedule.named("linear", 1000).indices(50, spacing, offset)
    assert len(found) == 50 and found[:3].tolist() == first and found[-1] == last


@pytest.mark.parametrize(("spacing", "published"), [
    ("leading", [900, 800, 700, 600, 500, 400, 300, 200, 100, 0]),
    ("trailing", [999, 899, 799, 699, 599, 499, 399, 299, 199, 99]),
    ("linspace", [999, 888, 777, 666, 555, 444, 333, 222, 111, 0]),
    ("quadratic", [800, 632, 483, 355, 246, 158, 88, 39, 9, 0])])
def test_ten_steps_of_a_thousand_are_as_published(spacing, published):
    """10 steps of 1000 levels start from the integers that the papers and their code give."""
    assert DiscreteSchedule.named("linear", 1000).indices(10, spacing).tolist() == published


def test_quadratic_steps_that_meet_are_refused():
    """So many quadratic steps that two start from one level are refused by name."""
    with pytest.raises(ValueError, match="steps must be so few that no two quadratic ones start from one of 100 levels"):
        DiscreteSchedule.named("linear", 100).indices(50, "quadratic")


@given(st.integers(1, 400), st.integers(1, 400), st.sampled_from(["leading", "trailing", "linspace"]))
def test_every_spacing_gives_a_grid(n, steps, spacing):
    """As many steps as there are levels, or fewer, are decreasing indices whose levels decrease."""
    steps = min(n, steps)
    schedule = DiscreteSchedule.named("linear", n, 1e-3, 0.02)
    found = schedule.indices(steps, spacing)
    assert len(found) == steps and np.all(np.diff(found) < 0) and 0 <= found[-1] <= found[0] < n
    assert np.all(np.diff(schedule.levels(found)) < 0)


def test_where_the_last_step_ends():
    """It ends at 0, or at level 0; from there to there is no step."""
    schedule = DiscreteSchedule.from_alphas_cumprod([0.9, 0.5, 0.2])
    assert schedule.levels([2, 1])[-1] == 0 and len(schedule.levels([2, 1])) == 3
    kept = schedule.levels([2, 0], last_zero=False)
    assert len(kept) == 2 and np.isclose(kept[-1] ** 2, 1 / 0.9 - 1, rtol=LEVEL_ROUNDING)
    assert len(DiscreteSchedule.from_alphas_cumprod([1.0, 0.5]).levels([1, 0])) == 2
    with pytest.raises(ValueError, match="two finite noise levels"):
        schedule.levels([0], last_zero=False)


@pytest.mark.parametrize("form", FORMS)
def test_zero_terminal_snr_ends_at_no_signal(form):
    """The rescaled schedule starts where it did, ends at ᾱ = 0 and keeps the order; its last level is refused
    by name, or left out where that is asked for."""
    plain = DiscreteSchedule.named(form, 50, 0.001, 0.05)
    schedule = plain.with_zero_terminal_snr()
    logs = schedule.log_alphas_cumprod
    assert logs[0] == plain.log_alphas_cumprod[0] and logs[-1] == -np.inf and np.all(np.diff(logs) < 0)
    roots = np.exp(plain.log_alphas_cumprod / 2)
    wanted = roots[0] * (roots[7] - roots[-1]) / (roots[0] - roots[-1])
    assert np.isclose(np.exp(logs[7] / 2), wanted, rtol=LEVEL_ROUNDING)
    assert len(schedule.levels(schedule.indices(10))) == 11
    trailing = schedule.indices(10, "trailing")
    with pytest.raises(ValueError, match="zero terminal SNR"):
        schedule.levels(trailing)
    assert np.array_equal(schedule.levels(trailing, skip_zero_snr=True), schedule.levels(trailing[1:]))


@pytest.mark.parametrize(("make", "words"), [
    (lambda: DiscreteSchedule.from_alphas_cumprod([0.9, 1.1]), r"in \(0, 1\], got 1.1 at index 1"),
    (lambda: DiscreteSchedule.from_alphas_cumprod([0.9, -0.1]), r"in \(0, 1\], got -0.1"),
    (lambda: DiscreteSchedule.from_alphas_cumprod([0.9, 0.0, 0.0]), "got 0 at index 1"),
    (lambda: DiscreteSchedule.from_alphas_cumprod([0.9, 0.95]), "decrease strictly"),
    (lambda: DiscreteSchedule.from_alphas_cumprod([0.9, 0.9]), "decrease strictly"),
    (lambda: DiscreteSchedule.from_alphas_cumprod([]), "list of 1 to"),
    (lambda: DiscreteSchedule.from_alphas_cumprod([[0.9]]), "shape"),
    (lambda: DiscreteSchedule.from_alphas_cumprod([0.9, np.nan]), "finite"),
    (lambda: DiscreteSchedule.from_alphas_cumprod("0.9"), "alphas_cumprod must be"),
    (lambda: DiscreteSchedule.from_betas([0.1, 0.0]), r"betas must lie in \(0, 1\), got 0"),
    (lambda: DiscreteSchedule.from_betas([1.0, 0.1]), "betas must lie"),
    (lambda: DiscreteSchedule.named("quadratic", 10), "beta_schedule must be one of linear"),
    (lambda: DiscreteSchedule.named("linear", 0), "num_train_timesteps"),
    (lambda: DiscreteSchedule.named("linear", 10, 0.0), "beta_start"),
    (lambda: DiscreteSchedule.named("linear", 10, 0.1, 1.0), "beta_end"),
    (lambda: DiscreteSchedule.named("linear", 1).with_zero_terminal_snr(), "one level"),
    (lambda: DiscreteSchedule.named("linear", 10).indices(11), "steps must be between 1 and the 10"),
    (lambda: DiscreteSchedule.named("linear", 10).indices(2, "even"), "spacing must be one of"),
    (lambda: DiscreteSchedule.named("linear", 10).indices(2, "leading", 5), "steps_offset")])
def test_bad_schedules_are_refused_by_name(make, words):
    """What is no schedule is refused in a line that names the argument, the index and the value."""
    with pytest.raises(ValueError, match=words):
        make()


def test_schedules_are_values():
    """Two schedules of the same levels are equal, and what they were made of may change afterwards."""
    alphas = np.array([0.9, 0.5])
    one = DiscreteSchedule.from_alphas_cumprod(alphas)
    alphas[0] = 0.8
    assert one == DiscreteSchedule.from_alphas_cumprod([0.9, 0.5])
    assert one != DiscreteSchedule.from_alphas_cumprod(alphas)
    assert repr(one) == "<discrete schedule of 2 levels>"


def test_only_the_last_beta_may_be_one():
    """ᾱ may end at 0, and nowhere before."""
    assert DiscreteSchedule.from_betas([0.5, 0.5, 1.0]).log_alphas_cumprod.tolist()[-1] == -np.inf
    with pytest.raises(ValueError, match=r"betas must lie in \(0, 1\), got 1 at index 1"):
        DiscreteSchedule.from_betas([0.5, 1.0, 0.5])
