"""docs/own-law.md: its files are written and run, and the constants it derives are those of its densities."""

import importlib.util

import numpy as np
import pytest
from scipy.special import expit

from tests.document_commands import blocks_of, run_commands, write_files
from tests.whole.tolerances import ON_A_GRID

BLOCKS = blocks_of("own-law.md")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The folder with the files of the page."""
    folder = tmp_path_factory.mktemp("page")
    write_files(BLOCKS, folder)
    return folder


def module(page, name):
    """A file of the page as a module."""
    spec = importlib.util.spec_from_file_location(name, page / f"{name}.py")
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def test_the_page(page, monkeypatch):
    """What the page says is printed is printed."""
    monkeypatch.chdir(page)
    assert run_commands(BLOCKS) == 2


def test_the_constants_of_student(page):
    """Curvatures of the tempered density on a fine grid of radii reach K, 8K and ℓ of the page, and nothing
    beyond."""
    student = module(page, "student")
    alpha, r = 0.5, np.linspace(1e-3, 40.0, 400_001)
    for dim in (1, 3):
        law = student.student(dim, alpha)
        strong, lipschitz = student.stated(dim, alpha, law.second_moment)
        scale = student.NU * student.TAU**2
        radial = (student.NU + dim) * r / (scale + r**2)
        curvature = np.gradient(radial, r)
        low, high = alpha + curvature.min(), alpha + np.maximum(curvature, radial / r).max()
        noise = student.STD**2
        assert strong.m0 == pytest.approx(1 / (1 / low + noise), rel=ON_A_GRID)
        assert strong.L0 == pytest.approx(1 / (1 / high + noise), rel=ON_A_GRID)
        assert lipschitz.lipschitz * (1 + alpha * noise) == pytest.approx(radial.max(), rel=ON_A_GRID)


def test_the_score_of_student(page):
    """The score of the page on a line is the derivative of the density by convolution on a grid."""
    law = module(page, "student").student(1, 0.5)
    y = np.linspace(-30.0, 30.0, 6001)
    density = (1 + y**2 / 5) ** -3.0 * np.exp(-0.25 * y**2)
    x, a, s_sq = np.linspace(-5.0, 5.0, 41), 0.8, 0.3
    variance = (0.5 * a) ** 2 + s_sq
    kernel = density * np.exp(-((x[:, None] - a * y) ** 2) / (2 * variance))
    expected = -(kernel * (x[:, None] - a * y)).sum(axis=1) / kernel.sum(axis=1) / variance
    assert law.pushed(a, s_sq).score(x[:, None])[:, 0] == pytest.approx(expected, rel=ON_A_GRID)
    moment = (density * y**2).sum() / density.sum() + 0.25
    assert law.second_moment == pytest.approx(moment, rel=ON_A_GRID)


def test_the_constant_of_two_widths(page):
    """ℓ by Lambert's W is the largest of βrσ(k − βr²/2) on a fine grid, and no slope of the score of the
    perturbation is beyond it."""
    made = module(page, "two_widths").two_widths
    for dim, distance, narrow in ((1, 1.0, 0.7), (2, 1.0, 0.7), (3, 0.0, 0.9), (2, 3.0, 0.5)):
        law, assumption = made(dim, distance, narrow)
        beta, r = 1 / narrow**2 - 1, np.linspace(0.0, 40.0, 400_001)
        # log of the ratio of the components at its peak, from their densities there
        peak = np.zeros((1, dim))
        peak[0, 0] = distance / (1 - narrow**2)
        logs = [np.log(weight) - dim * np.log(std) - np.square(peak - mean).sum() / (2 * std**2)
                for weight, std, mean in zip(law.weights, (1.0, narrow), law.means, strict=True)]
        size = (beta * r * expit(logs[1] - logs[0] - beta * r**2 / 2)).max()
        assert assumption.lipschitz == pytest.approx(size, rel=ON_A_GRID)
        x = 3 * np.random.default_rng(0).standard_normal((2000, dim))
        of_perturbation = law.pushed(1.0, 0.0).score(x) + x
        assert np.linalg.norm(of_perturbation, axis=1).max() <= assumption.lipschitz
