"""The working database of one run: a DuckDB file in a temporary folder, that goes with the run."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import narwhals as nw
import pandas as pd
import pyarrow as pa

from predictive.config import Config

MEMORY = "1600MB"
"""What DuckDB may hold in memory; what is larger spills to the folder, and parts of activities are smaller. With what
Python holds a night of a million contacts stays at 2.2 GB; with 2 GB here it took 2.5 GB and 5 % less time."""


@contextmanager
def open_engine(config: Config) -> Iterator[Any]:
    """Where the tables of a run live: the working database, or the Spark session of ``engine: spark``."""
    if config.engine == "spark":
        from predictive.spark.session import open_session

        with open_session() as session:
            yield session
        return
    with open_store() as con:
        yield con


@contextmanager
def open_store() -> Iterator[Any]:
    """A DuckDB connection in UTC, closed and cleaned up at the end of the block.

    >>> with open_store() as con:
    ...     con.execute("select current_setting('TimeZone')").fetchone()
    ('UTC',)
    """
    with tempfile.TemporaryDirectory(prefix="predictive-") as folder:
        con = duckdb.connect(f"{folder}/work.duckdb", config={"temp_directory": folder, "memory_limit": MEMORY})
        try:
            con.execute("set TimeZone = 'UTC'")
            con.execute("set enable_progress_bar = false")
            # Joins run as they are written: looking for a better order took 12 s for 230 features, the query 0.6 s.
            con.execute("set disabled_optimizers = 'join_order'")
            yield con
        finally:
            con.close()


def in_memory() -> Any:
    """A DuckDB connection without a file that prints nothing; a context manager, to be closed.

    >>> with in_memory() as con:
    ...     con.execute("select current_setting('enable_progress_bar')").fetchone()
    (False,)
    """
    con = duckdb.connect()
    con.execute("set enable_progress_bar = false")
    return con


def keeper(con: Any) -> Callable[[nw.LazyFrame[Any], str], nw.LazyFrame[Any]]:
    """How a frame of the working database is worked out and held under a name, see :class:`~predictive.tables.Tables`.

    >>> with open_store() as con:
    ...     keep = keeper(con)
    ...     kept = keep(nw.from_native(con.sql("select 1 as one")), "number")
    ...     doubled = kept.select(two=nw.col("one") * 2)
    ...     _ = keep(nw.from_native(con.sql("select 21 as one")), "number")
    ...     doubled.collect().item()
    42
    """

    def keep(frame: nw.LazyFrame[Any], name: str) -> nw.LazyFrame[Any]:
        frame.to_native().query("_rows", f'create or replace temp table "kept {name}" as select * from _rows')
        held: nw.LazyFrame[Any] = nw.from_native(con.table(f'"kept {name}"'))
        return held

    return keep


def into_store(con: Any, frame: pd.DataFrame) -> nw.LazyFrame[Any]:
    """A frame as a lazy one of the working database (or Spark session), so that it can be joined with the tables."""
    if isinstance(con, duckdb.DuckDBPyConnection):
        lazy: nw.LazyFrame[Any] = nw.from_native(con.from_df(frame))
        return lazy
    made: nw.LazyFrame[Any] = nw.from_native(con.createDataFrame(pa.Table.from_pandas(frame, preserve_index=False)))
    return made
