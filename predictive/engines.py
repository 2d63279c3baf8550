"""What engines do each in their own way: constants beside large tables, times as integers, frames worked out once."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import narwhals as nw
import pandas as pd
import pyarrow as pa

Frame = nw.LazyFrame[Any]


def beside(frame: Frame, rows: pd.DataFrame) -> Frame:
    """`rows` as a lazy frame of the same engine, and of the same connection or session, as `frame`.

    >>> import polars as pl
    >>> like = nw.from_native(pl.LazyFrame({"a": [1]}))
    >>> beside(like, pd.DataFrame({"b": ["x"]})).collect().rows()
    [('x',)]
    """
    native = frame.to_native()
    engine = frame.implementation
    if engine.is_duckdb():
        # DuckDB finds `rows` by its name; a relation does not say which connection it belongs to.
        found: Frame = nw.from_native(native.query("_tables", "FROM rows"))
        return found
    if engine.is_pandas():
        return nullable(rows)
    if engine.is_pyspark():
        made: Frame = nw.from_native(native.sparkSession.createDataFrame(_arrow(rows)))
        return made
    return nw.from_arrow(_arrow(rows), backend=engine).lazy()


def _arrow(rows: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(rows, preserve_index=False)


def to_arrow(frame: Any) -> pa.Table:
    """A pandas or Arrow frame as an Arrow table; times with a zone are those instants in UTC."""
    if isinstance(frame, pa.Table):
        return frame
    # Arrow reads times with a zone in a way that pandas warns of.
    zoned = [name for name, dtype in frame.dtypes.items() if isinstance(dtype, pd.DatetimeTZDtype)]
    table = _arrow(frame.assign(**{name: frame[name].dt.tz_convert(None) for name in zoned}))
    for i, name in enumerate(table.column_names):
        if name in zoned:
            table = table.set_column(i, name, table.column(i).cast(pa.timestamp("us", "UTC")))
    return table


def nullable(frame: pd.DataFrame) -> Frame:
    """A pandas frame as a lazy one of Arrow types: NumPy's integers and booleans cannot be missing."""
    arrow = pa.Table.from_pandas(frame, preserve_index=False)
    made: Frame = nw.from_native(arrow.to_pandas(types_mapper=pd.ArrowDtype)).lazy()
    return made


def microseconds(frame: Frame, names: list[str], zone: str) -> Frame:
    """The frame with these columns, times of any kind, as int64 microseconds since the epoch, UTC.

    Times without an offset are in the time zone `zone`. Integers are taken as they are.
    """
    schema = frame.collect_schema()
    times = [n for n in names if not schema[n].is_integer()]
    if not times:
        return frame
    native, engine = frame.to_native(), frame.implementation
    naive = {n: schema[n] == nw.Date or getattr(schema[n], "time_zone", None) is None for n in times}
    if engine.is_duckdb():
        made = {n: _duckdb_micros(n, zone, naive=naive[n]) for n in times}
        columns = ", ".join(f'{made[c]} AS "{c}"' if c in made else f'"{c}"' for c in native.columns)
        found: Frame = nw.from_native(native.project(columns))
        return found
    if engine.is_pyspark():
        sql = {n: _spark_micros(n, zone, naive=naive[n]) for n in times}
        read: Frame = nw.from_native(native.selectExpr(*(sql.get(c, f"`{c}`") for c in native.columns)))
        return read
    whole = [
        (nw.col(n).cast(nw.Datetime("us")).dt.replace_time_zone(zone) if naive[n] else nw.col(n))
        .dt.convert_time_zone("UTC").dt.timestamp("us").alias(n)
        for n in times
    ]  # fmt: skip
    return frame.with_columns(whole)


def _duckdb_micros(name: str, zone: str, *, naive: bool) -> str:
    column = f'"{name}"'
    text = zone.replace("'", "''")
    return f"epoch_us(CAST({column} AS TIMESTAMP) AT TIME ZONE '{text}')" if naive else f"epoch_us({column})"


