import numpy as np
import pandas as pd
import pytest

from predictive.evaluation.effects import FEWEST, effect


@pytest.mark.parametrize(("slope", "rising"), [(0.2, True), (-0.2, False), (0.0, None)])
def test_the_direction_of_a_number_is_that_of_its_parts(slope, rising):
    rng = np.random.default_rng(7)
    values = pd.Series(rng.normal(size=200)).where(rng.uniform(size=200) > 0.1)
    parts = slope * values.fillna(9).to_numpy() + rng.normal(scale=0.02, size=200)
    assert effect(values, parts, kind="number").rising is rising


def test_a_number_that_is_best_in_the_middle_has_no_direction():
    values = pd.Series(np.linspace(-1, 1, 101))
    assert effect(values, -(values.to_numpy() ** 2), kind="number").rising is None


def test_values_of_a_text_come_from_the_worst_to_the_best_and_rare_ones_not_at_all():
    levels = {"b": 0.3, "a": -0.2, "d": 0.1, "c": 0.0, "e": 0.2, "f": -0.1, "g": 0.05}
    values = pd.Series([name for name in levels for _ in range(FEWEST)] + ["rare"] * (FEWEST - 1) + [None])
    parts = np.array([levels.get(value, 5.0) for value in values])
    found = effect(values, parts, kind="text")
    assert [name for name, _ in found.levels] == ["a", "f", "c", "d", "e", "b"]
    assert found.rising is None


@pytest.mark.parametrize("kind", ["number", "text"])
def test_of_nothing_nothing_is_said(kind):
    found = effect(pd.Series([None] * 30, dtype=object), np.zeros(30), kind=kind)
    assert (found.rising, found.levels) == (None, ())
