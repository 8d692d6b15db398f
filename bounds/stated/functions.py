"""The stated expressions of the theorems as numpy functions; written by `make functions`, not by hand."""

import functools

import numpy


def _initial_sq(*, a_sq, d, m2, s, sigma, **_):
    return a_sq*m2 + d*(s - sigma)**2


def _initial_smooth_sq(*, a_sq, d, l, m2, s_sq, sigma, **_):
    return a_sq*(-d*l + m2) + d*(-sigma + numpy.sqrt(a_sq*l + s_sq))**2


def _initial_log_concave_sq(*, H_lo, X, a_sq, d, mean_norm, sigma, **_):
    return (a_sq*mean_norm**2 + d*functools.reduce(numpy.maximum, [(-sigma + 1/numpy.sqrt(-H_lo))**2, (-sigma
        + 1/numpy.sqrt(-H_lo - X))**2]))


def _contraction(*, H_lo, P, Q, X, **_):
    return functools.reduce(numpy.maximum, [abs(H_lo*Q + P), abs(P + Q*(H_lo + X))])


def _bias_sq(*, a_sq, c1, c2, d, l, m, s_sq, **_):
    x0 = a_sq*m + s_sq
    x1 = x0**(-1.0)
    return d*(a_sq*c2**2*x1*(-l + m)/(a_sq*l + s_sq) + x0*(c1 - c2*x1)**2)


def _bias_known_sq(*, a_sq, c1, c2, d, l, m, s_sq, x_mean, **_):
    x0 = a_sq*m + s_sq
    x1 = x0**(-1.0)
    return d*(c2**2*(a_sq*x1*(-l + m)/(a_sq*l + s_sq) - x_mean) + x0*(c1 - c2*x1)**2)


def _variance(*, C, F, H_lo, X, d, g, ng, x_mean, **_):
    x0 = g*numpy.exp(F)
    x1 = C*x0
    x2 = 2*x0
    return (d*((H_lo*x1 - ng + x0)**2 + functools.reduce(numpy.maximum, [0, x_mean*(C**2*X*g**2*numpy.exp(2*F)
        + x1*(C*H_lo*x2 - 2*ng + x2))])))


def _variance_known(*, C, F, H_lo, d, g, ng, x_mean, x_sq, **_):
    x0 = g*numpy.exp(F)
    x1 = C*H_lo
    x2 = 2*x0
    return d*(C**2*g**2*x_sq*numpy.exp(2*F) + C*x0*x_mean*(-2*ng + x1*x2 + x2) + (-ng + x0*x1 + x0)**2)


def _early_stop_sq(*, a_sq, d, m2, s_sq, **_):
    return d*s_sq + m2*(1 - numpy.sqrt(a_sq))**2


def _ball_kept(*, H_lo, P, Q, **_):
    return abs(H_lo*Q + P)


def _ball_moved(*, H_lo, Q, R, a_sq, **_):
    return 2*R*numpy.sqrt(a_sq)*abs(H_lo*Q)


def _ball_replaced(*, H_lo, Q, R, a_sq, c1, c2, centre, d, **_):
    x0 = numpy.sqrt(a_sq)
    return R*x0*abs(H_lo*Q) + centre*x0*abs(c1) + numpy.sqrt(R**2*a_sq + d/abs(H_lo))*abs(H_lo*c2 + c1)


def _ball_noise_sq(*, C, H_lo, after, d, noise_var, **_):
    return d*(numpy.sqrt(noise_var) - numpy.sqrt(C*after)*numpy.sqrt(abs(H_lo)))**2


def _ball_drawn(*, C, F, H_lo, R, a_sq, **_):
    return R*numpy.sqrt(a_sq)*numpy.exp(F)*abs(C*H_lo)


def _phase_affine(*, H_v, H_x, P, Q_v, Q_x, X, w, w_v, w_x, **_):
    x0 = X*w
    return P + Q_v*(H_v + w_v*x0) + Q_x*(H_x + w_x*x0)


