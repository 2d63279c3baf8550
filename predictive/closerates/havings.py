"""What contacts can have: an activity before the cut, a value of an attribute; each with the condition of a rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import narwhals as nw
import numpy as np
import pandas as pd

from predictive.closerates.evidence import Bools
from predictive.config import FeatureChoice
from predictive.engines import Frame, distinct
from predictive.features import behaviour, catalog
from predictive.features.catalog import Feature
from predictive.features.choose import RESERVED, Choice
from predictive.features.expression import Total
from predictive.tables import Tables

EVER = 36_500
"""A window longer than any history, in days."""

FEWEST = 10
"""What fewer contacts have is not looked at: nothing could be said of it."""
MOST_LEVELS = 30
"""The levels of a text attribute that most contacts have; more would be a list, not a reason."""
MOST_DETAILS = 10
BANDS = 4
DETAIL_DAYS = 90
AGE = catalog.record_age()
TAKEN = (*RESERVED, AGE.name, "followed", "offset")
"""Columns that examples have besides these features."""
UNKNOWN = "(not known)"


@dataclass(frozen=True, eq=False)
class Having:
    """Something that a contact has or not at its as-of.

    `value` says how long ago an activity may be, or what the attribute is. `when` are conditions as a rule file writes
    them, which hold for the rows of which `mask` (n,) is true.
    """

    kind: Literal["activity", "attribute"]
    name: str
    value: str
    when: tuple[dict[str, Any], ...]
    mask: Bools = field(repr=False)


def features_to_look_at(
    tables: Tables, wanted: FeatureChoice, choice: Choice, until: int
) -> tuple[list[Feature], list[Feature]]:
    """The counts of activities and the attributes to look at, with names of their own.

    Counts: per type ever and in the configured windows, and per common detail; every type that at least ten contacts
    have by `until` (microseconds), but for those that are excluded, sensitive, or betray the outcome; of each the ten
    details that most contacts have. Attributes: those among the chosen features.
    """
    unwanted = {*wanted.exclude, *wanted.sensitive, *choice.left_out}
    seen = tables.activities.filter((nw.col("known") <= until) & ~nw.col("type").is_in(sorted(unwanted)))
    counts = [behaviour.count((t,), days) for (t,) in _common(seen, ["type"]) for days in (EVER, *wanted.windows)]
    for type_, detail in details_of(seen):
        counts += [behaviour.count((type_,), days, detail=detail) for days in (EVER, DETAIL_DAYS)]
    attributes = [f for f in choice.features if f.attribute is not None]
    both = catalog.distinct([*attributes, *dict.fromkeys(counts)], taken=TAKEN)
    return both[len(attributes) :], both[: len(attributes)]


def details_of(activities: Frame) -> list[tuple[str, str]]:
    """Of each type the details that most contacts have, at most ten and each of at least ten contacts."""
    found: dict[str, list[str]] = {}
    for type_, detail in _common(activities.filter(~nw.col("detail").is_null()), ["type", "detail"]):
        found.setdefault(type_, []).append(detail)
    return [(type_, detail) for type_, details in sorted(found.items()) for detail in details[:MOST_DETAILS]]


def _common(activities: Frame, keys: list[str]) -> list[tuple[str, ...]]:
    """The values of `keys` that enough contacts have, the most common first."""
    per_contact = distinct(activities, "contact_id", *keys).group_by(keys).agg(n=nw.len())
    rows = per_contact.filter(nw.col("n") >= FEWEST).select(*keys, "n").collect().rows()
    return [tuple(row[:-1]) for row in sorted(rows, key=lambda row: (-row[-1], row[:-1]))]


def done(features: Sequence[Feature], frame: pd.DataFrame, *, at_least: int = 1) -> Iterator[Having]:
    """Per count of activities those who did it `at_least` so many times."""
    for feature in features:
        yield did(feature, frame, at_least)


def did(feature: Feature, frame: pd.DataFrame, at_least: int) -> Having:
    """Those who did something at least so many times; `feature` counts it."""
    total = counted(feature)
    condition: dict[str, Any] = {"activity": total.types[0] if len(total.types) == 1 else list(total.types)}
    if total.detail is not None:
        condition["detail"] = total.detail
    if at_least > 1:
        condition["at_least"] = at_least
    value = "ever"
    if total.days is not None and total.days < EVER:
        condition["within"] = f"{total.days}d"
        value = f"in the last {total.days} days"
    name = " or ".join(total.types) if total.detail is None else f"{total.types[0]}: {total.detail}"
    value = value if at_least == 1 else f"{at_least} or more {value}"
    mask = frame[feature.name].to_numpy(dtype=float) >= at_least
    return Having("activity", name, value, (condition,), mask)


def counted(feature: Feature) -> Total:
    """The one total that a count is."""
    if not isinstance(feature.term, Total):
        raise TypeError(f"{feature.name} counts nothing")
    return feature.term


def stated(features: Sequence[Feature], frame: pd.DataFrame) -> Iterator[Having]:
    """Per attribute and value those who have it: levels of text, bands of equally many of a number, and not known."""
    for feature in features:
        values = frame[feature.name]
        name = str(feature.attribute)
        missing = values.isna().to_numpy()
        of_number = feature.kind == "number"
        yield from (_bands if of_number else _levels)(name, values)
        if missing.any() and not missing.all():
            yield Having("attribute", name, UNKNOWN, ({"attribute": name, "known": False},), missing)


def _levels(name: str, values: pd.Series[Any]) -> Iterator[Having]:
    text = values.astype("object")
    common = text.value_counts()
    for level in sorted(map(str, common[common >= FEWEST].head(MOST_LEVELS).index)):
        yield Having("attribute", name, level, ({"attribute": name, "equals": level},), (text == level).to_numpy(bool))


def _bands(name: str, values: pd.Series[Any]) -> Iterator[Having]:
    numbers = values.to_numpy(dtype=float, na_value=np.nan)
    known = np.sort(numbers[np.isfinite(numbers)])
    if len(known) == 0:
        return
    levels = np.unique(known)
    starts = levels if len(levels) <= BANDS + 1 else np.unique(known[[len(known) * i // BANDS for i in range(BANDS)]])
    ends = [*(float(levels[np.searchsorted(levels, start) - 1]) for start in starts[1:]), float(levels[-1])]
    for low, high in zip(map(float, starts), ends, strict=True):
        value = written(low) if low == high else f"{written(low)} to {written(high)}"
        mask = (numbers >= low) & (numbers <= high)
        yield Having("attribute", name, value, ({"attribute": name, "at_least": low, "at_most": high},), mask)


def written(number: float) -> str:
    """A number for people.

    >>> written(1500.0), written(0.125)
    ('1,500', '0.125')
    """
    return f"{number:,.0f}" if number == int(number) else f"{number:,.4g}"
