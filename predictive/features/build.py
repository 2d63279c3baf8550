"""Running features: what is known at as-of in, one row per contact out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import narwhals as nw

from predictive.clock import DAY
from predictive.engines import Frame
from predictive.features.catalog import Feature
from predictive.features.cut import Known, cut
from predictive.features.daily import OF_DAYS, among, condition, scope, whole_days
from predictive.features.expression import STREAK_WEEKS, WEIGHT_ONE, Total, compiled
from predictive.tables import Tables

EXTREMES = {"last": nw.Expr.min, "first": nw.Expr.max}


def totals_in(features: Sequence[Feature]) -> list[Total]:
    """The totals of these features, each once."""
    return list(dict.fromkeys(t for f in features for t in f.totals))


def features_at(tables: Tables, at: Frame, features: Sequence[Feature], *, won: Frame | None = None) -> Frame:
    """The values of `features` for every row of `at` (`contact_id`, `as_of`): what is asked for most.

    `won` is what :func:`~predictive.features.deals.wins` finds, where a feature asks which colleagues bought. What
    several features read is worked out once, with ``tables.keep``: collect the frame before the next call.
    """
    totals = totals_in(features)
    at = tables.keep(at.select("contact_id", "as_of"), "at")
    contacts = tables.keep(cut(tables, at).contacts, "contacts")
    won = None if won is None else tables.keep(won, "won")
    return build(cut(tables, at, totals, won=won, contacts=contacts), features)


def build(known: Known, features: Sequence[Feature]) -> Frame:
    """The values of `features` for every contact of `known`: `contact_id`, `as_of`, one column per feature name.

    `known` must have been cut for the totals of these features. Counts are int64, other numbers float64, levels text; a
    value that is not known is null. Names of features must differ by more than case, see
    :func:`~predictive.features.catalog.distinct`.
    """
    if len({f.name.casefold() for f in features}) < len(features):
        raise ValueError("two features have the same name, case aside")
    totals = totals_in(features)
    frame = known.contacts
    for part in _parts(known, totals):
        frame = frame.join(part, on="contact_id", how="left")
    return frame.select("contact_id", "as_of", *(compiled(f.term).alias(f.name) for f in features))


def _parts(known: Known, totals: Sequence[Total]) -> list[Frame]:
    """Frames of one row per contact that together hold every total."""
    parts: list[Frame] = []
    own = [t for t in totals if t.stream != "colleagues"]
    if known.daily is not None:
        of_days = [t for t in own if t.measure in OF_DAYS]
        detailed = [t for t in own if t.detail is not None or t.contains is not None]
        plain = [t for t in own if t not in of_days and t not in detailed]
        streams = [(known.daily.by_type, plain, ["type"]), (known.daily.by_detail, detailed, ["type", "detail"])]
        for names, frame in known.daily.active.items():
            streams.append((frame, [t for t in of_days if scope(t) in names], ["type"]))
        parts = [_per_contact(rows, some, keys) for rows, some, keys in streams if some and rows is not None]
    others = [t for t in totals if t.stream == "colleagues"]
    if others:
        parts.append(_of_colleagues(known, others))
    return parts


def _per_contact(rows: Frame, totals: Sequence[Total], keys: list[str]) -> Frame:
    """Per contact and type first, pivoted second: measured twice as fast as one grouping with conditions."""
    bases = list(dict.fromkeys(t.base for t in totals))
    narrow = rows.select("contact_id", *keys, *(_row_value(b).alias(b.column) for b in bases))
    grouped = _combined(narrow, ["contact_id", *keys], bases)
    pivoted = grouped.select("contact_id", *map(_pivoted, totals))
    return pivoted.group_by("contact_id").agg(_gathered(t, keys)(nw.col(t.column)) for t in totals)


def _gathered(total: Total, keys: list[str]) -> Callable[[nw.Expr], nw.Expr]:
    """How the groups of a contact become one: where only one group counts, the largest is faster than the sum."""
    single = keys == ["type"] and (total.measure in OF_DAYS or len(total.types) == 1) and total.measure != "breadth"
    return EXTREMES.get(total.measure, nw.Expr.max if single else nw.Expr.sum)


def _pivoted(total: Total) -> nw.Expr:
    value, applies = nw.col(total.base.column), condition(total)
    if total.measure == "breadth":
        value, applies = nw.lit(1, nw.Int64), applies & (value > 0)
    return nw.when(applies).then(value).alias(total.column)


def _row_value(base: Total) -> nw.Expr:
    """What the rows of one day contribute; null where they do not count."""
    value = {
        "count": nw.col("n") if base.measure == "count" else nw.lit(1, nw.Int64),
        "value": nw.col("value") if base.measure == "value" else nw.lit(1, nw.Int64),
        "valued": nw.col("valued") if base.measure == "valued" else nw.lit(1, nw.Int64),
        "days": nw.lit(1, nw.Int64),
        "weeks": _bit(),
        "decay": _decayed(base.half_life or 1),
        "last": nw.col("age") if base.measure == "last" else nw.lit(1, nw.Int64),
        "first": nw.col("oldest") if base.measure == "first" else nw.lit(1, nw.Int64),
    }[base.measure]
    days = 7 * STREAK_WEEKS if base.measure == "weeks" else base.days
    return value if days is None else nw.when(nw.col("day") < days).then(value)


def _bit() -> nw.Expr:
    """2^day: sums of days that differ have one bit for each."""
    within = nw.col("day").clip(0, 7 * STREAK_WEEKS).cast(nw.Float64)
    return (nw.lit(2.0) ** within).cast(nw.Int64)


def _decayed(half_life: int) -> nw.Expr:
    """N × 2^(−day / half-life) in fixed point, so that sums are exact."""
    return nw.col("n") * _weight(nw.col("day"), half_life)


def _weight(day: nw.Expr, half_life: int) -> nw.Expr:
    weight = nw.lit(2.0) ** (-(day.cast(nw.Float64)) / float(half_life))
    # Engines disagree on how round() treats halves.
    return (weight * WEIGHT_ONE + 0.5).floor().cast(nw.Int64)


def _combined(rows: Frame, keys: list[str], totals: Sequence[Total]) -> Frame:
    """One row per `keys`: sums as int64 (DuckDB makes them wider), smallest age for the last, largest for the first."""
    per_key = rows.group_by(keys).agg(EXTREMES.get(t.measure, nw.Expr.sum)(nw.col(t.column)) for t in totals)
    return per_key.with_columns(nw.col(t.column).cast(nw.Int64) for t in totals if t.measure not in EXTREMES)


def _of_colleagues(known: Known, totals: Sequence[Total]) -> Frame:
    """Sums over everybody in the account, less the contact's own."""
    if known.colleagues is None or known.done is None:
        raise ValueError("the tables were cut without the totals of colleagues")
    windows = [t for t in totals if t.measure not in ("people", "bought")]
    done = known.done.select("account_id", "as_of", "contact_id", *(_in_window(t).alias(t.column) for t in windows))
    key = ["account_id", "as_of"]
    each = known.colleagues
    if windows:
        counts = _combined(done, [*key, "contact_id"], windows)
        each = each.join(counts, on=[*key, "contact_id"], how="left")
    columns = []
    for t in totals:
        done_any = (nw.col(t.column) > 0).cast(nw.Int64) if t in windows else nw.lit(0, nw.Int64)
        value = {"people": nw.lit(1, nw.Int64), "bought": nw.col("bought"), "active": done_any}
        columns.append(value.get(t.measure, nw.col(t.column)).fill_null(0).alias(t.column))
    each = each.select(*key, "contact_id", *columns)
    both = _combined(each.drop("contact_id"), key, totals).rename({t.column: f"{t.column}::all" for t in totals})
    mine = known.contacts.select("contact_id", *key).join(each, on=[*key, "contact_id"], how="inner")
    others = [(nw.col(f"{t.column}::all") - nw.col(t.column)).alias(t.column) for t in totals]
    return mine.join(both, on=key, how="inner").select("contact_id", *others)


def _in_window(total: Total) -> nw.Expr:
    counted = nw.col("age") >= 0 if total.days is None else nw.col("age") < total.days * DAY
    if total.types:
        counted = counted & among(nw.col("type"), total.types)
    if total.without:
        counted = counted & ~among(nw.col("type"), total.without)
    each = nw.lit(1, nw.Int64) if total.half_life is None else _weight(whole_days(nw.col("age")), total.half_life)
    return nw.when(counted).then(each)
