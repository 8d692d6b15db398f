"""Do claim and truth agree?  Certificates, sampling, searches for counterexamples, and the command line."""

from __future__ import annotations

import importlib

_HOME = {
    "Certificate": "certificate",
    "Verdict": "certificate",
    "certify": "certificate",
    "certify_setting": "certificate",
    "measure": "certificate",
    "setting_of": "settings",
    "load_problem": "problem",
    "bundled_problem": "problem",
    "Problem": "problem",
    "Plan": "plan",
    "planner_of": "direct_planner",
    "sample": "sampler",
    "w2_from_samples": "empirical",
}

__all__ = sorted(_HOME)


def __getattr__(name: str):
    if name in _HOME:
        return getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
