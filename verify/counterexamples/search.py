"""Search for a counterexample: many random problems, every theorem, each against the exact answer."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, fields
from functools import partial
from statistics import median

import numpy as np

from bounds.theorem import Theorem
from bounds.theorems import theorems
from closed_form.distances.line_mixture import LineMixture
from closed_form.law import NoExactLaw
from closed_form.sampler_laws.phase_space.line import phase_line_cost
from verify.certificates.certificate import Verdict, certify_setting, measure
from verify.certificates.question import setting_of
from verify.certificates.theorem_named import find_theorem
from verify.counterexamples.drawing import NumpyDraw, problem
from verify.counterexamples.workers import Done, in_parts

#: Evaluations of a Gaussian that the exact law of one problem may cost; dearer ones are passed over.
EXACT_BUDGET = 1e8
#: The same in phase space, where an evaluation is one of many in a row of an array: seconds at most.
PHASE_BUDGET = 1e9
#: Width of a mixture's bracket, relative to its upper side, beyond which it says nothing in phase space.
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
            sampler: str | None = None, theorem: Theorem | None = None) -> list[Finding]:
    """Every applicable theorem, or that one, on the random problem of that seed.

    Options are those of `verify.counterexamples.drawing.problem`.  Nothing is found for a problem whose exact
    answer is refused (the law would need too fine a grid, or in phase space is not resolved by it), or whose
    sampler overflows.
    """
    draw = NumpyDraw(np.random.default_rng(seed))
    question = problem(draw, kind=kind, most_steps=most_steps, process=process, sampler=sampler)
    family, law, scheme, error, noise = (getattr(question, field.name) for field in fields(question))
    grid, data = scheme.grid, type(law).__name__
    description = (f"{family.name} {family.parameters} {scheme.name} {grid.kind} T={grid.horizon:g} "
                   f"K={grid.steps} t0={grid.early_stop:g} {data} d={law.dim} M={error:.3g} "
                   f"noise={noise:.3g}")
    found, measured = [], {}
    setting = setting_of(family, law, scheme, error, noise, information="constants")
    for information in ("constants", "all"):
        setting = setting.with_facts(law.facts(information, float(setting.assumption.smoothness)))
        # the matched noise depends on what is known; every other sampler is measured once
        key = information if scheme.sampler.needs_envelope else ""
        if key not in measured:
            cost, budget = exact_cost(setting, law), EXACT_BUDGET if family.blocks == 1 else PHASE_BUDGET
            measured[key] = None if cost > budget else measure(setting, law)
        truth = measured[key]
        if truth is None or not np.isfinite(truth.upper) or _unresolved(setting, law, truth):
            continue
        for each in theorems().values() if theorem is None else (theorem,):
            certificate = certify_setting(each, setting, law, truth)
            if certificate.verdict is not Verdict.NOT_APPLICABLE:
                ratio = np.inf if certificate.ratio is None else certificate.ratio
                found.append(Finding(seed, data, information, each.key, str(certificate.verdict),
                                     float(certificate.bound.total), truth.lower, truth.upper, ratio,
                                     description))
    return found


def _unresolved(setting, law, measured) -> bool:
    if setting.process.blocks == 1 or not law.split().lines:
        return False
    return measured.upper - measured.lower > UNRESOLVED * measured.upper


def exact_cost(setting, law) -> float:
    """Evaluations of a Gaussian that the exact law needs on all lines; infinite where it is refused.

    From the width of its support over the step's noise; in phase space those of its grid.
    """
    try:
        lines = law.split().lines
    except NoExactLaw:
        return np.inf
    if not lines:
        return 0.0
    steps = setting.steps
    if (steps.second is not None or steps.past is not None) and setting.score_noise > 0:
        return np.inf
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


def examine_all(seeds: Iterable[int], *, theorem: str | Theorem | None = None, workers: int = 1,
                resume: str | None = None, progress: Callable[[int], None] | None = None,
                **options) -> list[Finding]:
    """`examine` many seeds with the same options.

    Parameters
    ----------
    theorem : str, Theorem or None
        What `verify.certificates.theorem_named.find_theorem` takes; None for all.
    workers : int
        Processes; what is found does not depend on how many.
    resume : str, optional
        A file of seeds that are done: they are not examined again.
    progress : callable, optional
        Told the number of problems done.
    """
    asked = {"command": "search", "theorem": theorem if theorem is None else find_theorem(theorem).key,
             **options}
    done, seeds = Done(resume, asked), list(seeds)
    for seed, findings in in_parts(partial(_examined, options), done.left(seeds), theorem, workers):
        done.add({"number": seed, "findings": as_rows(findings)})
        if progress is not None:
            progress(sum(each in done.parts for each in seeds))
    return [Finding(**row) for seed in seeds for row in done.parts[seed]["findings"]]


def _examined(options: dict, seed: int, theorem: Theorem | None, _stop) -> tuple[int, list[Finding]]:
    return seed, examine(seed, theorem=theorem, **options)


def ratios(findings: Iterable[Finding]) -> list[dict]:
    """Least, median and largest ratio of bound to truth by theorem, data and information, with seeds."""
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
