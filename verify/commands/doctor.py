"""The command ``doctor``: is everything installed, and is it this project's?"""

import re
import sys
from pathlib import Path

import click

from verify.command_options import JSON_OPTION
from verify.pages import tables
from verify.pages.console import HOLDS, WRONG, print_json, print_text


@click.command(short_help="Check the installation.")
@JSON_OPTION
def doctor(as_json):
    """Versions, optional parts, and whether another project overwrote the packages this one consists of."""
    checks = [*_versions(), *_owners()]
    if as_json:
        print_json({"checks": checks, "ok": all(check["ok"] for check in checks)})
    else:
        print_text(tables.checks_table(checks))
    return HOLDS if all(check["ok"] for check in checks) else WRONG


def _versions() -> list[dict]:
    """Installed versions; what is optional may be missing."""
    import platform

    from verify.installed import version_of

    checks = [{"name": "python", "found": platform.python_version(), "ok": sys.version_info >= (3, 11)}]
    needed = ("numpy", "scipy", "sympy", "python-flint", "click", "rich", "array-api-compat", "matplotlib", "POT")
    optional = {"torch": "extra torch", "numba": "extra fast"}
    for name in ("sgm-bounds", *needed, *optional):
        found = version_of(name)
        ok = found is not None or name not in needed
        if found is None:
            found = "not installed"
            found += f" (optional: {optional[name]})" if name in optional else ""
            found += " (running from its source)" if name == "sgm-bounds" else ""
        checks.append({"name": name, "found": found, "ok": ok})
    return checks


def _owners() -> list[dict]:
    """Whether the three packages are this project's, by owner and by the hashes it was installed with."""
    from importlib.metadata import PackageNotFoundError, distribution, packages_distributions

    try:
        files = distribution("sgm-bounds").files or []
    except PackageNotFoundError:
        files = []
    owners, checks = packages_distributions(), []
    for package in ("bounds", "closed_form", "verify"):
        others = sorted({_canonical(name) for name in owners.get(package, [])} - {"sgm-bounds"})
        changed = [str(file) for file in files if file.parts[0] == package and _is_changed(file)]
        where = _folder(package)
        found = [f"in {where}"] if where else ["not found"]
        if others:
            found.append(f"also claimed by {', '.join(others)}: uninstall it, then reinstall sgm-bounds")
        if changed:
            found.append(
                f"changed since installation: {', '.join(changed[:3])}{'…' if len(changed) > 3 else ''}"
            )
        checks.append(
            {
                "name": f"package {package}",
                "found": "; ".join(found),
                "ok": not (others or changed) and bool(where),
            }
        )
    return checks


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _folder(package: str) -> str | None:
    """Where a package is imported from, without importing it."""
    from importlib.util import find_spec

    spec = find_spec(package)
    return (None if spec is None
            else str(Path(spec.origin).parent if spec.origin else "a folder without __init__.py"))


def _is_changed(file) -> bool:
    """Whether an installed file differs from the hash recorded for it, or is gone."""
    import base64
    import hashlib

    if file.hash is None:
        return False
    try:
        content = file.locate().read_bytes()
    except OSError:
        return True
    digest = hashlib.new(file.hash.mode, content).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != file.hash.value


COMMAND = doctor