def _phase_bias_sq(*, P_vv, P_xv, P_xx, a_sq, c1_vv, c1_vx, c1_xv, c1_xx, c2_vv, c2_vx, c2_xv, c2_xx, d, l, m,
        r_c, r_v, r_x, s_sq, w_v, w_x, **_):
    x0 = r_x**(-1.0)
    x1 = c2_vx*x0
    x2 = c1_vv*r_c + c1_vx*r_x - x1
    x3 = c2_xx*x0
    x4 = c1_xv*r_c + c1_xx*r_x - x3
    x5 = r_v**(-1.0)
    x6 = c1_vv*r_v - x5*(c2_vv - r_c*x1)
    x7 = c1_xv*r_v - x5*(c2_xv - r_c*x3)
    x8 = 2*P_xv
    x9 = c2_vv*w_v + c2_vx*w_x
    x10 = c2_xv*w_v + c2_xx*w_x
    return (d*(P_vv*x2**2 + P_vv*x6**2 + P_xx*x4**2 + P_xx*x7**2 + a_sq*(-l + m)*(P_vv*x9**2 + P_xx*x10**2 +
        x10*x8*x9)/((a_sq*l + s_sq)*(a_sq*m + s_sq)) + x2*x4*x8 + x6*x7*x8))


def _phase_bias_known_sq(*, P_vv, P_xv, P_xx, a_sq, c1_vv, c1_vx, c1_xv, c1_xx, c2_vv, c2_vx, c2_xv, c2_xx, d,
        l, m, r_c, r_v, r_x, s_sq, w_v, w_x, x_mean, **_):
    x0 = r_x**(-1.0)
    x1 = c2_vx*x0
    x2 = c1_vv*r_c + c1_vx*r_x - x1
    x3 = c2_xx*x0
    x4 = c1_xv*r_c + c1_xx*r_x - x3
    x5 = r_v**(-1.0)
    x6 = c1_vv*r_v - x5*(c2_vv - r_c*x1)
    x7 = c1_xv*r_v - x5*(c2_xv - r_c*x3)
    x8 = 2*P_xv
    x9 = c2_vv*w_v + c2_vx*w_x
    x10 = c2_xv*w_v + c2_xx*w_x
    return (d*(P_vv*x2**2 + P_vv*x6**2 + P_xx*x4**2 + P_xx*x7**2 + x2*x4*x8 + x6*x7*x8 + (a_sq*(-l +
        m)/((a_sq*l + s_sq)*(a_sq*m + s_sq)) - x_mean)*(P_vv*x9**2 + P_xx*x10**2 + x10*x8*x9)))


def _phase_variance(*, D_v, D_x, K_v, K_x, P_vv, P_xv, P_xx, X, d, n_vv, n_vx, n_xv, n_xx, w_v, w_x, x_mean,
        **_):
    x0 = 2*P_xv
    x1 = K_v*P_vv
    x2 = K_x*P_xx
    return (d*(D_v*(P_vv*n_vv**2 + P_xx*n_xv**2 + n_vv*n_xv*x0) + D_x*(P_vv*n_vx**2 + P_xx*n_xx**2 +
        n_vx*n_xx*x0) + functools.reduce(numpy.maximum, [0, x_mean*(2*D_v*w_v*(P_xv*(K_v*n_xv + K_x*n_vv) +
        n_vv*x1 + n_xv*x2) + 2*D_x*w_x*(P_xv*(K_v*n_xx + K_x*n_vx) + n_vx*x1 + n_xx*x2) + X*(D_v*w_v**2 +
        D_x*w_x**2)*(K_v**2*P_vv + K_v*K_x*x0 + K_x**2*P_xx))])))


def _phase_variance_known(*, D_v, D_x, K_v, K_x, P_vv, P_xv, P_xx, d, n_vv, n_vx, n_xv, n_xx, w_v, w_x,
        x_mean, x_sq, **_):
    x0 = 2*P_xv
    x1 = K_v*P_vv
    x2 = K_x*P_xx
    return (d*(D_v*(P_vv*n_vv**2 + P_xx*n_xv**2 + n_vv*n_xv*x0) + D_x*(P_vv*n_vx**2 + P_xx*n_xx**2 +
        n_vx*n_xx*x0) + x_mean*(2*D_v*w_v*(P_xv*(K_v*n_xv + K_x*n_vv) + n_vv*x1 + n_xv*x2) +
        2*D_x*w_x*(P_xv*(K_v*n_xx + K_x*n_vx) + n_vx*x1 + n_xx*x2)) + x_sq*(D_v*w_v**2 +
        D_x*w_x**2)*(K_v**2*P_vv + K_v*K_x*x0 + K_x**2*P_xx)))


