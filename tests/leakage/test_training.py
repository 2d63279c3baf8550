"""What a training does with suspects, on a CRM with leaks planted."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from predictive.clock import DAY
from predictive.features.catalog import attribute
from predictive.features.examples import examples
from predictive.leakage.training import choose_honest
from predictive.learning import prepare
from tests.leakage.crm import END, START, config, crm, honest, some, tables

HOUR = DAY // 24
SPLIT = {"split": {"test_from": "2025-09-01"}}


@pytest.fixture(scope="module")
def world():
    random = np.random.default_rng(12)
    size = 3_000
    made = crm(random, contacts=size)
    acts = [
        pd.DataFrame({"contact_id": made.ids, "type": "visit", "t": made.created, "known": made.created}),
        pd.DataFrame({"contact_id": made.ids, "type": "signing", "t": made.closed - HOUR, "known": made.closed - HOUR})[
            made.won
        ],
    ]
    owner = some(random, np.full(size, "team", dtype=object), made.won, 0.9)
    minutes = random.normal(0, 1, size) + 1.4 * made.won
    return replace(
        made.plus(owner=owner, minutes=minutes, **honest(random, size, columns=4)), activities=pd.concat(acts)
    )


def prepared(world, con, **changes):
    return prepare(tables(world, con), config(**{**SPLIT, **changes}), now=END)


def test_sure_leaks_stay_out_of_the_features_each_with_its_reason_and_the_rest_are_warnings(con, world):
    found = prepared(world, con)
    assert set(found.choice.left_out) >= {"owner", "signing"}
    assert found.choice.left_out["owner"].startswith("betrays the outcome (filled only for closes): known for ")
    assert found.choice.left_out["signing"].startswith("betrays the outcome (happens at the close): of ")
    assert "owner" not in found.frame
    assert not any("signing" in name for name in found.frame)
    # Features of any activity are blind to the type as well.
    last = next(f for f in found.choice.features if f.name == "last_touch")
    assert last.totals[0].without == ("owner", "signing")
    assert "minutes" in found.frame
    (warning,) = [str(n) for n in found.notes if "may betray" in str(n)]
    assert warning.startswith("contacts.minutes: may betray the outcome (separates too well): by itself it separates ")
    assert warning.endswith("To leave it out: features: {exclude: [minutes]}")


def test_what_is_to_be_kept_is_kept_with_a_warning(con, world):
    found = prepared(world, con, features={"keep": ["owner", "signing"]})
    assert not {"owner", "signing"} & set(found.choice.left_out)
    assert {"owner", "signing_days_since"} <= set(found.frame)
    kept = [str(n) for n in found.notes if "kept as configured" in str(n)]
    assert [text.partition(":")[0] for text in kept] == ["activities.signing", "contacts.owner"]


def test_what_happens_after_the_split_decides_nothing(con, world):
    day = START + 200 * DAY
    later = world.won & (world.closed > day)
    assert later.sum() > 50
    acts = world.activities
    known = replace(world, won=world.won & ~later, activities=acts[acts["known"] <= day])
    chosen = []
    for mine in (world, known):
        held = tables(mine, con)
        outline = examples(held, config(), (), first=START, last=END).frame
        chosen.append(choose_honest(held, config(), outline, until=day))
    assert chosen[0] == chosen[1]
    assert {"owner", "signing"} <= set(chosen[0][0].left_out)


def test_a_leak_of_accounts_is_left_out_by_the_name_that_its_feature_has(con):
    random = np.random.default_rng(13)
    made = crm(random, contacts=1_200)
    account = np.array([f"a{i}" for i in range(1_200)], dtype=object)
    region = np.array(["north", "south"], dtype=object)[random.integers(0, 2, 1_200)]
    accounts = {"since": np.where(made.won, "2025", None), "region": region}
    found = prepared(replace(made.plus(since=region), account=account, of_accounts=accounts), con)
    assert "account_since" in found.choice.left_out
    assert attribute("region", of="accounts") in found.choice.features
    assert attribute("since") in found.choice.features
