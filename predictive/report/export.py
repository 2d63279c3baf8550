"""The numbers of the report as data: one JSON object, and a CSV file per table in it."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from typing import Any

from predictive.clock import format_duration
from predictive.report.summary import Summary
from predictive.spreadsheet import safe

PAIR = ("worked", "found")
"""The columns of a curve, which the summary holds as pairs."""


def as_json(summary: Summary) -> dict[str, Any]:
    """The summary as plain values: fields and what is computed of them; times as ISO text, what is undefined as None.

    The same keys in the same order whatever the numbers are, so that another program can rely on them.
    """
    return dict(_plain(summary))


def as_csv(summary: Summary) -> dict[str, str]:
    """Per table of the summary its name and its rows as CSV, texts guarded so that no spreadsheet runs them."""
    return {name: _csv(rows) for name, rows in _tables(as_json(summary), "")}


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        computed = [name for name, member in vars(type(value)).items() if isinstance(member, property)]
        return {name: _plain(getattr(value, name)) for name in (*(f.name for f in fields(value)), *computed)}
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _tables(value: Any, name: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Every list of objects below a value is a table, and so is every object of objects with the same keys."""
    if isinstance(value, list):
        if value and all(isinstance(row, dict) for row in value):
            yield name, [_row(row) for row in value]
        elif value and all(isinstance(row, list) and len(row) == len(PAIR) for row in value):
            yield name, [dict(zip(PAIR, row, strict=True)) for row in value]
        return
    if not isinstance(value, dict):
        return
    inner = list(value.values())
    if inner and all(isinstance(row, dict) and row.keys() == inner[0].keys() for row in inner):
        keyed = [_row(row) if "name" in row else {"name": key, **_row(row)} for key, row in value.items()]
        yield name, keyed
        return
    for key, below in value.items():
        yield from _tables(below, f"{name}_{key}" if name else key)


def _row(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """An object as one row: objects in it become columns with dotted names, lists become JSON."""
    found: dict[str, Any] = {}
    for key, inner in value.items():
        if isinstance(inner, dict):
            found |= _row(inner, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = json.dumps(inner, ensure_ascii=False) if isinstance(inner, list) else inner
    return found


def _csv(rows: list[dict[str, Any]]) -> str:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([safe(name) for name in columns])
    writer.writerows([safe(row.get(name)) for name in columns] for row in rows)
    return out.getvalue()
