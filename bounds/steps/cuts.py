"""Steps cut into panels whose integrals are known: only panels that are new are integrated again."""

from dataclasses import dataclass, fields, replace

import numpy as np

#: Noise levels at the nodes of a panel that differ by less, relatively, are the same.
SAME = 1e-13


@dataclass(frozen=True)
class Cut:
    """Steps with as many panels each.

    Attributes
    ----------
    index : array of shape (k,)
        Which steps of the grid these are.
    edges : array of shape (k, m+1)
        Panel edges in [0, 1].
    levels : array of shape (k, m, n)
        s²/a² at the nodes for which a panel was integrated; NaN where it is new.
    found : tuple of arrays of shape (5, ..., k, m)
        Of every integrand: integral, what it may miss, mass, what is behind a kink, what is not worth refining.
    """

    index: np.ndarray
    edges: np.ndarray
    levels: np.ndarray
    found: tuple[np.ndarray, ...]

    @classmethod
    def fresh(cls, index, edges, nodes: int) -> "Cut":
        """Panels that are all new."""
        return cls(index, edges, np.full((len(index), edges.shape[1] - 1, nodes), np.nan), ())

    def new(self, levels) -> np.ndarray:
        """Which panels are to be integrated, (k, m): what is below a panel may have moved its noise levels."""
        with np.errstate(invalid="ignore"):
            return ~(np.abs(levels - self.levels) <= SAME * levels).all(axis=-1)

    def with_panels(self, new, fresh) -> "Cut":
        """The same with what was found of the new panels: of every integrand an array of shape (5, ..., p)."""
        found = self.found or tuple(np.empty((*each.shape[:-1], *new.shape)) for each in fresh)
        for target, each in zip(found, fresh, strict=True):
            target[..., new] = each
        return replace(self, found=found)

    def halved(self, flagged) -> list["Cut"]:
        """The steps with flagged panels, (k, m), with these halved, as many panels at a time."""
        more, cuts = flagged.sum(axis=1), []
        for count in np.unique(more[more > 0]):
            alike = more == count
            halves, edges, old = flagged[alike], self.edges[alike], np.arange(flagged.shape[1])
            middles = ((edges[:, :-1] + edges[:, 1:]) / 2)[halves].reshape(-1, count)
            # which panel each comes from
            origin = np.repeat(np.tile(old, len(halves)), 1 + halves.ravel()).reshape(len(halves), -1)
            levels = np.take_along_axis(self.levels[alike], origin[..., None], axis=1)
            levels[np.take_along_axis(halves, origin, axis=1)] = np.nan
            kept = (each[..., alike, :] for each in self.found)
            kept = tuple(np.take_along_axis(each, np.broadcast_to(origin, (*each.shape[:-1], origin.shape[1])), axis=-1)
                         for each in kept)
            edges = np.sort(np.concatenate([edges, middles], axis=1), axis=1)
            cuts.append(Cut(self.index[alike], edges, levels, kept))
        return cuts

    @classmethod
    def joined(cls, cuts: list["Cut"]) -> "Cut":
        """Several with as many panels each as one."""
        found = tuple(np.concatenate(parts, axis=-2) for parts in zip(*(cut.found for cut in cuts), strict=True))
        return cls(*(np.concatenate([getattr(cut, name) for cut in cuts]) for name in ("index", "edges", "levels")),
                   found)


def chosen(nodes, panels):
    """Panels (k, m) of steps as steps of one panel each: `StepNodes` of shape (p, 1, n)."""
    if panels.shape[1] == 1 and panels.all():
        return nodes
    rows, places = np.nonzero(panels)
    picked = {}
    for field in fields(nodes):
        value = getattr(nodes, field.name)
        if value.ndim == 1:
            picked[field.name] = value[rows]
        elif value.shape[1:] == (1, 1):
            picked[field.name] = value[rows]
        else:
            picked[field.name] = value[rows, places][:, None, :]
    return type(nodes)(**picked)


def together(several):
    """`StepNodes` of several lots of steps of one panel as one."""
    if len(several) == 1:
        return several[0]
    names = [field.name for field in fields(several[0])]
    return type(several[0])(**{name: np.concatenate([getattr(one, name) for one in several]) for name in names})
