"""Read a discrete noise schedule as its user has it: a list, a column in a file, or a scheduler's JSON."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from bounds.noise_levels import FORMS, MOST_LEVELS, SPACINGS, DiscreteSchedule
from verify.problems.file import file_text
from verify.problems.number_file import file_named, numbers_of
from verify.problems.section import ProblemError, Section, hint, short_line, shown

MAX_SCHEDULER_BYTES = 1_000_000
#: The keys of a table that say a schedule, and what goes with each of them.
SOURCES = ("alphas_cumprod", "betas", "scheduler")
KEYS = (*SOURCES, "spacing", "steps_offset", "last_zero", "rescale_zero_snr", "skip_zero_snr")
_LEVELS = ("num_train_timesteps", "beta_schedule", "beta_start", "beta_end", "trained_betas",
           "timestep_spacing", "steps_offset", "set_alpha_to_one", "final_sigmas_type",
           "rescale_betas_zero_snr")
#: Keys that change the levels to others, or the sampler to one that is not affine in the score, where true.
_OTHER_LEVELS = ("use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "use_flow_sigmas",
                 "use_lu_lambdas")
_CLIPPED = ("clip_sample", "thresholding")
#: Keys that say nothing of the levels, but of the network's output, the sampler or the library.
IRRELEVANT = ("_class_name", "_diffusers_version", "prediction_type", "variance_type", "clip_sample_range",
              "dynamic_thresholding_ratio", "sample_max_value", "skip_prk_steps", "solver_order",
              "solver_type", "solver_p", "algorithm_type", "predict_x0", "disable_corrector",
              "lower_order_final",
              "lower_order_second", "euler_at_final", "lambda_min_clipped", "interpolation_type",
              "timestep_type", "sigma_min", "sigma_max", "flow_shift")


def read_levels(section: Section, folder: Path) -> tuple[np.ndarray, list[str]]:
    """The noise levels of the steps, decreasing, and what is to be said of them."""
    given = [key for key in SOURCES if key in section.values]
    if len(given) != 1:
        raise ProblemError(f"{section.name} must have one of {', '.join(SOURCES)} on grid 'discrete', got "
                           f"{' and '.join(given) or 'none'}")
    known, notes = {}, []
    with section.border():
        if given == ["scheduler"]:
            schedule, known, notes = _scheduler(file_named(section, "scheduler", folder, (".json",)))
        elif given == ["betas"]:
            schedule = DiscreteSchedule.from_betas(numbers_of(section, "betas", folder))
        else:
            schedule = DiscreteSchedule.from_alphas_cumprod(numbers_of(section, "alphas_cumprod", folder))
        if section.flag("rescale_zero_snr", known.get("rescale_zero_snr", False)):
            schedule = schedule.with_zero_terminal_snr()
        offset = section.get("steps_offset", known.get("steps_offset", 0))
        if isinstance(offset, bool) or not isinstance(offset, int) or not 0 <= offset <= MOST_LEVELS:
            raise section.refuse("steps_offset", f"a whole number from 0 to {MOST_LEVELS}")
        spacing = section.choice("spacing", SPACINGS, known.get("spacing", SPACINGS[0]))
        indices = schedule.indices(section.count("steps", MOST_LEVELS, len(schedule)), spacing, offset)
        skip = section.flag("skip_zero_snr", False)
        levels = schedule.levels(indices, section.flag("last_zero", known.get("last_zero", True)), skip)
    notes.append(f"the schedule gives {len(levels)} noise levels, of {len(schedule)} that it has; what lies "
                 "between them is the process of [process], a choice that ddim, posterior-mean and ancestral "
                 "do not see")
    if np.isinf(schedule.log_alphas_cumprod[indices[0]]):
        notes.append(f"the level of index {indices[0]} is infinite (zero terminal SNR) and left out: the "
                     "sampler starts at the next, where the first step ends for centred data (prior = \"mean\": for any)")
    return levels, notes


def _scheduler(path: Path) -> tuple[DiscreteSchedule, dict[str, Any], list[str]]:
    """The schedule of a scheduler's JSON, what else it says of the levels, and notes."""
    text = file_text(path, MAX_SCHEDULER_BYTES, "scheme.scheduler")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ProblemError(f"scheme.scheduler is not valid JSON: {shown(path.name)} "
                           f"({short_line(error)})") from None
    if not isinstance(document, dict):
        raise ProblemError(f"scheme.scheduler must be one JSON object: {shown(path.name)} has "
                           f"{shown(document)}")
    section = Section("scheduler", {key: value for key, value in document.items() if value is not None})
    known = (*_LEVELS, *_OTHER_LEVELS, *_CLIPPED, *IRRELEVANT)
    for key in section.values:
        if key not in known:
            raise ProblemError(f"unknown key scheduler.{short_line(key)} in {shown(path.name)}"
                               f"{hint(key, known)}: it may change the noise levels")
    for key in _OTHER_LEVELS:
        if section.flag(key, False):
            raise section.refuse(key, "false: grid = \"rho\" or \"sigmas\" says other levels")
    notes = [f"scheduler.{key} = true is no part of the sampler here, which is affine in the score"
             for key in _CLIPPED if section.flag(key, False)]
    said = {}
    if "timestep_spacing" in section.values:
        said["spacing"] = section.choice("timestep_spacing", SPACINGS)
    if "steps_offset" in section.values:
        said["steps_offset"] = section.get("steps_offset")
    if "set_alpha_to_one" in section.values:
        said["last_zero"] = section.flag("set_alpha_to_one", True)
    if "final_sigmas_type" in section.values:
        said["last_zero"] = section.choice("final_sigmas_type", ("zero", "sigma_min")) == "zero"
    said["rescale_zero_snr"] = section.flag("rescale_betas_zero_snr", False)
    return _schedule(section), said, notes


def _schedule(section: Section) -> DiscreteSchedule:
    if "trained_betas" in section.values:
        return DiscreteSchedule.from_betas(section.array("trained_betas", (1,), "a list of numbers"))
    form, n = section.choice("beta_schedule", FORMS), section.count("num_train_timesteps", MOST_LEVELS)
    if form == "squaredcos_cap_v2":
        return DiscreteSchedule.named(form, n)
    return DiscreteSchedule.named(form, n, section.number("beta_start"), section.number("beta_end"))
