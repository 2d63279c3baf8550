"""Features of frames that a caller holds: the same values whatever the kind, and the kind that was given."""

from datetime import UTC, datetime, timedelta
from random import Random

import duckdb
import narwhals as nw
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from predictive.engines import microseconds
from predictive.errors import DataError
from predictive.features import behaviour, catalog
from predictive.features.anywhere import build_features

AS_OF = "2026-03-01"
NIGHT = datetime(2026, 3, 1, tzinfo=UTC)
FEATURES = [
    behaviour.count(("page_view",), 30),
    behaviour.recency(()),
    behaviour.value_sum((), 90),
    behaviour.intensity((), 7),
    behaviour.touch("last", ("page_view", "form")),
    behaviour.changes(None),
    behaviour.colleagues("bought"),
    behaviour.colleagues_active(30),
    catalog.record_age(),
    catalog.entry("month"),
    catalog.attribute("plan"),
    catalog.attribute("seniority"),
    catalog.attribute("employees", of="accounts", kind="number"),
]


@pytest.fixture(scope="module")
def arrow():
    random = Random(4)  # noqa: S311 - seeded, for tests
    ids = [f"c{i}" for i in range(30)]

    def time():
        return NIGHT - timedelta(seconds=random.randint(-5_000_000, 20_000_000))

    contacts = {
        "contact_id": ids,
        "created_at": [NIGHT - timedelta(days=random.randint(0, 400)) for _ in ids],
        "account_id": [random.choice(["a", "b", None]) for _ in ids],
        "job_title": [random.choice(["VP Sales", "Intern", None]) for _ in ids],
        "plan": [random.choice(["free", "paid", None]) for _ in ids],
    }
    rows = range(400)
    activities = {
        "contact_id": [random.choice(ids) for _ in rows],
        "type": [random.choice(["page_view", "form"]) for _ in rows],
        "occurred_at": [time() for _ in rows],
        "recorded_at": [time() for _ in rows],
        "value": [random.choice([None, 1.25, -3.0]) for _ in rows],
    }
    deals = {"deal_id": ["d1", "d2"], "contact_id": ["c1", "c2"], "closed_at": [time(), time()], "is_won": [True, True]}
    changes = {
        "object": ["contact"] * 40, "object_id": [random.choice(ids) for _ in range(40)], "attribute": ["plan"] * 40,
        "value": [random.choice(["free", "paid"]) for _ in range(40)], "changed_at": [time() for _ in range(40)],
    }  # fmt: skip
    accounts = {"account_id": ["a", "b"], "employees": [10.0, None]}
    tables = {"contacts": contacts, "activities": activities, "deals": deals, "changes": changes, "accounts": accounts}
    return {name: pa.table(columns) for name, columns in tables.items()}


def in_duckdb(arrow):
    con = duckdb.connect()
    con.execute("set TimeZone = 'Asia/Tokyo'")
    return {name: con.from_arrow(table) for name, table in arrow.items()}


KINDS = {
    "arrow": (lambda arrow: arrow, pa.Table),
    "pandas": (lambda arrow: {name: table.to_pandas() for name, table in arrow.items()}, pd.DataFrame),
    "polars": (lambda arrow: {name: pl.from_arrow(table) for name, table in arrow.items()}, pl.DataFrame),
    "lazy": (lambda arrow: {name: pl.from_arrow(table).lazy() for name, table in arrow.items()}, pl.LazyFrame),
    "duckdb": (in_duckdb, duckdb.DuckDBPyRelation),
}


def rows(found):
    frame = nw.from_native(found)
    table = (frame.collect() if isinstance(frame, nw.LazyFrame) else frame).to_arrow()
    return sorted(zip(*table.to_pydict().values(), strict=True), key=lambda row: row[0]), table.column_names


@pytest.mark.parametrize("kind", [k for k in KINDS if k != "arrow"])
def test_every_kind_of_frame_gives_the_same_values_and_its_own_kind(arrow, kind):
    make, type_ = KINDS[kind]
    found = build_features(make(arrow), AS_OF, FEATURES)
    assert isinstance(found, type_)
    expected = build_features(arrow, AS_OF, FEATURES)
    assert isinstance(expected, pa.Table)
    (mine, columns), (theirs, names) = rows(found), rows(expected)
    assert columns == names == ["contact_id", "as_of", *(f.name for f in FEATURES)]
    assert len(mine) == len(theirs) > 20
    for row, other in zip(mine, theirs, strict=True):
        for name, value, same in zip(names, row, other, strict=True):
            # Missing is NaN in NumPy.
            alike = pytest.approx(same, rel=1e-9, nan_ok=True) if isinstance(same, float) else same
            assert value == alike or (pd.isna(value) and same is None), (row[0], name)
    assert len({row[2] for row in mine}) > 1


def test_without_features_they_are_chosen_and_further_columns_are_attributes(arrow):
    found = build_features(arrow, AS_OF)
    assert {"plan", "seniority", "page_view_count_30d", "colleagues_people"} <= set(found.column_names)
    assert len(found.column_names) > 60


@pytest.mark.parametrize("kind", ["pandas", "lazy", "duckdb"])
def test_times_without_a_zone_are_in_the_named_one(kind):
    naive = {"contact_id": ["a"], "created_at": [datetime(2026, 2, 28, 23, 30)]}  # noqa: DTZ001 - naive on purpose
    make, _ = KINDS[kind]
    frames = make({"contacts": pa.table(naive)})
    in_madrid = build_features(frames, AS_OF, [catalog.record_age()], timezone="Europe/Madrid")
    in_utc = build_features(frames, "2026-03-01T00:00:00+00:00", [catalog.record_age()])
    assert rows(in_madrid)[0][0][2] == rows(in_utc)[0][0][2] == pytest.approx(0.5 / 24)
    both = build_features(frames, "2026-03-01T00:00:00+00:00", [catalog.record_age()], timezone="Europe/Madrid")
    assert rows(both)[0][0][2] == pytest.approx(1.5 / 24)


def test_times_of_every_kind_are_the_same_instants():
    at = datetime(2026, 3, 29, 3, 30, 0, 1)  # noqa: DTZ001 - naive on purpose
    columns = {"naive": [at], "aware": [at.replace(tzinfo=UTC)], "day": [at.date()], "micros": [5]}
    wanted = (1774747800000001, 1774755000000001, 1774738800000000, 5)
    for make in (pl.LazyFrame, lambda c: duckdb.connect().from_arrow(pa.table(c))):
        frame = nw.from_native(make(columns))
        assert microseconds(frame, list(columns), "Europe/Madrid").collect().row(0) == wanted


@pytest.mark.parametrize(
    ("frames", "said"),
    [
        ({"contact": []}, "there is no table 'contact'; did you mean \"contacts\""),
        ({"deals": []}, "the table contacts is missing"),
        ({"contacts": pd.DataFrame({"contact_id": ["a"]})}, "contacts: the column 'created_at' is missing"),
        (
            {
                "contacts": pd.DataFrame({"contact_id": ["a"], "created_at": [NIGHT]}),
                "deals": pl.DataFrame({"deal_id": ["d"]}),
            },
            "the tables are of different kinds (contacts: pandas, deals: polars); give all in one",
        ),
    ],
    ids=["unknown table", "no contacts", "no column", "two kinds"],
)
def test_what_cannot_be_used_is_one_clear_error(frames, said):
    with pytest.raises(DataError) as caught:
        build_features(frames, AS_OF, [catalog.record_age()])
    assert said in str(caught.value)
