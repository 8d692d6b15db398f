"""The command ``sgm-bounds``: problem files in; tables, JSON and exit codes out.

Exit codes: 0 fine, or some verdict is HOLDS and none is worse; 1 a bound is violated; 2 wrong input, or
nothing applies; 3 inconclusive; 130 interrupted; 141 the reader of the output left.  Nothing heavy is
imported before a command needs it.

Wrong input, and arithmetic or memory that fails on the way, is one line on the error stream.  Programming
errors (AttributeError, TypeError, KeyError…) keep their traceback: hiding them would hide bugs.
SGM_BOUNDS_DEBUG=1 keeps every traceback.
"""

from __future__ import annotations

import contextlib
import io
import math
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

HOLDS, VIOLATED, WRONG, INCONCLUSIVE, INTERRUPTED, READER_LEFT = 0, 1, 2, 3, 130, 141
#: Version of the JSON that ``bound`` prints.
SCHEMA_VERSION = 1
PICTURE = "sgm-bounds-demo.png"

_EVALUATION = (ArithmeticError, ValueError, MemoryError)
_FAILURES = (*_EVALUATION, OSError, ImportError, RecursionError, NotImplementedError)
_PROGRESS_DELAY = 0.5
_WIDTH = 140
#: Steps at which the demo's picture shows each problem.
_DEMO_STEPS = {
    "gaussian": (25, 50, 100, 200, 400, 800, 1600, 3200, 6400),
    "two_modes": (25, 50, 100, 200, 400, 800, 1600),
    "old_faithful": (25, 50, 100, 200, 400, 1000),
}
#: Coefficients that ``show`` takes where --set gives none.
_EXAMPLES = {"beta": "1/10 + 199/10*t", "g": "exp(t)", "f": "1/2"}


class Failure(click.ClickException):
    """A refusal: one line, and the exit code."""

    def __init__(self, message: object, exit_code: int = WRONG):
        from verify.report import one_line

        super().__init__(one_line(message))
        self.exit_code = exit_code


class _Commands(click.Group):
    """The group of commands, with one policy for errors: a line on the error stream and an exit code."""

    def main(self, args=None, prog_name=None, complete_var=None, standalone_mode=True, **extra):
        """Run and exit, in place of click's own handling: its exit code 1 would say "violated"."""
        args = sys.argv[1:] if args is None else list(args)
        if instruction := os.environ.get("_SGM_BOUNDS_COMPLETE"):
            from click.shell_completion import shell_complete

            sys.exit(shell_complete(self, extra, "sgm-bounds", "_SGM_BOUNDS_COMPLETE", instruction))
        try:
            with self.make_context("sgm-bounds", args, **extra) as context:
                code = self.invoke(context) or HOLDS
        except click.exceptions.Exit as stop:
            code = stop.exit_code
        except click.ClickException as error:
            code = _complain(error.format_message(), error.exit_code)
        except (KeyboardInterrupt, click.Abort):
            code = _complain("interrupted", INTERRUPTED)
        except BrokenPipeError:
            code = READER_LEFT
        except _FAILURES as error:
            if os.environ.get("SGM_BOUNDS_DEBUG"):
                raise
            code = _complain(_reason(error), WRONG)
        _settle()
        sys.exit(code)


def _complain(message: str, code: int) -> int:
    """One line on the error stream; returns the exit code."""
    from verify.report import one_line

    with contextlib.suppress(OSError, ValueError):
        click.echo(f"sgm-bounds: {one_line(message)}", err=True)
    return code


def _settle() -> None:
    """Let go of an output that cannot be written, so that the interpreter does not try again at exit."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _reason(error: BaseException) -> str:
    """What went wrong, in words."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    prefix = {MemoryError: "not enough memory", RecursionError: "nested too deeply"}.get(type(error), "")
    return ": ".join(part for part in (prefix, str(error)) if part) or type(error).__name__


# -- what every command shares ----------------------------------------------------------------------


