"""Bands of employees and revenue: few levels that people know, in place of numbers measured roughly."""

from __future__ import annotations

import math
import re
from bisect import bisect_left, bisect_right
from typing import Final

SIZES: Final = (
    "1", "2–10", "11–50", "51–200", "201–500", "501–1,000", "1,001–5,000", "5,001–10,000", "more than 10,000",
)  # fmt: skip
"""The bands of employees, as in LinkedIn's company pages, the smallest first."""

REVENUES: Final = (
    "under 1 million", "1–10 million", "10–50 million", "50–100 million", "100–500 million", "500 million–1 billion",
    "more than 1 billion",
)  # fmt: skip
"""The bands of yearly revenue, in whatever currency the column is; each has its lower end in it, not its upper."""

_LAST_OF = (1, 10, 50, 200, 500, 1_000, 5_000, 10_000)
_FIRST_OF = (1e6, 1e7, 5e7, 1e8, 5e8, 1e9)
_NUMBER = re.compile(r"(\d{1,3}(?:([.,' \u00a0\u202f])\d{3}(?:\2\d{3})*)(?!\d)|\d+(?:[.,]\d+)?) ?([km](?![a-z]))?")
_RANGE = re.compile(r"^(?:[-–—_]|to|a|do|bis|till?|y|and|até|hasta)$")
_MORE = re.compile(
    r"\+|>|\b(?:more than|over|above|at least|más de|mas de|mais de|powyżej|ponad|über|mehr als|plus de)\b"
)
_LESS = re.compile(r"<|\b(?:less than|under|below|fewer than|up to|menos de|hasta|até|poniżej|do|unter|bis|moins de)\b")
_ALONE = re.compile(r"^(?:self[- ]?employed|myself only)$")


def size_band(employees: float) -> str | None:
    """The band of a number of employees; None below one and for what is no number. Parts of a person are rounded up.

    >>> size_band(1), size_band(50), size_band(50.5), size_band(20_000), size_band(0)
    ('1', '11–50', '51–200', 'more than 10,000', None)
    """
    if not math.isfinite(employees) or employees <= 0:
        return None
    return SIZES[bisect_left(_LAST_OF, math.ceil(employees))]


def size_band_of_text(text: str) -> str | None:
    """The band of employees that a text names: a number, or a range, judged by its middle; None where it names none.

    The middle is the geometric one, so that ranges that are not these bands land in the band they mostly cover.
    "1,000+" is judged just above 1,000 and "< 50" just below 50.

    >>> [size_band_of_text(t) for t in ("11-50", "1,000+", "51 to 200 employees", "10k", "2.500", "many")]
    ['11–50', '1,001–5,000', '51–200', '5,001–10,000', '1,001–5,000', None]
    """
    plain = text[:100].casefold().strip()
    found = list(_NUMBER.finditer(plain))
    if not found and _ALONE.search(plain):
        return SIZES[0]
    if not 1 <= len(found) <= 2 or plain.startswith(("-", "−")):
        return None
    values = [_value(m[1], m[3], grouped=m[2] is not None) for m in found]
    if len(found) == 2:
        between = plain[found[0].end() : found[1].start()].strip()
        if _RANGE.match(between) is None or values[0] > values[1]:
            return None
        low = values[0] * (1000 if found[1][3] == "k" and found[0][3] is None and values[0] * 1000 <= values[1] else 1)
        return size_band(math.sqrt(max(low, 1.0) * values[1]))
    if _MORE.search(plain):
        return size_band(values[0] + 1)
    return size_band(values[0] - 1 if _LESS.search(plain) and values[0] > 1 else values[0])


def revenue_band(amount: float) -> str | None:
    """The band of a yearly revenue; None for negative amounts and for what is no number.

    Zero, which stands for "not known" in many databases as often as for no revenue, is None too.

    >>> revenue_band(999_999.0), revenue_band(1e6), revenue_band(2e9), revenue_band(-1.0), revenue_band(float("nan"))
    ('under 1 million', '1–10 million', 'more than 1 billion', None, None)
    """
    if not math.isfinite(amount) or amount <= 0:
        return None
    return REVENUES[bisect_right(_FIRST_OF, amount)]


def _value(digits: str, unit: str | None, *, grouped: bool) -> float:
    """The number that is written, whichever of comma and point groups thousands."""
    plain = re.sub(r"[^\d]", "", digits) if grouped else digits.replace(",", ".")
    return float(plain) * {"k": 1e3, "m": 1e6, None: 1.0}[unit]
