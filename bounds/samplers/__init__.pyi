"""The registry as type checkers read it: `bounds.steps.rule` asks it, so that it cannot import that."""

from collections.abc import Mapping

from bounds.steps.rule import Sampler

def samplers(blocks: int | None = None) -> Mapping[str, Sampler]: ...
