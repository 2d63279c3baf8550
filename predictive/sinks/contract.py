"""What every sink takes and gives: a night, the difference it makes, and the columns of the tables that are written."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
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

KEPT_COLUMNS = {**SCORE_COLUMNS, "left_at": "TIMESTAMP"}
"""The columns of a score table: also the night from which a contact was scored no longer, where its row is kept."""

HISTORY_COLUMNS = {**SCORE_COLUMNS, "night": "TIMESTAMP", "past": "BOOLEAN", "undone": "BOOLEAN"}
"""The columns of historical scores: also the as-of of the night that wrote the row, whether that was a past one, and
whether a rollback took it back."""

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
    "seconds": "DOUBLE",
    "outcome": "VARCHAR",
    "restores": "VARCHAR",
    "profile": "VARCHAR",
}
"""The columns of `runs`, one row per run; the counts are those of :class:`Difference`.

`seconds` is how long the run took, `outcome` one of :data:`OUTCOMES`, `restores` the run that a rollback put back, and
`profile` (JSON) what the circuit breaker compares the next night with.
"""

OUTCOMES = ("written", "forced", "rolled back", "refused")
"""Forced: written although the circuit breaker said no. Refused: not written, because it said no."""

FIRST_COLUMNS = frozenset(
    """contact_id as_of scored_at probability uncorrected fit interest quadrant tier rule_score rule_fit rule_interest
    stage override reasons model_version run_id night past eligible rows new changed left""".split()  # noqa: SIM905 - short
)
"""What tables have had from the first version on. A table without one of these is not ours; others are added to it."""

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
        profile: what the circuit breaker compares the next night with, as JSON.
        forced: whether the night is written although the circuit breaker said no.
        began: when the run began, on the clock of :func:`time.monotonic`.
    """

    run_id: str
    as_of: datetime
    scored_at: datetime
    model_version: str
    eligible: int
    profile: str | None = None
    forced: bool = False
    began: float = field(default_factory=time.monotonic, compare=False)

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
        without_row: contacts scored tonight whom the contact table does not have, where scores go into its columns.
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
    without_row: int = 0

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

    @property
    def keeps_lists(self) -> bool:
        """Whether there is a place for the membership of lists beside the scores."""

    def preview(self, con: Any, staged: str, night: Night) -> Difference:
        """What :meth:`write` would change; writes nothing, creates nothing."""

    def write(self, con: Any, staged: str, night: Night, members: str | None = None) -> Difference:
        """Write a night, all or nothing. Doing it twice is doing it once.

        `members` names a table of `con` (`list`, `contact_id`): who is on which list. Membership is written with the
        scores; of a `past` night it is not.
        """

    def refuse(self, con: Any, night: Night, rows: int) -> None:
        """Write down in the runs that the circuit breaker refused a night of so many rows, and nothing else."""

    def rollback(self, con: Any, to: str | None, *, run_id: str, now: datetime) -> Restored:
        """Put back the scores as they were after an earlier run: `to`, else the one before the run that stands.

        The current scores are then exactly those. The history keeps what was taken back, marked `undone`. Rolling
        back to what stands already changes nothing. The membership of lists is that of its night again. Raises
        :class:`~predictive.errors.DataError` for a run that is not there, or whose scores a later run of the same night
        has replaced.
        """

    def read_current(self) -> pd.DataFrame:
        """The current scores as in :data:`predictive.tables.SCORES`, by contact; no rows when nothing was written."""

    def read_history(self, columns: Sequence[str] | None = None, since: datetime | None = None) -> pd.DataFrame:
        """Every score that ever changed, in `columns` of :data:`HISTORY_COLUMNS` (default: all), by contact and time.

        A row where `probability` is missing marks the `night` from which a contact was no longer scored. Rows that are
        marked `past` were never current, and those marked `undone` were taken back. `since` leaves out earlier nights.
        """

    def read_runs(self, *, refused: bool = False) -> pd.DataFrame:
        """One row per run in :data:`RUN_COLUMNS`, in the order of writing, `refused` ones only if asked for."""

    def read_lists(self) -> pd.DataFrame:
        """Every stay of a contact on a list: `list`, `contact_id`, `entered_at`, `left_at` (UTC, missing while on it).

        By list, contact and time. Raises :class:`~predictive.errors.DataError` where no lists are kept.
        """


@dataclass(frozen=True)
class Restored:
    """What a rollback did: the run that stood, the run whose scores stand now, its night, and the difference.

    `stays` is how many stays on lists were put right.
    """

    stood: str
    run_id: str
    as_of: datetime
    model_version: str
    difference: Difference
    stays: int = 0
