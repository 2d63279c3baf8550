"""Reading PostgreSQL through ADBC: binary COPY, as Arrow batches, in one REPEATABLE READ READ ONLY transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from predictive.config import SecretUrl
from predictive.errors import ConfigError, ConnectionLostError, DataError, nearest
from predictive.sources import landing
from predictive.sources.origin import Connection, Since, quote, reason
from predictive.sources.reader import condition

if TYPE_CHECKING:
    import pyarrow as pa

PATIENCE = {
    "connect_timeout": "15",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
    "application_name": "predictive",
}
"""What libpq is told where the URL does not say it: without, a network that is gone is waited for by the hour."""
EXACT = {"int2", "int4", "int8", "float4", "float8", "bool", "text", "varchar", "timestamp", "timestamptz", "bytea"}
"""Types that ADBC hands over as they are; the others are cast by the server."""
INFINITE = {-9_222_425_352_054_775_809: "infinity", -9_222_425_352_054_775_808: "-infinity"}
"""Microseconds that ADBC makes of infinite times: PostgreSQL's largest and smallest int64, moved from 2000 to 1970."""
SETTING = "predictive.since"
TABLES = """
    SELECT n.nspname, c.relname, pg_table_is_visible(c.oid)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
"""
REFUSED = {
    "42501": "the user of the URL may not read this: GRANT SELECT to it",
    "57014": "the server stopped it: raise statement_timeout for this user, or ask for less",
}
"""What to do about some of the server's errors, by SQLSTATE."""


@dataclass(frozen=True)
class Postgres:
    """A :class:`~.reader.Reader` of PostgreSQL. `cursor` is one of ADBC, inside the transaction."""

    cursor: Any
    url: SecretUrl
    types: dict[str, dict[str, tuple[str, int]]] = field(default_factory=dict)

    def tables(self) -> list[tuple[str, str]]:
        """See :class:`~.reader.Reader`."""
        return sorted((schema, name) for schema, name, _ in self._rows(TABLES))

    def select(self, table: str) -> str:
        """See :class:`~.reader.Reader`."""
        found = self._rows(TABLES)
        names = {f"{schema}.{name}": f"{quote(schema)}.{quote(name)}" for schema, name, _ in found}
        names |= {name: quote(name) for _, name, visible in found if visible}
        if table not in names:
            raise DataError(f"{self.url} has no table {table!r}; {nearest(table, names)}")
        return f"SELECT * FROM {names[table]}"

    def columns(self, select: str) -> tuple[str, ...]:
        """See :class:`~.reader.Reader`."""
        schema = self._try(lambda: self.cursor.adbc_execute_schema(f"SELECT * FROM (\n{select}\n) AS rows"))
        twice = sorted({name for name in schema.names if schema.names.count(name) > 1})
        if twice:
            raise DataError(f"the query has more than one column {twice[0]!r}; rename one with AS")
        self.types[select] = {column.name: _type(column) for column in schema}
        return tuple(schema.names)

    def land(self, con: Connection, target: str, select: str, columns: Mapping[str, bool], since: Since | None) -> None:
        """See :class:`~.reader.Reader`."""
        types = {name: self.types[select][name] for name in columns}
        chosen = ", ".join(_there(name, *type_) for name, type_ in types.items()) or "NULL AS nothing"
        query = f"SELECT {chosen} FROM (\n{select}\n) AS rows"
        if since is not None:
            query += f" WHERE {self._since(select, since)}"
        reader = self._try(lambda: self._streamed(query))
        shape = [f"{_here(name, *type_)} AS {quote(name)}" for name, type_ in types.items()] or ["*"]
        landing.land_arrow(con, target, reader.schema, self._batches(reader), shape)
        for name, (type_, modifier) in types.items():
            if type_ == "numeric" and _decimal(modifier) is None:
                landing.exact(con, target, name)

    def before(self, select: str, since: Since) -> int:
        """See :class:`~.reader.Reader`."""
        query = f"SELECT count(*) FROM (\n{select}\n) AS rows WHERE NOT {self._since(select, since)}"
        return int(self._rows(query)[0][0])

    def _since(self, select: str, since: Since) -> str:
        """The condition. COPY takes no parameters, so the value goes into a setting of the transaction."""
        low = since.low.isoformat() if not isinstance(since.low, int | str) else str(since.low)
        self._try(lambda: self.cursor.execute("SELECT set_config($1, $2, true)", (SETTING, low)))
        self.cursor.fetchall()
        type_, _ = self.types[select][since.column]
        cast = "text" if isinstance(since.low, str) else type_
        return condition(quote(since.column), since, f"CAST(current_setting('{SETTING}') AS {cast})")

    def _streamed(self, query: str) -> Any:
        self.cursor.execute(query)
        return self.cursor.fetch_record_batch()

    def _batches(self, reader: Any) -> Iterator[pa.RecordBatch]:
        import adbc_driver_manager as adbc

        try:
            yield from reader
        except (adbc.Error, OSError) as error:
            raise self._failed(error) from None

    def _rows(self, query: str) -> list[Any]:
        self._try(lambda: self.cursor.execute(query))
        return list(self.cursor.fetchall())

    def _try(self, run: Callable[[], Any]) -> Any:
        """What `run` gives; where the server refuses, the transaction goes on as if it had not been asked."""
        import adbc_driver_manager as adbc

        try:
            self.cursor.execute("SAVEPOINT asked")
            return run()
        except (adbc.Error, OSError) as error:
            raise self._failed(error) from None

    def _failed(self, error: Exception) -> DataError:
        """What to raise for a driver's error: a server that still answers has refused, another is gone."""
        import adbc_driver_manager as adbc

        said = _said(self.url, error)
        try:
            self.cursor.execute("ROLLBACK TO SAVEPOINT asked")
        except adbc.Error:
            return ConnectionLostError(f"the connection to {self.url} was lost: {said}; run this again")
        state = getattr(error, "sqlstate", None)
        return DataError(f"{said}; {REFUSED[state]}" if state in REFUSED else f"the query cannot be run: {said}")


