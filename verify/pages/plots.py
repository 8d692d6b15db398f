"""Draw bounds and the exact error on matplotlib axes; nothing here reads, writes or shows a figure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from verify.pages import palette

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from closed_form.bracket import Bracket

__all__ = ["log_concavity_is_not_enough", "plot_bounds"]

_EXACT = "exact W2 of the sampler"


def plot_bounds(ax: Axes, steps: Sequence[int], exact: Sequence[float] | Sequence[Bracket],
                bounds: Mapping[str, Sequence[float]], *, title: str = "", ceiling: float | None = None,
                guides: Mapping[str, float] | None = None) -> Axes:
    r"""Bounds as lines and the exact error as markers over the number of steps, on log-log axes.

    Parameters
    ----------
    ax : matplotlib Axes
        Drawn on and returned.
    steps : sequence of int, shape (m,)
        Increasing.
    exact : sequence of Bracket or float, shape (m,)
        A bracket wider than its marker gets an error bar; one without an upper side is left out.
    bounds : mapping of label to sequence of float, each of shape (m,)
        Infinite or NaN where there is none.
    title : str
    ceiling : float, optional
        :math:`\sqrt{E\|X_0\|^2}`: bounds above it say less than the point 0 does; that region is shaded.
    guides : mapping of label to slope, optional
        A dotted line of that slope below the line of that label, or below the markers for any other label.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        If the sequences have different lengths, or fewer than two steps are given.
    """
    import numpy as np

    steps = np.asarray(steps, dtype=float)
    sides = np.array([(e.lower, e.upper) if hasattr(e, "lower") else (e, e) for e in exact], dtype=float)
    lengths = {len(steps), len(sides), *(len(values) for values in bounds.values())}
    if len(lengths) != 1 or len(steps) < 2:
        raise ValueError(
            f"steps, exact and bounds must have one length of at least 2, got lengths {sorted(lengths)}"
        )
    lines = {label: np.asarray(values, dtype=float) for label, values in bounds.items()}
    lines = {label: np.where(np.isfinite(values), values, np.nan) for label, values in lines.items()}
    styles = palette.styles(lines)
    for label, values in lines.items():
        # a theorem that does not apply, or is infinite, has no line, and no place in the legend
        if np.isfinite(values).any():
            ax.plot(steps, values, linewidth=2.2, label=label, zorder=3, solid_capstyle="round", **styles[label])
    known = np.isfinite(sides[:, 1])
    middle, half = sides.mean(axis=1)[known], (np.diff(sides)[:, 0] / 2)[known]
    seen = half > 0.02 * middle
    ax.plot(steps[known], middle, "o", color=palette.EXACT, markersize=6, label=_EXACT, zorder=5)
    ax.errorbar(steps[known][seen], middle[seen], half[seen], fmt="none", ecolor=palette.EXACT, elinewidth=1.2,
                zorder=4)
    for label, slope in (guides or {}).items():
        values = lines.get(label, np.interp(steps, steps[known], middle) if known.any() else None)
        if values is not None and np.isfinite(values[-1]):
            _guide(ax, steps, float(values[-1]), slope)
    if known[-1]:
        _gap(ax, float(steps[-1]), [float(values[-1]) for values in lines.values()], float(middle[-1]))
    _finish(ax, title, ceiling)
    ax.set_xlim(steps[0] / 1.4, steps[-1] * 2.4)
    everything = np.concatenate([middle, *lines.values()])
    everything = everything[np.isfinite(everything) & (everything > 0)]
    if everything.size:
        top = everything.max() if ceiling is None else min(everything.max(), ceiling)
        ax.set_ylim(everything.min() / 3, 3 * top)
    return ax


def _finish(ax, title: str, ceiling: float | None) -> None:
    """Scales, ticks as plain numbers, grid, and the region where a bound says nothing."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.xaxis.set_major_locator(LogLocator(10))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_xlabel("steps K")
    if title:
        ax.set_title(title, fontsize=12, pad=8)
    ax.grid(True, which="major", color=palette.GRID, linewidth=0.8, zorder=0)
    ax.spines[["top", "right"]].set_visible(False)
    if ceiling is not None:
        ax.axhspan(ceiling, 1e12 * ceiling, color=palette.SHADE, zorder=0.5, linewidth=0)
        ax.annotate(r"vacuous: above $\sqrt{E\,\Vert X_0\Vert^2}$", (0.98, ceiling),
                    xycoords=("axes fraction", "data"), xytext=(0, 13), textcoords="offset points", ha="right",
                    va="bottom", fontsize=9, color=palette.NOTE)


def _gap(ax, steps: float, bounds: Sequence[float], exact: float) -> None:
    """How many times the exact error the tightest bound is, at the last number of steps."""
    tightest = min((value for value in bounds if math.isfinite(value)), default=0.0)
    if not tightest > exact > 0:
        return
    ax.plot([steps, steps], [exact, tightest], color=palette.MUTED, linewidth=1, zorder=1)
    ax.annotate(f"{tightest / exact:.3g}×", (steps, math.sqrt(exact * tightest)), xytext=(8, 0),
                textcoords="offset points", ha="left", va="center", fontsize=10.5, color=palette.EXACT)


