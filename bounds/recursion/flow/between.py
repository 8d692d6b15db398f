r"""What noise does to a step: the error recursion between the probability-flow ODE and the reverse SDE.

A step :math:`Y_r = \Pi Y - K \varepsilon + \sqrt{\mathrm{var}}\, \xi` is coupled to the λ-SDE, whose laws are
those of the flow.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import hypot

import numpy as np

from bounds.recursion.flow.data import FlowData
from bounds.recursion.flow.steps import LOCAL_ERROR, ROUNDING, FlowSteps, contraction
from bounds.recursion.propagation import round_up
from bounds.setting import Setting
from bounds.steps.kinks import Kinked, passing
from bounds.steps.panels import largest
from bounds.steps.rule import StepNodes

#: Relative quadrature error of v_k² at which refinement stops; what is left is added.
VARIANCE_ERROR = 1e-8
#: What the factor of a coupled noise may be off by besides its quadrature.
FACTOR_ROUNDING = 1e-12
#: The λ whose noise is that of the step is the sampler's if it is nearer than this.
SAME_COUPLING = 1e-6
#: Least and largest λ that the steps of a sampler by formulas are held against.
COUPLINGS = 0.05, 1.5


@dataclass(frozen=True)
class Saturation:
    """What the ball of the data does to an error: arrays of shape (k,).

    Attributes
    ----------
    kept, far : |J| and 2R|w|.
    inside, noise, outside : what is left where the step is held against the ball alone, in and out of the root.
    """

    kept: np.ndarray
    far: np.ndarray
    inside: np.ndarray
    noise: np.ndarray
    outside: np.ndarray


@dataclass(frozen=True)
class BetweenIngredients:
    """What the recursion runs on, all in Y.

    Attributes
    ----------
    contraction, weight, bias : arrays of shape (k,)
        A_k, the weight W_k of fresh noise in the score, and W_kM, what a score error adds.
    start, noise, outside : arrays of shape (c, k)
        For every reference v and λ the size of what is wrong with the step's mean, v_k, and what depends on
        the step's own noise.
    saturated : Saturation or None
    """

    contraction: np.ndarray
    weight: np.ndarray
    bias: np.ndarray
    start: np.ndarray
    noise: np.ndarray
    outside: np.ndarray
    saturated: Saturation | None

    def plain(self, rows: int) -> "BetweenIngredients":
        """The same by the first v and λ alone, and without the ball."""
        return replace(self, start=self.start[:rows], noise=self.noise[:rows], outside=self.outside[:rows],
                       saturated=None)

    def end(self, initial: float, local: bool, biased: bool, score_noise: float) -> float:
        """E_K from E_0, with or without the local errors and the score error, rounded upwards; every step takes its
        best v and λ."""
        count = len(self.contraction)
        ball, none = self.saturated, np.zeros(count)
        far = ball or Saturation(none, none + np.inf, none + np.inf, none, none)
        columns = [self.contraction, self.bias if biased else none, self.weight * score_noise, far.kept, far.far,
                   far.inside, far.noise, far.outside]
        with np.errstate(over="ignore"):
            columns = [np.nan_to_num(column, nan=np.inf, posinf=np.inf).tolist() for column in columns]
            choices = np.nan_to_num(np.stack([self.start, self.noise, self.outside]), nan=np.inf,
                                    posinf=np.inf)
        error, choices = float(initial), np.moveaxis(choices, -1, 0).swapaxes(1, 2).tolist()
        for (A, bias, fresh, kept, two_R, inside, noise, outside), several in zip(
                zip(*columns, strict=True), choices, strict=True):
            grown = A * error if error else 0.0
            held = kept * error + inside + bias if error else inside + bias
            moved = min(grown, kept * error + two_R) + bias
            if not local:
                error = hypot(moved, fresh)
                continue
            error = min(hypot(moved + start, missed, fresh) + left for start, missed, left in several)
            error = min(error, hypot(held, noise, fresh) + outside)
        return float(round_up(np.inf if np.isnan(error) else error, count))


@dataclass(frozen=True)
class Between:
    """A question with noise, held against the λ-SDE.

    Attributes
    ----------
    functions
        The ``stated`` of the theorem as functions of numbers.
    v, coupling : arrays of shape (c, k)
        Variances of the Gaussians that steps may be held against, and the λ >= 0 of the SDEs; 0 only where a
        step has no noise.
    single : int
        So many of them, the first, have the sampler's λ.
    """

    setting: Setting
    data: FlowData
    steps: FlowSteps
    functions: dict
    v: np.ndarray
    coupling: np.ndarray
    single: int

    @property
    def table(self):
        """The sampler's steps."""
        return self.setting.table

    @property
    def noise_var(self):
        """The variance of the steps' noise in Y."""
        return self.table.noise_var / np.square(self.table.path.a[1:])

    def _omega(self, nodes: StepNodes, sigma):
        """cΩ(σ) at nodes; the end of a step and a level near it may be rounded differently."""
        v, coupling = (self._at(values, nodes) for values in (self.v, self.coupling))
        return self._held(v, coupling, sigma, self.steps.r[nodes.index][:, None, None])

    @staticmethod
    def _at(values, nodes: StepNodes):
        return values[:, nodes.index, None, None]

    def _held(self, v, coupling, sigma, r):
        with np.errstate(divide="ignore"):
            found = self.functions["between_omega"](c=1 + np.square(coupling), v=v, sigma=sigma, r=r)
        return np.maximum(found, 0.0)

    def start(self):
        """‖(Π − 1) Y + (cΩ − K) ε‖ at τ from above."""
        data, steps = self.data, self.steps
        omega = self._held(self.v, self.coupling, steps.tau, steps.r)
        ahead = (omega - (steps.tau - steps.r)) - steps.gap
        square = self.functions["start_sq"](p=steps.drift, X=ahead, d=data.d, m=data.m, l=data.l,
                                            tau=steps.tau)
        slack = steps.drift_error * np.sqrt(data.m + np.square(steps.tau)) + steps.gap_error
        slack = slack + (ROUNDING + self.table.relative_error) * (omega + steps.tau - steps.r)
        return np.sqrt(np.maximum(square, 0.0)) * (1 + ROUNDING) + np.sqrt(data.d) * slack

    def outside(self):
        """c|1 − λ²| ∫ΩΔ dσ over every step, with its quadrature error."""
        left = np.abs(1 - np.square(self.coupling))
        if not left.any():
            return left

        def integrand(nodes: StepNodes):
            sigma = np.sqrt(nodes.s_sq / nodes.a_sq)
            level = self.data.at(sigma)
            turn = self.data.turn(level, self._at(self.v, nodes)) + ROUNDING * level.c_up * level.e / sigma
            return (self._speed(nodes, sigma) * self._omega(nodes, sigma) * turn,)

        def floor(nodes: StepNodes):
            sigma = np.sqrt(nodes.s_sq / nodes.a_sq)
            level = self.data.at(sigma)
            return (self._speed(nodes, sigma) * self._omega(nodes, sigma) * ROUNDING * level.c_up * level.e / sigma,)

        (value,), (error,) = self.table.path.integrate(integrand, len(self.v), LOCAL_ERROR, floor, apart=True)
        return left * (value + error)

    @staticmethod
    def _speed(nodes: StepNodes, sigma):
        """dσ/dt."""
        return nodes.g_sq / (2 * nodes.a_sq * sigma)

    def noise(self):
        """v_k of every step: with the sampler's own noise or one of its size coupled to the data."""
        own = self._missed(self._own)
        path, variance = self.table.path, self.noise_var
        (matched,), (error,) = path.integrate(
            lambda nodes: (np.square(self._matched(self._seen(nodes))),), len(self.v), apart=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            factor, relative = np.sqrt(variance / matched), error / matched + FACTOR_ROUNDING
        usable = np.isfinite(factor) & np.isfinite(relative)
        factor, relative = np.where(usable, factor, 0.0), np.where(usable, relative, 0.0)
        coupled = self._missed(lambda nodes, seen: self._at(factor, nodes) * self._matched(seen))
        # the factor is known to the accuracy of the quadrature
        coupled = coupled + np.sqrt(self.data.d * variance) * relative
        return np.where(usable, np.minimum(own, coupled), own) + self._left()

    def _left(self):
        """What rounding may leave of the standard deviation of a step's noise, or what spreading it does."""
        variance, path = self.noise_var, self.table.path
        lost = self.table.noise_error / np.square(path.a[1:])
        left = lost / np.sqrt(np.maximum(np.maximum(variance, lost), np.finfo(float).tiny))
        if self.table.stated is not None:
            left = left + self.table.stated.left / path.a[1:]
        return np.sqrt(self.data.d) * left

    def _pace(self, nodes: StepNodes):
        """λ(2σ dσ/dt)^{1/2}: the noise of the λ-SDE in Y."""
        return self._at(self.coupling, nodes) * np.sqrt(nodes.g_sq / nodes.a_sq)

    def _own(self, nodes: StepNodes, _seen):
        """The sampler's own noise in Y."""
        return self.table.amplitude(nodes) / self.table.path.a[1:][nodes.index][:, None, None]

    def _seen(self, nodes: StepNodes):
        """What the noise that is missed depends on besides the step's own."""
        sigma = np.sqrt(nodes.s_sq / nodes.a_sq)
        gap, linear = self.data.excess(sigma)
        return dict(g=self._pace(nodes), gap=gap, rise=np.minimum(gap, linear), linear=linear, sigma=sigma,
                    x_lo=np.square(sigma) / (self.data.l + np.square(sigma)), omega=self._omega(nodes, sigma))

    @staticmethod
    def _matched(seen):
        """The noise that is right for data in the middle of what is known of them."""
        return seen["g"] * (1 - seen["omega"] / seen["sigma"] * (seen["x_lo"] - seen["rise"] / 2))

    def _missed(self, amplitude: Callable):
        """v_k where the step's noise is spread as ``amplitude`` says, quadrature error added."""
        d = self.data.d

        def integrand(nodes: StepNodes):
            seen = self._seen(nodes)
            gap, linear = seen["gap"], seen.pop("linear")
            values = dict(seen, ng=amplitude(nodes, seen), d=d)
            steep = values["g"] * values["omega"] / values["sigma"]
            slope = (values["g"] - values["ng"]) - steep * values["x_lo"]
            rises = steep * (2 * slope + steep * gap)
            kink = passing(gap - linear) * largest(np.abs(rises)) + passing(values["rise"] * rises)
            return (Kinked(self.functions["between_variance"](**values), d * kink),)

        (value,), (error,) = self.table.path.integrate(
            integrand, len(self.v), VARIANCE_ERROR,
            lambda nodes: (d * ROUNDING**2 * nodes.g_sq / nodes.a_sq,), apart=True)
        # a difference of amplitudes: what their rounding leaves is added
        spread = np.square(self.steps.tau) - np.square(self.steps.r)
        size = self.noise_var + np.square(self.coupling) * spread
        slack = ROUNDING + self.table.relative_error
        return np.sqrt(value + error) + slack * np.sqrt(d * size)

    def saturation(self) -> Saturation:
        """What the ball of the data does, by the first λ."""
        data, steps, functions = self.data, self.steps, self.functions
        (radius, std), level, tau = data.ball, steps.level, steps.tau
        square = np.square(self.coupling[0])
        known = dict(s0=std, r=steps.r, tau=tau, c=1 + square, lambda_sq=square, R=radius, d=data.d,
                     centre=data.centre_norm)
        rho = functions["between_kept"](**known)
        J, doubt, w = steps.jacobian(level.c_lo), steps.doubt(level.c_lo), steps.weight * level.x_lo / tau
        inside = functions["between_inside"](**known, J=J, w=w, rho=rho, p=steps.drift)
        slack = ((doubt + ROUNDING * rho) * np.sqrt(radius**2 + data.d * (std**2 + np.square(tau)))
                 + steps.drift_error * data.centre_norm + (steps.gap_error / tau + ROUNDING) * radius)
        with np.errstate(divide="ignore"):
            left = functions["between_kept_noise"](**known)
        noise = functions["between_noise"](d=data.d, var=self.noise_var, kept=np.maximum(left, 0.0))
        spare = np.sqrt(self.noise_var) + np.sqrt(np.maximum(left, 0.0))
        spare = (ROUNDING + self.table.relative_error) * spare
        return Saturation(np.abs(J) + doubt, 2 * radius * w * (1 + ROUNDING) + steps.gap_error / tau * radius,
                          inside + slack, noise + np.sqrt(data.d) * spare + self._left(),
                          functions["between_outside"](**known, rho=rho) + ROUNDING * radius)

    def ingredients(self) -> BetweenIngredients:
        """What the recursion runs on."""
        weight = self.steps.weight * self.steps.scale
        return BetweenIngredients(contraction(self.steps, self.functions), weight,
                                  weight * self.setting.step_errors, self.start(), self.noise(), self.outside(),
                                  self.saturation() if self.data.ball else None)


def couplings(setting: Setting, steps: FlowSteps) -> tuple[float, ...]:
    """λ of the SDEs that a sampler with noise is held against; of one stated by formulas its weights suggest
    one."""
    rule = setting.scheme.sampler.one_block
    if rule.formulas is None:
        return (rule.coupling,)
    # K is τ(1 − (r/τ)^{1 + λ²}) where the data are a point
    with np.errstate(divide="ignore", invalid="ignore"):
        power = np.log1p(-steps.weight / steps.tau) / np.log(steps.r / steps.tau)
    power = power[np.isfinite(power)]
    fitted = float(np.sqrt(np.median(np.maximum(power - 1, 0.0)))) if len(power) else 1.0
    return tuple(sorted({1.0, float(np.clip(fitted, *COUPLINGS))}))


def between(setting: Setting, data: FlowData, functions) -> Between:
    """The question with every step held against the SDE of the sampler's λ, and against one whose noise is
    its own."""
    steps, path = FlowSteps.of(setting, data), setting.table.path
    v, several = data.references(steps.level), couplings(setting, steps)
    # the noise of the reverse SDE without its score, e^{2F}C = a²(r)(τ² − r²)
    grown = np.exp(2 * path.F) * path.C
    own = np.sqrt(setting.table.noise_var / np.where(grown > 0, grown, np.inf))
    # where λ is 1 all references are the same
    rows = [(v[:1] if one == 1 else v, one) for one in several]
    if np.abs(own - several[0]).max() > SAME_COUPLING:
        rows.append((v, own))
    tried = np.concatenate([values for values, _ in rows])
    coupling = np.concatenate([np.broadcast_to(one, values.shape) for values, one in rows])
    return Between(setting, data, steps, functions, tried, coupling, len(rows[0][0]))