def _phase_score_sq(*, P_vv, P_xv, P_xx, Q_vv, Q_vx, Q_xv, Q_xx, **_):
    x0 = P_xv*Q_vv*Q_xv
    x1 = P_vv*Q_vv**2
    x2 = Q_vx**2
    x3 = P_xx*Q_xv**2
    x4 = Q_xx**2
    return ((1/2)*P_vv*x2 + P_xv*Q_vx*Q_xx + (1/2)*P_xx*x4 + x0 + (1/2)*x1 + (1/2)*x3 +
        (1/2)*numpy.sqrt(4*(P_vv*Q_vv*Q_vx + P_xv*(Q_vv*Q_xx + Q_vx*Q_xv) + P_xx*Q_xv*Q_xx)**2 + (P_vv*x2 +
        2*P_xv*Q_vx*Q_xx + P_xx*x4 - 2*x0 - x1 - x3)**2))


def _phase_ball_sq(*, P_vv, P_xv, P_xx, Q_vv, Q_vx, Q_xv, Q_xx, R, a_sq, l, s_sq, w_v, w_x, **_):
    x0 = Q_vv*w_v + Q_vx*w_x
    x1 = Q_xv*w_v + Q_xx*w_x
    return 4*R**2*a_sq*(P_vv*x0**2 + 2*P_xv*x0*x1 + P_xx*x1**2)/(a_sq*l + s_sq)**2


def _phase_initial_sq(*, D_sq, P_vv, P_xv, P_xx, d, e_vv, e_vx, e_xv, e_xx, gamma, m2, phi_v, phi_x, u_v, u_x,
        **_):
    x0 = 2*P_xv
    x1 = e_vv*u_v + e_vx*u_x
    x2 = P_vv*phi_v*x1
    x3 = e_xv*u_v + e_xx*u_x
    x4 = P_xx*phi_x*x3
    x5 = P_xv*(phi_v*x3 + phi_x*x1)
    return (D_sq*(P_vv*phi_v**2 + P_xx*phi_x**2 + phi_v*phi_x*x0 - x2 - x4 - x5) + d*(P_vv*e_vv**2 +
        P_vv*e_vx**2 + P_xx*e_xv**2 + P_xx*e_xx**2 + e_vv*e_xv*x0 + e_vx*e_xx*x0) + (-d*gamma + m2)*(x2 + x4 +
        x5))


def _phase_initial(*, D_sq, P_vv, P_xv, P_xx, d, e_vv, e_vx, e_xv, e_xx, phi_v, phi_x, **_):
    x0 = 2*P_xv
    return (numpy.sqrt(abs(D_sq*(P_vv*phi_v**2 + P_xx*phi_x**2 + phi_v*phi_x*x0))) +
        numpy.sqrt(abs(d*(P_vv*e_vv**2 + P_vv*e_vx**2 + P_xx*e_xv**2 + P_xx*e_xx**2 + e_vv*e_xv*x0 +
        e_vx*e_xx*x0))))


def _distance_sq(*, d, l, m2, v, **_):
    return -d*l + d*(-numpy.sqrt(l) + numpy.sqrt(v))**2 + m2


def _distance_log_concave_sq(*, d, l, mean_norm, v, wide, **_):
    x0 = numpy.sqrt(v)
    return (d*functools.reduce(numpy.maximum, [(numpy.sqrt(l) - x0)**2, (numpy.sqrt(wide) - x0)**2]) +
        mean_norm**2)


def _flow_contraction(*, c_lo, c_up, gap, p, r, tau, **_):
    x0 = (-gap + r)/tau
    return functools.reduce(numpy.maximum, [abs(c_lo + p + x0*(1 - c_lo)), abs(c_up + p + x0*(1 - c_up))])


def _omega(*, r, sigma, v, **_):
    x0 = numpy.sqrt(sigma**2 + v)
    return x0*(-r + sigma)*(r + sigma)/(sigma*(x0 + numpy.sqrt(r**2 + v)))


def _omega_ahead(*, r, sigma, v, **_):
    x0 = numpy.sqrt(r**2 + v)
    x1 = numpy.sqrt(sigma**2 + v)
    return -v*(-r + sigma)**2*(r + sigma)/(sigma*(x0 + x1)*(r*x1 + sigma*x0))


