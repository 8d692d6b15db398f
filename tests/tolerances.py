"""Every tolerance of the test suite, with the reason for its size."""

#: Function calls to build an expression: the worst found takes 45,000; sympy left to think, millions.
EXPRESSION_CALLS = 1_000_000
#: Seconds that a call sleeps in place of never answering: the timer under test ends it long before.
HANGING = 60.0
#: Exact expression against the same tree in float64: a few roundings.
EXPRESSION_RELATIVE = 1e-12
#: Two backends, or a sampler and a plain loop, driven by the same increments in float64.
SAME_INCREMENTS = 1e-12
#: The same with the state in float32: some tens of steps of rounding 6e-8 each, on numbers of a few units.
SAME_INCREMENTS_FLOAT32 = 1e-4
#: Standard errors that a statistic of a seeded run may be from its exact value.
STANDARD_ERRORS = 5.0
#: Bytes a run may need beyond its result: a few blocks and the allocator's slack.
SAMPLER_MEMORY = 64 * 2**20
#: Closed-form truncated moments against adaptive quadrature of the same integral.
CONJUGATE_MEAN = 1e-9
#: Extremes of a piecewise quadratic over a grid of spacing 5e-5 to 8e-5.
CONJUGATE_GRID = 1e-6
#: Fraction of the true distance that a lower side reaches with a hundred thousand samples one unit apart.
LOWER_SIDE_POWER = 0.95

# chain: relative width of the bracket after a few hundred steps, extended or plain double precision alike
CHAIN_WIDTH = 1e-10
# two float64 routes to the same matrices, a few dozen well-conditioned steps apart
BRUTE_FORCE = 1e-10
# a number printed with three or four significant digits
THREE_DIGITS = 1e-3
# a number printed with two
TWO_DIGITS = 1e-2

#: A few roundings on numbers of size one, as in means and covariances read from a problem file.
PROBLEM_ROUNDING = 1e-14

# laws: an analytic score or Hessian against central differences of step 1e-5
FINITE_DIFFERENCE = 1e-6
# two float64 routes to the same density, mean or covariance of a small law
LAW_ROUNDING = 1e-10
# radius of the smallest enclosing ball: the stopping rule of the iteration
ENCLOSING_BALL = 1e-8
# W2 between Gaussians against 60 digits, relative to W2², covariances 1e-6 apart at condition 1e8
PROCRUSTES = 1e-8
# W2 on the line against a closed form, distances of 1e-4 and more on laws of size one
QUANTILE_COUPLING = 1e-10
# an affine image of a law, whose W2 is the root of a quadratic in moments that are themselves rounded
AFFINE_IMAGE = 1e-8
# stated error of the interpolated posterior moments, relative to the posterior variance and the moment
POSTERIOR_MOMENTS = 1e-5
# integrals in the table of posterior moments: seven halvings of 16 intervals, and looks for where it ends
POSTERIOR_TABLE_INTEGRALS = 2200

# a, s², Φ and C by panels of ten nodes against 20-digit quadrature
PATH_RELATIVE = 2e-13
# the same recursion by another route: float64 over a few dozen steps and quadrature at 1e-8
RECURSION_RELATIVE = 1e-7
# golden numbers are printed with three or four digits; half a unit of the third
GOLDEN = 5e-3
# slopes of errors against the step on grids where the next order still shows
SLOPE = 0.05
# two exact routes for the same number: identity of sympy expressions at exact rational points
SYMBOLIC = 1e-25
# four significant digits in a table
PRINTED = 5e-4

# axes: numbers read back from a drawn line, after a logarithm or a mean
AXES_ROUNDING = 1e-12

# regimes: closed-form boundaries against 40-digit bisection of the definition
BOUNDARY = 1e-12
# boundaries for general f, g: panels at 1e-11 relative, divided by the slope of the rate there
BOUNDARY_NUMERIC = 1e-9
# a supremum against the largest of 20,000 values
DENSE_SUPREMUM = 1e-6

