from datetime import UTC, date, datetime
from itertools import pairwise

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from predictive.clock import DAY, calendar, instant
from predictive.errors import DataError
from predictive.model.folds import FEWEST_CLOSES, closes, time_folds
from predictive.splits import TimeSplit, check_parts, decide, newest, observed_until
from tests.features.histories import NIGHT, History, changed, config, contact, did, tables, won

HORIZON = 90 * DAY


def day(*ymd, timezone="UTC"):
    return instant(date(*ymd), timezone)


def monthly(first, last, *, closes_each=30, others=5):
    """Examples at every first of a month: so many closes of distinct deals a day later, and some that did not close."""
    rows = [
        {
            "as_of": at,
            "label": int(i < closes_each),
            "deal_id": f"{at} {i}" if i < closes_each else None,
            "closed_at": float(at + DAY) if i < closes_each else np.nan,
        }
        for at in calendar(first, last, "month", "UTC")
        for i in range(closes_each + others)
    ]
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def con():
    with duckdb.connect(config={"threads": 1}) as connection:
        yield connection


@st.composite
def outlines(draw):
    """Examples at up to ten instants, the horizon in days, and until when is observed."""
    days = st.integers(0, 400)
    instants = draw(st.lists(days, min_size=1, max_size=10, unique=True))
    horizon = draw(st.sampled_from([1, 30, 90]))
    rows = [
        {
            "as_of": d * DAY,
            "label": int(i < n),
            "deal_id": f"d{draw(st.integers(0, 200))}" if i < n else None,
            "closed_at": float((d + draw(st.integers(1, horizon))) * DAY) if i < n else np.nan,
        }
        for d in instants
        for n in [draw(st.integers(0, 12))]
        for i in range(n + 2)
    ]
    return pd.DataFrame(rows), horizon, draw(days) * DAY


@settings(max_examples=100, deadline=None)
@given(outlines(), st.none() | st.tuples(*[st.integers(0, 400)] * 4))
def test_at_any_split_training_knows_nothing_of_what_the_test_judges(case, chosen):
    frame, days, observed = case
    names = ("train_from", "train_until", "test_from", "test_until")
    dates = (
        None
        if chosen is None
        else {n: datetime.fromtimestamp(d * 86_400, UTC) for n, d in zip(names, chosen, strict=True)}
    )
    settings_ = config(horizon=f"{days}d", split=dates)
    horizon = settings_.horizon_micros
    assume(chosen is not None or (frame["as_of"] + horizon <= observed).any())
    split = decide(frame, settings_, observed)
    learn, test, shipped = split.learn(frame), split.test(frame), split.everything(frame)
    for known, at in ((learn, split.test_from), (shipped, split.known_until)):
        assert (known["as_of"] + known["followed"] <= at).all(), "a window reaches past what is known"
        assert (known["followed"] <= horizon).all()
        assert (known.loc[known["label"] == 1, "closed_at"] <= at).all(), "a close is known before it happened"
        assert known.loc[known["label"] == 0, ["closed_at", "deal_id"]].isna().all(axis=None)
        whole = known["followed"] == horizon
        assert (known.loc[whole, "label"] == frame.loc[known.index[whole], "label"]).all()
        assert (known.loc[whole, "offset"] == 0).all()
    assert split.known_until <= observed
    assert (test["as_of"] >= split.test_from).all()
    assert (test["as_of"] + horizon <= observed).all(), "an immature example judges"
    later = split.later(frame)
    both = later.index.intersection(learn.index)
    assert (learn.loc[both, "label"] == 0).all(), "the judged level is corrected by a close that was learned from"
    assert (learn.loc[both, "followed"] < horizon).all()
    assert set(test.index) <= set(later.index)
    if chosen is None:
        assert len(test), "the default split always has a test part"


def test_by_default_the_test_is_the_last_mature_quarter_and_training_knows_what_was_known_on_its_first_day():
    frame = monthly(day(2024, 1, 1), day(2026, 3, 1))
    split = decide(frame, config(), day(2026, 3, 15))
    assert sorted(set(split.test(frame)["as_of"])) == [day(2025, m, 1) for m in (10, 11, 12)]
    assert split.learn(frame)["as_of"].max() == day(2025, 9, 1)
    assert (split.test_from, split.shortened) == (day(2025, 10, 1), False)
    assert split.immature(frame) == 2 * 35  # August and September: their windows reach past the split
    assert split.everything(frame)["as_of"].max() == day(2026, 3, 1)
    assert split.known_until == day(2026, 3, 15)


