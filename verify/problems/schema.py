"""The JSON Schema of a problem file, for editors, made from the registries.

It refuses nothing that `verify.problems.problem.load_problem` takes. What depends on several values, or on
files, is left to the reader.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from bounds.assumptions import assumptions
from bounds.assumptions.bounded_support import BoundedSupport
from bounds.grid import MAX_STEPS
from bounds.noise_levels import MOST_LEVELS, SPACINGS
from bounds.process import Family
from bounds.processes import families
from bounds.samplers import samplers
from bounds.score_error import UNITS
from bounds.steps.parameters import Parameter
from closed_form.law import MAX_DIM
from closed_form.laws import laws
from verify.problems import noise_schedule
from verify.problems.data import MOMENTS, constants_of
from verify.problems.process import LEVELS
from verify.problems.sampler import KEYS as OF_SAMPLER
from verify.problems.scheme import KEYS, NAMES, OF_GRID, PLAIN, PRIORS, TIMES

Schema = dict[str, Any]

_NUMBER: Schema = {"type": "number"}
_AT_LEAST_0: Schema = {"type": "number", "minimum": 0}
_POSITIVE: Schema = {"type": "number", "exclusiveMinimum": 0}
_FLAG: Schema = {"type": "boolean"}
_TEXT: Schema = {"type": "string", "minLength": 1}
_NUMBERS: Schema = {"type": "array", "items": _NUMBER, "minItems": 1}
_BOTH: Schema = {"type": "array", "items": _NUMBERS, "minItems": 2, "maxItems": 2}
_ARRAY: Schema = {"$ref": "#/definitions/array"}
_NUMBER_OR_ARRAY: Schema = {"anyOf": [_NUMBER, _ARRAY]}
_FORMULA: Schema = {"anyOf": [_TEXT, _NUMBER]}
_LIST_OR_FILE: Schema = {"anyOf": [_NUMBERS, {"type": "string", "pattern": r"\.([nN][pP][yY]|[cC][sS][vV])$"}]}


def _whole(most: int, least: int = 1) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": most}


#: What the words of `closed_form.law.FORMS` mean.
FORMS: Mapping[str, Schema] = {
    "number": _NUMBER, "positive number": _POSITIVE, "count": _whole(MAX_DIM), "flag": _FLAG, "text": _TEXT,
    "list of texts": {"type": "array", "items": {"type": "string"}, "minItems": 1},
    "number or array": _NUMBER_OR_ARRAY, "array": _ARRAY,
}
_MOMENT: Mapping[str, Schema] = {
    "dim": _whole(MAX_DIM), **dict.fromkeys(("second_moment", "mean_norm", "time_regularity"), _AT_LEAST_0)}
_SCHEME: Mapping[str, Schema] = {
    "kind": _TEXT,
    "horizon": _POSITIVE, "steps": _whole(MAX_STEPS), "early_stop": _AT_LEAST_0,
    "grid": {"anyOf": [{"enum": list(NAMES)}, _NUMBERS]},
    "shift": _POSITIVE, "sigma_max": _POSITIVE, "sigma_min": _POSITIVE, "rho": _POSITIVE, "last_zero": _FLAG,
    "sigmas": _NUMBERS, "alphas_cumprod": _LIST_OR_FILE, "betas": _LIST_OR_FILE, "scheduler": _TEXT,
    "spacing": {"enum": list(SPACINGS)}, "steps_offset": _whole(MOST_LEVELS, 0), "rescale_zero_snr": _FLAG,
    "skip_zero_snr": _FLAG,
    "prior": {"anyOf": [{"enum": list(PRIORS)}, _AT_LEAST_0]}, "prior_std": _POSITIVE,
    "prior_mean": {"anyOf": [_NUMBER, _NUMBERS, _BOTH]}, "prior_covariance": _NUMBER_OR_ARRAY,
    "last_step_noise": _FLAG, "score_times": _NUMBERS,
    "score_error": {"anyOf": [_AT_LEAST_0, {**_NUMBERS, "items": _AT_LEAST_0}]},
    "score_error_in": {"enum": list(UNITS)}, "score_noise": _AT_LEAST_0,
}
_NEEDED: Mapping[str, tuple[str, ...]] = {
    **{name: ("horizon", "steps") for name in PLAIN}, "shift": ("horizon", "steps", "shift"),
    "rho": ("sigma_max", "sigma_min", "steps"), "sigmas": ("sigmas",)}


def problem_schema() -> Schema:
    """The schema, draft 7, of problem files with every family, law, assumption and sampler that there is."""
    named = {"scheme": {"required": ["kind"], "properties": {"kind": {"enum": list(samplers())}}}}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A problem of sgm-bounds",
        **_exactly({"process": _process(), "data": _data(), "sampler": _sampler(), "scheme": _scheme()},
                   ("process", "data", "scheme")),
        "if": {"required": ["sampler"]}, "then": {}, "else": {"properties": named},
        "definitions": {"array": {"type": "array", "items": _NUMBER_OR_ARRAY, "minItems": 1}},
    }


def _exactly(properties: Mapping[str, Schema], required: Iterable[str] = ()) -> Schema:
    """A table of these keys and no other."""
    return {"type": "object", "properties": dict(properties), "required": list(required),
            "additionalProperties": False}


def _where(then: Schema, **given: str | None) -> Schema:
    """What holds of a table whose keys have the values given; None where a key is left out."""
    said = {key: value for key, value in given.items() if value is not None}
    test: Schema = {"properties": {key: {"const": value} for key, value in said.items()}, "required": list(said)}
    if absent := [key for key, value in given.items() if value is None]:
        test["not"] = {"anyOf": [{"required": [key]} for key in absent]}
    return {"if": test, "then": then}


def _process() -> Schema:
    known = families()
    keys = {key for family in known.values() for key in family.coefficients} | {key for each in LEVELS.values()
                                                                                for key in each}
    return {"type": "object", "required": ["family"],
            "properties": {"family": {"enum": list(known)}, **{key: {} for key in sorted(keys)}},
            "allOf": [_where(_family(family), family=key) for key, family in known.items()]}


def _family(family: Family) -> Schema:
    """The table of one family: its coefficients, or levels in place of some."""
    coefficient = {"anyOf": [_TEXT, _NUMBER, _ARRAY]}
    instead = LEVELS.get(family.key, {})
    properties = {"family": {}, **dict.fromkeys(family.coefficients, coefficient),
                  **dict.fromkeys(instead, _LIST_OR_FILE)}
    needed = [name for name, each in family.coefficients.items() if each.default is None]
    found = _exactly(properties, (name for name in needed if name not in instead.values()))
    if instead:
        found["allOf"] = [{"oneOf": [{"required": [name]}, {"required": [key]}]} for key, name in instead.items()]
    return found


def _data() -> Schema:
    kinds, moments = assumptions(), {key: _MOMENT[key] for key in ("second_moment", "mean_norm")}
    of_kind = {key: dict.fromkeys(constants_of(key), _NUMBER) for key in kinds}
    of_law = {key: {name: FORMS[law.forms[name]] if name in law.forms else {} for name in law.keys}
              for key, law in laws().items()}
    every = {name: {} for keys in (*of_law.values(), *of_kind.values(), _MOMENT) for name in keys}
    rules = []
    for key, law in laws().items():
        rules.append(_where(_exactly({"law": {}, **of_law[key]}, law.needed), law=key, assumption=None))
        for kind, constants in of_kind.items():
            together = {"law": {}, "assumption": {}, **of_law[key], **constants, **moments}
            then = _exactly(together, (*law.needed, *constants)) if law.by_hand else {"not": {}}
            rules.append(_where(then, law=key, assumption=kind))
    for kind, constants in of_kind.items():
        own = {key: _MOMENT[key] for key in MOMENTS}
        if kind == BoundedSupport.key:
            own["early_stop"] = _POSITIVE
        rules.append(_where(_exactly({"assumption": {}, **constants, **own}, constants), assumption=kind, law=None))
    return {"type": "object", "anyOf": [{"required": ["law"]}, {"required": ["assumption"]}],
            "properties": {"law": {"enum": list(laws())}, "assumption": {"enum": list(kinds)},
                           "early_stop": _POSITIVE, **dict(sorted(every.items()))},
            "allOf": rules}


def _sampler() -> Schema:
    return _exactly({key: _FORMULA if key in ("P", "Q", "noise") else _TEXT for key in OF_SAMPLER},
                    ("P", "Q", "noise"))


def _scheme() -> Schema:
    parameters = {each.name: each for one in samplers().values() for each in one.parameters}
    properties = {key: _SCHEME[key] for key in (*KEYS[:1], *TIMES, *KEYS[1:])}
    properties |= {key: _SCHEME[key] for keys in OF_GRID.values() for key in keys}
    return {**_exactly({**properties, **{name: _parameter(each) for name, each in parameters.items()}}),
            "allOf": [*map(_grid, OF_GRID), *_kinds(parameters)]}


def _parameter(each: Parameter) -> Schema:
    most = {} if math.isinf(each.most) else {"maximum": each.most}
    return {"type": "number", "minimum": each.least, **most, "description": each.meaning}


def _grid(shape: str) -> Schema:
    """What goes with one kind of grid, and what does not."""
    others = sorted({key for keys in OF_GRID.values() for key in keys} - set(OF_GRID[shape]))
    then: Schema = {"properties": dict.fromkeys(others, False), "required": list(_NEEDED.get(shape, ()))}
    if shape == "discrete":
        then["oneOf"] = [{"required": [key]} for key in noise_schedule.SOURCES]
    if shape == "list":
        return {"if": {"properties": {"grid": {"type": "array"}}, "required": ["grid"]}, "then": then}
    test: Schema = {"properties": {"grid": {"const": shape}}}
    return {"if": test if shape == "uniform" else {**test, "required": ["grid"]}, "then": then}


def _kinds(parameters: Iterable[str]) -> list[Schema]:
    """Which parameters a sampler does not take, of those that any takes."""
    found = []
    for key, sampler in samplers().items():
        own = {each.name for each in sampler.parameters}
        if others := [name for name in parameters if name not in own]:
            found.append(_where({"properties": dict.fromkeys(others, False)}, kind=key))
    return found
