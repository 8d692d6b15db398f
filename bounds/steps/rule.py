"""What a sampler is: P, Q and the noise n of a step, for one block as integrands, for two as rows."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from bounds.steps.parameters import Parameter
from bounds.steps.path import StepNodes


@dataclass(frozen=True)
class Rule:
    r"""A sampler's step on a process of one block, written so that nothing cancels (F is ∫_r^σ f).

    Attributes
    ----------
    drift : callable or None
        Integrand of P − 1; ``None`` when P = Φ⁻¹.
    score_weight : callable or None
        Integrand of Q over the step; ``None`` where there is ``closed_weight``.
    score_defect : callable or None
        Integrand of :math:`c_2 = \Phi^{-1}C - Q`; ``None`` when Q = Φ⁻¹C, and for steps without noise.
    amplitude : callable or None
        (nodes, H*) -> n(σ)g(σ), whose squared integral is the noise variance; ``None`` for a step of the
        probability-flow ODE, which has no noise.
    needs_envelope : bool
        True if the noise depends on the data assumption, through H*.
    amplitude_needs_path : bool
        True if n uses C, a² or s² at the nodes.
    closed_noise : callable or None
        (C, s²(r), s²(τ)) -> ∫n²g² where n uses the path and its integral is known.
    closed_weight : callable or None
        (∫f, C, s²(r), s²(τ)) -> Q where that is no integral of f, g² and F.
    closed_defect : callable or None
        The same -> :math:`c_2` where there is ``closed_weight`` and noise.
    coupling : float
        λ > 0 of the SDE between the probability-flow ODE (0) and the reverse SDE (1) that a step with noise follows;
        a step without noise follows the flow.
    holds_noise : bool
        True if P = Φ⁻¹ and the predicted noise is held over the step, so that Q = s(τ)(Φ⁻¹s(τ) − s(r)), exactly.
    formulas : bounds.steps.formulas.StepFormulas or None
        P, Q and the noise's variance where they are stated as formulas of the step: then the integrands give
        e^F, E and G, which those are made of, and how the noise is spread over the step is the proof's
        choice.
    stages : bounds.steps.stages.TwoStages or None
        The step where it evaluates the score twice: then nothing else is given.
    multistep : bounds.steps.multistep.Multistep or None
        The step where it uses what the one before it saw: then nothing else is given.
    from_noise : str or None
        What a step to r from a time with a(T) = 0 leads to (`bounds.steps.from_noise`): "forward",
        N(a(r) E X_0, s²(r) I); "noise", N(a(r) E X_0, s²(T) I); "matched", with the step's own noise, that of
        matched noise; None where it has no limit.

    Source: docs/theory.md section 3.
    """

    drift: Callable | None
    score_weight: Callable | None
    score_defect: Callable | None
    amplitude: Callable | None
    needs_envelope: bool = False
    amplitude_needs_path: bool = False
    closed_noise: Callable | None = None
    closed_weight: Callable | None = None
    closed_defect: Callable | None = None
    coupling: float = 1.0
    holds_noise: bool = False
    formulas: Any = None
    stages: Any = None
    multistep: Any = None
    from_noise: str | None = None


@dataclass(frozen=True)
class Sampler:
    """A sampler that is affine in the score, on processes of one block, of two, or of both.

    Attributes
    ----------
    key, source : str
        Name in problem files; where the sampler comes from.
    what : str
        What a step does, in a sentence.
    exact : str
        For which data and processes a step is that of the reverse process.
    one_block : Rule or None
        Its step for k = 1, if it has one.
    phase_space : callable or None
        (path, decreasing times) -> `bounds.steps.phase_space.rows.Rows` for k = 2, if it has them, such as a
        `bounds.steps.phase_space.splitting.Splitting`.
    strong_order : float or None
        Of every form, down to time 0: (E|exact − sampler|²)^{1/2} ~ h^order under one Brownian motion, or from
        one start where there is no noise; None where it is not stated.
    parameters : tuple of Parameter
        Numbers that it takes from its scheme.
    made : callable or None
        Their values, in order -> `Rule`, or ``phase_space`` where it has no other form; that of ``values`` is the
        sampler's.
    values : tuple
        Their values here; by default the defaults.
    """

    key: str
    source: str
    what: str
    exact: str
    one_block: Rule | None = None
    phase_space: Callable | None = None
    strong_order: float | None = 1
    parameters: tuple[Parameter, ...] = ()
    made: Callable[..., Rule | Callable] | None = None
    values: tuple[float, ...] = ()

    def __post_init__(self):
        if not self.values:
            object.__setattr__(self, "values", tuple(each.default for each in self.parameters))

    def __reduce__(self):
        """A sampler of the registry by its key, any other by its fields: a process of a pool gets either."""
        from bounds.samplers import registered

        if registered(self):
            return _registered, (self.key, self.values)
        return type(self), tuple(getattr(self, each.name) for each in fields(self))

    @property
    def given(self) -> dict[str, float]:
        """The values of its parameters by their names in problem files, where they are finite."""
        return {each.name: value for each, value in zip(self.parameters, self.values,
                                                        strict=True) if value < np.inf}

    @property
    def name(self) -> str:
        """Its key, with the values of its parameters that are not the defaults."""
        said = [f"{each.name} = {value:g}" for each, value in zip(self.parameters, self.values, strict=True)
                if value != each.default]
        return f"{self.key} ({', '.join(said)})" if said else self.key

    def at(self, **given: float) -> "Sampler":
        """The same sampler with other values of its parameters, by their names as arguments.

        Raises
        ------
        ValueError
            Naming a parameter that it does not take, or a value that is none.
        """
        known = {each.argument: each for each in self.parameters}
        for name, value in given.items():
            if name not in known:
                takes = ", ".join(known) or "no parameter"
                raise ValueError(f"{name} must be left out for {self.key}, which takes {takes}, got {value!r:.60}")
        values = tuple(each.checked(given[name]) if name in given else value
                       for (name, each), value in zip(known.items(), self.values, strict=True))
        if values == self.values or self.made is None:
            return self
        made = self.made(*values)
        if isinstance(made, Rule):
            return replace(self, one_block=made, values=values)
        return replace(self, phase_space=made, values=values)

    def form(self, blocks: int) -> Rule | Callable | None:
        """Its form for k = ``blocks``, or None."""
        return self.one_block if blocks == 1 else self.phase_space

    @property
    def follows_ode(self) -> bool:
        """Whether a step is one of the probability-flow ODE: it has no noise."""
        rule = self.one_block
        return rule is not None and (rule.amplitude is None or (rule.formulas is not None and rule.formulas.silent))

    @property
    def score_at(self) -> float | None:
        """The fraction of a step of two blocks whose time the score is asked at, if that is not where the state is."""
        return None if getattr(self.phase_space, "in_time", True) else self.phase_space.score_at

    @property
    def stages(self):
        """`Rule.stages` of its form for one block, or None."""
        return None if self.one_block is None else self.one_block.stages

    @property
    def multistep(self):
        """`Rule.multistep` of its form for one block, or None."""
        return None if self.one_block is None else self.one_block.multistep

    @property
    def evaluations(self) -> int:
        """Score evaluations per step of one block."""
        return 1 if self.stages is None else 2

    @property
    def formulas(self):
        """`Rule.formulas` of its form for one block, or None."""
        return None if self.one_block is None else self.one_block.formulas

    @property
    def needs_envelope(self) -> bool:
        """Whether the noise depends on the data assumption."""
        return self.one_block is not None and self.one_block.needs_envelope


def _registered(key: str, values: tuple) -> Sampler:
    from bounds.samplers import samplers

    known = samplers()[key]
    return known.at(**{each.argument: value for each, value in zip(known.parameters, values, strict=True)})


def matched_hessian(assumption, moments, a_sq, s_sq):
    """H(c*) of the matched noise: c* = mmse(q) where it is known, else the middle of the envelope."""
    floor = assumption.hessian_lower(a_sq, s_sq)
    if moments is None:
        return floor + assumption.hessian_gap(a_sq, s_sq) / 2
    return floor + hessian_moments(moments, a_sq, s_sq)[0]


def hessian_moments(moments, a_sq, s_sq):
    r"""(x1, e1, x2, e2): mean and mean square of :math:`x = \psi^2 (c - c_{lo})`, each with its error."""
    with np.errstate(divide="ignore", invalid="ignore"):
        psi_sq = a_sq / np.square(s_sq)
        first, first_error, second, second_error = moments.at(a_sq / s_sq)
        return psi_sq * first, psi_sq * first_error, psi_sq**2 * second, psi_sq**2 * second_error


def posterior_weight(nodes: StepNodes):
    """Integrand of Q = Φ⁻¹C, the score's coefficient in the posterior mean of U_r given U_τ."""
    # Φ(τ,r)⁻¹C(τ,r) = ∫ e^{2F(u) − F(τ)} g²(u) du
    return np.exp(2 * nodes.F - nodes.F_end) * nodes.g_sq


def grown_noise(nodes: StepNodes):
    """Φ(σ,r)⁻¹ g: the noise of the reverse process without its score."""
    return np.exp(nodes.F) * np.sqrt(nodes.g_sq)


def bridged_noise(nodes: StepNodes):
    """Φ⁻¹(1 − C/s²)g: the noise of U_r given U_τ and X_0, with ∫n²g² = C s²(r)/s²(τ)."""
    return grown_noise(nodes) * np.maximum(1 - nodes.C / nodes.s_sq, 0.0)
