"""What the flow theorem says of steps with two score evaluations: stated, and derived again."""

import sympy
from sympy import Abs, Max, Min, Rational, exp, sqrt, symbols

d, v, sigma, m0, L0, R, k_2, e, k = symbols("d v sigma m0 L0 R k_2 e k", real=True)
c_lo, c_up, c_0, x_lo, b_lo, b_up = symbols("c_lo c_up c_0 x_lo b_lo b_up", real=True)
pi, kappa, keep, again, K_2, mu = symbols("pi kappa keep again K_2 mu", real=True)
B_lo, B_up, B, b_0, beta, beta_m, x_up = symbols("B_lo B_up B b_0 beta beta_m x_up", real=True)
Omega, Omega_m, w_m, scale, inner_scale = symbols("Omega Omega_m w_m scale inner_scale", real=True)


def _largest(expressions):
    # as written: sympy would compare the arguments in pairs, for half a second whenever the module is imported
    return Max(*(Abs(each, evaluate=False) for each in expressions), evaluate=False)


def _over_envelope(curve, vertex):
    """The largest |curve(x)| of a quadratic over 1 − ĉ in the envelope: at its ends, or at its vertex."""
    return _largest(curve(x) for x in (x_lo, x_up, Min(Max(vertex, x_up, evaluate=False), x_lo, evaluate=False)))


def _in_the_middle():
    """1 − ĉ of the Gaussian of precision (m0 + L0)/2."""
    return (L0 + m0) * sigma**2 / (2 + (L0 + m0) * sigma**2)


def _stated_rates() -> dict:
    x_0, b_mid = 1 - c_0, _in_the_middle()
    varpi = (L0 - m0) * sigma**2 / (2 + (L0 + m0) * sigma**2)
    return {
        "rate_any": (
            sqrt(c_up) * (2 * (12 * d**2 + 48 * d) ** Rational(1, 4)
                          + 2 * (d * (d + 2) * (d + 4) * (d + 6)) ** Rational(1, 4)) ** 2
            + _largest(3 * c_0 - 2 * c_0**2 - c * (3 + c + c_0) for c in (c_lo, c_up)) * e
            + (4 + c_up + c_0) * k) / sigma**2,
        "rate_strong": (
            _over_envelope(lambda x: 2 * x + 2 * x_0 - 4 * b_mid + 4 * b_mid * x - x**2 - x_0 * x - 2 * x_0**2,
                           1 + 2 * b_mid - x_0 / 2) * e
            + _largest(2 - x - x_0 + 4 * b_mid for x in (x_lo, x_up)) * k
            + 2 * varpi * sqrt(c_up**2 * c_up) * (4 * d * c_up + sqrt(d * (d + 2)))) / sigma**2,
        "rate_ball": (
            _over_envelope(lambda x: 2 * (x_0 - x) + 8 * x_lo * x - 4 * x_lo**2 - x**2 - x_0 * x - 2 * x_0**2,
                           4 * x_lo - 1 - x_0 / 2) * e
            + _largest(8 * x_lo - 2 - x - x_0 for x in (x_lo, x_up)) * k) / sigma**2
        + 2 * R * x_lo / sigma * ((k_2 * x_lo**2 * R**2 + sigma * x_lo * R * (d * (d + 2)) ** Rational(1, 4)) / sigma**3) ** 2}


def stated_twice() -> dict:
    """What the theorem says of steps that evaluate the score twice."""
    # corners of the Jacobians of both evaluations, and the least and the largest of the first's map
    corners = [(b, later) for b in (b_lo, b_up) for later in (B_lo, B_up)]
    inner = [pi - kappa * b for b in (b_lo, b_up)]
    return _stated_rates() | {
        "twice_contraction": _largest(keep + (again - K_2 * later) * (pi - kappa * b) for b, later in corners),
        "twice_apart": Min(
            _largest(keep + (again - K_2 * later) * (inner[0] + inner[1]) / 2 + sign * (again * (inner[0] - inner[1]) / 2)
                     for later in (B_lo, B_up) for sign in (1, -1))
            + Abs(K_2) * _largest((B_lo, B_up)) * Abs(inner[0] - inner[1]) / 2,
            Abs(keep) + _largest(again - K_2 * later for later in (B_lo, B_up)) * _largest(inner), evaluate=False),
        "twice_drift": keep + again * pi - 1 - K_2 * b_0 * (pi - 1),
        "twice_ahead": Omega - again * kappa - K_2 * (w_m + b_0 * (Omega_m - kappa)),
        "flow_ratio": mu * sqrt(v + sigma**2) / (sigma * sqrt(v + mu**2)),
        "kernel": Omega - K_2 * (mu * sqrt(v + sigma**2) / (sigma * sqrt(v + mu**2)) + mu / (v + mu**2) * Omega_m),
        "twice_weight": (Abs(again) + Abs(K_2 * B)) * Abs(kappa * scale) + Abs(K_2 * inner_scale),
        "twice_kept": keep + (again - K_2 * beta_m) * (pi - kappa * beta),
        "twice_first": (again - K_2 * beta_m) * kappa * beta,
        "twice_second": K_2 * beta_m}


