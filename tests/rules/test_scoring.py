import duckdb
import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from predictive.clock import DAY
from predictive.errors import ConfigError
from predictive.features.build import features_at
from predictive.features.catalog import attribute
from predictive.rules import (
    Condition,
    Rules,
    RuleSet,
    Stages,
    all_kinds,
    applicable,
    condition_features,
    conditions_hold,
    load_rules,
    rule_features,
    score_rules,
    stage,
)
from tests.features.histories import NIGHT, History, at, changed, contact, did, pairs, tables

KINDS = {"title": "text", "size": "number"}
TITLES = ["Chief Technology Officer", "CTO", "Director", "cto, co-founder", "Straße", "50", "", None]


@pytest.fixture(scope="module")
def con():
    with duckdb.connect(config={"threads": 1}) as connection:
        yield connection


def rules(*sets, **more):
    return Rules.model_validate({"sets": [{"name": f"set {i}", **s} for i, s in enumerate(sets)], **more})


def holds(condition, values):
    made = [Condition(**condition)]
    (feature,) = condition_features(made, KINDS)
    return conditions_hold(made, pd.DataFrame({feature.name: pd.Series(values, dtype=object)}), KINDS).tolist()


def which(condition, values):
    return [v for v, yes in zip(values, holds(condition, values), strict=True) if yes]


def applied(rules_, history, con):
    """The rule score of each contact of the history at its own as-of, by contact."""
    tables_ = tables(history, con)
    kinds = all_kinds(tables_)
    needed = rule_features(rules_, kinds)
    known = features_at(tables_, at(history, "duckdb", con), needed)
    frame = known.collect(backend="pandas").to_native().sort_values("contact_id", ignore_index=True)
    found = score_rules(rules_, frame, kinds)
    return dict(zip(frame["contact_id"], found.score.tolist(), strict=True))


def points(when, history, con):
    return applied(rules({"points": 7, "when": [when]}), history, con)["c1"] == 7


@pytest.mark.parametrize(
    ("operators", "expected"),
    [
        ({"equals": "cto"}, ["CTO"]),
        ({"equals": "STRASSE"}, ["Straße"]),
        ({"one_of": ["Cto", "director"]}, ["CTO", "Director"]),
        ({"one_of": []}, []),
        ({"contains": "cto"}, ["CTO", "cto, co-founder"]),
        ({"contains": ["technology officer", "founder"]}, ["Chief Technology Officer", "cto, co-founder"]),
        ({"contains": "co"}, ["cto, co-founder"]),
        ({"contains": "chief officer"}, []),
        ({"known": True}, TITLES[:-1]),
        ({"known": False}, [None]),
        ({"contains": "cto", "one_of": ["CTO"]}, ["CTO"]),
        ({"at_least": 50}, ["50"]),
        ({"known": False, "equals": "cto"}, []),
    ],
)
def test_an_operator_on_text_holds_for_whole_words_and_values_whatever_their_case(operators, expected):
    assert which({"attribute": "title", **operators}, TITLES) == expected


@pytest.mark.parametrize(
    ("operators", "expected"),
    [
        ({"at_least": 50}, [50.0, 51.5, np.inf]),
        ({"at_most": 50}, [-1.0, 49.9, 50.0]),
        ({"at_least": 50, "at_most": 51.5}, [50.0, 51.5]),
        ({"equals": "50"}, [50.0]),
        ({"one_of": ["51.5", "-1"]}, [-1.0, 51.5]),
        ({"known": False}, [np.nan]),
    ],
)
def test_an_operator_on_numbers_holds_for_its_edges_and_never_for_what_is_missing(operators, expected):
    values = [-1.0, 49.9, 50.0, 51.5, np.inf, np.nan]
    found = np.array(values)[holds({"attribute": "size", **operators}, values)]
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("operators", "expected"),
    [({}, [1, 2, 9]), ({"at_least": 2}, [2, 9]), ({"at_most": 1}, [0, 1]), ({"at_least": 1, "at_most": 2}, [1, 2]),
     ({"at_most": 0}, [0])],
)  # fmt: skip
def test_an_activity_holds_from_once_on_unless_said_otherwise(operators, expected):
    assert which({"activity": "call", **operators}, [0, 1, 2, 9]) == expected


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.text("abßΣcd1_", min_size=1, max_size=3), min_size=1, max_size=4),
    st.sampled_from([" ", ", ", "-", "/", " & "]),
    st.text("abßΣcd1_", min_size=1, max_size=3),
)
def test_contains_finds_exactly_the_words_that_stand_between_other_signs(words, sign, word):
    found = holds({"attribute": "title", "contains": [word]}, [sign.join(words)])
    assert found == [word.casefold() in [w.casefold() for w in words]]


