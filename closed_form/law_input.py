"""What laws and points are made of, checked at the border and brought to their simplest form."""

import math

import numpy as np

#: Largest dimension for which a problem file may give full covariances.
MAX_MATRIX_DIM = 2_000
#: Sizes that a number of a problem file, other than 0, may have: fourth powers and their inverses are floats.
SMALLEST, LARGEST = 1e-75, 1e75
#: Relative error of what was computed in double precision, forgiven without a word, and of what was in single
#: precision, mended and said in a note.
DOUBLE, SINGLE = 1e-12, 1e-6
#: Means and standard deviations stay below this and, if positive, above its inverse, as the constants of an
#: assumption do: a squared curvature is a fourth power, and in the range of floats then.
LARGEST_SIZE = 1e50
_EPS = np.finfo(float).eps


def finite_array(name: str, value) -> np.ndarray:
    """``value`` as a fresh float64 array with finite entries; ValueError naming the argument otherwise."""
    if hasattr(value, "detach"):  # a torch tensor, which may be on a device and part of a graph
        value = value.detach().cpu().numpy()
    try:
        array = np.array(value)
    except ValueError as error:
        raise ValueError(f"{name} must be a rectangular array of numbers, got {value!r:.80}") from error
    if array.dtype.kind not in "iuf":
        raise ValueError(f"{name} must be made of real numbers, got {value!r:.80}")
    array = array.astype(float)
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must have finite entries, got {array[~np.isfinite(array)].flat[0]}")
    return array


def of_moderate_size(name: str, sizes: np.ndarray, limit: float = LARGEST_SIZE, *, positive: bool = True):
    """Refuse sizes whose fourth powers leave the range of floats; zeros only where they must be positive."""
    sizes = np.abs(sizes)
    far = (sizes > limit) | (positive & (sizes < 1 / limit))
    if far.any():
        between = f"between {1 / limit:g} and {limit:g}" if positive else f"at most {limit:g} in size"
        raise ValueError(f"{name} must be {between} (choose other units), got {sizes[far].flat[0]:g}")


def points(x, dim: int) -> np.ndarray:
    """``x`` as float64 points of shape (n, d); ValueError otherwise."""
    x = np.asarray(x, dtype=float)
    if x.ndim != 2 or x.shape[1] != dim:
        raise ValueError(f"x must have shape (n, {dim}), got {x.shape}")
    return x


def push_coefficients(a: float, s_sq: float) -> tuple[float, float]:
    """``a`` and ``s_sq`` as floats, finite and ``s_sq >= 0``; ValueError otherwise."""
    a, s_sq = float(a), float(s_sq)
    if not math.isfinite(a):
        raise ValueError(f"a must be finite, got {a}")
    if not 0.0 <= s_sq < math.inf:
        raise ValueError(f"s_sq must be finite and at least 0, got {s_sq}")
    return a, s_sq


def unit_vector(name: str, vector, dim: int) -> np.ndarray:
    """``vector`` divided by its length, shape (d,); ValueError unless it is finite, not 0 and of that
    shape."""
    vector = np.atleast_1d(np.asarray(vector, dtype=float))
    if vector.shape != (dim,) or not np.isfinite(vector).all() or not vector.any():
        raise ValueError(f"{name} must be finite, non-zero, of shape ({dim},), got {vector!r:.80}")
    vector = vector / np.abs(vector).max()  # before the norm, which could overflow
    return vector / np.linalg.norm(vector)


def error_size(name: str, value) -> float:
    """The size of a score error, a finite number of at least 0; TypeError or ValueError otherwise."""
    if isinstance(value, bool | str) or not np.isscalar(value):
        raise TypeError(f"{name} must be a number of at least 0, got {value!r}")
    if not 0.0 <= value < math.inf:
        raise ValueError(f"{name} must be finite and at least 0, got {value}")
    return float(value)


def symmetric(name: str, matrix: np.ndarray, notes: list[str]) -> np.ndarray:
    """The symmetric part of a matrix (…, d, d) that is symmetric up to the rounding of single precision, of
    which ``notes`` then tell; ValueError otherwise."""
    transpose = np.swapaxes(matrix, -1, -2)
    skew, size = np.abs(matrix - transpose).max(), np.abs(matrix).max()
    if skew > SINGLE * size:
        raise ValueError(f"{name} must be symmetric, got an asymmetry of {skew}")
    if skew > DOUBLE * size:
        notes.append(f"{name} was asymmetric by {skew:.3g}, as single precision leaves it: its symmetric part is "
                     "meant")
    return 0.5 * (matrix + transpose)


