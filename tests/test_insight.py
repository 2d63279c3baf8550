import json

import pandas as pd
import pytest

from predictive.errors import ConfigError
from predictive.model.bundle import load_bundle
from predictive.segments import returning, segment_features

pytest_plugins = ["tests.trained"]


@pytest.fixture(scope="module")
def report(demo):
    return json.loads((demo.bundle / "report.json").read_text())


def test_a_training_says_where_the_model_is_off_by_segment_and_by_month(demo, report):
    groups = pd.DataFrame(report["segments"])
    assert {"source", "country", "account employees", "age group", "month"} == set(groups["by"])
    test = pd.read_parquet(demo.bundle / "test_predictions.parquet")
    months = groups[groups["by"] == "month"]
    assert set(months["level"]) == set(test["as_of"].dt.strftime("%Y-%m"))
    for by in groups["by"].unique():
        counts = [g["count"] for g in report["segments"] if g["by"] == by]
        assert sum(c["n"] for c in counts) == len(test)
        assert sum(c["predicted"] for c in counts) == pytest.approx(test["probability"].sum())
        assert sum(c["actual"] for c in counts) == test["label"].sum()


def test_a_sensitive_attribute_is_looked_at_and_never_given_to_a_model(demo, report):
    assert report["sensitive"] == ["age group"]
    assert "age_group" not in {f.attribute for f in load_bundle(demo.bundle).features}
    assert set(report["inputs"]["features"]) == {f.name for f in load_bundle(demo.bundle).features}


def test_a_test_part_of_few_months_says_what_its_intervals_do_not_know(demo, report):
    assert (
        report["in_words"][0]
        == "the test part spans 3 months: its intervals know of luck, not of how the market may change"
    )
    assert report["in_words"] == demo.training.json["in_words"]


def test_importance_is_told_with_its_spread_and_adds_up_to_sides(report):
    assert {i["name"] for i in report["importance_of_sides"]} == {"fit", "interest", "context"}
    for each in report["importance"]:
        assert each["shapley"]["least"] <= each["mean"] == each["shapley"]["value"] <= each["shapley"]["most"]


def test_origins_go_on_in_time_and_the_curve_has_a_band(report):
    times = [origin["at"] for origin in report["rolling"]]
    assert times == sorted(times)
    assert set(report["corp"]) == {"model", "logistic", "rules"}
    assert all(p["low"] <= p["high"] for points in report["corp"].values() for p in points)


def test_a_configured_capacity_becomes_a_cut_off_and_sentences(tiny, run, tmp_path):
    config = tiny(tmp_path, capacity={"per_week": 5, "cost": 10, "value": 100}, segments=["sector"])
    found = run("train", config, "--json").json
    assert found["capacity"]["per_week"] == 5
    assert found["capacity"]["model"]["calls"] == pytest.approx(5)
    assert found["capacity"]["worth"]["cut_off"] == 0.1
    assert any(line.startswith("with 5 calls a week, call from a probability of ") for line in found["in_words"])
    report = json.loads((tmp_path / "models" / found["bundle"].rpartition("/")[2] / "report.json").read_text())
    assert {g["by"] for g in report["segments"]} == {"sector", "month"}


def test_an_unknown_segment_is_named_and_a_returning_customer_is_known(tiny, opened, tmp_path):
    with opened(tiny(tmp_path, segments=["sectr"])) as (config, _, tables, _), pytest.raises(ConfigError) as refused:
        segment_features(tables, config, ())
    assert str(refused.value) == "segments: no table has the attribute 'sectr'; did you mean \"sector\"?"
    with opened(tiny(tmp_path)) as (config, _, tables, now):
        deal = pd.read_csv(tmp_path / "deals.csv").iloc[0]
        frame = pd.DataFrame({"contact_id": [deal["contact_id"]] * 2 + ["none"], "as_of": [0, now, now]})
        assert returning(tables, config, frame).tolist() == ["first time", "returning", "first time"]
