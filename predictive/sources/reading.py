"""One table's rows as read: mapped, typed, attributes included. Materialising and diagnosing both start from here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from predictive.sources import casting
from predictive.sources.attributes import kinds_of
from predictive.sources.mapping import Column
from predictive.sources.origin import Origin, Relation, first, quote
from predictive.tables import Kind, Note


@dataclass(frozen=True)
class Task:
    """What it takes to read one canonical table: its rows, their mapping, and the zone of times without an offset.

    `extra` are SQL expressions over the source's columns, by name, that are carried along as they are.
    """

    table: str
    origin: Origin
    columns: tuple[Column, ...]
    missing: tuple[str, ...]
    zone: str
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Read:
    """Rows with each column read (NULL where that failed) beside its raw form, and what each column holds."""

    rows: Relation
    kinds: dict[str, Kind]
    notes: tuple[Note, ...]


def read_rows(task: Task, *, numbered: bool) -> Read:
    """Read the rows of a table, numbered as ``::row`` if asked (which makes DuckDB read one after another)."""
    raw = casting.raw(task.origin.rows, task.columns, task.missing, numbered=numbered, extra=task.extra)
    further = [c for c in task.columns if c.is_attribute]
    attributes, notes = kinds_of(task.table, raw, further, untyped=task.origin.untyped)
    kinds = {c.name: c.kind for c in task.columns if c.kind is not None} | attributes
    return Read(casting.read(raw, kinds, task.zone), kinds, (*notes, *_rounded(task.table, raw, kinds)))


def _rounded(table: str, raw: Relation, kinds: dict[str, Kind]) -> tuple[Note, ...]:
    """Notes on exact numbers that are no double: which columns, and how many values."""
    types = dict(zip(raw.columns, map(str, raw.types), strict=True))
    tests = {
        name: test
        for name, kind in kinds.items()
        if kind == "number" and (test := casting.inexact(quote(f"{name}::raw"), types[f"{name}::raw"])) is not None
    }
    if not tests:
        return ()
    counts = first(raw.aggregate(", ".join(f"count(*) FILTER ({test})" for test in tests.values())))
    return tuple(
        Note(
            f"{table}.{name}",
            f"{count:,} value{'s have' if count > 1 else ' has'} more digits than a double: rounded to the nearest",
            count,
        )
        for name, count in zip(tests, counts, strict=True)
        if count
    )


def bad(column: Column) -> dict[str, str]:
    """SQL conditions under which a value of a read column is not allowed, by what is wrong with it."""
    name, raw = quote(column.name), quote(f"{column.name}::raw")
    found = {"kind": f"{raw} IS NOT NULL AND {name} IS NULL"}
    if not column.nullable:
        found["missing"] = f"{raw} IS NULL"
    if column.choices:
        listed = ", ".join(f"'{choice}'" for choice in column.choices)
        found["choice"] = f"{name} NOT IN ({listed})"
    return found
