"""Draw problem files that are wrong, or odd: valid ones crossed, and mutated in structure, value and byte."""

from dataclasses import dataclass
from random import Random

from tests.bad_problems import DATA, VALID
from tests.fuzz.expressions import expression
from verify.problems.problem import bundled_problem, bundled_problems

SECTIONS = ("process", "data", "scheme")
#: Values of another type than any key wants, or at the edge of it.
ODD = (
    "[]", "[[]]", "[[], []]", "[[1.0], [1.0, 2.0]]", "[1.0, [2.0]]", "[[[1.0]]]", "[[[[1.0]]]]", "{}",
    "{a = 1}", "[{a = 1}]", "true", "false", '""', '"nan"', '"ou"', "'''a\nb'''", "1979-05-27", "07:32:00",
    "1979-05-27T07:32:00Z", "nan", "-nan", "inf", "-inf", "0", "-0.0", "0.0", "-1", "1", "1.5", "1e400",
    "-1e400", "1e-400", "9" * 30, "1" + "0" * 400, "-1" + "0" * 400, "9" * 5000, "0x10", "0b1", "1_000",
    "[1, 2, 3]", "[1.0, 0.5, 0.0]", "[true, false]", '["x", "y"]', "[nan]", "[inf, 0.0]", "[1e308, 1e308]",
    "[[1e308], [-1e308]]", "[[1e-308], [-1e-308]]", "[[0.0], [0.0]]", "[" + "1.0, " * 300 + "1.0]",
    "[" * 200 + "]" * 200, '"' + "x" * 5000 + '"', '"\\u0000"', '"\\n"', '"ｏｕ"', "ou", "", "1.", "0.5 0.5",
    "[1.0", "[[1.0, 0.0], [0.0, 1.0]]",
)  # fmt: skip
PATHS = (
    "data.csv", "../data.csv", "../../../../etc/hostname", "/dev/zero", "/dev/null", "/dev/stdin",
    "/proc/self/status", ".", "..", "/", "missing.csv", "problem.toml", "a/../data.csv", "~/x.csv",
    "data.csv/", "file:data.csv", "http://localhost/x.csv", "",
)  # fmt: skip
STEPS = (
    "0", "-1", "1", "2", "3", "50", "1000", "10000001", "1000000000", "1.5", "2.0", "true", '"4"', "9" * 30,
)  # fmt: skip
DIMS = (*STEPS, "784", "100000", "10000000")
WORDS = {
    "family": ("ou", "vp", "ve", "sub-vp", "general", "edm", "flow-matching", "cld", "langevin"),
    "law": ("gaussian", "mixture", "samples", "funnel"),
    "assumption": ("strong-log-concave", "weak-log-concave", "log-lipschitz", "bounded", "smoothed-support"),
    "kind": ("euler-maruyama", "euler-maruyama-lambda", "frozen-euler-maruyama", "exponential", "posterior-mean",
             "posterior-mean-matched", "ancestral", "ancestral-large", "ode-euler", "ode-exponential", "ddim", "heun",
             "heun-t", "midpoint", "dpm-solver-2", "dpmpp-2m", "sscs", "leapfrog", "symplectic-euler"),
    "grid": ("uniform", "geometric", "quadratic", "shift", "rho", "sigmas"),
    "score_error_in": ("score", "epsilon", "denoiser", "velocity"),
}
CHARACTERS = (
    b"\x00", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\r", b"\n", b"\t", b'"', b"'", b"[", b"]",
    b"=", b"#", b".", b"\\", b"-", b"e", b"9", b"0", b"\xc2\xa0", b"\xe2\x80\x8b", b"\xd0\xb5", b"\x1b[31m",
    b"\x7f", b"\xf0\x9f\x98\x80",
)  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """A problem file, the data beside it, and a command's arguments (``PROBLEM`` is the file's place)."""

    problem: bytes
    data: bytes
    arguments: tuple[str, ...]


