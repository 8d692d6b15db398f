"""Sizes as T → ∞, known up to constants by their logarithmic derivatives, as orders in ε and d."""

from collections.abc import Sequence

import sympy

from bounds.complexity.growth import LATE, Growth, NoOrder, Order, decided, larger, limit, shown
from bounds.complexity.short_steps import MOVING, PLAIN


def log_rate(expression):
    """The logarithmic derivative in t, up to a sign of the expression."""
    if not expression.has(LATE):
        return sympy.S.Zero
    if expression.is_Mul:
        return sum(map(log_rate, expression.args))
    if isinstance(expression, sympy.Abs):
        return log_rate(expression.args[0])
    if isinstance(expression, sympy.exp):
        return sympy.simplify(sympy.diff(expression.args[0], LATE))
    if expression.is_Pow and not expression.args[1].has(LATE):
        return expression.args[1] * log_rate(expression.args[0])
    return sympy.simplify(sympy.diff(expression, LATE) / expression)


def settled(expression, sums: bool = False):
    """Max and Min by what wins as t → ∞: of factors by their ratio, of ``sums`` by their difference."""
    def choose(kind):
        def winner(*arguments):
            best = arguments[0]
            for other in arguments[1:]:
                known = _sign(other - best)
                if known is not None:
                    best = other if known is (kind is sympy.Max) else best
                    continue
                if not (best - other).has(*MOVING):
                    if sums:
                        decided(sympy.Gt(sympy.simplify(other - best), 0), "it is the growth of a step")
                    return kind(*arguments)
                if (best - other).has(*PLAIN.values()):
                    return kind(*arguments)
                compared = limit(other - best if sums else other / best) - (0 if sums else 1)
                if compared == 0 and sums and limit(LATE * sympy.log(LATE) ** 2 * (other - best)).is_infinite:
                    raise NoOrder(f"sympy does not decide between {shown(best)} and {shown(other)} as t → ∞")
                larger_one = compared != 0 and decided(sympy.Gt(compared, 0), f"in {kind.__name__}")
                if compared != 0 and larger_one is (kind is sympy.Max):
                    best = other
            return best

        return winner

    for kind in (sympy.Max, sympy.Min):
        expression = expression.replace(kind, choose(kind))
    return expression


def _sign(difference) -> bool | None:
    """Whether it is positive (True) or not (False), where that is plain; L_t is above alpha_t."""
    difference = difference.subs(PLAIN["L_t"], PLAIN["alpha_t"] + sympy.Dummy(positive=True))
    difference = sympy.factor(sympy.together(difference))
    return True if difference.is_positive else False if difference.is_nonpositive else None


def growth_by(late) -> Growth:
    """How the inverse of the initial error grows, from its logarithmic derivative in T."""
    t = LATE
    power = limit(t * late)
    if power not in (sympy.oo, -sympy.oo):
        if not decided(sympy.Gt(power, 0), "the initial term must vanish as T → ∞"):
            raise NoOrder("the initial term does not vanish as T → ∞")
        if limit(sympy.log(t) * (t * late - power)) != 0:
            raise NoOrder("the initial term falls like a power of T times one of its logarithm")
        return Growth(0, power, sympy.S.One, late)
    if power == -sympy.oo:
        raise NoOrder("the initial term grows with T: the growth of the steps outdoes its decay")
    rate = late
    for level in (1, 2):
        exponent = limit(t * sympy.diff(rate, t) / rate) + 1
        if exponent not in (sympy.oo, -sympy.oo):
            coefficient = limit(rate / t ** (exponent - 1))
            if exponent == 0 or coefficient in (0, sympy.oo):
                break
            return Growth(level, exponent, sympy.simplify(coefficient / exponent), late)
        rate = sympy.simplify(sympy.diff(rate, t) / rate)
    raise NoOrder("the initial term falls like none of t^−p, e^(−t^p), e^(−e^(t^p))")


def horizon_by(growth: Growth, accuracy: Order) -> Order:
    """T at which the initial error is small enough."""
    return growth.horizon_order if growth.level else accuracy ** (1 / growth.exponent)


def scales_of(growth: Growth, late, accuracy: Order, horizon: Order) -> list[tuple]:
    """(logarithmic derivative in T, order) of the things that sizes are powers of, largest first."""
    t = LATE
    found = [(late, accuracy)]
    if growth.level == 2:
        found.append((sympy.simplify(sympy.diff(late, t) / late), Order(log=sympy.S.One)))
    if growth.level:
        found.append((1 / t, horizon))
    if growth.level < 2:
        found.append((1 / (t * sympy.log(t)),
                      Order(loglog=sympy.S.One) if growth.level else Order(log=sympy.S.One)))
    return found


def size_of(rate, scales: Sequence[tuple]) -> Order:
    """The order of a size at the horizon, by its logarithmic derivative."""
    found = Order()
    for scale, order in scales:
        power = limit(rate / scale) if rate != 0 else sympy.S.Zero
        if power in (sympy.oo, -sympy.oo):
            raise NoOrder("the errors of the steps add up to no power of T, ε and their logarithms")
        found, rate = found * order**power, sympy.simplify(rate - power * scale)
    if rate != 0 and limit(rate * LATE * sympy.log(LATE)) != 0:
        raise NoOrder("the errors of the steps add up to no power of T, ε and their logarithms")
    return found


def accumulated(density):
    """The logarithmic derivative, up to what adds up to a constant, of the integral of what has this one."""
    t = LATE
    power = limit(t * density)
    if power in (sympy.oo, -sympy.oo):
        if power == -sympy.oo:
            return sympy.S.Zero
        return sympy.simplify(density - sympy.diff(density, t) / density)
    if not decided(sympy.Ge(power, -1), "the errors of the steps must add up"):
        return sympy.S.Zero
    if power != -1:
        return sympy.simplify(density + 1 / t)
    if limit(sympy.log(t) * (t * density + 1)) != 0:
        raise NoOrder("the errors of the steps decay like 1/t times a power of log t")
    return sympy.simplify(density + 1 / t) + 1 / (t * sympy.log(t))


def larger_of(one: Order, other: Order) -> Order:
    """The larger of two numbers of steps per unit of time; raises `NoOrder` if neither is."""
    if _opposed(one, other):
        raise NoOrder(f"steps per unit of time are {one} + {other}, of which neither outweighs the other")
    return larger(one, other)


def _opposed(one: Order, other: Order) -> bool:
    """Whether one is larger in 1/ε and the other in d."""
    gaps = [sympy.simplify(mine - its) for mine, its in ((other.eps, one.eps), (one.d, other.d))]
    return decided(sympy.Lt(gaps[0] * gaps[1], 0), "ε and d must agree on what outweighs")
