"""Tables in DuckDB as pandas frames, as people read them."""

from __future__ import annotations

from typing import Any

import pandas as pd

from predictive.sinks.changes import listed
from predictive.sinks.contract import HISTORY_COLUMNS


def to_frame(con: Any, table: str, columns: dict[str, str], order: str) -> pd.DataFrame:
    """A table (a quoted name) with these columns: times UTC, whole numbers `int64`, in the history `Int64`."""
    import pyarrow as pa

    query = f"SELECT {listed(columns)} FROM {table} ORDER BY {order}"  # noqa: S608 - quoted names
    arrow = con.sql(query).to_arrow_table()
    zoned = [
        pa.field(f.name, pa.timestamp("us", tz="UTC")) if pa.types.is_timestamp(f.type) else f for f in arrow.schema
    ]
    frame: pd.DataFrame = arrow.cast(pa.schema(zoned)).to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
    # A type that depended on whether a row marks an end would change from one night to the next.
    whole = [] if columns == HISTORY_COLUMNS else [name for name, kind in columns.items() if kind == "BIGINT"]
    return frame.astype(dict.fromkeys(whole, "int64"))
