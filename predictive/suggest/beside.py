"""Today's rules, the suggestion and the model on the same later contacts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from predictive.clock import iso
from predictive.config import Config
from predictive.contest import enter, unseen
from predictive.errors import ModelError
from predictive.evaluation import Comparison, Estimate, compare
from predictive.evaluation.capacity import capacity
from predictive.model.bundle import champion
from predictive.model.calibration import fit_platt
from predictive.model.drift import corrected, follow
from predictive.model.folds import FEWEST_CLOSES, closes
from predictive.model.logistic import expit
from predictive.model.partial import of_the_rest, offset_of
from predictive.model.scoring import log_odds
from predictive.splits import TimeSplit
from predictive.tables import Tables

TODAY, SUGGESTION, MODEL = "today's rules", "the suggestion", "the model"
SHARE = 0.1
"""Without a capacity, the list that is worked holds one contact in ten."""


@dataclass(frozen=True)
class Worked:
    """Closes a week that a list of the suggestion brings, and how many more than another's list of the same length."""

    closes: Estimate
    more: Estimate


@dataclass(frozen=True)
class Beside:
    """The comparison on `n` later examples with `closes` distinct won deals, as of `first` to `last` (ISO 8601).

    `worked` holds, by competitor, the closes a week among `per_week` contacts, with how many more the suggestion finds.
    """

    comparison: Comparison
    n: int
    closes: int
    first: str
    last: str
    per_week: int
    worked: Mapping[str, Worked]

    @property
    def verdicts(self) -> list[str]:
        """One sentence for each other competitor."""
        return [self.comparison.verdict(SUGGESTION, other) for other in self.worked if other != SUGGESTION]

    def as_dict(self) -> dict[str, Any]:
        """What `--json` prints."""
        names = ("n", "closes", "first", "last", "per_week", "verdicts")
        worked = {n: {"closes": w.closes.as_dict(), "more": w.more.as_dict()} for n, w in self.worked.items()}
        return {name: getattr(self, name) for name in names} | self.comparison.as_dict() | {"worked": worked}


def calibrated(learn: pd.DataFrame, later: pd.DataFrame, column: str, split: TimeSplit) -> np.ndarray:
    """The probability (n,) of each later example for its points: fitted on `learn`, its level corrected as it matures.

    As :mod:`predictive.judging` does it for every competitor.
    """
    label, scored = (learn[name].to_numpy(dtype=float) for name in ("label", column))
    p = expit(fit_platt(label, scored, offset_of(learn)).apply(later[column].to_numpy(dtype=float)))
    rest = of_the_rest(log_odds(p), offset_of(later))
    drift = follow(later.assign(log_odds=rest), split.horizon)
    return corrected(p, drift.at(later["as_of"].to_numpy()))


def put_beside(test: pd.DataFrame, probabilities: Mapping[str, np.ndarray], config: Config, *, seed: int) -> Beside:
    """Compare probabilities (n,) by competitor, :data:`SUGGESTION` among them, on the test examples."""
    found = compare(
        test["label"].to_numpy(),
        dict(probabilities),
        groups=test["cluster"].to_numpy(),
        seed=seed,
        baseline=SUGGESTION,
        closes=closes(test),
    )
    per_week = _per_week(test) if config.capacity is None else config.capacity.per_week
    at = test["as_of"]
    return Beside(
        found, len(test), closes(test), iso(int(at.min())), iso(int(at.max())), per_week,
        _worked(test, probabilities, per_week, seed),
    )  # fmt: skip


def model_of(
    con: Any, tables: Tables, config: Config, test: pd.DataFrame, progress: Callable[[str], None]
) -> tuple[np.ndarray | None, str | None]:
    """The champion's probability (n,) of each test example, NaN where it has learned from it; or why there is none."""
    path: Path | None = champion(config.models)
    if path is None:
        return None, "there is no champion to compare with; train one: predictive train CONFIG"
    try:
        entry = enter(MODEL, path)
        if entry.bundle.horizon != config.horizon_micros:
            return None, "the champion predicts another horizon, so it is not compared"
        progress("scoring with the model")
        found, _ = unseen(con, tables, config, entry, test)
    except ModelError as error:
        return None, f"the champion is not compared: {error}"
    known = np.isfinite(found)
    if closes(test[known]) < FEWEST_CLOSES:
        return None, (
            f"the champion is not compared: of the later contacts it has not learned from, {closes(test[known])} "
            f"closed, and {FEWEST_CLOSES} are needed"
        )
    return found, None


def _per_week(test: pd.DataFrame) -> int:
    at = np.unique(test["as_of"].to_numpy())
    week = 7 * 86_400_000_000
    step = float(np.median(np.diff(at))) if len(at) > 1 else float(week)
    weeks = float(at[-1] - at[0] + step) / week
    return max(1, round(SHARE * test["contact_id"].nunique() / weeks))


def _worked(test: pd.DataFrame, probabilities: Mapping[str, np.ndarray], per_week: int, seed: int) -> dict[str, Worked]:
    rows = test.reset_index(drop=True)
    own = probabilities[SUGGESTION]
    out = {}
    for name, p in probabilities.items():
        found = capacity(rows.assign(probability=own, rule_score=p), per_week=per_week, seed=seed)
        if found is not None:
            out[name] = Worked(found.rules.closes, found.advantage)
    return out
