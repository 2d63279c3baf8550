import json
import math
from dataclasses import replace
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest

from predictive.clock import parse_instant, to_micros
from predictive.config import ModelChoice
from predictive.learning import learn, pending, prepare
from predictive.model.bundle import champion, load_bundle, save_bundle
from predictive.model.scoring import Recipes, fit_model
from predictive.model.side import Recipe

pytest_plugins = ["tests.trained"]

PROBABILITIES = ["probability", "uncorrected", "logistic", "rules"]
COLUMNS = ["contact_id", "as_of", "label", *PROBABILITIES, "rule_score", "fit", "interest"]
COMPETITORS = {"model": "probability", "uncorrected": "uncorrected", "logistic": "logistic", "rules": "rules"}
HEADING = "log loss Brier ROC-AUC avg. precision lift at 10 % predicted/actual"
METRICS = {"log_loss", "brier", "roc_auc", "average_precision"}


@pytest.fixture(scope="module")
def predictions(demo):
    return pd.read_parquet(demo.bundle / "test_predictions.parquet")


@pytest.fixture(scope="module")
def challenger(trained_tiny, run):
    """What a second training of the tiny CRM said, elsewhere and with a dump; and its bundle."""
    second = run("train", trained_tiny[0], "--joblib", "--out", trained_tiny[0].parent / "others")
    assert second.code == 0, second.err
    (bundle,) = (trained_tiny[0].parent / "others").iterdir()
    return second.out.splitlines(), bundle


def test_what_is_learned_agrees_with_the_truth(demo, predictions):
    truth = demo.truth.rename(columns={"probability": "true"})
    both = predictions.merge(truth, on=["contact_id", "as_of"], how="left", validate="one_to_one")
    assert both["true"].notna().all()
    assert np.corrcoef(both["probability"], both["true"])[0, 1] > 0.75
    assert both["probability"].mean() == pytest.approx(both["true"].mean(), rel=0.3)
    for worse in ("rules", "rule_score"):
        assert np.corrcoef(both[worse], both["true"])[0, 1] < np.corrcoef(both["probability"], both["true"])[0, 1]


def test_every_competitor_is_measured_on_the_same_test_contacts(demo, predictions):
    metrics = demo.training.json["metrics"]
    assert set(metrics) == set(COMPETITORS)
    label = predictions["label"].to_numpy()
    for name, column in COMPETITORS.items():
        assert set(metrics[name]) >= METRICS
        p = predictions[column].to_numpy()
        assert metrics[name]["log_loss"] == pytest.approx(-np.mean(np.log(np.where(label == 1, p, 1 - p))))
        assert metrics[name]["brier"] == pytest.approx(np.mean((p - label) ** 2))
    assert metrics["model"]["log_loss"] < metrics["rules"]["log_loss"]


def test_the_test_predictions_have_the_columns_of_the_contract_and_one_row_per_example(demo, predictions):
    assert list(predictions.columns) == COLUMNS
    assert not predictions.duplicated(["contact_id", "as_of"]).any()
    assert str(predictions["as_of"].dtype) == "datetime64[us, UTC]"
    probabilities = predictions[[*PROBABILITIES, "fit", "interest"]]
    assert ((probabilities > 0) & (probabilities < 1)).all(axis=None)
    assert predictions["rule_score"].between(0, 100).all()
    assert len(predictions) == demo.training.json["judged"]["test_examples"]


def test_the_rules_are_calibrated_on_the_training_part_and_keep_their_order(predictions):
    for _, night in predictions.groupby("as_of"):  # each is corrected for drift by itself
        by_score = night.groupby("rule_score")["rules"].agg(["min", "max"])
        assert (by_score["min"] == by_score["max"]).all()
        assert by_score["min"].is_monotonic_increasing


def test_test_examples_follow_the_training_part_and_are_mature(demo, predictions):
    split = demo.training.json["split"]
    assert predictions["as_of"].min() == pd.Timestamp(split["test_from"])
    assert predictions["as_of"].max() + pd.Timedelta(days=90) <= pd.Timestamp(split["observed_until"])
    assert pd.Timestamp(demo.training.json["judged"]["until"]) < predictions["as_of"].min()


