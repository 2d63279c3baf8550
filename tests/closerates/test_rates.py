import pytest

from predictive.clock import DAY
from predictive.closerates import CloseRates, Rate, close_rates, patterns
from predictive.closerates.chart import draw, title
from predictive.errors import ConfigError, DataError
from tests.closerates.worlds import CUT, HORIZON, OBSERVED, config, later, world
from tests.features.histories import tables

NEVER = 10**18


def rates(history, con, *, as_of=None, **changes):
    return close_rates(tables(history, con), config(**changes), now=NEVER, as_of=as_of)


def by_name(found):
    return {(row.name, row.value): row for row in found.rows}


def test_every_row_counts_contacts_once_as_they_were_at_the_cut_and_the_surest_comes_first(con):
    history = world(1)
    found = rates(history, con, as_of=CUT)
    first = {d["contact_id"]: d["closed_at"] for d in history.deals}
    eligible = {c["contact_id"] for c in history.contacts if not first.get(c["contact_id"], NEVER) <= CUT}
    closed = {c for c in eligible if c in first}
    assert (found.contacts, found.closed, found.closes) == (len(eligible), len(closed), len(closed))
    rows = by_name(found)
    for type_, days in (("demo", None), ("page_view", None), ("page_view", 30), ("demo", 7)):
        since = CUT - days * DAY if days else -1
        had = {a["contact_id"] for a in history.activities if a["type"] == type_ and since < a["known"] <= CUT}
        row = rows[type_, "ever" if days is None else f"in the last {days} days"]
        assert (row.contacts, row.closed) == (len(had & eligible), len(had & closed))
    fair = {c["contact_id"] for c in history.contacts if c["source"] == "fair"} & eligible
    assert (rows["source", "fair"].contacts, rows["source", "fair"].closed) == (len(fair), len(fair & closed))
    assert not [row for row in found.rows if row.name == "onboarding"]

    assert {row.name for row in found.rows[:3]} <= {"demo", "source"}
    assert all(row.q > 0.05 for row in found.rows if row.name in ("plan", "page_view"))
    chances = [row.p for row in found.rows]
    assert chances == sorted(chances)


def test_nothing_that_happened_after_the_cut_changes_a_rate(con):
    history = world(2, contacts=200)
    before = rates(history, con, as_of=CUT)
    assert before.closed > 10
    assert rates(later(history, 0), con, as_of=CUT).rows == before.rows


def test_the_cut_is_the_newest_whose_whole_horizon_is_observed_and_no_later_one_is_taken(con):
    history = world(3, contacts=100)
    assert rates(history, con).as_of == "1971-02-06T00:00:00Z"
    with pytest.raises(DataError, match="its horizon of 90d is not over; name 1971-02-06 or an earlier date"):
        rates(history, con, as_of=OBSERVED - HORIZON + 2 * DAY)
    with pytest.raises(DataError, match="no contact was there"):
        rates(history, con, as_of=-DAY)


def test_with_age_snapshots_each_contact_is_looked_at_once_at_one_age(con):
    history = world(4, contacts=150)
    found = rates(history, con, snapshots={"at": "age", "days": [10, 200]}, horizon="300d")
    born = {c["contact_id"]: c["created_at"] for c in history.contacts}
    first = {d["contact_id"]: d["closed_at"] for d in history.deals}
    at = {c: b + found.age_days * DAY for c, b in born.items()}
    eligible = {c for c, t in at.items() if t + 300 * DAY <= 491 * DAY and first.get(c, NEVER) > t}
    assert found.age_days in (10, 200)
    assert found.contacts == len(eligible)
    assert found.closed == sum(first.get(c, NEVER) <= at[c] + 300 * DAY for c in eligible)


def test_unwanted_columns_are_left_out_and_counted_and_few_closes_are_said_to_say_nothing(con):
    history = world(1, contacts=90)
    found = rates(history, con, as_of=CUT, features={"sensitive": ["source"], "exclude": ["demo", "plan"]})
    assert not {row.name for row in found.rows} & {"source", "demo", "plan"}
    notes = {(note.text, note.count, note.examples) for note in found.notes}
    assert ("1 column: declared sensitive", 1, ("source",)) in notes
    assert ("1 column: excluded by the configuration", 1, ("plan",)) in notes
    assert found.closed < 20
    assert found.said == (f"only {found.closes} closes, and 20 are needed: nothing can be said about who buys",)
    assert title(found).startswith("Nothing tells who closes")


def test_of_more_than_model_examples_as_many_are_drawn_by_lot_and_that_is_said(con):
    history = world(4, contacts=1_600)
    whole = rates(history, con, as_of=CUT)
    drawn = rates(history, con, as_of=CUT, model={"examples": 1_000})
    assert whole.said == ()
    assert drawn.said[0].startswith("62% of the contacts and as-ofs were looked at, drawn by lot")
    assert 0.5 * whole.contacts < drawn.contacts < 0.75 * whole.contacts
    assert abs(drawn.average - whole.average) < 0.03
    assert drawn.rows == rates(history, con, as_of=CUT, model={"examples": 1_000}).rows
    found = patterns(tables(history, con), config(model={"examples": 1_000}), now=NEVER)
    assert "drawn by lot" in found.said[0]
    assert found.earlier["rows"] + found.later["rows"] < 1_200


def test_the_chart_says_the_finding_names_its_rows_and_knows_two_formats(tmp_path):
    row = Rate("attribute", "plan", "$x_1$", 50, 20, 20, 0.4, 0.3, 0.5, 2.0, 2.0, 1e-6, 1e-5)
    found = CloseRates("2026-01-01", None, 90, 200, 40, 40, 0.2, (row,), (), (), ())
    for path in (tmp_path / "rates.svg", tmp_path / "rates.png"):
        draw(found, path)
    text = (tmp_path / "rates.svg").read_text(encoding="utf-8")
    assert "plan: $x_1$: these contacts close 2.0 times as often as the average" in text
    assert "(20 of 50)" in text
    assert (tmp_path / "rates.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ConfigError, match=r"the ending is \.pdf; write one of \.svg, \.png"):
        draw(found, tmp_path / "rates.pdf")
