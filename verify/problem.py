"""Read a TOML problem file into the objects it means; whatever is wrong is refused here, in one line."""

from __future__ import annotations

import contextlib
import copy
import difflib
import math
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bounds.assumptions import ASSUMPTIONS, Assumption
from bounds.deadline import Deadline
from bounds.expressions import parse_expression
from bounds.grid import MAX_STEPS, TimeGrid
from bounds.process import TIME, ForwardProcess
from bounds.quadrature import Path as ProcessPath
from bounds.schedules import FAMILIES
from bounds.schemes import SCHEMES, Scheme
from closed_form.dataset import read_samples, smoothed_data
from closed_form.gaussian import Gaussian
from closed_form.mixture import GaussianMixture

MAX_FILE_BYTES = 1_000_000
MAX_DATA_BYTES = 50_000_000
MAX_DIM = 10_000_000
MAX_MATRIX_DIM = 2_000
MAX_OVERRIDE = 10_000

_LATER = {"cld": "critically-damped Langevin is not available yet"}
_LAWS = {
    "gaussian": ("mean", "covariance", "dim"),
    "mixture": ("means", "std", "covariance", "covariances", "weights", "dim"),
    "samples": ("file", "columns", "standardize", "smoothing", "dim"),
}
_CONSTANTS = {
    "strong-log-concave": ("m0", "L0"),
    "weak-log-concave": ("alpha", "M", "L"),
    "log-lipschitz": ("alpha", "lipschitz", "L"),
    "bounded": ("radius",),
}
_MOMENTS = ("dim", "second_moment", "mean_norm", "time_regularity")
_SCHEME_KEYS = (
    "kind", "horizon", "steps", "grid", "early_stop", "prior_std", "score_error", "score_noise",
)  # fmt: skip
_REQUIRED = object()
_PROCESS_SAMPLES = 2048
_PROCESS_STEPS = 64
_BUILD_SECONDS = 15.0


class ProblemError(ValueError):
    """The problem file or an override is wrong; the message is one line naming key and requirement."""


@dataclass(frozen=True, eq=False)
class Problem:
    """A question, checked: which process, which data, which sampler.

    Attributes
    ----------
    process : ForwardProcess
    law : Gaussian, GaussianMixture or None
        The data in closed form; None when only constants are given.
    assumptions : tuple of Assumption
        The constants given, or everything proved for the law (empty where nothing is).
    scheme : Scheme
    score_error, score_noise : float
        M and M_noise: L2 sizes of the score error and of its conditionally centred part.
    time_regularity : float or None
        M1 of arXiv 2311.11003, Assumption 2, where given with constants.
    notes : tuple of str
        What was assumed on the reader's behalf.
    source : str
        The file's name.
    tables : dict
        Normal form: defaults filled in, ready to be read again; use `as_dict` for a copy.
    """

    process: ForwardProcess
    law: Gaussian | GaussianMixture | None
    assumptions: tuple[Assumption, ...]
    scheme: Scheme
    score_error: float
    score_noise: float
    time_regularity: float | None
    notes: tuple[str, ...]
    source: str
    tables: Mapping[str, dict]

    def as_dict(self) -> dict[str, dict]:
        """The problem as plain data for JSON; `read_problem` turns it back into the same problem."""
        return copy.deepcopy(dict(self.tables))


def load_problem(path: str | Path, overrides: Iterable[str] = ()) -> Problem:
    """The problem in a TOML file, after overrides such as ``scheme.steps=800``.

    Parameters
    ----------
    path : str or path
        A UTF-8 TOML file of at most 1 MB with the tables process, data and scheme.
    overrides : iterable of str
        ``section.key=value``; the value is read as TOML, and as bare text where it is not TOML.

    Raises
    ------
    ProblemError
        One line that names the key, the requirement and the value.
    """
    path = Path(path)
    tables = _parse(_file_text(path, MAX_FILE_BYTES, "the problem file"), f"{path.name}")
    for override in overrides:
        _override(tables, override)
    return read_problem(tables, folder=path.parent, source=path.name)