# line: kernel quadrature against the affine chain, both good to rounding; W2 may itself be near zero
LINE_GAUSSIAN = 1e-11
# line: a distribution function against adaptive quadrature asked for 1e-13
LINE_INTEGRAL = 1e-12
# line: relative error of W2 promised against a refined run
LINE_REFINED = 1e-8
# line: two runs of the same problem on different grids
LINE_SYMMETRY = 1e-9
# sampler_law: the same W2 by two splits or frames, each with a quadrature on its own grid
LAW_SYMMETRY = 1e-9
# chain: two runs of the same affine recursion, or a step short enough to do by hand
CHAIN_SAME = 1e-12
# chain: relative width of the bracket after a million steps, in plain double precision at worst
CHAIN_MILLION_WIDTH = 1e-3
# leading order in h against the exact value at h = 1e-5
LEADING_ORDER = 1e-4
# a tight bound may fall inside the bracket of the truth: as wide as this after one step from T, where P = 1/a(T) = 1e6
INSIDE_BRACKET = 1e-2

#: Relative distance of a number at finite ε or h from its leading order.
NEAR_LEADING_ORDER = 2e-2
#: Relative agreement of leading-order integrals with scipy's quadrature.
LEADING_QUADRATURE = 1e-9

#: Relative distance of the model of the bound from the bound, for short steps.
MODEL = 0.02
PHASE_MODEL = 0.05
#: What a numerical minimiser may still gain on the best grid.
BEST_GRID = 0.02
#: A planned K is at most this times the true minimum.
PLAN_EXCESS = 1.01
#: Distance of a fitted exponent from the derived one.
EXPONENT = 0.05

#: Relative difference of two schedules of a kind on their best grids, each found by its own search.
SAME_SCHEDULE = 0.01

#: Convexity profile: what the search may be off by, relative to α + M/α.
PROFILE = 1e-7
#: Smallest enclosing ball in the plane against all pairs and triples: rounding.
PLANE_BALL = 1e-13

#: Perturbed line law against the exact laws of other routes, relative.
PERTURBED = 1e-5
#: W2 of a product against the sum of its lines, relative: places equal to 1e-9 are one.
PRODUCT = 1e-6

#: Slopes and factors of the experiments' quick forms, from their leading order.
EXPERIMENT_SLOPE = 0.1

#: Two-block bounds: their weights are searched for, so that the total may wobble by what the search leaves.
METRIC_SEARCH = 1e-3
#: Renormalised Hessian against 60 digits: rounding of the channel, relative to what is left after −S⁻¹ and Σ_∞⁻¹ cancel.
HESSIAN_DIGITS = 1e-10
#: Exponent of a power law from two values a decade or less apart, with its next order still there.
POWER = 0.02
#: A supremum over log t against a scan of 40,001 times.
SUPREMUM = 1e-6
#: Bounds that are ordered on paper, each rounded up by its own amount.
ORDERED = 1e-8
#: Growth of two paths against the integral of the rate by trapezia, sixty of them.
PATH_GROWTH = 0.02

# phase space: φ, S, det S and H(c) at a given time against 60 digits; det S of ε = 0 is a quarter of its terms
CHANNEL = 2e-13
# phase space: contraction rate of the constant metric, relative to a, where ε and aσ are up to sixty apart
PHASE_METRIC = 1e-9
# phase space: tr(PW) of the optimal weights, which are raised by 32 roundings of the terms of JᵀPJ
PHASE_WEIGHTS = 1e-10
# phase space: optimal weights against their dual, bias off
CERTIFICATE = 1e-6
#: Peak of a smooth curve read off a grid of 720 angles: (π/720)²/8 of its curvature.
PEAK_ON_GRID = 1e-4

