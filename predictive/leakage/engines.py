"""A small frame beside large ones: the rows that the audit chose, on the engine that holds the tables."""

from __future__ import annotations

import narwhals as nw
import pandas as pd

from predictive.features.attributes import Frame


def beside(frame: Frame, rows: pd.DataFrame) -> Frame:
    """`rows` as a lazy frame of the same engine, and of the same connection or session, as `frame`."""
    native = frame.to_native()
    engine = frame.implementation
    if engine.is_duckdb():
        # DuckDB finds `rows` by its name; a relation does not say which connection it belongs to.
        found: Frame = nw.from_native(native.query("_tables", "FROM rows"))
        return found
    if engine.is_spark_like():
        spark: Frame = nw.from_native(native.sparkSession.createDataFrame(rows))
        return spark
    columns = {name: rows[name].tolist() for name in rows.columns}
    return nw.from_dict(columns, backend=engine).lazy()
