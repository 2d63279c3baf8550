"""Raw tables under the names that the queries know: every one a view, every column text, none missing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from predictive.derive import DERIVED
from predictive.errors import DataError, nearest
from predictive.sources.casting import as_text, family
from predictive.sources.crm.raw import RawTable, words
from predictive.sources.crm.spec import Spec
from predictive.sources.origin import Connection, quote
from predictive.tables import SCHEMAS, Note

OWN = ("deleted", "earlier", "survivor", "left_out", "remark")
"""Columns that the queries add to records."""


@dataclass(frozen=True)
class Landed:
    """What was found: the columns per raw table as queries name them, and notes on tables that are not read.

    `taken` are names that no attribute may have, per canonical table, since they mean something else here.
    """

    columns: dict[str, frozenset[str]]
    taken: dict[str, frozenset[str]]
    notes: tuple[Note, ...]


def land(con: Connection, spec: Spec, raw: Sequence[RawTable], where: str, *, schema: str | None = None) -> Landed:
    """Make a view of each raw table that the queries of `spec` read, empty where there is none.

    `where` they were looked for is for messages. `schema` is the one to look in, None for the one that has most.
    Raises :class:`~predictive.errors.DataError` when there is nothing to make contacts or deals of.
    """
    found, notes = _recognise(spec, raw, _schema(spec, raw, where) if schema is None else _named(schema, raw, where))
    for canonical, names in spec.required.items():
        if not found.keys() & set(names):
            raise DataError(_absent(spec, canonical, raw, where))
    found = {name: _here(spec, name, table) for name, table in found.items()}
    taken = _taken(spec, found)
    columns = {name: _columns(spec, name, table, taken) for name, table in found.items()}
    for name, expected in spec.tables.items():
        _view(con, name, expected, columns.get(name, {}), found.get(name))
    missing = [name for name in spec.tables if name not in found]
    if missing:
        said = f"tables of {spec.product} that are not there, so that nothing is known of them: {', '.join(missing)}"
        notes.append(Note("source", said, len(missing)))
    return Landed({name: frozenset(named) for name, named in columns.items()}, taken, tuple(notes))


def _named(schema: str, raw: Sequence[RawTable], where: str) -> str:
    """The schema of the configuration, if there is such a one."""
    schemas = {table.schema for table in raw} - {""}
    if schema not in schemas:
        raise DataError(
            f"source.schema: {where.partition(' ')[2]} has no schema {schema!r}; {nearest(schema, schemas)}"
        )
    return schema


def _schema(spec: Spec, raw: Sequence[RawTable], where: str) -> str:
    """The schema that has most of the tables that queries read."""
    named = [(_name(spec, table.name), table) for table in raw]
    scores = {schema: _score(spec, named, schema) for schema in sorted({table.schema for table in raw})}
    most = [schema for schema, score in scores.items() if score == max(scores.values())]
    if len(most) > 1 and scores[most[0]]:
        raise DataError(
            f"{where}: the schemas {' and '.join(most)} hold equally many tables of {spec.product}; name one: "
            f"schema: {most[0]}"
        )
    return most[0] if most else ""


def _recognise(spec: Spec, raw: Sequence[RawTable], schema: str) -> tuple[dict[str, RawTable], list[Note]]:
    """The raw tables of a schema that queries read, and notes on all others."""
    named = [(_name(spec, table.name), table) for table in raw]
    found: dict[str, RawTable] = {}
    unknown, unused, doubled, elsewhere = [], [], [], []
    for name, table in named:
        if table.schema != schema:
            elsewhere.append(table.label)
        elif not spec.is_known(name):
            unknown.append(table.label)
        elif not spec.is_needed(name):
            unused.append(table.label)
        elif name in found:
            doubled.append(f"{table.label} (beside {found[name].label})")
        else:
            found[name] = table
    said = {
        f"not tables of {spec.product} that are known here, not read": unknown,
        "known, but nothing in them is needed": unused,
        "not read, since another holds the same table": doubled,
        f"not read, since the tables of {spec.product} are those of the schema {schema}": elsewhere,
    }
    notes = [note for table in found.values() for note in table.notes]
    notes += [Note("source", f"{why}: {', '.join(names)}", len(names)) for why, names in said.items() if names]
    return found, notes


def _score(spec: Spec, named: Iterable[tuple[str, RawTable]], schema: str) -> int:
    return sum(table.schema == schema and spec.is_needed(name) for name, table in named)


def _name(spec: Spec, name: str) -> str:
    """The name without what people and loaders put around it: `sf_lead_data` is `lead`."""
    bare = name.removesuffix("_data")
    for prefix in ("", "sf_", "salesforce_", "hubspot_", "stg_"):
        if bare.startswith(prefix) and spec.is_known(bare.removeprefix(prefix)):
            return bare.removeprefix(prefix)
    return name


def _here(spec: Spec, name: str, table: RawTable) -> RawTable:
    """The table itself; one that lies elsewhere, fetched."""
    if table.fetch is None:
        return table
    return replace(table, rows=table.fetch(lambda column: spec.is_read(name, column_name(spec, column))))


def _absent(spec: Spec, canonical: str, raw: Sequence[RawTable], where: str) -> str:
    names = spec.required[canonical]
    shown = ", ".join(table.label for table in raw[:12]) + (", …" if len(raw) > 12 else "")
    if where.startswith("source.url"):
        expected = f"a table {' or '.join(names)} in one of its schemas"
    else:
        files = " or ".join(f"{name} ({name}.csv, {name}_data.csv, {name}.parquet)" for name in names)
        expected = f"a table {files}, or {spec.product}'s own CSV export of them"
    return f"{where}: no {canonical} of {spec.product}: expected {expected}; found: {shown or 'no table at all'}"


def _view(con: Connection, name: str, expected: Sequence[str], columns: dict[str, str], table: RawTable | None) -> None:
    """The view of one table, with its columns in the names that queries know, and the expected ones that it lacks."""
    types = {} if table is None else dict(zip(table.rows.columns, map(str, table.rows.types), strict=True))
    chosen = [f"{_text(theirs, types[theirs])} AS {quote(ours)}" for ours, theirs in columns.items()]
    chosen += [f"CAST(NULL AS VARCHAR) AS {quote(column)}" for column in expected if column not in columns]
    rows = con.sql("SELECT 1").limit(0) if table is None else table.rows
    rows.project(", ".join(chosen)).create_view(name)


def _text(column: str, type_: str) -> str:
    """SQL for a value as text; blank is NULL."""
    text = as_text(quote(column), family(type_))
    return f"CASE WHEN trim({text}) <> '' THEN {text} END"


def _taken(spec: Spec, found: dict[str, RawTable]) -> dict[str, frozenset[str]]:
    """The names that the canonical tables, and features of accounts, keep for themselves."""
    accounts = {
        column_name(spec, c) for name in spec.records["accounts"] if name in found for c in found[name].rows.columns
    }
    accounts |= {*SCHEMAS["accounts"].columns, *(d.name for d in DERIVED if d.of == "accounts")}
    own = {"contacts": {"as_of", *(f"account_{name}" for name in accounts)}, "accounts": set[str]()}
    taken = {}
    for canonical, names in own.items():
        read = {column for table in spec.records[canonical] for column in spec.tables[table]}
        taken[canonical] = frozenset({*SCHEMAS[canonical].columns, *OWN, *names} - read)
    return taken


def attribute(name: str, taken: AbstractSet[str]) -> str:
    """The name of an attribute here: its own, unless that is taken.

    >>> attribute("source", {"source"}), attribute("region", {"source"})
    ('source_property', 'region')
    """
    return f"{name}_property" if name in taken else name


def _columns(spec: Spec, table: str, raw: RawTable, taken: dict[str, frozenset[str]]) -> dict[str, str]:
    """The name of each column here, and at the source; of two that would be called alike, the first keeps the name."""
    record = next((canonical for canonical, tables in spec.records.items() if table in tables), None)
    columns: dict[str, str] = {}
    for theirs in raw.rows.columns:
        ours = attribute(column_name(spec, theirs), taken[record] if record is not None else frozenset())
        while ours in columns:
            ours += "_2"
        columns[ours] = theirs
    return columns


def column_name(spec: Spec, name: str) -> str:
    """The name of a column as queries know it.

    >>> from predictive.sources.crm.spec import load
    >>> column_name(load("hubspot"), "property_jobtitle"), column_name(load("salesforce"), "IsDeleted")
    ('jobtitle', 'is_deleted')
    """
    lower = name.lower()
    if lower.startswith("_fivetran"):
        return lower
    for prefix in spec.strips:
        if lower.startswith(prefix):
            return lower.removeprefix(prefix)
    return lower if spec.strips else words(name)
