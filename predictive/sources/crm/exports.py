"""HubSpot's own CSV exports as raw tables: properties by their labels become properties by their internal names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files

import yaml

from predictive.sources.crm.raw import RawTable, words
from predictive.sources.origin import quote

OBJECTS = {"contact": "contact", "compan": "company", "deal": "deal"}
"""What the file of an export is called, and the raw table that it is."""


@cache
def labels() -> dict[str, dict[str, str]]:
    """Per object the internal names by label, in lower case; `families` are patterns of labels."""
    text = (files("predictive.sources.crm") / "hubspot" / "labels.yaml").read_text("utf-8")
    found: dict[str, dict[str, str]] = yaml.safe_load(text)
    return found


def from_exports(tables: Sequence[RawTable]) -> tuple[tuple[RawTable, ...], bool]:
    """The tables, exports in the form of landed ones, and whether there are any exports."""
    found = tuple(_landed(table) for table in tables)
    return found, any(new is not old for new, old in zip(found, tables, strict=True))


def internal(object_: str, label: str) -> str:
    """The internal name of the property of an object with this label.

    >>> internal("contact", "Original Source"), internal("contact", "Favourite colour")
    ('hs_analytics_source', 'favourite_colour')
    >>> internal("contact", "Became a Customer Date")
    'hs_lifecyclestage_became_a_customer_date'
    """
    key = " ".join(label.lower().split())
    known = labels()[object_].get(key)
    if known is not None:
        return known
    for pattern, prefix in labels()["families"].items():
        if fnmatchcase(key, pattern):
            return prefix + words(key)
    return words(key)


def _landed(table: RawTable) -> RawTable:
    """The table itself if it is no export."""
    ids = [c for c in table.rows.columns if c.lower().startswith("record id")]
    object_ = next((name for part, name in OBJECTS.items() if part in table.name), None)
    if not ids or object_ is None:
        return table
    chosen: dict[str, str] = {}
    for column in table.rows.columns:
        name = internal(object_, column)
        while name in chosen:
            name += "_2"
        chosen[name] = column
    rows = table.rows.project(", ".join(f"{quote(theirs)} AS {quote(ours)}" for ours, theirs in chosen.items()))
    return replace(table, name=object_, rows=rows)
