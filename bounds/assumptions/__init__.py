"""Data assumptions as posterior-covariance envelopes, one a file: adding a file here adds an assumption."""

from collections.abc import Mapping

from bounds.assumption import Assumption
from bounds.registry import units


def assumptions() -> Mapping[str, type[Assumption]]:
    """Every assumption, by the key used in problem files."""
    return units("bounds.assumptions", "ASSUMPTION")
