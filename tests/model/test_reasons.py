import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from predictive.features.behaviour import count, recency
from predictive.features.catalog import attribute
from predictive.model import trees
from predictive.model.calibration import Calibration
from predictive.model.reasons import SHOWN, find_reasons, in_words
from predictive.model.scoring import log_odds
from predictive.model.side import Recipe, expit, fit_side

SECTOR, SIZE = attribute("sector"), attribute("size", kind="number")
VISITS = [count(("visit",), days) for days in (7, 30, 90)]
LATEST = recency(("visit",))
FEATURES = (SECTOR, *VISITS, SIZE, LATEST)


def draw(rows=2_000, seed=0):
    random = np.random.default_rng(seed)
    week = random.poisson(1, rows)
    month = week + random.poisson(2, rows)
    sector = random.choice(["software", "retail", "farming", None], rows)
    odds = -2 + 1.2 * (sector == "software") + 0.5 * week - 0.2 * month
    return pd.DataFrame(
        {
            "label": (random.random(rows) < expit(odds)).astype(int),
            "sector": pd.Series(sector, dtype="str"),
            VISITS[0].name: week,
            VISITS[1].name: month,
            VISITS[2].name: month + random.poisson(3, rows),
            "size": np.where(random.random(rows) < 0.2, np.nan, random.lognormal(3, 1, rows)),
            LATEST.name: np.where(month > 0, random.uniform(0, 30, rows), np.nan),
        }
    )


@pytest.fixture(scope="module", params=[0.0, 0.5, 1.0])
def model(request):
    recipe = Recipe(rounds=60, strength=0.03, weight=request.param, calibration=Calibration("Platt", 0.8, -0.3))
    return fit_side(FEATURES, draw(), recipe, seed=7)


@pytest.fixture
def told(model):
    frame = draw(200, seed=1)
    probability = model.probability(frame)
    return frame, probability, find_reasons(model, frame, probability)


def test_the_parts_and_the_level_sum_to_the_log_odds_of_the_written_probability(told):
    _, probability, reasons = told
    total = reasons.parts.sum(axis=1) + reasons.level
    np.testing.assert_allclose(total, np.log(probability / (1 - probability)), rtol=0, atol=1e-9)


def test_the_level_is_what_calibration_adds_to_the_same_constant_for_everyone(model, told):
    frame, _, reasons = told
    raw = model.raw(model.encoder.transform(frame))
    added = model.recipe.calibration.shift + (model.recipe.calibration.slope - 1) * raw
    np.testing.assert_allclose(reasons.level - added, (reasons.level - added)[0], rtol=0, atol=1e-5)
    assert np.ptp(raw) > 1


def test_a_corrected_probability_moves_the_level_and_no_part(model, told):
    frame, probability, before = told
    after = find_reasons(model, frame, expit(log_odds(probability) + 0.7))
    np.testing.assert_array_equal(after.parts, before.parts)
    np.testing.assert_allclose(after.level, before.level + 0.7)


def test_features_of_one_signal_are_one_reason(model, told):
    frame, _, reasons = told
    assert reasons.signals == ("sector", "visit", "size")
    each = model.contributions(frame)
    np.testing.assert_allclose(
        reasons.parts, np.column_stack([each[:, 0], each[:, [1, 2, 3, 5]].sum(axis=1), each[:, 4]])
    )
    assert set(np.unique(reasons.lead[:, 1])) <= {1, 2, 3, 5}
    assert len(np.unique(reasons.lead[:, 1])) > 1
    leads = np.take_along_axis(each, reasons.lead, axis=1)
    assert (leads * np.sign(reasons.parts) >= 0).all(), "a signal is told by a feature that pulls its way"


def test_a_contact_alone_has_the_reasons_that_it_has_among_others(model, told):
    frame, probability, reasons = told
    for i in (0, 17):
        alone = find_reasons(model, frame.iloc[[i]], probability[[i]])
        np.testing.assert_allclose(alone.parts[0], reasons.parts[i], rtol=0, atol=1e-7)


def test_the_words_parse_and_sum_to_the_score_within_rounding(told):
    frame, probability, reasons = told
    lines = in_words(reasons, FEATURES, frame)
    assert len(lines) == len(frame)
    for line, p in zip(lines, probability, strict=True):
        found = re.fullmatch(
            r"(?:for: (?P<pro>.+?); )?(?:against: (?P<con>.+?); )?the rest \((.+)\); level \((.+)\)", line
        )
        assert found, line
        numbers = [float(x) for x in re.findall(r"\(([+-]\d+\.\d\d)\)", line)]
        assert sum(numbers) == pytest.approx(log_odds(np.array([p]))[0], abs=0.005 * len(numbers) + 1e-9)
        for side, sign in (("pro", "+"), ("con", "-")):
            parts = re.findall(r"\(([+-])\d+\.\d\d\)", found[side] or "")
            assert set(parts) <= {sign}
            assert len(parts) <= SHOWN


def test_words_name_the_value_of_the_strongest_feature_and_say_what_is_not_known():
    frame = draw()
    model = fit_side((SECTOR,), frame, Recipe(strength=0.3), seed=7)
    asked = pd.DataFrame({"sector": pd.Series(["software", "retail", None], dtype="str")})
    lines = in_words(find_reasons(model, asked, model.probability(asked)), (SECTOR,), asked)
    assert lines[0].startswith("for: sector: software (+")
    assert lines[1].startswith("against: sector: retail (-")
    assert "sector: not known (" in lines[2]
    assert all(line.count("the rest (+0.00)") == 1 for line in lines)


def test_at_most_three_reasons_for_and_three_against_are_told_the_strongest_first():
    random = np.random.default_rng(0)
    features = tuple(attribute(f"a{i}", kind="number") for i in range(12))
    frame = pd.DataFrame({f.name: random.normal(size=3_000) for f in features})
    odds = frame.to_numpy() @ np.linspace(-1, 1, 12)
    frame["label"] = (random.random(len(frame)) < expit(odds)).astype(int)
    model = fit_side(features, frame, Recipe(strength=0.3), seed=7)
    asked = frame.head(50)
    reasons = find_reasons(model, asked, model.probability(asked))
    for line, parts in zip(in_words(reasons, features, asked), reasons.parts, strict=True):
        told = [float(x) for x in re.findall(r"\(([+-]\d+\.\d\d)\)", line)][:-2]
        expected = [*np.sort(parts[parts > 0.005])[::-1][:3], *np.sort(parts[parts < -0.005])[:3]]
        np.testing.assert_allclose(told, expected, rtol=0, atol=0.0051)


def test_half_trees_and_half_regression_are_explained_by_half_of_each():
    frame = draw()
    half = fit_side(FEATURES, frame, Recipe(rounds=60, strength=0.03, weight=0.5), seed=7)
    alone = [replace(half, recipe=replace(half.recipe, weight=w), linear=None if w else half.linear,
                     booster=half.booster if w else None) for w in (1.0, 0.0)]  # fmt: skip
    both = sum(model.contributions(frame) for model in alone) / 2
    np.testing.assert_allclose(half.contributions(frame), both, rtol=0, atol=1e-9)
    X = half.encoder.transform(frame)
    np.testing.assert_allclose(half.raw(X), (half.base + trees.log_odds(half.booster, X) + half.linear.log_odds(X)) / 2)
