"""What contacts did, added up by day once, so that many as-ofs can be read off it without going through all rows again.

A day is 24 hours, counted back from a reference instant of each contact. An as-of that lies whole days before the
reference sees whole days only, so that nothing is lost by adding up: a midnight a month earlier (without a change of
the clocks between), or an earlier age of the same contact. The as-of itself as reference always does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_

import narwhals as nw

from predictive.clock import DAY
from predictive.engines import Frame, distinct
from predictive.features.expression import VALUE_ONE, Total, floored
from predictive.tables import Tables

CHANGE = "::"
"""Put before the name of an attribute, it is the type of its changes among the types of activities."""
LARGEST_VALUE = 10**10
"""Larger values count as this, so that the sums of 90,000 of them stay within int64."""
OF_DAYS = ("days", "weeks")


@dataclass(frozen=True)
class Daily:
    """Rows by day; `back` counts the days from the reference, and `known` those from it to when the row was known.

    `by_type`: `contact_id`, `type`, `back`, `known`, `n`, `value` and `valued` (fixed point; how many have one),
    `newest` and `oldest` (microseconds). `by_detail`: the same with `detail`, of the rows whose detail is asked for.
    `active`: `contact_id`, `type` (that of a :func:`scope`), `back`, `known`: the days with any row of the scope; a
    frame for every set of scopes that share no type, by their names.
    """

    by_type: Frame
    by_detail: Frame | None
    active: dict[tuple[str, ...], Frame]


def scope(total: Total) -> str:
    """The name of the set of types that active days are taken over: of a single one that type.

    A short name, since DuckDB groups texts of more than 12 bytes more slowly.
    """
    if len(total.types) == 1:
        return (CHANGE if total.stream == "changes" else "") + total.types[0]
    return CHANGE + Total("days", total.types, without=total.without, stream=total.stream).column[-10:]


def seen_once(tables: Tables, at: Frame, totals: Sequence[Total]) -> Daily:
    """What :func:`seen_from` gives, for the as-ofs of `at` alone, read from the rows as they are.

    Adding them up by day first would be work done twice. All sums are the same. The days are worked out now, with
    ``tables.keep``: collect what is made of them before the next call.
    """
    rows = _events(tables, totals).join(at.select("contact_id", "as_of"), on="contact_id", how="inner")
    rows = rows.filter(nw.col("known") <= nw.col("as_of")).with_columns(age=nw.col("as_of") - nw.col("t"))
    sets = _apart(totals)
    days = rows.select("contact_id", "type", day=whole_days(nw.col("age")))
    days = tables.keep(distinct(days, "contact_id", "type", "day"), "days") if sets else days
    detailed = _detailed(totals)
    by_detail = None if detailed is None else _one_by_one(rows.filter(detailed), ["type", "detail"])
    return Daily(_one_by_one(rows, ["type"]), by_detail, {tuple(s): _days_of(days, s) for s in sets})


def add_up(tables: Tables, reference: Frame, totals: Sequence[Total]) -> Daily:
    """What each contact of `reference` (`contact_id`, `reference` in microseconds) did and was known by then, by day.

    Only what `totals` need is there, worked out now with ``tables.keep``, to be read many times.
    """
    rows = _events(tables, totals).join(reference, on="contact_id", how="inner")
    rows = rows.filter(nw.col("known") <= nw.col("reference")).with_columns(
        back=whole_days(nw.col("reference") - nw.col("t")), known=whole_days(nw.col("reference") - nw.col("known"))
    )
    by_type = tables.keep(_grouped(rows, ["type"]), "daily_by_type")
    detailed = _detailed(totals)
    by_detail = None
    if detailed is not None:
        by_detail = tables.keep(_grouped(rows.filter(detailed), ["type", "detail"]), "daily_by_detail")
    active = {tuple(s): tables.keep(_marked(by_type, s), f"daily_active_{k}") for k, s in enumerate(_apart(totals))}
    return Daily(by_type, by_detail, active)


def seen_from(daily: Daily, at: Frame) -> Daily:
    """The rows known at the as-ofs of `at` (`contact_id`, `as_of`, `shift`: whole days from the reference back to it).

    In place of `back` and `known` there is `day`, counted back from as-of; `age` is the time since the newest, and
    `oldest` the time since the oldest, in microseconds.
    """

    def moved(frame: Frame) -> Frame:
        seen = frame.join(at, on="contact_id", how="inner").filter(nw.col("known") >= nw.col("shift"))
        return seen.with_columns(day=nw.col("back") - nw.col("shift"))

    def aged(frame: Frame) -> Frame:
        ages = {"age": nw.col("as_of") - nw.col("newest"), "oldest": nw.col("as_of") - nw.col("oldest")}
        return moved(frame).with_columns(**ages)

    by_detail = None if daily.by_detail is None else aged(daily.by_detail)
    return Daily(aged(daily.by_type), by_detail, {names: moved(frame) for names, frame in daily.active.items()})


def condition(total: Total) -> nw.Expr:
    """Which rows a total is taken over."""
    column = nw.col("type")
    if total.measure in OF_DAYS:
        return column == scope(total)
    change = column.str.starts_with(CHANGE)
    if total.stream == "changes":
        names = [CHANGE + name for name in total.types or total.without]
        found = among(column, names) if total.types else change & ~among(column, names) if names else change
    elif total.types:
        found = among(column, total.types)
    else:
        found = ~change & ~among(column, total.without) if total.without else ~change
    if total.detail is not None:
        found = found & (nw.col("detail") == total.detail)
    if total.contains is not None:
        found = found & nw.col("detail").str.contains(total.contains, literal=True)
    return found


def among(column: nw.Expr, values: Sequence[str]) -> nw.Expr:
    """Whether a column is one of a few values: comparisons, which DuckDB does faster than a search in a list."""
    return reduce(or_, (column == value for value in values))


def whole_days(age: nw.Expr) -> nw.Expr:
    """The whole days in microseconds: exact up to 285 years, which a double holds."""
    return floored(age, DAY).cast(nw.Int64)


def _events(tables: Tables, totals: Sequence[Total]) -> Frame:
    """Activities, and the changes of contacts after they were created where a total asks for them."""
    columns = ("contact_id", "type", "detail", "value", "t", "known")
    activities = tables.activities.select(*columns)
    if all(t.stream != "changes" for t in totals):
        return activities
    made = tables.contacts.select("contact_id", "created_at")
    changes = tables.changes.filter(nw.col("object") == "contact").rename({"object_id": "contact_id"})
    changes = changes.join(made, on="contact_id", how="inner").filter(nw.col("changed_at") > nw.col("created_at"))
    rows = changes.select(
        "contact_id",
        type=nw.concat_str(nw.lit(CHANGE), nw.col("attribute")),
        detail=nw.lit(None, nw.String),
        value=nw.lit(None, nw.Float64),
        t=nw.col("changed_at"),
        known=nw.col("changed_at"),
    )
    return nw.concat([activities, rows])


def _fixed() -> nw.Expr:
    """The value in fixed point; missing where it is no number."""
    value = nw.col("value")
    finite = ~value.is_null() & (value > -float("inf")) & (value < float("inf")) & ~value.is_nan()
    within = nw.when(finite).then(value.clip(-float(LARGEST_VALUE), float(LARGEST_VALUE)))
    return (within * float(VALUE_ONE) + 0.5).floor().cast(nw.Int64)


def _one_by_one(rows: Frame, keys: list[str]) -> Frame:
    """Every row as if it were a day of its own."""
    value = _fixed()
    return rows.select(
        "contact_id",
        *keys,
        "age",
        oldest=nw.col("age"),
        day=whole_days(nw.col("age")),
        n=nw.lit(1, nw.Int64),
        value=value,
        valued=(~value.is_null()).cast(nw.Int64),
    )


def _grouped(rows: Frame, keys: list[str]) -> Frame:
    rows = rows.with_columns(value=_fixed())
    by_day = rows.group_by("contact_id", *keys, "back", "known").agg(
        n=nw.len(),
        value=nw.col("value").sum(),
        valued=nw.col("value").count(),
        newest=nw.col("t").max(),
        oldest=nw.col("t").min(),
    )
    return by_day.with_columns(nw.col("n", "value", "valued").cast(nw.Int64))


def _days_of(days: Frame, scopes: dict[str, Total]) -> Frame:
    """The days (`contact_id`, `type`, `day`, each once) with any row of these scopes, which share no type."""
    labelled = _labelled(days, scopes)
    return labelled if _each_one_type(scopes) else distinct(labelled, "contact_id", "type", "day")


def _marked(by_type: Frame, scopes: dict[str, Total]) -> Frame:
    """The days with any row of these scopes, which share no type; each known as soon as its first row was."""
    rows = _labelled(by_type, scopes).group_by("contact_id", "type", "back").agg(nw.col("known").max())
    return rows.select("contact_id", "type", "back", "known")


def _each_one_type(scopes: dict[str, Total]) -> bool:
    return all(len(total.types) == 1 for total in scopes.values())


def _labelled(rows: Frame, scopes: dict[str, Total]) -> Frame:
    """The rows of these scopes, which share no type, with the name of the scope as type."""
    if _each_one_type(scopes):
        return rows.filter(among(nw.col("type"), list(scopes)))
    label = nw.lit(None, nw.String)
    for name, total in scopes.items():
        # Of a scope, only the types count here; see `condition` for what the days count.
        label = nw.when(condition(replace(total, measure="count"))).then(nw.lit(name)).otherwise(label)
    return rows.with_columns(type=label).filter(~nw.col("type").is_null())


def _apart(totals: Sequence[Total]) -> list[dict[str, Total]]:
    """The scopes of active days by name, in as few sets as are found at once.

    Within a set no type is in two scopes; those of a single type are by themselves.
    """
    scopes = {scope(t): t for t in totals if t.measure in OF_DAYS}
    single = {name: total for name, total in scopes.items() if len(total.types) == 1}
    sets: list[tuple[set[str], dict[str, Total]]] = []
    for name, total in scopes.items():
        if name in single:
            continue
        types = {f"{total.stream}:{t}" for t in total.types}
        home = next((s for s in sets if types and s[0] and not s[0] & types), None)
        if home is None:
            home = (set(), {})
            sets.append(home)
        home[0].update(types)
        home[1][name] = total
    return [*([single] if single else []), *(members for _, members in sets)]


def _detailed(totals: Sequence[Total]) -> nw.Expr | None:
    """Which rows have a detail that is asked for; None where none is."""
    conditions = [condition(t) for t in totals if t.detail is not None or t.contains is not None]
    return reduce(or_, conditions) if conditions else None
