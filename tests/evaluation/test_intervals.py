import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import bootstrap

from predictive.evaluation import METRICS, evaluate, reliability, wilson
from predictive.evaluation.intervals import percentiles, resampled

GOLDEN = json.loads(Path(__file__).with_name("golden.json").read_text(encoding="utf-8"))


def sample(n, seed, rate=-1.5):
    rng = np.random.default_rng(seed)
    p = 1 / (1 + np.exp(-rng.normal(rate, 1.2, n)))
    return (rng.random(n) < p).astype(float), p


def widths(evaluation):
    return {name: e.high - e.low for name, e in evaluation.values.items()}


def test_values_are_those_of_the_metrics():
    labels, p = sample(200, 1)
    w = np.arange(200) % 3
    found = evaluate(labels, p, groups=np.arange(200), seed=7, replicates=20, weights=w)
    assert {name: e.value for name, e in found.values.items()} == {
        name: metric(labels, p, w) for name, metric in METRICS.items()
    }
    assert (found.n, found.closes) == (200, labels.sum())
    assert found.base_rate == pytest.approx(np.average(labels, weights=w))


def test_weights_multiply_the_resamples():
    labels, p = sample(200, 9)
    w = np.arange(200) % 4 + 1
    weighted = evaluate(labels, p, groups=np.arange(200), seed=7, replicates=40, weights=w)
    rows = np.repeat(np.arange(200), w)
    repeated = evaluate(labels[rows], p[rows], groups=rows, seed=7, replicates=40)
    for name, e in weighted.values.items():
        assert e.as_dict() == pytest.approx(repeated.values[name].as_dict(), rel=1e-6, abs=1e-12)


def test_a_seed_gives_the_same_numbers_whatever_the_threads():
    labels, p = sample(300, 2)
    groups = [f"account {i // 2}" for i in range(300)]
    one, two, all_cores, other = (
        evaluate(labels, p, groups=groups, seed=seed, replicates=45, n_jobs=n_jobs)
        for seed, n_jobs in ((0, 1), (0, 2), (0, -1), (1, 1))
    )
    assert one == two == all_cores
    assert one.values != other.values


def test_intervals_do_not_depend_on_the_order_of_rows():
    labels, p = sample(300, 3)
    groups = np.arange(300) // 2
    order = np.random.default_rng(0).permutation(300)
    straight = evaluate(labels, p, groups=groups, seed=7, replicates=40)
    shuffled = evaluate(labels[order], p[order], groups=groups[order], seed=7, replicates=40)
    for name, e in straight.values.items():
        assert e.as_dict() == pytest.approx(shuffled.values[name].as_dict(), rel=1e-9, abs=1e-12)


def test_copies_in_one_cluster_add_no_certainty_and_copies_taken_apart_pretend_to():
    labels, p = sample(300, 4)
    ids = np.arange(300)
    once = evaluate(labels, p, groups=ids, seed=7)
    copies = [np.repeat(a, 4) for a in (labels, p, ids)]
    clustered = evaluate(copies[0], copies[1], groups=copies[2], seed=7)
    naive = evaluate(copies[0], copies[1], groups=np.arange(1200), seed=7)
    assert clustered.closes == once.closes
    assert widths(clustered) == pytest.approx(widths(once), rel=1e-6)
    for name in ("log_loss", "brier", "roc_auc", "calibration_in_large", "calibration_slope"):
        # Four times the rows halve an interval.
        assert widths(naive)[name] == pytest.approx(widths(once)[name] / 2, rel=0.25)


def test_intervals_are_those_of_scipy_where_every_row_is_its_own_cluster():
    labels, p = sample(400, 5)
    found = evaluate(labels, p, groups=np.arange(400), seed=7, replicates=2000).values["brier"]
    losses = ((labels - p) ** 2,)
    rng = np.random.default_rng(0)
    theirs = bootstrap(losses, np.mean, method="percentile", n_resamples=2000, rng=rng).confidence_interval
    width = theirs.high - theirs.low
    assert found.low == pytest.approx(theirs.low, abs=0.08 * width)
    assert found.high == pytest.approx(theirs.high, abs=0.08 * width)


def test_clustered_intervals_hold_the_truth_about_95_times_in_100_and_naive_ones_do_not():
    rng = np.random.default_rng(6)
    held = {"clustered": 0, "naive": 0}
    clusters, size, trials, rate = 60, 5, 200, 0.3
    codes = np.repeat(np.arange(clusters), size)
    for trial in range(trials):
        labels = np.repeat(rng.random(clusters) < rate, size) ^ (rng.random(clusters * size) < 0.05)
        truth = rate * 0.95 + (1 - rate) * 0.05
        for name, groups in (("clustered", codes), ("naive", np.arange(clusters * size))):
            draws = resampled(
                lambda w, labels=labels: np.array([(w * labels).sum() / w.sum()]),
                codes=groups,
                seed=trial,
                replicates=200,
                weights=np.ones(len(codes)),
                n_jobs=1,
            )
            low, high = percentiles(draws[:, 0], (0.025, 0.975))
            held[name] += low <= truth <= high
    assert 0.90 <= held["clustered"] / trials <= 0.985
    assert held["naive"] / trials < 0.75


