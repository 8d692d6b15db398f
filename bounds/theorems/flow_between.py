r"""The flow bound with noise: steps between the probability-flow ODE and the reverse SDE (k = 1).

Statement
---------
In :math:`Y = X/a`, with the noise level σ = s/a falling from τ to r over a step
:math:`Y_r = \Pi Y - K \varepsilon_\theta(Y, \tau) + \sqrt{\mathrm{var}}\, \xi`,

.. math:: E_k = \Bigl( (A_k E_{k-1} + \|(\Pi - 1) Y + (c\Omega - K) \varepsilon\| + W_k M)^2 + v_k^2
          + W_k^2 M_{noise}^2 \Bigr)^{1/2} + c |1 - \lambda^2| \int \Omega \Delta\, d\sigma,
          \qquad W_2(\mathcal L(y_K), p_{t_0}) \le a(t_0) E_K,

with :math:`c = 1 + \lambda^2`, λ > 0 that of the SDE :math:`dY = -c\,\varepsilon |d\sigma| + \lambda \sqrt{2\sigma} dB`
whose laws are those of the flow, and the smallest over the variance v of a Gaussian that the step is held
against and over λ, which may be another in every step: that of the sampler (η for DDIM, its own for
Euler–Maruyama, 1 for samplers of the reverse SDE, where this is `martingale`), and that whose noise is the
step's.  λ = 0 where a step has no noise.  What depends on the step's own noise stays outside the root.  Where
the data are a ball plus a Gaussian an error does not grow beyond what the ball allows.

Hypotheses
----------
One of the envelopes of `bounds.assumptions`; a sampler with noise and one evaluation of the score
a step, coupled to a λ > 0; a score error of L2 size M at the iterates, and/or of size M_noise with mean zero
given the past.  No smoothness of the score in time, no step-size condition beyond ∫f <= 12 where P = Φ⁻¹, f
of any sign.

Source
------
docs/theory.md section 12 (this project).

Transcription
-------------
cΩ in closed form and without differences that cancel; noise as in `martingale`, in excesses of ĉ over ĉ_lo.
"""

from weakref import WeakKeyDictionary

import numpy as np
import sympy
from sympy import Abs, Max, sqrt, symbols

from bounds.bound import (
    DISCRETISATION,
    EARLY_STOPPING,
    INITIALISATION,
    SCORE_BIAS,
    SCORE_NOISE,
    Bound,
    information_used,
    vacuous_notes,
)
from bounds.conditions import (
    FINITE_FISHER,
    HAS_NOISE,
    LEVELS,
    ONE_BLOCK,
    ONE_EVALUATION,
    ONE_PROBLEM,
    RESOLVED,
)
from bounds.processes.edm import edm
from bounds.processes.ou import ou
from bounds.processes.vp import vp
from bounds.recursion.flow.between import BetweenIngredients, between
from bounds.recursion.flow.data import FlowData
from bounds.recursion.one_block import early_stop, initial_error
from bounds.recursion.propagation import round_up
from bounds.sampler import ancestral, ddim, euler_maruyama, euler_maruyama_lambda
from bounds.setting import Setting
from bounds.stated import Stated
from bounds.theorem import Case, Condition, Domain, Source, Theorem, gaussian
from bounds.theorems import flow

d, v, sigma, tau, r, c = symbols("d v sigma tau r c", real=True)
g, ng, omega, x_lo, gap, rise = symbols("g ng omega x_lo gap rise", real=True)
J, w, rho, p, centre, R, s0, var, kept, lambda_sq = symbols("J w rho p centre R s0 var kept lambda_sq", real=True)

#: What was found of steps, by their table.
_FOUND: WeakKeyDictionary = WeakKeyDictionary()
#: What the flow's bound is made of, too.
SHARED = (*flow.SHARED, "flow_contraction", "start_sq", "noise_size", "turn", "third", "third_strong",
          "third_weak", "third_ball", "ball_variance")


