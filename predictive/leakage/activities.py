"""Evidence: activity types that belong to a close itself, or that only contacts which closed have.

An activity that becomes known after the close reaches no example, since who has closed is not eligible: it cannot leak,
but it is useless. What leaks is known before the recorded close: steps of signing, or onboarding where the close is
recorded late, after which nearly everybody closes within hours; and activities dated back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import narwhals as nw

from predictive.clock import format_duration, from_micros
from predictive.leakage.contrast import FEWEST, LIFT, LIKELY, LIKELY_LOW, LUCK, SURE, SURE_LOW
from predictive.leakage.history import before
from predictive.leakage.numbers import chance, odds_ratio, wilson
from predictive.leakage.suspects import Confidence, Reason
from predictive.leakage.view import View

TABLE = "activities"


@dataclass(frozen=True)
class Counts:
    """How many contacts have activities of a `type` (`of`), known by the day of the audit.

    `late`: the first became known at their close or after. Of the rest `closed` closed later, `soon` within the window
    of :func:`~predictive.leakage.history.before`, and `told` are those for whom that can be said yet.
    """

    type: str
    of: int
    late: int
    closed: int
    soon: int
    told: int


def find(view: View) -> Iterator[Reason]:
    """Activity types that betray a close."""
    unwanted = {*view.config.features.exclude, *view.config.features.sensitive}
    counts = [mine for mine in _counts(view) if mine.type not in unwanted]
    for mine in counts:
        yield from _soon(view, mine)
        yield from _only(view, mine, len(counts))
        yield from _after(mine)


def _counts(view: View) -> list[Counts]:
    """The counts of every type, in the order of their names."""
    window = before(view.config.horizon_micros)
    known = view.tables.activities.filter(nw.col("known") <= view.until)
    first = known.group_by("contact_id", "type").agg(nw.col("known").min())
    both = first.join(view.wins, on="contact_id", how="left")
    closed = ~nw.col("closed_at").is_null()
    late = closed & (nw.col("known") >= nw.col("closed_at"))
    soon = closed & ~late & (nw.col("known") >= nw.col("closed_at") - window)
    # Whether somebody closes soon after cannot be said yet of the newest.
    told = ~late & (soon | (nw.col("known") + window <= view.until))
    flags = {"late": late, "closed": closed & ~late, "soon": soon, "told": told}
    numbers = [flag.fill_null(value=False).cast(nw.Int64).alias(name) for name, flag in flags.items()]
    per_type = both.with_columns(*numbers).group_by("type").agg(nw.len().alias("of"), *(nw.col(c).sum() for c in flags))
    rows = per_type.collect().select("type", "of", *flags).rows()
    return sorted((Counts(type_, *map(int, numbers)) for type_, *numbers in rows), key=lambda counts: counts.type)


def _soon(view: View, mine: Counts) -> Iterator[Reason]:
    """After its first one a contact closes at once: the type is a step of closing."""
    found = wilson(mine.soon, mine.told)
    confidence: Confidence | None = None
    if mine.soon < FEWEST or odds_ratio(found.value, view.base_rate) < LIFT:
        return
    if found.value >= SURE and found.low >= SURE_LOW:
        confidence = "high"
    elif found.value >= LIKELY and found.low >= LIKELY_LOW:
        confidence = "medium"
    if confidence is not None:
        span = _span(before(view.config.horizon_micros))
        saw = (
            f"of {mine.told:,} contacts that had one before any close, {mine.soon:,} ({found.value:.0%}) closed "
            f"within {span} of the first"
        )
        yield Reason(TABLE, mine.type, "happens at the close", saw, confidence)


def _only(view: View, mine: Counts, tests: int) -> Iterator[Reason]:
    """Nearly everybody who has one before a close does close, soon or not."""
    of = mine.of - mine.late
    found = wilson(mine.closed, of)
    if mine.closed < FEWEST or not view.enough or chance(mine.closed, of, view.base_rate) > LUCK / tests:
        return
    if found.value >= SURE and found.low >= SURE_LOW and odds_ratio(found.value, view.base_rate) >= LIFT:
        saw = f"of {of:,} contacts that had one before any close, {mine.closed:,} ({found.value:.0%}) closed later"
        yield Reason(TABLE, mine.type, "only contacts that close have it", saw, "high")


def _after(mine: Counts) -> Iterator[Reason]:
    """Nearly everybody who has one had closed before the first."""
    found = wilson(mine.late, mine.of)
    if mine.late >= FEWEST and found.value >= SURE and found.low >= SURE_LOW:
        saw = (
            f"of {mine.of:,} contacts with one, {mine.late:,} ({found.value:.0%}) had the first at their close or "
            "after, where no prediction is made any more"
        )
        yield Reason(TABLE, mine.type, "happens after the close", saw, "medium")


def _span(micros: int) -> str:
    return format_duration(from_micros(micros) - from_micros(0))
