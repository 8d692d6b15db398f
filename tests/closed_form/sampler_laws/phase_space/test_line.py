"""The law on position and velocity against the Gaussian chain, finer grids, simulation and the printed
numbers."""

from dataclasses import replace

import numpy as np
import pytest

from bounds.processes.cld import cld
from bounds.sampler import scheme
from bounds.samplers import samplers
from closed_form import Gaussian, GaussianMixture
from closed_form.distances.line_mixture import LineMixture
from closed_form.sampler_laws.line.sampler import GridTooLarge
from closed_form.sampler_laws.phase_space import line as phase_line
from closed_form.sampler_laws.phase_space.gaussian_chain import phase_gaussian_w2
from closed_form.sampler_laws.phase_space.line import phase_line_w2
from closed_form.sampler_laws.w2 import sampler_w2
from tests.closed_form.tolerances import GRID_SIZES, LAW_SYMMETRY, PHASE_LINE, PHASE_LINE_GAUSSIAN
from tests.drawn import thinned
from tests.tolerances import GOLDEN, STANDARD_ERRORS

EPSILONS = ["0", "1/10", "1"]
THREE = LineMixture([-1.0, 0.3, 2.0], [0.5, 0.4, 0.8], [0.2, 0.5, 0.3])


@pytest.mark.parametrize("key, epsilon", thinned(samplers(2), EPSILONS, every=3))
def test_one_component_is_the_gaussian_chain(key, epsilon):
    """A Gaussian with a mean, a constant score error and fresh noise: the grid agrees with the affine
    recursion, for ε > 0 too."""
    process = cld(a="4/5", sigma="3/2", velocity_variance="1/2", epsilon=epsilon)
    steps = scheme(key, horizon=4, steps=24).steps(process)
    law = Gaussian(0.4, 0.49)
    exact = phase_gaussian_w2(law, steps, np.array([0.1]), 0.2)
    found = phase_line_w2(LineMixture.of(law), steps, 0.1, 0.2)
    assert found.midpoint == pytest.approx(exact.midpoint, rel=PHASE_LINE_GAUSSIAN)
    assert found.lower <= exact.midpoint <= found.upper


def test_rows_that_push_the_position_by_the_score_of_the_velocity_alone():
    """Any weights Q of the score: one component is the Gaussian chain, with a constant error of the
    velocity's score."""
    steps = scheme("euler-maruyama", horizon=0.2, steps=8).steps(cld(epsilon="1/2"))
    for entries in ([[0.02, 0.03], [0.0, 0.0]], [[0.02, 0.01], [0.01, 0.2]]):
        crossed = replace(steps, Q=np.broadcast_to(entries, steps.Q.shape))
        exact = phase_gaussian_w2(Gaussian(0.4, 0.49), crossed, np.array([0.3]), 0.0)
        found = phase_line_w2(LineMixture.of(Gaussian(0.4, 0.49)), crossed, 0.3)
        assert found.midpoint == pytest.approx(exact.midpoint, rel=PHASE_LINE_GAUSSIAN)


def test_steep_rows_are_resolved():
    """Long steps with ε > 0 stretch the line between the modes by a factor: the bracket stays narrow."""
    steps = scheme("euler-maruyama", horizon=8, steps=100).steps(cld(epsilon=1))
    assert phase_line_w2(LineMixture([-1.0, 1.0], 0.5), steps).relative_width < 2 * PHASE_LINE


@pytest.mark.parametrize("key, epsilon", thinned(samplers(2), ["0", "1/2"], every=3))
def test_bracket_holds_the_value_of_finer_grids(key, epsilon, monkeypatch):
    """Three modes of different widths: grids twice as fine stay inside the bracket, which is as narrow as
    promised."""
    steps = scheme(key, horizon=2, steps=8).steps(cld(epsilon=epsilon))
    found = phase_line_w2(THREE, steps)
    assert found.relative_width < 2 * PHASE_LINE
    monkeypatch.setattr(phase_line, "FINE", (*(spacing / 2 for spacing in phase_line.FINE[:2]), 0.7))
    assert found.lower <= phase_line_w2(THREE, steps).midpoint <= found.upper


def test_velocity_that_starts_at_rest():
    """v² = 0: the law of the last rows is nearly on a line of phase space; one component is the chain all the
    same."""
    steps = scheme("euler-maruyama", horizon=5, steps=60).steps(cld(velocity_variance=0))
    exact = phase_gaussian_w2(Gaussian(0.0, 0.25), steps, np.zeros(1), 0.0)
    found = phase_line_w2(LineMixture([0.0], 0.5), steps)
    assert found.lower <= exact.midpoint <= found.upper
    assert found.relative_width < 2 * PHASE_LINE


