"""What a formula of a claim may contain: every symbol, what it means, and its value for a question."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import sympy

from bounds.setting import Setting

_EPS = np.finfo(float).eps


@dataclass(frozen=True)
class Known:
    """A symbol of formulas.

    Attributes
    ----------
    name, meaning : str
    scope : str
        "question", "data" (a constant that only some assumptions have) or "step" (one value a step).
    value : callable
        `Numbers` -> (value, how far it may be off): numbers, or arrays of shape (k,) for a step.
    sign : str
        "positive", "nonnegative" or "real".
    one_block : bool
        Whether it is there for processes of one block only.
    """

    name: str
    meaning: str
    scope: str
    value: Callable
    sign: str = "nonnegative"
    one_block: bool = False

    @property
    def symbol(self) -> sympy.Symbol:
        """As it stands in formulas."""
        return sympy.Symbol(self.name, **{self.sign: True})


class Numbers:
    """The values of symbols for one question, each computed once, with its error."""

    def __init__(self, setting: Setting):
        self.setting = setting
        self.grid, self.assumption = setting.scheme.grid, setting.assumption
        self._found: dict[str, tuple] = {}

    def __getitem__(self, name: str) -> tuple:
        if name not in self._found:
            self._found[name] = SYMBOLS[name].value(self)
        return self._found[name]

    @cached_property
    def table(self):
        """The sampler on the process, one block."""
        return self.setting.table

    @cached_property
    def relative(self) -> np.ndarray:
        """How far a and s² may be off at every time of the grid, relative: shape (k+1,)."""
        path = self.table.path
        with np.errstate(divide="ignore"):
            rounding = 64 * _EPS * (1 + np.minimum(np.abs(np.log(path.a)), 700.0))
        return rounding + float(np.sum(self.table.relative_error))

    @cached_property
    def hessian(self):
        """(−H_lo, −H_up) of log p_t at the start of every step, and how far they may be off."""
        path = self.table.path
        a_sq, s_sq = np.square(path.a[:-1]), path.s_sq[:-1]
        with np.errstate(divide="ignore"):
            floor = -self.assumption.hessian_lower(a_sq, s_sq)
        width = self.assumption.hessian_gap(a_sq, s_sq)
        return floor, floor - width, (3 * self.relative[:-1] + 1e-14) * (floor + width)

    @cached_property
    def noise(self) -> tuple[np.ndarray, np.ndarray]:
        """(∫g² of every step, how far it may be off)."""
        (value,), (error,) = self.table.path.integrate(lambda nodes: (nodes.g_sq,))
        return value, error + self.table.relative_error * value


def _exact(value) -> tuple:
    return value, 0.0 * np.asarray(value, dtype=float)


def _rounded(value) -> tuple:
    """A number with a few roundings of its own."""
    return value, 8 * _EPS * np.abs(value)


def _constant(name: str) -> Callable:
    return lambda n: _exact(float(getattr(n.assumption, name)))


def _relative(values: Callable) -> Callable:
    """Numbers of the step table, off by its relative error."""
    return lambda n: (values(n.table), n.table.relative_error * np.abs(values(n.table)))


def _law(values: Callable, at) -> Callable:
    """Numbers of the forward law, at one time of the grid or some."""

    def value(n):
        found = values(n.table.path)
        return found[at], (n.relative * np.abs(found))[at]

    return value


def _scale(path):
    return path.a


def _variance(path):
    return path.s_sq


def _std(path):
    return np.sqrt(path.s_sq)


def _total(of: Callable) -> Callable:
    """The sum over all steps, with the sum of their errors."""

    def value(n):
        values, errors = of(n)
        return float(np.sum(values)), float(np.sum(errors)) + 1e-15 * len(values) * float(np.sum(np.abs(values)))

    return value


def _lengths(n):
    return _rounded(-np.diff(n.grid.times))


def _longest(n):
    return _rounded(float(np.max(-np.diff(n.grid.times))))


def _drift(n):
    return n.table.path.F, n.table.path.F_error


def _second_moment(n):
    return _rounded(float(n.assumption.second_moment))


_UPPER, _LOWER = slice(None, -1), slice(1, None)

SYMBOLS = {known.name: known for known in (
    # the question
    Known("d", "dimension of the data", "question", lambda n: _exact(int(n.assumption.dim)), "positive"),
    Known("m2", "E‖X_0‖²", "question", _second_moment),
    Known("mean_norm", "‖E X_0‖, or the largest it may be", "question",
          lambda n: _rounded(float(n.assumption.largest_mean_norm))),
    Known("T", "horizon", "question", lambda n: _exact(n.grid.horizon), "positive"),
    Known("t0", "the last time, of early stopping", "question", lambda n: _exact(n.grid.early_stop)),
    Known("K", "number of steps", "question", lambda n: _exact(n.grid.steps), "positive"),
    Known("M", "L2 size of the score error at the iterates", "question",
          lambda n: _exact(float(n.setting.largest_error))),
    Known("M_noise", "L2 size of a score error with mean zero given the past", "question",
          lambda n: _exact(float(n.setting.score_noise))),
    Known("sigma", "standard deviation of the prior", "question",
          lambda n: (float(np.sqrt(n.table.prior_var)), float(n.relative[0] * np.sqrt(n.table.prior_var))),
          "positive", one_block=True),
    Known("a_T", "a(T)", "question", _law(_scale, 0), one_block=True),
    Known("s_T", "s(T)", "question", _law(_std, 0), one_block=True),
    Known("a_0", "a(t0)", "question", _law(_scale, -1), one_block=True),
    Known("s_0", "s(t0)", "question", _law(_std, -1), one_block=True),
    Known("F_T", "∫f over all steps", "question", _total(_drift), "real", one_block=True),
    Known("G_T", "∫g² over all steps", "question", _total(lambda n: n.noise), one_block=True),
    # constants that only some assumptions have
    Known("m0", "strong log-concavity: −∇² log p_0 ⪰ m0 I", "data",
          lambda n: _rounded(float(n.assumption.strong_log_concavity)), "positive"),
    Known("L0", "one-sided smoothness: −∇² log p_0 ⪯ L0 I", "data",
          lambda n: _exact(float(n.assumption.smoothness)), "positive"),
    Known("alpha", "weak log-concavity: α", "data",
          lambda n: _exact(float(n.assumption.weak_log_concavity[0])),
          "positive"),
    Known("weak_M", "weak log-concavity: M", "data",
          lambda n: _exact(float(n.assumption.weak_log_concavity[1]))),
    Known("lipschitz", "Lipschitz constant of the perturbation of a log-concave law", "data",
          _constant("lipschitz")),
    Known("radius", "radius of a ball that holds the data", "data", _constant("radius"), "positive"),
    # one value a step
    Known("h", "length of the step; outside a recursion, and in its first term, of the longest", "step",
          _lengths,
          "positive"),
    Known("t", "time at which the step starts, where the score is evaluated", "step",
          lambda n: _exact(n.grid.times[_UPPER]), "positive"),
    Known("r", "time at which the step ends", "step", lambda n: _exact(n.grid.times[_LOWER])),
    Known("k", "number of the step, from 1", "step", lambda n: _exact(np.arange(1, n.grid.steps + 1)),
          "positive"),
    Known("F", "∫f over the step", "step", _drift, "real", one_block=True),
    Known("G", "∫g² over the step", "step", lambda n: n.noise, one_block=True),
    Known("C", "C(t, r): variance of the noise of the forward step", "step",
          lambda n: (n.table.path.C, n.table.path.C_error), one_block=True),
    Known("P", "linear coefficient of the sampler's step", "step", _relative(lambda table: table.P), "real",
          one_block=True),
    Known("Q", "score coefficient of the sampler's step", "step", _relative(lambda table: table.Q),
          one_block=True),
    Known("n_sq", "variance of the noise of the sampler's step", "step",
          lambda n: (n.table.noise_var, n.table.noise_error + n.table.relative_error * n.table.noise_var),
          one_block=True),
    Known("a", "a(t)", "step", _law(_scale, _UPPER), one_block=True),
    Known("s_sq", "s²(t)", "step", _law(_variance, _UPPER), one_block=True),
    Known("a_r", "a(r)", "step", _law(_scale, _LOWER), one_block=True),
    Known("s_sq_r", "s²(r)", "step", _law(_variance, _LOWER), one_block=True),
    Known("L_t", "smoothness of p_t: −∇² log p_t ⪯ L_t I", "step", lambda n: (n.hessian[0], n.hessian[2]),
          one_block=True),
    Known("alpha_t", "log-concavity of p_t: −∇² log p_t ⪰ alpha_t I, of either sign", "step",
          lambda n: (n.hessian[1], n.hessian[2]), "real", one_block=True),
)}
#: The longest step, for `h` where there is no step.
LONGEST = Known("h", SYMBOLS["h"].meaning, "question", _longest, "positive")


def missing_constant(name: str, assumption) -> bool:
    """Whether an assumption does not have a constant."""
    match name:
        case "m0":
            return assumption.strong_log_concavity is None
        case "alpha" | "weak_M":
            return assumption.weak_log_concavity is None
        case "L0":
            return not np.all(np.isfinite(assumption.smoothness))
    return not hasattr(assumption, name)
