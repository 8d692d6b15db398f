r"""Orders of a claim from its formulas: its growth as T → ∞, and its local term as h → 0 and d → ∞.

With growth = :math:`1 + \lambda h + \dots` and local = :math:`\sum_j c_j(t) h^{1+p_j} d^{q_j} + \dots` the
recursion is to leading order

.. math:: e^{\int_0^T\lambda}\,\mathrm{initial} + \sum_j h^{p_j} d^{q_j} \int_0^T e^{\int_0^t\lambda} c_j\,dt.

Each of these is known up to constants from its logarithmic derivative in T, so that no integral has to be
found.
"""

from collections.abc import Sequence
from functools import cached_property, reduce

import sympy

from bounds.bound import INITIALISATION, SCORE_BIAS
from bounds.claim.formulas import symbols_of
from bounds.claim.hypotheses import Holds
from bounds.claim.statement import Recursion
from bounds.claim.symbols import SYMBOLS
from bounds.complexity.growth import LATE, Complexity, NoOrder, Order, decided, limit
from bounds.complexity.late import (
    accumulated,
    growth_by,
    horizon_by,
    larger_of,
    log_rate,
    scales_of,
    settled,
    size_of,
)
from bounds.complexity.monomials import DIMENSION, STEP, leading, monomials, parts
from bounds.complexity.short_steps import Path, primitive, rests_on_second, short_step
from bounds.leading import m as MOMENT
from bounds.symbolic.integrals import TIME
from bounds.theorem import Theorem

#: T, where it stands beside the time of a step.
_HORIZON = sympy.Symbol("T", positive=True)
#: What is left of the initial error, and the integrals of the others, in `Complexity.error`.
_START = sympy.Symbol("i", positive=True)
#: Formulas of a step may hold these of a question.
_ERRORS = "M", "M_noise"


def orders_of_claim(theorem: Theorem, drift, diffusion_sq) -> Complexity:
    """The orders of a claim, as `bounds.complexity.orders.complexity` has them of a theorem.

    Raises `NoOrder`, saying why, where sympy does not find them.
    """
    claim = _Claim(theorem, drift, diffusion_sq)
    if theorem.kind != "upper":
        raise NoOrder(f"{theorem.key}: a lower bound guarantees no number of steps")
    dimensions, late = claim.start()
    growth = growth_by(late)
    accuracy = Order(d=dimensions, eps=-sympy.S.One)
    horizon = horizon_by(growth, accuracy)
    scales = scales_of(growth, late, accuracy, horizon)
    sizes = [(p, q, size_of(rate, scales)) for p, q, rate in claim.discretisation()]
    if not sizes:
        raise NoOrder(f"{theorem.key}: without a discretisation term any h will do")
    # hᵖ dᵠ size = ε
    steps = reduce(larger_of, ((Order(d=q, eps=-sympy.S.One) * size) ** (1 / p) for p, q, size in sizes))
    step = steps**-1
    inverse = [Order(d=q, eps=-sympy.S.One) * size_of(rate, scales) * step**p for p, q, rate in claim.score()]
    score = reduce(larger_of, inverse) ** -1 if inverse else None
    powers = dict.fromkeys((p, q) for p, q, _ in sizes)
    error = sum((STEP**p * DIMENSION**q * sympy.Symbol(f"I{at}", positive=True)
                 for at, (p, q) in enumerate(powers, start=1)), DIMENSION**dimensions * _START)
    factor = None if growth.level == 0 else growth.horizon_factor(sympy.S.One, sympy.S.One)
    horizon, step, score, steps = (claim.said(order) for order in (horizon, step, score, horizon * steps))
    return Complexity(theorem=theorem.key, horizon=horizon, step=step, score_error=score, steps=steps,
                      growth=growth, horizon_factor=factor and factor.subs(claim.names),
                      leading_constant=None, error=error, assumes=", ".join(claim.assumes))


