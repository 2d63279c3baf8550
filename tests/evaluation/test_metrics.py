import json
import math
import runpy
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from sklearn import metrics as sk
from sklearn.isotonic import IsotonicRegression

from predictive.evaluation import METRICS, gain_curve
from predictive.evaluation.tally import CLIP

HERE = Path(__file__).parent
GOLDEN = json.loads((HERE / "golden.json").read_text(encoding="utf-8"))

tied = st.sampled_from([0.0, 0.01, 0.1, 0.25, 0.5, 0.75, 1.0])
spread = st.floats(1e-9, 1 - 1e-9)
weight = st.sampled_from([0.0, 0.25, 1.0, 2.0, 7.5])


@st.composite
def samples(draw, probability=tied | spread, weights=weight, smallest=1):
    rows = draw(st.lists(st.tuples(st.sampled_from([0, 1]), probability, weights), min_size=smallest, max_size=40))
    labels, probabilities, w = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    assume(w.sum() > 0)
    return labels, probabilities, w


def both_classes(labels, w):
    return w[labels == 1].sum() > 0 and w[labels == 0].sum() > 0


@pytest.mark.parametrize("sample", GOLDEN["samples"], ids=["untied", "tied"])
@pytest.mark.parametrize("name", METRICS)
def test_metrics_have_their_golden_values(sample, name):
    found = METRICS[name](sample["labels"], sample["probabilities"], sample["weights"])
    assert found == pytest.approx(sample["expected"][name], rel=1e-8)


def test_the_golden_file_is_what_its_program_makes():
    again = runpy.run_path(str(HERE / "golden.py"))["recompute"]()
    for old, new in zip(GOLDEN["samples"], again["samples"], strict=True):
        assert old.pop("expected") == pytest.approx(new.pop("expected"), rel=1e-8)
        assert old == new
    assert GOLDEN["wilson"] == [pytest.approx(w, rel=1e-12) for w in again["wilson"]]
    assert GOLDEN["reliability"] == {k: pytest.approx(v, rel=1e-12) for k, v in again["reliability"].items()}


@settings(deadline=None)
@given(samples())
def test_metrics_agree_with_scikit_learn(sample):
    labels, p, w = sample
    clipped = np.clip(p, CLIP, 1 - CLIP)
    assert METRICS["log_loss"](labels, p, w) == pytest.approx(
        sk.log_loss(labels, clipped, sample_weight=w, labels=[0, 1]), rel=1e-9, abs=1e-12
    )
    assert METRICS["brier"](labels, p, w) == pytest.approx(
        sk.brier_score_loss(labels, p, sample_weight=w, pos_label=1), abs=1e-12
    )
    if both_classes(labels, w):
        assert METRICS["roc_auc"](labels, p, w) == pytest.approx(sk.roc_auc_score(labels, p, sample_weight=w))
    if w[labels == 1].sum() > 0:
        assert METRICS["average_precision"](labels, p, w) == pytest.approx(
            sk.average_precision_score(labels, p, sample_weight=w)
        )


@settings(deadline=None)
@given(samples())
def test_the_parts_of_the_brier_score_make_it_up_and_are_those_of_isotonic_regression(sample):
    labels, p, w = sample
    found = {name: METRICS[name](labels, p, w) for name in ("miscalibration", "discrimination", "uncertainty")}
    whole = found["miscalibration"] - found["discrimination"] + found["uncertainty"]
    assert METRICS["brier"](labels, p, w) == pytest.approx(whole, abs=1e-12)
    seen = w > 0
    fitted = IsotonicRegression().fit(p[seen], labels[seen], w[seen]).predict(p[seen])
    right = sk.brier_score_loss(labels[seen], np.clip(fitted, 0, 1), sample_weight=w[seen], pos_label=1)
    assert found["discrimination"] == pytest.approx(found["uncertainty"] - right, abs=1e-12)


@settings(deadline=None)
@given(samples(), st.floats(-3, 3))
def test_a_shift_of_the_log_odds_shifts_the_calibration_intercept_by_as_much(sample, shift):
    labels, p, w = sample
    p = np.clip(p, 1e-4, 1 - 1e-4)
    assume(both_classes(labels, w))
    shifted = 1 / (1 + np.exp(-(np.log(p / (1 - p)) + shift)))
    intercept = METRICS["calibration_intercept"]
    assert intercept(labels, shifted, w) == pytest.approx(intercept(labels, p, w) - shift, abs=1e-7)


