import numpy as np
import pandas as pd
import pytest

from predictive.evaluation.segments import as_levels, by_group


def sample(*, wrong=None, seed=1, n=4_000):
    """Probabilities that are right, but for the source `wrong`, where they are half of what they should be."""
    rng = np.random.default_rng(seed)
    source = pd.Series(rng.choice(["ads", "fair", "web"], n))
    truth = 1 / (1 + np.exp(-rng.normal(-2, 1, n)))
    y = (rng.random(n) < truth).astype(int)
    deals = pd.Series(np.where(y == 1, [f"d{i}" for i in range(n)], None))
    return y, np.where(source == wrong, truth / 2, truth), source, deals


def test_the_one_wrong_segment_is_found_and_luck_is_called_luck():
    y, p, source, deals = sample(wrong="fair")
    size = pd.Series(np.random.default_rng(2).lognormal(3, 1, len(y)))
    found = by_group(y, p, {"source": source, "size": size}, groups=np.arange(len(y)), deals=deals)
    off = {g.level for g in found if g.off and g.by == "source"}
    assert off == {"fair"}
    (fair,) = (g for g in found if g.level == "fair")
    assert fair.count.ratio.high < 0.7
    assert fair.count.closes == y[(source == "fair").to_numpy()].sum()
    assert sum(g.count.n for g in found if g.by == "source") == len(y)
    assert np.average([g.listed for g in found[:3]], weights=[g.count.n for g in found[:3]]) == pytest.approx(0.1)


def test_in_right_samples_hardly_any_group_is_called_off_however_many_there_are():
    fooled = 0
    for seed in range(40):
        y, p, source, deals = sample(seed=seed, n=600)
        columns = {
            f"c{i}": pd.Series(np.random.default_rng(seed + 100 * i).integers(0, 9, 600).astype(str)) for i in (1, 2, 3)
        }
        found = by_group(y, p, columns | {"source": source}, groups=np.arange(600), deals=deals)
        fooled += any(g.off for g in found)
    assert fooled <= 6


def test_a_deal_of_two_rows_is_one_close():
    one = pd.Series(["a", "a", "b", "b"])
    deals = pd.Series(["d", "d", None, None])
    found = by_group([1, 1, 0, 0], [0.5] * 4, {"x": one}, groups=[1, 1, 2, 2], deals=deals)
    assert [(g.count.actual, g.count.closes) for g in found] == [(2, 1), (0, 0)]


def test_rare_levels_are_pooled_and_missing_ones_named():
    levels = as_levels(pd.Series([*(["a", "b"] * 20), *(f"r{i:02}" for i in range(30)), None]))
    assert levels.nunique() == 9
    assert {"a", "b", "other"} <= set(levels)
    assert as_levels(pd.Series([None, "a"])).tolist() == ["not known", "a"]
    assert as_levels(pd.Series([0.0, 0, 0, 0, 7, np.nan])).tolist() == [*["1: up to 0"] * 4, "2: above 0", "not known"]
    assert as_levels(pd.Series([np.nan, np.nan])).tolist() == ["not known"] * 2
    assert as_levels(pd.Series([3.0, 3.0])).tolist() == ["any"] * 2
