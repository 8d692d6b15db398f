"""The command ``regimes``: when the reverse flow contracts, as numbers and as a picture."""

import click

from verify.command_options import JSON_OPTION, SET_OPTION, load_question, picture_options
from verify.pages import tables
from verify.pages.console import HOLDS, Failure, naming, print_json, print_text
from verify.pages.figure import write_figure
from verify.plain import plain


@click.command(short_help="Contractive and non-contractive phases of the reverse flow.")
@click.argument("problem")
@click.option(
    "--rho", type=float, default=0.0, show_default=True, help="Margin of contraction, 0 <= rho < 1."
)
@picture_options("Also draw the rate over time.")
@SET_OPTION
@JSON_OPTION
def regimes(problem, rho, out, force, overrides, as_json):
    """From when on p_t is log-concave (ξ), and from when on the reverse flow contracts at rate ρ (η), on
    PROBLEM."""
    from verify.studies.regimes import plot_regimes, regimes_of

    question = load_question(problem, overrides)
    if not question.assumptions:
        raise Failure(f"data assumption: {'; '.join(question.notes)}")
    with naming("regimes"):
        found = regimes_of(question.process, question.assumptions[0], question.scheme.grid.horizon, rho)
    wrote = write_figure(out, force, lambda figure: plot_regimes(figure.add_subplot(), found),
                         title=tables.describe(question))
    if as_json:
        print_json({**plain(found.as_dict()), "notes": list(question.notes), "problem": question.as_dict()})
        return HOLDS
    lines = [
        f"log-concave from t = {found.xi:.4g} on (ξ)",
        f"contracting at rate {found.rho:g} from t = {found.eta:.4g} on (η)",
        f"contractive phase of the sampler ends at backward time {found.backward_time:.4g} of "
        f"{found.horizon:g} (T − η)",
    ]
    if found.metric is not None:
        lines += _metric_lines(found)
    print_text(tables.describe(question), "", *lines, *wrote, *question.notes)
    return HOLDS


def _metric_lines(found) -> list[str]:
    """What the rate of two blocks is measured in."""
    seen, constant = found.metric, found.metric["regularity_constant"]
    growth = "shrink by e^" if seen["integrated_rate"] >= 0 else "grow by at most e^"
    bounded = (
        f"regularity constant C_T = {constant:.4g}: ∇² log(p_t/p_∞), the velocity's row (epsilon > 0: all of "
        f"it), is at most "
        "C_T (1 + 1/√t)(1 + t²) e^(−2at) on the clock"
        if constant < float("inf")
        else "no regularity constant: the score of a velocity that starts from a point grows like 1/t "
        "(velocity_variance = 0)"
    )
    return [
        f"in the metric of κ = {seen['kappa']:.4g}, where the drift contracts at rate "
        f"{seen['drift_rate']:.4g} of the clock",
        f"over [0, {found.horizon:g}] errors {growth}{abs(seen['integrated_rate']):.4g}",
        bounded,
    ]


COMMAND = regimes
