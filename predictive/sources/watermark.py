"""The mark of a row, which tells what is new at the source, and the point from which to fetch."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from predictive.clock import from_micros, instant
from predictive.config import Incremental
from predictive.errors import DataError
from predictive.sources.casting import family
from predictive.sources.origin import Relation, Since, first, quote

MARK = "::mark"


def type_of(rows: Relation) -> str:
    """The DuckDB type of the mark."""
    return str(rows.types[rows.columns.index(MARK)])


def watermark(kept: Relation, chosen: Incremental, *, now: int) -> Since | None:
    """The point from which to fetch, for rows that were `kept`: the newest mark less the overlap.

    A mark after `now` (microseconds) does not move it. None if no row has a mark. Raises
    :class:`~predictive.errors.DataError` where the column or the overlap cannot tell what is new.
    """
    held, mark = family(type_of(kept)), quote(MARK)
    if held == "number":
        (newest,) = first(kept.aggregate(f"max({mark}) FILTER (isfinite(CAST({mark} AS DOUBLE)))"))
        return None if newest is None else Since(chosen.column, int(newest) - _number(chosen))
    if held == "text":
        wrong, newest = first(
            kept.aggregate(f"min({mark}) FILTER (TRY_CAST({mark}[:10] AS DATE) IS NULL), max({mark}[:10])")
        )
        if wrong is not None:
            raise DataError(
                f"source.tables.activities.incremental.column: {chosen.column} is text that does not begin with a date "
                f"such as 2026-11-22, so nobody can say what is new; convert it in a query"
            )
        # Dates of texts are local, each to its own offset: a day more covers all of them.
        low = (
            _before(instant(date.fromisoformat(newest), "UTC"), chosen, now) - timedelta(days=1)
            if newest is not None
            else None
        )
        return None if low is None else Since(chosen.column, f"{low:%Y-%m-%d}")
    (newest,) = first(kept.aggregate(f"epoch_us(max({mark}) FILTER (isfinite({mark})))"))
    if newest is None:
        return None
    low = _before(newest, chosen, now)
    return Since(chosen.column, low if held == "zoned" else low.replace(tzinfo=None))


def _before(newest: int, chosen: Incremental, now: int) -> datetime:
    """The newest mark (or now) less the overlap, at a whole second, which every database can compare with."""
    if isinstance(chosen.overlap, int):
        raise DataError(
            f"source.tables.activities.incremental.overlap: {chosen.column} holds times; write a length such as 3d"
        )
    return (from_micros(min(newest, now)) - chosen.overlap).replace(microsecond=0)


def _number(chosen: Incremental) -> int:
    if isinstance(chosen.overlap, int):
        return chosen.overlap
    raise DataError(
        f"source.tables.activities.incremental.overlap: {chosen.column} holds numbers; write how many of them to read "
        f"again, such as 100000"
    )


def mark_of(column: str, type_: str) -> str:
    """SQL for the mark of a row, in a type that stays the same from night to night."""
    held, value = family(type_), quote(column)
    if held == "number" and type_ not in ("FLOAT", "DOUBLE"):
        return f"CAST({value} AS DECIMAL(38, 6))"
    if held == "time":
        return f"CAST({value} AS TIMESTAMP)"
    return value if held in ("number", "zoned") else f"CAST({value} AS VARCHAR)"


def condition(since: Since) -> str:
    """The SQL condition of `since` on the store, with one parameter."""
    mark = f'"{MARK}"[:10]' if isinstance(since.low, str) else f'"{MARK}"'
    return f'({mark} >= ? OR "{MARK}" IS NULL)'
