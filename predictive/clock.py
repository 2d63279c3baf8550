"""Time as the package keeps it: int64 microseconds since the epoch, UTC; and lengths of time as people write them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = 86_400_000_000
UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def parse_duration(value: object) -> timedelta:
    """Read a length of time such as ``90d``, ``12h``, ``30m`` or ``2w``.

    >>> parse_duration("2w")
    datetime.timedelta(days=14)
    """
    if isinstance(value, timedelta):
        return value
    match = re.fullmatch(r"([1-9]\d*)([mhdw])", value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{value!r} is not a length of time; write a whole number and a unit: 30m, 12h, 90d or 4w")
    return int(match[1]) * UNITS[match[2]]


def format_duration(value: timedelta) -> str:
    """Write a length of time as :func:`parse_duration` reads it, in the largest unit that divides it.

    >>> format_duration(timedelta(days=90))
    '90d'
    """
    for unit in ("d", "h"):
        if value % UNITS[unit] == timedelta(0):
            return f"{value // UNITS[unit]}{unit}"
    return f"{value // UNITS['m']}m"


def parse_instant(value: object) -> datetime | date:
    """Read a date or a time in ISO 8601, as YAML values or text; naive times stay naive.

    >>> parse_instant("2018-04-01")
    datetime.date(2018, 4, 1)
    """
    if isinstance(value, date):
        return value
    try:
        text = str(value)
        return date.fromisoformat(text) if len(text) <= 10 else datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{value!r} is not a date or time; write 2026-11-22 or 2026-11-22T08:00:00+01:00") from None


def to_micros(value: datetime) -> int:
    """Microseconds since 1970-01-01 UTC of an aware time, exactly.

    >>> to_micros(datetime(1970, 1, 2, tzinfo=UTC))
    86400000000
    """
    return (value - EPOCH) // timedelta(microseconds=1)


def from_micros(value: int) -> datetime:
    """The UTC time of microseconds since the epoch; the inverse of :func:`to_micros`."""
    return EPOCH + timedelta(microseconds=value)


def instant(value: datetime | date, timezone: str) -> int:
    """Microseconds since the epoch of a date or time; a naive one is in `timezone`, a date is its first midnight.

    >>> instant(date(1970, 1, 1), "Europe/Madrid")
    -3600000000
    """
    if not isinstance(value, datetime):
        value = datetime.combine(value, time())
    return to_micros(value if value.tzinfo is not None else value.replace(tzinfo=ZoneInfo(timezone)))


def last_midnight(now: int, timezone: str) -> int:
    """The latest midnight in `timezone` at or before `now`, both in microseconds.

    >>> last_midnight(instant(datetime(2026, 3, 29, 15), "Europe/Madrid"), "Europe/Madrid")
    1774738800000000
    """
    return instant(from_micros(now).astimezone(ZoneInfo(timezone)).date(), timezone)


def calendar(first: int, last: int, every: str, timezone: str) -> list[int]:
    """Every first midnight of a month (or Monday of a week) in `timezone` within [first, last], in microseconds."""
    day = from_micros(first).astimezone(ZoneInfo(timezone)).date()
    day = day.replace(day=1) if every == "month" else day - timedelta(days=day.weekday())
    found = []
    while (at := instant(day, timezone)) <= last:
        if at >= first:
            found.append(at)
        day = (day.replace(day=1) + timedelta(days=32)).replace(day=1) if every == "month" else day + timedelta(days=7)
    return found


def iso(at: int) -> str:
    """A UTC time for people and file names, without needless zeros.

    >>> iso(0)
    '1970-01-01T00:00:00Z'
    """
    return from_micros(at).isoformat().replace("+00:00", "Z")