def _emit(text: str) -> None:
    """Write to the output and flush; characters it cannot encode become question marks."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Failure(f"the output cannot be written: {error.strerror}") from None


class _Page(io.StringIO):
    """Text for the output, in its encoding."""

    encoding = property(lambda self: getattr(sys.stdout, "encoding", None) or "utf-8")


def _print(*renderables) -> None:
    """Tables and lines as text, in colour only on a terminal that wants it."""
    from rich.console import Console
    from rich.text import Text

    tty = sys.stdout.isatty()
    console = Console(
        file=_Page(),
        force_terminal=tty,
        color_system="auto" if tty and not os.environ.get("NO_COLOR") else None,
        width=None if tty else _WIDTH,
        markup=False,
        highlight=False,
        emoji=False,
    )
    for renderable in renderables:
        console.print(Text(renderable) if isinstance(renderable, str) else renderable)
    _emit("\n".join(line.rstrip() for line in console.file.getvalue().split("\n")))


def _print_json(document) -> None:
    """One JSON document: full precision, no NaN, no infinity."""
    import json

    from verify.report import plain

    _emit(json.dumps(plain(document), allow_nan=False, indent=2) + "\n")


@contextlib.contextmanager
def _progress(label: str) -> Iterator[Callable]:
    """Yield ``tell(fraction, label)``, drawn on the error stream, if a terminal, after half a second."""
    if not sys.stderr.isatty():
        yield lambda fraction=None, what=None: None
        return
    import threading

    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    live = Progress(*columns, console=Console(stderr=True), transient=True)
    task = live.add_task(label, total=None)

    def tell(fraction=None, what=None):
        known = {} if fraction is None else {"total": 1.0, "completed": fraction}
        live.update(task, description=what, **known)

    timer = threading.Timer(_PROGRESS_DELAY, live.start)
    timer.daemon = True
    timer.start()
    try:
        yield tell
    finally:
        timer.cancel()
        timer.join()
        live.stop()


@contextlib.contextmanager
def _new_file(path: str, force: bool) -> Iterator[Path]:
    """Yield an empty file that replaces ``path`` when the block ends well, and vanishes otherwise."""
    import secrets

    target = Path(os.path.realpath(path))
    part = target.parent / f".sgm-bounds-{secrets.token_hex(8)}.part"

    def check():
        if target.exists() and not target.is_file():
            raise Failure(f"cannot write {path!r}: it is not a regular file")
        if target.exists() and not force:
            raise Failure(f"{path!r} exists already; --force replaces it")

    try:
        check()
        part.touch(exist_ok=False)
        yield part
        check()
        os.replace(part, target)
    except OSError as error:
        raise Failure(f"cannot write {path!r}: {error.strerror or error}") from None
    finally:
        with contextlib.suppress(OSError, ValueError):
            part.unlink(missing_ok=True)


@contextlib.contextmanager
def _naming(what: str) -> Iterator[None]:
    """Put ``what`` in front of a failure."""
    try:
        yield
    except _EVALUATION as error:
        if os.environ.get("SGM_BOUNDS_DEBUG"):
            raise
        raise Failure(f"{what}: {_reason(error)}") from None


def _load(name: str, overrides):
    """The problem in a file, or the bundled one of that name; a path that exists wins."""
    from verify.problem import bundled_problem, load_problem

    if re.fullmatch(r"[\w-]+", name) and not os.path.exists(name):
        with _naming(f"no file is called {name!r}"):
            name = bundled_problem(name)
    return load_problem(name, overrides)


def _setting(problem, information: str):
    """(setting, None), or (None, why nothing is known of the data)."""
    from verify.certificate import setting_of_problem

    if not problem.assumptions:
        return None, f"data assumption: {'; '.join(problem.notes)}"
    return setting_of_problem(problem, information), None


def _theorems(key: str | None) -> list:
    from bounds.theorem import theorems
    from verify.certificate import find_theorem

    return list(theorems().values()) if key is None else [find_theorem(key)]


_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of tables.")
_SET = click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="SECTION.KEY=VALUE",
    help="Override the file; may be repeated.",
)


def _question(command):
    """The argument and the options of commands about a problem."""
    options = (
        click.argument("problem"),
        click.option("--theorem", metavar="KEY", help="Only this theorem (see 'sgm-bounds list')."),
        click.option(
            "--information",
            type=click.Choice(("all", "constants")),
            default="all",
            show_default=True,
            help="What a bound may know: all about a law in closed form, or its assumption's constants.",
        ),
        _SET,
        _JSON,
    )
    for option in reversed(options):
        command = option(command)
    return command


def _version(context, _parameter, wanted):
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            found = version("sgm-bounds")
        except PackageNotFoundError:
            found = "(not installed: running from its source)"
        click.echo(f"sgm-bounds {found}")
        context.exit()


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="PROBLEM is a TOML file, or the name of a bundled problem such as two_modes. "
    "Exit codes: 0 fine or holds, 1 violated, 2 wrong input or not applicable, 3 inconclusive.",
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version."
)
@click.pass_context
def cli(context):
    """Compute, certify and refute 2-Wasserstein bounds for score-based generative models."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


