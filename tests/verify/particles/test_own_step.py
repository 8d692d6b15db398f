"""A step of your own: the sampler's own step as a callable gives its particles, an ODE its order, wrong ones
are named."""

from functools import partial
from itertools import pairwise

import numpy as np
import pytest

from bounds import cld, euler_maruyama, ou
from closed_form import Gaussian, GaussianMixture
from closed_form.laws.funnel import Funnel
from tests.command_line import answer, assert_refused, problem, run
from tests.tolerances import SAME_INCREMENTS, STANDARD_ERRORS
from tests.torch_required import torch_backend
from tests.verify.tolerances import HEUN, OWN_SCORE, SCORES
from verify import certify, sample

LAW = GaussianMixture([[-1.0, 0.0], [1.0, 0.5]], std=0.5)
TURNED = GaussianMixture([[-1.0, 0.0], [1.0, 0.5]], covariance=[[1.0, 0.5], [0.5, 1.0]])
SCHEME = euler_maruyama(3.0, 40)
STEPS = SCHEME.steps(ou())


def euler(y, k, now):
    """The scheme's own step."""
    steps = now.steps
    return steps.P[k] * y + steps.Q[k] * now.score(y) + steps.noise_var[k] ** 0.5 * now.normals()


def heun(y, k, now):
    """Heun's method on the probability flow of OU."""
    h, slope = now.time - now.until, y + now.score(y)
    ahead = y + h * slope
    return y + h / 2 * (slope + ahead + now.score(ahead, later=1))


def two_steps(y, k, now):
    """Adams and Bashforth's method of two steps on the same flow."""
    h, slope = now.time - now.until, y + now.score(y)
    before = now.memory.get("slope", slope)
    now.memory["slope"] = slope
    return y + h * (3 * slope - before) / 2


@pytest.mark.parametrize("options", [{}, {"threads": 2, "block": 300}, {"start": np.ones((1000, 2))}],
                         ids=["one thread", "blocks", "start"])
def test_the_samplers_own_step_as_a_callable(options):
    """With the sampler's own step as a callable the particles are those of the sampler, whatever blocks and
    threads."""
    found = sample(LAW, STEPS, 1000, 3, step=euler, **options)
    if "start" not in options:
        assert found == pytest.approx(sample(LAW, STEPS, 1000, 3), rel=OWN_SCORE, abs=OWN_SCORE)
    assert np.array_equal(found, sample(LAW, STEPS, 1000, 3, step=euler, **{**options, "threads": 1}))


def test_on_torch():
    """On torch the step gets tensors, and the particles are those of numpy to rounding."""
    found = sample(LAW, STEPS, 300, 3, step=euler, backend=torch_backend())
    wanted = sample(LAW, STEPS, 300, 3, step=euler)
    assert found == pytest.approx(wanted, rel=SAME_INCREMENTS, abs=SAME_INCREMENTS)


@pytest.mark.parametrize("law", [LAW, TURNED, Gaussian([1.0, 2.0], [[2.0, 0.3], [0.3, 1.0]]), Funnel(3)],
                         ids=["isotropic", "turned", "gaussian", "funnel"])
@pytest.mark.parametrize("later", [0, 1])
def test_the_score_is_that_of_the_pushed_law(law, later):
    """Where the step starts and where it ends the score is the one of the law there, in the data's own
    coordinates."""
    apart, steps = [], euler_maruyama(3.0, 4).steps(ou())

    def step(y, k, now):
        if k < 3:  # at time 0 not every law has one
            wanted = law.pushed(float(steps.a[k + later]), float(steps.s_sq[k + later])).score(y)
            apart.append(np.abs(now.score(y, later=later) - wanted).max() / np.abs(wanted).max())
        return y

    sample(law, steps, 50, 3, step=step)
    assert len(apart) == 3 and max(apart) <= SCORES


