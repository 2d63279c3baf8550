import os
import subprocess
import sys

import lightgbm
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from predictive.model import trees

COLUMNS = 6
WILD = st.floats(width=32) | st.sampled_from([-1.0, 0.0, 1.0])  # NaN and infinities are among them
REFIT = """
import hashlib, numpy as np
from predictive.model import linear, trees
random = np.random.default_rng(3)
X = random.normal(size=(1500, 20)); X[random.random(X.shape) < 0.1] = np.nan
label = (random.random(1500) < 1 / (1 + np.exp(-np.nan_to_num(X[:, 0]) * 2))).astype(float)
start = np.zeros(1500)
booster = trees.fit_trees(trees.Learned(X, label, start, np.zeros(20)), rounds=60, seed=7)
beside = linear.fit_linear(X, label, start, strength=0.3)
for z in (trees.log_odds(booster, X), beside.log_odds(X)):
    print(hashlib.sha256(z.tobytes()).hexdigest(), z.std() > 0.1)
"""


def draw(seed=0, rows=2_000):
    random = np.random.default_rng(seed)
    X = random.normal(size=(rows, COLUMNS))
    X[:, 1] = random.integers(0, 4, rows)
    X[random.random((rows, COLUMNS)) < 0.15] = np.nan
    odds = 2 * np.nan_to_num(X[:, 0]) - np.nan_to_num(X[:, 1]) * np.isnan(X[:, 2])
    return X, (random.random(rows) < 1 / (1 + np.exp(-odds))).astype(float)


def learned(seed=0, rows=2_000, start=0.0):
    return trees.Learned(*draw(seed, rows), np.full(rows, start), np.zeros(COLUMNS, dtype=int))


@pytest.fixture(scope="module")
def booster():
    return trees.fit_trees(learned(), rounds=80, seed=7)


@settings(deadline=None, max_examples=25)
@given(arrays(np.float64, (30, COLUMNS), elements=WILD))
def test_contributions_are_those_of_lightgbm(booster, X):
    parts = trees.contributions(booster, X)
    theirs = booster.predict(X, pred_contrib=True)
    np.testing.assert_allclose(parts, theirs[:, :-1], rtol=0, atol=1e-5)
    np.testing.assert_allclose(parts.sum(axis=1) + theirs[:, -1], trees.log_odds(booster, X), rtol=0, atol=1e-5)


def test_contributions_say_something_about_what_the_label_depends_on(booster):
    weight = np.abs(trees.contributions(booster, draw(seed=1)[0])).mean(axis=0)
    assert np.argmax(weight) == 0
    assert weight[0] > 3 * weight[3]


def test_fitting_again_gives_the_same_text_and_another_seed_does_not(booster):
    again = trees.fit_trees(learned(), rounds=80, seed=7)
    assert again.model_to_string() == booster.model_to_string()
    other = trees.fit_trees(learned(), rounds=80, seed=8)
    assert other.model_to_string() != booster.model_to_string()


def test_any_number_of_threads_gives_the_same_bytes():
    answers = set()
    for threads in ("1", "2", "7"):
        env = os.environ | dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), threads)
        done = subprocess.run([sys.executable, "-c", REFIT], env=env, capture_output=True, text=True, check=True)  # noqa: S603 - our own
        answers.add(done.stdout)
    assert len(answers) == 1
    assert answers.pop().count("True") == 2


def test_a_model_read_back_from_its_text_predicts_the_same_bytes(booster):
    X, _ = draw(seed=2)
    again = lightgbm.Booster(model_str=booster.model_to_string())
    assert trees.log_odds(again, X).tobytes() == trees.log_odds(booster, X).tobytes()


def test_blocks_change_nothing(booster, monkeypatch):
    X, _ = draw(seed=2)
    whole = trees.log_odds(booster, X), trees.contributions(booster, X)
    monkeypatch.setattr(trees, "BLOCK", 700)
    assert trees.log_odds(booster, X).tobytes() == whole[0].tobytes()
    np.testing.assert_allclose(trees.contributions(booster, X), whole[1], rtol=0, atol=1e-5)


def test_no_rows_are_no_problem(booster):
    assert trees.log_odds(booster, np.empty((0, COLUMNS))).shape == (0,)
    assert trees.contributions(booster, np.empty((0, COLUMNS))).shape == (0, COLUMNS)


def test_trees_are_no_deeper_than_exact_explanation_allows(booster):
    def depth(node):
        return 1 + max(depth(node["left_child"]), depth(node["right_child"])) if "left_child" in node else 0

    deepest = max(depth(tree["tree_structure"]) for tree in booster.dump_model()["tree_info"])
    assert 2 <= deepest <= 8


def test_the_curve_has_a_loss_for_every_round_and_stays_flat_once_fitting_has_stopped():
    train, valid = learned(rows=800, start=-0.3), learned(seed=9, rows=800, start=-0.3)
    booster, curve = trees.fit_until_worse(train, valid, seed=7)
    assert curve.shape == (trees.MOST_ROUNDS,)
    done = booster.current_iteration()  # fifty beyond the best
    assert 50 < done < trees.MOST_ROUNDS
    assert (curve[done:] == curve[done - 1]).all()
    for rounds in (1, int(np.argmin(curve)) + 1, done):
        z = valid.start + booster.predict(valid.X, raw_score=True, num_iteration=rounds)
        assert np.mean(np.logaddexp(0, z) - valid.label * z) == pytest.approx(curve[rounds - 1], abs=1e-9)
