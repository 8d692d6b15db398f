r"""What steps with two score evaluations do to the error: the local error of second order and its recursions."""

from dataclasses import dataclass
from math import hypot

import numpy as np

from bounds.recursion.flow.data import POINT, FlowData, Level
from bounds.recursion.flow.recursion import FlowIngredients, rows, signed_start
from bounds.recursion.flow.steps import ROUNDING
from bounds.recursion.propagation import round_up
from bounds.setting import Setting
from bounds.steps.panels import over_nodes, panel_rule
from bounds.steps.rule import StepNodes

#: Relative error of what a step's integrals miss at which refinement stops; the integrand has corners where a
#: kernel changes sign.
KERNEL_ERROR = 1e-3
#: Nodes of the rule for the integral of the kernel over a step, and of the one it is compared with.
INNER, FEWER = 8, 5


@dataclass(frozen=True)
class TwiceSteps:
    r"""A sampler :math:`\tilde Y = \pi Y - \kappa\varepsilon`, :math:`Y_r = k Y + g \tilde Y - K_2
    \varepsilon(\tilde Y, m)` on the data: arrays of shape (k,).

    Attributes
    ----------
    tau, m, r : noise levels of both evaluations and of the step's end; m is τ where K_2 = 0.
    stages : bounds.steps.stages.Stages
    scale, inner_scale : a σ at τ and at m, by which a score error counts as one of ε.
    level, inner : the data at τ and at m.
    lost : what rounding and the path's own errors may add to a step.
    """

    tau: np.ndarray
    m: np.ndarray
    r: np.ndarray
    stages: tuple
    scale: np.ndarray
    inner_scale: np.ndarray
    level: Level
    inner: Level
    lost: np.ndarray

    @classmethod
    def of(cls, setting: Setting, data: FlowData) -> "TwiceSteps":
        """From the table of a setting."""
        table = setting.table
        levels, stages, cut = table.levels, table.stages, table.refinement
        std = np.sqrt(table.path.s_sq)
        m = np.where(stages.weight == 0, levels.tau, levels.m)
        moves = (stages.pi != 1) | (stages.keep + stages.again != 1)
        size = levels.whole + np.abs(stages.again * stages.kappa) + 2 * np.abs(stages.weight)
        size = size + np.abs(stages.weight) * (levels.first + np.abs(stages.kappa)) / m
        slack = np.sqrt(data.d) * (4 * (ROUNDING + table.relative_error) * size
                                   + np.where(moves, ROUNDING, 0.0) * np.sqrt(data.m + np.square(levels.tau)))
        return cls(levels.tau, m, levels.r, stages, std[cut.start], std[cut.middle], data.at(levels.tau),
                   data.at(m), slack)

    def image(self, y, index, noise):
        """What steps of these numbers make of points y (p, n), ``noise(y, σ)`` being ε."""
        pi, kappa, keep, again, weight, tau, m = (each[index][:, None] for each
                                                  in (*self.stages, self.tau, self.m))
        inner = pi * y - kappa * noise(y, tau)
        return keep * y + again * inner - weight * noise(inner, m)

    def slack(self, _data: FlowData):
        """What the errors of a step's numbers may add to its local error."""
        return self.lost

    @property
    def reach(self):
        """The largest |∇ε| at m."""
        return np.maximum(np.abs(self.inner.x_up), np.abs(self.inner.x_lo)) / self.m

    def coefficients(self, index=slice(None), axes: int = 0) -> dict:
        """The stages of some steps by the names of the theorem's symbols, with axes added."""
        shape = (-1, *(1,) * axes)
        return {name: np.reshape(value[index], shape) if axes else value[index] for name, value in zip(
            ("pi", "kappa", "keep", "again", "K_2"), self.stages, strict=True)}

    def bias(self, setting: Setting, functions):
        """W M: what a score error adds, in both evaluations."""
        first, inner = setting.stage_errors
        scales = dict(scale=self.scale, inner_scale=self.inner_scale)
        if first is not inner:
            scales, first = dict(scale=self.scale * first, inner_scale=self.inner_scale * inner), 1.0
        return functions["twice_weight"](**self.coefficients(), **scales, B=self.reach) * (1 + ROUNDING) * first

    def weights(self):
        """(Weight of fresh noise in the score, its spill)."""
        spill = np.abs(self.stages.weight) * self.reach * np.abs(self.stages.kappa) * self.scale
        own = np.hypot(self.stages.again * self.stages.kappa * self.scale,
                       self.stages.weight * self.inner_scale)
        return own * (1 + ROUNDING), spill * (1 + ROUNDING)


