"""The two kinds of score files, read into DuckDB and written from it.

Parquet keeps times as UTC instants. CSV writes them as ``2026-11-22T00:00:00Z`` and numbers with as many digits as
bring back the same number; text that a spreadsheet would take for a formula gets an apostrophe in front, which reading
takes away again [1]_. A missing value is an empty cell, an empty text is ``""``.

.. [1] OWASP, CSV injection, https://owasp.org/www-community/attacks/CSV_Injection
"""

from __future__ import annotations

import csv
import glob
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from predictive.errors import DataError
from predictive.sinks.database import definition, listed, mismatch, quote

FORMULA = r"^('*[=+\-@\t\r\n＝＋－＠])"
"""Starts of text that a spreadsheet runs. Text that looks escaped already is escaped once more: reading is exact."""

ESCAPED = r"^'('*[=+\-@\t\r\n＝＋－＠])"

Columns = dict[str, str]


@dataclass(frozen=True)
class Format:
    """How one kind of file is read and written.

    Args:
        describe: the columns of a file, in its order, and their types; None where the file does not say.
        read: adds the rows of a file with these columns to a table (a quoted name).
        write: writes the rows of a query to a file.
    """

    describe: Callable[[Any, Path], dict[str, str | None]]
    read: Callable[[Any, Path, Columns, str], None]
    write: Callable[[Any, str, Columns, Path], None]


def load(con: Any, kind: str, files: Sequence[Path], columns: Columns, into: str) -> str:
    """Read files into a temporary table, empty when there are none; returns `into` quoted.

    Raises :class:`~predictive.errors.DataError` for a file that cannot be read or has other columns.
    """
    name = quote(into)
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} ({definition(columns)})")
    for file in files:
        try:
            found = FORMATS[kind].describe(con, file)
            problem = mismatch(found, columns)
            if problem is None:
                FORMATS[kind].read(con, file, {name: columns[name] for name in found}, name)
        except (duckdb.Error, OSError, UnicodeDecodeError, csv.Error) as error:
            problem = f"cannot be read ({str(error).splitlines()[0]})"
        if problem is not None:
            raise DataError(
                f"{file}: {problem}, so it does not serve as scores of this version; nothing was written. Put it "
                "right, or move it away, or name another file in sink.path"
            )
    return name


def _pattern(file: Path) -> str:
    """The pattern that matches this file and no other: DuckDB reads patterns, not names."""
    return glob.escape(str(file))


def _describe_parquet(con: Any, file: Path) -> dict[str, str | None]:
    described = con.execute("DESCRIBE SELECT * FROM read_parquet($1)", [_pattern(file)]).fetchall()
    return {row[0]: "TIMESTAMP" if row[1] == "TIMESTAMP WITH TIME ZONE" else row[1] for row in described}


def _zoned(columns: Columns) -> str:
    """Columns with times changed between naive UTC and instants; the same SQL does both."""
    return ", ".join(
        f"{quote(c)} AT TIME ZONE 'UTC' AS {quote(c)}" if kind == "TIMESTAMP" else quote(c)
        for c, kind in columns.items()
    )


def _read_parquet(con: Any, file: Path, columns: Columns, into: str) -> None:
    query = f"SELECT {_zoned(columns)} FROM read_parquet($1)"  # noqa: S608 - quoted names
    con.execute(f"INSERT INTO {into} BY NAME {query}", [_pattern(file)])


def _write_parquet(con: Any, query: str, columns: Columns, file: Path) -> None:
    rows = f"SELECT {_zoned(columns)} FROM ({query})"  # noqa: S608 - quoted names
    con.execute(f"COPY ({rows}) TO $1 (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)", [str(file)])


def _describe_csv(_: Any, file: Path) -> dict[str, str | None]:
    with file.open(encoding="utf-8-sig", newline="") as opened:
        return dict.fromkeys(next(csv.reader(opened), []))


def _read_csv(con: Any, file: Path, columns: Columns, into: str) -> None:
    cells = ", ".join(
        f"regexp_replace({quote(c)}, $escaped, '\\1') AS {quote(c)}"
        if kind == "VARCHAR"
        else f"CAST({quote(c)} AS {kind}) AS {quote(c)}"
        for c, kind in columns.items()
    )
    con.execute(
        f"""
        INSERT INTO {into} BY NAME SELECT {cells} FROM read_csv($file, columns = $columns, header = true,
            auto_detect = false, delim = ',', quote = '"', escape = '"', nullstr = '', allow_quoted_nulls = false)
        """,  # noqa: S608 - quoted names
        {"file": _pattern(file), "columns": dict.fromkeys(columns, "VARCHAR"), "escaped": ESCAPED},
    )


def _write_csv(con: Any, query: str, columns: Columns, file: Path) -> None:
    cells = ", ".join(
        f"regexp_replace({quote(c)}, $formula, '''\\1') AS {quote(c)}"
        if kind == "VARCHAR"
        else f"replace(CAST({quote(c)} AS VARCHAR), ' ', 'T') || 'Z' AS {quote(c)}"
        if kind == "TIMESTAMP"
        else quote(c)
        for c, kind in columns.items()
    )
    texts = listed({name: kind for name, kind in columns.items() if kind == "VARCHAR"})
    rows = f"SELECT {cells} FROM ({query})"  # noqa: S608 - quoted names
    con.execute(
        f"COPY ({rows}) TO $file (FORMAT csv, HEADER, FORCE_QUOTE ({texts}), USE_TMP_FILE false)",
        {"file": str(file), "formula": FORMULA},
    )


FORMATS = {
    "parquet": Format(describe=_describe_parquet, read=_read_parquet, write=_write_parquet),
    "csv": Format(describe=_describe_csv, read=_read_csv, write=_write_csv),
}
"""Per kind of sink, how its files are read and written."""
