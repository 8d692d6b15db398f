"""Samplers of position and velocity: their rows against the definition, their order, and their geometry."""

import numpy as np
import pytest
import scipy.linalg
from scipy.integrate import quad_vec

from bounds.grid import TimeGrid
from bounds.processes.cld import cld
from bounds.sampler import Scheme, scheme
from bounds.samplers import samplers
from bounds.steps.phase_space.path import PhasePath
from bounds.steps.phase_space.splitting import Splitting, part
from bounds.steps.phase_space.table import PhaseTable
from tests.bounds.tolerances import IRREVERSIBLE, PHASE_ROWS, REVERSED, STRONG_ORDER
from tests.drawn import thinned

GRID = TimeGrid.from_times([1.5, 1.1, 0.4, 0.05, 0.0])
PROCESSES = {
    "slides": cld(),
    "elliptic": cld(a="1/2", sigma="3/2", epsilon="2/5", velocity_variance="1/3", clock="t**2/2 + t"),
    "fast": cld(a=2, sigma=1, velocity_variance="1/2", clock="3*t"),
}
CLOCK_SPEED = {"slides": lambda t: 1.0, "elliptic": lambda t: t + 1.0, "fast": lambda t: 3.0}
CONSTANTS = {"slides": (1.0, 2.0, 0.0, 1.0), "elliptic": (0.5, 1.5, 0.4, 1 / 3), "fast": (2.0, 1.0, 0.0, 0.5)}
SPLITTINGS = [key for key, sampler in samplers().items() if isinstance(sampler.phase_space, Splitting)]
NODES, WEIGHTS = np.polynomial.legendre.leggauss(12)
FEW_NODES, FEW_WEIGHTS = np.polynomial.legendre.leggauss(4)


def matrices(name):
    """(A, D, Σ_∞, Ã), the last two from scipy's Lyapunov equation."""
    a, sigma, epsilon, _ = CONSTANTS[name]
    drift, noise = np.array([[0.0, a * a], [-1.0, -2 * a]]), np.diag([epsilon**2, sigma**2])
    stationary = scipy.linalg.solve_continuous_lyapunov(drift, -noise)
    return drift, noise, stationary, stationary @ drift.T @ np.linalg.inv(stationary)


def close(found, expected):
    """Equal relative to the largest entry."""
    return found == pytest.approx(expected, rel=0, abs=PHASE_ROWS * max(1.0, np.abs(expected).max()))


def integral(function, low, high):
    """∫ function, by scipy's adaptive quadrature."""
    return quad_vec(function, low, high, epsabs=1e-15, epsrel=1e-14)[0]


def definition(key, name, start, end):
    """(P, Q, noise) of one row of the table of docs/theory.md section 3, by quadrature in t and scipy's
    exponential."""
    drift, noise, _, _ = matrices(name)
    speed = CLOCK_SPEED[name]
    if key == "frozen-euler-maruyama":
        frozen = (start - end) * speed(start)
        return np.eye(2) - frozen * drift, frozen * noise, frozen * noise
    # clock distance from the lower end
    distance = integral(speed, end, start)
    if key == "euler-maruyama":
        return np.eye(2) - distance * drift, distance * noise, distance * noise
    back = scipy.linalg.expm(-distance * drift)
    moved = integral(
        lambda w: scipy.linalg.expm(-w * drift) @ noise @ scipy.linalg.expm(-w * drift).T, 0.0, distance
    )
    if key == "exponential":
        return back, integral(lambda w: scipy.linalg.expm(-w * drift) @ noise, 0.0, distance), moved
    spread = integral(
        lambda w: scipy.linalg.expm(w * drift) @ noise @ scipy.linalg.expm(w * drift).T, 0.0, distance
    )
    return back, back @ spread, moved