def positive_eigen(name: str, matrix: np.ndarray, notes: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues (…, d), clipped at 0 within the rounding of single precision, of which ``notes`` then tell,
    and eigenvectors; ValueError if indefinite."""
    values, basis = np.linalg.eigh(matrix)
    size = np.abs(values).max(axis=-1, keepdims=True)
    if (values < -SINGLE * size).any():
        raise ValueError(f"{name} must be positive semi-definite, got an eigenvalue {values.min()}")
    if (values < -8 * values.shape[-1] * _EPS * size).any():
        notes.append(f"{name} had an eigenvalue {values.min():.3g}, as single precision leaves it: 0 is meant")
    return np.maximum(values, 0.0), basis


def checked_weights(weights, c: int, notes: list[str]) -> np.ndarray:
    """``weights``, or equal ones if None, as shape (c,), validated and normalised, which ``notes`` tell where it
    is more than the rounding of a sum."""
    if weights is None:
        return np.full(c, 1.0 / c)
    weights = finite_array("weights", weights)
    if weights.shape != (c,):
        raise ValueError(f"weights must have shape ({c},), one for each mean, got {weights.shape}")
    if weights.min() < 0.0:
        raise ValueError(f"weights must be non-negative, got {weights.min()}")
    total = math.fsum(weights)
    if abs(total - 1.0) > SINGLE:
        raise ValueError(f"weights must sum to 1 within {SINGLE:g}, got a sum of {total}")
    if abs(total - 1.0) > 1e-9:
        notes.append(f"weights summed to 1 {total - 1.0:+.3g}, as single precision leaves it: they were divided by "
                     "their sum")
    return weights / total


def checked_spread(std, covariance, covariances, c: int, d: int, notes: list[str]) -> np.ndarray:
    """``std`` as shape (), or the covariance(s) as (d, d) or (c, d, d), validated."""
    if std is not None:
        std = finite_array("std", std)
        if std.ndim != 0 or not std > 0.0:
            raise ValueError(f"std must be one positive number, got {std}")
        of_moderate_size("std", std)
        return std
    name, given, shape = "covariance", covariance, (d, d)
    if covariances is not None:
        name, given, shape = "covariances", covariances, (c, d, d)
    matrices = finite_array(name, given)
    if matrices.shape != shape:
        raise ValueError(f"{name} must have shape {shape}, got {matrices.shape}")
    matrices = symmetric(name, matrices, notes)
    values, _ = positive_eigen(name, matrices, notes)
    if (values[..., 0] <= d * _EPS * values[..., -1]).any():
        raise ValueError(f"{name} must be positive definite, got a smallest eigenvalue {values.min()}")
    of_moderate_size(name, values, LARGEST_SIZE**2)
    return matrices


def simplest(spread: np.ndarray) -> np.ndarray:
    """The covariances in the smallest form that says the same: (c, d, d) to (d, d) to a std of shape ()."""
    if spread.ndim == 3 and (spread == spread[0]).all():
        spread = spread[0].copy()
    if spread.ndim == 2 and (spread == spread[0, 0] * np.eye(len(spread))).all():
        spread = np.sqrt(spread[0, 0])
    return np.asarray(spread)


def read_spread(section, dim: int) -> dict:
    """``std``, ``covariance`` or ``covariances`` of `GaussianMixture` from the table of a problem file.

    Parameters
    ----------
    section
        As in `closed_form.law.DataLaw`.
    dim : int
        d of the means.
    """
    spread = {}
    if "std" in section.values:
        spread["std"] = section.number("std", positive=True)
    if "covariance" in section.values:
        array = section.array("covariance", (0, 1, 2), "a variance, a list of variances or a matrix")
        if array.ndim:
            spread["covariance"] = _matrix(section, array)
        else:
            spread["std"] = math.sqrt(section.number("covariance", positive=True))
    if "covariances" in section.values:
        array = section.array("covariances", (1, 2, 3),
                              "a list of variances, of lists of variances or of matrices")
        spread["covariances"] = np.stack([_matrix(section, entry, dim) for entry in array])
    if len({"std", "covariance", "covariances"} & section.values.keys()) != 1:
        raise section.fault("data must have exactly one of data.std, data.covariance and data.covariances")
    return spread


def _matrix(section, spread: np.ndarray, dim: int = 1) -> np.ndarray:
    """A covariance matrix from a variance, a list of variances or a matrix."""
    if max(dim, *spread.shape, 1) > MAX_MATRIX_DIM:
        raise section.fault(f"data: full covariances need a dimension of at most {MAX_MATRIX_DIM}")
    return spread if spread.ndim == 2 else np.diag(spread) if spread.ndim else spread * np.eye(dim)
