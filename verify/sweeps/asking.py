"""Read a sweep: a base problem, the keys that vary with their values, and what is asked of every cell."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from bounds.argument import hint
from bounds.theorem import Theorem
from bounds.theorems import theorems
from verify.certificates.theorem_named import find_theorem
from verify.counterexamples.campaign import statement_digest
from verify.installed import versions
from verify.pages.schema_versions import SCHEMA_VERSIONS
from verify.problems.file import file_text, parse_toml
from verify.problems.problem import MAX_FILE_BYTES, bundled_problem, bundled_problems
from verify.problems.section import ProblemError, Section, short_line, shown

#: Sections of a problem, whose keys may vary.
SECTIONS = ("process", "data", "sampler", "scheme")
COMPUTED = ("bound", "certify")
KEYS = ("base", "compute", "theorems", "information", "samples", "seed")
RANGE = ("from", "to", "number", "spacing", "whole")
#: Cells of one sweep at most.
MOST_CELLS = 200_000
#: Significant digits of the values of a range: what is left of a rounding must not change a key.
DIGITS = 12
_LARGEST_SEED = 2**32


@dataclass(frozen=True)
class Axis:
    """A key that varies, as ``section.key``, and its values in their order."""

    name: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Cell:
    """One problem of a sweep.

    Attributes
    ----------
    index : int
        Its place: the first axis varies slowest.
    key : str
        Digest of everything that its answer depends on.
    values : dict
        What its keys are.
    tables : dict
        The problem.
    """

    index: int
    key: str
    values: dict[str, Any]
    tables: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Sweep:
    """What is asked.

    Attributes
    ----------
    base : dict
        The tables of the problem, before a key varies.
    axes : tuple of Axis
    compute : str
        "bound" or "certify".
    theorems : tuple of (str or Theorem)
        As `find_theorem` takes them.
    information : str
        "all" or "constants".
    samples, seed : int
        As for `verify.certify`; a cell's own seed is made of ``seed`` and its key.
    folder : Path
        Where data files are looked up.
    source : str
        The file's name.
    """

    base: dict[str, dict[str, Any]]
    axes: tuple[Axis, ...]
    compute: str = "bound"
    theorems: tuple[str | Theorem, ...] = ()
    information: str = "all"
    samples: int = 0
    seed: int = 0
    folder: Path = field(default_factory=Path)
    source: str = "sweep"

    def __len__(self):
        return math.prod(len(axis.values) for axis in self.axes)

    def __iter__(self) -> Iterator[Cell]:
        return (self.cell(index) for index in range(len(self)))

    def cell(self, index: int) -> Cell:
        """The cell at a place."""
        values, left = {}, index
        for axis in reversed(self.axes):
            left, place = divmod(left, len(axis.values))
            values[axis.name] = axis.values[place]
        values = {axis.name: values[axis.name] for axis in self.axes}
        tables = copy.deepcopy(self.base)
        for name, value in values.items():
            section, key = name.split(".", 1)
            tables.setdefault(section, {})[key] = value
        return Cell(index, self._key_of(tables), values, tables)

    @cached_property
    def asked(self) -> dict[str, Any]:
        """What is asked of every cell, as plain data."""
        keys = [find_theorem(each).key for each in self.theorems]
        return {"compute": self.compute, "theorems": keys, "information": self.information,
                "samples": self.samples, "seed": self.seed}

    @cached_property
    def _common(self) -> dict[str, Any]:
        """What a key is made of beside the cell's problem: the question, own theorems, the versions."""
        own = {found.key: statement_digest(found) for found in map(find_theorem, self.theorems)
               if theorems().get(found.key) is not found}
        return {**self.asked, "own": own, "versions": versions(),
                "schema_version": SCHEMA_VERSIONS["sweep"]}

    def _key_of(self, tables: Mapping[str, Any]) -> str:
        said = {"problem": tables, "files": dict(self._files(tables)), **self._common}
        return sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:32]

    def _files(self, tables: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
        """The files that a problem names, with digests of what is in them."""
        for section, table in tables.items():
            for key, value in table.items():
                if isinstance(value, str) and value.lower().endswith((".csv", ".npy", ".json")):
                    yield f"{section}.{key}", self._digest(value)

    def _digest(self, name: str) -> str:
        digests = self.__dict__.setdefault("_digests", {})
        if name not in digests:
            try:
                digests[name] = sha256((self.folder / name).read_bytes()).hexdigest()
            except (OSError, ValueError):  # its cells say so
                digests[name] = ""
        return digests[name]


def load_sweep(path: str | Path, theorems_asked: Sequence[str | Theorem] | None = None) -> Sweep:
    """The sweep in a TOML file (docs/sweeps.md); ``theorems_asked`` are meant in place of those of the file.

    Raises
    ------
    ProblemError
        One line that names the key, the requirement and the value.
    """
    path = Path(path)
    tables = parse_toml(file_text(path, MAX_FILE_BYTES, "the sweep file"), path.name)
    return read_sweep(tables, path.parent, path.name, theorems_asked)


def read_sweep(tables: Mapping[str, Any], folder: str | Path = ".", source: str = "sweep",
               theorems_asked: Sequence[str | Theorem] | None = None) -> Sweep:
    """The sweep in tables already parsed; files are looked up from ``folder``.

    Raises
    ------
    ProblemError
        As `load_sweep`.
    """
    known = (*KEYS, *SECTIONS, "sweep")
    for name in tables:
        if name not in known:
            raise ProblemError(f"unknown key {short_line(name)} of a sweep{hint(name, known)}; it has "
                               f"{', '.join(known)}")
    for name in (*SECTIONS, "sweep"):
        if not isinstance(tables.get(name, {}), dict):
            raise ProblemError(f"{name} must be a table, got {shown(tables[name])}")
    base, folder, own = *_base(tables, Path(folder)), Path(folder)
    axes = tuple(_axes(tables.get("sweep", {})))
    if not axes:
        raise ProblemError("[sweep] must have a key that varies, such as \"scheme.steps\" = [10, 20, 40], got none")
    chosen = _theorems(tables, own) if theorems_asked is None else tuple(theorems_asked)
    found = Sweep(base, axes, _choice(tables, "compute", COMPUTED), chosen,
                  _choice(tables, "information", ("all", "constants")), _whole(tables, "samples", 100, 10**8),
                  _whole(tables, "seed", 0, _LARGEST_SEED - 1), folder, source)
    if found.samples and found.compute == "bound":
        raise ProblemError(f"samples must be left out with compute = \"bound\", got {found.samples}")
    if len(found) > MOST_CELLS:
        raise ProblemError(f"[sweep] must make at most {MOST_CELLS} cells, got {len(found)}")
    return found


def _base(tables: Mapping[str, Any], folder: Path) -> tuple[dict, Path]:
    """The tables of the problem that varies, those of the sweep's file written over those of its base, and the
    folder of its files."""
    own = {name: copy.deepcopy(tables[name]) for name in SECTIONS if name in tables}
    if "base" not in tables:
        return own, folder
    name = tables["base"]
    if not isinstance(name, str) or not name or "\0" in name:
        raise ProblemError(f"base must be the name of a problem file or of a bundled problem, got {shown(name)}")
    path = folder / name
    if not path.exists() and name in bundled_problems():
        path = bundled_problem(name)
    based = parse_toml(file_text(path, MAX_FILE_BYTES, "base"), path.name)
    for section, table in based.items():
        if not isinstance(table, dict):
            raise ProblemError(f"{short_line(section)} of {path.name} must be a table, got {shown(table)}")
    return {name: {**based.get(name, {}), **own.get(name, {})} for name in (*based, *own)}, path.parent


def _axes(table: Mapping[str, Any]) -> Iterator[Axis]:
    """The keys that vary: ``"scheme.steps" = …``, or ``scheme.steps = …``, which TOML reads as a table."""
    for name, value in table.items():
        if "." in name:
            yield _axis(name, value)
        elif isinstance(value, dict) and value and name in SECTIONS:
            for key, inner in value.items():
                yield _axis(f"{name}.{key}", inner)
        else:
            raise ProblemError(f"sweep.{short_line(name)} must name a section and a key, such as \"scheme.steps\"")


def _axis(name: str, value: Any) -> Axis:
    section, _, key = name.partition(".")
    if section not in SECTIONS or not key:
        raise ProblemError(f"sweep.{short_line(name)} must name a key of {', '.join(SECTIONS)}{hint(section, SECTIONS)}")
    values = _range(name, value) if isinstance(value, dict) else value
    if not isinstance(values, Sequence) or isinstance(values, str) or not values:
        raise ProblemError(f"sweep.{short_line(name)} must be a list of values, or a range from, to, number, got "
                           f"{shown(value)}")
    try:
        texts = [json.dumps(each, allow_nan=False) for each in values]
    except (TypeError, ValueError):
        raise ProblemError(f"sweep.{short_line(name)} must be made of finite numbers, texts and lists, got "
                           f"{shown(value)}") from None
    if len(set(texts)) < len(texts):
        raise ProblemError(f"sweep.{short_line(name)} must have different values, got {shown(value)}")
    return Axis(name, tuple(values))


def _range(name: str, table: Mapping[str, Any]) -> list[float] | list[int]:
    """The values of ``{ from, to, number, spacing = "linear" | "log", whole = false }``, both ends among them."""
    section = Section(f"sweep.{short_line(name)}", dict(table))
    section.only(RANGE, RANGE, "a range")
    first, last = section.number("from"), section.number("to")
    number, log = section.count("number", MOST_CELLS), section.choice("spacing", ("linear", "log"), "linear") == "log"
    whole = section.flag("whole", False)
    if number == 1 and first != last:
        raise section.refuse("number", "at least 2 where the ends differ")
    if log and not (first > 0 and last > 0):
        raise section.refuse("spacing", "linear unless both ends are positive")
    steps = [place / max(number - 1, 1) for place in range(number)]
    values = [first * (last / first) ** step if log else first + (last - first) * step for step in steps]
    values = [first, *values[1:-1], *([last] * (number > 1))]
    if whole:
        return list(dict.fromkeys(round(value) for value in values))
    return list(dict.fromkeys(float(f"{value:.{DIGITS}g}") for value in values))


def _theorems(tables: Mapping[str, Any], folder: Path) -> tuple[str, ...]:
    """The theorems of the file, every one of the registry where it names none; a file never names code to run."""
    named = tables.get("theorems", list(theorems()))
    if not isinstance(named, list) or not named or not all(isinstance(each, str) for each in named):
        raise ProblemError(f"theorems must be a list of keys and FILE.toml, got {shown(named)}")
    chosen = []
    for each in named:
        if each not in theorems() and not each.endswith(".toml"):
            raise ProblemError(f"theorems must be made of {', '.join(theorems())} and FILE.toml, got "
                               f"{shown(each)}{hint(each, theorems())}; --theorem takes FILE.py:NAME too")
        chosen.append(each if each in theorems() else str(folder / each))
    return tuple(dict.fromkeys(chosen))


def _choice(tables: Mapping[str, Any], key: str, options: tuple[str, ...]) -> str:
    """One of the options, the first where the key is left out."""
    value = tables.get(key, options[0])
    if not isinstance(value, str) or value not in options:
        raise ProblemError(f"{key} must be one of {', '.join(options)}, got {shown(value)}{hint(value, options)}")
    return value


def _whole(tables: Mapping[str, Any], key: str, least: int, most: int) -> int:
    """A whole number in a range, or 0, which is meant where the key is left out."""
    value = tables.get(key, 0)
    if isinstance(value, bool) or not isinstance(value, int) or (value != 0 and not least <= value <= most):
        raise ProblemError(f"{key} must be 0, or a whole number from {max(least, 1)} to {most}, got {shown(value)}")
    return value
