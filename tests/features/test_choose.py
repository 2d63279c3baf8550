import pytest

from predictive.clock import DAY
from predictive.config import FeatureChoice
from predictive.errors import ConfigError
from predictive.features import catalog, expression
from predictive.features.build import features_at
from predictive.features.choose import choose
from predictive.features.choose_behaviour import FEWEST_CONTACTS, MOST_TYPES
from tests.features.histories import NIGHT, History, at, by_contact, changed, contact, did, tables

MANY = 120


def people(values=None, *, name="note", kind="text", n=MANY, changes=(), accounts=(), activities=()):
    """`n` contacts, with one attribute that holds these values in turn."""
    attributes = {"contacts": {name: kind} if values is not None else {}, "accounts": {"region": "text", "vat": "text"}}
    column = {} if values is None else {name: values}
    rows = [contact(f"c{i:03}", account_id=f"a{i}", **{k: v[i % len(v)] for k, v in column.items()}) for i in range(n)]
    return History(
        contacts=rows,
        attributes=attributes,
        changes=list(changes),
        accounts=list(accounts),
        activities=list(activities),
    )


def doing(type_, contacts=FEWEST_CONTACTS, *, at_=NIGHT, detail=None):
    return [did(f"c{i:03}", at_, type_, detail) for i in range(contacts)]


def chosen(history, con, *, until=NIGHT, **wanted):
    return choose(tables(history, con), FeatureChoice(**wanted), until=until)


def names(choice):
    return {f.name for f in choice.features}


def types_of(choice):
    return {type_ for f in choice.features for total in f.totals for type_ in total.types}


GOOD = ["blue", "red", None]


@pytest.mark.parametrize(
    ("values", "kind", "reason"),
    [
        (["same"], "text", "always the same"),
        ([1.0], "number", "always the same"),
        ([f"value {i}" for i in range(MANY)], "text", "nearly every value is different"),
        (["words " * 11, "other words " * 6], "text", "free text"),
        (["a@example.com", "b@example.com", "none"], "text", "looks like e-mail addresses, phone numbers or links"),
        (["+34 600 000 001", "600-000-002"], "text", "looks like e-mail addresses, phone numbers or links"),
        (["https://example.com/a", "http://a.com"], "text", "looks like e-mail addresses, phone numbers or links"),
        ([NIGHT, NIGHT + 1], "time", "a date"),
    ],
)  # fmt: skip
def test_a_column_that_would_not_serve_is_left_out_with_its_reason(con, values, kind, reason):
    choice = chosen(people(values, kind=kind), con)
    assert choice.left_out["note"] == reason
    assert "note" not in names(choice)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (GOOD, "text"),
        (["only", None], "text"),  # known or not is a difference
        ([True, False], "boolean"),
        ([float(i) for i in range(MANY)], "number"),  # numbers may all differ
        ([f"city {i}" for i in range(50)], "text"),
        (["a@example.com", "shop", "web"], "text"),
        (["2026", "2027"], "text"),
    ],
)  # fmt: skip
def test_a_column_that_tells_contacts_apart_is_a_feature(con, values, kind):
    choice = chosen(people(values, kind=kind), con)
    (feature,) = (f for f in choice.features if f.attribute == "note")
    assert (feature.kind, feature.side) == ("number" if kind == "number" else "text", "fit")


def test_a_column_without_any_value_is_left_out_without_a_word(con):
    choice = chosen(people([None]), con)
    assert "note" not in names(choice) | set(choice.left_out)


def test_what_names_somebody_is_never_a_feature_whatever_the_configuration_keeps(con):
    history = people(GOOD, name="note")
    history = History(
        **{
            **vars(history),
            "contacts": [{**c, "email": "x@example.com", "name": "n", "tags": "a;b"} for c in history.contacts],
        }
    )
    choice = chosen(history, con, keep=["account_id", "tags", "email"])
    assert not names(choice) & {"account_id", "tags", "email", "name"}
    assert (choice.left_out["account_id"], choice.left_out["tags"]) == ("an id", "a list of tags")


