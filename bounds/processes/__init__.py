"""The families of forward processes, one a file: the folder is the registry."""

from collections.abc import Mapping

from bounds.argument import unit_of
from bounds.process import Family, ForwardProcess
from bounds.registry import units


def families() -> Mapping[str, Family]:
    """Every `bounds.process.Family` by its key, which problem files use."""
    return units("bounds.processes", "FAMILY")


def process_of(process: ForwardProcess | str) -> ForwardProcess:
    """The process given, itself or by the key of a family with no coefficient to choose ("ou", "cld").

    Raises
    ------
    TypeError, ValueError
        If it is neither, no family has the key, or its coefficients have to be given.
    """
    if isinstance(process, ForwardProcess) or not isinstance(process, str):
        return unit_of("process", process, ForwardProcess, {})
    family = unit_of("process", process, Family, families())
    needed = [name for name, about in family.coefficients.items() if about.default is None]
    if needed:
        made = f"bounds.{family.make.__name__}({', '.join(needed)})"
        raise ValueError(f"process must be made with its {' and '.join(needed)}, as by {made}, got {process!r}")
    return family.make()
