r"""Eigenvalues, square roots and norms in extended precision, with bounds of their rounding errors."""

import math

import numpy as np

from closed_form.bracket import Bracket
from closed_form.laws.gaussian import Gaussian

WIDE = np.longdouble  # 64-bit mantissa on x86; plain double where the platform has nothing wider
WIDE_EPS = np.finfo(WIDE).eps
_EPS = np.finfo(float).eps


def clustered(law: Gaussian) -> np.ndarray:
    """Eigenvalues of Σ, those within rounding of each other replaced by their mean."""
    values = law.eigenvalues
    if law.basis is None:
        return values
    breaks = np.flatnonzero(np.diff(values) > 4 * law.dim * _EPS * values[-1]) + 1
    return np.concatenate([np.full(len(group), group.mean()) for group in np.split(values, breaks)])


def root_gap(v, v_error, w, w_error) -> tuple[np.ndarray, np.ndarray]:
    """√v − √w without cancellation, and a bound of its error for v, w known within errors; of many that are alike it
    is found once."""
    columns = np.broadcast_arrays(v, v_error, w, w_error)
    shape = columns[0].shape
    if len(shape) == 1 and shape[0] > 1 and all((each == each[0]).all() for each in columns):
        gap, slack = root_gap(*(each[:1] for each in columns))
        return np.broadcast_to(gap, shape), np.broadcast_to(slack, shape)
    gap = _ratio(v - w, np.sqrt(v) + np.sqrt(w))
    slack = _root_slack(v, v_error) + _root_slack(w, w_error)
    return gap, slack + 8 * WIDE_EPS * np.abs(gap)


def _root_slack(x, dx) -> np.ndarray:
    """max |√y − √x| over |y − x| ≤ dx, y ≥ 0."""
    low = np.maximum(x - dx, 0.0)
    return np.maximum(_ratio(x - low, np.sqrt(x) + np.sqrt(low)), _ratio(dx, np.sqrt(x + dx) + np.sqrt(x)))


def _ratio(x, y) -> np.ndarray:
    """x/y where y > 0, 0 where it is not, NaN where it is NaN."""
    return np.where(y <= 0.0, 0.0, x / np.where(y <= 0.0, 1.0, y))


def norm_bracket(parts: np.ndarray, slack: np.ndarray, method: str, estimated: str = "",
                 counts: np.ndarray | None = None) -> Bracket:
    """Bracket of |x| for a vector within ``slack`` of ``parts``, entry by entry, each there ``counts`` times."""
    size, times = np.abs(parts), 1.0 if counts is None else counts
    rounding = 1.0 + (len(parts) + 8) * WIDE_EPS
    upper = np.sqrt((np.square(size + slack) * times).sum()) * rounding
    lower = np.sqrt((np.square(np.maximum(size - slack, 0.0)) * times).sum()) / rounding
    if not np.isfinite(lower):
        return Bracket(0.0, math.inf, method, estimated)
    low, high = np.nextafter(float(lower), 0.0), np.nextafter(float(upper), math.inf)
    return Bracket(min(float(low), np.finfo(float).max), math.inf if np.isnan(high) else float(high), method,
                   estimated)


def wide(x) -> np.ndarray:
    """``x`` in extended precision."""
    return np.asarray(x, dtype=WIDE)
