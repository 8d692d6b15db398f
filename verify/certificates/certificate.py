"""Does a bound hold?  One theorem's claim next to the exact W2 error of the sampler, with a verdict."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from bounds.argument import check_type
from bounds.assumption import Assumption
from bounds.bound import Bound
from bounds.certified.data import NotCertified
from bounds.process import ForwardProcess
from bounds.processes import process_of
from bounds.sampler import Scheme
from bounds.score_error import ScoreError, read_error
from bounds.setting import Setting
from bounds.symbolic.balls import NotEnclosed
from bounds.symbolic.proof import PRECISION, Proof, check_precision
from bounds.theorem import NotApplicable, Theorem
from bounds.theorems import theorems
from bounds.value import Value
from closed_form import Bracket, Gaussian
from closed_form.certified.chain import Certified, certified_w2
from closed_form.law import Law, NoAssumption, NoExactLaw
from closed_form.sampler_laws.line.sampler import GridTooLarge
from closed_form.sampler_laws.w2 import exact_law_available, sampler_w2
from verify.certificates.question import setting_of, true_steps
from verify.certificates.sampled import REFUTED, Sampled, measured_by_samples, measured_from, name_of
from verify.certificates.theorem_named import find_theorem
from verify.installed import versions
from verify.pages.schema_versions import SCHEMA_VERSIONS
from verify.problems.describing import described


class Verdict(StrEnum):
    """What the comparison says."""

    HOLDS = "HOLDS"
    VIOLATED = "VIOLATED"
    INCONCLUSIVE = "INCONCLUSIVE"
    NOT_APPLICABLE = "NOT_APPLICABLE"


@dataclass(frozen=True, eq=False, repr=False)
class Certificate(Value):
    """A bound, the measured error, and the verdict.

    Attributes
    ----------
    theorem : str
    verdict : Verdict
    bound : Bound or None
        None where the theorem does not apply.
    measured : Bracket or None
        The exact W2 of the sampler, with guaranteed sides; or what samples say of it, with an upper side that
        takes a theorem for true (`verify.certificates.sampled.Sampled`) and decides no verdict.
    ratio : float or None
        Bound over the measured upper side: 1 is perfectly tight (for a lower bound, measured over bound).
    unmet : tuple of str
        Hypotheses that are not met.
    seed : int or None
        Seed of the samples, where the measurement needed any.
    problem : dict
        What was asked, as the tables of a problem file; empty where no file can ask it.
    versions : dict
    asked : dict
        How it was asked: ``information``, ``samples``, and ``precision`` of a certified one (else None).
    """

    theorem: str
    verdict: Verdict
    bound: Bound | None
    measured: Bracket | None
    ratio: float | None
    unmet: tuple[str, ...] = ()
    seed: int | None = None
    problem: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, Any] = field(default_factory=dict)
    asked: dict[str, Any] = field(default_factory=dict)

    def __repr__(self):
        if self.bound is None:
            return f"<certificate {self.theorem}: {self.verdict}, {'; '.join(self.unmet)}>"
        ratio = "" if self.ratio is None else f", ratio {self.ratio:.4g}"
        return (f"<certificate {self.theorem}: {self.verdict}, bound {self.bound.total:.4g}, "
                f"{name_of(self.measured)} in [{self.measured.lower:.4g}, {self.measured.upper:.4g}]{ratio}>")

    def _repr_html_(self) -> str:
        """A table for notebooks."""
        from html import escape

        rows = {"theorem": self.theorem, "verdict": str(self.verdict)}
        if self.bound is not None:
            rows |= {"bound": f"{self.bound.total:.6g}", **{f"… {name}": f"{value:.6g}" for name, value
                                                            in self.bound.terms.items()},
                     name_of(self.measured): f"[{self.measured.lower:.6g}, {self.measured.upper:.6g}], "
                                             f"{self.measured.method}",
                     "bound/exact": "unknown" if self.ratio is None else f"{self.ratio:.4g}"}
        rows |= {f"not met {place}": line for place, line in enumerate(self.unmet, start=1)}
        cells = "".join(f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>" for name,
                        text in rows.items())
        return f"<table>{cells}</table>"

    @property
    def certified(self) -> bool:
        """Whether bound and truth are proved to the last digit by ball arithmetic, and so is the verdict."""
        return bool(self.bound and self.bound.proof and _proof_of(self.measured))

    @property
    def sides(self) -> dict[str, str]:
        """What each side rests on: proved, guaranteed up to rounding, or estimated and how."""
        found = {}
        if self.bound is not None:
            found["bound"] = _rests_on(self.bound.proof, self.bound.estimated)
        if self.measured is not None:
            found["lower"], found["upper"] = _sides_of(self.measured)
        return found

    @classmethod
    def not_applicable(cls, theorem: Theorem, unmet: Sequence[str],
                       problem: dict[str, Any] | None = None) -> Certificate:
        """The certificate of a theorem that says nothing here, with the hypotheses that are not met, one line
        each."""
        nothing = (Verdict.NOT_APPLICABLE, None, None, None)
        return cls(theorem.key, *nothing, tuple(unmet), problem=problem or {}, versions=versions())

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON: see verify/certificate.schema.json."""
        measured = self.measured and {
            "lower": self.measured.lower,
            "upper": _finite(self.measured.upper),
            "method": self.measured.method,
            "given": getattr(self.measured, "given", None),
            "proved": _finite(getattr(self.measured, "proved", np.inf)),
            "proof": _proof_of(self.measured),
            "estimated": self.measured.estimated,
        }
        return {
            "theorem": self.theorem,
            "kind": self.bound and self.bound.kind,
            "verdict": str(self.verdict),
            "certified": self.certified,
            "sides": self.sides,
            "bound": self.bound and self.bound.as_dict(),
            "measured": measured,
            "ratio": self.ratio,
            "unmet": list(self.unmet),
            "seed": self.seed,
            "problem": self.problem,
            "asked": self.asked,
            "versions": self.versions,
            "schema_version": SCHEMA_VERSIONS["certificate"],
        }

    def to_json(self, **options: Any) -> str:
        """The certificate as JSON text; ``options`` as of `json.dumps`."""
        return json.dumps(self.as_dict(), allow_nan=False, **options)

    @classmethod
    def from_json(cls, text: str) -> Certificate:
        """The certificate written by `to_json`.

        Raises
        ------
        ValueError
            If the text is not a certificate, or its verdict contradicts its numbers.
        """
        try:
            data = json.loads(text)
            measured = data["measured"]
            if measured is not None:
                sides = measured["lower"], _or_inf(measured["upper"]), measured["method"], measured.get("estimated", "")
                given, proof = measured.get("given"), measured.get("proof") and Proof(**measured["proof"])
                measured = (Certified(*sides, proof) if proof else
                            Bracket(*sides) if given is None else Sampled(*sides, given, _or_inf(measured.get("proved"))))
            known = theorems().get(data["theorem"])
            kind = data.get("kind") or (known.kind if known else "upper")
            bound = data["bound"] and Bound.from_dict(data["theorem"], kind, data["bound"])
            certificate = cls(data["theorem"], Verdict(data["verdict"]), bound, measured, data["ratio"],
                              tuple(data["unmet"]), data["seed"], data["problem"], data["versions"],
                              data.get("asked", {}))
        except (KeyError, TypeError, json.JSONDecodeError) as error:
            raise ValueError(f"not a certificate: {error!r}") from None
        certificate.recheck()
        return certificate

    def rerun(self, theorem: str | Theorem | None = None) -> Certificate:
        """The same question again, by the code that is installed now.

        Parameters
        ----------
        theorem : Theorem or str, optional
            Where the key of the certificate is in no registry: the theorem, or a file as `find_theorem` takes
            it.

        Raises
        ------
        ValueError
            If the certificate does not hold its question (a law or a score by functions, given samples), or
            its theorem is unknown.
        """
        from verify.problems.problem import read_problem

        if not self.problem or not self.asked:
            raise ValueError("certificate must hold its question to be run again, this one does not: it was asked with "
                             "something that no problem file says")
        question = read_problem(self.problem)
        precision = self.asked["precision"]
        return certify(theorem or self.theorem, process=question.process, law=question.law,
                       scheme=question.scheme,
                       score_error=question.score_error, score_noise=question.score_noise,
                       assumption=question.assumptions[0], information=self.asked["information"],
                       problem=self.problem, samples=self.asked["samples"], seed=self.seed or 0,
                       certified=precision is not None, precision=precision or PRECISION)

    def recheck(self) -> None:
        """Refuse a verdict that the certificate's own numbers do not support."""
        if self.bound is None or self.measured is None:
            return
        expected = verdict_of(self.bound.kind, self.bound.total, self.measured)
        if self.verdict != expected:
            raise ValueError(f"certificate says {self.verdict}, its numbers say {expected}")


