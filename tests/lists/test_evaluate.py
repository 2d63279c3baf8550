import importlib
from pathlib import Path

import duckdb
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from predictive.clock import DAY
from predictive.config import Config
from predictive.errors import ConfigError, DataError
from predictive.lists.evaluate import MEMBERS, evaluate
from tests.features.histories import NIGHT, History, changed, contact, did, parted, tables, won

SCORED = ["contact_id", "as_of", "probability", "fit", "interest", "rule_score", "stage", "quadrant", "tier"]
SQL = ("C1", NIGHT, 0.4, 0.1, 0.2, 60, "SQL", "pursue", "high")
MQL = ("C2", NIGHT, 0.2, None, 0.2, 30, "MQL", "unknown", "low")
HISTORY = History(
    contacts=[
        contact("C1", account_id="A1"),
        contact("C2", account_id="A2"),
        contact("C3", account_id="A1"),
        contact("C4", NIGHT + 1, account_id="A1"),
    ],
    accounts=[{"account_id": "A1", "industry": "Machinery"}, {"account_id": "A2", "industry": "retail"}],
    activities=[
        did("C1", NIGHT - DAY, "form_submission"),
        did("C2", NIGHT - 40 * DAY, "form_submission"),
        did("C2", NIGHT - DAY, "form_submission", recorded=NIGHT + 1),
        did("C4", NIGHT + 2, "webinar"),
    ],
    deals=[won("D1", NIGHT - DAY, contact_id="C3"), won("D2", NIGHT + DAY, contact_id="C1")],
)


@pytest.fixture(scope="module")
def con():
    with duckdb.connect(config={"threads": 1}) as connection:
        yield connection


def config(**settings_):
    source = {"kind": "files", "path": ".", "tables": {"contacts": {"file": "c.csv"}, "deals": {"file": "d.csv"}}}
    return Config.model_validate({"source": source, "tags": {}, **settings_})


def evaluated(con, config_, scores=(SQL, MQL), history=HISTORY, made=tables):
    """Who is on each list, by list."""
    frame = pd.DataFrame(list(scores), columns=SCORED).assign(as_of=pd.Timestamp("2026-03-29"))
    con.register("_scores", frame)
    con.execute("CREATE OR REPLACE TEMP TABLE staged AS FROM _scores")
    con.unregister("_scores")
    name = evaluate(con, made(history, con), config_, "staged", NIGHT)
    assert name == MEMBERS
    found = {}
    for list_, id_ in con.execute(f"SELECT * FROM {name} ORDER BY ALL").fetchall():
        found.setdefault(list_, []).append(id_)
    return found


def on(con, text):
    return evaluated(con, config(lists={"x": yaml.safe_load(text)})).get("x", [])


@pytest.mark.parametrize(
    ("text", "members"),
    [
        (
            "{stage: [SQL], when: [{attribute: account_industry, equals: machinery}], not: {stage: [customer]}}",
            ["C1"],
        ),
        ("{when: [{attribute: account_industry, equals: machinery}]}", ["C1", "C3"]),
        ("{when: [{attribute: account_industry, equals: machinery}], not: {stage: customer}}", ["C1"]),
        ("{not: [{stage: customer}, {tier: low}]}", ["C1"]),
        ("{not: {stage: customer, tier: low}}", ["C1", "C2", "C3"]),
        ("{stage: [customer, MQL]}", ["C2", "C3"]),
        ("{probability: {at_least: 0.2}}", ["C1", "C2"]),
        ("{probability: {at_most: 0.3}}", ["C2"]),
        ("{probability: {between: [0.3, 0.4]}}", ["C1"]),
        ("{fit: {at_least: 0}}", ["C1"]),
        ("{rule_score: {at_least: 30, at_most: 59}}", ["C2"]),
        ("{quadrant: unknown}", ["C2"]),
        ("{when: [{activity: form_submission}]}", ["C1", "C2"]),
        ("{when: [{activity: form_submission, within: 30d}]}", ["C1"]),
        ("{when: [{activity: webinar}]}", []),
        ("{when: [{activity: never seen, at_most: 0}]}", ["C1", "C2", "C3"]),
        ("{members: [C3, C1, C9, C4, C3]}", ["C1", "C3"]),
    ],
)
def test_a_list_holds_who_meets_all_that_it_says(con, text, members):
    assert on(con, text) == members


