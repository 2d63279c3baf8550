"""The parts of the report that the tables are needed for: the numbers, and what is said where there are none."""

import csv
import io
from dataclasses import replace

import pytest

from predictive.report import load_language, render
from predictive.report.export import as_csv, as_json
from predictive.report.markdown import as_markdown
from predictive.report.views import findings, health, made, todo, trusted, why
from predictive.report.views.attention import attention
from tests.report.full import item, line, make_audit, make_examined, make_hygiene, make_rates

SAY = load_language("en", zone="Europe/Madrid")
SPANISH = load_language("es", zone="Europe/Madrid")
SECTIONS = (trusted.trusted_section, todo.todo_section, why.why_section, health.health_section, made.made_section)


def plain(text):
    return text.replace("\u00a0", " ")


@pytest.fixture
def full(summarised, make):
    """A summary with everything examined, some parts of it changed."""

    def of(*rows, **changes):
        found = make_examined(make.as_of, **changes)
        return summarised(*(rows or (make.score("C001", 0.03),)), examined=found)

    return of


def panels(summary, say=SAY):
    return {plain(panel.title): panel for make in SECTIONS for panel in make(summary, say).panels}


def tables(summary, say=SAY):
    """Per table its rows, as texts; those behind charts too."""
    blocks = [block for panel in panels(summary, say).values() for block in panel.blocks]
    found = [block.table if block.block in ("figure", "planner") else block for block in blocks]
    return {t.id: [[plain(cell.text) for cell in row] for row in t.rows] for t in found if t.block == "table"}


def texts(panel):
    return [plain(block.text) for block in panel.blocks if block.block == "text"]


def told(summary):
    return [(a.weight, plain(a.text)) for a in attention(summary, SAY)]


def test_past_scores_lead_the_evidence_and_are_shown_by_month_tier_and_band(full):
    found = full()
    assert plain(findings.trust(found, SAY).why[0]) == (
        "Of the contacts given 20–30 % in the last quarter that has matured, 24 % closed (18–31 %; 200 scores, one per "
        "contact and month)."
    )
    for n, actual, said in (
        (100, 3, "given 30–50 % in the last quarter that has matured, 3.0 % closed (1.0–7.0 %; 100"),
        (100, 0, "given 30–50 % in the last quarter that has matured, 0 % closed (0.0–2.2 %; 100"),
        (40, 3, "given 20–30 % "),
    ):
        more = replace(make_audit(), lines=(*make_audit().lines, line("band", "30–50 %", n, 0.4, actual)))
        assert said in plain(findings.trust(full(audit=more), SAY).why[0])
    panel = panels(found)["Of 1,200 past scores 46 were predicted to close and 30 did: more than luck explains"]
    rows = tables(found)
    assert [row[:4] for row in rows["audit-month-table"]] == [
        ["January 2026", "400", "20.0", "21"], ["February 2026", "500", "20.0", "9"], ["March 2026", "300", "6.0", "0"],
    ]  # fmt: skip
    assert [row[-1] for row in rows["audit-month-table"]] == [
        "luck explains it", "luck does not explain it", "luck does not explain it",
    ]  # fmt: skip
    assert rows["audit-tier-table"][0][:4] == ["High", "300", "15.0", "14"]
    assert rows["audit-band-table"][0][:4] == ["20–30 %", "200", "50.0", "48"]
    chart = panel.blocks[0].chart
    # Of each month what was predicted and what came; the interval of 21 closes reaches furthest, to 32.1.
    assert [bar.text for bar in chart.bars] == ["20", "21", "20", "9", "6.0", "0"]
    assert [round(bar.high) if bar.high else None for bar in chart.bars][1] == 330
    assert all(bar.low is None for bar in chart.bars[::2])
    assert chart.bars[3].high < chart.bars[2].width  # what February brings does not reach what was predicted
    assert "5 scores do not qualify: written more than two days after their as-of." in texts(panel)[0]


def test_close_rates_tell_what_goes_with_closing(full):
    found = full()
    assert "Of contacts with “demo_request, ever”, 20 % closed, against 5.0 % of all" in panels(found)
    first, second = tables(found)["rates-table"]
    assert first[1:] == ["200", "40", "20 %", "15–26 %", "×3.5", "closes more often"]
    assert second[1:] == ["300", "9", "3.0 %", "1.6–5.6 %", "×0.7", "luck explains it"]
    lucky = replace(make_rates(), rows=make_rates().rows[1:])
    assert any(t.startswith("No activity or attribute goes with closing more") for t in panels(full(rates=lucky)))


