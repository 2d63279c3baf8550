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
from predictive.features.expression import VALUE_ONE, Total
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
    `active`: `contact_id`, `type` (that of a :func:`scope`), `back`, `known`: the days with any row of the scope.
    """

    by_type: Frame
    by_detail: Frame | None
    active: Frame | None


def scope(total: Total) -> str:
    """The name of the set of types that active days are taken over."""
    return Total("days", total.types, without=total.without, stream=total.stream).column


def seen_once(tables: Tables, at: Frame, totals: Sequence[Total]) -> Daily:
    """What :func:`seen_from` gives, for the as-ofs of `at` alone, read from the rows as they are.

    Adding them up by day first would be work done twice. All sums are the same.
    """
    rows = _events(tables, totals).join(at.select("contact_id", "as_of"), on="contact_id", how="inner")
    rows = rows.filter(nw.col("known") <= nw.col("as_of")).with_columns(age=nw.col("as_of") - nw.col("t"))
    days = rows.select("contact_id", "type", day=nw.col("age") // DAY)
    scopes = {scope(t): t for t in totals if t.measure in OF_DAYS}
    passes = [distinct(_labelled(days, together), "contact_id", "type", "day") for together in _apart(scopes)]
    detailed = _detailed(totals)
    by_detail = None if detailed is None else _one_by_one(rows.filter(detailed), ["type", "detail"])
    return Daily(_one_by_one(rows, ["type"]), by_detail, nw.concat(passes) if passes else None)


def add_up(tables: Tables, reference: Frame, totals: Sequence[Total]) -> Daily:
    """What each contact of `reference` (`contact_id`, `reference` in microseconds) did and was known by then, by day.

    Only what `totals` need is there.
    """
    rows = _events(tables, totals).join(reference, on="contact_id", how="inner")
    rows = rows.filter(nw.col("known") <= nw.col("reference")).with_columns(
        back=(nw.col("reference") - nw.col("t")) // DAY, known=(nw.col("reference") - nw.col("known")) // DAY
    )
    detailed = _detailed(totals)
    by_type = _grouped(rows, ["type"])
    by_detail = None if detailed is None else _grouped(rows.filter(detailed), ["type", "detail"])
    scopes = {scope(t): t for t in totals if t.measure in OF_DAYS}
    passes = [_marked(by_type, together) for together in _apart(scopes)]
    return Daily(by_type, by_detail, nw.concat(passes) if passes else None)


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
    active = None if daily.active is None else moved(daily.active)
    return Daily(aged(daily.by_type), by_detail, active)


def kept(daily: Daily, tables: Tables) -> Daily:
    """The same, worked out now and read many times."""
    frames = {name: getattr(daily, name) for name in ("by_type", "by_detail", "active")}
    return replace(
        daily, **{name: tables.keep(frame, f"daily_{name}") for name, frame in frames.items() if frame is not None}
    )


def condition(total: Total) -> nw.Expr:
    """Which rows a total is taken over."""
    column = nw.col("type")
    if total.measure in OF_DAYS:
        return column == scope(total)
    change = column.str.starts_with(CHANGE)
    if total.stream == "changes":
        names = [CHANGE + name for name in total.types or total.without]
        found = column.is_in(names) if total.types else change & ~column.is_in(names) if names else change
    elif total.types:
        found = column.is_in(list(total.types))
    else:
        found = ~change & ~column.is_in(list(total.without)) if total.without else ~change
    if total.detail is not None:
        found = found & (nw.col("detail") == total.detail)
    if total.contains is not None:
        found = found & nw.col("detail").str.contains(total.contains, literal=True)
    return found


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
        day=nw.col("age") // DAY,
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


def _marked(by_type: Frame, scopes: dict[str, Total]) -> Frame:
    """The days with any row of these scopes, which share no type; each known as soon as its first row was."""
    rows = _labelled(by_type, scopes).group_by("contact_id", "type", "back").agg(nw.col("known").max())
    return rows.select("contact_id", "type", "back", "known")


def _labelled(rows: Frame, scopes: dict[str, Total]) -> Frame:
    """The rows of these scopes, which share no type, with the name of the scope as type."""
    label = nw.lit(None, nw.String)
    for name, total in scopes.items():
        # Of a scope, only the types count here; see `condition` for what the days count.
        label = nw.when(condition(replace(total, measure="count"))).then(nw.lit(name)).otherwise(label)
    return rows.with_columns(type=label).filter(~nw.col("type").is_null())


def _apart(scopes: dict[str, Total]) -> list[dict[str, Total]]:
    """The scopes in as few sets as are found at once, such that within each no type is in two scopes."""
    sets: list[tuple[set[str], dict[str, Total]]] = []
    for name, total in scopes.items():
        types = {f"{total.stream}:{t}" for t in total.types}
        home = next((s for s in sets if types and s[0] and not s[0] & types), None)
        if home is None:
            home = (set(), {})
            sets.append(home)
        home[0].update(types)
        home[1][name] = total
    return [members for _, members in sets]


def _detailed(totals: Sequence[Total]) -> nw.Expr | None:
    """Which rows have a detail that is asked for; None where none is."""
    conditions = [condition(t) for t in totals if t.detail is not None or t.contains is not None]
    return reduce(or_, conditions) if conditions else None
