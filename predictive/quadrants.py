"""Fit × interest, tiers and overrides: from probabilities to what people do about them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from predictive.tables import TIERS

TIER_LIFTS = (4.0, 2.0, 1.0)
ACTIONS = {
    "pursue": "sales calls within 24 hours",
    "nurture": "marketing educates until interest grows",
    "opportunistic": "one low-cost follow-up by a rep",
    "disengage": "out of the communication flow",
    "unknown": "work by tier: one axis could not be judged",
}


@dataclass(frozen=True)
class Cuts:
    """Where classes begin, as probabilities: kept in the bundle, so that they do not move when the mix does.

    `tiers` holds the lowest probability of very high, high and medium. `fit` and `interest` are the cuts of the axes;
    high is strictly above.
    """

    base_rate: float
    tiers: tuple[float, float, float]
    fit: float
    interest: float


def cuts_at(base_rate: float) -> Cuts:
    """The default cuts: each axis at the training base rate, tiers at 4, 2 and 1 times it.

    >>> cuts_at(0.03).tiers
    (0.12, 0.06, 0.03)
    """
    tiers = tuple(lift * base_rate for lift in TIER_LIFTS)
    return Cuts(base_rate, (tiers[0], tiers[1], tiers[2]), base_rate, base_rate)


def quadrant(fit: np.ndarray, interest: np.ndarray, cuts: Cuts) -> np.ndarray:
    """The quadrant of each contact; unknown where an axis is NaN.

    >>> quadrant(np.array([0.1, 0.1, 0.0, 0.0, 0.1]), np.array([0.1, 0.0, 0.1, 0.0, np.nan]), cuts_at(0.03)).tolist()
    ['pursue', 'nurture', 'opportunistic', 'disengage', 'unknown']
    """
    high = 2 * (fit > cuts.fit).astype(int) + (interest > cuts.interest).astype(int)
    names = np.array(["disengage", "opportunistic", "nurture", "pursue"], dtype=object)[high]
    return np.asarray(np.where(np.isnan(fit) | np.isnan(interest), "unknown", names))


def tier(probability: np.ndarray, cuts: Cuts) -> np.ndarray:
    """The tier of each contact.

    >>> tier(np.array([0.12, 0.06, 0.03, 0.01]), cuts_at(0.03)).tolist()
    ['very high', 'high', 'medium', 'low']
    """
    below = sum((probability < cut).astype(int) for cut in cuts.tiers)
    return np.asarray(np.array(TIERS, dtype=object)[below])
