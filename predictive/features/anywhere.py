"""Features of tables that the caller holds, on the caller's engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import narwhals as nw

from predictive.clock import instant, parse_instant
from predictive.config import FeatureChoice
from predictive.derive.apply import derive
from predictive.engines import Frame, keeper_like, microseconds, to_arrow
from predictive.errors import DataError, nearest
from predictive.features.attributes import check_attributes
from predictive.features.build import features_at
from predictive.features.catalog import Feature
from predictive.features.choose import choose
from predictive.features.deals import every_win
from predictive.store import in_memory
from predictive.tables import OPEN_TABLES, SCHEMAS, Kind, Tables, kind_of

TYPES: dict[Kind, Any] = {"text": nw.String, "number": nw.Float64, "boolean": nw.Boolean, "time": nw.Int64}


def build_features(
    tables: Mapping[str, Any] | Tables,
    as_of: str | date | datetime,
    features: Sequence[Feature] | None = None,
    *,
    timezone: str = "UTC",
) -> Any:
    """The features of every contact that exists at `as_of`: `contact_id`, `as_of`, one column per feature.

    `tables` are the canonical tables by name, as pandas, Polars, DuckDB or Arrow frames, all of one kind; only
    `contacts` is required. The result is of the same kind, and lazy where that kind is lazy. Times are UTC datetimes,
    or integers of microseconds; naive ones, and a naive `as_of`, are in `timezone`. Without `features` they are chosen
    from what the tables hold, as a training does. `as_of` comes back in microseconds since the epoch.

    Raises :class:`~predictive.errors.DataError` for a table or column that is not canonical or is missing.

    >>> import pandas as pd
    >>> days = pd.to_datetime(["2026-01-01", "2026-02-20", "2026-04-01"])
    >>> contacts = pd.DataFrame({"contact_id": ["a", "b"], "created_at": days[:2]})
    >>> rows = {"contact_id": ["a", "a"], "type": "page_view", "occurred_at": days[1:]}
    >>> from predictive.features.behaviour import count
    >>> frames = {"contacts": contacts, "activities": pd.DataFrame(rows)}
    >>> build_features(frames, "2026-03-01", [count(("page_view",), 30)])[["contact_id", "page_view_count_30d"]]
      contact_id  page_view_count_30d
    0          a                    1
    1          b                    0
    """
    at = instant(parse_instant(as_of), timezone)
    given = tables if isinstance(tables, Tables) else None
    known = given if given is not None else canonical(tables, timezone)  # type: ignore[arg-type]
    check_attributes(known)
    if features is None:
        features = choose(known, FeatureChoice(), until=at).features
    contacts = known.contacts.filter(nw.col("created_at") <= at).select("contact_id", as_of=nw.lit(at, nw.Int64))
    won = every_win(known) if any(t.measure == "bought" for f in features for t in f.totals) else None
    found = features_at(known, contacts, features, won=won)
    return found if given is not None else _as_given(found, tables)  # type: ignore[arg-type]


def canonical(frames: Mapping[str, Any], timezone: str) -> Tables:
    """The caller's frames as :class:`~predictive.tables.Tables`, without copying them; further columns are attributes.

    Attributes are derived as when a source is read.
    """
    wrong = [name for name in frames if name not in SCHEMAS]
    if wrong:
        raise DataError(f"there is no table {wrong[0]!r}; {nearest(wrong[0], SCHEMAS)}")
    if "contacts" not in frames:
        raise DataError("the table contacts is missing; at least contacts are needed")
    lazy = _lazily(frames)
    if len({f.implementation for f in lazy.values()}) > 1:
        kinds = ", ".join(f"{name}: {f.implementation.name.lower()}" for name, f in lazy.items())
        raise DataError(f"the tables are of different kinds ({kinds}); give all in one")
    made, attributes = {}, {}
    for name in SCHEMAS:
        made[name], attributes[name] = _canonical_table(name, lazy.get(name), lazy["contacts"], timezone)
    kept = {name: found for name, found in attributes.items() if name in OPEN_TABLES}
    made_up: Any = {**made, "attributes": kept, "keep": keeper_like(lazy["contacts"])}
    return derive(Tables(**made_up))


def _canonical_table(name: str, frame: Frame | None, like: Frame, timezone: str) -> tuple[Frame, dict[str, Kind]]:
    columns = SCHEMAS[name].columns
    if frame is None:
        frame = like.select(**{c: nw.lit(None, TYPES[kind_of(column)]) for c, column in columns.items()}).head(0)
    schema = frame.collect_schema()
    lacking = [c for c, column in columns.items() if column.required and c not in schema]
    if lacking:
        raise DataError(f"{name}: the column {lacking[0]!r} is missing; {nearest(lacking[0], schema.names())}")
    attributes = {c: _kind(dtype) for c, dtype in schema.items() if c not in columns} if name in OPEN_TABLES else {}
    times = [c for c in schema if (c in columns and kind_of(columns[c]) == "time") or attributes.get(c) == "time"]
    frame = microseconds(frame, times, timezone)
    kinds = {c: kind_of(column) for c, column in columns.items()} | attributes
    present = [
        (nw.col(c).cast(TYPES[kind]) if c in schema else nw.lit(None, TYPES[kind])).alias(c)
        for c, kind in kinds.items()
    ]
    frame = frame.select(present)
    if name == "activities":
        known = nw.max_horizontal("occurred_at", "recorded_at")
        frame = frame.with_columns(t=nw.col("occurred_at"), known=known).drop("occurred_at", "recorded_at")
    return frame, attributes


def _kind(dtype: Any) -> Kind:
    if dtype == nw.Boolean:
        return "boolean"
    if dtype.is_numeric():
        return "number"
    return "time" if dtype.is_temporal() else "text"


def _lazily(frames: Mapping[str, Any]) -> dict[str, Frame]:
    given: dict[str, Any] = {name: nw.from_native(frame) for name, frame in frames.items()}
    if not all(f.implementation.is_pandas() or f.implementation.is_pyarrow() for f in given.values()):
        return {name: frame.lazy() for name, frame in given.items()}
    # Arrow's own engine lacks half of what features need, and NumPy's integers cannot be missing; DuckDB reads both.
    con = in_memory()
    con.execute("set disabled_optimizers = 'join_order'")
    return {name: nw.from_native(con.from_arrow(to_arrow(frame.to_native()))) for name, frame in given.items()}


def _as_given(found: Frame, tables: Mapping[str, Any]) -> Any:
    """The result in the kind that the caller gave."""
    given: Any = nw.from_native(tables["contacts"])
    if isinstance(given, nw.LazyFrame):
        return found.to_native()
    if given.implementation.is_pandas() or given.implementation.is_pyarrow():
        arrow = found.collect(backend="pyarrow").sort("contact_id").to_native()
        return arrow if given.implementation.is_pyarrow() else arrow.to_pandas()
    return found.collect(backend=given.implementation).sort("contact_id").to_native()
