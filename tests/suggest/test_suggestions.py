import numpy as np
import pandas as pd
import pytest
import yaml

from predictive.closerates.patterns import parts_of
from predictive.config import FeatureChoice
from predictive.features import behaviour, catalog
from predictive.rules import Rules, rule_features, score_rules
from predictive.suggest import _sets
from predictive.suggest.candidates import Term, candidates, required
from predictive.suggest.page import write_rules
from predictive.suggest.scorecard import Line, points, scorecard
from predictive.suggest.thresholds import choose_thresholds
from tests.closerates.worlds import HORIZON, config, frame

GROUPS = FeatureChoice().groups
KINDS = {"source": "text", "account_employees": "number"}


def card(seed, *, groups=GROUPS, **changes):
    rows, counts, attributes = frame(seed, **changes)
    found = candidates(rows, counts, attributes, groups)
    return rows, scorecard(rows, found, seed=seed)


def planted(v):
    return (
        1.5 * (v["form[demo]_count_90d"] >= 1)
        + 1.0 * (v["source"] == "fair")
        - 2.0 * (v["visit[/careers]_count_90d"] >= 1)
        + 0.08 * v["visit_count_90d"]
    )


def by_the_rules(rows, rules):
    """The score as :mod:`predictive.rules` gives it, from columns that hold what its features compute."""
    _, counts, attributes = frame(0, rows=10)
    own = {f.term: f.name for f in [*counts, *attributes]}
    columns = {f.name: rows[own[f.term]] for f in rule_features(rules, KINDS)}
    return score_rules(rules, rows.assign(**columns), KINDS).score


def test_a_suggestion_finds_what_matters_and_scores_as_the_rules_do():
    for seed in range(3):
        rows, lines = card(seed, rows=8_000, effect=planted)
        subjects = {(line.term.in_words().partition(",")[0].partition(" in the")[0], line.points > 0) for line in lines}
        assert {("Form (demo)", True), ("Source: fair", True), ("Visit (/careers)", False)} <= subjects
        rules = Rules.model_validate({"sets": _sets(lines)})
        assert by_the_rules(rows, rules).tolist() == points(lines, rows).tolist()
        assert all(1 <= abs(s.points) <= 100 for s in rules.sets)
        assert len(lines) <= 20


def test_a_suggestion_tells_later_contacts_apart_as_well_as_the_truth_nearly_does():
    rows, counts, attributes = frame(4, rows=12_000, effect=planted)
    earlier, later = parts_of(rows, HORIZON)
    lines = scorecard(earlier, candidates(earlier, counts, attributes, GROUPS), seed=1)
    truth = planted({name: later[name].to_numpy() for name in rows})
    aucs = [_auc(later["label"].to_numpy(), x) for x in (points(lines, later), truth)]
    assert aucs[0] > aucs[1] - 0.04
    assert aucs[1] > 0.75


def test_where_nothing_matters_nothing_is_suggested():
    suggested = [len(card(seed)[1]) for seed in range(12)]
    assert sum(suggested) <= 2
    assert sum(n > 0 for n in suggested) <= 1


def test_signs_make_sense_whatever_the_history_says():
    def absurd(v):
        return (
            1.5 * (v["unsubscribe_count_365d"] >= 1)
            - 1.5 * (v["download_count_90d"] >= 3)
            - 1.0 * (v["form[demo]_count_90d"] >= 1)
        )

    rows, counts, attributes = frame(5, rows=8_000, effect=absurd)
    free = candidates(rows, counts, attributes, {})
    assert {c.term.subject[0] for c in free} >= {("unsubscribe",), ("download",), ("form",)}
    kept = candidates(rows, counts, attributes, GROUPS)
    assert not {("unsubscribe",), ("download",), ("form",)} & {c.term.subject[0] for c in kept}


def test_a_detail_may_cost_points_and_a_flood_may_look_like_a_bot():
    homes = {"visit": "website", "mail": "email", "demo": "sales", "spam": "negative"}
    assert required(["visit"], None, 99, homes) == 1
    assert required(["visit"], None, 100, homes) == 0
    assert required(["visit"], "/careers", 1, homes) == 0
    assert required(["demo"], "video", 1, homes) == 1
    assert required(["spam"], None, 200, homes) == -1
    assert required(["other"], None, 1, homes) == 0


