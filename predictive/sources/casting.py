"""Strict reading of values as text, numbers, booleans and times, in DuckDB SQL.

Nothing is guessed: a value that is not plainly of its kind becomes NULL here, beside its raw form, and whoever asked
for it decides whether that is an error. Three steps, each a relation over the one before: raw columns (``x::raw``, as
at the source, missing texts already NULL), read ones (``x``; a time still local, beside its ``x::offset``), and times
in UTC.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import duckdb

from predictive.sources.mapping import Column
from predictive.sources.origin import Relation, quote
from predictive.sources.zones import to_utc
from predictive.tables import Kind

TYPES: dict[Kind, str] = {"text": "VARCHAR", "number": "DOUBLE", "boolean": "BOOLEAN", "time": "BIGINT"}
ALLOWED: dict[Kind, str] = {
    "text": "any text",
    "number": "a finite number such as 1234.5, without unit or thousands separator",
    "boolean": "true or false, yes or no, 1 or 0",
    "time": "an ISO 8601 date or time such as 2026-11-22, 2026-11-22 08:00:00 or 2026-11-22T08:00:00+01:00"
    " (anything else: convert it in a query)",
}
DIGITS = 15
"""Decimal digits that every double keeps."""
NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
CODE = r"[+-]?0\d.*"
CLOCK = r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?"
TIME = rf"\d{{4}}-\d\d-\d\d([T ]{CLOCK}( ?(Z|UTC|[+-]([01]\d|2[0-3])(:?[0-5]\d)?))?)?"
FIRST, LAST = -62_135_510_400_000_000, 253_402_214_400_000_000
"""0001-01-02 and 9999-12-31, the times that Python can show in any zone."""


def family(type_: str) -> Kind | str:
    """What a DuckDB type holds: a kind, or `zoned` (a time with its zone), `list`, or `nested` for what is no value.

    >>> family("DECIMAL(9,2)"), family("TIMESTAMP_NS"), family("VARCHAR[]"), family("UUID")
    ('number', 'time', 'list', 'text')
    """
    if type_.endswith("]"):
        return "list"
    name = type_.split("(")[0]
    if name in ("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ"):
        return "zoned"
    if name == "DATE" or name.startswith("TIMESTAMP"):
        return "time"
    if name in ("FLOAT", "DOUBLE", "DECIMAL") or name.endswith(("INT", "INTEGER")):
        return "number"
    if name == "BOOLEAN":
        return "boolean"
    return "nested" if name.split()[0] in ("STRUCT", "MAP", "UNION", "BLOB", "BIT", "VARIANT", "GEOMETRY") else "text"


def raw(
    rows: Relation, columns: Sequence[Column], missing: Sequence[str], *, numbered: bool, extra: Mapping[str, str]
) -> Relation:
    """The columns as ``name::raw``, NULL where they hold a missing text, with the number of each row as ``::row``.

    `extra` are SQL expressions to carry along, by name.
    """
    types = dict(zip(rows.columns, map(str, rows.types), strict=True))
    chosen = [_raw(c, types.get(c.theirs or ""), missing).alias(f"{c.name}::raw") for c in columns]
    chosen += [duckdb.SQLExpression(value).alias(name) for name, value in extra.items()]
    if numbered:
        chosen.append(duckdb.SQLExpression("row_number() OVER ()").alias("::row"))
    return rows.select(*chosen)


def _raw(column: Column, type_: str | None, missing: Sequence[str]) -> duckdb.Expression:
    if column.theirs is None:
        value = duckdb.ConstantExpression(column.constant)
        return value.cast("VARCHAR") if column.constant is None else value
    name = quote(column.theirs)
    value = duckdb.SQLExpression(name)
    none = duckdb.SQLExpression("NULL")
    if type_ in ("FLOAT", "DOUBLE"):
        # Files written by pandas hold NaN where nothing is known.
        value = duckdb.CaseExpression(duckdb.SQLExpression(f"isnan({name})"), none).otherwise(value)
    as_text = duckdb.SQLExpression(f"trim(CAST({name} AS VARCHAR))")
    known = [duckdb.ConstantExpression(text) for text in ("", *missing)]
    return duckdb.CaseExpression(as_text.isin(*known), none).otherwise(value)


def read(rows: Relation, kinds: dict[str, Kind], zone: str) -> Relation:
    """Each raw column read as its kind, under its own name; a value that cannot be read is NULL.

    Times become int64 microseconds since the epoch, UTC; those without an offset are in `zone`.
    """
    types = dict(zip(rows.columns, map(str, rows.types), strict=True))
    local = ["*"]
    utc = [quote(name) for name in rows.columns]
    for name, kind in kinds.items():
        value, held = quote(f"{name}::raw"), family(types[f"{name}::raw"])
        if kind == "time":
            offset = quote(f"{name}::offset")
            at, known = as_clock(value, held)
            local += [f"{at} AS {quote(name)}", f"{known} AS {offset}"]
            here = quote(name)
            there = f"CASE WHEN {offset} IS NOT NULL THEN {here} - {offset} ELSE {to_utc(here, zone)} END"
            utc.append(f"CASE WHEN {here} BETWEEN {FIRST} AND {LAST} THEN {there} END AS {here}")
        else:
            local.append(f"{READERS[kind](value, held)} AS {quote(name)}")
            utc.append(quote(name))
    return rows.project(", ".join(local)).project(", ".join(utc))


def as_text(value: str, held: str) -> str:
    """SQL that writes a value as text: whole numbers without ``.0``, lists joined by semicolons."""
    if held == "list":
        return f"array_to_string(CAST({value} AS VARCHAR[]), ';')"
    if held != "number":
        return f"CAST({value} AS VARCHAR)"
    whole = f"{value} = trunc({value}) AND abs({value}) < 1e15"
    return f"CASE WHEN {whole} THEN CAST(CAST({value} AS BIGINT) AS VARCHAR) ELSE CAST({value} AS VARCHAR) END"


def as_number(value: str, held: str) -> str:
    """SQL that reads a value as a finite DOUBLE."""
    number = f"CAST({value} AS DOUBLE)"
    if held != "number":
        text = f"trim({as_text(value, held)})"
        number = f"CASE WHEN regexp_full_match({text}, '{NUMBER}') THEN TRY_CAST({text} AS DOUBLE) END"
    return f"CASE WHEN isfinite({number}) THEN {number} END"


def inexact(value: str, type_: str) -> str | None:
    """The SQL condition under which an exact number is no double; None for types whose numbers all are.

    >>> inexact("x", "DECIMAL(12,2)") is None
    True
    """
    if type_ in ("BIGINT", "UBIGINT"):
        return (
            f"abs(CAST({value} AS HUGEINT)) > 9007199254740992 AND CAST(CAST({value} AS DOUBLE) AS HUGEINT) <> {value}"
        )
    match = re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", type_)
    digits, scale = (39, 0) if match is None else (int(match[1]), int(match[2]))
    if digits <= DIGITS or (match is None and type_ != "HUGEINT"):
        return None
    written = [
        f"trim(regexp_replace(split_part(CAST({number} AS VARCHAR), 'e', 1), '[^0-9]', '', 'g'), '0')"
        for number in (value, f"CAST({value} AS DOUBLE)")
    ]
    # Up to 15 digits survive in any double; of more, the shortest text that gives the double shows whether they did.
    return f"abs(CAST({value} AS DOUBLE)) >= 1e{DIGITS - scale} AND {written[0]} <> {written[1]}"


def as_boolean(value: str, held: str) -> str:
    """SQL that reads a value as BOOLEAN."""
    if held == "boolean":
        return value
    text = f"lower(trim({as_text(value, held)}))"
    yes, no = "'true', 't', 'yes', 'y', '1'", "'false', 'f', 'no', 'n', '0'"
    return f"CASE WHEN {text} IN ({yes}) THEN true WHEN {text} IN ({no}) THEN false END"


READERS = {"text": as_text, "number": as_number, "boolean": as_boolean}


def as_clock(value: str, held: str) -> tuple[str, str]:
    """SQL for the microseconds that a time shows, and for its offset from UTC in microseconds, NULL if it has none."""
    if held == "zoned":
        return f"CASE WHEN isfinite({value}) THEN epoch_us({value}) END", "CAST(0 AS BIGINT)"
    if held == "time":
        stamp = f"CAST({value} AS TIMESTAMP)"
        return f"CASE WHEN isfinite({value}) THEN epoch_us({stamp}) END", "CAST(NULL AS BIGINT)"
    text = f"trim({as_text(value, held)})"
    stamp = f"TRY_CAST(regexp_extract({text}, '^.{{10}}([T ][0-9:.]+)?') AS TIMESTAMP)"
    offset = f"regexp_extract({text}, '^.{{10}}[T ][0-9:.]+ ?([-+ZU].*)$', 1)"
    hours, rest = f"TRY_CAST(substr({offset}, 2, 2) AS BIGINT)", f"TRY_CAST(ltrim(substr({offset}, 4), ':') AS BIGINT)"
    sign = f"CASE {offset}[1] WHEN '+' THEN 1 WHEN '-' THEN -1 WHEN 'Z' THEN 0 WHEN 'U' THEN 0 END"
    at = f"CASE WHEN regexp_full_match({text}, '{TIME}') THEN epoch_us({stamp}) END"
    return at, f"{sign} * 60000000 * (coalesce({hours}, 0) * 60 + coalesce({rest}, 0))"