#: What the symbols are that steps with one evaluation do not have.
TWICE_SYMBOLS = {
    "b_lo": "least of ∇ε at τ, (1 − ĉ_up)/τ", "b_up": "largest of ∇ε at τ, (1 − ĉ_lo)/τ",
    "pi": "what the inner point of two evaluations keeps of Y", "kappa": "its coefficient of ε",
    "keep": "what a step keeps of Y besides the inner point", "again": "what it takes of the inner point",
    "K_2": "coefficient of ε at the inner point", "mu": "noise level of the inner point",
    "B_lo": "least of ∇ε there", "B_up": "largest of ∇ε there", "B": "largest |∇ε| there",
    "b_0": "∇ε of the reference there, m/(v + m²)", "Omega": "Ω", "Omega_m": "Ω with m in place of r",
    "w_m": "by what ε of the reference is multiplied from τ to m",
    "scale": "a τ, by which an error of the score counts",
    "inner_scale": "a m at the inner point", "beta": "(1 − ĉ_lo)/τ, or another ∇ε at τ",
    "beta_m": "the same at m",
    "x_up": "1 − ĉ_up"}


def _rates() -> dict:
    """Δ′ from D″ along the flow, and from moments of ξ in one dimension; σ = 1 but where its powers stand."""
    x, c, eps, third, t, u, gamma = symbols("x c epsilon kappa_hat t u gamma")
    # D′ = κ/σ³ − Cε/σ² and D″ = t − 3κ + 2Cε − C D′; ε′ = −D′/σ, so ε″ = −D″ + D′
    slope = third - c * eps
    second = -(t - 3 * third + 2 * c * eps - c * slope) + slope
    moved = (sympy.diff(v / (v + u**2), u) * u).subs(v, c_0 * u**2 / (1 - c_0))
    change = sympy.expand(sympy.simplify(second - moved * eps + c_0 * slope + c_0 * eps))
    # ξ = η + a Gaussian of variance γ; g = ξ² − εξ
    eta, gauss = symbols("eta G")
    moments = symbols("m_0:6")
    normal = (1, 0, 1, 0, 3, 0, 15)

    def mean(expression, of_eta=True):
        found = sympy.Poly(sympy.expand(expression), gauss)
        found = sum(factor * normal[power] for (power,), factor in found.terms())
        if not of_eta:
            return found
        found = sympy.Poly(sympy.expand(found), eta)
        known = dict(zip(moments, (1, 0, c - gamma, third), strict=False))
        return sympy.expand(sum(factor * moments[power] for (power,), factor in found.terms()).subs(known))

    xi = eta + sqrt(gamma) * gauss
    look = xi**2 - eps * xi
    centred, inside = look - mean(look), mean(look, False) - mean(look)
    gaussian_part = sympy.expand(mean(xi * centred**2) - mean(eta * inside**2))
    # S: t is 2(1 − b) E[ĝ g′] and a rest
    smooth_part = sympy.expand(2 * (1 - _in_the_middle()) * mean(centred * (2 * xi - eps)))

    def largest(part, ends, quadratic):
        noise, kappa_of = (sympy.expand(change.subs(t, part)).coeff(each) for each in (eps, third))
        noise, kappa_of = (each.subs({c: 1 - x, gamma: 1 - x_lo}) for each in (noise, kappa_of))
        places = list(ends)
        if quadratic:
            (vertex,) = sympy.solve(sympy.diff(noise, x), x)
            places.append(Min(Max(vertex, x_up), x_lo))
        return (Max(*(Abs(noise.subs(x, each)) for each in places)) * e
                + Max(*(Abs(kappa_of.subs(x, each)) for each in ends)) * k)

    # E|Z|^{2n} and E(|Z|² − d)⁴
    power = [sympy.prod(d + 2 * j for j in range(n)) for n in range(5)]
    fourth = sympy.expand(sum(sympy.binomial(4, n) * power[n] * (-d) ** (4 - n) for n in range(5)))
    size = 2 * fourth ** Rational(1, 4) + 2 * power[4] ** Rational(1, 4)
    low, high = m0 + 1 / sigma**2, L0 + 1 / sigma**2
    ends = x_lo, x_up
    any_of = change.subs(t, 0)
    plain = Max(*(Abs(any_of.coeff(eps).subs(c, each)) for each in (c_lo, c_up))) * e
    return {
        "rate_any": (sqrt(c_up) * size**2 + plain + any_of.coeff(third).subs(c, c_up) * k) / sigma**2,
        "rate_strong": (largest(smooth_part, ends, True)
                        + 2 * (high - low) / (high + low) * sqrt(c_up) ** 3 * (4 * d * c_up + sqrt(power[2]))) / sigma**2,
        "rate_ball": largest(gaussian_part, ends, True) / sigma**2
        + 2 * R * x_lo / sigma * (k_2 * (x_lo * R) ** 2 / sigma**3 + x_lo * R / sigma**2 * power[2] ** Rational(1, 4)) ** 2}