def test_the_calibration_error_of_calibrated_probabilities_may_be_0():
    def error(labels, p, trial):
        groups = np.arange(len(p))
        found = evaluate(labels, p, groups=groups, seed=trial, replicates=60, n_jobs=1).values["calibration_error"]
        assert 0 <= found.low <= found.value <= found.high
        return found

    trials = [sample(300, 100 + trial) for trial in range(40)]
    may_be_0 = [error(labels, p, trial).low == 0 for trial, (labels, p) in enumerate(trials)]
    assert np.mean(may_be_0) >= 0.85
    assert error(trials[0][0], trials[0][1] ** 3, 0).low > 0


def test_too_few_closes_give_a_value_but_no_interval():
    labels, p = np.repeat([1, 0], [2, 98]), np.linspace(0.9, 0.1, 100)
    found = evaluate(labels, p, groups=np.arange(100), seed=7)
    assert found.values["roc_auc"].value == 1
    assert math.isnan(found.values["roc_auc"].low)
    assert found.values["brier"].low < found.values["brier"].value < found.values["brier"].high
    assert found.as_dict()["values"]["roc_auc"] == {"value": 1.0, "low": None, "high": None}


@pytest.mark.parametrize("rows", [0, 1, 5])
def test_results_are_json_even_where_nothing_is_defined(rows):
    labels, p, groups = np.zeros(rows), np.full(rows, 0.1), np.arange(rows)
    found = evaluate(labels, p, groups=groups, seed=7, replicates=5).as_dict()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["values"]["roc_auc"] == {"value": None, "low": None, "high": None}
    assert sum(b.n for b in reliability(labels, p, groups=groups, seed=7)) == rows


def test_closes_are_deals_as_told_or_else_clusters_and_never_rows():
    labels, p = [1, 1, 1, 0, 0, 0], [0.5, 0.4, 0.3, 0.2, 0.6, 0.1]
    groups = ["a", "a", "a", "b", "c", "d"]
    assert evaluate(labels, p, groups=groups, seed=7, replicates=5).closes == 1
    assert evaluate(labels, p, groups=groups, seed=7, replicates=5, closes=0).closes == 0


@pytest.mark.parametrize("missing", [None, math.nan, pd.NA])
def test_an_example_without_a_cluster_is_refused_with_its_row(missing):
    with pytest.raises(ValueError, match="groups: row 1 has no id"):
        evaluate([0, 1], [0.1, 0.2], groups=np.array(["a", missing], dtype=object), seed=7)
    with pytest.raises(ValueError, match=r"groups have the shape \(1,\), but there are 2 examples"):
        evaluate([0, 1], [0.1, 0.2], groups=["a"], seed=7)


def test_bins_are_those_of_scikit_learn():
    untied = GOLDEN["samples"][0]
    bins = reliability(untied["labels"], untied["probabilities"], groups=np.arange(200), seed=7)
    assert [b.n for b in bins] == [20] * 10
    assert [b.actual for b in bins] == pytest.approx(GOLDEN["reliability"]["actual"])
    assert [b.predicted for b in bins] == pytest.approx(GOLDEN["reliability"]["predicted"])


def test_bins_of_independent_rows_have_wilson_intervals_and_clusters_widen_them():
    labels, p = sample(600, 8, rate=-3.0)
    alone = reliability(labels, p, groups=np.arange(600), seed=7)
    assert [(b.low, b.high) for b in alone] == [wilson(b.actual, b.n) for b in alone]
    four = reliability(*(np.repeat(a, 4) for a in (labels, p)), groups=np.repeat(np.arange(600), 4), seed=7)
    for one, many in zip(alone, four, strict=True):
        assert (many.n, many.closes) == (4 * one.n, one.closes)
        assert many.high - many.low == pytest.approx(one.high - one.low, rel=0.15)
    assert any(b.closes == 0 for b in alone)
    assert all(b.high > 0 and b.low <= b.actual <= b.high for b in (*alone, *four))


def test_tied_examples_share_a_bin():
    p = np.repeat([0.1, 0.2, 0.3], [70, 20, 10])
    bins = reliability(np.arange(100) % 2, p, groups=np.arange(100), seed=7)
    assert [b.n for b in bins] == [70, 20, 10]
    assert [b.predicted for b in bins] == pytest.approx([0.1, 0.2, 0.3])


@pytest.mark.parametrize("every", [3, 5, 6, 7])
def test_a_bin_of_one_cluster_says_nearly_nothing(every):
    labels = np.tile(np.arange(every) == 0, 60).astype(float)
    p = np.repeat([0.4, 0.5], 30 * every)
    lower, _ = reliability(labels, p, groups=np.where(p == 0.4, -1, np.arange(60 * every)), seed=7)
    assert (lower.low, lower.high) == wilson(lower.actual, 1)


def test_clusters_that_balance_themselves_are_not_worth_more_than_their_rows():
    (only,) = reliability([0, 1] * 50, np.full(100, 0.5), groups=np.arange(100) // 4, seed=7)
    assert (only.low, only.high) == wilson(0.5, 25)
    labels = np.array([0, 1] * 49 + [1, 1])
    (only,) = reliability(labels, np.full(100, 0.5), groups=np.arange(100) // 2, seed=7)
    assert (only.low, only.high) == wilson(0.51, 100)


@pytest.mark.parametrize("case", GOLDEN["wilson"])
def test_wilson_intervals_are_those_of_scipy(case):
    assert wilson(case["closes"] / case["n"], case["n"]) == pytest.approx((case["low"], case["high"]), abs=1e-12)
