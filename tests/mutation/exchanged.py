"""Mutants of functions, all in one session of pytest: code that is imported already is exchanged in a fork.

Reading the tests takes longer than the first of them that fails. Here they are read once and run once, with
a mark where each mutant would be: a mutant is run on the tests that reach it, in a fork in which the
functions that it changes have other code. What was computed while modules were imported is as it was without
the mutant, so only one that is killed is settled: a survivor is run again on its own (`tests.mutation.run`),
as is what is no function's code.
"""

import ast
import builtins
import gc
import importlib
import json
import multiprocessing
import os
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FunctionType

from tests.mutation.operators import Mutant, mutated, sites
from tests.mutation.run import SECONDS, Watch, allow, alone

#: What a marked function calls, with the number of a mutant.
MARK = "__reached__"


def functions_of(root: Path) -> dict[str, list[FunctionType]]:
    """The functions that live in this process, by the file that they were read from, under a folder."""
    found = defaultdict(list)
    gc.unfreeze()
    for each in gc.get_objects():
        if type(each) is FunctionType and each.__code__.co_filename.startswith(str(root)):
            found[each.__code__.co_filename].append(each)
    gc.freeze()
    return found


def exchange(path: Path, tree: ast.Module, living: dict) -> int:
    """Give the living functions of a file the code of a changed tree; how many had another."""
    before = _codes(compile(path.read_text(encoding="utf-8"), str(path), "exec"))
    changed = {place: code for place, code in _codes(compile(tree, str(path), "exec")).items()
               if before.get(place) != code}
    count = 0
    for each in living.get(str(path), []):
        code = changed.get(_place(each.__code__))
        if code is not None and code.co_freevars == each.__code__.co_freevars:
            each.__code__ = code
            count += 1
    return count


def _place(code: CodeType) -> tuple[str, int]:
    return code.co_qualname, code.co_firstlineno


def _codes(code: CodeType) -> dict:
    """The code objects inside another by name and line, at any depth; not those that share both."""
    found: dict = {}
    waiting = [each for each in code.co_consts if isinstance(each, CodeType)]
    while waiting:
        each = waiting.pop()
        found[_place(each)] = None if _place(each) in found else each
        waiting += [inner for inner in each.co_consts if isinstance(inner, CodeType)]
    return {place: each for place, each in found.items() if each is not None}


def marked(source: str, numbers: dict) -> ast.Module:
    """The tree of a source that calls `MARK` with what it is given before every statement that holds a
    site."""
    tree = ast.parse(source)
    above = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    every, marks = sites(tree), defaultdict(list)
    for site, number in numbers.items():
        node = every[site].shown
        while not isinstance(node, ast.stmt):
            node = above[node]
        if not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module):
            call = ast.Call(ast.Name(MARK, ast.Load()), [ast.Constant(number)], [])
            marks[node].append(ast.copy_location(ast.Expr(call), node))
    for node in list(above.values()):
        for name in ("body", "orelse", "finalbody"):
            held = getattr(node, name, None)
            if isinstance(held, list) and not isinstance(node, ast.Module | ast.ClassDef):
                held[:] = [part for each in held for part in (*marks.pop(each, ()), each)]
    return ast.fix_missing_locations(tree)


class Session:
    """Pytest plugin: in place of the tests themselves, mutants of what they import.

    ``kept``: a file of the tests that reach each mutant, which a later session reads.
    """

    def __init__(self, wanted: list[Mutant], outcomes: Callable, seconds: dict, longest: float, kept: Path):
        self.wanted, self.outcomes, self.seconds, self.longest = wanted, outcomes, seconds, longest
        self._kept, self._reached = kept, {}
        self._items: list = []
        self._config = self._living = None

    def pytest_runtestloop(self, session):
        """Find what reaches the mutants, then have them run, each by `run` in a fork."""
        self._items, self._config = session.items, session.config
        for module in sorted({mutant.module for mutant in self.wanted}):  # some are imported on first use
            importlib.import_module(".".join(Path(module).with_suffix("").parts))
        self._living = functions_of(session.config.rootpath)
        known = dict(json.loads(self._kept.read_text())) if self._kept.exists() else {}
        if any(repr(mutant.key) not in known for mutant in self.wanted):
            ours, theirs = multiprocessing.Pipe(duplex=False)
            process = multiprocessing.get_context("fork").Process(target=self._look, args=(theirs,))
            process.start()
            theirs.close()
            known |= ours.recv()
            process.join()
            self._kept.write_text(json.dumps(known, indent=0))
        self._reached = known
        self.outcomes(self.run)
        return True

    def _look(self, pipe) -> None:
        """Run the tests with marks; sends the tests that reached each mutant."""
        reached, numbers, now = defaultdict(set), defaultdict(dict), [""]
        for number, mutant in enumerate(self.wanted):
            numbers[mutant.module][mutant.site] = number
        setattr(builtins, MARK, lambda number: reached[number].add(now[0]))
        for module, places in numbers.items():
            path = self._config.rootpath / module
            exchange(path, marked(path.read_text(encoding="utf-8"), places), self._living)
        for item in self._items:
            # derivations are slow, and nothing else reaches them
            if self.seconds.get(item.nodeid, 0.0) <= self.longest or "derive" in item.name:
                now[0] = item.nodeid
                self._config.hook.pytest_runtest_protocol(item=item, nextitem=None)
        pipe.send({repr(mutant.key): sorted(reached[number]) for number, mutant in enumerate(self.wanted)})
        os._exit(0)

    def run(self, root: Path, mutant: Mutant, tests: list[Path], pipe) -> None:
        """The tests that reach a mutant up to the first that fails, in a process that this ends."""
        plugin = Watch(tests, self.seconds, float("inf"))
        with alone(plugin, pipe):
            allow(SECONDS)
            path = root / mutant.module
            changed = exchange(path, mutated(path.read_text(encoding="utf-8"), mutant.site), self._living)
            reached = set(self._reached[repr(mutant.key)]) if changed else ()
            items = [item for item in self._items if item.nodeid in reached]
            plugin.pytest_collection_modifyitems(items)
            self._config.pluginmanager.register(plugin)
            for place, item in enumerate(items, 1):
                following = items[place] if place < len(items) else None
                self._config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                if plugin.failed:
                    break
        os._exit(0)