# -- bounds ----------------------------------------------------------------------


@cli.command(short_help="Bounds of every theorem that applies.")
@_question
def bound(problem, theorem, information, overrides, as_json):
    """Evaluate every theorem (or one) on PROBLEM, and name the hypotheses that are not met."""
    from verify import report

    question = _load(problem, overrides)
    chosen, results = _theorems(theorem), []
    setting, reason = _setting(question, information)
    with _progress("bounds") as tell:
        for index, each in enumerate(chosen):
            tell(index / len(chosen), each.key)
            with _naming(each.key):
                unmet = (reason,) if setting is None else each.unmet(setting)
                value = None if unmet else each.bound(setting)
            results.append(report.result(each, value, unmet))
    if as_json:
        document = {"results": results, "notes": question.notes, "problem": question.as_dict()}
        _print_json({**document, "schema_version": SCHEMA_VERSION})
    else:
        entries = [(entry["theorem"], entry["unmet"], entry["notes"]) for entry in results]
        _print(
            report.describe(question), report.bounds_table(results), *report.remarks(entries, question.notes)
        )
    return HOLDS if any(entry["applicable"] for entry in results) else WRONG


def _certificates(question, chosen, information: str, tell: Callable) -> list:
    """A certificate of each theorem; the exact error is measured once, and only if one applies."""
    from verify.certificate import Certificate, Verdict, certify_setting, versions

    if question.law is None:
        raise Failure(
            "certify needs data.law: constants alone leave no exact law to compare with (bound takes them)"
        )
    setting, reason = _setting(question, information)
    record, measured, certificates = question.as_dict(), None, []
    for each in chosen:
        tell(None, f"{question.source}: {each.key}")
        if setting is None:
            nothing = (Verdict.NOT_APPLICABLE, None, None, None, (reason,))
            certificates.append(Certificate(each.key, *nothing, problem=record, versions=versions()))
            continue
        with _naming(each.key):
            if measured is None and not each.unmet(setting):
                tell(None, f"{question.source}: exact law of the sampler")
                measured = _measured(setting, question.law)
            certificates.append(certify_setting(each, setting, question.law, measured, record))
    return certificates


def _measured(setting, law):
    """The exact error, or [0, ∞) with the reason where its computation fails."""
    from closed_form import Bracket
    from verify.certificate import measure

    try:
        return measure(setting, law)
    except _EVALUATION as error:
        if os.environ.get("SGM_BOUNDS_DEBUG"):
            raise
        return Bracket(0.0, float("inf"), f"not measured: {_reason(error)}")


def _verdict_code(certificates) -> int:
    """1 if any is violated, else 3 if any is inconclusive, else 0 if any holds, else 2."""
    verdicts = {str(certificate.verdict) for certificate in certificates}
    for verdict, code in (("VIOLATED", VIOLATED), ("INCONCLUSIVE", INCONCLUSIVE), ("HOLDS", HOLDS)):
        if verdict in verdicts:
            return code
    return WRONG


