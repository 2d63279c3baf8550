"""Sources: where tables come from, and how they become the canonical ones.

A source is a module with one function that opens it, and an entry in :data:`SOURCES`. It finds rows; mapping, strict
reading and checking are the same for all.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

import narwhals as nw

from predictive.config import Config
from predictive.derive.apply import derive
from predictive.errors import ConnectionLostError, DataError
from predictive.sources import integrity
from predictive.sources.arrange import arrange
from predictive.sources.crm import open_crm
from predictive.sources.database import open_database
from predictive.sources.duckdb import open_duckdb
from predictive.sources.files import open_files
from predictive.sources.incremental import Fetched, fetch, opened, settle
from predictive.sources.materialise import Made, empty, materialise
from predictive.sources.origin import OpenSource, quote
from predictive.sources.written import drop_changes
from predictive.store import keeper
from predictive.tables import OPEN_TABLES, SCHEMAS, Tables

SOURCES: Mapping[str, OpenSource] = {
    "files": open_files,
    "duckdb": open_duckdb,
    "database": open_database,
    "hubspot": open_crm,
    "salesforce": open_crm,
}
"""Every kind of source by its name in the configuration (`source.kind`)."""


def read_tables(config: Config, con: Any, *, now: int, refresh: bool = False) -> Tables:
    """Read the configured tables into the working database `con` and check them.

    The six canonical tables are made in the current schema of `con` (those of an earlier call are replaced), so they
    may be larger than memory; the source is closed again before this returns. `now` is the present in microseconds
    since the epoch: what lies after it is noted. The time zone of `con` must be UTC. With `refresh`, activities
    that are read incrementally are read anew, as the first time. With ``engine: spark`` `con` is the session, and the
    tables are read where they are: see :mod:`predictive.spark.read`.

    Raises :class:`~predictive.errors.DataError` with every problem of every table: columns, types, missing values,
    duplicate keys, unreadable files.
    """
    if config.engine == "spark":
        from predictive.spark.read import read_tables as read_on_spark

        return read_on_spark(config, con)
    database, schema = con.execute("SELECT current_database(), current_schema()").fetchone() or ("memory", "main")
    target = {table: f"{quote(database)}.{quote(schema)}.{quote(table)}" for table in SCHEMAS}
    with ExitStack() as store:
        made, fetched = _read(config, con, target, store, now=now, anew=refresh)
        for absent in SCHEMAS.keys() - made.keys() - ({"activities"} if fetched else set()):
            empty(con, absent, target[absent])
        written = drop_changes(con, target["changes"], config.source.tables["contacts"].scores)
        if fetched is None:
            parts = arrange(con, target)
        else:
            made["activities"], parts = settle(fetched, target)
    notes = [note for table in made.values() for note in table.notes] + list(integrity.check(con, now=now))
    notes += written
    tables = Tables(
        **{table: nw.from_native(con.table(table)) for table in SCHEMAS},
        attributes={table: made[table].attributes if table in made else {} for table in OPEN_TABLES},
        notes=tuple(dict.fromkeys(notes)),
        parts=parts,
        keep=keeper(con),
    )
    return derive(tables)


def _read(
    config: Config, con: Any, target: dict[str, str], store: ExitStack, *, now: int, anew: bool
) -> tuple[dict[str, Made], Fetched | None]:
    """Make the tables of the source; activities that are read incrementally are only fetched, their `store` open."""
    made: dict[str, Made] = {}
    fetched = None
    problems: list[str] = []
    with SOURCES[config.source.kind](config.source, con) as open_table:
        for table, spec in config.source.tables.items():
            try:
                origin = open_table(table, spec)
                if spec.incremental is None:
                    made[table] = materialise(con, table, spec, origin, zone=config.timezone, target=target[table])
                else:
                    store.enter_context(opened(con, spec.incremental.store))
                    fetched = fetch(con, config, spec, origin, target=target[table], now=now, anew=anew)
            except ConnectionLostError:
                raise
            except DataError as error:
                problems.append(str(error))
    if problems:
        raise DataError("\n".join(problems))
    return made, fetched
