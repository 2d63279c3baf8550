"""Running features: tables known at as-of in, one row per contact out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import narwhals as nw

from predictive.clock import DAY
from predictive.features.catalog import WEIGHT_ONE, Feature, Total
from predictive.features.cut import Frame, Known

SUMMED = ("count", "decay")


def build(known: Known, features: Sequence[Feature]) -> Frame:
    """The values of `features` for every contact of `known`: `contact_id`, `as_of`, one column per feature name.

    Counts are int64, other numbers float64, levels text; a value that is not known is null. Names of features must
    differ by more than case, see :func:`~predictive.features.catalog.distinct`.
    """
    if len({f.name.casefold() for f in features}) < len(features):
        raise ValueError("two features have the same name, case aside")
    totals = list(dict.fromkeys(t for f in features for t in f.totals))
    frame = known.contacts
    for part in _totals(known.activities, totals):
        frame = frame.join(part, on="contact_id", how="left")
    return frame.select("contact_id", "as_of", *(f.expr.alias(f.name) for f in features))


def _totals(activities: Frame, totals: Sequence[Total]) -> Iterable[Frame]:
    """Frames of one row per contact that together hold every total."""
    plain = [t for t in totals if t.measure in (*SUMMED, "first", "last")]
    if plain:
        yield _by_type_then_contact(activities, plain)
    days = [t for t in totals if t.measure == "days"]
    for without in dict.fromkeys(t.without for t in days):
        yield _active_days(_rest(activities, without), [t for t in days if t.without == without])
    for total in totals:
        if total.measure in ("first_type", "last_type"):
            yield _touch(_rest(activities, total.without), total)


def _by_type_then_contact(activities: Frame, totals: Sequence[Total]) -> Frame:
    """Per contact and type first, pivoted second: measured twice as fast as one grouping with conditions."""
    bases = list(dict.fromkeys(t.base for t in totals))
    rows = activities.with_columns(_row_value(b).alias(b.column) for b in bases)
    per_type = _combined(rows, ["contact_id", "type"], bases)
    pivoted = per_type.with_columns(
        nw.when(nw.col("type").is_in(list(t.types))).then(nw.col(t.base.column)).alias(t.column)
        for t in totals
        if t.types
    )
    return _combined(pivoted, ["contact_id"], totals)


def _row_value(base: Total) -> nw.Expr:
    """What one activity contributes; null where it does not count."""
    value = {
        "count": nw.lit(1, nw.Int64),
        "decay": _decayed(base.half_life or 1),
        "last": nw.col("age"),
        "first": nw.col("age"),
    }[base.measure]
    conditions = []
    if base.days is not None:
        conditions.append(nw.col("age") < base.days * DAY)
    if base.without:
        conditions.append(~nw.col("type").is_in(list(base.without)))
    if base.detail is not None:
        conditions.append(nw.col("detail") == base.detail)
    if base.contains is not None:
        conditions.append(nw.col("detail").str.contains(base.contains, literal=True))
    for condition in conditions:
        value = nw.when(condition).then(value)
    return value


def _decayed(half_life: int) -> nw.Expr:
    """2^(−age / half-life) in fixed point, so that sums are exact."""
    weight = nw.lit(2.0) ** (-(nw.col("age").cast(nw.Float64)) / float(half_life * DAY))
    # Engines disagree on how round() treats halves, and 21 half-lives are exactly one.
    return (weight * WEIGHT_ONE + 0.5).floor().cast(nw.Int64)


def _combined(rows: Frame, keys: list[str], totals: Sequence[Total]) -> Frame:
    """One row per `keys`: sums as int64 (DuckDB makes them wider), smallest age for the last, largest for the first."""
    how = {"last": nw.Expr.min, "first": nw.Expr.max}
    per_key = rows.group_by(keys).agg(how.get(t.measure, nw.Expr.sum)(nw.col(t.column)) for t in totals)
    return per_key.with_columns(nw.col(t.column).cast(nw.Int64) for t in totals if t.measure in SUMMED)


def _rest(activities: Frame, without: tuple[str, ...]) -> Frame:
    return activities.filter(~nw.col("type").is_in(list(without))) if without else activities


def _active_days(activities: Frame, totals: Sequence[Total]) -> Frame:
    """Distinct UTC days: grouped to days first; a day counts for a window that its latest activity falls in."""
    days = activities.with_columns(day=nw.col("t") // DAY).group_by("contact_id", "day").agg(nw.col("age").min())
    flags = [(nw.col("age") < t.days * DAY).cast(nw.Int64).alias(t.column) for t in totals if t.days is not None]
    return days.with_columns(flags).group_by("contact_id").agg(nw.col(t.column).sum() for t in totals)


def _touch(activities: Frame, total: Total) -> Frame:
    """The type of the first or last activity."""
    age = nw.col("age").max() if total.measure == "first_type" else nw.col("age").min()
    per_contact = activities.group_by("contact_id").agg(age)
    at = activities.join(per_contact, on=["contact_id", "age"], how="inner")
    return at.group_by("contact_id").agg(nw.col("type").min().alias(total.column))