def test_the_manifest_keeps_judged_and_shipped_apart(demo):
    manifest = json.loads((demo.bundle / "manifest.json").read_text())
    judged, shipped = manifest["judged"], manifest["shipped"]
    assert (judged["test_examples"], judged["test_closes"]) == (3488, 46)
    assert judged["until"] < shipped["until"]
    assert judged["examples"] + judged["test_examples"] < shipped["examples"]
    assert 20 <= judged["closes"] < shipped["closes"]
    assert load_bundle(demo.bundle).cuts.base_rate == shipped["base_rate"]


def test_a_training_is_quiet_and_leaves_nothing_in_the_working_folder(demo):
    assert demo.littered == []
    assert demo.training.err == ""


def test_the_same_data_configuration_and_seed_give_the_same_bytes(tiny, opened, tmp_path):
    with opened(tiny(tmp_path, contacts=500)) as (config, _, tables, now):
        made = []
        for folder in (tmp_path / "once", tmp_path / "again"):
            prepared = prepare(tables, config, now=now)
            training = learn(prepared, config, now=now)
            path = save_bundle(training.bundle, folder, config="", predictions=training.predictions)
            made.append(
                {f.name: f.read_bytes() for f in path.iterdir() if f.name not in ("report.json", "manifest.json")}
            )
    assert made[0] == made[1]
    assert "probability.trees.txt" in made[0]
    reseeded = config.model_copy(update={"model": ModelChoice(seed=0)})
    other = learn(prepared, reseeded, now=now).predictions
    assert not np.array_equal(other["probability"], training.predictions["probability"])


def test_the_fingerprint_of_the_data_changes_with_one_label(tiny, opened, tmp_path):
    with opened(tiny(tmp_path)) as (config, _, tables, now):
        prepared = prepare(tables, config, now=now)
        assert prepare(tables, config, now=now).fingerprint == prepared.fingerprint
    frame = prepared.frame.copy()
    frame.loc[7, "label"] = 1 - frame.loc[7, "label"]
    assert replace(prepared, frame=frame).fingerprint != prepared.fingerprint


def test_the_first_training_makes_the_champion_and_the_second_is_a_challenger(trained_tiny, challenger):
    config, first = trained_tiny
    said, bundle = challenger
    assert first.json["champion"] is True
    assert str(champion(config.parent / "models")) == first.json["bundle"]
    assert said[-2:] == [
        "This is a challenger; the champion still scores. To make it the champion, if it earns it:",
        f"next      predictive promote {config} {bundle.name}",
    ]
    assert [line for line in said if line.startswith("MLflow ") and line.endswith("tiny version 2")]
    again = load_bundle(bundle).report["comparison"]["evaluations"]
    for name, metrics in first.json["metrics"].items():
        assert {m: v["value"] for m, v in again[name]["values"].items()} == metrics


def test_what_is_judged_knows_the_training_part_alone_and_what_ships_all_that_is_known(trained_tiny, opened):
    path, first = trained_tiny
    bundle = load_bundle(Path(first.json["bundle"]))
    with opened(path) as (config, _, tables, now):
        prepared = prepare(tables, config, now=now)
    split, found = prepared.split, bundle.report["recipes"]
    recipes = Recipes(
        *(found[name] and Recipe.from_json(found[name]) for name in ("probability", "fit", "interest")), {}
    )
    part, test = split.learn(prepared.frame), split.test(prepared.frame)
    assert (part["as_of"] + part["followed"]).max() <= split.test_from <= test["as_of"].min()
    judged = fit_model(bundle.features, part, recipes, seed=7).score(test)
    written = pd.read_parquet(Path(first.json["bundle"]) / "test_predictions.parquet")
    np.testing.assert_array_equal(judged["probability"], written["uncorrected"])
    everything = split.everything(prepared.frame)
    assert set(test.index) | set(part.index) <= set(everything.index)
    shipped = fit_model(bundle.features, everything, recipes, seed=7)
    np.testing.assert_array_equal(bundle.model.score(test), shipped.score(test))
    pd.testing.assert_frame_equal(bundle.pending, pending(everything, shipped, split.horizon), check_dtype=False)
    assert (bundle.pending["as_of"] + split.horizon > split.known_until).all()
    assert not set(bundle.pending["contact_id"]) & set(everything.loc[everything["label"] == 1, "contact_id"])
    assert not np.array_equal(judged, shipped.score(test))


