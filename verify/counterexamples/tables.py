"""Random problems as the tables of a problem file, so that each can be read, shrunk, saved and asked
again."""

from collections.abc import Mapping

import numpy as np

from bounds.processes import families
from bounds.samplers import samplers
from bounds.theorem import Domain
from verify.counterexamples.drawing import Draw, choice, log_uniform

#: What a problem may make large, so that each term of a bound matters in some.
EMPHASES = ("nothing", "initial", "steps", "score")
#: The same, with early stopping and a prior of another size than p_T: what a hunt makes large.
HUNTED = (*EMPHASES, "stopping", "prior")
#: Data N(0, I), an exact score and a long horizon: a variance preserving process leaves such data as they
#: are, and the steps are all there is.  No random data are these.
STANDARD = "standard"
PRESERVING = ("ou", "vp")
#: Langevin in two or three long steps from data that it leaves as they are, with a large score error: there
#: the metric loses least of it.
STATIONARY = "stationary"


def checked(domain: Domain) -> tuple[str, ...]:
    """What a check makes large, in turn."""
    return (*EMPHASES, STANDARD) if set(PRESERVING) & set(domain.process or ONE_BLOCK) else EMPHASES


def hunted_last(domain: Domain) -> tuple[str, ...]:
    """What a hunt draws after all others."""
    return (STATIONARY,) if domain.process == ("cld",) else ()


#: Families that a theorem for any process of one block is tried on, and laws for data of any kind.
ONE_BLOCK = ("ou", "vp", "ve", "sub-vp", "general")
#: Families that reach every noise level.
FAR = ("ou", "vp", "ve", "edm", "flow-matching")
#: The laws that have an assumption, by its key.
LAWS = {"strong-log-concave": "gaussian", "weak-log-concave": "mixture", "smoothed-support": "mixture",
        "log-lipschitz": "mixture"}


def draw_tables(draw: Draw, domain: Domain, most_steps: int = 300, emphasis: str | None = None) -> dict:
    """A random problem of a domain, as the tables ``process``, ``data`` and ``scheme``.

    Parameters
    ----------
    emphasis : str, optional
        One of `HUNTED`, `STANDARD`, or `STATIONARY` (for Langevin); one of `EMPHASES` is drawn by default.

    Raises
    ------
    ValueError
        If no law with an exact answer has the data of the domain, or a family has no example to draw.
    """
    emphasis = emphasis or choice(draw, EMPHASES)
    if emphasis == STATIONARY:
        return _stationary(draw, domain)
    process = _process(draw, domain, emphasis)
    shortest, longest = {"initial": (0.02, 2.0), STANDARD: (4.0, 8.0)}.get(emphasis, (0.1, 8.0))
    horizon = _rounded(log_uniform(draw, shortest, longest))
    scheme = _scheme(draw, domain, process["family"] == "cld", horizon, most_steps, emphasis)
    data, size = _data(draw, domain, emphasis)
    for key, chance in (() if emphasis == STANDARD else (("score_error", 2), ("score_noise", 3))):
        if emphasis == "score" and key == "score_error":
            scheme[key] = _rounded(log_uniform(draw, 1.0, 100.0) / size)
        elif draw.integer(0, chance) == 0:
            scheme[key] = _rounded(log_uniform(draw, 1e-3, 1.0) / size)
    if isinstance(data.get("covariance"), list) and draw.integer(0, 1):
        data["covariance"].reverse()  # the mean is along the widest direction in place of the narrowest
    if samplers()[scheme["kind"]].follows_ode:  # drawn last, for these alone: other draws stay as they were
        scheme = _of_levels(draw, process["family"], scheme)
    return {"process": process, "data": data, "scheme": scheme}


def _of_levels(draw: Draw, family: str, scheme: dict) -> dict:
    """The sampler in a third of the cases on a ρ-grid of noise levels, and in a fifth from a wider prior."""
    on_levels, wider = draw.integer(0, 2) == 0 and family in FAR, draw.integer(0, 4) == 0
    if wider and "prior_std" not in scheme:
        scheme = {**scheme, "prior": "spread"}
    if not on_levels:
        return scheme
    kept = {key: value for key, value in scheme.items() if key not in ("horizon", "grid", "early_stop")}
    highest = _rounded(log_uniform(draw, 1.0, 80.0))
    return {**kept, "grid": "rho", "sigma_max": highest, "rho": choice(draw, (1.0, 7.0)),
            "sigma_min": _rounded(highest * log_uniform(draw, 1e-4, 0.3)),
            "last_zero": bool(draw.integer(0, 1))}


