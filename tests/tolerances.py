"""Tolerances that tests of several folders share, with the reason for the size of each."""

#: Seconds that a call sleeps in place of never answering: the timer under test ends it long before.
HANGING = 60.0
#: Standard errors that a statistic of a seeded run may be from its exact value.
STANDARD_ERRORS = 5.0
#: Two float64 routes to the same matrices, a few dozen well-conditioned steps apart.
BRUTE_FORCE = 1e-10
#: A number printed with three or four significant digits.
THREE_DIGITS = 1e-3
#: Two float64 routes to the same density, mean or covariance of a small law.
LAW_ROUNDING = 1e-10
#: Golden numbers are printed with three or four digits; half a unit of the third.
GOLDEN = 5e-3
#: Four significant digits in a table.
PRINTED = 5e-4
#: Relative distance of a number at finite ε or h from its leading order.
NEAR_LEADING_ORDER = 2e-2
#: Relative agreement of leading-order integrals with scipy's quadrature.
LEADING_QUADRATURE = 1e-9
#: What a numerical minimiser may still gain on the best grid.
BEST_GRID = 0.02
#: CLD Gaussian chain against a dense recursion over 2d coordinates, hundreds of rows.
PHASE_CHAIN = 1e-10
#: Two backends, or a sampler and a plain loop, driven by the same increments in float64.
SAME_INCREMENTS = 1e-12
