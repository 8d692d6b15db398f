"""Versions of the JSON documents, in one place: a number grows when its document changes its meaning."""

from types import MappingProxyType

SCHEMA_VERSIONS = MappingProxyType({
    "bound": 2, "certificate": 3, "constants": 1, "experiment": 1, "plan": 1, "profile": 1, "refute": 1,
    "samplers": 1, "schedules": 1, "search": 1, "sweep": 1, "table": 1,
})
