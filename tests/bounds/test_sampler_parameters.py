"""Samplers that take a parameter: their steps at any value, the ends of its range, and what is refused."""

import pickle

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from bounds import Scheme, TimeGrid, ddim, euler_maruyama_lambda, general, ou, ve, vp
from bounds.sampler import scheme
from bounds.samplers import registered, samplers
from bounds.symbolic.integrals import TIME
from closed_form import Gaussian, GaussianMixture, sampler_w2
from closed_form.certified.chain import certified_w2
from closed_form.steps.table import exact_steps
from tests.bounds.tolerances import BETWEEN_DEFECT, EXPRESSION_RELATIVE, FOUR_DIGITS
from tests.drawn import examples
from tests.tolerances import STANDARD_ERRORS
from verify import sample
from verify.problems.describing import described
from verify.problems.problem import read_problem

TIMES = TimeGrid.from_times([1.3, 1.0, 0.2, 0.0])
PROCESSES = {"ou": ou(), "vp": vp(sympy.Rational(1, 10) + 5 * TIME), "ve": ve(sympy.exp(TIME)),
             "general": general(sympy.sin(5 * TIME) - sympy.Rational(1, 2), 1 + sympy.cos(TIME) / 2)}
ETA, LAMBDA = (samplers()[key] for key in ("ddim", "euler-maruyama-lambda"))
#: A sampler at an end of its parameter's range, and the sampler that it is there.
ENDS = {"η = 1": (ETA.at(eta=1.0), "ancestral"), "λ = 1": (LAMBDA.at(lambda_=1.0), "frozen-euler-maruyama"),
        "λ = 0": (LAMBDA.at(lambda_=0.0), "ode-euler")}
FIELDS = ("P", "Q", "noise_var", "c1", "c2")


@pytest.mark.parametrize("name", PROCESSES)
@pytest.mark.parametrize("end", ENDS)
def test_ends_of_the_range(name, end):
    """DDIM with η = 1 is ancestral sampling, and Euler–Maruyama with λ = 1 and λ = 0 frozen Euler–Maruyama
    and Euler's method of the flow: the same numbers of every step."""
    sampler, other = ENDS[end]
    mine, theirs = (Scheme(each, TIMES).table(PROCESSES[name]) for each in (sampler, other))
    assert sampler.follows_ode == samplers()[other].follows_ode
    for field in FIELDS:
        assert getattr(mine, field) == pytest.approx(getattr(theirs, field), rel=EXPRESSION_RELATIVE,
                                                     abs=1e-15)


def test_without_noise_ddim_is_what_it_was():
    """η = 0 is the default and the same sampler, down to the last digit of its steps and its exact W2."""
    plain, zero = Scheme("ddim", TIMES), Scheme("ddim", TIMES, eta=0.0)
    assert zero == plain and zero.sampler is samplers()["ddim"] and zero.sampler.follows_ode
    again = Scheme(ETA.at(eta=0.5).at(eta=0.0), TIMES)
    assert again == plain and np.array_equal(again.steps(ou()).Q, plain.steps(ou()).Q)
    assert sampler_w2(Gaussian([0.0], 0.25), exact_steps(ou(), ddim(4, 100))).midpoint == pytest.approx(
        0.08087, rel=FOUR_DIGITS)


@settings(max_examples=examples(20))
@given(eta=st.floats(1e-3, 1.0), name=st.sampled_from(sorted(PROCESSES)))
def test_steps_of_ddim(eta, name):
    """In Y = X/a and σ = s/a, K = τ − (r² − v)^{1/2} with v = η²r²(1 − r²/τ²), and c2 = Φ⁻¹C − Q, by 40
    digits."""
    table = Scheme("ddim", TIMES, eta=eta).table(PROCESSES[name])
    a, s_sq = table.path.a, table.path.s_sq
    for k in range(len(table.P)):
        with mpmath.workdps(40):
            ends = [mpmath.mpf(s_sq[i]) / mpmath.mpf(a[i]) ** 2 for i in (k, k + 1)]
            variance = mpmath.mpf(eta) ** 2 * ends[1] * (1 - ends[1] / ends[0])
            weight = mpmath.sqrt(ends[0]) - mpmath.sqrt(ends[1] - variance)
            Q = weight * mpmath.mpf(a[k + 1]) * mpmath.sqrt(mpmath.mpf(s_sq[k]))
            exact = mpmath.mpf(a[k + 1]) / mpmath.mpf(a[k]) * mpmath.mpf(s_sq[k]) * (1 - ends[1] / ends[0])
            assert table.Q[k] == pytest.approx(float(Q), rel=BETWEEN_DEFECT)
            assert table.noise_var[k] == pytest.approx(float(variance * mpmath.mpf(a[k + 1]) ** 2),
                                                       rel=BETWEEN_DEFECT)
            assert table.c2[k] == pytest.approx(float(exact - Q), rel=BETWEEN_DEFECT,
                                                abs=BETWEEN_DEFECT * table.Q[k])


@settings(max_examples=examples(20))
@given(value=st.floats(0.0, 50.0), name=st.sampled_from(sorted(PROCESSES)))
def test_steps_of_euler_maruyama(value, name):
    """P = 1 + hf, Q = (1 + λ²)hg²/2 and the noise λ²hg², coefficients where the step starts."""
    process = PROCESSES[name]
    table = Scheme("euler-maruyama-lambda", TIMES, lambda_=value).table(process)
    starts, h = TIMES.times[:-1], -np.diff(TIMES.times)
    f, g_sq = process.f_values(starts), process.g_sq_values(starts)
    assert table.P == pytest.approx(1 + h * f, rel=EXPRESSION_RELATIVE)
    assert table.Q == pytest.approx((1 + value**2) / 2 * h * g_sq, rel=EXPRESSION_RELATIVE)
    assert table.noise_var == pytest.approx(value**2 * h * g_sq, rel=EXPRESSION_RELATIVE)
    assert table.c2 == pytest.approx(np.exp(table.path.F) * table.path.C - table.Q, rel=1e-10,
                                     abs=1e-11 * table.Q.max())


