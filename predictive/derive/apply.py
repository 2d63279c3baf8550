"""Derived attributes beside the stated ones: in the tables of today, and in the history of what they derive from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import narwhals as nw
import pandas as pd

from predictive.derive import DERIVED, Derived
from predictive.engines import Frame, beside
from predictive.tables import Kind, Tables


def derive(tables: Tables) -> Tables:
    """The tables with every attribute of :data:`~predictive.derive.DERIVED` that they have the source of.

    An attribute that the tables state themselves stays as it is. Where the source has a history, the derived attribute
    gets one too, so that both are cut at as-of alike. Each distinct value is looked at once, on any engine.
    """
    for of in ("contacts", "accounts"):
        stated = tables.attributes.get(of, {})
        here = [d for d in DERIVED if d.of == of and d.name not in stated]
        for source in dict.fromkeys(d.source for d in here):
            tables = _derived(tables, of, source, [d for d in here if d.source == source])
    return tables


def _derived(tables: Tables, of: str, source: str, made: Sequence[Derived]) -> Tables:
    """The tables with what is derived from one column."""
    frame: Frame = getattr(tables, of)
    found = _levels(frame, source, made)
    object_ = of.removesuffix("s")
    tracked = source in tables.tracked[object_]
    if found.empty and not tracked:
        return tables
    attributes: dict[str, Kind] = {**tables.attributes.get(of, {}), **{d.name: d.kind for d in made}}
    wide = frame.join(beside(frame, _nothing_lost(found, source, made)), on=source, how="left")
    kept = tables.keep(wide, f"derived {of}")
    tables = replace(tables, attributes={**tables.attributes, of: attributes})
    tables = replace(tables, contacts=kept) if of == "contacts" else replace(tables, accounts=kept)
    return _with_history(tables, object_, source, made) if tracked else tables


def _with_history(tables: Tables, object_: str, source: str, made: Sequence[Derived]) -> Tables:
    changes = tables.changes.filter((nw.col("object") == object_) & (nw.col("attribute") == source))
    texts = nw.concat([changes.select(value=nw.col(c)) for c in ("value", "old_value")])
    levels = beside(tables.changes, _nothing_lost(_levels(texts, "value", made), "value", made))
    parts = [tables.changes]
    names = tables.changes.collect_schema().names()
    for d in made:
        new = levels.select("value", _new=nw.col(d.name))
        old = levels.select(old_value=nw.col("value"), _old=nw.col(d.name))
        mine = changes.join(new, on="value", how="left").join(old, on="old_value", how="left")
        mine = mine.with_columns(attribute=nw.lit(d.name), value=nw.col("_new"), old_value=nw.col("_old"))
        parts.append(mine.select(names))
    return replace(tables, changes=tables.keep(nw.concat(parts), "derived changes"))


def _levels(frame: Frame, source: str, made: Sequence[Derived]) -> pd.DataFrame:
    """One row per distinct value, with every level that is derived from it; values that give none are left out."""
    values = frame.filter(~nw.col(source).is_null()).select(source).unique().collect()[source].to_list()
    rows: dict[str, list[Any]] = {source: values}
    for d in made:
        rows[d.name] = [d.function(_read(value, d)) for value in values]
    found = pd.DataFrame(rows, dtype="object")
    return found[found[[d.name for d in made]].notna().any(axis=1)].reset_index(drop=True)


def _read(value: Any, derived: Derived) -> Any:
    """A value as the function takes it: histories hold numbers as text."""
    if derived.source not in ("employees", "revenue") or not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError:
        return value


def _nothing_lost(found: pd.DataFrame, source: str, made: Sequence[Derived]) -> pd.DataFrame:
    """The levels as texts, of which an engine can tell the type even where there is no row."""
    kinds = {d.name: pd.StringDtype("pyarrow", na_value=pd.NA) for d in made}
    number = pd.api.types.is_number(found[source].iloc[0]) if len(found) else False
    key = {source: "float64"} if number else {source: "str"}
    return found.astype({**kinds, **key})
