import numpy as np
import pytest
from model_diagnostics.calibration import plot_reliability_diagram
from sklearn.isotonic import IsotonicRegression

from predictive.evaluation import corp_curve, evaluate
from predictive.evaluation.clusters import likeness, simulated, variance


def clustered(clusters, size, *, alike, seed, bend=1.0):
    """Labels, stated probabilities and cluster ids; the true log-odds are `bend` times the stated ones."""
    rng = np.random.default_rng(seed)
    logits = np.repeat(rng.normal(-1.5, 0.8, clusters), size) + rng.normal(0, 0.8, clusters * size)
    codes = np.repeat(np.arange(clusters), size)
    truth = 1 / (1 + np.exp(-bend * logits))
    (labels,) = simulated(truth, codes, alike, seed=seed + 1, times=1)
    return labels, 1 / (1 + np.exp(-logits)), codes


def test_the_curve_is_isotonic_regression_and_what_model_diagnostics_draws():
    labels, p, codes = clustered(200, 2, alike=0.0, seed=1)
    found = corp_curve(labels, p, groups=codes, seed=7)
    fitted = IsotonicRegression().fit(p, labels)
    x, y = np.array([(point.predicted, point.actual) for point in found]).T
    assert y == pytest.approx(fitted.predict(x), abs=1e-9)
    drawn = plot_reliability_diagram(y_obs=labels, y_pred=p, n_bootstrap=None).get_lines()[-1].get_xydata()
    assert y == pytest.approx(np.interp(x, *drawn.T), abs=1e-9)
    assert (x[0], x[-1]) == (p.min(), p.max())
    assert all(0 <= point.low <= point.high <= 1 for point in found)


@pytest.mark.parametrize("alike", [0.0, 0.8])
def test_the_band_holds_calibrated_curves_95_times_in_100_and_shows_bent_ones(alike):
    outside = {1.0: [], 2.0: []}
    for bend, shares in outside.items():
        for trial in range(30):
            labels, p, codes = clustered(150, 4, alike=alike, seed=100 * trial, bend=bend)
            found = corp_curve(labels, p, groups=codes, seed=trial, simulations=100)
            shares.append(np.mean([not point.low <= point.actual <= point.high for point in found]))
    assert np.mean(outside[1.0]) < 0.09
    assert np.mean(outside[2.0]) > 0.3


def test_a_band_that_ignores_clusters_is_too_narrow():
    labels, p, codes = clustered(400, 5, alike=0.9, seed=3)
    width = {}
    for name, groups in (("clusters", codes), ("rows", np.arange(len(p)))):
        width[name] = np.mean([point.high - point.low for point in corp_curve(labels, p, groups=groups, seed=7)])
    assert width["clusters"] > 1.1 * width["rows"]


@pytest.mark.parametrize("alike", [0.0, 0.3, 0.9])
def test_likeness_is_found_again_and_tells_the_variance_of_the_closes(alike):
    _, p, codes = clustered(2_000, 4, alike=0, seed=4)
    draws = list(simulated(p, codes, alike, seed=5, times=300))
    assert np.mean([likeness(y, p, codes) for y in draws[:20]]) == pytest.approx(alike, abs=0.03)
    assert np.mean(draws, axis=0) == pytest.approx(p, abs=0.12)
    assert np.var([y.sum() for y in draws]) == pytest.approx(variance(p, codes, alike), rel=0.25)


def test_pairs_in_a_cluster_covary_as_the_formula_says():
    p, codes = np.array([0.2, 0.5, 0.9, 0.4]), np.array([1, 0, 1, 1])
    slow = sum(min(p[i], p[j]) - p[i] * p[j] for i in (0, 2, 3) for j in (0, 2, 3) if i != j)
    assert variance(p, codes, 1.0) - variance(p, codes, 0.0) == pytest.approx(slow)


def test_the_debiased_error_is_near_the_truth_where_the_plain_one_is_all_noise():
    plain, debiased, low = [], [], []
    for trial in range(30):
        labels, p, codes = clustered(150, 4, alike=0.8, seed=trial)
        found = evaluate(labels, p, groups=codes, seed=trial, replicates=100, n_jobs=1).values
        plain.append(found["calibration_error"].value)
        debiased.append(found["calibration_error_debiased"].value)
        low.append(found["calibration_error_debiased"].low)
    assert np.mean(debiased) < 0.6 * np.mean(plain)
    assert np.mean(np.array(low) == 0) > 0.9
    labels, p, codes = clustered(5_000, 4, alike=0.8, seed=1, bend=2.0)
    bent = evaluate(labels, p, groups=codes, seed=1, replicates=100).values["calibration_error_debiased"]
    assert 0 < bent.low < bent.value < bent.high


def test_the_interval_of_a_part_of_the_brier_score_holds_its_truth():
    """With a calibrated forecast the miscalibration is 0 and the discrimination is the variance of the truth."""
    held = {"miscalibration": 0, "discrimination": 0}
    for trial in range(25):
        labels, p, codes = clustered(400, 2, alike=0.5, seed=trial)
        truth = {"miscalibration": 0.0, "discrimination": 0.0305}
        found = evaluate(labels, p, groups=codes, seed=trial, replicates=100, n_jobs=1).values
        for name, value in truth.items():
            held[name] += found[name].low <= value <= found[name].high
    assert held["miscalibration"] >= 23
    assert held["discrimination"] >= 22
