"""What nearly gave a contact points: the one thing that a set lacks, and what would do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from predictive.clock import DAY
from predictive.rules.compiling import View, count_feature, holds, subject_feature, value_feature
from predictive.rules.conditions import Condition
from predictive.rules.language import RuleSet
from predictive.rules.scoring import remaining
from predictive.rules.words import about, activities, wanted, window

FEW = 2
"""So many more activities are always near; so are as many as there are already."""
LAPSED = 2
"""What happened within so many windows has lapsed only just."""


@dataclass(frozen=True)
class NearMiss:
    """A set that nearly fired (or could fire once more): what is lacking in words, and the points that it would bring.

    `lacking` counts the activities that would do, or is the value of the one that would; it is 0 for an attribute.
    """

    set: str
    gain: float
    text: str
    condition: Condition
    lacking: float

    @property
    def wanted(self) -> str:
        """What is wanted of an attribute that is not known."""
        return wanted(self.condition)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {"set": self.set, "gain": self.gain, "text": self.text, "lacking": self.lacking}


def near_misses(rule: RuleSet, times: int, view: View) -> Iterator[NearMiss]:
    """What the set lacks for the first contact of `view`: one condition of all, or one more repeat.

    `times` is how often the set gives its points already; `gain` is what it would give in all, before any cap.
    """
    failing = [c for c in rule.when if not holds(c, view)[0]]
    if not failing and rule.counted is not None:
        need = _once_more(rule, rule.counted, times, view)
        others = [inner for c in rule.when if c is not rule.counted for inner in c.each()]
        if need is not None and _safe(rule.counted, others, need):
            yield from _made(rule, rule.counted, need, _more(rule.counted, need, view), view)
    elif len(failing) == 1:
        others = [inner for c in rule.when if c is not failing[0] for inner in c.each()]
        options = [m for c in failing[0].each() for m in _missing(rule, c, view) if _safe(c, others, m.lacking)]
        yield from sorted(options, key=lambda m: m.lacking)[:1]


def _once_more(rule: RuleSet, counted: Condition, times: int, view: View) -> float | None:
    """How many more activities bring the next repeat, or bring back what has melted; None where nothing does."""
    every, most = (1, 1) if rule.repeat is None else (rule.repeat.every, rule.repeat.up_to)
    have, high = view.count(counted)[0], counted.times[1]
    repeats = have // every
    need = 1.0 if repeats >= most else float(every * (repeats + 1) - have)
    if (repeats >= most and times > 0) or (high is not None and have + need > high):
        return None
    return need


def _missing(rule: RuleSet, c: Condition, view: View) -> Iterator[NearMiss]:
    if c.activity is None:
        yield from _unknown(rule, c, view)
    elif c.value_at_least is not None:
        yield from _value_miss(rule, c, c.value_at_least, view)
    elif c.counts:
        low, high = c.times
        every = rule.repeat.every if rule.repeat is not None and c is rule.counted else 1
        have, need = view.count(c)[0], max(low, every)
        # What lapsed long ago is not near; nor are bad points for what has not happened lately.
        lately = rule.points > 0 and c.days is not None and view.age(c)[0] < LAPSED * c.days * DAY
        happened = have > 0 or lately
        near = need - have <= FEW or have >= need / 2
        if happened and near and have < need <= (np.inf if high is None else high):
            lacking = float(np.ceil(need - have))
            yield from _made(rule, c, lacking, _more(c, lacking, view), view)


def _value_miss(rule: RuleSet, c: Condition, need: float, view: View) -> Iterator[NearMiss]:
    have, (low, high) = view.numbers(value_feature(c).name)[0], c.times
    fits = low <= view.numbers(count_feature(c).name)[0] + 1 <= (np.inf if high is None else high)
    if fits and need / 2 <= have < need <= (np.inf if c.value_at_most is None else c.value_at_most):
        lacking = float(np.ceil((need - have) * 10_000) / 10_000)
        thing = activities(c, FEW).removeprefix(f"{FEW} ")
        yield from _made(rule, c, lacking, f"{lacking:,g} more in {thing}{window(c)}", view, added=1)


def _unknown(rule: RuleSet, c: Condition, view: View) -> Iterator[NearMiss]:
    """An attribute that is not known, where knowing it may bring points."""
    if c.attribute is None or rule.points <= 0 or c.unknown or c.known is False:
        return
    if pd.isna(view.frame[subject_feature(c, view.kinds).name].iloc[0]):
        yield from _made(rule, c, 0.0, f"no {about(c)} known", view)


def _made(
    rule: RuleSet, c: Condition, lacking: float, text: str, view: View, *, added: float | None = None
) -> Iterator[NearMiss]:
    """The near miss, unless the set would give nothing even then."""
    counted, more = rule.counted, lacking if added is None else added
    times, kept = 1, 1.0
    if rule.repeat is not None and counted is not None:
        have = view.count(counted)[0] + (more if c is counted else 0)
        times = int(min(rule.repeat.up_to, have // rule.repeat.every))
    if rule.decay is not None and counted is not None and c is not counted:
        kept = float(remaining(rule.decay, view.age(counted))[0])
    if times and kept:
        yield NearMiss(rule.name, rule.points * times * kept, text, c, lacking)


def _more(c: Condition, need: float, view: View) -> str:
    number, thing = activities(c, need).split(" ", 1)
    age = view.age(c)[0]
    lapsed = c.days is not None and age >= c.days * DAY
    return f"{number} more {thing}{window(c)}" + (f" (the last was {age / DAY:.0f} days ago)" if lapsed else "")


def _safe(c: Condition, others: list[Condition], lacking: float) -> bool:
    """Whether what is lacking leaves the other conditions of the set as they are."""
    bounded = (o for o in others if o.activity is not None and (o.times[1] is not None or o.value_at_most is not None))
    return not lacking or all(o.types and c.types and set(o.types).isdisjoint(c.types) for o in bounded)
