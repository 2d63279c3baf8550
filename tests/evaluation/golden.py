"""Makes golden.json: what scikit-learn, SciPy, model-diagnostics and slow, obvious loops say about two fixed samples.

Run ``python tests/evaluation/golden.py`` to write it again. `untied` is two hundred distinct probabilities; `tied` is
sixty weighted examples on seven probabilities, as rules give them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

FILE = Path(__file__).with_name("golden.json")


def samples() -> dict[str, dict[str, list[float]]]:
    """The inputs, from a generator whose stream is frozen for good."""
    random = np.random.RandomState(7)
    logits = random.normal(-1.5, 1.2, 200)
    untied = np.round(1 / (1 + np.exp(-logits)), 6)
    tied = random.choice([0.02, 0.1, 0.1, 0.25, 0.4, 0.6, 0.9], 60)
    return {
        "untied": {
            "labels": (random.uniform(size=200) < 1 / (1 + np.exp(-0.7 * logits))).astype(float).tolist(),
            "probabilities": untied.tolist(),
            "weights": [1.0] * 200,
        },
        "tied": {
            "labels": (random.uniform(size=60) < tied).astype(float).tolist(),
            "probabilities": tied.tolist(),
            "weights": random.choice([0.5, 1.0, 2.0, 3.25], 60).tolist(),
        },
    }


def shared(values: list[float], weights: list[float], keys: list[float], low: float, high: float) -> float:
    """The weighted sum of `values` between two shares of the list ranked by `keys`, ties in proportion, row by row."""
    total, found, start = sum(weights), 0.0, 0.0
    for key in sorted(set(keys), reverse=True):
        rows = [i for i, k in enumerate(keys) if k == key]
        end = start + sum(weights[i] for i in rows)
        overlap = max(0.0, min(end, high * total) - max(start, low * total)) / (end - start)
        found += overlap * sum(weights[i] * values[i] for i in rows)
        start = end
    return found


def expected(labels: list[float], probabilities: list[float], weights: list[float]) -> dict[str, float]:
    """Every metric, by other people's code where there is some."""
    from model_diagnostics.scoring import SquaredError, decompose
    from scipy.optimize import brentq
    from scipy.special import expit
    from sklearn import metrics
    from sklearn.linear_model import LogisticRegression

    y, p, w = np.array(labels), np.array(probabilities), np.array(weights)
    logit = np.log(p / (1 - p))[:, None]
    line = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-12, max_iter=1000).fit(logit, y, w)
    parts = decompose(y, p, weights=w, scoring_function=SquaredError())
    excess = [shared((p - y).tolist(), weights, probabilities, b / 10, (b + 1) / 10) for b in range(10)]
    closes, each = sum(w * y), sum(weights) / 10
    rates = [shared(labels, weights, probabilities, b / 10, (b + 1) / 10) / each for b in range(10)]
    squares = [(e / each) ** 2 - r * (1 - r) / (each - 1) for e, r in zip(excess, rates, strict=True)]
    return {
        "log_loss": metrics.log_loss(y, p, sample_weight=w),
        "brier": metrics.brier_score_loss(y, p, sample_weight=w),
        "roc_auc": metrics.roc_auc_score(y, p, sample_weight=w),
        "average_precision": metrics.average_precision_score(y, p, sample_weight=w),
        **{f"lift_at_{s}": shared(labels, weights, probabilities, 0, s / 100) / closes / s * 100 for s in (5, 10, 20)},
        **{f"gain_at_{s}": shared(labels, weights, probabilities, 0, s / 100) / closes for s in (5, 10, 20)},
        **{name: parts[name][0] for name in ("miscalibration", "discrimination", "uncertainty")},
        "calibration_in_large": np.average(p, weights=w) / np.average(y, weights=w),
        "calibration_intercept": brentq(lambda a: sum(w * (expit(logit[:, 0] + a) - y)), -9, 9, xtol=1e-13),
        "calibration_slope": line.coef_[0, 0],
        "calibration_error": sum(abs(e) for e in excess) / sum(weights),
        "calibration_error_debiased": max(sum(squares) / 10, 0) ** 0.5,
    }


def recompute() -> dict[str, Any]:
    """The whole of golden.json."""
    from scipy.stats import binomtest
    from sklearn.calibration import calibration_curve

    found = samples()
    actual, predicted = calibration_curve(
        found["untied"]["labels"], found["untied"]["probabilities"], n_bins=10, strategy="quantile"
    )
    intervals = [(k, n, binomtest(k, n).proportion_ci(method="wilson")) for k, n in ((0, 12), (3, 40), (7, 7))]
    return {
        "samples": [{**s, "expected": {k: float(v) for k, v in expected(**s).items()}} for s in found.values()],
        "reliability": {"actual": actual.tolist(), "predicted": predicted.tolist()},
        "wilson": [{"closes": k, "n": n, "low": float(c.low), "high": float(c.high)} for k, n, c in intervals],
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(recompute(), indent=1) + "\n", encoding="utf-8")
