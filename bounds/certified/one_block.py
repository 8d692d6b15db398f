"""The martingale recursion of one block in balls: contraction, bias, missed noise, initial term, and its
end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from bounds.bound import (
    DISCRETISATION,
    EARLY_STOPPING,
    INITIALISATION,
    SCORE_BIAS,
    SCORE_NOISE,
    information_used,
)
from bounds.certified.data import BallData
from bounds.certified.number import real_root
from bounds.certified.steps import BallStep, ball_steps
from bounds.recursion.ingredients import InitialTerm
from bounds.score_error import ScoreError
from bounds.setting import Setting
from bounds.symbolic.balls import integer_power


@dataclass
class InBalls:
    """A theorem's number as a ball, its parts, and what it knew; ``details`` are floats and text."""

    total: object
    terms: dict
    information: str
    details: dict = field(default_factory=dict)


class Walk:
    """The question of a theorem in balls: the data, the steps, and what early stopping leaves."""

    def __init__(self, setting: Setting, formulas, precision: int):
        self.setting, self.formulas, self.precision = setting, formulas, precision
        self.data = BallData(setting)
        self.last = self.first = None

    def steps(self) -> Iterator[BallStep]:
        """The steps, ascending in time."""
        for step in ball_steps(self.setting.process, self.setting.scheme, self.matched_hessian,
                               self.precision):
            self.first, self.last = self.first or step, step
            yield step

    def matched_hessian(self, view):
        """H(c*) of matched noise: c* = mmse(q) where it is known, else the middle of the envelope."""
        data = self.data
        if data.knows_moments:
            return data.floor(view.a_sq, view.s_sq) + data.moments(view.a_sq, view.s_sq)[0]
        return data.middle(view.a_sq, view.s_sq)

    @property
    def prior_var(self):
        """The prior's variance, after the steps."""
        from flint import arb

        return self.setting.scheme.prior_var(self.last.upper_a_sq, self.last.upper_s_sq, arb)

    @property
    def stop(self):
        """W2(p_{t0}, p_0) <= ((1−a)² E‖X_0‖² + d s²)^{1/2}, or None without early stopping."""
        if self.first.lower == 0:
            return None
        return real_root(self.formulas["early_stop_sq"](a_sq=self.first.a_sq, s_sq=self.first.s_sq,
                                                        m2=self.data.m2, d=self.data.d))

    def initial_error(self):
        """(E_0, the term used): the smallest initial term that applies, after the steps."""
        from flint import arb

        data, formulas = self.data, self.formulas
        a_sq, s_sq, prior = self.last.upper_a_sq, self.last.upper_s_sq, self.prior_var
        known = dict(a_sq=a_sq, s_sq=s_sq, m2=data.m2, d=data.d, sigma=real_root(prior), l=data.l,
                     s=real_root(s_sq))
        found = {InitialTerm("independent coupling"): formulas["initial_sq"](**known),
                 InitialTerm("smooth at T"): formulas["initial_smooth_sq"](**known)}
        floor, gap = data.floor(a_sq, s_sq), data.gap(a_sq, s_sq)
        if -floor - gap > 0:
            found[InitialTerm("log-concave at T")] = formulas["initial_log_concave_sq"](
                **known, mean_norm=data.mean_norm, H_lo=floor, X=gap)
        candidates = {term: real_root(square) for term, square in found.items()}
        spare = self.setting.scheme.prior_excess(a_sq, s_sq, arb) if a_sq > 0 else arb(-1)
        if data.knows_distance and spare >= 0:
            candidates[InitialTerm("transport at 0",
                                   closed_form=True)] = real_root(a_sq) * data.distance(spare)
        used = min(candidates, key=lambda term: float(candidates[term].upper()))
        return candidates[used], used


def missed_noise(walk: Walk, step: BallStep, amplitude: Callable | None = None):
    """v_k² of a step, whose noise is ``amplitude`` of a view, by default the sampler's own."""
    data, amplitude = walk.data, amplitude or (lambda view: view.amplitude)
    known, flat = data.knows_moments, data.flat
    formulas = walk.formulas.of_a_view("variance_known" if known else "variance",
                                       ("X", "x_mean", "x_sq") if flat else ())

    def integrand(view):
        a_sq, s_sq = view.a_sq, view.s_sq
        values = {"F": view.F, "growth": view.growth, "C": view.C, "g": view.g, "ng": amplitude(view),
                  "H_lo": data.floor(a_sq, s_sq), "d": data.d}
        if known and not flat:
            values["x_mean"], values["x_sq"] = data.moments(a_sq, s_sq)
        elif not flat:
            values["X"], values["x_mean"] = data.gap(a_sq, s_sq), data.smaller_excess(view)
        return [formula.plain(values) for formula in formulas]

    scale = step.scale * float(data.d)
    if len(formulas) == 1:
        return step.integrate(integrand, (scale,))[0]
    return step.integrate_larger(integrand, scale)


def step_bias(walk: Walk, step: BallStep):
    """b_k of a step."""
    data = walk.data
    values = dict(a_sq=step.upper_a_sq, s_sq=step.upper_s_sq, c1=step.c1, c2=step.c2, m=data.m, l=data.l,
                  d=data.d)
    if step.c1 == 0 and step.c2 == 0:
        return step.c1
    if data.knows_moments:
        first = data.moments(step.upper_a_sq, step.upper_s_sq)[0]
        return real_root(walk.formulas["bias_known_sq"](**values, x_mean=first))
    return real_root(walk.formulas["bias_sq"](**values))