def _start_sq(*, X, d, l, m, p, tau, **_):
    x0 = numpy.sqrt(l + tau**2)
    return d*(p**2*(-l + m) + (X*tau/x0 + p*x0)**2)


def _noise_size(*, d, l, sigma, **_):
    return numpy.sqrt(d/(l + sigma**2))*abs(sigma)


def _turn(*, c_0, c_lo, c_up, d, e, k, sigma, **_):
    return (functools.reduce(numpy.minimum, [e*(c_0 + c_up) + numpy.sqrt(2)*numpy.sqrt(c_up*d),
        e*functools.reduce(numpy.maximum, [abs(c_0 - c_lo), abs(c_0 - c_up)]) + k])/sigma)


def _third(*, c_up, d, e, **_):
    x0 = numpy.sqrt(c_up)
    return x0*(numpy.sqrt(2)*numpy.sqrt(d) + 2*x0*abs(e))


def _third_strong(*, L0, c_mean, c_up, d, m0, sigma, **_):
    x0 = sigma**2
    return x0*numpy.sqrt(c_mean*d)*(2*L0 - 2*m0)*abs(c_up)/(x0*(L0 + m0) + 2)


def _third_weak(*, M, alpha, c_mean, c_up, d, sigma, **_):
    x0 = sigma**2
    x1 = (alpha*x0 + 1)**(-1.0)
    return 2*numpy.sqrt(c_mean*c_up*d*x1*numpy.exp(M*x0*x1))


def _third_ball(*, EV, R, k_2, k_R, sigma, x_lo, **_):
    return x_lo**3*functools.reduce(numpy.minimum, [R**3*k_R, numpy.sqrt(EV)*R**2*k_2])/sigma**3


def _ball_variance(*, R, c_lo, c_mean, d, sigma, x_lo, **_):
    return functools.reduce(numpy.minimum, [R**2, d*sigma**2*(-c_lo + c_mean)/x_lo**2])


def _flow_kept(*, r, s0, tau, **_):
    x0 = s0**2
    return numpy.sqrt(r**2 + x0)/numpy.sqrt(tau**2 + x0)


def _replaced(*, J, R, centre, d, p, rho, s0, tau, w, **_):
    return R*(abs(w) + abs(rho - 1)) + centre*abs(p) + numpy.sqrt(R**2 + d*(s0**2 + tau**2))*abs(J - rho)


def _rate_any(*, c_0, c_lo, c_up, d, e, k, sigma, **_):
    x0 = c_0 + 3
    x1 = 2*c_0**2 - 3*c_0
    return ((numpy.sqrt(c_up)*(2*(d*(d + 2)*(d + 4)*(d + 6))**(1/4) + 2*(12*d**2 + 48*d)**(1/4))**2 +
        e*functools.reduce(numpy.maximum, [abs(c_lo*(c_lo + x0) + x1), abs(c_up*(c_up + x0) + x1)]) + k*(c_0 +
        c_up + 4))/sigma**2)


def _rate_strong(*, L0, c_0, c_up, d, e, k, m0, sigma, x_lo, x_up, **_):
    x0 = sigma**2
    x1 = L0 + m0
    x2 = x0*x1
    x3 = (x2 + 2)**(-1.0)
    x4 = x2*x3
    x5 = 4*x4
    x6 = c_0 + x5 + 1
    x7 = 1 - c_0
    x8 = 2*c_0 + x5 + 2*x7**2 - 2
    x9 = (functools.reduce(numpy.minimum, [x_lo, functools.reduce(numpy.maximum, [x_up, (1/2)*c_0 + 2*x4 +
        1/2])]))
    return ((e*functools.reduce(numpy.maximum, [abs(-4*x0*x1*x3*x9 + x7*x9 + x8 + x9**2 - 2*x9),
        abs(-4*x0*x1*x3*x_lo + x7*x_lo + x8 + x_lo**2 - 2*x_lo), abs(-4*x0*x1*x3*x_up + x7*x_up + x8 + x_up**2
        - 2*x_up)]) + k*functools.reduce(numpy.maximum, [abs(x6 - x_lo), abs(x6 - x_up)]) + 2*x0*x3*(L0 -
        m0)*(4*c_up*d + numpy.sqrt(d*(d + 2)))*numpy.sqrt(c_up**3))/x0)


