"""How many examples a drawn test looks at: few in `make test`, many times as many in `make deep`."""

import os

#: By how much `make deep` multiplies them.
TIMES = int(os.environ.get("TIMES", "1"))


def examples(count: int) -> int:
    """So many in `make test`."""
    return count * TIMES
