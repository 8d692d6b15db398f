"""What laws are made of: every form of a covariance, and what is refused by name."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from closed_form import law_input
from closed_form.laws.gaussian import Gaussian
from closed_form.laws.mixture import GaussianMixture
from tests.torch_required import require_torch


def test_a_covariance_comes_in_three_forms():
    """A variance is a multiple of the identity of the dimension, a list a diagonal, and a matrix itself."""
    matrix = np.array([[2.0, 0.5], [0.5, 1.0]])
    assert law_input._matrix(None, np.array(2.0), 3).tolist() == (2.0 * np.eye(3)).tolist()
    assert law_input._matrix(None, np.array([1.0, 4.0])).tolist() == [[1.0, 0.0], [0.0, 4.0]]
    assert law_input._matrix(None, matrix) is matrix


def test_eigenvalues_below_zero_by_rounding_are_zero():
    """An eigenvalue a few roundings below 0 is 0, one that single precision leaves too, with a note; one that is
    further below is refused."""
    notes, basis = [], np.eye(2)
    values, found = law_input.positive_eigen("covariance", np.diag([1.0, -1e-16]), notes)
    assert values.tolist() == [0.0, 1.0] and np.abs(found).tolist() == basis[::-1].tolist()
    assert law_input.positive_eigen("covariance", np.diag([1.0, 1e-16]), notes)[0].tolist() == [1e-16, 1.0]
    assert not notes
    assert law_input.positive_eigen("covariance", np.diag([1.0, -1e-8]), notes)[0].tolist() == [0.0, 1.0]
    assert notes == ["covariance had an eigenvalue -1e-08, as single precision leaves it: 0 is meant"]
    with pytest.raises(ValueError, match="positive semi-definite, got an eigenvalue -1e-05"):
        law_input.positive_eigen("covariance", np.diag([1.0, -1e-5]), notes)


def test_what_single_precision_leaves_is_mended_and_said():
    """Weights and covariances off by 1e-7 are brought in order with a note, off by 1e-13 without one, off by 1e-5
    not at all; laws keep the notes."""
    for off, said in ((1e-13, 0), (1e-7, 1)):
        notes = []
        matrix = law_input.symmetric("covariance", np.array([[1.0, 0.5 + off], [0.5, 2.0]]), notes)
        assert len(notes) == said and matrix[0, 1] == matrix[1, 0] == 0.5 * (0.5 + off + 0.5)
        notes = []
        weights = law_input.checked_weights([0.25, 0.75 + off], 2, notes)
        assert len(notes) == said and weights.sum() == pytest.approx(1.0, abs=4e-16)
        assert len(Gaussian([0.0, 0.0], [[1.0, 0.5 + off], [0.5, 2.0]]).notes) == said
        mixture = GaussianMixture([[0.0, 0.0], [1.0, 1.0]], [0.25, 0.75 + off],
                                  covariance=[[1.0, 0.5 + off], [0.5, 2.0]])
        assert len(mixture.notes) == 2 * said and mixture == GaussianMixture(
            [[0.0, 0.0], [1.0, 1.0]], weights, covariance=matrix)
    with pytest.raises(ValueError, match="must be symmetric"):
        law_input.symmetric("covariance", np.array([[1.0, 0.5 + 1e-5], [0.5, 2.0]]), [])
    with pytest.raises(ValueError, match="must sum to 1"):
        law_input.checked_weights([0.25, 0.75 + 1e-5], 2, [])


def test_torch_tensors_and_float32_are_arrays():
    """Tensors, also in a graph, and float32 arrays are what their entries are, without a warning."""
    require_torch()
    import torch

    tensor = torch.tensor([[1.0, 0.3], [0.3, 2.0]], requires_grad=True)
    assert law_input.finite_array("covariance", tensor).tolist() == tensor.tolist()
    logits = np.random.default_rng(3).standard_normal(50).astype(np.float32)
    softmax = np.exp(logits) / np.exp(logits).sum()
    assert GaussianMixture(np.arange(50.0)[:, None], softmax, std=1.0).weights.sum() == pytest.approx(1, abs=1e-15)


@pytest.mark.parametrize("kind", ["full", "tied", "diag", "spherical"])
def test_a_fitted_mixture_is_taken(kind):
    """The attributes of a fitted mixture of scikit-learn give the law, whatever its covariance type."""
    given = {"full": np.array([np.eye(2), [[2.0, 0.5], [0.5, 1.0]]]), "tied": np.array([[2.0, 0.5], [0.5, 1.0]]),
             "diag": np.array([[1.0, 2.0], [3.0, 4.0]]), "spherical": np.array([1.0, 4.0])}[kind]
    model = SimpleNamespace(means_=np.array([[0.0, 1.0], [2.0, 3.0]]), weights_=np.array([0.3, 0.7]),
                            covariances_=given, covariance_type=kind)
    law = GaussianMixture.fitted(model)
    average = {"full": [[1.7, 0.35], [0.35, 1.0]], "tied": given, "diag": [[2.4, 0.0], [0.0, 3.4]],
               "spherical": [[3.1, 0.0], [0.0, 3.1]]}[kind]
    apart = np.array([2.0, 2.0])
    assert law.covariance == pytest.approx(average + 0.21 * np.outer(apart, apart))
    assert law.weights.tolist() == [0.3, 0.7]
    with pytest.raises(ValueError, match="covariance_type must be one of"):
        GaussianMixture.fitted(SimpleNamespace(**{**vars(model), "covariance_type": "round"}))
    with pytest.raises(TypeError, match="model must be a fitted Gaussian mixture of scikit-learn, got int"):
        GaussianMixture.fitted(3)


@pytest.mark.parametrize("s_sq", [-1e-9, math.inf, math.nan])
def test_a_push_needs_a_finite_variance(s_sq):
    """s² is finite and at least 0, a is finite, and both may be 0."""
    with pytest.raises(ValueError, match="s_sq must be finite and at least 0"):
        law_input.push_coefficients(1.0, s_sq)
    with pytest.raises(ValueError, match="a must be finite"):
        law_input.push_coefficients(math.inf, 1.0)
    assert law_input.push_coefficients(0, 0) == (0.0, 0.0)
