"""The narrowest DuckDB type that holds the values of two others."""

from __future__ import annotations

import re

WIDEST = 38
"""The digits that a DuckDB DECIMAL holds."""
WHOLE = 19
"""The digits of a BIGINT."""


def decimal(digits: int, scale: int) -> str:
    """The type of numbers with so many digits before and `scale` after the point; DOUBLE where no DECIMAL can.

    >>> decimal(10, 2), decimal(37, 2)
    ('DECIMAL(12,2)', 'DOUBLE')
    """
    return f"DECIMAL({max(digits + scale, 1)},{scale})" if digits + scale <= WIDEST else "DOUBLE"


def widest(one: str | None, other: str | None) -> str | None:
    """The type that holds both; None stands for no value so far, and VARCHAR holds anything.

    >>> widest("BIGINT", "DOUBLE"), widest("DECIMAL(4,2)", "DECIMAL(5,1)"), widest("DATE", "BIGINT")
    ('DOUBLE', 'DECIMAL(6,2)', 'VARCHAR')
    """
    if one is None or other is None or one == other:
        return other if one is None else one
    numbers = [_digits(type_) for type_ in (one, other)]
    if "DOUBLE" in (one, other) and all(
        n is not None or t == "DOUBLE" for n, t in zip(numbers, (one, other), strict=True)
    ):
        return "DOUBLE"
    (first, second) = numbers
    if first is not None and second is not None:
        return decimal(max(first[0], second[0]), max(first[1], second[1]))
    return "TIMESTAMP" if {one, other} == {"DATE", "TIMESTAMP"} else "VARCHAR"


def _digits(type_: str) -> tuple[int, int] | None:
    """Digits before and after the point of an exact number; None for any other type."""
    if type_ == "BIGINT":
        return WHOLE, 0
    match = re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", type_)
    return None if match is None else (int(match[1]) - int(match[2]), int(match[2]))
