from dataclasses import replace
from datetime import timedelta

import pytest

from predictive.config import CapacityChoice
from predictive.report import load_language, summarise
from predictive.report.views import findings, first, todo, trusted, why
from predictive.report.views.attention import attention

SAY = load_language("en", zone="Europe/Madrid")
GAP = "\u00a0"


def titles(section):
    return [plain(panel.title) for panel in section.panels]


def tables(section):
    """Per table of a section its rows, as texts."""
    blocks = [block for panel in section.panels for block in panel.blocks]
    found = [block.table if block.block in ("figure", "planner") else block for block in blocks]
    return {t.id: [[cell.text for cell in row] for row in t.rows] for t in found if t.block == "table"}


def plain(text):
    return text.replace(GAP, " ")


def test_the_headline_says_how_many_to_pursue_and_what_they_hold(summarised, make):
    found = summarised(*[make.score(f"p{i}", 0.25) for i in range(3)], make.score("d", 0.05, quadrant="disengage"))
    assert findings.headline(found, SAY) == "3 of 4 contacts to pursue this week"
    held = findings.what_they_hold(found, SAY)
    assert held == "They hold 0.8 of the 0.8 closes that the model expects within 90 days."
    assert [(c.who, c.figure) for c in first.cards(found, SAY)[0].cards] == [
        ("Sales", "3"), ("Marketing", "0"), ("Sales", "0"), ("Marketing", "1"),
    ]  # fmt: skip


def test_fewer_than_those_to_pursue_can_be_worked_is_said_with_what_they_hold(bundle, config, make, tmp_path):
    sink = make.sink(tmp_path, [make.score(f"p{i}", 0.1 * (i + 1)) for i in range(4)])
    of = {n: config.model_copy(update={"capacity": CapacityChoice(per_week=n)}) for n in (2, 4)}
    said = {n: findings.what_they_hold(summarise(bundle, make.read(sink), c, now=make.now), SAY) for n, c in of.items()}
    assert said[2].endswith("90 days. The 2 highest probabilities, as many as can be worked in a week, hold 0.7.")
    assert said[4].endswith("90 days.")


def test_without_quadrants_the_work_is_by_tier(summarised, make, report):
    report["why_null"] = {"interest": "there are no features of interest"}
    report["said"].append("the interest axis is null: there are no features of interest")
    found = summarised(make.score("a", quadrant="unknown"), make.score("b", 0.01, quadrant="unknown", tier="low"))
    assert findings.headline(found, SAY) == "1 of 2 contacts in the two highest tiers"
    assert [c.figure for c in first.cards(found, SAY)[0].cards] == ["0", "1", "0", "1"]
    told = [a.text for a in attention(found, SAY) if "interest" in a.text]
    assert told == [
        "There is no interest axis: there are no features of interest. Contacts have no quadrant; work them by tier."
    ]


def test_a_model_that_loses_says_so_first(summarised, make, report):
    advantages = report["comparison"]["advantages"]
    advantages["rules"]["log_loss"] = make.estimate(-0.03, -0.05, -0.01)
    advantages["logistic"]["log_loss"] = make.estimate(-0.03, -0.05, -0.01)
    found = findings.trust(summarised(make.score("a")), SAY)
    assert found.level == "no"
    assert found.why[0].startswith("The manual rules beat it")
    assert found.why[1].startswith("A plain logistic regression beat it")
    assert not any("It beats" in sentence for sentence in found.why)


def test_the_evidence_is_said_in_plain_sentences(summarised, make):
    assert [plain(s) for s in findings.trust(summarised(make.score("a")), SAY).why] == [
        (
            "Of the 500 test scores of about 20 %, the highest, 24 % closed within 90 days (95 % interval 21–28 %; one "
            "score per contact and month)."
        ),
        (
            "Over all 1,000 test scores it expected 95 to close and 100 did: a difference that luck explains "
            "(ratio 0.95, 95 % interval 0.85–1.06)."
        ),
        (
            "It beats the manual rules on the same contacts: the top fifth of its list holds 50 % of the closes, the "
            "top fifth of theirs 30 %."
        ),
    ]


def test_rules_that_rank_nobody_are_no_hurdle(summarised, make, report):
    report["comparison"]["evaluations"]["rules"]["values"]["roc_auc"] = make.estimate(0.5)
    found = summarised(make.score("a"))
    assert any("beating them proves little" in sentence for sentence in findings.trust(found, SAY).why)
    assert "The top 20 % of the model’s list holds 50 % of the closes" in titles(trusted.trusted_section(found, SAY))


