"""The command ``certify``: what theorems claim about a problem against the exact error, with an exit code."""

from collections.abc import Callable

import click

from verify.command_options import (
    certified_options,
    load_question,
    problem_options,
    setting_or_reason,
    theorems_named,
    without_balls,
)
from verify.pages import tables
from verify.pages.console import (
    EVALUATION,
    HOLDS,
    INCONCLUSIVE,
    VIOLATED,
    WRONG,
    Failure,
    keeps_tracebacks,
    naming,
    print_json,
    print_text,
    progress,
    reason_of,
)


@click.command(short_help="Bounds against the exact W2 error, with verdicts.")
@problem_options
@click.option("--samples", type=click.IntRange(100, 10**8), metavar="N",
              help="Where no exact law is known: run the sampler; N samples may refute a theorem, and give a "
                   "95 % bracket.")
@click.option("--samples-from", metavar="FILE.npy",
              help="Hold these samples (n, dimension) against the bounds, whatever made them, in place of the "
                   "sampler's exact law.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the samples.")
@certified_options
def certify(problem, theorem, information, overrides, as_json, why, samples, samples_from, seed, certified,
            precision):
    """Compare every theorem (or one) with the exact W2 error of the sampler on PROBLEM."""
    if samples_from and (samples or certified):
        raise click.UsageError("--samples-from goes neither with --samples nor with --certified")
    question = load_question(problem, overrides)
    given = _samples(samples_from) if samples_from else None
    with progress("certify") as tell:
        certificates = certificates_of(question, theorems_named(theorem), information, tell, samples or 0,
                                       seed, precision if certified else None, given)
    if as_json:
        print_json({"certificates": [c.as_dict() for c in certificates], "notes": question.notes})
    else:
        print_text(*certificate_lines(question, certificates, given is not None, why))
    return verdict_code(certificates)


def _samples(path: str):
    """The array of a .npy file; one that would run code when it is read is refused."""
    import numpy as np

    try:
        return np.load(path, allow_pickle=False)
    except OSError as error:
        raise Failure(f"cannot read {path!r}: {error.strerror or error}") from None
    except (ValueError, EOFError):
        raise Failure(f"--samples-from must be a .npy file of numbers of shape (n, dimension), got {path!r}") from None


def certificates_of(question, chosen, information: str, tell: Callable, samples: int = 0,
                    seed: int = 0, precision: int | None = None, given=None, measure: Callable | None = None) -> list:
    """A certificate of each theorem; the error is measured once, and only if one applies: by ``measure``, as
    `measured_error` does by default, or by the samples ``given``."""
    from dataclasses import replace

    from verify.certificates.certificate import (
        Certificate,
        certified_measure,
        certify_setting,
        check_certifiable,
    )
    from verify.certificates.sampled import measured_from
    from verify.certificates.useful_smoothing import explained

    if question.law is None:
        raise Failure(
            "certify needs data.law: constants alone leave no exact law to compare with (bound takes them)"
        )
    if precision:
        check_certifiable(question.law, question.score_error, question.score_noise, samples)
    setting, reason = setting_or_reason(question, information)
    measured = None if given is None else measured_from(given, question.law)
    record, certificates = question.as_dict(), []
    for each in chosen:
        tell(None, f"{question.source}: {each.key}")
        if setting is None:
            certificates.append(Certificate.not_applicable(each, (reason,), record))
            continue
        if precision and not each.unmet(setting) and (left_out := without_balls(each, chosen)):
            certificates.append(Certificate.not_applicable(each, left_out, record))
            continue
        with naming(each.key):
            if measured is None and not each.unmet(setting):
                tell(None, f"{question.source}: exact law of the sampler")
                measured = (certified_measure(setting, question.law, precision) if precision
                            else (measure or measured_error)(setting, question.law, samples, seed, anyway=True))
            found = certify_setting(each, setting, question.law, measured, record, samples, seed, precision)
            if found.bound is not None and not precision:
                found = replace(found, bound=explained(found.bound, each, setting))
            asked = {} if given is not None else {"information": information, "samples": samples,
                                                  "precision": precision}
            certificates.append(replace(found, asked=asked))
    return certificates


def measured_error(setting, law, samples: int = 0, seed: int = 0, anyway: bool = False):
    """The exact error, or what samples say of it, ``anyway`` or if they are asked for; [0, ∞) with the reason where its
    computation fails."""
    from closed_form import Bracket
    from verify.certificates import certificate

    try:
        return (certificate.measure_anyway if anyway else certificate.measure)(setting, law, samples, seed)
    except EVALUATION as error:
        if keeps_tracebacks():
            raise
        return Bracket(0.0, float("inf"), f"not measured: {reason_of(error)}")


def _size(error) -> str:
    """The norm of the vector that the score is off by, in words."""
    return f"norm {error:g}" if isinstance(error, float) else f"a norm that makes it {error}"


def verdict_code(certificates) -> int:
    """1 if any is violated, else 3 if any is inconclusive, else 0 if any holds, else 2."""
    verdicts = {str(certificate.verdict) for certificate in certificates}
    for verdict, code in (("VIOLATED", VIOLATED), ("INCONCLUSIVE", INCONCLUSIVE), ("HOLDS", HOLDS)):
        if verdict in verdicts:
            return code
    return WRONG


def certificate_lines(question, certificates, given: bool = False, why: bool = False) -> list:
    """Header, table and remarks of the certificates of one problem, measured by samples that were given or
    not; ``why`` as for `tables.remarks`."""
    from verify.certificates.sampled import name_of

    entries = [(c.theorem, c.unmet, c.bound.notes if c.bound else ()) for c in certificates]
    notes = list(question.notes)
    known = [c.measured for c in certificates
             if c.measured and (c.measured.lower or c.measured.upper < float("inf"))]
    if given and known:
        notes.append("the W2 is that of the samples given, whatever made them, from the data: it may refute "
                     "a bound, and proves none")
    elif question.score_error and known:
        notes.append(f"{name_of(known[0])} is that of the sampler whose score is off by one constant vector "
                     f"of {_size(question.score_error)}; another error of that L2 size, such as a network's, "
                     "has another W2, and the bounds are for all of them")
    table = tables.certificates_table(certificates)
    return [tables.describe(question), table, *tables.measured_lines(certificates), *tables.remarks(entries, notes, why)]


COMMAND = certify
