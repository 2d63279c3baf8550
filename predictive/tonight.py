"""Who is scored on a night, and who is not, with the reason."""

from __future__ import annotations

from collections import Counter

import narwhals as nw
import pandas as pd

from predictive.config import Config
from predictive.engines import Frame, local
from predictive.features.cut import cut
from predictive.features.deals import wins
from predictive.features.snapshots import judge, tonight
from predictive.tables import Tables


def eligible_tonight(tables: Tables, config: Config, night: int) -> tuple[pd.DataFrame, dict[str, int]]:
    """The contacts to score (`contact_id`, `as_of` in microseconds; by id), and how many are not scored, by reason."""
    frame = verdicts(tables, config, night)
    kept = frame.loc[frame["why"].isna(), ["contact_id", "as_of"]].astype({"as_of": "int64"})
    why = Counter(frame["why"].dropna())
    return kept.reset_index(drop=True), {str(k): int(v) for k, v in sorted(why.items())}


def verdicts(tables: Tables, config: Config, night: int) -> pd.DataFrame:
    """Every contact, by id: `contact_id`, `as_of` (missing if none), `why` it is not eligible (missing: it is)."""
    frame = local(verdict_of_each(tables, config, night)).astype({"as_of": "Int64", "why": "object"})
    return frame.sort_values("contact_id", ignore_index=True)


def verdict_of_each(tables: Tables, config: Config, night: int) -> Frame:
    """What :func:`verdicts` says, lazily and in no order."""
    at, out = tonight(tables, config, night)
    # A contact that closed between its own as-of and the night has nothing left to predict.
    won = wins(tables, config).join(at, on="contact_id", how="inner")
    won = won.filter((nw.col("closed_at") > nw.col("as_of")) & (nw.col("closed_at") <= night))
    late = won.select("contact_id").unique().with_columns(late=nw.lit("already closed"))
    known = cut(tables, at, attributes=config.eligibility.non_marketing)
    judged = at.join(judge(known, tables, config, training=False), on="contact_id", how="left")
    judged = judged.join(late, on="contact_id", how="left").with_columns(why=nw.coalesce("why", "late"))
    parts = [judged, out.with_columns(as_of=nw.lit(None, nw.Int64))]
    return nw.concat([p.select("contact_id", "as_of", "why") for p in parts])
