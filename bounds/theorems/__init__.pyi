"""The registry as type checkers read it: `bounds.theorem` asks it, so that it cannot import that."""

from bounds.theorem import Theorem

def theorems() -> dict[str, Theorem]: ...
