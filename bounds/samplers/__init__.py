"""The samplers, one a file with its forms for one block and for two: the folder is the registry."""

from collections.abc import Mapping

from bounds.registry import units


def samplers(blocks: int | None = None) -> Mapping:
    """Every `bounds.steps.rule.Sampler` by its problem-file key; with ``blocks``, those with that form."""
    found = units("bounds.samplers", "SAMPLER")
    return found if blocks is None else {
        key: sampler for key, sampler in found.items() if sampler.form(blocks) is not None}


def registered(sampler) -> bool:
    """Whether a sampler is one of the registry, at any values of its parameters."""
    known = samplers().get(sampler.key)
    if known is sampler or known is None or sampler.parameters != known.parameters:
        return known is sampler
    return known.at(**{each.argument: value for each, value
                       in zip(known.parameters, sampler.values, strict=True)}) == sampler