def test_signs_of_a_pattern_in_a_word_mean_themselves():
    assert which({"attribute": "title", "contains": ["c++", "a.b"]}, ["C++ developer", "ccc", "a.b", "axb"]) == [
        "C++ developer",
        "a.b",
    ]


def test_all_conditions_of_a_set_must_hold_and_sets_add_up():
    both = [{"attribute": "title", "equals": "cto"}, {"attribute": "size", "at_least": 10}]
    some = rules({"points": 5, "when": both}, {"points": 2, "when": both[:1]})
    frame = pd.DataFrame(
        {
            f.name: v
            for f, v in zip(rule_features(some, KINDS), [["CTO"] * 3 + ["x"], [10.0, 9.0, np.nan, 10.0]], strict=True)
        }
    )
    found = score_rules(some, frame, KINDS)
    assert found.score.tolist() == [7, 2, 2, 0]
    assert found.fired.tolist() == [[True, True], [False, True], [False, True], [False, False]]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(-100, 100), st.booleans()), min_size=1, max_size=8))
def test_points_add_up_by_side_and_only_the_score_is_clipped(sets):
    """Each set: its points, and whether it reads what the contact did."""
    some = rules(
        *(
            {"points": p, "when": [{"activity": f"t{i}"} if acts else {"attribute": "title", "known": True}]}
            for i, (p, acts) in enumerate(sets)
        )
    )
    # For the first contact nothing holds, for the second everything.
    values = {f.name: [None, "x"] if f.attribute else [0, 1] for f in rule_features(some, KINDS)}
    found = score_rules(some, pd.DataFrame(values), KINDS)
    fit, interest = (sum(p for p, acts in sets if acts is side) for side in (False, True))
    assert (found.fit.tolist(), found.interest.tolist()) == ([0, fit], [0, interest])
    assert found.score.tolist() == [0, min(100, max(0, fit + interest))]
    assert {a.dtype for a in (found.score, found.fit, found.interest)} == {np.dtype("int64")}


def test_a_set_that_reads_any_activity_is_interest_and_one_of_attributes_alone_is_fit():
    mixed = {"name": "x", "points": 1, "when": [{"attribute": "a", "known": True}, {"activity": "call"}]}
    assert not RuleSet(**mixed).explicit
    assert RuleSet(**{**mixed, "when": mixed["when"][:1]}).explicit


@pytest.mark.parametrize(
    ("operators", "activity", "expected"),
    [
        ({"within": "30d"}, {"t": NIGHT - 30 * DAY + 1}, True),
        ({"within": "30d"}, {"t": NIGHT - 30 * DAY}, False),
        ({"within": "1w"}, {"t": NIGHT - 7 * DAY + 1}, True),
        ({}, {"t": 0}, True),
        ({}, {"t": NIGHT + 1}, False),
        ({"at_least": 2}, {"t": NIGHT}, False),
        ({"detail": "pricing"}, {"t": NIGHT, "detail": "/pricing"}, False),
        ({"contains": "pricing"}, {"t": NIGHT, "detail": "/pricing"}, True),
        ({"contains": ["pricing"]}, {"t": NIGHT, "detail": "/pricing"}, True),
        ({"detail": "/pricing", "contains": "x"}, {"t": NIGHT, "detail": "/pricing"}, False),
    ],
)
def test_activity_conditions_count_what_they_say(con, operators, activity, expected):
    history = History(contacts=[contact()], activities=[did(type="call", **activity)], at={"c1": NIGHT})
    for types in ("call", ["meeting", "call"]):
        assert points({"activity": types, **operators}, history, con) is expected
    assert points({"activity": "meeting", **operators}, history, con) is False


def test_conditions_that_differ_in_operator_or_case_only_are_told_apart(con):
    rows = [did(t=NIGHT, detail="pricing"), did(t=NIGHT, detail="/Pricing"), did(t=NIGHT, type="Page_View")]
    history = History(contacts=[contact()], activities=rows, at={"c1": NIGHT})
    view = {"activity": "page_view", "at_least": 2}
    some = rules(
        {"points": 1, "when": [{**view, "detail": "pricing"}]},
        {"points": 2, "when": [{**view, "contains": "pricing"}]},
        {"points": 4, "when": [{**view, "contains": "ricing"}]},
        {"points": 8, "when": [{"activity": "Page_View"}]},
        {"points": 16, "when": [{"activity": "page_view", "at_least": 3}]},
    )
    assert applied(some, history, con) == {"c1": 12}


