import numpy as np
import pandas as pd
import pytest

from predictive.leakage.rows import MOST_CLOSED, MOST_OTHERS, choose_rows


def examples(*rows):
    return pd.DataFrame(rows, columns=["contact_id", "as_of", "label", "cluster"])


def wins(*rows):
    return pd.DataFrame(rows, columns=["contact_id", "closed_at"])


def chosen(mature, won):
    rows = choose_rows(mature, won)
    return {r.contact_id: (r.as_of, None if pd.isna(r.closed_at) else int(r.closed_at)) for r in rows.itertuples()}


def test_an_account_stands_with_who_closed_as_of_a_day_within_the_horizon():
    mature = examples(
        ("a", 10, 0, "x"), ("a", 20, 1, "x"), ("b", 10, 0, "x"), ("c", 10, 0, "y"), ("d", 10, 0, "y"), ("e", 10, 0, "z")
    )  # fmt: skip
    found = chosen(mature, wins(("a", 25), ("c", 90)))
    assert found == {"a": (20, 25), "c": (10, 90), "e": (10, None)}


def test_a_win_from_before_the_first_as_of_is_none_and_as_ofs_after_the_close_are_left_out():
    mature = examples(("a", 10, 0, "x"), ("a", 20, 0, "x"), ("a", 30, 0, "x"), ("b", 10, 0, "y"))
    assert chosen(mature, wins(("a", 5), ("a", 15), ("a", 40), ("b", 5))) == {"a": (10, 15), "b": (10, None)}


def test_so_many_are_enough_and_weights_put_the_rest_back():
    size = 200_000
    ids = np.array([f"c{i}" for i in range(size)])
    closed = np.arange(size) % 5 == 0
    mature = pd.DataFrame({"contact_id": ids, "as_of": 0, "label": closed.astype(int), "cluster": ids})
    won = pd.DataFrame({"contact_id": ids[closed], "closed_at": 9})
    rows = choose_rows(mature, won)
    is_closed = rows["closed_at"].notna()
    assert (is_closed.sum(), (~is_closed).sum()) == (MOST_CLOSED, MOST_OTHERS)
    assert rows.loc[is_closed, "weight"].sum() == pytest.approx(closed.sum())
    assert rows.loc[~is_closed, "weight"].sum() == pytest.approx((~closed).sum())


def test_who_is_chosen_does_not_depend_on_the_order_of_rows():
    random = np.random.default_rng(0)
    ids = np.array([f"c{i}" for i in range(500)])
    mature = pd.DataFrame(
        {"contact_id": np.repeat(ids, 3), "as_of": np.tile([1, 2, 3], 500), "label": 0, "cluster": np.repeat(ids, 3)}
    )
    mature["cluster"] = random.choice([f"k{i}" for i in range(100)], 1_500)
    won = wins(("c7", 2), ("c9", 8))
    assert chosen(mature, won) == chosen(mature.sample(frac=1, random_state=1), won)