#: (η, exact W2 on N(0, ¼), T = 4, K = 100, and on ½N(±1, ¼), T = 5, K = 50), of an independent prototype.
EXACT = [(0.0, 0.08087, 0.1164), (0.25, 0.08182, 0.1176), (0.5, 0.08487, 0.1216), (0.75, 0.09065, 0.1291),
         (1.0, 0.1007, 0.1421)]


@pytest.mark.parametrize(("eta", "normal", "modes"), EXACT)
def test_exact_laws(eta, normal, modes):
    """The exact W2 of DDIM with η on a Gaussian, in floats and in balls, and on two modes has the printed
    digits."""
    for law, expected, sampler in ((Gaussian([0.0], 0.25), normal, ddim(4, 100, eta=eta)),
                                   (GaussianMixture.two_modes(2.0, 0.5), modes, ddim(5, 50, eta=eta))):
        found = sampler_w2(law, exact_steps(ou(), sampler))
        assert found.midpoint == pytest.approx(expected, rel=FOUR_DIGITS)
        if law.components() is None or len(law.components().weights) == 1:
            proved = certified_w2(law, ou(), sampler)
            assert found.lower <= proved.upper and proved.lower <= found.upper


@pytest.mark.parametrize("make", [lambda: ddim(2.0, 6, eta=0.6),
                                  lambda: euler_maruyama_lambda(2.0, 6, lambda_=0.5)])
def test_particles_follow_the_law(make):
    """Second moments of 40,000 particles of a product mixture in three dimensions are those of the exact
    law."""
    law, steps, n = GaussianMixture([[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]], std=0.5), make().steps(ou()), 40_000
    found = sample(law, steps, n, 5)
    across = np.square(found[:, 1:]).mean()
    variance = steps.prior_var
    for k in range(len(steps)):
        spread = steps.a[k] ** 2 / 4 + steps.s_sq[k]
        variance = (steps.P[k] - steps.Q[k] / spread) ** 2 * variance + steps.noise_var[k]
    assert across == pytest.approx(variance, abs=STANDARD_ERRORS * variance * np.sqrt(2 / (2 * n)))


def test_schemes_are_values():
    """Two schemes at one value are equal and hashed alike, at two values they are not; both survive pickling,
    and a scheme keeps its value when something else of it is replaced."""
    one, same, other = (Scheme("ddim", TIMES, eta=eta) for eta in (0.5, 0.5, 0.6))
    assert one == same and hash(one) == hash(same) and one != other != Scheme("ddim", TIMES)
    assert pickle.loads(pickle.dumps(one)) == one and registered(one.sampler)
    assert one.with_spread_of(Gaussian([0.0], 1.0)).sampler == one.sampler
    assert "eta = 0.5" in repr(one) and one.key == "ddim" and one.name == "ddim (eta = 0.5)"


@pytest.mark.parametrize(("key", "given", "words"), [
    ("ddim", {"eta": 1.01}, "eta must be a number between 0 and 1, got 1.01"),
    ("ddim", {"eta": -1e-9}, "eta must be a number between 0 and 1, got -1e-09"),
    ("ddim", {"eta": float("nan")}, "eta must be a number between 0 and 1, got nan"),
    ("ddim", {"eta": True}, "eta must be a number between 0 and 1, got True"),
    ("ddim", {"eta": "half"}, "eta must be a number between 0 and 1, got 'half'"),
    ("ddim", {"lambda_": 1.0}, "lambda_ must be left out for ddim, which takes eta, got 1.0"),
    ("heun-t", {"eta": 0.5}, "eta must be left out for heun-t, which takes no parameter, got 0.5"),
    ("euler-maruyama-lambda", {"lambda_": -0.1}, "lambda_ must be a number between 0 and 1000, got -0.1"),
    ("euler-maruyama-lambda", {"lambda_": float("inf")},
     "lambda_ must be a number between 0 and 1000, got inf")])
def test_what_is_no_value_is_refused(key, given, words):
    """One line names the parameter, its range or the sampler that does not take it, and what came."""
    with pytest.raises(ValueError, match="must be") as refused:
        scheme(key, 1.0, 3, **given)
    assert str(refused.value) == words


@pytest.mark.parametrize("given", [{"kind": "ddim", "eta": 0.3}, {"kind": "ddim"},
                                   {"kind": "euler-maruyama-lambda", "lambda": 0.7}])
def test_problem_files_say_the_value(given):
    """A file's value is the scheme's, its normal form reads back, and the question asked from Python is the
    same."""
    tables = {"process": {"family": "ou"}, "data": {"law": "gaussian", "mean": 0.5, "covariance": 0.25},
              "scheme": {**given, "horizon": 2.0, "steps": 5}}
    found = read_problem(tables)
    default = {"ddim": {"eta": 0.0}}.get(given["kind"], {})
    assert found.scheme.sampler.given == {**default, **{k: v for k, v in given.items() if k != "kind"}}
    assert found.as_dict()["scheme"].items() >= {**default, **given}.items()
    assert read_problem(found.as_dict()).scheme == found.scheme
    said = described(found.process, found.law, found.scheme)
    assert read_problem(said).scheme == found.scheme
