from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predictive.clock import DAY, instant
from predictive.errors import ConfigError
from predictive.features.cut import cut
from predictive.features.deals import opportunities
from predictive.features.snapshots import Moment, existing, judge, moments, tonight, unfiltered
from predictive.tonight import eligible_tonight
from tests.features.histories import (
    NIGHT,
    History,
    at,
    by_contact,
    changed,
    collected,
    config,
    contact,
    did,
    histories,
    pairs,
    tables,
    won,
)
from tests.features.then import is_opportunity, why_not

CHOICES = st.fixed_dictionaries(
    {
        "customers": st.sampled_from(["exclude", "include"]),
        "lost": st.sampled_from(["exclude", "include"]),
        "account_deals": st.sampled_from(["all", "none", "most_active"]),
    }
)


def judged(history, con, *, training=True, **eligibility):
    tables_, settings_ = tables(history, con), config(eligibility=eligibility)
    known = cut(tables_, at(history, "duckdb", con))
    return {c: row["why"] for c, row in by_contact(judge(known, tables_, settings_, training=training)).items()}


def one(*deals, changes=(), **columns):
    return History(contacts=[contact(**columns)], deals=list(deals), changes=list(changes), at={"c1": NIGHT})


def scored(history, con, **changes):
    """Who is looked at tonight, as of when; and why the others are not."""
    looked_at, out = tonight(tables(history, con), config(**changes), NIGHT)
    return {c: row["as_of"] for c, row in by_contact(looked_at).items()}, {
        c: row["why"] for c, row in by_contact(out).items()
    }


@settings(max_examples=12, deadline=None)
@given(histories(), CHOICES, st.booleans())
def test_who_is_eligible_equals_the_reference_on_any_history(con, history, choice, training):
    rules = config(eligibility=choice).eligibility
    expected = {c: why_not(history, c, rules, training=training) for c in history.at}
    assert judged(history, con, training=training, **choice) == expected


@settings(max_examples=8, deadline=None)
@given(pairs(), CHOICES)
def test_what_is_known_later_changes_nothing_about_who_was_eligible(con, pair, choice):
    history, later = pair
    assert judged(later, con, **choice) == judged(history, con, **choice)


@settings(max_examples=8, deadline=None)
@given(histories(), st.sampled_from(["all", "none", "most_active"]))
def test_open_deals_make_opportunities_as_the_reference_says(con, history, account_deals):
    settings_ = config(eligibility={"account_deals": account_deals})
    rows = collected(opportunities(tables(history, con), settings_, at(history, "duckdb", con)), "contact_id")
    expected = sorted(c for c in history.at if is_opportunity(history, c, account_deals))
    assert [r["contact_id"] for r in rows] == expected


@pytest.mark.parametrize(
    ("closed_at", "why"), [(NIGHT - 1, "already closed"), (NIGHT, "already closed"), (NIGHT + 1, None)]
)
def test_a_customer_is_out_from_the_instant_it_closed(con, closed_at, why):
    history = one(won(closed_at=closed_at, contact_id="c1"))
    assert judged(history, con) == {"c1": why}
    assert judged(history, con, customers="include") == {"c1": None}


def test_a_lost_contact_stays_unless_configured_otherwise(con):
    history = one({**won(closed_at=NIGHT, contact_id="c1"), "is_won": False})
    assert judged(history, con) == {"c1": None}
    assert judged(history, con, lost="exclude") == {"c1": "its deal was lost"}


@pytest.mark.parametrize("deal", [{"is_won": None}, {"closed_at": None}, {"is_won": False, "closed_at": None}])
def test_an_open_deal_makes_nobody_a_customer_or_lost(con, deal):
    assert judged(one({**won(closed_at=NIGHT - DAY, contact_id="c1"), **deal}), con, lost="exclude") == {"c1": None}


def test_a_colleague_becomes_a_customer_with_the_account_unless_account_deals_are_nobodys(con):
    history = one(won(closed_at=NIGHT, account_id="a1"), account_id="a1")
    assert judged(history, con) == {"c1": "already closed"}
    assert judged(history, con, account_deals="none") == {"c1": None}


