"""The product form of the theorem in a constant metric (arXiv 2511.02419) in balls.

κ and the kind of the metric are chosen in floats and taken as they are; the metric is that of the exact κ.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bounds.bound import DISCRETISATION, EARLY_STOPPING, INITIALISATION, SCORE_BIAS, information_used
from bounds.certified.data import Formulas
from bounds.certified.number import real_root
from bounds.certified.one_block import InBalls
from bounds.certified.phase_space.langevin import Langevin, matrix
from bounds.certified.phase_space.missed_noise import entries
from bounds.certified.phase_space.question import BallQuestion, working_precision
from bounds.recursion.ingredients import InitialTerm
from bounds.recursion.phase_space.one_question import PhaseProblem
from bounds.setting import Setting


def product_form(setting: Setting, formulas: Formulas, precision: int, choose: Callable) -> InBalls:
    """The product form; ``choose`` gives the question in floats, and the κ and the kind of the metric."""
    from flint import arb, ctx

    with ctx.workprec(working_precision(setting, precision)):
        question = BallQuestion(setting, formulas)
        problem, kappa, kind = choose()
        langevin, fixed = question.langevin, _metric(question.langevin, arb(kappa), kind)
        metric = fixed[0, 0], fixed[0, 1], fixed[1, 1]
        shape, steps = _shape(*metric), range(len(question.rows))
        size = real_root(arb(float(setting.score_error)) ** 2 + arb(float(setting.score_noise)) ** 2)
        abouts = problem.missed(np.tile([float(x) for x in metric], (len(steps), 1))).tolist()
        whole, added, scored = arb(1), arb(0), arb(0)
        # from the last step to the first: what comes of a step is multiplied by the factors of those after it
        for k in reversed(steps):
            row, ends = question.rows[k], question.hessians(k)
            variance = question.missed(row, metric, abouts[k])
            added += whole * formulas["local"](b=question.bias(k, metric), v_sq=variance)
            if size != 0:
                scored += whole * formulas["score"](s=question.score(k, metric), eps=size)
            drift = _drift(formulas, langevin, shape, row.width, kappa, kind)
            pull = _pull(formulas, langevin, shape, ends)
            whole *= formulas["growth"](h=row.width, rho_bar=drift, ell=pull)
        initial, used = _initial(question, problem, metric, shape)
        projection = formulas["projection"](**shape)
        terms = {INITIALISATION: projection * whole * initial, SCORE_BIAS: projection * scored,
                 DISCRETISATION: projection * added}
        stop = question.stop()
        if stop is not None:
            terms[EARLY_STOPPING] = stop
        total = sum(terms.values(), arb(0))
    details = {"kappa": kappa, "metric": kind, "eta": float(langevin.a) * (1 - 1 / kappa),
               "contraction": float(whole), "initial_term": used.name, "steps": len(steps)}
    return InBalls(total, terms, information_used(setting.facts.moments, used.closed_form), details)


def _metric(langevin: Langevin, kappa, kind: str):
    """𝔐 as `bounds.contraction.metric.contracting_metric`."""
    a, one = langevin.a, langevin.one
    nilpotent = langevin.renormalised + one * a
    if kind == "lyapunov":
        rate = a / kappa
        square = rate * rate
        return (one * (1 / (2 * rate)) + (nilpotent + nilpotent.transpose()) * (1 / (4 * square))
                + nilpotent.transpose() * nilpotent * (1 / (4 * square * rate)))
    p, scale = (nilpotent[0, 1] / -a, nilpotent[1, 1] / -a), -a / nilpotent[0, 1]
    r, inverse = (nilpotent[0, 0] * scale, nilpotent[0, 1] * scale), langevin.stationary.inv()
    y = tuple(inverse[i, 0] * p[0] + inverse[i, 1] * p[1] for i in (0, 1))
    size = p[0] * y[0] + p[1] * y[1]
    weights = kappa * kappa, 4 * a * a / (size * size)
    return matrix([weights[0] * r[i] * r[j] + weights[1] * y[i] * y[j] for i, j in ((0, 0), (0, 1), (1, 1))])


def _shape(xx, xv, vv) -> dict:
    """R with 𝔐 = RᵀR, upper triangular, as arguments."""
    top = real_root(xx)
    return dict(R_xx=top, R_xv=xv / top, R_vv=real_root(vv - xv * xv / xx))


def _drift(formulas, langevin: Langevin, shape: dict, h, kappa: float, kind: str):
    """ρ̄ = ‖I + hÃ‖."""
    from flint import arb

    if kind == "basis":
        return formulas["drift_norm"](h=h, a=langevin.a, kappa=arb(kappa))
    return formulas["norm"](**shape, **entries("Z", (langevin.one + langevin.renormalised * h).entries()))


def _pull(formulas, langevin: Langevin, shape: dict, ends):
    """ℓ = max_c ‖D(H(c) + Σ_∞⁻¹)‖."""
    still = langevin.stationary.inv()
    sizes = [formulas["norm"](**shape, **entries("Z", (langevin.D * (matrix(end) + still)).entries()))
             for end in ends]
    return sizes[0].max(sizes[1])


def _initial(question: BallQuestion, problem: PhaseProblem, metric, shape: dict):
    """(E_0, where it comes from)."""
    formulas, start = question.formulas, question.start(problem.start.gammas.tolist())
    coupled, term = start.error(metric)
    flow = formulas["norm"](**shape, **entries("Z", start.flow.entries()))
    flowed = formulas["mixing"](flow=flow, largest=formulas["largest"](**shape), W=start.mixing)
    if float(flowed.upper()) < float(coupled.upper()):
        return flowed, InitialTerm("W2(p_0 ⊗ π_v, π_∞) mixed by e^{TA}")
    return coupled, term
