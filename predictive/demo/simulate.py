"""The demo's history: the process stepped day by day from the launch of the CRM to its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.random import Generator

from predictive.demo import catalog as c
from predictive.demo import process
from predictive.demo.process import State, Touches
from predictive.demo.world import Bools, Ints, World

FIRST_TOUCHES = (
    ("blog", "product", "newsletter", "demo_request"),
    ("product", "pricing", "contact_form", "demo_request"),
    ("download", "download", "webinar", "blog"),
    ("event",),
    ("product", "contact_form", "pricing", "call"),
    ("product", "call", "blog"),
    (),
)
"""What brings a contact in, each equally likely, by source in the order of the catalogue; an import brings nothing."""
FIRST_CHANCE = np.array([[names.count(kind.name) / max(len(names), 1) for kind in c.KINDS] for names in FIRST_TOUCHES])
FIRST_CHANCE = FIRST_CHANCE.cumsum(axis=1).round(12)


@dataclass(frozen=True)
class History:
    """What happened, in order of days: touches, deals and promotions, as columns of equal length.

    Attributes:
        touch_contact, touch_day, touch_kind: Touches.
        deal_contact, deal_opened, deal_closed, deal_won: Deals; `deal_closed` is -1 while open.
        promoted_contact, promoted_day: Promotions.
        snapshots: The state at the start of the day of each true as-of, of the contacts there are by then.
    """

    touch_contact: Ints
    touch_day: Ints
    touch_kind: Ints
    deal_contact: Ints
    deal_opened: Ints
    deal_closed: Ints
    deal_won: Bools
    promoted_contact: Ints
    promoted_day: Ints
    snapshots: tuple[State, ...]


def simulate(world: World, rng: Generator, *, as_ofs: Sequence[datetime] = c.TRUTH_AS_OFS) -> History:
    """Run the whole history, and keep the state at the start of each of the days `as_ofs` but the last, and at its end.

    The history does not depend on which days these are.
    """
    state = State.at_creation(world)
    arrived = np.searchsorted(world.day, np.arange(c.DAYS + 1))
    moments = [(as_of - c.START).days for as_of in as_ofs]
    touches, closed, promoted, snapshots = [], [], [], []
    for day in range(c.DAYS):
        here = state.first(arrived[day])
        if day in moments:
            snapshots.append(here.take(np.arange(arrived[day])))
        opened = here.deal.copy()
        who, chance = process.win_chances(here, day)
        won = who[rng.random(len(who)) < chance]
        process.win(here, won)
        events = process.advance(here, day, rng)
        closed.append(_deals(won, opened, day, won=1))
        closed.append(_deals(events.lost, opened, day, won=0))
        promoted.append(np.stack([events.promoted, np.full(len(events.promoted), day)]))
        touches.append(_touches(events.touches, day))
        touches.append(_touches(_arrive(state, world, arrived[day], arrived[day + 1], day, rng), day))
    snapshots.append(state)
    closed.append(_deals(np.flatnonzero(state.deal > process.NEVER), state.deal, -1, won=0))
    closed.append(_repeats(closed, rng))
    return _history(touches, closed, promoted, tuple(snapshots))


def _history(
    touches: list[np.ndarray], closed: list[np.ndarray], promoted: list[np.ndarray], snapshots: tuple[State, ...]
) -> History:
    """Join what each day brought; deals in order of their first day."""
    deals = np.concatenate(closed, axis=1)
    deals = deals[:, np.lexsort((deals[0], deals[1]))]
    touched, moved = np.concatenate(touches, axis=1), np.concatenate(promoted, axis=1)
    return History(
        touch_contact=touched[0],
        touch_day=touched[1],
        touch_kind=touched[2],
        deal_contact=deals[0],
        deal_opened=deals[1],
        deal_closed=deals[2],
        deal_won=deals[3] == 1,
        promoted_contact=moved[0],
        promoted_day=moved[1],
        snapshots=snapshots,
    )


def _touches(touches: Touches, day: int) -> np.ndarray:
    return np.stack([touches.who, np.full(len(touches.who), day), touches.kind])


def _deals(who: Ints, opened: Ints, closed: int, *, won: int) -> np.ndarray:
    """Contact, day opened, day closed and won of the deals of the contacts at `who`."""
    return np.stack([who, opened[who], np.full(len(who), closed), np.full(len(who), won)])


def _arrive(state: State, world: World, first: int, last: int, day: int, rng: Generator) -> Touches:
    """Let the touches that bring in the contacts first … last − 1 act; some of them open a deal."""
    who = np.arange(first, last)
    who = who[FIRST_CHANCE[world.source[who], -1] > 0]
    kind = (FIRST_CHANCE[world.source[who]] <= rng.random((len(who), 1))).sum(axis=1)
    touches = process.touch(state, who, kind, day)
    process.open_deals(state, touches.who[rng.random(len(touches.who)) < touches.opening], day)
    return touches


def _repeats(closed: list[np.ndarray], rng: Generator) -> np.ndarray:
    """Further deals of customers: at a constant rate after the first win, won two times in three."""
    deals = np.concatenate(closed, axis=1)
    winners = deals[:, deals[3] == 1]
    opened = winners[2] + np.ceil(rng.exponential(1 / c.REPEAT, winners.shape[1])).astype(int)
    ended = opened + rng.integers(20, 90, len(opened))
    won = rng.random(len(opened)) < 2 / 3
    ended, won = np.where(ended < c.DAYS, ended, -1), won & (ended < c.DAYS)
    return np.stack([winners[0], opened, ended, won])[:, opened < c.DAYS]
