"""Noise levels σ = s/a as they are given in practice: a ρ-grid, or a discrete schedule of ᾱ or β."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from bounds.value import Value

#: More levels than this are no discrete schedule.
MOST_LEVELS = 1_000_000
#: Where the cosine schedule starts, and its largest β (Nichol and Dhariwal 2021).
COSINE_OFFSET, LARGEST_BETA = 0.008, 0.999
#: Forms of β that schedulers name.
FORMS = ("linear", "scaled_linear", "squaredcos_cap_v2", "sigmoid")
#: How schedulers place few steps on many levels.
SPACINGS = ("leading", "trailing", "linspace", "quadratic")
#: Part of the levels that quadratic striding uses.
STRIDDEN = 0.8


def rho_levels(sigma_max: float, sigma_min: float, steps: int, rho: float = 7.0,
               last_zero: bool = True) -> np.ndarray:
    r"""Levels with equal steps of :math:`\sigma^{1/\rho}` from ``sigma_max`` to ``sigma_min``, and then 0.

    Parameters
    ----------
    steps : int
        K, the step to 0 included; K + 1 levels are returned.
    last_zero : bool
        False to end at ``sigma_min``.

    Raises
    ------
    ValueError
        If ρ or a level is not positive and finite, or ``sigma_min`` not below ``sigma_max``.

    Source: Karras et al. 2022 (arXiv 2206.00364) eq. (5).
    """
    for name, value in (("rho", rho), ("sigma_min", sigma_min), ("sigma_max", sigma_max)):
        if not (np.isfinite(value) and value > 0):
            raise ValueError(f"{name} must be positive and finite, got {value:g}")
    if not sigma_min < sigma_max:
        raise ValueError(f"sigma_min must be below sigma_max = {sigma_max:g}, got {sigma_min:g}")
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps}")
    points = steps if last_zero else steps + 1
    low, high = (np.log(level) / rho for level in (sigma_min, sigma_max))
    # in units of the first level: no power leaves the range of floats
    part = np.arange(points) / max(points - 1, 1)
    with np.errstate(divide="ignore"):
        levels = sigma_max * np.exp(rho * np.log1p(part * np.expm1(low - high)))
    levels[0] = sigma_max
    if points > 1:
        levels[-1] = sigma_min
    return np.append(levels, 0.0) if last_zero else levels


@dataclass(frozen=True, eq=False, repr=False)
class DiscreteSchedule(Value):
    r"""The levels :math:`\sigma_i^2 = 1/\bar\alpha_i - 1` of a model trained at N of them.

    In the clock :math:`t = -\tfrac12 \log \bar\alpha` a process that preserves the variance is OU, so that
    `bounds.ou` at the times of these levels is the schedule to rounding; what lies between is OU's.

    Parameters
    ----------
    log_alphas_cumprod : array of shape (n,)
        log ᾱ_i, at most 0 and strictly decreasing; −∞ at the last for a terminal signal-to-noise ratio of 0.

    Raises
    ------
    ValueError
    """

    log_alphas_cumprod: np.ndarray = field(repr=False)

    def __post_init__(self):
        logs = np.array(self.log_alphas_cumprod, dtype=float)
        logs.setflags(write=False)
        object.__setattr__(self, "log_alphas_cumprod", logs)

    def __repr__(self):
        return f"<discrete schedule of {len(self)} levels>"

    def __len__(self):
        return len(self.log_alphas_cumprod)

    @classmethod
    def from_alphas_cumprod(cls, alphas_cumprod) -> DiscreteSchedule:
        """From ᾱ_i in (0, 1], strictly decreasing; the last may be 0."""
        alphas = _column("alphas_cumprod", alphas_cumprod)
        bad = (alphas > 1) | (alphas < 0) | ((alphas == 0) & (np.arange(len(alphas)) < len(alphas) - 1))
        if bad.any():
            at = int(np.argmax(bad))
            raise ValueError(f"alphas_cumprod must lie in (0, 1], got {alphas[at]:g} at index {at}")
        if np.any(rises := alphas[1:] >= alphas[:-1]):
            at = int(np.argmax(rises))
            raise ValueError("alphas_cumprod must decrease strictly, got "
                             f"{alphas[at]:.9g} then {alphas[at + 1]:.9g} at index {at + 1}")
        with np.errstate(divide="ignore"):
            return cls(np.log(alphas))

    @classmethod
    def from_betas(cls, betas) -> DiscreteSchedule:
        """From β_i in (0, 1), ᾱ being the product of 1 − β; the last may be 1."""
        betas = _column("betas", betas)
        bad = (betas <= 0) | (betas > 1) | ((betas == 1) & (np.arange(len(betas)) < len(betas) - 1))
        if bad.any():
            at = int(np.argmax(bad))
            raise ValueError(f"betas must lie in (0, 1), got {betas[at]:g} at index {at}")
        with np.errstate(divide="ignore"):
            return cls(np.cumsum(np.log1p(-betas)))

    @classmethod
    def named(cls, form: str, n: int, beta_start: float = 1e-4, beta_end: float = 0.02) -> DiscreteSchedule:
        """One of `FORMS` with n levels, as the schedulers of diffusers have it; the cosine has no start and
        end."""
        if form not in FORMS:
            raise ValueError(f"beta_schedule must be one of {', '.join(FORMS)}, got {form!r}")
        if isinstance(n, bool) or not isinstance(n, int | np.integer) or not 1 <= n <= MOST_LEVELS:
            raise ValueError(f"num_train_timesteps must be a whole number from 1 to {MOST_LEVELS}, got {n!r}")
        if form == "squaredcos_cap_v2":
            places = np.arange(n + 1) / n
            angles = (places + COSINE_OFFSET) / (1 + COSINE_OFFSET) * np.pi / 2
            ratio = np.square(np.cos(angles[1:]) / np.cos(angles[:-1]))
            return cls.from_betas(np.minimum(1 - ratio, LARGEST_BETA))
        for name, value in (("beta_start", beta_start), ("beta_end", beta_end)):
            if not 0 < value < 1:
                raise ValueError(f"{name} must lie in (0, 1), got {value:g}")
        if form == "sigmoid":
            rise = 1 / (1 + np.exp(-np.linspace(-6, 6, n)))
            return cls.from_betas(beta_start + rise * (beta_end - beta_start))
        if form == "linear":
            return cls.from_betas(np.linspace(beta_start, beta_end, n))
        return cls.from_betas(np.square(np.linspace(beta_start**0.5, beta_end**0.5, n)))

    def with_zero_terminal_snr(self) -> DiscreteSchedule:
        """The schedule whose √ᾱ is moved and stretched to end at 0 and start where it did.

        Source: Lin et al. 2024 (arXiv 2305.08891) algorithm 1.
        """
        if len(self) < 2:
            raise ValueError("rescale_zero_snr must be false for a schedule of one level")
        roots = np.exp(self.log_alphas_cumprod / 2)
        roots = (roots - roots[-1]) * (roots[0] / (roots[0] - roots[-1]))
        with np.errstate(divide="ignore"):
            logs = 2 * np.log(roots)
        logs[0] = self.log_alphas_cumprod[0]
        return type(self)(logs)

    def indices(self, steps: int, spacing: str = "leading", steps_offset: int = 0) -> np.ndarray:
        r"""Which levels ``steps`` steps start from, decreasing, as published code places them.

        Of n levels and K steps, i = 0, …, K − 1 from the last step to the first:

        * leading: i ⌊n/K⌋ + ``steps_offset``;
        * trailing: round((i + 1) n/K) − 1;
        * linspace: round(i (n − 1)/(K − 1));
        * quadratic: ⌊0.8 n i²/(K − 1)²⌋.

        Source: Lin et al. 2024 (arXiv 2305.08891) table 2 and the schedulers of diffusers for the first three; the code of
        DDIM (arXiv 2010.02502), ``skip_type = "quad"``, for the last.
        """
        if spacing not in SPACINGS:
            raise ValueError(f"spacing must be one of {', '.join(SPACINGS)}, got {spacing!r}")
        n = len(self)
        if not 1 <= steps <= n:
            raise ValueError(f"steps must be between 1 and the {n} levels of the schedule, got {steps}")
        if spacing == "linspace":
            found = np.linspace(0, n - 1, steps).round()[::-1]
        elif spacing == "leading":
            found = np.arange(steps)[::-1] * (n // steps) + steps_offset
        elif spacing == "quadratic":
            found = np.floor(np.square(np.linspace(0, np.sqrt(STRIDDEN * n), steps)))[::-1]
            if np.any(np.diff(found) == 0):
                raise ValueError(f"steps must be so few that no two quadratic ones start from one of {n} levels, got "
                                 f"{steps}")
        else:
            found = np.round(n - n / steps * np.arange(steps)) - 1
        if found[0] >= n or found[-1] < 0:
            raise ValueError(f"steps_offset must keep every index between 0 and {n - 1}, got {steps_offset}: "
                             f"the first step starts from {int(found[0])}")
        return found.astype(int)

    def levels(self, indices, last_zero: bool = True, skip_zero_snr: bool = False) -> np.ndarray:
        r"""σ at decreasing indices, then where the last step ends: 0, or the level of index 0.

        Parameters
        ----------
        last_zero : bool
            What schedulers call ``set_alpha_to_one``.
        skip_zero_snr : bool
            Leave out an infinite level (ᾱ = 0): for centred data the next one's own prior is where a step
            from it ends.

        Raises
        ------
        ValueError
            If a level is infinite and not to be left out, or none or one is left.
        """
        logs = self.log_alphas_cumprod[np.asarray(indices, dtype=int)]
        if np.isinf(logs[0]) and not skip_zero_snr:
            raise ValueError("alphas_cumprod must be positive at the levels used, got 0 at index "
                             f"{int(indices[0])} (zero terminal SNR), whose noise level is infinite: "
                             "skip_zero_snr = true starts at the next")
        logs = logs[np.isfinite(logs)]
        logs = np.append(logs, 0.0 if last_zero else self.log_alphas_cumprod[0])
        # a step that ends where it starts is none
        logs = logs[: 1 + int(np.argmax(logs == logs[-1]))]
        if len(logs) < 2:
            raise ValueError("steps must leave two finite noise levels, got "
                             f"{len(logs)}: take more steps or another spacing")
        return np.sqrt(np.expm1(0.0 - logs))


def _column(name: str, values) -> np.ndarray:
    """A list of finite numbers."""
    try:
        array = np.array(values, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a list of numbers, got {type(values).__name__}") from None
    if array.ndim != 1 or not 1 <= len(array) <= MOST_LEVELS:
        raise ValueError(f"{name} must be a list of 1 to {MOST_LEVELS} numbers, got shape {array.shape}")
    if not np.all(np.isfinite(array)):
        raise ValueError(f"{name} must hold finite numbers only")
    return array
