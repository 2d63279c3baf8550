"""Scores into tables of a database, which may hold other tables: those are never touched.

A night is one transaction, membership of lists included. What is missing (file, schema, tables, columns that earlier
versions did not write) is made by the first write, inside it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pandas as pd

from predictive.config import TablesSink
from predictive.errors import ConfigError, DataError
from predictive.sinks import changes, membership
from predictive.sinks.columns import ContactColumns
from predictive.sinks.contract import (
    HISTORY_COLUMNS,
    KEPT_COLUMNS,
    RUN_COLUMNS,
    SCORE_COLUMNS,
    Difference,
    Night,
    Restored,
)
from predictive.sinks.database import Database, Store, checked, completed, definition, listed, mismatch, nothing, quote
from predictive.sinks.frames import choose, history_query, to_frame
from predictive.sinks.rollback import rollback
from predictive.sinks.runs import Runs, add_run, outcome_of, read_runs, run_row

SUFFIXES = {"": KEPT_COLUMNS, "_history": HISTORY_COLUMNS, "_runs": RUN_COLUMNS}
"""What follows the configured name in the name of each table, and the columns."""


@dataclass(frozen=True)
class Kept:
    """The three tables of a sink as statements name them, and the runs."""

    current: str
    history: str
    runs: str
    known: Runs


@dataclass(frozen=True)
class ScoreTables:
    """A :class:`~predictive.sinks.contract.Sink` of three tables: `table`, `table`_history and `table`_runs.

    The membership of lists is in `table`_lists. With `contacts`, scores are also written into columns of the contact
    table.
    """

    store: Store
    schema: str | None
    table: str
    keep_left: bool = False
    contacts: ContactColumns | None = None

    @classmethod
    def from_config(cls, config: TablesSink, store: Store) -> ScoreTables:
        """The sink of its part of a configuration, where `table` is a name or `schema.name`.

        Raises :class:`~predictive.errors.ConfigError` for a name of more than two parts, or with an empty one.
        """
        *schema, table = config.table.split(".")
        if len(schema) > 1 or not all([*schema, table]):
            raise ConfigError(f"sink.table: {config.table!r} is not the name of a table; write name or schema.name")
        at = schema[0] if schema else None
        keep = config.left != "cleared"
        if config.key is None:
            return cls(store, at, table, keep)
        contacts = ContactColumns(at, table, config.key, tuple(config.columns.items()), config.create_columns)
        return cls(store, at, f"{table}_scores", keep, contacts)

    @property
    def keeps_lists(self) -> bool:
        """See :class:`predictive.sinks.contract.Sink`."""
        return True

    def preview(self, con: Any, staged: str, night: Night) -> Difference:
        """See :meth:`predictive.sinks.contract.Sink.preview`."""
        changes.check_staged(con, staged)
        with self.store.reading(con) as db:
            return self._compare(con, db, staged, night, create=False)[0]

    def write(self, con: Any, staged: str, night: Night, members: str | None = None) -> Difference:
        """See :meth:`predictive.sinks.contract.Sink.write`."""
        changes.check_staged(con, staged)
        with self.store.writing(con) as db:
            difference, kept = self._compare(con, db, staged, night, create=True)
            if difference.written:
                changes.apply(db, kept.current, kept.history, past=difference.past, keep_left=self.keep_left)
            if self.contacts is not None and not difference.past:
                self.contacts.write(db, kept.current)
            if members is not None and not difference.past:
                membership.update(con, db, self._lists(db), members)
            if difference.written or not kept.known.knows(night):
                seconds = time.monotonic() - night.began
                add_run(con, db, kept.runs, run_row(night, difference, outcome=outcome_of(night), seconds=seconds))
            changes.drop_temporary(db)
            return difference

    def refuse(self, con: Any, night: Night, rows: int) -> None:
        """See :meth:`predictive.sinks.contract.Sink.refuse`."""
        nobody = Difference(rows=rows, new=0, changed=0, unchanged=0, left=0, by_tier=(), past=False)
        with self.store.writing(con) as db:
            row = run_row(night, nobody, outcome="refused", seconds=time.monotonic() - night.began)
            add_run(con, db, self._created(db).runs, row)

    def rollback(self, con: Any, to: str | None, *, run_id: str, now: datetime) -> Restored:
        """See :meth:`predictive.sinks.contract.Sink.rollback`."""
        with self.store.writing(con) as db:
            kept = self._created(db)
            if self.contacts is not None:
                self.contacts.check(db, create=True)
            restored, row = rollback(
                con, db, kept.current, kept.history, kept.known, to, run_id=run_id, now=now, keep_left=self.keep_left
            )
            if self.contacts is not None:
                self.contacts.write(db, kept.current)
            stays = 0 if self._found_lists(db) is None else membership.take_back(db, self._name_of_lists(db))
            if row is not None:
                add_run(con, db, kept.runs, row)
            changes.drop_temporary(db)
            return replace(restored, stays=stays)

    def read_current(self) -> pd.DataFrame:
        """See :meth:`predictive.sinks.contract.Sink.read_current`."""
        with self.store.reading(None) as db:
            query = f"SELECT * FROM {self._readable(db, '')} AS k WHERE k.left_at IS NULL ORDER BY contact_id"  # noqa: S608 - quoted names
            return to_frame(db, query, SCORE_COLUMNS, ends=False)

    def read_history(self, columns: Sequence[str] | None = None, since: datetime | None = None) -> pd.DataFrame:
        """See :meth:`predictive.sinks.contract.Sink.read_history`."""
        chosen = choose(columns)
        with self.store.reading(None) as db:
            return to_frame(db, history_query(self._readable(db, "_history"), chosen, since), chosen, ends=True)

    def read_runs(self, *, refused: bool = False) -> pd.DataFrame:
        """See :meth:`predictive.sinks.contract.Sink.read_runs`."""
        with self.store.reading(None) as db:
            which = "" if refused else " WHERE outcome IS DISTINCT FROM 'refused'"
            query = f"SELECT * FROM {self._readable(db, '_runs')} AS r{which} ORDER BY scored_at"  # noqa: S608 - quoted names
            return to_frame(db, query, RUN_COLUMNS, ends=False)

    def read_lists(self) -> pd.DataFrame:
        """See :meth:`predictive.sinks.contract.Sink.read_lists`."""
        with self.store.reading(None) as db:
            if self._found_lists(db) is None:
                return membership.stays_of(None)
            query = f"SELECT {listed(membership.LIST_COLUMNS)} FROM {self._name_of_lists(db)}"  # noqa: S608 - quoted names
            return membership.stays_of(db.read(query, membership.LIST_COLUMNS))

    def _compare(self, con: Any, db: Database, staged: str, night: Night, *, create: bool) -> tuple[Difference, Kept]:
        kept = self._created(db) if create else self._seen(db)
        changes.set_night(con, db, night.stamps)
        mine = db.stage(con, staged, SCORE_COLUMNS)
        past = kept.known.is_past(night)
        base = changes.rebuild_past(db, kept.history) if past else kept.current
        without = 0
        if self.contacts is not None and not past:
            self.contacts.check(db, create=create)
            without = self.contacts.without_row(db, mine)
        return changes.compare(db, mine, base, past=past, without_row=without), kept

    def _seen(self, db: Database) -> Kept:
        tables = [self._readable(db, suffix) for suffix in SUFFIXES]
        return Kept(tables[0], tables[1], tables[2], read_runs(db, tables[2]))

    def _readable(self, db: Database, suffix: str) -> str:
        """A table as it is, as a subquery with all columns, empty where it is missing."""
        found = self._found(db, suffix)
        if found is None:
            return nothing(SUFFIXES[suffix], db.types)
        return completed(db.full_name(self.schema, self.table + suffix), found, SUFFIXES[suffix], db.types)

    def _created(self, db: Database) -> Kept:
        """The tables, created and given new columns where those are missing."""
        names = []
        for suffix, columns in SUFFIXES.items():
            found = self._found(db, suffix)
            names.append(db.full_name(self.schema, self.table + suffix))
            if found is None:
                db.create(self.schema, self.table + suffix, columns)
                continue
            for column in [name for name in columns if name not in found]:
                db.execute(f"ALTER TABLE {names[-1]} ADD COLUMN {quote(column)} {db.types[columns[column]]}")
        return Kept(names[0], names[1], names[2], read_runs(db, names[2]))

    def _found(self, db: Database, suffix: str) -> dict[str, str | None] | None:
        """The columns of a table, None if it is missing. One that is not ours is an error."""
        found = db.describe(self.schema, self.table + suffix)
        if found is not None:
            shown = ".".join(filter(None, [self.schema, self.table + suffix]))
            checked(f"{db.place}: the table {shown}", found, SUFFIXES[suffix])
        return found

    def _lists(self, db: Database) -> str:
        """The table of membership, created where it is missing."""
        name = self._name_of_lists(db)
        if self._found_lists(db) is None:
            db.execute(f"CREATE TABLE {name} ({definition(membership.LIST_COLUMNS, db.types)})")
        return name

    def _name_of_lists(self, db: Database) -> str:
        return db.full_name(self.schema, f"{self.table}_lists")

    def _found_lists(self, db: Database) -> dict[str, str | None] | None:
        """The columns of the table of membership, None if it is missing. One that is not ours is an error."""
        found = db.describe(self.schema, f"{self.table}_lists")
        problem = None if found is None else mismatch(found, membership.LIST_COLUMNS, older=False)
        if problem is not None:
            raise DataError(
                f"{db.place}: the table {self.table}_lists {problem}, so it does not hold the membership of lists; "
                "nothing was written. Name another table in sink.table, or rename this one"
            )
        return found
