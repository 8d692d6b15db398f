"""The laws that a theorem's cases may name, without `bounds` importing `closed_form`."""

from closed_form import Gaussian, GaussianMixture

__all__ = ["Gaussian", "GaussianMixture"]