def test_who_was_staff_then_is_out_and_who_became_staff_later_is_not(con):
    changes = [
        changed("c1", "lifecycle_stage", "Staff", NIGHT - DAY),
        changed("c1", "lifecycle_stage", "lead", NIGHT + 1),
    ]
    why = "lifecycle stage says it is not to be marketed to"
    assert judged(one(changes=changes, lifecycle_stage="lead"), con) == {"c1": why}
    swapped = [changed("c1", "lifecycle_stage", "lead", NIGHT), changed("c1", "lifecycle_stage", "staff", NIGHT + 1)]
    assert judged(one(changes=swapped, lifecycle_stage="staff"), con) == {"c1": None}


def test_a_status_without_a_history_filters_what_is_scored_and_not_what_is_learned_from(con):
    history = one(marketing_status="Opted_Out")
    assert judged(history, con, training=True) == {"c1": None}
    assert judged(history, con, training=False) == {"c1": "marketing status says it is not to be marketed to"}
    assert unfiltered(tables(history, con), config().eligibility) == ["lifecycle_stage", "marketing_status"]
    with_history = one(changes=[changed("c2", "marketing_status", "lead", NIGHT)])
    assert unfiltered(tables(with_history, con), config().eligibility) == ["lifecycle_stage"]


@pytest.mark.parametrize("status", ["non-marketing", "Non_Marketing", "NON MARKETING"])
def test_a_status_is_recognised_however_its_words_are_joined_and_written(con, status):
    assert judged(one(marketing_status=status), con, training=False)["c1"] is not None


def test_the_configuration_says_which_values_take_a_contact_out(con):
    history = one(plan="Internal_Use", marketing_status="staff")
    assert judged(history, con, training=False, non_marketing={"plan": ["internal use"]})["c1"].startswith("plan")
    assert judged(history, con, training=False, non_marketing={}) == {"c1": None}


@pytest.mark.parametrize(("name", "value"), [("seats", 1.0), ("invoiced", True), ("account_industry", None)])
def test_a_status_may_be_a_number_a_boolean_or_the_accounts(con, name, value):
    history = one(account_id="a1", **{name: value}).plus(accounts=[{"account_id": "a1", "industry": "us"}])
    rule = {name: ["1", "true", "us"]}
    assert judged(history, con, training=False, non_marketing=rule)["c1"] is not None
    assert judged(history, con, training=True, non_marketing=rule)["c1"] is None


def test_a_status_of_the_account_with_a_history_filters_training_too(con):
    history = one(changes=[changed("a1", "industry", "us", NIGHT, of="account")], account_id="a1")
    history = history.plus(accounts=[{"account_id": "a1"}])
    assert judged(history, con, training=True, non_marketing={"account_industry": ["us"]})["c1"] is not None


def test_a_status_that_no_table_has_is_an_error_with_the_nearest_name(con):
    with pytest.raises(
        ConfigError, match=r"non_marketing: no table has the attribute 'plann'; did you mean \"plan\"\?"
    ):
        judged(one(), con, non_marketing={"plann": ["x"]})


def test_who_exists_at_an_instant_was_created_at_or_before_it(con):
    created = {"c1": NIGHT - 1, "c2": NIGHT, "c3": NIGHT + 1}
    history = History(contacts=[contact(c, t) for c, t in created.items()])
    there = by_contact(existing(tables(history, con), Moment(instant=NIGHT)))
    assert there == {"c1": {"as_of": NIGHT}, "c2": {"as_of": NIGHT}}
    assert scored(history, con) == ({"c1": NIGHT, "c2": NIGHT}, {"c3": "not created yet"})


def test_calendar_snapshots_are_local_midnights_and_age_snapshots_one_pass_per_age():
    first, last = instant(date(2026, 1, 15), "UTC"), instant(date(2026, 4, 1), "Europe/Madrid")
    months = [Moment(instant=instant(date(2026, m, 1), "Europe/Madrid")) for m in (2, 3, 4)]
    assert moments(config(timezone="Europe/Madrid"), first, last) == months
    weekly = moments(config(timezone="Europe/Madrid", snapshots={"every": "week"}), first, last)
    assert (weekly[0].instant, len(weekly)) == (instant(date(2026, 1, 19), "Europe/Madrid"), 11)
    assert moments(config(snapshots={"at": "age", "days": [30, 0]}), first, last) == [Moment(age=0), Moment(age=30)]