def test_titles_state_what_their_chart_shows(summarised, make):
    found = summarised(make.score("a", 0.5, tier="very high", stage="visitor"), make.score("b", 0.5, tier="low"))
    sections = (trusted.trusted_section, todo.todo_section, why.why_section)
    said = [title for section in sections for title in titles(section(found, SAY))]
    for title in (
        "In 1 of 2 groups contacts closed as often as predicted; 1 closed more often",
        "The top 20 % of the model’s list holds 50 % of the closes; of the rules’ list, 30 %",
        "Predicted and actual closes differ by more than luck in 1 group: source <fair>",
        "The two highest tiers are 50 % of the contacts and hold 50 % of the expected closes",
        "1 of 2 contacts reached MQL (50 %); 0 % of those went on to SQL",
        "Who works 2 contacts may expect 1.0 closes within 90 days; by the rules 1.0",
        "“industry”, “page view: how many in the last 30 days” and “lifecycle stage” move the score most",
        "Who contacts are moves the score most",
    ):
        assert title in said


def test_a_driver_says_its_direction_in_words(summarised, make):
    rows = tables(why.why_section(summarised(make.score("a")), SAY))["drivers-table"]
    assert [row[2:] for row in rows] == [
        ["×1.82", "“software” ×2.0, “retail” ÷1.5"], ["×1.35", "the more, the likelier a close"], ["×1.11", "–"],
    ]  # fmt: skip


def test_what_needs_attention_comes_in_order_of_weight(summarised, make):
    found = attention(summarised(make.score("a", 0.03), now=make.now + timedelta(days=9)), SAY)
    assert [a.weight for a in found] == ["act", "check", "check", "know", "know"]
    assert plain(found[0].text) == (
        "The scores are as of 1 July 2026, 9 days before this report: a nightly run is missing."
    )
    assert found[2].text == "contacts.a, contacts.b: has no history."


def test_the_holdout_among_those_to_pursue_is_said(summarised, make):
    found = summarised(*[make.score(f"p{i}", 0.25, holdout=i == 0) for i in range(3)])
    told = "1 of the contacts to pursue is in the holdout: nobody works it, and the lists below leave it out."
    assert told in {a.text for a in attention(found, SAY)}
    assert not any("holdout" in a.text for a in attention(summarised(make.score("p1")), SAY))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model_version": "m0"}, "The scores are by the model m0; the evidence on this page is of m1."),
        ({"probability": 0.3}, "The mean score is 30 %, but 3.0 % of the training examples closed."),
        ({"override": "Kim until 2026-07-09: knows them"}, "1 contact carries a person’s decision"),
        ({"stage": "opportunity"}, "1 of the contacts to pursue already has an open deal"),
    ],
)
def test_what_is_odd_about_the_scores_is_said(summarised, make, change, said):
    assert any(plain(a.text).startswith(said) for a in attention(summarised(make.score("a", **change)), SAY))
    assert not any(plain(a.text).startswith(said) for a in attention(summarised(make.score("b", 0.03)), SAY))


def test_a_model_too_good_to_be_true_and_one_too_old_are_suspected(summarised, make, report):
    report["comparison"]["evaluations"]["model"]["values"]["roc_auc"] = make.estimate(0.99, 0.98, 1.0)
    report["split"]["observed_until"] = "2025-06-30T00:00:00Z"
    said = " ".join(a.text for a in attention(summarised(make.score("a", 0.03)), SAY))
    assert "suspiciously well (ROC-AUC 0.99)" in said
    assert "train again" in said


def test_an_interval_shows_on_which_side_of_right_it_ends(summarised, make, report):
    report["comparison"]["evaluations"]["model"]["values"]["calibration_in_large"] = make.estimate(0.9, 0.8, 0.9993)
    section = trusted.trusted_section(summarised(make.score("a")), SAY)
    blocks = [block for panel in section.panels for block in panel.blocks if block.block == "table"]
    compared = next(block for block in blocks if block.id == "compared-table")
    row = next(row for row in compared.rows if row[0].text == "Calibration in the large")
    assert row[1].note == "0.800–0.999"


def test_the_score_of_a_run_with_nobody_is_not_called_unscored(summarised, make):
    found = summarised(make.score("a"))
    nobody = replace(found, work=summarised().work)
    assert findings.headline(nobody, SAY) == "The last run scored nobody"


@pytest.mark.parametrize(
    ("ratio", "said"),
    [
        ((0.8, 0.7, 0.9), "expected 80 to close and 100 did: it expects too few"),
        ((1.2, 1.1, 1.3), "expected 120 to close and 100 did: it expects too many"),
    ],
)
def test_a_score_that_is_off_over_all_says_so_first(summarised, make, report, ratio, said):
    report["comparison"]["evaluations"]["model"]["values"]["calibration_in_large"] = make.estimate(*ratio)
    found = findings.trust(summarised(make.score("a")), SAY)
    assert found.answer.startswith("With care")
    assert said in found.why[0]


def test_what_is_merely_to_know_comes_last_wherever_it_was_found(summarised, make):
    sample = replace(summarised(make.score("a", 0.03), now=make.now + timedelta(days=9)), live=False)
    found = attention(sample, SAY)
    assert [a.weight for a in found] == ["check", "check", "know", "know", "know"]
    assert found[2].text.endswith("9 days before this report, as configured (score.as_of).")
