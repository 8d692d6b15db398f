"""The funnel: its density, and its pushed score by quadrature, exact in any dimension."""

import math

import numpy as np
import pytest
from scipy.integrate import quad

from closed_form.laws.funnel import Funnel, _read
from tests.closed_form.tolerances import FUNNEL_DIFFERENCE, FUNNEL_QUADRATURE
from tests.drawn import thinned
from tests.tolerances import LAW_ROUNDING, STANDARD_ERRORS
from verify.problems.section import Section

TIMES = {"t near 0": (0.9999, 2e-4), "middle": (0.6, 0.64), "late": (0.02, 0.9996), "no signal": (0.0, 1.0)}


def expected(law, a, s_sq, x):
    """log p and score at one point by scipy's adaptive quadrature over the scale, from the definition."""

    def log_term(w):
        var = a * a * math.exp(law.std * w - law.log_shift) + s_sq
        rest = -0.5 * (np.sum(x[1:] ** 2) / var + (law.dim - 1) * math.log(2 * math.pi * var))
        gap = x[0] - a * law.first_std * w
        return (
            rest - 0.5 * (gap * gap / s_sq + math.log(2 * math.pi * s_sq) + w * w + math.log(2 * math.pi)),
            var,
            gap,
        )

    grid = np.linspace(-12, 12, 6001)
    logs = np.array([log_term(w)[0] for w in grid])
    top, centre = logs.max(), grid[logs.argmax()]
    inside = grid[logs > top - 45]
    ends = inside[0] - 4e-3, inside[-1] + 4e-3

    def mean(function):
        def integrand(w):
            log, var, gap = log_term(w)
            return math.exp(log - top) * function(var, gap)

        sides = (
            quad(integrand, *side, epsabs=0, epsrel=1e-11, limit=400)[0]
            for side in ((ends[0], centre), (centre, ends[1]))
        )
        return sum(sides)

    mass = mean(lambda var, gap: 1.0)
    first = -mean(lambda var, gap: gap / s_sq) / mass
    rest = -mean(lambda var, gap: 1 / var) / mass * x[1:]
    return top + math.log(mass), np.concatenate([[first], rest])


@pytest.mark.parametrize("name, dim, standardized", thinned(TIMES, [1, 2, 50, 100], [False, True], every=3))
def test_score_and_density_are_the_integrals(name, dim, standardized):
    """At points of the law and at foreign ones the score and log density are those of adaptive quadrature."""
    law, (a, s_sq) = Funnel(dim, 1.5, standardized), TIMES[name]
    rng = np.random.default_rng(dim)
    own = a * law.sample(2, rng) + math.sqrt(s_sq) * rng.standard_normal((2, dim))
    pushed, x = law.pushed(a, s_sq), np.concatenate([own, 1.5 * rng.standard_normal((1, dim))])
    scores, logs = pushed.score(x), pushed.log_density(x)
    for i, point in enumerate(x):
        log, score = expected(law, a, s_sq, point)
        assert abs(logs[i] - log) < FUNNEL_QUADRATURE * (1 + abs(log))
        assert np.linalg.norm(scores[i] - score) < FUNNEL_QUADRATURE * (1 + np.linalg.norm(score))


@pytest.mark.parametrize("dim", [2, 7])
def test_scores_are_slopes_of_the_log_density(dim):
    """The law's own score, and the pushed one, are central differences of the log density."""
    law = Funnel(dim, 1.0)
    rng = np.random.default_rng(5)
    x, h = law.sample(4, rng), 1e-5
    for density in (law, law.pushed(0.7, 0.3)):
        shifts = h * np.eye(dim)
        slopes = [
            (density.log_density(x + shift) - density.log_density(x - shift)) / (2 * h) for shift in shifts
        ]
        assert np.abs(density.score(x) - np.transpose(slopes)).max() < FUNNEL_DIFFERENCE * (
            1 + np.abs(slopes).max()
        )


@pytest.mark.parametrize("std", [0.3, 1.0, 3.0])
def test_the_stated_error_covers_the_sampler_rule(std):
    """The error estimate of a coarse rule is at least its distance from the default, up to a factor 3 and
    rounding."""
    law = Funnel(60, std)
    rng = np.random.default_rng(9)
    for a, s_sq in TIMES.values():
        x = a * law.sample(200, rng) + math.sqrt(s_sq) * rng.standard_normal((200, 60))
        coarse = law.pushed(a, s_sq, nodes=25, nested=1e-3)
        fine = law.pushed(a, s_sq).score(x)
        size = np.linalg.norm(fine, axis=1)
        away = np.linalg.norm(coarse.score(x) - fine, axis=1)
        assert np.all(away <= 3 * coarse.score_error(x) + FUNNEL_QUADRATURE * (1 + size))


