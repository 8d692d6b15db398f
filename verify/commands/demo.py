"""The command ``demo``: two bundled problems certified, and a picture of bounds against the exact error."""

import math
import os
from collections.abc import Callable

import click

from verify.command_options import JSON_OPTION, load_question, setting_or_reason, theorems_named
from verify.commands.certify import certificate_lines, certificates_of, measured_error, verdict_code
from verify.pages import plots
from verify.pages.console import naming, print_json, print_text, progress
from verify.pages.figure import save_figure

PICTURE = "sgm-bounds-demo.png"
#: Steps at which the demo's picture shows each problem.
DEMO_STEPS = {
    "gaussian": (25, 50, 100, 200, 400, 800, 1600, 3200, 6400),
    "two_modes": (25, 50, 100, 200, 400, 800, 1600),
    "old_faithful": (25, 50, 100, 200, 400, 1000),
}


@click.command(short_help="Certify two bundled problems and draw a picture.")
@click.option(
    "--out", default="out", show_default=True, metavar="DIR", help="Folder of the picture; made if missing."
)
@JSON_OPTION
def demo(out, as_json):
    """Certify two bundled problems and draw their bounds against the exact error over the number of steps."""
    os.makedirs(out, exist_ok=True)
    lines, certificates = [], []
    with progress("demo") as tell:
        for name in ("old_faithful", "two_modes"):
            question = load_question(name, ())
            found = certificates_of(question, theorems_named(None), "all", tell)
            certificates += found
            lines += ["", *certificate_lines(question, found, why=True)]
        with naming("demo"):
            picture = _picture(out, tell)
    if as_json:
        print_json({"certificates": [c.as_dict() for c in certificates], "picture": picture})
    else:
        print_text(*lines[1:], "", f"wrote {picture}")
    return verdict_code(certificates)


def _picture(folder: str, tell: Callable) -> str:
    """Write the demo's picture into a folder; returns its path."""
    panels = []
    for title, load, counts, guides in _problems():
        rows = []
        for index, steps in enumerate(counts):
            tell(index / len(counts), f"{title}: {steps} steps")
            rows.append(_bounds_and_truth(load(steps)))
        bounds = {key: [found[key] for found, _ in rows] for key in rows[0][0]}
        panel = {"title": title, "steps": counts, "exact": [truth for _, truth in rows], "bounds": bounds}
        ceiling = math.sqrt(load(counts[0]).law.second_moment)
        panels.append({**panel, "ceiling": ceiling, "guides": guides})
    figure = plots.demo_figure(panels, "Proved bounds and the exact error: OU process, Euler–Maruyama, T = 5")
    path = os.path.join(folder, PICTURE)
    save_figure(figure, path, force=True, dpi=180)
    return path


def _problems() -> list:
    """(title, number of steps -> problem, numbers of steps, slopes to draw) of every panel."""
    from verify.problems.problem import bundled_problem, load_problem, read_problem

    def gaussian(steps):
        scheme = {"kind": "euler-maruyama", "horizon": 5.0, "steps": steps}
        data = {"law": "gaussian", "mean": 0.0, "covariance": 0.25}
        return read_problem({"process": {"family": "ou"}, "data": data, "scheme": scheme})

    def bundled(name):
        return lambda steps: load_problem(bundled_problem(name), [f"scheme.steps={steps}"])

    linear, both = {"exact": -1.0}, {"exact": -1.0, "gao2025-general-sde": -0.5}
    two_modes = r"Two modes $\frac{1}{2}N(-1, \frac{1}{4}) + \frac{1}{2}N(1, \frac{1}{4})$"
    geyser = "Old Faithful: 272 eruptions, smoothed"
    return [(r"Gaussian $N(0, \frac{1}{4})$", gaussian, DEMO_STEPS["gaussian"], both),
            (two_modes, bundled("two_modes"), DEMO_STEPS["two_modes"], linear),
            (geyser, bundled("old_faithful"), DEMO_STEPS["old_faithful"], linear)]


def _bounds_and_truth(question):
    """({theorem: bound} of the upper bounds that apply, measured error) of one problem."""
    setting, _ = setting_or_reason(question, "all")
    upper = [each for each in theorems_named(None) if each.kind == "upper" and not each.unmet(setting)]
    return {each.key: each.bound(setting).total for each in upper}, measured_error(setting, question.law)


COMMAND = demo
