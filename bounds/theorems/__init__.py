"""One file a theorem: dropping a file here lists it, tests it and plots it."""

from bounds.registry import units

__all__ = ["theorems"]


def theorems() -> dict:
    """Every theorem by key: upper bounds first, the martingale bound before the others, then by key."""
    found = units("bounds.theorems", "THEOREM")
    return dict(
        sorted(found.items(), key=lambda item: (item[1].kind != "upper", item[0] != "martingale", item[0])))
