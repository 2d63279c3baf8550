"""The holdout apart: whether scores are true where nobody acts on them, and what the actions add."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from predictive.evaluation import Estimate
from predictive.evaluation.closed import Closed, closed, difference
from predictive.evaluation.intervals import plain


@dataclass(frozen=True)
class Effect:
    """What became of contacts that the actions reach (`others`) and of the `holdout`, `among` all or those to pursue.

    Each contact counts once, by its first score. The holdout is drawn by lot, so the `difference` of the close rates,
    others less holdout, is the effect of the actions and nothing else, within its interval.
    """

    among: str
    others: Closed
    holdout: Closed
    difference: Estimate

    def as_dict(self) -> dict[str, Any]:
        """The fields as JSON knows them; NaN becomes None."""
        return {name: plain(value) for name, value in asdict(self).items()}

    @property
    def in_words(self) -> str:
        """A sentence for RevOps."""
        rates = f"others closed {self.others.in_words}, the holdout {self.holdout.in_words}"
        if self.holdout.n == 0 or self.others.n == 0:
            return f"{self.among}: {rates}: nothing to compare"
        d = self.difference
        luck = "it could be luck" if d.low <= 0 <= d.high else "luck is unlikely"
        points = f"{100 * d.value:+.1f} points ({100 * d.low:+.1f} to {100 * d.high:+.1f})"
        return f"{self.among}: {rates}; effect of the actions {points}: {luck}"


def effects(frame: pd.DataFrame) -> tuple[Effect, ...]:
    """The effect of the actions among all contacts and among those to pursue; none where there is no holdout.

    `frame` holds matured scores: `contact_id`, `as_of`, `label`, `cluster`, `quadrant` and `holdout` (boolean).
    """
    if frame.empty or not frame["holdout"].any():
        return ()
    first = frame.sort_values("as_of", kind="stable").drop_duplicates("contact_id")
    chosen = first[first["quadrant"].eq("pursue")]
    return tuple(_effect(name, rows) for name, rows in (("all", first), ("pursue", chosen)))


def _effect(among: str, rows: pd.DataFrame) -> Effect:
    held = rows["holdout"].to_numpy(dtype=bool)
    others, holdout = (closed(rows.loc[mine, "label"], rows.loc[mine, "cluster"]) for mine in (~held, held))
    return Effect(among, others, holdout, difference(others, holdout))
