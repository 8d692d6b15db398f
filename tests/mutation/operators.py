"""The mutants of a module: its syntax tree with one operator, function, constant or index changed."""

import ast
import contextlib
import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

#: An operator and what takes its place.
SWAPPED = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult}
#: A comparison and its opposite; its neighbour (< and <=) hardly ever makes a difference to a float.
FLIPPED = {ast.Lt: ast.GtE, ast.GtE: ast.Lt, ast.Gt: ast.LtE, ast.LtE: ast.Gt, ast.Eq: ast.NotEq,
           ast.NotEq: ast.Eq}
#: A function and the one called in its place, from the same library; ``abs`` is Python's, that any takes.
RENAMED = {
    "sqrt": "abs", "square": "abs", "exp": "expm1", "expm1": "exp", "log": "log1p", "log1p": "log",
    "min": "max", "max": "min", "minimum": "maximum", "maximum": "minimum", "argmin": "argmax",
    "argmax": "argmin", "floor": "ceil", "ceil": "floor", "sin": "cos", "cos": "sin", "any": "all",
    "all": "any",
}
#: What sympy does not have.
NOT_SYMPY = {"expm1", "log1p", "any", "all"}
#: Floats beyond these sizes allow for rounding or keep out of a singular place: twice as much is no mistake.
SMALLEST, LARGEST = 1e-6, 1e6
#: Calls that hold words or examples, and arguments that hold no number of a formula.
WORDS = {"Case", "Source", "Condition", "symbols", "Symbol", "lru_cache", "ValueError", "TypeError"}
ARGUMENTS = {"axis", "dtype", "rtol", "atol", "maxsize", "ratio_ceiling", "decisive", "keepdims", "strict"}


@dataclass(frozen=True)
class Mutant:
    """One change: where it is, and the expression before and after it.

    ``number`` tells apart what reads the same in one function; ``site`` is its place among all of the module.
    """

    module: str
    function: str
    before: str
    after: str
    number: int
    kind: str = field(compare=False)
    line: int = field(compare=False)
    site: int = field(compare=False)

    @property
    def key(self) -> tuple:
        """What stays when lines move."""
        return self.module, self.function, self.before, self.after, self.number


@dataclass(frozen=True)
class Site:
    """A node of a tree that another may take the place of, and the expression that shows the change."""

    parent: ast.AST
    name: str
    index: int | None
    new: ast.AST
    kind: str
    shown: ast.AST
    function: str

    @contextlib.contextmanager
    def changed(self) -> Iterator[None]:
        """The tree with the change, as long as the context lasts."""
        old = self._put(self.new)
        try:
            yield
        finally:
            self._put(old)

    def _put(self, node):
        if self.index is None:
            old = getattr(self.parent, self.name)
            setattr(self.parent, self.name, node)
        else:
            held = getattr(self.parent, self.name)
            old, held[self.index] = held[self.index], node
        return old


def mutants(root: Path, path: Path) -> list[Mutant]:
    """Every mutant of a file, in the order of its tree."""
    tree, found, seen = ast.parse(path.read_text(encoding="utf-8")), [], Counter()
    for place, site in enumerate(sites(tree)):
        before = ast.unparse(site.shown)
        with site.changed():
            after = ast.unparse(site.shown)
        where = path.relative_to(root).as_posix(), site.function, before, after
        seen[where] += 1
        found.append(Mutant(*where, seen[where], site.kind, getattr(site.shown, "lineno", 0), place))
    return found


def mutated(source: str, site: int) -> ast.Module:
    """The tree of a source with one change."""
    tree = ast.parse(source)
    chosen = list(sites(tree))[site]
    with chosen.changed():
        return ast.fix_missing_locations(copy.deepcopy(tree))


def sites(tree: ast.Module) -> list[Site]:
    """Every change to a formula of a module; none to words, imports, annotations, nor to a named setting."""
    return [Site(*parts, function) for function, node in _functions(tree) for parts in _sites(node)]


def _functions(node, name="") -> Iterator[tuple[str, ast.AST]]:
    """Statements with the function or class that they are in; what is inside a function counts as its own."""
    for each in node.body:
        if isinstance(each, ast.ClassDef):
            yield from _functions(each, f"{name}{each.name}.")
        elif isinstance(each, ast.FunctionDef):
            yield f"{name}{each.name}", each
        elif not _is_setting(each):
            yield name.rstrip("."), each