def _finite(value: float) -> float | None:
    """A number as JSON has it."""
    return value if np.isfinite(value) else None


def _or_inf(value: float | None) -> float:
    return np.inf if value is None else value


def _proof_of(measured: Bracket | None) -> dict | None:
    """What is proved of the digits of a measurement, as plain data."""
    proof = getattr(measured, "proof", None)
    return proof and proof.as_dict()


def _rests_on(proof: Proof | None, estimated: str) -> str:
    if proof is not None:
        return f"proved in ball arithmetic of {proof.precision} bits"
    return f"estimated: {estimated}" if estimated else "guaranteed, rounding to first order"


def _sides_of(measured: Bracket) -> tuple[str, str]:
    """What the lower and the upper side rest on."""
    both = _rests_on(getattr(measured, "proof", None), measured.estimated)
    lower = f"proved at confidence 1 - {REFUTED:g}" if isinstance(measured, Sampled) else both
    return lower if measured.lower > 0 else "proved: W2 >= 0", both if np.isfinite(measured.upper) else "none"


def verdict_of(kind: str, total: float, measured: Bracket) -> Verdict:
    """The verdict: HOLDS only against a guaranteed side, VIOLATED only against the other.

    An upper side from samples is given a theorem or holds as their number grows, so no theorem holds, or is violated,
    because of it; what is proved of it decides (`verify.certificates.sampled.Sampled`).

    Parameters
    ----------
    kind : str
        "upper" or "lower" bound.
    total : float
    measured : Bracket
    """
    upper = measured.proved if isinstance(measured, Sampled) else measured.upper
    if kind == "upper":
        holds, violated = upper <= total, measured.lower > total
    else:
        holds, violated = total <= measured.lower, total > upper
    if holds and np.isfinite(upper):
        return Verdict.HOLDS
    return Verdict.VIOLATED if violated else Verdict.INCONCLUSIVE


