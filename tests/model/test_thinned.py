"""Thinned examples: weights count like copies, and what was left out is put back."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predictive.clock import DAY
from predictive.features.catalog import attribute
from predictive.model import trees
from predictive.model.calibration import fit_platt
from predictive.model.folds import time_folds
from predictive.model.linear import fit_linear
from predictive.model.logistic import expit, level_of
from predictive.model.partial import known_at, share_closed
from predictive.model.side import Recipe, fit_side
from predictive.model.thinned import LUCK, WEIGHT, in_sample, sample, weigh, weight_of

HORIZON = 30 * DAY


def draw(rows=400, seed=0):
    random = np.random.default_rng(seed)
    X = np.column_stack([random.normal(size=rows), random.lognormal(1, 1, rows)])
    X[random.random(rows) < 0.2, 1] = np.nan
    label = (random.random(rows) < expit(X[:, 0] - 1)).astype(float)
    return X, label, random.normal(size=rows) / 4, random.integers(1, 4, rows)


def crowd(rows=60_000, seed=1):
    """Examples of which few close, over 300 days."""
    random = np.random.default_rng(seed)
    x = random.normal(size=rows)
    label = (random.random(rows) < expit(1.2 * x - 4)).astype(int)
    at = np.sort(random.integers(0, 300, rows)) * DAY
    closed = np.where(label == 1, at + random.integers(1, 30, rows) * DAY, np.nan)
    deal = [f"d{i}" if y else None for i, y in enumerate(label)]
    frame = {"as_of": at, "x": x, "label": label, "closed_at": closed, "deal_id": deal, LUCK: random.random(rows)}
    return pd.DataFrame(frame)


def kept(frame, share):
    return weigh(frame[(frame["label"] == 1) | (frame[LUCK] < share)].reset_index(drop=True), share)


def test_a_weight_of_two_counts_like_two_copies():
    X, label, offset, copies = draw()
    again = np.repeat(np.arange(len(X)), copies)
    weight = copies.astype(float)
    assert level_of(label, offset, weight) == pytest.approx(level_of(label[again], offset[again]))
    one, other = (
        fit_linear(X, label, offset, strength=0.1, weight=weight),
        fit_linear(X[again], label[again], offset[again], strength=0.1),
    )
    for name in ("intercept", "coef", "coef_missing", "mean", "scale", "shown"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), atol=1e-5)
    assert np.abs(one.coef).min() > 0.01
    bent = fit_platt(label, X[:, 0], offset, weight)
    assert bent.slope == pytest.approx(fit_platt(label[again], X[again, 0], offset[again]).slope, rel=1e-4)
    assert bent.slope != pytest.approx(fit_platt(label, X[:, 0], offset).slope, rel=1e-3)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 1_000))
def test_a_weighted_share_closed_is_that_of_copies(seed):
    random = np.random.default_rng(seed)
    time, closed, copies = random.integers(1, 20, 60), random.random(60) < 0.4, random.integers(1, 5, 60)
    again, at = np.repeat(np.arange(60), copies), np.arange(22)
    np.testing.assert_allclose(
        share_closed(time, closed, at, copies.astype(float)), share_closed(time[again], closed[again], at), atol=1e-12
    )


def test_trees_learn_with_the_weights():
    X, label, offset, copies = draw(3_000)
    X = np.clip(np.round(2 * X), -6, 6)  # few values, so that copies change no bins
    signs, again = np.zeros(2, dtype=int), np.repeat(np.arange(3_000), copies)
    shape = trees.Shape(min_data_in_leaf=1, feature_fraction=1.0, bagging_fraction=1.0)
    weighed = trees.Learned(X, label, offset, signs, copies.astype(float))
    found = trees.log_odds(trees.fit_trees(weighed, rounds=5, shape=shape, seed=1), X)
    copied = trees.Learned(X[again], label[again], offset[again], signs)
    expected = trees.log_odds(trees.fit_trees(copied, rounds=5, shape=shape, seed=1), X)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    plain = trees.log_odds(trees.fit_trees(trees.Learned(X, label, offset, signs), rounds=5, shape=shape, seed=1), X)
    assert np.abs(plain - expected).max() > 1e-3


@pytest.mark.parametrize("weight", [0.0, 0.5])
def test_a_model_of_thinned_examples_keeps_the_level_and_the_order(weight):
    whole = crowd()
    features, recipe = [attribute("x", kind="number")], Recipe(rounds=60, strength=1.0, weight=weight)
    full = fit_side(features, whole, recipe, seed=1).probability(whole)
    thin = fit_side(features, kept(whole, 0.1), recipe, seed=1).probability(whole)
    naive = kept(whole, 0.1).drop(columns=[WEIGHT, LUCK])
    assert full.mean() == pytest.approx(whole["label"].mean(), rel=0.02)
    assert thin.mean() == pytest.approx(full.mean(), rel=0.04)
    assert np.corrcoef(thin, full)[0, 1] > 0.98
    assert fit_side(features, naive, recipe, seed=1).probability(whole).mean() > 3 * full.mean()


def test_what_is_known_at_an_instant_and_the_folds_count_the_others_too():
    whole = crowd()
    thin = kept(whole, 0.1)
    at = 200 * DAY
    full, some = (known_at(frame, at, HORIZON) for frame in (whole, thin))
    assert weight_of(some).sum() == pytest.approx(len(full), rel=0.03)
    young = some["followed"] < HORIZON
    expected = full.groupby("followed")["offset"].first()
    found = some[young].groupby("followed")["offset"].first()
    np.testing.assert_allclose(found, expected.reindex(found.index), atol=0.25)
    for fold in time_folds(thin, HORIZON):
        judged = thin.iloc[fold.valid]
        assert in_sample(judged).all()
        base = whole[(whole["as_of"] >= judged["as_of"].min()) & (whole["as_of"] <= judged["as_of"].max())]
        assert judged["label"].mean() == pytest.approx(base["label"].mean(), rel=0.25)


def test_without_thinning_nothing_is_weighed():
    whole = crowd(100)
    assert weight_of(weigh(whole, 1.0)) is None
    pd.testing.assert_frame_equal(sample(weigh(whole, 1.0)), whole.drop(columns=LUCK))
