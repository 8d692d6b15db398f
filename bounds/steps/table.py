"""A scheme on a process of one block: its steps, how far each is from the exact map, and its noise."""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from bounds.process import ForwardProcess
from bounds.samplers import samplers
from bounds.steps.affine import Steps
from bounds.steps.other_times import asked_at, forward_law
from bounds.steps.path import Path, StepNodes, check_drift
from bounds.steps.rule import matched_hessian
from bounds.steps.stated import stated

#: Squared relative rounding of a noise amplitude in which 1 and C H may cancel.
AMPLITUDE_ROUNDING = 1e-28
#: Relative size of a difference of coefficients below which it is rounding.
DEFECT_ROUNDING = 64 * np.finfo(float).eps
#: Paths kept for other data on the same process and grid, and the most times of one.
KEPT, LONGEST_KEPT = 4, 10_001


def _path_of(process: ForwardProcess, times: np.ndarray, rule, amplitude, finest: float = 0.0) -> Path:
    """A path with the integrals of a rule: weight and defect of the score, noise, drift and its defect."""
    late = rule.amplitude_needs_path

    def integrands(n):
        noise = () if late else (0.0 if rule.amplitude is None else np.square(amplitude(n)),)
        weight = rule.score_weight(n) if rule.score_weight else 0.0
        defect = rule.score_defect(n) if rule.score_defect else 0.0
        return weight, defect, *noise, *(() if rule.drift is None else (rule.drift(n), n.f - rule.drift(n)))

    def floors(n):
        # g² less its value at the step's end, f less its value there
        return (0.0, DEFECT_ROUNDING * n.g_sq, *(0.0,) * (not late), 0.0, DEFECT_ROUNDING * np.abs(n.f))

    return Path(process, times, integrands, floors, finest)


@lru_cache(maxsize=KEPT)
def _kept_path(process: ForwardProcess, times: bytes, rule) -> Path:
    """The path of a rule that does not look at the data, kept for the next data."""
    found = _path_of(process, np.frombuffer(times), rule, lambda nodes: rule.amplitude(nodes, None))
    for array in (found.F, found.C, found.F_error, found.C_error, found.a, found.s_sq, *found.also, *found.also_errors):
        array.setflags(write=False)
    return found


