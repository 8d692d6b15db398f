"""Expressions in t in ball arithmetic: over a real interval, as its Taylor series, over a complex disc.

A ball that python-flint computes holds every value its argument can take.  `sympy.lambdify` would lose exact
rationals on the way; here they reach Arb as they are.
"""

import operator
from collections.abc import Callable
from functools import cached_property, reduce

import numpy as np
import sympy
from sympy.core.relational import Relational

from bounds.symbolic.integrals import TIME
from bounds.symbolic.piecewise_constant import PiecewiseConstant
from bounds.symbolic.piecewise_linear import SLACK, PiecewiseLinear

#: Rows that a formula is evaluated on at a time: balls of every operation are kept so long.
COLUMN_ROWS = 4096
#: A number that is made of others may take so many times the digits that are wanted of it.
DIGITS = 1, 2, 4, 16, 64


class NotEnclosed(ValueError):
    """There is no rule in ball arithmetic for a part of the expression; the message names it."""


class NotAnalytic(ArithmeticError):
    """On this interval or disc an argument may pass a kink, a jump or a branch point."""


class Undecided(NotAnalytic):
    """A sign that decides between branches is not known there."""


class BallFunction:
    """An expression in `TIME` as a list of operations on balls, shared parts once.

    Parameters
    ----------
    expression : sympy.Expr

    Raises
    ------
    NotEnclosed
        If a part of it has no rule.
    """

    #: Whether numbers that are made of others are worked out by themselves.
    _apart = True

    def __init__(self, expression: sympy.Expr):
        self._operations: list[tuple] = []
        self._places: dict = {}
        self._made: dict = {}
        for shared, part in (parts := self._shared(sympy.sympify(expression, strict=True)))[:-1]:
            self._places[shared] = self._place(part)
        self._last = self._place(parts[-1][1])
        #: Whether a sign decides which branch is meant: what is analytic on a disc is then the function on
        #: the real interval alone that was given with it.
        self.has_signs = any(isinstance(operation, _Chosen) for operation, _ in self._operations)
        #: Times at which tables have their points, if there are any.
        self.cuts = sorted({float(time) for operation, _ in self._operations if isinstance(operation, _Table)
                            for time in operation.times})

    @staticmethod
    def _shared(expression: sympy.Expr) -> list[tuple]:
        """(symbol, what it stands for) of parts to be worked out first, and last the expression in these."""
        return [(None, expression)]

    @staticmethod
    def _leaf(symbol: sympy.Symbol):
        """What stands for a symbol, or None."""
        return _Variable() if symbol == TIME else None

    def _place(self, part: sympy.Basic) -> int:
        if part not in self._places:
            leaf = self._leaf(part) if part.is_Symbol else None
            if leaf is None and self._apart and part.is_number and not part.is_Atom:
                leaf = _Constant(_Number(part).sharp)
            operation, arguments = _operation(part) if leaf is None else (leaf, ())
            places = tuple(self._place(argument) for argument in arguments)
            if isinstance(operation, _Joined):
                # two at a time
                while len(places) > 2:
                    places = self._entered(operation, places[:2]), *places[2:]
            self._places[part] = self._entered(operation, places)
        return self._places[part]

    def _entered(self, operation, places: tuple) -> int:
        self._operations.append((operation, places))
        return len(self._operations) - 1

    @cached_property
    def _programs(self) -> tuple:
        """For real balls, and for what is analytic: what stands for symbols, then methods with their
        places."""
        leaves = [(at, operation.taken) for at, (operation, places) in self._numbered
                  if not places and not isinstance(operation, _Constant)]
        return tuple((leaves, [(at, getattr(operation, lane, operation), *(*places, None)[:2],
                                places if len(places) > 2 else None)
                               for at, (operation, places) in self._numbered if places])
                     for lane in ("interval", "analytic"))

    @cached_property
    def _context(self):
        from flint import ctx

        return ctx

    @property
    def _numbered(self):
        return enumerate(self._operations)

    def _constants(self) -> list:
        """A list with the constants at their places, at the precision of the moment."""
        precision = self._context.prec
        if precision not in self._made:
            self._made[precision] = [operation.made() if isinstance(operation, _Constant) else None
                                     for operation, _ in self._operations]
        return self._made[precision].copy()

    def interval(self, t):
        """An arb that holds every value on the arb ``t``; not finite where there may be a pole."""
        return self._run(t)[self._last]

    def taylor(self, t, terms: int):
        """The Taylor series at every point of the arb ``t``, as an arb_series: the coefficient k holds
        f⁽ᵏ⁾/k! there.

        Raises `NotAnalytic` where a kink, a jump, a pole or a branch point may lie on ``t``.
        """
        from flint import arb_series, ctx

        cap, ctx.cap = ctx.cap, terms
        try:
            found = self._analytic(t, arb_series([t, 1], prec=terms))
        except (ValueError, ZeroDivisionError):  # a series whose first term may vanish is not inverted
            raise NotAnalytic from None
        finally:
            ctx.cap = cap
        if not isinstance(found, arb_series):
            return arb_series([found], prec=terms)
        if found.prec < terms:
            raise NotAnalytic
        return found

    def disc(self, t, real):
        """An acb that holds every value on the box ``t`` of the function analytic there and equal on
        ``real``.

        Raises `NotAnalytic` where that cannot be proved.
        """
        return self._analytic(real, t)

    def _analytic(self, real, given):
        reals = self._run(real) if self.has_signs else None
        found = self._run(given, 1, reals)[self._last]
        if isinstance(found, Exception):
            raise found
        return found

    def _run(self, given, lane: int = 0, reals=None) -> list:
        leaves, rest = self._programs[lane]
        values = self._constants()
        for at, method in leaves:
            values[at] = method(given)
        if reals is not None:
            return self._chosen(rest, values, reals)
        for at, method, first, second, more in rest:
            if second is None:
                values[at] = method(values[first])
            elif more is None:
                values[at] = method(values[first], values[second])
            else:
                values[at] = method(*[values[place] for place in more])
        return values


    @staticmethod
    def _chosen(rest: list, values: list, reals: list) -> list:
        """The operations ``rest`` where signs choose branches; an error stands for what cannot be had, which
        matters in a chosen branch only."""
        for at, method, first, second, more in rest:
            places = more or [place for place in (first, second) if place is not None]
            taken, choice = [values[place] for place in places], isinstance(method, _Chosen)
            lost = next((each for each in taken if isinstance(each, Exception)), None)
            if lost is not None and not (choice and len(places) > 1):
                values[at] = lost
                continue
            try:
                values[at] = (method.choose([reals[place] for place in places], taken) if choice
                              else method(*taken))
            except (NotAnalytic, ZeroDivisionError, ValueError) as error:
                values[at] = error
        return values


