"""`predictive check CONFIG --leakage`."""

import pandas as pd
import pytest
import yaml

pytest_plugins = ["tests.trained"]


@pytest.fixture
def leaking(tiny, tmp_path):
    """A tiny CRM whose contacts say what was sold to them."""
    config = tiny(tmp_path)
    contacts, deals = (pd.read_csv(tmp_path / f"{name}.csv") for name in ("contacts", "deals"))
    won = contacts["contact_id"].isin(deals["contact_id"])
    contacts.assign(plan=won.map({True: "gold", False: None})).to_csv(tmp_path / "contacts.csv", index=False)
    return config


def test_the_suspects_are_told_in_json(run, leaking):
    found = run("check", leaking, "--leakage", "--json")
    assert (found.code, found.err) == (0, "")
    (suspect,) = found.json["suspects"]
    assert set(suspect) == {"table", "column", "why", "saw", "confidence", "line"}
    assert {k: v for k, v in suspect.items() if k != "saw"} == {
        "table": "contacts",
        "column": "plan",
        "why": "filled only for closes",
        "confidence": "high",
        "line": "features: {exclude: [plan]}",
    }
    assert set(found.json["untrustworthy"]) == {"sector", "size"}
    assert "suspects" not in run("check", leaking, "--json").json


def test_the_line_that_is_told_silences_the_audit(run, leaking):
    said = run("check", leaking, "--leakage").out.partition("# what may betray the outcome\n")[2].splitlines()
    assert said[0].startswith("looked at 3 attributes and 2 activity types, ")
    assert said[1] == "- contacts.plan: filled only for closes (confidence: high)"
    assert said[2].startswith("  known for ")
    assert said[3] == said[5] == "  features: {exclude: [plan]}"
    raw = yaml.safe_load(leaking.read_text()) | yaml.safe_load(said[3])
    leaking.write_text(yaml.safe_dump(raw))
    again = run("check", leaking, "--leakage")
    assert "Nothing found that betrays the outcome." in again.out
    assert again.code == 0
    assert again.out.splitlines()[-1] == f"Nothing stops a model. Next: predictive train {leaking}"


def test_where_nothing_can_be_learned_the_audit_finds_nothing_and_says_what_stops_a_model(run, tiny, tmp_path):
    config = tiny(tmp_path, horizon="900d")
    found = run("check", config, "--leakage", "--json")
    assert found.code == 1
    assert found.json["suspects"] == []
    assert found.json["stops"]
    said = run("check", config, "--leakage").out
    assert "too few to compare who closed with who did not" in said