@settings(max_examples=20, deadline=None)
@given(
    low=st.floats(0, 1), high=st.floats(0, 1), stages=st.sets(st.sampled_from(["SQL", "MQL", "customer"]), min_size=1),
    out=st.sets(st.sampled_from(["high", "low"]), min_size=1), scores=st.lists(st.floats(0, 1), min_size=2, max_size=2),
)  # fmt: skip
def test_lists_are_those_of_a_slow_reference(con, low, high, stages, out, scores):
    low, high = sorted((low, high))
    rows = [(*row[:2], p, *row[3:]) for row, p in zip((SQL, MQL), scores, strict=True)]
    asked = {"probability": {"between": [low, high]}, "stage": sorted(stages), "not": {"tier": sorted(out)}}
    expected = [r[0] for r in rows if low <= r[2] <= high and r[6] in stages and r[8] not in out]
    assert evaluated(con, config(lists={"x": asked}), rows).get("x", []) == expected


def test_without_a_score_the_stage_is_that_of_the_deals_by_the_night(con):
    begun = {"deal_id": "D3", "contact_id": "C2", "created_at": NIGHT - DAY, "closed_at": NIGHT + DAY, "is_won": False}
    lists = {"x": {"stage": ["customer"]}, "y": {"stage": ["opportunity"]}, "z": {"stage": ["MQL"]}}
    found = evaluated(
        con, config(lists=lists), [MQL], HISTORY.plus(deals=[begun, {**begun, "deal_id": "D4", "contact_id": "C1"}])
    )
    assert found == {"x": ["C3"], "y": ["C1"], "z": ["C2"]}


def test_attributes_are_those_of_the_night(con):
    history = HISTORY.plus(changes=[changed("C1", "country", "PL", NIGHT + 1, old="ES")])
    lists = {"x": {"when": [{"attribute": "country", "equals": "es"}]}}
    assert evaluated(con, config(lists=lists), history=history) == {"x": ["C1"]}


def test_default_tags_are_one_for_each_group_of_activities_there_is(con):
    assert evaluated(con, config(tags=None)) == {"#form": ["C1", "C2"]}
    assert evaluated(con, config(tags={"#hot": [{"activity": "form_submission", "within": "30d"}]})) == {"#hot": ["C1"]}


def test_parts_do_not_matter(con, monkeypatch):
    settings_ = config(lists={"x": {"when": [{"activity": "form_submission"}]}, "y": {"stage": ["customer"]}})
    whole = evaluated(con, settings_)
    monkeypatch.setattr(importlib.import_module("predictive.sources.arrange"), "CONTACTS_PER_PART", 1)
    assert parted(HISTORY, con).parts == 4
    assert evaluated(con, settings_, made=parted) == whole == {"x": ["C1", "C2"], "y": ["C3"]}


def test_a_static_file_is_one_id_a_line_or_csv_with_a_contact_id(con, tmp_path):
    (tmp_path / "plain.txt").write_text("C1\n\nC3\nC1\n")
    (tmp_path / "table.csv").write_text("\ufeffowner,contact_id\nme,C2\n,C1\n")
    lists = {"p": {"static": tmp_path / "plain.txt"}, "t": {"static": tmp_path / "table.csv"}}
    assert evaluated(con, config(lists=lists)) == {"p": ["C1", "C3"], "t": ["C1", "C2"]}
    with pytest.raises(DataError, match=r"lists\.x\.static: .*nowhere\.txt: cannot be read"):
        evaluated(con, config(lists={"x": {"static": Path("nowhere.txt")}}))


def test_an_unknown_attribute_or_score_is_named_with_the_list(con):
    with pytest.raises(ConfigError, match=r"lists\.x: no attribute 'account_industri'; did you mean"):
        on(con, "{not: {when: [{attribute: account_industri, known: true}]}}")
    with pytest.raises(ConfigError, match=r"tags\.#y: no attribute 'x'"):
        evaluated(con, config(tags={"#y": {"attribute": "x", "known": True}}))
    with pytest.raises(ConfigError, match=r"lists\.x\.cell: the scores have no cell"):
        on(con, "{cell: [A1]}")


@pytest.mark.parametrize(
    ("lists", "problem"),
    [
        ({"x": {}}, "says nothing"),
        ({"x": {"stage": ["SLQ"]}}, "did you mean"),
        ({"#x": {"stage": ["SQL"]}}, "does not begin with #"),
        ({"x": {"members": ["C1"], "tier": ["low"]}}, "a static list keeps its members"),
        ({"x": {"members": ["C1"], "static": "f"}}, "not both"),
        ({"x": {"not": {}}}, "not: says nothing"),
        ({"x": {"fit": {}}}, "give at_least, at_most or both"),
        ({"x": {"fit": {"between": [0, 1], "at_least": 0}}}, "or between"),
        ({"x": {"fit": {"at_least": 1, "at_most": 0}}}, "no number is at least 1 and at most 0"),
    ],
)
def test_a_list_that_makes_no_sense_is_refused(lists, problem):
    with pytest.raises(ValidationError, match=problem):
        config(lists=lists)
