r"""The two-block expressions of the martingale bound: stated entry by entry, and derived from matrices.

Symmetric 2×2 matrices are entries _xx, _xv, _vv; S + γφφᵀ and M2 enter through their Cholesky factors
R = [[r_x, 0], [r_c, r_v]], so that each square is a sum of squares and nothing cancels.  The prior enters as
any G with GGᵀ = prior: Rz is coupled to Gz.
"""

import sympy
from sympy import Abs, Matrix, Max, sqrt, symbols

from bounds.recursion import distance_to_gaussian
from bounds.recursion.phase_space.weights import PLACES

P_xx, P_xv, P_vv, d, m, l, m2 = symbols("P_xx P_xv P_vv d m l m2", real=True)
P, Q_x, Q_v, H_x, H_v, X, w, w_x, w_v = symbols("P Q_x Q_v H_x H_v X w w_x w_v", real=True)
n_xx, n_xv, n_vx, n_vv = symbols("n_xx n_xv n_vx n_vv", real=True)
K_x, K_v, D_x, D_v, x_mean, x_sq = symbols("K_x K_v D_x D_v x_mean x_sq", real=True)
c1_xx, c1_xv, c1_vx, c1_vv = symbols("c1_xx c1_xv c1_vx c1_vv", real=True)
c2_xx, c2_xv, c2_vx, c2_vv = symbols("c2_xx c2_xv c2_vx c2_vv", real=True)
r_x, r_c, r_v, a_sq, s_sq = symbols("r_x r_c r_v a_sq s_sq", real=True)
Q_xx, Q_xv, Q_vx, Q_vv = symbols("Q_xx Q_xv Q_vx Q_vv", real=True)
phi_x, phi_v, u_x, u_v, D_sq, gamma = symbols("phi_x phi_v u_x u_v D_sq gamma", real=True)
e_xx, e_xv, e_vx, e_vv = symbols("e_xx e_xv e_vx e_vv", real=True)
R = symbols("R", real=True)


def _product(x, v, y, z):
    """⟨(x, v), (y, z)⟩ in the metric P."""
    return P_xx * x * y + P_xv * (x * z + v * y) + P_vv * v * z


def _square(x, v):
    """|(x, v)|² in the metric P."""
    return P_xx * x**2 + 2 * P_xv * x * v + P_vv * v**2


def stated() -> dict:
    """Entry by entry, so that nothing cancels."""
    floor = D_x * _square(n_xx, n_vx) + D_v * _square(n_xv, n_vv)
    linear = 2 * (D_x * w_x * _product(n_xx, n_vx, K_x, K_v) + D_v * w_v * _product(n_xv, n_vv, K_x, K_v))
    curve = (D_x * w_x**2 + D_v * w_v**2) * _square(K_x, K_v)

    # c1 R − c2 R⁻ᵀ, M2 = RRᵀ
    Y_xx = c1_xx * r_x + c1_xv * r_c - (c2_xx / r_x)
    Y_vx = c1_vx * r_x + c1_vv * r_c - (c2_vx / r_x)
    Y_xv = c1_xv * r_v - (c2_xv - c2_xx * r_c / r_x) / r_v
    Y_vv = c1_vv * r_v - (c2_vv - c2_vx * r_c / r_x) / r_v
    excess = a_sq * (m - l) / ((s_sq + a_sq * m) * (s_sq + a_sq * l))
    bias = _square(Y_xx, Y_vx) + _square(Y_xv, Y_vv)
    turned = _square(c2_xx * w_x + c2_xv * w_v, c2_vx * w_x + c2_vv * w_v)

    # QᵀPQ
    F_xx, F_vv = _square(Q_xx, Q_vx), _square(Q_xv, Q_vv)
    F_xv = _product(Q_xx, Q_vx, Q_xv, Q_vv)

    # E = R − G, u = R⁻¹φ
    moved = _square(e_xx, e_vx) + _square(e_xv, e_vv)
    turn = _product(phi_x, phi_v, e_xx * u_x + e_xv * u_v, e_vx * u_x + e_vv * u_v)

    return {
        "phase_affine": P + Q_x * (H_x + X * w_x * w) + Q_v * (H_v + X * w_v * w),
        "phase_bias_sq": d * (bias + excess * turned),
        "phase_bias_known_sq": d * (bias + (excess - x_mean) * turned),
        "phase_variance": d * (floor + Max(0, x_mean * (linear + curve * X), evaluate=False)),
        "phase_variance_known": d * (floor + linear * x_mean + curve * x_sq),
        "phase_score_sq": (F_xx + F_vv + sqrt((F_xx - F_vv) ** 2 + 4 * F_xv**2)) / 2,
        "phase_ball_sq": (4 * R**2 * a_sq / (s_sq + a_sq * l) ** 2
                          * _square(Q_xx * w_x + Q_xv * w_v, Q_vx * w_x + Q_vv * w_v)),
        "phase_initial_sq": (_square(phi_x, phi_v) - turn) * D_sq + d * moved + turn * (m2 - d * gamma),
        "phase_initial": sqrt(Abs(_square(phi_x, phi_v) * D_sq)) + sqrt(Abs(d * moved)),
        **distance_to_gaussian.stated()}


def _entries(name: str, matrix: str, first: str = "") -> dict[str, str]:
    what = (first or matrix, matrix, matrix, matrix)
    return {f"{name}_{place}": f"entry of {text}" for place, text in zip(PLACES, what, strict=True)}


