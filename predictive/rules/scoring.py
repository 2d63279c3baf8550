"""The manual score of every contact: which sets fire, what they give, and what that makes.

Points are added in fixed point, so that no score depends on the order of the sets, and are rounded once, at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from predictive.features.catalog import Feature
from predictive.features.expression import WEIGHT_ONE
from predictive.rules.compiling import MICROSECOND, Kinds, View, all_hold, condition_features, holds, latest_features
from predictive.rules.conditions import Condition
from predictive.rules.language import Decay, QuadrantCuts, Rules, RuleSet, Stages

POINT = WEIGHT_ONE
"""One point in fixed point."""


@dataclass(frozen=True)
class RuleScore:
    """Points per contact, each array of shape (n,); `fired` is (n, sets) and boolean.

    `total` is the sum of all points after the caps of groups, with its fractions (float64). `score` is the total
    rounded half up and clipped to 0–100; `fit` and `interest` are the parts of the explicit and the implicit sets,
    rounded half up (int64). `for_model` is the score without the sets that are for people only. `stage` is that of the
    score, or the one that the lifecycle says.
    """

    score: np.ndarray
    fit: np.ndarray
    interest: np.ndarray
    fired: np.ndarray
    total: np.ndarray
    for_model: np.ndarray
    stage: np.ndarray


class Worth(NamedTuple):
    """Of one set, per contact: how many times it gives its points (0: it does not fire), and what it gives in all.

    `times` is int64; `given` is int64 in fixed point, see :data:`POINT`.
    """

    times: np.ndarray
    given: np.ndarray


class Sums(NamedTuple):
    """Per group in order, per contact: the points of its explicit and of its implicit sets, in fixed point, capped."""

    fit: dict[str, np.ndarray]
    interest: dict[str, np.ndarray]


def rule_features(rules: Rules, kinds: Kinds) -> list[Feature]:
    """The features that the rules read, without repeats."""
    found = condition_features([c for rule in rules.sets for c in rule.when], kinds)
    for rule in rules.sets:
        if rule.decay is not None and rule.counted is not None:
            found += latest_features(rule.counted)
    stated = [c for c in lifecycle_conditions(rules).values() if c.attribute in kinds]
    return list(dict.fromkeys([*found, *condition_features(stated, kinds)]))


def score_rules(rules: Rules, frame: pd.DataFrame, kinds: Kinds) -> RuleScore:
    """Apply the rules to a frame that holds the columns of :func:`rule_features`."""
    view = View(frame, kinds)
    fired = np.zeros((len(frame), len(rules.sets)), dtype=bool)
    sums, seen = (_no_sums(rules, len(frame)) for _ in range(2))
    for i, rule in enumerate(rules.sets):
        times, given = worth(rule, view)
        fired[:, i] = times > 0
        for found in (sums,) if rule.people_only else (sums, seen):
            (found.fit if rule.explicit else found.interest)[rule.in_group] += given
    fit, interest = _sides(rules, sums, len(frame))
    score = np.clip(half_up(fit + interest), 0, 100)
    mine = score
    if any(rule.people_only for rule in rules.sets):
        mine = np.clip(half_up(np.add(*_sides(rules, seen, len(frame)))), 0, 100)
    staged = stage(score, rules.stages)
    for name, condition in lifecycle_conditions(rules).items():
        if condition.attribute in kinds:
            staged = np.where(holds(condition, view), name, staged)
    total = (fit + interest) / POINT
    return RuleScore(score, half_up(fit), half_up(interest), fired, total, mine, staged)


def worth(rule: RuleSet, view: View) -> Worth:
    """What one set gives each contact."""
    times = all_hold(rule.when, view).astype(np.int64)
    if rule.repeat is not None and rule.counted is not None:
        repeated = view.count(rule.counted) // rule.repeat.every
        times *= np.clip(np.nan_to_num(repeated), 0, rule.repeat.up_to).astype(np.int64)
    given = times * (rule.points * POINT)
    if rule.decay is None or rule.counted is None:
        return Worth(times, given)
    kept = remaining(rule.decay, view.age(rule.counted))
    given = np.floor(given * np.where(times > 0, kept, 0.0) + 0.5).astype(np.int64)
    # What has melted to nothing has lapsed.
    return Worth(np.where(kept > 0, times, 0), given)


def remaining(decay: Decay, age: np.ndarray) -> np.ndarray:
    """The share of the points that is left `age` microseconds after the latest activity.

    >>> from datetime import timedelta
    >>> remaining(Decay(to_zero=timedelta(days=30)), np.array([0, 15, 30, 45]) * 86_400_000_000).tolist()
    [1.0, 0.5, 0.0, 0.0]
    """
    length = decay.length // MICROSECOND
    if decay.half_life is not None:
        return np.asarray(2.0 ** (-age / length))
    return np.asarray(np.clip((length - age) / length, 0.0, 1.0))


def half_up(fixed: np.ndarray) -> np.ndarray:
    """Fixed point rounded to whole points, halves up, also below zero.

    >>> half_up(np.array([25.5, 25.49, -0.5, -0.51]) * POINT // 1).tolist()
    [26, 25, 0, -1]
    """
    return np.asarray((np.asarray(fixed).astype(np.int64) + POINT // 2) // POINT)


def stage(score: np.ndarray, stages: Stages) -> np.ndarray:
    """The stage of each rule score, as text.

    >>> stage(np.array([0, 1, 26, 51]), Stages()).tolist()
    ['visitor', 'prospect', 'MQL', 'SQL']
    """
    names = np.array(["visitor", "prospect", "MQL", "SQL"], dtype=object)
    return names[np.searchsorted([stages.prospect, stages.MQL, stages.SQL], score, side="right")]


def rule_quadrant(scored: RuleScore, rules: Rules) -> np.ndarray:
    """The quadrant by rule fit and rule interest, each high from its cut on; unknown where no set speaks of an axis."""
    if len({rule.explicit for rule in rules.sets}) < 2:
        return np.full(len(scored.score), "unknown", dtype=object)
    return quadrant_of(scored.fit, scored.interest, rules.quadrant)


def quadrant_of(fit: np.ndarray, interest: np.ndarray, cuts: QuadrantCuts) -> np.ndarray:
    """The quadrant of points.

    >>> quadrant_of(np.array([10, 10, 9, 9]), np.array([20, 19, 20, 19]), QuadrantCuts()).tolist()
    ['pursue', 'nurture', 'opportunistic', 'disengage']
    """
    high = 2 * (fit >= cuts.fit).astype(int) + (interest >= cuts.interest).astype(int)
    return np.asarray(np.array(["disengage", "opportunistic", "nurture", "pursue"], dtype=object)[high])


def lifecycle_conditions(rules: Rules) -> dict[str, Condition]:
    """Per stage that points do not touch, what the lifecycle says of it; a customer's open opportunity comes last."""
    said = rules.lifecycle
    values = {"customer": said.customer, "opportunity": said.opportunity}
    return {name: Condition(attribute=said.attribute, one_of=v) for name, v in values.items()}


def group_points(rules: Rules, frame: pd.DataFrame, kinds: Kinds) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Per group that a set is in: the points (float64) that its sets give together, before its caps and after."""
    view, sums = View(frame, kinds), _no_sums(rules, len(frame))
    for rule in rules.sets:
        (sums.fit if rule.explicit else sums.interest)[rule.in_group] += worth(rule, view).given
    return {
        g: ((sums.fit[g] + sums.interest[g]) / POINT, _capped(rules, g, sums.fit[g] + sums.interest[g]) / POINT)
        for g in sums.fit
    }


def _no_sums(rules: Rules, n: int) -> Sums:
    groups: Sequence[str] = list(dict.fromkeys(rule.in_group for rule in rules.sets))
    return Sums(*({g: np.zeros(n, dtype=np.int64) for g in groups} for _ in range(2)))


def _sides(rules: Rules, sums: Sums, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Fit and interest after the caps. In a group with both, fit is counted first and interest gets the rest."""
    fit, interest = np.zeros(n, np.int64), np.zeros(n, np.int64)
    for group in sums.fit:
        first = _capped(rules, group, sums.fit[group])
        fit += first
        interest += _capped(rules, group, sums.fit[group] + sums.interest[group]) - first
    return fit, interest


def _capped(rules: Rules, group: str, points: np.ndarray) -> np.ndarray:
    cap = rules.groups.get(group)
    if cap is None:
        return points
    low, high = (None if end is None else end * POINT for end in (cap.min, cap.max))
    return np.asarray(np.clip(points, low, high))
