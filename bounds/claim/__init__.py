r"""Your own theorem in ten lines: formulas in known symbols make a `bounds.theorem.Theorem`.

>>> from bounds import claim
>>> theorem = claim.recursion("mine", source="Me 2026, Theorem 1", process=["ou"], sampler=["exponential"],
...                           data=["strong-log-concave"], initial="exp(-T)*sqrt(m2 + d)",
growth="exp(-h*m0)",
...                           local="h*sqrt(d*h)*L0 + h*M")

Formulas are parsed by a whitelist and never evaluated as code, so that a claim may come from a stranger; they
are taken as stated, and computed in ball arithmetic, so that no rounding is in the way of a verdict.
"""

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import TypeAlias

from bounds.claim.formulas import Inequality, formula, symbols_of
from bounds.claim.hypotheses import conditions
from bounds.claim.statement import SOURCES, ClosedForm, Recursion
from bounds.claim.symbols import SYMBOLS
from bounds.claim.toml import claim_in
from bounds.theorem import Domain, Source, Theorem

__all__ = ["closed_form", "load", "recursion"]

#: A text in known symbols, or a number.
Formula: TypeAlias = str | float
#: Symbols that say that a claim is about a sampler that stops early.
_STOPS = ("t0", "a_0", "s_0")


def recursion(key: str, *, source: str, initial: Formula, growth: Formula, local: Formula,
              stopping: Formula | None = None, kind: str = "upper",
              title: str = "",
              process: Sequence[str] = (), sampler: Sequence[str] = (), data: Sequence[str] = (),
              grid: Sequence[str] = (), hypotheses: Sequence[str] = ()) -> Theorem:
    r"""A claim by a recursion: :math:`E_0` = initial, :math:`E_k` = growth :math:`E_{k-1}` + local, and
    :math:`W_2(\mathcal L(y_K), p_{t_0}) \le E_K` (``kind="lower"``: at least).

    Parameters
    ----------
    key : str
        What the claim is called: letters, digits, hyphens.
    source : str
        Paper and place, as "Me 2026, Theorem 1".
    initial, growth, local, stopping : str or number
        Formulas in the symbols of ``sgm-bounds list symbols``, in data units: growth and local of one step,
        the others of the question.  ``stopping`` is added where the sampler stops early (an upper bound of
        W2(p_{t0}, p_0)); without it the claim is one for t0 = 0, unless it contains t0, a_0 or s_0.
    process, sampler, data, grid : lists of str
        Keys of processes, samplers and assumptions, and kinds of grids ("uniform", "geometric", "list"), that
        it is stated for; empty for any.
    hypotheses : list of str
        Inequalities such as ``"h*L0 <= 1"``, that must hold in every step.
    title : str
        By default the key.

    Returns
    -------
    Theorem

    Raises
    ------
    ValueError, TypeError
        Naming the claim, the argument, the requirement and what came.
    """
    formulas = {"initial": initial, "growth": growth, "local": local}
    if stopping is not None:
        formulas["stopping"] = stopping
    sign = r"\le" if kind == "upper" else r"\ge"
    statement = (r"E_0 = \mathrm{initial},\quad E_k = \mathrm{growth}\,E_{k-1} + \mathrm{local},\quad "
                 rf"W_2 {sign} E_K" + (r" + \mathrm{stopping}" if stopping is not None else ""))
    return _theorem(Recursion, key, source, formulas, kind, title, statement, (process, sampler, data, grid),
                    hypotheses, per_step=("growth", "local"))


