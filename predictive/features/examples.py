"""Examples: features at an as-of with the label that came after, for training and testing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import narwhals as nw
import pandas as pd

from predictive.config import Config
from predictive.features.build import build
from predictive.features.catalog import Feature
from predictive.features.cut import Frame, cut
from predictive.features.labels import label_after
from predictive.features.snapshots import Moment, existing, judge, moments
from predictive.tables import Tables


@dataclass(frozen=True)
class Examples:
    """One row per contact and as-of in `frame`, ordered by both.

    Columns: `contact_id`, `as_of` (microseconds), `label`, `deal_id` (of the close, else missing), `closed_at`,
    `cluster` (the account as of then, else the contact: what intervals are clustered by), and one column per feature.
    `not_eligible` counts, per reason, the pairs of contact and as-of that were left out.
    """

    frame: pd.DataFrame
    not_eligible: dict[str, int]


def examples(
    tables: Tables,
    config: Config,
    features: Sequence[Feature],
    *,
    first: int,
    last: int,
    progress: Callable[[str], None] = lambda _: None,
) -> Examples:
    """Every eligible contact at every as-of in [first, last] of the configured snapshots, with features and label.

    The caller chooses `last` so that all are mature: as_of + horizon observed. Times are in microseconds.
    """
    parts: list[pd.DataFrame] = []
    why: Counter[str] = Counter()
    for moment in moments(config, first, last):
        part, out = _pass(tables, config, features, moment, first, last)
        parts.append(part)
        why.update(out)
        progress(f"examples: {sum(map(len, parts)):,}")
    parts = [p for p in parts if len(p)] or parts[:1]
    if not parts:
        columns = ["contact_id", "as_of", "label", "deal_id", "closed_at", "cluster", *(f.name for f in features)]
        return Examples(pd.DataFrame(columns=columns), {})
    frame = pd.concat(parts, ignore_index=True).sort_values(["as_of", "contact_id"], ignore_index=True)
    return Examples(frame, dict(sorted(why.items())))


def _pass(
    tables: Tables, config: Config, features: Sequence[Feature], moment: Moment, first: int, last: int
) -> tuple[pd.DataFrame, dict[str, int]]:
    """The examples of one moment, and how many contacts were not eligible, by reason."""
    at = existing(tables, moment).filter((nw.col("as_of") >= first) & (nw.col("as_of") <= last))
    frame = with_label(tables, config, features, at)
    out = frame["why"].value_counts()
    kept = frame[frame["why"].isna()].drop(columns="why")
    return kept, {str(reason): int(count) for reason, count in out.items()}


def with_label(tables: Tables, config: Config, features: Sequence[Feature], at: Frame) -> pd.DataFrame:
    """Every row of `at`, eligible or not (`why`), with cluster, label and features."""
    known = cut(tables, at)
    # The prefix keeps an account and a contact with the same id apart.
    account = nw.when(~nw.col("account_id").is_null()).then(nw.concat_str(nw.lit("account "), nw.col("account_id")))
    cluster = nw.coalesce(account, nw.concat_str(nw.lit("contact "), nw.col("contact_id")))
    # Joined here and not in one query: engines would work out what is known once for every part that reads it.
    parts = [
        build(known, features),
        known.contacts.select("contact_id", cluster=cluster),
        judge(known, tables, config, training=True),
        label_after(tables, at, config).drop("as_of"),
    ]
    frame, *others = (pd.DataFrame(part.collect(backend="pandas").to_native()) for part in parts)
    for other in others:
        frame = frame.merge(other, on="contact_id", how="left", validate="one_to_one")
    lead = ["contact_id", "as_of", "label", "deal_id", "closed_at", "cluster", "why"]
    return frame[[*lead, *(f.name for f in features)]]
