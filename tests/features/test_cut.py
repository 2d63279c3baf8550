import pytest
from hypothesis import given, settings, strategies

from predictive.clock import DAY
from predictive.features.attributes import attribute_kinds
from predictive.features.cut import cut
from predictive.features.expression import total
from tests.features.histories import KINDS, NIGHT, History, at, by_contact, changed, collected, contact, did, histories
from tests.features.histories import tables as made
from tests.features.then import contact_then


def cut_at(history, con):
    return cut(made(history, con), at(history, "duckdb", con))


def contacts_then(history, con):
    return by_contact(cut_at(history, con).contacts)


def history_of(*changes, account=None, **columns):
    """One contact of one account, with this attribute history, looked at `NIGHT`."""
    return History(
        contacts=[contact(created_at=NIGHT - 100 * DAY, account_id="a1", **columns)],
        accounts=[{"account_id": "a1", **(account or {})}],
        changes=list(changes),
        at={"c1": NIGHT},
    )


def plan_then(history, con):
    return contacts_then(history, con)["c1"]["plan"]


@settings(max_examples=12, deadline=None)
@given(histories())
def test_attributes_equal_the_reference_on_any_history(con, history):
    known = cut_at(history, con)
    assert by_contact(known.contacts) == {
        c: {"as_of": as_of, **contact_then(history, c, as_of)} for c, as_of in history.at.items()
    }


@settings(max_examples=8, deadline=None)
@given(histories(), strategies.sets(strategies.sampled_from(["account_id", "plan", "seats", "account_industry"])))
def test_the_attributes_that_are_asked_for_are_the_same_without_the_others(con, history, names):
    where = at(history, "duckdb", con)
    whole = by_contact(cut(made(history, con), where).contacts)
    some = by_contact(cut(made(history, con), where, attributes=names).contacts)
    columns = {"as_of", "created_at", *names}
    assert {c: {n: row[n] for n in columns} for c, row in some.items()} == {
        c: {n: row[n] for n in columns} for c, row in whole.items()
    }
    assert all(set(row) <= columns | {"contact_id", "account_id"} for row in some.values())


@pytest.mark.parametrize(("at_", "plan"), [(NIGHT - 1, "paid"), (NIGHT, "paid"), (NIGHT + 1, None)])
def test_a_change_holds_from_its_own_instant_and_not_before(con, at_, plan):
    assert plan_then(history_of(changed("c1", "plan", "paid", at_), plan="today's"), con) == plan


def test_the_latest_change_at_or_before_the_as_of_counts(con):
    changes = [changed("c1", "plan", value, NIGHT + day * DAY) for value, day in (("b", -2), ("a", -3), ("c", 2))]
    assert plan_then(history_of(*changes, plan="c"), con) == "b"


def test_before_the_first_change_its_old_value_holds_and_no_other(con):
    changes = [changed("c1", "plan", "b", NIGHT + DAY, old="a"), changed("c1", "plan", "c", NIGHT + 2 * DAY, old="x")]
    assert plan_then(history_of(*changes, plan="c"), con) == "a"


def test_after_the_first_change_an_old_value_says_nothing(con):
    changes = [changed("c1", "plan", "b", NIGHT - 2 * DAY, old="a"), changed("c1", "plan", None, NIGHT - DAY, old="z")]
    assert plan_then(history_of(*changes, plan="b"), con) is None


def test_an_attribute_with_a_history_for_somebody_else_is_missing_and_never_todays(con):
    assert plan_then(history_of(changed("c2", "plan", "paid", NIGHT - DAY), plan="today's"), con) is None


def test_an_attribute_without_any_history_has_todays_value(con):
    assert plan_then(history_of(changed("c1", "seats", "5", NIGHT - DAY), plan="today's"), con) == "today's"


def test_an_account_with_the_id_of_a_contact_has_a_history_of_its_own(con):
    history = history_of(changed("c1", "plan", "the account's", NIGHT - DAY, of="account"), plan="today's")
    assert plan_then(history, con) == "today's"


def test_of_several_changes_at_one_instant_the_largest_counts_whatever_the_order(con):
    changes = [changed("c1", "plan", value, NIGHT) for value in ("a", "c", None, "b")]
    assert plan_then(history_of(*changes), con) == plan_then(history_of(*reversed(changes)), con) == "c"


def test_the_account_of_then_gives_the_account_facts(con):
    history = history_of(changed("c1", "account_id", "a2", NIGHT - DAY), account={"industry": "retail"})
    history = history.plus(accounts=[{"account_id": "a2", "industry": "software"}])
    assert contacts_then(history, con)["c1"]["account_industry"] == "software"


def test_account_attributes_are_those_of_then_too(con):
    change = changed("a1", "industry", "retail", NIGHT + DAY, old="software", of="account")
    assert (
        contacts_then(history_of(change, account={"industry": "retail"}), con)["c1"]["account_industry"] == "software"
    )


def test_a_contact_without_an_account_is_there_without_account_facts(con):
    history = History(contacts=[contact()], accounts=[{"account_id": "a1", "industry": "retail"}], at={"c1": NIGHT})
    assert contacts_then(history, con)["c1"]["account_industry"] is None


@pytest.mark.parametrize("text", ["n/a", "1,5", "", "nan", "1e400"])
def test_a_change_to_what_is_no_number_leaves_a_number_missing(con, text):
    seats = contacts_then(history_of(changed("c1", "seats", text, NIGHT)), con)["c1"]["seats"]
    assert seats is None


def test_who_is_not_looked_at_is_not_there(con):
    history = History(contacts=[contact(), contact("c2")], activities=[did("c2")], at={"c1": NIGHT})
    known = cut(made(history, con), at(history, "duckdb", con), [total("count")])
    assert set(by_contact(known.contacts)) == {"c1"}
    assert collected(known.daily.by_type, "contact_id") == []


def test_the_attributes_that_are_cut_are_those_of_contacts_and_with_a_prefix_of_accounts(con):
    history = history_of(changed("c1", "plan", "a", NIGHT))
    tables = made(history, con)
    names = {*KINDS["contact"], *(f"account_{name}" for name in KINDS["account"])}
    assert set(attribute_kinds(tables)) == names
    assert set(contacts_then(history, con)["c1"]) == {*names, "as_of", "created_at"}
    assert tables.tracked == {"contact": {"plan"}, "account": set()}