def _rate_ball(*, R, c_0, d, e, k, k_2, sigma, x_lo, x_up, **_):
    x0 = x_lo**2
    x1 = 2*x_lo
    x2 = c_0 - 3
    x3 = 1 - c_0
    x4 = 2*c_0 + 2*x3**2 - 2
    x5 = 4*x0 + x4
    x6 = (functools.reduce(numpy.minimum, [x_lo, functools.reduce(numpy.maximum, [x_up, (1/2)*c_0 + 4*x_lo -
        3/2])]))
    return (R*x1*(R**2*k_2*x0 + R*sigma*x_lo*(d*(d + 2))**(1/4))**2/sigma**7 +
        (e*functools.reduce(numpy.maximum, [abs(-3*x0 + x1 + x3*x_lo + x4), abs(x3*x6 + x5 + x6**2 - 8*x6*x_lo
        + 2*x6), abs(x3*x_up + x5 - 8*x_lo*x_up + x_up**2 + 2*x_up)]) + k*functools.reduce(numpy.maximum,
        [abs(x2 + 7*x_lo), abs(x2 + 8*x_lo - x_up)]))/sigma**2)


def _twice_contraction(*, B_lo, B_up, K_2, again, b_lo, b_up, kappa, keep, pi, **_):
    x0 = -again
    x1 = -B_lo*K_2 - x0
    x2 = -pi
    x3 = -b_lo*kappa - x2
    x4 = -b_up*kappa - x2
    x5 = -B_up*K_2 - x0
    return (functools.reduce(numpy.maximum, [abs(keep + x1*x3), abs(keep + x1*x4), abs(keep + x3*x5), abs(keep
        + x4*x5)]))


def _twice_apart(*, B_lo, B_up, K_2, again, b_lo, b_up, kappa, keep, pi, **_):
    x0 = -again
    x1 = -B_lo*K_2 - x0
    x2 = -B_up*K_2 - x0
    x3 = -pi
    x4 = b_lo*kappa
    x5 = b_up*kappa
    x6 = x4 - x5
    x7 = pi - 1/2*x4 - 1/2*x5
    x8 = x1*x7
    x9 = -1/2*again*x6
    x10 = keep - x9
    x11 = x2*x7
    x12 = keep + x9
    return (functools.reduce(numpy.minimum, [abs(keep) + functools.reduce(numpy.maximum, [abs(x1),
        abs(x2)])*functools.reduce(numpy.maximum, [abs(x3 + x4), abs(x3 + x5)]),
        (1/2)*abs(K_2)*abs(x6)*functools.reduce(numpy.maximum, [abs(B_lo), abs(B_up)]) +
        functools.reduce(numpy.maximum, [abs(x10 + x11), abs(x10 + x8), abs(x11 + x12), abs(x12 + x8)])]))


def _twice_drift(*, K_2, again, b_0, keep, pi, **_):
    return -K_2*b_0*(pi - 1) + again*pi + keep - 1


def _twice_ahead(*, K_2, Omega, Omega_m, again, b_0, kappa, w_m, **_):
    return -K_2*(b_0*(Omega_m - kappa) + w_m) + Omega - again*kappa


def _flow_ratio(*, mu, sigma, v, **_):
    return mu*numpy.sqrt(sigma**2 + v)/(sigma*numpy.sqrt(mu**2 + v))


def _kernel(*, K_2, Omega, Omega_m, mu, sigma, v, **_):
    x0 = mu**2 + v
    return -K_2*(Omega_m*mu/x0 + mu*numpy.sqrt(sigma**2 + v)/(sigma*numpy.sqrt(x0))) + Omega


def _twice_weight(*, B, K_2, again, inner_scale, kappa, scale, **_):
    return (abs(again) + abs(B*K_2))*abs(kappa*scale) + abs(K_2*inner_scale)


def _twice_kept(*, K_2, again, beta, beta_m, kappa, keep, pi, **_):
    return keep + (-K_2*beta_m + again)*(-beta*kappa + pi)


def _twice_first(*, K_2, again, beta, beta_m, kappa, **_):
    return beta*kappa*(-K_2*beta_m + again)


def _twice_second(*, K_2, beta_m, **_):
    return K_2*beta_m


