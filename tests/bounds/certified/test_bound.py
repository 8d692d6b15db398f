"""Certified bounds: next to the bounds in floats, at two precisions, on golden numbers, and what is
refused."""

import numpy as np
import pytest
from flint import arb

from bounds import StronglyLogConcave, TimeGrid, WeaklyLogConcave, euler_maruyama, general, ou, ve, vp
from bounds.certified.data import Formulas, NotCertified
from bounds.sampler import Scheme, scheme
from bounds.samplers import samplers
from bounds.setting import Setting
from bounds.symbolic.proof import PRECISION
from bounds.theorems import theorems
from closed_form import Gaussian, GaussianMixture
from tests.bounds.tolerances import (
    CALLS,
    CERTIFIED_ABOVE,
    CERTIFIED_BELOW,
    CERTIFIED_RADIUS,
    HIDDEN_DIGITS,
    HIDDEN_ZERO,
    REGULARITY,
    REGULARITY_CALLS,
    UNCHANGED,
)
from tests.closed_form.certified.test_chain import HIDDEN, asked
from tests.work_limit import at_most
from verify import setting_of

KEYS = ("martingale", "martingale-coupled", "gentiloni2025-weak-log-concave", "gaussian-lower-bound")
#: Process, data, T, K, the bound of docs/theory.md section 9 as printed there; the README for the second.
GOLDEN = (
    (ou(), Gaussian([0.0], 0.25), 4, 400, "0.01306"),
    (ou(), Gaussian(np.zeros(100), 1.0), 4, 1600, "0.02192"),
    (vp("1/10 + 199/10*t"), Gaussian(np.zeros(2), 9.0), 1, 500, "0.04496"),
)


@pytest.mark.parametrize("information", ["all", "constants"])
@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("process", [ou(), vp("1/10 + 3*t")], ids=["ou", "vp"])
def test_near_the_bound_in_floats(process, key, information):
    """A certified bound is no more than 1e-9 below the one in floats, and no more than 1e-6 above it."""
    law = Gaussian([1.0, 0.5], np.array([0.5, 2.0]))
    setting = setting_of(process, law, euler_maruyama(1.0, 16), information=information)
    found, floats = theorems()[key].certified(setting), theorems()[key].bound(setting)
    assert (floats.total * (1 - CERTIFIED_BELOW) <= found.total <= floats.total * (1 + CERTIFIED_ABOVE))
    assert found.terms.keys() == floats.terms.keys() and found.information == floats.information
    for name, value in found.terms.items():
        assert value == pytest.approx(floats.terms[name], rel=CERTIFIED_ABOVE, abs=CERTIFIED_BELOW)


@pytest.mark.parametrize("key", [key for key, sampler in sorted(samplers(1).items())
                                 if sampler.evaluations == 1 and sampler.multistep is None])
def test_every_sampler(key):
    """The lower bound of every sampler with one evaluation, and the martingale bound where it has noise, are near those
    in floats."""
    setting = setting_of(vp("1/10 + 3*t"), Gaussian([1.0, 0.5], np.array([0.5, 2.0])), scheme(key, 1.0, 25))
    for name in ["gaussian-lower-bound"] + ["martingale"] * (not samplers(1)[key].follows_ode):
        theorem = theorems()[name]
        found, floats = theorem.certified(setting).total, theorem.bound(setting).total
        assert floats * (1 - CERTIFIED_BELOW) <= found <= floats * (1 + CERTIFIED_ABOVE)


def test_general_theorem_with_its_constant_given():
    """gao2025 with a given M1, score errors and early stopping is near the bound in floats."""
    setting = setting_of(vp("1/10 + 3*t"), Gaussian([1.0], 0.5), euler_maruyama(1.0, 60, early_stop=0.1), 0.1,
                         0.2)
    object.__setattr__(setting.facts, "time_regularity", 2.0)
    theorem = theorems()["gao2025-general-sde"]
    found, floats = theorem.certified(setting), theorem.bound(setting)
    assert floats.total * (1 - CERTIFIED_BELOW) <= found.total <= floats.total * (1 + CERTIFIED_ABOVE)
    assert found.terms.keys() == floats.terms.keys()


@pytest.mark.parametrize(("process", "law", "horizon", "steps", "printed"), GOLDEN)
def test_golden_numbers(process, law, horizon, steps, printed):
    """Golden numbers come out within their printed digits, and their balls are far smaller than those."""
    found = theorems()["martingale"].certified(setting_of(process, law, euler_maruyama(horizon, steps)))
    assert f"{float(found.proof.digits):.4g}" == printed
    assert found.proof.radius < CERTIFIED_RADIUS and found.proof.precision == PRECISION


