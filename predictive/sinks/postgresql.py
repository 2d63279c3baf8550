"""PostgreSQL as a place for scores: rows go by binary COPY into a temporary table, and are compared in the server.

Measured for 300,000 rows on 2 cores: psycopg's binary COPY 1.0 s, ADBC's 0.9 s, COPY of CSV 1.4 s.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import Any
from urllib.parse import urlsplit

from predictive.config import SecretUrl
from predictive.errors import ConfigError, ConnectionLostError, DataError
from predictive.sinks.database import Database, definition, listed, quote
from predictive.sinks.duckdb import clean, working
from predictive.sinks.rows import arrow_types, rows_of

TYPES = {
    "VARCHAR": "text",
    "DOUBLE": "double precision",
    "BIGINT": "bigint",
    "BOOLEAN": "boolean",
    "TIMESTAMP": "timestamp with time zone",
}
STAGED = {**TYPES, "TIMESTAMP": "timestamp without time zone"}
"""Staged times are naive UTC; the session's time zone is UTC, so that they become the same instants."""

CONNECTION = {
    "connect_timeout": "10",
    "application_name": "predictive",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
"""A lost network is noticed within a minute; what the URL says comes first."""

SESSION = """
SET LOCAL TIME ZONE 'UTC';
SET LOCAL work_mem = '64MB';
SET LOCAL statement_timeout = 0;
SET LOCAL idle_in_transaction_session_timeout = '10min';
SET LOCAL tcp_keepalives_idle = 60;
SET LOCAL tcp_keepalives_interval = 10;
SET LOCAL tcp_keepalives_count = 6;
"""
"""The server, too, ends what a lost client has left, so that its locks do not stay."""


@dataclass(frozen=True)
class PostgresDatabase:
    """A :class:`~predictive.sinks.database.Database` over a connection of psycopg."""

    connection: Any
    place: str

    @property
    def types(self) -> Mapping[str, str]:
        """See :class:`~predictive.sinks.database.Database`."""
        return TYPES

    def execute(self, sql: str) -> None:
        """See :class:`~predictive.sinks.database.Database`."""
        self.connection.execute(sql)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """See :class:`~predictive.sinks.database.Database`."""
        found: list[tuple[Any, ...]] = self.connection.execute(sql).fetchall()
        return found

    def read(self, sql: str, columns: Mapping[str, str]) -> Any:
        """See :class:`~predictive.sinks.database.Database`; as CSV, since no value then becomes a Python object."""
        cells = ", ".join(
            f"{quote(name)} AT TIME ZONE 'UTC' AS {quote(name)}" if kind == "TIMESTAMP" else quote(name)
            for name, kind in columns.items()
        )
        out = f"COPY (SELECT {cells} FROM ({sql}) AS q) TO STDOUT (FORMAT csv, HEADER)"  # noqa: S608 - quoted names
        with TemporaryFile() as file, self.connection.cursor() as cursor:
            with cursor.copy(out) as copy:
                file.writelines(copy)
            file.seek(0)
            return _parse(file, columns)

    def stage(self, con: Any, name: str, columns: Mapping[str, str]) -> str:
        """See :class:`~predictive.sinks.database.Database`."""
        self.drop(name)
        self.execute(f"CREATE TEMPORARY TABLE {quote(name)} ({definition(columns, STAGED)}) ON COMMIT DROP")
        into = f"COPY {quote(name)} ({listed(columns)}) FROM STDIN (FORMAT binary)"
        with self.connection.cursor() as cursor, cursor.copy(into) as copy:
            copy.set_types([STAGED[kind].removesuffix(" without time zone") for kind in columns.values()])
            for block in rows_of(con, name, columns):
                for row in block:
                    copy.write_row(row)
        self.execute(f"ANALYZE {quote(name)}")
        return quote(name)

    def drop(self, name: str) -> None:
        """See :class:`~predictive.sinks.database.Database`."""
        self.execute(f"DROP TABLE IF EXISTS pg_temp.{quote(name)}")

    def describe(self, schema: str | None, table: str) -> dict[str, str | None] | None:
        """See :class:`~predictive.sinks.database.Database`."""
        query = """
            SELECT c.relkind::text, a.attname, format_type(a.atttypid, a.atttypmod)
            FROM pg_class AS c LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            WHERE c.oid = to_regclass(%s) ORDER BY a.attnum
            """
        found = self.connection.execute(query, [self.full_name(schema, table)]).fetchall()
        if not found:
            return None
        if found[0][0] not in ("r", "p"):
            raise DataError(
                f"{self.place}: the table {table} is a view; nothing was written. Name another table in sink.table"
            )
        ours = {kind: name for name, kind in TYPES.items()}
        return {name: ours.get(kind, kind) for _, name, kind in found if name is not None}

    def full_name(self, schema: str | None, table: str) -> str:
        """See :class:`~predictive.sinks.database.Database`."""
        return ".".join(quote(part) for part in (schema, table) if part is not None)

    def create(self, schema: str | None, table: str, columns: Mapping[str, str]) -> None:
        """See :class:`~predictive.sinks.database.Database`."""
        if schema is not None:
            # CREATE SCHEMA IF NOT EXISTS asks for the right to create one even where it is there.
            there = self.connection.execute("SELECT to_regnamespace(%s)::text", [quote(schema)]).fetchone()[0]
            if there is None:
                self.execute(f"CREATE SCHEMA {quote(schema)}")
        # Ids sort by their bytes, as they do everywhere else.
        cells = definition(columns, TYPES).replace('"contact_id" text', '"contact_id" text COLLATE "C"')
        name = self.full_name(schema, table)
        self.execute(f"CREATE TABLE {name} ({cells}{', PRIMARY KEY (contact_id)' if 'left_at' in columns else ''})")
        if "night" in columns:
            self.execute(f"CREATE INDEX ON {name} (night)")


@dataclass(frozen=True)
class PostgresServer:
    """A :class:`~predictive.sinks.database.Store`: a PostgreSQL database. `what` (a table) is what runs lock."""

    url: SecretUrl
    what: str
    wait: float = 30

    @property
    def place(self) -> str:
        """Where it is, without user and password.

        >>> PostgresServer(SecretUrl("postgresql://ann:secret@db.example:5432/crm"), "contact_scores").place
        'postgresql://db.example:5432/crm'
        """
        parts = urlsplit(self.url.reveal())
        return f"postgresql://{parts.netloc.rpartition('@')[2]}{parts.path}"

    @contextmanager
    def writing(self, con: Any) -> Iterator[Database]:
        """See :class:`~predictive.sinks.database.Store`."""
        with self._opened() as connection, clean(con):
            self._lock(connection)
            connection.execute(f"SET LOCAL lock_timeout = {max(1, round(self.wait * 1000))}")
            yield PostgresDatabase(connection, self.place)
            connection.commit()

    @contextmanager
    def reading(self, con: Any | None) -> Iterator[Database]:
        """See :class:`~predictive.sinks.database.Store`."""
        with self._opened() as connection, working(con) as mine, clean(mine):
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            yield PostgresDatabase(connection, self.place)

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        """A connection; what is not committed in the block is taken back."""
        psycopg = _driver()
        try:
            given = psycopg.conninfo.conninfo_to_dict(self.url.reveal())
            connection = psycopg.connect(**{**CONNECTION, **given}, prepare_threshold=None)
        except psycopg.ProgrammingError:
            # The driver's own words quote parts of the URL.
            raise DataError(
                "sink.url is not a URL that PostgreSQL's driver understands; write postgresql://user:password@host:5432"
                "/database, with percent signs for what URLs do not take (%40 for @)"
            ) from None
        except psycopg.Error as error:
            raise self._refusal(error) from None
        try:
            connection.execute(SESSION)
            yield connection
        except psycopg.errors.SyntaxError:
            raise
        except psycopg.Error as error:
            raise self._refusal(error) from None
        finally:
            # Without a commit before, this takes everything back.
            connection.close()

    def _lock(self, connection: Any) -> None:
        """Keep other runs that write the same tables out until the end of the transaction."""
        digest = hashlib.sha256(f"predictive {self.what}".encode()).digest()
        key = int.from_bytes(digest[:8], "big", signed=True)
        end = time.monotonic() + self.wait
        while not connection.execute(f"SELECT pg_try_advisory_xact_lock({key})").fetchone()[0]:
            if time.monotonic() > end:
                query = f"""
                    SELECT l.pid, a.xact_start FROM pg_locks AS l LEFT JOIN pg_stat_activity AS a USING (pid)
                    WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
                        AND (l.classid::bigint << 32 | l.objid::bigint) = {key}
                    """  # noqa: S608 - a number
                holder = connection.execute(query).fetchone()
                who = "" if holder is None else f" (server process {holder[0]}, since {holder[1]:%Y-%m-%d %H:%M} UTC)"
                raise DataError(
                    f"{self.place}: another run{who} is writing scores to {self.what}, and was for "
                    f"{self.wait:g} seconds; nothing was written. Run again when it is done"
                )
            time.sleep(0.1)

    def _refusal(self, error: Any) -> DataError:
        """What the driver says, without secrets, and what to do."""
        text = (error.diag.message_primary or str(error).strip().splitlines()[0]) if error.args else "connection lost"
        text = self.url.hide(text)
        state = error.sqlstate or ""
        if state == "55P03":
            return DataError(
                f"{self.place}: another session has a lock on the tables, and had for {self.wait:g} seconds; nothing "
                "was written. Run again when it is done"
            )
        if not state or state.startswith(("08", "57P")):
            safe = "The scores are as they were or as they should be; run again"
            return ConnectionLostError(f"{self.place}: connection failed or lost: {text}. {safe}")
        return DataError(f"{self.place}: {text}; nothing was written. Put it right, then run again")


def _driver() -> Any:
    try:
        import psycopg
    except ImportError:
        raise ConfigError(
            "sink.kind: postgresql needs a driver that is not installed; install predictive[postgres]"
        ) from None
    return psycopg


def _parse(file: Any, columns: Mapping[str, str]) -> Any:
    """CSV as the server writes it as an Arrow table: a missing value is an empty cell, an empty text is ``""``."""
    from pyarrow import csv

    kinds = arrow_types()
    return csv.read_csv(
        file,
        read_options=csv.ReadOptions(use_threads=False, block_size=16_000_000),
        parse_options=csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=csv.ConvertOptions(
            column_types={name: kinds[kind] for name, kind in columns.items()},
            null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False,
            true_values=["t"], false_values=["f"],
        ),
    )  # fmt: skip
