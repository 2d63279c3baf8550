"""The true probability that a contact closes within the horizon, by running the process on from its recorded state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.random import Generator, SeedSequence, default_rng

from predictive.clock import to_micros
from predictive.demo import catalog as c
from predictive.demo import process
from predictive.demo.process import State
from predictive.demo.simulate import History
from predictive.demo.world import Floats, Ints

PATHS = 16
BLOCK = 16_384
"""Runs of the process that are stepped together: few enough to stay in the processor's cache."""


def true_probabilities(
    history: History, seed: SeedSequence, *, paths: int = PATHS, progress: Callable[[str], None] | None = None
) -> pd.DataFrame:
    """The true probabilities at every true as-of, of the contacts that are eligible then.

    Returns:
        Columns `contact` (position), `as_of` (UTC), `probability` (in [0, 1]) and `standard_error` (Monte Carlo).
    """
    found = []
    for as_of, state, stream in zip(c.TRUTH_AS_OFS, history.snapshots, seed.spawn(len(c.TRUTH_AS_OFS)), strict=True):
        if progress is not None:
            progress(f"running {paths} futures of each contact from {as_of:%Y-%m-%d}")
        who = np.flatnonzero(~state.won & ~state.reported & (state.persona != c.STAFF))
        probability, error = forward(state, who, (as_of - c.START).days, default_rng(stream), paths=paths)
        stamp = np.full(len(who), to_micros(as_of)).view("M8[us]")
        found.append(
            pd.DataFrame(
                {
                    "contact": who,
                    "as_of": pd.DatetimeIndex(stamp).tz_localize("UTC"),
                    "probability": probability,
                    "standard_error": error,
                }
            )
        )
    return pd.concat(found, ignore_index=True)


def forward(state: State, who: Ints, day: int, rng: Generator, *, paths: int) -> tuple[Floats, Floats]:
    """P(first won deal within the horizon) of contacts at the start of `day`, and its standard error.

    Conditional expectations are averaged, not wins counted (Rao–Blackwell; see :class:`Fork`), so that a few paths,
    at least two, are enough. Wins are never drawn, and the first change of a contact's deal status is weighted by its
    chance rather than waited for; the estimate is without bias.
    """
    probability, error = np.empty(len(who)), np.empty(len(who))
    step = max(1, BLOCK // paths)
    for start in range(0, len(who), step):
        block = slice(start, start + step)
        chance = _chances(state.take(np.repeat(who[block], paths)), day, rng).reshape(-1, paths)
        probability[block] = chance.mean(axis=1)
        error[block] = chance.std(axis=1, ddof=1) / np.sqrt(paths)
    return probability, error


@dataclass(frozen=True)
class Fork:
    """Two paths of each run, and what is known of them; the arrays are changed in place.

    Attributes:
        stay: The path that never leaves its deal status: without a deal none is opened, an open deal is not lost.
        left: The path that left on a day drawn in proportion to the chance of leaving then (a reservoir of one).
        staying: Chance of neither having won nor left yet.
        won: Chance of having won before leaving.
        leaving: Chance of having left.
        log_missed: Log of the chance of no win since leaving.
    """

    stay: State
    left: State
    staying: Floats
    won: Floats
    leaving: Floats
    log_missed: Floats

    def leave(self, who: Ints, chance: Floats, rng: Generator) -> Ints:
        """Account for leaving today with `chance`; returns the positions whose second path starts anew today."""
        weight = self.staying[who] * chance
        self.leaving[who] += weight
        self.staying[who] -= weight
        now = who[rng.random(len(who)) * self.leaving[who] < weight]
        self.left.put(now, self.stay)
        self.log_missed[now] = 0.0
        return now


def _chances(runs: State, day: int, rng: Generator) -> Floats:
    """The chance of a win along each run of one horizon: P(before leaving) + P(leaving) × P(after leaving)."""
    size = len(runs.heat)
    fork = Fork(runs, runs.take(np.arange(size)), np.ones(size), np.zeros(size), np.zeros(size), np.zeros(size))
    for today in range(day, day + c.HORIZON):
        _step(fork, today, rng)
    chances: Floats = fork.won - fork.leaving * np.expm1(fork.log_missed)
    return chances


def _step(fork: Fork, day: int, rng: Generator) -> None:
    """One day of both paths, in the order of the history's: wins, losses, promotions, touches, new deals."""
    who, chance = process.win_chances(fork.left, day)
    fork.log_missed[who] += np.log1p(-chance)
    who, chance = process.win_chances(fork.stay, day)
    fork.won[who] += fork.staying[who] * chance
    fork.staying[who] *= 1.0 - chance
    process.lose(fork.left, fork.leave(*process.loss_chances(fork.stay, day), rng), day)
    process.advance(fork.left, day, rng)
    process.promote(fork.stay, rng)
    chance = process.opening_chances(fork.stay, process.live(fork.stay, day, rng))
    who = np.flatnonzero(chance)
    process.open_deals(fork.left, fork.leave(who, chance[who], rng), day)