class _Number(BallFunction):
    """A number as it is written: what cancels in it, or is asked for its remainder by 2π, takes digits of its own."""

    _apart = False

    def sharp(self):
        """To the precision of the moment, if `DIGITS` times that is enough."""
        context, wanted = self._context, self._context.prec
        for times in DIGITS:
            with context.workprec(wanted * times):
                found = self.interval(0)
            if not found.is_finite() or found.rel_accuracy_bits() >= wanted:
                break
        return +found


class BallFormula(BallFunction):
    """An expression in several symbols, called by keyword, ignoring what it does not need."""

    @staticmethod
    def _shared(expression: sympy.Expr) -> list[tuple]:
        replaced, (rest,) = sympy.cse(expression, symbols=sympy.numbered_symbols(cls=sympy.Dummy))
        return [*replaced, (None, rest)]

    @staticmethod
    def _leaf(symbol: sympy.Symbol):
        return _Named(str(symbol))

    def __call__(self, **values):
        """An arb that holds every value on these arbs."""
        return self._run(values)[self._last]

    def of_columns(self, columns: dict, count: int) -> list:
        """The same of ``count`` rows, given by columns: an operation at a time for all rows of a block."""
        leaves, rest = self._programs[0]
        found = []
        for start in range(0, count, COLUMN_ROWS):
            block = slice(start, min(start + COLUMN_ROWS, count))
            rows = block.stop - start
            constants = self._constants()
            values, same = [[made] * rows for made in constants], [made is not None for made in constants]
            for at, method in leaves:
                values[at] = method(columns)[block]
            for at, method, first, second, more in rest:
                places = more or ((first,) if second is None else (first, second))
                if all(same[place] for place in places):
                    # of constants alone: the same in every row
                    values[at], same[at] = [method(*[values[place][0] for place in places])] * rows, True
                    continue
                values[at] = list(map(method, *[values[place] for place in places]))
            found += values[self._last]
        return found

    def plain(self, values: dict):
        """The same on balls real or complex, of an expression in which no sign is asked."""
        return self._run(values, lane=1)[self._last]


