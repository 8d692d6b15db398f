"""A theorem at numbers: named terms, their total, and what it knew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from bounds.symbolic.proof import Proof
from bounds.value import Value

#: Where an error comes from: the names of the terms of every upper bound.
INITIALISATION, DISCRETISATION, EARLY_STOPPING = "initialisation", "discretisation", "early stopping"
SCORE_BIAS, SCORE_NOISE = "score bias", "score noise"


def vacuous_notes(total: float, second_moment: float) -> tuple[str, ...]:
    """The remark that an upper bound is vacuous, where it is."""
    if not _says_nothing(total, second_moment):
        return ()
    size = f"sqrt(E‖X_0‖²) = {np.sqrt(second_moment):.4g}"
    return (f"vacuous: the bound exceeds {size}, the distance of the data from the point 0",)


def information_used(moments, distance: bool, flow: bool = False) -> str:
    """What a bound knew: posterior ``moments`` or None, and whether a closed form's W2(p_0, N(0, v I)) and
    what every step misses of the ``flow``."""
    known = "constants" if moments is None else "MMSE curve"
    return ("errors of every step" if flow else known) + " and W2(p_0, N(0, v I))" * distance


@dataclass(frozen=True, eq=False)
class Bound(Value):
    """A theorem at numbers.

    Attributes
    ----------
    theorem : str
    kind : str
        "upper" or "lower".
    total : float or array
        The bound, in data units; every rounding and quadrature error points to the safe side.  Of a batch of
        problems it is an array, as the terms are, although its type says float.
    terms : mapping of str to float or array
        What each error source contributes on its own.  The total never exceeds their sum.
    information : str
        What the bound knew of the data, as `information_used` says it.
    notes : tuple of str
        Remarks for the reader, such as why a bound is vacuous; nothing is decided on their text.
    details : mapping
        Further numbers (contraction, steps…).
    proof : Proof, optional
        Of a total that is certified: then every digit of it is proved, and the total is its safe side.
    estimated : str
        What the total rests on that is not proved but estimated; empty where there is nothing of the kind.
    """

    theorem: str
    kind: str
    total: float
    terms: Mapping[str, float]
    information: str = "constants"
    notes: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    proof: Proof | None = None
    estimated: str = ""

    def __post_init__(self):
        for name in ("terms", "details"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def is_vacuous(self, second_moment: float) -> bool:
        """Whether an upper bound exceeds sqrt(E‖X_0‖²), the distance of the data from the point 0."""
        return self.kind == "upper" and bool(_says_nothing(self.total, second_moment))

    def added(self, term: str, size: float) -> Bound:
        """The bound with something more of one error source, rounded up."""
        more = size * (1 + 4 * np.finfo(float).eps) + 2 * np.finfo(float).eps * self.total
        return replace(self, total=self.total + more,
                       terms={**self.terms, term: self.terms.get(term, 0.0) + more})

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON (infinities become None)."""
        return {
            "total": _plain(self.total),
            "terms": {name: _plain(value) for name, value in self.terms.items()},
            "information": self.information,
            "notes": list(self.notes),
            "details": {name: _plain(value) for name, value in self.details.items()},
            "proof": self.proof and self.proof.as_dict(),
            "estimated": self.estimated}

    @classmethod
    def from_dict(cls, theorem: str, kind: str, data: dict[str, Any]) -> Bound:
        """The bound written by `as_dict`: a missing total or term is infinite.

        Raises
        ------
        KeyError
            If an entry is missing.
        """
        terms = {name: np.inf if value is None else value for name, value in data["terms"].items()}
        return cls(theorem, kind, np.inf if data["total"] is None else data["total"], terms,
                   data["information"], tuple(data["notes"]), data["details"],
                   Proof(**data["proof"]) if data.get("proof") else None, data.get("estimated", ""))


def _says_nothing(total: float, second_moment: float) -> bool:
    return not total <= np.sqrt(second_moment)


def _plain(value):
    if isinstance(value, np.ndarray) and value.ndim:
        return [_plain(v) for v in value]
    if isinstance(value, str | bool | int) or value is None:
        return value
    value = float(value)
    return value if np.isfinite(value) else None