@contextmanager
def open_postgres(url: SecretUrl) -> Iterator[Postgres]:
    """Connect and begin the transaction; both end with the block."""
    try:
        import adbc_driver_manager as adbc
        from adbc_driver_postgresql import dbapi
    except ImportError:
        raise ConfigError("source.url: PostgreSQL needs a driver: pip install 'predictive[postgres]'") from None
    try:
        connection = dbapi.connect(_patient(url.reveal()), autocommit=True)
        cursor = connection.cursor()
        cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    except adbc.Error as error:
        said = f"source.url: cannot connect to {url}: {_said(url, error)}"
        if _is_refusal(str(error)):
            raise DataError(f"{said}; check the user, the password and the database in the URL") from None
        raise ConnectionLostError(f"{said}; check the host and the port, and that the server runs") from None
    try:
        yield Postgres(cursor, url)
    finally:
        for opened in (cursor, connection):
            with suppress(adbc.Error):
                opened.close()


def _patient(url: str) -> str:
    """The URL with :data:`PATIENCE`, as far as it does not say otherwise."""
    head, _, query = url.partition("?")
    known = {part.partition("=")[0] for part in query.split("&")}
    return (
        head
        + "?"
        + "&".join([*([query] if query else []), *(f"{k}={v}" for k, v in PATIENCE.items() if k not in known)])
    )


def _is_refusal(text: str) -> bool:
    """Whether the server answered and said no, for which libpq gives no SQLSTATE; that it is starting will pass."""
    return "FATAL" in text and "starting up" not in text and "shutting down" not in text and "too many" not in text


def _said(url: SecretUrl, error: Exception) -> str:
    """What the server or the driver says, in one line, without the query and the secrets."""
    text = str(error).split("\nQuery was:")[0]
    lines = [line for line in text.splitlines() if line.strip() and line.strip() != "^"]
    text = (
        " ".join(lines).partition(" LINE ")[0] if any(line.startswith("LINE ") for line in lines) else " ".join(lines)
    )
    return reason(ValueError(url.hide(text.split("ERROR:  ")[-1].split("[libpq] ")[-1])))


def _type(column: pa.Field) -> tuple[str, int]:
    """The name and the modifier of a column's type in PostgreSQL."""
    metadata = column.metadata or {}
    return metadata[b"POSTGRESQL:type"].decode(), int(metadata.get(b"POSTGRESQL:typmod", b"-1"))


def _there(name: str, type_: str, modifier: int) -> str:  # noqa: ARG001 - a type is both
    """A column as the server sends it: what Arrow cannot carry faithfully goes as text (money without its sign)."""
    value = quote(name)
    if type_ in EXACT:
        return value
    if type_ == "date":
        return f"CAST({value} AS timestamp) AS {value}"
    if type_ == "oid":
        return f"CAST({value} AS int8) AS {value}"
    if type_ == "money":
        return f"CAST(CAST({value} AS numeric) AS text) AS {value}"
    return f"CAST({value} AS {'text[]' if type_.startswith('_') else 'text'}) AS {value}"


def _here(name: str, type_: str, modifier: int) -> str:
    """A column as it lands: exact numbers, infinite times, text."""
    value = quote(name)
    if type_ in ("timestamp", "timestamptz", "date"):
        wanted = "TIMESTAMPTZ" if type_ == "timestamptz" else "TIMESTAMP"
        ends = " ".join(f"WHEN {micros} THEN CAST('{end}' AS {wanted})" for micros, end in INFINITE.items())
        return f"CASE epoch_us({value}) {ends} ELSE {value} END"
    if type_ == "money":
        return f"CAST({value} AS DECIMAL(20, 2))"
    held = _decimal(modifier) if type_ == "numeric" else None
    return value if held is None else f"CAST(nullif({value}, 'NaN') AS {held})"


def _decimal(modifier: int) -> str | None:
    """The DuckDB type of numeric(p, s); None where it is not limited, or wider than any.

    >>> _decimal(1310728), _decimal(-1)
    ('DECIMAL(20, 4)', None)
    """
    digits, scale = (modifier - 4) >> 16 & 0xFFFF, (modifier - 4) & 0x7FF
    return f"DECIMAL({digits}, {scale})" if modifier >= 0 and scale <= digits <= 38 else None