@pytest.mark.parametrize("name", PROCESSES)
@pytest.mark.parametrize("key", ["euler-maruyama", "frozen-euler-maruyama", "exponential", "posterior-mean"])
def test_rows_are_those_of_the_table(key, name):
    """P, Q, the noise, Φ⁻¹ − P and Φ⁻¹C − Q of every row, whatever the clock; the sampler starts from N(0,
    Σ_∞)."""
    stationary = matrices(name)[2]
    table = PhaseTable(PROCESSES[name], Scheme(samplers()[key], GRID))
    assert close(table.prior, stationary)
    for i, (start, end) in enumerate(zip(GRID.times[:-1], GRID.times[1:], strict=True)):
        P, Q, noise = definition(key, name, start, end)
        assert close(table.P[i], P) and close(table.Q[i], Q) and close(table.noise[i], noise)
        exact_back, exact_gain, _ = definition("posterior-mean", name, start, end)
        assert close(table.c1[i], exact_back - P) and close(table.c2[i], exact_gain - Q)
        assert np.all(np.abs(table.c1[i] - (exact_back - P)) <= table.c1_error[i] + PHASE_ROWS)
        size = max(1.0, *(np.abs(matrix).max() for matrix in (P, Q, exact_back, exact_gain)))
        for error in (table.c1_error[i], table.c2_error[i]):
            assert 0 < error.max() <= PHASE_ROWS * size and error.min() >= 0


@pytest.mark.parametrize("name", PROCESSES)
@pytest.mark.parametrize("key", SPLITTINGS)
def test_rows_of_a_splitting_are_its_steps_cut_at_the_kicks(key, name):
    """With the score −V⁻¹y the rows give the map and the noise of a plain loop over steps of flows and
    kicks."""
    _, noise, stationary, renormalised = matrices(name)
    table = PhaseTable(PROCESSES[name], Scheme(samplers()[key], GRID))
    rule, precision = samplers()[key].phase_space, np.array([[1.3, -0.4], [-0.4, 0.8]])
    kicked = np.linalg.inv(stationary) - precision
    clock = [integral(CLOCK_SPEED[name], 0.0, t) if t else 0.0 for t in GRID.times]
    whole, covariance = np.eye(2), np.zeros((2, 2))

    def moved(parts, h, whole, covariance):
        for name_, fraction in parts:
            flow, added = exact_part(renormalised, noise, name_, fraction * h)
            whole, covariance = flow @ whole, flow @ covariance @ flow.T + added
        return whole, covariance

    for i in range(len(GRID.times) - 1):
        h = clock[i] - clock[i + 1]
        whole, covariance = moved(rule.before, h, whole, covariance)
        kick = np.eye(2) + h * noise @ kicked
        whole, covariance = kick @ whole, kick @ covariance @ kick.T
        whole, covariance = moved(rule.after, h, whole, covariance)
    found, spread = np.eye(2), np.zeros((2, 2))
    for P, Q, added in zip(table.P, table.Q, table.noise, strict=True):
        row = P - Q @ precision
        found, spread = row @ found, row @ spread @ row.T + added
    assert close(found, whole) and close(spread, covariance)
    # the score is asked for where the rows start, at the kick's own time
    asked = [clock[i] - rule.kick_at * (clock[i] - clock[i + 1]) for i in range(len(clock) - 1)]
    assert table.clock[:-1][np.any(table.Q != 0, axis=(1, 2))] == pytest.approx(asked)
    assert table.clock[0] == pytest.approx(clock[0]) and table.clock[-1] == 0.0


def exact_part(renormalised, noise, name, length):
    """Flow and noise of one part of dU = ÃU dt + Σ dB, by quadrature of scipy's exponential."""
    kept = {
        "flow": np.ones((2, 2)), "drift": [[0, 1], [0, 0]], "force": [[0, 0], [1, 0]], "friction": np.eye(2),
    }[name] * renormalised
    added = noise if name in ("flow", "friction") else 0 * noise

    def moved(w):
        return scipy.linalg.expm(w * kept)

    return moved(length), integral(lambda w: moved(w) @ added @ moved(w).T, 0.0, length)


@pytest.mark.parametrize("name", PROCESSES)
def test_parts_are_solved_exactly_and_sum_to_the_flow(name):
    """Each part agrees with its matrix exponential, and drift, force and friction add up to Ã and D."""
    _, noise, _, renormalised = matrices(name)
    path = PhasePath(PROCESSES[name])
    lengths = np.array([0.0, 1e-3, 0.3, 2.0])
    for key in ("flow", "drift", "force", "friction"):
        moved, added = part(path, key, lengths)
        for i, length in enumerate(lengths):
            exact_moved, exact_added = exact_part(renormalised, noise, key, length)
            assert close(moved[i], exact_moved) and close(added[i], exact_added), key
    small = 1e-7
    generators = [part(path, key, [small]) for key in ("drift", "force", "friction")]
    whole, spread = part(path, "flow", [small])
    total = sum(moved[0] - np.eye(2) for moved, _ in generators)
    assert total / small == pytest.approx(renormalised, abs=1e-5)
    assert (whole[0] - np.eye(2)) / small == pytest.approx(renormalised, abs=1e-5)
    assert sum(added[0] for _, added in generators) / small == pytest.approx(noise, abs=1e-5)
    assert spread[0] / small == pytest.approx(noise, abs=1e-5)
    with pytest.raises(ValueError, match="part must be flow, drift, force or friction, got 'kick'"):
        part(path, "kick", lengths)


