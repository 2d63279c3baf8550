from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from predictive.closerates.evidence import benjamini_hochberg, evidence, sample, scores, strata
from predictive.evaluation.clusters import simulated


def alone(labels, stratum):
    return sample(labels, stratum, range(len(labels)))


def by_enumeration(labels, stratum, having):
    """Twice the smaller tail over every way in which the closes of each stratum could have fallen."""
    rows = [np.flatnonzero(stratum == s) for s in np.unique(stratum)]
    ways = [list(combinations(mine, int(labels[mine].sum()))) for mine in rows]
    hits = [sum(having[i] for way in each for i in way) for each in product(*ways)]
    observed = (labels * having).sum()
    tails = [np.mean([h <= observed for h in hits]), np.mean([h >= observed for h in hits])]
    return min(1.0, 2 * min(tails))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 1), st.booleans()), min_size=2, max_size=11))
def test_the_chance_is_that_of_every_way_in_which_the_closes_could_have_fallen(rows):
    labels, stratum, having = (np.array(column) for column in zip(*rows, strict=True))
    if having.any():
        found = evidence(alone(labels, stratum), having)
        assert found.p == pytest.approx(by_enumeration(labels.astype(float), stratum, having))


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_is_where_a_score_test_of_the_rate_would_not_reject(counts):
    closed, n = counts
    labels = np.concatenate([np.ones(closed), np.zeros(n - closed)])
    found = evidence(alone(labels, np.zeros(n)), np.ones(n, dtype=bool))

    def beyond(rate):
        return (closed / n - rate) ** 2 - 1.959963984540054**2 * rate * (1 - rate) / n

    rate = closed / n
    assert found.rate == rate
    assert found.low == pytest.approx(0.0 if closed == 0 else brentq(beyond, 0.0, rate - 1e-9), abs=1e-9)
    assert found.high == pytest.approx(1.0 if closed == n else brentq(beyond, rate + 1e-9, 1.0), abs=1e-9)


@given(st.lists(st.floats(0, 1), max_size=12))
def test_adjusted_chances_are_the_rates_at_which_each_would_be_called_a_discovery(chances):
    found = benjamini_hochberg(chances)
    m = len(chances)
    slow = [min([1.0, *(m * q / sum(p <= q for p in chances) for q in chances if q >= chance)]) for chance in chances]
    assert found == pytest.approx(slow)


def test_who_had_longer_to_do_it_and_to_close_is_compared_with_contacts_as_old():
    random = np.random.default_rng(3)
    age = random.uniform(0, 1_000, 6_000)
    having = random.random(6_000) < age / 1_200
    labels = random.random(6_000) < age / 4_000
    frame = pd.DataFrame({"record_age_days": age, "as_of": 0})
    found = evidence(alone(labels, strata(frame)), having)
    naive = evidence(alone(labels, np.zeros(6_000)), having)
    assert naive.lift > 1.2
    assert naive.p < 1e-6
    assert found.lift == naive.lift
    assert found.adjusted_lift == pytest.approx(1.0, abs=0.05)
    assert found.p > 0.01


def test_colleagues_who_close_together_are_no_crowd_of_witnesses():
    random = np.random.default_rng(4)
    codes, p = np.repeat(np.arange(120), 5), np.full(600, 0.1)
    fooled = {"clusters": 0, "rows": 0}
    held = {"clusters": 0, "rows": 0}
    outcomes = simulated(p, codes, 0.9, seed=8, times=300)
    for labels in outcomes:
        having = (random.random(120) < 0.4)[codes]  # as of an attribute of the account
        for name, groups in (("clusters", codes), ("rows", np.arange(600))):
            found = evidence(sample(labels, np.zeros(600), groups), having)
            fooled[name] += found.p < 0.05
            held[name] += found.low <= 0.1 <= found.high
    assert fooled["clusters"] <= 0.08 * 300
    assert fooled["rows"] > 0.2 * 300
    assert held["clusters"] > 0.9 * 300
    assert held["rows"] < 0.8 * 300


def test_fast_scores_agree_with_exact_chances_and_say_which_way():
    random = np.random.default_rng(5)
    labels, stratum = random.random(3_000) < 0.1, random.integers(0, 4, 3_000)
    of = alone(labels, stratum)
    havings = [
        random.random(3_000) < 0.3,
        labels | (random.random(3_000) < 0.4),
        ~labels & (random.random(3_000) < 0.5),
    ]
    by_luck, more, fewer = scores(of, havings)
    assert abs(by_luck) < 3
    assert more > 10 > -10 > fewer
    assert (evidence(of, havings[0]).p < 0.05) == (abs(by_luck) > 1.96)


def test_very_many_closes_give_the_same_chance_as_the_exact_distribution():
    random = np.random.default_rng(6)
    labels, having = np.repeat([1, 0], [2_001, 4_000]), random.random(6_001) < 0.3
    normal = evidence(alone(labels, np.zeros(6_001)), having).p
    exact = evidence(alone(labels[1:], np.zeros(6_000)), having[1:]).p
    assert normal == pytest.approx(exact, rel=0.1)


def test_what_everybody_or_nobody_closed_with_tells_nothing():
    everybody = evidence(alone([1, 0, 0, 1], [0, 0, 1, 1]), np.ones(4, dtype=bool))
    assert (everybody.p, everybody.lift, everybody.adjusted_lift) == (1.0, 1.0, 1.0)
    nobody = evidence(alone([0, 0, 0, 0], [0] * 4), np.array([True, False, True, False]))
    assert nobody.p == 1.0
    assert np.isnan(nobody.lift)