class _Claim:
    """The formulas of a claim on a process, in h, d, constants of the data and time."""

    def __init__(self, theorem: Theorem, drift, diffusion_sq):
        self._theorem, self._recursive = theorem, isinstance(theorem.evaluate, Recursion)
        self._f, self._g_sq = (sympy.sympify(value).subs(TIME, LATE) for value in (drift, diffusion_sq))
        self._check()
        self._data, self.names = _constants(theorem)
        self.assumes = [each.check.inequality.text for each in theorem.conditions
                        if isinstance(each.check, Holds)]

    def _check(self) -> None:
        """Refuse a claim that is not stated for the process, equal steps, or strongly log-concave data."""
        domain, key = self._theorem.domain, self._theorem.key
        if domain.process and not any(_is_of(family, self._f, self._g_sq) for family in domain.process):
            raise NoOrder(f"{key}: stated for {' or '.join(domain.process)}")
        if domain.grid and "uniform" not in domain.grid:
            raise NoOrder(f"{key}: stated for {' or '.join(domain.grid)} grids, and orders are those of "
                          "equal steps")
        used = symbols_of(*self._theorem.stated.values())
        if "k" in used:
            raise NoOrder(f"{key}: k, the number of a step, has no order; its time t has")
        if not self._strong and (local := [name for name in ("L_t", "alpha_t") if name in used]):
            raise NoOrder(f"{key}: {local[0]} has an order for strongly log-concave data alone")

    @property
    def _strong(self) -> bool:
        return not self._theorem.domain.data or "strong-log-concave" in self._theorem.domain.data

    def said(self, order: Order | None) -> Order | None:
        """An order in the constants as they are called."""
        return order and order.subs(self.names)

    def start(self) -> tuple:
        """(q of dᵠ, minus the logarithmic derivative in T) of what is left of the initial error."""
        name = "initial" if self._recursive else INITIALISATION
        if name not in self._theorem.stated:
            raise NoOrder(f"{self._theorem.key}: without an {name} term no horizon is asked for")
        kept = [part for part in self._parts(name) if not _vanishes(part)]
        factor, p, q = leading(sum(kept, sympy.S.Zero), f"the {name} term")
        if p != 0 or any(_mixes(part) for part in kept):
            raise NoOrder(f"the {name} term must have a limit as h → 0, the same for every T")
        late = -log_rate(settled(self._at_horizon(factor)))
        return q, sympy.simplify(late - self._rate if self._recursive else late)

    def discretisation(self) -> list[tuple]:
        """(p, q, logarithmic derivative in T of the size) of every hᵖ dᵠ."""
        if self._recursive:
            found = [size for part in self._parts("local") for size in self._summed(part, "local")]
            found += self._sizes([part for part in self._parts("initial") if _vanishes(part)])
        else:
            found = self._sizes([part for name in self._theorem.stated for part in self._parts(name)
                                 if name != INITIALISATION or _vanishes(part)])
        for p, *_ in found:
            if not decided(sympy.Gt(p, 0), "h must make the error small"):
                raise NoOrder("the discretisation error does not vanish as h → 0: no step is short enough")
        return list(dict.fromkeys(found))

    def score(self) -> list[tuple]:
        """The same for a score error of one."""
        name, M = "local" if self._recursive else SCORE_BIAS, _symbol("M")
        if name not in self._theorem.stated or not self._theorem.stated[name].has(M):
            return []
        slope = _slope(self._put(name).subs(_symbol("M_noise"), 0), M)
        return self._summed(slope, "score") if self._recursive else self._sizes([slope])

    def _parts(self, name: str) -> list:
        """The summands of a formula without score errors."""
        found = parts(self._put(name).subs(dict.fromkeys(map(_symbol, _ERRORS), 0)))
        terms = [(part, key, rests_on_second(factor)) for part in found
                 for key, factor in monomials(part).items()]
        # but for what a step has in h² beside what it has in h
        beside = {part for part, (p, q), second in terms if second and any(
            r < p and s >= q for _, (r, s), other in terms if not other)}
        return [part for part in found if part not in beside]

    def _sizes(self, summands: Sequence) -> list[tuple]:
        """Of numbers of the question."""
        return [(p, q, log_rate(settled(self._at_horizon(factor)))) for part in summands
                for (p, q), factor in monomials(part).items()]

    def _summed(self, local, name: str) -> list[tuple]:
        """Of an error of every step: the weighted integral over time."""
        sizes = []
        for (p, q), factor in monomials(local).items():
            self._check_early(factor, name)
            size = self._in_time(factor)
            of_horizon, of_time = size.as_independent(LATE) if size.has(_HORIZON) else (sympy.S.One, size)
            if of_time.has(_HORIZON):
                raise NoOrder(f"the {name} term mixes T with the time of a step")
            rate = accumulated(sympy.simplify(self._rate + log_rate(settled(of_time))))
            rate += log_rate(settled(of_horizon.subs(_HORIZON, LATE)))
            sizes.append((p - 1, q, sympy.simplify(rate)))
        return sizes

    def _at_horizon(self, expression):
        return self._in_time(expression).subs(_HORIZON, LATE)

    def _check_early(self, factor, name: str) -> None:
        """Refuse errors of steps that have no sum down to time 0."""
        early = self._path.early(factor)
        if early.has(LATE) and not decided(
                sympy.Lt(limit(LATE * log_rate(settled(early.subs({LATE: 1 / LATE, _HORIZON: 1})))), 1),
                "the errors of the last steps must add up"):
            raise NoOrder(f"the {name} terms of the last steps grow like 1/t or faster: without early "
                          "stopping they have no sum")

    @cached_property
    def _rate(self):
        """λ in growth = 1 + λ h as t → ∞, up to what has an integral."""
        growth = self._put("growth")
        for name in ("d", "T", "K", *_ERRORS):
            if growth.has(_symbol(name)):
                raise NoOrder(f"{self._theorem.key}: growth must not contain {name}")
        rate = settled(_rate(growth), sums=True)
        early = self._path.early(rate)
        if early.has(LATE) and limit(settled(early.subs(LATE, 1 / LATE), sums=True) / LATE) != 0:
            raise NoOrder("the growth of the last steps has no product as h → 0")
        return settled(self._in_time(rate, rates=True), sums=True)

    def _put(self, name: str) -> sympy.Expr:
        """A formula with h → 0 in every symbol of a step, and with the constants of the data."""
        formula = self._theorem.stated[name]
        short = short_step(self._f == 0)
        known = {"T": _HORIZON, "K": _HORIZON / STEP, "t0": sympy.S.Zero, "a_0": sympy.S.One,
                 "s_0": sympy.S.Zero}
        if any(symbol in symbols_of(formula) for symbol in ("a_T", "s_T", "sigma")):
            known |= {"a_T": self._path["a"].subs(LATE, _HORIZON),
                      "s_T": sympy.sqrt(self._path["s_sq"].subs(LATE, _HORIZON))}
            known["sigma"] = known["s_T"]  # the prior of every sampler, unless another is given
        for symbol, of in (("F_T", self._f), ("G_T", self._g_sq)):
            if symbol in symbols_of(formula):
                known[symbol] = primitive(of, "f" if symbol == "F_T" else "g²").subs(LATE, _HORIZON)
        values = {_symbol(each): value for each, value in {**short, **known, **self._data}.items()}
        put = formula.subs(values, simultaneous=True)
        if put.has(sympy.zoo, sympy.oo, sympy.nan):
            raise NoOrder(f"{name} is infinite at t0 = 0")
        return put

    def _in_time(self, expression, rates: bool = False):
        """With the process in place of the plain symbols; refuses what rests on more than first orders."""
        if beyond := rests_on_second(expression):
            raise NoOrder(f"what {beyond} is to first order in h cancels, and orders rest on no more")
        return self._path.late(expression, rates)

    @cached_property
    def _path(self) -> Path:
        return Path(self._f, self._g_sq, self._data["m0"], self._data["L0"])