def _stationary(draw: Draw, domain: Domain) -> dict:
    sigma = _rounded(log_uniform(draw, 0.3, 6.0))
    known = samplers(2)
    kind = choice(draw, [key for key in domain.sampler or known if key in known] or list(known))
    return {"process": {"family": "cld", "sigma": sigma, "velocity_variance": sigma**2 / 4},
            "data": {"law": "gaussian", "mean": 0.0, "covariance": sigma**2 / 4, "dim": 1},
            "scheme": {"kind": kind, "horizon": _rounded(log_uniform(draw, 4.0, 8.0)),
                       "steps": draw.integer(2, 3),
                       "score_error": _rounded(log_uniform(draw, 100.0, 1e3) / sigma)}}


def _rounded(value: float) -> float:
    """To three significant digits, and to nine decimals: problems are read by people."""
    return round(float(f"{value:.3g}"), 9)


def _process(draw: Draw, domain: Domain, emphasis: str) -> dict:
    known = domain.process or ONE_BLOCK
    preserving = [key for key in PRESERVING if key in known] if emphasis == STANDARD else []
    family = choice(draw, preserving or known)
    level, slope = _rounded(log_uniform(draw, 0.1, 5.0)), _rounded(log_uniform(draw, 0.1, 10.0))
    rate = _rounded(draw.uniform(-1.0, 1.0))
    speeds = (f"{level}", f"{level} + {slope}*t", f"{level}*exp({rate}*t)", f"{level} + t^2")
    drift = choice(draw, (f"{level}/2", f"{rate}/2", f"{level}*sin(3*t) - {rate}/2", "0"))
    match family:
        case "vp" | "sub-vp":
            return {"family": family, "beta": choice(draw, speeds)}
        case "ve":
            return {"family": family, "g": choice(draw, speeds)}
        case "general":
            return {"family": family, "f": drift, "g": choice(draw, (*speeds, f"1 + 0.9*cos(2*t + {level})"))}
        case "cld":
            return {"family": family, "sigma": _rounded(log_uniform(draw, 0.3, 6.0)),
                    "velocity_variance": _rounded(log_uniform(draw, 0.05, 4.0)),
                    "epsilon": choice(draw, (0, _rounded(log_uniform(draw, 0.05, 1.0)))),
                    "clock": choice(draw, ("t", f"{level}*t", "t + t^2"))}
    examples = {name: each.example for name,
                each in families()[family].coefficients.items() if each.default is None}
    if None in examples.values():
        raise ValueError(f"process {family} has a coefficient without an example: no problem can be drawn")
    return {"family": family, **examples}


