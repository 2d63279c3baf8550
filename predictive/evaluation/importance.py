"""What the model goes by: Shapley and permutation importance, per feature and per side, with their spread over time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd

PARTS = 3
ROWS = 2_000
TOGETHER = 4
"""Groups of columns whose shuffled rows go to the model at once."""
SIDES = ("fit", "interest", "context")


class Named(Protocol):
    """What importance needs to know of a feature."""

    @property
    def name(self) -> str:
        """Its column."""

    @property
    def description(self) -> str:
        """What it is, in words."""

    @property
    def side(self) -> str:
        """fit, interest or context."""


class Model(Protocol):
    """What importance needs of a model: probabilities (n,), and parts of the log-odds (n, features), for a frame."""

    def probability(self, frame: pd.DataFrame) -> np.ndarray:
        """Probabilities of shape (n,)."""

    def contributions(self, frame: pd.DataFrame) -> np.ndarray:
        """Each feature's part of the log-odds, of shape (n, features)."""


@dataclass(frozen=True)
class Spread:
    """A number over all rows, and its smallest and largest value over parts of the time."""

    value: float
    least: float
    most: float


@dataclass(frozen=True)
class Importance:
    """How much a feature (or a side) matters.

    `mean` is the mean absolute Shapley value: how far it moves the log-odds of an example, up or down. `shapley` is the
    same with its spread. `permutation` is what the log loss rises by when the values are shuffled among the examples of
    the same time: what the model would lose without it, near 0 where other features say the same (Breiman 2001,
    doi:10.1023/A:1010933404324; Lundberg & Lee 2017, arXiv:1705.07874).
    """

    name: str
    description: str
    side: str
    mean: float
    shapley: Spread
    permutation: Spread

    def as_dict(self) -> dict[str, Any]:
        """The fields, for JSON."""
        return asdict(self)


def importance(
    model: Model, features: Sequence[Named], frame: pd.DataFrame, *, seed: int
) -> tuple[tuple[Importance, ...], tuple[Importance, ...]]:
    """Per feature and per side, the largest mean first, on at most 2,000 rows of `frame` (`as_of`, `label`, features).

    Rows are cut into three parts of time with about equally many rows; the spread is over those.
    """
    rows = frame.sample(min(len(frame), ROWS), random_state=seed).sort_values(["as_of"], kind="stable")
    part = np.minimum(np.arange(len(rows)) * PARTS // max(len(rows), 1), PARTS - 1)
    parts, random = model.contributions(rows), np.random.default_rng(seed)
    label = rows["label"].to_numpy(dtype=float)
    # Within a part of time, so that a change of the market is not mistaken for one of the feature.
    order = np.lexsort((random.random(len(rows)), part))
    base = _losses(model.probability(rows), label)

    of_side = {side: [i for i, f in enumerate(features) if f.side == side] for side in SIDES}
    looked_at = [[i] for i in range(len(features))] + [columns for columns in of_side.values() if columns]
    rises = _rises(model, rows, [[features[i].name for i in columns] for columns in looked_at], order, label, base)

    def of(name: str, description: str, side: str, columns: list[int], rise: np.ndarray) -> Importance:
        shap = np.abs(parts[:, columns].sum(axis=1))
        return Importance(name, description, side, float(shap.mean()), _spread(shap, part), _spread(rise, part))

    each = [of(f.name, f.description, f.side, [i], rises[i]) for i, f in enumerate(features)]
    found = [side for side, columns in of_side.items() if columns]
    sides = [
        of(side, f"all features of {side}", side, of_side[side], rise)
        for side, rise in zip(found, rises[len(features) :], strict=True)
    ]
    return _ordered(each), _ordered(sides)


def _rises(
    model: Model, rows: pd.DataFrame, groups: list[list[str]], order: np.ndarray, label: np.ndarray, base: np.ndarray
) -> list[np.ndarray]:
    """For each group of columns how much each row's loss rises when they are shuffled together: (n,) each.

    Several groups go to the model in one frame, since most of what a small frame costs is the same for a large one.
    """
    found: list[np.ndarray] = []
    for start in range(0, len(groups), TOGETHER):
        moved = [rows.assign(**{n: rows[n].array.take(order) for n in g}) for g in groups[start : start + TOGETHER]]
        p = model.probability(pd.concat(moved, ignore_index=True))
        found += [_losses(q, label) - base for q in np.split(p, len(moved))]
    return found


def _ordered(found: Iterable[Importance]) -> tuple[Importance, ...]:
    return tuple(sorted(found, key=lambda i: -i.mean))


def _spread(values: np.ndarray, part: np.ndarray) -> Spread:
    means = [float(values[part == k].mean()) for k in np.unique(part)]
    return Spread(float(values.mean()), min(means), max(means))


def _losses(p: np.ndarray, label: np.ndarray) -> np.ndarray:
    p = np.clip(p, 1e-15, 1 - 1e-15)
    return np.asarray(-(label * np.log(p) + (1 - label) * np.log1p(-p)))
