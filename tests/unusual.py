"""Admissible problems of unusual shape: features narrower than a step, near-singular ends, uneven grids."""

from dataclasses import dataclass, replace

import numpy as np

from bounds.grid import TimeGrid
from bounds.process import ForwardProcess
from bounds.processes.general import general
from bounds.processes.ve import ve
from bounds.processes.vp import vp
from bounds.sampler import Scheme
from bounds.samplers import samplers
from closed_form.laws.gaussian import Gaussian

#: Kinds of features, each drawn in turn.
KINDS = ("smooth", "spike", "box", "jump", "kink", "dip", "root", "singular", "steep", "chirp")

#: Samplers with noise, as every seed draws them: one more would move every draw.  Every seventh seed has one without in
#: its place, and another seventh one that takes parameters, at values of these.
NOISY = sorted(key for key,
               sampler in samplers(1).items() if not sampler.follows_ode and not sampler.parameters)
SILENT, SELDOM = sorted(key for key in samplers(1).keys() - NOISY if samplers(1)[key].follows_ode
                        and samplers(1)[key].evaluations == 1 and samplers(1)[key].multistep is None), 7
VALUED = sorted(key for key,
                sampler in samplers(1).items() if sampler.parameters and sampler.evaluations == 1)
VALUES = 7


@dataclass(frozen=True)
class Drawn:
    """A Gaussian problem and the kind of its coefficients."""

    kind: str
    process: ForwardProcess
    law: Gaussian
    scheme: Scheme


