import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control, poisson

from predictive.evaluation.clusters import likeness, simulated
from predictive.evaluation.counts import count, holm, poisson_interval


@pytest.mark.parametrize("k", [0, 1, 5, 40])
def test_the_interval_of_a_poisson_number_is_the_one_that_tests_of_it_give(k):
    low, high = poisson_interval(k)
    assert poisson.cdf(k, high) == pytest.approx(0.025)
    assert k == 0 or poisson.sf(k - 1, low) == pytest.approx(0.025)


def test_intervals_hold_and_luck_is_fair_with_clusters_and_unfair_without():
    rng, outcomes = np.random.default_rng(1), {"clusters": [], "rows": []}
    codes = np.repeat(np.arange(150), 4)
    for trial in range(200):
        p = 1 / (1 + np.exp(-np.repeat(rng.normal(-3, 1, 150), 4)))
        (y,) = simulated(p, codes, 0.8, seed=trial, times=1)
        for name, groups in (("clusters", codes), ("rows", np.arange(600))):
            alike = likeness(y, p, codes) if name == "clusters" else 0.0
            found = count(y, p, groups, alike=alike, closes=0)
            high = np.inf if np.isnan(found.ratio.high) else found.ratio.high
            outcomes[name].append((found.ratio.low <= 1 <= high, found.luck < 0.05))
    held, fooled = np.mean(outcomes["clusters"], axis=0)
    assert held > 0.9
    assert fooled < 0.1
    assert np.mean(outcomes["rows"], axis=0)[1] > 1.5 * fooled


def test_no_close_at_all_is_no_proof_unless_many_were_predicted():
    few, many = (count(np.zeros(n), np.full(n, 0.01), np.arange(n), alike=0.0, closes=0) for n in (100, 1_000))
    assert few.luck > 0.3
    assert many.luck < 0.001
    assert many.ratio.low > 1
    assert np.isnan(many.ratio.value)
    assert many.as_dict()["ratio"]["high"] is None


@given(st.lists(st.floats(1e-6, 1), min_size=1, max_size=20))
def test_holm_lies_between_the_chances_and_bonferroni_and_keeps_their_order(chances):
    found = holm(chances)
    by_size = np.array(found)[np.argsort(chances, kind="stable")]
    assert (np.diff(by_size) >= 0).all()
    assert all(c <= f <= min(1, c * len(chances)) for c, f in zip(chances, found, strict=True))
    assert (np.array(found) >= false_discovery_control(chances) - 1e-12).all()
