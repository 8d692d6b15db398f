"""Tolerances of the tests of what is true, with the reason for the size of each."""

#: Chain: relative width of the bracket after a few hundred steps, extended or plain double precision alike.
CHAIN_WIDTH = 1e-10
#: Laws: an analytic score or Hessian against central differences of step 1e-5.
FINITE_DIFFERENCE = 1e-6
#: Radius of the smallest enclosing ball: the stopping rule of the iteration.
ENCLOSING_BALL = 1e-8
#: W2 between Gaussians against 60 digits, relative to W2², covariances 1e-6 apart at condition 1e8.
PROCRUSTES = 1e-8
#: W2 between Gaussians in 64 dimensions and as far apart as they are wide, by two routes: rounding.
LARGE_BURES = 1e-12
#: W2 on the line against a closed form, distances of 1e-4 and more on laws of size one.
QUANTILE_COUPLING = 1e-10
#: W2 of a sample and a law: two ways to sum the cells of 3·10⁴ values.
SAMPLE_TO_LAW = 1e-10
#: The same where rounding of levels moves 1e-15 of the mass across 2·10⁵: 1e-15 (2·10⁵)²/(2 W2) beside W2 = 0.1.
FAR_SHARES = 0.01
#: How wide the bracket of such a W2 may be, relatively.
SAMPLE_WIDTH = 1e-9
#: An affine image of a law, whose W2 is the root of a quadratic in moments that are themselves rounded.
AFFINE_IMAGE = 1e-8
#: Stated error of the interpolated posterior moments, relative to the posterior variance and the moment.
POSTERIOR_MOMENTS = 1e-5
#: Integrals in the table of posterior moments: seven halvings of 16 intervals, and looks for where it ends.
POSTERIOR_TABLE_INTEGRALS = 2200
#: Line: kernel quadrature against the affine chain, both good to rounding; W2 may itself be near zero.
LINE_GAUSSIAN = 1e-11
#: Line: sums of bells by numba and by numpy, relative to the largest: rounding of a few hundred factors.
LINE_COMPILED = 1e-13
#: Line: density where a map waves between the points of its first grid: the second has a few points a wave,
#: the first would be off by 0.02.
LINE_WAVES = 1e-4
#: Line: a distribution function against adaptive quadrature asked for 1e-13.
LINE_INTEGRAL = 1e-12
#: Line: relative error of W2 promised against a refined run.
LINE_REFINED = 1e-8
#: Line: two runs of the same problem on different grids.
LINE_SYMMETRY = 1e-9
#: Sampler_law: the same W2 by two splits or frames, each with a quadrature on its own grid.
LAW_SYMMETRY = 1e-9
#: Chain: two runs of the same affine recursion, or a step short enough to do by hand.
CHAIN_SAME = 1e-12
#: Chain: relative width of the bracket after a million steps, in plain double precision at worst.
CHAIN_MILLION_WIDTH = 1e-3
#: Leading order in h against the exact value at h = 1e-5.
LEADING_ORDER = 1e-4
#: Convexity profile: what the search may be off by, relative to α + M/α.
PROFILE = 1e-7
#: Smallest enclosing ball in the plane against all pairs and triples: rounding.
PLANE_BALL = 1e-13
#: Perturbed line law against the exact laws of other routes, relative.
PERTURBED = 1e-5
#: W2 of a product against the sum of its lines, relative: places equal to 1e-9 are one.
PRODUCT = 1e-6
#: Relative width of the bracket of a CLD Gaussian chain: a bound of the rounding of a few hundred rows,
#: two numbers 0.01 apart subtracted.
PHASE_CHAIN_WIDTH = 1e-7
#: The same for numbers with their errors on drawn problems, of W2 or the data's deviation: long rows and far
#: means cancel most of 19 digits.
PHASE_CHAIN_DRAWN = 1e-3
#: Errors of the truth's own rows relative to the largest number of their kind: 19 digits, the clock
#: cancelling over steps of 1e-6.
PHASE_ROWS_SAME = 1e-11
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
#: The same score against central differences of step 1e-5 of its log density, whose nodes move with the
#: point.
FUNNEL_DIFFERENCE = 1e-5
#: Phase-space score by one block against the precision matrices of the components, well away from t = 0.
PHASE_SCORE = 1e-9
#: Number of points of a grid, rounded up to a length the FFT likes.
GRID_SIZES = 0.15
#: Truths of the table of hidden features, printed with twelve digits.
TWELVE_DIGITS = 5e-12
#: Chain in balls: relative width of its bracket, two roundings to floats.
CERTIFIED_WIDTH = 1e-14
#: Errors that are followed to first order, themselves of 1e-7 to 1e-6 of their numbers.
FIRST_ORDER = 1e-5
#: Mode of the funnel's scale after a few Newton steps, in widths: it need only be near enough for the nodes.
FUNNEL_MODE = 0.6
#: A numerical derivative against a difference quotient of 1e-6 of the same function.
OWN_GRADIENT = 1e-6
#: Coefficients of steps by two routes, the errors of one of them: float64, and m whose square is known to 1e-14.
TWO_ROUTES = 2e-14
#: W2 of sorted values against that of as many others, relative: half a cell, and the middles of equal masses
#: in the tails.
SORTED = 2e-4
#: W2 of the map of the start against the affine chain: sixteen nodes a panel, halved to 1e-12 of W2².
START_MAP = 1e-9
#: Rounding over a thousand steps that contract.
MAP_ROUNDING = 1e-11
#: Local errors of known laws against quantiles by bisection and closed forms: rounding, and what a poorer
#: rule on the same nodes leaves open, which is added.
FLOW_ERRORS = 2e-6
#: Calls of the exact law of 1,000 steps with two evaluations: 85 a step and round of halving, two rounds.
START_MAP_CALLS = 250_000
#: Plane: a density against the product of two lines, relative to its peak: splines through 8 points a deviation.
PLANE_DENSITY = 1e-7
#: Plane: mass that the splines of some steps make or lose.
PLANE_MASS = 1e-7
#: Plane: how far below 0 a density may be, in its peak: rounding of many steps.
PLANE_RIPPLE = 1e-13
#: Plane: W2 of laws that are close by potentials and flows, relative width.
PLANE_NARROW = 0.03
#: Plane: the same where the affine map between the moments starts the search.
PLANE_AFFINE = 5e-3
#: Plane: the same of laws that hardly differ, absolute.
PLANE_SAME = 1e-4
#: Plane: the same where a twentieth of the mass changes its mode.
PLANE_FAR = 0.4
#: Plane: the same where mass jumps between modes far apart.
PLANE_JUMPS = 0.05
#: Plane: excesses that jumps leave, in the largest: a convex problem's optimum.
PLANE_BALANCE = 1e-6
#: Plane: an integral of what is bilinear in cells a tenth wide, less its first correction: the next is of order h⁴.
PLANE_CELLS = 2e-5
#: Plane: relative width promised for samplers.
PLANE_WIDTH = 0.05
#: What is known of a last iterate to the letter: the relative room for rounding, 1e-6, and as much again.
REACH = 2e-6
#: Largest of 4,000 draws against a supremum: shares within that of a corner of the hull.
REACHED = 1e-3
#: Roots: evaluations of a cubic from the middle of a bracket.
ROOT_STEPS = 25
#: Points at which laws of two modes are asked for their distribution functions.
QUANTILE_STEPS = 40_000
