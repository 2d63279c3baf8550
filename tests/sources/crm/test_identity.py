"""Merges in chains and circles: one record lives on, and nothing of the others is lost."""

import csv

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from predictive.config import Config
from predictive.sources import read_tables
from predictive.sources.crm.identity import survivors
from predictive.store import open_store
from tests.sources.crm.conftest import NOW

IDS = st.sampled_from("abcdefgh")
MERGES = st.lists(st.tuples(IDS, IDS), max_size=10)
STATES = st.dictionaries(IDS, st.booleans(), max_size=8)
EASY = settings(suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy


def joined(id_, merges):
    """The records that `id_` is the same as, by walking from one to the next."""
    found, ahead = {id_}, [id_]
    while ahead:
        here = ahead.pop()
        for pair in merges:
            for other in set(pair) - found if here in pair else ():
                found.add(other)
                ahead.append(other)
    return found


@EASY
@given(MERGES, STATES)
def test_of_records_that_became_each_other_exactly_one_lives_on(merges, deleted):
    found = survivors(merges, deleted)
    assert found.keys() == {id_ for old, new in merges if old != new for id_ in (old, new)}
    for id_, last in found.items():
        group = joined(id_, merges)
        assert last in group
        assert {found[member] for member in group} == {last}
        ends = group - {old for old, new in merges if old != new} or group
        living = {end for end in ends if deleted.get(end) is False}
        if living:
            assert last in living
        elif not any(deleted.get(end) for end in ends) and any(deleted.get(m) is False for m in group):
            assert deleted[last] is False


@EASY
@given(MERGES, STATES, st.randoms())
def test_the_order_of_merges_does_not_matter(merges, deleted, random):
    shuffled = random.sample(merges, len(merges))
    assert survivors(shuffled, deleted) == survivors(merges, deleted)


@pytest.mark.parametrize("kind", ["hubspot", "salesforce"])
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(merges=MERGES, deleted=st.dictionaries(IDS, st.booleans(), min_size=1, max_size=8))
def test_every_row_is_used_or_counted_and_behaviour_follows_the_person(kind, tmp_path, merges, deleted):
    # Each contact has one activity under its own id; of ids without a row there is one too.
    merged = dict(merges)
    if kind == "hubspot":
        files = {
            "contact": [["id", "_fivetran_deleted", "property_createdate"]]
            + [[id_, gone, "2026-01-01 9:00:00"] for id_, gone in deleted.items()],
            "deal": [["deal_id"]],
            "contact_merge_audit": [["vid_to_merge", "canonical_vid", "contact_id"]]
            + [[old, new, new] for old, new in merges],
            "contact_form_submission": [["contact_id", "timestamp", "form_id"]]
            + [[id_, "2026-02-01 10:00:00", id_] for id_ in "abcdefgh"],
        }
        source = "contact_form_submission"
    else:
        files = {
            "Lead": [["Id", "IsDeleted", "CreatedDate", "ConvertedContactId"]]
            + [[id_, gone, "2026-01-01T09:00:00.000Z", merged.get(id_, "")] for id_, gone in deleted.items()],
            "Opportunity": [["Id"]],
            "Event": [["Id", "WhoId", "StartDateTime"]]
            + [[id_, id_, f"2026-02-01T10:00:00.{n}00Z"] for n, id_ in enumerate("abcdefgh")],
        }
        merges = [(old, new) for old, new in merged.items() if old in deleted]
        source = "event"
    for name, rows in files.items():
        with (tmp_path / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file).writerows(rows)
    expected = survivors(merges, deleted)
    living = {id_ for id_, gone in deleted.items() if expected.get(id_, id_) == id_ and not gone}
    with open_store() as con:
        if not living:
            return
        tables = read_tables(Config.model_validate({"source": {"kind": kind, "path": tmp_path}}), con, now=NOW)
        counted = {
            where: sum(n.count for n in tables.notes if n.where == where and " row" in n.text)
            for where in ("contacts", "activities", source)
        }
        found = con.execute("SELECT contact_id, count(*) FROM activities GROUP BY 1").fetchall()
        contacts = {id_ for (id_,) in con.execute("SELECT contact_id FROM contacts").fetchall()}
    assert contacts == living
    assert len(contacts) + counted["contacts"] == len(deleted)
    assert dict(found) == {last: sum(expected.get(id_, id_) == last for id_ in "abcdefgh") for last in living}
    assert sum(count for _, count in found) + counted[source] + counted["activities"] == 8