def stated() -> dict:
    """What a step does to an error, and what starting and stopping cost."""
    from sympy import asinh
    from sympy.codegen.cfunctions import expm1

    def lost(power, variance, high, low):
        """1 − ((variance + low²)/(variance + high²))^{power/2}, to all digits: the levels may be near each other, or many
        orders apart."""
        apart = (high - low) * (high + low) / (2 * sqrt(variance + low**2) * sqrt(variance + high**2))
        return -expm1(-power * asinh(apart))

    steep = g * omega / sigma
    apart = (g - ng) - steep * x_lo

    return {name: flow.STATED[name] for name in SHARED} | {
        "between_omega": (v + sigma**2) / sigma * lost(c, v, sigma, r),
        "between_variance": d * (apart**2 + Max(0, rise * (2 * apart * steep + steep**2 * gap), evaluate=False)),
        "between_kept": ((s0**2 + r**2) / (s0**2 + tau**2)) ** (c / 2),
        "between_kept_noise": (s0**2 + r**2) * lost(2 * lambda_sq, s0**2, tau, r),
        "between_noise": sqrt(d) * Abs(sqrt(var) - sqrt(kept)),
        "between_inside": Abs(J - rho) * sqrt(R**2 + d * (s0**2 + tau**2)) + Abs(p) * centre + Abs(w) * R,
        "between_outside": Abs(1 - rho) * R}


STATED = Stated("flow-between", stated)


def derive() -> dict:
    """The stated expressions again, from the equations of ε and Y along the λ-SDE."""
    u, y, z, lam = symbols("u y z lambda", positive=True)
    start, end, half = symbols("start end half", positive=True)
    # dε = ((λ² + (1 − λ²)ĉ_0) ε/σ + (1 − λ²) δ) dσ + …, ĉ_0 = v/(v + σ²): as w = σ/(v + σ²)^{(1−λ²)/2}, and
    # Ω = ∫w/w(σ) in z = v + u², 2u du = dz, with (1 + λ²)/2 = half
    share = sympy.integrate(z ** (half - 1), (z, start, end)) / 2
    rate = sympy.simplify((lam**2 + (1 - lam**2) * y / (y + u**2)) / u
                          - sympy.diff(sympy.log(u / (y + u**2) ** ((1 - lam**2) / 2)), u))
    whole = share * end ** (1 - half) * (c + rate)
    moved = whole.subs({end: v + sigma**2, start: v + r**2}).subs(half, c / 2) / sigma
    # one martingale increment 1 − cΩ(1 − ĉ)/σ against the step's noise, at both ends of the envelope
    e = symbols("e", real=True)
    increment = g * (1 - omega * (x_lo - e) / sigma) - ng
    low, high = increment.subs(e, 0) ** 2, increment.subs(e, gap) ** 2
    # dY = −(c/σ)((1 − ĉ_lo) Y − ϱE[μ | Y])|dσ|, and 1 − ĉ_lo = ϱ = σ²/(s0² + σ²)
    fall = sympy.integrate(u / (y**2 + u**2), u)
    held = sympy.exp(c * (fall.subs(u, r) - fall.subs(u, tau)))
    level = symbols("level", positive=True)
    left = sympy.integrate(level ** (-half), (level, start, end)) * start**half * (half - 1)
    left = left.subs({end: s0**2 + tau**2, start: s0**2 + r**2}).subs(half, 1 + lambda_sq)
    # J Y + w E[μ | y] + … against ρ Y + (1 − ρ)(a mean of E[μ | Y]) + …, from the ball's centre; Π = J + w
    away, middle, here, there = symbols("away middle here there", real=True)
    difference = sympy.expand(J * (away + middle) + w * (middle + here) - rho * (away + middle)
                              - (1 - rho) * (middle + there)).subs(w * middle, (p + 1 - J) * middle)
    difference = sympy.collect(sympy.expand(difference), (away, middle, here, there))
    size = {each: Abs(difference.coeff(each)) for each in (away, middle, here, there)}
    xi = symbols("xi", real=True)
    spread = sympy.expand((sqrt(var) * xi - sqrt(kept) * xi) ** 2).coeff(xi, 2)
    known = flow.THEOREM.derived
    return {name: known[name] for name in SHARED} | {
        "between_omega": moved,
        "between_variance": d * Max(low, low + rise / gap * (high - low)),
        "between_kept": held.subs(y, s0),
        "between_kept_noise": left,
        "between_noise": sqrt(d * spread),
        "between_inside": (size[away] * sqrt(R**2 + d * s0**2 + d * tau**2) + size[middle] * centre
                           + size[here] * R),
        "between_outside": size[there] * R}


