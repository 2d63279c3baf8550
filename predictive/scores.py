"""The columns of `scores`, for a block of contacts at their as-ofs."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import pandas as pd

from predictive.breaker import Tally
from predictive.clock import from_micros
from predictive.config import Config
from predictive.engines import Frame, local
from predictive.errors import ModelError, nearest
from predictive.features.attributes import attribute_columns, check_attributes
from predictive.features.build import features_at
from predictive.features.catalog import Feature
from predictive.features.deals import opportunities, wins
from predictive.holdout import held_out
from predictive.learning import RULE_SCORE
from predictive.model.bundle import Bundle
from predictive.model.drift import NO_DRIFT, Drift, corrected
from predictive.model.reasons import find_reasons, in_words
from predictive.quadrants import cell, cuts_of, quadrant, tier
from predictive.rules import RuleScore, all_kinds, rule_features, score_rules
from predictive.store import into_store
from predictive.tables import Tables


def features_of(
    con: Any, tables: Tables, config: Config, bundle: Bundle, block: pd.DataFrame
) -> tuple[pd.DataFrame, RuleScore]:
    """The bundle's features with the rule score that a model may read, by `contact_id`; and the rule scores.

    `block` holds `contact_id` and `as_of` (microseconds).
    """
    kinds = all_kinds(tables)
    won = wins(tables, config)
    frame = local(features_at(tables, into_store(con, block), needed(bundle, kinds), won=won))
    return with_rule_score(frame.sort_values("contact_id", ignore_index=True), bundle, kinds)


def needed(bundle: Bundle, kinds: dict[str, Any]) -> list[Feature]:
    """The features that scoring reads: the model's and the rules', each once. `kinds` are those of all attributes."""
    own = [f for f in bundle.features if f != RULE_SCORE]
    return list(dict.fromkeys([*own, *rule_features(bundle.rules, kinds)]))


def with_rule_score(frame: pd.DataFrame, bundle: Bundle, kinds: dict[str, Any]) -> tuple[pd.DataFrame, RuleScore]:
    """`frame` (the columns of :func:`needed`) with the rule score that a model may read; and the rule scores."""
    points = score_rules(bundle.rules, frame, kinds)
    return frame.assign(rule_score=points.for_model), points


def score_block(
    con: Any,
    tables: Tables,
    config: Config,
    bundle: Bundle,
    block: pd.DataFrame,
    *,
    night: int,
    drift: Drift = NO_DRIFT,
    tally: Tally | None = None,
) -> pd.DataFrame:
    """All columns of `scores` but the run's stamps, by `contact_id`, for a block (`contact_id`, `as_of`).

    `drift` corrects every score by its own as-of; the cuts of the axes move along, the tiers do not. The block is added
    to `tally`, if given.
    """
    frame, points = features_of(con, tables, config, bundle, block)
    scores = score_rows(frame, points, config, bundle, drift=drift, tally=tally)
    scores = stages_of_deals(scores, tables, config, into_store(con, block))
    return overridden(scores, decisions(tables, night))


def score_rows(
    frame: pd.DataFrame,
    points: RuleScore,
    config: Config,
    bundle: Bundle,
    *,
    drift: Drift = NO_DRIFT,
    tally: Tally | None = None,
) -> pd.DataFrame:
    """The scores of contacts whose features are known, before deals and decisions of people have their say.

    `frame` and `points` are those of :func:`with_rule_score`. Reads no table, so that it runs anywhere.
    """
    found = bundle.model.score(frame)
    shift = drift.at(frame["as_of"].to_numpy())
    probability, fit, interest = (
        corrected(found[name].to_numpy(), shift) for name in ("probability", "fit", "interest")
    )
    reasons = find_reasons(bundle.model.probability, frame, probability)
    cuts = cuts_of(bundle.cuts, bundle.spread, config)
    # Both sides of the comparison have moved by the same shift, so it is made where neither has.
    axes = found["fit"].to_numpy(), found["interest"].to_numpy()
    scores = pd.DataFrame(
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
            "reasons": in_words(reasons, bundle.model.probability.encoder.features, frame),
        }
    )
    if tally is not None:
        tally.add(scores, frame[[f.name for f in bundle.features]], bundle.model.probability.encoder.levels)
    return scores


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
    busy, bought = (local(frame)["contact_id"] for frame in of_deals(tables, config, at))
    return staged(scores, busy=busy, bought=bought)


def of_deals(tables: Tables, config: Config, at: Frame) -> tuple[Frame, Frame]:
    """Of the contacts of `at` those with an open deal, and those that have won one, at their as-of (`contact_id`)."""
    won = wins(tables, config).join(at, on="contact_id", how="inner").filter(nw.col("closed_at") <= nw.col("as_of"))
    return opportunities(tables, config, at), won.select("contact_id").unique()


def staged(scores: pd.DataFrame, *, busy: pd.Series[Any], bought: pd.Series[Any]) -> pd.DataFrame:
    """The stages with opportunity and customer of the contacts that :func:`of_deals` names."""
    ids = scores["contact_id"]
    stages = scores["stage"].mask(ids.isin(set(bought)), "customer").mask(ids.isin(set(busy)), "opportunity")
    return scores.assign(stage=stages)


def decisions(tables: Tables, night: int) -> pd.DataFrame:
    """The decision of a person in force at the night (microseconds), per contact.

    One that decides neither quadrant nor tier is no decision; of several in force the newest counts.
    """
    decides = ~nw.col("quadrant").is_null() | ~nw.col("tier").is_null()
    force = tables.overrides.filter((nw.col("created_at") <= night) & (nw.col("expires_at") > night) & decides)
    return local(force).sort_values(["created_at", "author", "reason"]).drop_duplicates("contact_id", keep="last")


def overridden(scores: pd.DataFrame, decided: pd.DataFrame) -> pd.DataFrame:
    """A person's decision (see :func:`decisions`) wins over quadrant and tier, never over probability or cell."""
    joined = scores[["contact_id"]].merge(decided, on="contact_id", how="left")
    rows = zip(joined["author"], joined["expires_at"], joined["reason"], strict=True)
    said = [None if pd.isna(who) else f"{who} until {from_micros(int(end)):%Y-%m-%d}: {why}" for who, end, why in rows]
    return scores.assign(
        quadrant=joined["quadrant"].where(joined["quadrant"].notna(), scores["quadrant"]),
        tier=joined["tier"].where(joined["tier"].notna(), scores["tier"]),
        override=pd.Series(said, index=scores.index, dtype="object"),
    )
