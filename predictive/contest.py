"""Models against each other on what none of them has learned from: who won, by how much, and could it be luck?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from predictive.clock import format_duration, instant, iso, parse_instant
from predictive.config import Config
from predictive.errors import ModelError
from predictive.evaluation import Comparison, compare
from predictive.features.examples import examples, share_to_keep
from predictive.insight import market, months
from predictive.model.bundle import Bundle, load_bundle
from predictive.model.folds import FEWEST_CLOSES, closes
from predictive.model.thinned import sample
from predictive.scores import check_features, features_of
from predictive.splits import observed_until
from predictive.tables import Tables

BLOCK = 50_000


@dataclass(frozen=True)
class Entry:
    """A model in a contest: the name that it is called by, its bundle and where that lies."""

    name: str
    path: Path
    bundle: Bundle

    @property
    def judged_from(self) -> int:
        """The first instant (microseconds) that the model of the test part knew nothing of."""
        return min(self._known("judged"), _micros(self.bundle.report["split"]["test_from"]))

    @property
    def shipped_from(self) -> int:
        """The first instant (microseconds) that the model that scores knew nothing of."""
        return min(self._known("shipped"), _micros(self.bundle.report["split"]["observed_until"]) + 1)

    def _known(self, part: str) -> int:
        return _micros(self.bundle.report[part]["until"]) + self.bundle.horizon


@dataclass(frozen=True)
class Contest:
    """Models compared on `n` examples with `closes` distinct won deals, as of `first` to `last` (ISO 8601).

    `refitted` counts, per model, the examples whose probability is that of its test part: the same recipe, fitted on
    less. The others were scored now by the model that scores. `notes` say what the intervals do not know.
    """

    comparison: Comparison
    n: int
    closes: int
    first: str
    last: str
    refitted: dict[str, int]
    notes: tuple[str, ...]

    @property
    def verdicts(self) -> list[str]:
        """One sentence for each pair: who won on log loss, by how much, and whether it could be luck."""
        return [self.comparison.verdict(a, b) for a, b in combinations(self.comparison.evaluations, 2)]

    def as_dict(self) -> dict[str, Any]:
        """What `--json` prints."""
        names = ("n", "closes", "first", "last", "refitted", "verdicts", "notes")
        own = {name: getattr(self, name) for name in names}
        return own | self.comparison.as_dict()


def enter(name: str, path: Path) -> Entry:
    """Load a bundle for a contest. Raises :class:`~predictive.errors.ModelError`: there is none, or it was altered."""
    return Entry(name, path, load_bundle(path))


def contest(
    con: Any,
    tables: Tables,
    config: Config,
    entries: Sequence[Entry],
    *,
    now: int,
    progress: Callable[[str], None] = lambda _: None,
) -> Contest:
    """Compare two models or more on the mature examples that are later than the training of each of them.

    Where the model that scores has learned from an example's time already, the probability that its recipe gave the
    example in the test part is taken, which was fitted before; an example that has neither for one of the models is
    left out for all. `con` is the working database that `tables` live in.

    Raises:
        ModelError: A model is in it twice, horizons differ, or fewer than 20 closes remain.
    """
    _check(entries, config)
    first = max(e.judged_from for e in entries)
    last = observed_until(tables, config, now) - config.horizon_micros
    progress("finding the examples later than both trainings")
    share = share_to_keep(tables, config, first, last)
    frame = sample(examples(tables, config, (), first=first, last=last, share=share).frame).reset_index(drop=True)
    probabilities, refitted = {}, {}
    for entry in entries:
        progress(f"scoring with {entry.name}")
        probabilities[entry.name], refitted[entry.name] = unseen(con, tables, config, entry, frame)
    table = np.stack(list(probabilities.values()), axis=1) if len(frame) else np.empty((0, len(entries)))
    shared = np.isfinite(table).all(axis=1)
    rows = frame.iloc[np.flatnonzero(shared)]
    if closes(rows) < FEWEST_CLOSES:
        raise ModelError(_too_few(entries, rows, first, last))
    comparison = compare(
        rows["label"].to_numpy(),
        {name: p[shared] for name, p in probabilities.items()},
        groups=rows["cluster"].to_numpy(),
        seed=config.model.seed,
        baseline=entries[0].name,
        closes=closes(rows),
    )
    counts = {name: int(mine[shared].sum()) for name, mine in refitted.items()}
    at = rows["as_of"]
    notes = tuple(market(months(at, config.timezone)))
    return Contest(comparison, len(rows), closes(rows), iso(int(at.min())), iso(int(at.max())), counts, notes)


def against_champion(
    predictions: pd.DataFrame, frame: pd.DataFrame, champion: Entry, *, horizon: int, seed: int
) -> dict[str, Any]:
    """A new model beside yesterday's champion on the examples of both test parts, for the report of its training.

    Args:
        predictions: the new model's test part: `contact_id`, `as_of` (a time), `label`, `probability`.
        frame: the examples that it is part of, with `contact_id`, `as_of` (microseconds), `deal_id` and `cluster`.
        champion: whose own test part is read from its bundle.
        horizon: of the new model, in microseconds.
        seed: makes the resamples.

    Returns:
        `version`, `n`, `closes`, `verdict`, and `comparison` (None where the two cannot be compared).
    """
    told: dict[str, Any] = {"version": champion.bundle.version, "n": 0, "closes": 0, "comparison": None}
    if champion.bundle.horizon != horizon:
        return told | {"verdict": "the champion predicts another horizon, so the two cannot be compared"}
    mine = predictions.assign(as_of=predictions["as_of"].dt.as_unit("us").astype("int64"))
    rows = mine.merge(_tested(champion), on=["contact_id", "as_of"], suffixes=("", "_champion"))
    rows = rows[rows["as_of"] >= champion.judged_from]
    rows = rows.merge(frame[["contact_id", "as_of", "deal_id", "cluster"]], on=["contact_id", "as_of"])
    told |= {"n": len(rows), "closes": closes(rows)}
    if told["closes"] < FEWEST_CLOSES:
        few = f"{told['closes']} closes are in the test part of both, and {FEWEST_CLOSES} are needed"
        return told | {"verdict": f"the model and the champion cannot be compared yet: {few}"}
    both = {"model": rows["probability"].to_numpy(), "champion": rows["probability_champion"].to_numpy()}
    groups = rows["cluster"].to_numpy()
    found = compare(rows["label"].to_numpy(), both, groups=groups, seed=seed, closes=told["closes"])
    return told | {"verdict": found.verdict("model", "champion"), "comparison": found.as_dict()}


def _tested(entry: Entry) -> pd.DataFrame:
    """The test part of a model: `contact_id`, `as_of` (microseconds), `probability`."""
    found = pd.read_parquet(entry.path / "test_predictions.parquet", columns=["contact_id", "as_of", "probability"])
    return found.assign(as_of=found["as_of"].dt.as_unit("us").astype("int64"))


def _check(entries: Sequence[Entry], config: Config) -> None:
    for a, b in combinations(entries, 2):
        if a.bundle.version == b.bundle.version or a.name == b.name:
            raise ModelError(f"{a.name} and {b.name} are the same model ({a.bundle.version}); name two different ones")
    wanted = format_duration(config.horizon)
    for entry in entries:
        if entry.bundle.horizon != config.horizon_micros:
            raise ModelError(
                f"{entry.name} predicts another horizon than the configured {wanted}, so its probabilities mean "
                "something else; compare models of one horizon"
            )


def unseen(
    con: Any, tables: Tables, config: Config, entry: Entry, frame: pd.DataFrame
) -> tuple[np.ndarray, np.ndarray]:
    """For each row the model's probability (NaN: it has learned from it), and whether that is of its test part."""
    known = frame[["contact_id", "as_of"]].merge(_tested(entry), on=["contact_id", "as_of"], how="left")
    found = known["probability"].to_numpy(dtype=float, copy=True)
    fresh = (frame["as_of"] >= entry.shipped_from).to_numpy()
    if fresh.any():
        check_features(entry.bundle, tables)
        found[fresh] = _scored(con, tables, config, entry.bundle, frame.loc[fresh, ["contact_id", "as_of"]])
    return found, ~fresh


