"""The one place that applies the cutoff: what was known of each contact at its as-of.

Feature builders and rules receive a :class:`Known` and nothing else, so they cannot look ahead.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import narwhals as nw

from predictive.clock import DAY
from predictive.engines import Frame
from predictive.features.attributes import attributes_then, held_by
from predictive.features.daily import Daily, seen_from, seen_once
from predictive.features.expression import Total
from predictive.tables import Tables


@dataclass(frozen=True)
class Known:
    """What was known at as-of, one as-of per `contact_id`.

    `contacts`: `contact_id`, `as_of`, `created_at`, the attributes as of then, and those of the account with the prefix
    ``account_``. `daily`: what they did, by day. `colleagues`: `account_id`, `as_of`, `contact_id`, for everybody who
    belonged to the account then, with `bought` (1 after a won deal); `done`: what these did in the longest window that
    is asked for (all of it, where one has no window): `account_id`, `as_of`, `contact_id`, `type`, `age`
    (microseconds). What no total needs is None.
    """

    contacts: Frame
    daily: Daily | None = None
    colleagues: Frame | None = None
    done: Frame | None = None


def cut(
    tables: Tables,
    at: Frame,
    totals: Sequence[Total] = (),
    *,
    history: Daily | None = None,
    won: Frame | None = None,
    contacts: Frame | None = None,
    attributes: Collection[str] | None = None,
) -> Known:
    """What was known at each row of `at` (`contact_id`, `as_of`; a contact at most once), as far as `totals` need it.

    An activity is visible when the later of its two times is at or before as-of. An attribute with a history has the
    value of its latest change at or before as-of; before its first change, the `old_value` of that change if given,
    else it is missing. An attribute without any history has today's value.

    `history` is what was added up before, for many as-ofs; `at` then has `shift` (see
    :func:`~predictive.features.daily.seen_from`). `won` is what :func:`~predictive.features.deals.wins` finds; needed
    where a total asks who bought. `contacts` is that frame of an earlier cut at the same as-ofs, if there was one.
    `attributes` names those that are needed (default: all), `account_id` among them where a total is of colleagues.
    """
    instants = at.select("contact_id", "as_of")
    if contacts is None:
        contacts = instants.join(attributes_then(tables, instants, attributes), on="contact_id", how="left")
    else:
        contacts = contacts.join(instants.select("contact_id"), on="contact_id", how="semi")
    daily = None
    if any(t.stream != "colleagues" for t in totals):
        if history is None:
            daily = seen_once(tables, instants, totals)
        else:
            daily = seen_from(history, at.select("contact_id", "as_of", "shift"))
    of_colleagues = [t for t in totals if t.stream == "colleagues"]
    if not of_colleagues:
        return Known(contacts, daily)
    colleagues = _members(tables, contacts, won)
    windows = [t.days for t in of_colleagues if t.measure not in ("people", "bought")]
    longest = None if None in windows else max((days for days in windows if days is not None), default=0)
    return Known(contacts, daily, colleagues, _done(tables, colleagues, longest))


def _members(tables: Tables, contacts: Frame, won: Frame | None) -> Frame:
    """Everybody who belonged to an account of `contacts` at its as-of, and whether they had bought by then."""
    accounts = contacts.filter(~nw.col("account_id").is_null()).select("account_id", since=nw.col("as_of")).unique()
    members = held_by(tables, accounts).select("account_id", "contact_id", as_of=nw.col("since"))
    if won is None:
        return members.with_columns(bought=nw.lit(0, nw.Int64))
    first = won.group_by("contact_id").agg(first_won=nw.col("closed_at").min())
    members = members.join(first, on="contact_id", how="left")
    bought = (nw.col("first_won") <= nw.col("as_of")).cast(nw.Int64).fill_null(0)
    return members.with_columns(bought=bought).drop("first_won")


def _done(tables: Tables, members: Frame, days: int | None) -> Frame:
    rows = tables.activities.select("contact_id", "type", "t", "known")
    rows = rows.join(members.select("account_id", "as_of", "contact_id"), on="contact_id", how="inner")
    visible = nw.col("known") <= nw.col("as_of")
    if days is not None:
        visible = visible & (nw.col("as_of") - nw.col("t") < days * DAY)
    return rows.filter(visible).select("account_id", "as_of", "contact_id", "type", age=nw.col("as_of") - nw.col("t"))