def _doubt(steps: TwiceSteps):
    """What rounding leaves open of the Jacobian of a step."""
    steep = np.maximum(np.abs(steps.level.x_lo), np.abs(steps.level.x_up)) / steps.tau * np.abs(steps.stages.kappa)
    outer = np.abs(steps.stages.again) + np.abs(steps.stages.weight) * steps.reach
    return ROUNDING * (np.abs(steps.stages.keep) + outer * (np.abs(steps.stages.pi) + steep))


def contraction(data: FlowData, steps: TwiceSteps, functions):
    """A_k of every step: on a line Jacobians commute."""
    ends = dict(b_lo=steps.level.x_up / steps.tau, b_up=steps.level.x_lo / steps.tau,
                B_lo=steps.inner.x_up / steps.m, B_up=steps.inner.x_lo / steps.m)
    found = functions["twice_contraction" if data.d == 1 else "twice_apart"](**steps.coefficients(), **ends)
    return found + _doubt(steps)


@dataclass(frozen=True)
class Local:
    """The parts of ℓ_k for references v, shape (c, k): N's arguments, what is left, Ω(τ) and ∫ΩΔ."""

    drift: np.ndarray
    ahead: np.ndarray
    start: np.ndarray
    rest: np.ndarray
    omega: np.ndarray
    turned: np.ndarray

    def of(self, row: int) -> "Local":
        """Those of one reference, shape (k,)."""
        return Local(*(np.broadcast_to(value, self.rest.shape)[row] for value in vars(self).values()))


def local_error(setting: Setting, data: FlowData, steps: TwiceSteps, functions, v) -> Local:
    """ℓ_k in its parts for references v, shape (c, k)."""
    tau, m, r, K_2 = steps.tau, steps.m, steps.r, steps.stages.weight
    reference = m / (v + np.square(m))
    omega, inner = _omega(functions, v, tau, r), _omega(functions, v, tau, m)
    values = dict(steps.coefficients(), b_0=reference, Omega=omega, Omega_m=inner,
                  w_m=functions["flow_ratio"](v=v, sigma=tau, mu=m))
    drift, ahead = functions["twice_drift"](**values), functions["twice_ahead"](**values)
    start = _size(data, steps, functions, drift, ahead)
    (turned, first, kernel, second), errors = _integrals(setting, data, steps, functions, v)
    turned, first, kernel, second = (
        value + error for value, error in zip((turned, first, kernel, second), errors, strict=True))
    whole, doubt = _kernel_integral(steps, functions, tau, v)
    turn = data.turn(steps.level, v)
    # by parts once: |∫k| Δ(τ) + ∫|k̂|Δ′
    parts = (np.abs(whole) + doubt) * turn + second
    lowest, highest = steps.inner.x_up / m, steps.inner.x_lo / m
    gap = np.maximum(np.maximum(highest - reference, reference - lowest), 0.0) + ROUNDING * reference
    moved = _size(data, steps, functions, steps.stages.pi - 1, inner - steps.stages.kappa) + first
    rest = np.where(K_2 == 0, 0.0, np.abs(K_2) * gap * moved) + np.fmin(kernel, parts)
    return Local(drift, ahead, start, rest, omega, turned)


def _omega(functions, v, sigma, r):
    """Ω; the end of a step and a level near it may be rounded differently."""
    return np.maximum(functions["omega"](v=v, sigma=sigma, r=r), 0.0)


def _size(data: FlowData, steps: TwiceSteps, functions, p, X):
    """‖p Y + X ε‖ at τ."""
    square = functions["start_sq"](p=p, X=X, d=data.d, m=data.m, l=data.l, tau=steps.tau)
    return np.sqrt(np.maximum(square, 0.0))


def _kernel(steps: TwiceSteps, functions, sigma, v, index, above):
    """k at levels σ, of which ``above`` says whether they are above m; axes of steps first among the last."""
    axes = np.ndim(sigma) - 1
    r, m = (np.reshape(level[index], (-1, *(1,) * axes)) for level in (steps.r, steps.m))
    values = dict(steps.coefficients(index, axes), v=v, sigma=sigma, mu=m)
    values["K_2"] = np.where(above, values["K_2"], 0.0)
    return functions["kernel"](**values, Omega=_omega(functions, v, sigma, r),
                               Omega_m=_omega(functions, v, sigma, m))


