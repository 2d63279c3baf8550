"""The circuit breaker: the bounds, and the night that breaks them."""

from dataclasses import replace

import pandas as pd
import pytest

from predictive.breaker import Profile, Tally, broken_bounds, last_profile
from predictive.config import Breaker

TIERS = {"very high": 0.05, "high": 0.1, "medium": 0.2, "low": 0.65}
LAST = Profile(10_000, 0.05, TIERS, {"industry": 0.9, "visits": 1.0}, {"industry": 0.05}, 0.5)


def bounds(tonight, last=LAST, **given):
    return [b.bound for b in broken_bounds(tonight, last, Breaker(**given))]


@pytest.mark.parametrize(
    ("change", "bound"),
    [
        ({"rows": 7_900}, "rows"),
        ({"rows": 12_600}, "rows"),
        ({"probability": 0.08}, "probability"),
        ({"probability": 0.03}, "probability"),
        ({"tiers": {**TIERS, "very high": 0.11, "low": 0.59}}, "tier"),
        ({"tiers": {**TIERS, "high": 0.0, "low": 0.75}}, "tier"),
        ({"filled": {"industry": 0.69, "visits": 1.0}}, "filled"),
        ({"unseen": {"industry": 0.26}}, "unseen"),
        ({"age": 7.1}, "age"),
        ({"age": None}, "age"),
    ],
)
def test_each_bound_holds_what_is_beyond_it_and_can_be_left_out(change, bound):
    tonight = replace(LAST, **change)
    assert bounds(tonight) == [bound]
    assert bounds(tonight, **{bound: None}) == []


def test_what_lies_within_the_bounds_is_let_through():
    within = replace(LAST, rows=12_400, probability=0.07, filled={"industry": 0.71, "new": 0.0}, unseen={}, age=6.9)
    assert bounds(within) == bounds(LAST) == []


def test_a_tier_of_a_handful_may_double():
    few = replace(LAST, rows=300, tiers={**TIERS, "very high": 0.02})
    assert bounds(replace(few, tiers={**few.tiers, "very high": 0.06}), few) == []


def test_a_first_night_is_held_to_the_absolute_bounds_only():
    assert bounds(replace(LAST, rows=0, probability=0.0, age=400.0), None) == []
    assert bounds(replace(LAST, age=None), None) == bounds(replace(LAST, age=None), replace(LAST, age=None)) == []
    assert bounds(replace(LAST, rows=400), None, fewest=500) == ["fewest"]


def test_a_feed_that_was_old_last_night_may_be_as_old_but_no_older():
    old = replace(LAST, age=30.0)
    assert bounds(replace(LAST, age=30.0), old) == bounds(replace(LAST, age=29.0), old) == []
    assert bounds(replace(LAST, age=31.0), old) == bounds(replace(LAST, age=31.0), replace(old, age=None)) == ["age"]


def test_every_broken_bound_says_what_was_what_is_and_what_is_allowed():
    broken = broken_bounds(replace(LAST, rows=5_000, filled={"industry": 0.1, "visits": 0.0}), LAST, Breaker())
    assert [b.text for b in broken] == [
        "contacts scored: 5,000, last night 10,000; allowed 8,000 to 12,500 (breaker.rows: 1.25)",
        "visits: filled for 0.0% of the contacts, last night 100.0%; allowed at least 80.0% (breaker.filled: 0.2)",
        "industry: filled for 10.0% of the contacts, last night 90.0%; allowed at least 70.0% (breaker.filled: 0.2)",
    ]
    assert (broken[1].was, broken[1].found, broken[1].allowed) == (1.0, 0.0, 0.2)


def test_a_profile_adds_blocks_up():
    tally = Tally()
    for level in ("a", "b"):
        scores = pd.DataFrame({"probability": [0.1, 0.3], "tier": ["low", "high"]})
        tally.add(scores, pd.DataFrame({"industry": [level, None], "n": [1.0, 2.0]}), {"industry": ("a",)})
    found = tally.profile(1.5)
    assert found == Profile(
        4, pytest.approx(0.2), {"very high": 0, "high": 0.5, "medium": 0, "low": 0.5}, {"industry": 0.5, "n": 1.0},
        {"industry": 0.25}, 1.5,
    )  # fmt: skip
    assert Profile.from_json(found.as_json()) == found


def test_the_last_profile_is_that_of_the_newest_current_run():
    runs = pd.DataFrame({"past": [False, False, True], "profile": [None, LAST.as_json(), None]})
    assert last_profile(runs) == LAST
    assert last_profile(runs.head(1)) is None
    assert last_profile(runs.head(0)) is None
