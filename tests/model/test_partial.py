import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from predictive.clock import DAY
from predictive.model.linear import fit_linear
from predictive.model.logistic import expit, fit_logistic, level_of
from predictive.model.partial import known_at, of_the_rest, share_closed

HORIZON = 60 * DAY


def followed(rows=6_000, seed=0):
    """Examples over 300 days; x makes closing likelier. Closes come sooner than later, but by proportional odds."""
    random = np.random.default_rng(seed)
    at = np.sort(random.integers(0, 300, rows)) * DAY
    x = random.normal(size=rows)
    z = -2.0 + x
    # P(closed by the share s of the horizon) = expit(z + log s): drawn by turning that around.
    u = random.random(rows)
    share = np.exp(np.log(u / (1 - u)) - z)
    label = share <= 1
    closed = at + np.ceil(share * HORIZON)
    return pd.DataFrame(
        {
            "as_of": at,
            "label": label.astype(int),
            "closed_at": np.where(label, closed, np.nan),
            "deal_id": [f"d{i}" if y else None for i, y in enumerate(label)],
            "x": x,
            "z": z,
        }
    )


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 400), st.integers(0, 20))
def test_what_is_known_at_an_instant_is_nothing_of_later(day, seed):
    frame, at = followed(300, seed), day * DAY
    later = frame.copy()
    unknown = ~(later["closed_at"] <= at)
    later.loc[unknown, ["closed_at", "label", "deal_id"]] = np.nan, 0, None
    left, right = (known_at(f, at, HORIZON) for f in (frame, later))
    pd.testing.assert_frame_equal(left, right, check_dtype=False)
    assert (left["as_of"] < at).all()
    assert (left["followed"] == np.minimum(HORIZON, at - left["as_of"])).all()
    assert (left["label"] == (left["closed_at"] <= at)).all()
    assert (left["offset"] <= 1e-9).all()


def test_the_share_closed_is_what_kaplan_and_meier_wrote():
    random = np.random.default_rng(2)
    time, closed = random.integers(1, 20, 80), random.random(80) < 0.4
    remaining, slow = 1.0, []
    for t in range(25):
        at_risk = (time >= t).sum()
        remaining *= 1 - (closed & (time == t)).sum() / at_risk if at_risk else 1
        slow.append(1 - remaining)
    np.testing.assert_allclose(share_closed(time, closed, np.arange(25)), slow)
    assert share_closed(time, np.zeros(80, dtype=bool), np.arange(3)).tolist() == [0, 0, 0]


def test_examples_that_are_not_over_make_the_fit_better_and_do_not_move_its_level():
    errors: dict[str, list[float]] = {"all": [], "mature": []}
    level = []
    for seed in range(10):
        frame = followed(3_000, seed)
        known = known_at(frame, 75 * DAY, HORIZON)  # most are followed for less than the horizon
        mature = known[known["followed"] == HORIZON]
        assert len(mature) < len(known) / 2
        for name, part in (("all", known), ("mature", mature)):
            X, label = part[["x"]].to_numpy(), part["label"].to_numpy(dtype=float)
            z = fit_linear(X, label, part["offset"].to_numpy(), strength=10.0).log_odds(frame[["x"]].to_numpy())
            errors[name].append(np.abs(expit(z) - expit(frame["z"])).mean())
            if name == "all":
                level.append(expit(z).mean() / expit(frame["z"]).mean())
    assert np.mean(level) == pytest.approx(1, abs=0.1)
    assert np.mean(errors["all"]) < 0.8 * np.mean(errors["mature"])


def test_the_rest_of_the_horizon_is_what_remains_once_it_has_not_closed_so_far():
    z, offset = np.array([-1.0, 0.3, 2.0]), np.array([-0.5, -2.0, 0.0])
    found = expit(of_the_rest(z, offset))
    so_far = expit(z + offset)
    np.testing.assert_allclose(found[:2], ((expit(z) - so_far) / (1 - so_far))[:2])
    assert found[2] == expit(z)[2]


@pytest.mark.parametrize("strength", [0.01, 1.0])
def test_without_offsets_it_is_scikit_learns_regression(strength):
    random = np.random.default_rng(1)
    X = random.normal(size=(500, 6))
    label = (random.random(500) < expit(X[:, 0] - 1)).astype(float)
    reference = LogisticRegression(C=strength, tol=1e-10, max_iter=10_000).fit(X, label)
    intercept, coef = fit_logistic(X, label, np.zeros(500), strength=strength)
    np.testing.assert_allclose([intercept, *coef], [*reference.intercept_, *reference.coef_[0]], atol=2e-4)


def test_an_offset_is_neither_shrunk_nor_fitted():
    random = np.random.default_rng(1)
    X, offset = random.normal(size=(20_000, 2)), random.normal(size=20_000)
    label = (random.random(20_000) < expit(X[:, 0] - 1 + offset)).astype(float)
    intercept, coef = fit_logistic(X, label, offset, strength=1e3)
    np.testing.assert_allclose([intercept, *coef], [-1, 1, 0], atol=0.07)
    assert expit(offset + level_of(label, offset)).sum() == pytest.approx(label.sum())
