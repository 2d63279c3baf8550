"""How fast a database ages: measured in its own bounces and changes of job, beside the share that people quote."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw

from predictive.clock import DAY
from predictive.engines import Frame
from predictive.evaluation.counts import poisson_interval
from predictive.hygiene.words import BOUNCED, all_types, types_like
from predictive.tables import Tables

YEAR = 365.25 * DAY
QUOTED = "25–30 %"
"""The yearly share that people quote, without a source that measured it."""
FEWEST_YEARS = 10
"""Contact-years below which a yearly share says nothing."""


@dataclass(frozen=True)
class Decay:
    """One way in which contacts go stale, as a share of them per year with its 95 % interval.

    `events` are contacts to whom it happened for the first time, in `years` of contacts at risk: from their creation,
    or the start of the records where that is later, until it happened or the night. `unknown` says why there is no
    share, which is None then.
    """

    what: str
    events: int
    years: float
    share: float | None
    low: float | None
    high: float | None
    unknown: str | None = None


def measure_decay(tables: Tables, night: int) -> tuple[Decay, ...]:
    """Bounces, changes of job title and of account; and, last, whichever comes first of those that are recorded.

    The rate is events over contact-years, its interval Poisson's (Garwood 1936) widened by how much colleagues share
    their luck; a yearly share is 1 - exp(-rate).
    """
    causes = {
        "e-mail bounced": _bounces(tables, night),
        "job title changed": _moves(tables, night, "job_title"),
        "account changed": _moves(tables, night, "account_id"),
    }
    each = [
        _measured(what, tables, night, [rows]) if rows is not None else _unknown(what, why)
        for what, (rows, why) in causes.items()
    ]
    known = [rows for rows, _ in causes.values() if rows is not None]
    return (*each, _measured("any of these", tables, night, known) if known else _unknown("any of these", "no records"))


def _unknown(what: str, why: str) -> Decay:
    return Decay(what, 0, 0.0, None, None, None, why)


def _bounces(tables: Tables, night: int) -> tuple[Frame | None, str]:
    types = types_like(all_types(tables), BOUNCED)
    rows = tables.activities.filter(nw.col("known") <= night)
    start = rows.select(nw.col("t").min()).collect().item()
    if not types or start is None:
        return None, "no activity type is a bounce"
    bounced = rows.filter(nw.col("type").is_in(types)).select("contact_id", event=nw.col("t"))
    return bounced.with_columns(start=nw.lit(int(start), nw.Int64)), ""


def _moves(tables: Tables, night: int, attribute: str) -> tuple[Frame | None, str]:
    """Changes of a value that was known before; writing it otherwise (case, spaces) is none."""
    mine = (nw.col("object") == "contact") & (nw.col("attribute") == attribute)
    rows = tables.changes.filter(mine & (nw.col("changed_at") <= night))
    start = rows.select(nw.col("changed_at").min()).collect().item()
    if start is None:
        return None, f"{attribute} has no history in changes"
    first = rows.group_by("object_id").agg(first=nw.col("changed_at").min())
    before, after = (nw.col(c).str.to_lowercase().str.replace_all(r"\s+", "") for c in ("old_value", "value"))
    moved = ~nw.col("value").is_null() & nw.coalesce(before != after, nw.col("changed_at") > nw.col("first"))
    known = rows.join(first, on="object_id", how="inner").filter(moved)
    found = known.select(contact_id=nw.col("object_id"), event=nw.col("changed_at"))
    return found.with_columns(start=nw.lit(int(start), nw.Int64)), ""


def _measured(what: str, tables: Tables, night: int, causes: Sequence[Frame]) -> Decay:
    """The rate at which the first of several kinds of events comes."""
    events = nw.concat([c.select("contact_id", "event") for c in causes])
    start = max(int(c.select(nw.col("start").min()).collect().item() or 0) for c in causes)
    contacts = tables.contacts.filter(nw.col("created_at") <= night).select("contact_id", "account_id", "created_at")
    begin = nw.max_horizontal("created_at", nw.lit(start, nw.Int64))
    rows = contacts.with_columns(begin=begin).join(
        events.group_by("contact_id").agg(event=nw.col("event").min()), on="contact_id", how="left"
    )
    # Whoever it happened to before the records begin is no longer at risk.
    rows = rows.filter(nw.col("event").is_null() | (nw.col("event") > nw.col("begin")))
    until = nw.coalesce(nw.col("event"), nw.lit(night, nw.Int64))
    rows = rows.select(
        cluster=nw.coalesce("account_id", "contact_id"),
        e=(~nw.col("event").is_null()).cast(nw.Int64),
        t=(until - nw.col("begin")).cast(nw.Float64) / YEAR,
    )
    each = rows.group_by("cluster").agg(nw.col("e").sum(), nw.col("t").sum())
    each = each.select("e", "t", ee=nw.col("e") * nw.col("e"), et=nw.col("e") * nw.col("t"), tt=nw.col("t") ** 2)
    sums: Any = each.select(nw.col("e", "t", "ee", "et", "tt").sum()).collect()
    e, t, ee, et, tt = (float(sums[c][0] or 0) for c in ("e", "t", "ee", "et", "tt"))
    if t < FEWEST_YEARS:
        return Decay(what, int(e), t, None, None, None, f"fewer than {FEWEST_YEARS} contact-years on record")
    rate = e / t
    # How many times the variance of the count is that of a Poisson number, for colleagues who leave together.
    spread = max(1.0, (ee - 2 * rate * et + rate**2 * tt) / e) if e else 1.0
    low, high = (bound * spread / t for bound in poisson_interval(e / spread))
    share, least, most = (1 - math.exp(-r) for r in (rate, low, high))
    return Decay(what, int(e), t, share, least, most)
