import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml

from predictive.config_file import load_config

pytest_plugins = ["tests.trained"]


@pytest.fixture
def config(trained_tiny, tmp_path):
    """The configuration of a trained tiny CRM to write to."""
    return Path(shutil.copytree(trained_tiny[0].parent, tmp_path / "crm")) / "tiny.yaml"


def only_json(ran, code=0):
    assert ran.code == code, ran.err
    assert ran.err == ""
    found = json.loads(ran.out)
    assert isinstance(found, dict)
    return found


def test_demo_writes_a_database_the_truth_and_a_configuration_that_loads(run, tmp_path):
    found = only_json(run("demo", "--contacts", 40, "--seed", 0, "--out", tmp_path / "new", "--json"))
    assert found["contacts"] == 40
    assert {"database", "truth", "config", "activities", "deals"} <= set(found)
    assert load_config(found["config"]).source.path == Path(found["database"]).resolve()
    said = run("demo", "--contacts", 40, "--seed", 0, "--out", tmp_path / "new")
    assert said.out.splitlines()[-1] == f"next      predictive train {tmp_path}/new/demo.yaml"
    for wrong in (("--contacts", 0), ("--seed", -1)):
        refused = run("demo", *wrong, "--out", tmp_path / "other")
        assert refused.code == 1
        assert refused.err.startswith("error: ")
    assert not (tmp_path / "other").exists()


def test_check_counts_and_prints_the_effective_configuration(run, trained_tiny):
    path, _ = trained_tiny
    found = only_json(run("check", path, "--json"))
    assert found["rows"] == {
        "contacts": 800, "accounts": 0, "activities": found["rows"]["activities"], "deals": found["rows"]["deals"],
        "changes": 0, "overrides": 0,
    }  # fmt: skip
    assert found["stops"] == []
    assert found["closes"]["train"] > 20
    assert set(found["untrustworthy"]) == {"sector", "size"}
    said = run("check", path).out
    shown = said.partition("# the data")[0]
    assert yaml.safe_load(shown)["snapshots"] == {"at": "age", "days": [14]}
    assert "- sector: has no history, so its value of today stands in for the one of then" in said
    assert said.splitlines()[-1] == f"Nothing stops a model. Next: predictive train {path}"


def test_check_says_what_stops_a_model_and_exits_with_1(run, tiny, tmp_path):
    config = tiny(tmp_path, horizon="900d")
    found = only_json(run("check", config, "--json"), code=1)
    assert len(found["stops"]) == 1
    assert "Set a shorter horizon (now 900d), another split, or bring in more history" in found["stops"][0]
    assert "# what stops a model" in run("check", config).out
    refused = run("train", config)
    assert refused.code == 1
    assert refused.err == f"error: {found['stops'][0]}\n"
    assert not (tmp_path / "models").exists()
    assert not (tmp_path / "mlflow.db").exists()


def test_train_tells_in_json_where_the_bundle_is_and_how_the_three_compare(trained_tiny):
    found = only_json(trained_tiny[1])
    assert {"bundle", "run_id", "metrics"} <= set(found)
    assert (Path(found["bundle"]) / "manifest.json").exists()
    assert set(found["metrics"]) == {"model", "uncorrected", "logistic", "rules"}
    for values in found["metrics"].values():
        assert {"log_loss", "brier", "roc_auc", "average_precision"} <= set(values)


def test_score_tells_in_json_what_it_wrote_and_a_second_run_writes_nothing(run, config):
    first = only_json(run("score", config, "--json"))
    assert {"rows", "written", "run_id"} <= set(first)
    assert first["rows"] == first["written"] > 0
    dry = only_json(run("score", config, "--dry-run", "--as-of", "2026-02-01", "--json"))
    assert dry["dry_run"] is True
    assert dry["written"] == 0
    second = only_json(run("score", config, "--json"))
    assert (second["written"], second["unchanged"]) == (0, first["rows"])
    assert second["run_id"] != first["run_id"]


def test_score_shows_the_difference_tier_by_tier(run, config):
    dry = run("score", config, "--dry-run").out.splitlines()
    assert next(line for line in dry if line.startswith("tier")).split() == [
        "tier",
        "before",
        "after",
        "would",
        "change",
    ]
    for tier in ("very high", "high", "medium", "low"):
        assert [line for line in dry if line.startswith(tier + " ")]
    assert dry[-1] == f"next: predictive score {config}"
    assert not config.with_name("scores.duckdb").exists()
    assert run("score", config).out.splitlines()[-1] == f"next: predictive report {config}"


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_scores_go_to_files_too(run, config, kind):
    raw = yaml.safe_load(config.read_text()) | {"sink": {"kind": kind, "path": f"out/scores.{kind}"}}
    config.write_text(yaml.safe_dump(raw))
    found = only_json(run("score", config, "--json"))
    file = config.parent / "out" / f"scores.{kind}"
    rows = pd.read_csv(file) if kind == "csv" else pd.read_parquet(file)
    assert len(rows) == found["rows"] > 0


@pytest.mark.parametrize("as_of", ["tomorrow", "2026-13-01", "", "2026"])
def test_a_time_that_cannot_be_read_is_named(run, config, as_of):
    for command in (["score"], ["explain", "T0799"]):
        refused = run(command[0], config, *command[1:], "--as-of", as_of)
        assert (refused.code, refused.out) == (1, "")
        assert refused.err.startswith(f"error: --as-of: '{as_of}' is not a date or time; write ")


def test_a_night_before_there_were_contacts_scores_nobody(run, config):
    found = only_json(run("score", config, "--as-of", "2020-01-01", "--force", "--json"))
    assert found["rows"] == found["written"] == 0
    assert sum(found["not_eligible"].values()) == 800


