"""Labels: the one thing that may look past the as-of, and its name says so."""

from __future__ import annotations

import narwhals as nw

from predictive.config import Config
from predictive.engines import Frame
from predictive.features.deals import wins
from predictive.tables import Tables


def label_after(tables: Tables, examples: Frame, config: Config) -> Frame:
    """What happened after each example's as-of: `contact_id`, `as_of`, `label` (0 or 1), `deal_id`, `closed_at`.

    The label is 1 if a won deal closed in (as_of, as_of + horizon]; `deal_id` names the first such deal (of several at
    one instant the smallest), so that closes can be counted as distinct won deals. Examples must be mature: this does
    not know until when was observed.
    """
    won = wins(tables, config).join(examples.select("contact_id", "as_of"), on="contact_id", how="inner")
    after, until = nw.col("closed_at") > nw.col("as_of"), nw.col("closed_at") <= nw.col("as_of") + config.horizon_micros
    won = won.filter(after & until)
    key = ["contact_id", "as_of"]
    first = won.group_by(key).agg(nw.col("closed_at").min())
    deals = won.join(first, on=[*key, "closed_at"], how="inner").group_by([*key, "closed_at"])
    outcome = deals.agg(nw.col("deal_id").min())
    labelled = examples.select(*key).join(outcome, on=key, how="left")
    return labelled.with_columns(label=(~nw.col("deal_id").is_null()).cast(nw.Int64))
