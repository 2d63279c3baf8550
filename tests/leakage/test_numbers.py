import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from predictive.leakage.numbers import chance, folds_of, ratio, separation, target_scores, together, wilson


def slow(score, won, cohort):
    """The ROC-AUC within cohorts, pair by pair: per winner the share of others of its cohort that it is above."""
    places = []
    for i in np.flatnonzero(won):
        others = score[(cohort == cohort[i]) & ~won]
        if len(others):
            places.append(np.mean((score[i] > others) + 0.5 * (score[i] == others)))
    return np.mean(places) if places else 0.5


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.booleans(), st.integers(0, 2)), min_size=2, max_size=40))
def test_the_separation_within_cohorts_is_that_of_all_pairs(rows):
    score, won, cohort = (np.array(column) for column in zip(*rows, strict=True))
    found = separation(score.astype(float), won, cohort, z=2.0)
    assert found.value == pytest.approx(slow(score, won, cohort))
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_in_one_cohort_the_separation_is_the_usual_one():
    random = np.random.default_rng(0)
    won = random.random(500) < 0.3
    score = random.normal(0, 1, 500).round(1) + won
    found = separation(score, won, np.zeros(500, dtype=np.int64), z=1.0)
    assert found.value == pytest.approx(roc_auc_score(won, score))


def test_the_error_of_a_separation_is_that_of_repeated_draws():
    values, errors = [], []
    for seed in range(300):
        random = np.random.default_rng(seed)
        won = random.random(400) < 0.2
        found = separation(random.normal(0, 1, 400) + 1.2 * won, won, np.arange(400) // 100, z=1.0)
        values.append(found.value)
        errors.append(found.value - found.low)
    # Never below the error without separation, so somewhat too large.
    assert np.std(values) <= np.mean(errors) <= 1.6 * np.std(values)


def test_three_contacts_in_order_by_luck_separate_nothing():
    score = np.arange(30.0)
    found = separation(score, score > 26, np.zeros(30, dtype=np.int64), z=2.33)
    assert found.value == 1
    assert found.low < 0.7


def test_levels_that_know_nothing_score_nothing_and_a_row_does_not_see_itself():
    random = np.random.default_rng(1)
    won = random.random(2_000) < 0.2
    residual, fold = won - won.mean(), folds_of(2_000)
    unique = target_scores(np.arange(2_000), residual, fold)
    assert not unique.any()
    noise = target_scores(random.integers(0, 300, 2_000), residual, fold)
    assert abs(roc_auc_score(won, noise) - 0.5) < 0.06
    telling = target_scores((won ^ (random.random(2_000) < 0.1)).astype(np.int64), residual, fold)
    assert roc_auc_score(won, telling) > 0.85


def test_a_hundred_columns_that_know_nothing_reach_nothing_together():
    random = np.random.default_rng(2)
    won = random.random(1_500) < 0.1
    residual, fold = won - won.mean(), folds_of(1_500)
    scores = [target_scores(random.integers(0, 16, 1_500), residual, fold) for _ in range(100)]
    assert roc_auc_score(won, together(np.column_stack(scores), residual, fold)) < 0.6
    half = [target_scores((won ^ (random.random(1_500) < 0.3)).astype(np.int64), residual, fold) for _ in range(3)]
    alone = roc_auc_score(won, half[0])
    assert roc_auc_score(won, together(np.column_stack([*scores, *half]), residual, fold)) > alone + 0.03


def test_bounds_are_those_of_the_textbooks():
    # 81 of 263: method 3 of Newcombe (1998), Two-sided confidence intervals for the single proportion, table I.
    found = wilson(81, 263)
    assert (round(found.low, 4), round(found.high, 4)) == (0.2553, 0.3662)
    assert wilson(0, 0) == wilson(0, 0, z=5)
    one = ratio(10, 20, 10, 20, z=1.96)
    assert one.value == 1
    assert one.low * one.high == pytest.approx(1)
    assert chance(3, 3, 0.5) == pytest.approx(0.125)
    assert chance(5, 10, 0.5) == 1
    assert chance(0, 0, 0.5) == 1
