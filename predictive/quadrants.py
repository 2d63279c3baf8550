"""Fit × interest, its grid and tiers: from probabilities to classes that people work with."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from predictive.config import Config
from predictive.errors import ModelError
from predictive.spread import Spread
from predictive.tables import TIERS

TIER_LIFTS = (4.0, 2.0, 1.0)


@dataclass(frozen=True)
class Cuts:
    """Where classes begin, as probabilities: kept in the bundle, so that they do not move when the mix does.

    `tiers` holds the lowest probability of very high, high and medium. `fit` and `interest` are the cuts of the axes;
    high is strictly above. `fit_grid` and `interest_grid` are the lines of the grid above and below them, if any.
    """

    base_rate: float
    tiers: tuple[float, float, float]
    fit: float
    interest: float
    fit_grid: tuple[float, float] | None = None
    interest_grid: tuple[float, float] | None = None


def cuts_at(base_rate: float) -> Cuts:
    """The default cuts: each axis at the training base rate, tiers at 4, 2 and 1 times it.

    >>> cuts_at(0.03).tiers
    (0.12, 0.06, 0.03)
    """
    tiers = tuple(lift * base_rate for lift in TIER_LIFTS)
    return Cuts(base_rate, (tiers[0], tiers[1], tiers[2]), base_rate, base_rate)


def cuts_of(trained: Cuts, spread: Spread | None, config: Config) -> Cuts:
    """The cuts in force: those of a training (`trained`), with axes and grid as configured.

    `spread` is what the training kept of its newest contacts: shares and capacity are read off it, so that a contact's
    quadrant depends on no other contact of the night. Raises :class:`~predictive.errors.ModelError` where it is needed
    and None, as in bundles of earlier versions.
    """
    chosen = config.quadrants
    if chosen.by == "lift":
        cuts = {axis: lift * trained.base_rate for axis, lift in chosen.lines.items()}
    else:
        if spread is None:
            raise ModelError(
                f"quadrants: by: {chosen.by} reads its cuts off the scores of training, which this model's bundle does "
                "not hold: it was trained before they were kept. Train again, or cut by lift"
            )
        if chosen.by == "share":
            cuts = {axis: spread.cut(axis, share=share) for axis, share in chosen.lines.items()}
        else:
            capacity = config.capacity
            assert capacity is not None  # noqa: S101 - the configuration was refused otherwise
            cuts = dict.fromkeys(("fit", "interest"), spread.cut("both", contacts=capacity.per_week))
    found = replace(trained, fit=cuts["fit"], interest=cuts["interest"])
    if chosen.grid is None:
        return found
    lines = {axis: _lines(axis, getattr(chosen.grid, axis), cuts[axis], trained, spread, config) for axis in cuts}
    return replace(found, fit_grid=lines["fit"], interest_grid=lines["interest"])


def _lines(
    axis: str, given: tuple[float, float], cut: float, trained: Cuts, spread: Spread | None, config: Config
) -> tuple[float, float]:
    """The lines of the grid as probabilities; they never cross the cut between them."""
    if config.quadrants.by == "share" and spread is not None:
        upper, lower = (spread.cut(axis, share=share) for share in given)
    else:
        upper, lower = (x * (trained.base_rate if config.quadrants.by == "lift" else cut) for x in given)
    return max(upper, cut), min(lower, cut)


def quadrant(fit: np.ndarray, interest: np.ndarray, cuts: Cuts) -> np.ndarray:
    """The quadrant of each contact; unknown where an axis is NaN.

    >>> quadrant(np.array([0.1, 0.1, 0.0, 0.0, 0.1]), np.array([0.1, 0.0, 0.1, 0.0, np.nan]), cuts_at(0.03)).tolist()
    ['pursue', 'nurture', 'opportunistic', 'disengage', 'unknown']
    """
    high = 2 * (fit > cuts.fit).astype(int) + (interest > cuts.interest).astype(int)
    names = np.array(["disengage", "opportunistic", "nurture", "pursue"], dtype=object)[high]
    return np.asarray(np.where(np.isnan(fit) | np.isnan(interest), "unknown", names))


def cell(fit: np.ndarray, interest: np.ndarray, cuts: Cuts) -> np.ndarray:
    """The cell of each contact, A1 to D4; None where there is no grid or an axis is NaN.

    The middle line of the grid is the cut of the quadrant, so that cells collapse to quadrants.

    >>> cuts = replace(cuts_at(0.03), fit_grid=(0.06, 0.01), interest_grid=(0.06, 0.01))
    >>> cell(np.array([0.07, 0.04, 0.02, np.nan]), np.array([0.0, 0.04, 0.9, 0.9]), cuts).tolist()
    ['A4', 'B2', 'C1', None]
    """
    if cuts.fit_grid is None or cuts.interest_grid is None:
        return np.full(len(fit), None, dtype=object)
    letters = np.array(list("DCBA"), dtype=object)[_steps(fit, cuts.fit_grid, cuts.fit)]
    digits = np.array(list("4321"), dtype=object)[_steps(interest, cuts.interest_grid, cuts.interest)]
    return np.asarray(np.where(np.isnan(fit) | np.isnan(interest), None, letters + digits))


def _steps(values: np.ndarray, lines: tuple[float, float], cut: float) -> np.ndarray:
    """How many of the three lines each value is strictly above."""
    return np.asarray(sum((values > line).astype(int) for line in (*lines, cut)))


def tier(probability: np.ndarray, cuts: Cuts) -> np.ndarray:
    """The tier of each contact.

    >>> tier(np.array([0.12, 0.06, 0.03, 0.01]), cuts_at(0.03)).tolist()
    ['very high', 'high', 'medium', 'low']
    """
    below = sum((probability < cut).astype(int) for cut in cuts.tiers)
    return np.asarray(np.array(TIERS, dtype=object)[below])
