from datetime import timedelta

import duckdb
import pytest

from predictive.nights import live_nights
from predictive.report.changes import Move, read_changes


@pytest.fixture
def nights(make, tmp_path):
    """Writes nights one after another, each a list of rows, and gives what the sink then holds."""

    def of(*written):
        for i, rows in enumerate(written):
            sink = make.sink(tmp_path, rows, as_of=make.as_of + timedelta(days=i))
        return make.read(sink)

    return of


def test_the_first_night_changes_nothing(nights, make):
    found = nights([make.score("a")])
    assert read_changes(found.scores, found.history, found.runs) is None


def test_moves_between_two_nights_are_counted(nights, make):
    found = nights(
        [make.score("long before", 0.3), make.score("a", 0.1), make.score("b", 0.2), make.score("gone", 0.05)],
        [
            make.score("long before", 0.3),
            make.score("a", 0.4, tier="very high"),
            make.score("b", 0.01, tier="low", quadrant="disengage"),
            make.score("new", 0.1),
        ],
    )
    changes = read_changes(found.scores, found.history, found.runs)
    assert (changes.new, changes.left, changes.risen, changes.fallen) == (1, 1, 1, 1)
    assert changes.quadrants[0] == Move("pursue", entered=1, left=2)
    assert changes.expected == pytest.approx(0.3 + 0.4 + 0.01 + 0.1)
    assert changes.expected_before == pytest.approx(0.3 + 0.1 + 0.2 + 0.05)
    assert changes.since == "2026-06-30T22:00:00+00:00"
    assert changes.model_before is None


def test_only_the_last_night_counts(nights, make):
    found = nights([make.score("a", 0.1)], [make.score("a", 0.4)], [make.score("a", 0.4)])
    changes = read_changes(found.scores, found.history, found.runs)
    assert (changes.new, changes.risen, changes.expected_before) == (0, 0, pytest.approx(0.4))


def test_a_night_without_changes_is_still_a_night(nights, make):
    found = nights([make.score("a", 0.1)], [make.score("a", 0.1)])
    assert read_changes(found.scores, found.history, found.runs).expected_before == pytest.approx(0.1)


@pytest.mark.parametrize("again", [False, True])
def test_what_a_rollback_took_back_has_changed_nothing(nights, make, tmp_path, again):
    one, two, wrong = (make.score("a", p) for p in (0.1, 0.4, 0.9))
    before = nights([one], [two], [wrong, make.score("never", 0.9)])
    with duckdb.connect() as con:
        make.at(tmp_path).rollback(con, None, run_id="back", now=make.now + timedelta(hours=1))
    if again:
        make.sink(tmp_path, [two], as_of=make.as_of + timedelta(days=2), now=make.now + timedelta(hours=2))
    found = make.read(make.at(tmp_path))
    changes = read_changes(found.scores, found.history, found.runs)
    assert read_changes(before.scores, before.history, before.runs).new == 1
    assert (changes.new, changes.expected) == (0, pytest.approx(0.4))
    assert changes.expected_before == pytest.approx(0.4 if again else 0.1)
    nights_that_stand = [make.as_of + timedelta(days=i) for i in range(3 if again else 2)]
    assert live_nights(found.runs) == nights_that_stand
