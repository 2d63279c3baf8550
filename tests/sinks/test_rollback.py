"""Putting an earlier run back: the current scores are exactly those after that run, whatever came since."""

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from predictive.errors import DataError

pytest_plugins = ["tests.servers"]
NOW = datetime(2027, 5, 1, tzinfo=UTC)


def roll_back(nights, sink, to=None):
    nights.runs += 1
    return sink.rollback(nights.con, to, run_id=f"back{nights.runs}", now=nights.night(0).scored_at)


def test_the_scores_of_the_run_before_are_back_to_the_last_stamp_and_the_run_is_listed(sink, nights):
    nights.write(sink, 0, {"a": 0.1, "b": 0.1, "c": 0.1})
    nights.write(sink, 1, {"a": 0.2, "b": 0.1, "d": 0.2})
    before = sink.read_current()
    nights.write(sink, 2, {"a": 0.1, "b": 0.9, "c": 0.9})
    restored = roll_back(nights, sink)
    pd.testing.assert_frame_equal(sink.read_current(), before)
    assert (restored.stood, restored.run_id) == ("run3", "run2")
    assert (restored.difference.new, restored.difference.changed, restored.difference.left) == (1, 2, 1)
    runs = sink.read_runs()
    assert list(runs["outcome"]) == ["written", "written", "written", "rolled back"]
    assert runs.iloc[-1][["restores", "rows", "new", "changed", "left"]].tolist() == ["run2", 3, 1, 2, 1]
    assert (runs["seconds"] >= 0).all()
    history = sink.read_history()
    assert set(history.loc[history["undone"], "run_id"]) == {"run3"}


def test_the_next_night_writes_on_top_and_can_be_taken_back_too(sink, nights):
    nights.write(sink, 0, {"a": 0.1, "b": 0.1})
    nights.write(sink, 1, {"a": 0.9, "b": 0.9})
    roll_back(nights, sink)
    again = nights.write(sink, 1, {"a": 0.2, "b": 0.1})
    assert (again.changed, again.unchanged, again.past) == (1, 1, False)
    standing = sink.read_current()
    nights.write(sink, 2, {"a": 0.3, "b": 0.1})
    roll_back(nights, sink)
    pd.testing.assert_frame_equal(sink.read_current(), standing)
    roll_back(nights, sink, "run2")  # what was taken back first
    assert set(sink.read_current()["probability"]) == {0.9}
    history = sink.read_history()
    assert set(history.loc[~history["undone"], "run_id"]) == {"run1", "run2"}


def test_a_night_far_ahead_that_was_taken_back_does_not_make_the_next_one_past(sink, nights):
    nights.write(sink, 0, {"a": 0.1})
    nights.write(sink, 900, {"a": 0.9})
    roll_back(nights, sink)
    assert not nights.write(sink, 1, {"a": 0.2}).past
    assert list(sink.read_current()["probability"]) == [0.2]


def test_putting_back_what_stands_changes_nothing(sink, nights):
    nights.write(sink, 0, {"a": 0.1})
    before = nights.state(sink)
    assert roll_back(nights, sink, "run1").difference.written == 0
    for one, other in zip(before, nights.state(sink), strict=True):
        pd.testing.assert_frame_equal(one, other)


@pytest.mark.parametrize(
    ("to", "message"),
    [
        (None, "run1 is the first run; there is no earlier one"),
        ("nonsense", "'nonsense' is no run that wrote current scores. The newest that can be: run1 "),
        ("", "'' is no run"),
    ],
)
def test_a_run_that_cannot_be_put_back_is_refused_with_those_that_can(sink, nights, to, message):
    nights.write(sink, 0, {"a": 0.1})
    with pytest.raises(DataError, match=message):
        roll_back(nights, sink, to)


def test_where_nothing_was_written_there_is_nothing_to_put_back(sink, nights):
    with pytest.raises(DataError, match="nothing to put back"):
        roll_back(nights, sink)


def test_a_run_replaced_by_a_later_one_of_its_night_is_refused(sink, nights):
    nights.write(sink, 0, {"a": 0.1})
    nights.write(sink, 1, {"a": 0.2})
    nights.write(sink, 1, {"a": 0.3})
    with pytest.raises(DataError, match="run2: a later run of the same night, run3, has replaced its scores"):
        roll_back(nights, sink, "run2")
    assert roll_back(nights, sink).run_id == "run1"


def test_a_run_on_top_of_one_that_was_replaced_is_refused_since_its_scores_are_no_longer_there(sink, nights):
    nights.write(sink, 0, {"a": 0.1, "b": 0.1})
    nights.write(sink, 1, {"a": 0.1, "b": 0.2})  # keeps what run1 gave a
    roll_back(nights, sink, "run1")
    nights.write(sink, 0, {"a": 0.3, "b": 0.1})
    before = nights.state(sink)
    with pytest.raises(
        DataError, match="run2: run5, a later run of the night of run1, has replaced scores that it was"
    ):
        roll_back(nights, sink, "run2")
    for one, other in zip(before, nights.state(sink), strict=True):
        pd.testing.assert_frame_equal(one, other)


SCORED = st.dictionaries(st.sampled_from("abc"), st.sampled_from([0.1, 0.2]), max_size=3)
STEPS = st.lists(st.tuples(st.booleans(), st.integers(0, 9), SCORED), min_size=2, max_size=7)


@settings(max_examples=6, deadline=None)
@given(steps=STEPS)
@pytest.mark.parametrize("left", ["cleared", "kept"])
def test_after_any_nights_and_rollbacks_every_run_comes_back_exactly(new_nights, tables_sink, left, steps):
    """`steps`: whether to roll back (to some earlier run) or to write a next night."""
    with TemporaryDirectory() as folder:
        nights, sink = new_nights(), tables_sink(Path(folder), left)
        after = {}
        for day, (back, which, scored) in enumerate(steps):
            if back and after:
                to = sorted(after)[which % len(after)]
                roll_back(nights, sink, to)
                pd.testing.assert_frame_equal(sink.read_table(), after[to])
            else:
                nights.write(sink, day, scored)
                after[f"run{nights.runs}"] = sink.read_table()
        for to, expected in after.items():
            roll_back(nights, sink, to)
            pd.testing.assert_frame_equal(sink.read_table(), expected)
        nights.con.close()


def test_a_night_that_a_rollback_overtook_is_refused_and_the_next_one_is_written(sink, nights):
    """Also where another run overtook it: runs count in the order in which they began."""
    for day in range(3):
        nights.write(sink, day, {"a": day / 10, "b": 0.5})
    slow = nights.night(3)
    sink.rollback(nights.con, "run2", run_id="back", now=nights.night(3).scored_at)
    before = nights.state(sink)
    nights.stage(slow, {"a": 0.9})
    with pytest.raises(DataError, match=r"nothing was written. Run again \(back began later than this one"):
        sink.write(nights.con, "staged", slow)
    for one, other in zip(before, nights.state(sink), strict=True):
        pd.testing.assert_frame_equal(one, other)
    nights.write(sink, 3, {"a": 0.9})
    assert sink.read_current()["probability"].tolist() == [0.9]
    assert sink.read_runs()["run_id"].tolist() == ["run1", "run2", "run3", "back", "run6"]