def _scored(con: Any, tables: Tables, config: Config, bundle: Bundle, rows: pd.DataFrame) -> np.ndarray:
    """The probability of each row (`contact_id`, `as_of`), as the model that scores gives it."""
    parts = []
    for _, same in rows.groupby(rows.groupby("contact_id").cumcount()):  # a contact is in a block once
        for start in range(0, len(same), BLOCK):
            features, _ = features_of(con, tables, config, bundle, same.iloc[start : start + BLOCK])
            parts.append(features[["contact_id", "as_of"]].assign(p=bundle.model.score(features)["probability"]))
    return rows.merge(pd.concat(parts), on=["contact_id", "as_of"], how="left")["p"].to_numpy(dtype=float)


def _too_few(entries: Sequence[Entry], rows: pd.DataFrame, first: int, last: int) -> str:
    names = " and ".join(e.name for e in entries)
    return (
        f"{names} cannot be compared: {closes(rows)} closes among {len(rows):,} examples are mature and later than the "
        f"training of each (as of {iso(first)[:10]} or later; mature are those until {iso(last)[:10]}), and "
        f"{FEWEST_CLOSES} are needed. Wait until more have matured, or compare models whose test parts overlap"
    )


def _micros(text: str) -> int:
    return instant(parse_instant(text), "UTC")
