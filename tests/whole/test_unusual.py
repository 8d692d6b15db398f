"""Bound and truth on problems of unusual shape: no bound on the wrong side, no bracket without the truth."""

import numpy as np
import pytest

from bounds import TimeGrid, general
from bounds.processes.cld import cld
from bounds.sampler import Scheme
from bounds.samplers import samplers
from bounds.steps.path import Path
from bounds.steps.phase_space.path import PhasePath
from bounds.theorem import NotApplicable
from bounds.theorems import theorems
from closed_form import Gaussian
from closed_form.certified.chain import certified_w2
from closed_form.sampler_laws.w2 import sampler_w2
from closed_form.steps.phase_space.flow import Flow
from closed_form.steps.table import StepNumbers, exact_steps
from tests.unusual import KINDS, draw, draw_long
from tests.whole.tolerances import CORRUPTED, SOUND
from verify import measure, setting_of

QUICK, DEEP, AT_ONCE, LONG = 300, 20_000, 30, 20
#: Samplers with one score evaluation a step: others have no form in balls.
ONCE = {key for key, sampler in samplers(1).items() if sampler.evaluations == 1 and sampler.multistep is None}


def wrong(seed: int, draw=draw) -> list[str]:
    """What is wrong with the answers to a drawn problem; None where it is refused."""
    drawn = draw(seed)
    setting = setting_of(drawn.process, drawn.law, drawn.scheme)
    truth = certified_w2(drawn.law, drawn.process, drawn.scheme, setting.assumption, setting.facts.moments)
    measured, found = measure(setting, drawn.law), []
    if measured.upper < truth.lower or truth.upper < measured.lower:
        found.append(f"seed {seed} ({drawn.kind}): [{measured.lower!r}, {measured.upper!r}] excludes {truth}")
    for key, theorem in theorems().items():
        try:
            total = theorem.bound(setting).total
        except NotApplicable:
            continue
        if total < truth.lower if theorem.kind == "upper" else total > truth.upper:
            found.append(f"seed {seed} ({drawn.kind}): {key} says {total!r}, the truth is {truth}")
    return found


@pytest.mark.parametrize("start", range(0, QUICK, AT_ONCE))
def test_no_bound_is_on_the_wrong_side(start):
    """On drawn problems every bound is on its side of the certified truth, which every bracket reaches."""
    assert not [line for seed in range(start, start + AT_ONCE) for line in wrong(seed)]


@pytest.mark.deep
@pytest.mark.parametrize("start", range(QUICK, QUICK + DEEP, 500))
def test_no_bound_is_on_the_wrong_side_of_many(start):
    """The same on twenty thousand others."""
    assert not [line for seed in range(start, start + 500) for line in wrong(seed)]


def test_no_long_step_puts_a_bound_on_the_wrong_side():
    """Nor where a few steps lead over many orders of the noise level."""
    assert not [line for seed in range(LONG) for line in wrong(seed, draw_long)]


@pytest.mark.deep
@pytest.mark.parametrize("start", range(LONG, LONG + 6000, 500))
def test_no_long_step_puts_a_bound_on_the_wrong_side_of_many(start):
    """The same on six thousand others."""
    assert not [line for seed in range(start, start + 500) for line in wrong(seed, draw_long)]


def test_every_kind_and_sampler_is_drawn():
    """Among the problems of the quick test are all kinds of features, all samplers and large dimensions."""
    kinds, keys, largest, apart = set(), set(), 0, 0.0
    for seed in range(QUICK):
        each = draw(seed)
        kinds, keys, largest = kinds | {each.kind}, keys | {each.scheme.key}, max(largest, each.law.dim)
        apart = max(apart, np.ptp(np.diff(each.scheme.grid.times)))
        if kinds == set(KINDS) and keys == ONCE and largest > 1e4 and apart > 0.1:
            return
    raise AssertionError(f"{set(KINDS) - kinds}, {ONCE - keys}, {largest}, {apart}")


@pytest.mark.parametrize("key", sorted(ONCE))
@pytest.mark.parametrize("corrupted", [None, "claim", "truth"])
def test_claim_and_truth_integrate_by_themselves(monkeypatch, corrupted, key):
    """A step integral that is off by a millionth in one of the two makes the lower bound and the truth
    disagree."""
    if corrupted == "claim":
        monkeypatch.setattr(Path, "integrate", _scaled(Path.integrate))
    if corrupted == "truth":
        monkeypatch.setattr(StepNumbers, "_summed", lambda self, values, plain=StepNumbers._summed:
                            plain(self, values) * (1 + 1e-6))
    grid = TimeGrid(np.array([1.0, 0.7, 0.3, 0.0]))
    process, law = general("1/2", "1+t"), Gaussian([2.0], 0.5)
    setting = setting_of(process, law, Scheme(samplers(1)[key], grid, 1.5))
    bound, measured = theorems()["gaussian-lower-bound"].bound(setting).total, measure(setting, law).midpoint
    apart = abs(bound / measured - 1)
    assert apart < SOUND if corrupted is None else apart > CORRUPTED


#: What is corrupted in phase space: of the claim and of the truth, a step integral or e^{uA}.
PHASE_PARTS = {None: (None, None), "claim's integral": (PhasePath, "covariance"),
               "claim's flow": (PhasePath, "transition"), "truth's integral": (Flow, "_gram"),
               "truth's flow": (Flow, "transition")}


@pytest.mark.parametrize("key", sorted(samplers(2)))
@pytest.mark.parametrize("corrupted", PHASE_PARTS)
def test_claim_and_truth_have_their_own_phase_space(monkeypatch, corrupted, key):
    """An integral or e^{uA} that is off by a millionth in one of the two makes their W2 disagree."""
    owner, name = PHASE_PARTS[corrupted]
    if owner:
        plain = getattr(owner, name)
        monkeypatch.setattr(owner, name, lambda self, *given: plain(self, *given) * (1 + 1e-6))
    process, law = cld(epsilon="1/3"), Gaussian([2.0], 0.5)
    chosen = Scheme(samplers(2)[key], TimeGrid(np.array([1.0, 0.7, 0.3, 0.0])))
    claim, truth = (sampler_w2(law, steps).midpoint
                    for steps in (chosen.steps(process), exact_steps(process, chosen)))
    apart = abs(claim / truth - 1)
    assert apart < SOUND if corrupted is None else apart > CORRUPTED


def _scaled(plain):
    def integrate(self, *arguments, **options):
        values, errors = plain(self, *arguments, **options)
        return [value * (1 + 1e-6) for value in values], errors

    return integrate
