r"""The martingale bound with its square root taken apart: each error source on its own, added up (k = 1).

Statement
---------
.. math:: W_2 \le \sum_i x_i, \qquad x_i \text{ what the martingale bound is with the source } i \text{ alone}.

Hypotheses
----------
Those of the martingale bound, and one block.

Source
------
Minkowski's inequality on docs/theory.md, section 4.

Transcription
-------------
Two sources at a time: (x, y) ↦ x + y, from √((1+λ)x² + (1+1/λ)y²) at its least over λ.
"""

from dataclasses import replace
from functools import reduce

import sympy

from bounds import euler_maruyama, ou
from bounds.conditions import ONE_BLOCK
from bounds.theorem import Case, Source, Theorem
from bounds.theorems.martingale import THEOREM as MARTINGALE

x, y, weight = sympy.symbols("x y lambda", positive=True)


def derive():
    """The least of Young's inequality over its weight."""
    young = (1 + weight) * x**2 + (1 + 1 / weight) * y**2
    (best,) = sympy.solve(sympy.diff(young, weight), weight)
    return {"together": sympy.sqrt(young.subs(weight, best))}


def evaluate(setting, functions):
    """The sum of the terms of the martingale bound; rounded up, so that ties go to the safe side."""
    found = MARTINGALE.bound(setting)
    total = reduce(lambda one, two: functions["together"](x=one, y=two), found.terms.values())
    return replace(found, theorem=THEOREM.key, total=total * (1 + 1e-14))


THEOREM = Theorem(
    key="minkowski-sum", title="Sum of the martingale bound's sources", kind="upper",
    source=Source("docs/theory.md", "section 4, with Minkowski's inequality"),
    statement=r"W_2 \le x_1 + x_2 + \dots", symbols={"x": "one source alone", "y": "another"},
    conditions=(*MARTINGALE.conditions, ONE_BLOCK), stated={"together": x + y}, derive=derive, evaluate=evaluate,
    cases=(Case("N(0, 1/4), OU", ou, lambda laws: laws.Gaussian([0.0], 0.25), lambda: euler_maruyama(4, 400),
                ratio_ceiling=3.0, decisive={"together": 0.5}),),
)
