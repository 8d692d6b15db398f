"""Say everything about one process: as plain data, as LaTeX, as a sheet of lines and a table.

Sympy and rich are imported when used.
"""

from collections.abc import Mapping
from typing import Any

from verify.pages.tables import empty_table
from verify.plain import plain

_CLOSED_FORMS = {
    "integral_f": ("∫f from r to τ", r"\int_r^\tau f"),
    "integral_g_sq": ("∫g² from r to τ", r"\int_r^\tau g^2"),
    "transition": ("Φ(τ, r)", r"\Phi(\tau, r)"),
    "covariance": ("C(τ, r)", r"C(\tau, r)"),
    "a": ("a(t) = Φ(t, 0)", "a(t)"),
    "s_sq": ("s²(t) = C(t, 0)", "s^2(t)"),
}

_PHASE_FORMS = {
    "drift": ("A", "A"),
    "noise": ("Σ", r"\Sigma"),
    "transition": ("Φ = e^{uA}", "e^{uA}"),
    "stationary": ("Σ_∞", r"\Sigma_\infty"),
    "covariance": ("C(u) = ∫ΦΣΣᵀΦᵀ", "C(u)"),
    "kernel_mean": ("φ: E[U|X_0] = φ X_0", r"\varphi_u"),
    "kernel_covariance": ("S: covariance of U given X_0", "S_u"),
    "renormalised_drift": ("Ã = Σ_∞AᵀΣ_∞⁻¹", r"\tilde A"),
    "metric": ("𝔐 for ε = 0, any κ > 1", r"\mathfrak{M}"),
    "rate_mean": ("ρ, the mean rate of decay", r"\rho"),
    "discriminant": ("δ: 0 where damping is critical, negative below", r"\delta"),
    "rate": ("its rate: 𝔐Ã + Ãᵀ𝔐 ⪯ −2η𝔐", r"\eta"),
}


def process_facts(process, parameters: Mapping[str, Any]) -> dict:
    """Everything ``show`` says about a process, as plain data: what sympy derived, and by which route.

    Langevin dynamics are shown in its clock's time u = ∫β, symbolic but for the parameters given.
    """
    import sympy

    if process.blocks == 2:
        return _phase_facts(process, parameters)
    f, g_sq = sympy.latex(process.f), sympy.latex(process.g_sq)
    closed = {}
    for name, derived in process.closed_forms().items():
        label, latex = _CLOSED_FORMS[name]
        closed[name] = {
            "label": label,
            "expression": str(derived.expression),
            "latex": f"{latex} = {sympy.latex(derived.expression)}",
            "route": derived.route,
        }
    return {
        "key": process.name,
        "parameters": plain(parameters),
        "f": str(process.f),
        "g_sq": str(process.g_sq),
        "text": "dX = −f X dt + g dB",
        "where": f"f(t) = {process.f},  g(t)² = {process.g_sq}",
        "latex": rf"dX = -f X\,dt + g\,dB,\quad f(t) = {f},\quad g(t)^2 = {g_sq}",
        "closed_forms": closed,
    }


def _phase_facts(process, parameters: Mapping[str, Any]) -> dict:
    import sympy

    from bounds.processes import cld, langevin

    constants = {name: value for name, value in parameters.items() if name != "clock"}
    closed, family = {}, langevin if process.name == langevin.FAMILY.key else cld
    for name, expression in family.closed_forms(**constants).items():
        label, latex = _PHASE_FORMS[name]
        text = str(expression.tolist()) if isinstance(expression, sympy.MatrixBase) else str(expression)
        closed[name] = {
            "label": label,
            "expression": text,
            "latex": f"{latex} = {sympy.latex(expression)}",
            "route": "closed form",
        }
    clock = str(process.clock) if "clock" in parameters else "∫β"
    return {
        "key": process.name,
        "parameters": plain(parameters),
        "clock": clock,
        "text": "dU = β A U dt + √β Σ dB, U = (X, V), V_0 ~ N(0, v²)",
        "where": f"in the clock's time u = {clock}; ε, σ are the noise of position and velocity",
        "latex": r"dU = \beta A U\,dt + \sqrt{\beta}\,\Sigma\,dB,\quad u = "
        + (sympy.latex(process.clock) if "clock" in parameters else r"\int_0^t\beta"),
        "closed_forms": closed,
    }


def process_latex(facts: Mapping) -> str:
    """A process as a LaTeX ``align*`` environment."""
    lines = [rf"& {facts['latex']}"]
    lines += [rf"& {entry['latex']} && \text{{({entry['route']})}}"
              for entry in facts["closed_forms"].values()]
    return "\n".join([r"\begin{align*}", " \\\\\n".join(lines), r"\end{align*}"])


def process_sheet(facts: Mapping) -> list:
    """A process as lines and a table."""
    from rich.text import Text

    table = empty_table("quantity", "expression", "route")
    for entry in facts["closed_forms"].values():
        table.add_row(entry["label"], entry["expression"], entry["route"])
    chosen = ", ".join(f"{key} = {value}" for key, value in facts["parameters"].items())
    return [Text(f"{facts['key']}: {facts['text']}{f' with {chosen}' if chosen else ''}", "bold"),
            facts["where"], table]