def contraction(walk: Walk, step: BallStep):
    """A_k of a step."""
    a_sq, s_sq = step.upper_a_sq, step.upper_s_sq
    return walk.formulas["contraction"](P=step.P, Q=step.Q, H_lo=walk.data.floor(a_sq, s_sq),
                                        X=walk.data.gap(a_sq, s_sq))


def step_errors(setting: Setting) -> Callable[[BallStep], object]:
    """M of a step, as an error of the score."""
    from flint import arb

    error = setting.score_error
    if not isinstance(error, ScoreError):
        M = arb(float(error))
        return lambda step: M
    places = {time: k for k, time in enumerate(setting.scheme.grid.times.tolist())}

    def size(step: BallStep):
        own = arb(error.sizes if error.count is None else error.sizes[places[step.upper]])
        match error.unit:
            case "epsilon":
                return own / real_root(step.upper_s_sq)
            case "velocity":
                return own * real_root(step.upper_a_sq / step.upper_s_sq)
            case "denoiser":
                return own * real_root(step.upper_a_sq) / step.upper_s_sq
        return own

    return size


def saturation(walk: Walk, step: BallStep) -> tuple | None:
    """(|J|, 2Rw, N, u², what the ball leaves open) of a step, as `bounds.recursion.saturation` has them; None where
    the data have no ball."""
    from flint import arb

    ball, data = walk.setting.assumption.ball, walk.data
    if ball is None:
        return None
    radius = arb(float(ball[0]))
    values = dict(P=step.P, Q=step.Q, H_lo=data.floor(step.upper_a_sq, step.upper_s_sq), c1=step.c1, c2=step.c2,
                  a_sq=step.upper_a_sq, R=radius, centre=data.mean_norm + radius, d=data.d, F=step.F, C=step.C,
                  noise_var=step.noise_var, after=step.a_sq * data.l + step.s_sq)
    return tuple(walk.formulas[name](**values) for name in (
        "ball_kept", "ball_moved", "ball_replaced", "ball_noise_sq", "ball_drawn"))


def recursion(setting: Setting, formulas, precision: int, missed: Callable = missed_noise) -> InBalls:
    """The recursion's end in balls; ``missed`` gives v_k² of a step."""
    walk = Walk(setting, formulas, precision)
    errors = step_errors(setting)
    columns = [(contraction(walk, step), step_bias(walk, step), missed(walk, step), step.Q, errors(step),
                saturation(walk, step))
               for step in walk.steps()][::-1]
    found = propagated(setting, [column[:5] for column in columns], *walk.initial_error(), walk.stop)
    return found if columns[0][-1] is None else _saturated(setting, columns, walk, found)


def _saturated(setting: Setting, columns: list, walk: Walk, plain: InBalls) -> InBalls:
    """The plain end, or a smaller one where an error is bounded by the ball."""
    from flint import arb

    noise = arb(float(setting.score_noise))

    def end(start, own: bool, biased: bool, M_noise):
        for A, b, variance, Q, M, (kept, moved, replaced, noise_sq, drawn) in columns:
            bent, fresh = Q * M if biased else arb(0), integer_power(Q * M_noise, 2)
            grown = (A * start).min(kept * start + moved)
            through = real_root(integer_power(grown + bent + (b if own else 0), 2) + fresh + (variance if own else 0))
            if own:
                through = through.min(real_root(integer_power(kept * start + replaced + bent, 2) + noise_sq + fresh)
                                      + drawn)
            start = through
        return start

    none, initial, stop = arb(0), walk.initial_error()[0], walk.stop
    total = end(initial, True, True, noise) + (none if stop is None else stop)
    if not total < plain.total:
        return plain
    alone = {INITIALISATION: (initial, False, False, none), SCORE_BIAS: (none, False, True, none),
             SCORE_NOISE: (none, False, False, noise), DISCRETISATION: (none, True, False, none)}
    terms = {name: plain.terms[name].min(end(*given)).min(total) for name, given in alone.items()}
    return replace(plain, total=total, terms=plain.terms | terms)


def propagated(setting: Setting, columns: list, initial, used: InitialTerm, stop, unit=1) -> InBalls:
    """Where the recursion ends: ``columns`` has A_k, b_k, v_k², the weight of a score error and M of every step.

    The error is E_K times ``unit``, and ``stop``, if it is not None, comes on top.
    """
    from flint import arb

    noise = arb(float(setting.score_noise))
    noise_sq = noise * noise
    total, discretisation, product, score, score_sq = initial, arb(0), arb(1), arb(0), arb(0)
    for A, b, variance, Q, bias in columns:
        moved, Q_sq = A * total + (b + Q * bias), Q * Q
        total = real_root(integer_power(moved, 2) + (variance + Q_sq * noise_sq))
        discretisation = real_root(integer_power(A * discretisation + b, 2) + variance)
        product *= A
        score, score_sq = A * score + Q * bias, A * A * score_sq + Q_sq
    terms = {INITIALISATION: product * initial, SCORE_BIAS: score,
             SCORE_NOISE: real_root(score_sq) * noise if noise != 0 else arb(0),
             DISCRETISATION: discretisation}
    total, terms = unit * total, {name: unit * term for name, term in terms.items()}
    if stop is not None:
        terms[EARLY_STOPPING], total = stop, total + stop
    return InBalls(total, terms, information_used(setting.facts.moments, used.closed_form),
                   {"contraction": float(product), "initial_term": used.name, "steps": len(columns)})
