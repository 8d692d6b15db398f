"""Read the table of the data: a law in closed form, smoothed samples, or constants alone."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from inspect import signature
from pathlib import Path

from bounds.assumption import Assumption
from bounds.assumptions import assumptions
from bounds.assumptions.bounded_support import BoundedSupport
from closed_form.law import MAX_DIM, Law
from closed_form.laws import laws
from verify.problems.file import check_file
from verify.problems.section import ProblemError, Section, short_line

#: Said of constants that a file states of a law.
BY_HAND = "the constants of the data are stated by hand: the bounds are as true as these"
MAX_DATA_BYTES = 50_000_000
#: Keys that say moments of the data, and M1 of arXiv 2311.11003.
MOMENTS = ("dim", "second_moment", "mean_norm", "time_regularity")


def constants_of(kind: str) -> tuple[str, ...]:
    """The constants of an assumption: its arguments but for the moments."""
    return _constants_taken_by(assumptions()[kind])


@lru_cache(maxsize=64)
def _constants_taken_by(make: Callable[..., object]) -> tuple[str, ...]:
    return tuple(name for name in signature(make).parameters if name not in MOMENTS)


@dataclass(frozen=True)
class Data:
    """What the table of the data says: a law or constants, and what goes with them."""

    law: Law | None
    assumptions: tuple[Assumption, ...]
    early_stop: float | None = None
    time_regularity: float | None = None
    notes: tuple[str, ...] = ()


class _DataSection(Section):
    """The table of the data, which may name a file."""

    def file(self, key: str, folder: Path, what: str) -> Path:
        """Path of a regular file of limited size, named relative to a folder."""
        name = self.get(key)
        if not isinstance(name, str) or not name or "\0" in name:
            raise self.refuse(key, f"the name of {what}")
        check_file(folder / name, MAX_DATA_BYTES, f"{self.name}.{key}")
        return folder / name


def read_data(section: Section, folder: Path) -> tuple[Data, dict]:
    """Law and constants, and the normal form."""
    if not {"law", "assumption"} & section.values.keys():
        raise ProblemError(
            "data must have data.law or data.assumption (or both: constants stated by hand), neither was "
            "given"
        )
    known = {"law", "assumption", "early_stop", *MOMENTS}
    known |= {
        key
        for keys in (*(law.keys for law in laws().values()), *map(constants_of, assumptions()))
        for key in keys
    }
    stated = section.choice("assumption", assumptions()) if "assumption" in section.values else None
    if "law" not in section.values:
        extra = ("early_stop",) if stated == BoundedSupport.key else ()
        section.only(("assumption", *constants_of(stated), *MOMENTS, *extra), known,
                     f"assumption {stated!r}")
        return _constants(section, stated)
    # first those of which a file may state constants
    kind = laws()[section.choice("law", sorted(laws(), key=lambda key: not laws()[key].by_hand))]
    by_hand = (("assumption", *constants_of(stated), "second_moment", "mean_norm") if stated and kind.by_hand
               else ())
    section.only(("law", *kind.keys, *by_hand), known, f"law {kind.key!r}")
    with section.border():
        law = kind.read(_DataSection(section.name, section.values), folder)
    if section.count("dim", MAX_DIM, law.dim) != law.dim:
        raise section.refuse("dim", f"the dimension of the data, {law.dim}")
    if stated:
        data = Data(law, (_stated(section, stated, law),), notes=(BY_HAND,))
    else:
        try:
            data = Data(law, tuple(law.assumptions()))
        except ValueError as error:
            data = Data(law, (), notes=(short_line(error),))
    if law.notes:
        data = replace(data, notes=(*data.notes, *(f"data.{note}" for note in law.notes)))
    return data, {**section.values, "dim": law.dim, **{key: getattr(law, key) for key in kind.stored}}


def _stated(section: Section, kind: str, law) -> Assumption:
    """The assumption a file states of a law; moments it leaves out are the law's."""
    constants = {key: section.number(key) for key in constants_of(kind)}
    moments = {
        key: section.number(key, float(getattr(law, key)), minimum=0.0)
        for key in ("second_moment", "mean_norm")
    }
    with section.border():
        return assumptions()[kind](**constants, dim=law.dim, **moments)


def _constants(section: Section, kind: str) -> tuple[Data, dict]:
    """An assumption by its constants."""
    constants = {key: section.number(key) for key in constants_of(kind)}
    dim = section.count("dim", MAX_DIM, 1)
    moments = {key: section.number(key, None, minimum=0.0) for key in ("second_moment", "mean_norm")}
    notes = []
    if moments["second_moment"] is None and moments["mean_norm"] is None:
        moments["mean_norm"] = 0.0
        notes.append("data.mean_norm and data.second_moment were not given: the data are taken to be centred")
    if moments["second_moment"] is None:
        notes.append("data.second_moment was not given: the largest value the constants allow is used")
    with section.border():
        assumption = assumptions()[kind](**constants, dim=dim, **moments)
    early_stop = section.number("early_stop", None, positive=True)
    regularity = section.number("time_regularity", None, minimum=0.0)
    table = {key: value for key, value in section.values.items() if key != "early_stop"}
    table.update(dim=dim, **{key: value for key, value in moments.items() if value is not None})
    return Data(None, (assumption,), early_stop, regularity, tuple(notes)), table
