r"""Langevin dynamics whose damping is not critical: every number with its error, from exponentials of matrices in balls.

.. math:: \exp u\begin{pmatrix} -B & D \\ 0 & B^T \end{pmatrix} = \begin{pmatrix} e^{-uB} & G \\ 0 & e^{uB^T} \end{pmatrix},
          \qquad \int_0^u e^{wB}De^{wB^T}dw = e^{uB} G

(Van Loan 1978), and, as e^{−uB} cancels where u is long, :math:`C(2u) = C(u) + e^{uB}C(u)e^{uB^T}`.  Nothing is shared
with `bounds.steps.phase_space.damped`, which has closed forms.
"""

import math
from functools import lru_cache

import numpy as np

from bounds.process import ForwardProcess
from bounds.symbolic.balls import BallFunction
from closed_form.steps.phase_space.flow import Flow
from closed_form.within import Within

#: Bits, and more of them for each unit of a length in units of the fastest rate: what exponentials cancel.  Longer ones than
#: `SHORT` such units are made of halves.
PRECISION, MORE, SHORT = 192, 8, 24.0


class DampedFlow(Flow):
    """As `Flow`, where Φ is no exponential times a polynomial.

    Attributes
    ----------
    fastest : float
        The size of the largest eigenvalue of A.
    """

    def __init__(self, process: ForwardProcess):
        self.process, self.unproved = process, ""
        self._balls, numbers = _constants(process)
        for name, value in numbers.items():
            setattr(self, name, value)
        self.fastest = float(np.abs(np.linalg.eigvals(self.A.value.astype(float))).max())

    def transition(self, length: Within) -> Within:
        """e^{uA} for clock distances of shape (k,), of either sign: shape (k, 2, 2)."""
        return self._moved(length, self._balls["A"])

    def renormalised(self, length: Within) -> Within:
        """e^{uÃ}."""
        return self._moved(length, self._balls["renormalised_drift"])

    def covariance(self, length: Within) -> Within:
        """C = ∫_0^u e^{wA}De^{wAᵀ} dw."""
        return self._spread(length, self._balls["A"])

    def reverse_covariance(self, length: Within) -> Within:
        """∫_0^u e^{−wA}De^{−wAᵀ} dw."""
        return self._spread(length, -self._balls["A"])

    def renormalised_covariance(self, length: Within) -> Within:
        """∫_0^u e^{wÃ}De^{wÃᵀ} dw."""
        return self._spread(length, self._balls["renormalised_drift"])

    def reverse_integral(self, length: Within) -> Within:
        """∫_0^u e^{−wA} dw."""
        from flint import arb_mat

        A, unit = self._balls["A"], arb_mat([[1, 0], [0, 1]])

        def made(u):
            moved = (A * -u).exp()
            return A.solve(unit - moved), moved

        return self._each(length, made)

    def _moved(self, length: Within, drift) -> Within:
        def made(u):
            moved = (drift * u).exp()
            return moved, drift * moved

        return self._each(length, made)

    def _spread(self, length: Within, drift) -> Within:
        def made(u):
            moved = (drift * u).exp()
            return self._gram(drift, u), moved * self._balls["D"] * moved.transpose()

        return self._each(length, made)

    def _gram(self, drift, length):
        halves = max(0, math.frexp(self.fastest * abs(float(length)) / SHORT)[1])
        short = length / 2**halves
        found = self._block(drift, short)
        for i in range(halves):
            moved = (drift * (short * 2**i)).exp()
            found = found + moved * found * moved.transpose()
        return found

    def _block(self, drift, length):
        """The integral by one exponential."""
        from flint import arb_mat

        D, whole = self._balls["D"], arb_mat(4, 4)
        for i in range(2):
            for j in range(2):
                whole[i, j], whole[i, 2 + j], whole[2 + i, 2 + j] = -drift[i, j], D[i, j], drift[j, i]
        found = (whole * length).exp()
        moved = arb_mat([[found[2, 2], found[3, 2]], [found[2, 3], found[3, 3]]])
        other = arb_mat([[found[0, 2], found[0, 3]], [found[1, 2], found[1, 3]]])
        return moved * other

    def _each(self, length: Within, made) -> Within:
        """A matrix for each length, the same for lengths that are the same; ``made`` of one gives the derivative too."""
        from flint import arb, ctx

        known, found = {}, []
        longest = self.fastest * float(np.max(length.size, initial=0.0))
        bits = PRECISION + int(MORE * min(longest, SHORT)) + MORE * max(0, math.frexp(longest / SHORT)[1])
        with ctx.workprec(bits):
            for value in length.value:
                high = float(value)
                key = high, float(value - high)
                if key not in known:
                    known[key] = tuple(each.tolist() for each in made(arb(key[0]) + arb(key[1])))
                found.append(known[key])
            numbers, slopes = (Within.ball([pair[i] for pair in found]) for i in (0, 1))
        # over an error so short the derivative changes by far less than a hundredth
        return Within(numbers.value, numbers.error + 1.01 * slopes.size * length.error[:, None, None])


@lru_cache(maxsize=64)
def _constants(process: ForwardProcess) -> tuple[dict, dict[str, Within]]:
    """What does not depend on time, as balls and as numbers with their errors."""
    from flint import arb, arb_mat, ctx

    with ctx.workprec(PRECISION):
        mass, friction, damping, sigma, epsilon = (BallFunction(process.parameters[name]).interval(arb(0)) for name in (
            "mass", "friction", "position_damping", "sigma", "epsilon"))
        A = arb_mat([[-damping, 1 / mass], [-1, -friction / mass]])
        D = arb_mat([[epsilon * epsilon, 0], [0, sigma * sigma]])
        # AΣ + ΣAᵀ + D = 0, entry by entry
        system = arb_mat([[2 * A[0, 0], 2 * A[0, 1], 0], [A[1, 0], A[0, 0] + A[1, 1], A[0, 1]],
                          [0, 2 * A[1, 0], 2 * A[1, 1]]])
        xx, xv, vv = system.solve(arb_mat([[-D[0, 0]], [0], [-D[1, 1]]])).entries()
        stationary = arb_mat([[xx, xv], [xv, vv]])
        inverse = stationary.inv()
        balls = {"A": A, "D": D, "stationary": stationary, "stationary_inverse": inverse,
                 "renormalised_drift": -A - D * inverse}
        variance = BallFunction(process.velocity_variance).interval(arb(0))
        return balls, {"velocity_variance": Within.ball(variance),
                       **{name: Within.ball(matrix.tolist()) for name, matrix in balls.items()}}


def flow_of(process: ForwardProcess) -> Flow:
    """The flow of a process of position and velocity."""
    return Flow(process) if process.is_critically_damped else DampedFlow(process)