@pytest.mark.parametrize(
    ("key", "epsilon"),
    [("euler-maruyama", 0), ("posterior-mean", 0), ("sscs", "1/2"),
     *(pytest.param(*each, marks=pytest.mark.deep) for each in (("sscs", 0), ("euler-maruyama", 1)))],
)
def test_moments_of_the_density_are_those_of_a_simulation(key, epsilon):
    """E x², E x⁴, E cos 2x and P(|x| < ½) of 100,000 simulated positions, score written out anew."""
    rng, n = np.random.default_rng(7), 100_000
    steps = scheme(key, horizon=4, steps=20).steps(cld(epsilon=epsilon))
    bias, size = 0.2, 0.3
    y = rng.standard_normal((n, 2)) @ np.linalg.cholesky(steps.prior_var).T
    for i in range(len(steps)):
        phi, S = steps.a[i], steps.s_sq[i]
        logs, pulls = [], []
        for mean, std, weight in zip(THREE.means, THREE.stds, THREE.weights, strict=True):
            V = S + std**2 * np.outer(phi, phi)
            gap = y - phi * mean
            pull = -gap @ np.linalg.inv(V)
            logs.append(np.log(weight) - np.linalg.slogdet(V)[1] / 2 + np.sum(gap * pull, axis=1) / 2)
            pulls.append(pull)
        share = np.exp(np.array(logs) - np.max(logs, axis=0))
        score = np.einsum("cn,cni->ni", share / share.sum(axis=0), np.array(pulls))
        score[:, 1] += bias + size * rng.standard_normal(n)
        values, vectors = np.linalg.eigh(steps.noise_var[i])
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        y = y @ steps.P[i].T + score @ steps.Q[i].T + rng.standard_normal((n, 2)) @ root.T
    places, density, _ = phase_line.position_density(THREE, steps, bias, size)
    width = places[1] - places[0]
    assert density.sum() * width == pytest.approx(1.0)
    for name, function in {
        "x": lambda x: x, "x²": np.square, "x⁴": lambda x: x**4, "cos 2x": lambda x: np.cos(2 * x),
        # smooth, so that the sum over the grid is exact
        "near 0": lambda x: np.exp(-2 * x**2),
    }.items():
        exact, seen = np.sum(function(places) * density) * width, function(y[:, 0])
        assert abs(seen.mean() - exact) < STANDARD_ERRORS * seen.std() / np.sqrt(n), name


def test_mirrored_and_rescaled_problems_have_the_same_answer():
    """x → −x with the bias turned leaves W2; x → 3x with σ, v and the errors rescaled triples it."""
    steps = scheme("leapfrog", horizon=4, steps=30).steps(cld())
    found = phase_line_w2(THREE, steps, 0.2, 0.1)
    mirrored = LineMixture(-THREE.means, THREE.stds, THREE.weights)
    assert mirrored.means[0] == -2.0
    again = phase_line_w2(mirrored, steps, -0.2, 0.1)
    assert again.lower <= found.upper and found.lower <= again.upper
    assert again.midpoint == pytest.approx(found.midpoint, rel=PHASE_LINE)
    tripled = scheme("leapfrog", horizon=4, steps=30).steps(cld(sigma=6, velocity_variance=9))
    large = phase_line_w2(
        LineMixture(3 * THREE.means, 3 * THREE.stds, THREE.weights), tripled, 0.2 / 3, 0.1 / 3
    )
    assert large.midpoint == pytest.approx(3 * found.midpoint, rel=PHASE_LINE)


def test_collinear_mixture_in_space_is_the_line_and_the_gaussian_directions():
    """In R³: W2² = W2²(line) + 2 W2²(across), and a score error splits over the two."""
    direction = np.array([2.0, -1.0, 2.0]) / 3
    law = GaussianMixture(np.outer([-1.0, 0.5, 1.5], direction), weights=[0.3, 0.3, 0.4], std=0.5)
    steps = scheme("symplectic-euler", horizon=4, steps=40).steps(cld())
    line = GaussianMixture([[-1.0], [0.5], [1.5]], weights=[0.3, 0.3, 0.4], std=0.5)
    along = sampler_w2(line, steps, 0.3, 0.1, direction=np.array([1.0]))
    across = sampler_w2(Gaussian(np.zeros(2), 0.25), steps, 0.4, np.sqrt(2) * 0.1)
    # bias (0.3 along, 0.4 across), fresh noise 0.1 in each coordinate
    tilted = 0.3 * direction + 0.4 * np.array([1.0, 2.0, 0.0]) / np.sqrt(5)
    found = sampler_w2(law, steps, 0.5, np.sqrt(3) * 0.1, direction=tilted)
    expected = np.hypot(along.midpoint, across.midpoint)
    assert found.midpoint == pytest.approx(expected, rel=LAW_SYMMETRY)