def _certificate_lines(question, certificates) -> list:
    """Header, table and remarks of the certificates of one problem."""
    from verify import report

    entries = [(c.theorem, c.unmet, c.bound["notes"] if c.bound else ()) for c in certificates]
    notes = list(question.notes)
    if question.score_error and any(c.measured and c.measured.lower for c in certificates):
        notes.append(
            f"measured with a score that is off by one constant vector of norm {question.score_error:g}"
        )
    table = report.certificates_table(certificates)
    return [report.describe(question), table, *report.remarks(entries, notes)]


@cli.command(short_help="Bounds against the exact W2 error, with verdicts.")
@_question
def certify(problem, theorem, information, overrides, as_json):
    """Compare every theorem (or one) with the exact W2 error of the sampler on PROBLEM."""
    question = _load(problem, overrides)
    with _progress("certify") as tell:
        certificates = _certificates(question, _theorems(theorem), information, tell)
    if as_json:
        _print_json({"certificates": [c.as_dict() for c in certificates], "notes": question.notes})
    else:
        _print(*_certificate_lines(question, certificates))
    return _verdict_code(certificates)


def _errors(_context, _parameter, values):
    """Refuse errors that are not positive and finite."""
    for value in values:
        if not 0 < value < float("inf"):
            raise click.BadParameter(f"must be positive and finite, got {value:g}")
    return values


@cli.command("lower-bound", short_help="Exact error on Gaussian data, and the steps it takes.")
@click.argument("problem")
@click.option(
    "--eps", type=float, multiple=True, callback=_errors, help="Steps needed for this error; may be repeated."
)
@_SET
@_JSON
def lower_bound(problem, eps, overrides, as_json):
    """Exact error of the sampler on Gaussian data, and the steps K ≥ c(σ0) T √d / ε that an error ε needs."""
    from verify import report

    question = _load(problem, overrides)
    theorem = _theorems("gaussian-lower-bound")[0]
    setting, reason = _setting(question, "all")
    with _naming(theorem.key):
        unmet = (reason,) if setting is None else theorem.unmet(setting)
        value = None if unmet else theorem.bound(setting)
    answer = {**report.result(theorem, value, unmet), **_leading_order(question, value, eps)}
    if as_json:
        _print_json({**answer, "notes": [*answer["notes"], *question.notes], "problem": question.as_dict()})
    else:
        table = [report.lower_bound_table(answer)] if value else []
        lines = report.remarks([(theorem.key, unmet, answer["notes"])], question.notes)
        _print(report.describe(question), *table, *lines)
    return HOLDS if value else WRONG


def _leading_order(question, value, eps) -> dict:
    """The leading-order part of the lower bound's answer: c(σ0), and the steps each error needs."""
    names = ("leading_order", "c", "integral")
    details = dict.fromkeys(names) if value is None else {name: value.details.get(name) for name in names}
    grid, found = question.scheme.grid, {"steps": question.scheme.grid.steps, **details, "requirements": []}
    if value is None:
        return found
    if details["c"] is None:
        if eps:
            raise Failure(
                "--eps needs euler-maruyama, a uniform grid and data N(m, s0^2 I): c(s0) is stated for those"
            )
        return found
    scale = float(details["c"]) * (grid.horizon - grid.early_stop) * math.sqrt(value.details["dim"])
    void = any("(5.35)" in note for note in value.notes)
    for error in eps or (1e-1, 1e-2, 1e-3):
        found["requirements"].append({"eps": error, "steps": None if void else math.ceil(scale / error)})
    return found


# -- what there is ----------------------------------------------------------------------


@cli.command("list", short_help="What there is: theorems, processes, schemes, problems.")
@_JSON
def list_everything(as_json):
    """Theorems, processes, schemes, assumptions and bundled problems."""
    from verify import report
    from verify.problem import bundled_problem, bundled_problems

    problems = []
    for name in bundled_problems():
        text = bundled_problem(name).read_text(encoding="utf-8")
        comment = [line.lstrip("# ") for line in text.splitlines() if line.startswith("#")]
        problems.append({"name": name, "about": " ".join(comment)})
    found = report.catalogue(problems)
    if as_json:
        _print_json(found)
    else:
        _print(*report.catalogue_tables(found))


