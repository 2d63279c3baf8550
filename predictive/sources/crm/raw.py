"""Where the raw tables of a CRM are found: a folder (or zip archive) of files, or a DuckDB file.

An opener yields :class:`RawTable` values, whatever they are made of; everything after it knows tables by name only.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from predictive.errors import DataError
from predictive.sources.files import PARQUET, TEXT, open_pattern
from predictive.sources.origin import Connection, Relation, quote, reason
from predictive.tables import Note

ALIAS = "predictive raw"
"""The attached DuckDB file; a name that no database has."""


@dataclass(frozen=True)
class RawTable:
    """A table as it was landed or exported: `name` in words joined by underscores, and where it is, for a person."""

    name: str
    label: str
    rows: Relation
    schema: str = ""
    notes: tuple[Note, ...] = ()


def words(name: str) -> str:
    """A name as Fivetran writes names: words in lower case, joined by underscores.

    >>> words("CampaignMember"), words("Territory2Id"), words("mc4sf__MC_Subscriber__c"), words("Record ID")
    ('campaign_member', 'territory_2_id', 'mc_4_sf_mc_subscriber_c', 'record_id')
    """
    split = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    split = re.sub(r"([A-Z])([A-Z][a-z])", r"\1_\2", split)
    split = re.sub(r"(?<=[A-Za-z])(?=[0-9])|(?<=[0-9])(?=[A-Za-z])", "_", split)
    return re.sub(r"[\W_]+", "_", split).strip("_").lower()


@contextmanager
def open_raw(path: Path, con: Connection, folder: Path) -> Iterator[tuple[RawTable, ...]]:
    """Every table at `path`, readable until the end of the block; `folder` takes copies that reading needs."""
    if path.is_dir():
        yield tuple(_files(con, path, folder))
    elif path.suffix.lower() == ".zip" and path.is_file():
        yield tuple(_members(con, path, folder))
    elif path.is_file():
        with _attached(con, path):
            yield tuple(_tables(con))
    else:
        raise DataError(
            f"source.path: {path}: no such file or folder; name a folder of CSV or Parquet files, or a DuckDB file"
        )


def _files(con: Connection, path: Path, folder: Path) -> Iterator[RawTable]:
    """A table per file, and per folder of parts."""
    for entry in sorted(path.iterdir()):
        parts = entry.is_dir() and any(p.suffix.lower() in PARQUET | TEXT for p in entry.iterdir())
        if entry.name[0] in "._" or not (parts or entry.suffix.lower() in PARQUET | {".csv"}):
            continue
        origin = open_pattern(con, path, entry.name, f"source.path: {entry.name}", folder)
        yield RawTable(words(entry.stem), entry.name, origin.rows, notes=origin.notes)


def _members(con: Connection, path: Path, folder: Path) -> Iterator[RawTable]:
    """A table per CSV file in a zip archive."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [n for n in archive.namelist() if n.lower().endswith(".csv") and not n.startswith("__MACOSX/")]
    except zipfile.BadZipFile as error:
        raise DataError(f"source.path: {path} is not a whole zip archive ({error}); copy it again") from None
    for name in sorted(names):
        origin = open_pattern(con, path, name, f"source.path: {name}", folder)
        yield RawTable(words(Path(name).stem), name, origin.rows, notes=origin.notes)


def _tables(con: Connection) -> Iterator[RawTable]:
    """Every table and view of the attached DuckDB file."""
    found = con.execute(
        "SELECT table_schema, table_name FROM information_schema.tables WHERE table_catalog = ? ORDER BY ALL", [ALIAS]
    ).fetchall()
    for schema, name in found:
        rows = con.table(f"{quote(ALIAS)}.{quote(schema)}.{quote(name)}")
        yield RawTable(words(name), name if schema == "main" else f"{schema}.{name}", rows, schema=schema)


@contextmanager
def _attached(con: Connection, path: Path) -> Iterator[None]:
    try:
        con.execute(f"ATTACH $1 AS {quote(ALIAS)} (READ_ONLY)", [str(path)])
    except duckdb.Error as error:
        raise DataError(f"source.path: {path}: cannot be opened as a DuckDB database: {reason(error)}") from None
    try:
        yield
    finally:
        con.execute(f"DETACH {quote(ALIAS)}")
