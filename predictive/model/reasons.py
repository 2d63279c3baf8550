"""Reasons: what speaks for and against a contact, in words, adding up to its score in log-odds.

The parts are those of the model before calibration; what calibration and drift correction add is one line, "level",
together with the model's constant. Features of one signal (five windows of page views) are one reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from predictive.features.catalog import Feature
from predictive.features.words import alike, phrase
from predictive.model.scoring import log_odds
from predictive.model.side import SideModel

SHOWN = 3
"""How many reasons for, and how many against, are written out; the others are one line, "the rest"."""
SMALLEST = 0.005
"""Log-odds at or below which a part is not told by itself: it would read as nothing."""


@dataclass(frozen=True)
class Reasons:
    """`parts` (n, signals): each signal's part of the log-odds; `level` (n,): what is left to the score's log-odds."""

    signals: tuple[str, ...]
    parts: np.ndarray
    level: np.ndarray
    lead: np.ndarray
    """(n, signals): position of the feature that contributes most to the signal, and gives it its words."""


def find_reasons(model: SideModel, frame: pd.DataFrame, probability: np.ndarray) -> Reasons:
    """The parts of every row of `frame`, whose written probability (n,) they and the level sum up to."""
    return reasons_in(model.contributions(frame), model.encoder.features, probability)


def reasons_in(contributions: np.ndarray, features: Sequence[Feature], probability: np.ndarray) -> Reasons:
    """The same, of the contributions (n, features) that the model gives."""
    signals = tuple(dict.fromkeys(f.signal for f in features))
    parts = np.zeros((len(contributions), len(signals)))
    lead = np.zeros(parts.shape, dtype=np.int64)
    for i, signal in enumerate(signals):
        members = np.array([j for j, f in enumerate(features) if f.signal == signal])
        mine = contributions[:, members]
        parts[:, i] = mine.sum(axis=1)
        # The feature that pulls most in the direction of the whole signal speaks for it.
        lead[:, i] = members[np.argmax(mine * np.where(parts[:, [i]] >= 0, 1, -1), axis=1)]
    return Reasons(signals, parts, log_odds(probability) - parts.sum(axis=1), lead)


def in_words(reasons: Reasons, features: Sequence[Feature], frame: pd.DataFrame) -> list[str]:
    """One line per row: the strongest reasons for and against with their log-odds, the rest, and the level.

    For example "for: page view /pricing: 3 in 30 days (+0.81); against: industry: retail (-0.33); the rest (+0.10);
    level (-3.20)".
    """
    rest = reasons.parts.sum(axis=1)
    sides: list[Any] = []
    for side, sign in (("for", 1), ("against", -1)):
        ranks = _strongest(reasons.parts, sign)
        for rank, place in enumerate(ranks):
            there = np.flatnonzero(place >= 0)
            parts, lead = (values[there, place[there]] for values in (reasons.parts, reasons.lead))
            rest[there] -= parts
            said = [", " if rank else f"{side}: ", _phrases(features, frame, there, lead), " ", _amounts(parts)]
            sides.append(_spread(_together(said), there, len(frame)))
        sides.append(pc.if_else(pa.array(ranks[0] >= 0), "; ", ""))
    ends = ["the rest ", _amounts(rest), "; level ", _amounts(reasons.level)]
    lines: list[str] = _together([*sides, *ends]).to_pylist()
    return lines


def _spread(texts: pa.Array, rows: np.ndarray, length: int) -> pa.Array:
    """The texts (k,) in these rows (k,) of `length`, and nothing in the others."""
    place = np.full(length, -1)
    place[rows] = np.arange(len(rows))
    return texts.take(pa.array(place, mask=place < 0)).fill_null("")


def _strongest(parts: np.ndarray, sign: int) -> list[np.ndarray]:
    """The positions (n,) of the strongest part of this sign in each row, of the second and so on; -1 where none is."""
    left = parts * sign
    rows, found = np.arange(len(parts)), []
    for _ in range(min(SHOWN, parts.shape[1])):
        best = left.argmax(axis=1)
        found.append(np.where(left[rows, best] > SMALLEST, best, -1))
        left[rows, best] = -np.inf
    return found


def _phrases(features: Sequence[Feature], frame: pd.DataFrame, rows: np.ndarray, lead: np.ndarray) -> pa.Array:
    """The words for feature `lead` (k,) with its value in these rows (k,): each feature and value is put once."""
    out = np.empty(len(rows), dtype=object)
    order = np.argsort(lead, kind="stable")
    for which in np.split(order, np.flatnonzero(np.diff(lead[order])) + 1) if len(rows) else ():
        feature = features[lead[which[0]]]
        codes, values = pd.factorize(alike(feature, frame[feature.name].iloc[rows[which]].to_numpy()))
        words = [phrase(feature, value) for value in values]
        # A missing value has the code -1, which is the last place.
        words += [phrase(feature, None)] if (codes < 0).any() else []
        out[which] = np.array(words, dtype=object)[codes]
    return pa.array(out, pa.string())


def _amounts(values: np.ndarray) -> pa.Array:
    """Numbers as "(+0.81)", each different one put once."""
    cents, codes = np.unique(np.rint(values * 100).astype(np.int64), return_inverse=True)
    return pa.array([f"({cent / 100:+.2f})" for cent in cents], pa.string()).take(pa.array(codes))


def _together(parts: Sequence[Any]) -> pa.Array:
    """Texts, one after another; an array where any of them is one."""
    return pc.binary_join_element_wise(*parts, "")
