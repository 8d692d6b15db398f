"""Critically-damped Langevin: what sympy derives solves its defining equations, and the border refuses the
rest."""

import flint
import pytest
import sympy
from sympy import Matrix, Rational, diag, eye, simplify, sqrt, zeros

from bounds.processes import cld as langevin
from bounds.processes.cld import CLOCK, a, cld, correlation, epsilon, kappa, sigma, velocity_std
from bounds.sampler import Scheme, scheme
from bounds.symbolic.balls import BallFunction
from bounds.symbolic.integrals import TIME

DRIFT = Matrix([[0, a**2], [-1, -2 * a]])
NOISE_SQ = diag(epsilon**2, sigma**2)


def vanishes(matrix):
    """Whether every entry is 0 after simplification."""
    return simplify(matrix) == zeros(*matrix.shape)


def test_transition_solves_its_equation():
    """Φ' = AΦ with Φ(0) = I."""
    found = langevin.transition()
    assert vanishes(found.diff(CLOCK) - DRIFT * found)
    assert found.subs(CLOCK, 0) == eye(2)


def test_stationary_covariance_is_the_printed_one():
    """AΣ + ΣAᵀ + D = 0, with the closed form of docs/theory.md section 5."""
    found = langevin.stationary()
    assert vanishes(DRIFT * found + found * DRIFT.T + NOISE_SQ)
    printed = Matrix([
        [5 * epsilon**2 / a + a * sigma**2, -2 * epsilon**2 / a**2],
        [-2 * epsilon**2 / a**2, (epsilon**2 + a**2 * sigma**2) / a**3],
    ]) / 4
    assert vanishes(found - printed)
    assert found.subs({a: 1, epsilon: 0}) == sigma**2 / 4 * eye(2)


def test_the_sampler_starts_from_the_entries_that_the_problem_file_documents():
    """docs/problem-file.md: (X, V) start from Σ_∞ of aσ²/4 + 5ε²/(4a), −ε²/(2a²) and (a²σ² + ε²)/(4a³), of which a
    ``prior_std`` would be no multiple: it is refused, and its docstring says so."""
    rate, size, shake = 2.0, 3.0, 0.5
    position = rate * size**2 / 4 + 5 * shake**2 / (4 * rate)
    between, velocity = -(shake**2) / (2 * rate**2), (rate**2 * size**2 + shake**2) / (4 * rate**3)
    process = cld(a=rate, sigma=size, epsilon=shake)
    start = scheme("exponential", 1.0, 4).steps(process).prior_var
    assert start.tolist() == [pytest.approx([position, between]), pytest.approx([between, velocity])]
    with pytest.raises(ValueError, match=r"prior_std must be left out .* N\(0, Σ_∞\), got 2.0"):
        scheme("exponential", 1.0, 4, prior_std=2.0).steps(process)
    assert "Σ_∞" in Scheme.__doc__


def test_covariance_solves_its_equation_and_tends_to_the_stationary_one():
    """C' = AC + CAᵀ + D from 0, so C = Σ_∞ − ΦΣ_∞Φᵀ."""
    found, flow, limit = langevin.covariance(), langevin.transition(), langevin.stationary()
    assert vanishes(found.diff(CLOCK) - DRIFT * found - found * DRIFT.T - NOISE_SQ)
    assert found.subs(CLOCK, 0) == zeros(2)
    assert vanishes(found - limit + flow * limit * flow.T)


def test_position_noise_is_of_third_order_without_noise_on_the_position():
    """ε = 0: C_xx = a⁴σ²u³/3 + O(u⁴)."""
    entry = langevin.covariance().subs(epsilon, 0)[0, 0]
    assert simplify(sympy.series(entry, CLOCK, 0, 4).removeO() - a**4 * sigma**2 * CLOCK**3 / 3) == 0


def test_kernel_starts_from_a_given_position_and_a_free_velocity():
    """φ' = Aφ from e₁ and S' = AS + SAᵀ + D from diag(0, v²)."""
    phi, spread = langevin.kernel()
    assert vanishes(phi.diff(CLOCK) - DRIFT * phi)
    assert vanishes(spread.diff(CLOCK) - DRIFT * spread - spread * DRIFT.T - NOISE_SQ)
    assert phi.subs(CLOCK, 0) == Matrix([1, 0])
    assert spread.subs(CLOCK, 0) == diag(0, velocity_std**2)


def test_a_clock_may_bend():
    """A clock with a bend, written with max, min or abs, runs at the speed of its sides, and is enclosed."""
    for text in ("max(t, 3*t - 2)", "3*t - 2*min(t, 1)", "2*t - 1 + abs(t - 1)"):
        speed = BallFunction(sympy.diff(cld(clock=text).clock, TIME))
        assert float(speed.interval(flint.arb(0.5)).mid()) == pytest.approx(1.0)
        assert float(speed.interval(flint.arb(1.5)).mid()) == pytest.approx(3.0)


def test_closed_forms_hold_along_a_clock():
    """With u = ∫β the law solves S' = β(AS + SAᵀ + D) in t, β = 1 + t²."""
    u = TIME + TIME**3 / 3
    phi, spread = langevin.kernel(u)
    speed = 1 + TIME**2
    assert vanishes(phi.diff(TIME) - speed * DRIFT * phi)
    assert vanishes(spread.diff(TIME) - speed * (DRIFT * spread + spread * DRIFT.T + NOISE_SQ))


