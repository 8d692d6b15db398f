"""Tolerances of the tests of whether they agree, with the reason for the size of each."""

#: Two backends, or a sampler and a plain loop, with the state in float32: some tens of
#: steps of rounding 6e-8 each, on numbers of a few units.
SAME_INCREMENTS_FLOAT32 = 1e-4
#: Bytes a run may need beyond its result: a few blocks and the allocator's slack.
SAMPLER_MEMORY = 64 * 2**20
#: Closed-form truncated moments against adaptive quadrature of the same integral.
CONJUGATE_MEAN = 1e-9
#: Extremes of a piecewise quadratic over a grid of spacing 5e-5 to 8e-5.
CONJUGATE_GRID = 1e-6
#: Fraction of the true distance that a lower side reaches with a hundred thousand samples one unit apart.
LOWER_SIDE_POWER = 0.95
#: A few roundings on numbers of size one, as in means and covariances read from a problem file.
PROBLEM_ROUNDING = 1e-14
#: Axes: numbers read back from a drawn line, after a logarithm or a mean.
AXES_ROUNDING = 1e-12
#: A tight bound may fall inside the bracket of the truth: as wide as this after one step from T, where P =
#: 1/a(T) = 1e6.
INSIDE_BRACKET = 1e-2
#: Relative distance of the model of the bound from the bound of two blocks, for short steps.
PHASE_MODEL = 0.05
#: A planned K is at most this times the true minimum.
PLAN_EXCESS = 1.01
#: Distance of a fitted exponent from the derived one.
EXPONENT = 0.05
#: Relative difference of two schedules of a kind on their best grids, each found by its own search.
SAME_SCHEDULE = 0.01
#: Slopes and factors of the experiments' quick forms, from their leading order.
EXPERIMENT_SLOPE = 0.1
#: 500 steps in floats, and integrals of β by sympy.
EXPERIMENT_RECURSION = 1e-9
#: Growth of two paths against the integral of the rate by trapezia, sixty of them.
PATH_GROWTH = 0.02
#: Peak of a smooth curve read off a grid of 720 angles: (π/720)²/8 of its curvature.
PEAK_ON_GRID = 1e-4
#: Two-block particles against a plain loop with the same increments; a funnel's kernel has a shorter rule
#: than its closed form.
PHASE_PARTICLES = 1e-6
#: Least p-value of a two-sample Kolmogorov test between two samplers of one law, over some forty seeded
#: tests.
FUNNEL_SAME_LAW = 1e-4
#: Sliced W2 of a shift over 20,000 directions: their mean square cosine has a relative error below 1 %.
SLICED_PROJECTIONS = 2e-2
#: Order of the exact error fitted from 2,000 and 4,000 steps, where the next order is a few percent.
SLOPE_OF_LEADING_ORDER = 0.1
#: Share of 2,000 runs in which a one-sided limit at 95 % must cover: 0.95 less two standard errors.
COVERED = 0.94
#: A second moment, at least 1/2, against its upper limit from a million samples: Λ√(2 log 20/10⁶) = 0.0025 is
#: added to the root, 0.7 % of the square, and the sample is as far off again.
LIMIT_AT_A_MILLION = 2e-2
#: Share of repetitions in which samples must refute a bound of half the truth.
REFUTED = 0.9
#: The same particles with the score written out: forty steps of roundings on numbers of a few units.
OWN_SCORE = 1e-12
#: A constant error of a score, computed as the difference of two scores of a few units.
SCORE_ERROR = 1e-9
#: Relative error of an L2 size from 20,000 particles, at the largest over 40 steps: four standard errors of a
#: root mean square whose squares have a kurtosis of some tens.
MEASURED_SIZE = 0.1
#: Ratio of errors of a method of second order, relative to 4: the next order still shows.
HEUN = 0.1
#: Scores of a law by two routes, in units of the largest; the funnel's by a rule good to 1e-4.
SCORES = 1e-3
#: Coefficients as a callable and as an expression: the same panels or finer ones, which stop at 1e-11; Theorem G
#: is above by what it allows for kinks.
OWN_COEFFICIENT = 1e-8
#: Noise levels at the times found for them, relative: some roundings of σ, and of t times d log σ/d log t.
LEVELS = 1e-13
#: The same where σ = t/(1 − t) is 20 or tan of an angle near π/2: t rounds σ by 20 roundings more.
LEVELS_NEAR_POLE = 1e-12
#: The same for sub-vp down to 1e-7, where the 1 − e^{−2∫β} of its g² has lost seven digits.
LEVELS_OF_SUB_VP = 1e-8
#: By how much a bound may be below the prototype's: it tries more Gaussians to hold a step against.
FLOW_GAIN = 1e-2
#: A number printed with four digits.
PRINTED_EXACT = 5e-4
#: DDIM on the same levels of another family: some roundings of times, added up over 64 steps, next to what
#: bound and truth add for them.
DDIM_ANYWHERE = 1e-8
#: Variance of a prior from a² and s²: a few roundings.
PRIOR_ROUNDING = 1e-14
#: A prior of variance s² + 4a² is wider than s² by more than this at the sampler's end, beyond five standard
#: errors of 40,000 draws.
SAMPLED_SPREAD = 0.05
#: A number printed with three significant digits.
THREE_PRINTED = 5e-3
#: W2 where a(T) = 0 next to that of stopping at T(1 − 1e-6), relative: the first step is longer by as much, and the
#: last iterate has forgotten most of it.
NOISE_LIMIT = 5e-6
#: The same of a bound, whose start is held against the data in another way.
NOISE_LIMIT_BOUND = 1e-4
#: The same of DPM-Solver++(2M), whose second step looks back by a share of 1/log(s/a).
NOISE_LIMIT_MULTISTEP = 1e-2
#: Mean of a density in the plane and of the same elsewhere, whose grids lie otherwise.
MOVED_PLANE = 1e-6
#: W2 on a line by 40,000 quantiles: what the last of them leaves of the tails.
MANY_QUANTILES = 1e-4
#: The same of matched noise, whose first step is long against the rest of so few.
MATCHED_LIMIT = 2e-5
#: Least p-value of a Kolmogorov test against a known law, over some hundred seeded tests.
LEAST_P = 1e-4
#: Runge and Kutta's method of fourth order over 96 steps, relative to an error of a tenth.
FLOW_RATIO = 1e-4
#: Upper sides by couplings over the exact W2: what the coupling loses, and an upper limit of 4,000 pairs.
BESIDE = 1.5
#: The same from starts a few deviations away: a coupling by normals is not the best between laws of other means and spreads.
BESIDE_ELSEWHERE = 2.2
#: Particles of compiled steps and of numpy's: other orders of sums and another exp, a dozen steps.
COMPILED_STEPS = 1e-11
#: exp of compiled loops in units of the last place: Taylor's series and two parts of ln 2.
EXPONENTIAL_ULP = 4.0
