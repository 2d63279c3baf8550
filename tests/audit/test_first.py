import numpy as np
import pandas as pd
import pytest

from predictive.audit import first_scores
from predictive.audit.first import HINDSIGHT, LATE
from predictive.clock import DAY, from_micros

START = pd.Timestamp("2026-01-20", tz="UTC")
HOURS = pd.Timedelta(hours=3)


def history(rows):
    """History rows from (contact, night, scored_at, probability, model, past); the as-of is the night."""
    columns = ["contact_id", "night", "scored_at", "probability", "model_version", "past"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.assign(as_of=frame["night"], quadrant="pursue", tier="low", holdout=None).astype({"past": bool})


def runs(nights, **more):
    frame = pd.DataFrame({"as_of": nights, "scored_at": [n + HOURS for n in nights]})
    names = [f"run{i}" for i in range(len(frame))]
    return frame.assign(model_version="v1", past=False, run_id=names, restores=None).assign(**more)


def find(rows, nights, *, ages=False, knows=lambda _: 0):
    return first_scores(history(rows), runs(nights), timezone="UTC", ages=ages, knows=knows)


@pytest.mark.parametrize("seed", range(5))
def test_the_first_score_of_a_month_is_the_one_people_saw_first_whether_it_changed_that_night_or_not(seed):
    """A slow look at every night, against a history that holds changes only."""
    rng = np.random.default_rng(seed)
    nights = [START + pd.Timedelta(days=d) for d in range(75) if rng.random() < 0.8]
    rows, seen = [], {}
    for contact in "abcdefgh":
        now = None
        for night in nights:
            was = now
            if rng.random() < 0.08:
                now = None if rng.random() < 0.3 else round(rng.random(), 3)
            if now is not None:
                seen.setdefault((contact, f"{night:%Y-%m}"), (night, now))
            if now != was:
                rows.append((contact, night, night + HOURS, np.nan if now is None else now, "v1", False))
    found = find(rows, nights).scores
    told = {(r.contact_id, r.month): (pd.Timestamp(from_micros(r.as_of)), r.probability) for r in found.itertuples()}
    assert told == seen
    assert len(found) == len(seen) > 8


def test_scores_that_nobody_saw_at_the_time_are_left_out_and_counted():
    late = START + pd.Timedelta(days=2, seconds=1)
    rows = [
        ("a", START, START + HOURS, 0.1, "v1", False),
        ("b", START, late, 0.2, "v1", False),
        ("c", START, START + HOURS, 0.3, "v1", True),
        ("d", START, START + HOURS, 0.4, "v2", False),
        ("e", START, START + HOURS, 0.5, "v3", False),
    ]
    known = {"v1": 0, "v2": START.value // 1_000 + DAY, "v3": None}
    found = find(rows, [START], knows=known.get)
    assert found.scores["contact_id"].tolist() == ["a"]
    assert found.left_out == {LATE: 1, HINDSIGHT: 2}


def test_a_later_score_of_the_month_counts_where_the_first_came_too_late():
    second = START + pd.Timedelta(days=3)
    rows = [
        ("a", START, START + pd.Timedelta(days=5), 0.1, "v1", False),
        ("a", second, second + HOURS, 0.2, "v1", False),
    ]
    found = find(rows, [START, second])
    assert found.scores["probability"].tolist() == [0.2]


def test_a_score_that_is_kept_is_no_new_prediction_where_each_contact_has_its_own_instant():
    nights = [START + pd.Timedelta(days=10 * i) for i in range(4)]
    rows = [("a", START, START + HOURS, 0.1, "v1", False)]
    assert len(find(rows, nights, ages=True).scores) == 1
    assert find(rows, nights).scores["month"].tolist() == ["2026-01", "2026-02"]


def test_a_night_that_was_taken_back_opens_no_month():
    nights = [START, *(pd.Timestamp(f"2026-02-0{day}", tz="UTC") for day in (1, 1, 3))]
    told = runs(nights, restores=[None, None, "run0", None])
    told.loc[2, "scored_at"] += HOURS
    rows = history([("a", START, START + HOURS, 0.1, "v1", False)])
    found = first_scores(rows, told, timezone="UTC", ages=False, knows=lambda _: 0).scores
    assert [from_micros(as_of).day for as_of in found["as_of"]] == [20, 3]


def test_months_are_those_of_the_time_zone():
    at = pd.Timestamp("2026-01-31 23:30", tz="UTC")
    rows = history([("a", at, at + HOURS, 0.1, "v1", False)])
    found = first_scores(rows, runs([at]), timezone="Europe/Madrid", ages=False, knows=lambda _: 0)
    assert found.scores["month"].tolist() == ["2026-02"]


def test_nothing_was_scored():
    empty = history([]).astype(dict.fromkeys(("night", "as_of", "scored_at"), "datetime64[us, UTC]"))
    none = runs([]).astype({"as_of": "datetime64[us, UTC]", "scored_at": "datetime64[us, UTC]"})
    found = first_scores(empty, none, timezone="UTC", ages=False, knows=lambda _: 0)
    assert (len(found.scores), found.left_out) == (0, {})