def _between_omega(*, c, r, sigma, v, **_):
    x0 = sigma**2 + v
    return (-x0*numpy.expm1(-c*numpy.arcsinh((1/2)*(-r + sigma)*(r + sigma)/(numpy.sqrt(x0)*numpy.sqrt(r**2 +
        v))))/sigma)


def _between_variance(*, d, g, gap, ng, omega, rise, sigma, x_lo, **_):
    x0 = sigma**(-1.0)
    x1 = g*omega*x0
    return (d*((g - ng - x1*x_lo)**2 + functools.reduce(numpy.maximum, [0, rise*(g**2*gap*omega**2/sigma**2 +
        x1*(-2*g*omega*x0*x_lo + 2*g - 2*ng))])))


def _between_kept(*, c, r, s0, tau, **_):
    x0 = s0**2
    return ((r**2 + x0)/(tau**2 + x0))**((1/2)*c)


def _between_kept_noise(*, lambda_sq, r, s0, tau, **_):
    x0 = s0**2
    x1 = r**2 + x0
    return (-x1*numpy.expm1(-2*lambda_sq*numpy.arcsinh((1/2)*(-r + tau)*(r +
        tau)/(numpy.sqrt(x1)*numpy.sqrt(tau**2 + x0)))))


def _between_noise(*, d, kept, var, **_):
    return numpy.sqrt(d)*abs(numpy.sqrt(kept) - numpy.sqrt(var))


def _between_inside(*, J, R, centre, d, p, rho, s0, tau, w, **_):
    return R*abs(w) + centre*abs(p) + numpy.sqrt(R**2 + d*(s0**2 + tau**2))*abs(J - rho)


def _between_outside(*, R, rho, **_):
    return R*abs(rho - 1)


def _initialisation(*, E0, V_0, V_T, a_0, a_T, **_):
    return E0*V_0*a_T/(V_T*a_0)


def _growth(*, F, G, I_L, I_alpha, M1, h, **_):
    x0 = F + 1
    return G*M1*h + functools.reduce(numpy.maximum, [abs(I_L - x0), abs(I_alpha - x0)])


def _time_regularity(*, G, M1, h, omega, theta, x0, **_):
    return G*M1*h*(omega + functools.reduce(numpy.maximum, [theta, x0]) + 1)


def _score(*, G, M, **_):
    return G*M


def _discretisation(*, G, I_L, I_absf, I_sq, I_sqrtL, d, h, omega, theta, **_):
    return (numpy.sqrt(I_sq)*numpy.sqrt(h)*(I_L*theta + I_absf*(omega + theta) + I_sqrtL*numpy.sqrt(d) +
        numpy.sqrt(G*d)))


def _initial(*, D, a, d, s, sigma, v, **_):
    return D*a + numpy.sqrt(d)*abs(sigma - numpy.sqrt(a**2*v + s**2))


def _growth_of_gentiloni2025_weak_log_concave(*, L_t, h, kappa, **_):
    x0 = 2*h
    x1 = h + 1
    return functools.reduce(numpy.maximum, [abs(L_t*x0 - x1), abs(kappa*x0 - x1)])


def _local(*, L, d, h, m2, **_):
    x0 = numpy.sqrt(d)
    return h**(3/2)*((1/2)*numpy.sqrt(h)*(numpy.sqrt(m2) + x0) + numpy.sqrt(2)*x0*(2*L + 1))


def _score_of_gentiloni2025_weak_log_concave(*, eps, h, **_):
    return 2*eps*h


def _closed_form(*, E0, L, T, d, eps, eta, h, m2, **_):
    x0 = 2*L + 1
    x1 = numpy.sqrt(h)
    x2 = numpy.sqrt(d)
    return (E0 + T*(2*eps + x1*(numpy.sqrt(2)*x0*x2 + (1/2)*x1*(numpy.sqrt(m2) + x2))))*numpy.exp(eta*x0)


def _scale(*, matched_var, noise_var, **_):
    return numpy.sqrt(noise_var/matched_var)


def _drift_norm(*, a, h, kappa, **_):
    x0 = a*h
    return numpy.sqrt(a**2*h**2/kappa**2 + (1 - x0)**2) + abs(x0/kappa)


