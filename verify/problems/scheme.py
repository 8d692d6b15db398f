"""Read the table of the sampler: a scheme on a named or explicit grid of times."""

from bounds.grid import MAX_STEPS, TimeGrid
from bounds.sampler import Scheme
from bounds.samplers import samplers
from bounds.steps.rule import Sampler
from verify.problems.section import ProblemError, Section

_KEYS = ("kind", "horizon", "steps", "grid", "early_stop", "prior_std", "score_error", "score_noise")


def read_scheme(section: Section, data_early_stop: float | None,
                own: Sampler | None = None) -> tuple[Scheme, dict]:
    """The sampler and its normal form; ``own`` is the file's own, which is meant where no other is named."""
    section.only(_KEYS, (), "scheme")
    known = samplers() if own is None else {**samplers(), own.key: own}
    kind = section.choice("kind", known) if own is None else section.choice("kind", known, own.key)
    early_stop = section.number("early_stop", data_early_stop, minimum=0.0)
    if data_early_stop is not None and early_stop != data_early_stop:
        raise section.refuse("early_stop", f"the same as data.early_stop = {data_early_stop:g}")
    prior_std = section.number("prior_std", None, positive=True)
    with section.border():
        grid = _grid(section, early_stop)
        scheme = Scheme(known[kind], grid, prior_std)
    shape = grid.times.tolist() if grid.kind == "list" else grid.kind
    table = {"kind": kind, "horizon": grid.horizon, "steps": grid.steps, "grid": shape}
    table["early_stop"] = grid.early_stop
    return scheme, table if prior_std is None else {**table, "prior_std": prior_std}


def _grid(section: Section, early_stop: float | None) -> TimeGrid:
    """A named grid, or an explicit list that horizon, steps and early_stop, where given, must agree with."""
    shape = section.get("grid", "uniform")
    if not isinstance(shape, list):
        name = section.choice("grid", ("uniform", "geometric"), "uniform")
        horizon, steps = section.number("horizon", positive=True), section.count("steps", MAX_STEPS)
        return getattr(TimeGrid, name)(horizon, steps, early_stop or 0.0)
    grid = TimeGrid.from_times(section.array("grid", (1,), "uniform, geometric or a list of times"))
    if section.number("horizon", grid.horizon, positive=True) != grid.horizon:
        raise section.refuse("horizon", f"the first time of scheme.grid, {grid.horizon:g}")
    if section.count("steps", MAX_STEPS, grid.steps) != grid.steps:
        raise section.refuse("steps", f"one less than the number of times in scheme.grid, {grid.steps}")
    if early_stop is not None and early_stop != grid.early_stop:
        last = f"the last time of scheme.grid, {grid.early_stop:g}"
        raise ProblemError(f"early_stop must be {last}, got {early_stop:g}")
    return grid
