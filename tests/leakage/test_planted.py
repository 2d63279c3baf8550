"""Leaks of every kind, planted at several fill rates among honest columns, are found."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import yaml

from predictive.clock import DAY
from tests.leakage.crm import END, START, audited, confidences, crm, honest, some

HOUR = DAY // 24
SHARES = [1.0, 0.8, 0.4, 0.15]


@pytest.fixture(scope="module")
def world():
    """1,500 contacts of which a tenth closed, with honest columns."""
    random = np.random.default_rng(8)
    return crm(random, contacts=1_500).plus(**honest(random, 1_500, columns=10))


def planted(world, share):
    """What a CRM knows of contacts because they closed, for a share of them."""
    random = np.random.default_rng(9)
    size, won = len(world.won), world.won
    team = np.array(["north", "south", "online"], dtype=object)[random.integers(0, 3, size)]
    before = np.where(random.random(size) < 0.5, "lead", "subscriber").astype(object)
    return {
        "owner": some(random, team, won, share),
        "first_invoice": some(random, random.lognormal(5, 1, size).astype(object), won, share),
        "customer_number": some(random, np.array([f"K{i}" for i in range(size)], dtype=object), won, share),
        "pays": some(random, np.full(size, fill_value=True), won, share),
        "phase": np.where(won & (random.random(size) < share), "customer", before),
        "is_live": (won & (random.random(size) < share)).astype(object),
    }


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("name", ["owner", "first_invoice", "customer_number", "pays", "phase", "is_live"])
def test_what_only_closes_have_is_found_however_few_have_it(con, world, name, share):
    found = audited(world.plus(**{name: planted(world, share)[name]}), con)
    assert found[name].confidence == "high"
    assert {c for c, s in found.items() if s.confidence != "low"} == {name}


@pytest.mark.parametrize("share", [1.0, 0.8])
def test_what_is_erased_when_a_contact_closes_is_found(con, world, share):
    gone = world.won & (np.random.default_rng(1).random(len(world.won)) < share)
    assert confidences(world.plus(next_step=np.where(gone, None, "call")), con)["next_step"] == "high"


@pytest.mark.parametrize(("distance", "confidence"), [(2.5, "high"), (1.8, "high"), (1.3, "medium"), (0.5, None)])
def test_a_number_known_for_everybody_is_found_by_how_well_it_separates(con, distance, confidence):
    random = np.random.default_rng(2)
    world = crm(random, contacts=3_000)
    minutes = np.exp(random.normal(1, 1, 3_000) + distance * world.won)
    found = audited(world.plus(minutes=minutes, **honest(random, 3_000, columns=5)), con)
    assert (found["minutes"].confidence if "minutes" in found else None) == confidence


def test_leaks_do_not_hide_one_another_and_noise_hides_none(con, world):
    random = np.random.default_rng(3)
    size = len(world.won)
    length = random.normal(0, 1, size) + 2.2 * world.won
    leaks = {**planted(world, 0.7), "length": length, "length_again": length + random.normal(0, 0.3, size)}
    noise = {f"noise_{i}": random.normal(0, 1, size) for i in range(120)}
    found = confidences(world.plus(**leaks, **noise), con)
    assert {c for c, confidence in found.items() if confidence == "high"} == set(leaks)
    assert {c for c, confidence in found.items() if confidence == "medium"} == set()


def test_what_is_entered_with_a_leak_is_found_though_no_close_is_known_to_have_it(con, world):
    random = np.random.default_rng(4)
    late = ~world.won & (random.random(len(world.won)) < 0.03)
    joined = np.where(world.won | late, "joined", None)
    stock = np.where(late & (random.random(len(late)) < 0.5), 12.0, np.nan).astype(object)
    found = audited(world.plus(joined=joined, stock=stock), con)
    assert (found["stock"].why, found["stock"].confidence) == ("filled together with a leak", "high")
    assert "stock" not in audited(world.plus(stock=stock), con)


def test_a_fill_rate_that_falls_with_the_closes_is_a_warning(con):
    random = np.random.default_rng(6)
    size = 6_000
    world = crm(random, contacts=size)
    old = np.arange(size) < size // 2
    world = replace(world, won=world.won & (old | (random.random(size) < 0.25)))
    # Known for a fifth of those who closed and, for other reasons, of a few others.
    known = random.random(size) < np.where(world.won, 0.35, 0.01)
    falling = audited(world.plus(site_visit=np.where(known, "done", None)), con)
    assert (falling["site_visit"].why, falling["site_visit"].confidence) == ("fill rate falls with closes", "medium")


def test_a_fill_rate_that_falls_for_everybody_is_no_warning(con):
    random = np.random.default_rng(6)
    world = crm(random, contacts=6_000)
    old = np.arange(6_000) < 3_000
    known = random.random(6_000) < np.where(world.won, 0.2, 0.04) * np.where(old, 1.0, 0.3)
    assert audited(world.plus(brochure=np.where(known, "asked", None)), con) == {}


def changes(world, who, name, at, value="yes"):
    rows = {"object": "contact", "object_id": world.ids[who], "attribute": name, "value": value, "changed_at": at[who]}
    return pd.DataFrame(rows)


def test_an_attribute_first_set_at_the_close_is_found_in_its_history(con, world):
    confirmed = changes(world, world.won, "budget", world.closed + HOUR)
    early = changes(world, np.ones(len(world.won), dtype=bool), "region", world.created, "north")
    tracked = replace(
        world.plus(budget=np.where(world.won, "yes", None), region=np.full(len(world.won), "north", dtype=object)),
        changes=pd.concat([confirmed, early]),
    )
    found = audited(tracked, con)
    assert found["budget"].why == "changed at the close"
    assert found["budget"].confidence == "high"
    assert f"of {world.won.sum()} contacts that ever had a value, {world.won.sum()} (100%)" in found["budget"].saw
    assert "region" not in found


def test_an_attribute_whose_history_was_dated_back_is_found_by_what_it_says(con, world):
    migrated = changes(world, world.won, "budget", world.created)
    tracked = replace(world.plus(budget=np.where(world.won, "yes", None)), changes=migrated)
    assert audited(tracked, con)["budget"].why == "filled only for closes"


def test_dates_that_are_those_of_the_close_are_found(con, world):
    seen = np.where(world.won, world.closed + DAY, world.created + 3 * DAY)
    born = world.created - 9_000 * DAY
    found = audited(world.plus(last_seen=seen.astype(object), born=born.astype(object)), con)
    assert found["last_seen"].why in {"dated at the close", "separates too well"}
    assert "dates of contacts that closed" in found["last_seen"].saw
    assert "born" not in found


def test_dates_with_a_history_are_looked_at_as_texts(con, world):
    everyone = np.ones(len(world.won), dtype=bool)
    renewed = changes(world, everyone, "renewed", world.created, "2025-01-01")
    dates = np.where(everyone, world.created, None)
    assert "renewed" not in audited(replace(world.plus(renewed=dates), changes=renewed), con)
    renewed = changes(world, world.won, "renewed", world.created, "2025-01-01")
    assert audited(replace(world.plus(renewed=dates), changes=renewed), con)["renewed"].confidence == "high"


def test_what_an_account_has_because_one_of_its_contacts_closed_is_found(con):
    random = np.random.default_rng(7)
    world = crm(random, contacts=2_000)
    number = np.arange(2_000) // 4
    of_closed = np.isin(np.arange(500), number[world.won])
    accounts = {
        "customer_since": np.where(of_closed & (random.random(500) < 0.6), "known", None),
        "region": np.array(["north", "south"], dtype=object)[random.integers(0, 2, 500)],
    }
    account = np.array([f"a{i}" for i in number], dtype=object)
    found = audited(replace(world, account=account, of_accounts=accounts), con)
    assert {c: (s.table, s.confidence, s.line) for c, s in found.items()} == {
        "customer_since": ("accounts", "high", "features: {exclude: [account_customer_since]}")
    }


def did(world, who, type_, at):
    return pd.DataFrame({"contact_id": world.ids[who], "type": type_, "t": at[who], "known": at[who]})


def test_activity_types_that_belong_to_the_close_are_found_and_others_are_not(con, world):
    random = np.random.default_rng(11)
    size = len(world.won)
    everyone, half = np.ones(size, dtype=bool), random.random(size) < 0.5
    later = world.created + random.integers(0, 30 * DAY, size)
    keen = random.random(size) < np.where(world.won, 0.6, 0.1)
    signing = did(world, world.won & half, "contract_signed", world.closed - 2 * HOUR)
    acts = [
        signing,
        did(world, world.won & half, "onboarding", world.closed + DAY),
        did(world, world.won & half, "dated_back", world.created + 1),
        did(world, everyone, "page_view", later),
        did(world, keen, "demo_request", later),
        # A few rare ones that luck gave to closes only.
        did(world, np.isin(np.arange(size), np.flatnonzero(world.won)[:3]), "fair", world.created + 2),
    ]
    found = audited(replace(world, activities=pd.concat(acts)), con)
    assert {c: (s.table, s.why, s.confidence) for c, s in found.items() if s.confidence != "low"} == {
        "contract_signed": ("activities", "happens at the close", "high"),
        "dated_back": ("activities", "only contacts that close have it", "high"),
        "onboarding": ("activities", "happens after the close", "medium"),
    }
    assert f"of {len(signing)} contacts that had one before any close" in found["contract_signed"].saw


def test_what_is_excluded_or_sensitive_is_not_looked_at_and_the_line_keeps_it(con, world):
    leaks = planted(world, 0.9)
    acts = did(world, world.won, "contract", world.closed - HOUR)
    wanted = {"exclude": ["owner", "contract"], "keep": ["phase", "honest_1"], "sensitive": ["pays"]}
    leaking = replace(world.plus(**leaks), activities=acts)
    found = audited(leaking, con, features=wanted)
    assert {c for c, s in found.items() if s.confidence == "high"} == set(leaks) - {"owner", "pays"}
    assert found["phase"].line == "features: {exclude: [owner, contract, phase], keep: [honest_1], sensitive: [pays]}"


def test_nothing_after_the_day_of_the_audit_is_looked_at(con, world):
    """What is observed until a day decides: later closes, changes and activities alter no word."""
    day = START + 200 * DAY
    until = {"observed_until": "2025-07-20", "horizon": "5d"}
    owner = planted(world, 0.6)["owner"]
    acts = did(world, world.won, "signing", world.closed - HOUR)
    early = changes(world, world.won, "budget", world.closed + HOUR)
    full = replace(
        world.plus(owner=owner, budget=np.where(world.won, "yes", None)),
        activities=acts,
        changes=early,
    )
    known = replace(
        full, won=world.won & (world.closed <= day), activities=acts[acts["known"] <= day],
        changes=early[early["changed_at"] <= day],
    )  # fmt: skip
    found = audited(full, con, **until)
    assert found == audited(known, con, **until)
    assert {"owner", "budget", "signing"} <= set(found)
    for name in ("owner", "budget", "signing"):
        assert found[name].saw != audited(full, con, horizon="5d")[name].saw
    assert day < END


def test_the_order_of_rows_does_not_matter(con, world):
    leaking = world.plus(**planted(world, 0.5))
    order = np.random.default_rng(0).permutation(len(world.won))
    shuffled = replace(
        leaking, created=world.created[order], won=world.won[order], closed=world.closed[order],
        names=leaking.ids[order], attributes={name: values[order] for name, values in leaking.attributes.items()},
    )  # fmt: skip
    assert audited(shuffled, con) == audited(leaking, con)


@pytest.mark.parametrize(
    "name", ["closed_at", "weight", "label", "cluster", "deal_id", "Won at", "is it: real, [now]?"]
)
def test_a_leak_may_have_any_name(con, world, name):
    found = audited(world.plus(**{name: planted(world, 0.5)["owner"]}), con)
    assert found[name].confidence == "high"
    assert yaml.safe_load(found[name].line) == {"features": {"exclude": [name]}}
