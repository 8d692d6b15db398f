"""One mutant in a process of its own: the module is compiled from the changed tree, and pytest runs on it."""

import contextlib
import importlib.abc
import importlib.util
import os
import re
import resource
import sys
import time
from functools import cache
from pathlib import Path

from tests.mutation.operators import Mutant, mutated

#: Processor seconds that a test of a mutant may take, and how many times as many as without it.
SECONDS, TIMES = 30, 10


@cache
def tests_of(root: Path, module: str) -> list[Path]:
    """Files and folders of tests that matter to a module, first what must run first.

    The file of the same name; those that import the module; for every module that imports it the file of the
    same name or, where there is none, those that import that; the files of its folder and of theirs as
    registries; its folder.
    """
    path = Path(module)
    package, folder = path.parts[0], path.parent
    mirror = root / "tests" / folder
    while not mirror.is_dir():
        mirror = mirror.parent

    def importing(module, folder, pattern):
        *above, stem = module.with_suffix("").parts
        parent = re.escape(".".join(above))
        imports = re.compile(rf"\b{parent}\.{stem}\b|\bfrom {parent} import .*\b{stem}\b")
        return [each for each in sorted(folder.rglob(pattern))
                if imports.search(each.read_text(encoding="utf-8"))]

    def tested(user):
        named = root / "tests" / user.parent / f"test_{user.name}"
        return [named] if named.exists() else importing(user, root / "tests" / package, "test_*.py")

    def registry(of):
        return root / "tests" / package / f"test_{of.name}.py"

    users = [each.relative_to(root) for each in importing(path, root / package, "*.py")]
    near = [mirror] if mirror != root / "tests" / package else sorted(mirror.glob("test_*.py"))
    found = [root / "tests" / folder / f"test_{path.stem}.py",
             *importing(path, root / "tests" / package, "test_*.py"),
             *(test for user in users for test in tested(user)),
             registry(folder), *(registry(user.parent) for user in users), *near]
    return [each for each in dict.fromkeys(found) if each.exists()]


class Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from a changed tree; nothing is written, so no cache can be stale."""

    def __init__(self, root: Path, mutant: Mutant):
        self.path = root / mutant.module
        self.name = ".".join(Path(mutant.module).with_suffix("").parts)
        source = self.path.read_text(encoding="utf-8")
        self.code = compile(mutated(source, mutant.site), str(self.path), "exec")

    def find_spec(self, name, path=None, target=None):
        """The changed module under its own name, None for every other."""
        if name != self.name:
            return None
        return importlib.util.spec_from_loader(name, self, origin=str(self.path))

    def exec_module(self, module):
        """Run the changed code as the module."""
        module.__file__ = str(self.path)
        exec(self.code, vars(module))


class Watch:
    """Pytest plugin: which tests failed, and how long each took; quick ones come first.

    A test that fails without a mutant has None for its seconds.  Those that take more than ``longest`` are
    left out, but for the module's own, and so are those that have run.
    """

    def __init__(self, asked: list[Path], seconds: dict, longest: float):
        self.asked, self.seconds, self.longest = asked, seconds, longest
        self.failed, self.took = [], {}

    def pytest_collection_modifyitems(self, items):
        """The first file, other files, folders; quick tests before slow ones, without those of None."""
        took = {item: self.seconds.get(item.nodeid, 0.0) for item in items}
        kept = [item for item in items if item.nodeid not in self.took and took[item] is not None and (
            took[item] <= self.longest or item.path == self.asked[0])]
        items[:] = sorted(kept, key=lambda item: (
            item.path not in self.asked, item.path != self.asked[0], took[item]))

    def pytest_runtest_setup(self, item):
        """Allow the test its time, if it is known how long it takes without a mutant."""
        if self.seconds:
            allow(SECONDS + TIMES * self.seconds.get(item.nodeid, 0.0))

    def pytest_collectreport(self, report):
        """A file that cannot be imported has failed."""
        if report.failed:
            self.failed.append(report.nodeid)

    def pytest_runtest_logreport(self, report):
        """A test has failed, or has taken its time."""
        self.took[report.nodeid] = self.took.get(report.nodeid, 0.0) + report.duration
        if report.failed:
            self.failed.append(report.nodeid)


def allow(seconds: float) -> None:
    """End this process if it takes more processor time from now on."""
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time() + seconds) + 1, most))


@contextlib.contextmanager
def alone(plugin: Watch, pipe):
    """A process of its own, silent and with little time, that sends what failed and the seconds of each
    test."""
    os.setpgid(0, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sink = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(sink, standard)
    try:
        yield
    except BaseException as error:
        plugin.failed.append(f"{type(error).__name__}: {error}")
    pipe.send((plugin.failed, plugin.took))
    pipe.close()


def run(root: Path, mutant: Mutant | None, tests: list[Path], seconds: dict, longest: float, pipe) -> None:
    """Run tests on a mutant up to the first that fails (None: on the code as it is, all).

    To be called in a process of its own, which it ends; sends the tests that failed and the seconds of each.
    """
    import pytest

    plugin = Watch(tests, seconds, longest)
    with alone(plugin, pipe):
        options = ["-q", "-p", "no:cacheprovider", f"--rootdir={root}"]
        if mutant is not None:
            allow(SECONDS)
            sys.meta_path.insert(0, Changed(root, mutant))
            options += ["-x"]
        # a mutant that the first file kills needs none of the others read
        for asked in [tests] if mutant is None else [tests[:1], tests]:
            code = pytest.main([*options, *map(str, asked)], plugins=[plugin])
            if code not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
                plugin.failed = plugin.failed or [f"pytest ended with {code!r}"]
            if plugin.failed:
                break
    os._exit(0)
