"""Where the raw tables of a CRM are found: a folder (or zip archive) of files, a DuckDB file, or a database by URL.

An opener yields :class:`RawTable` values, whatever they are made of; everything after it knows tables by name only.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import duckdb

from predictive.config import CrmSource
from predictive.errors import DataError
from predictive.sources import landing
from predictive.sources.database import located, open_reader
from predictive.sources.files import PARQUET, TEXT, open_pattern
from predictive.sources.origin import Connection, Relation, quote, reason
from predictive.sources.reader import Reader
from predictive.tables import Note

ALIAS = "predictive raw"
"""The attached DuckDB file; a name that no database has."""


@dataclass(frozen=True)
class RawTable:
    """A table as it was landed or exported: `name` in words joined by underscores, and where it is, for a person.

    Where `fetch` is given, `rows` is empty: the table lies elsewhere, and `fetch` brings it, once it is known to be
    needed, with the columns for which its argument is true filled.
    """

    name: str
    label: str
    rows: Relation
    schema: str = ""
    notes: tuple[Note, ...] = ()
    fetch: Callable[[Callable[[str], bool]], Relation] | None = None


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
def open_raw(source: CrmSource, con: Connection, folder: Path) -> Iterator[tuple[RawTable, ...]]:
    """Every table of the source, readable until the end of the block; `folder` takes copies that reading needs."""
    if source.url is not None and source.url.scheme != "duckdb":
        with open_reader(source.url) as reader:
            yield tuple(_elsewhere(con, reader))
        return
    path = source.path if source.url is None else source.url.path
    if path is None:
        raise AssertionError("a CRM is at a path or a URL")
    if path.is_dir():
        yield tuple(_files(con, path, folder))
    elif path.suffix.lower() == ".zip" and path.is_file():
        yield tuple(_members(con, path, folder))
    elif path.is_file():
        with _attached(con, path):
            yield tuple(_tables(con))
    else:
        raise DataError(
            f"{source.where}: no such file or folder; name a folder of CSV or Parquet files, or a DuckDB file"
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


def _elsewhere(con: Connection, reader: Reader) -> Iterator[RawTable]:
    """Every table and view of a database, none of them fetched."""
    nothing = con.sql("SELECT 1").limit(0)
    with located("source.url"):
        found = reader.tables()
    for schema, name in found:
        label = f"{schema}.{name}" if schema else name
        yield RawTable(words(name), label, nothing, schema=schema, fetch=partial(_fetch, con, reader, label))


def _fetch(con: Connection, reader: Reader, table: str, is_read: Callable[[str], bool]) -> Relation:
    """The rows of one table, landed."""
    with located(f"source.url: {table}"):
        select = reader.select(table)
        theirs = reader.columns(select)
        # Only of attributes the type matters, and which columns will be attributes is not known yet.
        wanted = {name: True for name in theirs if is_read(name)}
        target = landing.place_for(con, table)
        reader.land(con, target, select, wanted, None)
    return landing.landed(con, target, theirs, wanted)


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