#: CLD in closed form against matrix exponentials with 50 digits, entry by entry: a few dozen roundings.
PHASE_ENTRY = 1e-12
#: CLD rows and parts against Gauss quadrature of matrix exponentials in float64, relative to the largest entry.
PHASE_ROWS = 1e-12
#: Slope of a strong error from its declared order.
STRONG_ORDER = 0.1
#: A step undone by its mirror image, in float64.
REVERSED = 1e-13
#: Part of a velocity's size by which an irreversible step misses its start, at least.
IRREVERSIBLE = 1e-3
#: CLD Gaussian chain against a dense recursion over 2d coordinates, hundreds of rows.
PHASE_CHAIN = 1e-10
#: Relative width of its bracket: a bound of the rounding of a few hundred rows, two numbers 0.01 apart subtracted.
PHASE_CHAIN_WIDTH = 1e-7
#: Score in phase space against central differences of step 1e-5; log density against scipy.
PHASE_DIFFERENCE = 1e-6
#: The law on position and velocity: its promise, relative.
PHASE_LINE = 1e-4
#: The same on a Gaussian, whose chain is exact, where the grid is far finer than it needs to be.
PHASE_LINE_GAUSSIAN = 1e-5
#: A Gaussian on a box, absolute: kernels are cut at 6.5 deviations, folded waves at e^{−2π²/0.8²}.
FIELD = 1e-7
#: W2 of a density sampled five times per deviation: a spline of degree 5 on a grid four times as fine.
SAMPLED_DENSITY = 1e-7
#: Funnel score and log density against adaptive quadrature at 1e-12, relative to the size of the score.
FUNNEL_QUADRATURE = 1e-7
#: The same score against central differences of step 1e-5 of its log density, whose nodes move with the point.
FUNNEL_DIFFERENCE = 1e-5
#: Phase-space score by one block against the precision matrices of the components, well away from t = 0.
PHASE_SCORE = 1e-9
#: Two-block particles against a plain loop with the same increments; a funnel's kernel has a shorter rule than its closed form.
PHASE_PARTICLES = 1e-6
#: Least p-value of a two-sample Kolmogorov test between two samplers of one law, over some forty seeded tests.
FUNNEL_SAME_LAW = 1e-4
#: Sliced W2 of a shift over 20,000 directions: their mean square cosine has a relative error below 1 %.
SLICED_PROJECTIONS = 2e-2
# phase space: E_0 against 60 digits, relative; and its own rounding relative to the size of law and prior
INITIAL_EXACT = 1e-11
INITIAL_ROUNDING = 1e-14
# phase space: v_k² by panels at 1e-8, at kinks 1e-7, their error estimate added, against fine quadrature
MISSED_NOISE = 2e-7
# the same from below: kinks between the 6,000 panels of that quadrature, and rounding
MISSED_FLOOR = 1e-9

# phase space: b_k against 60 digits, in units of the step's maps (thousandfold of b_k itself): its own allowance for rounding
BIAS_EXACT = 1e-13
# a bound computed before and after a change that must not touch it: summation order at most
UNCHANGED = 1e-13
#: Missed noise against an integral cut at its kinks: rounding of a difference of amplitudes.
KINK_ROUNDING = 1e-12
#: How far above it may lie: the error allowed for one kink, and quadrature at 1e-8.
KINK_TIGHT = 1e-4
#: Rate of the missed noise by central differences, the smallest lag a little above 0.
DIFFERENCES = 1e-3

#: Bound from fitted ingredients over the one from every step, relative: what the fit may still be off by is added.
FITTED_STEPS = 1e-7
#: The same below: rounding alone.
FITTED_ROUNDING = 1e-12
#: One step's ingredients where f or g² changes within few steps: they are held against their fit to 1e-9 of a panel's largest.
FITTED_COEFFICIENT = 1e-6
#: The recursion by sums over runs of steps against the loop: its own rounding allowance, twice, for 9,000 steps.
SUMS_OF_RUNS = 4e-11
#: Order of the exact error fitted from 2,000 and 4,000 steps, where the next order is a few percent.
SLOPE_OF_LEADING_ORDER = 0.1
#: Number of points of a grid, rounded up to a length the FFT likes.
GRID_SIZES = 0.15
