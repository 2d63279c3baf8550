"""The manual score against a slow reference, its rounding, its windows and its past."""

from random import Random

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from predictive.clock import DAY
from predictive.features.build import features_at
from predictive.rules import Rules, all_kinds, rule_features, score_rules
from predictive.rules.scoring import POINT, half_up
from predictive.rules.telling import tell, telling_features
from tests.features.histories import NIGHT, History, at, contact, did, histories, pairs, tables
from tests.features.then import seen
from tests.rules.histories import rule_file, tagged
from tests.rules.slow import score


@pytest.fixture(scope="module")
def con():
    with duckdb.connect(config={"threads": 1}) as connection:
        yield connection


def frame_of(rules, history, con, features=rule_features):
    tables_ = tables(history, con)
    kinds = all_kinds(tables_)
    known = features_at(tables_, at(history, "duckdb", con), features(rules, kinds))
    return known.collect(backend="pandas").to_native().sort_values("contact_id", ignore_index=True), kinds


def scored(rules, history, con):
    """Per contact what the reference says too."""
    made = Rules.model_validate(rules)
    frame, kinds = frame_of(made, history, con)
    found = score_rules(made, frame, kinds)
    names = np.array([s.name for s in made.sets])
    return {
        contact_id: {
            "total": found.total[i], "score": found.score[i], "fit": found.fit[i], "interest": found.interest[i],
            "fired": names[found.fired[i]].tolist(),
        }
        for i, contact_id in enumerate(frame["contact_id"])
    }  # fmt: skip


@settings(max_examples=8, deadline=None)
@given(histories(), st.integers(0, 2**32))
def test_every_score_equals_the_slow_reference(con, history, seed):
    rng = Random(seed)  # noqa: S311 - seeded, for tests
    history, rules = tagged(rng, history), rule_file(rng, sets=12)
    found = scored(rules, history, con)
    for contact_id in history.at:
        assert found[contact_id] == score(seen(history, contact_id), rules), contact_id


@settings(max_examples=3, deadline=None)
@given(pairs(), st.integers(0, 2**32))
def test_the_score_of_a_past_date_is_what_it_was_that_day(con, pair, seed):
    history, later = pair
    rules = rule_file(Random(seed))  # noqa: S311 - seeded, for tests
    then, now = scored(rules, history, con), scored(rules, later, con)
    assert {c: now[c] for c in history.at} == then


@settings(max_examples=5, deadline=None)
@given(histories(same_instant=True), st.integers(0, 2**32))
def test_what_is_told_to_be_lacking_makes_the_set_fire_and_less_does_not(con, history, seed):
    rng = Random(seed)  # noqa: S311 - seeded, for tests
    history, plain = tagged(rng, history), {**rule_file(rng), "groups": {}}
    rules = Rules.model_validate(plain)
    frame, kinds = frame_of(rules, history, con, telling_features)
    for i, who in enumerate(frame["contact_id"]):
        told = tell(rules, frame.iloc[[i]].reset_index(drop=True), kinds)
        assert sum(s.given for s in told.sets) == score(seen(history, who), plain)["total"]
        for miss in (m for m in told.near if m.lacking):
            note(f"{who}: {miss}")
            alone = {"sets": [s for s in plain["sets"] if s["name"] == miss.set]}
            fewer, before, after = (score(seen(h, who), alone) for h in lacking(history, who, miss))
            assert after["fired"] == [miss.set]
            if len(alone["sets"][0]["when"]) == 1:
                assert after["total"] - before["total"] == pytest.approx(miss.gain)
                assert fewer["fired"] == before["fired"]


def lacking(history, who, miss):
    """The history with one activity fewer than is lacking, as it is, and with all that is lacking, at as-of."""
    c = miss.condition
    detail = c.detail[0] if c.detail else c.contains[0] if c.contains else None
    value = miss.lacking if c.value_at_least is not None else None
    done = [did(who, NIGHT, (*c.types, "call")[0], detail, value=value)] * (1 if value else int(miss.lacking))
    return history.plus(activities=done[1:]), history, history.plus(activities=done)


