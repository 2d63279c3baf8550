import json
import math

import numpy as np
import pytest

from predictive.evaluation import METRICS, Estimate, compare, evaluate


def competitors(n, seed, noise=1.0):
    rng = np.random.default_rng(seed)
    logits = rng.normal(-2, 1.3, n)
    p = 1 / (1 + np.exp(-logits))
    worse = 1 / (1 + np.exp(-(logits + noise * rng.normal(size=n))))
    return (rng.random(n) < p).astype(float), {"model": p, "logistic": worse, "rules": np.round(worse, 1)}


def run(labels, probabilities, **options):
    return compare(labels, probabilities, groups=np.arange(len(labels)) // 2, seed=7, replicates=100, **options)


def test_each_competitor_is_evaluated_as_if_alone():
    labels, p = competitors(300, 1)
    found = run(labels, p, n_jobs=2)
    groups = np.arange(300) // 2
    assert found.evaluations == {
        name: evaluate(labels, x, groups=groups, seed=7, replicates=100) for name, x in p.items()
    }
    assert found == run(labels, p, n_jobs=1)


def test_advantages_are_differences_and_change_sides():
    labels, p = competitors(300, 2)
    found = run(labels, p)
    for (a, b), advantages in found.advantages.items():
        for name, gap in advantages.items():
            one, other = (found.evaluations[c].values[name].value for c in (a, b))
            expected = {
                "lower": other - one, "higher": one - other,
                "one": abs(other - 1) - abs(one - 1), "zero": abs(other) - abs(one),
            }  # fmt: skip
            assert gap.value == pytest.approx(expected[METRICS[name].better], abs=1e-12)
            back = found.advantages[b, a][name]
            assert (back.value, back.low, back.high) == pytest.approx((-gap.value, -gap.high, -gap.low), abs=1e-12)


def test_pairing_makes_intervals_narrower_than_the_competitors_own():
    labels, p = competitors(1000, 3, noise=0.1)
    found = run(labels, p)
    for name in ("log_loss", "brier", "roc_auc", "average_precision"):
        own = found.evaluations["model"].values[name]
        gap = found.advantages["model", "logistic"][name]
        assert gap.high - gap.low < 0.4 * (own.high - own.low)


def test_equals_are_level_on_everything():
    labels, p = competitors(200, 4)
    found = run(labels, {"model": p["model"], "twin": p["model"].copy()})
    for name, gap in found.advantages["model", "twin"].items():
        assert gap.value == 0
        assert name.startswith("calibration_error") or (gap.low, gap.high) == (0, 0)
        assert found.verdict("model", "twin", name).startswith("The model and twin came out level on ")


def test_a_clear_winner_is_named_first_whoever_is_asked_first():
    labels, p = competitors(2000, 5)
    found = run(labels, p)
    gap = found.advantages["model", "logistic"]["log_loss"]
    assert gap.low > 0
    sentence = found.verdict("logistic", "model")
    assert sentence == found.verdict("model", "logistic")
    assert sentence == (
        f"The model beat the logistic regression on log loss, lower by {gap.value:.3f} (95 % interval {gap.low:.3f} to "
        f"{gap.high:.3f}, {found.evaluations['model'].closes} closes); luck is unlikely, as the interval is above 0."
    )


def test_the_uncertainty_is_the_samples_and_nobody_wins_on_it():
    found = run(*competitors(300, 6))
    assert {gaps["uncertainty"] for gaps in found.advantages.values()} == {Estimate(0.0, 0.0, 0.0)}


@pytest.mark.parametrize("metric", sorted(set(METRICS) - {"uncertainty"}))
def test_the_verdict_says_luck_exactly_where_the_interval_does(metric):
    labels, p = competitors(600, 6, noise=0.4)
    found = run(labels, p)
    for (a, b), advantages in found.advantages.items():
        gap, sentence = advantages[metric], found.verdict(a, b, metric)
        assert METRICS[metric].label in sentence
        assert ("luck is unlikely" in sentence) == (gap.low > 0 or gap.high < 0)
        assert ("it could be luck" in sentence or "either may be better" in sentence) == (gap.low <= 0 <= gap.high)
        first = {"model": "The model", "logistic": "The logistic regression", "rules": "The rules"}
        assert sentence.startswith(first[a if gap.value >= 0 else b])


def test_being_nearer_to_1_wins_on_calibration():
    labels, p = competitors(3000, 7)
    logits = np.log(p["model"] / (1 - p["model"]))
    found = run(labels, {"model": p["model"], "bold": 1 / (1 + np.exp(-2 * logits))})
    assert found.evaluations["bold"].values["calibration_slope"].value < 0.7
    sentence = found.verdict("bold", "model", "calibration_slope")
    assert sentence.startswith("The model beat bold on calibration slope, nearer to 1 by 0.")


def test_few_closes_are_no_proof():
    labels, p = np.repeat([1, 0], [8, 92]), np.repeat([0.5, 0.01], [8, 92])
    groups = np.arange(100)

    def verdict(labels, metric, **options):
        pair = {"model": p, "rules": np.full(100, 0.9)}
        return compare(labels, pair, groups=groups, seed=7, replicates=50, **options).verdict("model", "rules", metric)

    assert verdict(labels, "brier").endswith("above 0, but with under 20 closes it is too narrow.")
    assert verdict(labels, "brier", closes=20).endswith("as the interval is above 0.")
    one = np.arange(100) == 0
    assert verdict(one, "roc_auc") == (
        "The model came out ahead of the rules on ROC AUC, higher by 0.46; it could be luck: 1 close and no interval."
    )
    nothing = "The model and the rules cannot be compared on {}: 0 closes among 100 examples."
    assert verdict(np.zeros(100), "brier") == nothing.format("Brier score")
    assert verdict(np.zeros(100), "roc_auc") == nothing.format("ROC AUC")


def test_a_comparison_is_json_and_shows_the_baseline_against_the_others():
    labels, p = competitors(40, 8)
    found = run(labels, p, baseline="rules")
    shown = found.as_dict()
    assert json.loads(json.dumps(shown, allow_nan=False)) == shown
    assert list(shown["advantages"]) == ["model", "logistic"]
    gap = found.advantages["rules", "model"]["brier"]
    assert shown["advantages"]["model"]["brier"] == {"value": gap.value, "low": gap.low, "high": gap.high}
    assert not math.isnan(gap.low)


def test_unknown_names_are_refused_with_the_known_ones():
    labels, p = competitors(20, 9)
    with pytest.raises(ValueError, match="'best' is not among the competitors: model, logistic, rules"):
        run(labels, p, baseline="best")
    with pytest.raises(ValueError, match="competitors: model, logistic, rules; metrics: log_loss, brier"):
        run(labels, p).verdict("model", "best")
    with pytest.raises(ValueError, match="metrics: log_loss, brier"):
        run(labels, p).verdict("model", "rules", "auc")