def test_train_says_how_the_three_compare_and_what_was_left_out(challenger):
    said, _ = challenger
    (heading,) = [i for i, line in enumerate(said) if line.split() == HEADING.split()]
    assert [line.split()[0] for line in said[heading + 1 : heading + 9 : 2]] == list(COMPETITORS)
    verdicts = [line for line in said if " on log loss, " in line or " on log loss (" in line]
    for number, opponent in enumerate(("the logistic regression", "the rules", "the champion")):
        assert opponent in verdicts[number].lower()
    assert [line for line in said if line.startswith("immature: ")]


def test_the_dump_for_notebooks_predicts_what_the_bundle_predicts(trained_tiny, challenger, opened):
    bundle = load_bundle(challenger[1])
    scorer = joblib.load(challenger[1] / "model.joblib")
    with opened(trained_tiny[0]) as (config, _, tables, now):
        frame = prepare(tables, config, now=now).frame
    columns = frame[scorer.feature_names_in_]
    closing = scorer.predict_proba(columns)
    assert closing.shape == (len(frame), 2)
    np.testing.assert_allclose(closing.sum(axis=1), 1)
    np.testing.assert_array_equal(closing[:, 1], bundle.model.probability.probability(frame))
    assert set(scorer.predict(columns)) == set(scorer.classes_) == {0, 1}


def test_few_closes_are_said_and_the_rules_take_the_models_place(tiny, trained_tiny, run, tmp_path):
    store = {"uri": f"sqlite:///{trained_tiny[0].parent}/mlflow.db", "experiment": "few"}
    trained = run("train", tiny(tmp_path, rate=0.13, tracking=store), "--json")
    assert trained.code == 0, trained.err
    found = trained.json
    closes = found["judged"]["closes"]
    assert 0 < closes < 20
    assert found["said"][0].startswith(f"only {closes} closes to learn from, and 20 are needed: the rule score")
    predictions = pd.read_parquet(Path(found["bundle"]) / "test_predictions.parquet")
    assert predictions[["fit", "interest"]].isna().all(axis=None)
    assert found["metrics"]["logistic"]["log_loss"] < 1.1 * found["metrics"]["rules"]["log_loss"], (
        "all features, carefully"
    )
    ranks = predictions[["uncorrected", "rule_score"]].rank()
    assert (ranks["uncorrected"] == ranks["rule_score"]).all()
    scored = run("score", tmp_path / "tiny.yaml", "--json")
    assert scored.code == 0, scored.err
    assert scored.json["rows"] > 0


def test_a_configured_split_is_obeyed_and_what_reaches_past_it_is_immature(tiny, opened, tmp_path):
    split = {
        "train_from": "2025-02-01",
        "train_until": "2025-08-01",
        "test_from": "2025-09-01",
        "test_until": "2025-11-01",
    }
    with opened(tiny(tmp_path, split=split)) as (config, _, tables, now):
        prepared = prepare(tables, config, now=now)
    part, test = prepared.split.learn(prepared.frame), prepared.split.test(prepared.frame)
    at = {k: to_micros(parse_instant(f"{v}T00:00:00+00:00")) for k, v in split.items()}
    assert at["train_from"] <= part["as_of"].min()
    assert part["as_of"].max() < at["train_until"]
    assert (part["as_of"] + part["followed"]).max() <= at["test_from"]
    assert at["test_from"] <= test["as_of"].min()
    assert test["as_of"].max() < at["test_until"]
    assert prepared.immature == 0, "August ends a month before the test"


def test_every_number_of_the_json_is_finite_or_null(trained_tiny):
    def leaves(value):
        if isinstance(value, dict | list):
            return [x for v in (value.values() if isinstance(value, dict) else value) for x in leaves(v)]
        return [value]

    numbers = [v for v in leaves(trained_tiny[1].json) if isinstance(v, float)]
    assert len(numbers) > 50
    assert all(map(math.isfinite, numbers))
