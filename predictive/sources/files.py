"""Tables from CSV and Parquet files: one file, a folder of parts, a pattern, or a file inside a zip archive."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from predictive.config import FilesSource, TableSource
from predictive.errors import DataError, nearest
from predictive.sources import archive, csvfile
from predictive.sources.duckdb import attached
from predictive.sources.origin import (
    Connection,
    Opener,
    Origin,
    Part,
    Relation,
    quote,
    run_query,
    unreadable,
)
from predictive.tables import Note

PARQUET = {".parquet", ".pq"}
TEXT = {".csv", ".tsv", ".txt"}
PACKED = {
    b"PK\x03\x04": "a zip archive: name the file in it, as in {name}/contacts.csv",
    b"\x1f\x8b": "compressed: unpack it",
}


@contextmanager
def open_files(source: FilesSource, con: Connection) -> Iterator[Opener]:
    """Opens a source of kind `files`: yields a function that finds the rows of a table."""
    if not source.path.exists() and archive.split(source.path) is None:
        raise DataError(f"source.path: {source.path}: no such folder")
    with TemporaryDirectory(prefix="predictive-", ignore_cleanup_errors=True) as name, attached(con, ":memory:"):
        folder = Path(name)
        views = {
            view: open_pattern(con, source.path, file, f"source.files.{view}", folder)
            for view, file in source.files.items()
        }
        for view, origin in views.items():
            _as_text(origin.rows, view).create_view(view)
        parts = tuple(part for origin in views.values() for part in origin.parts)
        notes = tuple(note for origin in views.values() for note in origin.notes)

        def open_table(table: str, spec: TableSource) -> Origin:
            where = f"source.tables.{table}"
            if spec.file is not None:
                return open_pattern(con, source.path, spec.file, f"{where}.file", folder)
            rows = run_query(con, str(spec.query), f"{where}.query")
            return Origin(f"the result of {where}.query", rows, untyped=True, parts=parts, notes=notes)

        yield open_table


def _as_text(rows: Relation, view: str) -> Relation:
    """What a query sees of a file: every column as text, empty as NULL, and the `row_number` in the file.

    `nullif` also keeps DuckDB from pushing a TRY_CAST of the query into the CSV reader, where it fails instead of
    giving NULL (seen in 2.0).
    """
    if "row_number" in (name.casefold() for name in rows.columns):
        raise DataError(f"source.files.{view}: has a column row_number, which is the name for the number of a row")
    columns = [f"nullif(CAST({quote(c)} AS VARCHAR), '') AS {quote(c)}" for c in rows.columns]
    return rows.project(", ".join([*columns, "row_number() OVER () AS row_number"]))


def open_pattern(con: Connection, base: Path, pattern: str, where: str, folder: Path) -> Origin:
    """The rows of every file that `pattern` names below `base`, one after another."""
    found = _find(base, pattern, where, folder)
    kinds = {_kind(path, shown, where) for shown, path in found}
    label = found[0][0] if len(found) == 1 else str(base / pattern)
    if len(kinds) > 1:
        raise DataError(f"{where}: {label} holds both CSV and Parquet files; name those to read, as in {pattern}/*.csv")
    return _parquet(con, found, where, label) if kinds == {"Parquet"} else _csv(con, found, where, label, folder)


def _find(base: Path, pattern: str, where: str, folder: Path) -> list[tuple[str, Path]]:
    """The files that a pattern names: how they are shown, and where they can be read."""
    path = base / pattern
    inside = archive.split(path)
    if inside is not None and inside[1] != ".":
        return [(str(path), archive.extract(*inside, folder, where))]
    if path.is_dir():
        known = sorted(p for p in path.iterdir() if p.suffix.lower() in PARQUET | TEXT and p.name[0] not in "._")
        if not known:
            raise DataError(f"{where}: {path} holds no file that ends in {', '.join(sorted(PARQUET | TEXT))}")
        return [(str(p), p) for p in known]
    if path.is_file():
        return [(str(path), path)]
    holder = next(p for p in path.parents if p.is_dir())
    matches = sorted(p for p in holder.glob(str(path.relative_to(holder))) if p.is_file())
    if not matches:
        hint = nearest(path.relative_to(holder).parts[0], (p.name for p in holder.iterdir()))
        raise DataError(f"{where}: {path}: no such file; in {holder}: {hint}")
    return [(str(p), p) for p in matches]


def _kind(path: Path, shown: str, where: str) -> str:
    """Whether a file is CSV or Parquet, from its first bytes."""
    with path.open("rb") as file:
        head = file.read(4)
    if not head:
        raise DataError(f"{where}: {shown} is empty: not even a line of column names")
    for magic, remedy in PACKED.items():
        if head.startswith(magic):
            raise DataError(f"{where}: {shown} is {remedy.format(name=path.name)}")
    return "Parquet" if head == b"PAR1" or path.suffix.lower() in PARQUET else "CSV"


def _parquet(con: Connection, found: list[tuple[str, Path]], where: str, label: str) -> Origin:
    parts = []
    for shown, path in found:
        try:
            columns = tuple(con.read_parquet([str(path)]).columns)
        except duckdb.Error as error:
            raise DataError(f"{where}: {shown}: {unreadable('Parquet', error)}") from None
        parts.append(Part(shown, path, columns))
    _same_columns(parts, where)
    rows = con.read_parquet([str(part.path) for part in parts], union_by_name=True)
    return Origin(label, rows, untyped=False, parts=tuple(parts), located=True)


def _csv(con: Connection, found: list[tuple[str, Path]], where: str, label: str, folder: Path) -> Origin:
    parts: list[Part] = []
    notes = []
    for shown, path in found:
        try:
            copy, encoding = csvfile.as_utf8(path, folder)
            # The parts of one export are written alike; a short part by itself could be misread.
            dialect = parts[0].dialect if parts and parts[0].dialect is not None else csvfile.detect(copy)
            parts.append(Part(shown, copy, tuple(csvfile.header(copy, dialect)), dialect))
        except ValueError as error:
            raise DataError(f"{where}: {shown}: {error}") from None
        if encoding is not None:
            notes.append(
                Note(
                    where.removesuffix(".file"),
                    f"{shown} is not UTF-8: read as {encoding}; if its names look wrong, save it as UTF-8",
                    1,
                )
            )
    _same_columns(parts, where)
    if parts[0].dialect is None:
        raise AssertionError("a CSV part has a dialect")
    rows = csvfile.read(con, [part.path for part in parts], parts[0].columns, parts[0].dialect)
    return Origin(label, rows, untyped=True, parts=tuple(parts), located=True, notes=tuple(notes))


def _same_columns(parts: list[Part], where: str) -> None:
    """Raises unless all parts have the columns of the first, in CSV in the same order too."""
    first = parts[0]
    for part in parts[1:]:
        differ = set(part.columns) ^ set(first.columns)
        if differ:
            names = ", ".join(sorted(differ))
            raise DataError(f"{where}: {part.shown} and {first.shown} have different columns: only one has {names}")
        if part.dialect is not None and part.columns != first.columns:
            raise DataError(f"{where}: {part.shown} and {first.shown} have their columns in different orders")