def test_report_is_one_file_before_and_after_scoring(run, config):
    early = only_json(run("report", config, "--json"))
    assert Path(early["report"]).read_text(encoding="utf-8").lstrip().lower().startswith("<!doctype html")
    scored = only_json(run("score", config, "--json"))
    found = only_json(run("report", config, "--out", config.parent / "other.html", "--json"))
    assert found["rows"] == scored["rows"]
    assert found["model_version"] == scored["model_version"]
    assert (config.parent / "other.html").exists()
    assert found["summary"]["work"]["everyone"]["contacts"] == scored["rows"]
    assert found["notes"] == []
    said = run("report", config).out.splitlines()
    assert len(said) == 5
    asked = said[-1].split()
    assert asked[:3] == ["next", "predictive", "explain"]
    assert run(*asked[2:]).code == 0


def test_the_report_comes_in_spanish_as_csv_and_for_chat(run, config):
    run("score", config)
    here = config.parent
    beside = ["--csv", here / "csv", "--markdown", here / "report.md"]
    assert run("report", config, "--lang", "es", *beside).code == 0
    assert '<html lang="es">' in (here / "report.html").read_text(encoding="utf-8")
    assert (here / "report.md").read_text(encoding="utf-8").startswith("**")
    assert (here / "csv" / "work_quadrants.csv").read_text(encoding="utf-8").startswith("name,contacts,expected")
    refused = run("report", config, "--lang", "xx")
    assert (refused.code, refused.err) == (1, "error: the report has no language 'xx'; it has en, es\n")


def test_a_source_that_cannot_be_read_leaves_a_gap_in_the_report_and_says_so(run, config):
    run("score", config)
    (config.parent / "activities.csv").unlink()
    found = only_json(run("report", config, "--json"))
    assert found["summary"]["examined"]["audit"] is None
    assert "activities.csv" in found["summary"]["examined"]["why_not"][0]
    assert "activities.csv" in Path(found["report"]).read_text(encoding="utf-8")


def test_explain_tells_of_one_contact(run, config):
    contact = run("score", config).code or load_scores(config)["contact_id"].iloc[0]
    found = only_json(run("explain", config, contact, "--json"))
    assert found["contact_id"] == contact
    assert found["scores"]["probability"] == load_scores(config)["probability"].iloc[0]
    assert run("explain", config, contact).out.startswith(f"{contact}, as of 20")


def load_scores(config):
    from predictive.sinks import open_sink

    return open_sink(load_config(config).sink).read_current()


@pytest.mark.parametrize("command", ["score", "report", "explain"])
def test_without_a_model_one_is_told_to_train(run, tiny, tmp_path, command):
    config = tiny(tmp_path)
    refused = run(command, config, *(["T0001"] if command == "explain" else []))
    assert (refused.code, refused.out) == (1, "")
    assert "train first (`predictive train CONFIG`), or name one: --model" in refused.err
    assert {f.name for f in tmp_path.iterdir()} == {"tiny.yaml", "contacts.csv", "activities.csv", "deals.csv"}


def test_a_damaged_bundle_is_refused_by_every_command_that_reads_it_and_nothing_is_written(run, config):
    (bundle,) = (p for p in (config.parent / "models").iterdir() if p.is_dir())
    content = bytearray((bundle / "probability.json").read_bytes())
    content[100] ^= 1
    (bundle / "probability.json").write_bytes(content)
    for command in (["score", config], ["report", config], ["explain", config, "T0799"]):
        refused = run(*command)
        assert (refused.code, refused.out) == (1, "")
        assert refused.err.startswith(f"error: {bundle}/probability.json: its sha256 is not the one in the manifest")
    assert not config.with_name("scores.duckdb").exists()
    assert not config.with_name("report.html").exists()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"features": {"exclude": ["sectr"]}}, "features.exclude: no table has 'sectr'; did you mean \"sector\""),
        ({"rules": "none.yaml"}, "rules: "),
        (
            {"sink": {"kind": "duckdb", "path": "s.duckdb", "table": "a.b.c"}},
            "sink.table: 'a.b.c' is not the name of a",
        ),
    ],
)
def test_what_a_configuration_names_and_is_not_there_is_said(run, tiny, tmp_path, trained_tiny, settings, said):
    config = tiny(tmp_path, models=str(trained_tiny[0].parent / "models"), **settings)
    refused = run("score" if "sink" in settings else "train", config)
    assert refused.code == 1
    assert refused.err.startswith(f"error: {said}")


def test_a_night_too_far_from_the_data_exits_with_5_and_a_forced_one_is_rolled_back(run, config):
    run("score", config)
    before = load_scores(config)
    refused = run("score", config, "--as-of", "2031-01-01", "--json")
    assert refused.code == 5
    assert "the circuit breaker refuses this night; nothing was written:" in refused.err
    assert "age" in [broken["bound"] for broken in json.loads(refused.out)["breaker"]]
    pd.testing.assert_frame_equal(load_scores(config), before)
    forced = only_json(run("score", config, "--as-of", "2031-01-01", "--force", "--json"))
    assert [b["bound"] for b in forced["breaker"]] == [b["bound"] for b in json.loads(refused.out)["breaker"]]
    back = only_json(run("rollback", config, "--json"))
    assert back["stood"] == forced["run_id"]
    pd.testing.assert_frame_equal(load_scores(config), before)
    again = run("rollback", config, "--to", back["restored"])
    assert again.out.splitlines()[0] == f"{back['restored']} stands already; 0 contacts were put right"
    assert run("rollback", config, "--to", "nothing").code == 1
