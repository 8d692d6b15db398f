"""The command ``sample``: the particles of the sampler in a .npy file."""

import math
import os
from pathlib import Path

import click

from verify.command_options import JSON_OPTION, SET_OPTION, load_question, setting_or_reason
from verify.pages.console import Failure, print_json, print_text, progress
from verify.pages.new_file import new_file


@click.command(short_help="Run the sampler and write its samples.")
@click.argument("problem")
@click.option(
    "--out", required=True, metavar="FILE.npy", help="Where to write; an existing file needs --force."
)
@click.option(
    "-n", "--particles", "n", type=click.IntRange(1, 10**12), default=10_000, show_default=True,
    help="Samples to draw.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Fixes the samples.")
@click.option(
    "--threads", type=click.IntRange(1, 256), default=1, show_default=True,
    help="Does not change the samples.",
)
@click.option(
    "--reduce/--no-reduce", default=None,
    help="Simulate only the span of the means (a funnel: its Gram matrix): same law, faster.  [default: where the "
    "means span little]",
)
@click.option("--backend", default="numpy", show_default=True, help="numpy or torch.")
@click.option("--device", default="cpu", show_default=True, help="A device of torch.")
@click.option("--dtype", default="float64", show_default=True, help="float64 or float32.")
@click.option("--step", "own_step", metavar="FILE.py:NAME",
              help="A step of one's own in place of the sampler's (docs/your-own-sampler.md).")
@click.option("--force", is_flag=True, help="Replace an existing file.")
@SET_OPTION
@JSON_OPTION
def sample(problem, out, n, seed, threads, reduce, backend, device, dtype, own_step, force, overrides,
           as_json):
    """Run the sampler of PROBLEM and write its samples, an array (n, dimension), to a .npy file."""
    if threads > 1:
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from verify.particles.backends import backend as backend_named
    from verify.particles.simulation import sample as draw

    question = load_question(problem, overrides)
    if question.law is None:
        raise Failure("sample needs data.law: constants alone have no score")
    chosen, step = backend_named(backend, device, dtype), own_step and _step_named(own_step)
    setting, _ = setting_or_reason(question, "all")
    steps = question.scheme.steps(question.process) if setting is None else setting.steps
    # nothing is imported once the file is there: an interrupt in the middle of that ends Python by the signal
    with new_file(out, force) as part, progress(f"{n} samples") as tell:
        _draw(draw, part, question, steps, tell, n=n, seed=seed, threads=threads, reduce=reduce,
              backend=chosen, step=step)
    written = {
        "path": out,
        "shape": [n, question.law.dim],
        "dtype": dtype,
        "seed": seed,
        "step": own_step,
        "problem": question.as_dict(),
    }
    if as_json:
        print_json(written)
    else:
        print_text(_written_line(written))


def _step_named(text: str):
    """The callable that FILE.py:NAME names."""
    from verify.python_file import object_in

    file, _, name = text.rpartition(":")
    if not file.endswith(".py"):
        raise Failure(f"step must be FILE.py:NAME, got {text!r}")
    return object_in(Path(file), name, "step", callable, "a callable step(y, k, now)")


def _written_line(written) -> str:
    """What ``sample`` wrote, in one line."""
    n, dim = written["shape"]
    line = (f"wrote {written['path']}: {n} samples in dimension {dim}, {written['dtype']}, seed "
            f"{written['seed']}")
    return line if written["step"] is None else f"{line}, by the step {written['step']}"


def _draw(draw, part: Path, question, steps, tell, *, n: int, backend, **options) -> None:
    """Samples straight into the file; its room is taken first: a full disk is then an error, not a crash."""
    import numpy as np

    shape = (n, question.law.dim)
    if hasattr(os, "posix_fallocate"):
        with open(part, "r+b") as file:
            os.posix_fallocate(file.fileno(), 0, math.prod(shape) * np.dtype(backend.dtype).itemsize + 4096)
    array = np.lib.format.open_memmap(part, mode="w+", dtype=backend.dtype, shape=shape)
    errors = {"score_error": question.score_error, "score_noise": question.score_noise}
    draw(question.law, steps, n, progress=tell, out=array, backend=backend, **errors, **options)
    array.flush()


COMMAND = sample
