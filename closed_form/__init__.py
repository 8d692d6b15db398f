"""What is true: laws, samplers' laws and W2 distances in closed form or by certified quadrature."""

from importlib import import_module

#: Whose package this is: another project may have one of the same name.
__project__ = "sgm-bounds"

_HOMES = {
    "Bracket": "closed_form.bracket", "OwnLaw": "closed_form.own_law",
    "Gaussian": "closed_form.laws.gaussian",
    "Funnel": "closed_form.laws.funnel", "GaussianMixture": "closed_form.laws.mixture",
    "contradiction": "closed_form.geometry.stated_constants",
    "smoothed_data": "closed_form.laws.samples",
    "read_samples": "closed_form.laws.samples", "posterior": "closed_form.posteriors.law",
    "sampler_w2": "closed_form.sampler_laws.w2", "w2_gaussian": "closed_form.distances.gaussian",
    "w2_line": "closed_form.distances.line", "w2_samples": "closed_form.distances.samples",
    "w2_sample_to_law": "closed_form.distances.sample_line",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str):
    """Import a public name on first use, so that ``import closed_form`` costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'closed_form' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
