"""A mixture of isotropic components as a law along the span of its means and a Gaussian across it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from closed_form.laws.gaussian import Gaussian
from closed_form.laws.mixture import GaussianMixture


@dataclass(frozen=True, eq=False)
class Spanned:
    """The parts, whose squared distances add.

    Attributes
    ----------
    law : GaussianMixture
        In coordinates along the span, those in which the means differ most first.
    bias : array of shape (r,)
        Of a vector along the span.
    across : tuple of (Gaussian, array, int)
        Laws across the span, the vector's coordinates there, and how many such independent parts there are.
    """

    law: GaussianMixture
    bias: np.ndarray
    across: tuple


def spanned(law: GaussianMixture, bias: np.ndarray) -> Spanned:
    """A mixture as its parts; components that are not isotropic with one ``std`` span everything.

    Parameters
    ----------
    law : GaussianMixture
    bias : array of shape (d,)
        A vector that is split as the law is.
    """
    if law.std is None:
        return Spanned(law, bias, ())
    _, basis = law.span()
    centred = np.sqrt(law.weights)[:, None] * ((law.means - law.mean) @ basis)
    basis = basis @ np.linalg.svd(centred, full_matrices=False)[2].T
    along = GaussianMixture(law.means @ basis, law.weights, std=law.std)
    apart = [x - basis @ (basis.T @ x) for x in (law.mean, bias)]
    left = law.dim - basis.shape[1]
    # a span of its own is left over by rounding alone
    count, across = min(2, left), []
    if count:
        axes = np.linalg.qr(np.stack(apart, axis=1))[0][:, :count]
        axes -= basis @ (basis.T @ axes)
        mean, push = (axes.T @ x for x in apart)
        across.append((Gaussian(mean, law.std**2), push, 1))
    if left > count:
        across.append((Gaussian(np.zeros(1), law.std**2), np.zeros(1), left - count))
    return Spanned(along, basis.T @ bias, tuple(across))
