"""Tables from a database by its URL, all read in one transaction, so that they show the same moment.

Rows are streamed into the working database, where they wait under the names of the source until their canonical table
is made. Columns that no mapping reads are not fetched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TypeAlias

from predictive.config import DatabaseSource, DuckdbSource, SecretUrl, TableSource
from predictive.errors import DataError
from predictive.sources import landing
from predictive.sources.duckdb import open_duckdb
from predictive.sources.mapping import map_columns
from predictive.sources.origin import Connection, Fetch, Opener, Origin, Relation, Since
from predictive.sources.postgres import open_postgres
from predictive.sources.reader import Reader
from predictive.sources.sqlite import open_sqlite


def _open_any(url: SecretUrl) -> AbstractContextManager[Reader]:
    from predictive.sources.sqlalchemy import open_any

    return open_any(url)


Open: TypeAlias = Callable[[SecretUrl], AbstractContextManager[Reader]]
READERS: Mapping[str, Open] = {"postgresql": open_postgres, "postgres": open_postgres, "sqlite": open_sqlite}
"""How a URL is read, by its scheme; any other goes through SQLAlchemy."""


def open_reader(url: SecretUrl) -> AbstractContextManager[Reader]:
    """Connects to the database of a URL, for as long as it is read."""
    return READERS.get(url.scheme, _open_any)(url)


@contextmanager
def open_database(source: DatabaseSource, con: Connection) -> Iterator[Opener]:
    """Opens a source of kind `database`: yields a function that lands the rows of a table in `con`."""
    if source.url.scheme == "duckdb":
        # Its tables are checked already; what is left is a file as of the kind duckdb.
        with open_duckdb(DuckdbSource(kind="duckdb", path=source.url.path, tables=source.tables), con) as opener:
            yield opener
        return
    with open_reader(source.url) as reader:
        try:
            yield lambda table, spec: _open(con, reader, table, spec)
        finally:
            landing.clear(con)


def _open(con: Connection, reader: Reader, table: str, spec: TableSource) -> Origin:
    """The rows of one table, landed; of an incremental one only its columns, and the way to its rows."""
    where = f"source.tables.{table}"
    if spec.query is None:
        label, key = f"table {spec.table}", f"{where}.table"
    else:
        label, key = f"the result of {where}.query", f"{where}.query"
    with located(key):
        select = reader.select(str(spec.table)) if spec.query is None else spec.query.strip().rstrip("; \n")
        theirs = reader.columns(select)
    wanted = _wanted(table, spec, theirs)

    def rows(since: Since | None) -> Relation:
        target = landing.place_for(con, table)
        with located(key):
            reader.land(con, target, select, wanted, since)
        return landing.landed(con, target, theirs, wanted)

    def before(since: Since) -> int:
        with located(key):
            return reader.before(select, since)

    if spec.incremental is None:
        return Origin(label, rows(None), untyped=False)
    return Origin(label, landing.columns_only(con, theirs), untyped=False, fetch=Fetch(rows, before))


def _wanted(table: str, spec: TableSource, theirs: Sequence[str]) -> dict[str, bool]:
    """The columns to fetch, in the order of the source, and whether each is an attribute."""
    mapped = map_columns(table, spec, theirs).columns
    used = {column.theirs for column in mapped}
    attributes = {column.theirs for column in mapped if column.is_attribute}
    if spec.incremental is not None:
        used |= {spec.incremental.column, spec.incremental.key}
    return {name: name in attributes for name in theirs if name in used}


@contextmanager
def located(where: str) -> Iterator[None]:
    """Errors with the path of the configuration that they come from."""
    try:
        yield
    except DataError as error:
        raise type(error)(f"{where}: {error}") from None
