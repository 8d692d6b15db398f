"""What a formula is for short steps and many dimensions: monomials c hᵖ dᵠ, whose sum it is up to
constants."""

from collections.abc import Iterable
from functools import reduce

import sympy

from bounds.complexity.growth import NoOrder, shown
from bounds.symbolic.deadline import attempt

#: Length of a step, and dimension.
STEP, DIMENSION = sympy.Symbol("h", positive=True), sympy.Symbol("d", positive=True)
#: Orders to which sympy expands what cancels, and seconds it may take for one.
EXPANDED, SECONDS = (2, 3, 5), 8.0
#: Sums are at most so many monomials long.
MOST = 12

#: c by (p, q).
Monomials = dict[tuple, sympy.Expr]


def monomials(expression) -> Monomials:
    r"""The monomials c hᵖ dᵠ of an expression that may lead as h → 0, d → ∞: c by (p, q).

    One that another outweighs however h → 0 and d → ∞ is left out: h√d beside √d.  Other symbols are
    constants, and positive where that decides.

    Raises
    ------
    NoOrder
        If the expression is no such sum, as where it has a logarithm of h or an exponential of d.
    """
    if not expression.has(STEP, DIMENSION):
        return {(sympy.S.Zero, sympy.S.Zero): expression} if sympy.simplify(expression) != 0 else {}
    if expression in (STEP, DIMENSION):
        return {tuple(sympy.Integer(expression == each) for each in (STEP, DIMENSION)): sympy.S.One}
    if expression.is_Add:
        return _sum(expression)
    if expression.is_Mul:
        return reduce(_product, map(monomials, expression.args))
    if isinstance(expression, sympy.exp):
        return _exponential(expression)
    if expression.is_Pow:
        return _power(expression)
    if isinstance(expression, sympy.Abs):
        return {key: sympy.Abs(factor) for key, factor in monomials(expression.args[0]).items()}
    if isinstance(expression, sympy.Max | sympy.Min):
        return _extreme(expression)
    return _function(expression)


def leading(expression, what: str) -> tuple:
    """(c, p, q) of an expression with one leading monomial; raises `NoOrder` if it has several, or is 0."""
    found = monomials(expression)
    if len(found) != 1:
        raise NoOrder(f"{what} is 0" if not found else f"{what} has no one leading term in h and d")
    ((p, q), factor), = found.items()
    return factor, p, q


def parts(expression) -> list:
    """Summands of an expression, none of which another cancels: as T → ∞ any of them may lead."""
    if expression.is_Add and not _cancels(expression):
        return [part for each in expression.args for part in parts(each)]
    if expression.is_Mul:
        found = [sympy.S.One]
        for factor in expression.args:
            found = [one * other for one in found for other in parts(factor)]
            if len(found) > MOST:
                return [expression]
        return found
    return [expression]


def _cancels(expression) -> bool:
    found = _added(map(monomials, expression.args))
    return any(sympy.simplify(factor) == 0 for factor in found.values())


def _sum(expression) -> Monomials:
    groups: dict[sympy.Expr, sympy.Expr] = {}
    for part in expression.args:
        factor, dimensions = part.as_independent(DIMENSION)
        groups[dimensions] = groups.get(dimensions, sympy.S.Zero) + factor
    if len(groups) == 1:  # one factor in d, of a sum in h
        (dimensions, factor), = groups.items()
        if not factor.is_Add:
            return monomials(factor * dimensions)
        return _product(_together(map(monomials, factor.args), factor), monomials(dimensions))
    products = (_product(monomials(factor), monomials(dimensions)) for dimensions, factor in groups.items())
    return _together(products, expression)


def _together(summands: Iterable[Monomials], expression) -> Monomials:
    """The sum of monomials, those of ``expression``; by its series where what would lead cancels."""
    found = _added(summands)
    gone = [key for key, factor in found.items() if sympy.simplify(factor) == 0]
    left = _frontier({key: factor for key, factor in found.items() if key not in gone})
    if all(_outweighed(key, left) for key in gone):
        return left
    return _expanded(expression)


def _added(summands: Iterable[Monomials]) -> Monomials:
    found: Monomials = {}
    for each in summands:
        for key, factor in each.items():
            found[key] = found.get(key, sympy.S.Zero) + factor
    return found


