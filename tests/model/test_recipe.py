import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predictive.clock import DAY
from predictive.features.catalog import attribute
from predictive.learning import RULE_SCORE, choose_how
from predictive.model.calibration import AS_IT_COMES, Calibration, choose_calibration, fit_beta, fit_platt
from predictive.model.folds import FEWEST_CLOSES, closes, time_folds
from predictive.model.recipe import choose_recipe, choose_weight
from predictive.model.scoring import choose_recipes, fit_model
from predictive.model.side import Recipe, expit

SIZE, SECTOR = attribute("size", kind="number"), attribute("sector")
VISITS = attribute("visits", kind="number", side="interest")
FEATURES = (SIZE, SECTOR, VISITS)
HORIZON = 30 * DAY


def draw(rows=3_000, *, rate=0.05, seed=0, days=365):
    """Examples in time whose label depends on sector, on visits, and not on size."""
    random = np.random.default_rng(seed)
    sector = random.choice(["software", "retail", "farming"], rows)
    visits = random.poisson(2, rows).astype(float)
    odds = np.log(rate / (1 - rate)) + 1.5 * (sector == "software") - 0.5 + 0.4 * (visits - 2)
    label = (random.random(rows) < expit(odds)).astype(int)
    at = np.sort(random.integers(0, days, rows)) * DAY
    return pd.DataFrame(
        {
            "as_of": at,
            "label": label,
            "deal_id": [f"d{i}" if y else None for i, y in enumerate(label)],
            "closed_at": np.where(label == 1, at + 1, np.nan),
            "size": np.where(random.random(rows) < 0.2, np.nan, random.lognormal(3, 1, rows)),
            "sector": pd.Series(sector, dtype="str"),
            "visits": visits,
            "rule_score": np.clip(10 * visits + 20 * (sector == "software"), 0, 100).astype(int),
        }
    )


