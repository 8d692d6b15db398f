"""Tolerances of the tests of the tool as a whole, with the reason for the size of each."""

#: One question described by two units, relative: the same integrals, from expressions that round differently.
ANOTHER_NAME = 1e-9
#: Exact W2 of a sampler that is exact on paper: the upper side of a bracket of rounding, data of size one.
EXACT_SAMPLER = 1e-6
#: Claim and truth of one step where one of them is corrupted by a millionth.
CORRUPTED = 1e-8
#: The same where none is.
SOUND = 1e-9
#: Extremes of smooth functions on a grid of spacing 1e-4, their derivatives by differences of it, and sums
#: over a grid of spacing 1e-2: second order each.
ON_A_GRID = 1e-5
#: Bounds of a sampler by formulas and by integrals: defects of 1e-16 each, over what the bound is worth.
STATED_BOUND = 1e-9
#: Exact laws and steps of the same two: roundings of a, s² and a few dozen steps.
STATED_LAW = 1e-11
#: A published exact W2 of singular data: eigenvalues of a full covariance are rounded, their roots twice as much.
PUBLISHED = 1e-10
#: An exact W2 of 0: the rounding of some hundred steps.
ON_POINTS = 1e-12
#: What a lower bound takes off for eigenvalues of a singular matrix that are off by 1e-16: their roots, several times.
EIGENVALUES = 1e-6
#: A recursion of three steps in doubles, 1 − ᾱ of 1e-4 cancelling.
DISCRETE = 1e-9
#: A printed number, in units of its last digit.
LAST_DIGIT = 0.51
#: The same where more digits are printed than the chain of a hundred steps has.
ROUNDING = 1e-12
