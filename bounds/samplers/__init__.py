"""The samplers, one a file with its forms for one block and for two: the folder is the registry."""

from collections.abc import Mapping

from bounds.registry import units


def samplers(blocks: int | None = None) -> Mapping:
    """Every `bounds.steps.rule.Sampler` by the key used in problem files; those with a form for
    k = ``blocks`` if given."""
    found = units("bounds.samplers", "SAMPLER")
    if blocks is None:
        return found
    return {key: sampler for key, sampler in found.items() if sampler.form(blocks) is not None}
