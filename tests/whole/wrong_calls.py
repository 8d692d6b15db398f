"""Calls that a type checker must refuse, each marked, beside right ones, which it must not: never run."""

import numpy as np

from bounds import (
    BoundedSupport,
    Scheme,
    ScoreError,
    Setting,
    StronglyLogConcave,
    TimeGrid,
    ancestral,
    claim,
    cld,
    euler_maruyama,
    general,
    ou,
    schedules,
    scheme,
    sub_vp,
    ve,
    vp,
)
from bounds.complexity.orders import complexity
from bounds.recursion.stepwise import stepwise_bound
from bounds.theorems import theorems
from closed_form import Funnel, Gaussian, GaussianMixture, sampler_w2, smoothed_data, w2_gaussian, w2_line
from verify import (
    bundled_problem,
    certify,
    certify_setting,
    load_problem,
    measure,
    planner_of,
    sample,
    score_error_of,
    setting_of,
    strategies,
    w2_from_samples,
)
from verify.testing import check

law, process, plan = Gaussian(np.zeros(2), 0.25), vp("1/10 + 199/10*t"), euler_maruyama(1, 400)
martingale, numpy_steps = theorems()["martingale"], np.int64(400)

# processes
vp()  # wrong: an argument is missing
vp([1.0, 2.0])  # wrong: a list is no formula
ve(g="exp(t)", sigma=1)  # wrong: no such argument
cld(velocity=1)  # wrong: misspelt velocity_variance
ou(1.0)  # wrong: it has no coefficient
cld(epsilon=0.5, clock="4*t")
vp(lambda t: 0.1 if t < 0.25 else 20 * t**2)
ve(np.exp)
general(f=lambda t: 1 + t, g="1 + t")
vp(lambda t, x: t * x)  # wrong: no function of the time alone
ve(lambda t: "exp(t)")  # wrong: a text where a number is due
sub_vp(lambda t: 1 + t)  # wrong: ∫β must be a closed form
cld(clock=lambda t: 4 * t)  # wrong: its inverse must be a closed form
schedules.linear("1/10")  # wrong: the slope is missing
schedules.linear(lambda t: t, "1/10")  # wrong: a function where a number is due
schedules.table([0.0, 1.0], np.linspace)  # wrong: not a function of the times alone
schedules.table([0.0, 1.0], lambda t: 1 + t)

# samplers and grids
euler_maruyama(1)  # wrong: K is missing
euler_maruyama(1, 3.5)  # wrong: K is no whole number
euler_maruyama("1", 400)  # wrong: T is no number
euler_maruyama(1, 400, earlystop=0.01)  # wrong: misspelt early_stop
euler_maruyama(1, 400, 0.01)  # wrong: early_stop goes by its name
euler_maruyama(1, numpy_steps, grid="geometric", early_stop=0.01)
ancestral(horizon=1, steps=10, prior_std="1")  # wrong: no number
scheme(ancestral, 1, 10)  # wrong: a function, not a key
scheme("ancestral", 1, 10)
scheme("ancestral", 1, 10, grid=TimeGrid.uniform(1, 10))  # wrong: a grid, not its kind
Scheme("ancestral", [1.0, 0.0])  # wrong: a list is no grid
Scheme("ancestral", TimeGrid([1.0, 0.5, 0.0]))
plan.step  # wrong: misspelt steps # noqa: B018
plan.steps(1.0)  # wrong: a number where a process is due
plan.steps("ou")
plan.grid.times.append(0.0)  # wrong: an array has no append

# data
Gaussian(0.0)  # wrong: the covariance is missing
Gaussian(0.0, variance=1.0)  # wrong: it is called covariance
GaussianMixture([[-1.0], [1.0]], sigma=0.5)  # wrong: it is called std
GaussianMixture([[-1.0], [1.0]], weights=[0.5, 0.5], std=np.float64(0.5))  # before numpy 2.2: its types knew of no such float
GaussianMixture.two_modes(2.0)  # wrong: std is missing
Funnel(std="1.0", dim=2)  # wrong: no number
law.means  # wrong: a Gaussian has one mean # noqa: B018
law.score()  # wrong: where?
law.score([[0.0, 0.0]])
smoothed_data([[0.0], [1.0]], smoothing=None)  # wrong: no bandwidth
StronglyLogConcave(1.0)  # wrong: L0 is missing
StronglyLogConcave(m0=1.0, L=1.0)  # wrong: it is called L0
StronglyLogConcave(np.linspace(1, 2, 5), 2.0, dim=3)
BoundedSupport("1")  # wrong: no number

