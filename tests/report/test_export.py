import csv
import io
import json

from predictive.report.export import as_csv, as_json
from predictive.report.markdown import as_markdown

FORMULA = '=HYPERLINK("http://example.com";"x")'


def test_the_summary_as_json_holds_its_numbers_and_what_is_computed_of_them(summarised, make):
    found = as_json(summarised(make.score("a", 0.5), make.score("b", 0.25, stage="opportunity")))
    assert found["work"]["everyone"] == {
        "name": "all", "contacts": 2, "expected": 0.75, "top": 2, "open_deals": 1, "held_out": 0, "probability": 0.375,
    }  # fmt: skip
    assert found["work"]["funnel"][2] == {"stage": "MQL", "contacts": 2, "conversion": 1.0}
    assert found["evidence"]["level"] == "yes"
    assert found["night"]["as_of"] == "2026-06-30T22:00:00+00:00"
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_tables_are_csv_that_no_spreadsheet_runs(summarised, make):
    found = as_csv(summarised(make.score(FORMULA, 0.5, reasons=f"for: {FORMULA} (+0.80); level (-3.00)")))
    assert {"work_quadrants", "work_top", "plan_steps", "evidence_bins_model", "drivers", "groups"} <= found.keys()
    assert FORMULA in found["work_top"].replace('""', '"')
    for name, text in found.items():
        for row in csv.reader(io.StringIO(text)):
            for cell in row:
                assert not cell.startswith(("=", "@", "\t")), name
                assert not cell.startswith(("+", "-")) or float(cell) is not None, name
    rows = list(csv.DictReader(io.StringIO(found["work_quadrants"])))
    assert [(row["name"], row["contacts"]) for row in rows][:2] == [("pursue", "1"), ("nurture", "0")]


def test_markdown_is_the_first_screen_in_a_few_lines(summarised, make, english):
    text = as_markdown(summarised(make.score("a", 0.5, model_version="<b>*m*</b>")), english)
    lines = text.replace("\u00a0", " ").splitlines()
    assert lines[0] == "**1 of 1 contact to pursue this week**"
    assert lines[3] == "- Sales: 1 (Pursue: sales calls within 24 hours)"
    assert "**Yes: the test found nothing against it**" in lines
    assert r"\<b\>\*m\*\</b\>" in text
    assert len(lines) < 25