def read_problem(tables: Mapping[str, Any], folder: str | Path = ".", source: str = "problem") -> Problem:
    """The problem in tables already parsed (TOML or JSON); data files are looked up from ``folder``.

    Raises
    ------
    ProblemError
        As `load_problem`.
    """
    sections = _sections(tables)
    process, process_table = _process(sections["process"])
    data, data_table = _data(sections["data"], Path(folder))
    scheme, scheme_table = _scheme(sections["scheme"], data.early_stop)
    noise = {key: sections["scheme"].number(key, 0.0, minimum=0.0) for key in ("score_error", "score_noise")}
    _check_together(process, data, scheme)
    return Problem(
        process, data.law, data.assumptions, scheme, **noise, time_regularity=data.time_regularity,
        notes=data.notes, source=source,
        tables={"process": process_table, "data": data_table, "scheme": {**scheme_table, **noise}},
    )  # fmt: skip


def bundled_problem(name: str) -> Path:
    """Path of a problem file that comes with the package, by name (``old_faithful``, ``two_modes``…).

    Raises
    ------
    ProblemError
        If there is no such file.
    """
    names = bundled_problems()
    if name not in names:
        given = f"{_shown(name)}{_hint(name, names)}"
        raise ProblemError(f"a bundled problem must be one of {', '.join(names)}, got {given}")
    return _bundle() / f"{name}.toml"


def bundled_problems() -> tuple[str, ...]:
    """Names of the problem files that come with the package."""
    return tuple(sorted(path.stem for path in _bundle().glob("*.toml")))


def _bundle() -> Path:
    from importlib.resources import files

    return Path(str(files("verify.problems")))


# -- files, tables and overrides ----------------------------------------------------------------------


def _file_text(path: Path, limit: int, what: str) -> str:
    """The text of a regular UTF-8 file of limited size."""
    _check_file(path, limit, what)
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ProblemError(f"{what} must be UTF-8 text: {_shown(str(path))}") from None
    except OSError as error:
        raise ProblemError(f"{what} cannot be read: {_shown(str(path))} ({error.strerror})") from None


def _check_file(path: Path, limit: int, what: str) -> None:
    try:
        if not path.exists():
            raise ProblemError(f"{what} does not exist: {_shown(str(path))}")
        if not path.is_file():
            raise ProblemError(f"{what} must be a regular file: {_shown(str(path))}")
        size = path.stat().st_size
    except OSError as error:
        raise ProblemError(f"{what} cannot be read: {_shown(str(path))} ({error.strerror})") from None
    if size > limit:
        raise ProblemError(f"{what} must be at most {limit} bytes: {_shown(str(path))} has {size}")