def test_precisions_overlap():
    """At 64 and 256 bits the balls overlap, and the second is far smaller."""
    setting = setting_of(vp("1/10 + 3*t"), Gaussian([1.0], 0.5), euler_maruyama(1.0, 20))
    bounds = [theorems()["martingale"].certified(setting, bits) for bits in (64, 256)]
    coarse, fine = (bound.proof for bound in bounds)
    assert bounds[0].total - 3 * coarse.radius <= bounds[1].total <= bounds[0].total
    assert fine.radius < coarse.radius * 1e-20 and len(fine.digits) > len(coarse.digits)


def test_a_kink_of_f_is_found():
    """Where g² has a kink inside a step the bound agrees with the one in floats."""
    setting = setting_of(ve("sqrt(1/10 + abs(t - 1/3))"), Gaussian([1.0], 0.5), euler_maruyama(1.0, 8))
    found, floats = (ask(setting).total for ask
                     in (theorems()["martingale"].certified, theorems()["martingale"].bound))
    assert floats * (1 - CERTIFIED_BELOW) <= found <= floats * (1 + CERTIFIED_ABOVE)


def test_constants_alone():
    """Constants without a law are certified as they are given."""
    setting = Setting(ou(), StronglyLogConcave(0.5, 2.0, 1), euler_maruyama(2.0, 30))
    found, floats = (ask(setting).total for ask
                     in (theorems()["martingale"].certified, theorems()["martingale"].bound))
    assert floats * (1 - CERTIFIED_BELOW) <= found <= floats * (1 + CERTIFIED_ABOVE)


@pytest.mark.parametrize("name", HIDDEN)
def test_hidden_features(name):
    """The lower bound in balls, which is the truth by another rule, has twelve digits of the truth of
    HIDDEN."""
    setting, _, truth = asked(name)
    found = theorems()["gaussian-lower-bound"].certified(setting)
    assert found.total == pytest.approx(truth, rel=HIDDEN_DIGITS, abs=HIDDEN_ZERO)


@pytest.mark.parametrize("alpha, M, moments",
                         [(0.5, 0.3, (0.9, 0.1)), (1.5, 1e-3, (9.0, None)), (0.5, 2.0, (9.0, None))])
@pytest.mark.parametrize("key", ["martingale", "martingale-coupled"])
def test_weakly_log_concave_constants(key, alpha, M, moments):
    """Constants of weak log-concavity are as in floats, also where two bounds of the excess cross within a
    step."""
    assumption = WeaklyLogConcave(alpha, M, 2.0, 1, *moments)
    setting = Setting(vp("1/10 + 3*t"), assumption, scheme("posterior-mean", 1.0, 6))
    found, floats = (ask(setting).total for ask in (theorems()[key].certified, theorems()[key].bound))
    assert floats * (1 - CERTIFIED_BELOW) <= found <= floats * (1 + CERTIFIED_ABOVE)


@pytest.mark.parametrize("process", [vp("1/10 + 3*t"), general("t", "3*t"), ou()], ids=str)
def test_closed_forms_change_nothing(monkeypatch, process):
    """Where g² = 2vf bounds are the same by the closed forms of C and s² and by their integrals."""
    setting = setting_of(process, Gaussian([1.0], 0.5), euler_maruyama(1.0, 9))
    ask, key = theorems()["martingale"].certified, "martingale"
    closed = ask(setting).proof
    monkeypatch.setattr("bounds.certified.steps._level", lambda _: None)
    assert float(closed.digits) == pytest.approx(float(ask(setting).proof.digits), rel=CERTIFIED_BELOW), key


@pytest.mark.parametrize("process, law", [
    (vp("1/10 + 3*t"), Gaussian([1.0, 0.3], np.array([0.5, 2.0]))),
    (ve("1 + sin(7*t)"), Gaussian([2.0], 0.5)),
    (vp("1/10 + 10*t"), Gaussian(np.zeros(100), np.geomspace(1.2, 30, 100))),
    (vp("1/10 + 10*t"), Gaussian(np.linspace(0.5, 1, 30), np.geomspace(0.3, 30, 30))),
    (general("4*sin(3*t)", "1"), Gaussian(np.zeros(4), np.array([1.2, 1.5, 2.5, 9.0])))],
    ids=["vp", "ve", "one in between", "many means", "changing sign"])
