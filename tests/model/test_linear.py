import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from predictive.model.linear import STRENGTHS, Linear, fit_linear

COLUMNS = 5
WILD = st.floats(-1e9, 1e9) | st.just(np.nan)


def draw(seed=0, rows=600):
    """Columns of wide spread, the second and third with gaps, the last constant; and labels that depend on them."""
    random = np.random.default_rng(seed)
    X = np.column_stack([random.lognormal(2, 2, (rows, COLUMNS - 1)) * [1, -1, 1, 1], np.full(rows, 3.0)])
    X[random.random(rows) < 0.3, 1] = np.nan
    X[random.random(rows) < 0.1, 2] = np.nan
    odds = 0.5 * np.log1p(X[:, 0]) - 2 + np.isnan(X[:, 1])
    return X, (random.random(rows) < 1 / (1 + np.exp(-odds))).astype(float)


def fit(X, label, *, strength):
    return fit_linear(X, label, np.zeros(len(X)), strength=strength)


@pytest.fixture(scope="module")
def fitted():
    return fit(*draw(), strength=0.03)


@pytest.mark.parametrize("strength", STRENGTHS)
def test_it_is_scikit_learns_regression_on_compressed_standardised_columns_and_indicators(strength):
    X, label = draw()
    squeeze = FunctionTransformer(lambda x: np.sign(x) * np.log1p(np.abs(x)))
    numbers = make_pipeline(squeeze, SimpleImputer(), StandardScaler())
    gaps = FunctionTransformer(lambda x: np.isnan(x[:, [1, 2]]).astype(float))
    design = make_union(numbers, gaps)
    # The gaps lie beside the standardised columns; imputed values stand at the mean, but they narrow the spread.
    narrow = np.sqrt(1 - np.isnan(X).mean(axis=0))
    z = design.fit_transform(X) * np.append(narrow, [1, 1])
    reference = LogisticRegression(C=strength, tol=1e-10, max_iter=10_000).fit(z, label)
    ours = fit(X, label, strength=strength)
    np.testing.assert_allclose(ours.log_odds(X), reference.decision_function(z), atol=2e-3)
    assert np.std(ours.log_odds(X)) > 0.1


@settings(deadline=None)
@given(arrays(np.float64, st.tuples(st.integers(0, 8), st.just(COLUMNS)), elements=WILD))
def test_contributions_and_the_intercept_sum_to_the_log_odds(fitted, X):
    total = fitted.intercept + fitted.contributions(X).sum(axis=1)
    np.testing.assert_allclose(total, fitted.log_odds(X), rtol=0, atol=1e-9)


def test_a_missing_number_stands_at_the_training_mean_beside_its_indicator(fitted):
    parts = fitted.contributions(np.full((1, COLUMNS), np.nan))[0]
    known = 1 - np.isnan(draw()[0]).mean(axis=0)
    assert parts[[0, 3, 4]].tolist() == [0, 0, 0], "a column that always had a value has no indicator"
    np.testing.assert_allclose(parts[[1, 2]], (fitted.coef_missing * known)[[1, 2]])
    assert np.abs(parts[1]) > 0.05
    mean = np.expm1(np.abs(fitted.mean)) * np.sign(fitted.mean)
    at_mean = fitted.contributions(mean[None, :])[0]
    np.testing.assert_allclose(at_mean, fitted.coef_missing * (known - 1), atol=1e-12)


@settings(deadline=None)
@given(st.integers(0, 599), st.integers(1, 50))
def test_no_bit_of_a_row_depends_on_the_rows_beside_it(fitted, start, length):
    X, _ = draw()
    block = slice(start, start + length)
    assert fitted.log_odds(X[block]).tobytes() == fitted.log_odds(X)[block].tobytes()


def test_over_the_training_rows_contributions_average_zero(fitted):
    np.testing.assert_allclose(fitted.contributions(draw()[0]).mean(axis=0), 0, atol=1e-10)


def test_columns_that_are_missing_together_share_one_indicator():
    X, label = draw()
    X[:, 2] = X[:, 1] * 2
    fitted = fit(X, label, strength=0.3)
    assert fitted.coef_missing[1] != 0
    assert fitted.coef_missing[2] == 0


def test_a_column_without_any_value_does_nothing():
    X, label = draw()
    without = fit(X, label, strength=0.3)
    empty = fit(np.column_stack([X, np.full(len(X), np.nan)]), label, strength=0.3)
    np.testing.assert_allclose(
        empty.log_odds(np.column_stack([X, np.full(len(X), 7.0)])), without.log_odds(X), atol=1e-6
    )


def test_a_round_trip_through_json_keeps_every_bit(fitted):
    again = Linear.from_json(json.loads(json.dumps(fitted.to_json())))
    X, _ = draw(seed=5)
    assert again.log_odds(X).tobytes() == fitted.log_odds(X).tobytes()
