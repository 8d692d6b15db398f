"""A step as h → 0, in plain symbols of its time, and what a process puts in their place late and early."""

from dataclasses import dataclass
from functools import lru_cache

import sympy

from bounds.complexity.growth import LATE, NoOrder, limit
from bounds.complexity.monomials import STEP
from bounds.symbolic.integrals import DUMMY, integral

#: What formulas of a step are worked out with before a process is put in.
PLAIN = {name: sympy.Dummy(name, positive=True) for name in ("a", "s_sq", "L_t", "alpha_t", "g_sq")}
PLAIN["f"] = sympy.Dummy("f", real=True)
#: What changes with time.
MOVING = (LATE, *PLAIN.values())
#: What ends the name of what a symbol of a step has in h².
SECOND = "″"


@dataclass(frozen=True)
class Path:
    """The process in place of the plain symbols, late and early."""

    f: sympy.Expr
    g_sq: sympy.Expr
    m0: sympy.Expr
    L0: sympy.Expr

    def __getitem__(self, name: str):
        """A plain symbol as a function of time."""
        return _on_path(name, self.f, self.g_sq, self.m0, self.L0)

    def late(self, expression, rates: bool):
        r"""As t → ∞: factors up to constants, ``rates`` up to what has an integral.

        With :math:`R = s^2/a^2 \to \infty` there is :math:`L_t \sim \alpha_t \sim 1/s^2`, and
        :math:`g^2 (1/s^2 - \alpha_t) = R'/(R(m_0R+1))` has an integral.
        """
        for name in ("alpha_t", "L_t"):
            symbol = PLAIN[name]
            if not expression.has(symbol):
                continue
            if rates:
                factor = sympy.diff(expression, symbol) / PLAIN["g_sq"]
                alike = not factor.free_symbols & {*PLAIN.values(), LATE}
            else:
                alike = _uncancelled(expression, symbol)
            expression = expression.subs(symbol, 1 / self["late_s_sq"] if alike else self[name])
        late = {"s_sq": "late_s_sq"} if not expression.has(sympy.log) else {}
        return expression.subs({symbol: self[late.get(name, name)] for name, symbol in PLAIN.items()
                                if expression.has(symbol)})

    def early(self, expression):
        """As t → 0."""
        known = {"alpha_t": self.m0, "L_t": self.L0, "a": sympy.S.One, "f": self.f, "g_sq": self.g_sq}
        expression = expression.subs({PLAIN[name]: value for name, value in known.items()})
        s_sq = PLAIN["s_sq"]
        return expression.subs(s_sq, primitive(self.g_sq, "g²")) if expression.has(s_sq) else expression


@lru_cache(maxsize=256)
def _on_path(name: str, f, g_sq, m0, L0):
    match name:
        case "f":
            return f
        case "g_sq":
            return g_sq
        case "a":
            return sympy.exp(-primitive(f, "f"))
    preserving = sympy.simplify(g_sq - 2 * f) == 0
    a_sq = sympy.exp(-2 * primitive(f, "f"))
    ratio = 1 / a_sq - 1 if preserving else primitive(sympy.simplify(g_sq / a_sq), "g²/a²")
    if name == "late_s_sq":
        if limit(ratio) != sympy.oo:
            raise NoOrder("s²/a² must grow without bound: the initial error does not vanish as T → ∞")
        return a_sq * sympy.expand_mul(ratio).as_independent(LATE, as_Add=True)[1]
    s_sq = 1 - a_sq if preserving else a_sq * ratio
    return {"s_sq": s_sq, "alpha_t": 1 / (a_sq / m0 + s_sq), "L_t": 1 / (a_sq / L0 + s_sq)}[name]


def primitive(integrand, name: str):
    """∫_0^t in closed form; raises `NoOrder` if sympy finds none."""
    found = integral(integrand.subs(LATE, DUMMY), DUMMY, sympy.S.Zero, LATE)
    if found.route != "closed form":
        raise NoOrder(f"∫{name} must have a closed form, sympy found none for {integrand}")
    return found.expression


def rests_on_second(expression) -> str:
    """The symbol of a step whose second order an expression contains, or ""."""
    return next((symbol.name.removesuffix(SECOND) for symbol in sorted(expression.free_symbols, key=str)
                 if symbol.name.endswith(SECOND)), "")


def short_step(driftless: bool) -> dict:
    """The symbols of a step as h → 0; what they have in h² has a name of its own, that must not matter."""
    a, s_sq, f, g_sq = (PLAIN[name] for name in ("a", "s_sq", "f", "g_sq"))
    f = sympy.S.Zero if driftless else f

    def second(name):
        return sympy.Symbol(name + SECOND, real=True) * STEP**2

    noise = {name: g_sq * STEP + second(name) for name in ("G", "C", "Q", "n_sq")}
    drift = ({"F": sympy.S.Zero, "P": sympy.S.One, "a": sympy.S.One, "a_r": sympy.S.One} if driftless else
             {"F": f * STEP + second("F"), "P": 1 + f * STEP + second("P"), "a": a,
              "a_r": a * (1 + f * STEP) + second("a_r")})
    return {**noise, **drift, "h": STEP, "t": LATE, "r": LATE - STEP, "s_sq": s_sq,
            "s_sq_r": s_sq - (g_sq - 2 * f * s_sq) * STEP + second("s_sq_r"),
            "L_t": PLAIN["L_t"], "alpha_t": PLAIN["alpha_t"]}


def _uncancelled(expression, symbol) -> bool:
    """Whether what is asymptotic to a symbol may take its place: powers, products, and sums of what is not
    negative."""
    if not expression.has(symbol) or expression == symbol:
        return True
    if expression.is_Add:
        return all(each.is_nonnegative and _uncancelled(each, symbol) for each in expression.args)
    if expression.is_Pow:
        return expression.args[1].is_number and _uncancelled(expression.args[0], symbol)
    return (expression.is_Mul or isinstance(expression, sympy.Abs | sympy.Max | sympy.Min)) and all(
        _uncancelled(each, symbol) for each in expression.args)
