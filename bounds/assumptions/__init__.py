"""Data assumptions as posterior-covariance envelopes, one a file: adding a file here adds an assumption."""

from bounds.registry import units


def assumptions():
    """Every assumption, by the key used in problem files."""
    return units("bounds.assumptions", "ASSUMPTION")
