import numpy as np
import pandas as pd
import pytest

from predictive.clock import DAY
from predictive.evaluation.capacity import capacity


def crm(*, contacts=600, seed=1):
    """Three monthly snapshots of contacts whose chance moves; the rules know half of it."""
    rng = np.random.default_rng(seed)
    base = rng.normal(-3, 1.2, contacts)
    rows = []
    for month in range(3):
        logit = base + rng.normal(0, 0.5, contacts)
        p = 1 / (1 + np.exp(-logit))
        won = rng.random(contacts) < p
        rows.append(pd.DataFrame({
            "contact_id": [f"c{i}" for i in range(contacts)], "as_of": month * 28 * DAY, "label": won.astype(int),
            "deal_id": np.where(won, [f"d{i}" for i in range(contacts)], None),
            "cluster": [f"a{i // 3}" for i in range(contacts)],
            "probability": p, "rule_score": np.round(20 + 8 * (base + rng.normal(0, 1, contacts))),
        }))  # fmt: skip
    return pd.concat(rows, ignore_index=True)


def called_slowly(test, column, cut):
    """Contact by contact: the first row that reaches the cut-off."""
    found = []
    for _, rows in test.sort_values("as_of").groupby("contact_id"):
        reached = rows[rows[column] >= cut]
        if len(reached):
            found.append(reached.index[0])
    return test.loc[found]


def test_the_list_is_what_a_slow_look_at_every_contact_gives():
    test = crm()
    found = capacity(test, per_week=10, seed=7)
    assert found.weeks == 12
    rows = called_slowly(test, "probability", found.model.cut_off)
    assert len(rows) == pytest.approx(120, abs=1)
    assert found.model.calls == pytest.approx(10)
    assert found.model.closes.value == pytest.approx(rows["label"].sum() / 12, abs=0.1)
    assert found.predicted == pytest.approx(rows["probability"].sum() / 12, rel=0.02)
    assert found.model.closes.low < found.model.closes.value < found.model.closes.high
    assert found.advantage.value == pytest.approx(found.model.closes.value - found.rules.closes.value)
    assert found.rules.calls == pytest.approx(10)
    assert found.advantage.low > 0
    assert found.blind < found.rules.closes.value


def test_ties_of_the_rules_are_called_in_proportion():
    test = crm().assign(rule_score=5)
    found = capacity(test, per_week=10, seed=7)
    assert found.rules.calls == pytest.approx(10)
    assert found.rules.closes.value == pytest.approx(found.blind)


def test_more_calls_than_contacts_call_everybody():
    found = capacity(crm(), per_week=1_000, seed=7)
    assert found.model.calls == pytest.approx(600 / 12)
    assert found.model.closes.value == pytest.approx(found.rules.closes.value)
    assert found.in_words()[0].startswith("1,000 calls a week are more than there were contacts: 50 a week")


def test_a_deal_of_several_contacts_is_one_close():
    test = crm()
    together = test.assign(deal_id=np.where(test["label"] == 1, test["cluster"], None))
    found = capacity(together, per_week=1_000, seed=7)
    first = called_slowly(together, "probability", found.model.cut_off)
    assert found.model.closes.value * 12 <= first["deal_id"].nunique() + 1e-9


def test_a_call_is_worth_it_where_the_chance_is_above_cost_over_value():
    test = crm()
    found = capacity(test, per_week=10, seed=7, cost=15, value=100)
    assert found.worth.cut_off == 0.15
    everyone = called_slowly(test, "probability", 0.15)
    assert found.worth.calls == pytest.approx(len(everyone) / 12)
    limit = called_slowly(test, "probability", max(0.15, found.model.cut_off))
    assert found.net.value == pytest.approx((100 * limit["label"].sum() - 15 * len(limit)) / 12)
    assert "a call is worth its cost from a probability of 15.0% up" in found.in_words()[1]
    assert capacity(test.assign(label=0, deal_id=None), per_week=10, seed=7) is None