def test_the_review_list_says_why_of_each_contact(full):
    panel = panels(full())["Look at these 2 contacts yourself this week"]
    rows = panel.blocks[1].rows
    assert [(row[0].text, row[0].note) for row in rows] == [("C001", ""), ("C002", "<i>Ann</i>")]
    assert rows[0][4].text == "; ".join(item().why)
    spanish = plain(
        next(p for t, p in panels(full(), SPANISH).items() if t.startswith("Mire usted")).blocks[1].rows[0][4].text
    )
    assert spanish == (
        "el encaje es bajo (1,2 %), pero el interés es muy alto (12,5 %); el modelo lo pone por encima del 96 % de los "
        "contactos, las reglas por encima del 20 % (7 puntos); 3,1 % → 9,4 % (7 → 30 puntos) desde 2026-06-29: page "
        "view 3 veces, última vez, webinar: hace 40 días → hoy; reglas: Page view, 5 or more +20, "
        "Asked for a demo: EU +3"
    )


def test_the_review_list_is_in_every_form_of_the_report(full):
    found = full(review=tuple(item(f"C{i:03}") for i in range(7)))
    lines = plain(as_markdown(found, SAY)).splitlines()
    at = lines.index("**Look at these 7 contacts yourself this week**")
    assert lines[at + 1].startswith("- C000 (9.4 %): fit is low (1.2%), but interest is very high (12.5%); the model")
    assert lines[at + 6] == "- 2 more are in the report."
    assert [r["contact_id"] for r in as_json(found)["examined"]["review"]] == [f"C{i:03}" for i in range(7)]
    rows = list(csv.DictReader(io.StringIO(as_csv(found)["examined_review"])))
    assert (len(rows), rows[0]["name"], rows[0]["probability"]) == (7, "", "0.094")


def test_hygiene_is_told_in_counts(full):
    found = full()
    assert {
        "850 of 1,000 contacts could buy", "43 % of contacts go stale in a year here; people quote 25–30 %",
        "20 contacts too many are likely duplicates", "3 kinds of records cannot be right",
        "40 contacts are stuck in their stage", "1 of 2 attributes is known of fewer than half",
        "60 contacts need not be paid for as marketing contacts; 1.2 closes are expected of them",
    } <= panels(found).keys()  # fmt: skip
    rows = tables(found)
    assert rows["hygiene-table"] == [
        ["In the database", "1,000", "100 %"], ["Known", "400", "40 %"], ["Could buy", "850", "85 %"],
        ["Could not buy: already closed", "100", "10 %"], ["Could not buy: its deal was lost", "50", "5.0 %"],
        ["Did nothing for a year", "77", "7.7 %"],
    ]  # fmt: skip
    assert rows["decay-table"] == [
        ["e-mail bounced", "28 %", "26–31 %", "300", "900"], ["account changed", "–", "–", "–", "–"],
        ["any of these", "43 %", "40–46 %", "500", "900"], ["what people quote", "25–30 %", "–", "–", "–"],
    ]  # fmt: skip
    assert rows["duplicates-table"] == [
        ["e-mail", "15", "35", "20", "C1 = C2 = C3"],
        ["name and company", "4", "8", "4", "C7 = C8"],
    ]
    assert rows["filled-table"] == [["phone", "contacts", "10 %", "900"], ["email", "contacts", "99 %", "10"]]
    assert rows["stuck-table"] == [["lead", "40", "90", "120", "300"]]
    assert rows["unpaid-table"][0] == ["bounced", "60", "5", "1.2", "0–4"]


def test_the_worst_of_the_hygiene_needs_attention_and_what_is_usual_does_not(full):
    said = {text: weight for weight, text in told(full())}
    for weight, text in (
        ("check", "43 % of contacts go stale in a year here (40–46 %), more than the 25–30 % that people quote."),
        (
            "check",
            (
                "20 contacts too many are likely duplicates (2.0 % of all): merge them before they are scored and "
                "mailed twice."
            ),
        ),
        ("check", "Impossible in the data: contacts: 1,234 created in the future (C9)."),
        ("check", "Against the deals: contacts.lifecycle_stage: 3 customers without a won deal (C4)."),
        ("know", "40 contacts have been in their stage for longer than nine in ten who moved on."),
        ("know", "60 contacts need not be paid for as marketing contacts; 1.2 closes are expected of them."),
        (
            "act",
            "Only 30 % of those who entered Pursue were touched in time (24–37 %): sales is too slow, or has too many.",
        ),
    ):  # fmt: skip
        assert said[text] == weight
    assert any(text.startswith("Only 40 % of contacts are known") for text in said)
    usual = make_hygiene(
        known=990, decay=make_hygiene().decay[:2], duplicates=make_hygiene().duplicates[1:], impossible=(),
        contradictions=(), stuck=(replace(make_hygiene().stuck[0], contacts=9),), marketing=(),
    )  # fmt: skip
    prompt = replace(make_audit(), touched=replace(make_audit().touched, share=(0.48, 0.44, 0.55)))
    assert told(full(hygiene=usual, audit=prompt)) == told(full(hygiene=None, audit=prompt))


