"""What may stand in a rule file, beside what tests/rules/test_scoring.py holds; and what may reach a model."""

from datetime import timedelta

import duckdb
import numpy as np
import pandas as pd
import pytest
import yaml

from predictive.clock import DAY
from predictive.config import FeatureChoice
from predictive.errors import ConfigError
from predictive.rules import (
    Condition,
    Rules,
    RuleSet,
    all_kinds,
    applicable,
    condition_features,
    conditions_hold,
    load_rules,
    rule_features,
    rule_quadrant,
    rules_for,
    score_rules,
)
from predictive.rules.reading import for_people
from tests.features.histories import NIGHT, History, config, contact, did, tables

CALL = {"activity": "call"}


@pytest.fixture(scope="module")
def con():
    with duckdb.connect(config={"threads": 1}) as connection:
        yield connection


def write(folder, content):
    file = folder / "rules.yaml"
    file.write_text(content if isinstance(content, str) else yaml.safe_dump(content), encoding="utf-8")
    return file


def one_set(**more):
    return {"sets": [{"name": "S", "points": 5, "when": [CALL], **more}]}


def when(**condition):
    return one_set(when=[condition])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (when(attribute="a", matches="(x"), r"matches \(set 'S'\): '\(x' is not a regular expression: missing \)"),
        (when(attribute="a", at_least=5, at_most=4), r"at least 5 and at most 4: no number is both"),
        (when(attribute="a", between=[3]), r"between \(set 'S'\): List should have at least 2 items"),
        ("sets: [{name: S, points: 1, when: [{attribute: a, equals: yes}]}]", r"equals \(set 'S'\): true is what YAML"),
        (when(tag="x", equals="y"), r"tag does not take equals; it takes nothing more"),
        (when(any=[CALL]), r"any \(set 'S'\): List should have at least 2 items"),
        (when(any=[CALL, {"activity": "x", "equal": 1}]), r"any\[1\]\.equal \(set 'S'\): unknown key; .*\"equals\""),
        (when(activity="x", not_within="3d", at_least=1), r"not_within says that it did not happen at all"),
        (one_set(repeat={"every": 2}), r"sets\[0\]\.repeat\.up_to \(set 'S'\): Field required"),
        (one_set(repeat={"upto": 2, "up_to": 2}), r"repeat\.upto \(set 'S'\): unknown key; did you mean \"up_to\""),
        (one_set(decay={}), r"decay \(set 'S'\): give exactly one of half_life and to_zero"),
        (one_set(decay={"half_life": "5000d"}), r"ten years \(3650d\) is the longest"),
        (one_set(decay={"half_life": "5d"}, when=[CALL, {"activity": "x"}]), r"decay needs exactly one .* found 2"),
        (one_set(repeat={"up_to": 5}, when=[{"tag": "x"}]), r"repeat needs exactly one .* found 0"),
        (one_set(repeat={"up_to": 5}, when=[{**CALL, "value_at_least": 9}]), r"repeat counts activities"),
        (one_set(group="webinar"), r"set 'S': no group 'webinar'; did you mean \"webinars\""),
        ({**one_set(), "groups": {"fit": {}}}, r"groups\.fit: give max"),
        ({**one_set(), "groups": {"fit": {"mx": 3}}}, r"groups\.fit\.mx: unknown key; did you mean \"max\""),
        ({**one_set(), "groups": {"fit": {"max": -3}}}, r"groups\.fit\.max: Input should be greater"),
        ({**one_set(), "quadrant": {"interst": 3}}, r"quadrant\.interst: unknown key; did you mean \"interest\""),
        ({**one_set(), "lifecycle": {"customers": 3}}, r"lifecycle\.customers: unknown key; did you mean \"customer\""),
        ("sets: [{name: S, points: 1, when: [{attribute: a, before: 2026-13-01}]}]", "not valid YAML"),
        (when(attribute="a", before="soon"), r"'soon' is not a date or time"),
    ],
)
def test_a_bad_rule_file_is_one_error_that_names_the_place_and_the_set(tmp_path, content, message):
    with pytest.raises(ConfigError, match=message) as caught:
        load_rules(write(tmp_path, content))
    assert str(caught.value).startswith(f"rules: {tmp_path / 'rules.yaml'}: ")


