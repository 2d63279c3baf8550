from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predictive.clock import DAY
from predictive.features.labels import label_after
from tests.features.histories import (
    NIGHT,
    History,
    at,
    by_contact,
    changed,
    config,
    contact,
    did,
    histories,
    tables,
    won,
)
from tests.features.then import label

HORIZON = 90 * DAY
NO_CLOSE = {"label": 0, "deal_id": None, "closed_at": None}


def labels(history, con, *, account_deals="all", **changes):
    settings_ = config(eligibility={"account_deals": account_deals}, **changes)
    found = by_contact(label_after(tables(history, con), at(history, "duckdb", con), settings_))
    assert {c: row.pop("as_of") for c, row in found.items()} == history.at
    return found


def closed(*deals, **more):
    return History(contacts=[contact(), contact("c2")], deals=list(deals), at={"c1": NIGHT}, **more)


def colleagues(*created, deal, activities=(), changes=()):
    """Contacts c1, c2, … of one account, created at these times, and a deal that names only the account."""
    people = [contact(f"c{i}", t, account_id="a1") for i, t in enumerate(created, 1)]
    return History(
        contacts=[*people, contact("stranger", 0, account_id="a2")],
        deals=[{**deal, "account_id": "a1"}],
        activities=list(activities),
        changes=list(changes),
        at={c["contact_id"]: NIGHT for c in people} | {"stranger": NIGHT},
    )


def who_closes(history, con, **changes):
    return {c for c, row in labels(history, con, **changes).items() if row["label"]}


@settings(max_examples=15, deadline=None)
@given(histories(), st.sampled_from(["all", "none", "most_active"]), st.sampled_from([1, 30, 90]))
def test_labels_equal_the_reference_on_any_history(con, history, account_deals, days):
    found = labels(history, con, account_deals=account_deals, horizon=f"{days}d")
    assert found == {c: label(history, c, account_deals, days * DAY) for c in history.at}


@pytest.mark.parametrize(("after", "closes"), [(0, 0), (1, 1), (HORIZON, 1), (HORIZON + 1, 0), (-1, 0)])
def test_the_label_looks_from_just_after_the_as_of_to_the_last_instant_of_the_horizon(con, after, closes):
    assert labels(closed(won(closed_at=NIGHT + after, contact_id="c1")), con)["c1"]["label"] == closes


def test_the_horizon_is_the_configured_one(con):
    history = closed(won(closed_at=NIGHT + DAY, contact_id="c1"))
    assert labels(history, con, horizon=timedelta(hours=24))["c1"]["label"] == 1
    assert labels(history, con, horizon=timedelta(hours=23))["c1"]["label"] == 0


def test_the_first_deal_won_in_the_horizon_is_named_and_of_two_at_once_the_smallest(con):
    days = {"later": 3, "b": 2, "a": 2, "before": -1}
    deals = [won(name, NIGHT + day * DAY, contact_id="c1") for name, day in days.items()]
    assert labels(closed(*deals), con)["c1"] == {"label": 1, "deal_id": "a", "closed_at": NIGHT + 2 * DAY}


def test_a_deal_of_two_contacts_labels_both_and_is_one_deal(con):
    deals = [won("d1", NIGHT + DAY, contact_id=c) for c in ("c1", "c2")]
    history = History(contacts=[contact(), contact("c2")], deals=deals, at={"c1": NIGHT, "c2": NIGHT})
    one = {"label": 1, "deal_id": "d1", "closed_at": NIGHT + DAY}
    assert labels(history, con) == {"c1": one, "c2": one}


@pytest.mark.parametrize(
    "deal", [{"is_won": None}, {"is_won": False}, {"closed_at": None}], ids=["not decided", "lost", "no close date"]
)
def test_a_deal_that_is_open_or_lost_labels_nobody(con, deal):
    assert labels(closed({**won(closed_at=NIGHT + DAY, contact_id="c1"), **deal}), con)["c1"] == NO_CLOSE


def test_repeat_business_labels_any_deal_won_in_the_horizon_not_the_first_ever(con):
    deals = [won("old", NIGHT - DAY, contact_id="c1"), won("new", NIGHT + DAY, contact_id="c1")]
    assert labels(closed(*deals), con)["c1"]["deal_id"] == "new"


def test_a_deal_of_an_account_labels_its_contacts_who_existed_when_it_was_created(con):
    deal = won(closed_at=NIGHT + 9 * DAY, created_at=NIGHT - 5 * DAY)
    history = colleagues(0, NIGHT - 5 * DAY, NIGHT - 5 * DAY + 1, deal=deal)
    assert who_closes(history, con) == {"c1", "c2"}


def test_a_deal_of_an_account_that_was_created_nobody_knows_when_labels_who_existed_when_it_closed(con):
    history = colleagues(0, NIGHT + DAY, NIGHT + DAY + 1, deal=won(closed_at=NIGHT + DAY))
    assert who_closes(history, con) == {"c1", "c2"}


def test_a_deal_that_closed_before_it_was_created_belongs_to_who_existed_when_it_closed(con):
    deal = won(closed_at=NIGHT + DAY, created_at=NIGHT + 3 * DAY)
    assert who_closes(colleagues(0, NIGHT + 2 * DAY, deal=deal), con) == {"c1"}


def test_a_deal_of_an_account_can_be_left_to_nobody(con):
    history = colleagues(0, deal=won(closed_at=NIGHT + DAY))
    assert who_closes(history, con, account_deals="none") == set()


def test_a_deal_of_an_account_can_go_to_its_most_active_contact_until_it_was_created(con):
    deal = won(closed_at=NIGHT + 9 * DAY, created_at=NIGHT - DAY)
    busy_later = [did("c1", NIGHT - DAY + 1)] * 5 + [did("c1", NIGHT - 2 * DAY, recorded=NIGHT)] * 5
    in_time = [did("c3", NIGHT - DAY), did("c2", NIGHT - 2 * DAY)]
    assert who_closes(
        colleagues(0, 0, 0, deal=deal, activities=[*busy_later, *in_time]), con, account_deals="most_active"
    ) == {"c2"}
    in_time.append(did("c3", NIGHT - DAY))
    assert who_closes(
        colleagues(0, 0, 0, deal=deal, activities=[*busy_later, *in_time]), con, account_deals="most_active"
    ) == {"c3"}


def test_with_nobody_active_the_most_active_contact_is_the_first_by_id(con):
    assert who_closes(colleagues(0, 0, deal=won(closed_at=NIGHT + DAY)), con, account_deals="most_active") == {"c1"}


def test_the_account_of_a_deal_does_not_matter_where_a_contact_is_named(con):
    history = colleagues(0, 0, deal=won(closed_at=NIGHT + DAY, contact_id="c2"))
    assert who_closes(history, con) == {"c2"}
    also_without = history.plus(deals=[won(closed_at=NIGHT + DAY, account_id="a1")])
    assert who_closes(also_without, con) == {"c2"}


def test_whoever_joined_the_account_after_its_deal_was_created_is_no_part_of_it(con):
    deal = won(closed_at=NIGHT + 9 * DAY, created_at=NIGHT - DAY)
    moves = [changed("c1", "account_id", "a1", NIGHT, old="a2"), changed("c2", "account_id", "a2", NIGHT, old="a1")]
    assert who_closes(colleagues(0, 0, deal=deal, changes=moves), con) == {"c2"}