class _Plain:
    """The same method of one argument for intervals and for what is analytic."""

    def __init__(self, apply: Callable):
        self.interval = self.analytic = apply


class _Joined:
    """A sum or a product, of two and two."""

    def __init__(self, apply: Callable):
        self.interval = self.analytic = apply


class _Variable:
    """t itself."""

    @staticmethod
    def taken(t):
        """t."""
        return t


class _Named:
    """One of several symbols."""

    def __init__(self, name: str):
        self.taken = operator.itemgetter(name)


class _Constant:
    """A rational number or π."""

    def __init__(self, make: Callable):
        self.made = make


class _Power:
    """x ↦ x^q, q rational but not an integer: real where x ≥ 0, analytic where Re x > 0."""

    def __init__(self, exponent: sympy.Rational):
        self._exponent = exponent

    def _raised(self, base):
        if self._exponent.q == 2:
            return integer_power(base.sqrt(), int(self._exponent.p))
        return (base.log() * _rational(self._exponent)).exp()

    def interval(self, base):
        """On the part of ``base`` that is not negative: elsewhere the power is not real."""
        from flint import arb

        if base > 0 or not base.is_finite():
            return self._raised(base) if base > 0 else arb.nan()
        if base < 0 or self._exponent < 0:
            return arb.nan()
        return arb(0).union(self._raised(arb(base.upper()))) if base.upper() > 0 else arb(0)

    def analytic(self, base):
        """Where the base keeps clear of the cut."""
        if not _real_part(base) > 0:
            raise NotAnalytic
        return self._raised(base)


class _Logarithm:
    """log x, analytic where Re x > 0."""

    @staticmethod
    def interval(x):
        """Not finite where x may be 0."""
        return x.log()

    @staticmethod
    def analytic(x):
        """Where the argument keeps clear of the cut."""
        if not _real_part(x) > 0:
            raise NotAnalytic
        return x.log()


class _Hyperbolic:
    """sinh, cosh, tanh and cot, which an arb_series has by way of others."""

    def __init__(self, name: str):
        self._name = name

    def interval(self, x):
        """Arb's own."""
        return getattr(x, self._name)()

    def analytic(self, x):
        """Arb's own for balls, by exponentials or sine and cosine for series."""
        if hasattr(x, self._name):
            return getattr(x, self._name)()
        if self._name == "cot":
            sine, cosine = x.sin_cos()
            return cosine / sine
        if self._name == "tanh":
            # the exponential that stays small
            sign = 1 if x[0].mid() >= 0 else -1
            decayed = (-2 * sign * x).exp()
            return sign * (1 - decayed) / (1 + decayed)
        up, down = x.exp(), (-x).exp()
        return (up - down if self._name == "sinh" else up + down) / 2


class _Chosen:
    """A choice between branches by signs: |x|, the sign, the larger, a piecewise function."""

    def __init__(self, choose: Callable, interval: Callable):
        self._pick, self.interval = choose, interval

    def choose(self, reals: list, values: list):
        """The branch's value in the other lane, from the real intervals and the values there."""
        return self._pick(reals, values)


def _sign(real) -> int:
    """Sign of a real ball; raises Undecided if it may be 0."""
    if real > 0:
        return 1
    if real < 0:
        return -1
    raise Undecided


def _real_part(value):
    if hasattr(value, "imag"):
        return value.real
    return value[0] if hasattr(value, "coeffs") else value


