import json
import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from predictive.config import Tracking
from predictive.config_file import load_config
from predictive.model.bundle import load_bundle
from predictive.report.artifact import keep_in_mlflow
from predictive.tracking import _masked, _mlflow, log_report

pytest_plugins = ["tests.trained"]

COMPETITORS = {"model", "uncorrected", "logistic", "rules"}
METRICS = {"log_loss", "brier", "roc_auc", "average_precision"}
ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+")


@pytest.fixture(scope="module")
def mlflow(demo):
    """MLflow at the demo's store."""
    with _mlflow(load_config(demo.config).tracking) as module:
        yield module


@pytest.fixture(scope="module")
def runs(mlflow):
    return mlflow.search_runs(experiment_names=["demo"], output_format="list")


@pytest.fixture(scope="module")
def parent(demo, mlflow):
    return mlflow.get_run(demo.training.json["run_id"])


@pytest.fixture(scope="module")
def artifacts(demo, mlflow, tmp_path_factory):
    """Everything that the run and its model hold, as files."""
    folder = tmp_path_factory.mktemp("artifacts")
    mlflow.artifacts.download_artifacts(run_id=demo.training.json["run_id"], dst_path=str(folder / "run"))
    mlflow.artifacts.download_artifacts("models:/demo@champion", dst_path=str(folder / "model"))
    return folder


def test_a_training_is_one_run_with_a_nested_run_for_each_competitor(demo, runs):
    parents = [r for r in runs if "mlflow.parentRunId" not in r.data.tags]
    assert [r.info.run_id for r in parents] == [demo.training.json["run_id"]]
    nested = {r.info.run_name: r for r in runs if r.data.tags.get("mlflow.parentRunId") == parents[0].info.run_id}
    assert set(nested) == COMPETITORS
    assert len(runs) == 5
    assert all(r.info.status == "FINISHED" for r in runs)
    for name, found in nested.items():
        for metric in METRICS:
            assert found.data.metrics[metric] == demo.training.json["metrics"][name][metric]
            low, high = demo.training.json["intervals"][name][metric]
            assert (found.data.metrics[f"{metric}_low"], found.data.metrics[f"{metric}_high"]) == (low, high)


def test_the_run_names_the_parameters_the_data_and_the_bundle(demo, parent):
    recipe = json.loads((demo.bundle / "report.json").read_text())["recipes"]["probability"]
    params = parent.data.params
    assert params["horizon"] == "90d"
    assert params["seed"] == "7"
    assert params["rounds"] == str(recipe["rounds"])
    assert params["weight"] == str(recipe["weight"])
    assert params["features"] == str(len(load_bundle(demo.bundle).features))
    assert params["test_from"] == demo.training.json["split"]["test_from"]
    assert re.fullmatch("[0-9a-f]{16}", params["data_fingerprint"])
    assert parent.info.run_name == parent.data.tags["predictive.bundle"] == demo.bundle.name
    assert parent.data.metrics["log_loss"] == demo.training.json["metrics"]["model"]["log_loss"]
    assert parent.data.metrics["train_closes"] == demo.training.json["judged"]["closes"]
    for verdict in demo.training.json["verdicts"]:
        assert verdict in parent.data.tags["mlflow.note.content"]


def test_the_run_keeps_the_configuration_the_features_and_plots_worth_looking_at(demo, artifacts):
    for name in ("config.yaml", "features.json", "rules.yaml", "report.json", "manifest.json"):
        assert (artifacts / "run" / "bundle" / name).read_bytes() == (demo.bundle / name).read_bytes()
    plots = {f.name: f.read_bytes() for f in (artifacts / "run" / "plots").iterdir()}
    assert set(plots) == {"gain.png", "importance.png", "reliability.png"}
    for content in plots.values():
        assert content.startswith(b"\x89PNG")
        assert len(content) > 5_000


def test_the_model_is_registered_as_champion_with_a_signature(demo, mlflow):
    version = mlflow.MlflowClient().get_model_version_by_alias("demo", "champion")
    assert int(version.version) == demo.training.json["registered"]["version"] == 1
    assert version.run_id == demo.training.json["run_id"]
    info = mlflow.models.get_model_info("models:/demo@champion")
    assert set(info.signature.inputs.input_names()) == {f.name for f in load_bundle(demo.bundle).features}
    assert info.signature.outputs.input_names() == ["probability", "fit", "interest"]


def test_the_registered_model_predicts_what_the_bundle_predicts(demo, mlflow):
    loaded = mlflow.pyfunc.load_model("models:/demo@champion")
    sample = loaded.input_example
    assert len(sample) == 5
    bundle = load_bundle(demo.bundle)
    pd.testing.assert_frame_equal(loaded.predict(sample), bundle.model.score(sample), check_exact=True)
    names = {f.name: "float64" if f.kind == "number" else "str" for f in bundle.features}
    unknown = pd.DataFrame({n: pd.Series([None, None], dtype=d) for n, d in names.items()})
    assert np.isfinite(loaded.predict(unknown)["probability"]).all()


