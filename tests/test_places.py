"""Quadrants, cells and the holdout of whole nights: blocks give what the whole gives, and decisions stay decisions."""

from dataclasses import replace

import narwhals as nw
import numpy as np
import pandas as pd
import pytest

from predictive.actions import quadrant_of
from predictive.config import CapacityChoice, Quadrants
from predictive.errors import ModelError
from predictive.holdout import held_out
from predictive.model.bundle import load_bundle
from predictive.scores import score_at
from predictive.tables import SCORES
from predictive.tonight import eligible_tonight

pytest_plugins = ["tests.trained"]

SHARE = Quadrants.model_validate(
    {"by": "share", "fit": 0.25, "interest": 0.4, "grid": {"fit": [0.1, 0.6], "interest": [0.1, 0.7]}}
)


@pytest.fixture(scope="module")
def night(demo, opened):
    with opened(demo.config) as (config, con, tables, _):
        at = config.micros(config.score.as_of)
        yield config, con, tables, load_bundle(demo.bundle), eligible_tonight(tables, config, at)[0], at


def score(night, block, bundle=None, **changes):
    config, con, tables, own, _, at = night
    changed = config.model_copy(update=changes)
    return score_at(con, tables, changed, own if bundle is None else bundle, block, night=at)


def test_a_contact_has_the_same_place_in_any_block(night):
    eligible = night[4]
    changes = {"quadrants": SHARE, "holdout": 0.1}
    whole = score(night, eligible, **changes)
    halves = [eligible.iloc[::2].reset_index(drop=True), eligible.iloc[1::2].reset_index(drop=True)]
    parts = pd.concat([score(night, half, **changes) for half in halves]).sort_values("contact_id", ignore_index=True)
    columns = ["contact_id", "quadrant", "cell", "holdout"]
    pd.testing.assert_frame_equal(whole[columns], parts[columns])
    one = score(night, eligible.head(1), **changes)
    assert one.loc[0, columns].tolist() == whole.loc[0, columns].tolist()
    assert [quadrant_of(c) for c in whole["cell"]] == whole["quadrant"].tolist()
    assert whole["cell"].nunique() > 8
    assert whole["holdout"].tolist() == held_out(whole["contact_id"], 0.1).tolist()
    # The cuts were read off the newest snapshot of training, some weeks before: its shares hold, more or less.
    assert (whole["quadrant"].isin(["pursue", "nurture"])).mean() == pytest.approx(0.25, abs=0.05)
    assert (whole["quadrant"].isin(["pursue", "opportunistic"])).mean() == pytest.approx(0.4, abs=0.08)


def test_by_capacity_pursue_holds_about_what_can_be_worked(night):
    found = score(night, night[4], quadrants=Quadrants(by="capacity"), capacity=CapacityChoice(per_week=60))
    assert (found["quadrant"] == "pursue").sum() == pytest.approx(60, abs=20)


def test_places_change_nothing_else(night):
    plain, changed = score(night, night[4]), score(night, night[4], quadrants=SHARE, holdout=0.1)
    other = [c for c in plain.columns if c not in ("quadrant", "cell", "holdout")]
    pd.testing.assert_frame_equal(plain[other], changed[other])
    assert plain["cell"].isna().all()
    assert not plain["holdout"].any()
    stamps = {"scored_at", "model_version", "run_id"}
    assert set(plain.columns) == set(SCORES.columns) - stamps


def test_a_bundle_without_the_spread_scores_by_lift_and_asks_for_a_training_by_share(night):
    old = replace(night[3], spread=None)
    block = night[4].head(20)
    pd.testing.assert_frame_equal(score(night, block, bundle=old), score(night, block))
    with pytest.raises(ModelError, match="quadrants: by: share reads its cuts off"):
        score(night, block, bundle=old, quadrants=SHARE)


def test_the_spread_is_kept_in_the_bundle_as_it_was(demo):
    spread = load_bundle(demo.bundle).spread
    assert spread.contacts > 1_000
    assert (np.diff(spread.fit) <= 0).all()
    assert (np.array(spread.both) <= np.minimum(spread.fit, spread.interest)).all()


def test_the_override_moves_quadrant_and_tier_and_nothing_else(night):
    config, con, tables, bundle, eligible, at = night
    rows = pd.DataFrame(
        {
            "contact_id": eligible["contact_id"].head(6),
            "quadrant": ["pursue", "disengage", "pursue", None, None, "nurture"],
            "tier": [None, "very high", "low", "high", None, None],
            "author": "ann", "reason": "knows them", "created_at": at - 10,
            "expires_at": [at + 10, at + 10, at, at + 10, at + 10, at + 1],
        }
    )  # fmt: skip
    overrides = nw.from_native(con.from_df(rows.astype({"quadrant": "object", "tier": "object"})))
    block = eligible.head(20)
    plain = score_at(con, tables, config, bundle, block, night=at)
    found = score_at(con, replace(tables, overrides=overrides), config, bundle, block, night=at)
    other = [c for c in plain.columns if c not in ("quadrant", "tier", "override")]
    pd.testing.assert_frame_equal(plain[other], found[other])
    decided = found["override"].notna().tolist()
    assert decided[:7] == [True, True, False, True, False, True, False]  # the third has expired, the fifth says nothing
    assert found["quadrant"].tolist()[:2] == ["pursue", "disengage"]
    assert found.loc[3, ["quadrant", "tier"]].tolist() == [plain.loc[3, "quadrant"], "high"]
    assert not any(decided[6:])