def _rational(number: sympy.Rational):
    from flint import arb, fmpq

    return arb(fmpq(int(number.p), int(number.q)))


def integer_power(base, exponent: int):
    """base^n by squaring, so that a base that holds 0 is allowed; an even power of an arb is not negative."""
    if exponent < 0:
        return 1 / integer_power(base, -exponent)
    if exponent == 0:
        return base * 0 + 1
    if exponent == 1:
        return base
    if exponent % 2:
        return integer_power(base, exponent - 1) * base
    if hasattr(base, "nonnegative_part") and base.contains(0):  # an arb
        from flint import arb

        return arb(0).union(arb(base.abs_upper()) ** exponent)
    if exponent == 2:
        return base * base
    half = integer_power(base, exponent // 2)
    return half * half


def _whole_power(exponent: int) -> Callable:
    """x ↦ x^n."""
    if exponent == -1:
        return lambda x: 1 / x
    return lambda x: integer_power(x, exponent)


def _larger(sign: int):
    """max (sign 1) or min (−1) of several."""

    def pick(reals, values):
        best = 0
        for at in range(1, len(reals)):
            gap = reals[at] - reals[best]
            # balls are equal to 0 only where they are exactly that: then the branches are the same
            if not gap == 0 and _sign(gap) == sign:
                best = at
        return values[best]

    return _Chosen(pick, lambda *reals: reduce(type(reals[0]).max if sign > 0 else type(reals[0]).min, reals))


def _piecewise(conditions: list) -> _Chosen:
    """Branches: their values, then both sides of all comparisons; ``conditions`` take these as a list and say
    whether they hold, None where that is open."""
    count = len(conditions)

    def pick(reals, values):
        for condition, value in zip(conditions, values[:count], strict=True):
            holds = condition(reals[count:])
            if holds is None:
                raise Undecided
            if holds:
                return value
        raise NotAnalytic

    def interval(*reals):
        met = []
        for condition, value in zip(conditions, reals[:count], strict=True):
            holds = condition(reals[count:])
            if holds is not False:
                met.append(value)
            if holds:
                break
        return reduce(lambda x, y: x.union(y), met)

    return _Chosen(pick, interval)


class _Table(_Chosen):
    """A table of points, linear between them."""

    def __init__(self, function: PiecewiseLinear | PiecewiseConstant):
        self.times, self.values = function.points

    def _cells(self, real) -> tuple[int, int]:
        """The first and the last piece that a real ball meets."""
        low, high = float(real.lower()), float(real.upper())
        last = len(self.times) - 2
        return (min(max(int(np.searchsorted(self.times, low, "right")) - 1, 0), last),
                min(max(int(np.searchsorted(self.times, high, "left")) - 1, 0), last))

    def _line(self, at: int, x):
        from flint import arb

        start, value = arb(self.times[at]), arb(self.values[at])
        slope = (arb(self.values[at + 1]) - value) / (arb(self.times[at + 1]) - start)
        return value + slope * (x - start)

    def interval(self, real):
        """All values on the ball; not finite where it reaches beyond the table."""
        from flint import arb

        slack = SLACK * float(real.rad())
        if not real.is_finite() or real.lower() < -slack or real.upper() > self.times[-1] + slack:
            return arb.nan()
        first, last = self._cells(real)
        if first >= last:
            return self._line(first, real)
        ends = self._line(first, arb(real.lower())).union(self._line(last, arb(real.upper())))
        inner = self.values[first + 1 : last + 1]
        return ends.union(arb(float(inner.min()))).union(arb(float(inner.max())))

    def choose(self, reals, values):
        """The line of the one piece that the real ball is in, up to the rounding of its radius."""
        from flint import arb

        inside = arb(reals[0].mid(), reals[0].rad() * (1 - SLACK))
        first, last = self._cells(inside)
        if first != last:
            raise NotAnalytic
        return self._line(first, values[0])


class _Steps(_Table):
    """A table of constants; a time by itself belongs to the value up to it, as in floats."""

    def _cells(self, real) -> tuple[int, int]:
        if real.rad() == 0:
            at = max(int(np.searchsorted(self.times, float(real.mid()), "left")) - 1, 0)
            return at, at
        return super()._cells(real)

    def _line(self, at: int, x):
        return x * 0 + float(self.values[at])

    def interval(self, real):
        """All values on the ball, but for what one time in it has; not finite where it reaches beyond the
        table."""
        from flint import arb

        slack = SLACK * float(real.rad())
        if not real.is_finite() or real.lower() < -slack or real.upper() > self.times[-1] + slack:
            return arb.nan()
        first, last = self._cells(real)
        met = self.values[first : max(first, last) + 1]
        return arb(float(met.min())).union(arb(float(met.max())))


def _operation(part: sympy.Basic):
    """The operation of one node, and its arguments."""
    match part:
        case PiecewiseLinear():
            return _Table(part), part.args[:1]
        case PiecewiseConstant():
            return _Steps(part), part.args[:1]
        case sympy.Rational():
            return _Constant(lambda: _rational(part)), ()
        case sympy.Float():
            return _Constant(lambda: _rational(sympy.Rational(part))), ()
        case _ if part is sympy.pi:
            return _Constant(_pi), ()
        case _ if part is sympy.E:
            return _Constant(lambda: _rational(sympy.S.One).exp()), ()
        case sympy.Add():
            return _Joined(operator.add), part.args
        case sympy.Mul():
            return _Joined(operator.mul), part.args
        case sympy.Pow(base=base, exp=exponent):
            if exponent.is_Integer:
                return _Plain(_whole_power(int(exponent))), (base,)
            if exponent.is_Rational:
                return _Power(exponent), (base,)
            return _operation(sympy.exp(exponent * sympy.log(base), evaluate=False))
        case sympy.exp():
            return _Plain(lambda x: x.exp()), part.args
        case sympy.log():
            return _Logarithm(), part.args
        case sympy.sin() | sympy.cos() | sympy.tan():
            name = type(part).__name__
            return _Plain(lambda x: getattr(x, name)()), part.args
        case sympy.sinh() | sympy.cosh() | sympy.tanh() | sympy.cot():
            return _Hyperbolic(type(part).__name__), part.args
        case sympy.Abs():
            return _Chosen(lambda reals, values: _sign(reals[0]) * values[0], abs), part.args
        case sympy.sign():
            return _Chosen(lambda reals, values: values[0] * 0 + _sign(reals[0]),
                           lambda x: x.sgn()), part.args
        case sympy.Heaviside():
            return _Chosen(lambda reals, values: values[0] * 0 + (1 if _sign(reals[0]) > 0 else 0),
                           lambda x: (1 + x.sgn()) / 2), part.args[:1]
        case sympy.Max():
            return _larger(1), part.args
        case sympy.Min():
            return _larger(-1), part.args
        case sympy.Piecewise():
            return _branches(part)
    raise NotEnclosed(f"no ball arithmetic for {type(part).__name__}")


def _branches(part: sympy.Piecewise):
    sides: list = []
    conditions = [_condition(condition, sides) for _, condition in part.args]
    return _piecewise(conditions), (*(value for value, _ in part.args), *sides)


def _condition(condition, sides: list) -> Callable:
    """Whether it holds for balls of ``sides``, to which both sides of its comparisons are added."""
    if condition in (sympy.true, sympy.false):
        decided = condition == True  # noqa: E712 (sympy's true)
        return lambda balls: decided
    if isinstance(condition, sympy.And | sympy.Or):
        parts, stop = [_condition(part, sides) for part in condition.args], isinstance(condition, sympy.Or)

        def joined(balls):
            found = [part(balls) for part in parts]
            return stop if stop in found else None if None in found else not stop

        return joined
    if not isinstance(condition, Relational) or condition.rel_op not in (">", ">=", "<", "<="):
        raise NotEnclosed(f"no ball arithmetic for the condition {condition}")
    at, larger = len(sides), condition.rel_op in (">", ">=")
    sides += [condition.lhs, condition.rhs]

    def compared(balls):
        gap = balls[at] - balls[at + 1]
        return larger if gap > 0 else not larger if gap < 0 else None

    return compared


def _pi():
    from flint import arb

    return arb.pi()