@pytest.mark.slow
def test_the_command_line_of_mlflow_scores_a_plain_frame_of_features(trained_tiny, tmp_path):
    """In a process of its own, as anybody would who serves the model without this package's commands."""
    config, training = trained_tiny
    bundle = load_bundle(Path(training.json["bundle"]))
    values = {"number": [3.0, 0.0, None], "text": ["software", "retail", None]}
    frame = pd.DataFrame({f.name: values[f.kind] for f in bundle.features})
    frame.to_json(tmp_path / "in.json", orient="split", index=False)
    request = {"dataframe_split": json.loads((tmp_path / "in.json").read_text())}
    (tmp_path / "in.json").write_text(json.dumps(request))
    command = [
        sys.executable, "-m", "mlflow", "models", "predict", "--model-uri", "models:/tiny@champion", "--env-manager",
        "local", "--input-path", tmp_path / "in.json", "--output-path", tmp_path / "out.json",
    ]  # fmt: skip
    places = {"MLFLOW_TRACKING_URI": f"sqlite:///{config.parent}/mlflow.db", "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run(command, check=True, capture_output=True, env=os.environ | places, timeout=120)  # noqa: S603 - our own
    found = pd.DataFrame(json.loads((tmp_path / "out.json").read_text())["predictions"])
    names = {f.name: "float64" if f.kind == "number" else "object" for f in bundle.features}
    expected = bundle.model.score(frame.astype(names))
    assert found["probability"].to_numpy() == pytest.approx(expected["probability"].to_numpy(), rel=1e-12)
    assert list(found) == ["probability", "fit", "interest"]


def test_the_model_is_a_bundle_with_its_hashes_and_nothing_pickled(demo, artifacts):
    (bundle,) = (artifacts / "model").glob("**/artifacts/*")
    assert load_bundle(bundle).version == demo.bundle.name
    names = [f.name for f in artifacts.rglob("*") if f.is_file()]
    assert not [name for name in names if name.endswith((".pkl", ".joblib", ".cloudpickle"))]


def test_no_contact_detail_is_in_anything_that_was_logged(demo, runs, artifacts):
    with duckdb.connect(str(demo.database), read_only=True) as con:
        names = {n for (n,) in con.execute("select name from contacts where name is not null").fetchall()}
    texts = [json.dumps([r.data.params, r.data.tags, r.info.run_name]) for r in runs]
    for file in (f for f in artifacts.rglob("*") if f.is_file()):
        if file.suffix == ".parquet":
            texts.append(pd.read_parquet(file).to_csv())
        elif file.suffix != ".png":
            texts.append(file.read_text(encoding="utf-8"))
    with sqlite3.connect(demo.config.with_name("mlflow.db")) as con:
        texts += list(con.iterdump())
    assert sum(map(len, texts)) > 100_000
    for text in texts:
        assert ADDRESS.search(text) is None
        assert not [name for name in names if name in text]


def test_everything_lies_beside_the_configured_store(demo, parent):
    assert parent.info.artifact_uri.startswith(demo.config.parent.as_uri())
    assert {f.name for f in demo.config.parent.iterdir()} == {
        "crm.duckdb", "demo.yaml", "mlartifacts", "mlflow.db", "models", "truth.parquet",
    }  # fmt: skip
    assert isinstance(demo.bundle, Path)


def test_a_report_becomes_an_artifact_of_the_run_that_made_its_bundle(demo, mlflow, parent, tmp_path):
    tracking, page = load_config(demo.config).tracking, tmp_path / "report.html"
    page.write_text("<!doctype html>", encoding="utf-8")
    assert log_report(tracking, parent.data.tags["predictive.bundle"], page) is None
    assert log_report(tracking, "another bundle", page) is None
    found = mlflow.artifacts.list_artifacts(run_id=parent.info.run_id, artifact_path="report")
    assert [artifact.path for artifact in found] == ["report/report.html"]


def test_a_report_does_not_fail_over_a_store_that_is_not_there(tmp_path):
    uri = f"sqlite:///{tmp_path}/nowhere/mlflow.db"
    assert keep_in_mlflow(Tracking(uri=uri), "m1", tmp_path / "report.html") == ()
    assert list(tmp_path.iterdir()) == []
    (note,) = keep_in_mlflow(Tracking(uri="http://127.0.0.1:9"), "m1", tmp_path / "report.html")
    assert note.startswith("MLflow did not get the report: http://127.0.0.1:9: ")


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("https://ann:secret@mlflow.example/a", "https://***@mlflow.example/a"),
        ("postgresql://u:p@ss@db/x", "postgresql://***@db/x"),
        ("sqlite:////a/b.db", "sqlite:////a/b.db"),
        ("databricks", "databricks"),
    ],
)
def test_credentials_in_a_uri_are_masked(uri, shown):
    assert _masked(uri) == shown