def test_the_cost_counts_every_point_of_the_grid(monkeypatch):
    """Twice as many positions, or twice as many rows of the same kernel, cost twice as much; ε > 0 costs
    more."""
    steps, finer = (scheme("euler-maruyama", horizon=h, steps=k).steps(cld()) for h, k in ((2, 20), (2, 40)))
    cost = phase_line.phase_line_cost(THREE, steps)
    assert cost > len(steps) * 40**2 * phase_line.POINT_COST
    assert 1.5 < phase_line.phase_line_cost(THREE, finer) / cost < 4
    assert (
        phase_line.phase_line_cost(
            THREE, scheme("euler-maruyama", horizon=2, steps=20).steps(cld(epsilon="1/2"))
        )
        > cost
    )
    monkeypatch.setattr(phase_line, "FINE", (phase_line.FINE[0] / 2, *phase_line.FINE[1:]))
    assert phase_line.phase_line_cost(THREE, steps) / cost == pytest.approx(2.0, rel=GRID_SIZES)


def test_many_components_that_are_alike_are_not_looked_at_point_by_point(monkeypatch):
    """With ε = 0 no exponential is taken of every point and component: only of places, and of velocities."""

    def refuse(*_):
        raise AssertionError("every point of the grid")

    monkeypatch.setattr(phase_line.PhaseMixtureScore, "_pushed_alike", refuse)
    many = LineMixture(np.linspace(-1.0, 1.0, 30), np.full(30, 0.5), np.full(30, 1 / 30))
    phase_line.position_density(many, scheme("euler-maruyama", horizon=2, steps=10).steps(cld()))


def test_grids_beyond_the_limit_are_refused(monkeypatch):
    """The message gives the sizes and the limit."""
    steps = scheme("euler-maruyama", horizon=2, steps=20).steps(cld())
    monkeypatch.setattr(phase_line, "MAX_POINTS", 1000)
    with pytest.raises(GridTooLarge, match=r"need a grid of \d+ x \d+ points, more than 1000"):
        phase_line_w2(THREE, steps)
    with pytest.raises(GridTooLarge, match=r"need a grid of \S+e\+\d+ x "):
        phase_line_w2(LineMixture([-1.0, 1.0], 1e-40), steps)


def test_what_takes_too_long_is_refused(monkeypatch):
    """The message gives steps, sizes and seconds; boxes tried before count, for the rows that were done on them."""
    steps = scheme("euler-maruyama", horizon=2, steps=20).steps(cld())
    cost = phase_line.phase_line_cost(THREE, steps)
    monkeypatch.setattr(phase_line, "MOST_COST", 1.01 * cost)
    assert phase_line_w2(THREE, steps).upper < np.inf
    monkeypatch.setattr(phase_line, "LEAK", 0.0)
    with pytest.raises(GridTooLarge, match=r"20 steps on a grid of \d+ x \d+ points take about \S+ s, above the limit"):
        phase_line_w2(THREE, steps)


def test_a_box_that_loses_too_much_is_left_at_once(monkeypatch):
    """Where half of the law is beyond the box no further row is taken on it, and the coarse grid begins with the
    box that was wide enough."""
    steps, tried = scheme("euler-maruyama", horizon=2, steps=20).steps(cld()), []
    marginal = phase_line._marginal

    def taken(law, steps, rows, bias, field):
        found, done = marginal(law, steps, rows, bias, field)
        tried.append((round(-field.x[0, 0], 6), done, field.leak))
        return found, done

    monkeypatch.setattr(phase_line, "_marginal", taken)
    monkeypatch.setattr(phase_line, "BOX", 2.0)
    monkeypatch.setattr(phase_line, "WIDER", 4.0)
    found = phase_line_w2(LineMixture([-1.0, 1.0], 0.5), steps)
    (narrow, done, leak), (wide, last, _), (coarse, _, _) = tried
    assert done < last == len(steps) - 1 and leak > phase_line.ASTRAY
    assert narrow < wide == coarse
    monkeypatch.undo()
    exact = phase_line_w2(LineMixture([-1.0, 1.0], 0.5), steps)
    assert found.midpoint == pytest.approx(exact.midpoint, rel=PHASE_LINE)


