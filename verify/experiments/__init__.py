"""Experiments: one file each that defines ``EXPERIMENT``, listed by being here."""

from collections.abc import Mapping

from bounds.registry import units
from verify.experiment import Experiment

__all__ = ["experiments"]


def experiments() -> Mapping[str, Experiment]:
    """Every experiment by key."""
    return units("verify.experiments", "EXPERIMENT")
