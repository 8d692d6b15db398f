"""Wrong problem files: small mutations of valid ones, each with a fragment of the one line it must give."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

#: Valid problems as raw TOML values; every bad problem changes one of them.
VALID = {
    "gaussian": {
        "process.family": '"vp"',
        "process.beta": '"1/10 + 199/10*t"',
        "data.law": '"gaussian"',
        "data.mean": "[0.0, 1.0]",
        "data.covariance": "[[2.0, 0.5], [0.5, 1.0]]",
        "scheme.kind": '"euler-maruyama"',
        "scheme.horizon": "1.0",
        "scheme.steps": "20",
    },
    "mixture": {
        "process.family": '"ou"',
        "data.law": '"mixture"',
        "data.means": "[[-1.0], [1.0]]",
        "data.std": "0.5",
        "data.weights": "[0.25, 0.75]",
        "scheme.kind": '"posterior-mean-matched"',
        "scheme.horizon": "5.0",
        "scheme.steps": "40",
        "scheme.grid": '"geometric"',
        "scheme.score_error": "0.1",
        "scheme.score_noise": "0.1",
    },
    "samples": {
        "process.family": '"general"',
        "process.f": '"cos(t)"',
        "process.g": '"1 + t"',
        "data.law": '"samples"',
        "data.file": '"data.csv"',
        "data.columns": '["x", "y"]',
        "data.standardize": "true",
        "data.smoothing": "0.7",
        "scheme.kind": '"ancestral"',
        "scheme.horizon": "2.0",
        "scheme.steps": "20",
        "scheme.early_stop": "0.01",
        "scheme.prior_std": "1.5",
    },
    "cld": {
        "process.family": '"cld"',
        "process.epsilon": "0.1",
        "process.clock": '"4*t + t**2"',
        "data.law": '"gaussian"',
        "data.mean": "[0.5, -1.0]",
        "data.covariance": "[[2.0, 0.5], [0.5, 1.0]]",
        "scheme.kind": '"sscs"',
        "scheme.horizon": "8.0",
        "scheme.steps": "20",
    },
    "langevin": {
        "process.family": '"langevin"',
        "process.mass": "0.5",
        "process.friction": '"3/2"',
        "process.position_damping": "0.2",
        "data.law": '"gaussian"',
        "data.mean": "[0.5, -1.0]",
        "data.covariance": "1.0",
        "scheme.kind": '"exponential"',
        "scheme.horizon": "4.0",
        "scheme.steps": "20",
        "scheme.prior_mean": "[[1.0, 2.0], [0.0, -0.5]]",
        "scheme.prior_covariance": "[[1.0, 0.1], [0.1, 0.5]]",
        "scheme.last_step_noise": "false",
    },
    "start": {
        "process.family": '"ou"',
        "data.law": '"gaussian"',
        "data.mean": "[0.5, -1.0]",
        "data.covariance": "[[2.0, 0.5], [0.5, 1.0]]",
        "scheme.kind": '"heun"',
        "scheme.horizon": "2.0",
        "scheme.steps": "20",
        "scheme.prior_mean": "[1.0, 2.0]",
        "scheme.prior_covariance": "[1.0, 0.0]",
    },
    "funnel": {
        "process.family": '"cld"',
        "data.law": '"funnel"',
        "data.dim": "20",
        "data.std": "1.5",
        "data.standardized": "true",
        "scheme.kind": '"euler-maruyama"',
        "scheme.horizon": "2.0",
        "scheme.steps": "20",
    },
    "strong": {
        "process.family": '"ve"',
        "process.g": '"exp(t)"',
        "data.assumption": '"strong-log-concave"',
        "data.m0": "0.5",
        "data.L0": "2.0",
        "data.dim": "3",
        "data.second_moment": "6.5",
        "data.mean_norm": "1.0",
        "data.time_regularity": "1.0",
        "scheme.kind": '"exponential"',
        "scheme.grid": "[2.0, 1.0, 0.5, 0.0]",
    },
    "weak": {
        "process.family": '"sub-vp"',
        "process.beta": '"2"',
        "data.assumption": '"weak-log-concave"',
        "data.alpha": "1.0",
        "data.M": "2.0",
        "data.L": "4.0",
        "scheme.kind": '"posterior-mean"',
        "scheme.horizon": "3",
        "scheme.steps": "20",
    },
    "lipschitz": {
        "process.family": '"ou"',
        "data.assumption": '"log-lipschitz"',
        "data.alpha": "1.0",
        "data.lipschitz": "0.5",
        "data.L": "4.0",
        "scheme.kind": '"frozen-euler-maruyama"',
        "scheme.horizon": "3",
        "scheme.steps": "20",
    },
    "bounded": {
        "process.family": '"ou"',
        "data.assumption": '"bounded"',
        "data.radius": "1.0",
        "data.early_stop": "0.01",
        "scheme.kind": '"euler-maruyama"',
        "scheme.horizon": "3",
        "scheme.steps": "20",
    },
}

VALID["smoothed"] = {
    **{key: value for key, value in VALID["bounded"].items() if key != "data.early_stop"},
    "data.assumption": '"smoothed-support"',
    "data.std": "0.5",
}

VALID["network"] = {
    "process.family": '"flow-matching"',
    "data.law": '"mixture"',
    "data.means": "[[-1.0], [1.0]]",
    "data.std": "0.5",
    "scheme.kind": '"heun-t"',
    "scheme.horizon": "0.75",
    "scheme.steps": "4",
    "scheme.score_error": "[0.1, 0.05, 0.05, 0.2]",
    "scheme.score_error_in": '"velocity"',
}

VALID["stated"] = {
    **{key: value for key, value in VALID["gaussian"].items() if key != "scheme.kind"},
    "sampler.key": '"mine"',
    "sampler.P": '"a_r/a"',
    "sampler.Q": '"E"',
    "sampler.noise": '"C*s_sq_r/s_sq + h*g^2/100"',
    "sampler.source": '"Me 2026"',
}

VALID["levels"] = {
    "process.family": '"edm"',
    "data.law": '"mixture"',
    "data.means": "[[-1.0], [1.0]]",
    "data.std": "0.5",
    "scheme.kind": '"ddim"',
    "scheme.grid": '"rho"',
    "scheme.sigma_max": "20.0",
    "scheme.sigma_min": "0.02",
    "scheme.rho": "7",
    "scheme.steps": "16",
    "scheme.prior": '"spread"',
}

VALID["shift"] = {**VALID["gaussian"], "scheme.grid": '"shift"', "scheme.shift": "3.0"}
VALID["asked"] = {**VALID["gaussian"], "scheme.steps": "3", "scheme.score_times": "[0.9, 0.6, 0.3]"}
VALID["churn"] = {**VALID["levels"], "scheme.kind": '"heun"', "scheme.churn": "4", "scheme.s_tmin": "0.05",
                  "scheme.s_tmax": "10", "scheme.s_noise": "1"}
VALID["between"] = {**VALID["gaussian"], "scheme.kind": '"ddim"', "scheme.eta": "0.5"}

#: The data file beside every problem.
DATA = "x,y,z\n1.0,2.0,3.0\n2.0,1.0,3.0\n4.0,1.5,3.0\n"


@dataclass(frozen=True)
class BadProblem:
    """A problem file that must be refused.

    Attributes
    ----------
    name : str
        What is wrong.
    fragment : str
        Part of the line it must give.
    base : str
        The valid problem it mutates.
    changes : dict
        ``section.key`` to raw TOML, None to leave the key out.
    text : str or bytes, optional
        The whole file instead.
    files : dict
        Further files beside it, replacing `DATA`.
    """

    name: str
    fragment: str
    base: str = "gaussian"
    changes: dict = field(default_factory=dict)
    text: str | bytes | None = None
    files: dict = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        """Write the problem and its data into a folder; returns the problem's path."""
        return write_problem(folder, self.content, self.files)

    @property
    def content(self) -> str | bytes:
        """The problem file."""
        return toml({**VALID[self.base], **self.changes}) if self.text is None else self.text


