"""Tables of constants as schedules: values, balls, integrals, discrete schedules, and what is refused."""

import itertools

import numpy as np
import pytest
import sympy
from flint import acb, arb, ctx
from hypothesis import given
from hypothesis import strategies as st

from bounds import ancestral, euler_maruyama, ou, ve, vp
from bounds.grid import TimeGrid
from bounds.sampler import Scheme
from bounds.samplers import samplers
from bounds.schedules import discrete, noise_levels
from bounds.steps.analytic_panels import analytic_panels
from bounds.steps.path import Path
from bounds.symbolic.balls import BallFunction, NotAnalytic
from bounds.symbolic.integrals import TIME
from bounds.symbolic.piecewise_constant import step_table
from closed_form import Gaussian
from tests.bounds.tolerances import ORDERED, PATH_RELATIVE
from tests.command_line import FAST, answer, assert_refused, problem, run
from verify import certify

TIMES, VALUES = [0.0, 0.1, 0.5, 1.0], [1.0, 3.0, 0.2]


def test_values():
    """A value holds up to its time and the first at 0 too, exactly at numbers, and none outside."""
    beta = step_table("beta", TIMES, VALUES)
    process = vp(beta)
    assert process.g_sq_values(np.array([0.0, 0.1, 0.11, 0.5, 0.75, 1.0])).tolist() == [1.0, 1.0, 3.0, 3.0, 0.2, 0.2]
    assert beta.subs(TIME, sympy.Rational(1, 2)) == 3 and beta.subs(TIME, 2) is sympy.nan
    assert "table of 3 constants" in repr(process)
    for outside in (1.5, -0.1):
        with pytest.raises(ValueError, match="must be real and finite"):
            process.f_values(np.array([outside]))


@given(st.lists(st.floats(0.01, 1.0), min_size=1, max_size=6), st.data())
def test_balls_hold_every_value(lengths, data):
    """The ball over an interval holds the values inside it, and nothing else of the table's range."""
    times = np.append(0.0, np.cumsum(lengths))
    values = np.array(data.draw(st.lists(st.floats(0.0, 5.0), min_size=len(lengths), max_size=len(lengths))))
    low, high = sorted(data.draw(st.tuples(*[st.floats(0.0, float(times[-1]))] * 2)))
    function = BallFunction(step_table("f", times, values))
    met = values[[bool(min(high, end) > max(low, start)) for start, end in itertools.pairwise(times)]]
    found = function.interval(arb(low).union(arb(high)))
    at = function.interval(arb(high))
    assert float(at.mid()) == values[max(int(np.searchsorted(times, high)) - 1, 0)] and at.rad() == 0
    if len(met):
        assert float(found.lower()) <= met.min() + 1e-7 and met.max() - 1e-7 <= float(found.upper())


def test_a_part_across_a_jump_is_not_analytic():
    """Inside one piece the table is a constant, also off the real axis; across two it is not analytic."""
    function = BallFunction(step_table("f", TIMES, VALUES))
    with ctx.workprec(64):
        assert function.taylor(arb(0.5).union(arb(1.0)), 3)[1] == 0
        assert function.disc(acb(arb(0.3), arb(0, 5)), arb(0.3, 0.1)).overlaps(acb(3))
        with pytest.raises(NotAnalytic):
            function.taylor(arb(0.4).union(arb(0.6)), 3)


@pytest.mark.parametrize("grid", [[1.0, 0.0], [1.0, 0.9, 0.32, 0.05, 0.0]])
def test_integrals_are_exact(grid):
    """∫f and C of a step are those of the pieces in it, and the panels end where they do."""
    process = vp(step_table("beta", TIMES, VALUES))
    path = Path(process, np.array(grid))
    total = np.interp(grid, TIMES, np.append(0.0, np.cumsum(np.array(VALUES) * np.diff(TIMES)))) / 2
    assert path.F == pytest.approx(total[:-1] - total[1:], rel=PATH_RELATIVE)
    assert path.C == pytest.approx(-np.expm1(2 * (total[1:] - total[:-1])), rel=PATH_RELATIVE)
    assert path.unproved == ""
    found = analytic_panels((process.f, process.g_sq), ("f", "g²"), (False, True), 1.0)
    assert found.edges.tolist() == TIMES and not found.hidden.any()


def test_a_discrete_schedule_has_its_levels():
    """β_k of DDPM give ᾱ_k at the time k, σ_k of an exploding one s at k, and the steps between them DDPM's."""
    betas = np.linspace(1e-4, 0.02, 200)
    process, levels = vp(discrete(betas)), np.cumprod(1 - betas)
    path = Path(process, np.arange(200.0, -1, -1))
    assert path.a[:-1] ** 2 == pytest.approx(levels[::-1], rel=PATH_RELATIVE)
    clock = -0.5 * np.log(np.append(1.0, levels))[::-1]
    law = Gaussian([0.3], 0.25)
    for key in ("ancestral", "ddim"):
        one = certify("flow" if key == "ddim" else "martingale", process=process, law=law,
                      scheme=Scheme(samplers()[key], TimeGrid.uniform(200, 200)))
        two = certify("flow" if key == "ddim" else "martingale", process=ou(), law=law,
                      scheme=Scheme(samplers()[key], TimeGrid.from_times(clock)))
        assert one.measured.midpoint == pytest.approx(two.measured.midpoint, rel=ORDERED)
        assert one.bound.total == pytest.approx(two.bound.total, rel=ORDERED)
    sigmas = np.geomspace(0.01, 50, 20)
    path = Path(ve(noise_levels(sigmas)), np.arange(20.0, -1, -1))
    assert np.sqrt(path.s_sq[:-1]) == pytest.approx(sigmas[::-1], rel=PATH_RELATIVE)