@cli.command(short_help="A theorem, or the closed forms of a process.")
@click.argument("key")
@click.option("--latex", is_flag=True, help="Print LaTeX.")
@click.option(
    "--set", "overrides", multiple=True, metavar="process.KEY=VALUE", help="A coefficient of a process."
)
@_JSON
def show(key, latex, overrides, as_json):
    """A theorem (statement, hypotheses, source, derivation), or the closed forms of a process family."""
    from bounds.schedules import FAMILIES
    from bounds.theorem import theorems
    from verify import report

    if latex and as_json:
        raise click.UsageError("--latex and --json exclude each other (the JSON holds the LaTeX)")
    if key in theorems():
        if overrides:
            raise click.UsageError("--set belongs to a process, not to a theorem")
        with _progress("deriving the theorem again"):
            facts = report.theorem_facts(theorems()[key])
        forms = report.theorem_latex, report.theorem_sheet
    elif key in FAMILIES:
        facts = _process_facts(key, overrides)
        forms = report.process_latex, report.process_sheet
    else:
        known = ", ".join([*theorems(), *FAMILIES])
        raise Failure(f"KEY must be a theorem or a process family, one of {known}, got {key!r}")
    if as_json:
        _print_json(facts)
    elif latex:
        _emit(forms[0](facts) + "\n")
    else:
        _print(*forms[1](facts))


def _process_facts(family: str, overrides) -> dict:
    """The closed forms of a family, with example coefficients where none are given."""
    from bounds.expressions import parse_expression
    from bounds.process import TIME
    from bounds.schedules import FAMILIES
    from verify import report

    make, names = FAMILIES[family]
    parameters = {name: "1" if (family, name) == ("general", "g") else _EXAMPLES[name] for name in names}
    for override in overrides:
        target, _, value = override.partition("=")
        name = target.strip().removeprefix("process.")
        if name not in parameters or not target.strip().startswith("process."):
            wanted = " or ".join(f"process.{known}=..." for known in names) or "nothing"
            raise Failure(f"--set for {family} takes {wanted}, got {override!r}")
        parameters[name] = value.strip().strip("\"'")
    expressions = [
        parse_expression(value, TIME, name=f"process.{name}") for name, value in parameters.items()
    ]
    with _progress("deriving closed forms"):
        return report.process_facts(make(*expressions), parameters)


# -- samples ----------------------------------------------------------------------


@cli.command(short_help="Run the sampler and write its samples.")
@click.argument("problem")
@click.option(
    "--out", required=True, metavar="FILE.npy", help="Where to write; an existing file needs --force."
)
@click.option(
    "-n",
    "--particles",
    "n",
    type=click.IntRange(1, 10**12),
    default=10_000,
    show_default=True,
    help="Samples to draw.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Fixes the samples.")
@click.option(
    "--threads",
    type=click.IntRange(1, 256),
    default=1,
    show_default=True,
    help="Does not change the samples.",
)
@click.option("--backend", default="numpy", show_default=True, help="numpy or torch.")
@click.option("--device", default="cpu", show_default=True, help="A device of torch.")
@click.option("--dtype", default="float64", show_default=True, help="float64 or float32.")
@click.option("--force", is_flag=True, help="Replace an existing file.")
@_SET
@_JSON
def sample(problem, out, n, seed, threads, backend, device, dtype, force, overrides, as_json):
    """Run the sampler of PROBLEM and write its samples, an array (n, dimension), to a .npy file."""
    if threads > 1:
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from verify.backends import backend as backend_named

    question = _load(problem, overrides)
    if question.law is None:
        raise Failure("sample needs data.law: constants alone have no score")
    chosen = backend_named(backend, device, dtype)
    setting, _ = _setting(question, "all")
    steps = question.scheme.steps(question.process) if setting is None else setting.table.steps()
    with _new_file(out, force) as part, _progress(f"{n} samples") as tell:
        _draw(part, question, steps, tell, n=n, seed=seed, threads=threads, backend=chosen)
    written = {
        "path": out,
        "shape": [n, question.law.dim],
        "dtype": dtype,
        "seed": seed,
        "problem": question.as_dict(),
    }
    if as_json:
        _print_json(written)
    else:
        _print(_written_line(written))