def _scheme(draw: Draw, domain: Domain, phase: bool, horizon: float, most_steps: int, emphasis: str) -> dict:
    known = samplers(2 if phase else 1)
    noisy = [key for key in known if not known[key].follows_ode]
    kind = choice(draw, [key for key in domain.sampler or noisy if key in known] or noisy)
    few = {"steps": 8, STANDARD: 30}.get(emphasis, most_steps)
    steps = max(1, round(log_uniform(draw, 1, max(few, 1))))
    if emphasis in ("initial", "stopping"):
        steps = max(steps, most_steps // 3)
    table = {"kind": kind, "horizon": horizon, "steps": steps}
    # a theorem that names none of them draws what it always drew
    table |= {each.name: _rounded(draw.uniform(*each.drawn)) for each in known[kind].parameters
              if each.name in domain.parameters}
    if emphasis == "prior" and not phase:
        table["prior_std"] = _rounded(log_uniform(draw, 0.1, 10.0))
    match choice(draw, domain.grid or ("uniform", "uniform", "geometric", "list")):
        case "geometric":
            table["grid"] = "geometric"
        case "list":
            # awkward: alternating long and short steps
            lengths = np.tile([1.0, log_uniform(draw, 0.05, 1.0)], steps)[:steps]
            times = horizon * (1 - np.append(0.0, np.cumsum(lengths)) / lengths.sum())
            table |= {"grid": [*(float(f"{t:.6g}") for t in times[:-1]), 0.0]}
    if emphasis == "stopping" and not isinstance(table.get("grid"), list):
        table["early_stop"] = _rounded(draw.uniform(0.2, 0.99) * horizon)
    elif "grid" not in table and emphasis != STANDARD and draw.integer(0, 3) == 0:
        table["early_stop"] = _rounded(log_uniform(draw, 1e-3, 0.2) * horizon)
    return table


def _data(draw: Draw, domain: Domain, emphasis: str) -> tuple[dict, float]:
    """(the table, the size of the data in one direction)."""
    fitting = [LAWS[key] for key in domain.data
               or ("strong-log-concave", "strong-log-concave", "weak-log-concave")
               if key in LAWS]
    if not fitting:
        raise ValueError(f"no law with an exact answer has data {' or '.join(domain.data)}: no problem can be drawn")
    std = _rounded(log_uniform(draw, 0.1, 10.0 if choice(draw, fitting) == "gaussian" else 3.0))
    if emphasis == "stopping":  # which matters to data that are narrow, or far away
        std = _rounded(std * choice(draw, (0.1, 1.0)))
    far = _rounded((log_uniform(draw, 5.0, 50.0) if emphasis == "initial"
                    or (emphasis == "stopping" and std > 0.1) else
                    choice(draw, (0.0, 1.0)) * log_uniform(draw, 0.1, 5.0)) * std)
    if choice(draw, fitting) == "gaussian":
        dim = choice(draw, (1, 1, 2, 10, 100))
        if emphasis == STANDARD:
            return {"law": "gaussian", "mean": 0.0, "covariance": 1.0, "dim": dim}, 1.0
        if dim == 1 or draw.integer(0, 1):
            return {"law": "gaussian", "mean": far, "covariance": _rounded(std**2), "dim": dim}, std
        variances = [_rounded(std**2 * x) for x in np.geomspace(1.0, log_uniform(draw, 1.0, 20.0), dim)]
        mean = [0.0] * dim
        mean[choice(draw, (0, -1))] = far
        return {"law": "gaussian", "mean": mean, "covariance": variances}, std
    radius = draw.uniform(0.2, 1.5) * std
    places = [_rounded(far + radius * x) for x
              in (-1.0, *([draw.uniform(-1.0, 1.0)] * draw.integer(0, 1)), 1.0)]
    dim = choice(draw, (1, 1, 3))
    table = {"law": "mixture", "means": [[place, *[0.0] * (dim - 1)] for place in places], "std": std}
    if domain.data and not {"weak-log-concave", "smoothed-support"} & set(domain.data):
        table |= {"assumption": "log-lipschitz", "alpha": 1 / std**2, "L": 1 / std**2,
                  "lipschitz": radius * 1.01 / std**2}
    return table, std


def changes(tables: Mapping) -> list[dict]:
    """Problems like this one, each with one thing changed that a hypothesis may ask for."""
    scheme, data = tables["scheme"], tables["data"]
    found = [{"scheme": {**scheme, key: 0.0}} for key in ("score_error", "score_noise", "early_stop")
             if scheme.get(key)]
    if isinstance(scheme.get("grid"), list):
        found.append({"scheme": {key: value for key, value in scheme.items() if key != "grid"}})
    else:
        steps = scheme["steps"]
        found += [{"scheme": {**scheme, "steps": count}} for count in (8 * steps, 64 * steps, 512 * steps, 1)
                  if count <= 50_000]
    if not isinstance(scheme.get("grid"), list) and "horizon" in scheme:
        horizon = scheme["horizon"]
        found += [{"scheme": {**scheme, "horizon": _rounded(horizon * factor)}}
                  for factor in (4.0, 0.25, 20.0, 0.02)]
        if not scheme.get("early_stop"):
            found.append({"scheme": {**scheme, "early_stop": _rounded(horizon / 20)}})
        if scheme.get("grid"):
            found.append({"scheme": {key: value for key, value in scheme.items() if key != "grid"}})
    found += [{"data": each} for each in _other_data(data)]
    return [{**tables, **change} for change in found]


def _other_data(data: Mapping) -> list[dict]:
    """Data of another size, centred, or with directions narrower and wider than 1."""
    if data["law"] == "mixture":
        return [] if "assumption" in data else [{**data, "std": _rounded(data["std"] * x)} for x
                                                in (3.0, 0.5)]
    spread, mean = np.asarray(data["covariance"], dtype=float), np.atleast_1d(data["mean"])
    found = [{**data, "covariance": (factor * spread).tolist()} for factor in (0.1, 10.0)]
    ends = sorted({_rounded(float(x)) for value in (spread.min(), spread.max()) for x in (value, 1 / value)})
    found.append({**data, "dim": 2, "mean": [0.0, float(mean[np.argmax(np.abs(mean))])],
                  "covariance": [ends[0], ends[-1]]})
    if np.any(mean):
        found.append({**data, "mean": (0.0 * mean).tolist() if len(mean) > 1 else 0.0})
    return found