def _symbol(name: str) -> sympy.Symbol:
    return SYMBOLS[name].symbol


def _constants(theorem: Theorem) -> tuple[dict, dict]:
    """(The constants of the data by positive numbers, what these are): L0 above m0, and m0 within the
    hypotheses that are about it alone."""
    least, most = _between(theorem, "m0"), _between(theorem, "m0", upper=True)
    floor, names = _between(theorem, "L0"), {}

    def over(name: str, value):
        """A positive number of that value; a name that shows it, where a reason is given."""
        symbol = sympy.Symbol(f"({name})", positive=True)
        names[symbol] = value
        return symbol

    m0, L0 = _symbol("m0"), _symbol("L0")
    if least is not None and least > 0:
        convex = least + over(f"m0 - {least}", m0 - least)
    elif most is not None and most > 0:
        convex = most / (1 + over(f"{most}/m0 - 1", most / m0 - 1))
    else:
        convex = m0
    apart = least is None and floor is not None and most is not None and floor >= most > 0
    smooth = floor + over(f"L0 - {floor}", L0 - floor) if apart else convex + over("L0 - m0", L0 - m0)
    data = {"m0": convex, "L0": smooth, "m2": MOMENT * DIMENSION, "mean_norm": sympy.sqrt(MOMENT * DIMENSION),
            "d": DIMENSION}
    strong = not theorem.domain.data or "strong-log-concave" in theorem.domain.data
    data |= ({"alpha": convex, "weak_M": sympy.S.Zero} if strong
             else {"alpha": sympy.Symbol("α", positive=True)})
    return data, names


