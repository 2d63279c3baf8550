from dataclasses import replace
from datetime import date
from random import Random

import duckdb
import narwhals as nw
import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predictive.clock import DAY, calendar, from_micros, instant
from predictive.features import behaviour, catalog
from predictive.features.build import build, features_at
from predictive.features.daily import whole_days
from predictive.features.deals import wins
from predictive.features.expression import WEIGHT_ONE, Attribute, Constant, Formula
from tests.features.cases import FEATURES, TERMS, built
from tests.features.histories import (
    HALF_LIFE,
    NIGHT,
    History,
    at,
    by_contact,
    config,
    contact,
    did,
    histories,
    pairs,
    pandas_tables,
    polars_tables,
    tables,
)
from tests.features.reference import ARITHMETIC, own
from tests.features.then import seen


def build_duckdb(history, con, features=FEATURES):
    tables_ = tables(history, con)
    return by_contact(features_at(tables_, at(history, "duckdb", con), features, won=wins(tables_, config())))


def one(history, con, feature):
    """The value of one feature for the only contact of a history."""
    (row,) = build_duckdb(history, con, [feature]).values()
    return row[feature.name]


def past(*activities, as_of=NIGHT, **columns):
    """A history of one contact, created long before."""
    return History(contacts=[contact(**columns)], activities=list(activities), at={"c1": as_of})


