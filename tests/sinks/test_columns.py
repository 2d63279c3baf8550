"""Scores in columns of the contact table itself."""

import duckdb
import pytest

from predictive.errors import DataError

pytest_plugins = ["tests.servers"]
COLUMNS = {"probability": "lead score", "tier": "Lead_Tier", "as_of": "scored_as_of"}
WHOLE = {"table": "people", "key": "id", "columns": COLUMNS, "create_columns": True}


@pytest.fixture(params=["duckdb", "sqlite", "postgresql"])
def crm(request, new_sink, folder):
    """Makes a sink into the contact table of a database, with the means to run SQL there."""
    folder.mkdir()
    kind = request.param

    class Crm:
        def sink(self, **options):
            return new_sink(kind, **{**WHOLE, **options})

        def sql(self, *statements):
            if self.kind == "duckdb":
                with duckdb.connect(folder / "scores.duckdb") as con:
                    return [con.execute(statement).fetchall() for statement in statements][-1]
            with self.sink().store.writing(self.con) as db:
                for statement in statements[:-1]:
                    db.execute(statement)
                return db.rows(statements[-1]) if statements[-1].startswith("SELECT") else db.execute(statements[-1])

    made = Crm()
    made.con, made.kind = request.getfixturevalue("nights").con, kind
    made.sql("CREATE TABLE people (id INTEGER, name TEXT)", "INSERT INTO people VALUES (1, 'x'), (2, 'y'), (3, 'z')")
    return made


ROWS = 'SELECT id, "lead score", "Lead_Tier" FROM people ORDER BY id'


def test_columns_are_made_and_hold_the_scores_of_those_who_have_one(crm, nights):
    sink = crm.sink()
    difference = nights.write(sink, 0, {"1": 0.25, "2": {"tier": "high"}, "9": 0.5})
    assert crm.sql(ROWS) == [(1, 0.25, "low"), (2, 0.1, "high"), (3, None, None)]
    assert (difference.new, difference.without_row) == (3, 1)
    assert list(sink.read_current()["contact_id"]) == ["1", "2", "9"]
    assert nights.preview(sink, 1, {"1": 0.3}).without_row == 0


def test_a_night_repeated_touches_no_row_and_one_that_differs_only_those(crm, nights):
    sink = crm.sink()
    nights.write(sink, 0, {"1": 0.25, "2": 0.5})
    if crm.kind == "postgresql":
        version = "SELECT id, xmin::text FROM people ORDER BY id"
        before = crm.sql(version)
        nights.write(sink, 0, {"1": 0.25, "2": 0.5})
        assert crm.sql(version) == before
        nights.write(sink, 1, {"1": 0.25, "2": 0.75})
        assert [key for (key, one), (_, other) in zip(before, crm.sql(version), strict=True) if one != other] == [2]
    crm.sql('UPDATE people SET "lead score" = 0.99 WHERE id = 1', "UPDATE people SET name = 'new' WHERE id = 1")
    nights.write(sink, 1, {"1": 0.25, "2": 0.75})
    assert crm.sql(ROWS)[0] == (1, 0.25, "low")


@pytest.mark.parametrize(
    ("left", "expected"), [("cleared", (None, None)), ("kept", (0.5, "low")), ("marked", (0.5, "low"))]
)
def test_who_is_scored_no_longer_is_cleared_kept_or_marked(crm, nights, left, expected):
    columns = {**COLUMNS, **({"left_at": "left"} if left == "marked" else {})}
    sink = crm.sink(left=left, columns=columns)
    nights.write(sink, 0, {"1": 0.25, "2": 0.5})
    crm.sql("DELETE FROM people WHERE id = 1")
    assert nights.write(sink, 1, {"3": 0.75}).left == 2
    assert crm.sql(ROWS) == [(2, *expected), (3, 0.75, "low")]
    assert list(sink.read_current()["contact_id"]) == ["3"]
    if left == "marked":
        assert [str(at)[:10] for (at,) in crm.sql('SELECT "left" FROM people ORDER BY id')] == ["2026-11-02", "None"]
    assert nights.write(sink, 2, {"3": 0.75}).written == 0
    assert nights.write(sink, 3, {"2": 0.5, "3": 0.75}).new == 1
    assert crm.sql(ROWS) == [(2, 0.5, "low"), (3, 0.75, "low")]


@pytest.mark.parametrize("left", ["cleared", "kept"])
def test_a_rollback_puts_the_columns_back(crm, nights, left):
    sink = crm.sink(left=left)
    nights.write(sink, 0, {"1": 0.25, "2": 0.5})
    nights.write(sink, 1, {"1": 0.3, "3": 0.9})
    before = crm.sql(ROWS)
    nights.write(sink, 2, {"2": 0.1, "3": 0.1})
    sink.rollback(nights.con, None, run_id="back", now=nights.night(0).scored_at)
    assert crm.sql(ROWS) == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"table": "persons"}, "the table persons is not there; nothing was written"),
        ({"key": "idd"}, "has no column 'idd' .sink.key.; did you mean \"id\"?"),
        ({"create_columns": False}, "has no column 'lead score' for probability; nothing was written. Add it"),
        ({"columns": {"probability": "id"}}, "the column 'id' of type integer cannot hold probability"),
    ],
)
def test_a_table_that_does_not_fit_is_refused_by_preview_and_write(crm, nights, options, message):
    if "columns" in options and crm.kind == "sqlite":
        pytest.skip("columns of SQLite have no types that bind")
    for act in (nights.preview, nights.write):
        with pytest.raises(DataError, match="(?i)" + message.replace("?", ".")):
            act(crm.sink(**options), 0, {"1": 0.5})
    assert crm.sql("SELECT * FROM people ORDER BY id") == [(1, "x"), (2, "y"), (3, "z")]


def test_a_narrower_type_rounds_once_and_a_text_that_is_too_long_is_refused(crm, nights):
    if crm.kind != "postgresql":
        pytest.skip("only PostgreSQL has both")
    crm.sql('ALTER TABLE people ADD COLUMN "lead score" numeric(5, 2), ADD COLUMN "Lead_Tier" varchar(4)')
    sink = crm.sink()
    nights.write(sink, 0, {"1": 0.123456})
    before = crm.sql("SELECT xmin::text FROM people WHERE id = 1")
    assert nights.write(sink, 0, {"1": 0.123456}).written == 0
    assert crm.sql("SELECT xmin::text FROM people WHERE id = 1") == before
    with pytest.raises(DataError, match="value too long for type character varying"):
        nights.write(sink, 1, {"1": {"tier": "medium"}})
    assert list(sink.read_current()["tier"]) == ["low"]


def test_names_are_quoted_and_never_pasted(crm, nights):
    odd = 'a"; DROP TABLE people; -- %s $1'
    sink = crm.sink(columns={"probability": odd})
    nights.write(sink, 0, {"1": 0.25})
    quoted = odd.replace('"', '""')
    assert crm.sql(f'SELECT "{quoted}" FROM people WHERE id = 1') == [(0.25,)]
