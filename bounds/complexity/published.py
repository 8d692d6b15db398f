"""The iteration complexities printed in arXiv 2311.11003, which `bounds.complexity.orders` is held to."""

from dataclasses import dataclass

import sympy

from bounds.complexity.growth import Order
from bounds.symbolic.integrals import TIME

a, b, c, rho, alpha, sigma = sympy.symbols("a b c rho alpha sigma", positive=True)
_HALF, _ONE, _TWO = sympy.Rational(1, 2), sympy.S.One, sympy.S(2)


@dataclass(frozen=True)
class PublishedOrder:
    """One row of the table.

    Attributes
    ----------
    f, g_sq : sympy expressions
        In `bounds.symbolic.integrals.TIME` and positive parameters.
    steps : Order
        K as printed.
    remark : str
        Why the derived order differs, where it does.

    Source: arXiv 2311.11003 (v1), table of iteration complexities.
    """

    name: str
    f: sympy.Expr
    g_sq: sympy.Expr
    steps: Order
    remark: str = ""


_NO_LOG = ("the printed logarithm is not needed: with w = e^{∫f}/(1 + m0 R) the integral of w g (|f| + g²L) "
           "converges; only M1's term has ∫w g² ~ log T, and it is of smaller order (h T^{1/2} log T √d with "
           "h ~ ε²/d)")


def published_orders() -> tuple[PublishedOrder, ...]:
    """The eight rows."""
    d, eps, t = Order(d=_ONE), Order(eps=-_ONE), TIME
    per_step = d * eps**2
    log = Order(log=_ONE)
    tail = 1 / (2 * c + 1)
    zero = sympy.S.Zero
    return (PublishedOrder("VE, exponential", zero, a**2 * sympy.exp(2 * b * t), per_step * log),
            PublishedOrder("VE, constant", zero, a**2, Order(d=3 * _HALF, eps=-3 * _ONE) * log, _NO_LOG),
            PublishedOrder("VE, √(2at)", zero, 2 * a * t, Order(d=sympy.Rational(5, 4), eps=-5 * _HALF)),
            PublishedOrder("VE, (b+at)^c", zero, (b + a * t) ** (2 * c),
                           per_step * Order(d=tail / 2, eps=-tail)),
            PublishedOrder("Ornstein–Uhlenbeck", alpha, sigma**2, per_step * log),
            PublishedOrder("VP, linear", (b + a * t) / 2, b + a * t, per_step * log**_HALF),
            PublishedOrder("VP, (b+at)^ρ", (b + a * t) ** rho / 2, (b + a * t) ** rho,
                           per_step * log ** (1 / (rho + 1))),
            PublishedOrder("VP, exponential", a * sympy.exp(b * t) / 2, a * sympy.exp(b * t),
                           per_step * Order(loglog=_ONE)))