def _norm(*, R_vv, R_xv, R_xx, Z_vv, Z_vx, Z_xv, Z_xx, **_):
    x0 = R_xx**(-1.0)
    x1 = R_xv*Z_vx
    x2 = x0*x1
    x3 = x0*(R_xx*Z_xx + x1)
    x4 = R_vv*Z_vx*x0
    x5 = (R_xv*Z_vv - R_xv*x3 + R_xx*Z_xv)/R_vv
    return ((1/2)*numpy.sqrt((x4 - x5)**2 + (Z_vv - x2 + x3)**2) + (1/2)*numpy.sqrt((x4 + x5)**2 + (-Z_vv + x2
        + x3)**2))


def _largest(*, R_vv, R_xv, R_xx, **_):
    x0 = R_vv**2
    x1 = R_xv**2
    x2 = R_xx**2
    x3 = 2*R_vv*R_xx
    x4 = x0 + x1 + x2
    return (1/2)*x0 + (1/2)*x1 + (1/2)*x2 + (1/2)*numpy.sqrt((-x3 + x4)*(x3 + x4))


def _projection(*, R_vv, R_xv, R_xx, **_):
    return numpy.sqrt(R_vv**2 + R_xv**2)/abs(R_vv*R_xx)


def _mixing(*, W, flow, largest, **_):
    return numpy.sqrt(largest)*abs(W*flow)


def _growth_of_strasman2025_cld(*, ell, h, rho_bar, **_):
    return ell*h + rho_bar


def _local_of_strasman2025_cld(*, b, v_sq, **_):
    return b + numpy.sqrt(v_sq)


def _score_of_strasman2025_cld(*, eps, s, **_):
    return eps*s


def _missed_sq(*, D_v, D_x, R_vv, R_xv, R_xx, Z_vv, Z_vx, Z_xv, Z_xx, **_):
    x0 = R_vv**2
    return D_v*(Z_vv**2*x0 + (R_xv*Z_vv + R_xx*Z_xv)**2) + D_x*(Z_vx**2*x0 + (R_xv*Z_vx + R_xx*Z_xx)**2)


def _ceiling(*, d, h, nu, **_):
    return (1/3)*numpy.sqrt(3)*numpy.sqrt(d)*h**(3/2)*abs(nu)


def _closed_form_of_strasman2025_cld(*, E_0, K, Lambda, eps, local, p, rho_bar, s, **_):
    x0 = rho_bar**K
    return p*(E_0*x0 + (1 - x0)*(eps*s + local)/(1 - rho_bar))*numpy.exp(Lambda)


def _factor(*, P, Q, V, **_):
    return P - Q/V


def _distance_sq_of_gaussian_lower_bound(*, sigma_0, v, **_):
    return (-sigma_0 + numpy.sqrt(v))**2


def _rate(*, V, f, g_sq, **_):
    return -V*f**2 - f*g_sq + g_sq**2/V