# theorems and certificates
certify("martingale", process=1.0, law=law, scheme=plan)  # wrong: a number where a process is due
certify("martingale", process=process, law=np.zeros((5, 2)), scheme=plan)  # wrong: samples are no law
certify("martingale", process=process, law=law, scheme="euler-maruyama")  # wrong: a sampler without a grid
certify("martingale", process, law, plan)  # wrong: they go by their names
certify("martingale", process=process, law=law)  # wrong: the scheme is missing
certify("martingale", process=process, law=law, scheme=plan, sample=1000)  # wrong: misspelt samples
certify(1, process=process, law=law, scheme=plan)  # wrong: no theorem
certify("martingale", process=process, law=law, scheme=plan, assumption=1.0)  # wrong: no assumption
certificate = certify("martingale", process="ou", law=law, scheme=plan, assumption="strong-log-concave")
certificate.bounds  # wrong: misspelt bound # noqa: B018
certificate.bound.total  # wrong: None where the theorem does not apply # noqa: B018
certificate.measured.upper  # wrong: None where the theorem does not apply # noqa: B018
certificate.ratio + 1.0  # wrong: None where the ratio is unknown
certificate.verdict == certificate.verdict.HOLDS  # noqa: B015
setting = setting_of(process, law, plan)
Setting(process, law, plan)  # wrong: a law is no assumption
Setting("ou", StronglyLogConcave(1.0, 2.0), plan, score_error=np.linspace(0, 1, 5))
Setting("ou", StronglyLogConcave(1.0, 2.0), plan, score_error=[0.1] * 400, score_error_in="epsilon")
Setting("ou", StronglyLogConcave(1.0, 2.0), plan, score_error="0.1")  # wrong: a text is no size
certify("martingale", process="ou", law=law, scheme=plan, score_error=ScoreError([0.1] * 400, "denoiser"))
certify("martingale", process="ou", law=law, scheme=plan, score_error_in=1.0)  # wrong: no name of a unit
ScoreError("0.1")  # wrong: a text is no size
ScoreError(0.1, unit=2)  # wrong: no name of a unit
ScoreError(np.linspace(0.1, 0.2, 5), "epsilon").size  # wrong: misspelt sizes # noqa: B018
sample(law, plan.steps(process), 10, 0, score_error=(0.1,) * 400, score_error_in="epsilon")
martingale.bound(process)  # wrong: a process is no setting
bound = martingale.bound(setting)
bound.tota  # wrong: misspelt total # noqa: B018
bound.total = 0.0  # wrong: a bound does not change
bound.terms["discretisation"] = 0.0  # wrong: nor do its terms
theorems("martingale")  # wrong: a registry takes no key
certify_setting("martingale", process, law)  # wrong: a process is no setting
measure(law, setting)  # wrong: the other way round
complexity("martingale", process)  # wrong: g² is missing
stepwise_bound("martingale", setting)  # wrong: the sizes are missing
planner_of("martingale", setting, eps=0.1)  # wrong: plan takes it
planner_of("martingale", setting, grid="best").plan("0.1")  # wrong: no number
check("martingale", problem=10)  # wrong: misspelt problems
check(claim.recursion("mine", source="Me", initial="1", growth="1"))  # wrong: local is missing
claim.closed_form("mine", source="Me", terms=["1"])  # wrong: terms go by their names
strategies.grids(3)  # wrong: it takes nothing

# truth and samples
steps = plan.steps(process)
sampler_w2(law, plan)  # wrong: a scheme, not its steps
w2_gaussian(law, 1.0)  # wrong: a number is no law
w2_line(0.0, law)  # wrong: a number is no law
sampler_w2(law, steps).middle  # wrong: misspelt midpoint # noqa: B018
sample(law, steps, n="1000", seed=0)  # wrong: no number
sample(steps, law, 1000, 0)  # wrong: the other way round
sample(law, steps, 1000)  # wrong: the seed is missing
sample(law, steps, 1000, 0, score=lambda x, t: -x)
sample(law, steps, 1000, 0, step=lambda y, k: y)  # wrong: of three arguments
sample(law, steps, 1000, 0, step=lambda y, k, now: y + now.normals())
score_error_of(law, law, steps)  # wrong: a law is no function
w2_from_samples(np.zeros((100, 2)), law, pairs=np.zeros)  # wrong: no pair of arrays
load_problem(bundled_problem("two_modes"), "scheme.steps=800".split)  # wrong: no list of overrides
load_problem("problem.toml", ["scheme.steps=800"]).law.dim  # wrong: None for constants # noqa: B018
law.assumptions()[0].second_moment + 1.0
law.assumptions()[0].mean_norm + 1.0  # wrong: None where the mean is unknown
