"""The definition: the region whose closes are worth the calls that there is time for, and how to say it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from predictive.actions import spoken
from predictive.clock import DAY, iso
from predictive.config import Config
from predictive.errors import DataError
from predictive.evaluation.closed import Closed, closed
from predictive.features.examples import examples
from predictive.model.bundle import Bundle
from predictive.mql.regions import Region, best_sized, judge_regions
from predictive.nights import uncorrected_axes
from predictive.outcomes import with_outcomes
from predictive.rules import Stages, all_kinds, applicable, load_rules, rule_features, score_rules
from predictive.splits import observed_until
from predictive.tables import Tables

YEAR = 365 * DAY
FEWEST_CLOSES = 20


@dataclass(frozen=True)
class Definition:
    """What an MQL is: the `chosen` region (None where none qualifies), a sentence, and the rule to paste.

    `alternatives` are the regions of fit × interest, then of points, that are significantly above average and that no
    smaller one beats, by size;
    `average` is everybody. `basis` says which examples were used: none that the model or the rules learned from.
    """

    chosen: Region | None
    sentence: str
    rule: str | None
    average: Closed
    alternatives: tuple[Region, ...]
    per_week: int | None
    basis: str
    looked_at: int

    def as_dict(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {
            "chosen": None if self.chosen is None else self.chosen.as_dict(),
            "sentence": self.sentence,
            "rule": self.rule,
            "average": self.average.as_dict(),
            "alternatives": [r.as_dict() for r in self.alternatives],
            "per_week": self.per_week,
            "basis": self.basis,
            "looked_at": self.looked_at,
        }


def define(
    con: Any, tables: Tables, config: Config, *, now: int, bundle: Bundle | None, folder: Path | None
) -> Definition:
    """Define MQL on matured examples later than what was learned from.

    Args:
        con: the working database that `tables` live in.
        tables: what is known today.
        config: `capacity.per_week` says how many sales can work.
        now: microseconds.
        bundle: the model, whose test part is used; None: rules only, on the matured snapshots of the last year.
        folder: where the bundle lies.

    Raises:
        DataError: There are fewer than 20 closes to judge by.
    """
    if bundle is not None and folder is not None:
        rows, base_rate = tested(folder), float(bundle.report["judged"]["base_rate"])
        basis = "the test part of the model, which it had not learned from"
    else:
        rows, base_rate = _ruled(tables, config, now), None
        basis = "the matured snapshots of the last year, from which the rules have learned nothing"
    rows = with_outcomes(con, tables, config, rows)
    closes = rows.loc[rows["label"] == 1, "deal_id"].nunique()
    if closes < FEWEST_CLOSES:
        raise DataError(
            f"{closes} closes are among the {len(rows):,} examples of {basis}, and {FEWEST_CLOSES} are needed to "
            "define MQL; wait until more have matured"
        )
    regions = judge_regions(rows, base_rate=base_rate)
    first, last = (iso(int(t))[:10] for t in (rows["as_of"].min(), rows["as_of"].max()))
    basis = f"{len(rows):,} examples with {closes} closes, as of {first} to {last}: {basis}"
    everybody = rows.sort_values("as_of", kind="stable").drop_duplicates("contact_id")
    average = closed(everybody["label"], everybody["cluster"])
    return _decide(regions, average, config, load_rules(config.rules).stages, basis)


def tested(folder: Path) -> pd.DataFrame:
    """The test part of a bundle: `contact_id`, `as_of` (microseconds), `rule_score`; `fit`, `interest` uncorrected."""
    rows = pd.read_parquet(folder / "test_predictions.parquet")
    fit, interest = uncorrected_axes(rows)
    micros = rows["as_of"].dt.as_unit("us").astype("int64")
    return rows[["contact_id", "rule_score"]].assign(as_of=micros, fit=fit, interest=interest)


def _ruled(tables: Tables, config: Config, now: int) -> pd.DataFrame:
    kinds = all_kinds(tables)
    rules = applicable(load_rules(config.rules), tables, strict=config.rules is not None)
    last = observed_until(tables, config, now) - config.horizon_micros
    frame = examples(tables, config, rule_features(rules, kinds), first=last - YEAR, last=last).frame
    points = score_rules(rules, frame, kinds).score
    return frame[["contact_id", "as_of"]].assign(rule_score=points, fit=np.nan, interest=np.nan)


def _decide(regions: Sequence[Region], average: Closed, config: Config, stages: Stages, basis: str) -> Definition:
    per_week = None if config.capacity is None else config.capacity.per_week
    axes = [r for r in regions if r.bounds.points is None]
    points = [r for r in regions if r.bounds.points is not None]
    good = [r for r in (axes or points) if r.above_average and (per_week is None or r.per_week <= per_week)]
    # Without a capacity: where the share of closes is farthest ahead of the share of contacts (Youden's index).
    spared = 1.0 if per_week is None else 0.0
    chosen = max(good, key=lambda r: (r.caught - spared * r.contacts, -r.per_week, r.bounds.in_words), default=None)
    return Definition(
        chosen=chosen,
        sentence=_sentence(chosen, average, config, per_week),
        rule=None if chosen is None else _rule(chosen, stages),
        average=average,
        alternatives=tuple(r for kind in (axes, points) for r in best_sized([r for r in kind if r.above_average])),
        per_week=per_week,
        basis=basis,
        looked_at=len(regions),
    )


def _sentence(chosen: Region | None, average: Closed, config: Config, per_week: int | None) -> str:
    size = "" if per_week is None else f" and no larger than the {per_week:,} a week that can be worked"
    if chosen is None:
        return f"No region has a close rate that is significantly above the average of {average.rate:.1%}{size}."
    r = chosen.result
    return (
        f"An MQL is a contact with {chosen.bounds.in_words}: {chosen.per_week:,.0f} a week, of whom {r.rate:.1%} "
        f"({r.low:.1%} to {r.high:.1%}) close within {spoken(config.horizon)}, {chosen.lift:.1f} × the average of "
        f"{average.rate:.1%}; they hold {chosen.caught:.0%} of all closes."
    )


def _rule(chosen: Region, stages: Stages) -> str:
    """What to paste: into the configuration, or into the rule file."""
    bounds = chosen.bounds
    if bounds.points is None:
        return f"quadrants: {{by: lift, fit: {bounds.fit:g}, interest: {bounds.interest:g}}}   # an MQL is in pursue\n"
    mql = bounds.points
    sql = stages.SQL if mql < stages.SQL else (mql + 101) // 2
    return f"stages: {{prospect: {min(stages.prospect, mql - 1)}, MQL: {mql}, SQL: {sql}}}   # in the rule file\n"
