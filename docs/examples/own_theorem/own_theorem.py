"""A bound for the exponential integrator on the Ornstein–Uhlenbeck process, as its paper would state it."""

from bounds import claim

THEOREM = claim.recursion(
    "simple2026", source="Me 2026, Theorem 1",
    process=["ou"], sampler=["exponential"], data=["strong-log-concave"],
    hypotheses=["m0 <= 1", "L0 >= 1"],
    initial="exp(-T)*sqrt(m2 + d)",
    growth="Max(Abs(exp(h) - 2*(exp(h)-1)*m0), Abs(exp(h) - 2*(exp(h)-1)*L0))",
    local="2*(exp(h)-1)*((1-exp(-h))*sqrt(d*L0) + sqrt(2*h*d)*L0 + M)")
