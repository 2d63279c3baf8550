"""Examples: features at an as-of with the label that came after, for training and testing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import narwhals as nw
import pandas as pd

from predictive.clock import DAY
from predictive.config import Config
from predictive.engines import Frame, distinct, local, lucky
from predictive.features.build import build, totals_in
from predictive.features.catalog import Feature
from predictive.features.cut import Known, cut
from predictive.features.daily import Daily, add_up
from predictive.features.deals import wins
from predictive.features.labels import label_after
from predictive.features.snapshots import Moment, existing, judge, moments
from predictive.model.thinned import LUCK, weigh
from predictive.tables import Tables

LEAD = ["contact_id", "as_of", "label", "deal_id", "closed_at", "cluster"]


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
    looks: Sequence[Moment] | None = None,
    share: float = 1.0,
    progress: Callable[[str], None] = lambda _: None,
) -> Examples:
    """Every eligible contact at every as-of in [first, last] of the configured snapshots, with features and label.

    The caller chooses `last` so that all are mature: as_of + horizon observed. Times are in microseconds. `tables` are
    those of the working database. `looks`, in order of time, are taken in place of the configured snapshots. With a
    `share` below 1 so many of those that did not close are kept, with weights that put the others back: see
    :mod:`predictive.model.thinned`. Who is kept depends on the contact and the as-of.
    """
    found: list[pd.DataFrame] = []
    why: Counter[str] = Counter()
    looks = moments(config, first, last) if looks is None else looks
    for part in tables.each_part():
        for together in _aligned(looks):
            for frame, out in _passes(part, config, features, together, first, last, share):
                found.append(weigh(frame, share))
                why.update(out)
                progress(f"examples: {sum(map(len, found)):,}")
    found = [f for f in found if len(f)] or found[:1]
    if not found:
        return Examples(pd.DataFrame(columns=[*LEAD, *(f.name for f in features)]), {})
    frame = pd.concat(found, ignore_index=True).sort_values(["as_of", "contact_id"], ignore_index=True)
    return Examples(frame, dict(sorted(why.items())))


def _aligned(looks: Sequence[Moment]) -> list[list[Moment]]:
    """The moments that lie whole days apart, together: a change of the clocks between two midnights parts them."""
    phase = [(0 if m.instant is None else m.instant % DAY, m) for m in looks]
    return [[m for _, m in group] for _, group in groupby(sorted(phase, key=lambda p: p[0]), key=lambda p: p[0])]


def _passes(
    tables: Tables,
    config: Config,
    features: Sequence[Feature],
    looks: Sequence[Moment],
    first: int,
    last: int,
    share: float,
) -> Iterator[tuple[pd.DataFrame, dict[str, int]]]:
    """Per moment the examples, and how many contacts were not eligible, by reason.

    What contacts did is added up by day once, seen from the last moment. In the working database every frame is made
    once and worked out for each moment: all read `at`, which is kept anew each time.
    """
    reference = tables.keep(existing(tables, looks[-1]).rename({"as_of": "reference"}), "reference")
    won = tables.keep(wins(tables, config), "won")
    totals = totals_in(features)
    followed = reference if share >= 1 else _may_be_drawn(tables, reference, looks, won, share)
    history = add_up(tables, followed, totals) if totals else None
    steps: _Steps | None = None
    renewed = tables.contacts.implementation.is_duckdb()
    for look in looks:
        at = existing(tables, look).filter((nw.col("as_of") >= first) & (nw.col("as_of") <= last))
        back = (nw.col("reference") - nw.col("as_of")) // DAY
        at = tables.keep(at.join(reference, on="contact_id", how="inner").with_columns(shift=back), "at")
        if steps is None or not renewed:
            steps = _steps(tables, config, features, at, history, won, share)
        else:
            tables.keep(steps.contacts, "contacts")
            tables.keep(steps.judged, "judged")
        out = local(steps.reasons)
        yield local(steps.examples), dict(zip(out["why"], out["n"].astype(int), strict=True))


@dataclass(frozen=True)
class _Steps:
    """What is worked out for each moment, in this order; `contacts` and `judged` are kept under these names."""

    contacts: Frame
    judged: Frame
    reasons: Frame
    examples: Frame


def _steps(
    tables: Tables, config: Config, features: Sequence[Feature], at: Frame, history: Daily | None, won: Frame,
    share: float,
) -> _Steps:  # fmt: skip
    # Without features it is only asked who is eligible, and of which account; every history costs as much as the last.
    needed = None if features else {"account_id", *config.eligibility.non_marketing}
    attributes = cut(tables, at, attributes=needed).contacts
    contacts = tables.keep(attributes, "contacts")
    # The prefix keeps an account and a contact with the same id apart.
    account = nw.when(~nw.col("account_id").is_null()).then(nw.concat_str(nw.lit("account "), nw.col("account_id")))
    cluster = nw.coalesce(account, nw.concat_str(nw.lit("contact "), nw.col("contact_id")))
    verdict = judge(Known(contacts), tables, config, training=True)
    found = at.join(label_after(tables, at, config).drop("as_of"), on="contact_id", how="left")
    found = found.join(contacts.select("contact_id", cluster=cluster), on="contact_id", how="left")
    found = found.join(verdict, on="contact_id", how="left")
    judged = tables.keep(found, "judged")
    eligible = _drawn(judged.filter(nw.col("why").is_null()), share)
    reasons = judged.filter(~nw.col("why").is_null()).group_by("why").agg(n=nw.len()).sort("why")
    rows = eligible.select(LEAD if share >= 1 else [*LEAD, LUCK])
    if features:
        known = cut(tables, eligible, totals_in(features), history=history, won=won, contacts=contacts)
        rows = rows.join(build(known, features).drop("as_of"), on="contact_id", how="inner")
    return _Steps(attributes, found, reasons, rows)


def _drawn(eligible: Frame, share: float) -> Frame:
    """Every close, and the share of the others, by luck."""
    if share >= 1:
        return eligible
    return lucky(eligible, LUCK).filter((nw.col("label") == 1) | (nw.col(LUCK) < share))


def _may_be_drawn(tables: Tables, reference: Frame, looks: Sequence[Moment], won: Frame, share: float) -> Frame:
    """The contacts of `reference` of whom any example may be drawn: by luck, or since they ever won a deal.

    What the others did need not be added up: where few are drawn that is most of it.
    """
    lots = [lucky(existing(tables, look), LUCK).filter(nw.col(LUCK) < share).select("contact_id") for look in looks]
    ids = distinct(nw.concat([*lots, won.select("contact_id")]), "contact_id")
    return tables.keep(reference.join(ids, on="contact_id", how="semi"), "followed")


def share_to_keep(
    tables: Tables, config: Config, first: int, last: int, looks: Sequence[Moment] | None = None
) -> float:
    """The share of the examples that did not close to keep, so that there are about as many as configured."""
    looks = moments(config, first, last) if looks is None else looks
    at = (existing(tables, look).filter((nw.col("as_of") >= first) & (nw.col("as_of") <= last)) for look in looks)
    pairs = sum(int(frame.select(nw.len()).collect().item()) for frame in at)
    return min(1.0, config.model.examples / max(pairs, 1))
