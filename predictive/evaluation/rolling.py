"""Rolling origins: the same recipe fitted again and again as time went on, each time judged on what came next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from predictive.clock import iso
from predictive.evaluation.intervals import Estimate, evaluate, plain
from predictive.model.thinned import sample

FEWEST_CLOSES = 20
ORIGINS = 4
REPLICATES = 100
METRICS = ("log_loss", "brier", "roc_auc", "calibration_in_large", "lift_at_10")


@dataclass(frozen=True)
class Origin:
    """One origin: learned from what had matured at `at`, judged on the `n` examples from then until the next origin.

    Times are ISO 8601; `learned` and `closes` are distinct won deals learned from and judged on; `values` holds the
    metrics of :data:`METRICS` with their intervals.
    """

    at: str
    until: str
    learned: int
    n: int
    closes: int
    values: dict[str, Estimate]

    def as_dict(self) -> dict[str, Any]:
        """The fields as JSON knows them; NaN becomes None."""
        return {name: plain(value) for name, value in asdict(self).items()}


def rolling(
    frame: pd.DataFrame,
    fit: Callable[[pd.DataFrame], Callable[[pd.DataFrame], np.ndarray]],
    *,
    horizon: int,
    seed: int,
) -> tuple[Origin, ...]:
    """Refit at up to four origins with about equally many closes after each; empty where the history is too short.

    Args:
        frame: mature examples: `as_of` (microseconds), `label`, `deal_id`, `cluster`, and what `fit` needs.
        fit: takes rows to learn from, and returns what gives rows their probabilities (n,).
        horizon: in microseconds. A row is learned from at an origin only if its whole horizon had passed by then, and
            only where 20 closes remain.
        seed: makes the intervals' resamples.
    """
    cuts = origins(frame, horizon)
    found = []
    for at, until in zip(cuts, [*cuts[1:], int(frame["as_of"].max()) + 1] if cuts else [], strict=True):
        learn, judged = _parts(frame, at, until, horizon)
        p = fit(learn)(judged)
        measured = evaluate(
            judged["label"].to_numpy(), p, groups=judged["cluster"].to_numpy(), seed=seed, replicates=REPLICATES,
            closes=int(judged["deal_id"].nunique()),
        )  # fmt: skip
        values = {name: measured.values[name] for name in METRICS}
        learned = int(learn["deal_id"].nunique())
        found.append(Origin(iso(at), iso(int(judged["as_of"].max())), learned, len(judged), measured.closes, values))
    return tuple(found)


def origins(frame: pd.DataFrame, horizon: int) -> list[int]:
    """The as-ofs to refit at, in microseconds, ascending: see :func:`rolling`."""
    at = frame["as_of"].to_numpy()
    times = np.unique(at)
    ready = [t for t in times if frame.loc[at + horizon <= t, "deal_id"].nunique() >= FEWEST_CLOSES][:1]
    if not ready:
        return []
    won = np.sort(at[(frame["label"].to_numpy() == 1) & (at >= ready[0])])
    parts = min(ORIGINS, len(won) // FEWEST_CLOSES)
    starts = {int(ready[0]), *(int(won[len(won) * i // parts]) for i in range(1, parts))} if parts else set()
    return sorted(starts)


def _parts(frame: pd.DataFrame, at: int, until: int, horizon: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    as_of = frame["as_of"]
    return frame[as_of + horizon <= at], sample(frame[(as_of >= at) & (as_of < until)])