def test_renormalised_drift_is_the_adjoint_with_double_eigenvalue():
    """Ã = Σ_∞AᵀΣ_∞⁻¹, with characteristic polynomial (x + a)²."""
    found, limit, x = langevin.renormalised_drift(), langevin.stationary(), sympy.Symbol("x")
    assert vanishes(found - limit * DRIFT.T * limit.inv())
    assert simplify(found.charpoly(x).as_expr() - (x + a) ** 2) == 0


def test_metric_is_the_printed_one_and_contracts_at_its_rate():
    """ε = 0: −(𝔐Ã + Ãᵀ𝔐 + 2η𝔐) has trace and determinant ≥ 0 for κ > 1, and a null direction: η is the best
    rate."""
    metric, rate = langevin.metric()
    printed = Matrix([[kappa**2 + 1, a * (1 - kappa**2)], [a * (1 - kappa**2), a**2 * (kappa**2 + 1)]])
    assert vanishes(metric - printed)
    assert simplify(rate - a * (1 - 1 / kappa)) == 0
    assert simplify(metric.inv()[0, 0] - (kappa**2 + 1) / (4 * kappa**2)) == 0
    drift = langevin.renormalised_drift().subs(epsilon, 0)
    left = -(metric * drift + drift.T * metric + 2 * rate * metric)
    assert simplify(left.det()) == 0
    above = sympy.Symbol("above", positive=True)  # κ = 1 + above
    assert sympy.factor(left.trace().subs(kappa, 1 + above)).is_positive


def test_log_concavity_is_not_enough():
    """H = ((−1, c), (c, −1)) is negative definite for |c| < 1, yet ΣΣᵀH has a direction of growth unless
    c = 0."""
    hessian, symmetric, reverse = langevin.log_concavity_is_not_enough()
    assert sorted(hessian.eigenvals(), key=str) == sorted([correlation - 1, -correlation - 1], key=str)
    assert simplify(symmetric.det() + correlation**2 * sigma**4 / 4) == 0
    x, v = sympy.symbols("x v", real=True)
    z = Matrix([x, v])
    # the slide writes −c x v, which is H with c replaced by −c
    assert sympy.expand((2 * z.T * symmetric * z)[0] - 2 * sigma**2 * (correlation * x * v - v**2)) == 0
    assert vanishes(reverse - Matrix([[0, -(a**2)], [1 + sigma**2 * correlation, 2 * a - sigma**2]]))
    growing = (z.T * symmetric * z)[0].subs({x: 1, v: correlation / 2})
    assert simplify(growing - sigma**2 * correlation**2 / 4) == 0


def test_closed_forms_are_named_and_take_constants():
    """Every derived quantity is there; with numbers given only the clock and κ are left."""
    symbolic = langevin.closed_forms()
    assert set(symbolic) == {
        "drift", "noise", "transition", "stationary", "covariance", "kernel_mean", "kernel_covariance",
        "renormalised_drift", "metric", "rate",
    }
    found = langevin.closed_forms(a=2, sigma=1, epsilon=0, velocity_variance=Rational(1, 4))
    assert found["stationary"] == Matrix([[Rational(1, 2), 0], [0, Rational(1, 8)]])
    assert found["kernel_covariance"].subs(CLOCK, 0) == diag(0, Rational(1, 4))
    assert all(expression.free_symbols <= {CLOCK, kappa} for expression in found.values())


def test_process_runs_at_the_speed_of_its_clock():
    """clock = t² + t: drift (2t + 1)A and noise √(2t + 1)Σ, with exact constants."""
    process = cld(a="3/2", sigma=1, epsilon="1/3", clock="t**2 + t")
    speed = 2 * TIME + 1
    constants = {a: Rational(3, 2), sigma: 1, epsilon: Rational(1, 3)}
    assert vanishes(process.drift - (speed * DRIFT).subs(constants))
    assert vanishes(process.noise - sqrt(speed) * diag(Rational(1, 3), 1))
    assert process.blocks == 2
    assert cld().drift == Matrix([[0, 1], [-1, -2]]) and cld().noise == diag(0, 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"a": 0}, "a must be a number between 1e-06 and 1e"),
        ({"a": -1}, "a must be a number between"),
        ({"sigma": 0}, "sigma must be a number between 1e-06"),
        ({"sigma": 1e7}, "sigma must be a number between"),
        ({"epsilon": -0.1}, "epsilon must be a number between 0 and"),
        ({"epsilon": 1e-9}, "epsilon must be 0 or at least 1e-8 of sigma"),
        ({"velocity_variance": -1}, "velocity_variance must be a number between 0"),
        ({"velocity_variance": "t"}, "velocity_variance must be a number, got 't'"),
        ({"velocity_variance": TIME}, "velocity_variance must be a number between 0 and 1e.06, got t"),
        ({"clock": "t + 1"}, "clock must be 0 at t = 0"),
        ({"clock": "t + abs(t - 1)/(t - 1) + 1"}, "clock must be continuous"),
        ({"clock": "t if t < 1 else t + 1"}, "clock must be continuous"),
    ],
)
def test_border_refuses_constants_out_of_range(arguments, message):
    """One line names the argument, the requirement and the value received."""
    with pytest.raises(ValueError, match=message):
        cld(**arguments)


def test_processes_are_equal_only_if_the_law_of_the_first_velocity_is():
    """The variance of V_0 is part of what a process is; how a number was written is not."""
    assert cld(velocity_variance=1) != cld(velocity_variance=0)
    assert cld(velocity_variance="1/2") == cld(velocity_variance=sympy.Rational(1, 2))
    assert len({cld(velocity_variance=1), cld(), cld(velocity_variance=0)}) == 2
