"""Drift correction: the level of the scores, from outcomes that have matured since, without retraining.

The correction is one shift of the log-odds that moves in time. It is followed by filters that differ in how fast they
let it move, from not at all to 0.4 in a month, and their answers are averaged, each weighted by how likely it found
the outcomes so far before it saw them. So whether there is a correction, and how quick it is, is decided by evidence,
at every moment anew, and nothing has to be set. A dynamic generalised linear model (West, Harrison and Migon 1985,
doi:10.1080/01621459.1985.10477131) with dynamic model averaging (Raftery, Kárný and Ettler 2010,
doi:10.1198/TECH.2009.08104).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from predictive.clock import DAY, from_micros

SPEEDS = (0.0, 0.1, 0.2, 0.4)
"""By how much a filter lets the log-odds move in 30 days (standard deviation). The first never moves: no correction."""
START = 0.25
"""How far from 0 the shift may be when the first outcomes mature (standard deviation): what shrinks it towards 0."""
EVIDENCE = 0.25
"""What one example counts. Closes come in bursts, so that they say less about the level than as many independent ones;
a whole one follows every wave (a learning rate below 1 is safe then: Grünwald and van Ommen 2017,
doi:10.1214/17-BA1085)."""
MONTH = 30 * DAY
FARTHEST = 30.0
"""Log-odds beyond which a probability is 0 or 1 as far as floats can tell."""


@dataclass(frozen=True)
class Drift:
    """The shift of the log-odds from each of `times` on (int64 microseconds, increasing); before the first it is 0.

    `shifts` and `off` have shape (k,): the shift, and how likely it is by the evidence so far that there is no drift.
    `closes` (k,) counts the matured closes behind it.

    >>> Drift(np.array([10]), np.array([0.5]), np.array([0.1]), np.array([3])).at(np.array([9, 10, 11])).tolist()
    [0.0, 0.5, 0.5]
    """

    times: np.ndarray
    shifts: np.ndarray
    off: np.ndarray
    closes: np.ndarray

    def at(self, as_of: np.ndarray) -> np.ndarray:
        """The shift for scores of these instants, float64 of the same shape."""
        place = np.searchsorted(self.times, as_of, side="right")
        return np.concatenate([[0.0], self.shifts])[place]


NO_DRIFT = Drift(np.empty(0, dtype=np.int64), np.empty(0), np.empty(0), np.empty(0, dtype=np.int64))


def follow(scored: pd.DataFrame, horizon: int) -> Drift:
    """Follow the level through scores made out of sample and what happened after them.

    Args:
        scored: `contact_id`, `as_of` (microseconds), `log_odds` (as the model gave them, uncorrected), `label` and
            `deal_id` (of the close), in any order. Only a contact's first score of a calendar month counts.
        horizon: in microseconds. An example enters at as_of + horizon, closed or not: closes are known earlier, and
            taking them as they come would overstate the level.

    The shift is 0 until the first close has matured. The shift at any time depends on no later outcome.
    """
    rows = first_of_month(scored)
    if rows.empty:
        return NO_DRIFT
    z = np.clip(rows["log_odds"].to_numpy(dtype=float), -FARTHEST, FARTHEST)
    label = rows["label"].to_numpy(dtype=float)
    weight = overlap_weights(rows, horizon)
    at = rows["as_of"].to_numpy(dtype=np.int64)
    times = np.unique(at) + horizon
    shifts, off = np.zeros(len(times)), np.ones(len(times))
    first_of_deal = ~rows["deal_id"].duplicated().to_numpy() & (label == 1)
    closes = np.cumsum([first_of_deal[batch].sum() for batch in _batches(at)], dtype=np.int64)
    state = _State.start()
    for i, batch in enumerate(_batches(at)):
        passed = 0 if i == 0 else times[i] - times[i - 1]
        state = _update(state, z[batch], label[batch], weight[batch], float(passed) / MONTH)
        if closes[i] > 0:
            belief = np.exp(state.evidence - np.logaddexp.reduce(state.evidence))
            shifts[i], off[i] = belief @ state.mean, belief[0]
    return Drift(times, shifts, off, closes)


def first_of_month(frame: pd.DataFrame) -> pd.DataFrame:
    """Each contact's first row of each calendar month (UTC), in order of as_of and contact_id."""
    ordered = frame.sort_values(["as_of", "contact_id"], ignore_index=True)
    month = pd.to_datetime(ordered["as_of"], unit="us").dt.to_period("M")
    return ordered[~ordered.assign(month=month).duplicated(["contact_id", "month"])].reset_index(drop=True)