def test_what_was_done_about_the_scores_is_held_against_the_closes(full):
    found = full()
    shown, rows = panels(found), tables(found)
    assert "Sales touched 30 % of those who entered Pursue in time" in shown
    assert rows["touched-table"] == [
        ["Touched in time", "40", "9", "22 %", "12–38 %"], ["Not touched in time", "100", "6", "6.0 %", "2.8–12.5 %"],
    ]  # fmt: skip
    assert "The actions change the close rate by +8.0 points (+2.2 to +12.2)" in shown
    assert rows["holdout-table"][0] == [
        "all contacts", "10 % (7.1–13.9 %)", "2.0 % (0.6–7.0 %)", "+8.0 (+2.2 to +12.2)", "luck does not explain it",
    ]  # fmt: skip
    assert [row[:4] for row in rows["audit-holdout-table"]] == [
        ["in the holdout", "100", "3.0", "2"], ["all others", "300", "18.0", "30"],
    ]  # fmt: skip
    assert "People decided against the model 5 times" in shown
    assert [row[:4] for row in rows["overrides-table"]] == [
        ["Opportunistic → Pursue", "3", "0.8", "2"], ["not known → Nurture", "1", "0.2", "0"],
    ]  # fmt: skip
    assert "ann" not in str(shown["People decided against the model 5 times"].blocks).split("'")


def test_the_grid_is_shown_where_there_is_one_and_collapses_to_quadrants(full, make):
    cells = [make.score(f"p{i}", 0.5, cell="A1") for i in range(3)]
    cells += [make.score("q", 0.25, cell="B2"), make.score("d", 0.01, quadrant="disengage", cell="D4")]
    found = full(*cells)
    rows = {row[0]: row[1:] for row in tables(found)["grid-table"]}
    assert list(rows) == [letter + digit for letter in "ABCD" for digit in "1234"]
    assert rows["A1"] == ["Pursue", "3", "1.5", "Sales: sales calls within 24 hours"]
    assert rows["C4"][:3] == ["Disengage", "0", "0"]
    panel = panels(found)["3 contacts are in A1, the best fit and the highest interest"]
    assert "A1, A2, B1 and B2 are Pursue (4 contacts)." in texts(panel)[0]
    heading, squares = panel.blocks[0].rows[0]
    assert (heading, [s.name for s in squares], squares[3].first) == ("A", ["A4", "A3", "A2", "A1"], True)
    assert found.work.cells["D4"].contacts == 1
    matrix = panels(full())["1 contact (100 %) is high on both axes"]
    assert texts(matrix)[-1].endswith("There is no finer grid; quadrants.grid in the configuration makes one.")


def test_what_is_not_there_is_one_plain_sentence(full, summarised, make):
    waiting = replace(make_audit(), lines=(), effects=(), overrides=replace(make_audit().overrides, decisions=0))
    waiting = replace(waiting, touched=replace(waiting.touched, share=None))
    empty = full(audit=waiting, review=(), rates=None, hygiene=None)
    for summary, titles in (
        (empty, {
            "No score that people saw has matured yet", "Whether sales answers in time is not known yet",
            "Nobody has decided against the model", "What the actions add is not known",
            "There is nobody to look at this week", "How clean the database is, is not known",
            "Close rates of activities and attributes are not known",
        }),
        (summarised(make.score("a")), {"There is nobody to look at this week", "What the actions add is not known"}),
    ):  # fmt: skip
        shown = panels(summary)
        assert titles <= shown.keys()
        assert all(len(texts(shown[title])[0]) > 20 for title in titles)


def test_a_holdout_without_outcomes_is_not_taken_for_none(full):
    waiting = full(audit=replace(make_audit(), effects=()))

    def said(share):
        shown = panels(replace(waiting, holdout=share))["What the actions add is not known"]
        return " ".join(map(plain, texts(shown)))

    assert said(0.0).startswith("There is no holdout: “holdout: 0.05” in the configuration keeps")
    assert said(0.05).startswith("The holdout keeps 5.0 % of contacts out of the actions, 0 of those scored now; none")


def test_the_model_card_names_the_versions_that_trained_the_model(full):
    found = full()
    card = dict(panels(found)["Model card"].blocks[0].rows)
    assert card["Trained with"] == ("not known",)
    trained = replace(found, making=replace(found.making, trained_with={"lightgbm": "4.0.1", "pandas": "2.2.0"}))
    assert dict(panels(trained)["Model card"].blocks[0].rows)["Trained with"] == ("lightgbm 4.0.1 and pandas 2.2.0",)


@pytest.mark.parametrize("say", [SAY, SPANISH], ids=["en", "es"])
def test_a_page_of_everything_is_text_that_is_escaped(full, make, say):
    page = render(full(make.score("C001", 0.5, cell="A1")), say)
    for attack in ("<i>Ann</i>", "<b>retail</b>"):
        assert attack not in page
    assert "&lt;i&gt;Ann&lt;/i&gt;" in page
    assert 'id="audit-month-t"' in page
