"""One canonical table: its rows mapped, read strictly, sorted, and kept in the working database."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import duckdb

from predictive.config import TableSource
from predictive.errors import DataError
from predictive.features.daily import CHANGE
from predictive.sources import casting, diagnosis
from predictive.sources.mapping import map_columns
from predictive.sources.origin import Connection, Origin, Relation, first, quote
from predictive.sources.reading import Read, Task, bad, read_rows
from predictive.tables import SCHEMAS, Kind, Note, kind_of

ORDER = {
    "contacts": "contact_id",
    "accounts": "account_id",
    "deals": "deal_id, contact_id",
    "changes": "object, object_id, attribute, changed_at",
    "overrides": "contact_id, created_at",
}
KEYS = {"contacts": "contact_id", "accounts": "account_id", "deals": "deal_id, contact_id"}


@dataclass(frozen=True)
class Made:
    """What is known of a canonical table once it is in the working database."""

    attributes: dict[str, Kind]
    notes: tuple[Note, ...]


def materialise(
    con: Connection,
    table: str,
    spec: TableSource,
    origin: Origin,
    *,
    zone: str,
    target: str,
    extra: Mapping[str, str] | None = None,
) -> Made:
    """Make the canonical `table` at the SQL name `target`, every time as int64 microseconds UTC.

    Activities may carry `extra` columns, each an SQL expression over the source's, by name.

    Times without an offset are in the time zone `zone`. Raises :class:`~predictive.errors.DataError` that names every
    column with a value that is not allowed, and where the first one is; or rows whose key is not their own.
    """
    mapping = map_columns(table, spec, origin.rows.columns)
    further = {} if extra is None else dict(extra)
    task = Task(table, origin, mapping.columns, tuple(spec.missing), zone, further)
    try:
        read = read_rows(task, numbered=False)
        con.execute(f"DROP TABLE IF EXISTS {target}")
        rows = _shaped(table, _guarded(read, task), further)
        # Activities are sorted once everything is read, see `arrange`.
        (rows.order(ORDER[table]) if table in ORDER else rows).create(target)
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error as error:
        raise diagnosis.explain(con, task, error) from None
    _check_keys(con, task, target)
    _check_types(con, task, target)
    attributes = {c.name: read.kinds[c.name] for c in task.columns if c.is_attribute and c.name in read.kinds}
    return Made(attributes, (*origin.notes, *mapping.notes, *read.notes))


def _guarded(read: Read, task: Task) -> Relation:
    """The read columns; a value that is not allowed stops the query, so that good data are read only once."""
    guarded = []
    for column in task.columns:
        if column.name in read.kinds:
            name = quote(column.name)
            wrong = " OR ".join(bad(column).values())
            guarded.append(f"CASE WHEN {wrong} THEN error('not allowed') ELSE {name} END AS {name}")
    return read.rows.project(", ".join([*guarded, *map(quote, task.extra)]))


def _shaped(table: str, rows: Relation, extra: Collection[str] = ()) -> Relation:
    """The columns of the canonical table as the package holds it."""
    if table != "activities":
        return rows
    # Without a recorded_at, greatest() is occurred_at: NULL does not count.
    times = "occurred_at AS t, greatest(occurred_at, recorded_at) AS known"
    return rows.project(", ".join([f"contact_id, type, {times}, value, detail", *map(quote, extra)]))


def _check_keys(con: Connection, task: Task, target: str) -> None:
    """Raises if a key stands there twice, or if there are no contacts."""
    made = con.table(target)
    if task.table == "contacts" and not made.limit(1).fetchall():
        raise DataError(f"contacts: {task.origin.label} has no rows; at least one contact is needed")
    key = KEYS.get(task.table)
    if key is None:
        return
    twice = made.aggregate(f"{key}, count(*) AS n", key).filter("n > 1")
    found = twice.project(key).order(key).limit(1).fetchall()
    if found:
        (several,) = first(twice.aggregate("count(*)"))
        values = dict(zip(key.split(", "), found[0], strict=True))
        raise diagnosis.duplicate(con, task, values, several)


def _check_types(con: Connection, task: Task, target: str) -> None:
    """Raises for a type of activity that would be taken for the change of an attribute."""
    if task.table != "activities":
        return
    wrong = con.table(target).filter(f"starts_with(type, '{CHANGE}')").limit(1).project("type").fetchall()
    if wrong:
        raise DataError(
            f"activities.type: {task.origin.label}: the type {wrong[0][0]!r} begins with {CHANGE!r}, which stands for "
            "changes of attributes; give it another name with a query"
        )


def empty(con: Connection, table: str, target: str) -> None:
    """Make a canonical table without rows, for a source that lacks it."""
    columns = {name: casting.TYPES[kind_of(column)] for name, column in SCHEMAS[table].columns.items()}
    listed = ", ".join(f"CAST(NULL AS {type_}) AS {quote(name)}" for name, type_ in columns.items())
    con.execute(f"DROP TABLE IF EXISTS {target}")
    _shaped(table, con.sql("SELECT 1").project(listed)).limit(0).create(target)
