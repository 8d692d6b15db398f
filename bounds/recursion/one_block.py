"""What the martingale recursion of one block runs on: contraction, bias, missed noise, initial term."""

from dataclasses import replace

import numpy as np

from bounds.recursion.data import Constants, expand
from bounds.recursion.ingredients import InitialTerm
from bounds.setting import Setting
from bounds.start import Start
from bounds.steps.kinks import Kinked, passing
from bounds.steps.panels import largest
from bounds.steps.rule import hessian_moments

#: Relative quadrature error of v_k² at which refinement stops; what is left is added.
VARIANCE_ERROR = 1e-8
#: Nodes that do for that on short steps.
VARIANCE_NODES = 8
#: Squared relative rounding of a noise amplitude.
AMPLITUDE_ROUNDING = 1e-29
#: Relative rounding of P and of Q times the Hessian.
CONTRACTION_ROUNDING = 4 * np.finfo(float).eps


def missed_noise(setting: Setting, functions, amplitude=None):
    """v_k² of every step: array of shape (..., k), quadrature error added."""
    table, moments = setting.table, setting.facts.moments
    amplitude = amplitude or table.amplitude
    data = Constants(setting.assumption, 3)

    def integrand(nodes):
        floor, gap = data.hessian(nodes.a_sq, nodes.s_sq)
        values = dict(F=nodes.F, C=nodes.C, g=np.sqrt(nodes.g_sq), ng=amplitude(nodes), H_lo=floor, X=gap,
                      d=data.d)
        rise = np.exp(nodes.F) * nodes.C * values["g"]
        slope = (np.exp(nodes.F) * values["g"] - values["ng"]) + rise * floor
        if moments is None:
            linear = data.linear_excess(nodes.a_sq, nodes.s_sq)
            mean, rises = np.minimum(gap, linear), rise * (2 * slope + rise * gap)
            kink = passing(gap - linear) * largest(np.abs(rises)) + passing(mean * rises)
            size = expand(setting.assumption.dim, 2) * kink
            return (Kinked(functions["variance"](**values, x_mean=mean), size),)
        x1, e1, x2, e2 = hessian_moments(moments, nodes.a_sq, nodes.s_sq)
        # the sign of the linear term decides which side of the known mean is safe
        mean = np.where(slope * rise > 0, x1 + e1, np.maximum(x1 - e1, 0.0))
        return (np.maximum(functions["variance_known"](**values, x_mean=mean, x_sq=x2 + e2), 0.0),)

    problems = int(np.prod(setting.shape, dtype=int))
    dim = np.max(setting.assumption.dim)
    (value,), (error,) = table.path.integrate(
        integrand, problems, VARIANCE_ERROR,
        lambda nodes: (dim * AMPLITUDE_ROUNDING * np.exp(2 * nodes.F) * nodes.g_sq,), first=VARIANCE_NODES)
    # N is a difference of amplitudes: what their rounding leaves is added as well
    size = table.noise_var + np.exp(2 * table.path.F) * table.path.C
    found = value + error + expand(setting.assumption.dim, 1) * AMPLITUDE_ROUNDING * size
    if table.stated is None:
        return found
    # what is spread over the step has the noise's variance up to this
    return np.square(np.sqrt(found) + np.sqrt(expand(setting.assumption.dim, 1)) * table.stated.left)


def step_bias(setting: Setting, functions):
    """b_k of every step: array of shape (..., k)."""
    table = setting.table
    data = Constants(setting.assumption, 1)
    path = table.path
    values = dict(a_sq=np.square(path.a[:-1]), s_sq=path.s_sq[:-1], c1=table.c1, c2=table.c2, m=data.m,
                  l=data.l, d=data.d)
    if setting.facts.moments is None:
        square = functions["bias_sq"](**values)
    else:
        excess, known = data.known_excess(setting.facts.moments, values["a_sq"], values["s_sq"])
        square = functions["bias_known_sq"](**values, x_mean=known)
        square = np.maximum(square, 0.0) + 1e-15 * values["c2"] ** 2 * excess * data.d
    spread = np.sqrt(values["s_sq"] + values["a_sq"] * data.m)
    fisher = np.sqrt(1 / (values["s_sq"] + values["a_sq"] * data.l))
    slack = np.sqrt(data.d) * (table.c1_error * spread + table.c2_error * fisher)
    return np.sqrt(square) + slack


def contraction(setting: Setting, functions):
    """A_k of every step: array of shape (..., k)."""
    table, data = setting.table, Constants(setting.assumption, 1)
    path = table.path
    floor, gap = data.hessian(np.square(path.a[:-1]), path.s_sq[:-1])
    # P and Q H may nearly cancel: their rounding is added
    slack = (CONTRACTION_ROUNDING + table.relative_error) * (np.abs(table.P) + table.Q * np.abs(floor))
    return functions["contraction"](P=table.P, Q=table.Q, H_lo=floor, X=gap) + slack