def _antiderivative(steps: TwiceSteps, functions, sigma, v, index):
    """∫_r^σ k with an estimate of its error: Gauss rules on both sides of m."""
    axes = np.ndim(sigma)
    r, m = (np.reshape(level[index], (-1, *(1,) * axes)) for level in (steps.r, steps.m))
    sigma, v, rules = sigma[..., None], v[..., None], (panel_rule(INNER), panel_rule(FEWER))
    places, results = np.concatenate([rule.places for rule in rules]), 0.0
    for low, high, above in ((r, np.minimum(sigma, m), False), (m, np.maximum(sigma, m), True)):
        values = (high - low) * _kernel(steps, functions, low + (high - low) * places, v, index, above)
        results = results + np.stack([part @ rule.weights for part, rule
                                      in zip(np.split(values, [INNER], axis=-1), rules, strict=True)])
    return results[0], np.abs(results[0] - results[1])


def _from_start(values, nodes: StepNodes):
    """∫ from the start of a part of the path to each node, by the polynomial through the nodes of a panel,
    and how much of it its two highest coefficients are."""
    rule = panel_rule(values.shape[-1])
    width = np.ptp(nodes.t, axis=-1, keepdims=True) / np.ptp(rule.places)
    highest = over_nodes(values, rule.columns) * width
    whole, doubt = highest[..., 0], np.abs(highest[..., 1]) + np.abs(highest[..., 2])
    before = (np.cumsum(whole, axis=-1) - whole)[..., None]
    return before + over_nodes(values, rule.inner) * width, np.cumsum(doubt, axis=-1)[..., None]


def _kernel_integral(steps: TwiceSteps, functions, sigma, v):
    """∫_r^τ k of every step, with its error and rounding."""
    whole, doubt = _antiderivative(steps, functions, sigma, v, np.arange(len(sigma)))
    return whole, doubt + ROUNDING * (steps.tau - steps.r) * (steps.tau - steps.r + np.abs(steps.stages.weight))


def _integrals(setting: Setting, data: FlowData, steps: TwiceSteps, functions, v):
    """(∫ΩΔ, ∫_m^τ Ω^mΔ, ∫|k|Δ, ∫|k̂|Δ′) of every step, and their quadrature errors, each of the shape of v."""
    table = setting.table
    cut = table.refinement
    # which step a part of the path is of, and whether it is above m
    owner = np.repeat(np.arange(len(cut.start)), cut.end - cut.start)
    upper = np.zeros(len(owner), dtype=bool)
    upper[cut.start] = True
    count = len(v)
    # ∫_r^m k, which what is above m goes on from
    half, unsure = _antiderivative(steps, functions, steps.m, v, np.arange(len(steps.m)))

    def integrand(nodes: StepNodes):
        index = owner[nodes.index]
        above = upper[nodes.index][:, None, None]
        sigma = np.sqrt(nodes.s_sq / nodes.a_sq)
        held = v[:, index, None, None]
        speed = nodes.g_sq / (2 * nodes.a_sq * sigma)
        level = data.at(sigma)
        # and what differences of ĉ leave open
        turn = speed * (data.turn(level, held) + ROUNDING * level.c_up * level.e / sigma)
        r, m = (x[index][:, None, None] for x in (steps.r, steps.m))
        omega = _omega(functions, held, sigma, r)
        inner = np.where(above, _omega(functions, held, sigma, m), 0.0)
        kernel = _kernel(steps, functions, sigma, held, index, above)
        behind, doubt = _from_start(kernel * speed, nodes)
        behind = behind + np.where(above, half[:, index, None, None], 0.0)
        doubt = doubt + np.where(above, unsure[:, index, None, None], 0.0)
        kernel = np.abs(kernel)
        rate = speed * (data.turn_rate(level, held) + ROUNDING * (level.e + level.k) / sigma**2)
        return (np.concatenate([omega * turn, inner * turn, kernel * turn, (np.abs(behind) + doubt) * rate]),)

    def floor(nodes: StepNodes):
        sigma = np.sqrt(nodes.s_sq / nodes.a_sq)
        return (ROUNDING * np.sqrt(data.d) * nodes.g_sq / (2 * nodes.a_sq * sigma),)

    (value,), (error,) = table.path.integrate(integrand, 4 * count, KERNEL_ERROR, floor)
    value, error = (np.add.reduceat(np.reshape(x, (4, count, -1)), cut.start, axis=-1)
                    for x in (value, error))
    return value, error + ROUNDING * np.sqrt(data.d) * (steps.tau - steps.r)


