"""The leakage audit: columns and activity types that betray the outcome which they are to predict.

::

    examples ──► look: contacts with outcome and attributes ──► EVIDENCE ──► AGAINST_OTHERS ──► suspects

A kind of evidence is a module with one function that goes through a :class:`~predictive.leakage.view.View` and yields
:class:`~predictive.leakage.suspects.Reason`. None knows a data set; names of columns are weak evidence in one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

import narwhals as nw
import pandas as pd

from predictive.config import Config
from predictive.features.attributes import check_attributes
from predictive.features.examples import examples
from predictive.leakage import activities, ages, companions, filled, history, names, separation, values
from predictive.leakage.suspects import Confidence, Reason, Suspect, combined, exclude_line
from predictive.leakage.view import View, look
from predictive.splits import observed_until
from predictive.tables import Tables

__all__ = ["EVIDENCE", "NOTHING", "Audit", "Suspect", "audit", "audit_until", "examine"]

EVIDENCE: Mapping[str, Callable[[View], Iterator[Reason]]] = {
    "filled": filled.find,
    "values": values.find,
    "history": history.find,
    "ages": ages.find,
    "names": names.find,
    "activities": activities.find,
}
"""Every kind of evidence that looks at a column by itself, by the name of its module."""
AGAINST_OTHERS: Mapping[str, Callable[[View, Collection[str]], Iterator[Reason]]] = {
    "separation": separation.find,
    "companions": companions.find,
}
"""Kinds that compare columns, in this order; they are told the keys of the sure leaks found before."""


@dataclass(frozen=True)
class Audit:
    """What was found, and what it was looked for in: numbers of contacts, of those that closed, and of columns."""

    suspects: tuple[Suspect, ...]
    contacts: int
    closed: int
    attributes: int
    types: int
    line: str | None
    enough: bool

    @property
    def in_words(self) -> str:
        """What was looked at."""
        text = (
            f"{self.attributes:,} attributes and {self.types:,} activity types, {self.contacts:,} contacts (one per "
            f"account) of which {self.closed:,} closed"
        )
        return text if self.enough else f"{text}: too few to compare who closed with who did not"


NOTHING = Audit((), 0, 0, 0, 0, None, enough=False)
"""The audit of no examples."""


def audit(tables: Tables, config: Config, *, now: int) -> tuple[Suspect, ...]:
    """Every column and activity type that may betray the outcome, the surest first.

    Looks at all that is observed (`now` in microseconds). Columns that `features` excludes or calls sensitive are not
    looked at. Raises :class:`~predictive.errors.DataError` where nothing is known to learn from.
    """
    return examine(tables, config, now=now).suspects


def examine(tables: Tables, config: Config, *, now: int) -> Audit:
    """Like :func:`audit`, with what was looked at."""
    check_attributes(tables)
    observed = observed_until(tables, config, now)
    earliest = tables.contacts.select(nw.col("created_at").min()).collect().item()
    first = observed if earliest is None else int(earliest)
    if config.split is not None and config.split.train_from is not None:
        first = max(first, config.micros(config.split.train_from))
    outline = examples(tables, config, (), first=first, last=observed - config.horizon_micros)
    return audit_until(tables, config, outline.frame, until=observed)


def audit_until(tables: Tables, config: Config, outline: pd.DataFrame, *, until: int) -> Audit:
    """The audit as of `until` (microseconds), on the examples of `outline` that are mature by then.

    Closes, changes and activities after `until` are not looked at.
    """
    view = look(tables, config, outline, until=until)
    reasons = [reason for find in EVIDENCE.values() for reason in find(view)]
    for compare in AGAINST_OTHERS.values():
        found = combined(reasons, config.features)
        sure = {s.key for s in found if s.confidence == "high" and s.table != "activities"}
        reasons += compare(view, sure)
    suspects = combined(reasons, config.features)
    types = tables.activities.filter(nw.col("known") <= until).select(nw.col("type").n_unique()).collect().item()
    worth: tuple[Confidence, ...] = ("high", "medium")
    told = [s.key for s in suspects if s.confidence in worth]
    line = exclude_line(told, config.features) if told else None
    return Audit(suspects, len(view.rows), view.closed, len(view.columns), int(types or 0), line, view.enough)
