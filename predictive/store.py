"""The working database of one run: an in-memory DuckDB that spills to a temporary folder, and goes with the run."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import narwhals as nw
import pandas as pd


@contextmanager
def open_store() -> Iterator[Any]:
    """A DuckDB connection in UTC, closed and cleaned up at the end of the block.

    >>> with open_store() as con:
    ...     con.execute("select current_setting('TimeZone')").fetchone()
    ('UTC',)
    """
    with tempfile.TemporaryDirectory(prefix="predictive-") as folder:
        con = duckdb.connect(":memory:", config={"temp_directory": folder})
        try:
            con.execute("set TimeZone = 'UTC'")
            con.execute("set enable_progress_bar = false")
            yield con
        finally:
            con.close()


def into_store(con: Any, frame: pd.DataFrame) -> nw.LazyFrame[Any]:
    """A frame as a lazy one of the working database, so that it can be joined with the tables there."""
    lazy: nw.LazyFrame[Any] = nw.from_native(con.from_df(frame))
    return lazy