@settings(deadline=None)
@given(samples(weights=st.sampled_from([0.0, 1.0, 2.0, 5.0])))
def test_a_weight_is_a_number_of_repetitions(sample):
    labels, p, w = sample
    times = w.astype(int)
    for metric in METRICS.values():
        repeated = metric(np.repeat(labels, times), np.repeat(p, times))
        assert metric(labels, p, w) == pytest.approx(repeated, rel=1e-6, abs=1e-12, nan_ok=True)


@settings(deadline=None)
@given(samples(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(sample, random):
    order = list(range(len(sample[0])))
    random.shuffle(order)
    for metric in METRICS.values():
        shuffled = metric(*(column[order] for column in sample))
        assert metric(*sample) == pytest.approx(shuffled, rel=1e-6, abs=1e-12, nan_ok=True)


@settings(deadline=None)
@given(samples(weights=st.just(1.0)))
def test_metrics_are_undefined_exactly_where_they_say(sample):
    labels, p, w = sample
    undefined = {name for name, metric in METRICS.items() if math.isnan(metric(labels, p, w))}
    closes, others = p[labels == 1], p[labels == 0]
    clipped = np.clip(closes, CLIP, 1 - CLIP), np.clip(others, CLIP, 1 - CLIP)
    expected = set()
    if len(closes) == 0:
        expected |= {"average_precision", "calibration_in_large"}
        expected |= {f"{name}_at_{share}" for name in ("lift", "gain") for share in (5, 10, 20)}
    if len(labels) <= 10:
        expected |= {"calibration_error_debiased"}
    if len(closes) == 0 or len(others) == 0:
        expected |= {"roc_auc", "calibration_slope", "calibration_intercept"}
    elif clipped[0].min() >= clipped[1].max() or clipped[1].min() >= clipped[0].max():
        expected |= {"calibration_slope"}
    assert undefined == expected


@pytest.mark.parametrize("name", METRICS)
def test_nothing_is_measured_on_nothing(name):
    assert math.isnan(METRICS[name]([], []))
    assert math.isnan(METRICS[name]([0, 1], [0.2, 0.8], [0, 0]))


@settings(deadline=None)
@given(st.integers(1, 30), st.integers(1, 30))
def test_a_constant_at_the_base_rate_scores_what_theory_says(closes, others):
    rate = closes / (closes + others)
    labels, p = np.repeat([1, 0], [closes, others]), np.full(closes + others, rate)
    found = {name: metric(labels, p) for name, metric in METRICS.items()}
    # Its ten bins hold what order leaves in them; only their noise is left out.
    del found["calibration_error_debiased"]
    assert found == pytest.approx(
        {
            "log_loss": -rate * math.log(rate) - (1 - rate) * math.log(1 - rate),
            "brier": rate * (1 - rate),
            "roc_auc": 0.5,
            "average_precision": rate,
            **dict.fromkeys(("lift_at_5", "lift_at_10", "lift_at_20"), 1),
            "gain_at_5": 0.05,
            "gain_at_10": 0.1,
            "gain_at_20": 0.2,
            "miscalibration": 0,
            "discrimination": 0,
            "uncertainty": rate * (1 - rate),
            "calibration_intercept": 0,
            "calibration_in_large": 1,
            "calibration_slope": math.nan,
            "calibration_error": 0,
        },
        abs=1e-12,
        nan_ok=True,
    )


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from([0, 1]), st.sampled_from([0.1, 0.2, 0.3])), min_size=20, max_size=20))
def test_a_cut_through_ties_counts_the_mean_over_all_ways_of_breaking_them(rows):
    labels, p = np.array(rows).T

    def mean_share_in_top_two(labels, p):
        pairs = [list(t) for t in combinations(range(len(p)), 2)]
        tops = [t for t in pairs if min(p[t]) >= max(np.delete(p, t))]  # what some order of tied rows puts on top
        return np.mean([labels[t].sum() for t in tops]) / labels.sum()

    assume(labels[:10].any())
    assert METRICS["lift_at_10"](labels, p) == pytest.approx(mean_share_in_top_two(labels, p) / 0.1)
    assert METRICS["gain_at_20"](labels[:10], p[:10]) == pytest.approx(mean_share_in_top_two(labels[:10], p[:10]))


