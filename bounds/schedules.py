r"""The named forward processes: schedules β(t) and g(t) of the literature as `ForwardProcess` objects."""

from __future__ import annotations

import sympy

from bounds.process import TIME, ForwardProcess, integral


def _expression(name: str, value) -> sympy.Expr:
    """A function of t: a sympy expression in `TIME`, a number, or text read by the whitelisting parser."""
    if isinstance(value, sympy.Expr):
        return value.subs({symbol: TIME for symbol in value.free_symbols if symbol.name == "t"})
    from bounds.symbolic.expressions import parse_expression

    return parse_expression(value, TIME, name=f"process.{name}")


def real_function(name: str, value) -> sympy.Expr:
    """A coefficient as an expression in `TIME` alone, from an expression, a number or text."""
    expression = _expression(name, value)
    extra = {str(s) for s in expression.free_symbols - {TIME}}
    if extra:
        raise ValueError(f"{name} must be a function of t alone, got also {', '.join(sorted(extra))}")
    return expression


def ou() -> ForwardProcess:
    r"""Ornstein–Uhlenbeck: f = 1, g = √2 (arXiv 2501.02298 eq. (3))."""
    return ForwardProcess.scalar("ou", 1, 2)


def vp(beta) -> ForwardProcess:
    r"""Variance preserving: f = β/2, g = √β (arXiv 2311.11003 section 2).

    Parameters
    ----------
    beta : sympy expression, number or str
        β(t) >= 0.
    """
    beta = real_function("beta", beta)
    return ForwardProcess.scalar("vp", beta / 2, beta, {"beta": str(beta)})


def ve(g) -> ForwardProcess:
    """Variance exploding: f = 0, noise g(t) (arXiv 2311.11003 section 2)."""
    g = real_function("g", g)
    return ForwardProcess.scalar("ve", 0, g**2, {"g": str(g)})


def sub_vp(beta) -> ForwardProcess:
    r"""Sub-variance preserving: f = β/2, g² = β(1 − e^{−2∫β}) (Song et al. 2021)."""
    beta = real_function("beta", beta)
    u = sympy.Symbol("u", nonnegative=True)
    total = integral(beta.subs(TIME, u), u, 0, TIME).expression
    if total.has(sympy.Integral):
        raise ValueError(f"sub-vp: beta must have a closed-form integral, got {beta}")
    return ForwardProcess.scalar("sub-vp", beta / 2, beta * (1 - sympy.exp(-2 * total)), {"beta": str(beta)})


def general(f, g) -> ForwardProcess:
    """Any f(t), of any sign, and any real g(t) (arXiv 2311.11003 eq. (2.1))."""
    f, g = real_function("f", f), real_function("g", g)
    return ForwardProcess.scalar("general", f, g**2, {"f": str(f), "g": str(g)})


def exact(number) -> sympy.Expr:
    """An exact number: decimals as they are written (0.1 is 1/10), sympy's numbers as they are."""
    return number if isinstance(number, sympy.Expr) else sympy.Rational(str(number))


# -- schedules: β(t) for vp and sub_vp ----------------------------------------------------------------------------


def constant(level) -> sympy.Expr:
    """β = level."""
    return exact(level)


def linear(start, slope) -> sympy.Expr:
    """β = start + slope·t."""
    return exact(start) + exact(slope) * TIME


def polynomial(b, a, power) -> sympy.Expr:
    """(b + a t)^power; also g for VE."""
    return (exact(b) + exact(a) * TIME) ** exact(power)


def exponential(a, b) -> sympy.Expr:
    """a e^{bt}; also g for VE."""
    return exact(a) * sympy.exp(exact(b) * TIME)


def cosine(horizon=1, offset="1/125") -> sympy.Expr:
    r"""β whose a(t)² is the cosine schedule cos²(π/2·(t/T'+s)/(1+s)) up to normalisation (Nichol and Dhariwal 2021).

    Parameters
    ----------
    horizon : number
        The time T' at which a would vanish; the sampler's horizon must be smaller.
    offset : number or str
        The small s.
    """
    horizon, offset = exact(horizon), exact(offset)
    rate = sympy.pi / (2 * (1 + offset) * horizon)
    return 2 * rate * sympy.tan(rate * (TIME + offset * horizon))