def test_a_term_turned_round_holds_for_the_others_whose_value_is_known():
    rows, counts, attributes = frame(6, rows=500)
    source, employees = attributes
    for term in (
        Term(counts[1], "at_least", 3.0), Term(source, "one_of", ("fair",)), Term(employees, "at_least", 60.0),
        Term(employees, "at_most", 60.0),
    ):  # fmt: skip
        other = term.turned(rows)
        known = rows[term.feature.name].notna().to_numpy()
        assert (term.mask(rows) ^ other.mask(rows)).tolist() == known.tolist()
        rules = Rules.model_validate({"sets": _sets([Line(other, 7)])})
        assert by_the_rules(rows, rules).tolist() == (7 * other.mask(rows)).tolist()


def test_what_most_have_takes_no_points_but_the_rest_gets_them():
    rows, lines = card(7, groups={}, rows=8_000, effect=lambda v: -1.5 * (v["visit_count_90d"] >= 1))
    assert (rows["visit_count_90d"] >= 1).mean() > 0.5
    (line,) = (line for line in lines if line.term.subject == (("visit",), None))
    assert line.term.in_words() == "Visit, none in the last 90 days"
    assert line.points > 0


def test_the_page_is_a_rule_file_whatever_the_names_are():
    term = Term(catalog.attribute("plan"), "one_of", ("gold: #1", "it's 'so'\n- x"))
    count = Term(behaviour.count(("visit",), 30, detail="/a, b"), "at_least", 5.0)
    mapping = {"stages": {"prospect": 1, "MQL": 20, "SQL": 60}, "sets": _sets([Line(term, 5), Line(count, -3)])}
    facts = [{"contacts": 1_000, "closed": 50, "rate": 0.05, "lift": 2.0}] * 2
    text = write_rules(mapping, facts, ["one", "two"])
    assert yaml.safe_load(text) == mapping
    assert "# held at 1,000 looks, 50 closed (5.0%, 2.0 times the average)" in text
    assert Rules.model_validate(yaml.safe_load(text)).stages.SQL == 60


def test_levels_of_one_attribute_with_like_points_are_one_set():
    _, lines = card(8, rows=10_000, effect=lambda v: -2.0 * (v["source"] == "web"))
    about_source = [line for line in lines if line.term.feature.name == "source"]
    assert len({line.points for line in about_source}) == len(about_source)


@pytest.mark.parametrize("per_week", [None, 5, 40])
def test_thresholds_leave_sales_as_many_as_it_can_work(per_week):
    rows, lines = card(1, rows=8_000, effect=planted)
    score = points(lines, rows)
    chosen = choose_thresholds(rows, score, config(capacity=None if per_week is None else {"per_week": per_week}))
    assert 1 < chosen.MQL < chosen.SQL <= 100
    newest = rows["as_of"] > rows["as_of"].max() - HORIZON
    reach = int((score[newest] >= chosen.SQL).sum())
    if per_week is None:
        assert 0.02 < reach / newest.sum() < 0.12
    else:
        assert reach <= per_week or chosen.SQL == 100
        below = int((score[newest] >= chosen.SQL - 1).sum())
        assert below > per_week or chosen.SQL == 3


def test_how_many_reach_mql_is_said_as_it_is_where_too_few_have_points():
    rows = pd.DataFrame({"contact_id": [f"c{i}" for i in range(100)], "as_of": 0})
    score = np.array([60] * 20 + [5] * 10 + [0] * 70)
    chosen = choose_thresholds(rows, score, config(capacity={"per_week": 20}))
    assert "20 reach SQL" in chosen.said
    assert chosen.said.endswith("10 more reach MQL, 2 points (both: 1.5 times what sales takes; the aim was 4)")


def _auc(label, score):
    order = np.argsort(np.argsort(score, kind="stable"))
    ranks = np.array([order[score == s].mean() + 1 for s in score])
    closed = label == 1
    return (ranks[closed].sum() - closed.sum() * (closed.sum() + 1) / 2) / (closed.sum() * (~closed).sum())
