"""Which contacts the audit compares: one per account, at one of its as-ofs, those that closed beside the others."""

from __future__ import annotations

import numpy as np
import pandas as pd

MOST_CLOSED, MOST_OTHERS = 10_000, 40_000
"""More contacts than this would cost time and change nothing: intervals are narrow by then."""
SPARE = 3
"""So many times as many contacts are drawn before accounts are looked at, since some share one."""


def choose_rows(mature: pd.DataFrame, won: pd.DataFrame) -> pd.DataFrame:
    """One row per account, or per contact without one: `contact_id`, `as_of`, `closed_at` and `weight`.

    Args:
        mature: The examples: `contact_id`, `as_of`, `label`, `cluster`.
        won: Every win: `contact_id`, `closed_at`.

    Returns:
        An account stands with a contact that closed if it has one; the as-of is from before the close, if possible
        within the horizon of it. `closed_at` is missing for who did not close after the first as-of. `weight` says how
        many a row stands for. Luck is that of a hash, the same whatever the order of rows.
    """
    code, ids = pd.factorize(mature["contact_id"])
    # The first as-of of each contact, so that wins from before it do not count.
    first = mature["as_of"].groupby(code).min().reindex(range(len(ids))).to_numpy()
    contacts = pd.DataFrame({"contact_id": ids, "first": first, "luck": pd.util.hash_array(np.asarray(ids, object))})
    later = won.merge(contacts[["contact_id", "first"]], on="contact_id")
    closed = later[later["closed_at"] > later["first"]].groupby("contact_id")["closed_at"].min()
    contacts["closed_at"] = contacts["contact_id"].map(closed).astype("Float64")
    drawn = _thin(contacts.assign(weight=1.0), SPARE)
    kept = drawn[["contact_id", "closed_at", "weight", "luck"]].merge(
        mature[np.isin(code, drawn.index)], on="contact_id"
    )
    rows = kept[kept["closed_at"].isna() | (kept["as_of"] < kept["closed_at"])]
    return _thin(_one_per_account(rows), 1)[["contact_id", "as_of", "closed_at", "weight"]].reset_index(drop=True)


def _thin(rows: pd.DataFrame, times: int) -> pd.DataFrame:
    """The luckiest of those who closed and of the others, with weights that put the rest back."""
    rows = rows.sort_values(["luck", "contact_id"])
    parts = []
    for is_closed, most in ((True, MOST_CLOSED), (False, MOST_OTHERS)):
        part = rows[rows["closed_at"].notna() == is_closed]
        kept = part.head(times * most)
        parts.append(kept.assign(weight=kept["weight"] * (len(part) / max(len(kept), 1))))
    return pd.concat(parts)


def _one_per_account(rows: pd.DataFrame) -> pd.DataFrame:
    luck = pd.util.hash_pandas_object(rows[["contact_id", "as_of"]], index=False).to_numpy()
    ranked = rows.assign(closed=rows["closed_at"].notna(), luck=luck).sort_values(
        ["closed", "label", "luck", "contact_id", "as_of"], ascending=[False, False, True, True, True]
    )
    return ranked.drop_duplicates("contact_id").drop_duplicates("cluster")
