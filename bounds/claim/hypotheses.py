"""Where a claim is stated: processes, samplers, data, constants, score errors, inequalities, as
conditions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bounds.claim.formulas import Inequality, symbols_of
from bounds.claim.symbols import SYMBOLS, missing_constant
from bounds.conditions import ONE_BLOCK, ONE_EVALUATION, ONE_PROBLEM
from bounds.score_error import ScoreError
from bounds.theorem import Condition, Domain

#: Symbols of score errors: a claim without one says nothing where there is that error.
ERRORS = {"M": "score_error", "M_noise": "score_noise"}

#: Symbols of the whole question that add up the numbers of steps.
OF_STEPS = {"F_T", "G_T"}


@dataclass(frozen=True)
class _Among:
    """Whether a part of the question is one of some."""

    part: str
    keys: tuple[str, ...]

    def __call__(self, setting):
        scheme = setting.scheme
        sampler = scheme.key if scheme.last_step_noise else scheme.name
        found, *also = {"process": lambda: (setting.process.name,), "sampler": lambda: (sampler,),
                        "data": lambda: (setting.assumption.key, *setting.assumption.also),
                        "grid": lambda: (scheme.grid.kind,)}[self.part]()
        return (None if {found, *also} & set(self.keys)
                else f"stated for {' or '.join(self.keys)}, got {found}")


@dataclass(frozen=True)
class _HasConstant:
    """Whether the data have a constant."""

    name: str

    def __call__(self, setting):
        missing = missing_constant(self.name, setting.assumption)
        return f"needs {self.name}, which {setting.assumption.key} data do not have" if missing else None


@dataclass(frozen=True)
class _NoError:
    """Whether a score error that the formulas do not contain is absent."""

    symbol: str

    def __call__(self, setting):
        size = getattr(setting, ERRORS[self.symbol])
        return (f"the formulas do not contain {self.symbol}, got {ERRORS[self.symbol]} {size}"
                if (size if isinstance(size, ScoreError) else np.any(np.asarray(size) > 0)) else None)


@dataclass(frozen=True)
class _NoEarlyStop:
    """Whether the sampler goes down to time 0."""

    def __call__(self, setting):
        stop = setting.scheme.grid.early_stop
        return (f"stated without early stopping (give stopping=, or use t0, a_0 or s_0), got early_stop {stop:g}"
                if stop > 0 else None)


@dataclass(frozen=True)
class Holds:
    """Whether an inequality holds, where its symbols are there; that they are is a hypothesis of its own."""

    inequality: Inequality

    def __call__(self, setting):
        used = [SYMBOLS[name] for name in symbols_of(self.inequality.difference)]
        absent = any((known.one_block and setting.process.blocks != 1)
                     or (known.scope == "data" and missing_constant(known.name, setting.assumption)) for known
                     in used)
        return None if absent or setting.shape else self.inequality.check(setting)


def conditions(domain: Domain, expressions: Sequence, inequalities: Sequence[Inequality],
               stops: bool) -> tuple[Condition, ...]:
    """The hypotheses of a claim: those it names, and those that its symbols need.

    ``stops`` says whether it allows for early stopping.
    """
    used = symbols_of(*expressions, *(each.difference for each in inequalities))
    found = [ONE_PROBLEM]
    if any(SYMBOLS[name].one_block for name in used):
        found.append(ONE_BLOCK)
    if any(name in OF_STEPS or (SYMBOLS[name].one_block and SYMBOLS[name].scope == "step") for name in used):
        found.append(ONE_EVALUATION)
    for part, keys in domain.named():
        found.append(Condition(part, " or ".join(keys), _Among(part, keys)))
    found += [Condition("data constant", SYMBOLS[name].meaning, _HasConstant(name))
              for name in used if SYMBOLS[name].scope == "data"]
    found += [Condition("exact score" if symbol == "M" else "no score noise", f"{symbol} = 0",
                        _NoError(symbol))
              for symbol in ERRORS if symbol not in used]
    if not stops:
        found.append(Condition("no early stopping", "t0 = 0", _NoEarlyStop()))
    # last: they are evaluated, which the others allow for
    found += [Condition("hypothesis", each.text, Holds(each)) for each in inequalities]
    return tuple(found)
