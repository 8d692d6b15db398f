"""Every family of processes by the key that problem files use, with the coefficients each takes."""

from __future__ import annotations

from bounds.processes.cld import cld
from bounds.schedules import general, ou, sub_vp, ve, vp

FAMILIES = {
    "ou": (ou, ()),
    "vp": (vp, ("beta",)),
    "ve": (ve, ("g",)),
    "sub-vp": (sub_vp, ("beta",)),
    "general": (general, ("f", "g")),
    "cld": (cld, ("a", "sigma", "epsilon", "velocity_variance", "clock")),
}

#: Coefficients that may be left out, as they would be written.
DEFAULTS = {"cld": {"a": 1, "sigma": 2, "epsilon": 0, "velocity_variance": 1, "clock": "t"}}
