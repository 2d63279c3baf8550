import json
import shutil
from pathlib import Path

import duckdb
import pandas as pd
import pytest
import yaml

from predictive.sinks.tables import ScoreTables

pytest_plugins = ["tests.trained"]
LISTS = {
    "lists": {
        "software": {"when": [{"attribute": "sector", "equals": "software"}], "feeds": "sales"},
        "low": {"tier": ["low"], "not": {"when": [{"attribute": "sector", "known": False}]}},
        "vip": {"members": ["T0001", "nobody"]},
    }
}


@pytest.fixture
def config(trained_tiny, tmp_path):
    """The configuration of a trained tiny CRM with lists, to write to."""
    file = Path(shutil.copytree(trained_tiny[0].parent, tmp_path / "crm")) / "tiny.yaml"
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | LISTS))
    return file


def said(ran, code=0):
    assert ran.code == code, ran.err
    return json.loads(ran.out)


@pytest.mark.parametrize("kind", ["duckdb", "csv"])
def test_every_night_evaluates_lists_and_a_repeated_or_past_one_alters_nothing(run, config, kind, tmp_path):
    if kind == "csv":
        settings = yaml.safe_load(config.read_text()) | {"sink": {"kind": "csv", "path": "out/scores.csv"}}
        config.write_text(yaml.safe_dump(settings))
    assert run("lists", config).err.startswith("error: no list has been evaluated yet")
    run("score", config, "--dry-run")
    assert run("lists", config).code == 1
    said(run("score", config, "--json"))
    first = said(run("lists", config, "--json"))
    by_name = {one["name"]: one for one in first["lists"]}
    contacts = pd.read_csv(config.with_name("contacts.csv"))
    assert by_name["software"]["members"] == (contacts["sector"] == "software").sum() == by_name["software"]["entered"]
    assert (by_name["vip"]["members"], by_name["vip"]["unknown"]) == (1, ["nobody"])
    assert {n for n in by_name if n.startswith("#")} == {"#email", "#website"}
    said(run("score", config, "--json"))
    assert said(run("lists", config, "--json")) == first
    assert said(run("score", config, "--as-of", "2025-06-01", "--json"))["past"] is True
    assert said(run("lists", config, "--json")) == first
    people = said(run("lists", config, "software", "--out", tmp_path / "new" / "x.csv", "--json"))["members"]
    assert {p["feeds"] for p in people} == {"sales"}
    assert [p["contact_id"] for p in people] == pd.read_csv(tmp_path / "new" / "x.csv")["contact_id"].tolist()
    assert said(run("lists", config, "software", "--as-of", "2025-01-01", "--json"))["members"] == []


def test_a_list_that_is_taken_away_is_left_by_all(run, config):
    said(run("score", config, "--json"))
    settings = {k: v for k, v in yaml.safe_load(config.read_text()).items() if k != "lists"} | {"tags": {}}
    config.write_text(yaml.safe_dump(settings))
    said(run("score", config, "--as-of", "2026-03-16", "--json"))
    with duckdb.connect(str(config.with_name("scores.duckdb")), read_only=True) as con:
        open_, nights = con.execute(
            "SELECT count(*) FILTER (left_at IS NULL), list(DISTINCT left_at) FROM contact_scores_lists"
        ).fetchall()[0]
    assert open_ == 0
    assert [str(n) for n in nights] == ["2026-03-16 00:00:00"]


def test_lists_that_cannot_be_written_stop_the_whole_night_and_the_next_run_writes_both(run, config):
    path = str(config.with_name("scores.duckdb"))
    with duckdb.connect(path) as con:
        con.execute("CREATE TABLE contact_scores_lists (somebody_elses INT)")
    stopped = run("score", config, "--json")
    assert (stopped.code, "does not hold the membership of lists; nothing was written" in stopped.err) == (1, True)
    with duckdb.connect(path) as con:
        assert con.execute("SELECT table_name FROM duckdb_tables()").fetchall() == [("contact_scores_lists",)]
        con.execute("DROP TABLE contact_scores_lists")
    again = said(run("score", config, "--json"))
    assert again["written"] == again["rows"] > 0
    by_name = {one["name"]: one for one in said(run("lists", config, "--json"))["lists"]}
    contacts = pd.read_csv(config.with_name("contacts.csv"))
    assert by_name["software"]["members"] == (contacts["sector"] == "software").sum() == by_name["software"]["entered"]


