"""One contact's rule points, set by set: what each gave, which caps bit, and what nearly gave points."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from predictive.clock import DAY
from predictive.features.catalog import Feature
from predictive.rules.compiling import Kinds, View, count_feature, latest_features
from predictive.rules.language import Rules, RuleSet
from predictive.rules.near import NearMiss, near_misses
from predictive.rules.scoring import POINT, group_points, rule_features, worth

NEAREST = 5
"""So many near misses are printed, those that would bring most."""


@dataclass(frozen=True)
class SetTold:
    """What one set gave: its points, how many times (0: it did not fire), and what they came to after their decay.

    `group` is the one whose caps apply, `latest` how many days ago the latest activity was that the points melt from.
    """

    name: str
    group: str
    points: int
    fired: bool
    times: int
    given: float
    latest: float | None = None

    def __str__(self) -> str:
        notes = [f"{self.times} × {self.points:+}"] if self.times > 1 else []
        if self.latest is not None and self.fired:
            notes.append(f"of {self.points * self.times:+}, {self.latest:.0f} days after the latest")
        return f"{self.given:+6.4g}  {self.name}" + (f" ({', '.join(notes)})" if notes else "")


@dataclass(frozen=True)
class Told:
    """`caps` are sentences about the groups whose caps bit."""

    sets: tuple[SetTold, ...]
    caps: tuple[str, ...]
    near: tuple[NearMiss, ...]

    def lines(self) -> list[str]:
        """In words, line by line: what fired, which caps bit, what nearly fired, and what did not."""
        near = {miss.set for miss in self.near[:NEAREST]}
        silent = [f"{s.name} ({s.points:+})" for s in self.sets if not s.fired and s.name not in near]
        out = [f"  {told}" for told in self.sets if told.fired] + [f"  {cap}" for cap in self.caps]
        out += ["  nearly:"] * bool(self.near) + [f"    {miss.text}" for miss in self.near[:NEAREST]]
        return out + ([f"  did not apply: {', '.join(silent)}"] if silent else [])


def telling_features(rules: Rules, kinds: Kinds) -> list[Feature]:
    """The features that :func:`tell` reads: those of the rules, and how long ago what is counted happened last."""
    did = [inner for rule in rules.sets for c in rule.when for inner in c.each() if inner.activity is not None]
    latest = [f for c in did for f in (*latest_features(c), count_feature(c))]
    return list(dict.fromkeys([*rule_features(rules, dict(kinds)), *latest]))


def tell(rules: Rules, frame: pd.DataFrame, kinds: Kinds) -> Told:
    """Tell the points of the one contact of `frame`, which has the columns of :func:`telling_features`."""
    view = View(frame, kinds)
    sets = tuple(_told(rule, view) for rule in rules.sets)
    groups = group_points(rules, frame, kinds)
    caps = [
        f"the group {name} counts {after[0]:+g} in place of {before[0]:+g}: its cap"
        for name, (before, after) in groups.items()
        if before[0] != after[0]
    ]
    near = [
        replace(miss, gain=gain, text=f"{miss.text}: {gain:+g}{_if(miss)} ({miss.set})")
        for rule, told in zip(rules.sets, sets, strict=True)
        for miss in near_misses(rule, told.times, view)
        if (gain := _gain(rules, rule, told, groups[rule.in_group][0][0], miss.gain))
    ]
    return Told(sets, tuple(caps), tuple(sorted(near, key=lambda m: -abs(m.gain))))


def _if(miss: NearMiss) -> str:
    return "" if miss.lacking or miss.condition.known or miss.condition.unknown is False else f" if it {miss.wanted}"


def _gain(rules: Rules, rule: RuleSet, told: SetTold, before: float, given: float) -> float:
    """What the total would gain, once the caps of the group have been applied."""
    low, high = (-np.inf, np.inf)
    cap = rules.groups.get(rule.in_group)
    if cap is not None:
        low = low if cap.min is None else cap.min
        high = high if cap.max is None else cap.max
    return float(np.clip(before - told.given + given, low, high) - np.clip(before, low, high))


def _told(rule: RuleSet, view: View) -> SetTold:
    times, given = worth(rule, view)
    latest = None
    if rule.decay is not None and rule.counted is not None:
        age = view.age(rule.counted)[0]
        latest = None if np.isnan(age) else float(age / DAY)
    return SetTold(
        rule.name, rule.in_group, rule.points, bool(times[0]), int(times[0]), float(given[0] / POINT), latest
    )