def certify(theorem: str | Theorem, *, process: ForwardProcess | str, law: Law, scheme: Scheme,
            score_error: float | Sequence[float] | ScoreError = 0.0, score_noise: float = 0.0,
            assumption: Assumption | str | None = None, information: str = "all",
            problem: dict[str, Any] | None = None, samples: int = 0, seed: int = 0, certified: bool = False,
            precision: int = PRECISION, samples_from: ArrayLike | None = None,
            score_error_in: str = "score") -> Certificate:
    """Compare a theorem with the exact W2 error of the sampler.

    Parameters
    ----------
    theorem : str or Theorem
        A key of `bounds.theorems.theorems`, a file as `find_theorem` takes it, or a theorem object.
    process : ForwardProcess or str
        Or the key of a family without coefficients to choose ("ou", "cld").
    law : Law
        The data: a Gaussian, a GaussianMixture…
    scheme : Scheme
    score_error : float, sequence of float, or ScoreError
        The measured sampler's score is off by a constant vector of this norm; a list has one norm for each step.
    score_noise : float
        … and by fresh Gaussian noise of this L2 size at every step.
    assumption : Assumption or str, optional
        Or the key of one that the law proves.
    information : str
        "all": the bound may use all that is known of the law; "constants": only its assumption's constants.
    problem : dict, optional
        Recorded on the certificate; by default the tables of a problem file that asks the same, if there is
        one.
    samples, seed : int
        Samples, at least 100, that may refute the theorem where no exact law is known, and that estimate how
        loose it is; 0 for none (`verify.certificates.sampled`).
    samples_from : array of shape (n, d), optional
        Samples that are held against the bound in place of the sampler's exact law, whatever made them
        (`verify.certificates.sampled.measured_from`): they may refute the theorem, never prove it.
    certified : bool
        Bound and truth in ball arithmetic of ``precision`` bits: every digit and the verdict are proved.
    score_error_in : str
        What ``score_error`` is one of: "score", "epsilon", "denoiser" or "velocity"
        (`bounds.score_error.ScoreError`).

    Returns
    -------
    Certificate

    Raises
    ------
    ValueError
        If the theorem is unknown, an argument is out of range, or something to be certified has no proof
        (`bounds.certified.data.NotCertified`).
    """
    theorem, process = find_theorem(theorem), process_of(process)
    if isinstance(score_error, np.ndarray):
        score_error = score_error.tolist()
    score_error = read_error(score_error, score_error_in)
    if certified:
        check_certifiable(law, score_error, score_noise, samples)
        if samples_from is not None:
            raise NotCertified("certified takes no samples, got samples_from")
    try:
        setting = setting_of(process, law, scheme, score_error, score_noise, assumption=assumption,
                             information=information)
    except NoAssumption as error:
        return Certificate.not_applicable(theorem, (f"data assumption: {error}",), problem)
    if isinstance(assumption, str):
        assumption = setting.assumption
    precision = check_precision(precision) if certified else None
    if problem is None and samples_from is None:
        problem = described(process, law, scheme, score_error, score_noise, assumption)
    given = None if samples_from is None else measured_from(samples_from, law)
    found = certify_setting(theorem, setting, law, given, problem=problem, samples=samples, seed=seed,
                            precision=precision)
    asked = {"information": information, "samples": samples,
             "precision": precision} if samples_from is None else {}
    return replace(found, asked=asked)


