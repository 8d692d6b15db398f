"""Turn a law or a problem file into the setting that bound and truth share."""

from __future__ import annotations

import numpy as np

from bounds.process import ForwardProcess
from bounds.schemes import Scheme
from bounds.setting import DataFacts, Setting
from closed_form import Bracket, Gaussian
from closed_form.mmse import posterior_moments
from closed_form.regularity import time_regularity


def facts_of(law, information: str = "all") -> DataFacts:
    """What a closed-form law knows beyond its assumption, for the theorems that can use it.

    Parameters
    ----------
    law : Gaussian or GaussianMixture
    information : str
        "all", or "constants": then only the time regularity and the Gaussian spectrum, which theorems need.
    """
    gaussian = isinstance(law, Gaussian)
    spectrum = regularity = distance = None
    if gaussian:
        rotated = law.mean if law.basis is None else law.basis.T @ law.mean
        spectrum = (np.broadcast_to(rotated, (law.dim,)), np.broadcast_to(law.eigenvalues, (law.dim,)))

        def regularity(path):
            return time_regularity(law, path.process, path.times, path.a, path.s_sq)

        def distance(variance):
            return Bracket.exact(
                float(np.sqrt(np.sum(rotated**2) + np.sum((np.sqrt(spectrum[1]) - np.sqrt(variance)) ** 2))),
                1e-12 * float(np.sqrt(np.sum(spectrum[1]) + law.dim * variance) + law.mean_norm),
            ).upper

    if information == "constants":
        return DataFacts(gaussian_spectrum=spectrum, time_regularity=regularity)
    return DataFacts(posterior_moments(law), spectrum, distance, regularity)


def setting_of(
    process: ForwardProcess, law, scheme: Scheme, score_error: float = 0.0, score_noise: float = 0.0,
    *, assumption=None, information: str = "all",
) -> Setting:
    """The question that bound and truth share, from a closed-form law.

    Parameters
    ----------
    process, law, scheme, score_error, score_noise
        As in `certify`.
    assumption : Assumption, optional
        By default the sharpest that ``law.assumptions()`` proves.
    information : str
        "all" or "constants".

    Raises
    ------
    ValueError
        If the law proves no assumption (mixtures with unequal covariances).
    """
    if information not in ("all", "constants"):
        raise ValueError(f"information must be all or constants, got {information!r}")
    chosen = law.assumptions()[0] if assumption is None else assumption
    return Setting(process, chosen, scheme, score_error, score_noise, facts_of(law, information))


def setting_of_problem(problem, information: str = "all") -> Setting:
    """The question a problem file asks.

    Parameters
    ----------
    problem : verify.problem.Problem
    information : str
        "all" or "constants".

    Raises
    ------
    ValueError
        If nothing is proved about the data, with the reason.
    """
    if problem.law is not None:
        if not problem.assumptions:
            raise ValueError("data assumption: " + "; ".join(problem.notes))
        return setting_of(
            problem.process, problem.law, problem.scheme, problem.score_error, problem.score_noise,
            assumption=problem.assumptions[0], information=information,
        )
    return Setting(
        problem.process, problem.assumptions[0], problem.scheme, problem.score_error, problem.score_noise,
        DataFacts(time_regularity=problem.time_regularity),
    )
