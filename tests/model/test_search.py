import numpy as np
import pytest

from predictive.errors import ConfigError
from predictive.features.catalog import attribute
from predictive.learning import monotone
from predictive.model import trees
from predictive.model.encode import fit_encoder
from predictive.model.folds import time_folds
from predictive.model.linear import fit_linear
from predictive.model.recipe import choose_recipe
from predictive.model.search import Grown, search_shape
from predictive.model.side import Recipe, fit_side
from tests.model.test_recipe import FEATURES, HORIZON, SIZE, VISITS, draw


def sweep(frame, name):
    """One contact, with a feature at a hundred values and everything else as it is."""
    rows = frame.iloc[[5] * 100].reset_index(drop=True)
    return rows.assign(**{name: np.linspace(0, frame[name].max(), 100)})


@pytest.mark.parametrize("weight", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(("direction", "sign"), [("increasing", 1), ("decreasing", -1)])
def test_the_log_odds_follow_a_monotone_feature_in_its_direction_alone(weight, direction, sign):
    frame = draw(rate=0.2)
    frame["label"] = (frame["label"] | (np.abs(frame["visits"] - 2) > 2)).astype(int)  # rises and falls with visits
    free = Recipe(rounds=80, strength=0.3, weight=weight)
    bound = Recipe(rounds=80, strength=0.3, weight=weight, monotone=monotone({"visits": direction}, FEATURES))
    steps = np.diff(fit_side(FEATURES, frame, bound, seed=7).log_odds(sweep(frame, "visits"))) * sign
    assert (steps >= -1e-12).all()
    both = [fit_side(FEATURES, frame, r, seed=7).log_odds(frame) for r in (free, bound)]
    assert not np.array_equal(*both), "without a constraint it goes its own way"


def test_a_constraint_on_what_has_no_order_or_is_not_there_names_what_is():
    assert monotone({"size": "increasing", "visits": "decreasing"}, FEATURES) == (("size", 1), ("visits", -1))
    with pytest.raises(ConfigError, match=r"model.monotone: 'vists' is no feature of this data; .*visits"):
        monotone({"vists": "increasing"}, FEATURES)
    with pytest.raises(ConfigError, match=r"model.monotone: 'sector' is text, and has no order"):
        monotone({"sector": "increasing"}, FEATURES)


def test_signs_belong_to_the_columns_of_their_features():
    encoder = fit_encoder([SIZE, attribute("sector"), VISITS], draw())
    signs = encoder.signs((("visits", -1), ("size", 1)))
    assert [encoder.features[j].name for j in encoder.source[signs == 1]] == ["size"]
    assert [encoder.features[j].name for j in encoder.source[signs == -1]] == ["visits"]
    assert len(signs) == len(encoder.source)


def test_a_bound_coefficient_is_zero_where_it_would_be_of_the_other_sign():
    random = np.random.default_rng(0)
    X = random.normal(size=(2_000, 2))
    label = (random.random(2_000) < 1 / (1 + np.exp(-X[:, 0] - X[:, 1]))).astype(float)
    found = fit_linear(X, label, np.zeros(2_000), strength=1.0, signs=np.array([-1, 1]))
    assert found.coef[0] == 0
    assert found.coef[1] > 0.5


def test_a_search_never_ends_worse_than_it_began_and_stays_within_its_bounds():
    seen = []

    def grow(shape):
        seen.append(shape)
        return Grown(shape, 50, np.array([abs(shape.num_leaves - 9.0)]))

    first = grow(trees.DEFAULT)
    best = search_shape(grow, lambda z: float(z[0]), first, 1.0, seed=7)
    assert best.log_odds[0] <= first.log_odds[0]
    assert len(seen) > 5
    assert all(s.max_depth <= 8 and 3 <= s.num_leaves <= 63 for s in seen)
    again = list(seen)
    seen.clear()
    search_shape(grow, lambda z: float(z[0]), first, 1.0, seed=7)
    shared = min(len(seen), len(again) - 1)
    assert seen[:shared] == again[1 : shared + 1], "the order of trials depends on the seed alone"


def test_a_search_within_the_budget_gives_a_recipe_that_is_no_worse_on_its_folds():
    frame = draw()
    folds = time_folds(frame, HORIZON)
    found = choose_recipe(FEATURES, frame, folds, seed=7, search=2.0)
    assert found.rounds >= 50
    assert Recipe.from_json(found.to_json()) == found
    assert fit_side(FEATURES, frame, found, seed=7).log_odds(frame).std() > 0.1
