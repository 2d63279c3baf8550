"""The true probabilities against what happened, and against a slow reference that only draws and counts."""

import numpy as np
import pandas as pd
import pytest
from numpy.random import SeedSequence, default_rng

from predictive.demo import Demo, process
from predictive.demo import catalog as c
from predictive.demo.process import State
from predictive.demo.simulate import History
from predictive.demo.truth import forward, true_probabilities
from predictive.demo.world import World

MATURE = range(3)


def outcomes(history: History, moment: int, who: np.ndarray) -> np.ndarray:
    day = (c.TRUTH_AS_OFS[moment] - c.START).days
    first = np.full(int(history.touch_contact.max()) + 1, 10**6)
    np.minimum.at(first, history.deal_contact[history.deal_won], history.deal_closed[history.deal_won])
    assert (first[who] >= day).all()
    return first[who] < day + c.HORIZON


def within(truth: pd.DataFrame, closed: np.ndarray) -> float:
    """How many standard deviations lie between the closes and their expectation."""
    p, error = truth["probability"], truth["standard_error"]
    return float((closed.sum() - p.sum()) / np.sqrt((p * (1 - p)).sum() + (error**2).sum()))


def auc(score: np.ndarray, closed: np.ndarray) -> float:
    rank = pd.Series(score).rank().to_numpy()
    n = closed.sum()
    return float((rank[closed].sum() - n * (n + 1) / 2) / (n * (len(closed) - n)))


@pytest.fixture(scope="module")
def truth(large: tuple[World, History]) -> pd.DataFrame:
    found = true_probabilities(large[1], SeedSequence(3), paths=4)
    moments = {as_of: moment for moment, as_of in enumerate(c.TRUTH_AS_OFS)}
    return found.assign(moment=found["as_of"].map(moments))


@pytest.mark.parametrize("moment", MATURE)
def test_as_many_close_as_the_truth_expects(large: tuple[World, History], truth: pd.DataFrame, moment: int):
    mine = truth[truth["moment"] == moment]
    assert abs(within(mine, outcomes(large[1], moment, mine["contact"].to_numpy()))) < 3.5


@pytest.mark.parametrize("moment", MATURE)
def test_in_every_class_of_the_truth_as_many_close(large: tuple[World, History], truth: pd.DataFrame, moment: int):
    mine = truth[truth["moment"] == moment]
    # Cut on the state rather than on the probability: four paths are noisy, and would regress to the mean.
    state = large[1].snapshots[moment]
    who = mine["contact"].to_numpy()
    bins = {
        "open": state.deal[who] > process.NEVER,
        "cold": state.heat[who] < 0.05,
        "warm": state.heat[who] > 2,
        "unfit": state.fit[who] < np.quantile(state.fit[who], 0.3),
        "fit": state.fit[who] > np.quantile(state.fit[who], 0.8),
        "lost before": state.lost[who] > process.NEVER,
    }
    closed = outcomes(large[1], moment, who)
    for name, chosen in bins.items():
        assert abs(within(mine[chosen], closed[chosen])) < 3.5, name


def test_reliability_by_quantile_of_the_truth_itself(demo: Demo, ask):
    found = pd.read_parquet(demo.truth)
    won = dict(ask("SELECT contact_id, min(closed_at) FROM deals WHERE is_won GROUP BY 1"))
    mature = found[found["as_of"] <= "2026-04-01"].reset_index(drop=True)
    as_of = mature["as_of"].dt.tz_localize(None)
    first = mature["contact_id"].map(won).astype("datetime64[us]")
    assert not (first <= as_of).any()
    closed = (first <= as_of + pd.Timedelta(days=90)).to_numpy()
    bins = pd.qcut(mature["probability"].rank(method="first"), 5, labels=False).to_numpy()
    for bin_ in range(5):
        # The three as-ofs overlap, so that their errors add up rather than average out.
        assert abs(within(mature[bins == bin_], closed[bins == bin_])) < 3.5 * np.sqrt(3), bin_
    assert auc(mature["probability"].to_numpy(), closed) > 0.8


def test_about_three_percent_of_the_eligible_close_in_a_quarter(large: tuple[World, History], truth: pd.DataFrame):
    for moment in MATURE:
        who = truth.loc[truth["moment"] == moment, "contact"].to_numpy()
        assert 0.025 < outcomes(large[1], moment, who).mean() < 0.037


