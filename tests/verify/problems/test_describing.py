"""Questions asked in Python as problem files: what comes back is equal, and what cannot be said is None."""

from dataclasses import replace

import numpy as np
import pytest

from bounds import LogLipschitz, cld, euler_maruyama, exponential_integrator, general, ou, sub_vp, ve, vp
from bounds.grid import TimeGrid
from bounds.process import ForwardProcess
from bounds.sampler import Scheme
from bounds.samplers import samplers
from bounds.schedules import table
from closed_form import Gaussian, GaussianMixture, OwnLaw
from verify import Verdict, certify
from verify.problems.describing import described
from verify.problems.problem import read_problem

LAW = Gaussian([0.0, 1.0], np.array([1.0, 2.0]))
SCHEME = euler_maruyama(2.0, 20)
PROCESSES = (ou(), vp("1 + t"), vp(2), vp(table([0, 0.5, 2], [1, 2, 3.0])), ve("exp(t)"), sub_vp("1 + t"),
             general("sin(t)", "1 + t"), cld(sigma=3, clock="t + t^2"), cld())
LAWS = (LAW, Gaussian(np.zeros(3), 0.5), Gaussian(np.zeros(2), np.array([[2.0, 0.5], [0.5, 1.0]])),
        GaussianMixture.two_modes(2.0, 0.5, 3),
        GaussianMixture([[0.0, 0], [1, 2]], covariance=[[1, 0.2], [0.2, 1]]))
SCHEMES = (SCHEME, exponential_integrator(1.5, 7, grid="geometric", prior_std=1.25),
           euler_maruyama(1, 5, early_stop=0.1),
           Scheme(samplers()["posterior-mean"], TimeGrid.from_times([1.0, 0.3, 0.1, 0.0])))


@pytest.mark.parametrize("process", PROCESSES, ids=repr)
def test_processes(process):
    """Every process of a family, with tables and clocks, is said by a problem file."""
    found = read_problem(described(process, LAW, SCHEME, 0.1, 0.2))
    assert found.process == process and (found.score_error, found.score_noise) == (0.1, 0.2)
    assert (found.law, found.scheme) == (LAW, SCHEME)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: type(law).__name__)
def test_laws_and_assumptions(law):
    """Every Gaussian and mixture is, with any assumption that is proved of it."""
    for assumption in law.assumptions():
        found = read_problem(described(ou(), law, SCHEME, assumption=assumption))
        assert found.law == law and found.assumptions[0] == assumption


def test_constants_of_a_law_of_which_nothing_is_proved():
    """A mixture of unequal covariances with constants stated by hand is said by a file, and a certificate of
    it is asked again from what it holds."""
    law = GaussianMixture([[0.0], [1.0]], covariances=[[[1.0]], [[0.64]]], weights=[0.7, 0.3])
    stated = LogLipschitz(1.0, 0.47, 1.5625, 1, law.second_moment, law.mean_norm)
    found = read_problem(described(ou(), law, SCHEME, assumption=stated))
    assert found.law == law and found.assumptions[0] == stated
    certificate = certify("martingale", process=ou(), law=law, scheme=SCHEME, assumption=stated)
    assert certificate.verdict is Verdict.HOLDS
    assert certificate.rerun().bound.total == certificate.bound.total


@pytest.mark.parametrize("scheme", SCHEMES, ids=repr)
def test_schemes(scheme):
    """Every sampler on every kind of grid is, with prior and early stopping."""
    assert read_problem(described(vp(1), LAW, scheme)).scheme == scheme


def test_what_no_file_says_is_none():
    """A law by functions, and a process without a family, are said by no problem file."""
    own = OwnLaw(1, sample=lambda n, rng: rng.standard_normal((n, 1)), second_moment=1.0,
                 score=lambda x, a, s_sq: -x)
    assert described(ou(), own, SCHEME) is None
    assert described(ForwardProcess.scalar("mine", 1, 2), LAW, SCHEME) is None
    assert described(ForwardProcess.scalar("ou", 1, 3), LAW, SCHEME) is None
    assert described(ou(), Gaussian(np.zeros(20_000), 1.0), SCHEME) is None
    other = Scheme(replace(SCHEME.sampler, what="another"), SCHEME.grid)
    assert described(ou(), LAW, other) is None
