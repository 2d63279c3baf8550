"""Tables in DuckDB as pandas frames, as people read them."""

from __future__ import annotations

from typing import Any

import pandas as pd

from predictive.sinks.changes import listed
from predictive.sinks.contract import HISTORY_COLUMNS


def to_frame(con: Any, table: str, columns: dict[str, str], order: str) -> pd.DataFrame:
    """A table (a quoted name) with these columns: times UTC, whole numbers `int64`, yes and no `bool`.

    In the history, where a row that marks an end has neither, they are `Int64` and `boolean`, but for `past`.
    """
    import pyarrow as pa

    query = f"SELECT {listed(columns)} FROM {table} ORDER BY {order}"  # noqa: S608 - quoted names
    arrow = con.sql(query).to_arrow_table()
    zoned = [
        pa.field(f.name, pa.timestamp("us", tz="UTC")) if pa.types.is_timestamp(f.type) else f for f in arrow.schema
    ]
    nullable = {pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}
    frame: pd.DataFrame = arrow.cast(pa.schema(zoned)).to_pandas(types_mapper=nullable.get)
    # A type that depended on whether a row marks an end would change from one night to the next.
    plain = {"BIGINT": "int64", "BOOLEAN": "bool"}
    if columns == HISTORY_COLUMNS:
        return frame.astype({"past": "bool"})
    return frame.astype({name: plain[kind] for name, kind in columns.items() if kind in plain})
