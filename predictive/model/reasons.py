"""Reasons: what speaks for and against a contact, in words, adding up to its score in log-odds.

The parts are those of the model before calibration; what calibration and drift correction add is one line, "level",
together with the model's constant. Features of one signal (five windows of page views) are one reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from predictive.features.catalog import Feature
from predictive.features.words import phrase
from predictive.model.scoring import log_odds
from predictive.model.side import SideModel

SHOWN = 3
"""How many reasons for, and how many against, are written out; the others are one line, "the rest"."""


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
    features = model.encoder.features
    signals = tuple(dict.fromkeys(f.signal for f in features))
    contributions = model.contributions(frame)
    parts = np.zeros((len(frame), len(signals)))
    lead = np.zeros((len(frame), len(signals)), dtype=np.int64)
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
    values = {f.name: frame[f.name].to_numpy(dtype=object) for f in features}
    order = np.argsort(-np.abs(reasons.parts), axis=1, kind="stable")
    lines = []
    for row in range(len(frame)):
        parts = reasons.parts[row]
        told = {
            "for": [i for i in order[row] if parts[i] > 0.005][:SHOWN],
            "against": [i for i in order[row] if parts[i] < -0.005][:SHOWN],
        }
        texts = []
        for side, chosen in told.items():
            said = [_said(features[reasons.lead[row, i]], values, row, float(parts[i])) for i in chosen]
            texts += [f"{side}: " + ", ".join(said)] if said else []
        rest = float(parts.sum() - sum(parts[i] for chosen in told.values() for i in chosen))
        lines.append("; ".join([*texts, f"the rest ({rest:+.2f})", f"level ({reasons.level[row]:+.2f})"]))
    return lines


def _said(feature: Feature, values: dict[str, np.ndarray], row: int, part: float) -> str:
    value = values[feature.name][row]
    return f"{phrase(feature, None if pd.isna(value) else value)} ({part:+.2f})"
