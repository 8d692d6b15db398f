"""The data laws, one a file: adding a file here adds a law."""

from collections.abc import Mapping

from bounds.registry import units
from closed_form.law import DataLaw


def laws() -> Mapping[str, DataLaw]:
    """Every law, by the key used in problem files."""
    return units("closed_form.laws", "LAW")
