import numpy as np
import pandas as pd
import pytest

from predictive.clock import DAY
from predictive.closerates import buyers
from predictive.closerates.buyers import draw_sets
from tests.closerates.worlds import OBSERVED, config, world
from tests.features.histories import did, tables


def people(seed, *, size=500):
    random = np.random.default_rng(seed)
    created = random.integers(0, 300 * DAY, size)
    closed = np.where(random.random(size) < 0.2, created + random.integers(-5, 90, size) * DAY, -1)
    return pd.DataFrame(
        {
            "contact_id": [f"c{i}" for i in range(size)],
            "created_at": created,
            "closed_at": pd.array(np.where(closed < 0, None, closed), dtype="Float64"),
            "segment": random.choice(["fair", "web", ""], size),
            "cluster": [f"a{i}" for i in random.integers(0, 200, size)],
        }
    )


@pytest.mark.parametrize("seed", range(3))
def test_contacts_beside_a_buyer_are_at_risk_when_it_buys_and_alike(seed):
    everybody = people(seed)
    sets = draw_sets(everybody, until=350 * DAY, seed=seed)
    told = sets.merge(everybody.drop(columns="cluster"), on="contact_id")
    buyer = told[told["buyer"]].set_index("set")
    others = told[~told["buyer"]].join(buyer.add_suffix("_of_buyer"), on="set")
    assert (buyer["as_of"] == buyer["closed_at"] - 1).all()
    assert (buyer["closed_at"] <= 350 * DAY).all()
    assert (others["as_of"] == others["as_of_of_buyer"]).all()
    assert (others["closed_at"].isna() | (others["closed_at"] > others["closed_at_of_buyer"])).all()
    assert (others["created_at"] <= others["as_of"]).all()
    assert (others["segment"] == others["segment_of_buyer"]).all()
    age = others["as_of"] - others["created_at_of_buyer"]
    apart = (others["created_at"] - others["created_at_of_buyer"]).abs()
    assert (apart <= np.maximum(30 * DAY, age / 4) + 1).all()
    assert not others.duplicated(["set", "contact_id"]).any()
    assert others["closed_at"].notna().any()  # who buys later is at risk until then
    assert (others["cluster"] == others["cluster_of_buyer"]).all()


def test_the_seed_decides_and_the_order_of_rows_does_not():
    everybody = people(1)
    one, same, mixed, other = (
        draw_sets(frame, until=350 * DAY, seed=seed)
        for frame, seed in (
            (everybody, 1), (everybody, 1), (everybody.sample(frac=1, random_state=3), 1), (everybody, 2),
        )
    )  # fmt: skip
    pd.testing.assert_frame_equal(one, same)
    pd.testing.assert_frame_equal(one, mixed)
    assert not one.equals(other)


def test_what_buyers_did_before_their_close_is_counted_and_nothing_after_it(con):
    history = world(6, contacts=500, rate=0.2)
    closes = {d["contact_id"]: d["closed_at"] for d in history.deals}
    before = [did(name, at - DAY, "signing") for name, at in closes.items() for _ in range(3)]
    found = buyers(
        tables(history.plus(activities=before), con), config(), ["signing", "onboarding", "page_view"], now=10**18
    )
    kinds = {kind.type: kind for kind in found.kinds}
    assert found.buyers + found.alone == sum(at <= OBSERVED for at in closes.values())
    assert found.matched == ("age of the record", "time", "source")
    signing = kinds["signing"]
    assert (signing.mean.value, signing.median.value, signing.share) == (3.0, 3.0, 1.0)
    assert signing.more.low > 2
    # It happens after the close.
    assert kinds["onboarding"].mean.value == 0
    assert kinds["page_view"].more.low < 0 < kinds["page_view"].more.high
    assert found.kinds[0].type == "signing"


def test_few_buyers_or_no_types_say_nothing(con):
    few = tables(world(7, contacts=40), con)
    assert buyers(few, config(), ["page_view"], now=10**18) is None
    assert buyers(few, config(), [], now=10**18) is None
