"""What a sampler takes from its scheme besides the grid, such as η of DDIM: numbers, each with its range."""

import keyword
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypedDict


class Parameters(TypedDict, total=False):
    """Arguments of `bounds.sampler.Scheme` that some samplers take.

    Attributes
    ----------
    eta : float
        η of DDIM, from 0, the probability-flow ODE, to 1, the reverse SDE.
    lambda_ : float
        λ >= 0 of the SDE between them whose steps are Euler–Maruyama's, ``lambda`` in problem files.
    churn, s_tmin, s_tmax, s_noise : float
        S_churn, S_tmin, S_tmax and S_noise of EDM.
    score_at : float
        Fraction of a step of SSCS whose time the score is asked at.
    """

    eta: float
    lambda_: float
    churn: float
    s_tmin: float
    s_tmax: float
    s_noise: float
    score_at: float


@dataclass(frozen=True)
class Parameter:
    """A number that a sampler takes.

    Attributes
    ----------
    name, meaning : str
        What problem files call it, and what it is.
    default : float
    least, most : float
        Its range.
    drawn : tuple
        The ends between which random problems draw it.
    why : str
        The range in other words, and the reason.
    """

    name: str
    meaning: str
    default: float
    least: float = 0.0
    most: float = math.inf
    drawn: tuple[float, float] = (0.0, 1.0)
    why: str = ""

    @property
    def argument(self) -> str:
        """Its name as an argument of `bounds.sampler.Scheme`."""
        return f"{self.name}_" if keyword.iskeyword(self.name) else self.name

    @property
    def requirement(self) -> str:
        """Its range in words."""
        if self.why:
            return self.why
        if self.most == math.inf:
            return f"a number of at least {self.least:g}"
        return f"a number between {self.least:g} and {self.most:g}"

    def allows(self, value: Any) -> bool:
        """Whether a value is a number of its range."""
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and self.least <= value <= self.most

    def checked(self, value: Any) -> float:
        """The value as a float; what is none of its range is refused."""
        if not self.allows(value):
            raise ValueError(f"{self.argument} must be {self.requirement}, got {value!r:.60}")
        return float(value)


@dataclass(frozen=True)
class At:
    """A formula of a rule at values of the sampler's parameters: equal to another where both are."""

    formula: Callable
    values: tuple

    def __call__(self, *arguments):
        return self.formula(*arguments, *self.values)
