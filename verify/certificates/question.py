"""Turn a law or a problem file into the setting that bound and truth share."""

from collections.abc import Sequence

import numpy as np

from bounds.argument import check_key, check_type
from bounds.assumption import Assumption
from bounds.facts import DataFacts
from bounds.process import ForwardProcess
from bounds.processes import process_of
from bounds.sampler import Scheme
from bounds.score_error import ScoreError
from bounds.setting import Setting
from bounds.steps.affine import Steps
from closed_form.law import SLACK, Law, proved


def check_assumption(assumption: Assumption, law: Law) -> None:
    """Refuse an assumption whose dimension, moments or smoothness contradict the law it is said of.

    Raises
    ------
    ValueError
        Naming the constant, what the law needs and what was given.
    """
    if assumption.dim != law.dim:
        raise ValueError(f"assumption.dim must be the law's, {law.dim}, got {assumption.dim}")
    if assumption.second_moment < law.second_moment * (1 - SLACK):
        raise ValueError(
            f"assumption.second_moment must be at least the law's E‖X_0‖² = {law.second_moment:.6g}, "
            f"got {assumption.second_moment:.6g}"
        )
    # within rounding of the law's size
    if assumption.mean_norm is not None and abs(assumption.mean_norm - law.mean_norm) > SLACK * np.sqrt(
        law.second_moment
    ):
        raise ValueError(
            f"assumption.mean_norm must be the law's, {law.mean_norm:.6g}, got {assumption.mean_norm:.6g}"
        )
    moments = law.posterior_moments()
    if moments is not None and assumption.smoothness < moments.smoothness * (1 - SLACK):
        raise ValueError(
            f"assumption's smoothness must be at least the law's, {moments.smoothness:.6g}, got "
            f"{assumption.smoothness:.6g}"
        )


def setting_of(process: ForwardProcess | str, law: Law, scheme: Scheme, score_error: float | Sequence[float] | ScoreError = 0.0,
               score_noise: float = 0.0, *, assumption: Assumption | str | None = None,
               information: str = "all", score_error_in: str = "score") -> Setting:
    """The question that bound and truth share, from a closed-form law.

    Parameters
    ----------
    process, law, scheme, score_error, score_noise, score_error_in
        As in `certify`.
    assumption : Assumption or str, optional
        Or the key of one that the law proves; by default the sharpest that ``law.assumptions()`` proves.
    information : str
        "all" or "constants".

    Raises
    ------
    ValueError, TypeError
        If the law proves no assumption (mixtures with unequal covariances), or contradicts the one given.
    """
    check_type("law", law, Law, "a law of the data (Gaussian, GaussianMixture, …)")
    process = process_of(process)
    check_type("scheme", scheme, Scheme, "a Scheme")
    if isinstance(assumption, str):
        assumption = proved(law, assumption)
    if assumption is not None:
        check_type("assumption", assumption, Assumption, "an Assumption or the key of one")
    check_key("information", information, ("all", "constants"))
    chosen = law.assumptions()[0] if assumption is None else assumption
    if assumption is not None:
        check_assumption(assumption, law)
    facts = law.facts(information, float(chosen.smoothness))
    if isinstance(score_error, np.ndarray):
        score_error = score_error.tolist()
    return Setting(process, chosen, scheme, score_error, score_noise, facts, score_error_in)


def true_steps(setting: Setting) -> Steps:
    """The sampler as numbers for its exact law: by `closed_form.steps`, not from the table the bound uses."""
    from closed_form.steps.table import exact_steps

    return exact_steps(setting.process, setting.scheme, setting.assumption, setting.facts.moments)


def setting_of_problem(problem, information: str = "all") -> Setting:
    """The question a problem file asks.

    Parameters
    ----------
    problem : verify.problems.problem.Problem
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
        return setting_of(problem.process, problem.law, problem.scheme, problem.score_error,
                          problem.score_noise, assumption=problem.assumptions[0], information=information)
    return Setting(problem.process, problem.assumptions[0], problem.scheme, problem.score_error,
                   problem.score_noise, DataFacts(time_regularity=problem.time_regularity))
