import numpy as np
import pandas as pd
import pytest

from predictive.closerates import patterns
from predictive.closerates.patterns import find_patterns, parts_of
from tests.closerates.worlds import HORIZON, config, frame, world
from tests.features.histories import tables

SEEDS = 12
SEGMENTS = slice(0, 1)  # the source


def found(seed, **changes):
    rows, counts, attributes = frame(seed, **changes)
    return find_patterns(*parts_of(rows, HORIZON), counts, attributes, attributes[SEGMENTS])


def test_label_windows_of_the_parts_never_overlap_and_the_later_has_its_share_of_closes():
    for seed in range(4):
        rows, _, _ = frame(seed, rows=3_000)
        # As-ofs at any time, as with age snapshots.
        rows["as_of"] += np.random.default_rng(seed).integers(0, HORIZON, len(rows))
        earlier, later = parts_of(rows, HORIZON)
        assert earlier["as_of"].max() + HORIZON <= later["as_of"].min()
        assert later["label"].sum() >= 0.4 * rows["label"].sum()
        assert len(earlier) > 500


def test_where_nothing_matters_hardly_anything_is_found():
    for_nothing = [found(seed) for seed in range(SEEDS)]
    assert min(f.tried for f in for_nothing) > 100
    assert sum(len(f.holding) for f in for_nothing) <= 1


def test_a_threshold_that_matters_is_found_with_its_rate_and_the_condition_of_a_rule():
    by_luck = 0
    for seed in range(4):
        told = found(seed, effect=lambda v: 2.0 * (v["download_count_90d"] >= 10))
        first = told.holding[0]
        assert first.pattern == "download 10 or more in the last 90 days"
        assert first.when == ({"activity": "download", "at_least": 10, "within": "90d"},)
        assert first.low <= 0.05 * np.exp(2) / (0.95 + 0.05 * np.exp(2)) <= first.high
        by_luck += sum(p.when[-1].get("activity") != "download" for p in told.holding)
    assert by_luck <= 1


def test_what_matters_in_one_segment_only_is_found_there():
    def in_fairs(v):
        return 2.5 * ((v["visit_count_30d"] >= 5) & (v["source"] == "fair"))

    told = found(1, rows=9_000, effect=in_fairs)
    segments = {p.segment for p in told.holding if p.segment is not None}
    assert segments == {"source is fair"}
    inside = next(p for p in told.holding if p.segment is not None)
    assert inside.when[0] == {"attribute": "source", "equals": "fair"}
    assert inside.lift > 2


def test_what_stops_to_matter_fails_later():
    rows, counts, attributes = frame(2)
    rows["label"] = (np.random.default_rng(0).random(len(rows)) < 0.06).astype(int)
    many, before = rows["download_count_90d"] >= 10, rows["as_of"] <= 3 * HORIZON
    rows.loc[many & before & (np.arange(len(rows)) % 2 == 0), "label"] = 1
    rows["deal_id"] = rows["contact_id"].where(rows["label"] == 1)
    earlier, later = rows[before], rows[~before]
    told = find_patterns(earlier, later, counts, attributes, [])
    assert told.tested >= 1
    assert told.failed == told.tested
    assert told.holding == ()


def test_few_closes_are_not_searched():
    rows, counts, attributes = frame(3)
    few = pd.concat([rows[rows["label"] == 0], rows[rows["label"] == 1].head(12)]).sort_values("as_of")
    told = find_patterns(*parts_of(few, HORIZON), counts, attributes, [])
    assert (told.tried, told.tested, told.holding) == (0, 0, ())
    assert "closes, and 20 are needed: nothing can be said" in told.said[0]


def test_from_tables_every_close_is_counted_once(con):
    history = world(5, contacts=300, rate=0.3)
    told = patterns(tables(history, con), config(), now=10**18)
    assert told.earlier["closes"] + told.later["closes"] <= len(history.deals)
    assert told.later["closes"] >= 20
    assert told.later["until"] == "1971-02-06T00:00:00Z"


@pytest.mark.parametrize("seed", range(2))
def test_the_same_data_gives_the_same_patterns_in_any_order(seed):
    rows, counts, attributes = frame(seed, rows=3_000, effect=lambda v: 0.2 * v["visit_count_90d"])
    earlier, later = parts_of(rows, HORIZON)
    mixed = [part.sample(frac=1, random_state=seed) for part in (earlier, later)]
    one, other = (find_patterns(*parts, counts, attributes, []) for parts in ((earlier, later), mixed))
    assert [p.pattern for p in one.holding] == [p.pattern for p in other.holding] != []