def test_euler_takes_the_value_at_the_end_of_the_step():
    """Euler–Maruyama with frozen coefficients asks β at the upper time: DDPM's own β, claimed and true alike, in
    floats and in balls."""
    process, law = vp(step_table("beta", [0.0, 1.0, 2.0], [0.1, 0.4])), Gaussian([0.3], 0.25)
    scheme = Scheme(samplers()["frozen-euler-maruyama"], TimeGrid.uniform(2.0, 2))
    assert scheme.steps(process).P.tolist() == pytest.approx([1.2, 1.05], rel=PATH_RELATIVE)
    floats, balls = (certify("martingale", process=process, law=law, scheme=scheme, certified=certified)
                     for certified in (False, True))
    assert floats.bound.total == pytest.approx(balls.bound.total, rel=ORDERED)
    assert floats.measured.midpoint == pytest.approx(balls.measured.midpoint, rel=ORDERED)


@pytest.mark.parametrize(("call", "named"), [
    (lambda: step_table("beta", [0.0], []), "beta must be 1 to 3000 values"),
    (lambda: step_table("beta", [0.0, 1.0], [1.0, 2.0]), "beta must be 1 to 3000 values"),
    (lambda: step_table("beta", [0.1, 1.0], [1.0]), "times that increase from 0, got 0.1 first"),
    (lambda: step_table("beta", [0.0, 1.0, 1.0], [1.0, 1.0]), "a step that does not"),
    (lambda: step_table("beta", [0.0, 1.0], [np.inf]), "finite times and values"),
    (lambda: discrete([0.1, 1.2]), r"betas must be a list of numbers in \(0, 1\), got 1.2"),
    (lambda: discrete([[0.1]]), "got an array of shape"),
    (lambda: noise_levels([1.0, 0.5]), "sigmas must be positive and increase"),
])
def test_a_wrong_table_is_named(call, named):
    """A table that does not fit, is not finite or not a schedule is refused by name."""
    with pytest.raises(ValueError, match=named):
        call()


def test_tables_in_a_problem_file(tmp_path):
    """β as a list, in a file, as ᾱ or as pieces, and σ for an exploding process, are one schedule each; what is
    none is named."""
    betas = [0.01, 0.02, 0.05]
    np.save(tmp_path / "betas.npy", betas)
    (tmp_path / "betas.csv").write_text("beta\n" + "\n".join(map(str, betas)))
    (tmp_path / "pieces.csv").write_text("".join(f"{k},{k + 1},{-np.log1p(-b):.17g}\n" for k, b in enumerate(betas)))
    ways = [{"process.beta": str(betas)}, {"process.beta": '"betas.npy"'}, {"process.beta": '"betas.csv"'},
            {"process.beta": '"pieces.csv"'},
            {"process.beta": None, "process.alphas_cumprod": str(np.cumprod(1 - np.array(betas)).tolist())}]
    found = []
    for way in ways:
        path = problem(tmp_path, "gaussian", {**way, "scheme.horizon": "3", "scheme.steps": "3"})
        (entry,) = answer("certify", path, "--theorem", "martingale", *FAST)["certificates"]
        assert entry["verdict"] == "HOLDS"
        found.append(entry["measured"]["upper"])
    assert found == pytest.approx([found[0]] * len(ways), rel=ORDERED)
    for wrong, named in (("[[0, 1, 2], [2, 3, 1]]", "pieces that begin where the one before ends, got 2 after 1"),
                         ("[0.1, 2]", "numbers in (0, 1), got 2"), ("[[1, 2, 3, 4]]", "process.beta must be"),
                         ('"missing.npy"', "process.beta does not exist")):
        path = problem(tmp_path, "gaussian", {"process.beta": wrong})
        assert named in assert_refused(run("certify", path))


def test_a_question_with_a_table_is_written_as_pieces():
    """The tables of a question asked in Python are read as the same process."""
    question = certify("martingale", process=vp(discrete([0.1, 0.3])), law=Gaussian([0.5], 0.3),
                       scheme=ancestral(2.0, 2)).as_dict()["problem"]["process"]
    assert [row[:2] for row in question["beta"]] == [[0.0, 1.0], [1.0, 2.0]]
    assert euler_maruyama(2.0, 2).steps(vp(discrete([0.1, 0.3]))).P[0] == pytest.approx(1 - np.log(0.7) / 2)