def _written_line(written) -> str:
    """What ``sample`` wrote, in one line."""
    n, dim = written["shape"]
    return (
        f"wrote {written['path']}: {n} samples in dimension {dim}, {written['dtype']}, seed {written['seed']}"
    )


def _draw(part: Path, question, steps, tell, *, n: int, backend, **options) -> None:
    """Samples straight into the file; its room is taken first: a full disk is then an error, not a crash."""
    import numpy as np

    from verify.sampler import sample as draw

    shape = (n, question.law.dim)
    if hasattr(os, "posix_fallocate"):
        with open(part, "r+b") as file:
            os.posix_fallocate(file.fileno(), 0, math.prod(shape) * np.dtype(backend.dtype).itemsize + 4096)
    array = np.lib.format.open_memmap(part, mode="w+", dtype=backend.dtype, shape=shape)
    errors = {"score_error": question.score_error, "score_noise": question.score_noise}
    draw(question.law, steps, n, progress=tell, out=array, backend=backend, **errors, **options)
    array.flush()


# -- demo and doctor ----------------------------------------------------------------------


@cli.command(short_help="Certify two bundled problems and draw a picture.")
@click.option(
    "--out", default="out", show_default=True, metavar="DIR", help="Folder of the picture; made if missing."
)
@_JSON
def demo(out, as_json):
    """Certify two bundled problems and draw their bounds against the exact error over the number of steps."""
    os.makedirs(out, exist_ok=True)
    lines, certificates = [], []
    with _progress("demo") as tell:
        for name in ("old_faithful", "two_modes"):
            question = _load(name, ())
            found = _certificates(question, _theorems(None), "all", tell)
            certificates += found
            lines += ["", *_certificate_lines(question, found)]
        with _naming("demo"):
            picture = _demo_picture(out, tell)
    if as_json:
        _print_json({"certificates": [c.as_dict() for c in certificates], "picture": picture})
    else:
        _print(*lines[1:], "", f"wrote {picture}")
    return _verdict_code(certificates)


def _demo_picture(folder: str, tell: Callable) -> str:
    """Write the demo's picture into a folder; returns its path."""
    from verify import report

    panels = []
    for title, load, counts, guides in _demo_problems():
        rows = []
        for index, steps in enumerate(counts):
            tell(index / len(counts), f"{title}: {steps} steps")
            rows.append(_bounds_and_truth(load(steps)))
        bounds = {key: [found[key] for found, _ in rows] for key in rows[0][0]}
        panel = {"title": title, "steps": counts, "exact": [truth for _, truth in rows], "bounds": bounds}
        ceiling = math.sqrt(load(counts[0]).law.second_moment)
        panels.append({**panel, "ceiling": ceiling, "guides": guides})
    figure = report.demo_figure(
        panels, "Proved bounds and the exact error: OU process, Euler–Maruyama, T = 5"
    )
    path = os.path.join(folder, PICTURE)
    with _new_file(path, force=True) as part:
        figure.savefig(part, format="png", dpi=180)
    return path


def _demo_problems() -> list:
    """(title, number of steps -> problem, numbers of steps, slopes to draw) of every panel."""
    from verify.problem import bundled_problem, load_problem, read_problem

    def gaussian(steps):
        scheme = {"kind": "euler-maruyama", "horizon": 5.0, "steps": steps}
        data = {"law": "gaussian", "mean": 0.0, "covariance": 0.25}
        return read_problem({"process": {"family": "ou"}, "data": data, "scheme": scheme})

    def bundled(name):
        return lambda steps: load_problem(bundled_problem(name), [f"scheme.steps={steps}"])

    linear, both = {"exact": -1.0}, {"exact": -1.0, "gao2025-general-sde": -0.5}
    two_modes = r"Two modes $\frac{1}{2}N(-1, \frac{1}{4}) + \frac{1}{2}N(1, \frac{1}{4})$"
    geyser = "Old Faithful: 272 eruptions, smoothed"
    return [
        (r"Gaussian $N(0, \frac{1}{4})$", gaussian, _DEMO_STEPS["gaussian"], both),
        (two_modes, bundled("two_modes"), _DEMO_STEPS["two_modes"], linear),
        (geyser, bundled("old_faithful"), _DEMO_STEPS["old_faithful"], linear),
    ]


