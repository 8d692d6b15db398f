"""Measure the table of exact W2 against bounds that README and docs show: docs/data/tightness.json.

Run with ``make tables``.
"""

from __future__ import annotations

import json
from pathlib import Path

from bounds import ou, vp
from bounds.processes.cld import cld
from bounds.sampler import euler_maruyama
from bounds.theorems import theorems
from closed_form import Gaussian, GaussianMixture
from verify.certificates.certificate import certify_setting, measure
from verify.certificates.question import setting_of
from verify.problems.problem import bundled_problem, load_problem

OUT = Path(__file__).resolve().parents[2] / "docs" / "data" / "tightness.json"


def questions() -> dict[str, tuple]:
    """Name of the data in the tables: process, law and scheme, and the process's name."""
    faithful = load_problem(bundled_problem("old_faithful"))
    two_modes = GaussianMixture.two_modes(2.0, 0.5)
    return {
        "N(0, 1/4)": (ou(), Gaussian([0.0], 0.25), euler_maruyama(4, 400), "OU"),
        "N(0, I_100)": (ou(), Gaussian([0.0] * 100, 1.0), euler_maruyama(4, 1600), "OU"),
        "½N(±1, 1/4)": (ou(), two_modes, euler_maruyama(5, 400), "OU"),
        "N(0, 9 I_2)": (vp("1/10+199/10*t"), Gaussian([0.0, 0.0], 9.0), euler_maruyama(1, 500), "VP, β 0.1→20"),
        "Old Faithful, smoothed 0.7": (ou(), faithful.law, faithful.scheme, "OU"),
        "N(0, 1), position": (cld(), Gaussian([0.0], 1.0), euler_maruyama(8, 1600), "CLD, σ = 2, ε = 0"),
        "½N(±1, 1/4), position": (cld(), two_modes, euler_maruyama(10, 800), "CLD, σ = 2, ε = 0"),
    }


def row(data: str, process, law, scheme, name: str) -> dict:
    """One row: both sides of the exact W2, and every upper bound that applies."""
    setting = setting_of(process, law, scheme)
    truth = measure(setting, law)
    found = {key: certify_setting(theorem, setting, law, truth) for key, theorem in theorems().items()
             if theorem.kind == "upper"}
    bounds = {key: each.bound.total for key, each in found.items() if each.bound is not None}
    return {"process": name, "data": data, "horizon": float(scheme.grid.horizon), "steps": scheme.grid.steps,
            "exact": [truth.lower, truth.upper], "bounds": bounds}


def main() -> None:
    """Write the table."""
    rows = [row(data, *question) for data, question in questions().items()]
    OUT.write_text(json.dumps({"rows": rows}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
