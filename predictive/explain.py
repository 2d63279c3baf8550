"""One contact, explained: the numbers that a night would write for it, the rule points set by set, and every reason."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import pandas as pd

from predictive.actions import action_for, actions_of
from predictive.clock import iso
from predictive.config import Config
from predictive.errors import DataError, NotEligibleError, nearest
from predictive.features.build import features_at
from predictive.features.words import phrase
from predictive.model.bundle import Bundle
from predictive.model.drift import NO_DRIFT, Drift
from predictive.model.reasons import find_reasons
from predictive.rules import all_kinds, rule_quadrant
from predictive.rules.telling import Told, tell, telling_features
from predictive.scores import check_features, features_of, score_at
from predictive.store import into_store
from predictive.tables import Tables
from predictive.tonight import verdicts


@dataclass(frozen=True)
class Explanation:
    """`scores` are the columns of the table of that name; `action` (of `owner`) is what the contact's place calls for;
    `rules` says what every set gave and what nearly did, `rule_quadrant` where the rules alone put the contact;
    `reasons` every signal in words with its part of the log-odds, strongest first; they and `level` sum to `log_odds`.
    """  # noqa: D205 - the three belong together

    contact_id: str
    as_of: str
    scores: dict[str, Any]
    action: str
    owner: str
    base_rate: float
    rules: Told
    rule_quadrant: str
    reasons: tuple[tuple[str, float], ...]
    level: float
    log_odds: float

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        rules = {
            "sets": [asdict(s) for s in self.rules.sets],
            "caps": list(self.rules.caps),
            "near": [miss.as_dict() for miss in self.rules.near],
        }
        return {f.name: getattr(self, f.name) for f in fields(self)} | {"rules": rules}

    def lines(self) -> list[str]:
        """The explanation in words, line by line."""
        s = self.scores
        lift = s["probability"] / self.base_rate
        out = [
            f"{self.contact_id}, as of {self.as_of}",
            "",
            f"probability  {s['probability']:7.2%}  {lift:.1f} × the average of {self.base_rate:.2%}; tier {s['tier']}",
        ]
        for axis in ("fit", "interest"):
            value = s[axis]
            out.append(f"{axis:<11}  {'unknown' if value is None else format(value, '7.2%')}")
        place = s["quadrant"] if s["cell"] is None else f"{s['quadrant']} ({s['cell']})"
        out.append(f"quadrant     {place}: {self.action} ({self.owner})")
        if s["override"]:
            out.append(f"override     {s['override']}")
        if s["holdout"]:
            out.append("holdout      outside the actions, so that one can tell what they do")
        own = f"{s['stage']}; by the rules alone {self.rule_quadrant}"
        out += [
            "",
            f"rule score   {s['rule_score']} (fit {s['rule_fit']:+}, interest {s['rule_interest']:+}): {own}",
            *self.rules.lines(),
        ]
        out += ["", "why the probability is what it is (log-odds)"]
        out += [f"  {part:+6.2f}  {text}" for text, part in self.reasons if abs(part) >= 0.005]
        rest = sum(part for _, part in self.reasons if abs(part) < 0.005)
        out += [
            f"  {rest:+6.2f}  everything else",
            f"  {self.level:+6.2f}  level: where everyone starts, calibration, drift",
        ]
        return [*out, f"  {self.log_odds:+6.2f}  in sum, which is {s['probability']:.2%}"]


def explain(
    con: Any,
    tables: Tables,
    config: Config,
    bundle: Bundle,
    contact_id: str,
    *,
    night: int,
    drift: Drift = NO_DRIFT,
) -> Explanation:
    """Explain the score of one contact at a night (microseconds), corrected for `drift` as that night would have been.

    Raises :class:`~predictive.errors.DataError` for an unknown contact, and
    :class:`~predictive.errors.NotEligibleError`, saying why, for one that is not scored.
    """
    check_features(bundle, tables)
    everyone = verdicts(tables, config, night)
    row = everyone[everyone["contact_id"] == contact_id]
    if row.empty:
        raise DataError(
            f"there is no contact {contact_id!r}; {nearest(contact_id, everyone['contact_id'].head(100_000))}"
        )
    why = row["why"].iloc[0]
    if not pd.isna(why):
        raise NotEligibleError(f"{contact_id} is not scored as of {iso(night)}: {why}")
    block = row[["contact_id", "as_of"]].astype({"as_of": "int64"}).reset_index(drop=True)
    frame, points = features_of(con, tables, config, bundle, block)
    scores = score_at(con, tables, config, bundle, block, night=night, drift=drift).iloc[0]
    reasons = find_reasons(bundle.model.probability, frame, np.array([scores["probability"]]))
    features = bundle.model.probability.encoder.features
    told = []
    for i in np.argsort(-np.abs(reasons.parts[0]), kind="stable"):
        feature = features[reasons.lead[0, i]]
        value = frame[feature.name].iloc[0]
        told.append((phrase(feature, None if pd.isna(value) else value), float(reasons.parts[0, i])))
    kinds = all_kinds(tables)
    rows = features_at(tables, into_store(con, block), telling_features(bundle.rules, kinds))
    row = pd.DataFrame(rows.collect(backend="pandas").to_native())
    action = action_for(actions_of(config), scores["quadrant"], _plain(scores["cell"]))
    return Explanation(
        contact_id=contact_id,
        as_of=iso(int(block["as_of"].iloc[0])),
        scores={str(k): _plain(v) for k, v in scores.items() if k not in ("contact_id", "as_of")},
        action=action.in_words,
        owner=action.owner,
        base_rate=bundle.cuts.base_rate,
        rules=tell(bundle.rules, row, kinds),
        rule_quadrant=str(rule_quadrant(points, bundle.rules)[0]),
        reasons=tuple(told),
        level=float(reasons.level[0]),
        log_odds=float(reasons.level[0] + reasons.parts[0].sum()),
    )


def _plain(value: Any) -> Any:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return None
    return value.item() if isinstance(value, np.generic) else value