def saturation(data: FlowData, steps: TwiceSteps, functions):
    """(|J|, 2R(|w_1| + |w_2|), N) of every step, as for one evaluation."""
    radius, std = data.ball
    kept = functions["flow_kept"](s0=std, r=steps.r, tau=steps.tau)
    values = dict(steps.coefficients(), beta=steps.level.x_lo / steps.tau, beta_m=steps.inner.x_lo / steps.m)
    J = functions["twice_kept"](**values)
    w = np.abs(functions["twice_first"](**values)) + np.abs(functions["twice_second"](**values))
    p = functions["twice_drift"](**steps.coefficients(), b_0=values["beta_m"])
    replaced = functions["replaced"](J=J, w=w, rho=kept, p=p, d=data.d, s0=std, tau=steps.tau, R=radius,
                                     centre=data.centre_norm)
    slack = steps.lost + ROUNDING * (1 + w) * (radius + np.sqrt(data.d * (std**2 + np.square(steps.tau))))
    return np.abs(J) * (1 + ROUNDING) + ROUNDING * (1 + w), 2 * radius * w * (1 + ROUNDING), replaced + slack


def twice_ingredients(setting: Setting, data: FlowData, steps: TwiceSteps, functions) -> FlowIngredients:
    """What the plain and the saturated recursion run on."""
    v = data.references(steps.level)
    parts = local_error(setting, data, steps, functions, v)
    (row,) = np.flatnonzero(np.all(v == max(data.centred, POINT), axis=1))[:1]
    local = np.fmin.reduce(parts.start + parts.rest, axis=0) + steps.lost
    noise, spill = steps.weights()
    return FlowIngredients(contraction(data, steps, functions), local, steps.bias(setting, functions), noise,
                           saturation(data, steps, functions) if data.ball else None, spill, parts.of(row))


def twice_signed_end(setting: Setting, data: FlowData, steps: TwiceSteps, functions,
                     parts: FlowIngredients) -> float:
    """The signed recursion of `bounds.recursion.flow.recursion.signed_end`, for two evaluations."""
    v, tau, stages = data.centred, steps.tau, steps.stages
    spread, after = v + np.square(tau), v + np.square(steps.r)
    b, b_m, rho = tau / spread, steps.m / (v + np.square(steps.m)), np.sqrt(after / spread)
    p, X, rest, omega, turned = (getattr(parts.centred, name) for name in ("drift", "ahead", "rest", "omega",
                                                                           "turned"))
    J = functions["twice_kept"](**steps.coefficients(), beta=b, beta_m=b_m)
    # how far the Jacobians are from those of N(·, v I)
    off, off_m = (np.maximum(level.x_lo / at - middle, middle - level.x_up / at) for level, at, middle
                  in ((steps.level, tau, b), (steps.inner, steps.m, b_m)))
    kappa, K_2 = np.abs(stages.kappa), np.abs(stages.weight)
    varied = (np.abs(stages.again) * kappa * off + K_2 * (steps.reach * kappa * off
                                                         + np.abs(stages.pi - stages.kappa * b) * off_m))
    size = np.sqrt(data.d * spread)
    across = np.sqrt(data.d * np.maximum(v / spread - steps.level.c_lo,
                                         0.0)) + ROUNDING * np.sqrt(data.d * v / spread)
    # λ is a float: what it misses of the exact one is part of R
    own = np.abs(p) * data.mean_norm + ROUNDING * (np.abs(p) + np.abs(X) * b) * size + steps.lost
    noise, spill = steps.weights()
    columns = (contraction(data, steps, functions), J, p + X * b, rho, (varied + _doubt(steps)) * size, own,
               ROUNDING * rho * size + steps.lost, X, omega, across, rest, turned,
               steps.bias(setting, functions),
               noise * setting.score_noise, spill * setting.score_noise)
    slope, error = signed_start(setting, data, steps.level, tau[0], v)
    for A, J, p, rho, varied, own, lost, X, omega, e, rest, turn, bias, noise, spill in rows(columns):
        before, slope = slope, (J * slope + p) / rho
        error = hypot(A * error + abs(before) * varied + own + abs(slope) * lost + abs(X + slope * omega) * e + rest
                      + abs(slope) * turn + bias, noise) + spill
    return float(round_up(abs(slope) * np.sqrt(data.d * after[-1]) + error, len(tau)))
