r"""Data assumptions as posterior-covariance envelopes, one file each: adding a file here adds an assumption.

Every assumption answers one question (docs/theory.md section 1): between which :math:`c_{lo}(q) I` and
:math:`c_{up}(q) I` does the covariance of any tilt :math:`p_0(x) e^{-q\|x\|^2/2 + b\cdot x}` lie?  Constants
may be floats or arrays that broadcast, so that one call bounds many problems.
"""

from __future__ import annotations

from bounds.registry import units


def assumptions():
    """Every assumption, by the key used in problem files."""
    return units("bounds.assumptions", "ASSUMPTION")
