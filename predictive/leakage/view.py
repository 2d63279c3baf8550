"""What the audit looks at: contacts, their outcomes as known on a day, and their attributes as features see them."""

from __future__ import annotations

from dataclasses import dataclass

import narwhals as nw
import numpy as np
import pandas as pd

from predictive.config import Config
from predictive.engines import Frame, beside
from predictive.features.attributes import account_kinds, contact_kinds
from predictive.features.cut import cut
from predictive.features.deals import wins
from predictive.leakage.numbers import Bools, Floats, Ints, folds_of
from predictive.leakage.rows import choose_rows
from predictive.tables import Kind, Tables

MOST_COHORTS, CLOSED_IN_COHORT = 50, 20
FEWEST_CLOSED = 10
"""With fewer closes nothing can be said about how a column goes with them."""
NOT_AUDITED = ("account_id", "tags")
"""Columns that no feature takes as they are: an id, and a list."""


@dataclass(frozen=True)
class Column:
    """One attribute with its value per row of the view; `key` is the name that features and `exclude` know it by."""

    table: str
    name: str
    key: str
    kind: Kind
    tracked: bool
    values: pd.Series

    @property
    def filled(self) -> Bools:
        """Whether the value is known."""
        found: Bools = self.values.notna().to_numpy()
        return found


@dataclass(frozen=True)
class View:
    """Contacts with a mature eligible example, one per account, as known at `until` (microseconds).

    `rows`, in order of creation: `contact_id`, `as_of` (one of its examples), `created_at`, `closed_at` (of the first
    win after as_of, missing without one). `won`, `weight` (how many contacts a row stands for), `cohort` (contacts
    created at about the same time) and `fold` are arrays over the rows.
    """

    tables: Tables
    config: Config
    until: int
    rows: pd.DataFrame
    won: Bools
    weight: Floats
    cohort: Ints
    fold: Ints
    columns: tuple[Column, ...]
    wins: Frame

    @property
    def closed(self) -> int:
        """How many of the contacts closed."""
        return int(self.won.sum())

    @property
    def enough(self) -> bool:
        """Whether there are closes, and others, to compare."""
        return self.closed >= FEWEST_CLOSED and len(self.won) - self.closed >= FEWEST_CLOSED

    @property
    def base_rate(self) -> float:
        """The share that closed among all contacts that were looked at."""
        return share(self.weight[self.won].sum(), self.weight.sum())

    @property
    def residual(self) -> Floats:
        """1 for who closed and 0 for others, less the share in the cohort."""
        expected = pd.Series(self.won.astype(float)).groupby(self.cohort).transform("mean").to_numpy()
        found: Floats = self.won - expected
        return found


def share(part: float, of: float) -> float:
    """A share; 0 of nothing is 0."""
    return float(part / of) if of else 0.0


def look(tables: Tables, config: Config, outline: pd.DataFrame, *, until: int) -> View:
    """The view of the mature examples in `outline` (`contact_id`, `as_of`, `label`, `cluster`), as known at `until`.

    A contact closed if it has a win after its as-of and not after `until`, within the horizon or later: what is filled
    in after a close stands in today's row of all of them. Of each account there is one contact, one that closed if
    there is one, so that the rows are independent. Nothing that happened after `until` is looked at, but today's row is
    today's: at a split in the past some of the others have been filled in because they closed since.
    """
    mature = outline.loc[outline["as_of"] + config.horizon_micros <= until, ["contact_id", "as_of", "label", "cluster"]]
    known_wins = wins(tables, config).filter(nw.col("closed_at") <= until).select("contact_id", "closed_at")
    won = pd.DataFrame(known_wins.collect(backend="pandas").to_native())
    rows = choose_rows(mature, won)
    # Side by side and not joined: an attribute may have any name, closed_at and weight included.
    known = _known(tables, rows).sort_values(["created_at", "contact_id"], ignore_index=True)
    rows = rows.set_index("contact_id").loc[known["contact_id"]].reset_index().assign(created_at=known["created_at"])
    is_won = rows["closed_at"].notna().to_numpy()
    return View(
        tables,
        config,
        until,
        rows[["contact_id", "as_of", "created_at", "closed_at"]],
        is_won,
        rows["weight"].to_numpy(dtype=float),
        _cohorts(len(rows), int(is_won.sum())),
        folds_of(len(rows)),
        _columns(tables, config, known),
        known_wins.group_by("contact_id").agg(nw.col("closed_at").min()),
    )


def _known(tables: Tables, rows: pd.DataFrame) -> pd.DataFrame:
    """The attributes of each row's contact and account as features see them, through the one cut at as-of."""
    at = beside(tables.contacts, rows[["contact_id", "as_of"]])
    known = cut(tables, at).contacts.drop("as_of")
    return pd.DataFrame(known.collect(backend="pandas").to_native())


def _cohorts(rows: int, closed: int) -> Ints:
    """Numbers of equally large cohorts of rows that are in order of creation."""
    count = max(1, min(MOST_COHORTS, closed // CLOSED_IN_COHORT))
    found: Ints = np.arange(rows, dtype=np.int64) * count // max(rows, 1)
    return found


def _columns(tables: Tables, config: Config, known: pd.DataFrame) -> tuple[Column, ...]:
    """The attributes that may become features: not excluded, not sensitive, and not empty."""
    unwanted = {*config.features.exclude, *config.features.sensitive, *NOT_AUDITED}
    found = []
    for table, kinds in (("contacts", contact_kinds(tables)), ("accounts", account_kinds(tables))):
        history = tables.tracked[table.removesuffix("s")]
        for name, kind in kinds.items():
            key = name if table == "contacts" else f"account_{name}"
            if not {name, key} & unwanted and (known[key].notna().any() or name in history):
                # What a history says is text until it is cast, and dates are not.
                held: Kind = "text" if kind == "time" and name in history else kind
                found.append(Column(table, name, key, held, name in history, known[key]))
    return tuple(found)