class StepTable:
    r"""A scheme on a process: the path, and the coefficients of every step, computed once and shared.

    Made of what `bounds.sampler.Scheme.steps` takes.

    Attributes
    ----------
    P, Q, noise_var, c1, c2, c1_error, c2_error : arrays of shape (k,)
        c1 = Φ⁻¹ − P and c2 = Φ⁻¹C − Q without cancellation, with their quadrature and rounding errors.
    """

    def __init__(self, process: ForwardProcess, scheme, assumption=None, moments=None):
        self.scheme, self.rule = scheme, scheme.sampler.one_block
        rule = self.rule
        if rule is None:
            known = ", ".join(samplers(1))
            raise ValueError(f"scheme must be one of {known} for a process of one block, got {scheme.key!r}")
        if rule.needs_envelope and assumption is None:
            raise ValueError(f"{scheme.key} needs a data assumption: "
                             "its noise is matched to the posterior covariance")
        self.assumption, self.moments = assumption, moments
        #: The step without noise, or None: set at the end, since formulas are made of ∫g².
        self.silent = None
        #: How the noise of a sampler that is stated by formulas is spread over a step, or None.
        self.stated = None
        late = rule.amplitude_needs_path
        finest = 0.0 if assumption is None else float(1 / np.max(assumption.smoothness))
        self.path = path = self._path(process, scheme.grid.times, finest)
        check_drift(path)
        self.prior_var = scheme.prior_var(float(path.a[0]) ** 2, float(path.s_sq[0]))
        self.Q, self.c2, self.c2_error = path.also[0], path.also[1], path.also_errors[1]
        self.noise_var = (path.integrate(lambda n: (np.square(self.amplitude(n)),))[0][0] if late
                          else path.also[2])
        with np.errstate(over="ignore"):
            growth = np.exp(path.F)
            if rule.closed_weight:
                self.Q = rule.closed_weight(path.F, path.C, path.s_sq[1:], path.s_sq[:-1])
            if rule.closed_defect:
                self.c2 = rule.closed_defect(path.F, path.C, path.s_sq[1:], path.s_sq[:-1])
            if rule.amplitude is None:
                self.c2 = growth * path.C - self.Q
            #: What rounding may do to the noise: (∫(n + δ)²)^{1/2} is a norm.
            lost = AMPLITUDE_ROUNDING * np.square(growth) * path.C
        self.noise_error = 2 * np.sqrt(self.noise_var * lost) + lost if late else np.zeros_like(lost)
        if rule.drift is None:
            self.P, self.c1, self.c1_error = growth, np.zeros_like(growth), np.zeros_like(growth)
        else:
            self.P = 1 + path.also[-2]
            self.c1 = np.expm1(path.F) - path.F + path.also[-1]
            self.c1_error = path.also_errors[-1] + 4 * np.finfo(float).eps * np.abs(path.F)
        #: What P, Q, a and s² may be off by, relative to their size.
        self.relative_error = path.F_error + np.where(path.C > 0, path.C_error / np.maximum(path.C, 1e-300),
                                                      0)
        if rule.formulas is not None:
            self._state()
        if not scheme.last_step_noise:
            self._silence()
        # P, Q, a and s² are floats: a sampler that is exact on paper is off by their rounding
        with np.errstate(divide="ignore"):
            rounding = 8 * np.finfo(float).eps * (1 + np.minimum(np.abs(np.log(path.a[:-1])), 700.0))
        # with f = 0 both Φ⁻¹ and P are 1, exactly
        self.c1_error = self.c1_error + np.where((path.F == 0) & (self.P == 1), 0.0,
                                                 (rounding + path.F_error) * (np.abs(self.P) + growth))
        with np.errstate(over="ignore"):
            self.c2_error = self.c2_error + (rounding + self.relative_error) * self.Q

    def _path(self, process: ForwardProcess, times: np.ndarray, finest: float) -> Path:
        """The path with this rule's integrals; where the data do not enter those, one made before."""
        if self.rule.needs_envelope or len(times) > LONGEST_KEPT:
            return _path_of(process, times, self.rule, self._amplitude, finest)
        try:
            return _kept_path(process, np.asarray(times, dtype=float).tobytes(), self.rule).seen_at(finest)
        except TypeError:  # coefficients without a hash
            return _path_of(process, times, self.rule, self._amplitude, finest)

    def _state(self):
        """The sampler's formulas in place of what they are made of, ∫e^F g² and ∫g²."""
        found = stated(self.rule.formulas, self.path, self.Q, self.noise_var, self.relative_error)
        self.stated = found
        self.P, self.Q, self.noise_var, self.noise_error = found.P, found.Q, found.noise, found.noise_error
        self.c1, self.c1_error, self.c2, self.c2_error = found.c1, found.c1_error, found.c2, found.c2_error
        with np.errstate(divide="ignore", invalid="ignore"):
            own = [np.where(error > 0, error / np.abs(value), 0.0)
                   for value, error in ((found.P, found.P_error), (found.Q, found.Q_error))]
        self.relative_error = np.maximum.reduce([self.relative_error, *own])

    def _silence(self):
        """No noise in the last step."""
        self.silent = len(self.P) - 1
        kept = np.arange(len(self.P)) != self.silent
        self.noise_var, self.noise_error = (np.where(kept, each, 0.0) for each in (self.noise_var, self.noise_error))
        if self.stated is not None:
            factor, left = (np.where(kept, each, 0.0) for each in (self.stated.factor, self.stated.left))
            self.stated = replace(self.stated, factor=factor, left=left)

    def amplitude(self, nodes: StepNodes):
        """n g at the nodes, shape (k, m, n)."""
        found = self._amplitude(nodes)
        if self.silent is None:
            return found
        return np.where((nodes.index == self.silent)[:, None, None], 0.0, found)

    def _amplitude(self, nodes: StepNodes):
        if self.stated is not None:
            return self.stated.amplitude(nodes)
        hessian = (matched_hessian(self.assumption, self.moments, nodes.a_sq, nodes.s_sq)
                   if self.rule.needs_envelope else None)
        return self.rule.amplitude(nodes, hessian)

    def steps(self) -> Steps:
        """P, Q and the noise variance of every step, as the sampler and its exact law use them."""
        path, asked = self.path, self.scheme.score_times
        found = Steps(path.times, self.P, self.Q, self.noise_var, path.a, path.s_sq, self.prior_var,
                      from_mean=self.scheme.from_mean)
        return found if asked is None else asked_at(found, asked, *forward_law(path.process, asked))
