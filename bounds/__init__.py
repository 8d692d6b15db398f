"""What is claimed: forward processes, data assumptions, samplers, and theorems about the W2 error."""

import importlib
import os

# python-flint is here for balls: sympy would count with its integers as soon as it is installed, and some
# polynomials then end the process with a signal (heuristic gcd) where python's own only take long
os.environ.setdefault("SYMPY_GROUND_TYPES", "python")

#: Whose package this is: another project may have one of the same name.
__project__ = "sgm-bounds"

_HOME = {
    "ForwardProcess": "process",
    "Scheme": "sampler",
    "ScoreError": "score_error",
    "Setting": "setting",
    "TimeGrid": "grid",
    "DiscreteSchedule": "noise_levels",
    "Bound": "bound",
    "NotApplicable": "theorem",
    "Theorem": "theorem",
    "StronglyLogConcave": "assumptions.strong_log_concave",
    "WeaklyLogConcave": "assumptions.weak_log_concave",
    "LogLipschitz": "assumptions.log_lipschitz",
    "BoundedSupport": "assumptions.bounded_support",
    "SmoothedSupport": "assumptions.smoothed_support",
    **{name: f"processes.{name}" for name in ("ou", "vp", "ve", "sub_vp", "general", "edm",
                                                 "flow_matching", "cld", "langevin")},
    **dict.fromkeys(("scheme", "euler_maruyama", "euler_maruyama_lambda", "frozen_euler_maruyama",
                     "exponential_integrator", "posterior_mean", "posterior_mean_matched", "ancestral",
                     "ode_euler",
                     "ode_exponential", "ddim"), "sampler"),
    "own_sampler": "steps.formulas"}

__all__ = sorted(_HOME)


def _warn_of_other_projects() -> None:
    """Warn where what would be imported as one of the other two packages is another project's."""
    import warnings
    from importlib.util import find_spec

    for name in ("closed_form", "verify"):
        try:
            spec = find_spec(name)
            if spec is None:  # the import will say so
                continue
            found = spec.origin or "a folder without __init__.py"
            if spec.origin:
                with open(spec.origin, "rb") as file:
                    if __project__.encode() in file.read():
                        continue
        except (OSError, ValueError):  # in an archive, or made by hand
            continue
        warnings.warn(f"the package {name} in {found} is not that of sgm-bounds: another project has overwritten it or comes "
                      f"first on the path; pip uninstall {name}, then pip install --force-reinstall sgm-bounds",
                      stacklevel=2)


_warn_of_other_projects()


def __getattr__(name: str):
    if name == "__version__":
        from importlib.metadata import version

        return version("sgm-bounds")
    if name in _HOME:
        return getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
