"""Evidence: the history of an attribute begins with a close, and dates are those of the close."""

from __future__ import annotations

from collections.abc import Iterator

import narwhals as nw

from predictive.clock import DAY
from predictive.engines import Frame
from predictive.leakage.contrast import FEWEST, LIFT, LIKELY, LIKELY_LOW, SURE, SURE_LOW
from predictive.leakage.numbers import odds_ratio, wilson
from predictive.leakage.suspects import Confidence, Reason
from predictive.leakage.view import View, share

MOST_BEFORE = 3 * DAY
CHANGED, CHANGED_LOW = 0.6, 0.5
"""From this share on, that an attribute is first set at the close is a pattern."""


def before(horizon: int) -> int:
    """How long before a close something may belong to it, in microseconds: a tenth of the horizon, at most three days.

    >>> before(90 * DAY) == 3 * DAY, before(DAY) * 10 == DAY
    (True, True)
    """
    return min(MOST_BEFORE, horizon // 10)


def find(view: View) -> Iterator[Reason]:
    """Attributes first set at or after a close, by `changes`; and dates that lie there."""
    yield from _first_changes(view)
    if view.enough:
        yield from _dates(view)


def _first_changes(view: View) -> Iterator[Reason]:
    """Per attribute the objects whose first value dates from their close or later, among all that ever had one."""
    tables, until = view.tables, view.until
    set_ = tables.changes.filter((nw.col("changed_at") <= until) & ~nw.col("value").is_null())
    first = set_.group_by("object", "object_id", "attribute").agg(nw.col("changed_at").min())
    for object_, closes in (("contact", view.wins), ("account", _closes_of_accounts(view))):
        mine = first.filter(nw.col("object") == object_).join(
            closes.rename({f"{object_}_id": "object_id"}), on="object_id", how="left"
        )
        is_late = nw.col("changed_at") >= nw.col("closed_at") - before(view.config.horizon_micros)
        mine = mine.with_columns(late=is_late.fill_null(value=False).cast(nw.Int64))
        counted = mine.group_by("attribute").agg(nw.len().alias("of"), nw.col("late").sum())
        rate = share(_count(closes), _count(getattr(tables, f"{object_}s")))
        audited = {column.name for column in view.columns if column.table == f"{object_}s"}
        for name, of, late in sorted(counted.collect().select("attribute", "of", "late").rows()):
            confidence = _judged(int(late), int(of), rate)
            if name in audited and confidence is not None:
                saw = (
                    f"of {of:,} {object_}s that ever had a value, {int(late):,} ({late / of:.0%}) got it at their "
                    "close or after"
                )
                yield Reason(f"{object_}s", name, "changed at the close", saw, confidence)


def _closes_of_accounts(view: View) -> Frame:
    """The first close of each account's contacts: `account_id`, `closed_at`."""
    members = view.tables.contacts.filter(~nw.col("account_id").is_null()).select("contact_id", "account_id")
    closes = members.join(view.wins, on="contact_id", how="inner")
    return closes.group_by("account_id").agg(nw.col("closed_at").min())


def _count(frame: Frame) -> int:
    return int(frame.select(nw.len()).collect().item())


def _judged(late: int, of: int, rate: float) -> Confidence | None:
    """How suspicious `late` of `of` objects are, where the share `rate` of all objects has closed."""
    # Where most have closed, a history that was begun late finds them closed.
    if late < FEWEST or odds_ratio(late / of, rate) < LIFT:
        return None
    found = wilson(late, of)
    if found.value >= SURE and found.low >= SURE_LOW:
        return "high"
    return "medium" if found.value >= CHANGED and found.low >= CHANGED_LOW else None


def _dates(view: View) -> Iterator[Reason]:
    """Attributes that are dates, and lie at or after the close of those who closed. No date is a feature: medium."""
    closed_at = view.rows["closed_at"].astype("Float64")
    for column in view.columns:
        if column.kind != "time":
            continue
        known = column.filled & view.won
        late = int((column.values[known] >= closed_at[known] - before(view.config.horizon_micros)).sum())
        found = wilson(late, int(known.sum()))
        if late >= FEWEST and found.value >= LIKELY and found.low >= LIKELY_LOW:
            saw = f"of {known.sum():,} dates of contacts that closed, {late:,} lie at the close or after"
            yield Reason(column.table, column.name, "dated at the close", saw, "medium")
