import importlib.util
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from predictive.evaluation import compare, gain_curve, reliability
from predictive.features.catalog import attribute
from predictive.model.reasons import Reasons, in_words
from predictive.report.evidence import read_evidence
from predictive.report.summary import summarise
from predictive.report.work import Reason, split_reasons


@pytest.fixture
def rows(make):
    return [
        make.score("a", 0.5, tier="very high", stage="opportunity"),
        make.score("b", 0.25, tier="very high", quadrant="opportunistic", stage="prospect", override="Kim: x"),
        make.score("c", 0.07, tier="high", quadrant="nurture", stage="MQL"),
        make.score("d", 0.02, tier="low", quadrant="disengage", stage="visitor"),
        make.score("e", 0.02, tier="low", quadrant="disengage", stage="visitor"),
    ]  # fmt: skip


@pytest.fixture
def summary(bundle, config, make, rows, tmp_path):
    return summarise(bundle, make.read(make.sink(tmp_path, rows)), config, now=make.now)


def test_quadrants_tiers_and_stages_are_counted_with_their_expected_closes(summary):
    work = summary.work
    assert (work.everyone.contacts, work.everyone.expected) == (5, pytest.approx(0.86))
    assert {n: (g.contacts, round(g.expected, 9), g.top) for n, g in work.quadrants.items()} == {
        "pursue": (1, 0.5, 1), "nurture": (1, 0.07, 1), "opportunistic": (1, 0.25, 1), "disengage": (2, 0.04, 0),
        "unknown": (0, 0.0, 0),
    }  # fmt: skip
    assert {n: (g.contacts, g.probability) for n, g in work.tiers.items()} == {
        "very high": (2, 0.375), "high": (1, 0.07), "medium": (0, None), "low": (2, 0.02),
    }  # fmt: skip
    assert work.lowest == {"very high": 0.12, "high": 0.06, "medium": 0.03, "low": 0.0}
    assert [work.stages[s].contacts for s in ("visitor", "prospect", "MQL", "SQL", "opportunity")] == [2, 1, 1, 0, 1]
    assert work.quadrants["pursue"].open_deals == 1
    assert work.overridden == 1


def test_the_list_is_by_probability_then_id_and_holds_the_telling_reasons(summary):
    assert [c.contact_id for c in summary.work.top] == ["b", "c", "d", "e"]  # "a" has an open deal already
    assert summary.work.top[0].reasons == (Reason("industry: software", 0.8),)
    assert [c.overridden for c in summary.work.top] == [True, False, False, False]


def test_the_holdout_is_counted_and_nobody_is_told_to_work_it(summarised, make):
    found = summarised(
        make.score("held", 0.6, holdout=True), make.score("a", 0.2), make.score("old", 0.1, holdout=None)
    )
    assert [c.contact_id for c in found.work.top] == ["a", "old"]
    assert (found.work.quadrants["pursue"].contacts, found.work.to_work.held_out) == (3, 1)


def test_at_most_twenty_five_contacts_are_listed(bundle, config, make, tmp_path):
    sink = make.sink(tmp_path, [make.score(f"c{i:02}", 0.001 * i) for i in range(40)])
    found = summarise(bundle, make.read(sink), config, now=make.now).work.top
    assert [c.contact_id for c in found] == [f"c{i:02}" for i in range(39, 14, -1)]


def test_the_evidence_and_the_making_are_those_of_the_bundle(summary):
    found, made = summary.evidence, summary.making
    assert (found.n, found.closes, found.labelled, found.level) == (1000, 90, 100.0, "yes")
    assert found.outcomes == {"rules": "better", "logistic": "level"}
    assert [b.as_predicted for b in found.bins["model"]] == [True, False]
    assert (found.found_at("model", 0.2), found.found_at("rules", 0.2)) == (0.5, 0.3)
    assert (made.judged.examples, made.shipped.closes, made.immature) == (4000, 210, 1100)
    assert made.test_from == datetime(2026, 1, 1, tzinfo=UTC)
    assert made.recipes["interest"].shift == -0.2


def test_the_night_is_that_of_the_newest_run_not_of_rows_it_left_alone(bundle, config, make, rows, tmp_path):
    make.sink(tmp_path, rows)
    later = make.as_of + timedelta(days=1)
    sink = make.sink(tmp_path, rows, as_of=later)
    night = summarise(bundle, make.read(sink), config, now=make.now).night
    assert (night.as_of, night.new, night.changed) == (later, 0, 0)
    assert sink.read_current()["as_of"].max() == pd.Timestamp(make.as_of)


def test_without_scores_there_is_no_night(bundle, config, make, tmp_path):
    sink = make.empty(tmp_path)
    found = summarise(bundle, make.read(sink), config, now=make.now)
    assert found.night is None
    assert found.work.everyone.contacts == 0
    assert found.work.top == ()