def test_excluded_and_sensitive_columns_are_left_out_and_say_so(con):
    assert chosen(people(GOOD), con, exclude=["note"]).left_out == {
        "account_id": "an id",
        "note": "excluded by the configuration",
    }
    assert chosen(people(GOOD), con, sensitive=["note"], keep=["note"]).left_out["note"] == "declared sensitive"


def test_a_kept_column_is_a_feature_against_advice(con):
    assert "note" in names(chosen(people([f"value {i}" for i in range(MANY)]), con, keep=["note"]))


def test_account_columns_have_a_prefix_and_may_be_named_with_or_without_it(con):
    accounts = [{"account_id": f"a{i}", "region": GOOD[i % 3], "vat": f"ES{i}"} for i in range(MANY)]
    history = people(accounts=accounts)
    choice = chosen(history, con)
    assert "account_region" in names(choice)
    assert choice.left_out["account_vat"] == "nearly every value is different"
    for name in ("region", "account_region"):
        assert chosen(history, con, exclude=[name]).left_out["account_region"] == "excluded by the configuration"


def test_a_status_that_deals_move_is_a_feature_only_with_a_history_and_is_neither_fit_nor_interest(con):
    history = people(["lead", "customer"], name="note")
    history = History(**{**vars(history), "contacts": [{**c, "lifecycle_stage": c["note"]} for c in history.contacts]})
    assert chosen(history, con).left_out["lifecycle_stage"] == "set as deals advance, and without a history"
    with_history = history.plus(changes=[changed("c001", "lifecycle_stage", "lead", NIGHT)])
    (feature,) = (f for f in chosen(with_history, con).features if f.attribute == "lifecycle_stage")
    assert feature.side == "context"


def test_a_history_does_not_make_a_feature_of_contact_details_free_text_or_ids(con):
    history = people([f"{i}@example.com" for i in range(MANY)], changes=[changed("c001", "note", "x", NIGHT)])
    assert chosen(history, con).left_out["note"].startswith("looks like e-mail")
    history = people([f"value {i}" for i in range(MANY)], changes=[changed("c001", "note", "x", NIGHT)])
    assert chosen(history, con).left_out["note"] == "nearly every value is different"


def test_an_attribute_that_is_the_same_for_all_today_is_a_feature_if_it_was_not_always_so(con):
    assert "note" in names(chosen(people(["customer"], changes=[changed("c001", "note", "lead", NIGHT)]), con))
    assert "note" in names(chosen(people([None], changes=[changed("c001", "note", "lead", NIGHT)]), con))


@pytest.mark.parametrize("key", ["exclude", "keep", "sensitive"])
def test_a_name_that_no_table_has_is_an_error_with_the_nearest(con, key):
    with pytest.raises(ConfigError, match=rf'features\.{key}: no table has \'notes\'; did you mean "note"'):
        chosen(people(GOOD), con, **{key: ["notes"]})


def test_every_unknown_name_is_reported_at_once(con):
    with pytest.raises(ConfigError, match=r"(?s)features\.exclude: .*'x1'.*features\.sensitive: .*'x2'"):
        chosen(people(GOOD), con, exclude=["x1"], sensitive=["x2"])


def test_an_activity_type_is_used_from_the_tenth_contact_on_counting_contacts_and_not_rows(con):
    many_rows = [did("c001", NIGHT - i, "noise") for i in range(50)]
    choice = chosen(people(activities=[*doing("call"), *doing("rare", FEWEST_CONTACTS - 1), *many_rows]), con)
    assert types_of(choice) == {"call"}
    assert {"call_count_7d", "call_count_365d", "call_days_since", "call_intensity_30d", "any_count_30d"} <= names(
        choice
    )


@pytest.mark.parametrize(("known", "used"), [(NIGHT, {"call"}), (NIGHT + 1, set())])
def test_activities_known_after_the_given_time_are_not_looked_at(con, known, used):
    assert types_of(chosen(people(activities=doing("call", at_=known)), con)) == used


def test_details_are_used_where_enough_contacts_have_them(con):
    rows = [*doing("form", detail="demo"), *doing("form", FEWEST_CONTACTS - 1, detail="rare")]
    found = names(chosen(people(activities=rows), con))
    assert {"form[demo]_count_90d", "form[demo]_days_since"} <= found
    assert not any("rare" in name for name in found)


