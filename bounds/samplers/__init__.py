"""The samplers, one a file with its forms for one block and for two: the folder is the registry."""

from collections.abc import Mapping

from bounds.registry import units


def samplers(blocks: int | None = None) -> Mapping:
    """Every `bounds.steps.rule.Sampler` by its problem-file key; with ``blocks``, those with that form."""
    found = units("bounds.samplers", "SAMPLER")
    return found if blocks is None else {
        key: sampler for key, sampler in found.items() if sampler.form(blocks) is not None}
