"""What several parts of hygiene need: counted notes with ids, types of activities by pattern, and what contacts did."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Any

import narwhals as nw
import pandas as pd

from predictive.engines import Frame, distinct
from predictive.tables import Note, Tables

EXAMPLES = 5
BOUNCED = ("*bounce*",)
OPTED_OUT = ("*unsub*", "*spam*", "*complain*", "*opt*out*")


def local(frame: Frame) -> pd.DataFrame:
    """The rows of a lazy frame."""
    return pd.DataFrame(frame.collect(backend="pandas").to_native())


def note(rows: Frame, key: str, where: str, text: str) -> Note | None:
    """A note that counts the rows and names a few by their `key`; None without rows. `text` follows the number."""
    count = int(rows.select(nw.len()).collect().item())
    if not count:
        return None
    ids = rows.select(nw.col(key)).unique().sort(key).head(EXAMPLES).collect()[key].to_list()
    return Note(where, f"{count:,} {text}", count, tuple(str(i) for i in ids))


def found(notes: Iterable[Note | None]) -> tuple[Note, ...]:
    """The notes that there are."""
    return tuple(n for n in notes if n is not None)


def all_types(tables: Tables) -> list[str]:
    """The activity types that there are, in order. Reads every activity: ask once."""
    return sorted(str(row[0]) for row in distinct(tables.activities, "type").collect().rows())


def types_like(types: Sequence[str], patterns: Sequence[str]) -> list[str]:
    """The types that match one of the patterns, whatever their case.

    >>> types_like(["call", "Hard_Bounce"], BOUNCED)
    ['Hard_Bounce']
    """
    return [t for t in types if any(fnmatchcase(t.lower(), p.lower()) for p in patterns)]


def last_times(tables: Tables, night: int, of: dict[str, list[str]]) -> Frame:
    """Per contact when it last did something (`any`) and something of each of these lists of types, as of a night.

    Microseconds; missing where it never did.
    """
    rows = tables.activities.filter(nw.col("known") <= night)
    columns: list[Any] = [nw.col("t").alias("any")]
    columns += [nw.when(nw.col("type").is_in(types)).then(nw.col("t")).alias(name) for name, types in of.items()]
    return rows.select("contact_id", *columns).group_by("contact_id").agg(nw.col(n).max() for n in ("any", *of))
