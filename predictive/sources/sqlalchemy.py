"""Reading any database that SQLAlchemy knows: a cursor of the server where the driver has one, chunks of rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy
from sqlalchemy import exc
from sqlalchemy.engine import Connection as Server
from sqlalchemy.engine import Dialect

from predictive.config import SecretUrl
from predictive.errors import ConfigError, ConnectionLostError, DataError, nearest
from predictive.sources import landing
from predictive.sources.origin import Connection, Since, reason
from predictive.sources.pyrows import ROWS
from predictive.sources.reader import condition

SNAPSHOTS = ("SNAPSHOT", "REPEATABLE READ", "SERIALIZABLE")
"""Levels of isolation under which all reads show one moment, in the order in which they are asked for."""
CATALOGS = ("information_schema", "pg_catalog", "performance_schema", "mysql", "sys", "temp")
"""Schemas in which servers describe themselves."""


@dataclass(frozen=True)
class AnyDatabase:
    """A :class:`~.reader.Reader` through SQLAlchemy. `server` is the connection, inside the transaction."""

    server: Server
    url: SecretUrl

    def tables(self) -> list[tuple[str, str]]:
        """See :class:`~.reader.Reader`."""
        try:
            schemas = sqlalchemy.inspect(self.server).get_schema_names()
        except exc.SQLAlchemyError as error:
            raise self._failed(error) from None
        return [(s, name) for s in sorted(schemas) if s.lower() not in CATALOGS for name in sorted(self._names(s))]

    def select(self, table: str) -> str:
        """See :class:`~.reader.Reader`."""
        schema, _, name = table.rpartition(".")
        names = self._names(schema or None)
        if name not in names:
            known = [f"{schema}.{n}" if schema else n for n in names]
            raise DataError(f"{self.url} has no table {table!r}; {nearest(table, known)}")
        return f"SELECT * FROM {self._quote(schema) + '.' if schema else ''}{self._quote(name)}"

    def columns(self, select: str) -> tuple[str, ...]:
        """See :class:`~.reader.Reader`."""
        found = self._run(f"SELECT * FROM (\n{select}\n) found WHERE 1 = 0")
        try:
            return tuple(found.keys())
        finally:
            found.close()

    def land(self, con: Connection, target: str, select: str, columns: Mapping[str, bool], since: Since | None) -> None:
        """See :class:`~.reader.Reader`."""
        chosen = ", ".join(map(self._quote, columns)) or "NULL AS nothing"
        found = self._run(f"SELECT {chosen} FROM (\n{select}\n) found", " WHERE ", since)
        try:
            landing.land_rows(con, target, tuple(columns) or ("nothing",), self._chunks(found))
        finally:
            found.close()

    def before(self, select: str, since: Since) -> int:
        """See :class:`~.reader.Reader`."""
        found = self._run(f"SELECT count(*) FROM (\n{select}\n) found", " WHERE NOT ", since)
        return int(next(self._chunks(found))[0][0])

    def _names(self, schema: str | None) -> list[str]:
        """The tables and views of a schema; None for where names without one are looked up."""
        found = sqlalchemy.inspect(self.server)
        try:
            return [*found.get_table_names(schema), *found.get_view_names(schema)]
        except exc.SQLAlchemyError as error:
            raise self._failed(error) from None

    def _quote(self, name: str) -> str:
        return quoted(self.server.dialect, name)

    def _run(self, query: str, where: str = "", since: Since | None = None) -> Any:
        if since is not None:
            query += where + condition(self._quote(since.column), since, "\0")
        # A colon of a query is no parameter.
        text = sqlalchemy.text(query.replace(":", r"\:").replace("\0", ":low"))
        try:
            return self.server.execute(text, {} if since is None else {"low": since.low})
        except exc.SQLAlchemyError as error:
            raise self._failed(error) from None

    def _chunks(self, found: Any) -> Iterator[list[Any]]:
        try:
            for rows in found.partitions(ROWS):
                yield list(rows)
        except exc.SQLAlchemyError as error:
            raise self._failed(error) from None

    def _failed(self, error: exc.SQLAlchemyError) -> DataError:
        said = _said(self.url, error)
        if isinstance(error, exc.DBAPIError) and error.connection_invalidated:
            return ConnectionLostError(f"the connection to {self.url} was lost: {said}; run this again")
        return DataError(f"the query cannot be run: {said}")


def quoted(dialect: Dialect, name: str) -> str:
    """A name as SQLAlchemy gives it, as an identifier of the database.

    Where names without quotes are upper case (Oracle, Snowflake), SQLAlchemy shows them in lower case.

    >>> from sqlalchemy.dialects import mysql, oracle, postgresql
    >>> [quoted(module.dialect(), "created") for module in (oracle, postgresql, mysql)]
    ['"CREATED"', '"created"', '`created`']
    >>> quoted(oracle.dialect(), "Own Name")
    '"Own Name"'
    """
    held = dialect.denormalize_name(name) if dialect.requires_name_normalize else name
    return str(dialect.identifier_preparer.quote_identifier(held))


@contextmanager
def open_any(url: SecretUrl) -> Iterator[AnyDatabase]:
    """Connect and begin the transaction; both end with the block."""
    try:
        engine = sqlalchemy.create_engine(url.reveal(), poolclass=sqlalchemy.NullPool, hide_parameters=True)
    except (exc.ArgumentError, exc.NoSuchModuleError, ImportError) as error:
        raise ConfigError(
            f"source.url: {url}: SQLAlchemy cannot open it: {_said(url, error)}; install the driver of that database"
        ) from None
    try:
        server = engine.connect()
    except exc.OperationalError as error:
        said = f"source.url: cannot connect to {url}: {_said(url, error)}"
        raise ConnectionLostError(
            f"{said}; check the host, the user and the password, and that the server runs"
        ) from None
    except exc.SQLAlchemyError as error:
        raise DataError(f"source.url: cannot connect to {url}: {_said(url, error)}") from None
    with server:
        dbapi: Any = server.connection.dbapi_connection
        offered = engine.dialect.get_isolation_level_values(dbapi)
        level = next((level for level in SNAPSHOTS if level in offered), None)
        server = server.execution_options(stream_results=True, max_row_buffer=ROWS)
        if level is not None:
            server = server.execution_options(isolation_level=level)
        if engine.dialect.name == "sqlite":
            # Its driver begins nothing before the first write, and a transaction sees the moment of its first read.
            server.exec_driver_sql("BEGIN")
            server.exec_driver_sql("SELECT count(*) FROM sqlite_master").fetchone()
        yield AnyDatabase(server, url)


def _said(url: SecretUrl, error: Exception) -> str:
    """What the driver says, in one line, without the query and the secrets."""
    inner = getattr(error, "orig", None)
    return reason(ValueError(url.hide(str(error if inner is None else inner))))