def test_rules_and_the_models_features_stand_beside_each_other_in_one_frame(con):
    """The model may use lifecycle_stage as context, and a rule read it as fit: two features of one column."""
    history = History(contacts=[contact(lifecycle_stage="lead")], at={"c1": NIGHT})
    some = rules({"points": 3, "when": [{"attribute": "lifecycle_stage", "equals": "lead"}]})
    tables_ = tables(history, con)
    features = [attribute("lifecycle_stage", side="context"), *rule_features(some, all_kinds(tables_))]
    frame = features_at(tables_, at(history, "duckdb", con), features).collect(backend="pandas").to_native()
    assert score_rules(some, frame, all_kinds(tables_)).score.tolist() == [3]
    assert frame["lifecycle_stage"].tolist() == ["lead"]


def test_the_accounts_attributes_are_named_with_a_prefix(con):
    history = History(
        contacts=[contact(account_id="a1")], accounts=[{"account_id": "a1", "employees": 50.0}], at={"c1": NIGHT}
    )
    assert points({"attribute": "account_employees", "at_least": 50}, history, con)
    assert points({"attribute": "account_id", "known": True}, history, con)
    assert not points({"attribute": "account_industry", "known": True}, history, con)


def test_the_score_of_a_past_date_reads_the_attributes_of_then(con):
    changes = [changed("c1", "job_title", "CTO", NIGHT + 1, old="intern")]
    history = History(contacts=[contact(job_title="CTO")], changes=changes, at={"c1": NIGHT})
    assert not points({"attribute": "job_title", "equals": "cto"}, history, con)
    assert points({"attribute": "job_title", "equals": "intern"}, history, con)


@settings(max_examples=6, deadline=None)
@given(pairs())
def test_the_score_of_a_past_date_stays_what_it_was_whatever_is_known_later(con, pair):
    history, later = pair
    some = rules(
        {"points": 1, "when": [{"activity": ["page_view", "call"], "within": "30d"}]},
        {"points": 2, "when": [{"activity": "form", "at_most": 0}]},
        {"points": 4, "when": [{"attribute": "seats", "at_least": 2}]},
        {"points": 8, "when": [{"attribute": "lifecycle_stage", "contains": "lead"}]},
        {"points": 16, "when": [{"attribute": "account_industry", "known": True}]},
        {"points": 32, "when": [{"activity": "page_view", "contains": "pricing"}]},
    )
    assert applied(some, later, con) == applied(some, history, con)


def test_the_default_rules_load_and_read_the_demo_words(con):
    default = load_rules(None)
    assert default.stages == Stages(prospect=1, MQL=26, SQL=51)
    history = History(
        contacts=[contact(account_id="a1", job_title="Director of IT", source="Referral", tags=None)],
        accounts=[{"account_id": "a1", "employees": 50.0}],
        activities=[did(t=NIGHT - DAY, type="form_submission", detail="demo_request"), did(t=NIGHT, type="meeting")],
        at={"c1": NIGHT},
    )
    fit, interest = 10 + 10 + 3 + 8, 30 * 0.5 ** (1 / 45) + 8 + 28
    assert applied(default, history, con) == {"c1": round(fit + interest)}
    competitor = History(**{**vars(history), "contacts": [{**history.contacts[0], "tags": "Competitor;x"}]})
    assert applied(default, competitor, con) == {"c1": round(fit + interest) - 50}


def test_default_sets_whose_attributes_the_tables_lack_are_left_out_and_own_ones_are_an_error(con):
    tables_ = tables(History(), con)
    some = rules(
        {"points": 1, "when": [{"attribute": "plam", "known": True}]},
        {"points": 2, "when": [{"attribute": "account_plan", "known": True}]},
        {"points": 3, "when": [{"attribute": "plan", "known": True}]},
        {"points": 4, "when": [{"activity": "never happened yet"}]},
    )
    assert [s.points for s in applicable(some, tables_, strict=False).sets] == [3, 4]
    with pytest.raises(ConfigError, match=r"rules: set 'set 0': no attribute 'plam'; did you mean \"plan\""):
        applicable(some, tables_, strict=True)


