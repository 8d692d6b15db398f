r"""W2 of a sampler on Gaussian data in balls: the chain of each eigenvalue, then Bures along the axes."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from bounds.process import ForwardProcess
from bounds.sampler import Scheme
from bounds.steps.from_noise import entered
from bounds.symbolic.balls import NotEnclosed, integer_power
from bounds.symbolic.proof import Proof, above, below
from closed_form.bracket import Bracket
from closed_form.certified.phase_space.chain import phase_axis
from closed_form.certified.phase_space.rows import ball_rows
from closed_form.certified.steps import PRECISION, BallSteps, ball_steps
from closed_form.laws.gaussian import Gaussian

#: Relative width of a bracket in phase space that is narrow enough, and the most bits that are tried.
SHARP, MOST_BITS = 1e-12, 4096


@dataclass(frozen=True)
class Certified(Bracket):
    """A bracket from a ball.

    Parameters
    ----------
    proof : Proof
        The digits that the ball proves, its radius, and the precision.
    """

    proof: Proof | None = None


def certified_w2(law: Gaussian, process: ForwardProcess, scheme: Scheme, assumption=None, moments=None,
                 precision: int = PRECISION) -> Certified:
    """W2 between the sampler's last iterate and N(m, Σ), every digit proved.

    A covariance that is not diagonal is decomposed in floats; the balls hold what that leaves open.  In phase
    space it is the distance of the position, and the precision is doubled until the balls are small.

    Raises
    ------
    NotEnclosed
        If the coefficients cannot be written in ball arithmetic, or the sampler evaluates the score twice a
        step or uses the step before.
    ValueError
        If the process is not usable up to the horizon.
    """
    from flint import ctx

    if not scheme.is_isotropic:
        raise NotEnclosed("the sampler starts from a Gaussian that is not N(0, vI), whose chain is not one of balls")
    if process.blocks == 2 and not process.is_critically_damped:
        raise NotEnclosed("the damping is not critical, whose chain is not one of balls")
    if process.blocks == 2 and not scheme.last_step_noise:
        raise NotEnclosed("the last step of position and velocity has no noise, whose row is not one of balls")
    if process.blocks == 2:
        return _phase_space(law, process, scheme, precision)
    scheme = entered(process, scheme, assumption, moments)
    rule, hessian = scheme.sampler.one_block, None
    if rule.stages is not None:
        raise NotEnclosed(f"{scheme.key} evaluates the score twice a step, whose chain is not one of balls")
    if rule.multistep is not None:
        raise NotEnclosed(f"{scheme.key} uses the step before, whose chain is not one of balls")
    if scheme.score_times is not None:
        raise NotEnclosed(f"{scheme.key} asks for scores of other times, whose chain is not one of balls")
    if rule.needs_envelope:
        hessian = _matched(*np.unique(law.eigenvalues, return_counts=True), assumption, moments)
    steps = ball_steps(process, scheme.grid.times, rule, hessian, scheme.prior_var, precision)
    if not scheme.last_step_noise:
        steps.noise_var[-1] = steps.noise_var[-1] * 0
    with ctx.workprec(precision):
        return _bracket(_square(law, partial(_axis, steps=steps, from_mean=scheme.from_mean)), precision)


def _phase_space(law: Gaussian, process: ForwardProcess, scheme: Scheme, precision: int) -> Certified:
    from flint import ctx

    while True:
        with ctx.workprec(precision):
            try:
                found = _bracket(_square(law, partial(_phase_axis, rows=ball_rows(process, scheme))),
                                 precision)
            except ZeroDivisionError:  # balls of matrices that may be singular
                found = Certified(0.0, np.inf, "ball arithmetic")
        if found.upper - found.lower <= SHARP * found.upper < np.inf or precision >= MOST_BITS:
            return found
        precision *= 2


def _matched(values, counts, assumption, moments):
    """H(c*): of the mean posterior variance, or of the middle of the envelope of the assumption's
    constants."""
    from flint import arb

    if moments is not None:
        def mean(a_sq, s_sq):
            total = sum((int(count) / (a_sq * float(value) + s_sq)
                         for value, count in zip(values, counts, strict=True)), 0)
            return -1 * total / int(counts.sum())

        return mean
    if assumption.weak_log_concavity is None:
        raise NotEnclosed(f"matched noise needs a strongly or weakly log-concave law, got {assumption.key}")
    alpha, M, L = (arb(float(value)) for value in (*assumption.weak_log_concavity, assumption.smoothness))

    def middle(a_sq, s_sq):
        ends = -1 / (a_sq / L + s_sq) - 1 / (a_sq / alpha + s_sq)
        if M == 0:
            return ends / 2
        spread = a_sq + alpha * s_sq
        return (ends + M * a_sq / (spread * spread)) / 2

    return middle


def _square(law: Gaussian, axis):
    """W2² as a ball, axis by axis of the covariance; equal axes with equal means once."""
    from flint import arb

    values, mean, turned = law.eigenvalues, law.mean, 0.0
    if law.basis is not None:
        # the axes are those of a decomposition in floats, which the balls of both allow for
        mean, turned = law.basis.T @ law.mean, 4 * law.dim * np.finfo(float).eps * law.mean_norm
    doubt = law.residual(values)
    # pairs as complex numbers, which numpy sorts several times faster than columns
    axes, counts = np.unique(values + 1j * np.abs(mean), return_counts=True)
    known, total = {}, arb(0)
    for value, size, count in zip(axes.real.tolist(), axes.imag.tolist(), counts.tolist(), strict=True):
        if value not in known:
            known[value] = axis(arb(value, doubt))
        spread, shift = known[value]
        total += count * (spread * spread + integer_power(arb(size, turned) * shift, 2))
    return total


def _axis(value, steps: BallSteps, from_mean: bool = False):
    """(√v − √λ, what the mean misses of m in units of it) along an axis."""
    variance, lag = steps.prior_var, steps.a[0] * (0 if from_mean else -1)
    for k in range(len(steps)):
        marginal = steps.a[k] * steps.a[k] * value + steps.s_sq[k]
        factor = steps.P[k] - (steps.Q[k] / marginal if steps.Q[k] != 0 else 0)
        lag = factor * lag + (steps.P[k] * steps.a[k] - steps.a[k + 1])
        variance = integer_power(factor, 2) * variance + steps.noise_var[k]
    return _spread(variance, value), lag + steps.a[-1] - 1


def _phase_axis(value, rows):
    """The same for the position."""
    variance, lag = phase_axis(value, rows)
    return _spread(variance, value), lag


def _spread(variance, value):
    return variance.nonnegative_part().sqrt() - value.nonnegative_part().sqrt()


def _bracket(square, precision: int) -> Certified:
    root = square.nonnegative_part().sqrt()
    return Certified(max(0.0, below(root)), above(root), "ball arithmetic", proof=Proof.of(root, precision))
