"""Theorems with a mistake planted: each is false, and `sgm-bounds refute` is to find out.

``python -m tests.whole.planted 60`` hunts each for 60 s of CPU and prints the table of docs/refute.md.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from time import process_time
from unittest.mock import patch

import numpy as np
import sympy

from bounds import claim
from bounds.steps.path import Path
from bounds.theorem import Theorem
from bounds.theorems import gentiloni2025_weak_log_concave as gentiloni2025
from bounds.theorems import theorems
from verify.counterexamples.refuting import Round, hunt

#: Seed of every hunt, and CPU seconds after which one ends.
SEED, SECONDS = 0, 60.0

GAO, GENTILONI, MARTINGALE, COUPLED = ("gao2025-general-sde", "gentiloni2025-weak-log-concave", "martingale",
                                       "martingale-coupled")
STRASMAN, LOWER = "strasman2025-cld", "gaussian-lower-bound"


@dataclass(frozen=True)
class Planted:
    """A mistake: in which theorem, what it is, and the theorem with it.

    ``because`` says why no problem is found, where that is so: as far as is seen, the theorem is true with
    the mistake too, or too loose there.
    """

    theorem: str
    mistake: str
    make: Callable[[], Theorem]
    because: str = ""

    def __str__(self):
        return f"{self.theorem}: {self.mistake}"


def hunted(planted: Planted, seconds: float = SECONDS) -> tuple[list[Round], float]:
    """Rounds until one finds a counterexample or the CPU seconds are over, and the CPU seconds they took."""
    theorem, rounds, start = planted.make(), [], process_time()
    while not (rounds and rounds[-1].violated) and process_time() - start < seconds:
        rounds.append(hunt(theorem, SEED, len(rounds), stop=lambda: process_time() - start >= seconds))
    return rounds, process_time() - start


def _restated(key: str, **changes: Callable) -> Callable[[], Theorem]:
    """The theorem of that key with stated expressions changed: each is a function of the expression and of
    `_symbol`."""

    def make():
        theorem = theorems()[key]
        return replace(theorem, stated={**theorem.stated, **{
            name: change(theorem.stated[name], _symbol) for name, change in changes.items()}})

    return make


def _symbol(name: str) -> sympy.Symbol:
    return sympy.Symbol(name, real=True)


def _times(key: str, name: str, factor) -> Callable[[], Theorem]:
    return lambda: theorems()[key].corrupted(name, factor)


def _put(**values) -> Callable:
    """A change of an expression: symbols replaced by what a function of `_symbol` gives."""
    return lambda old, symbol: old.subs({symbol(name): value(symbol) for name, value in values.items()})


def _without_M1(**changes: Callable) -> Callable[[], Theorem]:
    """gao2025 without its time-regularity constant, and with expressions changed."""
    return _restated(GAO, time_regularity=lambda old, s: 0 * s("h"), growth=_put(M1=lambda s: 0), **changes)


def _without_square():
    """gao2025 without M1 and with ∫(|f| + g²L) for ∫(|f| + g²L)², in its code."""
    theorem, integrate = _without_M1()(), Path.integrate

    def wrong(path, integrand):
        return integrate(path, lambda nodes: tuple(
            np.sqrt(value) if at == 4 else value for at, value in enumerate(integrand(nodes))))

    def evaluate(setting, functions):
        setting.table  # noqa: B018  # made before what makes it is patched
        with patch.object(Path, "integrate", wrong):
            return theorem.evaluate(setting, functions)

    return replace(theorem, evaluate=evaluate)


def _without_weakness():
    """gentiloni2025 with κ = α_t for κ = α_t − M_t, in its code."""
    theorem = theorems()[GENTILONI]

    def evaluate(setting, functions):
        asked = gentiloni2025._Standard(setting)
        kappa = 1 / (asked.a_sq[:-1] / asked.alpha + asked.s_sq[:-1])
        growth = functions["growth"]
        return theorem.evaluate(setting,
                                {**functions, "growth": lambda h, L_t,
                                 **_: growth(h=h, kappa=kappa, L_t=L_t)})

    return replace(theorem, evaluate=evaluate)


#: A true claim: synchronous coupling of the exponential integrator, −e^{−t}∇log p_t a martingale in reverse.
CLAIM = dict(
    key="synchronous", source="docs/refute.md, the claim", process=["ou"], sampler=["exponential"],
    data=["strong-log-concave"], initial="sqrt(exp(-2*T)*m2 + d*(s_T - sigma)^2)",
    growth="Max(Abs(P - Q*alpha_t), Abs(P - Q*L_t))",
    local="Q*((1 - exp(-h))*sqrt(d*Max(L0, 1)) + sqrt(2*h*d)*Max(L0, 1)) + Q*M")


def _claim(**changes: str) -> Callable[[], Theorem]:
    """The claim with a piece of text replaced in some of its formulas."""

    def make():
        texts = dict(CLAIM)
        for name, change in changes.items():
            old, new = change.split(" -> ")
            assert old in texts[name], (name, old)
            texts[name] = texts[name].replace(old, new)
        return claim.recursion(**texts)

    return make



PLANTED = (
    Planted(GAO, "initial term halved", _times(GAO, "initialisation", "1/2")),
    Planted(GAO, "e^{−2∫c} for e^{−∫c}", _restated(
        GAO, initialisation=lambda old, s: (s("V_0") * s("a_T") / (s("V_T") * s("a_0"))) ** 2 * s("E0"))),
    Planted(GAO, "score term halved", _times(GAO, "score", "1/2")),
    Planted(GAO, "score term missing", _times(GAO, "score", "0")),
    Planted(GAO, "discretisation missing", _restated(
        GAO, discretisation=lambda old, s: 0 * s("h"), time_regularity=lambda old, s: 0 * s("h"))),
    Planted(GAO, "√h term missing", _times(GAO, "discretisation", "0")),
    Planted(GAO, "M1 terms missing", _without_M1()),
    Planted(GAO, "M1 terms missing, h for √h", _without_M1(
        discretisation=lambda old, s: old * sympy.sqrt(s("h")))),
    Planted(GAO, "growth: −f for f", _restated(GAO, growth=_put(F=lambda s: -s("F")))),
    Planted(GAO, "growth: upper slope left out", _restated(GAO, growth=_put(I_alpha=lambda s: s("I_L")))),
    Planted(GAO, "M1 terms missing, L for L² in ∫(f + g²L)² (code)", _without_square),
    Planted(GENTILONI, "e^{−2T} for e^{−T}", _restated(GENTILONI, initial=_put(a=lambda s: s("a") ** 2))),
    Planted(GENTILONI, "norm of x_0 for its square", _restated(
        GENTILONI, distance_sq=lambda old, s: old.subs(s("m2"), sympy.sqrt(s("m2"))),
        distance_log_concave_sq=lambda old, s: old.subs(s("mean_norm"), sympy.sqrt(s("mean_norm"))))),
    Planted(GENTILONI, "score term halved", _times(GENTILONI, "score", "1/2")),
    Planted(GENTILONI, "κ = α_t without M_t (code)", _without_weakness),
    Planted(GENTILONI, "growth: −f for f", _restated(
        GENTILONI, growth=lambda old, s: sympy.Max(*(
            abs(1 - s("h") - 2 * s("h") * s(name)) for name in ("kappa", "L_t"))))),
    Planted(GENTILONI, "local error: h² for h^{3/2}", _restated(
        GENTILONI, local=lambda old, s: old * sympy.sqrt(s("h")))),
    Planted(GENTILONI, "local error missing", _times(GENTILONI, "local", "0")),
    Planted(GENTILONI, "early stopping missing", _times(GENTILONI, "early_stop_sq", "0")),
    Planted(GENTILONI, "early stopping: 1 for d", _restated(GENTILONI, early_stop_sq=_put(d=lambda s: 1))),
    Planted(MARTINGALE, "noise halved", _times(MARTINGALE, "variance_known", "1/4")),
    Planted(MARTINGALE, "noise halved, constants", _times(MARTINGALE, "variance", "1/4")),
    Planted(MARTINGALE, "noise: −f for f", _restated(
        MARTINGALE, **dict.fromkeys(("variance", "variance_known"), _put(F=lambda s: -s("F"))))),
    Planted(MARTINGALE, "bias: 1 for d", _restated(
        MARTINGALE, **dict.fromkeys(("bias_sq", "bias_known_sq"), _put(d=lambda s: 1)))),
    Planted(MARTINGALE, "bias missing", _restated(
        MARTINGALE, **dict.fromkeys(("bias_sq", "bias_known_sq"), lambda old, s: 0 * s("d")))),
    Planted(MARTINGALE, "mean norm for its square", _restated(
        MARTINGALE, initial_log_concave_sq=_put(mean_norm=lambda s: sympy.sqrt(s("mean_norm"))))),
    Planted(MARTINGALE, "contraction at one end of the envelope", _restated(
        MARTINGALE, contraction=lambda old, s: abs(s("P") + s("Q") * s("H_lo")))),
    Planted(MARTINGALE, "early stopping: 1 for d", _restated(MARTINGALE, early_stop_sq=_put(d=lambda s: 1))),
    Planted(MARTINGALE, "CLD noise halved", _times(MARTINGALE, "phase_variance_known", "1/4")),
    Planted(COUPLED, "√λ for λ", _restated(COUPLED, scale=lambda old, s: sympy.sqrt(old))),
    Planted(COUPLED, "noise halved", _times(COUPLED, "variance_known", "1/4")),
    Planted(STRASMAN, "growth without ℓ", _restated(STRASMAN, growth=_put(ell=lambda s: 0))),
    Planted(STRASMAN, "score term halved", _times(STRASMAN, "score", "1/2")),
    Planted(STRASMAN, "score term missing", _times(STRASMAN, "score", "0")),
    Planted(STRASMAN, "projection squared", _restated(STRASMAN, projection=lambda old, s: old**2)),
    Planted(STRASMAN, "local error: v² for v", _restated(
        STRASMAN, local=lambda old, s: s("b") + s("v_sq")),
            "true without v, too, in every problem tried: bound/exact is at least 1.074 there (docs/refute.md)"),
    Planted(STRASMAN, "initial distance halved", _restated(
        STRASMAN, phase_initial_sq=lambda old, s: old / 4, mixing=lambda old, s: old / 2)),
    Planted(LOWER, "twice the distance", _times(LOWER, "distance_sq", "4")),
    Planted(LOWER, "v − σ² for (√v − σ)²", _restated(
        LOWER, distance_sq=lambda old, s: abs(s("v") - s("sigma_0") ** 2))),
    Planted(LOWER, "1/V² for 1/V", _restated(LOWER, factor=_put(V=lambda s: s("V") ** 2))),
    Planted(LOWER, "sign of the score", _restated(LOWER, factor=_put(Q=lambda s: -s("Q")))),
    Planted("claim", "initial term halved", _claim(initial="sqrt(exp(-2*T)*m2 -> sqrt(exp(-2*T)*m2/4")),
    Planted("claim", "e^{−4T} for e^{−2T}", _claim(initial="exp(-2*T) -> exp(-4*T)")),
    Planted("claim", "norm of x_0 for its square", _claim(initial="m2 -> sqrt(m2)")),
    Planted("claim", "σ missing", _claim(initial="(s_T - sigma) -> 0*(s_T - sigma)")),
    Planted("claim", "growth: α_t alone", _claim(growth="Q*L_t -> Q*alpha_t")),
    Planted("claim", "growth: L_t alone", _claim(growth="Q*alpha_t -> Q*L_t")),
    Planted("claim", "growth: −f for f", _claim(
        growth="Abs(P - Q*alpha_t), Abs(P - Q*L_t) -> Abs(1/P - Q*alpha_t), Abs(1/P - Q*L_t)")),
    Planted("claim", "score term halved", _claim(local="+ Q*M -> + Q*M/2")),
    Planted("claim", "h for √h", _claim(local="sqrt(2*h*d) -> h*sqrt(2*d)")),
    Planted("claim", "1 for √d", _claim(local="sqrt(2*h*d)*Max -> sqrt(2*h)*Max")),
    Planted("claim", "1 for √d, twice", _claim(local="sqrt(d*Max(L0, 1)) + sqrt(2*h*d) -> sqrt(Max(L0, 1)) + sqrt(2*h)")),
    Planted("claim", "L^{1/2} for L", _claim(local="sqrt(2*h*d)*Max(L0, 1) -> sqrt(2*h*d)*sqrt(Max(L0, 1))")),
)


def main(limit: float, words: list[str]) -> None:
    """Hunt those whose name contains every word."""
    for planted in PLANTED:
        if all(word in str(planted) for word in words):
            rounds, seconds = hunted(planted, limit)
            tried, found = sum(each.tried for each in rounds), rounds[-1].violated
            least = min((each.tightest.ratio or np.inf for each in rounds if each.tightest), default=np.inf)
            said = f"{seconds:.1f} s | {tried}" if found else f"not in {seconds:.0f} s | tightest {least:.4g}"
            name = planted.theorem if planted.theorem == "claim" else f"`{planted.theorem}`"
            print(f"| {name} | {planted.mistake} | {said} |", flush=True)


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2:])
