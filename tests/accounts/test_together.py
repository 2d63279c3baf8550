import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictive.accounts.together import FEWEST_CLOSES, at_least_one, bounds, measure

CHANCES = st.lists(st.floats(0, 1), min_size=1, max_size=6)
THETA = st.floats(0.02, 1)


def one(values, theta=1.0):
    p = np.array(values, dtype=float)
    return at_least_one(p, np.zeros(len(p), dtype=np.intp), theta)[0]


@given(CHANCES, THETA)
def test_the_chance_lies_between_the_bounds_and_below_independence(values, theta):
    least, most = (b[0] for b in bounds(np.array(values), np.zeros(len(values), dtype=np.intp)))
    chance = one(values, theta)
    assert least == max(values)
    assert most == min(1, sum(values))
    assert least - 1e-9 <= chance <= one(values) + 1e-9 <= most + 2e-9


@given(st.lists(st.floats(0, 1), min_size=1, max_size=4))
def test_independence_is_what_counting_every_outcome_gives(values):
    total = sum(
        math.prod(p if hit else 1 - p for p, hit in zip(values, hits, strict=True))
        for hits in itertools.product([0, 1], repeat=len(values))
        if any(hits)
    )
    assert one(values) == pytest.approx(total, abs=1e-9)


def test_accounts_are_kept_apart_and_none_is_no_account():
    p, codes = np.array([0.5, 0.1, 0.5, 0.0]), np.array([1, 0, 1, 2])
    assert at_least_one(p, codes).round(9).tolist() == [0.1, 0.75, 0.0]
    assert at_least_one(np.array([]), np.array([], dtype=np.intp)).tolist() == []


def matured(theta, accounts, seed):
    """Outcomes whose contacts share a positive stable frailty (Chambers, Mallows and Stuck 1976), three an account."""
    rng = np.random.default_rng(seed)
    p = rng.beta(1, 6, (accounts, 3))
    hazard = (-np.log1p(-p)) ** (1 / theta)
    if theta < 1:
        u, w = rng.uniform(0, np.pi, accounts), rng.exponential(1, accounts)
        shape = (1 - theta) / theta
        frailty = np.sin(theta * u) / np.sin(u) ** (1 / theta) * (np.sin((1 - theta) * u) / w) ** shape
    else:
        frailty = np.ones(accounts)
    label = rng.random((accounts, 3)) < -np.expm1(-frailty[:, None] * hazard)
    names = np.repeat([f"A{i}" for i in range(accounts)], 3)
    return pd.DataFrame({"account": names, "probability": p.ravel(), "label": label.ravel().astype(int)})


@pytest.mark.parametrize("theta", [0.3, 0.6, 1.0])
def test_the_likeness_of_colleagues_is_found_again(theta):
    found = [measure(matured(theta, 2_000, seed)) for seed in range(8)]
    assert np.mean([f.theta for f in found]) == pytest.approx(theta, abs=0.06)
    assert sum(f.low - 0.011 <= theta <= f.high + 0.011 for f in found) >= 7
    assert all(f.accounts == 2_000 and f.level == pytest.approx(1, abs=0.15) for f in found)


def test_a_level_that_is_off_is_not_taken_for_dependence():
    rows = matured(1.0, 4_000, 1)
    halved = measure(rows.assign(probability=rows["probability"] / 2))
    assert halved.level == pytest.approx(2, abs=0.1)
    assert halved.theta > 0.85


def test_few_closes_and_single_contacts_tell_nothing():
    rows = matured(1.0, 2_000, 1)
    assert measure(rows.drop_duplicates("account")).unknown.startswith("0 past accounts")
    closed = rows[rows.groupby("account")["label"].transform("max") == 1]
    few = closed[closed["account"].isin(closed["account"].unique()[: FEWEST_CLOSES - 1])]
    assert measure(few).theta is None
    assert measure(few).closed == FEWEST_CLOSES - 1
    assert measure(rows.iloc[:0]).accounts == 0
