"""For pytest: the option ``--sgm-problems``, the marker ``sgm_bounds``, and a section on what checks
found."""

import pytest

from verify import check_reports

_KEY = "sgm_bounds"


def pytest_addoption(parser):
    """``--sgm-problems N``."""
    group = parser.getgroup("sgm-bounds", "theorems held against exact laws")
    group.addoption("--sgm-problems", type=int, metavar="N",
                    help="Problems that verify.testing.check draws for each theorem (default 60).")


def pytest_configure(config):
    """The marker, and the number of problems asked for."""
    config.addinivalue_line("markers", "sgm_bounds(problems=N): holds a theorem against exact laws, on N problems")
    asked = config.getoption("--sgm-problems")
    if asked is not None:
        if asked < 1:
            raise pytest.UsageError(f"--sgm-problems must be at least 1, got {asked}")
        check_reports.problems = asked


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Draw as many problems as the test's marker says."""
    marker, before = item.get_closest_marker(_KEY), check_reports.problems
    if marker is not None and "problems" in marker.kwargs:
        check_reports.problems = marker.kwargs["problems"]
    try:
        return (yield)
    finally:
        check_reports.problems = before


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """What the test's checks found travels with its report, also from another process."""
    report = yield
    if call.when == "call":
        report.user_properties += [(_KEY, each.line) for each in check_reports.found]
        check_reports.found.clear()
    return report


def pytest_terminal_summary(terminalreporter):
    """A line for every check."""
    lines = [line for outcome in ("passed", "failed") for report in terminalreporter.stats.get(outcome, ())
             for key, line in report.user_properties if key == _KEY]
    if lines:
        terminalreporter.section("theorems against exact laws (sgm-bounds)")
        for line in lines:
            terminalreporter.write_line(line)
