"""The time split: what training may know, what it is judged on, and what is too young for either."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import narwhals as nw
import pandas as pd

from predictive.clock import DAY, format_duration, iso, last_midnight
from predictive.config import Config
from predictive.errors import DataError
from predictive.model.folds import FEWEST_CLOSES, closes
from predictive.model.partial import known_at
from predictive.tables import Tables

QUARTER = 90 * DAY


@dataclass(frozen=True)
class TimeSplit:
    """As-ofs in [train_from, train_until) are learned from, as known at `test_from`; [test_from, test_until) judge.

    All in microseconds. `known_until` is until when the model that ships knows outcomes: the last midnight at which
    they were observed. `shortened` says that the history was too short for a test of a whole quarter.
    """

    train_from: int
    train_until: int
    test_from: int
    test_until: int
    observed_until: int
    known_until: int
    horizon: int
    shortened: bool = False

    def learn(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The training part, with what was known on the day of the split: `label`, `followed`, `offset`."""
        at = frame["as_of"]
        return known_at(frame[(at >= self.train_from) & (at < self.train_until)], self.test_from, self.horizon)

    def later(self, frame: pd.DataFrame) -> pd.DataFrame:
        """All that is mature by now and was not learned from, or not wholly: the test part, and what lies before it.

        `offset` is that of :func:`~predictive.model.partial.known_at` for an example that was learned from in part: it
        had not closed by the split, and what it did then is as new to the model as the test part is. Else it is 0.
        """
        at = frame["as_of"]
        mature = frame[(at >= min(self.train_from, self.test_from)) & (at < self.test_until)]
        mature = mature[mature["as_of"] + self.horizon <= self.observed_until]
        learned = self.learn(frame)
        rest = learned.loc[(learned["followed"] < self.horizon) & (learned["label"] == 0), "offset"]
        new = ~mature.index.isin(learned.index) & (mature["as_of"] >= min(self.train_until, self.test_from))
        kept = mature[new | mature.index.isin(rest.index)]
        return kept.assign(offset=rest.reindex(kept.index).fillna(0.0))

    def test(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The test part: later in time, and mature by now."""
        at = frame["as_of"]
        return frame[(at >= self.test_from) & (at < self.test_until) & (at + self.horizon <= self.observed_until)]

    def everything(self, frame: pd.DataFrame) -> pd.DataFrame:
        """All that can be learned from today, for the model that scores: `label`, `followed`, `offset` as known now."""
        return known_at(frame[frame["as_of"] >= self.train_from], self.known_until, self.horizon)

    def immature(self, frame: pd.DataFrame) -> int:
        """How many examples of the training part had been followed for part of the horizon only."""
        return int((self.learn(frame)["followed"] < self.horizon).sum())

    def in_words(self) -> dict[str, Any]:
        """The split with dates, for people."""
        names = ("train_from", "train_until", "test_from", "test_until", "observed_until")
        return {name: iso(getattr(self, name)) for name in names} | {"shortened": self.shortened}


def newest(tables: Tables, now: int) -> dict[str, int]:
    """Per table the newest time that is not after `now`, in microseconds; tables without rows are left out."""
    found: dict[str, int] = {}
    for name, frame, column in (
        ("contacts", tables.contacts, "created_at"),
        ("activities", tables.activities, "known"),
        ("deals", tables.deals, "created_at"),
        ("deals", tables.deals, "closed_at"),
        ("changes", tables.changes, "changed_at"),
    ):
        value = frame.filter(nw.col(column) <= now).select(nw.col(column).max()).collect().item()
        if value is not None:
            found[name] = max(int(value), found.get(name, int(value)))
    return found


def observed_until(tables: Tables, config: Config, now: int) -> int:
    """Until when outcomes are known: as configured, else the smaller of the newest deal and the newest activity."""
    if config.observed_until is not None:
        return config.micros(config.observed_until)
    times = newest(tables, now)
    known = [times[name] for name in ("deals", "activities") if name in times]
    if not known:
        raise DataError(
            "there is no deal and no activity up to now, so nothing is known to learn from; check the tables"
        )
    return min(known)


def decide(outline: pd.DataFrame, config: Config, observed: int) -> TimeSplit:
    """The configured split; without one, the last mature quarter of snapshots is the test.

    `outline` holds `as_of` and `deal_id` of all examples up to `observed`. Where a quarter leaves fewer than 20 closes
    to learn from, the test is the newest mature month, and `shortened` says so.
    """
    horizon = config.horizon_micros
    end, known = observed + 1, last_midnight(observed, config.timezone)
    if config.split is not None:
        chosen = config.split
        start = 0 if chosen.train_from is None else config.micros(chosen.train_from)
        test_from = config.micros(chosen.test_from)
        until = test_from if chosen.train_until is None else config.micros(chosen.train_until)
        test_until = end if chosen.test_until is None else config.micros(chosen.test_until)
        return TimeSplit(start, min(until, test_from), test_from, test_until, observed, known, horizon)
    mature = outline.loc[outline["as_of"] + horizon <= observed, "as_of"]
    if mature.empty:
        raise DataError(_too_short(outline, config, observed))
    last = int(mature.max())
    splits = []
    for length in (QUARTER, QUARTER // 3):
        test_from = int(mature[mature > last - length].min())
        splits.append(TimeSplit(0, test_from, test_from, end, observed, known, horizon, shortened=length < QUARTER))
    enough = [s for s in splits if closes(s.learn(outline)) >= FEWEST_CLOSES]
    return enough[0] if enough else splits[-1]


def check_parts(
    learn: pd.DataFrame, test: pd.DataFrame, outline: pd.DataFrame, config: Config, split: TimeSplit
) -> None:
    """Raise :class:`~predictive.errors.DataError` where there is nothing to learn from or nothing to judge by."""
    if learn.empty or test.empty:
        part = "training" if learn.empty else "test"
        raise DataError(f"the {part} part is empty. {_too_short(outline, config, split.observed_until)}")
    if learn["label"].nunique() < 2:
        only = "closed" if learn["label"].iloc[0] == 1 else "did not close"
        raise DataError(
            f"one class only: all {len(learn):,} training examples {only} within the horizon, so there is nothing to "
            "tell apart; check that deals has is_won and closed_at, and that contact_id joins it to contacts"
        )


def _too_short(outline: pd.DataFrame, config: Config, observed: int) -> str:
    span = f"from {iso(int(outline['as_of'].min()))} to {iso(int(outline['as_of'].max()))}" if len(outline) else "none"
    return (
        f"Eligible examples: {len(outline):,} ({span}); outcomes are observed until {iso(observed)}; an example "
        "must be observed for the whole horizon if it is to judge. Set a shorter horizon (now "
        f"{format_duration(config.horizon)}), another split, or bring in more history"
    )
