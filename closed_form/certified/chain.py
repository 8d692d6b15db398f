r"""W2 of a sampler on Gaussian data in balls: the chain of each eigenvalue, then Bures along the axes."""

import numpy as np

from bounds.process import ForwardProcess
from bounds.sampler import Scheme
from closed_form.bracket import Bracket
from closed_form.certified.steps import PRECISION, BallSteps, ball_steps
from closed_form.laws.gaussian import Gaussian


def certified_w2(law: Gaussian, process: ForwardProcess, scheme: Scheme, assumption=None, moments=None,
                 precision: int = PRECISION) -> Bracket:
    """W2 between the sampler's last iterate and N(m, Σ), every digit proved.

    The eigenvalues of Σ are those that the law has as floats.
    """
    from flint import ctx

    rule, hessian = scheme.sampler.one_block, None
    values, counts = np.unique(law.eigenvalues, return_counts=True)
    if rule.needs_envelope:
        hessian = _matched(values, counts, assumption, moments)
    steps = ball_steps(process, scheme.grid.times, rule, hessian, scheme.prior_std, precision)
    with ctx.workprec(precision):
        return _bracket(_square(law, values, counts, steps))


def _matched(values, counts, assumption, moments):
    """H(c*): of the mean posterior variance, or of the middle of the envelope of the smallest and largest."""

    def hessian(a_sq, s_sq):
        if moments is not None:
            total = sum((int(count) / (a_sq * float(value) + s_sq)
                         for value, count in zip(values, counts, strict=True)), 0)
            return -1 * total / int(counts.sum())
        ends = 1 / float(assumption.m0), 1 / float(assumption.L0)
        return -1 * sum((1 / (a_sq * end + s_sq) for end in ends), 0) / 2

    return hessian


def _square(law: Gaussian, values, counts, steps: BallSteps):
    """W2² as a ball."""
    from flint import arb

    mean = law.mean if law.basis is None else law.basis.T @ law.mean
    sizes = np.zeros(len(values))
    np.add.at(sizes, np.searchsorted(values, law.eigenvalues), np.square(mean))
    total = arb(0)
    for value, count, size in zip(values.tolist(), counts.tolist(), sizes.tolist(), strict=True):
        variance, lag = steps.prior_var, -steps.a[0]
        for k in range(len(steps)):
            marginal = steps.a[k] * steps.a[k] * value + steps.s_sq[k]
            factor = steps.P[k] - (steps.Q[k] / marginal if steps.Q[k] != 0 else 0)
            lag = factor * lag + (steps.P[k] * steps.a[k] - steps.a[k + 1])
            variance = factor * factor * variance + steps.noise_var[k]
        gap = variance.nonnegative_part().sqrt() - arb(value).sqrt()
        shift = lag + steps.a[-1] - 1
        total += count * gap * gap + size * shift * shift
    return total


def _bracket(square) -> Bracket:
    root = square.nonnegative_part().sqrt()
    lower, upper = root.lower(), root.upper()
    return Bracket(max(0.0, float(np.nextafter(float(lower), 0.0))), float(np.nextafter(float(upper), np.inf)),
                   "ball arithmetic")
