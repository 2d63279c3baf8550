from itertools import pairwise

import numpy as np
import pandas as pd

from predictive.clock import DAY
from predictive.evaluation.rolling import origins, rolling


def history(*, months=12, n=200, rate=0.1, seed=1):
    rng = np.random.default_rng(seed)
    as_of = np.repeat(np.arange(months) * 30 * DAY, n)
    won = rng.random(len(as_of)) < rate
    ids = np.arange(len(as_of)).astype(str)
    return pd.DataFrame({
        "as_of": as_of, "label": won.astype(int), "deal_id": np.where(won, ids, None), "cluster": ids, "x": won * 1.0,
    })  # fmt: skip


def test_every_origin_learns_only_from_what_had_matured_and_is_judged_on_what_came_next():
    frame, horizon, seen = history(), 90 * DAY, []

    def fit(learn):
        def predict(judged):
            seen.append((learn["as_of"].max() + horizon, judged["as_of"].min(), judged["as_of"].max()))
            return np.full(len(judged), learn["label"].mean())

        return predict

    found = rolling(frame, fit, horizon=horizon, seed=7)
    assert len(found) == len(seen) == 4
    assert all(known <= first for known, first, _ in seen)
    assert all(last < following for (_, _, last), (_, following, _) in pairwise(seen))
    assert seen[-1][2] == frame["as_of"].max()
    assert [o.closes for o in found] == [
        int(frame.loc[frame["as_of"].between(a, b), "label"].sum()) for _, a, b in seen
    ]
    assert all(o.learned >= 20 and o.values["log_loss"].low < o.values["log_loss"].value for o in found)


def test_too_short_a_history_has_no_origins():
    assert origins(history(months=3), 90 * DAY) == []
    assert rolling(history(rate=0.001), lambda _: lambda rows: rows["x"], horizon=90 * DAY, seed=7) == ()
