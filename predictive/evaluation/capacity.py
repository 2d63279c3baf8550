"""Capacity: "we can call 200 a week" as a cut-off, the closes that it brings, and what the rules would have brought."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from predictive.evaluation.clusters import encode
from predictive.evaluation.intervals import REPLICATES, Estimate, percentiles, plain, resampled

WEEK = 7 * 86_400_000_000


@dataclass(frozen=True)
class List:
    """Who is called: `calls` and `closes` a week (`closes` with its interval), above the `cut_off`."""

    cut_off: float
    calls: float
    closes: Estimate


@dataclass(frozen=True)
class Capacity:
    """What a number of calls a week would have brought in the test part; every number is per week.

    `predicted` closes are what the probabilities of the called add up to. `advantage` is the closes of the model's list
    less those of the rules' list of the same length, with a paired 95 % interval; `blind` is what as many calls to
    anybody bring. `worth` is the list of everyone whose expected value is above the cost of a call, and `net` what the
    list at hand earns after costs: both None where cost and value are not configured. A contact is called once, the
    first time that it is above the cut-off, and counts as closed if a deal is won within the horizon from then:
    predicted, not caused by the call.
    """

    per_week: int
    weeks: float
    contacts: int
    model: List
    predicted: float
    rules: List
    advantage: Estimate
    blind: float
    worth: List | None
    net: Estimate | None

    def as_dict(self) -> dict[str, Any]:
        """The fields as JSON knows them; NaN becomes None."""
        return {name: plain(value) for name, value in asdict(self).items()}

    def in_words(self) -> list[str]:
        """Sentences for RevOps."""
        if self.contacts < self.per_week * self.weeks:
            first = f"{self.per_week:,} calls a week are more than there were contacts: {self.model.calls:,.0f} a week"
        else:
            first = f"with {self.per_week:,} calls a week, call from a probability of {self.model.cut_off:.1%} up"
        luck = "it could be luck" if self.advantage.low <= 0 <= self.advantage.high else "luck is unlikely"
        brought = (
            f"{first}: that brought {_spoken(self.model.closes)} closes a week, {self.predicted:.1f} were predicted; "
            f"the rules' list of the same length brought {_spoken(self.rules.closes)} ({luck}), calling anybody "
            f"{self.blind:.1f}"
        )
        if self.worth is None or self.net is None:
            return [brought]
        worth = (
            f"a call is worth its cost from a probability of {self.worth.cut_off:.1%} up: {self.worth.calls:,.0f} "
            f"contacts a week; the calls above earned {_spoken(self.net, 0)} a week after their cost, if the call is "
            "what makes the close"
        )
        return [brought, worth]


def capacity(
    test: pd.DataFrame,
    *,
    per_week: int,
    seed: int,
    cost: float | None = None,
    value: float | None = None,
) -> Capacity | None:
    """Plan calls on the test part; None where nobody closed.

    Args:
        test: one row per example: `contact_id`, `as_of` (microseconds), `label`, `deal_id`, `cluster`, `probability`,
            and `rule_score`.
        per_week: how many contacts can be called in a week, at least 1.
        seed: makes the resamples of clusters. The cut-off stays where it is in all of them.
        cost: of one call.
        value: of one close, in the same currency.
    """
    if not test["label"].any():
        return None
    weeks = weeks_of(test["as_of"].to_numpy())
    by_model, by_rules = (_called(test, column, per_week * weeks) for column in ("probability", "rule_score"))
    ledger = _Ledger(_first_closes(test) / weeks, 1 / weeks, encode(test["cluster"].to_numpy(), len(test)), seed)
    contacts, once = test["contact_id"].nunique(), ~test.duplicated("contact_id").to_numpy()
    ours, theirs = ledger.draws(by_model), ledger.draws(by_rules)
    worth = net = None
    if cost is not None and value is not None:
        worth = ledger.list(_from(test, "probability", cost / value))
        # Of the calls that there is time for, those that are worth it.
        made = ledger.draws(_from(test, "probability", max(cost / value, by_model.cut_off)))
        net = _estimate(made @ np.array([value, -cost]))
    return Capacity(
        per_week=per_week,
        weeks=weeks,
        contacts=contacts,
        model=ledger.list(by_model),
        predicted=float(by_model.share @ test["probability"].to_numpy()) / weeks,
        rules=ledger.list(by_rules),
        advantage=_estimate(ours[:, 0] - theirs[:, 0]),
        blind=float(ledger.closes[once].mean()) * min(per_week * weeks, contacts),
        worth=worth,
        net=net,
    )


@dataclass(frozen=True)
class _Called:
    """The cut-off, and per row how much of it is called, 0 to 1: tied contacts at the cut-off in proportion."""

    cut_off: float
    share: np.ndarray


def _called(test: pd.DataFrame, column: str, wanted: float) -> _Called:
    """The contacts with the highest values in `column`, each at its first row that reaches the cut-off."""
    best = test.groupby("contact_id")[column].max().sort_values(ascending=False, kind="stable").to_numpy(dtype=float)
    if len(best) <= wanted:
        return _from(test, column, float(best[-1]))
    cut = float(best[int(wanted)])
    above, tied = int((best > cut).sum()), int((best == cut).sum())
    rows = _from(test, column, cut)
    peak = test.groupby("contact_id")[column].transform("max").to_numpy(dtype=float)
    # A contact that never rises above the cut-off is called with the chance that fills the list; one that does is
    # called when it first reaches it.
    return _Called(cut, np.where(peak > cut, rows.share, rows.share * (wanted - above) / tied))


def _from(test: pd.DataFrame, column: str, cut: float) -> _Called:
    """Everybody at or above `cut`, each at the first such row."""
    reached = (test[column] >= cut).to_numpy()
    order = test.loc[reached].sort_values(["as_of", "contact_id"], kind="stable")
    first = order[~order.duplicated("contact_id")].index
    return _Called(cut, np.asarray(test.index.isin(first), dtype=np.float64))


def _first_closes(test: pd.DataFrame) -> np.ndarray:
    """What a row adds to the distinct deals: a deal of several contacts is shared among those who closed with it."""
    who = test.loc[test["label"] == 1].groupby("deal_id")["contact_id"].nunique()
    return np.where(test["label"] == 1, 1.0 / test["deal_id"].map(who).fillna(1.0), 0.0)


def weeks_of(as_of: np.ndarray) -> float:
    """How long the test part lasts: from its first as-of to its last, and one step between as-ofs more."""
    times = np.unique(as_of)
    step = float(np.median(np.diff(times))) if len(times) > 1 else float(WEEK)
    return float(times[-1] - times[0] + step) / WEEK


@dataclass(frozen=True)
class _Ledger:
    """What every row adds in `closes` and every call in `calls` per week, and the clusters that are resampled."""

    closes: np.ndarray
    calls: float
    codes: np.ndarray
    seed: int

    def draws(self, called: _Called) -> np.ndarray:
        """Closes and calls a week: of the sample in the first row, of the resamples in the others; (r + 1, 2)."""
        busy = np.flatnonzero(called.share)
        sums = np.stack([called.share * self.closes, called.share * self.calls], axis=1)[busy]

        def total(weights: np.ndarray) -> np.ndarray:
            return np.asarray(weights[busy] @ sums)

        ones = np.ones(len(self.codes))
        resamples = resampled(total, codes=self.codes, seed=self.seed, replicates=REPLICATES, weights=ones, n_jobs=-1)
        return np.concatenate([total(ones)[np.newaxis], resamples])

    def list(self, called: _Called) -> List:
        """The list of these calls."""
        found = self.draws(called)
        return List(called.cut_off, float(found[0, 1]), _estimate(found[:, 0]))


def _estimate(draws: np.ndarray) -> Estimate:
    """Of a number on the sample, which comes first, and on its resamples."""
    return Estimate(float(draws[0]), *percentiles(draws[1:], (0.025, 0.975)))


def _spoken(estimate: Estimate, places: int = 1) -> str:
    low, high = (format(x, f",.{places}f") for x in (estimate.low, estimate.high))
    return f"{estimate.value:,.{places}f} (95 % interval {low} to {high})"
