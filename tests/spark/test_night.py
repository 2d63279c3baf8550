"""A whole night and the examples of a training on Spark, beside DuckDB, on the same data."""

import numpy as np
import pandas as pd
import pytest

from predictive import serve
from predictive.clock import DAY
from predictive.config import AgeSnapshots
from predictive.config_file import effective
from predictive.errors import DataError
from predictive.features.choose import choose
from predictive.features.examples import examples
from predictive.learning import prepare
from predictive.model.bundle import save_bundle
from predictive.model.thinned import WEIGHT
from predictive.sinks import open_sink
from predictive.sources import read_tables
from tests.spark.conftest import NIGHT, NOW
from tests.trained import run_command

pytest_plugins = ["tests.on_spark"]

CLOSE = ("probability", "uncorrected", "fit", "interest")
ONCE = {"snapshots": AgeSnapshots(at="age", days=[60])}
"""Each contact is looked at once, which Spark passes over sooner than over many months."""
STAMPS = ("run_id", "scored_at")


def run(crm, bundle, now=NOW):
    return serve.score(crm.con, crm.tables, crm.config, bundle, open_sink(crm.config.sink), now=now)


@pytest.fixture(scope="module")
def nights(on_duckdb, on_spark, bundle):
    """What the same night did on each engine."""
    return run(on_duckdb, bundle), run(on_spark, bundle)


def test_the_scores_of_every_contact_are_those_of_duckdb(nights, on_duckdb, on_spark):
    one, other = nights
    assert one.difference == other.difference
    assert one.not_eligible == other.not_eligible
    assert (one.drift, one.night.eligible) == (other.drift, other.night.eligible)
    expected, found = (open_sink(crm.config.sink).read_current() for crm in (on_duckdb, on_spark))
    assert list(expected) == list(found)
    assert len(found) > 100
    off = set()
    for name in expected:
        if name in CLOSE:
            apart = np.abs(expected[name] - found[name]) > 1e-9
            off |= set(expected.loc[apart, "contact_id"])
            assert (expected[name].isna() == found[name].isna()).all()
        elif name not in STAMPS:
            pd.testing.assert_series_equal(expected[name], found[name], check_dtype=False)
    # A derived float within 1e-9 of a split may fall on its other side: counted apart, and here there is none.
    assert off == set()
    assert expected["reasons"].str.len().min() > 20
    assert set(expected["stage"]) >= {"opportunity", "prospect"}
    assert expected["override"].notna().sum() == 2
    assert expected["fit"].notna().all()


def test_a_repeated_night_changes_nothing_not_even_by_the_command(nights, on_spark, bundle, tmp_path):
    sink = open_sink(on_spark.config.sink)
    before = sink.read_current(), sink.read_history(), sink.read_runs()
    predictions = pd.DataFrame({"contact_id": ["C1"], "probability": [0.1]})
    saved = save_bundle(bundle, tmp_path, config="timezone: UTC\n", predictions=predictions)
    (tmp_path / "spark.yaml").write_text(effective(on_spark.config), encoding="utf-8")
    ran = run_command("score", tmp_path / "spark.yaml", "--model", saved, "--json")
    assert ran.code == 0, ran.err
    assert (ran.json["written"], ran.json["unchanged"]) == (0, nights[1].difference.rows)
    for one, other in zip(before, (sink.read_current(), sink.read_history(), sink.read_runs()), strict=True):
        pd.testing.assert_frame_equal(one, other)


def test_the_examples_of_a_training_are_those_of_duckdb_thinned_by_the_same_luck(on_duckdb, on_spark):
    features = choose(on_duckdb.tables, on_duckdb.config.features, until=NIGHT).features[::8]
    last = NIGHT - 90 * DAY
    one, other = (
        examples(crm.tables, crm.config, features, first=last - 61 * DAY, last=last, share=0.3)
        for crm in (on_duckdb, on_spark)
    )
    assert one.not_eligible == other.not_eligible
    assert set(one.frame["label"]) == {0, 1}
    assert len(set(one.frame["as_of"])) > 1
    assert set(one.frame[WEIGHT]) == {1.0, 1 / 0.3}
    assert_close(one.frame, other.frame)


def test_a_training_on_spark_is_the_training_on_duckdb(on_duckdb, on_spark):
    one, other = (prepare(crm.tables, crm.config.model_copy(update=ONCE), now=NOW) for crm in (on_duckdb, on_spark))
    assert (one.split, one.immature, one.not_eligible) == (other.split, other.immature, other.not_eligible)
    assert one.choice == other.choice
    assert_close(one.frame, other.frame)


def test_problems_of_every_table_are_said_at_once(spark, folder, on_spark):
    spark.sql("SELECT 'a' AS contact_id, 17 AS created_at UNION ALL SELECT 'a', 18").createOrReplaceTempView("numbered")
    spark.sql("SELECT 'd' AS deal_id, NULL AS contact_id UNION ALL SELECT NULL, 'a'").createOrReplaceTempView("unnamed")
    tables = {
        "contacts": {"table": "numbered"},
        "deals": {"table": "unnamed"},
        "activities": {"table": "nowhere"},
        "accounts": {"query": f"SELECT *, 'x' AS more FROM parquet.`{folder / 'accounts.parquet'}` LIMIT 0"},
        "overrides": {"query": "SELECT 1 AS contact_id"},
    }
    source = on_spark.config.source.model_validate({"kind": "spark", "tables": tables})
    with pytest.raises(DataError) as raised:
        read_tables(on_spark.config.model_copy(update={"source": source}), spark, now=NOW)
    said = str(raised.value)
    assert "contacts.created_at: found a column of number, needed time; convert it in a query" in said
    assert "deals.deal_id: 1 rows have no value that is allowed" in said
    assert "source.tables.activities: Spark cannot read it: [TABLE_OR_VIEW_NOT_FOUND]" in said
    assert "overrides.author: required, but nothing fills it" in said


def assert_close(one, other):
    assert list(one) == list(other)
    for name in one:
        if one[name].dtype.kind == "f":
            np.testing.assert_allclose(one[name], other[name].astype(float), rtol=1e-9, atol=1e-9, err_msg=name)
        else:
            pd.testing.assert_series_equal(one[name], other[name], check_dtype=False)