def mutant(seed: int, commands) -> Mutant:
    """The mutant of a seed; ``commands`` are pairs of a weight and arguments."""
    rng = Random(seed)
    tables = _crossed(rng)
    if rng.random() < 0.8:
        tables["scheme"]["steps"] = str(rng.choice((1, 2, 5, 20)))
        if "grid" in tables["scheme"]:
            tables["scheme"]["grid"] = '"uniform"'
    for _ in range(rng.choice((0, 1, 1, 1, 2, 3))):
        rng.choice(MUTATIONS)(rng, tables)
    text = _written(rng, tables).encode("utf-8", "surrogatepass")
    data = DATA.encode()
    if rng.random() < 0.15:
        text = _bytes(rng, text)
    if rng.random() < 0.05:
        data = _bytes(rng, data)
    (arguments,) = rng.choices([each for _, each in commands], [weight for weight, _ in commands])
    return Mutant(text, data, (*arguments, *(("--json",) if rng.random() < 0.5 else ())))


def _bases() -> list[dict]:
    """Every bundled and every valid problem as section -> key -> raw TOML."""
    bases, csv = [], str(bundled_problem("old_faithful").with_suffix(".csv"))
    for name in bundled_problems():
        tables: dict = {}
        for line in bundled_problem(name).read_text().splitlines():
            if line.startswith("["):
                section = tables.setdefault(line.strip("[]"), {})
            elif "=" in line and not line.startswith("#"):
                key, _, value = line.partition(" = ")
                section[key] = value.replace("old_faithful.csv", csv)
        bases.append(tables)
    for valid in VALID.values():
        tables = {section: {} for section in SECTIONS}
        for key, value in valid.items():
            tables.setdefault(key.partition(".")[0], {})[key.partition(".")[2]] = value
        bases.append(tables)
    return bases


BASES = _bases()
KEYS = sorted({(section, key) for tables in BASES for section in tables for key in tables[section]})
#: The table that few problems have.
OWN = next(tables["sampler"] for tables in BASES if "sampler" in tables)


def _crossed(rng: Random) -> dict:
    """A problem of the list, or one with sections from several."""
    if rng.random() < 0.5:
        return {section: dict(table) for section, table in rng.choice(BASES).items()}
    own = {"sampler": dict(OWN)} if rng.random() < 0.2 else {}
    return {section: dict(rng.choice(BASES)[section]) for section in SECTIONS} | own


def _place(rng: Random, tables: dict) -> tuple[dict, str]:
    """A table and a key of it; one that is not there, now and then."""
    every = [(section, key) for section, table in tables.items() for key in table]
    there = [(section, key) for section, key in every if key not in WORDS or rng.random() < 0.2]
    section, key = rng.choice(there or KEYS)
    if rng.random() < 0.1:
        section, key = rng.choice(KEYS)
    return tables.setdefault(section, {}), key


def _value(rng: Random, tables: dict) -> None:
    """An odd value, or one of the kind that the key wants."""
    table, key = _place(rng, tables)
    kinds = {"file": [f'"{path}"' for path in PATHS], "steps": STEPS, "dim": DIMS}
    fitting = kinds.get(key, ODD) if rng.random() < 0.7 else ODD
    table[key] = rng.choice(fitting)


def _number(rng: Random, tables: dict) -> None:
    """A number of any size in place of one number of a value."""
    table, key = _place(rng, tables)
    size = rng.uniform(-320, 308) if rng.random() < 0.5 else rng.uniform(-3, 3)
    number = repr(rng.choice((1, 1, 1, 1, -1)) * 10 ** max(size, -307) * 10 ** min(size + 307, 0))
    parts = table.get(key, "").split(",")
    place = rng.randrange(len(parts))
    bare = parts[place].strip(" []")
    parts[place] = parts[place].replace(bare, number) if bare else number
    table[key] = ",".join(parts)


