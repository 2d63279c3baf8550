"""What happened after scores: the label within the horizon, the deal, and the account as the cluster."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import pandas as pd

from predictive.config import Config
from predictive.engines import local
from predictive.features.labels import label_after
from predictive.store import into_store
from predictive.tables import Tables


def with_outcomes(con: Any, tables: Tables, config: Config, scores: pd.DataFrame) -> pd.DataFrame:
    """The scores (`contact_id`, `as_of` in microseconds, …; matured) with `label`, `deal_id` and `cluster`.

    The cluster is the account of today, else the contact. `con` is the working database that `tables` live in.
    """
    if scores.empty:
        return scores.assign(label=0, deal_id=None, cluster="")
    at = into_store(con, scores[["contact_id", "as_of"]].drop_duplicates())
    happened = label_after(tables, at, config).select("contact_id", "as_of", "label", "deal_id")
    account = nw.concat_str(nw.lit("account "), nw.col("account_id"))
    own = nw.concat_str(nw.lit("contact "), nw.col("contact_id"))
    clusters = tables.contacts.select("contact_id", cluster=nw.coalesce(account, own))
    frame = scores
    for part, key in ((happened, ["contact_id", "as_of"]), (clusters, ["contact_id"])):
        frame = frame.merge(local(part), on=key, how="left")
    # A contact that is gone from the tables since is a cluster of its own.
    return frame.assign(cluster=frame["cluster"].fillna("contact " + frame["contact_id"]))
