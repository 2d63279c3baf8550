"""The same features on Spark, in local mode: a step of CI of its own (`make spark`), since it needs a Java."""

from datetime import date, datetime

import duckdb
import narwhals as nw
import pyarrow as pa
import pytest

from predictive.clock import instant, parse_instant
from predictive.config import FeatureChoice
from predictive.demo import generate
from predictive.engines import microseconds
from predictive.features.anywhere import build_features, canonical
from predictive.features.choose import choose

pytest_plugins = ["tests.on_spark"]

TABLES = ("contacts", "accounts", "activities", "deals", "changes")
AS_OF = "2026-01-01"


@pytest.fixture(scope="module")
def arrow(tmp_path_factory):
    folder = tmp_path_factory.mktemp("crm")
    generate(contacts=200, seed=3, out=folder)
    with duckdb.connect(str(folder / "crm.duckdb"), read_only=True) as con:
        con.execute("set TimeZone = 'UTC'")
        return {name: aware(con.table(name).to_arrow_table()) for name in TABLES}


def aware(table):
    """Spark takes times without a zone to be those of its session."""
    utc = [f.with_type(pa.timestamp("us", "UTC")) if pa.types.is_timestamp(f.type) else f for f in table.schema]
    return table.cast(pa.schema(utc))


def test_spark_gives_the_numbers_of_duckdb(spark, arrow):
    until = instant(parse_instant(AS_OF), "UTC")
    features = choose(canonical(arrow, "UTC"), FeatureChoice(), until=until).features
    assert len(features) > 200
    found = build_features({name: spark.createDataFrame(table) for name, table in arrow.items()}, AS_OF, features)
    assert type(found).__module__.startswith("pyspark.sql")
    rows = {row["contact_id"]: row.asDict() for row in found.collect()}
    expected = {row["contact_id"]: row for row in build_features(arrow, AS_OF, features).to_pylist()}
    assert rows.keys() == expected.keys()
    assert len(expected) > 100
    for contact_id, row in expected.items():
        for name, value in row.items():
            same = pytest.approx(value, rel=1e-9, abs=1e-9) if isinstance(value, float) else value
            assert rows[contact_id][name] == same, (contact_id, name)


def test_times_of_every_kind_are_the_same_instants(spark):
    sql = "SELECT TIMESTAMP_NTZ'2026-03-29 03:30:00.000001' AS naive, DATE'2026-07-01' AS day, 5 AS micros, TIMESTAMP'"
    frame = nw.from_native(spark.sql(sql + "2026-01-01 00:00:00.123456+01:00' AS aware"))
    ((naive, day, micros, aware),) = (
        microseconds(frame, ["naive", "day", "micros", "aware"], "Europe/Madrid").collect().rows()
    )
    assert naive == instant(datetime(2026, 3, 29, 3, 30, 0, 1), "Europe/Madrid")  # noqa: DTZ001 - naive on purpose
    assert day == instant(date(2026, 7, 1), "Europe/Madrid")
    assert micros == 5
    assert aware == instant(parse_instant("2025-12-31T23:00:00.123456Z"), "UTC")
