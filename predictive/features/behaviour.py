"""The features of what contacts did: counts, days, recency, intensity, values, rhythm, and what their colleagues did.

Each takes the activity types it is about (none: all of them), and the name of their group where they are one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from predictive.features.catalog import Feature
from predictive.features.expression import VALUE_ONE, WEIGHT_ONE, Attribute, Formula, Term, Total, pick, streak

Types = tuple[str, ...]


def count(
    types: Types, days: int, *, group: str | None = None, detail: str | None = None, contains: str | None = None
) -> Feature:
    """How many activities of these types fall in the last `days` days; 0 when there are none.

    >>> count(("page_view",), 30).description
    'page view: how many in the last 30 days'
    """
    about, key = _about(types, group, detail if detail is not None else contains)
    term = Total("count", types, days, None, detail, contains)
    text = f"{about}: how many in the last {days} days"
    return Feature(f"{key}_count_{days}d", text, "interest", key, about, term, words="times")


def active_days(days: int, types: Types = (), *, group: str | None = None) -> Feature:
    """On how many of the last `days` days (24 hours, counted back from as-of) the contact did any of these."""
    about, key = _about(types, group)
    words = "active days" if not types else f"days with {about}"
    term = Total("days", types, days)
    name = f"active_days_{days}d" if not types else f"{key}_days_{days}d"
    text = f"days with {about} in the last {days} days"
    return Feature(name, text, "interest", key, words, term, words="active days")


def recency(types: Types, *, group: str | None = None, detail: str | None = None) -> Feature:
    """Days since the latest activity of these types; missing when there is none."""
    about, key = _about(types, group, detail)
    term = _days(Total("last", types, None, None, detail))
    text = f"{about}: days since the latest"
    return Feature(f"{key}_days_since", text, "interest", key, f"latest {about}", term, words="ago")


def first_touch_age() -> Feature:
    """Days since the contact's first activity; missing when there is none."""
    text = "days since the first activity of any kind"
    term = _days(Total("first"))
    return Feature("first_touch_age_days", text, "interest", "first touch", "first activity", term, words="ago")


def intensity(types: Types, half_life: int, *, group: str | None = None) -> Feature:
    """Activities of these types, each counting half as much for every `half_life` days that have passed."""
    about, key = _about(types, group)
    text = f"{about}: recent intensity, halved every {half_life} days"
    term = Total("decay", types, None, half_life) / WEIGHT_ONE
    return Feature(f"{key}_intensity_{half_life}d", text, "interest", key, about, term, words="intensity")


def trend(types: Types = (), *, group: str | None = None) -> Feature:
    """The last 30 days against the 90 days before them, per 30 days, each plus one: 1 means no change."""
    about, key = _about(types, group)
    short, long = Total("count", types, 30), Total("count", types, 120)
    text = f"{about}: the last 30 days against the 90 days before"
    term = (short + 1) / ((long - short) / 3 + 1)
    return Feature(f"{key}_trend", text, "interest", key, about, term, words="trend")


def value_sum(types: Types, days: int, *, group: str | None = None) -> Feature:
    """The sum of `value` over the last `days` days; 0 when there is none."""
    about, key = _about(types, group)
    text = f"{about}: sum of the values in the last {days} days"
    term = Total("value", types, days) / VALUE_ONE
    return Feature(f"{key}_value_{days}d", text, "interest", key, f"{about}, value", term)


def value_mean(types: Types, days: int, *, group: str | None = None) -> Feature:
    """The mean of `value` over the last `days` days; missing when there is none."""
    about, key = _about(types, group)
    text = f"{about}: mean of the values in the last {days} days"
    term = Total("value", types, days) / Total("valued", types, days) / VALUE_ONE
    return Feature(f"{key}_value_mean_{days}d", text, "interest", key, f"{about}, mean value", term)


def weeks_in_a_row(types: Types = (), *, group: str | None = None) -> Feature:
    """How many weeks in a row, counted back from as-of, the contact did any of these; at most 7."""
    about, key = _about(types, group)
    text = f"{about}: weeks in a row until now, at most 7"
    return Feature(f"{key}_streak", text, "interest", key, about, streak(Total("weeks", types)), words="weeks")


def gap(types: Types = (), *, group: str | None = None) -> Feature:
    """Mean days from one active day to the next; missing with fewer than two."""
    about, key = _about(types, group)
    text = f"{about}: mean days between active days"
    term = _span(types) / (Total("days", types) - 1)
    return Feature(f"{key}_gap_days", text, "interest", key, f"{about}, days between", term)


def overdue(types: Types = (), *, group: str | None = None) -> Feature:
    """Time since the latest activity, in the contact's own mean gaps: above 1, it is later than usual."""
    about, key = _about(types, group)
    text = f"{about}: time since the latest, in mean gaps between active days"
    usual = _span(types) / (Total("days", types) - 1)
    term = _days(Total("last", types)) / usual
    return Feature(f"{key}_overdue", text, "interest", key, f"{about}, against its own rhythm", term)


def breadth(days: int) -> Feature:
    """How many types of activity the contact had in the last `days` days."""
    text = f"kinds of activity in the last {days} days"
    term = Total("breadth", (), days)
    return Feature(f"breadth_{days}d", text, "interest", "breadth", "kinds of activity", term, words="times")


