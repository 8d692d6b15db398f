"""The smallest ball that holds finitely many points, out to the ends of the range of numbers."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from closed_form.geometry.enclosing_ball import enclosing_radius
from tests.closed_form.tolerances import ENCLOSING_BALL, PLANE_BALL
from tests.drawn import examples


@settings(deadline=None, max_examples=examples(25))
@given(seed=st.integers(0, 10**6), c=st.integers(2, 9))
def test_enclosing_ball_in_the_plane(seed, c):
    """The radius is that of the smallest circle, found by trying all circles on two or three points."""
    points = np.random.default_rng(seed).normal(size=(c, 2))
    best = np.inf
    for size in (2, 3):
        for chosen in itertools.combinations(points, size):
            edges = np.array(chosen[1:]) - chosen[0]
            centre = chosen[0] + np.linalg.lstsq(edges, 0.5 * (edges**2).sum(axis=1))[0]
            radius = np.linalg.norm(points - centre, axis=1).max()
            best = min(best, radius)
    assert best * (1 - 1e-15) <= enclosing_radius(points) <= best * (1 + PLANE_BALL)


def test_enclosing_ball_of_known_bodies():
    """Simplex, cross polytope and cube have their textbook radii; points on a line half their range."""
    for d in (2, 5, 9):
        assert enclosing_radius(np.eye(d)) == pytest.approx(np.sqrt(1 - 1 / d), rel=ENCLOSING_BALL)
        cross = np.concatenate([np.eye(d), -np.eye(d)])
        assert enclosing_radius(cross) == pytest.approx(1, rel=ENCLOSING_BALL)
        cube = np.array(list(itertools.product([-1.0, 1.0], repeat=d)))
        assert enclosing_radius(cube) == pytest.approx(np.sqrt(d), rel=ENCLOSING_BALL)
    assert enclosing_radius(np.array([[3.0, 1.0], [3.0, 4.0], [3.0, 2.0]])) == 1.5
    assert enclosing_radius(np.array([[3.0, 1.0]])) == 0.0


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_the_radius_scales_with_the_points_however_far(scale):
    """Points whose squares leave the range of numbers have the radius of the same points at size one;
    infinite ones ∞."""
    points = np.array([[0.0, 0.0], [1.0, 1.0], [1.0, 0.0]])
    assert enclosing_radius(scale * points) == pytest.approx(
        scale * enclosing_radius(points), rel=ENCLOSING_BALL
    )
    assert enclosing_radius(np.array([[0.0, 0.0], [np.inf, 1.0]])) == np.inf