def _spark_micros(name: str, zone: str, *, naive: bool) -> str:
    """By SQL that does not depend on the time zone of the session."""
    column = f"`{name}`"
    if naive:
        wall = f"timestampdiff(MICROSECOND, TIMESTAMP_NTZ'1970-01-01 00:00:00', CAST({column} AS TIMESTAMP_NTZ))"
        column = f"to_utc_timestamp(timestamp_micros({wall}), '{zone}')"
    return f"unix_micros({column}) AS `{name}`"


def distinct(frame: Frame, *columns: str) -> Frame:
    """The different rows of these columns, in no order.

    Not `unique`, of which Narwhals makes a window in DuckDB: of 5 million rows that took 1.6 s, a grouping 0.3 s.

    >>> import duckdb
    >>> rows = nw.from_native(duckdb.sql("SELECT unnest([1, 1, 2]) AS a, 3 AS b"))
    >>> sorted(distinct(rows, "a").collect()["a"].to_list())
    [1, 2]
    """
    return frame.group_by(*columns).agg(nw.len().alias("::n")).select(*columns)


def lucky(frame: Frame, name: str) -> Frame:
    """The frame with the luck of each row in [0, 1) as a column: that of its `contact_id` and `as_of`.

    It is the same on every machine, in every version and on every engine: the second half of an MD5 hash, read as a
    number from its end, as DuckDB does.

    >>> import duckdb
    >>> rows = duckdb.sql("SELECT 'C1' AS contact_id, 1767225600000000 AS as_of")
    >>> lucky(nw.from_native(rows), "luck").collect()["luck"].to_list()
    [0.27046113445535913]
    """
    native = frame.to_native()
    if frame.implementation.is_pyspark():
        digest = "md5(concat_ws(' ', contact_id, as_of))"
        number = ", ".join(f"substring({digest}, {place}, 2)" for place in range(31, 16, -2))
        luck = f"CAST(CAST(conv(concat({number}), 16, 10) AS DECIMAL(20, 0)) AS DOUBLE) / 18446744073709551616D"
        drawn: Frame = nw.from_native(native.selectExpr("*", f"{luck} AS `{name}`"))
        return drawn
    luck = "md5_number_lower(contact_id || ' ' || as_of) / 18446744073709551616.0"
    found: Frame = nw.from_native(native.project(f'*, {luck} AS "{name}"'))
    return found


def local(frame: Frame) -> pd.DataFrame:
    """The rows of a frame, in memory, whatever the engine."""
    if frame.implementation.is_pyspark():
        # Its own way to pandas goes row by row unless it is told otherwise.
        return pd.DataFrame(frame.to_native().toArrow().to_pandas())
    return pd.DataFrame(frame.collect(backend="pandas").to_native())


def keeper_like(frame: Frame) -> Callable[[Frame, str], Frame]:
    """How frames of this engine are worked out once and read many times; see :class:`~predictive.tables.Tables`.

    DuckDB holds them in temporary tables of their connection; Polars is told to cache them; pandas holds everything.
    Spark computes them once on its executors: what is made of them is planned as if they were read from disk, or plans
    would grow with every frame that is read twice.
    """
    if frame.implementation.is_duckdb():

        def in_table(made: Frame, name: str) -> Frame:
            table = f'"{name} {uuid.uuid4().hex[:12]}"'
            native = made.to_native()
            native.query("_rows", f"CREATE TEMP TABLE {table} AS FROM _rows")
            held: Frame = nw.from_native(native.query("_rows", f"FROM {table}"))
            return held

        return in_table
    if frame.implementation.is_polars():
        return lambda made, _: nw.from_native(made.to_native().cache())
    if frame.implementation.is_pyspark():
        return lambda made, _: nw.from_native(_computed(made.to_native()))
    return lambda made, _: made


def _computed(native: Any) -> Any:
    # Unions add up the partitions of their parts, and what is made of kept frames would have more and more of them.
    most = int(native.sparkSession.conf.get("spark.sql.shuffle.partitions"))
    return native.coalesce(most).localCheckpoint(eager=True)