def test_a_rollback_takes_the_lists_back_with_the_scores(run, config):
    said(run("score", config, "--json"))
    first, text = said(run("lists", config, "--json")), config.read_text()
    config.write_text(yaml.safe_dump({**yaml.safe_load(text), "lists": {}}))
    said(run("score", config, "--as-of", "2031-01-01", "--force", "--json"))
    config.write_text(text)
    assert {one["name"]: one["members"] for one in said(run("lists", config, "--json"))["lists"]}["software"] == 0
    assert "lists: what later nights changed is taken back too" in run("rollback", config).out.splitlines()
    assert said(run("lists", config, "--json")) == first


def test_a_list_of_an_unknown_attribute_stops_the_night_before_anything_is_written(run, config):
    lists = {"x": {"when": [{"attribute": "sectr", "known": True}]}}
    config.write_text(yaml.safe_dump(yaml.safe_load(config.read_text()) | {"lists": lists}))
    refused = run("score", config)
    assert (refused.code, "lists.x: no attribute 'sectr'; did you mean \"sector\"?" in refused.err) == (1, True)
    assert not config.with_name("scores.duckdb").exists()
    assert run("lists", config, "x").err.startswith("error: no list has been evaluated yet")


def test_the_holdout_on_a_list_that_feeds_a_workflow_is_said_and_a_filter_keeps_it_out(run, config):
    kept = {"when": [{"attribute": "sector", "equals": "software"}], "holdout": False, "feeds": "sales"}
    lists = {"lists": LISTS["lists"] | {"reached": kept}, "holdout": 0.3}
    config.write_text(yaml.safe_dump(yaml.safe_load(config.read_text()) | lists))
    run("score", config)
    people = {n: said(run("lists", config, n, "--json"))["members"] for n in ("software", "reached")}
    held = [p for p in people["software"] if p["holdout"]]
    assert len(people["reached"]) == sum(p["holdout"] is False for p in people["software"]) > 0
    assert f"note: {len(held)} in the holdout, which sales should not reach" in run("lists", config, "software").out
    assert "holdout" not in run("lists", config, "reached").out
    assert "in the holdout" not in run("lists", config, "low").out


def test_a_sink_that_has_no_place_for_lists_is_said_every_night_and_by_the_command(run, config, monkeypatch):
    assert said(run("score", config, "--dry-run", "--json"))["no_lists"] == ""
    monkeypatch.setattr(ScoreTables, "keeps_lists", False)
    why = "no list and no tag is kept: there is no place for them in a sink of kind duckdb yet"
    assert f"note: {why}" in run("score", config).out.splitlines()
    asked = run("lists", config)
    assert (asked.code, asked.err.startswith(f"error: {why}")) == (1, True)


def test_no_contact_detail_is_in_any_output(run, demo, tmp_path):
    files = [tmp_path / name for name in ("lists.csv", "accounts.csv", "marketing.csv", "duplicates.csv")]
    ran = [
        run("lists", demo.config, "--out", files[0]),
        run("lists", demo.config, "#form"),
        run("lists", demo.config, "--json"),
        run("accounts", demo.config, "--out", files[1]),
        run("accounts", demo.config, "--json"),
        run("hygiene", demo.config, "--marketing", files[2], "--duplicates", files[3]),
        run("hygiene", demo.config, "--json"),
    ]
    assert [r.code for r in ran] == [0] * len(ran)
    texts = [r.out + r.err for r in ran] + [f.read_text() for f in files]
    assert all(len(t.splitlines()) > 5 for t in texts)
    with duckdb.connect(str(demo.database), read_only=True) as con:
        details = con.execute("SELECT email, name FROM contacts").df()
    for detail in {str(d).lower() for column in details for d in details[column].dropna()}:
        assert not any(detail in text.lower() for text in texts), detail
    accounts = json.loads(ran[4].out)["accounts"]
    assert all(a["least"] <= a["at_least_one"] <= a["most"] and a["engaged"] <= a["contacts"] for a in accounts)
