"""Do claim and truth agree: certificates, sampling, searches for counterexamples, and the command line."""

import importlib
import warnings

import bounds  # before sympy, see there

#: Whose package this is: another project may have one of the same name.
__project__ = "sgm-bounds"
if getattr(bounds, "__project__", None) != __project__:
    warnings.warn(f"the package bounds in {getattr(bounds, '__file__', None)} is not that of sgm-bounds: another project has "
                  "overwritten it or comes first on the path; pip uninstall bounds, then pip install --force-reinstall "
                  "sgm-bounds", stacklevel=2)

_HOME = {
    "Certificate": "certificates.certificate", "Verdict": "certificates.certificate",
    "certify": "certificates.certificate", "certify_setting": "certificates.certificate",
    "measure": "certificates.certificate", "setting_of": "certificates.question",
    "setting_of_problem": "certificates.question", "read_problem": "problems.problem",
    "load_problem": "problems.problem", "bundled_problem": "problems.problem", "Problem": "problems.problem",
    "Plan": "planning.plan", "planner_of": "planning.by_bound", "sample": "particles.simulation",
    "w2_from_samples": "lower_sides.w2", "torch_score": "particles.own_score",
    "score_error_of": "particles.score_errors", "grid_of_levels": "levels", "rho_grid": "levels",
    "sweep": "sweeps.running", "Swept": "sweeps.running",
}

__all__ = sorted(_HOME)


def __getattr__(name: str):
    if name in _HOME:
        return getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