def one(points, activities, con, **more):
    """The result for one contact that did these, and one set that counts its calls."""
    rules = {"sets": [{"name": "s", "points": points, "group": "sales", "when": [{"activity": "call"}], **more}]}
    return scored(rules, History(contacts=[contact()], activities=activities, at={"c1": NIGHT}), con)["c1"]


def ago(time):
    return [did(t=NIGHT - time, type="call")]


def test_points_melt_by_half_lives_and_evenly_to_the_microsecond(con):
    half, even = {"decay": {"half_life": "10d"}}, {"decay": {"to_zero": "10d"}}
    assert [one(16, ago(d * DAY), con, **half)["total"] for d in (0, 10, 20, 40)] == [16, 8, 4, 1]
    assert one(-16, ago(10 * DAY), con, **half)["total"] == -8
    assert [one(10, ago(t), con, **even)["total"] for t in (0, 5 * DAY, 10 * DAY, 99 * DAY)] == [10, 5, 0, 0]
    just = one(10, ago(10 * DAY - 1), con, **even)
    assert (just["fired"], one(10, ago(10 * DAY), con, **even)["fired"]) == (["s"], [])
    # The latest counts, and repeats melt with it.
    both = [*ago(3 * DAY), *ago(5 * DAY)]
    assert one(10, both, con, **even, repeat={"up_to": 2})["total"] == 14


def test_points_lapse_with_their_window_and_repeats_have_an_end(con):
    window = [{"activity": "call", "within": "30d"}]
    assert one(10, ago(30 * DAY - 1), con, when=window)["score"] == 10
    assert one(10, ago(30 * DAY), con, when=window)["score"] == 0
    repeat = {"repeat": {"every": 2, "up_to": 3}}
    assert [one(4, ago(DAY) * n, con, **repeat)["total"] for n in (1, 2, 3, 4, 6, 9)] == [0, 4, 4, 8, 12, 12]


@pytest.mark.parametrize(("days", "score"), [(5, 26), (6, 25)])
def test_a_half_is_rounded_up_before_the_stage_is_read(con, days, score):
    """51 points, of which five days of ten have melted, are 25.5: MQL."""
    melt = {"points": 51, "decay": {"to_zero": "10d"}, "when": [{"activity": "call"}], "name": "m"}
    rules = Rules.model_validate({"sets": [melt]})
    history = History(contacts=[contact()], activities=ago(days * DAY), at={"c1": NIGHT})
    frame, kinds = frame_of(rules, history, con)
    found = score_rules(rules, frame, kinds)
    expected = 51 * (10 - days) / 10
    assert found.total[0] == pytest.approx(expected, abs=2**-20)
    assert found.score[0] == min(score, half_up(np.array([int(expected * POINT)]))[0])
    assert found.stage[0] == ("MQL" if days == 5 else "prospect")
    assert found.score.dtype == found.fit.dtype == found.interest.dtype == np.dtype("int64")


def test_halves_round_up_on_both_sides_of_zero():
    halves = np.array([-1.5, -0.5, 0.5, 24.5, 99.5])
    assert half_up((halves * POINT).astype(np.int64)).tolist() == [-1, 0, 1, 25, 100]


@pytest.mark.parametrize(("given", "fit", "interest", "score"), [
    ([("fit", 30), ("fit", 20)], 40, 0, 40),
    ([("negative", -50), ("negative", -40)], 0, -60, 0),
    ([("other", 80), ("other", 70)], 0, 150, 100),
    ([("website", 5), ("website", -9)], 0, -4, 0),
])  # fmt: skip
def test_a_group_counts_up_to_its_caps_and_only_the_score_is_clipped(given, fit, interest, score):
    when = {True: [{"attribute": "plan", "known": True}], False: [{"activity": "call"}]}
    sets = [{"name": str(i), "points": p, "group": g, "when": when[g == "fit"]} for i, (g, p) in enumerate(given)]
    rules = Rules.model_validate({"groups": {"fit": {"max": 40}, "negative": {"min": -60}}, "sets": sets})
    columns = {f.name: ["x"] if f.attribute == "plan" else [1] for f in rule_features(rules, {"plan": "text"})}
    found = score_rules(rules, pd.DataFrame(columns), {"plan": "text"})
    assert (found.fit[0], found.interest[0], found.total[0], found.score[0]) == (fit, interest, fit + interest, score)