def test_time_regularity(process, law):
    """M1 is above its values on a dense grid, and hardly more than the largest."""
    setting = setting_of(process, law, euler_maruyama(1.0, 30))
    found = theorems()["gao2025-general-sde"].certified(setting).details["M1"]
    times = np.linspace(0, 1, 20_001)[1:]
    fine = Scheme(samplers(1)["euler-maruyama"], TimeGrid(np.append(times[::-1], 0.0)))
    path = setting_of(process, law, fine).table.path
    a, s_sq, f, g_sq = path.a[:-1], path.s_sq[:-1], process.f_values(times[::-1]), process.g_sq_values(times[::-1])
    V = np.square(a)[:, None] * np.atleast_1d(law.eigenvalues) + s_sq[:, None]
    rates = np.abs(g_sq[:, None] - 2 * f[:, None] * V) / V**2
    centre = np.linalg.norm(a[:, None] * (f[:, None] * V - g_sq[:, None]) / V**2 * law.mean, axis=1)
    largest = max(rates.max(), centre.max())
    assert largest * (1 - CERTIFIED_BELOW) <= found <= largest * (1 + REGULARITY)


def test_many_variances_take_little_work():
    """Of a hundred variances M1 looks at those that may decide."""
    law = Gaussian(np.zeros(100), np.geomspace(1.2, 30, 100))
    setting = setting_of(vp("1/10 + 10*t"), law, euler_maruyama(1.0, 30))
    with at_most(REGULARITY_CALLS * 30):
        theorems()["gao2025-general-sde"].certified(setting)


def test_work():
    """A thousand steps take so few calls that they end within a second."""
    few, many = (setting_of(vp("1/10 + 199/10*t"), Gaussian([0.5], 0.25), scheme("exponential", 1.0, steps))
                 for steps in (2, 1000))
    theorems()["martingale"].certified(few)
    with at_most(CALLS * 1000):
        theorems()["martingale"].certified(many)


@pytest.mark.parametrize(
    ("process", "law", "named"),
    [(ou(), GaussianMixture.two_modes(2.0, 0.5), "Gaussian"),
     (ve("t^(-1/4)"), Gaussian([0.0], 1.0), "bounded")],
    ids=["mixture", "singular"],
)
def test_what_is_not_certified_is_refused_by_name(process, law, named):
    """Mixtures, and coefficients that are not seen to be bounded, are refused in one line."""
    setting = setting_of(process, law, euler_maruyama(1.0, 5))
    with pytest.raises(NotCertified, match=named) as refused:
        theorems()["martingale"].certified(setting)
    assert "\n" not in str(refused.value)


def test_formulas_are_made_once():
    """A theorem's formulas in balls are made once, and those of a corrupted statement are its own."""
    theorem = theorems()["martingale"]
    corrupted = theorem.corrupted("early_stop_sq", 2)
    values = {"a_sq": arb(1) / 4, "s_sq": arb(1) / 3, "m2": arb(2), "d": arb(3)}
    assert theorem.formulas["early_stop_sq"] is theorem.formulas["early_stop_sq"]
    one, two = (each.formulas["early_stop_sq"](**values) for each in (theorem, corrupted))
    assert two.overlaps(2 * one) and not two.overlaps(one)


@pytest.mark.parametrize("precision", [63, 2000])
def test_precision_is_checked(precision):
    """A precision out of range is refused by name."""
    setting = setting_of(ou(), Gaussian([0.0], 1.0), euler_maruyama(1.0, 5))
    with pytest.raises(ValueError, match=f"precision must be from 64 to 1024 bits, got {precision}"):
        theorems()["martingale"].certified(setting, precision)


@pytest.mark.parametrize("name", ["variance", "variance_known"])
def test_formulas_of_a_view_are_the_stated_ones(name):
    """With e^F given by its name, and where nothing is left above c_lo with that put at 0, v_k²'s integrand
    is as stated."""
    formulas = Formulas(theorems()["martingale"].stated)
    names = ("C", "g", "ng", "H_lo", "X", "x_mean", "x_sq", "d")
    values = {name: arb(k + 2) / 7 for k, name in enumerate(names)}
    values |= {"F": arb(0.3), "growth": arb(0.3).exp()}
    stated = formulas[name](**values)
    found = [formula.plain(values) for formula in formulas.of_a_view(name)]
    assert max(map(float, found)) == pytest.approx(float(stated), rel=UNCHANGED)
    nothing = {**values, "X": arb(0), "x_mean": arb(0), "x_sq": arb(0)}
    (formula,) = formulas.of_a_view(name, ("X", "x_mean", "x_sq"))
    assert float(formula.plain(nothing)) == pytest.approx(float(formulas[name](**nothing)), rel=UNCHANGED)
    assert float(formula.plain(values)) == float(formula.plain(nothing))