def _between(theorem: Theorem, name: str, upper: bool = False):
    """The largest lower, or least upper, number that a hypothesis gives a constant; None if there is none."""
    found, symbol = [], _symbol(name)
    for each in theorem.conditions:
        if isinstance(each.check, Holds) and each.check.inequality.difference.free_symbols == {symbol}:
            difference = each.check.inequality.difference
            slope = sympy.diff(difference, symbol)
            if slope.is_number and slope != 0 and (slope.is_positive is upper):
                found.append(-difference.subs(symbol, 0) / slope)
    return (min(found) if upper else max(found)) if found else None


def _is_of(family: str, f, g_sq) -> bool:
    """Whether a process is of a family, by its coefficients."""
    match family:
        case "ou":
            return f == 1 and g_sq == 2
        case "vp":
            return sympy.simplify(g_sq - 2 * f) == 0
        case "ve":
            return f == 0
        case "sub-vp":
            speed = 2 * f
            return sympy.simplify(g_sq - speed * (1 - sympy.exp(-2 * primitive(speed, "β")))) == 0
    return family == "general"


def _slope(expression, M):
    """What a large M is multiplied by."""
    return sympy.diff(expression, M) if sympy.diff(expression, M, 2) == 0 else limit(expression / M, M)


def _rate(growth):
    """λ in growth = 1 + λ h + …; raises `NoOrder` where there is none."""
    if isinstance(growth, sympy.Max | sympy.Min):
        return growth.func(*map(_rate, growth.args))
    if growth.is_Mul:
        return sum(map(_rate, growth.args))
    if isinstance(growth, sympy.Abs):
        (inside,) = growth.args
        return _rate(-inside if sympy.simplify(_limit_at_no_step(inside) + 1) == 0 else inside)
    if growth.is_Pow and growth.args[1].is_number:
        return growth.args[1] * _rate(growth.args[0])
    if growth.is_Add and growth.has(sympy.Max, sympy.Min, sympy.Abs):
        whole = [each for each in growth.args if each.has(sympy.Max, sympy.Min, sympy.Abs)]
        if len(whole) == 1 and sympy.simplify(_limit_at_no_step(whole[0]) - 1) == 0:
            return _rate(whole[0]) + _in_h(growth - whole[0])
    at_once = _limit_at_no_step(growth)
    if sympy.simplify(at_once - 1) != 0:
        raise NoOrder(f"growth tends to {sympy.simplify(at_once)} as h → 0, not to 1")
    return _in_h(growth - 1)


def _limit_at_no_step(expression):
    found = monomials(expression)
    if any(p < 0 for p, _ in found):
        raise NoOrder("growth has no limit as h → 0")
    return found.get((0, 0), sympy.S.Zero)


def _in_h(expression):
    """The factor of h in what vanishes as h → 0."""
    found = monomials(expression)
    if any(p < 1 for p, _ in found):
        raise NoOrder("growth must be 1 + λh to first order in h")
    return found.get((1, 0), sympy.S.Zero)


def _vanishes(part) -> bool:
    """Whether it does so as h → 0, at any T."""
    return part.has(STEP) and all(p > 0 for p, _ in monomials(part))


def _mixes(part) -> bool:
    """Whether a sum inside it holds something small in h beside something that T makes small."""
    return any(each.is_Add and any(map(_vanishes, each.args)) and each.has(_HORIZON)
               for inside in sympy.preorder_traversal(part) if not isinstance(inside, sympy.exp)
               for each in inside.args)
