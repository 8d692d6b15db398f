"""list: everything there is, in words and JSON."""

from bounds.processes import families
from bounds.samplers import samplers
from bounds.theorems import theorems
from closed_form.laws import laws
from tests.command_line import answer, assert_refused, run
from verify.experiments import experiments


def test_list_names_everything():
    """Every theorem, process, scheme, law, assumption, bundled problem, experiment and command is there, in both forms."""
    document = answer("list")
    assert [entry["key"] for entry in document["theorems"]] == list(theorems())
    assert [entry["key"] for entry in document["processes"]] == list(families())
    assert [entry["key"] for entry in document["schemes"]] == list(samplers())
    assert [entry["key"] for entry in document["laws"]] == list(laws())
    assert [entry["key"] for entry in document["experiments"]] == list(experiments())
    assert {"bound", "certify", "list", "sample"} <= {entry["name"] for entry in document["commands"]}
    assert {"two_modes", "old_faithful"} <= {entry["name"] for entry in document["problems"]}
    text = run("list").stdout
    names = [entry.get("key") or entry["name"] for section in document.values() for entry in section]
    assert all(name in text for name in names)


def test_list_one_section():
    """One section alone, and the symbols of claims and of samplers, each with scope, meaning and where it may
    stand."""
    from bounds.claim.symbols import SYMBOLS
    from bounds.steps.formulas import SYMBOLS as OF_A_STEP

    assert list(answer("list", "schemes")) == ["schemes"]
    entries = answer("list", "symbols")["symbols"]
    for place, symbols in (("claim", SYMBOLS), ("sampler", OF_A_STEP)):
        assert {entry["symbol"] for entry in entries if place in entry["in"].split(", ")} == set(symbols)
    assert len({entry["symbol"] for entry in entries}) == len(entries)
    assert all(entry["meaning"] and entry["scope"] in ("question", "data", "step") for entry in entries)
    assert_refused(run("list", "nothing"))
