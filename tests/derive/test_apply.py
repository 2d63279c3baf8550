"""Derived attributes beside the stated ones, today and in the history."""

from datetime import UTC, datetime, timedelta

import narwhals as nw
import pyarrow as pa
import pytest

from predictive.config import FeatureChoice
from predictive.features import catalog
from predictive.features.anywhere import build_features, canonical
from predictive.features.choose import choose

NIGHT = datetime(2026, 3, 1, tzinfo=UTC)
DAYS = [NIGHT - timedelta(days=days) for days in (400, 300, 200, 100, 10)]


def tables(**contacts):
    ids = [f"c{i}" for i in range(len(next(iter(contacts.values()))))]
    frame = {"contact_id": ids, "created_at": [DAYS[0]] * len(ids), **contacts}
    return {"contacts": pa.table(frame)}


def rows(frame, *names):
    return frame.select("contact_id", *names).sort("contact_id").collect().rows()


def test_each_source_gives_its_columns_and_without_one_there_are_none():
    given = canonical(
        tables(job_title=["VP of Sales", None, "Werkstudent"], email=["a@gmail.com", "b@x.example", ""]), "UTC"
    )
    assert {"seniority", "job_function", "buying_role", "mailbox"} & set(given.attributes["contacts"])
    assert "tags_place" not in given.attributes["contacts"]
    found = rows(given.contacts, "seniority")
    assert found[0][1] is not None
    assert found[1][1] is None
    assert found[0][1] != found[2][1]


def test_what_the_tables_state_themselves_stays():
    given = canonical(tables(job_title=["VP of Sales"], seniority=["grand vizier"]), "UTC")
    assert rows(given.contacts, "seniority") == [("c0", "grand vizier")]
    assert given.attributes["contacts"]["seniority"] == "text"


@pytest.mark.parametrize("days", [350, 250, 150, 50])
def test_a_derived_attribute_has_the_history_of_its_source(days):
    frames = tables(job_title=["Chief Executive Officer"])
    titles = ["Intern", "Sales Manager", "Chief Executive Officer"]
    changes = {
        "object": ["contact"] * 2, "object_id": ["c0"] * 2, "attribute": ["job_title"] * 2,
        "old_value": titles[:2], "value": titles[1:], "changed_at": [DAYS[1], DAYS[3]],
    }  # fmt: skip
    frames["changes"] = pa.table(changes)
    then = titles[(days <= 300) + (days <= 100)]
    expected = rows(canonical(tables(job_title=[then]), "UTC").contacts, "seniority")[0][1]
    found = build_features(frames, NIGHT - timedelta(days=days), [catalog.attribute("seniority")])
    assert found.column("seniority").to_pylist() == [expected]
    assert expected is not None
    made = canonical(frames, "UTC").changes.filter(nw.col("attribute") == "seniority").collect()
    assert sorted(made["changed_at"].to_list()) == [int(day.timestamp() * 1e6) for day in (DAYS[1], DAYS[3])]


def test_what_is_derived_of_an_excluded_or_sensitive_attribute_is_no_feature():
    given = canonical(tables(job_title=["VP of Sales", "Intern"] * 30), "UTC")
    until = int(NIGHT.timestamp() * 1e6)

    def names(**choice):
        return {f.name for f in choose(given, FeatureChoice(**choice), until=until).features}

    assert {"seniority", "buying_role"} <= names()
    for choice in ({"exclude": ["job_title"]}, {"sensitive": ["job_title"]}):
        assert not {"job_title", "seniority", "buying_role", "job_function"} & names(**choice)
