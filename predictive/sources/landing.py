"""Rows from elsewhere, batch by batch into a table of the working database; never held whole."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import pyarrow as pa

from predictive.sources.casting import as_text, family
from predictive.sources.origin import Connection, Relation, first, quote
from predictive.sources.pyrows import ROWS, Batch, to_batch
from predictive.sources.widening import decimal, widest

SCHEMA = quote("predictive landed")
"""Where rows wait until their canonical table is made; a schema that goes when the source is closed."""


def place_for(con: Connection, table: str) -> str:
    """The SQL name under which the rows of a canonical table land, free of what landed there before."""
    con.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
    target = f"{SCHEMA}.{quote(table)}"
    con.execute(f"DROP TABLE IF EXISTS {target}")
    return target


def clear(con: Connection) -> None:
    """Drop everything that landed."""
    con.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")


def land_arrow(
    con: Connection, target: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch], shape: Sequence[str]
) -> None:
    """Make `target` of Arrow batches that have one schema; `shape` is what to select of them, in SQL."""
    _insert(con, f"CREATE TABLE {target} AS SELECT {', '.join(shape)} FROM", pa.Table.from_batches([], schema))
    for batch in batches:
        _insert(con, f"INSERT INTO {target} SELECT {', '.join(shape)} FROM", pa.Table.from_batches([batch]))


def land_rows(con: Connection, target: str, names: Sequence[str], chunks: Iterable[Sequence[Sequence[Any]]]) -> None:
    """Make `target` of chunks of Python rows; a column becomes wide enough for all that it holds (at worst text)."""
    types: dict[str, str | None] = dict.fromkeys(names)
    con.execute(f"CREATE TABLE {target} ({', '.join(f'{quote(name)} VARCHAR' for name in names)})")
    for chunk in chunks:
        for start in range(0, len(chunk), ROWS):
            _add(con, target, types, to_batch(names, chunk[start : start + ROWS]))


def _add(con: Connection, target: str, types: dict[str, str | None], batch: Batch) -> None:
    """Insert one batch, and widen before that the columns that cannot hold it."""
    shape = []
    for name, here in batch.types.items():
        before, wide = types[name], widest(types[name], here)
        if wide != before and wide is not None:
            using = "NULL" if before is None else _convert(quote(name), before, wide)
            con.execute(f"ALTER TABLE {target} ALTER {quote(name)} TYPE {wide} USING {using}")
            types[name] = wide
        shape.append("NULL" if here is None else _convert(quote(name), here, wide or here))
    _insert(con, f"INSERT INTO {target} SELECT {', '.join(shape)} FROM", batch.rows)


def _convert(value: str, held: str, wanted: str) -> str:
    if wanted == "VARCHAR" and held != "VARCHAR":
        return as_text(value, str(family(held)))
    return f"CAST({value} AS {wanted})"


def _insert(con: Connection, statement: str, rows: pa.Table) -> None:
    con.register("::batch", rows)
    try:
        con.execute(f'{statement} "::batch"')
    finally:
        con.unregister("::batch")


def exact(con: Connection, target: str, column: str) -> None:
    """Turn a landed text of exact numbers (``NaN`` is missing) into the narrowest type that holds all of them.

    What no DECIMAL can hold becomes the nearest double.
    """
    value = quote(column)
    digits = f"ltrim(split_part(ltrim({value}, '-'), '.', 1), '0')"
    scale = f"rtrim(split_part({value}, '.', 2), '0')"
    whole, broken, infinite = first(
        con.table(target).aggregate(
            f"max(length({digits})) FILTER ({value} <> 'NaN'), max(length({scale})) FILTER ({value} <> 'NaN'), "
            f"count(*) FILTER ({value} LIKE '%Infinity')"
        )
    )
    type_ = "DOUBLE" if infinite else decimal(whole or 0, broken or 0)
    con.execute(f"ALTER TABLE {target} ALTER {value} TYPE {type_} USING CAST(nullif({value}, 'NaN') AS {type_})")


def landed(con: Connection, target: str, theirs: Sequence[str], there: Collection[str]) -> Relation:
    """The landed columns `there` under all names of the source; those that no mapping reads are NULL."""
    return con.table(target).project(
        ", ".join(quote(name) if name in there else f"NULL AS {quote(name)}" for name in theirs)
    )


def columns_only(con: Connection, theirs: Sequence[str]) -> Relation:
    """No rows, under all names of the source."""
    return con.sql("SELECT 1").project(", ".join(f"NULL AS {quote(name)}" for name in theirs)).limit(0)
