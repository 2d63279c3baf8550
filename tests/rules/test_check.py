import duckdb
import numpy as np
import pandas as pd
import pytest
import yaml

from predictive.clock import DAY
from predictive.rules import Condition, Rules, condition_features, conditions_hold
from predictive.rules.check import check_rules
from predictive.rules.contradictions import cannot_hold, out_of_reach, reach
from predictive.rules.inflation import Month, verdict
from tests.features.histories import NIGHT, History, config, contact, did, tables, won

pytest_plugins = ["tests.trained"]


@pytest.fixture(scope="module")
def con():
    with duckdb.connect(config={"threads": 1}) as connection:
        yield connection


def a(**condition):
    return {"attribute": "plan", **condition}


def views(**condition):
    return {"activity": "page_view", **condition}


@pytest.mark.parametrize(
    "conditions",
    [
        [a(unknown=True, equals="x")],
        [a(known=True), a(unknown=True)],
        [a(equals="x"), a(equals="y")],
        [a(one_of=["x", "y"]), a(none_of=["X", "Y"])],
        [a(equals="head of sales"), a(contains="chief")],
        [a(at_most=3), a(between=[4, 9])],
        [views(at_least=5, within="7d"), views(at_most=4, within="30d")],
        [views(contains="x"), views(not_within="90d"), views(within="30d")],
        [{"tag": "x"}, {"no_tag": ["X", "y"]}],
        [{"any": [a(equals="x"), a(equals="y")]}, a(equals="z")],
    ],
)
def test_conditions_that_cannot_hold_together_are_found(conditions):
    assert cannot_hold([Condition.model_validate(c) for c in conditions])


@pytest.mark.parametrize(
    "conditions",
    [
        [a(equals="x"), a(contains="X")],
        [a(at_most=4), a(between=[4, 9])],
        [views(at_least=5, within="30d"), views(at_most=4, within="7d")],
        [views(at_least=1), views(detail="x", at_most=0)],
        [views(within="30d"), {"activity": "call", "at_most": 0}],
        [{"tag": ["x", "z"]}, {"no_tag": "x"}],
        [{"any": [a(equals="x"), a(equals="z")]}, a(equals="z")],
        [a(is_not="x"), a(is_not="y")],
    ],
)
def test_conditions_that_may_hold_together_are_left_alone(conditions):
    assert cannot_hold([Condition.model_validate(c) for c in conditions]) is None


def test_what_is_called_impossible_holds_for_no_value_at_all():
    """Every pair of some conditions on one attribute, against every value that matters."""
    values = pd.Series([None, "x", "X y", "z", "3", "5"], dtype=object)
    said = [
        {"equals": "x"}, {"one_of": ["z", "3"]}, {"is_not": "x"}, {"contains": "y"}, {"at_least": 4}, {"at_most": 4},
        {"known": True}, {"unknown": True}, {"none_of": ["z"]}, {"matches": "^x"}, {"between": [4.5, 9]},
    ]  # fmt: skip
    made = [Condition(attribute="plan", **s) for s in said]
    name = condition_features(made, {"plan": "text"})[0].name
    frame = pd.DataFrame({name: values})
    found = 0
    for one in made:
        for other in made:
            if cannot_hold([one, other]):
                found += 1
                assert not conditions_hold([one, other], frame, {"plan": "text"}).any(), (one, other)
    assert found > 20


def test_reach_counts_repeats_and_caps_and_says_which_stage_is_above_it():
    sets = [
        {"name": "r", "points": 3, "when": [views()], "repeat": {"up_to": 10}},
        {"name": "f", "points": 25, "when": [a(known=True)]},
        {"name": "n", "points": -9, "when": [a(equals="x")]},
    ]
    rules = Rules.model_validate({"groups": {"website": {"max": 20}}, "sets": sets})
    assert reach(rules) == (45, -9)
    assert list(out_of_reach(rules)) == [
        "SQL begins at 51 points, and all sets together, with the caps of groups, give 45"
    ]


def named(name, points, *when, **more):
    return {"name": name, "points": points, "when": list(when), **more}


