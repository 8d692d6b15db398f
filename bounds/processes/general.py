"""Any process of one block: f of any sign and any g, for what none of the named families is."""

from bounds.annotations import TimeFunction
from bounds.process import Coefficient, Family, ForwardProcess
from bounds.symbolic.expressions import real_function


def general(f: TimeFunction, g: TimeFunction) -> ForwardProcess:
    """Any f(t), of any sign, and any real g(t) (arXiv 2311.11003 eq. (2.1)).

    Parameters
    ----------
    f, g : sympy expressions, numbers, str or callables

    Raises
    ------
    ValueError, TypeError
        If one is no function of t alone.
    """
    f, g = real_function("f", f), real_function("g", g)
    return ForwardProcess.scalar("general", f, g**2, {"f": str(f), "g": str(g)})


FAMILY = Family("general", general, {"f": Coefficient(example="1/2"), "g": Coefficient(example="1")})