@pytest.mark.parametrize(
    ("key", "horizon", "steps", "a", "epsilon", "message"),
    [
        ("euler-maruyama", 8, 4, 1, 0, "it leaves every box tried"),
        ("leapfrog", 5, 10, 2, 0, "a row turns the position over"),
        ("euler-maruyama", 2, 3, 1, 2, "a row folds the positions"),
    ],
)
def test_steps_too_long_for_the_grid_are_refused(key, horizon, steps, a, epsilon, message):
    """Steps that explode, or that turn the position over, get no number."""
    rows = scheme(key, horizon=horizon, steps=steps).steps(cld(a=a, epsilon=epsilon))
    with pytest.raises(GridTooLarge, match=f"steps are too long for the law on the line: {message}"):
        phase_line_w2(LineMixture([-1.0, 1.0], 0.5), rows)


def printed(modes, std, steps):
    """Exact W2 of Euler–Maruyama from T = 10."""
    rows = scheme("euler-maruyama", horizon=10, steps=steps).steps(cld())
    return phase_line_w2(LineMixture([-modes, modes], std), rows)


@pytest.mark.parametrize(
    ("modes", "std", "steps", "exact"), [(1.0, 0.5, 200, 0.01121), (2.0, 1.0, 200, 0.02149)]
)
def test_printed_numbers(modes, std, steps, exact):
    """docs/theory.md section 9, to three digits, in a bracket of relative half-width 1e-4."""
    found = printed(modes, std, steps)
    assert found.midpoint == pytest.approx(exact, rel=GOLDEN)
    assert found.relative_width < 2 * PHASE_LINE


@pytest.mark.deep
@pytest.mark.parametrize(
    ("modes", "std", "steps", "exact"),
    [(1.0, 0.5, 800, 0.002625), (2.0, 1.0, 800, 0.00541), (1.0, 0.5, 3200, 0.00065)],
)
def test_printed_numbers_of_long_runs(modes, std, steps, exact):
    """The rows of 800 and 3200 steps: the last is printed with two digits."""
    found = printed(modes, std, steps)
    assert found.midpoint == pytest.approx(exact, rel=GOLDEN, abs=0.0 if exact > 1e-3 else 5e-6)
    assert found.relative_width < 2 * PHASE_LINE


@pytest.mark.parametrize("horizon, most", [(3.0, 12.0), (8.0, 27.0)])
def test_the_box_holds_every_mean_at_every_time(horizon, most):
    """It ends 7.7 deviations of the law or of the prior, the larger, beyond the farthest mean; an error b of
    the velocity's score moves that by b ΣQ, or by 3 V b where that is less."""
    law = LineMixture([-3.0, 2.0], [3.0, 0.5])
    steps = scheme("euler-maruyama", horizon, 12).steps(cld())
    rows = list(map(phase_line._Row.of, steps.P, steps.Q, steps.noise_var, np.zeros(len(steps))))
    spread = steps.s_sq + 9 * steps.a[:, :, None] * steps.a[:, None, :]
    deviation = np.sqrt(np.maximum(np.diagonal(spread, axis1=1, axis2=2), 1.0))  # Σ_∞ is the identity
    wanted = (7.7 * deviation + 3 * np.abs(steps.a)).max(axis=0)
    for bias in (0.0, -2.0):
        field = phase_line._box(law, steps, rows, bias, phase_line.FINE, 1.0)
        moved = wanted + np.array([0.0, abs(bias) * most])
        assert [-field.x[0, 0], -field.v[0, 0]] == pytest.approx(moved, rel=0.01)


@pytest.mark.parametrize("epsilon", ["0", "1/2"])
@pytest.mark.parametrize("key", ["euler-maruyama", "leapfrog"])
def test_the_grid_resolves_the_narrowest_law(key, epsilon):
    """Positions are 0.19 of the least conditional deviation of a component apart, or of what a kick of the
    position leaves of it; where one is kicked, 3/4 of that."""
    law = LineMixture([-1.0, 2.0], [0.2, 0.5])
    steps = scheme(key, 2.0, 8).steps(cld(epsilon=epsilon))
    rows = list(map(phase_line._Row.of, steps.P, steps.Q, steps.noise_var, np.zeros(len(steps))))
    field = phase_line._box(law, steps, rows, 0.0, phase_line.FINE, 1.0)
    stretch = np.cumprod([1.0, *(row.alpha for row in rows)])
    narrow = []
    for k, (phi, S) in enumerate(zip(steps.a, steps.s_sq, strict=True)):
        V = [S + std**2 * np.outer(phi, phi) for std in law.stds]
        least = min(np.sqrt(each[0, 0] - (each[0, 1] ** 2 / each[1, 1] if each[1, 1] else 0.0)) for each in V)
        narrow.append(least / stretch[k])
        if k < len(rows):
            narrow.append(least * np.clip(1 - rows[k].aside[0] / least**2, 0.05, 1.0) / stretch[k + 1])
    wanted = 0.19 * min(narrow) * (0.75 if epsilon != "0" else 1.0)
    assert wanted * 0.8 <= field.dx <= wanted * (1 + 1e-9)
