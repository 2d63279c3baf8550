"""What every sink takes and gives: a night, the difference it makes, and the columns of the tables that are written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import pandas as pd
import pandera.pandas as pa

from predictive.tables import SCORES, kind_of


def _sql_type(column: pa.Column) -> str:
    kind = kind_of(column)
    if kind == "number":
        return "BIGINT" if str(column.dtype).lower().startswith("int") else "DOUBLE"
    return {"text": "VARCHAR", "time": "TIMESTAMP", "boolean": "BOOLEAN"}[kind]


SCORE_COLUMNS: dict[str, str] = {name: _sql_type(column) for name, column in SCORES.columns.items()}
"""The columns of staged and current scores, and their DuckDB types; times are naive UTC."""

HISTORY_COLUMNS = {**SCORE_COLUMNS, "night": "TIMESTAMP", "past": "BOOLEAN"}
"""The columns of historical scores: also the as-of of the night that wrote the row, and whether that was a past one."""

RUN_COLUMNS: dict[str, str] = {
    "run_id": "VARCHAR",
    "as_of": "TIMESTAMP",
    "scored_at": "TIMESTAMP",
    "model_version": "VARCHAR",
    "eligible": "BIGINT",
    "rows": "BIGINT",
    "new": "BIGINT",
    "changed": "BIGINT",
    "left": "BIGINT",
    "past": "BOOLEAN",
}
"""The columns of `runs`, one row per night that was written; the counts are those of :class:`Difference`."""

STAMPS = ("as_of", "scored_at", "run_id")
"""Columns that say when a row was written; two rows that differ only here are equal."""


@dataclass(frozen=True)
class Night:
    """One scoring run.

    Args:
        run_id: names the run.
        as_of: the instant that the night's scores are made for, aware. With age snapshots the rows have instants of
            their own; this is still the night's.
        scored_at: when the run was made, aware; later runs have later times.
        model_version: names the model bundle.
        eligible: how many contacts were eligible.
    """

    run_id: str
    as_of: datetime
    scored_at: datetime
    model_version: str
    eligible: int

    def __post_init__(self) -> None:
        if self.as_of.tzinfo is None or self.scored_at.tzinfo is None:
            raise ValueError("as_of and scored_at of a night need a time zone")

    @property
    def stamps(self) -> dict[str, Any]:
        """What identifies the run, as DuckDB binds it: times are naive UTC.

        >>> midnight = datetime(2026, 11, 22, tzinfo=UTC)
        >>> Night("r1", as_of=midnight, scored_at=midnight, model_version="v1", eligible=9).stamps["as_of"]
        datetime.datetime(2026, 11, 22, 0, 0)
        """
        return {
            "run_id": self.run_id,
            "as_of": self.as_of.astimezone(UTC).replace(tzinfo=None),
            "scored_at": self.scored_at.astimezone(UTC).replace(tzinfo=None),
            "model_version": self.model_version,
        }


@dataclass(frozen=True)
class Difference:
    """What writing a night changes, or would change.

    A night is compared with the current scores. A `past` one (its as-of lies before that of the newest night) is
    compared with the scores of its own night, as the history has them, and goes to the history only.

    Args:
        rows: contacts scored tonight.
        new: of these, contacts without a score so far.
        changed: of these, contacts with another score so far, in any column but `as_of`, `scored_at` and `run_id`.
        unchanged: the rest of `rows`; they keep their stamps.
        left: contacts scored so far but not tonight; they leave the current scores, and the history marks the end.
        by_tier: per tier, highest first: its name, contacts before, contacts after, new and changed contacts now in it.
        past: only the history is written.
    """

    rows: int
    new: int
    changed: int
    unchanged: int
    left: int
    by_tier: tuple[tuple[str, int, int, int], ...]
    past: bool

    @property
    def written(self) -> int:
        """Contacts whose scores are written or taken out; 0 when a night is repeated.

        >>> Difference(rows=10, new=3, changed=2, unchanged=5, left=1, by_tier=(), past=False).written
        6
        """
        return self.new + self.changed + self.left


class Sink(Protocol):
    """Where scores go: current scores, their history, and the list of runs.

    `staged` names a table in `con` with exactly :data:`SCORE_COLUMNS`, one row per contact. `con` is in no transaction.
    Errors that the user can fix are :class:`~predictive.errors.DataError`; nothing is then written.
    """

    def preview(self, con: Any, staged: str, night: Night) -> Difference:
        """What :meth:`write` would change; writes nothing, creates nothing."""

    def write(self, con: Any, staged: str, night: Night) -> Difference:
        """Write a night, all or nothing. Doing it twice is doing it once."""

    def read_current(self) -> pd.DataFrame:
        """The current scores as in :data:`predictive.tables.SCORES`, by contact; no rows when nothing was written."""

    def read_history(self) -> pd.DataFrame:
        """Every score that ever changed, in :data:`HISTORY_COLUMNS`, by contact and time.

        A row where `probability` is missing marks the `night` from which a contact was no longer scored. Rows that are
        marked `past` were never current.
        """

    def read_runs(self) -> pd.DataFrame:
        """One row per written night in :data:`RUN_COLUMNS`, in the order of writing."""