SYMBOLS = distance_to_gaussian.SYMBOLS | {
    "P_xx": "entry of the weights P_k (k = 2: of P_k, or of P_0 in the initial term)",
    "P_xv": "entry of the weights", "P_vv": "entry of the weights",
    "Q_x": "score coefficient of a row, position column (in the noise: of Φ⁻¹C)",
    "Q_v": "score coefficient of a row, velocity column (in the noise: of Φ⁻¹C)",
    "H_x": "entry of H(c_lo), position row", "H_v": "entry of H(c_lo), velocity row",
    "w": "entry of ω for the column, ω ∝ S⁻¹φ the direction in which the data are seen", "w_x": "ω, position",
    "w_v": "ω, velocity", **_entries("n", "N(c_lo)", "N(c_lo) = Φ⁻¹(I + C H(c_lo)) − n"),
    "K_x": "Φ⁻¹Cω, position", "K_v": "Φ⁻¹Cω, velocity", "D_x": "noise strength ε² of the position",
    "D_v": "noise strength σ² of the velocity", **_entries("c1", "Φ⁻¹ − P"), **_entries("c2", "Φ⁻¹C − Q"),
    "r_x": "Cholesky factor of M2", "r_c": "Cholesky factor, below the diagonal",
    "r_v": "Cholesky factor, velocity", **_entries("Q", "Q"), "phi_x": "φ, position", "phi_v": "φ, velocity",
    "R": "radius of the ball of μ, data μ + s0 G",
    "u_x": "R⁻¹φ with RRᵀ = S + γφφᵀ, first entry", "u_v": "R⁻¹φ, second entry",
    **_entries("e", "R − G", "R − G, GGᵀ the prior: Rz is coupled to Gz"),
    "D_sq": "bound of W2(p_0, N(0, γI))²",
    "gamma": "variance γ of the Gaussian that stands for the data at T",
}


def derive() -> dict:
    """The stated expressions again, from matrix products, Tweedie's formula and E[U sᵀ] = −I."""
    weights = Matrix([[P_xx, P_xv], [P_xv, P_vv]])
    omega, rise, phi = Matrix([w_x, w_v]), Matrix([K_x, K_v]), Matrix([phi_x, phi_v])
    u, t, b = symbols("u t b", real=True)
    # one entry of P + Q H(c), the row of Q times the column of H(c) = H(c_lo) + xωωᵀ
    affine = P + (Matrix([[Q_x, Q_v]]) * (Matrix([H_x, H_v]) + X * omega * w))[0]
    # tr P N D Nᵀ along N(c) = N(c_lo) + uKωᵀ: value at u = 0, chord to u = X, moments of u
    missed = Matrix([[n_xx, n_xv], [n_vx, n_vv]]) + u * rise * omega.T
    size = sympy.expand((weights * missed * sympy.diag(D_x, D_v) * missed.T).trace())
    chord = size.subs(u, 0) + x_mean / X * (size.subs(u, X) - size.subs(u, 0))
    known = sum(size.coeff(u, power) * moment for power, moment in enumerate((1, x_mean, x_sq)))
    # E‖c1U + c2s‖² with E UUᵀ = M2, E Usᵀ = −I, E ssᵀ = −H: M2⁻¹ plus what the floor of the envelope leaves
    factor = Matrix([[r_x, 0], [r_c, r_v]])
    second = factor * factor.T
    one, two = Matrix([[c1_xx, c1_xv], [c1_vx, c1_vv]]), Matrix([[c2_xx, c2_xv], [c2_vx, c2_vv]])
    # Woodbury in a basis where S = diag(s², 1) and φ = a e₁: ω = e₁
    left = [(sympy.diag(s_sq, 1) + b * a_sq * sympy.diag(1, 0)).inv()[0, 0].subs(b, value)
            for value in (l, m)]
    fisher = second.inv() + u * omega * omega.T
    bias = d * (weights * (one * second * one.T - one * two.T - two * one.T + two * fisher * two.T)).trace()
    score = Matrix([[Q_xx, Q_xv], [Q_vx, Q_vv]])
    form = (score.T * weights * score).applyfunc(sympy.expand)
    largest = max(Matrix([[t, u], [u, b]]).eigenvals(), key=lambda root: root.subs({t: 3, u: 1, b: 2}))
    # U − y = φ(X_0 − ξ) + (R − G)z, ξ ~ N(0, γI), Rz = φξ + S^{1/2}w: E ξzᵀ = γ(R⁻¹φ)ᵀ, E X_0·ξ from
    # E‖X_0 − ξ‖² = D²
    moved, seen = Matrix([[e_xx, e_xv], [e_vx, e_vv]]), Matrix([u_x, u_v])
    alike = (m2 + d * gamma - D_sq) / 2
    apart = (weights * moved * moved.T).trace()
    # in that basis S⁻¹φ = ω a/s², and E[X_0 | U] has E[μ | U] with the weight 1/(1 + l a²/s²)
    pull = score * omega * sqrt(a_sq) / s_sq / (1 + l * a_sq / s_sq)
    cross = (phi.T * weights * moved * seen)[0] * (alike - d * gamma)
    length = (phi.T * weights * phi)[0]
    return {
        "phase_affine": affine,
        "phase_bias_sq": bias.subs(u, left[0] - left[1]),
        "phase_bias_known_sq": bias.subs(u, left[0] - left[1] - x_mean),
        "phase_variance": d * Max(size.subs(u, 0), chord),
        "phase_variance_known": d * known,
        "phase_score_sq": largest.subs({t: form[0, 0], u: form[0, 1], b: form[1, 1]}, simultaneous=True),
        "phase_ball_sq": (2 * R) ** 2 * (pull.T * weights * pull)[0],
        "phase_initial_sq": length * D_sq + d * apart + 2 * cross,
        "phase_initial": sqrt(Abs(length * D_sq)) + sqrt(Abs(d * apart)),
        **distance_to_gaussian.derive(),
    }