def test_of_very_many_types_those_that_most_contacts_have_are_used(con):
    rows = [row for i in range(MOST_TYPES + 2) for row in doing(f"t{i:02}", FEWEST_CONTACTS + i)]
    assert types_of(chosen(people(activities=rows), con)) == {f"t{i:02}" for i in range(2, MOST_TYPES + 2)}


def test_a_kept_type_is_used_however_rare(con):
    history = people(activities=[*doing("call"), *doing("rare", 1)])
    assert types_of(chosen(history, con, keep=["rare"])) == {"call", "rare"}


@pytest.mark.parametrize("key", ["exclude", "sensitive"])
def test_an_excluded_type_reaches_no_feature_not_even_those_of_any_activity(con, key):
    """A contract that sales records as an activity would betray the close through any_count or last_touch."""
    rows = [*doing("call", at_=NIGHT - 3 * DAY), *doing("contract", at_=NIGHT - DAY, detail="signed")]
    history = people(activities=rows)
    without = people(activities=doing("call", at_=NIGHT - 3 * DAY))
    features = chosen(history, con, **{key: ["contract"]}).features
    assert types_of(chosen(history, con, **{key: ["contract"]})) == {"call"}

    def built(some):
        some = History(**{**vars(some), "at": {"c001": NIGHT}})
        return by_contact(features_at(tables(some, con), at(some, "duckdb", con), features))

    assert built(history) == built(without)


def test_without_activities_only_the_record_itself_is_left_of_behaviour(con):
    record = (catalog.record_age(), catalog.entry("weekday"), catalog.entry("month"))
    assert chosen(people(), con).features == record


def test_names_are_distinct_whatever_columns_and_types_are_called(con):
    rows = [row for type_ in ("call", "Call", "any", "CALL") for row in doing(type_, detail="x")]
    for name in ("first_touch", "Any_count_7d", "label", "cluster", "why", "rule_score"):
        choice = chosen(people(GOOD, name=name, activities=rows), con)
        folded = [n.casefold() for n in names(choice)]
        assert len(set(folded)) == len(choice.features)
        assert not {"label", "cluster", "why", "rule_score"} & set(folded)
        assert any(f.attribute == name for f in choice.features)


def test_the_same_tables_give_the_same_features_in_the_same_order_whatever_the_order_of_rows(con):
    rows = [row for t in ("b", "a", "c") for row in doing(t, detail="x")]
    one, two = (chosen(people(GOOD, activities=r), con).features for r in (rows, rows[::-1]))
    assert one == two
    assert catalog.set_hash(one) == catalog.set_hash(two)


def test_a_feature_and_its_repr_and_json_are_the_same_value(con):
    rows = doing("call", detail="it's")
    for feature in chosen(people(GOOD, activities=rows), con).features:
        assert eval(repr(feature), {**vars(expression), **vars(catalog)}) == feature  # noqa: S307 - that a repr round-trips is the claim
        assert catalog.from_json(catalog.to_json(feature)) == feature


@pytest.mark.parametrize("key", ["exclude", "sensitive"])
def test_what_is_not_wanted_reaches_no_feature_of_colleagues_or_of_changes(con, key):
    rows = [*doing("call", at_=NIGHT - 3 * DAY), *doing("contract", at_=NIGHT - DAY)]
    known, unknown = (changed("c001", name, "x", NIGHT - DAY) for name in ("source", "lifecycle_stage"))
    history = people(GOOD, activities=rows, changes=[known, unknown])
    team = [{**c, "account_id": f"a{i // 2}"} for i, c in enumerate(history.contacts)]
    history = History(**{**vars(history), "contacts": team})
    without = History(**{**vars(history), "activities": doing("call", at_=NIGHT - 3 * DAY), "changes": [known]})
    features = chosen(history, con, **{key: ["contract", "lifecycle_stage"]}).features
    assert {"colleagues_active_30d", "record_changes"} <= {f.name for f in features}
    assert not any("lifecycle" in f.name for f in features)

    def built(some):
        some = History(**{**vars(some), "at": {"c000": NIGHT, "c001": NIGHT}})
        # Without its history the stage would be as of today; that it is left out is what the names say.
        return by_contact(features_at(tables(some, con), at(some, "duckdb", con), features))

    assert built(history) == built(without)
