"""What the tables say for the report: what became of past scores, how fresh and how full the data is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import narwhals as nw
import pandas as pd

from predictive.clock import from_micros
from predictive.config import Config
from predictive.errors import PredictiveError
from predictive.features.attributes import account_kinds, contact_kinds
from predictive.sinks import Sink
from predictive.splits import newest
from predictive.tables import Tables

if TYPE_CHECKING:
    from predictive.audit import Audit


@dataclass(frozen=True)
class Fresh:
    """A table, and the newest time in it that is not after the report."""

    table: str
    newest: datetime


@dataclass(frozen=True)
class Filled:
    """An attribute of contacts or accounts, how many of them there are, and for how many it is known today."""

    table: str
    name: str
    rows: int
    known: int

    @property
    def share(self) -> float:
        """The share of rows that have a value, 0 to 1; 0 of no rows."""
        return self.known / self.rows if self.rows else 0.0


@dataclass(frozen=True)
class Examined:
    """What was found in the tables. `audit` is None where past scores could not be joined to what happened.

    `why_not` says what could not be examined, and why; it holds a reason where the tables were not read at all.
    """

    audit: Audit | None
    fresh: tuple[Fresh, ...]
    filled: tuple[Filled, ...]
    why_not: tuple[str, ...]


NOTHING = Examined(None, (), (), ())
"""Where there are no tables to examine."""


def examine(con: Any, tables: Tables, config: Config, sink: Sink, *, now: int) -> Examined:
    """Examine the tables as they are at `now` (microseconds); `con` is the working database that they live in.

    What cannot be examined is said, and the rest is examined all the same: a report with a gap is better than none.
    """
    from predictive.audit import audit

    found, why_not = None, []
    try:
        found = audit(con, tables, config, sink, now=now)
    except PredictiveError as error:
        why_not.append(str(error))
    fresh = tuple(Fresh(name, from_micros(at)) for name, at in newest(tables, now).items())
    return Examined(found, fresh, fill_rates(tables), tuple(why_not))


def fill_rates(tables: Tables) -> tuple[Filled, ...]:
    """For how many contacts and accounts each attribute is known, the emptiest first in each table.

    Attributes that the source does not have at all are left out.
    """
    found = []
    for table, kinds in (("contacts", contact_kinds(tables)), ("accounts", account_kinds(tables))):
        frame = getattr(tables, table)
        counts = [nw.len().alias("::rows"), *(nw.col(name).count().alias(name) for name in kinds)]
        row = pd.DataFrame(frame.select(counts).collect(backend="pandas").to_native()).iloc[0]
        rows = int(row["::rows"])
        known = {name: int(row[name]) for name in kinds}
        found += [Filled(table, name, rows, n) for name, n in sorted(known.items(), key=lambda x: x[1]) if n]
    return tuple(found)
