r"""The chance that at least one of several contacts closes, given the chance of each.

Each chance p is exact for its contact; what is not known is how much colleagues share their luck. With the hazards
:math:`h = -\log(1 - p)`, the chance is :math:`1 - \exp(-(\sum h^{1/\theta})^\theta)`: contacts share a positive stable
frailty (Hougaard 1986, doi:10.1093/biomet/73.2.387; the Gumbel copula of their survivals). :math:`\theta = 1` is
independence, :math:`1 - \prod(1 - p)`; towards 0 all stand and fall with the likeliest, max p; Kendall's tau is
:math:`1 - \theta`. Whatever the dependence, the chance lies from max p to min(1, sum p) (Boole, Fréchet).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from predictive.evaluation.tally import Vector

Codes = NDArray[np.intp]
FEWEST_CLOSES = 20
"""Accounts of several contacts that must have closed before their likeness can be told."""
GRID = np.linspace(0.05, 1.0, 96)
WITHIN = 1.92
"""How far below its best the log-likelihood may lie within a 95 % interval: half of the chi-squared quantile 3.84."""
LEAST = 1e-12


@dataclass(frozen=True)
class Together:
    """How much colleagues share their luck, by maximum likelihood on past accounts of several contacts.

    `theta` is 1 where they do not, and nears 0 where they stand and fall together; `low` and `high` bound it at 95 %
    (profile likelihood). It is None, and `unknown` says why, where too few of the `accounts` have `closed`. `level` is
    how many times as many contacts closed as were predicted: what is left of it after that is dependence.
    """

    theta: float | None
    low: float | None
    high: float | None
    accounts: int
    closed: int
    level: float | None
    unknown: str | None = None


def at_least_one(probabilities: Vector, codes: Codes, theta: float = 1.0) -> Vector:
    """The chance that at least one contact of each account closes, (accounts,).

    Args:
        probabilities: (n,), from 0 to 1.
        codes: (n,), the account of each as a number from 0, none left out.
        theta: in (0, 1]; 1 is independence.

    >>> p, codes = np.array([0.5, 0.5, 0.2]), np.array([0, 0, 1])
    >>> [at_least_one(p, codes, t).round(3).tolist() for t in (1.0, 0.01)]
    [[0.75, 0.2], [0.502, 0.2]]
    """
    chance: Vector = -np.expm1(-_hazard(_hazards(probabilities), codes, theta))
    return chance


def bounds(probabilities: Vector, codes: Codes) -> tuple[Vector, Vector]:
    """The lowest and the highest chance that any dependence allows: max p and min(1, sum p), (accounts,) each.

    >>> [b.tolist() for b in bounds(np.array([0.5, 0.75]), np.array([0, 0]))]
    [[0.75], [1.0]]
    """
    size = int(codes.max()) + 1 if len(codes) else 0
    most = np.zeros(size)
    np.maximum.at(most, codes, probabilities)
    return most, np.minimum(1.0, np.bincount(codes, probabilities, size))


def measure(matured: pd.DataFrame) -> Together:
    """How much colleagues share their luck, from scores whose horizon is over.

    `matured` has a row per score: `account` (an account at one time), `probability`, `label` (1: closed within the
    horizon). Accounts with one contact say nothing.
    """
    several = matured.groupby("account")["label"].transform("size") > 1 if len(matured) else matured["label"] > 1
    rows = matured[several]
    codes = np.unique(rows["account"].to_numpy(dtype=str), return_inverse=True)[1].astype(np.intp)
    label, p = rows["label"].to_numpy(dtype=float), rows["probability"].to_numpy(dtype=float)
    closed = np.bincount(codes, label) > 0 if len(codes) else np.zeros(0, dtype=bool)
    if closed.sum() < FEWEST_CLOSES:
        why = f"{int(closed.sum())} past accounts of several contacts have closed; it takes {FEWEST_CLOSES}"
        return Together(None, None, None, len(closed), int(closed.sum()), None, why)
    # A level that is off would be taken for dependence: it is put right first.
    level = float(label.sum() / p.sum())
    fits = np.array(list(_log_likelihoods(_hazards(p) * level, codes, closed)))
    good = GRID[fits >= fits.max() - WITHIN]
    return Together(float(GRID[fits.argmax()]), float(good[0]), float(good[-1]), len(closed), int(closed.sum()), level)


def _log_likelihoods(hazards: Vector, codes: Codes, closed: NDArray[Any]) -> Iterator[float]:
    for theta in GRID:
        hazard = _hazard(hazards, codes, float(theta))
        yield float(np.where(closed, np.log(-np.expm1(-hazard)), -hazard).sum())


def _hazards(probabilities: Vector) -> Vector:
    found: Vector = -np.log1p(-np.clip(probabilities, LEAST, 1 - LEAST))
    return found


def _hazard(hazards: Vector, codes: Codes, theta: float) -> Vector:
    """(sum of h^(1/theta))^theta per account, scaled by its largest so that no power vanishes."""
    size = int(codes.max()) + 1 if len(codes) else 0
    largest = np.zeros(size)
    np.maximum.at(largest, codes, hazards)
    shares = np.bincount(codes, (hazards / largest[codes]) ** (1 / theta), size)
    found: Vector = largest * shares**theta
    return found
