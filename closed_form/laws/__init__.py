"""The data laws, one a file: adding a file here adds a law."""

from bounds.registry import units


def laws():
    """Every law, by the key used in problem files."""
    return units("closed_form.laws", "LAW")
