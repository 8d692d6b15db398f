"""What the rows of position and velocity make of one axis of Gaussian data, in balls."""

from closed_form.certified.phase_space.rows import BallRows


def phase_axis(value, rows: BallRows):
    """(variance of the position, its mean less the data's in units of that) for data of this variance."""
    phi, _ = rows.kernels[0]
    lag, spread = -phi, rows.prior
    for (P, Q, noise), (phi, S), (after, _) in zip(rows.maps, rows.kernels, rows.kernels[1:], strict=False):
        # a row without the score has none to invert: at time 0 there may be none
        J = P if Q == Q * 0 else P - Q * (S + value * (phi * phi.transpose())).inv()
        lag = J * lag + (P * phi - after)
        spread = J * spread * J.transpose() + noise
    return spread[0, 0], lag[0, 0] + rows.kernels[-1][0][0, 0] - 1
