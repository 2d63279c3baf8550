"""Conditions as features of the engine, and where they hold once the features have values.

Conditions compile to the features of :mod:`predictive.features.catalog`, so that rules are cut at as-of by the same
code as the model's features.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd

from predictive.clock import instant, parse_instant
from predictive.derive.tags import split_tags
from predictive.features import catalog
from predictive.features.catalog import Feature
from predictive.features.expression import VALUE_ONE, Measure, Term, Total
from predictive.rules.conditions import Condition

Kinds = Mapping[str, Any]
Test = Callable[[Any], bool]
MICROSECOND = timedelta(microseconds=1)


def condition_features(conditions: Sequence[Condition], kinds: Kinds) -> list[Feature]:
    """The features that the conditions read, without repeats. `kinds` says what the attributes hold.

    Their names are their own, even among the model's features and where two conditions differ in case only.

    >>> condition_features([Condition(attribute="plan", known=True)], {"plan": "text"})[0].attribute
    'plan'
    """
    return list(dict.fromkeys(f for c in conditions for inner in c.each() for f in _features(inner, kinds)))


def conditions_hold(conditions: Sequence[Condition], frame: pd.DataFrame, kinds: Kinds) -> np.ndarray:
    """Where all the conditions hold: boolean, of shape (n,). `frame` has the columns of :func:`condition_features`.

    Where an attribute is compared as a time, it also has `as_of` in microseconds.
    """
    view = View(frame, kinds)
    return all_hold(conditions, view)


def latest_features(condition: Condition) -> list[Feature]:
    """The features that say how long ago (microseconds) the latest matching activity was, one per detail."""
    return [_named("latest", total) for total in _totals(condition, "last", None)]


@dataclass(frozen=True)
class View:
    """A frame of features, with the levels of each column found once, however many conditions read it."""

    frame: pd.DataFrame
    kinds: Kinds
    found: dict[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict, repr=False)

    def levels(self, column: str) -> tuple[np.ndarray, np.ndarray]:
        """The distinct values of a column, and per row the number of its own: −1 where it is missing."""
        if column not in self.found:
            codes, levels = pd.factorize(self.frame[column])
            self.found[column] = np.asarray(levels, dtype=object), codes
        return self.found[column]

    def where(self, column: str, test: Test) -> np.ndarray:
        """Where the value passes a test, which is made once per level; never where it is missing."""
        levels, codes = self.levels(column)
        return np.asarray(np.array([*(test(v) for v in levels), False])[codes])

    def numbers(self, column: str, read: Callable[[Any], float] | None = None) -> np.ndarray:
        """The values as float64, NaN where they are missing or not readable."""
        values = self.frame[column]
        if pd.api.types.is_numeric_dtype(values):
            return values.to_numpy(dtype=float, na_value=np.nan)
        levels, codes = self.levels(column)
        return np.asarray(np.array([*((read or _number)(v) for v in levels), np.nan])[codes])

    def age(self, condition: Condition) -> np.ndarray:
        """Microseconds since the latest activity that the condition counts; NaN where there is none."""
        ages = [self.numbers(f.name) for f in latest_features(condition)]
        return np.asarray(np.fmin.reduce(ages))

    def count(self, condition: Condition) -> np.ndarray:
        """How many activities the condition counts, in its window."""
        return self.numbers(count_feature(condition).name)


def all_hold(conditions: Sequence[Condition], view: View) -> np.ndarray:
    """Where all the conditions hold."""
    return np.asarray(np.logical_and.reduce([holds(c, view) for c in conditions]))


def holds(condition: Condition, view: View) -> np.ndarray:
    """Where one condition holds."""
    c = condition
    if c.any is not None:
        return np.asarray(np.logical_or.reduce([holds(inner, view) for inner in c.any]))
    if c.activity is not None:
        return _activity_holds(c, view)
    column = subject_feature(c, view.kinds).name
    if c.tag is not None or c.no_tag is not None:
        wanted = {t for text in (c.tag or c.no_tag or ()) for t in _tags(text)}
        tagged = view.where(column, lambda v: not wanted.isdisjoint(_tags(v)))
        return tagged if c.no_tag is None else ~tagged
    return _attribute_holds(c, column, view)


def subject_feature(condition: Condition, kinds: Kinds) -> Feature:
    """The attribute that a condition on an attribute or on tags reads."""
    key = condition.attribute or "tags"
    if key.startswith("account_") and key != "account_id":
        plain = catalog.attribute(key.removeprefix("account_"), of="accounts", kind=_kind(key, kinds))
    else:
        plain = catalog.attribute(key, kind=_kind(key, kinds))
    return _unique(plain)


def count_feature(condition: Condition) -> Feature:
    """How many activities a condition counts."""
    return _named("count", _sum(_totals(condition, "count", condition.days)))


def value_feature(condition: Condition) -> Feature:
    """The sum of the values of the activities."""
    return _named("value", _sum(_totals(condition, "value", condition.days)) / VALUE_ONE)


def between(numbers: np.ndarray, low: float | None, high: float | None) -> np.ndarray:
    """Where numbers lie between two ends, either of which may be open; never where they are NaN."""
    lowest, highest = -np.inf if low is None else low, np.inf if high is None else high
    return np.asarray((numbers >= lowest) & (numbers <= highest))


def text_test(condition: Condition) -> Test | None:
    """What a level must be for the operators on texts; None where there are none."""
    c, tests = condition, list[Test]()
    for texts, wanted in ((c.equals, True), (c.one_of, True), (c.is_not, False), (c.none_of, False)):
        if texts is not None:
            tests.append(_among({t.casefold() for t in ([texts] if isinstance(texts, str) else texts)}, wanted=wanted))
    if c.contains is not None:
        # Whole words: "cto" must not be found in "director", nor "intern" in "international".
        words = "|".join(re.escape(t.casefold()) for t in c.contains)
        pattern = re.compile(rf"(?<!\w)(?:{words})(?!\w)") if c.contains else None
        tests.append(lambda v: pattern is not None and pattern.search(v) is not None)
    folding: Test | None = None if not tests else lambda v: all(test(written(v).casefold()) for test in tests)
    if c.matches is None:
        return folding
    expression = re.compile(c.matches, re.IGNORECASE)
    return lambda v: expression.search(written(v)) is not None and (folding is None or folding(v))


def written(value: Any) -> str:
    """A value as people write it: a whole number without a point.

    >>> written(50.0), written("x")
    ('50', 'x')
    """
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _among(levels: set[str], *, wanted: bool) -> Test:
    return lambda v: (v in levels) == wanted


def _features(condition: Condition, kinds: Kinds) -> list[Feature]:
    c = condition
    if c.activity is None:
        return [subject_feature(c, kinds)]
    summed = c.value_at_least is not None or c.value_at_most is not None
    low, high = c.times
    counted = low > 0 or high is not None or not summed
    return [count_feature(c)] * counted + [value_feature(c)] * summed


def _activity_holds(c: Condition, view: View) -> np.ndarray:
    result = np.ones(len(view.frame), dtype=bool)
    for feature in _features(c, view.kinds):
        ends = c.times if feature == count_feature(c) else (c.value_at_least, c.value_at_most)
        result &= between(view.numbers(feature.name), *ends)
    return result


def _attribute_holds(c: Condition, column: str, view: View) -> np.ndarray:
    result = np.ones(len(view.frame), dtype=bool)
    present = view.frame[column].notna().to_numpy()
    for said, wanted in ((c.known, True), (c.unknown, False)):
        if said is not None:
            result &= present == (said == wanted)
    if c.range != (None, None):
        result &= between(view.numbers(column), *c.range)
    test = text_test(c)
    if test is not None:
        result &= view.where(column, test)
    return result & _time_holds(c, view.numbers(column, _time), view) if c.timely else result


def _time_holds(c: Condition, time: np.ndarray, view: View) -> np.ndarray:
    """Dates and naive times are in UTC; a window of d days is (as_of − d, as_of]."""
    result = ~np.isnan(time)
    if c.before is not None:
        result &= time < instant(c.before, "UTC")
    if c.after is not None:
        result &= time >= instant(c.after, "UTC")
    if c.within is not None or c.not_within is not None:
        age = view.frame["as_of"].to_numpy(dtype=float) - time
        recent = np.inf if c.within is None else c.within / MICROSECOND
        old = 0.0 if c.not_within is None else c.not_within / MICROSECOND
        result &= (age >= old) & (age < recent)
    return np.asarray(result)


def _totals(condition: Condition, measure: Measure, days: int | None) -> list[Total]:
    contains = None if condition.contains is None else condition.contains[0]
    details: Sequence[str | None] = [None] if condition.detail is None else list(dict.fromkeys(condition.detail))
    return [Total(measure, condition.types, days, None, detail, contains) for detail in details]


def _sum(totals: Sequence[Total]) -> Term:
    first: Term = totals[0]
    return reduce(lambda a, b: a + b, totals[1:], first)


def _kind(key: str, kinds: Kinds) -> Any:
    return "text" if kinds.get(key) in (None, "text", "boolean") else "number"


def _named(what: str, term: Term) -> Feature:
    return _unique(Feature(f"rules {what}", f"rules: {what}", "interest", "rules", what, term))


def _unique(plain: Feature) -> Feature:
    digest = hashlib.sha256(repr(plain).encode()).hexdigest()[:12]
    return replace(plain, name=f"{plain.name} (rules {digest})")


def _tags(text: str) -> set[str]:
    return {tag.casefold() for tag in split_tags(text)}


def _number(value: Any) -> float:
    number: Any = pd.to_numeric(value, errors="coerce")
    return float(number)


def _time(value: Any) -> float:
    try:
        return float(instant(parse_instant(value), "UTC"))
    except ValueError:
        return float("nan")
