"""The default features of behaviour and of the record, for what a data set holds."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

import narwhals as nw

from predictive.clock import DAY
from predictive.config import FeatureChoice
from predictive.engines import Frame, distinct
from predictive.features import behaviour, catalog
from predictive.features.catalog import Feature
from predictive.tables import Tables

MOST_TYPES, MOST_DETAILS = 30, 20
FEWEST_CONTACTS = 10
"""A type or detail that fewer contacts have says nothing that could be checked."""
MONTH, QUARTER, YEAR = 30, 90, 365
STAGE = "lifecycle_stage"


def chosen_behaviour(tables: Tables, wanted: FeatureChoice, until: int) -> list[Feature]:
    """Features of what contacts did, for the types, groups and details that enough of them have, and for kept types.

    Types that are not wanted have no features of their own; :func:`~predictive.features.choose.choose` hides them from
    those of any activity.
    """
    unwanted = {*wanted.exclude, *wanted.sensitive}
    seen = tables.activities.filter((nw.col("known") <= until) & ~nw.col("type").is_in(sorted(unwanted)))
    kept = seen.filter(nw.col("type").is_in(wanted.keep)).select("type").unique().collect()["type"].to_list()
    types = sorted({*kept, *(t for (t,) in _common(seen, ["type"], MOST_TYPES))})
    if not types:
        return []
    features = _of_anything(types, wanted)
    groups = grouped(types, wanted.groups)
    valued = {t for (t,) in _common(seen.filter(~nw.col("value").is_null()), ["type"], MOST_TYPES)}
    for name, members in groups.items():
        if len(members) > 1:
            features += _of_some(tuple(members), wanted, group=name, valued=valued)
    if groups.get("negative"):
        features += [behaviour.share(tuple(groups["negative"]), YEAR, group="negative")]
    for name in types:
        features += _of_some((name,), wanted, valued=valued)
    for name, detail in _common(seen.filter(~nw.col("detail").is_null()), ["type", "detail"], MOST_DETAILS):
        if name in types:
            features += [behaviour.count((name,), QUARTER, detail=detail), behaviour.recency((name,), detail=detail)]
    return features


def chosen_record(tables: Tables, stated: Sequence[Feature], until: int) -> list[Feature]:
    """Features of the record itself: its age, its entry, how complete it is, how it changed, and its colleagues."""
    features = [catalog.record_age(), catalog.entry("weekday")]
    oldest = tables.contacts.select(nw.col("created_at").min()).collect().item()
    if oldest is not None and until - int(oldest) >= 2 * YEAR * DAY:
        # In a shorter history a month cannot be told from the time that it happened to fall in.
        features.append(catalog.entry("month"))
    own = [f.attribute for f in stated if f.attribute is not None and not f.attribute.startswith("account_")]
    if len(own) > 1:
        features.append(catalog.completeness(own))
    tracked = sorted(tables.tracked["contact"])
    if tracked:
        features += [behaviour.changes(None), behaviour.changes(QUARTER), behaviour.unchanged()]
        for name in tracked:
            if name in own:
                features += [behaviour.changes(YEAR, (name,)), behaviour.unchanged((name,))]
        if STAGE in tracked and STAGE in own:
            features.append(behaviour.time_in(STAGE))
    return features + (_of_colleagues() if _shared_accounts(tables) else [])


def grouped(types: Sequence[str], groups: dict[str, list[str]]) -> dict[str, list[str]]:
    """The types of each group: a type is in the first group with a pattern that it matches, whatever its case.

    >>> grouped(["call", "Email_Open", "other"], {"email": ["*mail*"], "sales": ["call", "*meeting*"]})
    {'email': ['Email_Open'], 'sales': ['call']}
    """
    found: dict[str, list[str]] = {name: [] for name in groups}
    for type_ in types:
        matching = (n for n, globs in groups.items() if any(fnmatchcase(type_.lower(), g.lower()) for g in globs))
        home = next(matching, None)
        if home is not None:
            found[home].append(type_)
    return {name: members for name, members in found.items() if members}


def _of_anything(types: Sequence[str], wanted: FeatureChoice) -> list[Feature]:
    features = [behaviour.count((), days) for days in wanted.windows]
    features += [behaviour.active_days(days) for days in wanted.windows]
    features += [behaviour.intensity((), half_life) for half_life in wanted.half_lives]
    features += [behaviour.recency(()), behaviour.first_touch_age(), behaviour.trend()]
    features += [behaviour.gap(), behaviour.overdue(), behaviour.weeks_in_a_row()]
    features += [behaviour.breadth(days) for days in (MONTH, QUARTER)]
    return [*features, behaviour.touch("first", tuple(types)), behaviour.touch("last", tuple(types))]


def _of_some(
    types: tuple[str, ...], wanted: FeatureChoice, *, valued: set[str], group: str | None = None
) -> list[Feature]:
    features = [behaviour.count(types, days, group=group) for days in wanted.windows]
    features += [behaviour.active_days(days, types, group=group) for days in (MONTH, QUARTER)]
    features += [behaviour.recency(types, group=group), behaviour.intensity(types, wanted.half_lives[-1], group=group)]
    if group is not None:
        features += [behaviour.trend(types, group=group), behaviour.weeks_in_a_row(types, group=group)]
    if valued.intersection(types):
        features += [behaviour.value_sum(types, QUARTER, group=group), behaviour.value_mean(types, YEAR, group=group)]
    return features


def _of_colleagues() -> list[Feature]:
    features = [behaviour.colleagues("people"), behaviour.colleagues("bought")]
    for days in (MONTH, QUARTER):
        features += [behaviour.colleagues_active(days), behaviour.colleagues_count(days)]
    return features


def _shared_accounts(tables: Tables) -> bool:
    """Whether some account has several contacts."""
    sizes = tables.contacts.filter(~nw.col("account_id").is_null()).group_by("account_id").agg(n=nw.len())
    largest = sizes.select(nw.col("n").max()).collect().item()
    return largest is not None and int(largest) > 1


def _common(activities: Frame, keys: list[str], most: int) -> list[tuple[str, ...]]:
    """The values of `keys` that most contacts have, in the order of their names so that the set is stable."""
    per_contact = distinct(activities, "contact_id", *keys).group_by(keys).agg(n=nw.len())
    rows = (
        per_contact.filter(nw.col("n") >= FEWEST_CONTACTS)
        .collect()
        .sort("n", *keys, descending=[True] + [False] * len(keys))
    )
    return sorted(tuple(row[:-1]) for row in rows.select(*keys, "n").head(most).rows())