def draw(seed: int) -> Drawn:
    """The problem of a seed; the kinds take turns."""
    rng, kind = np.random.default_rng(seed), KINDS[seed % len(KINDS)]
    horizon = float(f"{_log_uniform(rng, 0.2, 20):.4g}")
    process = _process(rng, kind, horizon)
    law, scheme = _law(rng), _scheme(rng, horizon)
    if seed % SELDOM == SELDOM // 2:
        scheme = replace(scheme, sampler=samplers(1)[SILENT[seed // SELDOM % len(SILENT)]])
    if seed % SELDOM == SELDOM - 1:
        sampler, share = samplers(1)[VALUED[seed // SELDOM % len(VALUED)]], 1 - seed // SELDOM % VALUES / VALUES
        ends = {each.argument: each.drawn for each in sampler.parameters}
        scheme = replace(scheme, sampler=sampler.at(**{name: low + share * (high - low)
                                                       for name, (low, high) in ends.items()}))
    return Drawn(kind, process, law, scheme)


def draw_long(seed: int) -> Drawn:
    """Few steps over up to sixty e-folds of a(t): a drift that leaves next to nothing of the data."""
    rng = np.random.default_rng([seed, 1])
    first, growth = _log_uniform(rng, 0.01, 16), _log_uniform(rng, 0.01, 10)
    # ∫f = first T + growth T²/2
    whole = rng.uniform(1.0, 60.0)
    horizon = (np.sqrt(first**2 + 2 * growth * whole) - first) / growth
    rising, falling = _number(rng, 0.01, min(3.0, 50 / horizon)), _number(rng, 0.1, 1)
    shape = rng.choice(["1", "cosh(t)", "1+t", f"exp({rising}*t)", f"exp(-{falling}*t)"])
    law, scheme = Gaussian(rng.normal(size=1), _log_uniform(rng, 1e-3, 100)), _scheme(rng, horizon)
    keys = sorted(key for key, sampler in samplers(1).items() if sampler.evaluations == 1 and sampler.multistep is None)
    return Drawn("long", general(f"{first:.4g}+{growth:.4g}*t", str(shape)), law,
                 replace(scheme, sampler=samplers(1)[keys[seed % len(keys)]]))


def _log_uniform(rng, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _number(rng, low: float, high: float) -> str:
    return f"{_log_uniform(rng, low, high):.4g}"


def _process(rng, kind: str, horizon: float) -> ForwardProcess:
    size = 1 / horizon
    family = rng.choice(["vp", "ve", "general"])
    if family == "vp":
        # ∫β moderate, so that steps stay short enough for their data
        return vp(_shape(rng, kind, horizon, 0.1 * size, 3 * size))
    if family == "ve":
        return ve(_shape(rng, kind, horizon, 0.05, 3.0))
    f = f"{rng.choice(['', '-'])}({_shape(rng, rng.choice([kind, 'smooth']), horizon, 0.05 * size, size)})"
    return general(f, _shape(rng, kind, horizon, 0.05, 3.0))


def _shape(rng, kind: str, horizon: float, low: float, high: float) -> str:
    """A positive function of a kind with values of about ``low`` to ``high`` where nothing happens."""
    base, at = _number(rng, low, high), f"{horizon * rng.uniform(0.02, 0.98):.5g}"
    narrow = _number(rng, 3 / horizon, 1e5 / horizon)
    # a feature that matters: its area is comparable to that of the base
    area = float(base) * horizon * _log_uniform(rng, 0.03, 3)
    tall = f"{area * float(narrow):.4g}"
    match kind:
        case "smooth":
            return str(rng.choice([base, f"{base}*(1+{_number(rng, 0.1, 5)}*t)",
                                   f"{base}*exp({_number(rng, 0.01 / horizon, 3 / horizon)}*t)"]))
        case "spike":
            return f"{base}+{tall}*exp(-({narrow}*(t-{at}))^2)"
        case "box":
            end = f"{float(at) + horizon * _log_uniform(rng, 1e-4, 0.1):.8g}"
            return f"{base}+{float(base) * 2:.4g}*(tanh({narrow}*(t-{at}))-tanh({narrow}*(t-{end})))"
        case "jump":
            return f"{base}+{float(base) * 0.9:.4g}*abs(t-{at})/(t-{at})"
        case "kink":
            return f"{base}*(0.01+abs(t-{at}))"
        case "dip":
            return f"{base}*(1-0.999*exp(-({narrow}*(t-{at}))^2))"
        case "root":
            return f"{base}*sqrt(abs(t-{at}))"
        case "singular":
            return f"{base}/sqrt(t+{_number(rng, 1e-9 * horizon, 1e-2 * horizon)})"
        case "steep":
            return f"{base}/(({horizon * (1 + _log_uniform(rng, 1e-4, 0.3)):.8g}-t)/{horizon})^(1/2)"
        case "chirp":
            return f"{base}*(1.5+sin({_number(rng, 5 / horizon, 60 / horizon)}*t^2/{horizon}))"
    raise ValueError(kind)


def _law(rng) -> Gaussian:
    scale = _log_uniform(rng, 1e-6, 30)
    match rng.integers(4):
        case 0:
            dim = int(_log_uniform(rng, 1, 1e5))
            return Gaussian(np.full(dim, rng.choice([0.0, 1.0]) * _log_uniform(rng, 1e-3, 1e3)), scale)
        case 1:
            return Gaussian(np.array([_log_uniform(rng, 1, 1e6)]), scale)
        case 2:
            return Gaussian(rng.normal(size=2), np.array([scale, scale * _log_uniform(rng, 1, 1e5)]))
    return Gaussian(np.zeros(1), scale)


def _scheme(rng, horizon: float) -> Scheme:
    steps = int(_log_uniform(rng, 1, 12))
    chosen = samplers(1)[str(rng.choice(NOISY))]
    inner = np.sort(rng.uniform(0, horizon, steps - 1)) if rng.integers(2) else None
    times = np.linspace(horizon, 0, steps + 1) if inner is None else np.array([horizon, *inner[::-1], 0.0])
    prior = _log_uniform(rng, 0.1, 10) if rng.integers(4) == 0 else None
    return Scheme(chosen, TimeGrid(times), prior)
