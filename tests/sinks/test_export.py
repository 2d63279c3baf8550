"""Files for the import tools of HubSpot and Salesforce."""

import csv

import pytest
from pydantic import ValidationError

from predictive.config import FileSink
from predictive.sinks import open_sink


def read(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def make(path, **options):
    return open_sink(FileSink(kind="csv", path=path / "import.csv", **options))


@pytest.mark.parametrize(
    ("crm", "key", "field"),
    [("hubspot", "Record ID", "Lead probability"), ("salesforce", "Id", "Lead_Probability__c")],
)
def test_the_id_comes_first_and_the_usual_fields_follow(tmp_path, nights, crm, key, field):
    sink = make(tmp_path, format=crm)
    nights.write(sink, 0, {"2": {"probability": 1e-7, "reasons": "=1+1"}, "1": 0.25})
    header, *rows = read(sink.path)
    assert header[:2] == [key, field]
    assert [row[:3] for row in rows] == [["1", "0.250000", "unknown"], ["2", "0.000000", "unknown"]]
    assert rows[1][6:] == ["'=1+1", "2026-11-01T00:00:00Z"]
    assert list(sink.read_current()["probability"]) == [0.25, 1e-7]


def test_only_what_changed_is_written_where_that_is_asked_for(tmp_path, nights):
    sink = make(tmp_path, format="hubspot", only_changed=True, columns={"probability": "=Score", "rule_fit": "Fit"})
    nights.write(sink, 0, {"1": 0.25, "2": 0.5, "3": 0.5})
    nights.write(sink, 1, {"1": 0.25, "2": 0.75})
    assert read(sink.path) == [["Record ID", "'=Score", "Fit"], ["2", "0.750000", "-5"], ["3", "", ""]]
    before = sink.path.read_bytes()
    nights.write(sink, 1, {"1": 0.25, "2": 0.75})
    assert sink.path.read_bytes() == before
    sink.rollback(nights.con, None, run_id="back", now=nights.night(0).scored_at)
    assert read(sink.path)[1:] == [["2", "0.500000", "-5"], ["3", "0.500000", "-5"]]


@pytest.mark.parametrize(
    ("left", "row"), [("cleared", [["2", "", ""]]), ("kept", []), ("marked", [["2", "", "2026-11-02T00:00:00Z"]])]
)
def test_who_has_left_is_cleared_left_alone_or_marked(tmp_path, nights, left, row):
    columns = {"tier": "Tier", "left_at" if left == "marked" else "as_of": "When"}
    sink = make(tmp_path, format="salesforce", left=left, columns=columns)
    nights.write(sink, 0, {"1": 0.25, "2": 0.5})
    nights.write(sink, 1, {"1": 0.25})
    assert [r for r in read(sink.path) if r[0] == "2"] == row


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": {"tier": "Tier"}}, "are for files with a format"),
        ({"format": "hubspot", "kind": "parquet"}, "write kind: csv"),
        ({"format": "hubspot", "columns": {"teir": "Tier"}}, "'teir' is no column of scores; did you mean \"tier\"?"),
        ({"format": "hubspot", "columns": {"tier": "A", "stage": "a"}}, "'A' is named twice"),
    ],
)
def test_what_does_not_go_together_is_refused(tmp_path, options, message):
    with pytest.raises(ValidationError, match=message.replace("?", ".")):
        FileSink(**{"kind": "csv", "path": tmp_path / "a.csv", **options})