def closed_form(key: str, *, source: str, terms: Mapping[str, Formula], kind: str = "upper", title: str = "",
                process: Sequence[str] = (), sampler: Sequence[str] = (), data: Sequence[str] = (),
                grid: Sequence[str] = (), hypotheses: Sequence[str] = ()) -> Theorem:
    r"""A claim by a sum of terms: :math:`W_2 \le \sum_i` terms (``kind="lower"``: at least).

    Parameters
    ----------
    terms : mapping of str to str or number
        Formulas by name.  Those of an upper bound are called initialisation, discretisation, score bias,
        score noise or early stopping; those of a lower bound as you like.  `h` is the longest step.
    key, source, kind, title, process, sampler, data, grid, hypotheses
        As for `recursion`, and so are the errors.

    Returns
    -------
    Theorem
    """
    where = f"claim {key}: terms"
    if not isinstance(terms, Mapping) or not terms:
        raise TypeError(f"{where} must be formulas by name, at least one, got {terms!r}")
    names = {str(name).replace("_", " "): text for name, text in terms.items()}
    if kind == "upper" and (unknown := [name for name in names if name not in SOURCES]):
        raise ValueError(f"{where} must be among {', '.join(SOURCES)}, got {unknown[0]!r}")
    sign = r"\le" if kind == "upper" else r"\ge"
    return _theorem(ClosedForm, key, source, names, kind, title, rf"W_2 {sign} \text{{the sum of the terms}}",
                    (process, sampler, data, grid), hypotheses, per_step=())


def load(path: str | PathLike[str]) -> Theorem:
    """The claim in the ``[claim]`` table of a TOML file: the arguments of `recursion`, or with a table
    ``[claim.terms]`` those of `closed_form`.

    Parameters
    ----------
    path : str or path

    Raises
    ------
    ValueError, OSError
        Naming the file, the key and the requirement.
    """
    return claim_in(path, recursion, closed_form)


def _theorem(form, key, source, texts, kind, title, statement, stated_for, hypotheses, per_step) -> Theorem:
    where = _check_names(key, source, kind, title)
    domain = Domain(*(_keys(f"{where}: {name}", name, keys)
                      for name, keys in zip(Domain.parts, stated_for, strict=True)))
    formulas = {name: formula(text, f"{where}: {name}") for name, text in texts.items()}
    for name, expression in formulas.items():
        steps = [each for each in symbols_of(expression) if SYMBOLS[each].scope == "step" and each != "h"]
        if steps and name not in per_step:
            raise ValueError(f"{where}: {name} must be one number, without the symbols of a step, got {steps[0]}")
    if isinstance(hypotheses, str) or not isinstance(hypotheses, Sequence):
        raise TypeError(f"{where}: hypotheses must be a list of inequalities, got {hypotheses!r}")
    inequalities = [Inequality.parse(text, f"{where}: hypothesis") for text in hypotheses]
    everything = [*formulas.values(), *(each.difference for each in inequalities)]
    used = symbols_of(*everything)
    alone = [name for name in used if SYMBOLS[name].one_block] if domain.process == ("cld",) else []
    if alone:
        raise ValueError(f"{where}: process cld has two blocks, where formulas must not contain {alone[0]}")
    stops = "stopping" in formulas or "early stopping" in formulas or any(name in used for name in _STOPS)
    paper, _, place = source.partition(", ")
    return Theorem(
        key=key, title=title or key, kind=kind, source=Source(paper, place or "as stated"),
        statement=statement,
        symbols={name: SYMBOLS[name].meaning for name in symbols_of(*formulas.values())},
        conditions=conditions(domain, list(formulas.values()), inequalities, stops), stated=formulas,
        derive=None,
        evaluate=form(key, kind), derivation="Taken as stated: nothing derives it here.", domain=domain)


def _check_names(key, source, kind, title) -> str:
    """Refuse a key, source, kind or title that is none; returns how errors begin."""
    if not isinstance(key, str) or not key.replace("-", "").isalnum() or not key.isascii():
        raise ValueError(f"claim: key must be letters, digits and hyphens, got {key!r}")
    where = f"claim {key}"
    for name, text in (("source", source), ("title", title)):
        if not isinstance(text, str) or (name == "source" and not text.strip()):
            raise TypeError(f"{where}: {name} must be a text, got {text!r}")
    if kind not in ("upper", "lower"):
        raise ValueError(f"{where}: kind must be upper or lower, got {kind!r}")
    return where


def _keys(where: str, part: str, keys) -> tuple[str, ...]:
    if isinstance(keys, str) or not isinstance(keys,
                                               Sequence) or not all(isinstance(key, str) for key in keys):
        raise TypeError(f"{where} must be a list of keys, got {keys!r}")
    known = Domain.known(part)
    for key in keys:
        if key not in known:
            raise ValueError(f"{where} must be among {', '.join(known)}, got {key!r}")
    return tuple(keys)
