"""The samplers of one block in formulas, and the question in which they are asked."""

from bounds import general, ou, own_sampler, ve, vp
from bounds.steps.rule import Sampler

#: P, Q and noise by the key of the sampler that they are; matched noise as it is for N(m, I/2).
FORMULAS = {
    "euler-maruyama": ("1 + F", "G", "G"),
    "frozen-euler-maruyama": ("1 + h*f", "h*g^2", "h*g^2"),
    "euler-maruyama-lambda": ("1 + h*f", "h*g^2", "h*g^2"),
    "exponential": ("exp(F)", "E", "exp(2*F)*C"),
    "posterior-mean": ("a_r/a", "a_r/a*C", "exp(2*F)*C"),
    "posterior-mean-matched": ("a_r/a", "a_r/a*C", "C*(a_r^2/2 + s_sq_r)/(a^2/2 + s_sq)"),
    "ancestral": ("a_r/a", "a_r/a*(s_sq - (a/a_r)^2*s_sq_r)", "C*s_sq_r/s_sq"),
    "ancestral-large": ("a_r/a", "a_r/a*(s_sq - (a/a_r)^2*s_sq_r)", "C"),
    "ode-euler": ("1 + h*f", "h*g^2/2", "0"),
    "ode-exponential": ("exp(F)", "E/2", "0"),
    "ddim": ("a_r/a", "a_r/a*C*sqrt(s_sq)/(sqrt(s_sq) + a/a_r*sqrt(s_sq_r))", "0"),
}
PROCESSES = {"ou": ou(), "vp": vp("1/10 + 5*t"), "ve": ve("exp(t)"),
             "general": general("sin(2*t) - 1/2", "1 + cos(t)/2")}


def own(formulas: tuple, key: str = "own") -> Sampler:
    """The sampler of three formulas."""
    return own_sampler(key, P=formulas[0], Q=formulas[1], noise=formulas[2])
