"""Clocks of a time zone in SQL, by Python's own time zone data.

DuckDB has its own copy of the data, and copies differ whenever a country changes its mind. As-ofs are computed in
Python (:mod:`predictive.clock`), so the times that they are compared with follow the same copy.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from predictive.clock import to_micros

FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2050, 1, 1, tzinfo=UTC)
"""Changes of the clock are known between these; before and after, the nearest offset holds."""
STEP = timedelta(days=1)


@cache
def offsets(zone: str) -> tuple[tuple[int, int], ...]:
    """The offsets of a zone, each with the time on its clock from which it holds; both in microseconds.

    Each clock time is taken as Python takes it with ``fold=0``: of an hour shown twice the first, and an hour that is
    skipped counts from the offset before it.

    >>> [offset // 60_000_000 for _, offset in offsets("Asia/Kolkata")][-1]
    330
    """
    here = ZoneInfo(zone)
    before = _offset(FIRST, here)
    found = [(to_micros(FIRST), before // timedelta(microseconds=1))]
    at = FIRST
    while at < LAST:
        after = _offset(at + STEP, here)
        if after != before:
            start = _moment(at, at + STEP, here) + max(before, after)
            found.append((to_micros(start), after // timedelta(microseconds=1)))
            before = after
        at += STEP
    return tuple(found)


def _offset(at: datetime, zone: ZoneInfo) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta(0)


def _moment(low: datetime, high: datetime, zone: ZoneInfo) -> datetime:
    """The second in (low, high] from which the offset of `high` holds."""
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) // timedelta(seconds=2) * timedelta(seconds=1)
        if _offset(middle, zone) == _offset(high, zone):
            high = middle
        else:
            low = middle
    return high


def to_utc(clock: str, zone: str) -> str:
    """SQL that turns microseconds on the clock of `zone` into microseconds UTC; `clock` is the SQL of a column.

    >>> to_utc("t", "UTC")
    't - 0'
    """
    return f"{clock} - {_search(clock, offsets(zone))}"


def _search(clock: str, known: Sequence[tuple[int, int]]) -> str:
    """SQL that finds the offset in force by halving: a handful of comparisons, not one per change of the clock."""
    if len(known) == 1:
        return str(known[0][1])
    middle = len(known) // 2
    earlier, later = _search(clock, known[:middle]), _search(clock, known[middle:])
    return f"CASE WHEN {clock} < {known[middle][0]} THEN {earlier} ELSE {later} END"