def overlap_weights(frame: pd.DataFrame, horizon: int) -> np.ndarray:
    """One quarter / (how many rows of the same contact there are in (as_of - horizon, as_of]), of shape (n,).

    Their windows overlap, so that one close may stand behind them all; it must not count as several.
    """
    at = frame["as_of"].to_numpy(dtype=np.int64)
    seconds = (at - at.min()) // 1_000_000
    contact = pd.factorize(frame["contact_id"])[0].astype(np.int64)
    window = horizon // 1_000_000
    key = contact * (seconds.max() + window + 1) + seconds
    ordered = np.sort(key)
    count = np.searchsorted(ordered, key, side="right") - np.searchsorted(ordered, key - window, side="right")
    return np.asarray(EVIDENCE / np.maximum(count, 1))


def corrected(probability: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Probabilities with their log-odds shifted; where the shift is 0 they stay as they are, to the last bit.

    >>> corrected(np.array([0.5, 0.1]), np.array([np.log(3), 0.0])).round(6).tolist()
    [0.75, 0.1]
    """
    out = np.array(probability, dtype=float)
    moved = (shift != 0) & ~np.isnan(out)
    odds = np.log(out[moved]) - np.log1p(-out[moved]) + shift[moved]
    out[moved] = np.exp(-np.logaddexp(0.0, -odds))
    return out


def in_words(drift: Drift, *, until: int) -> str:
    """What the correction is at an instant, in a sentence for people."""
    place = int(np.searchsorted(drift.times, until, side="right")) - 1
    if place < 0 or drift.closes[place] == 0:
        return "no drift correction: no close that the model did not learn from has matured"
    factor = float(np.exp(drift.shifts[place]))
    return (
        f"drift correction as of {from_micros(until):%Y-%m-%d}: odds × {factor:.2f}, from "
        f"{drift.closes[place]:,} matured closes; chance that there is no drift: {drift.off[place]:.0%}"
    )


@dataclass(frozen=True)
class _State:
    """Per filter: mean and variance of the shift, and the log-likelihood of what it predicted; each of shape (k,)."""

    mean: np.ndarray
    variance: np.ndarray
    evidence: np.ndarray

    @classmethod
    def start(cls) -> _State:
        moving = np.array(SPEEDS) > 0
        return cls(np.zeros(len(SPEEDS)), np.where(moving, START**2, 1e-12), np.zeros(len(SPEEDS)))


def _batches(at: np.ndarray) -> Iterator[slice]:
    """The rows of one instant after the other; `at` is sorted."""
    starts = np.flatnonzero(np.diff(at, prepend=at[0] - 1))
    for start, end in zip(starts, [*starts[1:], len(at)], strict=True):
        yield slice(int(start), int(end))


def _update(state: _State, z: np.ndarray, label: np.ndarray, weight: np.ndarray, months: float) -> _State:
    """The filters after one batch of outcomes, by Laplace's approximation: Newton's method for all at once."""
    variance = state.variance + np.array(SPEEDS) ** 2 * months
    mean = state.mean.copy()
    for _ in range(25):
        p = np.exp(-np.logaddexp(0.0, -(z + mean[:, None])))
        gradient = (label - p) @ weight - (mean - state.mean) / variance
        curvature = (p * (1 - p)) @ weight + 1 / variance
        step = np.clip(gradient / curvature, -1.0, 1.0)
        mean = mean + step
        if np.abs(step).max() < 1e-9:
            break
    odds = z + mean[:, None]
    fit = (label * odds - np.logaddexp(0.0, odds)) @ weight
    surprise = (mean - state.mean) ** 2 / variance + np.log(curvature * variance)
    return _State(mean, 1 / curvature, state.evidence + fit - surprise / 2)