def initial_error(setting: Setting, functions):
    """(E_0, the term used): the smallest initial term that applies."""
    path = setting.table.path
    a, variance = path.a[0], path.s_sq[0]
    if (start := setting.scheme.start(setting.table.prior_var)) is not None:
        candidates = start_terms(setting, functions, start)
    else:
        candidates = isotropic_terms(setting.assumption, functions, a, variance, np.sqrt(setting.table.prior_var))
        spare = setting.scheme.prior_excess(a**2, variance) if a**2 > 0 else -1.0
        if setting.facts.distance_to_gaussian is not None and spare >= 0:
            transported = np.asarray(a * setting.facts.distance_to_gaussian(spare))
            candidates[InitialTerm("transport at 0", closed_form=True)] = transported
    best = np.minimum.reduce(np.broadcast_arrays(*candidates.values()))
    used = min(candidates, key=lambda term: float(np.max(candidates[term])))
    return (best if best.ndim else float(best)), used


def isotropic_terms(assumption, functions, a, variance, sigma_prior) -> dict:
    """Bounds of W2(p_T, N(0, σ²I)) from constants, by where they come from."""
    known = dict(a_sq=a**2, s_sq=variance, m2=assumption.second_moment, d=assumption.dim, sigma=sigma_prior)
    smooth = functions["initial_smooth_sq"](**known, l=1 / assumption.smoothness)
    # s(T) and σ nearly cancel, and so may E‖X_0‖² and d/L
    rounding = 1e-15 * np.sqrt(assumption.dim) * (np.sqrt(variance) + sigma_prior)
    lost = 4 * np.finfo(float).eps * a**2 * assumption.second_moment
    independent = np.sqrt(functions["initial_sq"](**known, s=np.sqrt(variance)))
    candidates = {InitialTerm("independent coupling"): independent + rounding,
                  InitialTerm("smooth at T"): np.sqrt(np.maximum(smooth, 0.0) + lost) + rounding}
    floor, gap = assumption.hessian_lower(a**2, variance), assumption.hessian_gap(a**2, variance)
    convex = -floor - gap
    if np.any(convex > 0):
        with np.errstate(invalid="ignore", divide="ignore"):
            square = functions["initial_log_concave_sq"](a_sq=a**2, mean_norm=assumption.largest_mean_norm,
                                                         d=assumption.dim, H_lo=floor, X=gap,
                                                         sigma=sigma_prior)
        # problem by problem: in a batch some may be past ξ at T and others not
        error = np.where(convex > 0, np.sqrt(np.where(convex > 0, square, 0.0)) + rounding, np.inf)
        candidates[InitialTerm("log-concave at T")] = error
    return candidates


def start_terms(setting: Setting, functions, start: Start) -> dict:
    """Bounds of W2(p_T, start), by where they come from: known, by a Gaussian between, or coupled.

    With the mean m of the data known, W2² is |am − m'|² and that of the centred laws; N(0, σ²I) between the two has
    the distance of an isotropic start on one side, and that of two Gaussians on the other.
    """
    assumption, facts, path = setting.assumption, setting.facts, setting.table.path
    a, variance, d = float(path.a[0]), float(path.s_sq[0]), int(np.max(assumption.dim))
    found, mean = {}, start.mean_of(d).astype(float)
    if facts.distance_to_start is not None:
        found[InitialTerm("Gaussian start, closed form", closed_form=True)] = np.asarray(
            facts.distance_to_start(a, variance, start))
    centred, shift, origin = assumption, 0.0, start
    if facts.mean is not None:
        gap = a * np.asarray(facts.mean) - mean
        shift = np.linalg.norm(gap) + 1e-14 * (a * np.linalg.norm(facts.mean) + np.linalg.norm(mean))
        least = assumption.dim / assumption.smoothness
        second = np.maximum(assumption.second_moment * (1 + 1e-12) - np.sum(np.square(facts.mean)), least)
        second = np.minimum(second, np.maximum(assumption.dim * assumption.c_up(0.0), least))
        centred = replace(assumption, second_moment=second, mean_norm=0.0)
        origin = Start(np.zeros(()), start.spread)
    roots = np.sqrt(start.variances_of(d).astype(float))
    between = [float(roots.mean()), float(np.sqrt(variance)), float(np.sqrt(variance + a**2 * np.max(centred.centred_variance)))]
    for sigma in sorted({each for each in between if each > 0}):
        apart = origin.to_isotropic(sigma, d)
        for term, error in isotropic_terms(centred, functions, a, variance, sigma).items():
            name = InitialTerm(f"{term.name}, by N(0, {sigma**2:.3g} I)", closed_form=facts.mean is not None)
            found[name] = np.hypot(shift, error + apart) * (1 + 1e-14)
    # aX_0 + sZ with the same Z: its mean may have any direction
    far = a**2 * assumption.second_moment + np.linalg.norm(mean) * (np.linalg.norm(mean) + 2 * a * assumption.largest_mean_norm)
    apart = Start(np.zeros(()), start.spread).to_isotropic(float(np.sqrt(variance)), d)
    found[InitialTerm("independent coupling")] = np.sqrt(far * (1 + 1e-14) + apart**2) * (1 + 1e-14)
    return found


def early_stop(setting: Setting, functions):
    """W2(p_{t0}, p_0) <= ((1−a)² E‖X_0‖² + d s²)^{1/2}: scalar or array of shape (...)."""
    path, assumption = setting.table.path, setting.assumption
    if path.times[-1] == 0:
        return 0.0
    return np.sqrt(functions["early_stop_sq"](a_sq=path.a[-1] ** 2, s_sq=path.s_sq[-1],
                                              m2=assumption.second_moment, d=assumption.dim))