@pytest.mark.parametrize("step", [heun, two_steps], ids=["Heun", "two steps"])
def test_an_ode_sampler_has_its_order(step):
    """Twice the steps leave a quarter of the error of a method of second order, on one start."""
    start = STEPS.prior_var**0.5 * np.random.default_rng(1).standard_normal((200, 2))
    ends = [sample(LAW, euler_maruyama(3.0, steps).steps(ou()), 200, 3, step=step, start=start)
            for steps in (200, 400, 800)]
    errors = [np.abs(one - other).mean() for one, other in pairwise(ends)]
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=HEUN)


def test_samples_of_an_ode_are_held_against_a_bound():
    """A good sampler's samples refute nothing, and prove nothing; a bad one's refute."""
    asked = partial(certify, "martingale", process=ou(), law=LAW, scheme=euler_maruyama(3.0, 400))
    found = sample(LAW, STEPS, 4000, 3, step=heun)
    spread, error = found.var(axis=0), LAW.sample(4000, np.random.default_rng(2)).var(axis=0)
    assert spread == pytest.approx(error, rel=STANDARD_ERRORS * (2 / 4000) ** 0.5)
    assert asked(samples_from=found).verdict == "INCONCLUSIVE"
    assert asked(samples_from=sample(LAW, STEPS, 4000, 3, step=lambda y, k, now: y + 1)).verdict == "VIOLATED"


def test_the_score_may_be_ones_own_too():
    """With ``score=`` the step's scores are its values at the times asked for."""
    times = []

    def score(x, t):
        times.append(t)
        return -x

    sample(LAW, STEPS, 10, 3, step=heun, score=score)
    assert times == [time for pair in zip(STEPS.time[:-1], STEPS.time[1:], strict=True) for time in pair]


@pytest.mark.parametrize(("options", "message"), [
    ({"step": 3}, "step must be a callable step(y, k, now), got int"),
    ({"step": euler, "score_error": 0.1}, "step goes without score_error"),
    ({"step": euler, "score_noise": 0.1}, "step goes without score_noise"),
    ({"step": euler, "direction": np.ones(2)}, "step goes without direction"),
    ({"step": euler, "reduce": True}, "step goes without reduce"),
    ({"step": lambda y, k, now: y[:3]}, "step must return particles of shape"),
    ({"step": lambda y, k, now: None}, "step must return particles of shape"),
    ({"step": lambda y, k, now: now.score(y, later=2)}, "later must lead to a time of the grid, got one 2"),
])
def test_wrong_steps_are_refused(options, message):
    """What is no step, or does not go with one, is refused in one line."""
    with pytest.raises((TypeError, ValueError)) as refused:
        sample(LAW, STEPS, 200, 3, **options)
    assert str(refused.value).startswith(message) and str(refused.value).isprintable()


def test_increments_and_two_blocks_have_no_own_step():
    """Given normals, and position and velocity, are refused by name."""
    with pytest.raises(ValueError, match="step goes without increments"):
        sample(LAW, STEPS, 5, None, step=euler, increments=np.zeros((41, 5, 2)))
    with pytest.raises(ValueError, match="step must be for a process of one block, got one of 2"):
        sample(LAW, SCHEME.steps(cld()), 5, 3, step=euler)


def test_a_step_in_a_file(tmp_path):
    """``--step FILE.py:NAME`` draws with it, says so, and refuses in one line what is no step."""
    path, file = problem(tmp_path, "gaussian"), tmp_path / "mine.py"
    file.write_text("def step(y, k, now):\n    return 0 * y + k\n\n\nnothing = 3\n")
    out = tmp_path / "samples.npy"
    written = answer("sample", path, "--step", f"{file}:step", "--out", out, "-n", 10)
    assert written["step"] == f"{file}:step" and np.array_equal(np.load(out), np.full((10, 2), 19.0))
    again = run("sample", path, "--step", f"{file}:step", "--out", out, "-n", 10, "--force")
    assert "by the step" in again.stdout
    for name, words in ((f"{file}:nothing", "must be a callable step(y, k, now), got int; it holds step"),
                        ("mine.txt", "step must be FILE.py:NAME, got 'mine.txt'"),
                        (f"{tmp_path}/no.py:step", "step must be in a file that exists")):
        assert words in assert_refused(run("sample", path, "--step", name, "--out", tmp_path / "b.npy"))
