"""Rates as a CSV file for spreadsheets."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from predictive.closerates.rates import Rate
from predictive.errors import ConfigError

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_rates(rows: Sequence[Rate], path: Path) -> None:
    """Write one row per rate, with a heading.

    Raises :class:`~predictive.errors.ConfigError` where the file cannot be written.
    """
    names = [f.name for f in fields(Rate)]
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(names)
            writer.writerows([guarded(getattr(row, name)) for name in names] for row in rows)
    except OSError as error:
        raise ConfigError(
            f"--out {path}: cannot be written: {error.strerror}; name a file in a folder that is there"
        ) from None


def guarded(value: Any) -> Any:
    """A cell that no spreadsheet runs: text that begins like a formula gets an apostrophe, unless it is a number.

    >>> [guarded(v) for v in ("=1+1", "-3.5", "+x", 0.5)]
    ["'=1+1", '-3.5', "'+x", 0.5]
    """
    if not isinstance(value, str) or not value.startswith(FORMULA):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value
