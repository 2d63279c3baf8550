"""Rows between DuckDB, Python and Arrow, a block at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from predictive.sinks.database import listed, quote

BLOCK = 20_000
"""Rows that are held at once."""


def rows_of(con: Any, table: str, columns: Mapping[str, str], cells: str | None = None) -> Iterator[list[Any]]:
    """The rows of a DuckDB table, in blocks; `cells` are expressions in place of the columns."""
    found = con.execute(f"SELECT {cells or listed(columns)} FROM {quote(table)}")  # noqa: S608 - quoted names
    while block := found.fetchmany(BLOCK):
        yield block


def arrow_types() -> dict[str, Any]:
    """Arrow's type for each DuckDB type of :mod:`predictive.sinks.contract`."""
    import pyarrow as pa

    return {
        "VARCHAR": pa.string(),
        "DOUBLE": pa.float64(),
        "BIGINT": pa.int64(),
        "BOOLEAN": pa.bool_(),
        "TIMESTAMP": pa.timestamp("us"),
    }


def to_arrow(
    fetch: Callable[[int], Sequence[Sequence[Any]]], columns: Mapping[str, str], convert: Callable[[str, Any], Any]
) -> Any:
    """An Arrow table of the rows that `fetch` gives by the block; `convert` makes a column of a type and its values."""
    import pyarrow as pa

    kinds = arrow_types()
    schema = pa.schema([(name, kinds[kind]) for name, kind in columns.items()])
    batches = []
    while block := fetch(BLOCK):
        values = zip(columns.values(), zip(*block, strict=True), strict=True)
        batches.append(pa.record_batch([convert(kind, cells) for kind, cells in values], schema=schema))
    return pa.Table.from_batches(batches, schema)