def _bounds_and_truth(question):
    """({theorem: bound} of the upper bounds that apply, measured error) of one problem."""
    setting, _ = _setting(question, "all")
    upper = [theorem for theorem in _theorems(None) if theorem.kind == "upper" and not theorem.unmet(setting)]
    return {theorem.key: theorem.bound(setting).total for theorem in upper}, _measured(setting, question.law)


@cli.command(short_help="Check the installation.")
@_JSON
def doctor(as_json):
    """Versions, optional parts, and whether another project overwrote the packages this one consists of."""
    from verify import report

    checks = [*_versions(), *_owners()]
    if as_json:
        _print_json({"checks": checks, "ok": all(check["ok"] for check in checks)})
    else:
        _print(report.checks_table(checks))
    return HOLDS if all(check["ok"] for check in checks) else WRONG


def _versions() -> list[dict]:
    """Installed versions; what is optional may be missing."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    checks = [{"name": "python", "found": platform.python_version(), "ok": sys.version_info >= (3, 11)}]
    needed = ("numpy", "scipy", "sympy", "click", "rich", "array-api-compat", "matplotlib")
    optional = {"torch": "extra torch", "POT": "extra transport"}
    for name in ("sgm-bounds", *needed, *optional):
        try:
            found, ok = version(name), True
        except PackageNotFoundError:
            found, ok = "not installed", name not in needed
            found += f" (optional: {optional[name]})" if name in optional else ""
            found += " (running from its source)" if name == "sgm-bounds" else ""
        checks.append({"name": name, "found": found, "ok": ok})
    return checks


def _owners() -> list[dict]:
    """Whether the three packages are this project's, by owner and by the hashes it was installed with."""
    from importlib.metadata import PackageNotFoundError, distribution, packages_distributions

    try:
        files = distribution("sgm-bounds").files or []
    except PackageNotFoundError:
        files = []
    owners, checks = packages_distributions(), []
    for package in ("bounds", "closed_form", "verify"):
        others = sorted({_canonical(name) for name in owners.get(package, [])} - {"sgm-bounds"})
        changed = [str(file) for file in files if file.parts[0] == package and _is_changed(file)]
        where = _folder(package)
        found = [f"in {where}"] if where else ["not found"]
        if others:
            found.append(f"also claimed by {', '.join(others)}: uninstall it, then reinstall sgm-bounds")
        if changed:
            found.append(
                f"changed since installation: {', '.join(changed[:3])}{'…' if len(changed) > 3 else ''}"
            )
        checks.append(
            {
                "name": f"package {package}",
                "found": "; ".join(found),
                "ok": not (others or changed) and bool(where),
            }
        )
    return checks


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _folder(package: str) -> str | None:
    """Where a package is imported from, without importing it."""
    from importlib.util import find_spec

    spec = find_spec(package)
    return (
        None
        if spec is None
        else str(Path(spec.origin).parent if spec.origin else "a folder without __init__.py")
    )


def _is_changed(file) -> bool:
    """Whether an installed file differs from the hash recorded for it, or is gone."""
    import base64
    import hashlib

    if file.hash is None:
        return False
    try:
        content = file.locate().read_bytes()
    except OSError:
        return True
    digest = hashlib.new(file.hash.mode, content).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != file.hash.value


def main() -> None:
    """Entry point of the console script."""
    import signal
    import warnings

    if not sys.warnoptions and not os.environ.get("SGM_BOUNDS_DEBUG"):
        warnings.simplefilter("ignore")  # what overflows is in the numbers; stderr is for one line
    if hasattr(signal, "SIGTERM"):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that unfinished files are removed
    cli.main()


if __name__ == "__main__":
    main()
