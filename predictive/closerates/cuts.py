"""Cuts: every eligible contact once at an as-of whose whole horizon has been observed, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import narwhals as nw
import pandas as pd

from predictive.clock import format_duration, iso, last_midnight
from predictive.closerates.havings import AGE
from predictive.config import AgeSnapshots, Config
from predictive.errors import DataError
from predictive.features.attributes import check_attributes
from predictive.features.catalog import Feature
from predictive.features.choose import Choice
from predictive.features.examples import examples, share_to_keep
from predictive.features.snapshots import Moment
from predictive.leakage.training import choose_honest
from predictive.model.folds import FEWEST_CLOSES
from predictive.model.thinned import sample
from predictive.splits import observed_until
from predictive.tables import Note, Tables


@dataclass(frozen=True)
class Cuts:
    """Which looks to take, and what may be looked at.

    `looks` lie a horizon apart, so that no close is counted twice, in order of time; with age snapshots there is one,
    at the configured age with the most closes. As-ofs are in [first, last], microseconds. `choice` are the features
    that neither betray the outcome nor are excluded or sensitive, as far as was known `until`. `share` of the contacts
    and looks is taken, drawn by lot, so that memory does not grow with the database: about `model.examples` of them.
    """

    looks: tuple[Moment, ...]
    first: int
    last: int
    choice: Choice
    notes: tuple[Note, ...]
    share: float = 1.0

    @property
    def said(self) -> str | None:
        """That not everybody was looked at; None where everybody was.

        >>> Cuts((), 0, 0, Choice((), {}), (), share=0.404).said
        '40% of the contacts and as-ofs were looked at, drawn by lot (model.examples says how many)'
        """
        few = f"{self.share:.0%} of the contacts and as-ofs were looked at, drawn by lot (model.examples says how many)"
        return few if self.share < 1 else None

    def rows(
        self,
        tables: Tables,
        config: Config,
        features: Sequence[Feature],
        *,
        progress: Callable[[str], None] = lambda _: None,
    ) -> pd.DataFrame:
        """One row per eligible contact and look, with the features, `record_age_days` among them."""
        wanted = [AGE, *features]
        found = examples(
            tables, config, wanted, first=self.first, last=self.last, looks=self.looks, share=self.share,
            progress=progress,
        )  # fmt: skip
        return sample(found.frame).reset_index(drop=True)


def choose_cuts(tables: Tables, config: Config, *, as_of: int | None, now: int, several: bool) -> Cuts:
    """The newest cut whose whole horizon is observed, or the one at `as_of`; with `several`, also all before it.

    Raises :class:`~predictive.errors.DataError` where the horizon of `as_of` has not been observed yet, or where no
    contact was there a horizon ago.
    """
    check_attributes(tables)
    observed = observed_until(tables, config, now)
    born = tables.contacts.select(nw.col("created_at").min()).collect().item()
    newest = last_midnight(observed - config.horizon_micros, config.timezone)
    last = newest if as_of is None else as_of
    if last + config.horizon_micros > observed:
        raise DataError(
            f"--as-of {iso(last)}: outcomes are observed until {iso(observed)}, so its horizon of "
            f"{format_duration(config.horizon)} is not over; name {iso(newest)[:10]} or an earlier date"
        )
    start = 0 if config.split is None or config.split.train_from is None else config.micros(config.split.train_from)
    first = max(start, int(born or 0))
    if born is None or first > last:
        raise DataError(
            f"no contact was there at {iso(last)}, a horizon of {format_duration(config.horizon)} before outcomes end; "
            "set a shorter horizon, or bring in more history"
        )
    by_age = isinstance(config.snapshots, AgeSnapshots)
    looks = _looks(config, first, last)
    share = share_to_keep(tables, config, first, last, looks)
    outline = sample(examples(tables, config, (), first=first, last=last, looks=looks, share=share).frame)
    choice, notes = choose_honest(tables, config, outline.reset_index(drop=True), until=observed)
    chosen = (_fullest(tables, config, looks, first, last),) if by_age else looks if several else looks[-1:]
    first = first if several or by_age else last
    share = share_to_keep(tables, config, first, last, chosen)
    return Cuts(chosen, first, last, choice, (*tables.notes, *notes), share)


def too_few(closes: int) -> str | None:
    """What to say where there are too few closes to say anything; else None."""
    if closes >= FEWEST_CLOSES:
        return None
    return f"only {closes} closes, and {FEWEST_CLOSES} are needed: nothing can be said about who buys"


def _looks(config: Config, first: int, last: int) -> tuple[Moment, ...]:
    """Instants one horizon apart, back from the last; with age snapshots every configured age."""
    if isinstance(config.snapshots, AgeSnapshots):
        return tuple(Moment(age=days) for days in sorted(config.snapshots.days))
    instants = [last]
    while (before := last_midnight(instants[-1] - config.horizon_micros, config.timezone)) >= first:
        instants.append(before)
    return tuple(Moment(instant=at) for at in reversed(instants))


def _fullest(tables: Tables, config: Config, looks: Sequence[Moment], first: int, last: int) -> Moment:
    """The age with the most closes within the horizon after it; of several the youngest."""
    if len(looks) == 1:
        return looks[0]
    found = [examples(tables, config, (), first=first, last=last, looks=[look]).frame for look in looks]
    closes = [int(frame["deal_id"].nunique()) for frame in found]
    return looks[closes.index(max(closes))]