def share(types: Types, days: int, *, group: str) -> Feature:
    """The share of a group in all activities of the last `days` days; missing when there are none."""
    text = f"{group}: share of all activities in the last {days} days"
    term = Total("count", types, days) / Total("count", (), days)
    return Feature(f"{group}_share_{days}d", text, "interest", group, f"share of {group}", term)


def touch(which: Literal["first", "last"], types: Types) -> Feature:
    """The type of the first or last activity, of these; "other" for any other.

    Of several at one instant it is the one that comes first in `types`.
    """
    subject = f"{which} activity"
    named = [(Total(which, (name,)), name) for name in types]
    term = pick(named, Total(which))
    return Feature(
        f"{which}_touch", f"type of the {subject}", "interest", f"{which} touch", subject, term, "text", "text"
    )


def changes(days: int | None, attributes: Types = ()) -> Feature:
    """How many times attributes changed after the contact was created, in the last `days` days (None: ever)."""
    about = " or ".join(a.replace("_", " ") for a in attributes) if attributes else "record"
    key = "_or_".join(attributes) if attributes else "record"
    when = "ever" if days is None else f"in the last {days} days"
    term = Total("count", attributes, days, stream="changes")
    name = f"{key}_changes" if days is None else f"{key}_changes_{days}d"
    return Feature(name, f"{about}: changes {when}", "context", f"{key} changes", f"changes of the {about}", term)


def unchanged(attributes: Types = ()) -> Feature:
    """Days since one of these attributes last changed after the contact was created; missing if it never did."""
    about = " or ".join(a.replace("_", " ") for a in attributes) if attributes else "record"
    key = "_or_".join(attributes) if attributes else "record"
    term = _days(Total("last", attributes, stream="changes"))
    text = f"{about}: days since it last changed"
    return Feature(f"{key}_days_since_change", text, "context", f"{key} changes", f"{about} changed", term, words="ago")


def time_in(attribute: str) -> Feature:
    """Days in the current value of an attribute, such as the lifecycle stage: since it changed, else since entry."""
    about = attribute.replace("_", " ")
    age = Formula("days", (_entry_age(),))
    term = _days(Total("last", (attribute,), stream="changes")).fill(age)
    text = f"days in the current {about}"
    return Feature(f"days_in_{attribute}", text, "context", attribute, f"in this {about}", term, words="ago")


def colleagues(measure: Literal["people", "bought"]) -> Feature:
    """How many other contacts the account has, or how many of them won a deal before."""
    words = {"people": "other contacts of the account", "bought": "other contacts of the account that bought"}[measure]
    term = Total(measure, stream="colleagues")
    return Feature(f"colleagues_{measure}", f"{words}: how many", "fit", "colleagues", words, term)


def colleagues_active(days: int) -> Feature:
    """How many other contacts of the account did anything in the last `days` days."""
    words = "active colleagues"
    term = Total("active", (), days, stream="colleagues")
    text = f"other contacts of the account that did anything in the last {days} days"
    return Feature(f"colleagues_active_{days}d", text, "interest", "colleagues' activity", words, term, words="times")


def colleagues_count(days: int) -> Feature:
    """How many activities the other contacts of the account had in the last `days` days."""
    words = "activities of colleagues"
    term = Total("count", (), days, stream="colleagues")
    text = f"{words}: how many in the last {days} days"
    return Feature(f"colleagues_count_{days}d", text, "interest", "colleagues' activity", words, term, words="times")


def colleagues_intensity(half_life: int) -> Feature:
    """What the other contacts of the account did, each activity halved every `half_life` days."""
    words = "activities of colleagues"
    term = Total("decay", (), None, half_life, stream="colleagues") / WEIGHT_ONE
    text = f"{words}: recent intensity, halved every {half_life} days"
    name = f"colleagues_intensity_{half_life}d"
    return Feature(name, text, "interest", "colleagues' activity", words, term, words="intensity")


def without(feature: Feature, types: Iterable[str]) -> Feature:
    """The feature, blind to activities of these types, and changes of attributes of these names, where it reads any.

    >>> without(breadth(30), ["contract"]).totals[0].without
    ('contract',)
    """
    blind = tuple(sorted(set(types)))
    return replace(feature, term=_blinded(feature.term, blind))


def _blinded(term: Term, blind: Types) -> Term:
    if isinstance(term, Formula):
        return replace(term, terms=tuple(_blinded(t, blind) for t in term.terms))
    if isinstance(term, Total) and not term.types:
        return replace(term, without=blind)
    return term


def _entry_age() -> Formula:
    return Attribute("as_of") - Attribute("created_at")


def _days(microseconds: Term) -> Formula:
    return Formula("days", (microseconds,))


def _span(types: Types) -> Formula:
    """Days from the first activity to the latest."""
    return _days(Total("first", types) - Total("last", types))


def _about(types: Types, group: str | None = None, detail: str | None = None) -> tuple[str, str]:
    """What is counted, in words, and as part of a name."""
    if group is not None:
        return group.replace("_", " "), group
    words = " or ".join(t.replace("_", " ") for t in types) if types else "any activity"
    key = "_or_".join(types) if types else "any"
    return (words, key) if detail is None else (f"{words} {detail}", f"{key}[{detail}]")