def test_every_problem_of_a_file_is_said_at_once(tmp_path, con):
    content = {"stages": {"MQL": 99}, "sets": [{"name": "A", "when": [{"tags": 1}]}, {"name": "B", "points": 1}]}
    with pytest.raises(ConfigError) as caught:
        load_rules(write(tmp_path, content))
    for place in ("stages", "sets[0].points (set 'A')", "sets[0].when[0].tags", "sets[1].when (set 'B')"):
        assert place in str(caught.value)
    some = Rules.model_validate(
        {"sets": [
            {"name": "A", "points": 1, "when": [{"attribute": "plam", "known": True}]},
            {"name": "B", "points": 1, "when": [{"any": [CALL, {"attribute": "plan", "within": "3d"}]}]},
        ], "lifecycle": {"attribute": "stage"}}
    )  # fmt: skip
    with pytest.raises(ConfigError) as caught:
        applicable(some, tables(History(), con), strict=True)
    for text in ("set 'A': no attribute 'plam'; did", "set 'B': 'plan' holds texts, and", "lifecycle: no attribute"):
        assert text in str(caught.value)
    assert applicable(some, tables(History(), con), strict=False).sets == []


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"is_not": "cto"}, ["CEO", "50"]),
        ({"none_of": ["CTO", 50]}, ["CEO"]),
        ({"matches": "^c.o$"}, ["CTO", "CEO"]),
        ({"matches": "T"}, ["CTO"]),
        ({"unknown": True}, [None]),
        ({"unknown": False}, ["CTO", "CEO", "50"]),
        ({"between": [50, 60]}, ["50"]),
        ({"equals": 50}, ["50"]),
    ],
)
def test_what_is_not_known_fulfils_nothing_but_unknown(condition, expected):
    made = [Condition(attribute="title", **condition)]
    values = ["CTO", "CEO", "50", None]
    kinds = {"title": "text"}
    frame = pd.DataFrame({condition_features(made, kinds)[0].name: pd.Series(values, dtype=object)})
    assert [v for v, yes in zip(values, conditions_hold(made, frame, kinds), strict=True) if yes] == expected


@pytest.mark.parametrize("as_text", [False, True])
def test_times_compare_by_day_and_by_distance_to_the_microsecond(as_text):
    times = [NIGHT - 30 * DAY, NIGHT - 30 * DAY + 1, NIGHT, NIGHT + 1]
    kinds, values = {"renewed": "time"}, [*times, None]
    if as_text:  # as the history of an attribute holds them
        values = [None if v is None else str(pd.Timestamp(v, unit="us", tz="UTC")) for v in values]

    def which(**condition):
        made = [Condition(attribute="renewed", **condition)]
        column = pd.Series(values, dtype=object if as_text else float)
        frame = pd.DataFrame({condition_features(made, kinds)[0].name: column, "as_of": NIGHT})
        return np.flatnonzero(conditions_hold(made, frame, kinds)).tolist()

    assert which(within="30d") == [1, 2]
    assert which(not_within="30d") == [0]
    day = pd.Timestamp(NIGHT, unit="us", tz="UTC")
    assert (which(before=day.to_pydatetime()), which(after=day.to_pydatetime())) == ([0, 1], [2, 3])
    assert which(known=True) == [0, 1, 2, 3]


def test_regular_expressions_are_tried_once_per_level_however_many_contacts_have_it():
    made = [Condition(attribute="title", matches="a+b")]
    kinds = {"title": "text"}
    frame = pd.DataFrame({condition_features(made, kinds)[0].name: np.array(["ab", "b"], dtype=object).repeat(500_000)})
    assert conditions_hold(made, frame, kinds).sum() == 500_000


@pytest.mark.parametrize(
    ("more", "group"),
    [
        ({}, "sales"), ({"when": [{"activity": ["call", "webinar"]}]}, "other"), ({"points": -1}, "negative"),
        ({"when": [{"attribute": "a", "known": True}]}, "fit"), ({"when": [{"activity": "any"}]}, "other"),
        ({"when": [{"tag": "x"}, {"activity": "email_open"}]}, "email"), ({"group": "fit"}, "fit"),
    ],
)  # fmt: skip
def test_a_set_without_a_group_is_in_that_of_what_it_reads(more, group):
    assert RuleSet(**one_set(**more)["sets"][0]).in_group == group