def judged(seed=0, rows=20_000):
    """True log-odds, labels drawn from them, and the fold of each row."""
    random = np.random.default_rng(seed)
    z = random.normal(-2, 1.5, rows)
    return z, (random.random(rows) < expit(z)).astype(float), np.repeat([0, 1, 2, 3], rows // 4)


def logistic_loss(label, probability):
    return -np.mean(label * np.log(probability) + (1 - label) * np.log1p(-probability))


def test_the_clear_winner_has_all_the_weight_and_a_tie_is_halved():
    z, label, fold = judged()
    noise = np.random.default_rng(1).normal(0, 2, len(z))
    assert choose_weight(label, z, noise, fold, np.zeros(len(z))) == 1.0
    assert choose_weight(label, noise, z, fold, np.zeros(len(z))) == 0.0
    assert choose_weight(label, z, z, fold, np.zeros(len(z))) == 0.5


def test_one_fold_however_large_is_no_clear_winner_and_neither_is_one_that_lost_a_fold():
    z, label, fold = judged()
    noise = np.random.default_rng(1).normal(0, 2, len(z))
    assert choose_weight(label, z, noise, np.zeros_like(fold), np.zeros(len(z))) == 0.5
    assert (
        choose_weight(label, np.where(fold == 2, -z, z), np.where(fold == 2, z, noise), fold, np.zeros(len(z))) == 0.5
    )


def test_two_that_err_independently_are_averaged():
    z, label, fold = judged()
    random = np.random.default_rng(1)
    one, other = (z + random.normal(0, 1, len(z)) for _ in range(2))
    assert choose_weight(label, one, other, fold, np.zeros(len(z))) == 0.5


def test_a_small_lead_on_few_rows_is_luck_and_changes_nothing():
    z, label, fold = judged(rows=200)
    assert choose_weight(label, z, z + np.random.default_rng(2).normal(0, 0.3, len(z)), fold, np.zeros(len(z))) == 0.5


def test_what_is_calibrated_is_left_as_it_is():
    z, label, fold = judged()
    assert choose_calibration(label, z, fold, np.zeros(len(z))) == AS_IT_COMES


@pytest.mark.parametrize(("stretch", "offset"), [(2.0, 0.0), (0.4, 0.0), (1.0, 1.0), (1.7, -0.8)])
def test_what_is_not_calibrated_is_stretched_and_shifted_back(stretch, offset):
    z, label, fold = judged()
    found = choose_calibration(label, stretch * z + offset, fold, np.zeros(len(z)))
    assert found.name in ("temperature", "Platt")
    assert found.slope == pytest.approx(1 / stretch, rel=0.07)
    assert found.shift == pytest.approx(-offset / stretch, abs=0.12)


def test_the_most_rigid_that_does_it_is_chosen_and_a_bend_needs_a_suppler_one():
    z, label, fold = judged()
    about_the_mean = 2 * (z - z.mean()) + z.mean()
    assert choose_calibration(label, about_the_mean, fold, np.zeros(len(z))).name == "temperature"
    assert choose_calibration(label, z + 1, fold, np.zeros(len(z))).name == "Platt"
    bent = np.where(z < -2, z, -2 + 3 * (z + 2))
    found = choose_calibration(label, bent, fold, np.zeros(len(z)))
    assert found.name == "beta"
    assert np.all(np.diff(found.apply(np.linspace(-20, 20, 99))) >= 0)
    few = slice(None, None, 40)
    assert choose_calibration(label[few], bent[few], fold[few], np.zeros(len(z[few]))).name != "beta"


def test_what_would_turn_the_order_around_is_not_bent():
    z, label, _ = judged(rows=400)
    assert fit_beta(label, np.abs(z + 2), np.zeros(len(z))).name in ("beta", "Platt")
    found = fit_beta((z < -2).astype(float), z, np.zeros(len(z)))
    assert found.name == "Platt"


@pytest.mark.parametrize("folds", [1, 2])
def test_calibration_needs_two_folds_that_are_later_than_another(folds):
    z, label, fold = judged()
    assert choose_calibration(label, 2 * z, fold % folds, np.zeros(len(z))) == AS_IT_COMES
    assert choose_calibration(label, 2 * z, fold % 3, np.zeros(len(z))) != AS_IT_COMES


def test_a_calibration_that_turns_around_over_time_is_not_used():
    z, label, fold = judged()
    drifting = z + np.where(fold % 2 == 0, 1.0, -1.0)
    assert choose_calibration(label, drifting, fold, np.zeros(len(z))) == AS_IT_COMES


def test_one_label_alone_cannot_calibrate():
    assert fit_platt(np.zeros(9), np.arange(9.0), np.zeros(9)) == AS_IT_COMES


@settings(deadline=None, max_examples=50)
@given(
    rate=st.sampled_from([0.01, 0.05, 0.3]),
    seed=st.integers(0, 99),
    days=st.sampled_from([40, 200, 700]),
    horizon=st.sampled_from([1, 30, 90]),
)
def test_folds_follow_in_time_and_never_know_what_happens_in_the_judged_part(rate, seed, days, horizon):
    frame = draw(900, rate=rate, seed=seed, days=days)
    at, label = frame["as_of"].to_numpy(), frame["label"].to_numpy()
    folds = time_folds(frame, horizon * DAY)
    assert len(folds) <= 3
    assert folds or closes(frame) < 2 * FEWEST_CLOSES + 20 or days == 40
    end = -1
    for fold in folds:
        train = fold.train(frame)
        assert at[fold.valid].min() > end, "the judged parts follow one another"
        end = at[fold.valid].max()
        assert train["as_of"].max() < at[fold.valid].min()
        assert not (train["closed_at"] > fold.start).any()
        assert closes(train) >= FEWEST_CLOSES
        assert label[fold.valid].sum() > 0


def test_too_few_closes_for_folds_mean_a_logistic_regression_with_careful_defaults():
    frame = draw(400, rate=0.04)
    assert FEWEST_CLOSES <= closes(frame) < 2 * FEWEST_CLOSES
    features, recipes, said = choose_how(FEATURES, frame, HORIZON, seed=7)
    assert recipes.probability == Recipe(weight=0.0)
    assert features == FEATURES
    assert (
        f"{closes(frame)} closes are too few for time folds: a logistic regression with careful defaults is used"
        in (said)
    )
    assert said[-1].endswith("closes are few: by chance alone the level may be off by a factor of 1.4 either way")
    assert set(recipes.why_null) == {"fit", "interest"}
    model = fit_model(features, frame, recipes, seed=7)
    assert model.probability.booster is None
    assert np.isnan(model.score(frame)[["fit", "interest"]]).all(axis=None)


def test_few_closes_are_not_called_a_model_but_a_calibrated_rule_score():
    frame = draw(400, rate=0.02)
    assert 5 < closes(frame) < FEWEST_CLOSES
    features, recipes, said = choose_how(FEATURES, frame, HORIZON, seed=7)
    assert features == (RULE_SCORE,)
    why = f"only {closes(frame)} closes to learn from, and 20 are needed"
    assert said == [f"{why}: the rule score, calibrated, takes the place of a model"]
    assert recipes.why_null == dict.fromkeys(("fit", "interest"), why)
    probability = fit_model(features, frame, recipes, seed=7).probability.probability(frame)
    label, points = frame["label"].to_numpy(), frame["rule_score"].to_numpy(dtype=float)
    assert probability.mean() == pytest.approx(label.mean(), rel=0.01)
    platt = expit(fit_platt(label, points, np.zeros(len(label))).apply(points))
    assert np.all(np.diff(probability[np.argsort(points)]) >= 0)
    assert logistic_loss(label, probability) < logistic_loss(label, platt) + 0.003
    assert logistic_loss(label, np.full(len(label), label.mean())) > logistic_loss(label, platt) + 0.003


def test_without_features_the_rule_score_is_used_however_many_closes_there_are():
    features, recipes, said = choose_how((), draw(), HORIZON, seed=7)
    assert features == (RULE_SCORE,)
    assert said == ["there are no features: the rule score, calibrated, takes the place of a model"]
    assert recipes.why_null == dict.fromkeys(("fit", "interest"), "there are no features")


def test_enough_closes_bring_trees_and_both_axes():
    frame = draw()
    recipe = choose_recipe(FEATURES, frame, time_folds(frame, HORIZON), seed=7)
    assert recipe.rounds > 10
    assert recipe.weight in (0.0, 0.5, 1.0)
    assert recipe.auc[0] > 0.65
    assert 0.005 < recipe.auc[1] < 0.05
    assert choose_recipe(FEATURES, frame, time_folds(frame, HORIZON), seed=7) == recipe


def test_an_axis_that_says_nothing_is_null_and_the_other_is_not():
    frame = draw()
    recipes = choose_recipes((SIZE, VISITS), frame, time_folds(frame, HORIZON), seed=7)
    assert recipes.fit is None
    assert recipes.why_null["fit"].startswith("it does not discriminate out of time (ROC-AUC 0.")
    assert recipes.interest is not None
    _, _, said = choose_how((SIZE, VISITS), frame, HORIZON, seed=7)
    assert said[0].startswith("the fit axis is null: it does not discriminate out of time")


def test_an_axis_without_features_is_null():
    frame = draw()
    recipes = choose_recipes((SECTOR,), frame, time_folds(frame, HORIZON), seed=7)
    assert recipes.why_null == {"interest": "there are no features of interest"}


def test_a_recipe_survives_json():
    for recipe in (
        Recipe(),
        Recipe(rounds=3, weight=0.5, calibration=Calibration("beta", 0.9, -0.1, 0.02), auc=(0.7, 0.02)),
    ):
        assert Recipe.from_json(recipe.to_json()) == recipe
