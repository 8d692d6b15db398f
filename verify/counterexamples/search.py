"""Search for a counterexample: many random problems, every theorem, each against the exact answer."""

from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from statistics import median

import numpy as np

from bounds.theorems import theorems
from closed_form.distances.line_mixture import LineMixture
from closed_form.law import NoExactLaw
from closed_form.sampler_laws.phase_space.line import phase_line_cost
from verify.certificates.certificate import Verdict, certify_setting, measure
from verify.certificates.question import setting_of
from verify.counterexamples.drawing import NumpyDraw, problem

#: Evaluations of a Gaussian that the exact law of one problem may cost; dearer ones are passed over.
EXACT_BUDGET = 1e8
#: The same in phase space, where an evaluation is one of many in a row of an array: seconds at most.
PHASE_BUDGET = 1e9
#: Width of a mixture's bracket, relative to its upper side, beyond which the exact law in phase space says
#: nothing.
UNRESOLVED = 0.5


@dataclass(frozen=True)
class Finding:
    """One theorem on one random problem."""

    seed: int
    kind: str
    information: str
    theorem: str
    verdict: str
    bound: float
    lower: float
    upper: float
    ratio: float
    description: str


def examine(seed: int, kind: str | None = None, most_steps: int = 2000, process: str = "one-block",
            sampler: str | None = None) -> list[Finding]:
    """Every applicable theorem on the random problem of that seed.

    Parameters
    ----------
    seed : int
    kind : "gaussian" or "mixture", optional
    most_steps : int
    process : "one-block" or "cld"
    sampler : str, optional
        In place of the drawn one.

    Returns
    -------
    list of Finding
        Empty for a problem whose exact answer is refused (the law would need too fine a grid, or in phase
        space is not resolved by it), or whose sampler overflows.
    """
    draw = NumpyDraw(np.random.default_rng(seed))
    question = problem(draw, kind=kind, most_steps=most_steps, process=process, sampler=sampler)
    parts = (question.process, question.law, question.scheme, question.score_error, question.score_noise)
    grid = question.scheme.grid
    description = (
        f"{question.process.name} {question.process.parameters} {question.scheme.key} {grid.kind} "
        f"T={grid.horizon:g} K={grid.steps} t0={grid.early_stop:g} "
        f"{type(question.law).__name__} d={question.law.dim} "
        f"M={question.score_error:.3g} noise={question.score_noise:.3g}"
    )
    found = []
    measured = {}
    for information in ("constants", "all"):
        setting = setting_of(*parts, information=information)
        # the matched noise depends on what is known; every other sampler is measured once
        key = information if question.scheme.sampler.needs_envelope else ""
        if exact_cost(setting, question.law) > (EXACT_BUDGET if question.process.blocks == 1
                                                else PHASE_BUDGET):
            continue
        if key not in measured:
            measured[key] = measure(setting, question.law)
        if not np.isfinite(measured[key].upper) or _unresolved(setting, question.law, measured[key]):
            continue
        for theorem in theorems().values():
            certificate = certify_setting(theorem, setting, question.law, measured[key])
            if certificate.verdict is Verdict.NOT_APPLICABLE:
                continue
            found.append(
                Finding(
                    seed, type(question.law).__name__, information, theorem.key, str(certificate.verdict),
                    float(certificate.bound.total), measured[key].lower, measured[key].upper,
                    np.inf if certificate.ratio is None else certificate.ratio, description,
                )
            )
    return found


def _unresolved(setting, law, measured) -> bool:
    if setting.process.blocks == 1 or not law.split().lines:
        return False
    return measured.upper - measured.lower > UNRESOLVED * measured.upper


def exact_cost(setting, law) -> float:
    """Evaluations of a Gaussian that the exact law on every line would need, from the width of its support
    over the step's noise.

    In phase space those of its grid on position and velocity; infinite where the exact law is refused.
    """
    try:
        lines = law.split().lines
    except NoExactLaw:
        return np.inf
    if not lines:
        return 0.0
    steps = setting.table.steps()
    if steps.blocks == 2:
        noise = setting.score_noise / np.sqrt(law.dim)
        return sum(phase_line_cost(LineMixture.of(line), steps, setting.score_error, noise) for line in lines)
    return sum(_line_cost(setting, steps, line, law.dim) for line in lines)


def _line_cost(setting, steps, line, dim: int) -> float:
    noise = np.sqrt(steps.noise_var + (steps.Q * setting.score_noise) ** 2 / dim)
    spread = np.sqrt(steps.a[1:] ** 2 * float(np.trace(line.covariance)) + steps.s_sq[1:])
    noisy = noise > 0
    # ±9 standard deviations, spacing half the noise, a band of fifty points
    return float(np.sum(18 * spread[noisy] / noise[noisy] * 2 * 50))


def examine_all(seeds: Iterable[int], executor: Executor | None = None,
                progress: Callable[[int], None] | None = None, **options) -> list[Finding]:
    """`examine` many seeds, on any ``concurrent.futures`` executor.

    Parameters
    ----------
    seeds : iterable of int
    executor : Executor, optional
    progress : callable, optional
        Called with the number of problems done.
    options
        Passed to `examine`.
    """
    run = map if executor is None else executor.map
    found = []
    for done, findings in enumerate(run(_Examine(options), seeds), start=1):
        found.extend(findings)
        if progress is not None:
            progress(done)
    return found


@dataclass(frozen=True)
class _Examine:
    options: dict

    def __call__(self, seed: int) -> list[Finding]:
        return examine(seed, **self.options)


def ratios(findings: Iterable[Finding]) -> list[dict]:
    """Least, median and largest ratio of bound to truth by theorem, data and information, and the seeds of
    the two ends."""
    groups: dict[tuple, list] = {}
    for finding in findings:
        groups.setdefault((finding.theorem, finding.kind, finding.information), []).append(finding)
    found = []
    for (theorem, kind, information), group in sorted(groups.items()):
        least, largest = min(group, key=lambda f: f.ratio), max(group, key=lambda f: f.ratio)
        found.append({
            "theorem": theorem, "data": kind, "information": information, "n": len(group),
            "violated": sum(finding.verdict == "VIOLATED" for finding in group),
            "least": least.ratio, "least_seed": least.seed, "median": median(f.ratio for f in group),
            "largest": largest.ratio, "largest_seed": largest.seed,
        })
    return found


def as_rows(findings: Iterable[Finding]) -> list[dict]:
    """Findings as plain dictionaries."""
    return [asdict(finding) for finding in findings]
