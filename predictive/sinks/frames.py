"""Tables of scores as pandas frames, as people read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd

from predictive.sinks.contract import HISTORY_COLUMNS
from predictive.sinks.database import listed

if TYPE_CHECKING:
    from predictive.sinks.database import Database


def choose(columns: Sequence[str] | None) -> dict[str, str]:
    """The columns of the history to read, all of them for None.

    >>> choose(["contact_id"])
    {'contact_id': 'VARCHAR'}
    """
    return HISTORY_COLUMNS if columns is None else {name: HISTORY_COLUMNS[name] for name in columns}


def history_query(table: str, columns: Mapping[str, str], since: datetime | None) -> str:
    """The query for :meth:`~predictive.sinks.contract.Sink.read_history`; `table` is named as statements name it."""
    cells = ", ".join("coalesce(undone, FALSE) AS undone" if c == "undone" else listed([c]) for c in columns)
    # Not a value that anybody could choose: digits, made here.
    which = "" if since is None else f" WHERE night >= '{since.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}'"
    return f"SELECT {cells} FROM {table} AS h{which} ORDER BY contact_id, night, scored_at"  # noqa: S608 - see above


def to_frame(db: Database, query: str, columns: Mapping[str, str], *, ends: bool) -> pd.DataFrame:
    """What a query gives: times UTC, whole numbers `int64`; `Int64` where rows may mark `ends`, or some are missing."""
    import pyarrow as pa

    arrow: Any = db.read(query, columns)
    zoned = [
        pa.field(f.name, pa.timestamp("us", tz="UTC")) if pa.types.is_timestamp(f.type) else f for f in arrow.schema
    ]
    return plain(arrow.cast(pa.schema(zoned)), columns, ends=ends)


def plain(arrow: Any, columns: Mapping[str, str], *, ends: bool) -> pd.DataFrame:
    """An Arrow table of these columns as :func:`to_frame` gives it."""
    import pyarrow as pa

    nullable = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
    frame: pd.DataFrame = arrow.to_pandas(types_mapper=nullable.get)
    # A type that depended on whether a row marks an end would change from one night to the next.
    plain = {"BIGINT": "int64", "BOOLEAN": "bool"}
    always = {"past", "undone"} if ends else set(columns)
    whole = {c: plain[kind] for c, kind in columns.items() if kind in plain and c in always and frame[c].notna().all()}
    return frame.astype(whole)
