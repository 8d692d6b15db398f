"""The theorem holds wherever its hypotheses do, as far as exact laws can tell."""

from own_theorem import THEOREM

from verify.testing import check


def test_the_theorem_holds() -> None:
    """No problem inside the hypotheses violates it, and half of any of its terms would be noticed."""
    report = check(THEOREM)
    assert set(report.caught.values()) == {"1/2"}
