"""Values: equal by their fields, hashable, unchanged, and the same after a pickle, however they were used."""

import pickle
from types import MappingProxyType

import numpy as np
import pytest

from bounds import cld, euler_maruyama, ou, vp
from bounds.grid import TimeGrid
from closed_form import Gaussian, GaussianMixture
from verify import bundled_problem, certify, load_problem

MAKERS = {
    "process": lambda x=1: vp(f"{x} + t"), "phase process": lambda x=1: cld(a=x),
    "grid": lambda x=1: TimeGrid.uniform(x, 5),
    "list": lambda x=1: TimeGrid.from_times([x, 0.5, 0.0]), "scheme": lambda x=1: euler_maruyama(x, 5),
    "Gaussian": lambda x=1: Gaussian([0.0, x], np.array([1.0, 2.0])),
    "mixture": lambda x=1: GaussianMixture.two_modes(x, 0.5),
    "assumption": lambda x=1: Gaussian([x], 1.0).assumptions()[0],
    "certificate": lambda x=1: certify("martingale", process=ou(), law=Gaussian([x], 1.0),
                                       scheme=euler_maruyama(1, 3)),
    "bound": lambda x=1: MAKERS["certificate"](x).bound,
    "problem": lambda x=1: load_problem(bundled_problem("two_modes"), [f"scheme.horizon={x}"]),
}


@pytest.mark.parametrize("kind", MAKERS)
def test_equal_hashable_and_picklable(kind):
    """Two of the same fields are equal with one hash, another is different, and a used one survives a
    pickle."""
    one, same, other = MAKERS[kind](), MAKERS[kind](), MAKERS[kind](2)
    if kind in ("process", "problem"):
        process = getattr(one, "process", one)
        process.f_values(np.array([0.5]))  # caches a function that cannot be pickled
    assert one == same and hash(one) == hash(same) and one != other and one != "another kind"
    again = pickle.loads(pickle.dumps(one))
    assert again == one and repr(again) == repr(one) and len(repr(one)) < 2000
    assert len({one, same, again, other}) == 2


def test_what_comes_back_is_read_only():
    """Arrays and terms that come back from a pickle cannot be changed, as those that went."""
    law = pickle.loads(pickle.dumps(MAKERS["Gaussian"]()))
    bound = pickle.loads(pickle.dumps(MAKERS["bound"]()))
    with pytest.raises(ValueError, match="read-only"):
        law.mean[0] = 3.0
    assert isinstance(bound.terms, MappingProxyType) and isinstance(bound.details, MappingProxyType)


def test_a_sampler_is_itself_elsewhere():
    """A sampler of the registry comes back as the same object."""
    sampler = euler_maruyama(1, 3).sampler
    assert pickle.loads(pickle.dumps(sampler)) is sampler


def test_short_words():
    """A process, a grid, a scheme and a certificate say what they are in one line, a certificate in HTML
    too."""
    assert repr(vp("1 + t")) == "<process vp(beta='t + 1')>"
    assert repr(euler_maruyama(2, 5, early_stop=0.1)) == "<euler-maruyama, <uniform grid, T=2, 5 steps, early_stop=0.1>>"
    certificate = MAKERS["certificate"]()
    assert repr(certificate).startswith("<certificate martingale: HOLDS, bound ")
    html = certificate._repr_html_()
    assert html.startswith("<table>") and "<th>bound/exact</th>" in html and html.count("<tr>") == html.count("</tr>")
