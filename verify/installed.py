"""Which versions are installed: what certificates record, and what ``--version`` and ``doctor`` tell."""

import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version


def version_of(distribution: str) -> str | None:
    """The version of an installed distribution, None where there is none."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def versions() -> dict[str, str]:
    """Versions of what computed a certificate."""
    return dict(_versions())


@cache
def _versions() -> dict[str, str]:
    # reading a package's metadata takes longer than many a bound
    names = ("sgm-bounds", "numpy", "scipy", "sympy", "python-flint")
    return {"python": platform.python_version()} | {name: version_of(name) or "unknown" for name in names}