def _expanded(expression) -> Monomials:
    """Of what cancels to leading order, by its series in h."""
    for order in EXPANDED:
        series = attempt(lambda n=order: sympy.series(expression, STEP, 0, n).removeO(), None, SECONDS)
        if series is None:
            break
        found: Monomials = {}
        for part in sympy.Add.make_args(sympy.expand(series)):
            factor, power = part.as_independent(STEP)
            exponent = sympy.simplify(STEP * sympy.diff(power, STEP) / power) if power != 1 else sympy.S.Zero
            if exponent.free_symbols:
                raise NoOrder(f"{shown(expression)} is no sum of powers of h and d")
            for (p, q), each in monomials(factor).items():
                found[exponent + p, q] = found.get((exponent + p, q), sympy.S.Zero) + each
        found = {key: factor for key, factor in found.items() if sympy.simplify(factor) != 0}
        if found:
            return _frontier(found)
    if sympy.simplify(expression) == 0:
        return {}
    raise NoOrder(f"sympy finds no leading term of {shown(expression)} as h → 0")


def _product(one: Monomials, other: Monomials) -> Monomials:
    found: Monomials = {}
    for (p, q), mine in one.items():
        for (r, s), its in other.items():
            found[p + r, q + s] = found.get((p + r, q + s), sympy.S.Zero) + mine * its
    if any(sympy.simplify(factor) == 0 for factor in found.values()):
        raise NoOrder("a product of sums cancels to leading order in h and d")
    return _frontier(found)


def _power(expression) -> Monomials:
    base, exponent = expression.as_base_exp()
    if exponent.has(STEP, DIMENSION):
        return _exponential(sympy.exp(exponent * sympy.log(base), evaluate=False))
    found = monomials(base)
    if not exponent.is_number or (len(found) > 1 and exponent.is_negative):
        raise NoOrder(f"{shown(expression)} is no sum of powers of h and d")
    return _frontier({(p * exponent, q * exponent): factor**exponent for (p, q), factor in found.items()})


def _exponential(expression) -> Monomials:
    """An exponential, of what stays bounded."""
    found = monomials(sympy.expand_mul(expression.args[0]))
    if any(p < 0 or q > 0 for p, q in found):
        raise NoOrder(f"{shown(expression)} is no sum of powers of h and d")
    return {(sympy.S.Zero, sympy.S.Zero): sympy.exp(found.get((0, 0), sympy.S.Zero))}


def _extreme(expression) -> Monomials:
    found = [monomials(each) for each in expression.args]
    if isinstance(expression, sympy.Max):
        together = {key for each in found for key in each}
        return _frontier({key: sympy.Max(*(each.get(key, sympy.S.Zero) for each in found))
                          for key in together})
    if not all(found):
        return {}
    if any(len(each) > 1 for each in found):
        raise NoOrder(f"{shown(expression)} is no sum of powers of h and d")
    best = found[0]
    for other in found[1:]:
        (mine, one), (its, two) = next(iter(best.items())), next(iter(other.items()))
        if mine == its:
            best = {mine: sympy.Min(one, two)}
        elif len(_frontier({mine: one, its: two})) > 1:
            raise NoOrder(f"{shown(expression)} has no one leading term in h and d")
        else:
            best = best if its in _frontier({mine: one, its: two}) else other
    return best


def _function(expression) -> Monomials:
    """A function of something else: of what it tends to, or by its series where it tends to 0."""
    (argument,) = expression.args
    found = monomials(argument)
    if any(p < 0 or q > 0 for p, q in found):
        raise NoOrder(f"{shown(expression)} is no sum of powers of h and d")
    limit = expression.func(sympy.simplify(found.get((0, 0), sympy.S.Zero)))
    if limit.has(sympy.zoo, sympy.oo, sympy.nan):
        raise NoOrder(f"{shown(expression)} is no sum of powers of h and d")
    return _expanded(expression) if sympy.simplify(limit) == 0 else {(sympy.S.Zero, sympy.S.Zero): limit}


def _frontier(found: Monomials) -> Monomials:
    """Those that no other outweighs."""
    found = {key: factor for key, factor in found.items() if factor != 0}
    kept = {key: factor for key, factor in found.items() if not _outweighed(key, found)}
    if len(kept) > MOST:
        raise NoOrder(f"a formula has more than {MOST} leading terms in h and d")
    return kept


def _outweighed(key: tuple, found: Monomials) -> bool:
    """Whether another monomial is at least as large however h → 0 and d → ∞."""
    return any((p, q) != key and p <= key[0] and q >= key[1] for p, q in found)
