"""What laws are made of: every form of a covariance, and what is refused by name."""

import math

import numpy as np
import pytest

from closed_form import law_input


def test_a_covariance_comes_in_three_forms():
    """A variance is a multiple of the identity of the dimension, a list a diagonal, and a matrix itself."""
    matrix = np.array([[2.0, 0.5], [0.5, 1.0]])
    assert law_input._matrix(None, np.array(2.0), 3).tolist() == (2.0 * np.eye(3)).tolist()
    assert law_input._matrix(None, np.array([1.0, 4.0])).tolist() == [[1.0, 0.0], [0.0, 4.0]]
    assert law_input._matrix(None, matrix) is matrix


def test_eigenvalues_below_zero_by_rounding_are_zero():
    """An eigenvalue a few roundings below 0 is 0, one that is further below is refused."""
    slight, basis = np.diag([1.0, -1e-16]), np.eye(2)
    values, found = law_input.positive_eigen("covariance", slight)
    assert values.tolist() == [0.0, 1.0] and np.abs(found).tolist() == basis[::-1].tolist()
    assert law_input.positive_eigen("covariance", np.diag([1.0, 1e-16]))[0].tolist() == [1e-16, 1.0]
    with pytest.raises(ValueError, match="positive semi-definite, got an eigenvalue -1e-13"):
        law_input.positive_eigen("covariance", np.diag([1.0, -1e-13]))


@pytest.mark.parametrize("s_sq", [-1e-9, math.inf, math.nan])
def test_a_push_needs_a_finite_variance(s_sq):
    """s² is finite and at least 0, a is finite, and both may be 0."""
    with pytest.raises(ValueError, match="s_sq must be finite and at least 0"):
        law_input.push_coefficients(1.0, s_sq)
    with pytest.raises(ValueError, match="a must be finite"):
        law_input.push_coefficients(math.inf, 1.0)
    assert law_input.push_coefficients(0, 0) == (0.0, 0.0)