def _parse(text: str, source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        why = _line(error)
    except ValueError:
        why = "a number has too many digits"
    except RecursionError:
        why = "it is nested too deeply"
    raise ProblemError(f"{_line(source)} is not valid TOML: {why}")


def _override(tables: dict[str, Any], override: str) -> None:
    """Write one ``section.key=value`` into the tables."""
    target, equals, text = override.partition("=")
    section, dot, key = target.strip().partition(".")
    if not (equals and dot and section and key) or len(override) > MAX_OVERRIDE:
        raise ProblemError(f"an override must have the form section.key=value, got {_shown(override)}")
    try:
        parsed = tomllib.loads(f"value = {text}")
        value = parsed["value"] if parsed.keys() == {"value"} else text.strip()
    except (ValueError, RecursionError):
        value = text.strip()
    table = tables.setdefault(section, {})
    if not isinstance(table, dict):
        raise ProblemError(f"{_line(section)} must be a table, got {_shown(table)}")
    table[key] = value


def _sections(tables: Mapping[str, Any]) -> dict[str, _Section]:
    names = ("process", "data", "scheme")
    for name, table in tables.items():
        if name not in names:
            hint = _hint(name, names)
            raise ProblemError(f"unknown section [{_line(name)}]{hint}; a problem has {', '.join(names)}")
        if not isinstance(table, dict):
            raise ProblemError(f"{name} must be a table, got {_shown(table)}")
    for name in names:
        if name not in tables:
            raise ProblemError(f"the section [{name}] is missing")
    return {name: _Section(name, dict(tables[name])) for name in names}


@dataclass(frozen=True)
class _Section:
    """One table of the file; every reader refuses a wrong type or range in one line."""

    name: str
    values: dict[str, Any]

    def only(self, allowed: Iterable[str], known: Iterable[str], owner: str) -> None:
        """Refuse keys that are unknown, or known but belong to another owner."""
        allowed = tuple(allowed)
        for key in self.values:
            if key in allowed:
                continue
            takes = f"{owner}, which takes {', '.join(allowed)}"
            if key in known:
                raise ProblemError(f"{self.name}.{key} does not belong to {takes}")
            raise ProblemError(f"unknown key {self.name}.{_line(key)} for {takes}{_hint(key, allowed)}")

    def get(self, key: str, default: Any = _REQUIRED) -> Any:
        if key not in self.values and default is _REQUIRED:
            raise ProblemError(f"{self.name}.{key} is missing")
        return self.values.get(key, default)

    def refuse(self, key: str, requirement: str) -> ProblemError:
        return ProblemError(f"{self.name}.{key} must be {requirement}, got {_shown(self.values.get(key))}")

    def choice(self, key: str, options: Iterable[str], default: Any = _REQUIRED) -> str:
        value, options = self.get(key, default), tuple(options)
        if not isinstance(value, str) or value not in options:
            given = f"{_shown(value)}{_hint(value, options)}"
            raise ProblemError(f"{self.name}.{key} must be one of {', '.join(options)}, got {given}")
        return value

    def number(
        self, key: str, default: Any = _REQUIRED, minimum: float = -math.inf, positive: bool = False
    ) -> Any:
        """A finite float within range; the default, None included, is returned as it is."""
        if key not in self.values and default is not _REQUIRED:
            return default
        value = _finite(self.get(key))
        if value is None or value < minimum or (positive and value <= 0):
            least = f" of at least {minimum:g}" if minimum > -math.inf else ""
            raise self.refuse(key, "a positive finite number" if positive else f"a finite number{least}")
        return value

    def count(self, key: str, largest: int, default: Any = _REQUIRED) -> Any:
        if key not in self.values and default is not _REQUIRED:
            return default
        value = self.get(key)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= largest:
            raise self.refuse(key, f"a whole number from 1 to {largest}")
        return value

    def flag(self, key: str, default: bool) -> bool:
        value = self.get(key, default)
        if not isinstance(value, bool):
            raise self.refuse(key, "true or false")
        return value

    def array(self, key: str, ndims: tuple[int, ...], shape: str) -> np.ndarray:
        """A rectangular array of finite numbers with an allowed number of axes."""
        value = self.get(key)
        array = _array(value)
        if array is None or array.ndim not in ndims:
            raise self.refuse(key, f"{shape} (finite numbers, rectangular, not empty)")
        return array

    @contextlib.contextmanager
    def border(self) -> Iterator[None]:
        """Put the section in front of what a constructor says about its argument."""
        try:
            yield
        except ProblemError:
            raise
        except (ValueError, TypeError, ArithmeticError, TimeoutError, MemoryError) as error:
            message = _line(error)
            known = message.split(" ", 1)[0].rstrip(",") in self.values
            if message.startswith(f"{self.name}.") or message.startswith(f"{self.name}:"):
                raise ProblemError(message) from None
            raise ProblemError(f"{self.name}{'.' if known else ': '}{message}") from None


# -- process ----------------------------------------------------------------------


def _process(section: _Section) -> tuple[ForwardProcess, dict]:
    """The forward process and its normal form."""
    family = section.get("family")
    if isinstance(family, str) and family in _LATER:
        raise ProblemError(f"process.family = {family!r}: {_LATER[family]}")
    family = section.choice("family", FAMILIES)
    make, keys = FAMILIES[family]
    known = {key for _, needed in FAMILIES.values() for key in needed}
    section.only(("family", *keys), known, f"family {family!r}")
    with section.border():
        expressions = [parse_expression(section.get(key), TIME, name=f"process.{key}") for key in keys]
        try:
            with Deadline(_BUILD_SECONDS):  # sub-vp integrates, and a square root can hang sympy
                process = make(*expressions)
        except TimeoutError:
            raise ProblemError(
                f"process: f and g² must be simpler: no answer in {_BUILD_SECONDS:g} s"
            ) from None
    return process, {"family": family, **{key: section.get(key) for key in keys}}


def _check_together(process: ForwardProcess, data: _Data, scheme: Scheme) -> None:
    """Refuse a process not usable up to the horizon, and a scheme the data do not allow."""
    if scheme.rule.needs_envelope and not data.assumptions:
        raise ProblemError(f"scheme.kind = {scheme.key!r} needs constants for the data: {data.notes[-1]}")
    if any(assumption.needs_early_stop for assumption in data.assumptions) and not scheme.grid.early_stop > 0:
        raise ProblemError("data.early_stop, or scheme.early_stop, must be positive for bounded data")
    times, steps = scheme.grid.times, scheme.grid.steps
    chosen = np.unique(np.linspace(0, steps, min(steps, _PROCESS_STEPS) + 1).astype(int))
    inside = np.linspace(scheme.grid.horizon, 0.0, _PROCESS_SAMPLES + 1)[:-1]
    try:
        with _Section("process", {}).border(), np.errstate(all="ignore"):  # what overflows is refused by name
            process.f_values(inside)
            process.g_sq_values(inside)
            ProcessPath(process, times[chosen])
    except (NameError, NotImplementedError):  # a special function that sympy cannot turn into numpy
        raise ProblemError("process: f and g² must be made of elementary functions") from None


# -- data ----------------------------------------------------------------------


@dataclass(frozen=True)
class _Data:
    law: Gaussian | GaussianMixture | None
    assumptions: tuple[Assumption, ...]
    early_stop: float | None = None
    time_regularity: float | None = None
    notes: tuple[str, ...] = ()


def _data(section: _Section, folder: Path) -> tuple[_Data, dict]:
    """Law and constants, and the normal form."""
    given = [key for key in ("law", "assumption") if key in section.values]
    if len(given) != 1:
        what = "both were given" if given else "neither was given"
        raise ProblemError(f"data must have exactly one of data.law and data.assumption, {what}")
    known = {"law", "assumption", "early_stop", *_MOMENTS}
    known |= {key for keys in (*_LAWS.values(), *_CONSTANTS.values()) for key in keys}
    kind = section.choice(given[0], _LAWS if given[0] == "law" else _CONSTANTS)
    if given[0] == "assumption":
        extra = ("early_stop",) if ASSUMPTIONS[kind].needs_early_stop else ()
        section.only(("assumption", *_CONSTANTS[kind], *_MOMENTS, *extra), known, f"assumption {kind!r}")
        return _constants(section, kind)
    section.only(("law", *_LAWS[kind]), known, f"law {kind!r}")
    with section.border():
        law = {"gaussian": _gaussian, "mixture": _mixture, "samples": _samples}[kind](section, folder)
    if section.count("dim", MAX_DIM, law.dim) != law.dim:
        raise section.refuse("dim", f"the dimension of the data, {law.dim}")
    try:
        data = _Data(law, tuple(law.assumptions()))
    except ValueError as error:
        data = _Data(law, (), notes=(_line(error),))
    return data, {**section.values, "dim": law.dim}


def _constants(section: _Section, kind: str) -> tuple[_Data, dict]:
    """An assumption by its constants."""
    constants = {key: section.number(key) for key in _CONSTANTS[kind]}
    dim = section.count("dim", MAX_DIM, 1)
    moments = {key: section.number(key, None, minimum=0.0) for key in ("second_moment", "mean_norm")}
    notes = []
    if moments["second_moment"] is None and moments["mean_norm"] is None:
        moments["mean_norm"] = 0.0
        notes.append("data.mean_norm and data.second_moment were not given: the data are taken to be centred")
    if moments["second_moment"] is None:
        notes.append("data.second_moment was not given: the largest value the constants allow is used")
    with section.border():
        assumption = ASSUMPTIONS[kind](**constants, dim=dim, **moments)
    early_stop = section.number("early_stop", None, positive=True)
    regularity = section.number("time_regularity", None, minimum=0.0)
    table = {key: value for key, value in section.values.items() if key != "early_stop"}
    table.update(dim=dim, **{key: value for key, value in moments.items() if value is not None})
    return _Data(None, (assumption,), early_stop, regularity, tuple(notes)), table


def _gaussian(section: _Section, _folder: Path) -> Gaussian:
    mean = section.array("mean", (0, 1), "a number or a list of numbers")
    covariance = section.array("covariance", (0, 1, 2), "a variance, a list of variances or a matrix")
    sizes = {key: len(array) for key, array in (("mean", mean), ("covariance", covariance)) if array.ndim}
    if "dim" in section.values:
        sizes["dim"] = section.count("dim", MAX_DIM)
    if len(set(sizes.values())) > 1:
        found = ", ".join(f"{size} from {key}" for key, size in sizes.items())
        raise ProblemError(f"data.mean, covariance and dim must agree on the dimension, got {found}")
    return Gaussian(np.full(next(iter(sizes.values()), 1), mean), covariance)


def _mixture(section: _Section, _folder: Path) -> GaussianMixture:
    means = section.array("means", (2,), "a list of points such as [[-1.0], [1.0]]")
    weights = section.array("weights", (1,), "a list of numbers") if "weights" in section.values else None
    spread: dict[str, Any] = {}
    if "std" in section.values:
        spread["std"] = section.number("std", positive=True)
    if "covariance" in section.values:
        array = section.array("covariance", (0, 1, 2), "a variance, a list of variances or a matrix")
        if array.ndim:
            spread["covariance"] = _matrix(array)
        else:
            spread["std"] = math.sqrt(section.number("covariance", positive=True))
    if "covariances" in section.values:
        shape = "a list of variances, of lists of variances or of matrices"
        array = section.array("covariances", (1, 2, 3), shape)
        spread["covariances"] = np.stack([_matrix(entry, means.shape[1]) for entry in array])
    if len({"std", "covariance", "covariances"} & section.values.keys()) != 1:
        raise ProblemError("data must have exactly one of data.std, data.covariance and data.covariances")
    return GaussianMixture(means, weights, **spread)


def _matrix(spread: np.ndarray, dim: int = 1) -> np.ndarray:
    """A covariance matrix from a variance, a list of variances or a matrix."""
    if max(dim, *spread.shape, 1) > MAX_MATRIX_DIM:
        raise ProblemError(f"data: full covariances need a dimension of at most {MAX_MATRIX_DIM}")
    return spread if spread.ndim == 2 else np.diag(spread) if spread.ndim else spread * np.eye(dim)


def _samples(section: _Section, folder: Path) -> GaussianMixture:
    name, columns = section.get("file"), section.get("columns", None)
    if not isinstance(name, str) or not name or "\0" in name:
        raise section.refuse("file", "the name of a CSV file")
    if columns is not None and not (
        isinstance(columns, list) and columns and all(isinstance(column, str) for column in columns)
    ):
        raise section.refuse("columns", "a list of column names")
    smoothing = section.number("smoothing", positive=True)
    standardize = section.flag("standardize", False)
    path = folder / name
    _check_file(path, MAX_DATA_BYTES, "data.file")
    try:
        return smoothed_data(read_samples(path, columns), smoothing, standardize)
    except ValueError as error:
        raise ProblemError(f"data.file: {_line(error)}") from None


# -- scheme ----------------------------------------------------------------------


def _scheme(section: _Section, data_early_stop: float | None) -> tuple[Scheme, dict]:
    """The sampler and its normal form."""
    section.only(_SCHEME_KEYS, (), "scheme")
    kind = section.choice("kind", SCHEMES)
    early_stop = section.number("early_stop", data_early_stop, minimum=0.0)
    if data_early_stop is not None and early_stop != data_early_stop:
        raise section.refuse("early_stop", f"the same as data.early_stop = {data_early_stop:g}")
    prior_std = section.number("prior_std", None, positive=True)
    with section.border():
        grid = _grid(section, early_stop)
        scheme = Scheme(SCHEMES[kind], grid, prior_std)
    shape = grid.times.tolist() if grid.kind == "list" else grid.kind
    table = {"kind": kind, "horizon": grid.horizon, "steps": grid.steps, "grid": shape}
    table["early_stop"] = grid.early_stop
    return scheme, table if prior_std is None else {**table, "prior_std": prior_std}


def _grid(section: _Section, early_stop: float | None) -> TimeGrid:
    """A named grid, or an explicit list that horizon, steps and early_stop, where given, must agree with."""
    shape = section.get("grid", "uniform")
    if not isinstance(shape, list):
        name = section.choice("grid", ("uniform", "geometric"), "uniform")
        horizon, steps = section.number("horizon", positive=True), section.count("steps", MAX_STEPS)
        return getattr(TimeGrid, name)(horizon, steps, early_stop or 0.0)
    grid = TimeGrid.from_times(section.array("grid", (1,), "uniform, geometric or a list of times"))
    if section.number("horizon", grid.horizon, positive=True) != grid.horizon:
        raise section.refuse("horizon", f"the first time of scheme.grid, {grid.horizon:g}")
    if section.count("steps", MAX_STEPS, grid.steps) != grid.steps:
        raise section.refuse("steps", f"one less than the number of times in scheme.grid, {grid.steps}")
    if early_stop is not None and early_stop != grid.early_stop:
        last = f"the last time of scheme.grid, {grid.early_stop:g}"
        raise ProblemError(f"early_stop must be {last}, got {early_stop:g}")
    return grid


# -- values ----------------------------------------------------------------------


def _finite(value: Any) -> float | None:
    """A number of the file as a finite float, None if it is not one (booleans are not numbers)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:
        return None


def _array(value: Any, depth: int = 0) -> np.ndarray | None:
    """Nested lists of numbers as a rectangular array, None if they are not."""
    if not isinstance(value, list):
        number = _finite(value)
        return None if number is None else np.array(number)
    if depth == 3 or not value:
        return None
    parts = [_array(item, depth + 1) for item in value]
    if any(part is None or part.shape != getattr(parts[0], "shape", ()) for part in parts):
        return None
    return np.array(parts)


def _hint(word: Any, options: Iterable[str]) -> str:
    close = difflib.get_close_matches(str(word)[:100], list(options), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _line(text: Any) -> str:
    """Any message on one printable line of moderate length."""
    line = " ".join(str(text).split())
    line = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)
    return line if len(line) <= 400 else line[:397] + "..."


def _shown(value: Any) -> str:
    """A value of the file, shortened."""
    try:
        text = str(value).lower() if isinstance(value, bool) else _line(repr(value))
    except ValueError:  # an integer too long to print
        text = type(value).__name__
    return text if len(text) <= 80 else text[:77] + "..."