@pytest.mark.parametrize(
    "engine", [duckdb.from_arrow, pl.from_arrow, pa.Table.to_pandas], ids=["duckdb", "polars", "pandas"]
)
def test_ages_become_the_whole_days_of_integers_for_285_years(engine):
    edges = [day * DAY + by for day in (*range(2000), *range(2000, 104_249, 17)) for by in (-1, 0, 1)][1:]
    frame = nw.from_native(engine(pa.table({"age": edges}))).lazy().with_columns(day=whole_days(nw.col("age")))
    found = frame.collect(backend="pyarrow").to_dict(as_series=False)
    assert found["day"] == [age // DAY for age in found["age"]]


@settings(max_examples=4, deadline=None)
@given(histories())
def test_every_feature_equals_the_reference_on_any_history(con, history):
    found = build_duckdb(history, con)
    assert {c: row.pop("as_of") for c, row in found.items()} == history.at
    assert found == built(history)


def formula(rng, depth=3):
    """A random formula over totals, attributes and constants."""
    if depth == 0 or rng.randint(0, 3) == 0:
        return rng.choice([*TERMS, Attribute("account_employees"), *map(Constant, (0.0, 1.0, -2.5, 1e6))])
    operation = rng.choice([*ARITHMETIC, "fill", "known"])
    inner = [formula(rng, depth - 1) for _ in range(1 if operation == "known" else 2)]
    return Formula(operation, tuple(inner))


@settings(max_examples=3, deadline=None)
@given(histories(), st.integers(0, 2**32))
def test_any_formula_is_worked_out_as_arithmetic_says_and_division_by_zero_is_missing(con, history, seed):
    rng = Random(seed)  # noqa: S311 - seeded, for tests
    cases = [own(formula(rng)) for _ in range(40)]
    found = build_duckdb(history, con, catalog.distinct(feature for feature, _ in cases))
    for contact_id, row in found.items():
        row.pop("as_of")
        view = seen(history, contact_id)
        assert list(row.values()) == [value(view) for _, value in cases]


@settings(max_examples=4, deadline=None)
@given(pairs())
def test_what_is_known_later_and_the_order_of_rows_change_no_bit_of_any_feature(con, pair):
    history, later = pair
    # The repr of a float tells apart what == does not, such as 0.0 and -0.0.
    assert repr(build_duckdb(later, con)) == repr(build_duckdb(history, con))


@settings(max_examples=2, deadline=None)
@given(histories(), st.integers(0))
def test_no_feature_depends_on_which_other_contacts_are_looked_at(con, history, which):
    """Not those of colleagues either: they are found in the tables, not among the contacts that are looked at."""
    together = build_duckdb(history, con)
    chosen = list(history.at)[which % len(history.at)]
    alone = build_duckdb(replace(history, at={chosen: history.at[chosen]}), con)
    assert repr(alone) == repr({chosen: together[chosen]})


def test_neither_threads_nor_the_order_of_very_many_rows_change_a_bit():
    """So many rows that DuckDB shares them out among threads, with values whose sums as doubles depend on the order."""
    rng = np.random.default_rng(7)
    n = 300_000
    rows = pa.table(
        {
            "contact_id": [f"c{i}" for i in rng.integers(0, 500, n)],
            "type": rng.choice(["page_view", "call", "form"], n),
            "t": NIGHT - rng.integers(-DAY, 400 * DAY, n),
            "value": rng.lognormal(0, 9, n),
            "detail": pa.nulls(n, pa.string()),
        }
    )
    rows = rows.append_column("known", rows["t"])
    people = [contact(f"c{i}", NIGHT - 500 * DAY, account_id=f"a{i % 50}") for i in range(500)]
    history = History(contacts=people, at={f"c{i}": NIGHT for i in range(500)})
    features = [behaviour.intensity((), 30), behaviour.value_sum((), 365), behaviour.value_mean(("call",), 90),
                behaviour.gap(), behaviour.overdue(), behaviour.colleagues_count(90)]  # fmt: skip
    found = []
    for threads, order in ((1, np.arange(n)), (4, rng.permutation(n))):
        with duckdb.connect(config={"threads": threads}) as con:
            con.execute("set disabled_optimizers = 'join_order'")
            tables_ = tables(history, con)
            con.register("_many", rows.take(order))
            con.execute("CREATE OR REPLACE TABLE activities AS FROM _many")
            tables_ = replace(tables_, activities=nw.from_native(con.table("activities")))
            found.append(repr(by_contact(features_at(tables_, at(history, "duckdb", con), features))))
    assert found[0] == found[1]


@pytest.mark.parametrize("engine", ["polars", "pandas"])
@settings(max_examples=2, deadline=None)
@given(history=histories())
def test_engines_agree_on_integers_and_texts_exactly_and_on_floats_to_a_billionth(con, engine, history):
    if engine == "polars":
        pytest.importorskip("polars", reason="polars is not installed: it is no dependency, only one more engine")
    others = {"polars": polars_tables, "pandas": pandas_tables}[engine](history)
    found = by_contact(features_at(others, at(history, engine), FEATURES, won=wins(others, config())))
    expected = build_duckdb(history, con)
    for contact_id, row in expected.items():
        for name, value in row.items():
            if isinstance(value, float):
                value = pytest.approx(value, rel=1e-9, abs=1e-9)
            assert found[contact_id][name] == value, name


@pytest.mark.parametrize("days", [7, 30, 90, 365])
@pytest.mark.parametrize(
    ("before", "counted"), [(0, 1), (1, 1), ("d - 1", 1), ("d", 0), ("d + 1", 0), (-1, 0)]
)  # fmt: skip
def test_a_window_holds_its_last_instant_and_not_its_first(con, days, before, counted):
    before = {"d - 1": days * DAY - 1, "d": days * DAY, "d + 1": days * DAY + 1}.get(before, before)
    history = past(did(t=NIGHT - before))
    assert one(history, con, behaviour.count((), days)) == counted
    assert one(history, con, behaviour.active_days(days)) == counted


@pytest.mark.parametrize(("recorded", "counted"), [(NIGHT - 1, 1), (NIGHT, 1), (NIGHT + 1, 0)])
def test_an_activity_recorded_after_the_as_of_is_not_seen(con, recorded, counted):
    history = past(did(t=NIGHT - 3 * DAY, recorded=recorded))
    assert one(history, con, behaviour.count((), 7)) == counted
    assert one(history, con, behaviour.recency(())) == (3.0 if counted else None)


def test_an_activity_recorded_late_counts_for_the_window_it_occurred_in(con):
    history = past(did(t=NIGHT - 8 * DAY, recorded=NIGHT - DAY))
    assert one(history, con, behaviour.count((), 7)) == 0
    assert one(history, con, behaviour.count((), 30)) == 1


def test_of_several_first_activities_at_one_instant_the_first_listed_type_counts(con):
    history = past(*(did(t=NIGHT - DAY, type=t) for t in ("webinar", "Zoom", "call")), did(t=NIGHT, type="form"))
    assert one(history, con, behaviour.touch("first", ("Zoom", "call", "form"))) == "Zoom"
    assert one(history, con, behaviour.touch("last", ("call", "form"))) == "form"
    assert one(history, con, behaviour.touch("first", ("form",))) == "other"


def test_a_contact_without_activities_has_zeros_and_missing_values_not_nothing(con):
    row = build_duckdb(past(), con)["c1"]
    assert {row[f.name] for f in FEATURES if f.words in ("times", "active days", "intensity")} == {0}
    assert row["any_trend"] == 1.0
    ago = [f.name for f in FEATURES if f.words == "ago" and not f.name.startswith("days_in_")]
    assert {row[name] for name in (*ago, "first_touch", "last_touch", "any_gap_days", "any_overdue")} == {None}
    assert row["days_in_lifecycle_stage"] == NIGHT / DAY


def test_types_that_differ_in_case_only_are_counted_apart(con):
    history = past(did(t=NIGHT, type="Call"), did(t=NIGHT, type="call"), did(t=NIGHT, type="call"))
    features = catalog.distinct([behaviour.count(("Call",), 7), behaviour.count(("call",), 7)])
    assert [v for k, v in build_duckdb(history, con, features)["c1"].items() if k != "as_of"] == [1, 2]


def test_two_features_of_one_name_are_refused():
    features = [behaviour.count(("call",), 7), behaviour.count(("Call",), 7)]
    with pytest.raises(ValueError, match="same name"):
        build(None, features)


def test_intensity_is_a_sum_of_integers_whatever_the_order(con):
    rng = np.random.default_rng(7)
    times = rng.integers(NIGHT - 90 * DAY, NIGHT, 200)
    orders = [rng.permutation(times) for _ in range(4)]
    found = {one(past(*(did(t=int(t)) for t in order)), con, behaviour.intensity((), 30)) for order in orders}
    assert len(found) == 1
    assert (found.pop() * WEIGHT_ONE).is_integer()


@pytest.mark.parametrize(("half_lives", "digits"), [(0, 1 << 20), (1, 1 << 19), (20, 1), (21, 1), (22, 0)])
def test_a_weight_halves_with_every_half_life_and_half_of_the_last_digit_is_rounded_up(con, half_lives, digits):
    history = past(did(t=NIGHT - half_lives * HALF_LIFE * DAY))
    assert one(history, con, behaviour.intensity((), HALF_LIFE)) * WEIGHT_ONE == digits


def test_a_calendar_as_of_after_the_clocks_change_looks_back_whole_days_of_24_hours(con):
    # In Madrid the week before Monday, 30 March 2026 has 167 hours: the window begins an hour before its midnight.
    (as_of,) = calendar(NIGHT, NIGHT + 2 * DAY, "week", "Europe/Madrid")
    monday = instant(date(2026, 3, 23), "Europe/Madrid")
    assert as_of == instant(date(2026, 3, 30), "Europe/Madrid") == monday + 7 * DAY - DAY // 24
    history = past(did(t=monday - DAY // 24), did(t=monday - DAY // 24 + 1), did(t=as_of), as_of=as_of)
    assert one(history, con, behaviour.count((), 7)) == 2
    assert build_duckdb(history, con)["c1"].items() >= built(history)["c1"].items()


def test_ten_thousand_activities_of_one_contact_are_all_counted(con):
    rng = np.random.default_rng(7)
    times, types = rng.integers(NIGHT - 400 * DAY, NIGHT + DAY, 10_000), rng.choice(["page_view", "call"], 10_000)
    rows = [did(t=int(t), type=str(type_), detail="pricing", value=1e10) for t, type_ in zip(times, types, strict=True)]
    found = build_duckdb(past(*rows), con)["c1"]
    assert found.items() >= built(past(*rows))["c1"].items()
    assert found["any_count_365d"] > 9000
    assert found["any_value_365d"] == 1e10 * found["any_count_365d"]


def test_month_and_weekday_of_entry_are_those_of_the_calendar_to_the_microsecond(con):
    days = [
        date(year, month, day)
        for year in range(1970, 2100)
        for month in range(1, 13)
        for day in (1, 29 if month != 2 else 28)
    ]
    times = [instant(day, "UTC") + by for day in days for by in (-1, 0, DAY - 1, DAY)]
    history = History(
        contacts=[contact(f"c{i}", t) for i, t in enumerate(times)], at={f"c{i}": NIGHT for i in range(len(times))}
    )
    found = build_duckdb(history, con, [catalog.entry("month"), catalog.entry("weekday")])
    for i, t in enumerate(times):
        day = from_micros(t)
        row = found[f"c{i}"]
        assert (row["entry_month"], row["entry_weekday"]) == (f"{day.month:02}", str(day.isoweekday())), day