def test_no_set_that_applies_gives_everybody_no_points(con):
    none_left = applicable(
        rules({"points": 9, "when": [{"attribute": "x", "known": True}]}), tables(History(), con), strict=False
    )
    found = score_rules(none_left, pd.DataFrame({"contact_id": ["c1", "c2"]}), KINDS)
    assert (found.score.tolist(), found.fired.shape) == ([0, 0], (2, 0))


@pytest.mark.parametrize(
    ("score", "name"),
    [(0, "visitor"), (1, "prospect"), (25, "prospect"), (26, "MQL"), (50, "MQL"), (51, "SQL"), (100, "SQL")],
)
def test_a_stage_begins_at_its_threshold(score, name):
    assert stage(np.array([score]), Stages()).tolist() == [name]


GOOD = {"name": "Good", "points": 5, "when": [{"attribute": "plan", "known": True}]}


def when(**condition):
    return {"sets": [{**GOOD, "when": [condition]}]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"sets": [{**GOOD, "points": 101}]}, r"sets\[0\]\.points \(set 'Good'\)"),
        ({"sets": [{**GOOD, "point": 1}]}, r"sets\[0\]\.point \(set 'Good'\): unknown key; did you mean \"points\""),
        ({"sets": [{**GOOD, "when": []}]}, r"sets\[0\]\.when \(set 'Good'\)"),
        (
            {"sets": [GOOD, {**GOOD, "name": "B", "when": [{"attribute": "a"}]}]},
            r"\[1\]\.when\[0\] \(set 'B'\): say what",
        ),
        (
            when(attribute="a", activity="b"),
            r"'Good'\): give exactly one of attribute, activity, tag, no_tag and any; found",
        ),
        (when(known=True), r"'Good'\): give exactly one of attribute, activity, tag, no_tag and any; found"),
        (when(attribute="a", equal="x"), r"when\[0\]\.equal \(set 'Good'\): unknown key; did you mean \"equals\""),
        (when(activity="a", known=True), r"'Good'\): activity does not take known; it takes at_least, at_most, "),
        (when(attribute="a", known=True, detail="x"), r"'Good'\): attribute does not take detail; it takes equals, "),
        (when(activity="a", within="36h"), r"\.within \(set 'Good'\): counts whole days"),
        (when(activity="a", within="soon"), r"within \(set 'Good'\): 'soon' is not a length of time"),
        (when(activity="a", contains=["x", "y"]), r"'Good'\): contains of an activity is one text"),
        ({"sets": [GOOD, GOOD]}, r"sets: two sets have the name 'Good'"),
        ({"sets": [GOOD], "stages": {"MQL": 60}}, r"stages: thresholds must ascend"),
        ({"sets": [GOOD], "stages": {"mql": 30}}, r"stages\.mql: unknown key"),
        ({"sets": [GOOD], "set": []}, r"set: unknown key; did you mean \"sets\""),
        ({"sets": []}, r"sets: List should have at least 1 item"),
        ({"sets": "x"}, r"sets: Input should be a valid list"),
        ({"sets": ["x"]}, r"sets\[0\]: Input should be a valid dict"),
        ({}, r"sets: Field required"),
        (["x"], r"a rule file is a mapping with the key sets; found list"),
        (None, r"a rule file is a mapping with the key sets; found NoneType"),
    ],
)
def test_a_bad_rule_file_is_one_error_that_names_the_file_and_the_set(tmp_path, content, message):
    file = tmp_path / "own.yaml"
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(ConfigError, match=message) as caught:
        load_rules(file)
    assert str(caught.value).startswith(f"rules: {file}: ")


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"sets: [", "not valid YAML"), (b"sets: \xff", "cannot be read"), (None, "no such file")],
)
def test_a_rule_file_that_cannot_be_read_is_an_error(tmp_path, content, message):
    file = tmp_path / "own.yaml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        load_rules(file)
    with pytest.raises(ConfigError, match="cannot be read"):
        load_rules(tmp_path)


def test_a_rule_file_of_ones_own_reads_back_as_it_was_written(tmp_path):
    file = tmp_path / "own.yaml"
    file.write_text(yaml.safe_dump({"sets": [GOOD], "stages": {"prospect": 5}}), encoding="utf-8")
    assert load_rules(file) == Rules(stages=Stages(prospect=5), sets=[RuleSet(**GOOD)])
