"""A theorem's bound from its balls: a total on the safe side, and what is proved of it."""

from __future__ import annotations

import math

from bounds.bound import Bound, vacuous_notes
from bounds.certified.data import NotCertified
from bounds.symbolic.balls import NotEnclosed
from bounds.symbolic.proof import Proof, above, below, check_precision


def certified_bound(theorem, setting, precision: int) -> Bound:
    """The bound of a theorem that applies, in balls.

    Raises
    ------
    NotCertified
        Naming what has no proof in ball arithmetic.
    """
    from flint import ctx

    check_precision(precision)
    if theorem.in_balls is None:
        raise NotCertified(f"certified needs a theorem with a form in ball arithmetic, {theorem.key} has none")
    scheme = setting.scheme
    if not scheme.is_isotropic:
        given = "prior_mean" if scheme.prior_covariance is None else "prior_covariance"
        raise NotCertified(f"certified: {given} must be left out or be one variance, whose start alone is one of balls, "
                           f"got {getattr(scheme, given).tolist()!r:.40}")
    if setting.process.blocks == 2 and not setting.process.is_critically_damped:
        raise NotCertified("certified: friction² must be 4 mass and position_damping 0, whose flow alone is one of balls, got "
                           f"friction = {setting.process.parameters.get('friction')}")
    if setting.process.blocks == 2 and not scheme.last_step_noise:
        raise NotCertified("certified: last_step_noise must be left out with position and velocity, whose last row is one "
                           f"of balls with its noise only, got {scheme.last_step_noise}")
    with ctx.workprec(precision):
        try:
            found = theorem.in_balls(setting, theorem.formulas, precision)
        except NotEnclosed as error:
            raise NotCertified(f"certified: {error}") from None
        if not found.total.is_finite():
            raise NotCertified(f"certified: the ball of {theorem.key} is not finite; try a precision above "
                               f"{precision}")
        upper = theorem.kind == "upper"
        total = above(found.total) if upper else _claimed(found.total)
        terms = {name: above(ball) if upper else max(0.0, below(ball)) for name, ball in found.terms.items()}
        notes = vacuous_notes(total, setting.assumption.second_moment) if upper else ()
        return Bound(theorem.key, theorem.kind, total, terms, found.information, notes, found.details,
                     Proof.of(found.total, precision))


def _claimed(ball) -> float:
    """A float so far below a ball that it is below the truth's lower side too, even where both are the
    same."""
    return max(0.0, math.nextafter(below(ball), -math.inf))
