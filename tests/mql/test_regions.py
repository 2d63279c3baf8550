from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import yaml

from predictive.clock import DAY
from predictive.config import CapacityChoice, Quadrants
from predictive.config_file import load_config
from predictive.evaluation.closed import closed
from predictive.mql.define import _decide
from predictive.mql.regions import LUCK, best_sized, judge_regions
from predictive.rules import Stages

BASE = 0.03


def history(seed, *, slope, contacts=1_500):
    """Three monthly snapshots; `slope` says by how much fit and interest foretell a close (0: not at all)."""
    random = np.random.default_rng(seed)
    fit, interest = random.lognormal(np.log(BASE), 0.8, (2, contacts))
    chance = np.clip(BASE * (fit / BASE * interest / BASE) ** slope, 0, 0.9)
    closes = random.random(contacts) < chance
    rows = []
    for month in range(3):
        noise = random.lognormal(0, 0.2, contacts)
        at = {"as_of": month * 30 * DAY, "fit": fit, "interest": interest * noise, "label": closes.astype(int)}
        rows.append(pd.DataFrame({"contact_id": [f"c{i}" for i in range(contacts)], **at}))
    frame = pd.concat(rows, ignore_index=True)
    points = np.clip(np.log(frame["interest"] / BASE) * 30 + 30, 0, 100).astype(int)
    deal = frame["contact_id"].where(frame["label"] == 1)
    return frame.assign(rule_score=points, deal_id=deal, cluster="a" + frame["contact_id"].str[-2:])


@pytest.fixture
def config(tmp_path):
    file = tmp_path / "c.yaml"
    file.write_text("source: {kind: files, path: d, tables: {contacts: {file: c.csv}, deals: {file: d.csv}}}\n")
    return load_config(file)


def decide(regions, config, per_week=None):
    capacity = None if per_week is None else CapacityChoice(per_week=per_week)
    average = closed([0] * 97 + [1] * 3, range(100))
    return _decide(regions, average, config.model_copy(update={"capacity": capacity}), Stages(), "made up")


def test_a_region_is_counted_as_a_slow_look_counts_it():
    rows = history(1, slope=1.0)
    for region in judge_regions(rows, base_rate=BASE)[::7]:
        b = region.bounds
        seen, closes, deals = {}, 0, set()
        for row in rows.sort_values("as_of").itertuples():
            if b.points is None:
                inside = row.fit > b.fit * BASE and row.interest > b.interest * BASE
            else:
                inside = row.rule_score >= b.points
            if inside and row.contact_id not in seen:
                seen[row.contact_id] = True
                closes += row.label
            if inside and row.label:
                deals.add(row.deal_id)
        assert (region.result.n, region.result.closed) == (len(seen), closes)
        assert region.per_week == pytest.approx(len(seen) / (90 / 7))
        assert region.caught == len(deals) / rows["deal_id"].nunique()


def test_where_scores_say_nothing_hardly_any_region_is_above_average():
    fooled = [any(r.above_average for r in judge_regions(history(s, slope=0.0), base_rate=BASE)) for s in range(12)]
    assert sum(fooled) <= 3  # of 12 at 5 %, with 55 regions in each


def test_the_chosen_region_is_what_sales_can_work_and_above_average(config):
    regions = judge_regions(history(2, slope=1.0), base_rate=BASE)
    for per_week in (10, 30, 100):
        chosen = decide(regions, config, per_week).chosen
        assert chosen.per_week <= per_week
        assert chosen.luck < LUCK
        others = [r for r in regions if r.bounds.points is None and r.per_week <= per_week and r.above_average]
        assert chosen.caught == max(r.caught for r in others)


def test_where_no_region_qualifies_that_is_said(config):
    none = decide(judge_regions(history(0, slope=0.0), base_rate=BASE), config, 30)
    assert (none.chosen, none.rule, none.alternatives) == (None, None, ())
    assert none.sentence == (
        "No region has a close rate that is significantly above the average of 3.0% and no larger than the 30 a week "
        "that can be worked."
    )


def test_what_is_to_be_pasted_loads(config):
    found = decide(judge_regions(history(2, slope=1.0), base_rate=BASE), config, 30)
    pasted = Quadrants.model_validate(yaml.safe_load(found.rule)["quadrants"])
    assert (pasted.fit, pasted.interest) == (found.chosen.bounds.fit, found.chosen.bounds.interest)
    assert found.chosen.bounds.in_words in found.sentence
    ruled = history(2, slope=1.0).assign(fit=np.nan, interest=np.nan)
    by_points = decide(judge_regions(ruled, base_rate=None), config)
    assert by_points.chosen.bounds.points is not None
    stages = Stages.model_validate(yaml.safe_load(by_points.rule)["stages"])
    assert by_points.chosen.bounds.points == stages.MQL


def test_of_the_alternatives_none_beats_another():
    best = best_sized(judge_regions(history(3, slope=1.0), base_rate=BASE))
    for a, b in pairwise(best):
        assert a.per_week <= b.per_week
        assert a.caught < b.caught