@pytest.mark.parametrize("key", SPLITTINGS)
def test_fractions_of_every_part_sum_to_one(key):
    """A step solves all of the flow: either as a whole or each of its three parts."""
    rule, found = samplers()[key].phase_space, {}
    for name, fraction in rule.before + rule.after:
        found[name] = found.get(name, 0.0) + fraction
    assert found in ({"flow": 1.0}, {"drift": 1.0, "force": 1.0, "friction": 1.0})


@pytest.mark.parametrize("name", PROCESSES)
@pytest.mark.parametrize("key", samplers(2))
def test_noise_of_a_row_is_its_kernel_squared(key, name):
    """∫ n D nᵀ over a row, by quadrature of the kernel the proof couples with, is the row's noise."""
    _, noise, _, _ = matrices(name)
    table = PhaseTable(PROCESSES[name], Scheme(samplers()[key], GRID))
    width = table.clock[:-1] - table.clock[1:]
    rows = np.arange(len(width))
    distance = width[:, None] * (NODES + 1) / 2
    n = table.noise_map(rows, distance)
    found = np.einsum("pn,pnij,jk,pnlk->pil", width[:, None] * WEIGHTS / 2, n, noise, n)
    assert close(found, table.noise)


def test_samplers_without_a_form_in_phase_space_are_refused():
    """The message lists those that have one; so is a prior of one block."""
    for key in ("ancestral", "posterior-mean-matched"):
        with pytest.raises(
            ValueError, match=f"scheme must be one of euler-maruyama, .*symplectic-euler.* got '{key}'"
        ):
            scheme(key, horizon=1, steps=2).steps(cld())
    with pytest.raises(ValueError, match="prior_std must be left out for critically-damped Langevin"):
        scheme("sscs", horizon=1, steps=2, prior_std=1.0).steps(cld())


# -- strong order: sampler and exact reverse process under one Brownian motion, jointly Gaussian


class Reverse:
    """The exact reverse process of data N(m, σ²): U_r given U_s is the smoother's Gaussian."""

    def __init__(self, name, mean, variance):
        self.drift, self.noise, self.stationary, _ = matrices(name)
        self.mean, self.start = mean, np.diag([variance, CONSTANTS[name][3]])

    def forward(self, u):
        """e^{uA}."""
        return scipy.linalg.expm(u * self.drift)

    def covariance(self, u):
        """Covariance of U at clock u."""
        flow = self.forward(u)
        return self.stationary + flow @ (self.start - self.stationary) @ flow.T

    def transition(self, s, r):
        """V_r Φᵀ V_s⁻¹."""
        return self.covariance(r) @ self.forward(s - r).T @ np.linalg.inv(self.covariance(s))


def strong_error(key, name, steps, mean=0.7, variance=0.6, horizon=2.0):
    """(E|U − y|²)^{1/2} at clock 0, both from U_T, by exact joint means and covariances of (U, y)."""
    reverse = Reverse(name, mean, variance)
    table = PhaseTable(PROCESSES[name], scheme(key, horizon=horizon, steps=steps))
    top = table.clock[0]
    joint = np.tile(reverse.covariance(top), (2, 2))
    centre = np.tile(reverse.forward(top)[:, 0] * mean, 2)
    for i, (s, r) in enumerate(zip(table.clock[:-1], table.clock[1:], strict=True)):
        precision = np.linalg.inv(reverse.covariance(s))
        phi_s, phi_r = reverse.forward(s)[:, 0] * mean, reverse.forward(r)[:, 0] * mean
        exact, row = reverse.transition(s, r), table.P[i] - table.Q[i] @ precision
        pushed = np.concatenate([phi_r - exact @ phi_s, table.Q[i] @ precision @ phi_s])
        step = scipy.linalg.block_diag(exact, row)
        distance = (s - r) * (FEW_NODES + 1) / 2
        own = table.noise_map(np.array([i]), distance[None])[0]
        added = np.zeros((4, 4))
        for w, weight, n in zip(distance, (s - r) * FEW_WEIGHTS / 2, own, strict=True):
            both = np.concatenate([reverse.transition(r + w, r), n])
            added += weight * both @ reverse.noise @ both.T
        joint, centre = step @ joint @ step.T + added, step @ centre + pushed
    apart = np.array([np.eye(2), -np.eye(2)]).transpose(1, 0, 2).reshape(2, 4)
    return np.sqrt(np.trace(apart @ joint @ apart.T) + np.sum(np.square(apart @ centre)))



