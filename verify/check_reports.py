"""How many problems a check draws, and what the checks of this process found: for pytest's report."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Report:
    """What a check found.

    Attributes
    ----------
    theorem : str
    problems, applied : int
        Problems asked for, and those in which every hypothesis held and the exact W2 was known.
    least_ratio, median_ratio : float or None
        Bound over exact W2, of a lower bound the inverse: 1 is tight.  None where none is known.
    caught : dict of str to (str or None)
        Stated expression -> the factor closest to 1 by which multiplying it makes some problem VIOLATED; None
        where no problem tests it, whatever the factor.
    violation : str
        The problem file that violates it, or "".
    """

    theorem: str
    problems: int
    applied: int
    least_ratio: float | None
    median_ratio: float | None
    caught: dict[str, str | None] = field(default_factory=dict)
    violation: str = ""

    @property
    def line(self) -> str:
        """The numbers in one line."""
        ratios = ("" if self.least_ratio is None else
                  f", bound/exact at least {self.least_ratio:.4g}, median {self.median_ratio:.4g}")
        return (f"{self.theorem}: {self.applied} of {self.problems} problems{ratios}"
                + (", VIOLATED" if self.violation else ""))

    def __str__(self):
        said = [f"  {name} × {factor} would be caught" if factor else f"  {name}: no problem tests it"
                for name, factor in self.caught.items()]
        return "\n".join([self.line, *said])


#: Problems of a check that does not say how many.
problems = 60
#: In the order of the checks.
found: list[Report] = []
