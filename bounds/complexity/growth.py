"""How fast things grow as the horizon T → ∞, by limits of logarithmic derivatives, and orders in (ε, d)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import sympy

from bounds.symbolic.deadline import Deadline

#: The forward time, positive so that sympy may divide by it.
LATE = sympy.Symbol("t", positive=True)
#: Seconds sympy may spend on one limit.
LIMIT_SECONDS = 20.0


class NoOrder(ValueError):
    """The order cannot be derived; the message says what was asked of f and g and what was found."""


@dataclass(frozen=True)
class Order:
    r"""An order :math:`d^p\,\varepsilon^{q}\,\log^{r}(\sqrt d/\varepsilon)\,(\log\log)^{s}`.

    Attributes
    ----------
    d, eps, log, loglog : sympy expressions
        The exponents p, q, r, s; log is of √d/ε, equal to log(d/ε) up to a constant factor.
    """

    d: sympy.Expr = sympy.S.Zero
    eps: sympy.Expr = sympy.S.Zero
    log: sympy.Expr = sympy.S.Zero
    loglog: sympy.Expr = sympy.S.Zero

    def __mul__(self, other: Order) -> Order:
        return Order(
            *(sympy.simplify(mine + its) for mine, its in zip(self._powers, other._powers, strict=True)))

    def __pow__(self, power) -> Order:
        return Order(*(sympy.simplify(mine * sympy.sympify(power)) for mine in self._powers))

    @property
    def _powers(self) -> tuple:
        return self.d, self.eps, self.log, self.loglog

    def subs(self, values: Mapping) -> Order:
        """With symbols in the exponents replaced."""
        return Order(*(sympy.simplify(power.subs(values)) for power in map(sympy.sympify, self._powers)))

    def same(self, other: Order) -> bool:
        """Whether the two are the same order."""
        return all(sympy.simplify(mine - its) == 0
                   for mine, its in zip(self._powers, other._powers, strict=True))

    @property
    def expression(self) -> sympy.Expr:
        """The order as a sympy expression in d, varepsilon."""
        d, eps = sympy.symbols("d varepsilon", positive=True)
        log = sympy.log(d / eps)
        return d**self.d * eps**self.eps * log**self.log * sympy.log(log) ** self.loglog

    def __str__(self) -> str:
        parts = _power("d", self.d), _power("log(d/ε)", self.log), _power("loglog(d/ε)", self.loglog)
        top = " ".join(filter(None, parts)) or "1"
        if self.eps == 0:
            return top
        if sympy.sympify(self.eps).is_positive:
            return _power("ε", self.eps) + ("" if top == "1" else f" {top}")
        return f"{top}/{_power('ε', sympy.simplify(-self.eps))}"

    @property
    def latex(self) -> str:
        """The order in LaTeX."""
        bases = "d", r"\varepsilon", r"\log(d/\varepsilon)", r"\log\log(d/\varepsilon)"
        powers = zip(bases, (self.d, self.eps, self.log, self.loglog), strict=True)
        return r"\,".join(_latex_power(*pair) for pair in powers if pair[1] != 0) or "1"


def _power(base: str, exponent) -> str:
    exponent = sympy.factor(sympy.together(sympy.sympify(exponent)))
    if exponent in (0, 1):
        return base if exponent == 1 else ""
    if exponent == sympy.Rational(1, 2):
        return f"√{base}"
    text = re.sub(r"(\d)\*(?=[a-zρ(])", r"\1",
                  str(exponent).replace("**", "^").replace(" ", "").replace("rho", "ρ"))
    return f"{base}^{text}" if exponent.is_Integer and exponent > 0 else f"{base}^({text})"


def _latex_power(base: str, exponent) -> str:
    exponent = sympy.factor(sympy.together(sympy.sympify(exponent)))
    return base if exponent == 1 else rf"{base}^{{{sympy.latex(exponent)}}}"


#: X = √d/ε, the accuracy asked for in units of one coordinate.
ACCURACY = Order(d=sympy.Rational(1, 2), eps=-sympy.S.One)


def limit(expression, variable=LATE):
    """lim of the expression at ∞; raises `NoOrder` if sympy does not find it in time."""
    try:
        with Deadline(LIMIT_SECONDS):
            found = sympy.limit(expression, variable, sympy.oo)
    except Exception as error:  # sympy gives up in many ways
        raise NoOrder(f"sympy found no limit of {shown(expression)} at infinity ({type(error).__name__})"
                      ) from None
    if signs := [sign for sign in found.atoms(sympy.sign) if sympy.simplify(sign.args[0]) != 0]:
        raise NoOrder(f"the order depends on the sign of {shown(signs[0].args[0])}")
    if found.has(sympy.Limit, sympy.nan, sympy.AccumBounds, sympy.sign):
        raise NoOrder(f"{shown(expression)} has no limit at infinity")
    return sympy.simplify(found)


def shown(expression) -> str:
    """An expression in a reason, shortened."""
    text = str(expression)
    return text if len(text) <= 60 else f"{text[:57]}…"


def decided(relation, what: str) -> bool:
    """The truth of a sympy relation; raises `NoOrder` if it depends on the parameters."""
    if relation in (sympy.true, sympy.false):
        return bool(relation)
    raise NoOrder(f"the order depends on whether {shown(relation)} ({what})")


@dataclass(frozen=True)
class Growth:
    r"""How R(t) → ∞: :math:`\log^{(\mathrm{level})} R \sim \mathrm{coefficient}\; t^{\mathrm{exponent}}`.

    Attributes
    ----------
    level : int
        0: R is a power of t; 1: log R is; 2: log log R is.
    exponent, coefficient : sympy expressions
    rate : sympy expression
        A function of t asymptotically equal to R′/R.
    """

    level: int
    exponent: sympy.Expr
    coefficient: sympy.Expr
    rate: sympy.Expr

    @property
    def horizon_order(self) -> Order:
        """Order of the T at which R(T) = √d/ε."""
        power = 1 / self.exponent
        return (ACCURACY**power, Order(log=power), Order(loglog=power))[self.level]

    def horizon_factor(self, power, factor) -> sympy.Expr:
        r"""c in T ∼ c·(order of T), :math:`R(T) = (\mathrm{factor}\sqrt d/\varepsilon)^{\mathrm{power}}`.

        With level 1, log(√d/ε) is the logarithm meant.
        """
        top = (factor**power, power, sympy.S.One)[self.level]
        return sympy.simplify((top / self.coefficient) ** (1 / self.exponent))


def growth_of(log_derivative, log_value) -> Growth:
    r"""Growth of R = ∫R′ from (R″/R′, log R′), expressions in `LATE`.

    Raises
    ------
    NoOrder
        If R stays bounded, or grows like none of tᵖ, e^{tᵖ}, e^{e^{tᵖ}} up to constants.
    """
    t = LATE
    power = limit(t * log_derivative)
    if power not in (sympy.oo, -sympy.oo):
        exponent = sympy.simplify(1 + power)
        if not decided(sympy.Gt(exponent, 0), "R must grow without bound"):
            raise NoOrder("s²/a² must grow like a power of t or faster: its derivative behaves like "
                          f"t^({power})")
        coefficient = (limit(sympy.exp(sympy.expand_log(log_value - power * sympy.log(t), force=True)))
                       / exponent)
        if coefficient in (0, sympy.oo):
            raise NoOrder(f"s²/a² grows like t^({exponent}) times something slower, whose order is not "
                          "derived")
        return Growth(0, exponent, sympy.simplify(coefficient), exponent / t)
    if power == -sympy.oo:
        raise NoOrder("s²/a² must grow without bound: the initial error does not vanish as T → ∞")
    inner, value = log_derivative, log_value
    for level in (1, 2):
        exponent = limit(t * inner / value)
        if exponent != sympy.oo:
            coefficient = limit(value / t**exponent)
            if exponent == 0 or coefficient in (0, sympy.oo):
                break
            return Growth(level, exponent, coefficient, log_derivative)
        inner, value = inner / value, sympy.log(value)
    raise NoOrder("s²/a² grows like none of t^p, e^(t^p), e^(e^(t^p))")


def integral_order(log_derivative, horizon: Growth) -> tuple[Order, bool]:
    """(Order of ∫_0^T of a density with this logarithmic derivative, whether the integral converges).

    Raises `NoOrder` if it lies between the powers of t.
    """
    t = LATE
    decay = limit(-t * log_derivative)
    if decay == sympy.oo:
        return Order(), True
    if decay == -sympy.oo:
        raise NoOrder("the errors of the steps grow faster than every power of T")
    if decided(sympy.Gt(decay, 1), "the errors of the steps must add up"):
        return Order(), True
    if decay == 1:
        if limit(sympy.log(t) * (-t * log_derivative - 1)) != 0:
            raise NoOrder("the errors of the steps decay like 1/t times a power of log t")
        if horizon.level > 1:
            raise NoOrder("the order has a threefold logarithm")
        return (Order(loglog=sympy.S.One) if horizon.level else Order(log=sympy.S.One)), False
    return horizon.horizon_order ** (1 - decay), False


def larger(one: Order, other: Order) -> Order:
    """The larger order as √d/ε → ∞."""
    for mine, its in ((-one.eps, -other.eps), (one.d, other.d), (one.log, other.log),
                      (one.loglog, other.loglog)):
        difference = sympy.simplify(mine - its)
        if difference != 0:
            if difference.is_positive is None:
                raise NoOrder(f"the order depends on the sign of {difference}")
            return one if difference.is_positive else other
    return one


@dataclass(frozen=True)
class Complexity:
    r"""How many steps reach W2 ≤ ε: orders as ε → 0 or d → ∞ with √d/ε → ∞.

    Attributes
    ----------
    horizon, step, steps : Order
        T(ε, d), h(ε, d) and K = T/h.
    score_error : Order or None
        The admissible M(ε, d); None of a claim that is stated for an exact score.
    growth : Growth
        How s²/a² grows; of a claim how the inverse of its initial term does.
    horizon_factor : sympy expression or None
        c in T ∼ c·(order of T) with half of ε for the initial error; None of a claim where T is a power.
    leading_constant : sympy expression or None
        c in K ∼ c·(order of K), half of ε for the steps; in it I stands for the integral of ``density``.
        None where that integral grows with T, and of claims.
    error : sympy expression
        Leading-order E(T, h) over √d at M = 0, in R, h and I; of a claim all of E, with i for what is left of
        its initial term and I1, I2, … for the sums over the steps.
    """

    theorem: str
    horizon: Order
    step: Order
    score_error: Order | None
    steps: Order
    growth: Growth
    horizon_factor: sympy.Expr | None
    leading_constant: sympy.Expr | None
    error: sympy.Expr
    assumes: str
