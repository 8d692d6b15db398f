"""Densities in the plane, and distances between them by other routes: Bures's formula, discrete transport between cells."""

import math

import numpy as np
import ot

from closed_form.sampler_laws.plane.law import Grid


def gaussian(mean, covariance):
    """The density of a Gaussian at points of shape (2, n)."""
    precision, centre = np.linalg.inv(covariance), np.array(mean)[:, None]
    height = math.sqrt(np.linalg.det(precision)) / (2 * math.pi)
    return lambda x: height * np.exp(-0.5 * np.einsum("in,ij,jn->n", x - centre, precision, x - centre))


def turned(angle):
    """A turn of the plane."""
    return np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])


def between_cells(laws, half, spacing):
    """(W2 of the masses of cells at their middles, by how much the cells may be off.)"""
    cells = Grid.around(np.full(2, -half), np.full(2, half), spacing)
    masses = [density(cells.points()) * cells.cell for density in laws]
    places = [cells.points()[:, mass > 1e-6].T for mass in masses]
    masses = [mass[mass > 1e-6] / mass[mass > 1e-6].sum() for mass in masses]
    return math.sqrt(ot.emd2(*masses, ot.dist(*places), numItermax=1_000_000)), 2 * cells.spacing / math.sqrt(6)


def bures(mean, covariance, second):
    """W2 of N(mean, covariance) and N(0, second)."""
    values, basis = np.linalg.eigh(covariance)
    root = (basis * np.sqrt(values)) @ basis.T
    cross = np.sqrt(np.linalg.eigvalsh(root @ second @ root)).sum()
    return math.sqrt(float(np.dot(mean, mean) + np.trace(covariance) + np.trace(second) - 2 * cross))
