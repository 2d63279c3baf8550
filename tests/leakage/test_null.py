"""Columns that know nothing of the outcome, or honestly something, are not suspected."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from predictive.clock import DAY
from tests.leakage.crm import START, audited, confidences, crm, honest

SEEDS = 8
FINDING = {"high", "medium"}


@pytest.mark.parametrize(("contacts", "rate"), [(250, 0.5), (1_000, 0.03), (1_000, 0.5), (1_000, 0.93)])
def test_random_columns_are_not_suspected_whoever_closes(con, contacts, rate):
    found = []
    for seed in range(SEEDS):
        random = np.random.default_rng(seed)
        null = crm(random, contacts=contacts, rate=rate).plus(**honest(random, contacts, columns=16))
        found += [(seed, s.column, s.saw) for s in audited(null, con).values() if s.confidence in FINDING]
    assert found == []


def test_who_closes_by_a_permutation_of_the_labels_makes_no_suspect(con):
    random = np.random.default_rng(5)
    real = crm(random, contacts=1_200, rate=0.15)
    leaking = real.plus(signed=np.where(real.won, "yes", None), **honest(random, 1_200))
    assert confidences(leaking, con)["signed"] == "high"
    for seed in range(SEEDS):
        permuted = replace(leaking, won=np.random.default_rng(seed).permutation(leaking.won))
        assert not FINDING & set(confidences(permuted, con).values()), seed


def test_attributes_that_honestly_say_something_are_not_suspected(con):
    for seed in range(SEEDS // 2):
        random = np.random.default_rng(seed)
        size = 3_000
        source = np.array(["search", "event", "referral", "list"], dtype=object)[random.integers(0, 4, size)]
        employees = random.lognormal(4, 1.2, size)
        # An enriched field is known more often for those who looked promising, before anything was decided.
        promising = random.random(size) < 0.3
        revenue = np.where(random.random(size) < np.where(promising, 0.9, 0.5), random.lognormal(9, 1, size), np.nan)
        odds = np.exp(1.3 * (source == "referral") - 0.7 * (source == "list") + 0.4 * (np.log(employees) - 4))
        world = crm(random, contacts=size, rate=0.08, odds=odds * np.where(promising, 2.5, 1.0))
        columns = {"source": source, "employees_told": employees, "revenue_told": revenue.astype(object)}
        assert not FINDING & set(confidences(world.plus(**columns), con).values()), seed


def test_who_bought_before_may_well_buy_again(con):
    random = np.random.default_rng(3)
    size = 6_000
    before = random.random(size) < 0.04
    world = crm(random, contacts=size, rate=0.08, odds=np.where(before, 20.0, 1.0))
    assert 0.5 < world.won[before].mean() < 0.75
    earlier = np.where(before, "success", None)
    assert not FINDING & set(confidences(world.plus(earlier_campaign=earlier), con).values())


def test_the_state_of_the_market_tells_times_apart_and_no_contacts(con):
    random = np.random.default_rng(1)
    size = 4_000
    base = crm(random, contacts=size)
    since = (base.created - START) / DAY
    # The market turns from hardly any close to most: a rate of the day then separates almost perfectly overall.
    world = crm(np.random.default_rng(1), contacts=size, rate=0.1, odds=np.exp((since - 180) / 30))
    rate = np.where(since < 180, 4.0, 1.0) + since / 1_000
    assert np.corrcoef(rate, world.won)[0, 1] < -0.55
    assert confidences(world.plus(interest_rate=rate), con) == {}


def test_a_history_that_is_honest_may_say_a_lot(con):
    random = np.random.default_rng(2)
    size = 2_000
    opened = random.random(size) < 0.15
    world = crm(random, contacts=size, rate=0.02, odds=np.where(opened, 40.0, 1.0))
    rows = [("contact", i, "lifecycle_stage", "lead", None, at) for i, at in zip(world.ids, world.created, strict=True)]
    rows += [(*row[:3], "opportunity", "lead", row[5]) for row, yes in zip(rows, opened, strict=True) if yes]
    rows = [row for row, yes in zip(rows[:size], opened, strict=True) if not yes] + rows[size:]
    customers = zip(world.ids[world.won], world.closed[world.won], strict=True)
    rows += [("contact", i, "lifecycle_stage", "customer", None, at) for i, at in customers]
    columns = ["object", "object_id", "attribute", "value", "old_value", "changed_at"]
    today = np.where(world.won, "customer", np.where(opened, "opportunity", "lead"))
    tracked = replace(world.plus(lifecycle_stage=today), changes=pd.DataFrame(rows, columns=columns))
    assert confidences(tracked, con) == {}
    assert confidences(replace(tracked, changes=None), con) == {"lifecycle_stage": "high"}


def test_a_history_begun_when_most_had_closed_is_no_sign(con):
    world = crm(np.random.default_rng(9), contacts=800, rate=0.9)
    begun = world.created + 25 * DAY
    rows = {"object": "contact", "object_id": world.ids, "attribute": "region", "value": "north", "changed_at": begun}
    region = np.full(800, "north", dtype=object)
    tracked = replace(world.plus(region=region), changes=pd.DataFrame(rows))
    assert world.won.mean() > 0.88
    assert confidences(tracked, con) == {}


def test_an_activity_is_no_step_of_closing_where_everybody_closes_at_once(con):
    random = np.random.default_rng(10)
    world = crm(random, contacts=800, rate=0.93)
    closed = world.created + DAY
    visits = pd.DataFrame({"contact_id": world.ids, "type": "visit", "t": world.created, "known": world.created})
    quick = replace(world, closed=closed, activities=visits[random.random(800) < 0.5])
    assert confidences(quick, con) == {}


def test_nearly_unique_columns_are_something_to_know_and_no_more(con):
    random = np.random.default_rng(4)
    world = crm(random, contacts=400)
    unique = {
        "reference": np.array([f"R{i}" for i in range(400)], dtype=object),
        "number": np.arange(400.0),
        "spend": random.lognormal(3, 1, 400),
    }
    found = audited(world.plus(**unique), con)
    assert {c: (s.why, s.confidence) for c, s in found.items()} == {
        "reference": ("nearly unique", "low"),
        "number": ("nearly unique", "low"),
    }


def test_too_few_closes_say_nothing(con):
    random = np.random.default_rng(0)
    world = crm(random, contacts=500)
    few = replace(world, won=np.isin(np.arange(500), np.flatnonzero(world.won)[:9]))
    assert confidences(few.plus(paid=np.where(few.won, "yes", None)), con) == {}
