"""Flow matching: the straight line from the data to the noise, X_t = (1 − t) X_0 + t Z, on t < 1."""

from bounds.process import Family, ForwardProcess
from bounds.symbolic.integrals import TIME


def flow_matching() -> ForwardProcess:
    """Flow matching (rectified flow): f = 1/(1−t), g² = 2t/(1−t), for t < 1 (arXiv 2210.02747, eq. (20))."""
    return ForwardProcess.scalar("flow-matching", 1 / (1 - TIME), 2 * TIME / (1 - TIME))


FAMILY = Family("flow-matching", flow_matching, {}, time_of_level=lambda sigma: sigma / (1 + sigma))
