"""Membership in a table of the database that holds the scores, or in a file beside those.

It is written after the scores, in a transaction of its own. A run that is killed between the two leaves new scores
beside the lists of the night before, each whole; the next run, of the same night or a later one, brings the lists up to
date. A rollback takes membership back likewise, once the scores are back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from predictive.errors import DataError
from predictive.lists.membership import (
    COME,
    GONE,
    LIST_COLUMNS,
    Memberships,
    apply_changes,
    drop_changes,
    find_changes,
    find_later,
)
from predictive.sinks.database import Database, Store, definition, listed, mismatch, quote
from predictive.sinks.files import ScoreFiles
from predictive.sinks.formats import FORMATS, load
from predictive.sinks.journal import Journal
from predictive.sinks.tables import ScoreTables
from predictive.store import in_memory

ORDER = '"list", contact_id, entered_at'
KEPT = "list_kept"
"""Temporary table that membership is read into."""
STAGED, SHORT = "list_staged", ("a", "b", "c", "d")
ARROW = {"VARCHAR": pa.string(), "TIMESTAMP": pa.timestamp("us")}


@dataclass(frozen=True)
class ListTables:
    """Membership in the table `table` of a database, which the first night creates."""

    store: Store
    schema: str | None
    table: str

    def read(self) -> pd.DataFrame:
        """See :class:`~predictive.lists.membership.Memberships`."""
        with self.store.reading(None) as db:
            if not self._exists(db):
                return frame_of(pa.schema([(name, ARROW[kind]) for name, kind in LIST_COLUMNS.items()]).empty_table())
            return frame_of(db.read(self._rows(db), LIST_COLUMNS))

    def update(self, con: Any, members: str, night: Any) -> int:
        """See :class:`~predictive.lists.membership.Memberships`."""
        return self._change(con, lambda kept: find_changes(con, kept, members, night), make=True)

    def take_back(self, con: Any, night: Any) -> int:
        """See :class:`~predictive.lists.membership.Memberships`."""
        return self._change(con, lambda kept: find_later(con, kept, night), make=False)

    def _change(self, con: Any, find: Callable[[str], int], *, make: bool) -> int:
        """Do what `find` finds out of what is kept; without a table of membership, only where it is to be made."""
        try:
            with self.store.writing(con) as db:
                name = db.full_name(self.schema, self.table)
                if not self._exists(db):
                    if not make:
                        return 0
                    db.execute(f"CREATE TABLE {name} ({definition(LIST_COLUMNS, db.types)})")
                con.register("_kept", db.read(self._rows(db), LIST_COLUMNS))
                con.execute(f"CREATE OR REPLACE TEMP TABLE {KEPT} AS FROM _kept")
                con.unregister("_kept")
                changed = find(KEPT)
                if changed:
                    _carry_over(con, db, name)
                return changed
        finally:
            drop_changes(con)
            for name in (KEPT, STAGED):
                con.execute(f"DROP TABLE IF EXISTS temp.main.{name}")

    def _rows(self, db: Database) -> str:
        return f"SELECT {listed(LIST_COLUMNS)} FROM {db.full_name(self.schema, self.table)}"  # noqa: S608 - quoted names

    def _exists(self, db: Database) -> bool:
        """Whether the table is there. One that is not ours is an error."""
        found = db.describe(self.schema, self.table)
        problem = None if found is None else mismatch(found, LIST_COLUMNS)
        if problem is not None:
            raise DataError(
                f"{db.place}: the table {self.table} {problem}, so it does not hold the membership of lists; no list "
                "was written. Name another table in sink.table, or rename this one"
            )
        return found is not None


def _carry_over(con: Any, db: Database, kept: str) -> None:
    """Delete and insert in the database what :data:`GONE` and :data:`COME` say."""
    # The names of the columns are others while staged: a contact is on several lists, and is the key of no row.
    other = dict(zip(SHORT, LIST_COLUMNS.values(), strict=True))
    renamed = ", ".join(f"{quote(name)} AS {short}" for name, short in zip(LIST_COLUMNS, SHORT, strict=True))
    same = " AND ".join(f"g.{s} = {kept}.{quote(n)}" for n, s in zip(list(LIST_COLUMNS)[:3], SHORT, strict=False))
    for rows, statement in (
        (GONE, f"DELETE FROM {kept} WHERE EXISTS (SELECT 1 FROM {{}} AS g WHERE {same})"),  # noqa: S608 - quoted names
        (COME, f"INSERT INTO {kept} ({listed(LIST_COLUMNS)}) SELECT {', '.join(SHORT)} FROM {{}}"),  # noqa: S608 - likewise
    ):
        con.execute(f"CREATE OR REPLACE TEMP TABLE {STAGED} AS SELECT {renamed} FROM {rows}")  # noqa: S608 - likewise
        db.execute(statement.format(db.stage(con, STAGED, other)))
        db.drop(STAGED)


@dataclass(frozen=True)
class ListFiles:
    """Membership in one file, `kind` parquet or csv; `folder` is where the scores' history and their lock are."""

    path: Path
    kind: str
    folder: Path

    def read(self) -> pd.DataFrame:
        """See :class:`~predictive.lists.membership.Memberships`."""
        with in_memory() as con:
            return frame_of(con.sql(f"FROM {self._load(con)}").to_arrow_table())

    def update(self, con: Any, members: str, night: Any) -> int:
        """See :class:`~predictive.lists.membership.Memberships`."""
        return self._change(con, lambda kept: find_changes(con, kept, members, night))

    def take_back(self, con: Any, night: Any) -> int:
        """See :class:`~predictive.lists.membership.Memberships`."""
        return self._change(con, lambda kept: find_later(con, kept, night)) if self.path.exists() else 0

    def _change(self, con: Any, find: Callable[[str], int]) -> int:
        """Do what `find` finds out of what is kept."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with self._journal.locked():
                kept = self._load(con)
                changed = find(kept)
                if changed or not self.path.exists():
                    apply_changes(con, kept)
                    query = f"SELECT {listed(LIST_COLUMNS)} FROM {kept} ORDER BY {ORDER}"  # noqa: S608 - quoted names
                    FORMATS[self.kind].write(con, query, LIST_COLUMNS, self._journal.temporary(self.path))
                    self._journal.commit([self.path])
                return changed
        except (OSError, duckdb.IOException) as error:
            raise DataError(
                f"{self.path}: cannot be written: {str(error).splitlines()[0]}. The lists are as they were or as they "
                "should be; see to space and permissions, and run again"
            ) from None
        finally:
            drop_changes(con)
            con.execute(f"DROP TABLE IF EXISTS temp.main.{KEPT}")

    @property
    def _journal(self) -> Journal:
        return Journal(folder=self.folder, beside=(self.path,))

    def _load(self, con: Any) -> str:
        file = self._journal.committed(self.path)
        return load(con, self.kind, [file] if file.exists() else [], LIST_COLUMNS, KEPT)


STORES: dict[type, Callable[[Any], Memberships]] = {
    ScoreTables: lambda sink: ListTables(sink.store, sink.schema, f"{sink.table}_lists"),
    ScoreFiles: lambda sink: ListFiles(
        sink.path.with_name(f"{sink.path.stem}_lists{sink.path.suffix}"),
        sink.kind,
        sink.path.with_name(f"{sink.path.stem}_history"),
    ),
}
"""Per class of sink, where membership is kept beside its scores."""


def beside(sink: Any) -> Memberships | None:
    """Where membership is kept for a sink; None for a sink of somebody else's, which keeps no lists."""
    make = STORES.get(type(sink))
    return None if make is None else make(sink)


def why_none(kind: str) -> str:
    """What to say of a `kind` of sink for which :func:`beside` finds no place.

    >>> why_none("spark")
    'no list and no tag is kept: there is no place for them in a sink of kind spark yet'
    """
    return f"no list and no tag is kept: there is no place for them in a sink of kind {kind} yet"


def frame_of(rows: Any) -> pd.DataFrame:
    """Rows of :data:`LIST_COLUMNS` as people read them: times UTC."""
    frame: pd.DataFrame = rows.to_pandas().sort_values(["list", "contact_id", "entered_at"], ignore_index=True)
    times = {name: frame[name].astype("datetime64[us]").dt.tz_localize("UTC") for name in ("entered_at", "left_at")}
    return frame.astype({"list": "str", "contact_id": "str"}).assign(**times)