def test_two_modes_of_the_scale_are_both_counted():
    """Where the first coordinate says narrow and the others say wide, the posterior has two modes, and the
    score both."""
    law = Funnel(100, 1.0)
    for size in (1.05, 1.15, 1.25, 1.4):
        x = np.full((1, 100), size)
        x[0, 0] = -4.5
        score = law.pushed(0.8, 0.36).score(x)[0]
        assert np.linalg.norm(score - expected(law, 0.8, 0.36, x[0])[1]) < FUNNEL_QUADRATURE * np.linalg.norm(
            score
        )


def test_others_far_out_speak_for_a_scale_far_out():
    """Coordinates of a million, where the noise hides the scale, are believed: the posterior is far from its
    prior."""
    x = np.full((1, 20), 1.3e6)
    x[0, 0] = 0.0

    def weight(w, power):
        var = math.exp(1.5 * w - 38.0) + 1.0
        return math.exp(-0.5 * (w * w + np.sum(x**2) / var) - 9.5 * math.log(var) + 1227.0) / var**power

    mean = quad(weight, 38, 50, args=(1,), epsabs=0)[0] / quad(weight, 38, 50, args=(0,), epsabs=0)[0]
    score = Funnel(20, 1.5).pushed(math.exp(-19.0), 1.0).score(x)[0]
    assert score[1:] == pytest.approx(-mean * x[0, 1:], rel=FUNNEL_QUADRATURE)


def test_a_point_at_infinity_has_no_score():
    """A coordinate that left the range of floats gives NaN for its point alone, not an error."""
    law = Funnel(3).pushed(0.5, 0.75)
    score = law.score(np.array([[0.0, 1.0, 1.0], [0.0, np.inf, 1.0]]))
    assert np.isfinite(score[0]).all() and not np.isfinite(score[1]).all()


@pytest.mark.parametrize("standardized", [False, True])
def test_samples_have_the_variances(standardized):
    """Means and variances of samples are the law's; standardised, every variance is 1."""
    law, n = Funnel(4, 0.8, standardized), 200_000
    x = law.sample(n, np.random.default_rng(3))
    fourth = np.mean((x**2 - law.variances) ** 2, axis=0)
    assert np.all(np.abs(x.mean(axis=0)) < STANDARD_ERRORS * np.sqrt(law.variances / n))
    assert np.all(np.abs((x**2).mean(axis=0) - law.variances) < STANDARD_ERRORS * np.sqrt(fourth / n))
    assert law.second_moment == pytest.approx(
        4.0 if standardized else 0.64 + 3 * math.exp(0.32), rel=LAW_ROUNDING
    )


@pytest.mark.parametrize(
    ("arguments", "error", "fragment"),
    [
        ((0,), ValueError, "dim must be an integer"), ((2.0,), TypeError, "dim must be an integer"),
        ((2, 0.0), ValueError, "std must be positive"), ((2, 11.0), ValueError, "at most 10"),
        ((2, "1"), TypeError, "std must be a number"), ((2, 1.0, 1), TypeError, "true or false"),
    ],
)
def test_wrong_arguments_are_refused(arguments, error, fragment):
    """A dimension, a scale or a flag that is none is refused by name."""
    with pytest.raises(error, match=fragment):
        Funnel(*arguments)


def test_nothing_is_proved_and_there_is_no_score_without_noise():
    """Assumptions are refused with the reason, and so are points of another dimension and s² = 0."""
    law = Funnel(3)
    with pytest.raises(ValueError, match="no assumption is proved for a funnel"):
        law.assumptions()
    with pytest.raises(ValueError, match="s_sq must be positive"):
        law.pushed(1.0, 0.0)
    with pytest.raises(ValueError, match=r"shape \(n, 3\)"):
        law.score(np.zeros((2, 2)))


def test_a_funnel_of_a_problem_file_has_the_usual_scale():
    """Without a std the scale of the funnel's logarithm is 1, and it is not standardised; what is said is
    taken."""
    plain = _read(Section("data", {"dim": 3}), None)
    assert (plain.dim, plain.std, plain.standardized) == (3, 1.0, False)
    given = _read(Section("data", {"dim": 2, "std": 2.5, "standardized": True}), None)
    assert (given.dim, given.std, given.standardized) == (2, 2.5, True)