def test_an_example_is_mature_at_the_instant_its_horizon_ends():
    split = TimeSplit(0, 100, 100, 1000, observed_until=500, known_until=500, horizon=50)
    at = [-1, 0, 50, 51, 99, 100, 450, 451, 1000]
    frame = pd.DataFrame({"as_of": at, "closed_at": np.array(at) + 1.0, "deal_id": "d", "label": 1})
    learn = split.learn(frame)
    assert learn["as_of"].tolist() == [0, 50, 51, 99]
    assert learn["followed"].tolist() == [50, 50, 49, 1]
    assert split.immature(frame) == 2
    assert split.test(frame)["as_of"].tolist() == [100, 450]
    assert split.everything(frame)["as_of"].tolist() == [0, 50, 51, 99, 100, 450, 451]


@pytest.mark.parametrize(("closes_each", "shortened"), [(FEWEST_CLOSES, False), (FEWEST_CLOSES // 2, True)])
def test_where_a_quarter_leaves_too_few_closes_to_learn_from_the_test_is_a_month_and_says_so(closes_each, shortened):
    # One snapshot is left to learn from if the test is a quarter, three if it is a month.
    frame = monthly(day(2025, 1, 1), day(2025, 4, 1), closes_each=closes_each)
    split = decide(frame, config(), day(2025, 4, 1) + HORIZON)
    assert split.shortened is shortened
    assert split.test_from == (day(2025, 4, 1) if shortened else day(2025, 2, 1))
    assert split.in_words()["shortened"] is shortened


def test_closes_are_distinct_deals_and_never_rows():
    frame = monthly(day(2025, 1, 1), day(2025, 7, 1), closes_each=FEWEST_CLOSES)
    assert closes(frame) == 7 * FEWEST_CLOSES
    frame["deal_id"] = frame["deal_id"].where(frame["deal_id"].isna(), "the same deal")
    assert closes(frame) == 1
    assert decide(frame, config(), day(2025, 7, 1) + HORIZON).shortened


def test_a_configured_split_is_in_the_configured_time_zone_and_training_ends_by_the_test_at_the_latest():
    chosen = {
        "train_from": "2025-01-01",
        "train_until": "2026-01-01",
        "test_from": "2025-06-01",
        "test_until": "2025-07-01",
    }
    split = decide(monthly(0, 0), config(split=chosen, timezone="Europe/Madrid"), day(2026, 1, 1))
    at = [instant(date(2025, m, 1), "Europe/Madrid") for m in (1, 6, 6, 7)]
    assert [split.train_from, split.train_until, split.test_from, split.test_until] == at
    assert split.in_words() == {
        "train_from": "2024-12-31T23:00:00Z",
        "train_until": "2025-05-31T22:00:00Z",
        "test_from": "2025-05-31T22:00:00Z",
        "test_until": "2025-06-30T22:00:00Z",
        "observed_until": "2026-01-01T00:00:00Z",
        "shortened": False,
    }


def test_of_a_configured_split_all_but_the_start_of_the_test_may_be_left_out():
    frame = monthly(day(2024, 1, 1), day(2026, 3, 1))
    split = decide(frame, config(split={"test_from": "2025-06-01"}), day(2026, 3, 15))
    assert split.learn(frame)["as_of"].agg(["min", "max"]).tolist() == [day(2024, 1, 1), day(2025, 5, 1)]
    assert split.test(frame)["as_of"].agg(["min", "max"]).tolist() == [day(2025, 6, 1), day(2025, 12, 1)]


def test_a_history_shorter_than_the_horizon_is_one_clear_error():
    with pytest.raises(
        DataError, match=r"Eligible examples: 35 .*observed until 2025-03-01T00:00:00Z.*horizon \(now 90d\)"
    ):
        decide(monthly(day(2025, 1, 1), day(2025, 1, 1)), config(), day(2025, 3, 1))


@pytest.mark.parametrize(("test_from", "part"), [("2024-01-01", "training"), ("2026-02-01", "test")])
def test_an_empty_part_is_one_clear_error(test_from, part):
    frame, settings_ = monthly(day(2024, 1, 1), day(2026, 3, 1)), config(split={"test_from": test_from})
    split = decide(frame, settings_, day(2026, 3, 15))
    with pytest.raises(DataError, match=f"the {part} part is empty"):
        check_parts(split.learn(frame), split.test(frame), frame, settings_, split)


@pytest.mark.parametrize(("label", "said"), [(1, "closed"), (0, "did not close")])
def test_one_class_only_is_one_clear_error(label, said):
    frame = monthly(day(2024, 1, 1), day(2026, 3, 1)).assign(label=label)
    frame["closed_at"] = frame["as_of"] + 1.0 if label else np.nan
    split = decide(frame, config(), day(2026, 3, 15))
    with pytest.raises(DataError, match=f"one class only: all .* training examples {said}"):
        check_parts(split.learn(frame), split.test(frame), frame, config(), split)


def test_outcomes_are_observed_until_the_newest_deal_or_activity_whichever_is_older(con):
    history = History(
        contacts=[contact(created_at=NIGHT - 1)],
        activities=[did(t=NIGHT - 9 * DAY, recorded=NIGHT - 8 * DAY), did(t=NIGHT + 1)],
        deals=[won("d1", NIGHT - 5 * DAY), {"deal_id": "d2", "created_at": NIGHT - 4 * DAY}, won("d3", NIGHT + 1)],
        changes=[changed("c1", "plan", "x", NIGHT)],
    )
    tables_ = tables(history, con)
    assert newest(tables_, NIGHT) == {
        "contacts": NIGHT - 1,
        "activities": NIGHT - 8 * DAY,
        "deals": NIGHT - 4 * DAY,
        "changes": NIGHT,
    }
    assert observed_until(tables_, config(), NIGHT) == NIGHT - 8 * DAY
    assert observed_until(tables_, config(), NIGHT + 1) == NIGHT + 1
    assert observed_until(tables_, config(observed_until="2026-01-01"), NIGHT) == day(2026, 1, 1)


def test_without_activities_the_newest_deal_decides_and_without_both_it_is_an_error(con):
    deals = History(contacts=[contact()], deals=[won(closed_at=5)])
    assert observed_until(tables(deals, con), config(), NIGHT) == 5
    with pytest.raises(DataError, match="there is no deal and no activity up to now"):
        observed_until(tables(History(contacts=[contact()]), con), config(), NIGHT)


@st.composite
def labelled(draw):
    """Examples in any order with deals that label several of them, as accounts with many contacts do."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.sampled_from([60, 200, 600]))
    at = rng.integers(0, draw(st.sampled_from([5, 30, 400])), n) * DAY
    label = (rng.random(n) < draw(st.sampled_from([0.3, 0.9]))).astype(int)
    # A deal closes at one instant: it labels only examples whose windows hold that instant.
    closed = at + rng.integers(1, 10, n) * DAY
    deal = np.where(label == 1, [f"{c} {rng.integers(3)}" for c in closed], None)
    outcome = {"label": label, "deal_id": deal, "closed_at": np.where(label == 1, closed, np.nan)}
    return pd.DataFrame({"as_of": at} | outcome), 10 * DAY


@settings(max_examples=60, deadline=None)
@given(labelled())
def test_time_folds_learn_what_was_known_when_their_judged_part_began(case):
    frame, horizon = case
    folds = time_folds(frame, horizon)
    at = frame["as_of"].to_numpy()
    for fold in folds:
        train, start = fold.train(frame), at[fold.valid].min()
        assert train["as_of"].max() < fold.start <= start
        assert (train["as_of"] + train["followed"] <= fold.start).all(), "a window reaches into the judged part"
        assert closes(train) >= FEWEST_CLOSES
        assert closes(frame, fold.valid) > 0
        both = set(train["deal_id"].dropna()) & set(frame["deal_id"].iloc[fold.valid].dropna())
        assert not both, "a deal is learned from and judged on"
    for earlier, later in pairwise(folds):
        assert at[earlier.valid].max() < at[later.valid].min()
        assert set(earlier.train(frame).index) <= set(later.train(frame).index), "folds expand"


def test_the_judged_parts_of_time_folds_share_the_later_closes_about_equally():
    frame = monthly(day(2023, 1, 1), day(2025, 12, 1), closes_each=10)
    folds = time_folds(frame, HORIZON)
    assert len(folds) == 3
    assert [closes(frame, f.valid) for f in folds] == pytest.approx([72, 72, 72], abs=10)
    assert max(f.valid.max() for f in folds) == len(frame) - 1


def test_too_few_closes_give_no_folds():
    frame = pd.DataFrame({"as_of": np.arange(100) * DAY, "label": 0, "deal_id": None, "closed_at": np.nan})
    frame.loc[: 2 * FEWEST_CLOSES - 2, "label"] = 1
    assert time_folds(frame, DAY) == []
