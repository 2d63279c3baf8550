"""Spark tables as the canonical ones: mapped as any source is, read where they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pyspark.errors import PySparkException
from pyspark.sql import functions as F  # noqa: N812 - the name that all of Spark's documentation uses
from pyspark.sql import types as T  # noqa: N812 - likewise

from predictive.config import Config, SparkSource, TableSource
from predictive.errors import DataError
from predictive.features.anywhere import canonical
from predictive.sources.integrity import UNKNOWN_ACTIVITIES
from predictive.sources.mapping import Column, map_columns
from predictive.sources.materialise import KEYS
from predictive.tables import Note, Tables

ALLOWED: Mapping[str, tuple[str, ...]] = {
    "text": ("text", "number", "boolean", "time", "list"),
    "number": ("number",),
    "boolean": ("boolean", "number"),
    "time": ("time",),
}
"""Per kind of a canonical column what the table may hold."""


def read_tables(config: Config, session: Any) -> Tables:
    """The configured tables, lazily; keys and required columns are looked at, which reads the tables once.

    Raises :class:`~predictive.errors.DataError` with every problem: tables that are not there, columns, types, missing
    values and keys that are not their own.
    """
    if not isinstance(config.source, SparkSource):
        raise TypeError(f"a source of kind {config.source.kind} is not read by Spark")
    frames: dict[str, Any] = {}
    columns: dict[str, Sequence[Column]] = {}
    notes: list[Note] = []
    problems: list[str] = []
    for table, spec in config.source.tables.items():
        try:
            rows = _rows(session, table, spec)
            mapping = map_columns(table, spec, rows.columns)
            frames[table], columns[table], unused = _read(table, spec, rows, mapping.columns)
            notes += [*mapping.notes, *unused]
            problems += _check(table, frames[table], columns[table])
        except DataError as error:
            problems.append(str(error))
    if problems:
        raise DataError("\n".join(problems))
    if "activities" in frames:
        frames["activities"], said = _of_contacts(frames["activities"], frames["contacts"])
        notes += said
    return replace(canonical(frames, config.timezone), notes=tuple(notes))


def _rows(session: Any, table: str, spec: TableSource) -> Any:
    try:
        if spec.file is not None:
            return session.read.parquet(spec.file)
        return session.table(spec.table) if spec.table is not None else session.sql(spec.query)
    except PySparkException as error:
        said = str(error).splitlines()[0]
        raise DataError(f"source.tables.{table}: Spark cannot read it: {said}") from None


def _read(
    table: str, spec: TableSource, rows: Any, columns: Sequence[Column]
) -> tuple[Any, list[Column], tuple[Note, ...]]:
    """The columns that something fills, as their kinds; texts that mean "not known" and NaN are missing."""
    held = {field.name: family(field.dataType) for field in rows.schema}
    kept, problems, notes = [], [], []
    for column in columns:
        kind = None if column.theirs is None else held[column.theirs]
        if column.theirs is None and column.constant is None:
            continue
        if kind is not None and column.is_attribute and kind == "nested":
            notes.append(Note(f"{table}.{column.name}", "not used: its values are no single values", 1))
        elif kind is not None and column.kind is not None and kind not in ALLOWED[column.kind]:
            problems.append(
                f"{table}.{column.label}: found a column of {kind}, needed {' or '.join(ALLOWED[column.kind])}; "
                "convert it in a query"
            )
        else:
            kept.append(column)
    if problems:
        raise DataError("\n".join(problems))
    chosen = [_value(c, held.get(c.theirs or ""), rows, spec.missing).alias(c.name) for c in kept]
    return rows.select(*chosen), kept, tuple(notes)


def family(type_: Any) -> str:
    """What a Spark type holds: a kind, `list`, or `nested` for what is no value.

    >>> family(T.DecimalType(9, 2)), family(T.DateType()), family(T.ArrayType(T.StringType()))
    ('number', 'time', 'list')
    """
    kinds: tuple[tuple[str, tuple[type, ...]], ...] = (
        ("number", (T.NumericType,)),
        ("boolean", (T.BooleanType,)),
        ("time", (T.DateType, T.TimestampType, T.TimestampNTZType)),
        ("list", (T.ArrayType,)),
        ("text", (T.StringType, T.CharType, T.VarcharType, T.NullType)),
    )
    return next((kind for kind, types in kinds if isinstance(type_, types)), "nested")


def _value(column: Column, held: str | None, rows: Any, missing: Sequence[str]) -> Any:
    if column.theirs is None:
        return F.lit(column.constant)
    name = column.theirs.replace("`", "``")
    value = F.col(f"`{name}`")
    if held == "list":
        return F.array_join(value.cast("array<string>"), ";")
    if isinstance(rows.schema[column.theirs].dataType, (T.FloatType, T.DoubleType)):
        value = F.when(~F.isnan(value), value)
    if held == "text" or missing:
        value = F.when(~F.trim(value.cast("string")).isin("", *missing), value)
    if held == "number" and column.kind == "text":
        whole = (value == F.floor(value)) & (F.abs(value) < 1e15)
        return F.when(whole, value.cast("bigint").cast("string")).otherwise(value.cast("string"))
    return value


def _check(table: str, frame: Any, columns: Sequence[Column]) -> list[str]:
    """What is wrong with the values: missing ones, those that are not allowed, and keys that stand there twice."""
    tests = {c.label: F.col(c.name).isNull() for c in columns if not c.nullable}
    tests |= {
        f"{c.label} (allowed: {', '.join(c.choices)})": F.col(c.name).isNotNull() & ~F.col(c.name).isin(*c.choices)
        for c in columns
        if c.choices
    }
    counts = frame.select(F.count(F.lit(1)), *(F.count_if(test) for test in tests.values())).first()
    problems = [
        f"{table}.{label}: {count:,} rows have no value that is allowed; convert them in a query, or leave them out"
        for label, count in zip(tests, counts[1:], strict=True)
        if count
    ]
    if table == "contacts" and not counts[0]:
        problems.append("contacts: the table has no rows; at least one contact is needed")
    key = [name for name in KEYS.get(table, "").split(", ") if name in frame.columns]
    twice = frame.groupBy(*key).count().where("count > 1").orderBy(*key).first() if key else None
    if twice is not None:
        shown = ", ".join(f"{name} {twice[name]}" for name in key)
        problems.append(f"{table}: {twice['count']:,} rows have {shown}; each must have its own, see to it in a query")
    return problems


def _of_contacts(activities: Any, contacts: Any) -> tuple[Any, list[Note]]:
    """The activities of contacts that are there, and a note on the others."""
    ids = contacts.select("contact_id")
    kept = activities.join(ids, "contact_id", "left_semi")
    others = activities.join(ids, "contact_id", "left_anti").select(F.col("contact_id").cast("string"))
    count = others.count()
    if not count:
        return kept, []
    text = f"{count:,} row{'s' if count > 1 else ''} {UNKNOWN_ACTIVITIES.text}"
    examples = others.distinct().orderBy("contact_id").limit(5).collect()
    return kept, [Note("activities", text, count, tuple(row[0] for row in examples))]
