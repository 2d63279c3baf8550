"""Whose deals were won, lost or open, and when."""

from __future__ import annotations

import narwhals as nw

from predictive.config import Config
from predictive.engines import Frame
from predictive.features.attributes import held_by
from predictive.tables import Tables


def wins(tables: Tables, config: Config) -> Frame:
    """Who won what and when: `contact_id`, `deal_id`, `closed_at`, for every won deal, however it names its contact.

    A deal with only an account counts for the account's contacts who existed when it was created (or closed, where that
    was earlier or the other is not known): all of them, none, or the one with the most activities until then, as
    configured.
    """
    return _of_contacts(tables, config.eligibility.account_deals, _won(tables))


def every_win(tables: Tables) -> Frame:
    """:func:`wins` where nothing is configured: a deal with only an account counts for all of its contacts."""
    return _of_contacts(tables, "all", _won(tables))


def losses(tables: Tables, config: Config) -> Frame:
    """Like :func:`wins`, for deals that were lost."""
    return _of_contacts(
        tables,
        config.eligibility.account_deals,
        tables.deals.filter(~nw.col("is_won") & ~nw.col("closed_at").is_null()),
    )


def opportunities(tables: Tables, config: Config, at: Frame) -> Frame:
    """The contacts of `at` (`contact_id`, `as_of`) with a deal open at their as-of: one column, `contact_id`."""
    deals = tables.deals.filter(~nw.col("created_at").is_null())
    # Without closed_at or is_won a deal is open.
    never = nw.col("closed_at").is_null() | nw.col("is_won").is_null()
    ends = nw.when(~never).then(nw.col("closed_at"))
    begun = _of_contacts(tables, config.eligibility.account_deals, deals.with_columns(closed_at=ends)).join(
        at, on="contact_id"
    )
    is_open = (nw.col("begun") <= nw.col("as_of")) & (
        nw.col("closed_at").is_null() | (nw.col("closed_at") > nw.col("as_of"))
    )
    return begun.filter(is_open).select("contact_id").unique()


def _won(tables: Tables) -> Frame:
    return tables.deals.filter(nw.col("is_won") & ~nw.col("closed_at").is_null())


def _of_contacts(tables: Tables, account_deals: str, deals: Frame) -> Frame:
    """The contacts that deals belong to: `contact_id`, `deal_id`, `begun` (created_at), `closed_at`."""
    deals = deals.with_columns(begun=nw.col("created_at"))
    columns = ["contact_id", "deal_id", "begun", "closed_at"]
    direct = deals.filter(~nw.col("contact_id").is_null()).select(columns)
    if account_deals == "none":
        return direct
    # A deal with contacts is theirs, even where a further row of it names only the account.
    named = tables.deals.filter(~nw.col("contact_id").is_null()).select("deal_id").unique()
    alone = deals.filter(nw.col("contact_id").is_null() & ~nw.col("account_id").is_null())
    by_account = alone.join(named, on="deal_id", how="anti").select(
        "account_id", "deal_id", "begun", "closed_at", since=nw.min_horizontal("begun", "closed_at")
    )
    members = held_by(tables, by_account)
    if account_deals == "most_active":
        members = _most_active(tables, members)
    return nw.concat([direct, members.select(columns)])


def _most_active(tables: Tables, members: Frame) -> Frame:
    """Of each deal's contacts the one with the most activities until the deal's start; ties by contact_id."""
    done = tables.activities.join(members.select("contact_id", "deal_id", "since"), on="contact_id")
    done = done.filter(nw.col("known") <= nw.col("since")).group_by("contact_id", "deal_id").agg(done=nw.len())
    counted = members.join(done, on=["contact_id", "deal_id"], how="left").with_columns(nw.col("done").fill_null(0))
    top = counted.join(counted.group_by("deal_id").agg(nw.col("done").max()), on=["deal_id", "done"], how="inner")
    return top.join(top.group_by("deal_id").agg(nw.col("contact_id").min()), on=["deal_id", "contact_id"], how="inner")
