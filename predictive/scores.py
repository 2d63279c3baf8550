"""The columns of `scores`, for a block of contacts at their as-ofs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import pandas as pd

from predictive.clock import from_micros
from predictive.config import Config
from predictive.engines import Frame, local
from predictive.errors import ModelError, nearest
from predictive.features.attributes import attribute_columns, check_attributes
from predictive.features.build import features_at
from predictive.features.catalog import Feature
from predictive.features.deals import opportunities, wins
from predictive.holdout import held_out
from predictive.model.bundle import Bundle
from predictive.model.drift import NO_DRIFT, Drift, corrected
from predictive.model.reasons import in_words, reasons_in
from predictive.model.rule_score import RULE_SCORE
from predictive.quadrants import cell, cuts_of, quadrant, tier
from predictive.rules import RuleScore, all_kinds, rule_features, score_rules
from predictive.stages import Stages
from predictive.store import into_store
from predictive.tables import Tables


def features_of(
    con: Any, tables: Tables, config: Config, bundle: Bundle, block: pd.DataFrame
) -> tuple[pd.DataFrame, RuleScore]:
    """The bundle's features with the rule score that a model may read, by `contact_id`; and the rule scores.

    `block` holds `contact_id` and `as_of` (microseconds).
    """
    needed = needed_by(bundle, all_kinds(tables))
    return with_points(
        local(features_at(tables, into_store(con, block), needed, won=wins(tables, config))), all_kinds(tables), bundle
    )


@dataclass(frozen=True)
class Deals:
    """The ids of contacts that have bought, and of those with an open deal, at their as-of."""

    bought: frozenset[str]
    busy: frozenset[str]


@dataclass(frozen=True)
class Block:
    """Contacts to score: their `features` (`contact_id`, `as_of`), rule `points`, deals, and decisions of people."""

    features: pd.DataFrame
    points: RuleScore
    deals: Deals
    decisions: pd.DataFrame


def blocks_of(
    con: Any,
    tables: Tables,
    config: Config,
    bundle: Bundle,
    eligible: pd.DataFrame,
    *,
    night: int,
    size: int,
    stages: Stages,
) -> Iterator[Block]:
    """What scores are made of, in blocks of `size` contacts.

    `tables` are those of one part, `eligible` its contacts (`contact_id`, `as_of`), by id: what they did is gone
    through once, whatever the size of a block. The time is told to `stages`.
    """
    if eligible.empty:
        return
    with stages.timed("features"):
        at = into_store(con, eligible)
        won = tables.keep(wins(tables, config), "wins")
        features = features_at(tables, at, needed_by(bundle, all_kinds(tables)), won=won)
        one = len(eligible) <= size
        features = features if one else tables.keep(features, "features")
        deals, decisions = _deals_of(tables, config, at, won), decisions_at(tables, night)
    for start in range(0, len(eligible), size):
        with stages.timed("features"):
            ids = eligible[["contact_id"]].iloc[start : start + size]
            mine = features if one else features.join(into_store(con, ids), on="contact_id", how="inner")
            block = Block(*with_points(local(mine), all_kinds(tables), bundle), deals, decisions)
        yield block


def score_block(block: Block, config: Config, bundle: Bundle, drift: Drift) -> pd.DataFrame:
    """All columns of `scores` but the run's stamps, by `contact_id`.

    `drift` corrects every score by its own as-of; the cuts of the axes move along, the tiers do not.
    """
    scores = score_rows(block.features, block.points, config, bundle, drift)
    return overridden(staged(scores, block.deals), block.decisions)


def score_at(
    con: Any,
    tables: Tables,
    config: Config,
    bundle: Bundle,
    eligible: pd.DataFrame,
    *,
    night: int,
    drift: Drift = NO_DRIFT,
) -> pd.DataFrame:
    """The scores of a few contacts (`contact_id`, `as_of` in microseconds, by id), in one block."""
    (block,) = blocks_of(con, tables, config, bundle, eligible, night=night, size=len(eligible), stages=Stages())
    return score_block(block, config, bundle, drift)


def needed_by(bundle: Bundle, kinds: dict[str, Any]) -> list[Feature]:
    """The features of the model and of the rules, each once; `kinds` are those of all attributes."""
    own = [f for f in bundle.features if f != RULE_SCORE]
    return list(dict.fromkeys([*own, *rule_features(bundle.rules, kinds)]))


def with_points(frame: pd.DataFrame, kinds: dict[str, Any], bundle: Bundle) -> tuple[pd.DataFrame, RuleScore]:
    """The features by `contact_id`, with the rule score that a model may read; and the rule scores."""
    frame = frame.sort_values("contact_id", ignore_index=True)
    points = score_rules(bundle.rules, frame, kinds)
    return frame.assign(rule_score=points.for_model), points


def score_rows(frame: pd.DataFrame, points: RuleScore, config: Config, bundle: Bundle, drift: Drift) -> pd.DataFrame:
    """The scores of contacts with these features, before deals and people have a say."""
    found, contributions = bundle.model.explained(frame)
    shift = drift.at(frame["as_of"].to_numpy())
    probability, fit, interest = (
        corrected(found[name].to_numpy(), shift) for name in ("probability", "fit", "interest")
    )
    features = bundle.model.probability.encoder.features
    reasons = reasons_in(contributions, features, probability)
    cuts = cuts_of(bundle.cuts, bundle.spread, config)
    # Both sides of the comparison have moved by the same shift, so it is made where neither has.
    axes = found["fit"].to_numpy(), found["interest"].to_numpy()
    return pd.DataFrame(
        {
            "contact_id": frame["contact_id"],
            "as_of": pd.to_datetime(frame["as_of"], unit="us", utc=True),
            "probability": probability,
            "uncorrected": found["probability"].to_numpy(),
            "fit": fit,
            "interest": interest,
            "quadrant": quadrant(*axes, cuts),
            "cell": pd.Series(cell(*axes, cuts), index=frame.index, dtype="object"),
            "tier": tier(probability, cuts),
            "rule_score": points.score,
            "rule_fit": points.fit,
            "rule_interest": points.interest,
            "rule_total": points.total,
            "stage": points.stage,
            "holdout": held_out(frame["contact_id"], config.holdout),
            "reasons": in_words(reasons, features, frame),
        }
    )


def check_features(bundle: Bundle, tables: Tables) -> None:
    """Refuse tables that lack an attribute of the model, or whose attributes cannot be told apart."""
    check_attributes(tables)
    have = attribute_columns(tables) | {"as_of", "created_at"}
    for feature in bundle.features:
        lacking = [name for name in feature.attributes if name not in have and feature != RULE_SCORE]
        if lacking:
            raise ModelError(
                f"the model {bundle.version} was trained with the attribute {lacking[0]!r}, which no table has now; "
                f"{nearest(lacking[0], have)}. Map it again, or train a new model"
            )


def stages_of_deals(scores: pd.DataFrame, tables: Tables, config: Config, at: Frame) -> pd.DataFrame:
    """`scores` (`contact_id`, `stage`) with opportunity and customer as deals have it, whatever else is said.

    `at` holds `contact_id` and `as_of` (microseconds).
    """
    return staged(scores, _deals_of(tables, config, at, wins(tables, config)))


def _deals_of(tables: Tables, config: Config, at: Frame, won: Frame) -> Deals:
    bought, busy = of_deals(tables, config, at, won)
    return Deals(frozenset(local(bought)["contact_id"]), frozenset(local(busy)["contact_id"]))


def of_deals(tables: Tables, config: Config, at: Frame, won: Frame) -> tuple[Frame, Frame]:
    """Of the contacts of `at` those who have won a deal at their as-of, and those with an open one (`contact_id`)."""
    by_then = won.join(at, on="contact_id", how="inner").filter(nw.col("closed_at") <= nw.col("as_of"))
    return by_then.select("contact_id").unique(), opportunities(tables, config, at)


def staged(scores: pd.DataFrame, deals: Deals) -> pd.DataFrame:
    """The stages with customer and opportunity as deals have it."""
    ids = scores["contact_id"]
    stage = scores["stage"].mask(ids.isin(deals.bought), "customer")
    return scores.assign(stage=stage.mask(ids.isin(deals.busy), "opportunity"))


def decisions_at(tables: Tables, night: int) -> pd.DataFrame:
    """The decision of a person that is in force at the night, one per contact: of several the newest.

    One that decides neither quadrant nor tier is no decision.
    """
    decides = ~nw.col("quadrant").is_null() | ~nw.col("tier").is_null()
    force = tables.overrides.filter((nw.col("created_at") <= night) & (nw.col("expires_at") > night) & decides)
    ordered = local(force).sort_values(["created_at", "author", "reason"])
    return ordered.drop_duplicates("contact_id", keep="last")


def overridden(scores: pd.DataFrame, decisions: pd.DataFrame) -> pd.DataFrame:
    """A person's decision wins over quadrant and tier, never over probability or cell."""
    joined = scores[["contact_id"]].merge(decisions, on="contact_id", how="left")
    rows = zip(joined["author"], joined["expires_at"], joined["reason"], strict=True)
    said = [None if pd.isna(who) else f"{who} until {from_micros(int(end)):%Y-%m-%d}: {why}" for who, end, why in rows]
    return scores.assign(
        quadrant=joined["quadrant"].where(joined["quadrant"].notna(), scores["quadrant"]),
        tier=joined["tier"].where(joined["tier"].notna(), scores["tier"]),
        override=pd.Series(said, index=scores.index, dtype="object"),
    )