def _coefficient(rng: Random, tables: dict) -> None:
    """An expression for a coefficient, in a family that takes it."""
    # sympy is slow on the last
    (name,) = rng.choices(("vp", "ve", "general", "cld", "sub-vp"), (2, 2, 3, 2, 1))
    keys = {"ve": ("g",), "general": ("f", "g"), "cld": ("clock",)}.get(name, ("beta",))
    texts = {key: expression(rng) for key in keys}
    if name == "cld" and rng.random() < 0.8:  # a clock starts at 0
        texts["clock"] = f"t*({texts['clock']})"
    tables["process"] = {"family": f'"{name}"', **{key: _quoted(text) for key, text in texts.items()}}


def _formula(rng: Random, tables: dict) -> None:
    """An expression for a formula of a sampler of one's own, which is mostly the one that is asked for."""
    table = tables.setdefault("sampler", dict(OWN))
    table[rng.choice(("P", "Q", "noise"))] = _quoted(expression(rng))
    if rng.random() < 0.8:
        tables.get("scheme", {}).pop("kind", None)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _words(rng: Random, tables: dict) -> None:
    """Another word of the tool where a word stands, mostly one that can stand there."""
    places = [(table, key) for table in tables.values() for key in table if key in WORDS]
    table, key = rng.choice(places or [(tables.setdefault("data", {}), "law")])
    words = WORDS[key] if rng.random() < 0.9 else rng.choice(list(WORDS.values()))
    table[key] = _quoted(rng.choice(words))


def _keys(rng: Random, tables: dict) -> None:
    """A key or a section that is missing, renamed, added or moved."""
    table, key = _place(rng, tables)
    match rng.randrange(6):
        case 0:
            table.pop(key, None)
        case 1:
            name = rng.choice((key.upper(), key[:-1] or "q", key + "s", f'"{key}\\n"', f"{key}.a", "é"))
            table[name] = table.pop(key, "1")
        case 2:
            table[rng.choice(KEYS)[1]] = rng.choice(ODD)
        case 3:
            tables.pop(rng.choice(list(tables)))
        case 4:
            name = rng.choice(list(tables))
            tables[rng.choice(("Data", "dta", "data.law", '""', "schema", name + "s"))] = tables.pop(name)
        case 5:
            tables[rng.choice(("extra", "process.more", "scheme.grid"))] = {"a": rng.choice(ODD)}


MUTATIONS = (*[_number] * 6, *[_coefficient] * 3, *[_value] * 4, *[_words] * 2, _keys, _formula)


def _written(rng: Random, tables: dict) -> str:
    """The tables as TOML; lines and sections doubled, or written another way, now and then."""
    lines = []
    for section, table in tables.items():
        heads = f"[[{section}]]", f"{section} = 3", f"[{section}", f"[ {section} ]"
        head = f"[{section}]" if rng.random() < 0.995 else rng.choice(heads)
        body = [f"{key} = {value}" for key, value in table.items()]
        if body and rng.random() < 0.005:
            body.append(rng.choice(body))
        lines += [head, *body, ""] * (1 if rng.random() < 0.997 else 2)
    return rng.choice(("\n",) * 9 + ("\r\n",)).join(lines)


def _bytes(rng: Random, text: bytes) -> bytes:
    """Bytes deleted, doubled, flipped, replaced or added; the rest cut off."""
    for _ in range(rng.choice((1, 1, 2, 5))):
        start = rng.randrange(len(text) + 1)
        stop = min(len(text), start + rng.choice((1, 1, 1, 4, 20)))
        piece = text[start:stop]
        flipped, added = bytes(byte ^ 1 << rng.randrange(8) for byte in piece), rng.choice(CHARACTERS)
        piece = rng.choice((b"", piece * 2, flipped, added, added + piece, piece * 100, piece.swapcase()))
        text = text[:start] + piece + text[stop:]
        if rng.random() < 0.05:
            text = text[: rng.randrange(len(text) + 1)]
    return text
