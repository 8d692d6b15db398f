"""Every tolerance of the test suite, with the reason for its size."""

#: Building an expression takes milliseconds; seconds would mean that sympy was left to think.
EXPRESSION_SECONDS = 4.0
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
# seconds to build the table of posterior moments of ten, and of three hundred, components (loaded machine)
POSTERIOR_TABLE_SECONDS = (2.0, 10.0)

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
