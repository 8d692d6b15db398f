"""The search for the best constant metric: as near to the least as its last spacing, wherever that is."""

import numpy as np
import pytest

from bounds.recursion.phase_space.constant_metric import CLOSER, FIRST, KAPPAS, KINDS, ROUNDS, smallest


@pytest.mark.parametrize("kind", KINDS)
def test_the_least_is_found_to_the_last_spacing(kind):
    """Of a V in log κ for one kind of metric and another, 1 higher, for the others, the least of each of two
    sums is found to half the spacing of the last round, each of which is 2/(n + 1) of the one before."""
    low, high = np.log(KAPPAS)
    spacing = (high - low) / (FIRST - 1) * (2 / (CLOSER + 1)) ** ROUNDS
    for share in np.linspace(0.11, 0.93, 15):
        places = low + share * (high - low), high - share * (high - low)

        def evaluated(kappa, of, places=places):
            off = [abs(np.log(kappa) - place) + (of != kind) for place in places]
            return {"kappa": kappa, "kind": of, "total": off[0], "closed_form": off[1]}

        for found, place in zip(smallest(evaluated), places, strict=True):
            assert found["kind"] == kind and abs(np.log(found["kappa"]) - place) <= spacing / 2 * (1 + 1e-9)
