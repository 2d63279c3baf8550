from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from predictive.evaluation.importance import importance


@dataclass(frozen=True)
class Column:
    name: str
    side: str

    @property
    def description(self):
        return f"the column {self.name}"


class Known:
    """Log-odds of 2a + b, of which c is no part."""

    def probability(self, frame):
        return 1 / (1 + np.exp(-(2 * frame["a"] + frame["b"]))).to_numpy()

    def contributions(self, frame):
        return np.stack([2 * frame["a"], frame["b"], 0 * frame["c"]], axis=1)


COLUMNS = (Column("a", "fit"), Column("b", "interest"), Column("c", "interest"))


def frame(n=1_500):
    rng = np.random.default_rng(1)
    x = pd.DataFrame(rng.normal(size=(n, 3)), columns=list("abc")).assign(as_of=np.arange(n))
    x["a"] *= np.where(x["as_of"] < n / 3, 3, 1)
    return x.assign(label=(rng.random(n) < Known().probability(x)).astype(int))


def test_what_matters_more_comes_first_and_what_does_not_is_zero():
    each, sides = importance(Known(), COLUMNS, frame(), seed=7)
    assert [i.name for i in each] == ["a", "b", "c"]
    assert each[0].permutation.value > each[1].permutation.value > 0.05
    assert (each[2].mean, each[2].permutation.value) == (0, 0)
    assert [i.name for i in sides] == ["fit", "interest"]
    assert sides[0].shapley == each[0].shapley
    assert sides[1].description == "all features of interest"


def test_the_mean_is_that_of_absolute_parts_and_the_spread_is_over_time():
    rows = frame()
    (first, *_), _ = importance(Known(), COLUMNS, rows, seed=7)
    assert first.mean == first.shapley.value == pytest.approx(np.abs(2 * rows["a"]).mean())
    assert first.shapley.most == pytest.approx(np.abs(2 * rows["a"][:500]).mean())
    assert first.shapley.least < 0.5 * first.shapley.most
    assert first.permutation.least <= first.permutation.value <= first.permutation.most