def certify_setting(theorem: str | Theorem, setting: Setting, law: Law, measured: Bracket | None = None,
                    problem: dict[str, Any] | None = None, samples: int = 0, seed: int = 0,
                    precision: int | None = None) -> Certificate:
    """As `certify`, for a setting already made.

    Parameters
    ----------
    theorem : str or Theorem
        As for `certify`, and so are ``law``, ``problem``, ``samples``, ``seed`` and the errors.
    setting : Setting
    measured : Bracket, optional
        Saves measuring it again.
    precision : int, optional
        In bits: with it bound and truth are certified.
    """
    theorem = find_theorem(theorem)
    check_type("law", law, Law, "a law of the data (Gaussian, GaussianMixture, …)")
    try:
        bound = theorem.bound(setting) if precision is None else theorem.certified(setting, precision)
    except NotApplicable as error:
        return Certificate.not_applicable(theorem, error.unmet, problem)
    if measured is None:
        measured = (measure_anyway(setting, law, samples, seed) if precision is None
                    else certified_measure(setting, law, precision))
    seed = seed if isinstance(measured, Sampled) else None
    verdict, ratio = verdict_of(theorem.kind, bound.total, measured), ratio_of(bound, measured)
    return Certificate(theorem.key, verdict, bound, measured, ratio, seed=seed, problem=problem or {},
                       versions=versions())


def measure(setting: Setting, law: Law, samples: int = 0, seed: int = 0) -> Bracket:
    """The exact W2 error of the sampler; where no exact law is known what samples say of it, with the reason.

    Parameters
    ----------
    setting : Setting
    law : Law
        The data that the setting is about.
    samples, seed : int
        As for `certify`.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.
    """
    check_type("setting", setting, Setting, "a Setting")
    reason = exact_law_available(law)
    if reason is None:
        try:
            found = sampler_w2(law, true_steps(setting), setting.error, float(setting.score_noise))
            return _with_its_score(found, setting)
        except (GridTooLarge, NoExactLaw) as error:
            reason = error
    found = measured_by_samples(setting, law, samples, seed, reason)
    return _with_its_score(found, setting) if samples else found


def measure_anyway(setting: Setting, law: Law, samples: int = 0, seed: int = 0) -> Bracket:
    """As `measure`, and where that has no upper side one that takes no theorem for true, with few samples of a fixed
    seed (`verify.certificates.beside_data`); [0, ∞) where samples take too much.

    Parameters
    ----------
    setting, law, samples, seed
        As for `measure`.
    """
    found = measure(setting, law, samples, seed)
    if np.isfinite(found.upper):
        return found
    from verify.certificates.beside_data import beside_data

    known = beside_data(setting, law, seed, found.method)
    if known.lower < found.lower:
        known = replace(known, lower=found.lower, upper=max(found.lower, known.upper))
    return _with_its_score(known, setting)


def _with_its_score(found: Bracket, setting: Setting) -> Bracket:
    """The measurement, whose method says which wrong score the sampler had, if it had one."""
    error = setting.error
    size = f"norm {error:g}" if not isinstance(error, ScoreError) else f"a norm that makes it {error}"
    said = " and ".join(text for size, text in (
        (error, f"one constant vector of {size}"),
        (setting.score_noise, f"fresh noise of L2 size {float(setting.score_noise):g} a step")) if size)
    return replace(found, method=f"{found.method}; its score is off by {said}") if said else found


def check_certifiable(law, score_error: float = 0.0, score_noise: float = 0.0, samples: int = 0) -> None:
    """Refuse, by name, what has no proof in ball arithmetic.

    Raises
    ------
    NotCertified
    """
    if not isinstance(law, Gaussian):
        raise NotCertified(f"certified needs Gaussian data, got {type(law).__name__}")
    if law.basis is not None:
        raise NotCertified("certified needs a covariance that is a number or a diagonal, got a full matrix")
    if samples:
        raise NotCertified(f"certified takes no samples, got samples {samples}")
    if score_error or score_noise:  # a ScoreError is true where one of its sizes is not 0
        raise NotCertified("certified needs an exact score to compare with (bound takes any), got score_error "
                           f"{score_error}, score_noise {score_noise}")


def certified_measure(setting: Setting, law: Gaussian, precision: int) -> Certified:
    """The exact W2 error of the sampler in ball arithmetic."""
    try:
        return certified_w2(law, setting.process, setting.scheme, setting.assumption, setting.facts.moments,
                            precision)
    except NotEnclosed as error:
        raise NotCertified(f"certified: {error}") from None


def ratio_of(bound: Bound, measured: Bracket) -> float | None:
    """Bound over truth (for a lower bound the inverse), pessimistic within the bracket; None if undefined."""
    top, bottom = (bound.total, measured.upper) if bound.kind == "upper" else (measured.upper, bound.total)
    if not np.isfinite(top) or not np.isfinite(bottom) or bottom <= 0:
        return None
    return float(top / bottom)
