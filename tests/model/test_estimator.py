import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from joblib import load
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from predictive.model.bundle import load_bundle
from predictive.model.estimator import LeadScorer

pytest_plugins = ["tests.trained"]


@parametrize_with_checks([LeadScorer(), LeadScorer(weight=0.0)])
def test_it_is_a_scikit_learn_estimator(estimator, check):
    check(estimator)


def leads(n=600, seed=1):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({
        "label": rng.poisson(3, n), "source": rng.choice(["web", "fair", None], n), "size": rng.lognormal(3, 1, n),
    })  # fmt: skip
    frame["size"] = frame["size"].mask(rng.random(n) < 0.2)
    odds = np.exp(-3 + 0.5 * frame["label"] + 1.5 * (frame["source"] == "fair"))
    return frame, np.where(rng.random(n) < odds / (1 + odds), "won", "open")


def test_numbers_text_and_gaps_are_learned_together_whatever_the_columns_are_called():
    frame, y = leads()
    scorer = LeadScorer().fit(frame, y)
    assert scorer.classes_.tolist() == ["open", "won"]
    assert scorer.feature_names_in_.tolist() == ["label", "source", "size"]
    p = scorer.predict_proba(frame)
    assert p.sum(axis=1) == pytest.approx(1)
    fair = (frame["source"] == "fair").to_numpy()
    assert p[fair, 1].mean() > p[~fair, 1].mean() + 0.1
    again = pickle.loads(pickle.dumps(scorer))  # noqa: S301 - our own
    assert np.array_equal(again.predict_proba(frame), p)
    assert cross_val_score(clone(scorer), frame, y, scoring="roc_auc", cv=3).mean() > 0.65


def test_what_it_cannot_take_is_refused():
    frame, y = leads()
    scorer = LeadScorer().fit(frame, y)
    with pytest.raises(ValueError, match="feature names"):
        scorer.predict_proba(frame[["source", "label", "size"]])
    with pytest.raises(ValueError, match="600 rows, but y has 599"):
        LeadScorer().fit(frame, y[1:])
    with pytest.raises(ValueError, match="Only binary classification"):
        LeadScorer().fit(frame, np.arange(600) % 3)


def test_the_one_that_training_dumps_says_what_the_bundle_says(tiny, run, tmp_path):
    found = run("train", tiny(tmp_path, contacts=400), "--joblib", "--json").json
    scorer = load(f"{found['bundle']}/model.joblib")
    model = LeadScorer.of(scorer.model_)
    values = {"number": [1.0, np.nan], "text": ["software", None]}
    frame = pd.DataFrame({f.name: pd.Series(values[f.kind]) for f in scorer.model_.encoder.features})
    bundle = load_bundle(Path(found["bundle"]))
    expected = bundle.model.score(frame)["probability"].to_numpy()
    assert np.array_equal(scorer.predict_proba(frame)[:, 1], expected)
    assert np.array_equal(model.predict_proba(frame)[:, 1], expected)