BARRED = {"features": {"sensitive": ["plan"], "exclude": ["seats", "form"]}}


def barred(**more):
    sets = [
        {"name": "age", "points": 1, "when": [{"attribute": "plan", "known": True}], **more},
        {"name": "out", "points": 2, "when": [{"any": [{"attribute": "seats", "known": True}, CALL]}]},
        {"name": "type", "points": 4, "when": [{"activity": "form"}]},
        {"name": "all", "points": 8, "when": [{"activity": "any"}]},
        {"name": "ours", "points": 16, "people_only": True, "when": [{"attribute": "country", "known": True}]},
        {"name": "free", "points": 32, "when": [CALL]},
    ]
    return {"sets": sets}


def test_a_set_on_a_sensitive_attribute_is_an_error_that_names_it_unless_allowed(tmp_path, con):
    tables_ = tables(History(activities=[did(type="form")], contacts=[contact()]), con)
    settings = config(**BARRED)
    refused = settings.model_copy(update={"rules": write(tmp_path, barred())})
    with pytest.raises(ConfigError, match=r"set 'age' reads 'plan', which features.sensitive declares .*allow_sensit"):
        rules_for(tables_, refused)
    for allowed in (barred(allow_sensitive=True), {**barred(), "allow_sensitive": True}):
        found = rules_for(tables_, settings.model_copy(update={"rules": write(tmp_path, allowed)}))
        assert [s.name for s in found.sets if s.people_only] == ["age", "out", "type", "all", "ours"]
    # The default rules are nobody's decision: such sets are left out.
    default = rules_for(tables_, config(features={"sensitive": ["job_title"]}))
    assert "Decision maker" not in [s.name for s in default.sets]
    assert "Company is known" in [s.name for s in default.sets]


def test_what_people_alone_may_read_is_in_their_score_and_not_in_the_models(con):
    tables_ = tables(History(activities=[did(type="form")], contacts=[contact()]), con)
    rules = for_people(Rules.model_validate(barred(allow_sensitive=True)), tables_, FeatureChoice(**BARRED["features"]))
    kinds = all_kinds(tables_)
    values = {f.name: ["x"] if f.attribute else [1] for f in rule_features(rules, kinds)}
    found = score_rules(rules, pd.DataFrame(values), kinds)
    assert (found.score.tolist(), found.for_model.tolist()) == ([63], [32])
    said = yaml.safe_load(yaml.safe_dump(rules.model_dump(mode="json", exclude_none=True)))
    assert Rules.model_validate(said) == rules, "a bundle keeps which sets are not for the model"


def test_lifecycle_keeps_the_stage_whatever_the_points_and_rules_alone_give_a_quadrant():
    content = {"quadrant": {"fit": 5, "interest": 5}, "lifecycle": {"customer": ["won", "Evangelist"]}}
    stated = {"name": "A", "points": 5, "when": [{"attribute": "plan", "known": True}]}
    rules = Rules.model_validate({**content, "sets": [stated, {"name": "B", "points": 5, "when": [CALL]}]})
    kinds = {"plan": "text", "lifecycle_stage": "text"}
    plan, calls, stage = (f.name for f in rule_features(rules, kinds))
    rows = [("x", 1, "lead"), ("x", 0, "WON"), (None, 1, "evangelist"), (None, 0, "opportunity")]
    frame = pd.DataFrame(rows, columns=[plan, calls, stage])
    found = score_rules(rules, frame, kinds)
    assert found.stage.tolist() == ["prospect", "customer", "customer", "opportunity"]
    assert rule_quadrant(found, rules).tolist() == ["pursue", "nurture", "opportunistic", "disengage"]
    alone = rules.model_copy(update={"sets": rules.sets[:1]})
    assert set(rule_quadrant(score_rules(alone, frame, kinds), alone)) == {"unknown"}


def test_windows_are_whole_days():
    assert Condition(attribute="created_at", within="2w").within == timedelta(days=14)
    assert Condition(activity="x", not_within="2w").days == 14