@pytest.fixture(scope="module")
def checked(con, tmp_path_factory):
    sets = [
        named("always", 1, {"attribute": "created_at", "known": True}),
        named("misspelt", 2, {"attribute": "plam", "known": True}),
        named("no such type", 3, {"activity": "page_veiw"}),
        named("no such value", 4, a(equals="premum")),
        named("never both", 5, a(equals="premium"), a(equals="free")),
        named("paying", 6, a(equals="premium")),
        named("not paying", 7, a(equals="free")),
        named("premium again", -6, a(equals="Premium")),
        named("old", 8, a(known=True), {"attribute": "country", "known": True}),
        named("young", 9, {"attribute": "seats", "at_least": 1}),
        named("visits", 30, views()),
    ]
    file = tmp_path_factory.mktemp("rules") / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": {"partners": {"max": 9}}, "sets": sets}), encoding="utf-8")
    people = [contact(f"c{i}", NIGHT - 400 * DAY, plan=["premium", "free"][i % 2]) for i in range(40)]
    people += [contact("new", NIGHT + DAY)]
    views_ = [did(f"c{i}", NIGHT - DAY) for i in range(10)]
    deals = [won("d1", NIGHT - DAY, contact_id="c1"), {"deal_id": "d2", "contact_id": "c0", "created_at": NIGHT - DAY}]
    history = History(contacts=people, activities=views_, deals=deals)
    settings = config(features={"sensitive": ["seats"]}).model_copy(update={"rules": file})
    return check_rules(tables(history, con), settings, night=NIGHT)


def test_every_kind_of_problem_is_found_and_names_its_set(checked):
    found = {(p.set, p.kind) for p in checked.problems}
    assert found == {
        ("always", "always fires"), ("misspelt", "unknown attribute"), ("no such type", "unknown activity"),
        ("no such type", "never fires"), ("no such value", "never fires"), ("never both", "contradiction"),
        ("never both", "never fires"), ("not paying", "negation"), ("premium again", "same contacts"),
        ("old", "never fires"), ("young", "sensitive"), ("young", "never fires"), (None, "empty group"),
    }  # fmt: skip
    said = "\n".join(map(str, checked.problems))
    for text in ('did you mean "plan"', 'did you mean "page_view"', 'did you mean "premium"', "allow_sensitive: true"):
        assert text in said
    assert checked.stops


def test_stages_count_everybody_who_exists_and_deals_say_who_is_a_customer(checked):
    assert checked.contacts == 40
    assert checked.stages == {
        "visitor": 0, "prospect": 30, "MQL": 8, "SQL": 0, "opportunity": 1, "customer": 1,
    }  # fmt: skip
    assert checked.quadrants == {"pursue": 0, "nurture": 0, "opportunistic": 10, "disengage": 30}
    shares = {s.name: s.fires for s in checked.sets}
    assert (shares["always"], shares["paying"], shares["visits"]) == (1.0, 0.5, 0.25)
    assert "misspelt" not in shares


def test_inflation_looks_at_every_month_of_the_last_year(checked):
    months = checked.months
    assert [m.contacts for m in months] == [40] * 12 + [39], "the one that bought is no more eligible"
    assert all(sum(m.stages.values()) == pytest.approx(1) for m in months)
    assert months[0].mean == months[-2].mean == np.mean([1 + 6 - 6, 1 + 7])


def month(mean, closed):
    return Month("2026-01-01T00:00:00Z", 100, mean, mean, {}, closed)


@pytest.mark.parametrize(
    ("means", "closed", "expected"),
    [
        ([10] * 12, [0.1] * 12, "points have not inflated"),
        (range(10, 22), [0.1] * 12, "points have inflated"),
        (range(10, 22), [0.1] * 6 + [0.2] * 6, "points have grown, and so has the share that closes"),
        (range(10, 12), [0.1] * 2, "there are too few months"),
    ],
)
def test_points_have_inflated_where_they_grew_and_closes_did_not(means, closed, expected):
    assert verdict([month(m, c) for m, c in zip(means, closed, strict=True)]).startswith(expected)


def test_the_command_prints_tables_or_json_and_exits_1_where_the_rules_cannot_be_used(tiny, tmp_path, run):
    file = tiny(tmp_path / "crm", contacts=60)
    (tmp_path / "crm" / "own.yaml").write_text(
        yaml.safe_dump({"sets": [named("S", 5, {"attribute": "sectr", "known": True})]}), encoding="utf-8"
    )
    file.write_text(file.read_text(encoding="utf-8") + "rules: own.yaml\n", encoding="utf-8")
    refused = run("rules", "check", file)
    assert refused.code == 1
    assert "- unknown attribute: S: no attribute 'sectr'; did you mean \"sector\"?" in refused.out
    found = run("rules", "check", file, "--json")
    assert (found.code, found.err) == (1, "")
    assert {"problems", "sets", "stages", "inflation"} <= set(found.json)
    assert set(found.json["problems"][0]) == {"set", "kind", "text"}
