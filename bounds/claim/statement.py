"""A claim at numbers: the recursion or the sum that its formulas state, in ball arithmetic, as a `Bound`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import repeat

from bounds.bound import (
    DISCRETISATION,
    EARLY_STOPPING,
    INITIALISATION,
    SCORE_BIAS,
    SCORE_NOISE,
    Bound,
    vacuous_notes,
)
from bounds.claim.formulas import PRECISION, symbols_of, value, values
from bounds.claim.symbols import Numbers
from bounds.setting import Setting
from bounds.symbolic.proof import above, below

#: The terms of an upper bound, in the order in which they are shown.
SOURCES = (INITIALISATION, DISCRETISATION, SCORE_BIAS, SCORE_NOISE, EARLY_STOPPING)


@dataclass(frozen=True)
class _Claim:
    """What every claim knows of itself."""

    key: str
    kind: str

    def __call__(self, setting: Setting, functions: Mapping) -> Bound:
        """The claim for a question, ``functions`` those of `bounds.theorem.Theorem`; every rounding points to
        the safe side.

        Raises
        ------
        ValueError
            If a formula is no finite real number, or a growth is negative.
        """
        from flint import ctx

        with ctx.workprec(PRECISION):
            formulas = {name: each.expression for name, each in functions.items()}
            balls, details = self._balls(Numbers(setting), formulas)
            safe = above if self.kind == "upper" else below
            total, terms = safe(sum(balls.values())), {name: safe(ball) for name, ball in balls.items()}
        notes = vacuous_notes(total, setting.assumption.second_moment) if self.kind == "upper" else ()
        if min(total, *terms.values()) < 0:
            notes += ("a formula is negative here: 0 is taken in its place",)
        terms = {name: max(value, 0.0) for name, value in terms.items()}
        details["steps"] = setting.scheme.grid.steps
        return Bound(self.key, self.kind, max(total, 0.0), terms, "constants", notes, details)


@dataclass(frozen=True)
class Recursion(_Claim):
    r"""E_0 = initial, E_k = growth·E_{k−1} + local, on W2(law of y_K, p_{t0}); and what stopping adds."""

    def _balls(self, numbers: Numbers, formulas: Mapping):
        at = lambda name: f"{self.key}: {name}"  # noqa: E731
        initial = value(formulas["initial"], numbers, at("initial"))
        growth = values(formulas["growth"], numbers, at("growth"))
        for step, factor in enumerate(growth, start=1):
            if factor < 0:
                raise ValueError(f"{at('growth')} must be at least 0, got {float(factor.mid()):.6g} in step "
                                 f"{step}")
        found = {INITIALISATION: _last(growth, repeat(0), initial)}
        # each score error on top of the others, so that the terms add up to the total
        before, whole = 0 * initial, None
        local = formulas["local"]
        sources = ((DISCRETISATION, None, ("M", "M_noise")), (SCORE_BIAS, "M", ("M_noise",)),
                   (SCORE_NOISE, "M_noise", ()))
        for name, symbol, later in sources:
            if symbol is None or (symbol in symbols_of(local) and numbers[symbol][0] > 0):
                without = local.subs({each: 0 for each in local.free_symbols if str(each) in later})
                whole = _last(growth, values(without, numbers, at("local")), 0 * initial)
                found[name], before = whole - before, whole
        if numbers.grid.early_stop > 0 and "stopping" in formulas:
            found[EARLY_STOPPING] = value(formulas["stopping"], numbers, at("stopping"))
        contraction = float(_last(growth, repeat(0), 0 * initial + 1).mid())
        return {name: found[name] if name in found else 0 * initial for name in SOURCES
                if name in found or name != EARLY_STOPPING}, {"contraction": contraction}


def _last(growth: Iterable, local: Iterable, start):
    """E_K."""
    error = start
    for factor, added in zip(growth, local, strict=False):
        error = factor * error + added
    return error


@dataclass(frozen=True)
class ClosedForm(_Claim):
    """The sum of named terms."""

    def _balls(self, numbers: Numbers, formulas: Mapping):
        found = {name: value(expression, numbers, f"{self.key}: {name}")
                 for name, expression in formulas.items()}
        if self.kind == "lower":
            return found, {}
        zero = 0 * next(iter(found.values()))
        names = [name for name in SOURCES if name in found or name != EARLY_STOPPING]
        return {name: found.get(name, zero) for name in names}, {}
