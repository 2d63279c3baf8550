import getpass
import json
import shutil
from pathlib import Path

import pytest
import yaml

from predictive.config_file import load_config
from predictive.model.bundle import champion, reign
from predictive.tracking import _mlflow

pytest_plugins = ["tests.trained"]


@pytest.fixture(scope="module")
def two(tiny, run, tmp_path_factory):
    """A CRM with a champion that was never told the sector, and a challenger that was."""
    config = tiny(tmp_path_factory.mktemp("two") / "crm")
    blind = config.with_name("blind.yaml")
    blind.write_text(yaml.safe_dump(yaml.safe_load(config.read_text()) | {"features": {"exclude": ["sector"]}}))
    return [Path(run("train", c, "--json").json["bundle"]) for c in (blind, config)]


@pytest.fixture
def crm(two, tmp_path):
    """A copy of it to change: the configuration, and the names of champion and challenger."""
    folder = Path(shutil.copytree(two[0].parents[1], tmp_path / "crm"))
    return folder / "tiny.yaml", two[0].name, two[1].name


def aliases(config):
    settings = load_config(config).tracking
    with _mlflow(settings) as mlflow:
        found = mlflow.MlflowClient().get_registered_model(settings.experiment).aliases
    return {name: int(version) for name, version in found.items()}


def test_a_better_challenger_is_promoted_followed_by_score_and_taken_back(crm, run):
    config, blind, told = crm
    assert aliases(config) == {"champion": 1, "challenger": 2}
    found = run("promote", config, "2", "--json").json
    assert (found["promoted"], found["forced"], found["model"]) == (True, False, told)
    assert [check["passed"] for check in found["checks"]] == [True, True, True]
    assert found["comparison"]["verdicts"][0].startswith("2 beat the champion on log loss")
    assert aliases(config) == {"champion": 2}
    kept = json.loads((config.parent / "models" / "champion.json").read_text())
    assert (kept["version"], kept["by"], kept["forced"]) == (told, getpass.getuser(), False)
    assert kept["previous"][0]["version"] == blind
    assert run("score", config, "--json").json["model_version"] == told

    back = run("promote", config, "--previous", "--json").json
    assert (back["model"], back["taken_back"], back["registered_version"]) == (blind, told, 1)
    assert aliases(config) == {"champion": 1}
    assert champion(config.parent / "models").name == blind
    assert run("score", config, "--json").json["model_version"] == blind
    refused = run("promote", config, "--previous")
    assert (refused.code, "names no previous champion" in refused.err) == (1, True)


def test_a_worse_challenger_is_not_promoted_unless_somebody_says_why(crm, run):
    config, blind, told = crm
    assert run("promote", config, told).code == 0
    before = (config.parent / "models" / "champion.json").read_bytes()
    refused = run("promote", config, blind)
    assert refused.code == 1
    assert "FAILED  log loss" in refused.out
    assert f"{blind} was not promoted, and nothing was changed." in refused.out
    assert (config.parent / "models" / "champion.json").read_bytes() == before
    assert aliases(config) == {"champion": 2}

    forced = run("promote", config, blind, "--force", "--reason", "sector is not filled in any more", "--json").json
    assert (forced["promoted"], forced["forced"]) == (True, True)
    kept = reign(config.parent / "models")
    assert (kept["version"], kept["forced"], kept["reason"]) == (blind, True, "sector is not filled in any more")
    assert [p["version"] for p in kept["previous"]] == [told, blind]
    settings = load_config(config).tracking
    with _mlflow(settings) as mlflow:
        tags = mlflow.MlflowClient().get_model_version(settings.experiment, "1").tags
    assert tags["predictive.reason"] == "sector is not filled in any more"
    assert (tags["predictive.forced"], tags["predictive.by"]) == ("true", getpass.getuser())


def test_a_model_that_only_mlflow_has_is_copied_so_that_scoring_does_not_need_it(crm, run):
    config, _, told = crm
    shutil.rmtree(config.parent / "models" / told)
    assert run("promote", config, "models:/tiny@challenger").code == 0
    shutil.rmtree(config.parent / "mlartifacts")
    (config.parent / "mlflow.db").unlink()
    assert run("score", config, "--json").json["model_version"] == told


def test_compare_prints_a_table_a_sentence_and_json(crm, run):
    config, _, told = crm
    said = run("compare", config, "champion", told)
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    assert "later than the training of each model" in lines[0]
    assert f"{told} beat the champion on log loss, lower by 0." in lines[-1]
    found = run("compare", config, "champion", told, "--json").json
    assert found["baseline"] == "champion"
    assert set(found["evaluations"]) == {"champion", told}


def test_a_run_names_its_model(crm, run):
    config, blind, _ = crm
    settings = load_config(config).tracking
    with _mlflow(settings) as mlflow:
        run_id = mlflow.MlflowClient().get_model_version(settings.experiment, "2").run_id
    assert set(run("compare", config, blind, run_id, "--json").json["evaluations"]) == {blind, run_id}
    refused = run("compare", config, blind, "0" * 32)
    assert (refused.code, "knows no model of the run" in refused.err) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "name a MODEL to promote, or give --previous, and not both"),
        (["x", "--previous"], "name a MODEL to promote, or give --previous, and not both"),
        (["x", "--force"], "--force needs --reason TEXT"),
        (["champion"], "champion is the champion already"),
        (["none/such"], "none/such: no model bundle there"),
        (["7"], "cannot give this model"),
    ],
)
def test_what_cannot_be_promoted_is_said_and_nothing_is_changed(crm, run, arguments, said):
    config, _, _ = crm
    before = (config.parent / "models" / "champion.json").read_bytes()
    refused = run("promote", config, *arguments)
    assert (refused.code, refused.out) == (1, "")
    assert said in refused.err
    assert (config.parent / "models" / "champion.json").read_bytes() == before