def test_the_truth_is_learnable_but_not_trivial_and_both_sides_tell_something(large: tuple[World, History]):
    history, moment = large[1], 2
    state, day = history.snapshots[moment], (c.TRUTH_AS_OFS[moment] - c.START).days
    who = np.flatnonzero(~state.won & ~state.reported & (state.persona != c.STAFF))[::4]
    probability, _ = forward(state, who, day, default_rng(4), paths=24)
    closed = outcomes(history, moment, who)
    fit = state.fit[who] + process.LEVEL_FIT[state.level[who]]
    assert 0.82 < auc(probability, closed) < 0.9
    assert 0.65 < auc(fit, closed) < 0.8
    assert 0.65 < auc(state.heat[who], closed) < 0.8


def counted(state: State, who: np.ndarray, day: int, runs: int) -> np.ndarray:
    """The share of `runs` futures in which each contact wins: every win drawn, nothing integrated."""
    rng = default_rng(8)
    future = state.take(np.repeat(who, runs))
    future.won[:] = False
    for today in range(day, day + c.HORIZON):
        open_, chance = process.win_chances(future, today)
        process.win(future, open_[rng.random(len(open_)) < chance])
        process.advance(future, today, rng)
    return future.won.reshape(-1, runs).mean(axis=1)


def test_the_truth_is_what_drawing_and_counting_finds(large: tuple[World, History]):
    moment, runs = 2, 500
    state, day = large[1].snapshots[moment], (c.TRUTH_AS_OFS[moment] - c.START).days
    eligible = ~state.won & (state.persona == c.BUYER)
    dealing = np.flatnonzero(eligible & (state.deal > process.NEVER))[:40]
    hot = np.flatnonzero(eligible & (state.deal == process.NEVER) & (state.heat > 2))[:80]
    rest = np.flatnonzero(eligible)[:120]
    for who in (dealing, hot, rest):
        probability, error = forward(state, who, day, default_rng(6), paths=64)
        variance = probability * (1 - probability) / runs + error**2
        difference = counted(state, who, day, runs) - probability
        assert abs(difference.sum()) < 3.5 * np.sqrt(variance.sum())
        assert (difference**2 / variance).mean() == pytest.approx(1.0, abs=4 * np.sqrt(2 / len(who)))


def test_more_paths_agree_within_the_error_that_fewer_state(large: tuple[World, History]):
    state, day = large[1].snapshots[1], (c.TRUTH_AS_OFS[1] - c.START).days
    who = np.flatnonzero(~state.won & (state.persona == c.BUYER))[:400]
    few, few_error = forward(state, who, day, default_rng(1), paths=16)
    many, many_error = forward(state, who, day, default_rng(2), paths=160)
    assert many_error.mean() < 0.45 * few_error.mean()
    assert abs((few - many).sum()) < 3.5 * np.sqrt((few_error**2 + many_error**2).sum())
    # With 16 skewed values the stated error is itself rough, hence the wide range.
    inside = np.abs(few - many) < 2 * np.hypot(few_error, many_error)
    assert 0.85 < inside.mean() <= 1


def test_the_file_has_the_eligible_at_each_as_of_with_a_small_error(demo: Demo, ask):
    found = pd.read_parquet(demo.truth)
    assert list(found.columns) == ["contact_id", "as_of", "probability", "standard_error"]
    assert str(found["as_of"].dtype) == "datetime64[us, UTC]"
    assert [str(day.date()) for day in found["as_of"].unique()] == [
        "2026-02-01",
        "2026-03-01",
        "2026-04-01",
        "2026-06-30",
    ]
    assert found["probability"].between(0, 1).all()
    assert np.sqrt((found["standard_error"] ** 2).mean()) < 0.012
    assert found["standard_error"].median() < 0.004
    for as_of, mine in found.groupby(found["as_of"].dt.tz_localize(None)):
        eligible = ask(
            f"""SELECT contact_id FROM contacts WHERE created_at <= TIMESTAMP '{as_of}'
            AND contact_id NOT IN (SELECT contact_id FROM deals WHERE is_won AND closed_at <= TIMESTAMP '{as_of}')
            AND contact_id NOT IN (SELECT object_id FROM changes WHERE attribute = 'marketing_status'
                AND value != 'marketing' AND changed_at <= TIMESTAMP '{as_of}') ORDER BY 1"""
        )
        assert list(mine["contact_id"]) == [contact for (contact,) in eligible]
