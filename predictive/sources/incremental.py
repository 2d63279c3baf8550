"""Activities read incrementally: a store keeps what was read, and a night fetches only what may be new.

The store is a DuckDB file of canonical rows, each with its mark: the value of the configured column at the source. A
night fetches the rows whose mark is at or after the newest one kept less the overlap (and those without a mark),
throws away the same rows of the store, and puts the fetched ones in their place as one more sorted run. Rows need not
be unique, so nothing is ever compared row by row. All of it is one transaction: killed at any instant, the store is as
it was or as it should be.

The rows lie as :mod:`.arrange` wants them, by part and contact, so that a night has nothing to sort but what is new.

What cannot be seen in the fetched rows is seen in a count: if the source holds another number of earlier rows than the
store (rows were deleted, or came later than the overlap), everything is read anew. So the store equals a full read, but
for earlier rows that were altered in place, or deleted and added in equal numbers.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from predictive.config import Config, Incremental, TableSource
from predictive.errors import DataError, nearest
from predictive.sources.arrange import ARRANGED, count, divide, placed
from predictive.sources.mapping import map_columns
from predictive.sources.materialise import Made, materialise
from predictive.sources.origin import Connection, Fetch, Origin, Relation, Since, first, quote, reason
from predictive.sources.watermark import MARK, condition, mark_of, type_of, watermark
from predictive.tables import PART, Note

STORE = quote("predictive store")
KEPT, STATE = f"{STORE}.main.activities", f"{STORE}.main.state"
KEY = "::key"
MOST_UNSORTED = 1.25
"""Times the rows that were sorted once the store may hold before all are sorted again."""
FORMAT = 2
"""Counts up whenever rows of the store would be written otherwise."""


@dataclass(frozen=True)
class Night:
    """What stays the same while activities are brought up to date: where from, where to, and by what mapping."""

    con: Connection
    spec: TableSource
    chosen: Incremental
    origin: Origin
    fetch: Fetch
    zone: str
    fresh: str
    """The SQL name of the table of what was fetched."""

    @property
    def is_marked_by_time(self) -> bool:
        """Whether the column that tells what is new is the one that `occurred_at` is made of."""
        columns = map_columns("activities", self.spec, self.origin.rows.columns).columns
        return any(c.name == "occurred_at" and c.theirs == self.chosen.column for c in columns)

    def bring(self, since: Since | None) -> Made:
        """Fetch rows and make the table `fresh` of them: canonical, with mark and key."""
        rows = self.fetch.rows(since)
        types = dict(zip(rows.columns, map(str, rows.types), strict=True))
        extra = {MARK: mark_of(self.chosen.column, types[self.chosen.column])}
        if self.chosen.key is not None:
            extra[KEY] = f"CAST({quote(self.chosen.key)} AS VARCHAR)"
        origin = replace(self.origin, rows=rows)
        return materialise(self.con, "activities", self.spec, origin, zone=self.zone, target=self.fresh, extra=extra)

    def count(self, query: str, values: tuple[Any, ...] = ()) -> int:
        """The one number that a query gives."""
        ((found,),) = self.con.execute(query, list(values)).fetchall()
        return int(found)


@dataclass(frozen=True)
class Fetched:
    """What was fetched, and waits for the contacts to be divided into parts; all rows if `since` is None."""

    night: Night
    made: Made
    since: Since | None
    why: str
    made_with: str


def fetch(
    con: Connection, config: Config, spec: TableSource, origin: Origin, *, target: str, now: int, anew: bool
) -> Fetched:
    """Fetch the activities that the store, which must be :func:`opened`, may lack, to beside `target`, an SQL name.

    `anew` reads everything, as does another mapping, another time zone or another source than the store was made with.
    Raises :class:`~predictive.errors.DataError` as :func:`~.materialise.materialise` does, and for a column that cannot
    tell what is new.
    """
    chosen = spec.incremental
    if chosen is None:
        raise AssertionError("only an incremental table has a store")
    _check_columns(chosen, origin)
    source = _fetch_of(origin.rows) if origin.fetch is None else origin.fetch
    fresh = f"{target.rpartition('.')[0]}.{quote('::fresh')}"
    night = Night(con, spec, chosen, origin, source, config.timezone, fresh)
    made_with = _fingerprint(config, spec, origin)
    state = _state(con)
    known = not anew and state is not None and state[0] == made_with
    since = watermark(con.table(KEPT), chosen, now=now) if known else None
    made, why = (night.bring(None), "") if since is None else _fetched(night, since)
    return Fetched(night, made, None if why else since, why, made_with)


def settle(fetched: Fetched, target: dict[str, str]) -> tuple[Made, int]:
    """Bring the store up to date, and make the canonical activities of it; and into how many parts contacts came.

    `target` are the SQL names of the tables, of which the others are there already.
    """
    night, since, con = fetched.night, fetched.since, fetched.night.con
    state = _state(con)
    before, ordered = (None, 0) if since is None or state is None else state[1:]
    parts = divide(con, target, _rows_to_be(night, since), before=before)
    contacts = target["contacts"] if parts > 1 else f'(SELECT contact_id, 0 AS "{PART}" FROM {target["contacts"]})'
    with _transaction(con):
        if since is None:
            _sort(con, f"({placed(night.fresh, contacts)})", fetched.made_with, parts)
        else:
            _append(night, since, contacts, moved=parts > 1)
            if parts != before or count(con, KEPT) > MOST_UNSORTED * ordered:
                _sort(con, KEPT, fetched.made_with, parts)
    con.execute(f"DROP TABLE {night.fresh}")
    left_out = [MARK, *([] if night.chosen.key is None else [KEY]), *([PART] if parts == 1 else [])]
    # Equal rows must lie side by side, or nobody finds them. Where the mark is the time itself they came in one run.
    order = "" if night.is_marked_by_time else f" ORDER BY {ARRANGED}"
    con.execute(
        f"CREATE OR REPLACE TABLE {target['activities']} AS "
        f"SELECT * EXCLUDE ({', '.join(map(quote, left_out))}) FROM {KEPT}{order}"
    )
    return replace(fetched.made, notes=(*fetched.made.notes, _note(night, since, fetched.why))), parts


def _fetched(night: Night, since: Since) -> tuple[Made, str]:
    """The rows since a point, or all of them with the reason why those are not enough."""
    made = night.bring(since)
    earlier = f"SELECT count(*) FROM {KEPT} WHERE NOT {condition(since)}"
    if night.chosen.key is not None:
        earlier += f' AND NOT coalesce("{KEY}" IN (SELECT "{KEY}" FROM {night.fresh}), false)'
    kept, there = night.count(earlier, (since.low,)), night.fetch.before(since)
    mine, theirs = type_of(night.con.table(night.fresh)), type_of(night.con.table(KEPT))
    marked = night.count(f'SELECT count("{MARK}") FROM {night.fresh}')
    if kept == there and (mine == theirs or not marked):
        return made, ""
    missing = f"the source has {there:,} earlier rows and the store {kept:,}: some were deleted or came late"
    return night.bring(None), missing if kept != there else f"{since.column} has become {mine}"


def _rows_to_be(night: Night, since: Since | None) -> int:
    """About how many rows the store will hold."""
    fresh = count(night.con, night.fresh)
    if since is None:
        return fresh
    return fresh + night.count(f"SELECT count(*) FROM {KEPT} WHERE NOT {condition(since)}", (since.low,))


def _sort(con: Connection, rows: str, made_with: str, parts: int) -> None:
    """Make the store anew of rows with their parts, sorted."""
    con.execute(f"CREATE OR REPLACE TABLE {KEPT} AS SELECT * FROM {rows} ORDER BY {ARRANGED}")
    con.execute(f"CREATE OR REPLACE TABLE {STATE} (made_with VARCHAR, parts INTEGER, ordered BIGINT)")
    con.execute(f"INSERT INTO {STATE} SELECT ?, ?, count(*) FROM {KEPT}", [made_with, parts])


def _append(night: Night, since: Since, contacts: str, *, moved: bool) -> None:
    """Put the fetched rows in the place of those that they show anew, as one more sorted run."""
    con = night.con
    con.execute(f"DELETE FROM {KEPT} WHERE {condition(since)}", [since.low])
    if night.chosen.key is not None:
        con.execute(f'DELETE FROM {KEPT} WHERE "{KEY}" IN (SELECT "{KEY}" FROM {night.fresh})')
    con.execute(f"INSERT INTO {KEPT} SELECT * FROM ({placed(night.fresh, contacts)}) ORDER BY {ARRANGED}")
    if moved:
        con.execute(
            f'UPDATE {KEPT} AS k SET "{PART}" = c."{PART}" FROM {contacts} AS c '
            f'WHERE k.contact_id = c.contact_id AND k."{PART}" <> c."{PART}"'
        )


def _fetch_of(rows: Relation) -> Fetch:
    """How a part is read of rows that DuckDB reads by itself."""

    def test(since: Since) -> duckdb.Expression:
        column = duckdb.ColumnExpression(since.column)
        low = duckdb.ConstantExpression(since.low)
        value = duckdb.SQLExpression(f"{quote(since.column)}[:10]") if isinstance(since.low, str) else column
        return (value >= low) | column.isnull()

    return Fetch(
        rows=lambda since: rows if since is None else rows.filter(test(since)),
        before=lambda since: int(first(rows.filter(~test(since)).aggregate("count(*)"))[0]),
    )


def _check_columns(chosen: Incremental, origin: Origin) -> None:
    for key, name in (("column", chosen.column), ("key", chosen.key)):
        if name is not None and name not in origin.rows.columns:
            where = f"source.tables.activities.incremental.{key}"
            raise DataError(f"{where}: the source has no column {name!r}; {nearest(name, origin.rows.columns)}")


def _fingerprint(config: Config, spec: TableSource, origin: Origin) -> str:
    """A hash of everything that decides what a row of the source becomes."""
    from predictive import __version__

    used = sorted({c.theirs for c in map_columns("activities", spec, origin.rows.columns).columns if c.theirs})
    source = config.source.model_dump(mode="json", exclude={"tables"})
    mapping = spec.model_dump(mode="json", exclude={"incremental": {"overlap", "store"}})
    whole = [FORMAT, __version__, source, mapping, config.timezone, used]
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


def _state(con: Connection) -> tuple[str, int, int] | None:
    """What the store was made with, in how many parts, and how many rows were sorted then; None for a new one."""
    held = con.execute(
        "SELECT count(*) FROM duckdb_columns() "
        "WHERE database_name = 'predictive store' AND table_name = 'state' AND column_name = 'ordered'"
    ).fetchall()
    if held == [(0,)]:
        return None
    made_with, parts, ordered = first(con.table(STATE))
    return str(made_with), int(parts), int(ordered)


def _held(con: Connection) -> int:
    return count(con, KEPT)


def _note(night: Night, since: Since | None, why: str) -> Note:
    held = count(night.con, KEPT)
    store = night.chosen.store.name
    if since is None:
        return Note("activities", f"all {held:,} rows read into {store}{f', since {why}' if why else ''}", held)
    low = since.low if isinstance(since.low, str | int) else since.low.isoformat()
    later = night.count(f"SELECT count(*) FROM {KEPT} WHERE {condition(since)}", (since.low,))
    text = (
        f"{later:,} rows with {since.column} from {low} on were read, the other {held - later:,} were kept in {store}"
    )
    return Note("activities", f"{text}; to read all of them again: predictive check CONFIG --refresh", later)


@contextmanager
def opened(con: Connection, path: Path) -> Iterator[None]:
    """The store, attached to `con` and closed to everybody else until the end of the block.

    Raises :class:`~predictive.errors.DataError` for one that cannot be opened.
    """
    where = "source.tables.activities.incremental.store"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        con.execute(f"ATTACH $1 AS {STORE}", [str(path)])
    except OSError as error:
        raise DataError(f"{where}: {path}: cannot be written: {error.strerror}") from None
    except duckdb.Error as error:
        if "lock" in str(error):
            raise DataError(f"{where}: {path} is used by another run; run this again when that is done") from None
        said = reason(error)
        raise DataError(f"{where}: {path}: cannot be opened: {said}; delete it, and all is read anew") from None
    try:
        yield
    finally:
        con.execute(f"DETACH {STORE}")


@contextmanager
def _transaction(con: Connection) -> Iterator[None]:
    con.execute("BEGIN")
    try:
        yield
    except BaseException:
        con.execute("ROLLBACK")
        raise
    con.execute("COMMIT")