def toml(values: dict) -> str:
    """TOML text from ``section.key`` -> raw value."""
    sections: dict[str, list[str]] = {}
    for key, value in values.items():
        section, _, name = key.partition(".")
        if value is not None:
            sections.setdefault(section, []).append(f"{name} = {value}")
    return "\n".join(f"[{section}]\n" + "\n".join(lines) + "\n" for section, lines in sections.items())


def write_problem(folder: Path, content: str | bytes, files: dict | None = None) -> Path:
    """Write a problem file beside its data; returns its path."""
    for name, data in {"data.csv": DATA, **(files or {})}.items():
        (folder / name).write_bytes(data.encode() if isinstance(data, str) else data)
    path = folder / "problem.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    return path


def _bad(name, fragment, base="gaussian", **changes) -> BadProblem:
    """A mutation; keywords are section__key."""
    return BadProblem(name, fragment, base, {key.replace("__", "."): value for key, value in changes.items()})


def _levels(**scheme) -> dict:
    """What makes the problem on noise levels one on a grid of another kind."""
    gone = dict.fromkeys(("sigma_max", "sigma_min", "rho", "steps"))
    return {"base": "levels", "changes": {f"scheme.{key}": value for key, value in (gone | scheme).items()}}


BAD_PROBLEMS = [
    # the file
    BadProblem("empty file", "section [process] is missing", text=""),
    BadProblem("no TOML", "not valid TOML", text="process family = ou"),
    BadProblem("JSON", "not valid TOML", text='{"process": {"family": "ou"}}'),
    BadProblem("binary", "must be UTF-8", text=b"\xff\xfe\x00\x01"),
    BadProblem("NUL byte", "not valid TOML", text="[process]\nfamily = 'o\x00u'\n"),
    BadProblem("too large", "at most 1000000 bytes", text="#" * 1_000_001),
    BadProblem("deep nesting", "nested too deeply", text="[data]\nmean = " + "[" * 5000 + "]" * 5000),
    BadProblem("huge integer", "too many digits", text="[data]\nmean = " + "9" * 5000),
    BadProblem("repeated key", "not valid TOML", text="[process]\nfamily = 'ou'\nfamily = 've'\n"),
    BadProblem("section is a value", "process must be a table", text="process = 3\n"),
    BadProblem("section is a list", "data must be a table", text="[[data]]\nlaw = 'gaussian'\n"),
    BadProblem("section missing", "section [scheme] is missing", text="[process]\nfamily = 'ou'\n[data]\n"),
    # parameters of a sampler
    _bad("eta above 1", "scheme.eta must be a number between 0 and 1, got 1.5", scheme__kind='"ddim"',
         scheme__eta="1.5"),
    _bad("eta below 0", "scheme.eta must be a number between 0 and 1, got -0.1", scheme__kind='"ddim"',
         scheme__eta="-0.1"),
    _bad("eta is a text", "scheme.eta must be a finite number, got 'half'", scheme__kind='"ddim"',
         scheme__eta='"half"'),
    _bad("eta of another sampler",
         "scheme.eta must be left out for euler-maruyama, which takes no parameter, got 0.5",
         scheme__eta="0.5"),
    _bad("lambda of ddim", "scheme.lambda must be left out for ddim, which takes eta, got 1",
         scheme__kind='"ddim"',
         scheme__lambda="1"),
    _bad("lambda below 0", "scheme.lambda must be a number between 0 and 1000, got -1",
         scheme__kind='"euler-maruyama-lambda"', scheme__lambda="-1"),
    _bad("churn too large", "scheme.churn must be at most (√2 − 1) × steps = 6.62742, got 7", "churn",
         scheme__churn="7"),
    _bad("churn below 0", "scheme.churn must be a number of at least 0, got -1", "churn", scheme__churn="-1"),
    _bad("churn above the horizon",
         "scheme.s_tmax must be so small that no level is raised above that of the horizon, 20, "
         "got 30, by which 20 is raised to 25", "churn", scheme__s_tmax="30"),
    _bad("churn of all levels",
         "s_tmax must be so small that no level is raised above that of the horizon, 20, got inf",
         "churn", scheme__s_tmax=None),
    _bad("S_noise other than 1",
         "scheme.s_noise must be 1, as noise of another size does not lead to a law of the forward "
         "process, got 1.003", "churn", scheme__s_noise="1.003"),
    _bad("churn of a method in time",
         "scheme.churn must be left out for heun-t, which takes no parameter, got 4", "churn",
         scheme__kind='"heun-t"'),
    _bad("lambda infinite", "scheme.lambda must be a finite number, got inf",
         scheme__kind='"euler-maruyama-lambda"',
         scheme__lambda="inf"),
    _bad("last step of a sampler without noise",
         "scheme.last_step_noise must be left out for ddim, whose steps have no noise, got False",
         scheme__kind='"ddim"', scheme__last_step_noise="false"),
    _bad("last step is no flag", "scheme.last_step_noise must be true or false, got 0", scheme__last_step_noise="0"),
    _bad("section unknown", "unknown section [dta] (did you mean 'data'?)", dta__law="1"),
    _bad("section with a line break", "unknown section [da", **{'"da\\nta".law': "1"}),
    # the process
    _bad("family missing", "process.family is missing", process__family=None),
    _bad("family unknown", "process.family must be one of cld, edm, flow-matching, general", process__family='"vpp"'),
    _bad("family of wrong type", "process.family must be one of", process__family="3"),
    _bad("family is a list", "process.family must be one of", process__family='["vp"]'),
    _bad("beta with cld", "process.beta does not belong to family 'cld'", process__family='"cld"'),
    _bad("cld a negative", "process.a must be a number between", "cld", process__a="-1"),
    _bad("cld a of t", "process.a must be a number between", "cld", process__a='"t"'),
    _bad("cld sigma zero", "process.sigma must be a number between", "cld", process__sigma="0"),
    _bad("cld epsilon tiny", "process.epsilon must be 0 or", "cld", process__epsilon="1e-12"),
    _bad("cld epsilon negative", "process.epsilon must be a number", "cld", process__epsilon="-0.1"),
    _bad("cld variance", "process.velocity_variance must", "cld", process__velocity_variance="-1"),
    _bad("cld clock offset", "process.clock must be 0 at t = 0", "cld", process__clock='"1+t"'),
    _bad("cld clock turns", "clock must increase from 0", "cld", process__clock='"t*(1-t/8)"'),
    _bad("cld clock jumps", "clock must be continuous", "cld", process__clock='"t + heaviside(t - 1)"'),
    _bad("cld clock in cases", "clock must be continuous", "cld", process__clock='"if(t < 1, t, 2*t)"'),
    _bad("cld clock of x", "process.clock", "cld", process__clock='"x"'),
    _bad("cld prior", "prior_std must be left out", "cld", scheme__prior_std="1.0"),
    BadProblem("langevin too stiff", "friction must be so small that the rates of decay are at most 500 apart", "cld",
               {"process.family": '"langevin"', "process.friction": "100"}),
    BadProblem("langevin with a", "process.a does not belong to family 'langevin'", "cld",
               {"process.family": '"langevin"', "process.a": "2"}),
    _bad("cld prior mean", "prior_mean must be a number or a list of 2, the dimension of the data, or two such lists", "cld",
         scheme__prior_mean="[[1.0], [2.0]]"),
    _bad("cld prior mean of three blocks", "prior_mean must be a number or a list of 2", "cld",
         scheme__prior_mean="[[1.0, 2.0], [0.0, 0.0], [1.0, 0.0]]"),
    _bad("cld prior covariance", "prior_covariance must be a positive definite 2x2", "cld",
         scheme__prior_covariance="1.0"),
    _bad("cld ancestral", "must be one of", "cld", scheme__kind='"ancestral"'),
    _bad("sscs with vp", "scheme.kind must be one of", scheme__kind='"sscs"'),
    _bad("key unknown", "unknown key process.bet for family 'vp'", process__bet='"t"'),
    _bad("key did you mean", "did you mean 'beta'?", process__bta='"t"'),
    _bad("beta missing", "process.beta is missing", process__beta=None),
    _bad("beta with ou", "process.beta does not belong to family 'ou'", process__family='"ou"'),
    _bad("g with vp", "process.g does not belong to family 'vp'", process__g='"t"'),
    _bad("g missing", "process.g is missing", "samples", process__g=None),
    _bad("beta of another variable", "'x' is neither t", process__beta='"x + 1"'),
    _bad("beta empty", "process.beta must be a real function of t: it is empty", process__beta='""'),
    _bad("beta is a boolean", "not bool", process__beta="true"),
    _bad("beta is a list", "a list of numbers in (0, 1), got 1", process__beta="[1, 2]"),
    _bad("beta is a date", "not date", process__beta="2020-01-01"),
    _bad("beta is NaN", "it must be finite", process__beta="nan"),
    _bad(
        "beta runs code", "'__import__' is neither t", process__beta="\"__import__('os').system('touch x')\""
    ),
    _bad("beta reads attributes", "'.' is not allowed", process__beta='"t.__class__"'),
    _bad("beta hangs", "exponent", process__beta='"9**9**9**9"'),
    _bad("beta overflows", "larger than", process__beta='"exp(exp(exp(exp(t*0+9))))"'),
    _bad("beta too long", "at most 300 characters", process__beta='"' + "t+" * 400 + 't"'),
    _bad("beta too deep", "nested", process__beta='"' + "exp(" * 20 + "t" + ")" * 20 + '"'),
    _bad("beta has a line break", "is not allowed", process__beta='"t +\\n t"'),
    _bad("beta divides by zero", "divides by zero", process__beta='"t/0"'),
    _bad("beta negative", "g² must be >= 0", process__beta='"-1"'),
    _bad("beta negative somewhere", "g² must be >= 0", process__beta='"1 - 3*t"'),
    _bad("beta dips below zero", "g² must be >= 0", process__beta='"(t - 1/2)**2 - 1/1000000"'),
    _bad("beta zero", "g² must not vanish", process__beta='"0"'),
    _bad("beta not integrable", "converge", process__beta='"1/t"'),
    _bad("beta infinite inside", "finite", process__beta='"1/(t - 1/2)**2"'),
    _bad("g complex", "g² must be >= 0", "strong", process__g='"sqrt(t - 1)"'),
    _bad("g zero", "g² must not vanish", "strong", process__g='"t - t"'),
    _bad("f complex", "f must be real and finite", "samples", process__f='"log(t - 1)"'),
    # the law
    _bad("neither law nor assumption", "must have data.law or data.assumption", data__law=None),
    _bad("law and assumption without constants", "data.m0", data__assumption='"strong-log-concave"'),
    _bad("law and unknown assumption", "data.assumption must be one of", data__assumption='"log-concave"'),
    _bad("constants without assumption", "data.m0", data__m0="1.0"),
    _bad("law unknown", "data.law must be one of gaussian, mixture, samples", data__law='"gausian"'),
    _bad("law of wrong type", "data.law must be one of", data__law="1"),
    _bad("data key unknown", "unknown key data.meen", data__meen="[0.0]"),
    _bad("key of another law", "data.std does not belong to law 'gaussian'", data__std="1.0"),
    _bad("key of an assumption", "data.m0 does not belong to law 'gaussian'", data__m0="1.0"),
    _bad("time regularity with a law", "does not belong to law 'gaussian'", data__time_regularity="1.0"),
    _bad("mean missing", "data.mean is missing", data__mean=None),
    _bad("mean empty", "data.mean must be a number or a list", data__mean="[]"),
    _bad("mean of text", "data.mean must be", data__mean='["a", "b"]'),
    _bad("mean with a boolean", "data.mean must be", data__mean="[true, 1.0]"),
    _bad("mean with NaN", "data.mean must be", data__mean="[nan, 0.0]"),
    _bad("mean with an infinity", "data.mean must be", data__mean="[inf, 0.0]"),
    _bad("mean is a matrix", "data.mean must be", data__mean="[[0.0, 1.0]]"),
    _bad("mean of another length", "agree on the dimension", data__mean="[0.0, 1.0, 2.0]"),
    _bad("mean beyond floats", "data.mean must be", data__mean="[1" + "0" * 400 + ", 0]"),
    _bad("covariance missing", "data.covariance is missing", data__covariance=None),
    _bad("covariance indefinite", "positive semi-definite", data__covariance="[[1.0, 2.0], [2.0, 1.0]]"),
    _bad("covariance negative", "data.covariance must have no negative variance", data__covariance="-1.0"),
    _bad(
        "covariance asymmetric",
        "data.covariance must be symmetric",
        data__covariance="[[1.0, 0.5], [0.0, 1.0]]",
    ),
    _bad("covariance not square", "data.covariance must have shape", data__covariance="[[1.0], [1.0]]"),
    _bad("covariance ragged", "rectangular", data__covariance="[[1.0, 0.0], [1.0]]"),
    _bad("covariance empty", "data.covariance must be", data__covariance="[[], []]"),
    _bad("dim disagrees", "agree on the dimension", data__dim="5"),
    _bad("dim zero", "data.dim must be a whole number", data__dim="0"),
    _bad("dim fractional", "data.dim must be a whole number", data__dim="2.0"),
    _bad("dim boolean", "data.dim must be a whole number", data__dim="true"),
    _bad(
        "dim enormous",
        "data.dim must be a whole number",
        data__mean="0",
        data__covariance="1",
        data__dim="10" * 9,
    ),
    _bad("means missing", "data.means is missing", "mixture", data__means=None),
    _bad("means empty", "data.means must be a list of points", "mixture", data__means="[]"),
    _bad("means of empty points", "data.means must be a list of points", "mixture", data__means="[[], []]"),
    _bad("means flat", "data.means must be a list of points", "mixture", data__means="[-1.0, 1.0]"),
    _bad(
        "means ragged", "data.means must be a list of points", "mixture", data__means="[[-1.0], [1.0, 2.0]]"
    ),
    _bad("means is a number", "data.means must be a list of points", "mixture", data__means="1.0"),
    _bad("weights do not sum", "data.weights must sum to 1", "mixture", data__weights="[0.25, 0.25]"),
    _bad("weights negative", "data.weights must be non-negative", "mixture", data__weights="[-0.5, 1.5]"),
    _bad("weights too many", "data.weights must have shape", "mixture", data__weights="[0.5, 0.25, 0.25]"),
    _bad("weights with NaN", "data.weights must be", "mixture", data__weights="[nan, 1.0]"),
    _bad("funnel without dim", "data.dim is missing", "funnel", data__dim=None),
    _bad("funnel dim", "data.dim must be a whole number", "funnel", data__dim="0"),
    _bad("funnel std", "data.std must be a positive finite number", "funnel", data__std="-1.0"),
    _bad("funnel std large", "data.std must be positive and at most 10", "funnel", data__std="11.0"),
    _bad("funnel standardized", "data.standardized must be true or false", "funnel", data__standardized="1"),
    _bad("funnel mean", "data.mean does not belong to law 'funnel'", "funnel", data__mean="0.0"),
    _bad(
        "funnel matched noise",
        "needs constants for the data: no assumption is proved for a funnel",
        "funnel",
        process__family='"ou"',
        scheme__kind='"posterior-mean-matched"',
    ),
    _bad("std zero", "data.std must be a positive finite number", "mixture", data__std="0.0"),
    _bad("std negative", "data.std must be", "mixture", data__std="-0.5"),
    _bad("std tiny", "data.std must be between 1e-50 and 1e+50", "mixture", data__std="1e-60"),
    _bad("std huge", "data.std must be between 1e-50 and 1e+50", "mixture", data__std="1e60"),
    _bad("means huge", "data.means must be at most 1e+50 in size", "mixture", data__means="[[-1e60], [1.0]]"),
    _bad("variance huge", "at most 1e+75", "mixture", data__std=None, data__covariance="1e200"),
    _bad("variances huge", "at most 1e+75", "mixture", data__std=None, data__covariance="[1e200]"),
    _bad("std is a list", "data.std must be", "mixture", data__std="[0.5, 0.5]"),
    _bad("no spread", "exactly one of data.std", "mixture", data__std=None),
    _bad("two spreads", "exactly one of data.std", "mixture", data__covariance="1.0"),
    _bad(
        "component covariance zero", "positive definite", "mixture", data__std=None, data__covariance="[0.0]"
    ),
    _bad(
        "component covariance indefinite",
        "positive",
        "mixture",
        data__std=None,
        data__means="[[0.0, 0.0], [1.0, 1.0]]",
        data__covariance="[[1.0, 2.0], [2.0, 1.0]]",
    ),
    _bad("covariances too few", "must have shape", "mixture", data__std=None, data__covariances="[1.0]"),
    _bad(
        "matched noise without constants",
        "needs constants",
        "mixture",
        data__std=None,
        data__covariances="[1.0, 2.0]",
    ),
    _bad(
        "dim of a mixture disagrees",
        "data.dim must be the dimension of the data, 1",
        "mixture",
        data__dim="2",
    ),
    # samples
    _bad("file missing", "data.file is missing", "samples", data__file=None),
    _bad("file not there", "data.file does not exist", "samples", data__file='"nowhere.csv"'),
    _bad("file is a folder", "data.file must be a regular file", "samples", data__file='"."'),
    _bad("file is a device", "data.file must be a regular file", "samples", data__file='"/dev/null"'),
    _bad("file name empty", "data.file must be", "samples", data__file='""'),
    _bad("file name with NUL", "data.file must be", "samples", data__file='"a\\u0000b"'),
    _bad("file name too long", "data.file", "samples", data__file='"' + "x" * 5000 + '"'),
    _bad("file is a number", "data.file must be", "samples", data__file="3"),
    _bad("smoothing missing", "data.smoothing is missing", "samples", data__smoothing=None),
    _bad("smoothing zero", "data.smoothing must be", "samples", data__smoothing="0"),
    _bad("smoothing tiny", "smoothing must be between 1e-50 and 1e+50", "samples", data__smoothing="1e-60"),
    _bad("smoothing text", "data.smoothing must be", "samples", data__smoothing='"0.7"'),
    _bad(
        "standardize not a boolean",
        "data.standardize must be true or false",
        "samples",
        data__standardize="1",
    ),
    _bad("columns is a string", "data.columns must be a list", "samples", data__columns='"x"'),
    _bad("columns empty", "data.columns must be a list", "samples", data__columns="[]"),
    _bad("column unknown", "no column 'w'", "samples", data__columns='["w"]'),
    _bad("column repeated", "once", "samples", data__columns='["x", "x"]'),
    BadProblem("CSV with an index", "has no name", "samples", {"data.columns": None},
               files={"data.csv": ",x,y\n0,1,2\n1,3,4\n"}),
    BadProblem("CSV ragged", "expected 2 fields, got 1", "samples", files={"data.csv": "x,y\n1,2\n3\n"}),
    BadProblem(
        "CSV with text", "expected a finite number", "samples", files={"data.csv": "x,y\n1,2\n3,four\n"}
    ),
    BadProblem("CSV with a gap", "expected a finite number", "samples", files={"data.csv": "x,y\n1,2\n3,\n"}),
    BadProblem(
        "CSV with NaN", "expected a finite number", "samples", files={"data.csv": "x,y\n1,2\n3,nan\n"}
    ),
    BadProblem("CSV empty", "empty", "samples", files={"data.csv": ""}),
    BadProblem(
        "CSV without a header", "must name the columns, got numbers: 1.0, 2.0; write header = false",
        "samples", {"data.columns": None}, files={"data.csv": "1.0,2.0\n2.0,1.0\n"},
    ),
    _bad("header not a boolean", "data.header must be true or false", "samples", data__header="0"),
    _bad("header in a row", "expected a finite number, got 'x'", "samples", data__header="false",
         data__columns='["1"]'),
    BadProblem("CSV without rows", "no rows", "samples", files={"data.csv": "x,y\n"}),
    BadProblem("CSV binary", "cannot read", "samples", files={"data.csv": b"x,y\n\xff\xfe,1\n"}),
    # constants
    _bad(
        "assumption unknown",
        "data.assumption must be one of bounded, log-lipschitz, smoothed-support",
        "strong",
        data__assumption='"log-concave"',
    ),
    _bad("m0 missing", "data.m0 is missing", "strong", data__m0=None),
    _bad("m0 negative", "data.m0 must be positive", "strong", data__m0="-0.5"),
    _bad("m0 zero", "data.m0 must be positive", "strong", data__m0="0.0"),
    _bad("m0 NaN", "data.m0 must be a finite number", "strong", data__m0="nan"),
    _bad("L0 infinite", "data.L0 must be a finite number", "strong", data__L0="inf"),
    _bad("m0 above L0", "data.m0 must be at most L0", "strong", data__m0="3.0"),
    _bad("m0 boolean", "data.m0 must be a finite number", "strong", data__m0="true"),
    _bad("m0 text", "data.m0 must be a finite number", "strong", data__m0='"0.5"'),
    _bad("key of a law", "data.means does not belong to assumption", "strong", data__means="[[0.0]]"),
    _bad(
        "key of another assumption", "data.radius does not belong to assumption", "strong", data__radius="1.0"
    ),
    _bad("early stop on unbounded data", "data.early_stop does not belong", "strong", data__early_stop="0.1"),
    _bad(
        "second moment too small", "data.second_moment must be at least", "strong", data__second_moment="0.1"
    ),
    _bad("second moment too large", "data.second_moment must be at most", "strong", data__second_moment="99"),
    _bad("second moment negative", "data.second_moment must be", "strong", data__second_moment="-1"),
    _bad("mean norm negative", "data.mean_norm must be", "strong", data__mean_norm="-1"),
    _bad("dim negative", "data.dim must be a whole number", "strong", data__dim="-3"),
    _bad("time regularity negative", "data.time_regularity must be", "strong", data__time_regularity="-1.0"),
    _bad("alpha above L", "data.alpha must be at most L", "weak", data__alpha="5.0"),
    _bad("alpha zero", "data.alpha must be positive", "weak", data__alpha="0"),
    _bad("M negative", "data.M must be non-negative", "weak", data__M="-1"),
    _bad("L missing", "data.L is missing", "weak", data__L=None),
    _bad("lipschitz negative", "data.lipschitz must be non-negative", "lipschitz", data__lipschitz="-0.5"),
    _bad("lipschitz missing", "data.lipschitz is missing", "lipschitz", data__lipschitz=None),
    _bad("smoothed support: std zero", "data.std must be positive", "smoothed", data__std="0"),
    _bad("negative radius of a mixture", "data.radius must be non-negative", "smoothed", data__radius="-1"),
    _bad("moment below the noise", "second_moment must be at least", "smoothed", data__second_moment="0.1"),
    _bad("radius negative", "data.radius must be non-negative", "bounded", data__radius="-1"),
    _bad("radius tiny", "data.radius must be between", "bounded", data__radius="1e-60"),
    _bad("bounded without early stop", "early_stop", "bounded", data__early_stop=None),
    _bad("early stops disagree", "the same as data.early_stop", "bounded", scheme__early_stop="0.02"),
    # the scheme
    _bad("kind missing", "scheme.kind is missing", scheme__kind=None),
    _bad("kind unknown", "did you mean 'euler-maruyama'?", scheme__kind='"euler-maryama"'),
    _bad("scheme key unknown", "unknown key scheme.step for scheme", scheme__step="20"),
    _bad("horizon missing", "scheme.horizon is missing", scheme__horizon=None),
    _bad("horizon zero", "scheme.horizon must be", scheme__horizon="0.0"),
    _bad("horizon negative", "scheme.horizon must be", scheme__horizon="-1"),
    _bad("horizon infinite", "scheme.horizon must be", scheme__horizon="inf"),
    _bad("horizon text", "scheme.horizon must be", scheme__horizon='"1"'),
    _bad("steps missing", "scheme.steps is missing", scheme__steps=None),
    _bad("steps zero", "scheme.steps must be a whole number from 1 to 10000000", scheme__steps="0"),
    _bad("steps negative", "scheme.steps must be a whole number", scheme__steps="-5"),
    _bad("steps fractional", "scheme.steps must be a whole number", scheme__steps="20.0"),
    _bad("steps boolean", "scheme.steps must be a whole number", scheme__steps="true"),
    _bad("steps too many", "scheme.steps must be a whole number", scheme__steps="10000001"),
    _bad("early stop negative", "scheme.early_stop must be", scheme__early_stop="-0.1"),
    _bad("early stop at the horizon", "scheme.early_stop must lie in [0, horizon)", scheme__early_stop="1.0"),
    _bad("prior std zero", "scheme.prior_std must be", scheme__prior_std="0"),
    _bad("prior mean in words", "scheme.prior_mean must be a number or a list", scheme__prior_mean='"far"'),
    _bad("prior mean of two blocks", "scheme.prior_mean must be a number or a list", scheme__prior_mean="[[1.0], [2.0]]"),
    _bad("prior mean too long", "scheme.prior_mean must be a number or a list of", scheme__prior_mean="[1.0, 2.0, 3.0, 4.0]"),
    _bad("prior covariance too long", "scheme.prior_covariance must be of the dimension",
         scheme__prior_covariance="[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]"),
    _bad("prior covariance twice", "scheme.prior_std must be left out where scheme.prior_covariance",
         scheme__prior_covariance="1.0", scheme__prior_std="2.0"),
    _bad("prior covariance negative", "prior_covariance must have no negative variance",
         scheme__prior_covariance="-1.0"),
    _bad("score error negative", "scheme.score_error must be", scheme__score_error="-0.1"),
    _bad(
        "steps too long for the process",
        "process: ∫f over a step must be at most 350, got 2500",
        process__family='"general"',
        process__beta=None,
        process__f='"t**3"',
        process__g="1",
        scheme__horizon="10.0",
        scheme__steps="1",
    ),
    _bad("score error in unknown units", "scheme.score_error_in must be one of score, epsilon, denoiser, velocity",
         scheme__score_error_in='"noise"'),
    _bad("score error in a number", "scheme.score_error_in must be one of", scheme__score_error_in="1"),
    _bad("velocity without a + s = 1", "score_error_in must be score, epsilon or denoiser", scheme__score_error="0.1",
         scheme__score_error_in='"velocity"'),
    _bad("score errors of other steps", "score_error must be one number, or one for each of the 20 steps, got 3",
         scheme__score_error="[0.1, 0.2, 0.3]"),
    _bad("score errors with a negative one", "scheme.score_error must be made of numbers of at least 0",
         scheme__steps="2", scheme__score_error="[0.1, -0.2]"),
    _bad("score errors with NaN", "scheme.score_error must be a number, or a list", scheme__steps="2",
         scheme__score_error="[0.1, nan]"),
    _bad("score errors with text", "scheme.score_error must be a number, or a list", scheme__steps="2",
         scheme__score_error='[0.1, "0.1"]'),
    _bad("score errors nested", "scheme.score_error must be a number, or a list", scheme__steps="2",
         scheme__score_error="[[0.1, 0.1]]"),
    _bad("no score errors", "scheme.score_error must be a number, or a list", scheme__score_error="[]"),
    _bad("score errors of two blocks", "score_error must be one number on a process of two blocks", "cld",
         scheme__score_error="[" + ", ".join(["0.1"] * 20) + "]"),
    _bad("units of two blocks", "score_error_in must be 'score' on a process of two blocks", "cld",
         scheme__score_error="0.1", scheme__score_error_in='"epsilon"'),
    _bad("score error NaN", "scheme.score_error must be", scheme__score_error="nan"),
    _bad("score noise infinite", "scheme.score_noise must be", scheme__score_noise="inf"),
    _bad("rho not positive", "scheme.rho must be a positive finite number, got 0", "levels", scheme__rho="0"),
    _bad("levels the wrong way", "scheme.sigma_min must be below sigma_max", "levels",
         scheme__sigma_min="30.0"),
    _bad("level missing", "scheme.sigma_max is missing", "levels", scheme__sigma_max=None),
    _bad("level not reached", "reaches, got 20: it is not usable beyond", "levels",
         process__family='"general"', process__f="-1", process__g="1"),
    BadProblem("levels growing", "scheme.sigmas must decrease strictly",
               **_levels(grid='"sigmas"', sigmas="[0.0, 1.0]")),
    _bad("prior unknown", "scheme.prior must be one of forward, spread, mean", "levels", scheme__prior='"wide"'),
    _bad("prior twice", "scheme.prior must be left out", "levels", scheme__prior_std="2.0"),
    BadProblem("no schedule", "one of alphas_cumprod, betas, scheduler", **_levels(grid='"discrete"')),
    BadProblem("schedule growing", "scheme.alphas_cumprod must decrease strictly",
               **_levels(grid='"discrete"', alphas_cumprod="[0.5, 0.9]")),
    BadProblem("schedule above 1", "scheme.alphas_cumprod must lie in (0, 1], got 1.5",
               **_levels(grid='"discrete"', alphas_cumprod="[1.5, 0.9]")),
    BadProblem("betas of 0", "scheme.betas must lie in (0, 1), got 0",
               **_levels(grid='"discrete"', betas="[0.0]")),
    BadProblem("scheduler unknown key", "unknown key scheduler.noise in 'scheduler.json'", "levels",
               _levels(grid='"discrete"', scheduler='"scheduler.json"')["changes"],
               files={"scheduler.json": '{"noise": 1}'}),
    _bad("score times too few", "scheme.score_times must be one time for each of the 3 steps", "asked",
         scheme__score_times="[0.9, 0.6]"),
    _bad("score time zero", "scheme.score_times must be positive and finite, got 0.0 at place 2", "asked",
         scheme__score_times="[0.9, 0.6, 0]"),
    _bad("score times of heun", "scheme.score_times must be left out for heun", "asked", scheme__kind='"heun"'),
    _bad("score times a number", "scheme.score_times must be a list of times", "asked", scheme__score_times="0.5"),
    _bad("shift zero", "scheme.shift must be a positive finite number", "shift", scheme__shift="0"),
    _bad("no shift", "scheme.shift is missing", "shift", scheme__shift=None),
    _bad("shift of a uniform grid", "scheme.shift does not belong to scheme", scheme__shift="3.0"),
    _bad("grid unknown", "scheme.grid must be one of uniform, geometric", scheme__grid='"log"'),
    _bad("grid is a number", "scheme.grid must be one of", scheme__grid="3"),
    _bad("grid growing", "scheme.grid must decrease strictly", "strong", scheme__grid="[0.0, 0.5, 1.0]"),
    _bad(
        "grid repeats a time",
        "scheme.grid must decrease strictly",
        "strong",
        scheme__grid="[2.0, 1.0, 1.0, 0.0]",
    ),
    _bad("grid below zero", "scheme.grid must end at a time >= 0", "strong", scheme__grid="[2.0, 1.0, -1.0]"),
    _bad("grid of one time", "scheme.grid must be a list of at least two", "strong", scheme__grid="[2.0]"),
    _bad("grid empty", "scheme.grid must be", "strong", scheme__grid="[]"),
    _bad("grid with NaN", "scheme.grid must be", "strong", scheme__grid="[2.0, nan, 0.0]"),
    _bad("grid with text", "scheme.grid must be", "strong", scheme__grid='[2.0, "1", 0.0]'),
    _bad("grid and steps disagree", "scheme.steps must be one less", "strong", scheme__steps="4"),
    _bad(
        "grid and horizon disagree", "scheme.horizon must be the first time", "strong", scheme__horizon="3.0"
    ),
    _bad(
        "grid and early stop disagree", "early_stop must be the last time", "strong", scheme__early_stop="0.5"
    ),
]

#: Overrides that must be refused on a valid problem, with a fragment of the line.
BAD_OVERRIDES = {
    "scheme.steps": "section.key=value",
    "steps=4": "section.key=value",
    "=4": "section.key=value",
    ".steps=4": "section.key=value",
    "scheme.=4": "section.key=value",
    "scheme.steps=": "scheme.steps must be a whole number",
    "scheme.steps=many": "scheme.steps must be a whole number",
    "scheme.steps=4.5": "scheme.steps must be a whole number",
    "scheme.step=4": "unknown key scheme.step",
    "scheem.steps=4": "unknown section [scheem] (did you mean 'scheme'?)",
    "scheme.grid.kind=4": "unknown key scheme.grid.kind",
    "scheme.horizon=nan": "scheme.horizon must be",
    "scheme.steps=4\nx = 5": "scheme.steps must be a whole number",
    "process.family=cld": "process.beta does not belong to family 'cld'",
    "process.beta=x": "'x' is neither t",
    "process.beta=" + "[" * 4000: "process.beta must be",
    "process.beta=" + "9" * 5000: "process.beta must be",
    "data.mean=" + "0" * 20000: "section.key=value",
}
