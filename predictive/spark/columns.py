"""The columns of the tables of a Spark sink, and their rows between Spark and the driver."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from predictive.sinks.contract import HISTORY_COLUMNS, RUN_COLUMNS, SCORE_COLUMNS

TYPES = {
    "VARCHAR": "string",
    "DOUBLE": "double",
    "BIGINT": "bigint",
    "BOOLEAN": "boolean",
    "TIMESTAMP": "timestamp",
    "VARCHAR[]": "array<string>",
}
ARROW = {
    "VARCHAR": pa.string(),
    "DOUBLE": pa.float64(),
    "BIGINT": pa.int64(),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMP": pa.timestamp("us", "UTC"),
    "VARCHAR[]": pa.list_(pa.string()),
}
COPIES, CHANGES, RUNS, HISTORY = "_copies", "_changes", "_runs", "_history"
COLUMNS = {
    COPIES: {**SCORE_COLUMNS, "written": "VARCHAR"},
    CHANGES: {**HISTORY_COLUMNS, "written": "VARCHAR"},
    RUNS: {**RUN_COLUMNS, "written": "VARCHAR", "shows": "VARCHAR", "undone": "VARCHAR[]"},
}
"""The columns of each table. `written` is the :func:`~predictive.spark.catalog.new_name` of the run that wrote the row;
`shows` that of the run whose copy is current since; `undone` in the runs has the ids of those that are taken back since
(in the changes it says nothing)."""


def gathered(frame: Any, columns: Mapping[str, str]) -> pa.Table:
    """A frame on the driver, as a table of these columns; times are UTC."""
    found: pa.Table = frame.select(*columns).toArrow()
    return found.cast(pa.schema([(name, ARROW[kind]) for name, kind in columns.items()]))


def nothing(con: Any, columns: Mapping[str, str]) -> Any:
    """No rows of these columns."""
    return con.createDataFrame([], ", ".join(f"`{name}` {TYPES[kind]}" for name, kind in columns.items()))