def _guide(ax, steps, last: float, slope: float) -> None:
    """A dotted line of a slope below the end of a curve, with its slope in words."""
    ends = [float(steps[-1]) / 5, float(steps[-1])]
    heights = [0.5 * last * (end / steps[-1]) ** slope for end in ends]
    ax.plot(ends, heights, ":", color=palette.MUTED, linewidth=1.6, zorder=2)
    text = {-1.0: "slope −1", -0.5: "slope −½"}.get(slope, f"slope {slope:g}")
    place = {"xytext": (-3, -2), "ha": "right", "va": "top"}
    middle = math.sqrt(ends[0] * ends[1]), math.sqrt(heights[0] * heights[1])
    ax.annotate(text, middle, textcoords="offset points", color=palette.MUTED, fontsize=9.5, **place)


def demo_figure(panels: Sequence[Mapping[str, Any]], title: str = "") -> Figure:
    """Several `plot_bounds` side by side with one scale of errors and one legend.

    Parameters
    ----------
    panels : sequence of mappings
        Arguments of `plot_bounds`, without the axes.
    title : str

    Returns
    -------
    matplotlib Figure
        Not tied to pyplot, so that nothing global changes.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.3 * len(panels), 4.9), layout="constrained")
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    named, limits = {}, []
    for ax, panel in zip(axes, panels, strict=True):
        plot_bounds(ax, **panel)
        limits.append(ax.get_ylim())
        handles, labels = ax.get_legend_handles_labels()
        named = {**dict(zip(labels, handles, strict=True)), **named}
    axes[0].set_ylim(min(low for low, _ in limits), max(high for _, high in limits))
    axes[0].set_ylabel("2-Wasserstein distance to the data")
    order = sorted(named, key=lambda label: (label == _EXACT, list(named).index(label)))
    figure.legend([named[label] for label in order], order, loc="outside lower center", ncols=len(order),
                  frameon=False, handlelength=2.6, columnspacing=2.2)
    if title:
        figure.suptitle(title, fontsize=13.5)
    return figure


def log_concavity_is_not_enough(ax: Axes, correlations: Sequence[float] = (0.0, 0.5, 0.9),
                                sigma: float = 2.0) -> Axes:
    r"""Growth rate of :math:`|Z|^2` from the score of a log-concave law, over the directions Z of phase
    space.

    .. math:: 2 Z^T \Sigma\Sigma^T H Z, \quad |Z| = 1, \quad H = \begin{pmatrix} -1 & c \\ c & -1 \end{pmatrix},
              \quad \Sigma = \mathrm{diag}(0, \sigma).

    Parameters
    ----------
    ax : matplotlib Axes
        Drawn on and returned.
    correlations : sequence of float
        c of every line, between −1 and 1: the law is (1 − \|c\|)-log-concave.
    sigma : float
        Noise σ of the velocity.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ValueError
        If a c is not between −1 and 1, where H is not log-concave.

    References
    ----------
    arXiv 2511.02419 (slides); `bounds.processes.cld.log_concavity_is_not_enough`.
    """
    import numpy as np

    from bounds.processes.cld import correlation
    from bounds.processes.cld import log_concavity_is_not_enough as counterexample
    from bounds.processes.cld import sigma as noise

    if not correlations or not all(-1 < c < 1 for c in correlations):
        raise ValueError(f"correlations must lie strictly between -1 and 1, got {tuple(correlations)}")
    _, symmetric, _ = counterexample()
    angles = np.linspace(-np.pi / 2, np.pi / 2, 721)
    directions = np.stack([np.cos(angles), np.sin(angles)])
    for c, color in palette.series(correlations).items():
        matrix = np.array(symmetric.subs({correlation: c, noise: sigma}), dtype=float)
        rates = 2 * np.einsum("in,ij,jn->n", directions, matrix, directions)
        label = f"c = {c:g}: {1 - abs(c):g}-log-concave"
        ax.plot(np.degrees(angles), rates, linewidth=2.2, label=label, color=color, zorder=3)
        top = int(np.argmax(rates))
        if rates[top] > 1e-12 * sigma**2:
            ax.plot(np.degrees(angles[top]), rates[top], "o", color=color, markersize=6, zorder=4)
    ax.axhline(0.0, color=palette.EXACT, linewidth=1, zorder=2)
    low, high = ax.get_ylim()
    ax.set_ylim(low, max(high, -0.1 * low))
    ax.axhspan(0.0, 1e3 * sigma**2, color=palette.SHADE, zorder=0.5, linewidth=0)
    ax.annotate("$|Z|$ grows", (0.02, 1), xycoords="axes fraction", xytext=(0, -4),
                textcoords="offset points", ha="left", va="top", fontsize=9, color=palette.NOTE)
    ax.set_xlim(-90, 90)
    ax.set_xticks([-90, -45, 0, 45, 90])
    ax.set_xlabel("direction of $Z$: degrees from position (0) to velocity (90)")
    ax.set_ylabel(r"$2\,Z^\top \Sigma\Sigma^\top H Z$")
    ax.grid(True, which="major", color=palette.GRID, linewidth=0.8, zorder=0)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, loc="lower center", fontsize=9.5)
    return ax
