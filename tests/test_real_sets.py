"""The main job on real input: train, score and report by mapping alone."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from predictive.cli import main

CONFIGS = Path(__file__).parents[1] / "configs"
# Log loss of what is easy to beat on the same test part: the constant base rate of the training part (see the
# benchmarks that the project started from), how many test examples and closes the data set's README names, and how far
# off the level may be. The bank's market turns between training and test: what it needs is the correction.
SETS = {
    "olist": {"constant": 0.3017, "examples": 2_655, "closes": 238, "level": 0.1},
    "oulad": {"constant": 0.3385, "examples": 15_689, "closes": 1_642, "level": 0.1},
    "bank": {"constant": 0.55, "examples": 9_043, "closes": 2_580, "level": 0.2},
}


@pytest.fixture(scope="module", params=sorted(SETS))
def trained(request, data_dir, tmp_path_factory):
    """The name of a set, its configuration in a folder of its own, and what `train --json` printed."""
    folder = tmp_path_factory.mktemp(request.param)
    shutil.copytree(CONFIGS, folder / "configs")
    config = folder / "configs" / f"{request.param}.yaml"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATA_DIR", str(data_dir))
        yield request.param, config, folder


def run(capsys, *arguments):
    """The JSON object that a command prints."""
    code = main([*map(str, arguments), "--json"])
    out, err = capsys.readouterr()
    assert code == 0, err
    return json.loads(out)


def test_a_real_set_is_trained_scored_and_reported_by_mapping_alone(trained, capsys):
    name, config, folder = trained
    found = run(capsys, "train", config)
    metrics, expected = found["metrics"], SETS[name]
    assert found["judged"]["test_examples"] == expected["examples"]
    assert found["judged"]["test_closes"] == expected["closes"]
    assert metrics["model"]["log_loss"] < expected["constant"]
    assert metrics["model"]["calibration_in_large"] == pytest.approx(1, abs=expected["level"])
    assert any(verdict.startswith("The model beat the rules") for verdict in found["verdicts"])
    assert all(0 < metrics[competitor]["brier"] < 0.25 for competitor in ("model", "logistic", "rules"))

    predictions = pd.read_parquet(Path(found["bundle"]) / "test_predictions.parquet")
    assert len(predictions) == expected["examples"]
    assert predictions["label"].sum() == expected["closes"]  # every contact of these sets is looked at once
    assert predictions[["probability", "logistic", "rules"]].notna().all().all()

    first = run(capsys, "score", config)
    assert first["rows"] > 0
    assert first["written"] == first["rows"]
    again = run(capsys, "score", config)
    assert again["written"] == 0
    assert again["rows"] == first["rows"]

    report = run(capsys, "report", config)
    html = Path(report["report"]).read_text(encoding="utf-8")
    assert f"{first['rows']:,}" in html
    assert not list(Path(report["report"]).parent.glob("*.tmp"))
    assert folder in Path(report["report"]).parents
