"""The demo's files: one DuckDB database with the tables, and the true probabilities beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from predictive.demo.activities import DETAILS, TYPES, Activities


def activity_table(activities: Activities, contact_ids: np.ndarray) -> pa.Table:
    """The activities table, in order of contact and time, with texts as dictionaries to stay small."""

    def text(codes: np.ndarray, values: list[str]) -> Any:
        return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), pa.array(values, pa.string()))

    def time(micros: np.ndarray) -> Any:
        return pa.array(micros, pa.timestamp("us"))

    detail = pa.array(activities.detail, pa.int32(), mask=activities.detail == 0)
    return pa.table(
        {
            "contact_id": text(activities.contact, list(contact_ids)),
            "occurred_at": time(activities.occurred),
            "type": text(activities.type, list(TYPES)),
            "recorded_at": time(activities.recorded),
            "value": pa.array(activities.value, pa.float64(), mask=np.isnan(activities.value)),
            "detail": pa.DictionaryArray.from_arrays(detail, pa.array(DETAILS, pa.string())),
        }
    )


def write_database(path: Path, tables: dict[str, pd.DataFrame | pa.Table]) -> None:
    """Write the tables to a new DuckDB file at `path`, or replace the one there, whole."""
    whole = path.with_name(f"{path.name}.new")
    whole.unlink(missing_ok=True)
    with duckdb.connect(str(whole)) as connection:
        for name, table in tables.items():
            arrow = pa.Table.from_pandas(table, preserve_index=False) if isinstance(table, pd.DataFrame) else table
            connection.from_arrow(_plain(arrow)).create(name)
    # A log left by a killed process belongs to the old file; replayed into the new one, it would damage it.
    path.with_name(f"{path.name}.wal").unlink(missing_ok=True)
    whole.replace(path)


def write_truth(path: Path, truth: pd.DataFrame, contact_ids: np.ndarray) -> None:
    """Write the true probabilities to a Parquet file at `path`, or replace the one there, whole."""
    as_of = truth["as_of"].dt.tz_convert(None).to_numpy()
    table = pa.table(
        {
            "contact_id": pa.array(contact_ids[truth["contact"].to_numpy()], pa.string()),
            "as_of": pa.array(as_of, pa.timestamp("us")).cast(pa.timestamp("us", "UTC")),
            "probability": truth["probability"].to_numpy(),
            "standard_error": truth["standard_error"].to_numpy(),
        }
    )
    whole = path.with_name(f"{path.name}.new")
    pq.write_table(table, whole)
    whole.replace(path)


def _plain(table: pa.Table) -> pa.Table:
    """The same table without types that only Arrow has (large strings)."""
    fields = [pa.field(f.name, pa.string() if pa.types.is_large_string(f.type) else f.type) for f in table.schema]
    return table.cast(pa.schema(fields))