def _is_setting(node) -> bool:
    """Whether a statement gives a plain number, or several, a name in capitals."""
    if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
        return False
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    names = [each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)]
    plain = (ast.Constant, ast.UnaryOp, ast.USub, ast.Tuple, ast.Load)
    # 1 << 12, or another setting among several, is no formula either
    plain += (ast.LShift, *((ast.BinOp,) if "<<" in ast.unparse(node.value) else ()))
    parts = [each for each in ast.walk(node.value) if not (
        isinstance(node.value, ast.Tuple) and isinstance(each, ast.Name) and each.id.isupper())]
    return all(name.isupper() for name in names) and all(isinstance(each, plain) for each in parts)


def _children(node) -> Iterator[tuple[str, int | None, ast.AST]]:
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "op", "ops", "ctx"):
            continue
        for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.AST):
                yield name, index, child


def _name(call: ast.Call) -> str:
    called = call.func
    return called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")


def _skipped(node) -> bool:
    if isinstance(node, ast.Raise | ast.Assert | ast.Import | ast.ImportFrom | ast.JoinedStr):
        return True
    if isinstance(node, ast.Call):
        return _name(node) in WORDS
    return isinstance(node, ast.keyword) and node.arg in ARGUMENTS


def _sites(node, shown=None) -> Iterator[tuple]:
    """(parent, name, index, new, kind, shown) in and below a node; ``shown`` is the expression around it."""
    if _skipped(node):
        return
    wide = node if _shows(node, shown) else shown
    yield from _operators(node)
    for name, index, child in _children(node):
        if isinstance(node, ast.BinOp) and isinstance(child, ast.Constant) and _is_rounding(
            node.left, node.right):
            continue
        yield from ((node, name, index, new, kind, wide or node) for new, kind in _replaced(child, name))
        yield from _sites(child, wide)


def _shows(node, shown) -> bool:
    """Whether a reader sees from a node what is around its parts: not a tuple, nor a block of statements."""
    if isinstance(node, ast.stmt):
        return not hasattr(node, "body")
    return isinstance(node, ast.expr) and not (shown and isinstance(node, ast.Tuple | ast.UnaryOp))


def _is_rounding(*factors) -> bool:
    """Whether a product is a number of roundings: 4 or 5 of them is no mistake."""
    return any(ast.unparse(each).lower().endswith("eps") for each in factors)


def _operators(node) -> Iterator[tuple]:
    """Changes of the operator or the function that a node itself names."""
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in SWAPPED and not _is_text(node):
        yield node, "op", None, SWAPPED[type(node.op)](), "operator", node
    if isinstance(node, ast.Compare):
        for index, op in enumerate(node.ops):
            if type(op) in FLIPPED and not _is_text(node):
                yield node, "ops", index, FLIPPED[type(op)](), "comparison", node
    if isinstance(node, ast.Call) and (other := RENAMED.get(_name(node))):
        new = _renamed(node.func, other)
        if new is not None and (node.args or other != "abs"):
            yield node, "func", None, new, "function", node


def _is_text(node) -> bool:
    """Whether a node adds up or compares strings or lists rather than numbers."""
    ends = [node.left, *node.comparators] if isinstance(node, ast.Compare) else (
        [node.left, node.right] if isinstance(node, ast.BinOp) else [node.value])
    return any(isinstance(each, ast.JoinedStr | ast.List | ast.ListComp | ast.Tuple | ast.Set)
               or (isinstance(each, ast.Constant) and isinstance(each.value, str)) for each in ends)


def _renamed(called, other: str) -> ast.expr | None:
    """The function called in place of another; None if its library has none."""
    if other == "abs":
        return ast.Name("abs", ast.Load())
    if isinstance(called, ast.Name):
        return ast.Name(other, ast.Load()) if other in ("min", "max", "any", "all") else None
    library = called.value.id if isinstance(called.value, ast.Name) else ""
    if library == "sympy":
        return None if other in NOT_SYMPY else ast.Attribute(called.value, other.capitalize() if other in (
            "min", "max") else other, ast.Load())
    return ast.Attribute(called.value, other, ast.Load())


def _replaced(node, name: str) -> Iterator[tuple[ast.expr, str]]:
    """What takes the place of a whole node: another constant, no sign, the factors of @ the other way."""
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        value = node.value
        if type(value) is int:
            yield ast.Constant(value + 1), "index" if name == "slice" else "constant"
        elif value == 0 or SMALLEST <= value <= LARGEST:
            yield ast.Constant(2 * value or 1.0), "constant"
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield node.operand, "sign"
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        yield ast.BinOp(node.right, ast.MatMult(), node.left), "order"