@pytest.mark.parametrize(
    ("age", "as_of"),
    [
        (7 * DAY - 1, "too young for the first snapshot"),
        (7 * DAY, 0),
        (30 * DAY - 1, 23 * DAY - 1),
        (30 * DAY, 0),
        (90 * DAY - 1, 60 * DAY - 1),
        (120 * DAY - 1, 90 * DAY - 1),
        (120 * DAY, "its last horizon has passed"),
        (-1, "too young for the first snapshot"),
    ],
)
def test_with_age_snapshots_a_contact_is_scored_as_of_the_latest_age_it_has_reached(con, age, as_of):
    history = History(contacts=[contact(created_at=NIGHT - age)])
    looked_at, out = scored(history, con, snapshots={"at": "age", "days": [30, 7]})
    assert (looked_at, out) == (({"c1": NIGHT - as_of}, {}) if isinstance(as_of, int) else ({}, {"c1": as_of}))


def test_a_horizon_that_passed_between_two_ages_leaves_a_contact_out_until_the_next(con):
    ages = {"at": "age", "days": [0, 365]}
    for age, expected in ((90 * DAY - 1, NIGHT - 90 * DAY + 1), (100 * DAY, None), (365 * DAY, NIGHT)):
        looked_at, _ = scored(History(contacts=[contact(created_at=NIGHT - age)]), con, snapshots=ages)
        assert looked_at.get("c1") == expected


def test_age_snapshots_of_training_give_each_contact_its_own_as_of(con):
    history = History(contacts=[contact("c1", 5), contact("c2", NIGHT)])
    found = by_contact(existing(tables(history, con), Moment(age=7)))
    assert found == {"c1": {"as_of": 5 + 7 * DAY}, "c2": {"as_of": NIGHT + 7 * DAY}}


def test_a_night_names_who_is_not_scored_and_counts_the_reasons(con):
    history = History(
        contacts=[
            contact("old", NIGHT - 40 * DAY),
            *(contact(c, NIGHT - DAY) for c in ("a", "closed")),
            contact("new", NIGHT + 1),
        ],
        deals=[won(closed_at=NIGHT, contact_id="closed")],
    )
    settings_ = config(snapshots={"at": "age", "days": [0]}, horizon="30d")
    kept, why = eligible_tonight(tables(history, con), settings_, NIGHT)
    assert kept.to_dict("records") == [{"contact_id": "a", "as_of": NIGHT - DAY}]
    # It closed after its own as-of, so its as-of would find it eligible; tonight there is nothing left to predict.
    assert why == {"already closed": 1, "its last horizon has passed": 1, "too young for the first snapshot": 1}


@pytest.mark.parametrize(("begun", "closed", "is_open"), [
    (NIGHT, None, True), (NIGHT + 1, None, False), (NIGHT, NIGHT, False), (NIGHT, NIGHT + 1, True),
    (None, NIGHT + 1, False),
])  # fmt: skip
def test_a_deal_is_open_from_its_creation_until_just_before_it_closes(con, begun, closed, is_open):
    history = one(won(closed_at=closed, created_at=begun, contact_id="c1"))
    found = collected(opportunities(tables(history, con), config(), at(history, "duckdb", con)))
    assert found == ([{"contact_id": "c1"}] if is_open else [])


def test_the_most_active_contact_of_an_open_deal_is_who_it_was_when_the_deal_began(con):
    history = History(
        contacts=[contact("c1", account_id="a1"), contact("c2", account_id="a1")],
        activities=[did("c2", NIGHT - 3 * DAY), *[did("c1", NIGHT - DAY)] * 3],
        deals=[{"deal_id": "d1", "account_id": "a1", "created_at": NIGHT - 2 * DAY}],
        at={"c1": NIGHT, "c2": NIGHT},
    )
    settings_ = config(eligibility={"account_deals": "most_active"})
    assert collected(opportunities(tables(history, con), settings_, at(history, "duckdb", con))) == [
        {"contact_id": "c2"}
    ]
