"""What makes an object a value: equal by its fields, hashable, and carried to another process without its
caches."""

from collections.abc import Mapping
from dataclasses import fields
from types import MappingProxyType

import numpy as np


class Value:
    """A frozen dataclass, made with ``eq=False``, that is equal to another by its fields, arrays among them.

    What it has cached is neither compared nor pickled, so that a value crosses to another process however it
    was used.
    """

    def _fields(self) -> tuple:
        return tuple(_plain(getattr(self, each.name)) for each in fields(self) if each.compare)

    def __eq__(self, other):
        return self is other or (type(self) is type(other) and self._fields() == other._fields())

    def __hash__(self):
        return hash((type(self).__name__, self._fields()))

    def __getstate__(self):
        return {each.name: _bare(getattr(self, each.name)) for each in fields(self)}

    def __setstate__(self, state):
        for name, value in state.items():
            if isinstance(value, np.ndarray):
                value.setflags(write=False)
            object.__setattr__(self, name, MappingProxyType(value) if isinstance(value, _Frozen) else value)


class _Frozen(dict):
    """What a mappingproxy, which cannot be pickled, travels as."""


def _bare(value):
    return _Frozen(value) if isinstance(value, MappingProxyType) else value


def _plain(value):
    """A field as something that can be compared and hashed."""
    if isinstance(value, np.ndarray):
        return value.shape, (value + 0.0).tobytes()  # 0.0 and −0.0 are equal
    if isinstance(value, Mapping):
        return tuple(sorted((str(key), _plain(each)) for key, each in value.items()))
    return tuple(map(_plain, value)) if isinstance(value, list | tuple) else value
