"""Read the table of the data: a law in closed form, smoothed samples, or constants alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bounds.assumption import Assumption, check_constant
from bounds.assumptions import assumptions
from bounds.assumptions.bounded_support import BoundedSupport
from closed_form.laws.funnel import Funnel
from closed_form.laws.gaussian import Gaussian
from closed_form.laws.mixture import GaussianMixture
from closed_form.laws.samples import read_samples, smoothed_data
from verify.problems.file import check_file
from verify.problems.section import ProblemError, Section, short_line

#: Said of constants that a file states of a law.
BY_HAND = "the constants of the data are stated by hand: the bounds are as true as these"
MAX_DATA_BYTES = 50_000_000
MAX_DIM = 10_000_000
MAX_MATRIX_DIM = 2_000

_LAWS = {
    "gaussian": ("mean", "covariance", "dim"),
    "mixture": ("means", "std", "covariance", "covariances", "weights", "dim"),
    "samples": ("file", "columns", "standardize", "smoothing", "dim"),
    "funnel": ("dim", "std", "standardized"),
}
_CONSTANTS = {
    "strong-log-concave": ("m0", "L0"),
    "weak-log-concave": ("alpha", "M", "L"),
    "log-lipschitz": ("alpha", "lipschitz", "L"),
    "bounded": ("radius",),
    "smoothed-support": ("radius", "std"),
}
_MOMENTS = ("dim", "second_moment", "mean_norm", "time_regularity")


@dataclass(frozen=True)
class Data:
    """What the table of the data says: a law or constants, and what goes with them."""

    law: Gaussian | GaussianMixture | Funnel | None
    assumptions: tuple[Assumption, ...]
    early_stop: float | None = None
    time_regularity: float | None = None
    notes: tuple[str, ...] = ()


def read_data(section: Section, folder: Path) -> tuple[Data, dict]:
    """Law and constants, and the normal form."""
    if not {"law", "assumption"} & section.values.keys():
        raise ProblemError("data must have data.law or data.assumption (or both: constants stated by hand), neither was given")
    known = {"law", "assumption", "early_stop", *_MOMENTS}
    known |= {key for keys in (*_LAWS.values(), *_CONSTANTS.values()) for key in keys}
    stated = section.choice("assumption", _CONSTANTS) if "assumption" in section.values else None
    if "law" not in section.values:
        extra = ("early_stop",) if stated == BoundedSupport.key else ()
        section.only(("assumption", *_CONSTANTS[stated], *_MOMENTS, *extra), known, f"assumption {stated!r}")
        return _constants(section, stated)
    kind = section.choice("law", _LAWS)
    by_hand = ("assumption", *_CONSTANTS[stated], "second_moment", "mean_norm") if stated and kind != "funnel" else ()
    section.only(("law", *_LAWS[kind], *by_hand), known, f"law {kind!r}")
    with section.border():
        law = {"gaussian": _gaussian, "mixture": _mixture, "samples": _samples, "funnel": _funnel}[kind](section, folder)
    if section.count("dim", MAX_DIM, law.dim) != law.dim:
        raise section.refuse("dim", f"the dimension of the data, {law.dim}")
    if stated:
        data = Data(law, (_stated(section, stated, law),), notes=(BY_HAND,))
    else:
        try:
            data = Data(law, tuple(law.assumptions()))
        except ValueError as error:
            data = Data(law, (), notes=(short_line(error),))
    shape = {"std": law.std, "standardized": law.standardized} if kind == "funnel" else {}
    return data, {**section.values, "dim": law.dim, **shape}


def _stated(section: Section, kind: str, law) -> Assumption:
    """The assumption a file states of a law; moments it leaves out are the law's."""
    constants = {key: section.number(key) for key in _CONSTANTS[kind]}
    moments = {key: section.number(key, float(getattr(law, key)), minimum=0.0) for key in ("second_moment", "mean_norm")}
    make = _smoothed_support if kind == "smoothed-support" else assumptions()[kind]
    with section.border():
        return make(**constants, dim=law.dim, **moments)


def _constants(section: Section, kind: str) -> tuple[Data, dict]:
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
    make = _smoothed_support if kind == "smoothed-support" else assumptions()[kind]
    with section.border():
        assumption = make(**constants, dim=dim, **moments)
    early_stop = section.number("early_stop", None, positive=True)
    regularity = section.number("time_regularity", None, minimum=0.0)
    table = {key: value for key, value in section.values.items() if key != "early_stop"}
    table.update(dim=dim, **{key: value for key, value in moments.items() if value is not None})
    return Data(None, (assumption,), early_stop, regularity, tuple(notes)), table


def _smoothed_support(radius: float, std: float, dim: int, second_moment: float | None, mean_norm: float | None):
    """Y + N(0, std² I) with Y in a ball: any mixture of one isotropic Gaussian, finite or continuous."""
    std = check_constant("std", std, positive=True)
    if second_moment is not None:
        if second_moment < dim * std**2:
            raise ValueError(f"second_moment must be at least dim std² = {dim * std**2:g}, got {second_moment:g}")
        second_moment -= dim * std**2
    return BoundedSupport(radius, dim, second_moment, mean_norm).smoothed(std**2)


def _gaussian(section: Section, _folder: Path) -> Gaussian:
    mean = section.array("mean", (0, 1), "a number or a list of numbers")
    covariance = section.array("covariance", (0, 1, 2), "a variance, a list of variances or a matrix")
    sizes = {key: len(array) for key, array in (("mean", mean), ("covariance", covariance)) if array.ndim}
    if "dim" in section.values:
        sizes["dim"] = section.count("dim", MAX_DIM)
    if len(set(sizes.values())) > 1:
        found = ", ".join(f"{size} from {key}" for key, size in sizes.items())
        raise ProblemError(f"data.mean, covariance and dim must agree on the dimension, got {found}")
    return Gaussian(np.full(next(iter(sizes.values()), 1), mean), covariance)


def _mixture(section: Section, _folder: Path) -> GaussianMixture:
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


def _funnel(section: Section, _folder: Path) -> Funnel:
    return Funnel(
        section.count("dim", MAX_DIM), section.number("std", 1.0, positive=True), section.flag("standardized", False)
    )


def _matrix(spread: np.ndarray, dim: int = 1) -> np.ndarray:
    """A covariance matrix from a variance, a list of variances or a matrix."""
    if max(dim, *spread.shape, 1) > MAX_MATRIX_DIM:
        raise ProblemError(f"data: full covariances need a dimension of at most {MAX_MATRIX_DIM}")
    return spread if spread.ndim == 2 else np.diag(spread) if spread.ndim else spread * np.eye(dim)


def _samples(section: Section, folder: Path) -> GaussianMixture:
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
    check_file(path, MAX_DATA_BYTES, "data.file")
    try:
        return smoothed_data(read_samples(path, columns), smoothing, standardize)
    except ValueError as error:
        raise ProblemError(f"data.file: {short_line(error)}") from None
