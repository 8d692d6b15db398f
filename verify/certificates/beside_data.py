r"""Where no exact law is known: a W2 between two finite sides that take no theorem for true.

From above by couplings: of the sampler with the data's own process backwards, or with the flow
(`verify.particles.backwards`), whose mean square is known from pairs; and, whatever the pairs say, by how far the
last iterate can be (`closed_form.sampler_laws.reach`).  Where means span fewer directions than there are, the
Gaussian across them is exact and squares add.  From below by projections of samples of the sampler alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bounds.score_error import on_steps
from bounds.setting import Setting
from bounds.steps.affine import Steps
from closed_form.bracket import Bracket
from closed_form.geometry.spanned import Spanned, spanned
from closed_form.laws.mixture import GaussianMixture
from closed_form.sampler_laws.gaussian_chain import gaussian_chain
from closed_form.sampler_laws.reach import farthest, reach
from verify.certificates.matched_samples import matched_samples
from verify.certificates.question import true_steps
from verify.certificates.sampled import DELTA, NO_EXACT_LAW, REFUTED, Sampled, lower_side
from verify.lower_sides.confidence import FEW, bernstein_lower, student_upper
from verify.particles.backwards import FLOW_STEPS, beside_flow, beside_process
from verify.particles.simulation import sample

#: Work that pairs, and samples for the lower side, may take: components × steps × coordinates of all of them.
PAIRS_WORK, SAMPLES_WORK = 1 << 28, 1 << 27
#: Most pairs, and samples; pairs for which fewer coordinates are mapped; pairs that test the flow.
MOST_PAIRS, MOST_SAMPLES, ENOUGH, TESTED = 20_000, 20_000, 400, 100
#: Moments that are tried, q below this.
HIGHEST = 64


@dataclass(frozen=True)
class _Top:
    """An upper side that is estimated from pairs, one that holds at any number of them, and how."""

    estimated: float
    proved: float
    pairs: int
    how: str


def beside_data(setting: Setting, law, seed: int, reason: str) -> Bracket:
    """A bracket with finite sides, by matched samples where the data are no sum of Gaussians, or [0, ∞) with the reason
    where not even the moments of a sampler are known.

    The lower side has confidence 1 − `REFUTED`, finite-sample; the upper one 95 %, asymptotic in the pairs, and what
    is ``proved`` of it decides verdicts.

    Parameters
    ----------
    setting : Setting
    law : Law
        The data.
    seed : int
    reason : str
        Why there is no exact law; part of the bracket's method.
    """
    reason = f"{NO_EXACT_LAW}{reason.removeprefix(NO_EXACT_LAW)}"
    if law.components() is None:
        return matched_samples(setting, law, seed, reason)
    error, steps = on_steps(setting.error, true_steps(setting).rounded())
    bias, noise = law.bias(error), float(setting.score_noise) / math.sqrt(law.dim)
    far = farthest(law, steps, bias, noise)
    if not far < math.inf:
        return Bracket(0.0, math.inf, reason)
    lower, samples = _lower(setting, law, seed)
    top = _top(law, steps, bias, noise, seed)
    if top is None or not min(top.estimated, top.proved) < far:
        return Sampled(min(lower, far), far, "; ".join([*samples, f"moments of both laws; {reason}"]), proved=far)
    proved = min(top.proved, far)
    upper = max(lower, min(top.estimated, proved))
    said = f"at most {proved:.4g} " + (f"at confidence 1 - {REFUTED:g}" if top.proved < far else "by moments")
    return Sampled(lower, upper, "; ".join([*samples, f"{top.pairs} pairs of {top.how}; {reason}"]),
                   f"{100 * (1 - DELTA):g} % one-sided, asymptotic in {top.pairs} pairs; {said}", proved=max(upper, proved))


def _lower(setting: Setting, law, seed: int) -> tuple[float, list[str]]:
    """The lower side of samples, as many as their work allows, and its method; 0 where they are too few, or not
    finite."""
    steps, errors = true_steps(setting).rounded(), {"score_error": setting.error, "score_noise": float(setting.score_noise)}
    n = min(MOST_SAMPLES, SAMPLES_WORK // (len(steps) * steps.blocks * _size(law)))
    if n < FEW:
        return 0.0, []
    try:
        side = lower_side(sample(law, steps, n, seed, **errors), law, seed)
    except OverflowError:
        return 0.0, []
    return side.lower, [side.method]


def _size(law) -> int:
    """What a score takes, in exponentials and their like."""
    return len(law.components().weights) * (2 + law.dim // 4)


def _top(law, steps: Steps, bias: np.ndarray, noise_size: float, seed: int) -> _Top | None:
    """The upper side from pairs; None where there can be none, or too few."""
    if steps.blocks == 2 or not isinstance(law, GaussianMixture):
        return None
    # a start may tie what is along the span to what is across it
    along = spanned(law, bias) if steps.start is None else Spanned(law, bias, ())
    across = _across(along, steps, noise_size)
    # where fresh noise is all there is, one evaluation a step takes it from the process too
    noisy = bool(np.any(steps.noise_var > 0)) or (noise_size > 0 and steps.second is None and steps.past is None)
    found = (_along_process if noisy else _along_flow)(along, steps, noise_size, seed)
    if found is None:
        return None
    both = (math.hypot(side, across) for side in (found.estimated, found.proved))
    return _Top(*both, found.pairs, found.how)


def _across(along: Spanned, steps: Steps, noise_size: float) -> float:
    """The upper side of W2 across the span, where the law is a Gaussian."""
    parts = [gaussian_chain(law, steps, bias, noise_size * math.sqrt(law.dim)).w2().scaled(math.sqrt(count))
             for law, bias, count in along.across]
    return Bracket.root_sum_sq(parts).upper if parts else 0.0


def _along_process(along: Spanned, steps: Steps, noise_size: float, seed: int) -> _Top | None:
    """Pairs with the data's own process backwards."""
    law, count = along.law, len(steps) * len(along.law.weights)
    chosen = next(((n, mapped) for mapped in range(law.dim, -1, -1)
                   if (n := PAIRS_WORK // (count * (mapped + 3))) >= (ENOUGH if mapped else FEW)), None)
    if chosen is None:
        return None
    n, mapped = min(chosen[0], MOST_PAIRS), chosen[1]
    x, y = beside_process(law, steps, n, np.random.default_rng([seed, 2]), along.bias, noise_size, mapped)
    squares = np.square(x - y).sum(axis=1)
    if not np.isfinite(squares).all():
        return None
    return _Top(*_sides(squares, _Lengths(law, steps, along.bias, noise_size)), n,
                "the sampler and the data's process backwards")


class _Lengths:
    """(E|X − Y|^{2q})^{1/2q} at most, for the law along the span."""

    def __init__(self, law, steps: Steps, bias: np.ndarray, noise_size: float):
        found, known = law.components(), reach(law.components(), steps, bias, noise_size)
        self.dim, self.sure, self.loose = law.dim, math.inf, 0.0
        if known is not None:
            hull = float(np.linalg.norm(found.means - law.mean, axis=1).max())
            self.sure = known.drawn + known.off + hull
            self.loose = float(known.deviations.max()) + math.sqrt(float(found.spectrum.max()))

    def __call__(self, q: int) -> float:
        """At one q: what is sure, and a normal vector's length."""
        grown = (math.lgamma(self.dim / 2 + q) - math.lgamma(self.dim / 2)) / q
        return self.sure + self.loose * math.sqrt(2 * math.exp(grown))


def _sides(squares: np.ndarray, lengths: _Lengths | None) -> tuple[float, float]:
    r"""The asymptotic upper side of the root mean square, and the finite-sample one.

    With t from the first quarter of the pairs, p an upper limit of P(|X − Y|² > t), for any q

    .. math:: E|X-Y|^2 \le E\min(|X-Y|^2, t) + (E|X-Y|^{2q})^{1/q} p^{1-1/q} .
    """
    top = math.sqrt(float(student_upper(squares, DELTA - REFUTED)))
    if lengths is None or not lengths.sure < math.inf:
        return top, math.inf
    from scipy.special import betaincinv

    first, rest = np.split(squares, [len(squares) // 4])
    edge, over = 2 * float(first.max()), int((rest > 2 * first.max()).sum())
    mean = -float(bernstein_lower(-np.minimum(rest, edge), edge, REFUTED / 2))
    share = float(betaincinv(over + 1, max(len(rest) - over, 1e-9), 1 - REFUTED / 2))
    tail = min(lengths(q) ** 2 * share ** (1 - 1 / q) for q in range(1, HIGHEST))
    return top, math.sqrt(mean + tail)


def _along_flow(along: Spanned, steps: Steps, noise_size: float, seed: int) -> _Top | None:
    """Pairs with the flow, which is integrated; how far off is seen with half as many steps."""
    law, cut = along.law, 2 * math.ceil(FLOW_STEPS / len(steps) / 2)
    n = min(MOST_PAIRS, PAIRS_WORK // (len(steps) * (4 * cut + 1) * _size(law)))
    if n < FEW or not steps.a[0] > 0:
        return None
    start, parts = [seed, 3], (steps, TESTED, np.random.default_rng([seed, 3]), along.bias)
    tried = beside_flow(law, *parts, cut=cut // 2)[0] - beside_flow(law, steps, TESTED, np.random.default_rng(start),
                                                                    along.bias, cut=cut)[0]
    x, y = beside_flow(law, steps, n, np.random.default_rng([seed, 2]), along.bias, noise_size, cut)
    squares, off = np.square(x - y).sum(axis=1), math.sqrt(float(np.square(tried).sum(axis=1).mean()))
    if not np.isfinite(squares).all():
        return None
    return _Top(_sides(squares, None)[0] + off, math.inf, n,
                f"the sampler and the flow, integrated to {off:.2g}")
