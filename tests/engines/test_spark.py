"""The same features on Spark, in local mode: a step of CI of its own (`make spark`), since it needs a Java."""

import shutil

import duckdb
import pytest

from predictive.demo import generate
from predictive.features.anywhere import build_features

pyspark = pytest.importorskip("pyspark", reason="pyspark is not installed; `make spark` installs and runs this")
pytestmark = [
    pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java 17 or later"),
    # Spark's own warnings: of pandas 3, of its pandas API, and of sockets that it closes late.
    pytest.mark.filterwarnings("ignore:.*:FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]
TABLES = ("contacts", "accounts", "activities", "deals", "changes")


@pytest.fixture(scope="module")
def spark():
    from pyspark.sql import SparkSession

    settings = {
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.session.timeZone": "UTC",
        "spark.driver.memory": "3g",
        "spark.sql.execution.arrow.pyspark.enabled": "true",
    }
    builder = SparkSession.builder.master("local[2]")
    for key, value in settings.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    yield session
    session.stop()


@pytest.fixture(scope="module")
def arrow(tmp_path_factory):
    folder = tmp_path_factory.mktemp("crm")
    generate(contacts=300, seed=3, out=folder)
    with duckdb.connect(str(folder / "crm.duckdb"), read_only=True) as con:
        con.execute("set TimeZone = 'UTC'")
        return {name: con.table(name).to_arrow_table() for name in TABLES}


def test_spark_gives_the_numbers_of_duckdb(spark, arrow):
    frames = {name: spark.createDataFrame(table.to_pandas()) for name, table in arrow.items()}
    found = build_features(frames, "2026-01-01")
    assert type(found).__module__.startswith("pyspark.sql")
    rows = {row["contact_id"]: row.asDict() for row in found.collect()}
    expected = {row["contact_id"]: row for row in build_features(arrow, "2026-01-01").to_pylist()}
    assert rows.keys() == expected.keys()
    assert len(expected) > 100
    for contact_id, row in expected.items():
        for name, value in row.items():
            same = pytest.approx(value, rel=1e-9, abs=1e-9) if isinstance(value, float) else value
            assert rows[contact_id][name] == same, (contact_id, name)
