"""A DuckDB database file, attached to a connection for as long as it is needed, and transactions on it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb

from predictive.errors import DataError
from predictive.sinks.database import quote


@contextmanager
def attached(con: Any, path: Path, *, read_only: bool) -> Iterator[str]:
    """The name, not quoted, under which `con` sees the database file; for writing, it is created where missing.

    A process can attach a file once. Where `con` has it already (the source is the same file) that name serves, and
    where it has it for reading only, it is detached for as long as it is written.
    Raises :class:`~predictive.errors.DataError` when the file is in use elsewhere or is no database.
    """
    held = _held(con, path)
    if held is not None and (read_only or not held[1]):
        yield held[0]
        return
    name = f"sink_{uuid4().hex}" if held is None else held[0]
    if held is not None:
        con.execute(f"DETACH {quote(name)}")
    try:
        _attach(con, path, name, read_only=read_only)
        try:
            yield name
        finally:
            con.execute(f"DETACH {quote(name)}")
    finally:
        if held is not None:
            _attach(con, path, name, read_only=True)


@contextmanager
def transaction(con: Any, path: Path) -> Iterator[None]:
    """All or nothing. Raises :class:`~predictive.errors.DataError` when the disk does not take it."""
    con.execute("BEGIN")
    try:
        yield
        con.execute("COMMIT")
    except BaseException as error:
        # A failed COMMIT has ended the transaction already, and what went wrong first is what to tell.
        with suppress(duckdb.Error):
            con.execute("ROLLBACK")
        if isinstance(error, duckdb.IOException):
            raise DataError(
                f"{path}: cannot be written: {_first_line(error)}; nothing was changed. See to space and permissions, "
                "then run again"
            ) from None
        raise


def _held(con: Any, path: Path) -> tuple[str, bool] | None:
    """Name and read-only mark of the database in `con` that is this file."""
    databases = con.execute("SELECT database_name, readonly, path FROM duckdb_databases() WHERE path IS NOT NULL")
    return next(
        ((name, only) for name, only, file in databases.fetchall() if Path(file).resolve() == path.resolve()), None
    )


def _attach(con: Any, path: Path, name: str, *, read_only: bool) -> None:
    try:
        if not read_only:
            path.parent.mkdir(parents=True, exist_ok=True)
        # Without the type DuckDB guesses from the content, and may download an extension for it.
        con.execute(f"ATTACH ? AS {quote(name)} (TYPE duckdb{', READ_ONLY' if read_only else ''})", [str(path)])
    except (duckdb.Error, OSError) as error:
        raise DataError(f"{path}: {_refusal(error)}") from None


def _refusal(error: Exception) -> str:
    """What to tell when a database cannot be attached."""
    text = _first_line(error)
    if "lock" not in text and "already attached" not in text:
        return (
            f"cannot be opened as a DuckDB database: {text}; nothing was written. Put it right, or name another file "
            "in sink.path"
        )
    holder = re.search(r"\(PID (\d+)\)", text)
    who = f"another process ({holder[1]})" if holder else "another connection"
    return f"{who} has this database open; nothing was written. Close it there, then run again"


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0]
