import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predictive.clock import DAY
from predictive.model.drift import NO_DRIFT, corrected, first_of_month, follow, in_words, overlap_weights
from predictive.model.side import expit

HORIZON = 30 * DAY
STARTS = 20_000 * DAY


def scored(rows=4_000, *, days=400, moved=0.0, seed=0, contacts=None):
    """Scores that are right until half time, and whose level is off by `moved` log-odds from then on."""
    random = np.random.default_rng(seed)
    at = np.sort(random.integers(0, days, rows))
    z = random.normal(-2.5, 1, rows)
    label = (random.random(rows) < expit(z + moved * (at >= days / 2))).astype(int)
    who = np.arange(rows) if contacts is None else random.integers(0, contacts, rows)
    frame = pd.DataFrame(
        {
            "contact_id": [f"C{i}" for i in who],
            "as_of": STARTS + at * DAY,
            "log_odds": z,
            "label": label,
            "deal_id": [f"d{i}" if y else None for i, y in enumerate(label)],
        }
    )
    return frame.drop_duplicates(["contact_id", "as_of"], ignore_index=True)


def test_without_outcomes_and_until_the_first_close_matures_nothing_is_corrected():
    frame = scored().assign(label=0, deal_id=None)
    assert not follow(frame, HORIZON).shifts.any()
    assert follow(frame.head(0), HORIZON) is NO_DRIFT
    assert NO_DRIFT.at(np.array([0, STARTS])).tolist() == [0, 0]
    late = frame.copy()
    late.loc[late.index[-1], ["label", "deal_id"]] = 1, "d"
    drift = follow(late, HORIZON)
    assert not drift.shifts[:-1].any()
    assert drift.shifts[-1] < 0
    assert in_words(drift, until=int(drift.times[-1]) - 1).startswith("no drift correction")
    assert "from 1 matured closes" in in_words(drift, until=int(drift.times[-1]))


@pytest.mark.parametrize("moved", [-1.0, 1.5])
def test_a_level_that_moved_is_followed_and_one_that_did_not_is_left(moved):
    ends = np.array([STARTS + 430 * DAY])
    assert abs(follow(scored(), HORIZON).at(ends)[0]) < 0.12
    assert follow(scored(moved=moved), HORIZON).at(ends)[0] == pytest.approx(moved, abs=0.35)
    assert follow(scored(), HORIZON).off[-1] > 0.2
    assert follow(scored(moved=moved), HORIZON).off[-1] < 0.001


def test_few_closes_move_the_level_less_than_many():
    few, many = (follow(scored(rows, moved=1.5), HORIZON).shifts[-1] for rows in (150, 4_000))
    assert 0 < few < many


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 99), at=st.integers(0, 450))
def test_no_shift_depends_on_what_happens_later(seed, at):
    frame, now = scored(600, moved=1.0, seed=seed, contacts=80), STARTS + at * DAY
    changed = frame.copy()
    later = changed["as_of"] + HORIZON > now
    changed.loc[later, ["label", "deal_id"]] = 1, "another"
    changed.loc[later, "log_odds"] = 7.0
    ask = np.array([STARTS, now])
    np.testing.assert_array_equal(follow(frame, HORIZON).at(ask), follow(changed, HORIZON).at(ask))
    np.testing.assert_array_equal(follow(frame, HORIZON).at(ask), follow(changed[~later], HORIZON).at(ask))


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 99))
def test_the_order_of_rows_changes_nothing_not_even_the_last_bit(seed):
    frame = scored(600, moved=1.0, contacts=150)
    found, shuffled = follow(frame, HORIZON), follow(frame.sample(frac=1, random_state=seed), HORIZON)
    np.testing.assert_array_equal(found.shifts, shuffled.shifts)
    np.testing.assert_array_equal(found.closes, shuffled.closes)


def test_one_close_behind_several_overlapping_rows_is_no_more_evidence_than_one():
    frame = pd.DataFrame({"contact_id": ["a", "a", "a", "b", "a"], "as_of": np.array([0, 30, 60, 60, 200]) * DAY})
    np.testing.assert_allclose(4 * overlap_weights(frame, 90 * DAY), [1, 1 / 2, 1 / 3, 1, 1])
    one = scored(1, seed=1).assign(label=1, deal_id="d", log_odds=-2.0)
    many = pd.concat([one.assign(as_of=one["as_of"] + month * 31 * DAY) for month in range(3)])
    assert follow(many, 90 * DAY).closes.tolist() == [1, 1, 1]


def test_a_contact_counts_once_a_month():
    frame = pd.DataFrame({"contact_id": ["a", "b", "a", "a"], "as_of": np.array([40, 32, 33, 65]) * DAY})
    kept = first_of_month(frame)
    assert kept["contact_id"].tolist() == ["b", "a", "a"]
    assert (kept["as_of"] // DAY).tolist() == [32, 33, 65]


@given(st.floats(0.001, 0.999), st.floats(-5, 5))
def test_a_corrected_probability_has_its_log_odds_shifted(p, shift):
    found = corrected(np.array([p, np.nan]), np.array([shift, shift]))
    assert np.isnan(found[1])
    assert (
        found[0] == p
        if shift == 0
        else np.log(found[0] / (1 - found[0])) == pytest.approx(np.log(p / (1 - p)) + shift, abs=1e-6)
    )
