from collections import Counter
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predictive.clock import DAY, calendar
from predictive.errors import DataError
from predictive.features import catalog
from predictive.features.examples import examples
from predictive.splits import decide
from tests.features.histories import NIGHT, History, changed, config, contact, histories, tables, won
from tests.features.reference import attribute, contact_then, count, label, seen, touch, why_not

FEW = [
    count((), 30),
    touch("last"),
    attribute("plan"),
    attribute("seats", kind="number"),
    attribute("industry", "accounts"),
]
FIRST, LAST = NIGHT - 20 * DAY, NIGHT
LEAD = ["contact_id", "as_of", "label", "deal_id", "closed_at", "cluster"]


def rows(frame):
    return frame.astype(object).where(frame.notna(), None).to_dict("records")


def as_ofs(history, settings_):
    """Every pass of training: who exists, and as of when."""
    if hasattr(settings_.snapshots, "days"):
        passes = [
            {c["contact_id"]: c["created_at"] + d * DAY for c in history.contacts} for d in settings_.snapshots.days
        ]
    else:
        instants = calendar(FIRST, LAST, settings_.snapshots.every, settings_.timezone)
        passes = [{c["contact_id"]: at for c in history.contacts if c["created_at"] <= at} for at in instants]
    return [{c: at for c, at in looked_at.items() if FIRST <= at <= LAST} for looked_at in passes]


def expected(history, settings_):
    found, why = [], Counter()
    for looked_at in as_ofs(history, settings_):
        then = replace(history, at=looked_at)
        for c, as_of in looked_at.items():
            reason = why_not(then, c, settings_.eligibility, training=True)
            if reason is not None:
                why[reason] += 1
                continue
            account = contact_then(then, c, as_of)["account_id"]
            cluster = f"contact {c}" if account is None else f"account {account}"
            lead = {"contact_id": c, "as_of": as_of, "cluster": cluster}
            values = {feature.name: value(seen(then, c)) for feature, value in FEW}
            found.append(lead | label(then, c, settings_.eligibility.account_deals, settings_.horizon_micros) | values)
    return sorted(found, key=lambda row: (row["as_of"], row["contact_id"])), dict(why)


@settings(max_examples=5, deadline=None)
@given(histories(same_instant=True), st.sampled_from([{"every": "week"}, {"at": "age", "days": [0, 7, 90]}]))
def test_examples_equal_the_reference_on_any_history(con, history, snapshots):
    settings_ = config(snapshots=snapshots, timezone="Europe/Madrid", horizon="10d")
    found = examples(tables(history, con), settings_, [f for f, _ in FEW], first=FIRST, last=LAST)
    wanted, why = expected(history, settings_)
    assert rows(found.frame) == wanted
    assert found.not_eligible == why
    assert list(found.frame) == [*LEAD, *(f.name for f, _ in FEW)]


@pytest.mark.parametrize("deals", [[], [won(closed_at=0, contact_id="c1")]], ids=["nobody there", "all customers"])
def test_where_nobody_is_eligible_there_are_columns_without_rows_and_one_clear_error(con, deals):
    created = 0 if deals else LAST + 1
    history = History(contacts=[contact(created_at=created)], deals=deals)
    settings_ = config(snapshots={"every": "week"})
    found = examples(tables(history, con), settings_, [catalog.record_age()], first=FIRST, last=LAST)
    assert (list(found.frame), len(found.frame)) == ([*LEAD, "record_age_days"], 0)
    assert found.not_eligible == ({"already closed": 3} if deals else {})
    with pytest.raises(DataError, match="Eligible examples: 0"):
        decide(found.frame, settings_, LAST)


def test_without_any_snapshot_in_the_time_there_are_columns_without_rows(con):
    found = examples(tables(History(contacts=[contact()]), con), config(), (), first=NIGHT, last=NIGHT + DAY)
    assert (list(found.frame), len(found.frame)) == (LEAD, 0)


def test_an_account_and_a_contact_of_one_id_are_two_clusters_and_the_account_is_that_of_then(con):
    history = History(
        contacts=[contact("x", account_id="y"), contact("z", account_id="x")],
        changes=[changed("z", "account_id", "x", NIGHT - 30 * DAY), changed("z", "account_id", "q", NIGHT)],
    )
    found = examples(tables(history, con), config(snapshots={"every": "week"}), (), first=FIRST, last=LAST)
    assert set(zip(found.frame["contact_id"], found.frame["cluster"], strict=True)) == {
        ("x", "contact x"),
        ("z", "account x"),
    }


def test_progress_counts_examples(con):
    said = []
    history = History(contacts=[contact(f"c{i}") for i in range(3)])
    examples(
        tables(history, con), config(snapshots={"every": "week"}), (), first=FIRST, last=LAST, progress=said.append
    )
    assert said == ["examples: 3", "examples: 6", "examples: 9"]


def test_the_order_of_passes_leaves_examples_ordered_by_as_of_and_contact(con):
    history = History(contacts=[contact("b", FIRST), contact("a", FIRST + DAY), contact("c", FIRST)])
    found = examples(
        tables(history, con), config(snapshots={"at": "age", "days": [7, 0]}), (), first=FIRST, last=LAST
    ).frame
    pd.testing.assert_frame_equal(found, found.sort_values(["as_of", "contact_id"], ignore_index=True))
    assert found["contact_id"].tolist() == ["b", "c", "a"] * 2
