"""CSV that a spreadsheet shows as it is, and runs nothing of.

Text that would be taken for a formula gets an apostrophe in front (OWASP, CSV injection,
https://owasp.org/www-community/attacks/CSV_Injection); numbers stay numbers.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from predictive.errors import DataError

_STARTS = re.compile(r"['\s]*[=+\-@\t\r\n＝＋－＠]")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?")


def safe(value: Any) -> str:
    """One cell.

    >>> [safe(v) for v in ("=1+1", "-5", "@x", "a=b", -0.5, None)]
    ["'=1+1", '-5', "'@x", 'a=b', '-0.5', '']
    """
    if isinstance(value, datetime):
        return "" if pd.isna(value) else value.isoformat().replace("+00:00", "Z")
    if not isinstance(value, str):
        return "" if value is None or pd.isna(value) else str(value)
    return f"'{value}" if _STARTS.match(value) and not _NUMBER.fullmatch(value) else value


def safe_table(table: pa.Table) -> pa.Table:
    """An Arrow table with every text as :func:`safe` gives it.

    >>> safe_table(pa.table({"a": ["=1", "b", "-5", None], "n": [-1, 2, 3, 4]})).to_pydict()
    {'a': ["'=1", 'b', '-5', None], 'n': [-1, 2, 3, 4]}
    """
    for i, field in enumerate(table.schema):
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
            levels = table.column(i).unique().to_pylist()
            changed = {v: safe(v) for v in levels if v is not None and safe(v) != v}
            if changed:
                column = [changed.get(v, v) for v in table.column(i).to_pylist()]
                table = table.set_column(i, field, pa.array(column, field.type))
    return table


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """A frame as a CSV file, with a heading.

    Raises :class:`~predictive.errors.DataError` where the file cannot be written.
    """
    write_rows(list(frame.columns), frame.itertuples(index=False, name=None), path)


def write_rows(heading: Sequence[str], rows: Iterable[Sequence[Any]], path: Path) -> None:
    """Rows as a CSV file; see :func:`write_csv`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as opened:
            writer = csv.writer(opened)
            writer.writerow([safe(h) for h in heading])
            writer.writerows([safe(cell) for cell in row] for row in rows)
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror}; name another file, or make room") from None
