"""Read the table of a sampler of one's own: formulas for P, Q and the variance of the noise."""

from bounds.samplers import samplers
from bounds.steps.formulas import own_sampler
from bounds.steps.rule import Sampler
from verify.problems.section import Section

#: Keys of the table.
KEYS = ("key", "P", "Q", "noise", "source")
#: What a sampler is called that is given no key.
KEY = "own"


def read_sampler(section: Section) -> tuple[Sampler, dict]:
    """The sampler and its normal form."""
    section.only(KEYS, (), "sampler")
    given = {"key": KEY, **{name: section.get(name) for name in ("P", "Q", "noise")}, **section.values}
    if given["key"] in tuple(samplers()):
        raise section.refuse("key", "a key that no sampler of this package has")
    try:
        return own_sampler(**given), given
    except (ValueError, TypeError) as error:  # it names the sampler and the formula
        raise section.fault(error) from None


def sampler_table(sampler: Sampler) -> dict | None:
    """The table that says the sampler, if it is one of formulas that no file of this package has."""
    if sampler.formulas is None or samplers().get(sampler.key) is sampler:
        return None
    return {"key": sampler.key, **sampler.formulas.texts, "source": sampler.source}
