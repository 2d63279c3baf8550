"""What the tables say for the report: what became of past scores, how fresh and how full the data is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

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
    from predictive.closerates import CloseRates

Found = TypeVar("Found")


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
    """What was found in the tables; what is None, or empty, could not be examined, and `why_not` says why.

    `audit` joins past scores to what happened; `rates` are the close rates of activities and attributes.
    """

    audit: Audit | None
    fresh: tuple[Fresh, ...]
    filled: tuple[Filled, ...]
    why_not: tuple[str, ...]
    rates: CloseRates | None = None


NOTHING = Examined(None, (), (), ())
"""Where there are no tables to examine."""


def examine(con: Any, tables: Tables, config: Config, sink: Sink, *, now: int) -> Examined:
    """Examine the tables as they are at `now` (microseconds); `con` is the working database that they live in.

    What cannot be examined is said, and the rest is examined all the same: a report with a gap is better than none.
    """
    from predictive.audit import audit
    from predictive.closerates import close_rates

    why_not: list[str] = []
    found = _tried(lambda: audit(con, tables, config, sink, now=now), why_not)
    rates = _tried(lambda: close_rates(tables, config, now=now), why_not)
    fresh = tuple(Fresh(name, from_micros(at)) for name, at in newest(tables, now).items())
    return Examined(found, fresh, fill_rates(tables), tuple(dict.fromkeys(why_not)), rates)


def _tried(find: Callable[[], Found], why_not: list[str]) -> Found | None:
    """What is found, or None with the reason in `why_not`."""
    try:
        return find()
    except PredictiveError as error:
        why_not.append(str(error))
        return None


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