#: By theorem and name, called by keyword; what a function does not need it ignores.
FUNCTIONS = {
    "martingale": {
        "initial_sq": _initial_sq,
        "initial_smooth_sq": _initial_smooth_sq,
        "initial_log_concave_sq": _initial_log_concave_sq,
        "contraction": _contraction,
        "bias_sq": _bias_sq,
        "bias_known_sq": _bias_known_sq,
        "variance": _variance,
        "variance_known": _variance_known,
        "early_stop_sq": _early_stop_sq,
        "ball_kept": _ball_kept,
        "ball_moved": _ball_moved,
        "ball_replaced": _ball_replaced,
        "ball_noise_sq": _ball_noise_sq,
        "ball_drawn": _ball_drawn,
        "phase_affine": _phase_affine,
        "phase_bias_sq": _phase_bias_sq,
        "phase_bias_known_sq": _phase_bias_known_sq,
        "phase_variance": _phase_variance,
        "phase_variance_known": _phase_variance_known,
        "phase_score_sq": _phase_score_sq,
        "phase_ball_sq": _phase_ball_sq,
        "phase_initial_sq": _phase_initial_sq,
        "phase_initial": _phase_initial,
        "distance_sq": _distance_sq,
        "distance_log_concave_sq": _distance_log_concave_sq,
    },
    "flow": {
        "initial_sq": _initial_sq,
        "initial_smooth_sq": _initial_smooth_sq,
        "initial_log_concave_sq": _initial_log_concave_sq,
        "early_stop_sq": _early_stop_sq,
        "flow_contraction": _flow_contraction,
        "omega": _omega,
        "omega_ahead": _omega_ahead,
        "start_sq": _start_sq,
        "noise_size": _noise_size,
        "turn": _turn,
        "third": _third,
        "third_strong": _third_strong,
        "third_weak": _third_weak,
        "third_ball": _third_ball,
        "ball_variance": _ball_variance,
        "flow_kept": _flow_kept,
        "replaced": _replaced,
        "rate_any": _rate_any,
        "rate_strong": _rate_strong,
        "rate_ball": _rate_ball,
        "twice_contraction": _twice_contraction,
        "twice_apart": _twice_apart,
        "twice_drift": _twice_drift,
        "twice_ahead": _twice_ahead,
        "flow_ratio": _flow_ratio,
        "kernel": _kernel,
        "twice_weight": _twice_weight,
        "twice_kept": _twice_kept,
        "twice_first": _twice_first,
        "twice_second": _twice_second,
    },
    "flow-between": {
        "initial_sq": _initial_sq,
        "initial_smooth_sq": _initial_smooth_sq,
        "initial_log_concave_sq": _initial_log_concave_sq,
        "early_stop_sq": _early_stop_sq,
        "flow_contraction": _flow_contraction,
        "start_sq": _start_sq,
        "noise_size": _noise_size,
        "turn": _turn,
        "third": _third,
        "third_strong": _third_strong,
        "third_weak": _third_weak,
        "third_ball": _third_ball,
        "ball_variance": _ball_variance,
        "between_omega": _between_omega,
        "between_variance": _between_variance,
        "between_kept": _between_kept,
        "between_kept_noise": _between_kept_noise,
        "between_noise": _between_noise,
        "between_inside": _between_inside,
        "between_outside": _between_outside,
    },
    "gao2025-general-sde": {
        "initialisation": _initialisation,
        "growth": _growth,
        "time_regularity": _time_regularity,
        "score": _score,
        "discretisation": _discretisation,
    },
    "gentiloni2025-weak-log-concave": {
        "distance_sq": _distance_sq,
        "distance_log_concave_sq": _distance_log_concave_sq,
        "initial": _initial,
        "growth": _growth_of_gentiloni2025_weak_log_concave,
        "local": _local,
        "score": _score_of_gentiloni2025_weak_log_concave,
        "closed_form": _closed_form,
        "early_stop_sq": _early_stop_sq,
    },
    "martingale-coupled": {
        "initial_sq": _initial_sq,
        "initial_smooth_sq": _initial_smooth_sq,
        "initial_log_concave_sq": _initial_log_concave_sq,
        "contraction": _contraction,
        "bias_sq": _bias_sq,
        "bias_known_sq": _bias_known_sq,
        "variance": _variance,
        "variance_known": _variance_known,
        "early_stop_sq": _early_stop_sq,
        "ball_kept": _ball_kept,
        "ball_moved": _ball_moved,
        "ball_replaced": _ball_replaced,
        "ball_noise_sq": _ball_noise_sq,
        "ball_drawn": _ball_drawn,
        "scale": _scale,
    },
    "strasman2025-cld": {
        "drift_norm": _drift_norm,
        "norm": _norm,
        "largest": _largest,
        "projection": _projection,
        "mixing": _mixing,
        "growth": _growth_of_strasman2025_cld,
        "local": _local_of_strasman2025_cld,
        "score": _score_of_strasman2025_cld,
        "missed_sq": _missed_sq,
        "ceiling": _ceiling,
        "closed_form": _closed_form_of_strasman2025_cld,
        "early_stop_sq": _early_stop_sq,
        "phase_affine": _phase_affine,
        "phase_bias_sq": _phase_bias_sq,
        "phase_bias_known_sq": _phase_bias_known_sq,
        "phase_variance": _phase_variance,
        "phase_variance_known": _phase_variance_known,
        "phase_score_sq": _phase_score_sq,
        "phase_ball_sq": _phase_ball_sq,
        "phase_initial_sq": _phase_initial_sq,
        "phase_initial": _phase_initial,
        "distance_sq": _distance_sq,
        "distance_log_concave_sq": _distance_log_concave_sq,
    },
    "gaussian-lower-bound": {
        "factor": _factor,
        "distance_sq": _distance_sq_of_gaussian_lower_bound,
        "rate": _rate,
    },
}
