"""The features of a night: what they are, how full, the query, and their values as a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import narwhals as nw
import pyarrow as pa

from predictive.config import Config
from predictive.engines import Frame
from predictive.errors import ConfigError, DataError, nearest
from predictive.features.attributes import check_attributes
from predictive.features.build import build, features_at, totals_in
from predictive.features.catalog import Feature
from predictive.features.choose import Choice, choose
from predictive.features.cut import cut
from predictive.features.deals import wins
from predictive.features.snapshots import tonight
from predictive.spreadsheet import safe_table
from predictive.tables import Tables


@dataclass(frozen=True)
class Listed:
    """A feature and the share of contacts that have a value of it."""

    feature: Feature
    filled: float


def default_features(tables: Tables, config: Config, night: int) -> Choice:
    """The features that fit what was known at the night (microseconds); a training also leaves out what it audits."""
    check_attributes(tables)
    return choose(tables, config.features, until=night)


def values(tables: Tables, config: Config, features: Sequence[Feature], night: int) -> Iterator[Frame]:
    """The features of every contact that is looked at on the night, one part of the contacts after another.

    Collect each before asking for the next.
    """
    for part in tables.each_part():
        at, _ = tonight(part, config, night)
        yield features_at(part, at, features, won=wins(part, config))


def fill_rates(tables: Tables, config: Config, features: Sequence[Feature], night: int) -> list[Listed]:
    """Every feature with its fill rate, in the order given; a rate is 0 where nobody is looked at."""
    counts, rows = [0] * len(features), 0
    for frame in values(tables, config, features, night):
        named = [nw.col(f.name).count().alias(f.name) for f in features]
        found = frame.select(nw.len().alias("::rows"), *named).collect().row(0)
        rows += int(found[0])
        counts = [count + int(n) for count, n in zip(counts, found[1:], strict=True)]
    return [Listed(f, count / rows if rows else 0.0) for f, count in zip(features, counts, strict=True)]


def of_contact(
    tables: Tables, config: Config, features: Sequence[Feature], night: int, contact_id: str
) -> dict[str, Any]:
    """One contact's value of every feature, with its `as_of`.

    Raises :class:`~predictive.errors.DataError` for a contact that there is not, or that is not looked at that night.
    """
    mine = nw.col("contact_id") == contact_id
    if not len(tables.contacts.filter(mine).head(1).collect()):
        some = tables.contacts.select("contact_id").head(100_000).collect()["contact_id"].to_list()
        raise DataError(f"there is no contact {contact_id!r}; {nearest(contact_id, some)}")
    at, out = tonight(tables, config, night)
    why = out.filter(mine).collect()
    if len(why):
        raise DataError(f"{contact_id} has no features at this time: {why['why'].item()}")
    found = features_at(tables, at.filter(mine), features, won=wins(tables, config)).collect()
    return dict(zip(found.columns, found.row(0), strict=True))


def query(tables: Tables, config: Config, features: Sequence[Feature], night: int) -> str:
    """The SQL of the features, as one statement over the canonical tables."""
    at, _ = tonight(tables, config, night)
    frame = build(cut(tables, at, totals_in(features), won=wins(tables, config)), features)
    text: str = frame.to_native().sql_query()
    return text


def write_matrix(tables: Tables, config: Config, features: Sequence[Feature], night: int, file: Path) -> int:
    """Write the features of the night to a Parquet or CSV file; how many rows.

    The file appears whole or not at all; texts in CSV are such that no spreadsheet runs them. Raises
    :class:`~predictive.errors.ConfigError` for another kind of file.
    """
    if file.suffix not in (".parquet", ".csv"):
        raise ConfigError(f"--out: {file.name} is neither .parquet nor .csv")
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.part")
    try:
        rows = _write(values(tables, config, features, night), partial, sheet=file.suffix == ".csv")
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)
    return rows


def _write(frames: Iterator[Frame], file: Path, *, sheet: bool) -> int:
    from pyarrow import csv, parquet

    rows, writer = 0, None
    try:
        for frame in frames:
            table: pa.Table = frame.collect(backend="pyarrow").to_native()
            table = safe_table(table) if sheet else table
            if writer is None:
                writer = csv.CSVWriter(file, table.schema) if sheet else parquet.ParquetWriter(file, table.schema)
            writer.write_table(table)
            rows += table.num_rows
    finally:
        if writer is not None:
            writer.close()
    return rows