def derive_twice() -> dict:
    """What two evaluations add: a step's coefficients collected, its Jacobians, and moments of the posterior."""
    y, noise, u, first, second = symbols("y noise u first second")
    # ε, Y and the exact end in what Y, ε_τ and δ at a level σ > m of the step are
    along = exp(sympy.integrate(v / (u * (v + u**2)), u).subs(u, mu) - sympy.integrate(v / (u * (v + u**2)),
                                                                                       u).subs(u, sigma))
    inner = pi * y - kappa * noise
    middle, later = y - Omega_m * noise, w_m * noise
    scheme = keep * y + again * inner - K_2 * (later + b_0 * (inner - middle))
    missed = sympy.expand(scheme - (y - Omega * noise))
    # δ at σ moves Y_r by Ω, Y_m by Ω^m and ε_m by −w(m)/w(σ)
    turned = Omega - (-K_2 * (-along) - K_2 * b_0 * (-Omega_m)).subs(b_0, mu / (v + mu**2))
    step = sympy.expand(keep * y + again * (pi * y - kappa * first * y)
                        - K_2 * second * (pi * y - kappa * first * y))
    slope = sympy.diff(step, y)
    corner = [Abs(slope.subs({first: b, second: b_m})) for b in (b_lo, b_up) for b_m in (B_lo, B_up)]
    # products of Jacobians that do not commute: the first's map is its middle and a part of norm (S_up − S_lo)/2
    S = [slope.subs({second: 0, keep: 0, again: 1, first: b}) for b in (b_lo, b_up)]
    centre_S, half = (S[0] + S[1]) / 2, Abs(S[0] - S[1]) / 2
    linear = [Abs(keep + again * each - K_2 * centre_S * b_m) for each in S for b_m in (B_lo, B_up)]
    apart = Min(Max(*linear) + Abs(K_2) * Max(Abs(B_lo), Abs(B_up)) * half,
                Abs(keep) + Max(*(Abs(again - K_2 * b_m) for b_m in (B_lo, B_up))) * Max(*(Abs(each)
                                                                                           for each in S)))
    # errors M of both scores, the first passed on by the second
    error = symbols("error")
    off = sympy.expand(again * (-kappa * scale * error) - K_2 * B * (-kappa * scale * error))
    weight = sum(Abs(each.coeff(error)) for each in off.args) + Abs(K_2 * inner_scale)
    # D = ĉ_lo y + (1 − ĉ_lo) E[μ | y]: ε = β (y − E[μ | y])
    here, there = symbols("here there")
    point = pi * y - kappa * beta * (y - here)
    ball = sympy.expand(keep * y + again * point - K_2 * beta_m * (point - there))
    return _rates() | {
        "twice_contraction": Max(*corner), "twice_apart": apart,
        "twice_drift": missed.coeff(y), "twice_ahead": missed.coeff(noise),
        "flow_ratio": along, "kernel": turned,
        "twice_weight": weight, "twice_kept": ball.coeff(y), "twice_first": ball.coeff(here),
        "twice_second": ball.coeff(there)}
