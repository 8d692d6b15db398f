"""What is known of the data beyond the constants of an assumption."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np


@dataclass(frozen=True)
class DataFacts:
    """What is known of the data beyond the assumption, for laws in closed form.

    Attributes
    ----------
    moments : object with ``at(q)``, or None
        Mean and mean square of the posterior covariance above c_lo (the MMSE curve and its derivative).
    gaussian_spectrum : (mean, variances), or None
        Mean (d,) and covariance eigenvalues (d,) with the mean in the eigenbasis, if the data are Gaussian.
    spectrum_error : float
        How far each of these variances may be off: ‖Σ − U diag(variances) Uᵀ‖ from above, which bounds it by
        Hoffman and Wielandt; 0 where they are the entries of a diagonal.
    distance_to_gaussian : callable, or None
        v -> an upper bound of W2(p_0, N(0, v I)).
    mean : array of shape (d,), or None
        E X_0.
    distance_to_start : callable, or None
        (a, s², start) -> an upper bound of W2 between the law of aX_0 + N(0, s² I) and a `bounds.start.Start`.
    time_regularity : float, (mean, variances), callable, or None
        The constant M1 of arXiv 2311.11003, Assumption 2; what it follows from, mean and eigenvalues of
        Gaussian data as above; or `bounds.steps.path.Path` -> M1, an estimate.
    flow_errors : callable, or None
        (τ, r, step) -> ‖step(Y_τ) − Y_r‖ from above, shape (k,), where the probability-flow ODE takes Y_τ at
        the noise level τ to Y_r; ``step(y, index, noise)`` is what steps of these numbers make of points y
        (p, n), with noise(y, σ) = E[Z | X_0 + σZ = y].
    """

    moments: Any = None
    gaussian_spectrum: tuple[Any, Any] | None = None
    spectrum_error: float = 0.0
    distance_to_gaussian: Callable[[float], float] | None = None
    mean: Any = None
    distance_to_start: Callable[[float, float, Any], float] | None = None
    time_regularity: float | tuple[Any, Any] | Callable[[Any], float] | None = None
    flow_errors: Callable[[Any, Any, Callable[..., Any]], Any] | None = None

    def centred(self, mean_norm: Any) -> "DataFacts":
        """What is known of X_0 − E X_0, ‖E X_0‖ being ``mean_norm``, or None where it is not known."""
        spectrum, distance, regularity = self.gaussian_spectrum, self.distance_to_gaussian, self.time_regularity
        if spectrum is not None:
            spectrum = np.zeros_like(spectrum[0]), spectrum[1]
        if isinstance(regularity, tuple):
            regularity = np.zeros_like(regularity[0]), regularity[1]
        if distance is not None:
            distance = None if mean_norm is None else _Centred(distance, mean_norm)
        return replace(self, gaussian_spectrum=spectrum, distance_to_gaussian=distance, time_regularity=regularity)


@dataclass(frozen=True)
class _Centred:
    """W2(law of X_0 − E X_0, N(0, v I)) from above: means add to W2² what they are apart."""

    distance: Callable[[float], float]
    mean_norm: Any

    def __call__(self, variance: float) -> Any:
        found = self.distance(variance)
        square = (found - self.mean_norm) * (found + self.mean_norm) + 8 * np.finfo(float).eps * np.square(found)
        return np.sqrt(np.maximum(square, 0.0))