@pytest.mark.parametrize("key, name", thinned(samplers(2), ["slides", "elliptic"], every=2))
def test_strong_error_falls_at_the_declared_order(key, name):
    """The slope of the exact strong error over h is within 0.1 of the declared order, with ε = 0 and
    ε > 0."""
    errors = [strong_error(key, name, steps) for steps in (32, 64, 128)]
    slopes = -np.diff(np.log2(errors))
    assert slopes == pytest.approx(samplers()[key].strong_order, abs=STRONG_ORDER)


def test_every_sampler_has_a_form():
    """A sampler is for one block, for position and velocity, or for both; splittings are for the latter
    alone."""
    assert set(samplers(1)) | set(samplers(2)) == set(samplers())
    assert set(SPLITTINGS) == set(samplers()) - set(samplers(1))


# -- geometry: noise and friction off


def hamiltonian_step(rule, name, h, state):
    """One step without noise and friction, the kick a nonlinear force of the position; (state, Jacobian)."""
    _, _, _, renormalised = matrices(name)
    path = PhasePath(PROCESSES[name])
    turning = renormalised - np.diag(np.diag(renormalised))
    jacobian = np.eye(2)

    def moved(parts, state, jacobian):
        for key, fraction in parts:
            if key == "friction":
                continue
            flow = (
                scipy.linalg.expm(fraction * h * turning)
                if key == "flow"
                else part(path, key, [fraction * h])[0][0]
            )
            state, jacobian = flow @ state, flow @ jacobian
        return state, jacobian

    state, jacobian = moved(rule.before, state, jacobian)
    bent = np.array([[1.0, 0.0], [h * np.cos(state[0] + 0.3), 1.0]])
    state = state + np.array([0.0, h * np.sin(state[0] + 0.3)])
    return moved(rule.after, state, bent @ jacobian)


@pytest.mark.parametrize("key", SPLITTINGS)
def test_without_noise_and_friction_volume_is_kept(key):
    """The Jacobian of a step has determinant 1."""
    for name in ("slides", "fast"):
        for state in np.random.default_rng(2).standard_normal((5, 2)):
            _, jacobian = hamiltonian_step(samplers()[key].phase_space, name, 0.3, state)
            assert np.linalg.det(jacobian) == pytest.approx(1.0, abs=REVERSED)


@pytest.mark.parametrize("key", SPLITTINGS)
def test_palindromes_are_reversible_and_symplectic_euler_is_not(key):
    """Flip the velocity, step, flip, step: back at the start for a palindrome alone."""
    rule, flip = samplers()[key].phase_space, np.diag([1.0, -1.0])
    palindrome = rule.after == rule.before[::-1]
    assert palindrome == (key != "symplectic-euler")
    for state in np.random.default_rng(3).standard_normal((5, 2)):
        there, _ = hamiltonian_step(rule, "slides", 0.3, state)
        back, _ = hamiltonian_step(rule, "slides", 0.3, flip @ there)
        missed = np.abs(flip @ back - state).max()
        assert missed < REVERSED if palindrome else missed > IRREVERSIBLE


@pytest.mark.parametrize("key", SPLITTINGS)
def test_friction_alone_shrinks_volume(key):
    """Without kicks a step of clock length h multiplies volume by e^{−2ah}, whatever the splitting."""
    path = PhasePath(PROCESSES["fast"])
    whole = np.eye(2)
    for name, fraction in samplers()[key].phase_space.before + samplers()[key].phase_space.after:
        whole = part(path, name, [fraction * 0.4])[0][0] @ whole
    assert np.linalg.det(whole) == pytest.approx(np.exp(-2 * 2.0 * 0.4), rel=REVERSED)
