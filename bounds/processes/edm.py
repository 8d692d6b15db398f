"""EDM: no drift, and a noise level that is time itself."""

from bounds.process import Family, ForwardProcess
from bounds.symbolic.integrals import TIME


def edm() -> ForwardProcess:
    """EDM: f = 0, g² = 2t, so that the noise level is σ(t) = t (Karras et al. 2022, arXiv 2206.00364, table 1)."""
    return ForwardProcess.scalar("edm", 0, 2 * TIME)


FAMILY = Family("edm", edm, {}, time_of_level=lambda sigma: sigma)