def is_the_maximum(slope, labels, p, w):
    """Whether no slope a little to either side fits better, each with its best intercept."""
    x = np.log(p / (1 - p))

    def misfit(b):
        def loss(a):
            return float((w * (np.logaddexp(0, a + b * x) - labels * (a + b * x))).sum())

        return minimize_scalar(loss, bounds=(-300, 300), method="bounded", options={"xatol": 1e-9}).fun

    return misfit(slope) <= min(misfit(slope - 0.01), misfit(slope + 0.01))


@settings(max_examples=50, deadline=None)
@given(samples(probability=st.floats(0.001, 0.999), smallest=8))
def test_the_calibration_slope_maximises_the_likelihood(sample):
    labels, p, w = sample
    slope = METRICS["calibration_slope"](labels, p, w)
    assume(not math.isnan(slope) and abs(slope) < 20)
    assert is_the_maximum(slope, labels, p, w)


def test_the_calibration_slope_is_found_where_newtons_full_steps_run_away():
    labels, p = np.array([0, 1, 1, 1, 0, 1]), np.array([0.05, 1e-9, 0.5, 0.5, 0.05, 1e-9])
    w = np.array([0.01, 0.01, 1, 1, 1, 100])
    assert is_the_maximum(METRICS["calibration_slope"](labels, p, w), labels, p, w)


@settings(deadline=None)
@given(samples(probability=st.floats(0.01, 0.99)), st.floats(0.3, 2), st.floats(-2, 2))
def test_stretching_the_log_odds_divides_the_calibration_slope(sample, stretch, shift):
    labels, p, w = sample
    slope = METRICS["calibration_slope"](labels, p, w)
    stretched = 1 / (1 + np.exp(-(stretch * np.log(p / (1 - p)) + shift)))
    assume(len(np.unique(stretched)) == len(np.unique(p)))
    assert METRICS["calibration_slope"](labels, stretched, w) == pytest.approx(
        slope / stretch, rel=1e-4, abs=1e-6, nan_ok=True
    )


def test_a_sure_miss_costs_what_clipping_allows():
    assert METRICS["log_loss"]([1], [0.0]) == pytest.approx(-math.log(1e-15))
    assert METRICS["log_loss"]([0], [1.0]) == pytest.approx(-math.log(1e-15), rel=1e-2)  # 1 - 1e-15 is rounded


@settings(deadline=None)
@given(samples(weights=st.just(1.0)))
def test_the_gain_curve_rises_from_nothing_to_everything(sample):
    labels, p, _ = sample
    points = gain_curve(labels, p)
    if labels.sum() == 0:
        assert points == ()
        return
    worked, found = np.array(points).T
    assert worked.tolist() == [i / 100 for i in range(101)]
    assert (found[0], found[-1]) == (0, 1)
    assert (np.diff(found) >= -1e-12).all()
    assert found[20] == pytest.approx(METRICS["gain_at_20"](labels, p))
    assert found[10] == pytest.approx(METRICS["lift_at_10"](labels, p) / 10)


@pytest.mark.parametrize(
    ("labels", "probabilities", "weights", "message"),
    [
        ([0, 2], [0.1, 0.2], None, r"labels: row 1 is 2\.0; allowed are 0 or 1"),
        ([0, 1], [0.1, math.nan], None, r"probabilities: row 1 is nan; allowed are numbers from 0 to 1"),
        ([0, 1], [-0.1, 0.2], None, r"probabilities: row 0 is -0\.1"),
        ([0, 1], [0.1], None, r"labels \(2,\) and probabilities \(1,\)"),
        ([0, 1], [0.1, 0.2], [1, -1], r"weights: row 1 is -1\.0"),
        ([0, 1], [0.1, 0.2], [1], r"weights have the shape \(1,\), but there are 2 examples"),
    ],
)
def test_input_that_means_nothing_is_refused_with_its_row(labels, probabilities, weights, message):
    with pytest.raises(ValueError, match=message):
        METRICS["brier"](labels, probabilities, weights)