def evaluate(setting: Setting, functions) -> Bound:
    """The recursion with the best v and λ of every step, within what a ball allows; and by the sampler's λ
    alone."""
    (parts, single, coupling), path = _found(setting, functions), setting.table.path
    start, term = initial_error(setting, functions)
    fresh, initial = float(setting.score_noise), float(start) / float(path.a[0])
    stop, last = float(early_stop(setting, functions)), float(path.a[-1])
    alone = {INITIALISATION: (initial, False, False, 0.0), SCORE_BIAS: (0.0, False, True, 0.0),
             SCORE_NOISE: (0.0, False, False, fresh), DISCRETISATION: (0.0, True, False, 0.0)}
    terms = {name: float(round_up(last * parts.end(*given), 1)) for name, given in alone.items()}
    if setting.scheme.grid.early_stop > 0:
        terms[EARLY_STOPPING] = stop
    total = float(round_up(last * parts.end(initial, True, True, fresh) + stop, 1))
    total = np.inf if np.isnan(total) else total
    plain = parts.plain(single).end(initial, True, True, fresh)
    details = {"lambda": coupling, "initial_term": term.name,
               "steps": len(parts.contraction),
               "plain_recursion": float(last * plain + stop)}
    return Bound(theorem=THEOREM.key, kind="upper", total=total, terms=terms,
                 information=information_used(None, term.closed_form),
                 notes=vacuous_notes(total, setting.assumption.second_moment), details=details)


def _found(setting: Setting, functions) -> tuple[BetweenIngredients, int, float]:
    """(What the recursion runs on, how many have the sampler's λ, that λ): kept for a question of the same steps and data
    that knows something else of them, which changes the start alone."""
    given, known = (setting.assumption, setting.score_error, functions), _FOUND.get(setting.table)
    if known is None or known[0][0] is not given[0] or known[0][1] != given[1] or known[0][2] is not given[2]:
        question = between(setting, FlowData(setting.assumption, functions), functions)
        known = given, (question.ingredients(), question.single, float(question.coupling[0, 0]))
        _FOUND[setting.table] = known
    return known[1]


def _coupled(setting: Setting):
    """A step with noise has no place in the flow, which has none."""
    rule = setting.scheme.sampler.one_block
    if rule is None or setting.scheme.sampler.follows_ode or rule.coupling > 0:
        return None
    return f"λ must be positive where steps have noise, got {rule.coupling:g} for {setting.scheme.name}"


COUPLED = Condition("coupling", "λ > 0 of the SDE that steps with noise are held against", _coupled)