@pytest.mark.parametrize(
    ("change", "level"),
    [
        ({}, "yes"),
        ({"rules": (0.03, -0.01, 0.07)}, "care"),
        ({"rules": (-0.03, -0.05, -0.01)}, "no"),
        ({"logistic": (-0.002, -0.003, -0.001)}, "care"),
        ({"ratio": (0.8, 0.7, 0.99)}, "care"),
        ({"auc": (0.55, 0.49, 0.6)}, "no"),
        ({"closes": 19}, "no"),
    ],
)
def test_the_score_is_trusted_only_as_far_as_the_test_goes(report, make, change, level):
    compared = report["comparison"]
    model = compared["evaluations"]["model"]
    for opponent in ("rules", "logistic"):
        if opponent in change:
            compared["advantages"][opponent]["log_loss"] = make.estimate(*change[opponent])
    for name, metric in (("ratio", "calibration_in_large"), ("auc", "roc_auc")):
        if name in change:
            model["values"][metric] = make.estimate(*change[name])
    model["closes"] = change.get("closes", 90)
    assert read_evidence(report).level == level


def test_a_real_comparison_is_understood(report):
    rng = np.random.default_rng(7)
    p = rng.uniform(0.01, 0.3, 600)
    label = (rng.uniform(size=600) < p).astype(int)
    competitors = {"model": p, "logistic": np.sqrt(p) / 4, "rules": np.full(600, label.mean())}
    comparison = compare(label, competitors, groups=range(600), seed=7, replicates=50)
    bins = {n: reliability(label, q, groups=range(600), seed=7) for n, q in competitors.items()}
    report |= {
        "comparison": comparison.as_dict(),
        "reliability": {n: [b.as_dict() for b in found] for n, found in bins.items()},
        "gain": {n: [list(point) for point in gain_curve(label, q)] for n, q in competitors.items()},
    }
    found = read_evidence(report)
    assert found.labelled == pytest.approx(label.sum())
    assert found.calibration.value == pytest.approx(p.sum() / label.sum())
    assert found.outcomes["rules"] == "better"
    assert found.rules_are_blind


def test_reasons_in_words_are_read_back():
    features = [attribute("industry"), attribute("size"), attribute("note")]
    values = {"industry": ["food, drink; for: all"], "size": [None], "note": ["a (b)"]}
    parts = np.array([[0.81, -0.33, 0.07]])
    reasons = Reasons(("industry", "size", "note"), parts, np.array([-3.2]), np.array([[0, 1, 2]]))
    (line,) = in_words(reasons, features, pd.DataFrame(values))
    assert split_reasons(line) == (
        Reason("industry: food, drink; for: all", 0.81), Reason("note: a (b)", 0.07), Reason("size: not known", -0.33),
    )  # fmt: skip


def test_a_summary_cannot_be_changed(summary):
    with pytest.raises(AttributeError):
        summary.night = None
    assert replace(summary, live=False) != summary


def test_groups_hold_the_numbers_of_the_training_and_sensitive_ones_come_last(summary):
    found = summary.groups
    assert [(g.by, g.sensitive) for g in found] == [("source", False), ("source", False), ("age group", True)]
    fair = found[1]
    assert (fair.examples, fair.predicted, fair.actual, fair.low, fair.high, fair.off) == (
        300,
        40.0,
        20,
        1.4,
        2.9,
        True,
    )
    assert found[2].high is None


def test_the_numbers_are_the_golden_ones(tiny_bundle, config, make, tmp_path):
    """`python tests/report/golden.py` writes them anew."""
    spec = importlib.util.spec_from_file_location("golden", Path(__file__).with_name("golden.py"))
    golden = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(golden)
    assert close(golden.numbers(make, tiny_bundle, config, tmp_path), json.loads(golden.GOLDEN.read_text()))


def close(found, wanted):
    """Whether two JSON values agree, numbers to nine digits."""
    if isinstance(wanted, dict):
        return found.keys() == wanted.keys() and all(close(found[key], wanted[key]) for key in wanted)
    if isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(close, found, wanted))
    return found == (pytest.approx(wanted, rel=1e-9) if isinstance(wanted, float) else wanted)


def test_the_golden_numbers_add_up():
    """What the golden numbers must satisfy whoever wrote them."""
    found = json.loads(Path(__file__).with_name("golden.json").read_text())
    work, steps = found["work"], found["plan"]["steps"]
    for parts in ("quadrants", "tiers", "stages"):
        groups = work[parts].values()
        assert sum(g["contacts"] for g in groups) == work["everyone"]["contacts"] == 60
        assert sum(g["expected"] for g in groups) == pytest.approx(work["everyone"]["expected"])
    assert steps[-1]["expected"] == pytest.approx(steps[-1]["by_rules"]) == pytest.approx(work["everyone"]["expected"])
    assert found["changes"]["new"] == found["changes"]["left"] == 1
