"""Rows as Python database drivers give them, as Arrow columns with one DuckDB type each."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

from predictive.sources.widening import decimal

ROWS = 20_000
"""Rows per batch: enough to be fast, few enough to be small."""
BIGGEST = 2**63


@dataclass(frozen=True)
class Batch:
    """Rows as an Arrow table, and the DuckDB type of each column; None where it holds no value at all."""

    rows: pa.Table
    types: dict[str, str | None]


def to_batch(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> Batch:
    """Columns of rows, each as what all of its values are, else as text.

    >>> to_batch(["id", "size", "seen"], [(1, 2, None), (2, 0.5, None)]).types
    {'id': 'BIGINT', 'size': 'DOUBLE', 'seen': None}
    """
    columns = [_column(list(values)) for values in zip(*rows, strict=True)]
    arrays = [array for array, _ in columns]
    return Batch(
        pa.Table.from_arrays(arrays, names=list(names)), dict(zip(names, (type_ for _, type_ in columns), strict=True))
    )


def _column(values: list[Any]) -> tuple[pa.Array, str | None]:
    kinds = {type(value) for value in values} - {type(None)}
    if not kinds:
        return pa.nulls(len(values), pa.string()), None
    if kinds <= {bool}:
        return pa.array(values, pa.bool_()), "BOOLEAN"
    if kinds <= {int, bool, Decimal, float}:
        return _numbers(values, kinds)
    if kinds <= {bytes, bytearray, memoryview}:
        return pa.array([None if v is None else bytes(v) for v in values], pa.binary()), "BLOB"
    if all(issubclass(kind, date) for kind in kinds):
        return _times(values, kinds)
    if kinds <= {list, tuple} and not any(isinstance(item, dict | list) for v in values if v is not None for item in v):
        return pa.array(
            [None if v is None else [_text(x) for x in v] for v in values], pa.list_(pa.string())
        ), "VARCHAR[]"
    return _mapped(values, _text), "VARCHAR"


def _numbers(values: list[Any], kinds: set[type]) -> tuple[pa.Array, str]:
    """Whole numbers as BIGINT, exact ones as a DECIMAL that holds all, others as DOUBLE; a Decimal NaN is missing."""
    if float in kinds:
        return _mapped(values, float, pa.float64()), "DOUBLE"
    if Decimal not in kinds and all(v is None or -BIGGEST <= v < BIGGEST for v in values):
        return _mapped(values, int, pa.int64()), "BIGINT"
    exact = [None if v is None or Decimal(v).is_nan() else Decimal(v) for v in values]
    held = [v.as_tuple() for v in exact if v is not None]
    powers = [t.exponent for t in held if isinstance(t.exponent, int)]
    if len(powers) == len(held):
        scale = max((-p for p in powers), default=0)
        digits = max((len(t.digits) + p for t, p in zip(held, powers, strict=True)), default=0)
        type_ = decimal(max(digits, 0), max(scale, 0))
        if type_ != "DOUBLE":
            return pa.array(exact, pa.decimal128(max(digits, 0) + max(scale, 0) or 1, max(scale, 0))), type_
    return _mapped(exact, float, pa.float64()), "DOUBLE"


def _times(values: list[Any], kinds: set[type]) -> tuple[pa.Array, str]:
    """Days, times without a zone, times in UTC; as text where a column has both with and without a zone."""
    if kinds == {date}:
        return pa.array(values, pa.date32()), "DATE"
    zoned = {v.tzinfo is not None for v in values if isinstance(v, datetime)}
    if zoned == {True} and date not in kinds:
        return _mapped(values, lambda v: v.astimezone(UTC), pa.timestamp("us", "UTC")), "TIMESTAMP WITH TIME ZONE"
    if zoned == {False}:
        return _mapped(values, _midnight, pa.timestamp("us")), "TIMESTAMP"
    return _mapped(values, _text), "VARCHAR"


def _midnight(value: date) -> datetime:
    return value if isinstance(value, datetime) else datetime.combine(value, datetime.min.time())


def _text(value: Any) -> str | None:
    """A value as text: whole numbers without ``.0``, what is nested as JSON."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, date):
        return value.isoformat()
    return str(value).lower() if isinstance(value, bool) else str(value)


def _mapped(values: list[Any], change: Callable[[Any], Any], type_: Any = None) -> pa.Array:
    return pa.array([None if v is None else change(v) for v in values], pa.string() if type_ is None else type_)