SYMBOLS = {name: flow.SYMBOLS[name] for name in (
    "EV", "H_lo", "L0", "M", "R", "X", "a_sq", "alpha", "c_0", "c_lo", "c_mean", "c_up", "d", "e", "gap", "k", "k_2",
    "k_R", "l", "m", "m0", "m2", "mean_norm", "p", "r", "s", "s_sq", "sigma", "tau", "x_lo")} | {
    "c": "1 + λ²", "lambda_sq": "λ²", "v": flow.SYMBOLS["v"], "r": flow.SYMBOLS["r"],
    "g": "λ(2σ dσ/dt)^{1/2}, the noise of the λ-SDE in Y",
    "ng": "the step's noise in Y, as it is spread over the step", "omega": "cΩ(σ)",
    "rise": "largest mean of ĉ − ĉ_lo",
    "gap": "K − (τ − r), K the step's coefficient of ε (of its noise: ĉ_up − ĉ_lo)",
    "X": "cΩ − K (of the initial term: H(c_up) − H(c_lo))",
    "J": flow.SYMBOLS["J"], "w": flow.SYMBOLS["w"], "rho": "what the λ-SDE keeps of Y",
    "s0": flow.SYMBOLS["s0"],
    "centre": flow.SYMBOLS["centre"], "var": "variance of the step's noise in Y",
    "kept": "variance of the λ-SDE's noise that is kept"}


def _two_modes(laws):
    """½N(±1, 1/4)."""
    return laws.GaussianMixture.two_modes(2.0, 0.5)


CASES = (
    Case("N(0,1/4), OU, DDIM with η = 1/2", ou, gaussian(0.25), lambda: ddim(4, 100, eta=0.5),
         ratio_ceiling=1.9),
    Case("N(0,1/4), OU, DDIM with little noise", ou, gaussian(0.25), lambda: ddim(4, 100, eta=0.02),
         ratio_ceiling=1.03, decisive={"start_sq": 0.9}),
    Case("N(0,1/4), OU, ancestral", ou, gaussian(0.25), lambda: ancestral(4, 100), ratio_ceiling=2.6),
    Case("N(0,1/4), OU, Euler–Maruyama", ou, gaussian(0.25), lambda: euler_maruyama(4, 400),
         ratio_ceiling=1.4,
         decisive={"between_variance": 0.25}),
    Case("N(0,1/4), EDM, λ = 1/2", edm, gaussian(0.25),
         lambda: euler_maruyama_lambda(20, 64, grid="geometric", lambda_=0.5), ratio_ceiling=7.5),
    Case("two modes, OU, DDIM with η = 1/2", ou, _two_modes, lambda: ddim(5, 50, eta=0.5), ratio_ceiling=6.0),
    Case("two modes, VP, DDIM with η = 0.7", lambda: vp("1/10 + 199/10*t"), _two_modes,
         lambda: ddim(1, 100, eta=0.7), ratio_ceiling=20.0))

THEOREM = Theorem(
    key="flow-between", title="Flow bound with noise", kind="upper", any_start=True,
    source=Source("docs/theory.md", "section 12"),
    statement=r"E_k = \bigl((A_k E_{k-1} + N_k + W_k M)^2 + v_k^2 + W_k^2 M_{\mathrm{noise}}^2\bigr)^{1/2} + "
    r"|1 - \lambda^2| \int c\Omega \Delta\, d\sigma,\quad c = 1 + \lambda^2,\quad W_2 \le a(t_0) E_K",
    symbols=SYMBOLS, conditions=(FINITE_FISHER, ONE_BLOCK, ONE_PROBLEM, ONE_EVALUATION, HAS_NOISE, COUPLED,
                                 RESOLVED, LEVELS),
    stated=STATED, derive=derive, evaluate=evaluate,
    derivation="Variation of constants in the equation of ε along the λ-SDE, whose laws are the flow's; λ is η "
    "for DDIM, its own for Euler–Maruyama, 1 for samplers of the reverse SDE.",
    cases=CASES,
    domain=Domain(process=("ou", "vp", "ve", "sub-vp", "general", "edm", "flow-matching"),
                  sampler=("ddim", "euler-maruyama-lambda", "euler-maruyama", "frozen-euler-maruyama",
                           "exponential",
                           "posterior-mean", "posterior-mean-matched", "ancestral"),
                  parameters=("eta", "lambda")))
