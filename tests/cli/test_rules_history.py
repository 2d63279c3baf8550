import csv
import json
import shutil
from pathlib import Path

import pytest
import yaml

from predictive.rules import load_rules

pytest_plugins = ["tests.trained"]
POOR = """
stages: {prospect: 1, MQL: 26, SQL: 51}
sets: [{name: Any page, points: 30, when: [{activity: page_view, at_least: 1}]}]
"""
KEYS = {"kind", "name", "value", "contacts", "closes", "rate", "low", "high", "lift", "adjusted_lift", "p", "q"}


@pytest.fixture(scope="module")
def config(trained_tiny, tmp_path_factory):
    """The configuration of a trained tiny CRM to write beside."""
    return Path(shutil.copytree(trained_tiny[0].parent, tmp_path_factory.mktemp("rules") / "crm")) / "tiny.yaml"


def only_json(ran, code=0):
    assert ran.code == code, ran.err
    assert ran.err == ""
    return json.loads(ran.out)


def test_closerates_prints_writes_and_draws_what_it_found(run, config):
    out, chart = config.with_name("rates.csv"), config.with_name("rates.svg")
    found = only_json(run("rules", "closerates", config, "--out", out, "--chart", chart, "--json"))
    assert {"as_of", "horizon_days", "contacts", "closes", "average", "rows", "buyers"} <= set(found)
    assert (found["horizon_days"], found["age_days"]) == (30, 14)
    assert set(found["rows"][0]) >= KEYS
    with out.open(encoding="utf-8", newline="") as file:
        assert [row["name"] for row in csv.DictReader(file)] == [row["name"] for row in found["rows"]]
    software = next(row for row in found["rows"] if row["value"] == "software")
    assert (software["kind"], software["name"]) == ("attribute", "sector")
    assert software["low"] > found["average"]
    assert software["q"] < 1e-4
    assert {kind["type"] for kind in found["buyers"]} == {"email_open", "page_view"}
    assert chart.read_text(encoding="utf-8").startswith("<?xml")
    said = run("rules", "closerates", config).out
    assert "sector: software" in said
    assert "contacts who had not bought by then, alike in age of the record, time" in said


def test_patterns_prints_what_holds_with_what_was_tried_and_failed(run, config):
    found = only_json(run("rules", "patterns", config, "--json"))
    assert found["tried"] > found["tested"] == len(found["patterns"]) + found["failed"]
    assert {p["when"][0].get("activity") for p in found["patterns"]} == {"page_view"}
    said = run("rules", "patterns", config).out
    assert f"tried {found['tried']:,} thresholds" in said
    assert found["patterns"][0]["pattern"] in said


def test_suggest_writes_a_file_that_loads_and_compares_on_the_same_later_contacts(run, config):
    out, poor, today = (config.with_name(name) for name in ("suggested.yaml", "poor.yaml", "today.yaml"))
    poor.write_text(POOR, encoding="utf-8")
    settings = yaml.safe_load(config.read_text(encoding="utf-8"))
    today.write_text(yaml.safe_dump(settings | {"rules": str(poor)}), encoding="utf-8")
    found = only_json(run("rules", "suggest", today, "--out", out, "--json"))
    rules = load_rules(out)
    assert yaml.safe_load(out.read_text(encoding="utf-8")) == found["suggestion"]
    assert {s.name: s.points > 0 for s in rules.sets}["Sector: software"]
    compared = found["comparison"]
    assert set(compared["evaluations"]) == {"the suggestion", "today's rules", "the model"}
    assert compared["baseline"] == "the suggestion"
    assert compared["advantages"]["today's rules"]["log_loss"]["low"] > 0
    assert compared["worked"]["today's rules"]["more"]["low"] > 0
    assert compared["closes"] >= 20
    # The model saw none of these contacts, and beats a few points or not.
    assert compared["advantages"]["the model"]["log_loss"]["value"] < 0.1
    named = config.with_name("named.yaml")
    named.write_text(yaml.safe_dump(settings | {"rules": str(out)}), encoding="utf-8")
    again = run("rules", "suggest", named)
    assert again.code == 0
    assert "compared is a suggestion of the same recipe, made on what was known at" in again.out


def test_suggest_overwrites_nothing(run, config):
    there = config.with_name("mine.yaml")
    there.write_text("agreed", encoding="utf-8")
    refused = run("rules", "suggest", config, "--out", there)
    assert refused.code == 1
    assert "is there already, and is not overwritten" in refused.err
    assert there.read_text(encoding="utf-8") == "agreed"


def test_with_few_closes_nothing_is_said(run, tiny, tmp_path):
    few = tiny(tmp_path, contacts=150, rate=0.2)
    out = tmp_path / "suggested.yaml"
    refused = run("rules", "suggest", few, "--out", out)
    assert refused.code == 1
    assert "and 20 are needed: nothing can be said" in refused.err
    assert not out.exists()
    assert "and 20 are needed: nothing can be said" in run("rules", "patterns", few).out
    assert run("rules", "closerates", few, "--chart", tmp_path / "rates.pdf").code == 1
    later = run("rules", "closerates", few, "--as-of", "2030-01-01")
    assert "its horizon of 30d is not over" in later.err
