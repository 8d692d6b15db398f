"""Tolerances of the tests of what is claimed, with the reason for the size of each."""

#: Function calls to build an expression: the worst found takes 45,000; sympy left to think, millions.
EXPRESSION_CALLS = 1_000_000
#: Exact expression against the same tree in float64: a few roundings.
EXPRESSION_RELATIVE = 1e-12
#: A number printed with two significant digits.
TWO_DIGITS = 1e-2
#: Path: a, s², Φ and C by panels of ten nodes against 20-digit quadrature.
PATH_RELATIVE = 2e-13
#: A closed form with kinks against panels that are halved at them.
KINKED_FORM = 1e-8
#: The same recursion by another route: float64 over a few dozen steps and quadrature at 1e-8.
RECURSION_RELATIVE = 1e-7
#: Slopes of errors against the step on grids where the next order still shows.
SLOPE = 0.05
#: Two exact routes for the same number: identity of sympy expressions at exact rational points.
SYMBOLIC = 1e-25
#: Regimes: closed-form boundaries against 40-digit bisection of the definition.
BOUNDARY = 1e-12
#: Boundaries for general f, g: panels at 1e-11 relative, divided by the slope of the rate there.
BOUNDARY_NUMERIC = 1e-9
#: A supremum against the largest of 20,000 values.
DENSE_SUPREMUM = 1e-6
#: Relative distance of the model of the bound from the bound, for short steps.
MODEL = 0.02
#: Two-block bounds: their weights are searched for, so that the total may wobble by what the search leaves.
METRIC_SEARCH = 1e-3
#: Renormalised Hessian against 60 digits: rounding of the channel, relative to what is left after −S⁻¹ and
#: Σ_∞⁻¹ cancel.
HESSIAN_DIGITS = 1e-10
#: Exponent of a power law from two values a decade or less apart, with its next order still there.
POWER = 0.02
#: A supremum over log t against a scan of 40,001 times.
SUPREMUM = 1e-6
#: Bounds that are ordered on paper, each rounded up by its own amount.
ORDERED = 1e-8
#: Phase space: φ, S, det S and H(c) at a given time against 60 digits; det S of ε = 0 is a quarter of its
#: terms.
CHANNEL = 2e-13
#: Phase space: contraction rate of the constant metric, relative to a, where ε and aσ are up to sixty apart.
PHASE_METRIC = 1e-9
#: Phase space: tr(PW) of the optimal weights, which are raised by 32 roundings of the terms of JᵀPJ.
PHASE_WEIGHTS = 1e-10
#: Phase space: optimal weights against their dual, bias off.
CERTIFICATE = 1e-6
#: CLD in closed form against matrix exponentials with 50 digits, entry by entry: a few dozen roundings.
PHASE_ENTRY = 1e-12
#: CLD rows and parts against Gauss quadrature of matrix exponentials in float64, relative to the largest
#: entry.
PHASE_ROWS = 1e-12
#: Slope of a strong error from its declared order.
STRONG_ORDER = 0.1
#: A step undone by its mirror image, in float64.
REVERSED = 1e-13
#: Part of a velocity's size by which an irreversible step misses its start, at least.
IRREVERSIBLE = 1e-3
#: Phase space: E_0 against 60 digits, relative.
INITIAL_EXACT = 1e-11
#: Phase space: rounding of E_0 itself, relative to the size of law and prior.
INITIAL_ROUNDING = 1e-14
#: Phase space: v_k² by panels at 1e-8, at kinks 1e-7, their error estimate added, against fine quadrature.
MISSED_NOISE = 2e-7
#: Phase space: the same with fewer panels than it asks for, the larger error estimates added.
FEW_PANELS = 1e-6
#: The same from below: kinks between the 6,000 panels of that quadrature, and rounding.
MISSED_FLOOR = 1e-9
#: Phase space: b_k against 60 digits, in units of the step's maps (thousandfold of b_k itself): its own
#: allowance for rounding.
BIAS_EXACT = 1e-13
#: A bound computed before and after a change that must not touch it: summation order at most.
UNCHANGED = 1e-13
#: Missed noise against an integral cut at its kinks: rounding of a difference of amplitudes.
KINK_ROUNDING = 1e-12
#: How far above it may lie: the error allowed for one kink, and quadrature at 1e-8.
KINK_TIGHT = 1e-4
#: Rate of the missed noise by central differences, the smallest lag a little above 0.
DIFFERENCES = 1e-3
#: Bound from fitted ingredients over the one from every step, relative: what the fit may still be off by is
#: added.
FITTED_STEPS = 1e-7
#: The same below: rounding alone.
FITTED_ROUNDING = 1e-12
#: One step's ingredients where f or g² changes within few steps: they are held against their fit to 1e-9 of a
#: panel's largest.
FITTED_COEFFICIENT = 1e-6
#: The recursion by sums over runs of steps against the loop: its own rounding allowance, twice, for 9,000
#: steps.
SUMS_OF_RUNS = 4e-11
#: Path on a panel with a feature: nodes are floats, where a feature of width w makes f vary by t·2⁻⁵³/w, 1e-9 at the
#: narrowest; of a sum over nodes 2.3e-11 is the most seen in 60 draws.
FEATURE_RELATIVE = 5e-11
#: Sums of integrals over steps against Gauss quadrature cut at their kinks: what panels leave there is added.
QUADRATURE = 1e-7
#: Norms in the constant metric over 40 digits, relative: what they are raised by, and their own rounding.
NORM_ROUNDING = 3e-13
#: A lower bound where rounding must go with the units: 1e-12 granted on top, twice.
UNITS = 1e-11
#: What rounding of the eigenvalues of a full covariance may do to a length, in units of the largest deviation: the
#: root of 4 d rounding errors, where one is 0.
SPECTRUM = 3e-7
#: A certified bound above the one in floats: never, but for rounding of terms that nearly cancel.
CERTIFIED_ABOVE = 1e-6
#: A certified bound below the one in floats, which adds the rounding it may have.
CERTIFIED_BELOW = 1e-7
#: Balls of 128 bits of golden numbers.
CERTIFIED_RADIUS = 1e-18
#: What integrals and maxima of polynomials may leave open.
OPEN = 1e-10
#: Means of 100,000 values beside the integral.
DENSE = 1e-7
#: M1 in balls beside its largest value on a dense grid, which may be next to the maximum only.
REGULARITY = 1e-6
#: Twelve printed digits of truths enclosed elsewhere.
HIDDEN_DIGITS = 1e-11
#: What is 0 among them, in data units.
HIDDEN_ZERO = 1e-12
#: Calls of a certified bound a step: some 1400 are 0.4 thousandths of a second.
CALLS = 1700
#: Calls that a maximum of a polynomial that hardly varies may take.
PLATEAU = 1000
#: A claim against its formulas in 40 digits: its constants 1/σ² are floats, its steps differences of floats.
CLAIM_BY_HAND = 1e-12
#: Terms over ε along orders, at two ε a hundred times apart: what is left is of order √h and of 1/log(1/ε).
ALONG_ORDERS = 0.1
#: A number of a step against 30-digit quadrature: that of the path, a few times.
CLAIM_SYMBOL = 1e-12
#: Phase space in balls of 300 bits at one time: s² at time 1e-6 is a difference that costs u³ of its terms.
BALL_SLACK = 1e-30
#: Width of s² on a box over that of the box, in units of its rates of change: s² varies like u³, by several
#: terms.
BOX_WIDTH = 40
#: Defects of formulas: balls around F, C and ∫g² of long steps, each known to some thousand roundings.
STATED_DEFECT = 1e-11
#: Noise of formulas as it is spread over a step: panels at 1e-11 of a square.
STATED_NOISE = 1e-9
#: The level of a second evaluation against the one asked for: that of the nearest time, where σ may be steep.
MIDDLE_LEVEL = 1e-12
#: A number printed with four significant digits, of which the last may be rounded either way.
FOUR_DIGITS = 1e-3
#: The signed recursion on N(0, v I) against the exact chain: 64 roundings of a noise level up to 1e6 times the data.
FLOW_EXACT = 1e-8
#: The same of steps that may amplify errors, in units of √(dv): what ĉ − ĉ_lo = 0 is rounded to has a root of 1e-8.
FLOW_AMPLIFIED = 3e-6
#: M1 in floats above what is sampled, or above the supremum by 30 digits where that is larger: what it may
#: leave open of the supremum.
REGULARITY_PROVED = 1e-6
#: The same above the largest of 20,000 values, between which the supremum may be.
REGULARITY_DENSE = 2e-6
#: The same where only a few hundred times are looked at.
REGULARITY_COARSE = 1e-3
#: Values of M1 from floats on a path of 20,000 steps: its rounding.
PATH_DENSE = 1e-11
#: A float beside 30 digits that are rounded to one.
DIGITS = 1e-14
#: Theorem G with kinks in its integrands, above balls: what quadrature allows for a kink.
KINK_ALLOWED = 1e-7
#: Calls of Theorem G in balls a step with a hundred variances: 11,000, and 70,000 if M1 looked at all.
REGULARITY_CALLS = 20_000
#: Integrals of order one, summed panel by panel, with nodes that differ in their last digits.
REFINED_APART = 1e-12
#: Central differences at 1e-4 of a level: their second order, and bisection at 1e-15 divided by the step.
DIFFERENCE_QUOTIENT = 1e-6
#: Noise levels by exponentials and logarithms, relative: some roundings, times ρ or log ᾱ.
LEVEL_ROUNDING = 1e-13
#: A noise level as its source prints it, with five digits, computed there in float32.
PRINTED_LEVEL = 2e-5
#: Known local errors above those of constants, where both are exact: what the poorer rule leaves open is
#: added.
KNOWN_RULE = 2e-6
#: Calls of the flow bound of 1,000 steps with two evaluations.
FLOW_CALLS = 60_000
#: Numbers of a step of DDIM with noise from C, a and s² against 40 digits of a and s²: s²(τ) − Φ²s²(r) is C to a few
#: Functions of t beside sixty digits: what floats may lose of them before balls take over.
IN_TIME = 1e-12
#: A bound that is the exact W2, with what the quadrature of coefficients that move fast leaves.
DIGITS_LOST = 1e-8
#: Of numbers by one formula without a difference, whose logarithm may be a hundred.
ALL_DIGITS = 1e-13
#: roundings of s², relative to the step's share of it.
BETWEEN_DEFECT = 1e-11
#: The bound with noise at λ = 1e-6 against the flow's: v_k is of the size of λ.
BETWEEN_LIMIT = 1e-4
#: The same from a λ that formulas suggest, by their weights at finite steps.
BETWEEN_FITTED = 0.15
#: A list of equal score errors against the one number: sums in another order.
SAME_ERRORS = 1e-10
#: Equal steps of an angle on a grid interpolated from 600 fine steps.
EQUAL_ANGLES = 1e-2
#: W2 of a map on a line by trapezia of 2001 points of ±8 and quantiles interpolated between 20,001, relative.
QUADRATURE_OF_MAPS = 1e-4
#: Two forms of an expression of size one in floats.
SYMBOLS_IN_FLOATS = 1e-14
#: Slopes of errors between grids of a thousand steps, where the next order hardly shows.
FINE_SLOPE = 0.03
#: A W2 printed with ten digits or more, of which the last may be rounded either way.
TEN_DIGITS = 1e-9
#: Numbers of a step made of a few floats.
ROUNDED = 1e-12
#: Bounds of floats over those of balls on a few steps: what quadrature of v_k² and rounding add.
BESIDE_BALLS = 1e-6
#: W2 from a start against a recursion in matrices in floats.
START_RECURSION = 1e-9
#: The same from a singular start through steps without noise: the root of a variance 0 keeps half the digits.
SINGULAR_START = 1e-6
#: What a horizon of 1e-7 adds to the initial error, relative.
EXACT_INITIAL = 1e-5
#: What an exponential of a long matrix leaves open, of its largest entry: rounding of the numbers it ends in, and of the length.
LONG_TIMES = 1e-18
