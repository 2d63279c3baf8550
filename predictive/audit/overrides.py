"""People's decisions against the model: how many, by whom, and whose view the closes bore out."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from predictive.actions import quadrant_of
from predictive.clock import from_micros
from predictive.config import Config
from predictive.errors import ModelError
from predictive.evaluation.closed import Closed, closed
from predictive.evaluation.intervals import plain
from predictive.model.bundle import Bundle
from predictive.nights import live, uncorrected_axes
from predictive.outcomes import with_outcomes
from predictive.quadrants import cuts_of, quadrant
from predictive.tables import Tables

WRITTEN = re.compile(r"(?P<author>.*?) until (?P<until>\d{4}-\d\d-\d\d): (?P<reason>.*)", re.DOTALL)
"""How :mod:`predictive.scores` writes a decision into the column `override`."""


@dataclass(frozen=True)
class Author:
    """How many decisions somebody made; how many are in force today, and how many have expired."""

    author: str
    decisions: int
    in_force: int
    expired: int


@dataclass(frozen=True)
class Decided:
    """Contacts that the model had in `own` and a person put into `decided`; `predicted` is what the model expected.

    `own` is "not known" where the model's bundle is gone. Only decisions whose horizon has passed are in it.
    """

    own: str
    decided: str
    predicted: float
    result: Closed


@dataclass(frozen=True)
class Overridden:
    """All decisions that ever were in force on a night, as the history keeps them, whatever became of the table.

    `waiting` have not matured. `decided` is by the model's own quadrant and the person's, the most frequent first.
    """

    decisions: int
    waiting: int
    authors: tuple[Author, ...]
    decided: tuple[Decided, ...]

    def as_dict(self) -> dict[str, Any]:
        """The fields as JSON knows them; NaN becomes None."""
        return {name: plain(value) for name, value in asdict(self).items()}


def look_at_overrides(
    con: Any,
    tables: Tables,
    config: Config,
    history: pd.DataFrame,
    *,
    observed: int,
    now: int,
    bundle_of: Callable[[str], Bundle | None],
) -> Overridden:
    """Hold people's decisions against what happened since.

    Args:
        con: the working database that `tables` live in.
        tables: what is known today.
        config: says the horizon and the cuts.
        history: what the sink's `read_history` gives.
        observed: until when outcomes are known, in microseconds.
        now: microseconds; says which decisions have expired.
        bundle_of: gives the bundle of a model version, where it is still there.
    """
    rows = live(history)
    rows = rows[rows["override"].notna() & rows["probability"].notna()]
    # The first night of a decision: what the model said when it was made.
    first = rows.drop_duplicates(["contact_id", "override"]).reset_index(drop=True)
    if first.empty:
        return Overridden(0, 0, (), ())
    first = first.assign(own=own_quadrants(first, config, bundle_of), as_of=first["as_of"].dt.as_unit("us").astype(int))
    mature = first[first["as_of"] + config.horizon_micros <= observed].reset_index(drop=True)
    return Overridden(
        decisions=len(first),
        waiting=len(first) - len(mature),
        authors=_authors(first["override"], now),
        decided=_decided(with_outcomes(con, tables, config, mature)),
    )


def own_quadrants(rows: pd.DataFrame, config: Config, bundle_of: Callable[[str], Bundle | None]) -> np.ndarray:
    """The model's own quadrant of rows of the history, (n,), before any decision; "not known" where it cannot be told.

    A cell says it as it was; else it is worked out from fit and interest with the cuts of the model as configured now.
    """
    cells = [None if pd.isna(c) else str(c) for c in rows["cell"]]
    out = np.array(["not known" if c is None else quadrant_of(c) for c in cells], dtype=object)
    versions = rows["model_version"].astype(str).to_numpy()
    for version in sorted(set(versions)):
        bundle = bundle_of(version)
        mine = (versions == version) & (out == "not known")
        if bundle is None or not mine.any():
            continue
        try:
            cuts = cuts_of(bundle.cuts, bundle.spread, config)
        except ModelError:
            continue
        out[mine] = quadrant(*uncorrected_axes(rows[mine]), cuts)
    return out


def _authors(decisions: pd.Series[Any], now: int) -> tuple[Author, ...]:
    found = decisions.str.extract(WRITTEN)
    found = found.assign(author=found["author"].fillna("not known"))
    over = found["until"].fillna("9999") <= f"{from_micros(now):%Y-%m-%d}"
    counts = [
        Author(str(name), len(mine), int((~over[mine.index]).sum()), int(over[mine.index].sum()))
        for name, mine in found.groupby("author")
    ]
    return tuple(sorted(counts, key=lambda a: (-a.decisions, a.author)))


def _decided(frame: pd.DataFrame) -> tuple[Decided, ...]:
    found = [
        Decided(str(own), str(to), float(mine["probability"].sum()), closed(mine["label"], mine["cluster"]))
        for (own, to), mine in frame.groupby(["own", "quadrant"])
    ]
    return tuple(sorted(found, key=lambda d: (-d.result.n, d.own, d.decided)))
