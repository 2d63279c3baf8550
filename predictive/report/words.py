"""Numbers, dates and lengths of time as people read them. A dash stands for what is not known."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from predictive.clock import from_micros

NOT_KNOWN = "–"
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
GAP = "\u00a0"
"""A space that no line breaks at."""


def count(value: float | None) -> str:
    """A count, with thousands separated.

    >>> count(1234), count(0), count(None)
    ('1,234', '0', '–')
    """
    return NOT_KNOWN if value is None else f"{value:,.0f}"


def expected(value: float | None) -> str:
    """A count that is a sum of probabilities: one decimal while it is small.

    >>> expected(0.04), expected(3.21), expected(61.4)
    ('0.04', '3.2', '61')
    """
    if value is None:
        return NOT_KNOWN
    return f"{value:,.0f}" if value >= 10 or value == 0 else f"{value:.1f}" if value >= 0.1 else f"{value:.2g}"


def percent(share: float | None) -> str:
    """A share of 1 as a percentage: one decimal below 10 % and above 99 %, else none.

    >>> [percent(x).replace(GAP, " ") for x in (0.032, 0.14, 0.9961, 0.0002, 0.0, 1.0)]
    ['3.2 %', '14 %', '99.6 %', '0.02 %', '0 %', '100 %']
    """
    if share is None:
        return NOT_KNOWN
    return f"{_hundredths(share, _decimals(share))}{GAP}%"


def percent_range(low: float | None, high: float | None) -> str:
    """An interval of shares, both ends with the same decimals.

    >>> percent_range(0.153, 0.24).replace(GAP, " "), percent_range(0.066, 0.124).replace(GAP, " ")
    ('15–24 %', '6.6–12.4 %')
    """
    if low is None or high is None:
        return NOT_KNOWN
    places = 1 if low < 0.1 else 0
    return f"{_hundredths(low, places)}–{_hundredths(high, places)}{GAP}%"


def number(value: float | None, places: int = 2) -> str:
    """A number with so many decimals, and a true minus sign.

    >>> number(-0.126, 3), number(None)
    ('−0.126', '–')
    """
    return NOT_KNOWN if value is None else f"{value:,.{places}f}".replace("-", "−")


def number_range(low: float | None, high: float | None, places: int = 2, *, versus: float | None = None) -> str:
    """An interval, with as many more decimals as it takes to show on which side of `versus` its ends are.

    >>> number_range(0.8, 0.999, versus=1), number_range(0.8, 1.04, versus=1)
    ('0.800–0.999', '0.80–1.04')
    """
    if low is None or high is None:
        return NOT_KNOWN
    while versus is not None and places < 6 and any(_hides_side(end, versus, places) for end in (low, high)):
        places += 1
    return f"{number(low, places)}–{number(high, places)}"


def factor(log_odds: float, places: int = 1) -> str:
    """What a part of the log-odds does to the odds.

    >>> factor(0.81), factor(-0.33), factor(0.2, places=2)
    ('×2.2', '÷1.4', '×1.22')
    """
    size = math.exp(min(abs(log_odds), 700.0))
    return f"{'÷' if log_odds < 0 else '×'}{size:,.{places if size < 100 else 0}f}"


def day(at: datetime, zone: str) -> str:
    """A date in a time zone.

    >>> day(datetime.fromisoformat("2026-06-30T22:30+00:00"), "Europe/Madrid").replace(GAP, " ")
    '1 July 2026'
    """
    local = at.astimezone(ZoneInfo(zone))
    return f"{local.day}{GAP}{MONTHS[local.month - 1]}{GAP}{local.year}"


def moment(at: datetime, zone: str) -> str:
    """A date with the time of day.

    >>> moment(datetime.fromisoformat("2026-06-30T22:30+00:00"), "UTC").replace(GAP, " ")
    '30 June 2026, 22:30'
    """
    return f"{day(at, zone)}, {at.astimezone(ZoneInfo(zone)):%H:%M}"


def duration(micros: int) -> str:
    """A length of time in days, hours or minutes.

    >>> duration(90 * 86_400_000_000), duration(3_600_000_000)
    ('90 days', '1 hour')
    """
    length = from_micros(micros) - from_micros(0)
    for unit, name in ((timedelta(days=1), "day"), (timedelta(hours=1), "hour")):
        if length % unit == timedelta(0):
            return many(length // unit, name)
    return many(length // timedelta(minutes=1), "minute")


def many(value: int, noun: str) -> str:
    """A count with its noun, which takes an s in the plural.

    >>> many(1, "close"), many(1200, "close")
    ('1 close', '1,200 closes')
    """
    return f"{value:,} {noun}{'' if value == 1 else 's'}"


def _decimals(share: float) -> int:
    size = abs(share)
    if size in (0, 1) or 0.0995 <= size <= 0.99:
        return 0
    return 1 if size >= 0.0005 else 2 if size >= 0.00005 else 3


def _hundredths(share: float, places: int) -> str:
    return f"{100 * share:,.{places}f}".replace("-", "−")


def _hides_side(end: float, versus: float, places: int) -> bool:
    return end != versus and round(end, places) == round(versus, places)
