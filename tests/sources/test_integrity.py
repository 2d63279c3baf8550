import duckdb
import numpy as np
import pytest

from predictive.errors import DataError
from predictive.sources import integrity


def said(tables, where):
    return [str(note) for note in tables.notes if note.where == where]


ACTIVITIES = "contact_id,occurred_at,type\n"


def test_activities_of_unknown_contacts_are_left_out_and_counted(read, rows):
    unknown = "".join(f"x{i},2026-01-01,visit\n" * 2 for i in range(9))
    tables = read({"a.csv": ACTIVITIES + "c1,2026-01-01,visit\n" + unknown}, activities={"file": "a.csv"})
    assert rows("SELECT contact_id FROM activities") == [("c1",)]
    examples = "(for example x0, x1, x2, x3, x4)"
    assert said(tables, "activities") == [
        f"activities: 18 rows of contacts that the table contacts does not have: left out {examples}"
    ]


def test_equal_activities_are_kept_and_counted(read, rows):
    text = "contact_id,occurred_at,type,value,detail\n" + "c1,2026-01-01,a,1,x\n" * 3 + "c1,2026-01-01,a,,x\n" * 2
    tables = read({"a.csv": text + "c1,2026-01-01,b,1,x\nc2,2026-01-01,b,1,x\n"}, activities={"file": "a.csv"})
    assert rows("SELECT count(*) FROM activities") == [(7,)]
    assert said(tables, "activities") == [
        "activities: 3 rows equal to another in every column: kept, and counted more than once (for example c1)"
    ]


def test_counting_equal_activities_agrees_with_grouping_them(read, rows, tmp_path):
    random = np.random.default_rng(7)
    picks = random.integers(0, 40, size=(300_000, 3))
    with duckdb.connect() as writer:
        writer.register("picks", {"c": picks[:, 0], "t": picks[:, 1], "v": picks[:, 2]})
        writer.execute(
            f"""COPY (SELECT 'c' || c AS contact_id, TIMESTAMP '2026-01-01' + to_hours(t) AS occurred_at,
            'type ' || v % 7 AS type, nullif(v % 5, 0) AS value FROM picks)
            TO '{tmp_path / "a.parquet"}'"""
        )
    contacts = "contact_id,created_at\n" + "".join(f"c{i},2026-01-01\n" for i in range(40))
    tables = read({"contacts.csv": contacts}, activities={"file": "a.parquet"})
    (found,) = [note.count for note in tables.notes if "equal to another" in note.text]
    assert [(found,)] == rows(
        "SELECT count(*) - count(DISTINCT (contact_id, t, type, known, value, detail)) FROM activities"
    )
    earlier = "SELECT (contact_id, t) < lag((contact_id, t)) OVER () AS back FROM activities"
    in_order = rows(f"SELECT count(*) FROM ({earlier}) WHERE back")
    assert in_order == [(0,)]


@pytest.mark.parametrize(
    ("rest", "text", "example"),
    [
        ("d2,c9,,2026-02-01,true\n", "of contacts that the table contacts does not have: kept, but label nobody", "d2"),
        (
            "d2,,a9,2026-02-01,true\nd3,,,2026-02-01,true\n",
            "without a contact, and with no account or one that no contact has: kept, but label nobody",
            "d2, d3",
        ),
        (
            "d2,c1,,2025-12-31,true\n",
            "closed before their contact was created: kept; whoever was won by then is a customer from day one",
            "d2",
        ),
        ("d2,c1,,2026-02-01,\n", "with closed_at but without is_won: count as open", "d2"),
        ("d2,c1,,2025-12-31,\n", "with closed_at but without is_won: count as open", "d2"),
        (
            "d2,c1,,,true\n",
            "with is_won but without closed_at: count as open, since nobody knows when they closed",
            "d2",
        ),
        (
            "d2,c1,,2026-06-02,true\n",
            "with a time after now (2026-06-01T00:00:00Z): kept, but not visible at any as-of before that time",
            "d2",
        ),
    ],
)
def test_deals_that_cannot_label_are_kept_and_counted(read, rows, rest, text, example):
    contacts = "contact_id,created_at,account_id\nc1,2026-01-01,a1\n"
    good = "d0,c1,,2026-01-01,true\nd1,,a1,2026-02-01,false\n"
    tables = read(
        {"contacts.csv": contacts, "deals.csv": "deal_id,contact_id,account_id,closed_at,is_won\n" + good + rest}
    )
    count = rest.count("\n")
    assert said(tables, "deals") == [f"deals: {count} row{'s' if count > 1 else ''} {text} (for example {example})"]
    assert rows("SELECT count(*) FROM deals") == [(2 + count,)]


def test_without_is_won_every_deal_is_open(read, rows):
    tables = read({"deals.csv": "deal_id,contact_id,closed_at\nd1,c1,2026-02-01\nd2,c1,\n"})
    assert said(tables, "deals") == ["deals: 1 row with closed_at but without is_won: count as open (for example d1)"]
    assert rows("SELECT count(is_won) FROM deals") == [(0,)]


def test_times_in_the_future_are_kept_and_counted(read, rows):
    contacts = "contact_id,created_at\nc1,2026-01-01\nc2,2026-06-01T00:00:01Z\nc3,2026-06-01\n"
    activities = "contact_id,occurred_at,recorded_at,type\nc1,2026-05-31,2026-07-01,a\nc1,2026-05-31,,b\n"
    tables = read({"contacts.csv": contacts, "a.csv": activities}, activities={"file": "a.csv"})
    late = "with a time after now (2026-06-01T00:00:00Z): kept, but not visible at any as-of before that time"
    assert said(tables, "contacts") == [f"contacts: 1 row {late} (for example c2)"]
    assert said(tables, "activities") == [f"activities: 1 row {late} (for example c1)"]
    assert rows("SELECT type, known - t FROM activities ORDER BY type") == [("a", 31 * 86_400_000_000), ("b", 0)]


def test_decisions_that_decide_nothing_are_counted(read):
    rows = [
        "c1,pursue,,2026-01-01,2026-02-01",
        "c1,,low,2026-02-01,2026-01-01",  # over before it begins
        "c2,,low,2026-02-01,2026-02-01",
        "c2,,,2026-01-01,2026-02-01",
    ]
    heading = "contact_id,quadrant,tier,created_at,expires_at,author,reason\n"
    files = {
        "contacts.csv": "contact_id,created_at\nc1,2026-01-01\nc2,2026-01-01\n",
        "o.csv": heading + "".join(f"{row},me,why\n" for row in rows),
    }
    never = "without effect; check which of the two is wrong"
    assert said(read(files, overrides={"file": "o.csv"}), "overrides") == [
        f"overrides: 2 rows that expire before they are created, or at that instant: {never} (for example c1, c2)",
        "overrides: 1 row with neither a quadrant nor a tier: without effect; give one of the two (for example c2)",
    ]


def test_what_points_nowhere_is_counted(read):
    files = {
        "contacts.csv": "contact_id,created_at,account_id\nc1,2026-01-01,a1\nc2,2026-01-01,a2\n",
        "accounts.csv": "account_id\na1\n",
        "ch.csv": "object,object_id,attribute,value,changed_at\n"
        + "".join(f"{o},{i},x,y,2026-01-01\n" for o, i in [("contact", "c1"), ("contact", "c9"), ("account", "c1")]),
        "o.csv": "contact_id,tier,author,reason,created_at,expires_at\nc9,low,me,why,2026-01-01,2026-02-01\n",
    }
    tables = read(files, accounts={"file": "accounts.csv"}, changes={"file": "ch.csv"}, overrides={"file": "o.csv"})
    assert [(note.where, note.count, note.examples) for note in tables.notes] == [
        ("contacts", 1, ("c2",)),
        ("changes", 2, ("c1", "c9")),
        ("overrides", 1, ("c9",)),
    ]


@pytest.mark.parametrize(
    ("files", "key", "lines"),
    [
        (
            {"contacts.csv": "contact_id,created_at\nc1,2026-01-01\nc2,2026-01-01\nc1,2026-01-02\n"},
            "contact_id 'c1'",
            "24",
        ),
        ({"accounts.csv": "account_id\na1\na2\na2\n"}, "account_id 'a2'", "34"),
        ({"deals.csv": "deal_id,contact_id\nd1,c1\nd1,c2\nd1,c1\n"}, "deal_id 'd1' with contact_id 'c1'", "24"),
        ({"deals.csv": "deal_id,contact_id\nd1,\nd1,c1\nd1,\n"}, "deal_id 'd1' with contact_id missing", "24"),
    ],
)
def test_a_duplicate_key_names_both_rows(read, files, key, lines):
    (name,) = files
    more = {"accounts": {"file": "accounts.csv"}} if name == "accounts.csv" else {}
    with pytest.raises(DataError) as caught:
        read(files, **more)
    first, second = (int(line) for line in lines)
    assert f": {key} stands in more than one row: " in str(caught.value)
    assert f"{name}, row {first - 1}, line {first} of the file and " in str(caught.value)
    assert f"{name}, row {second - 1}, line {second} of the file; " in str(caught.value)


def test_duplicates_are_counted(read):
    with pytest.raises(DataError, match=r"contact_id 'a' stands .*\(1 more such\)"):
        read({"contacts.csv": "contact_id,created_at\n" + "b,2026-01-01\na,2026-01-01\n" * 3})


def test_one_deal_may_have_several_contacts(read, rows):
    read({"deals.csv": "deal_id,contact_id\nd1,c1\nd1,c2\n"})
    assert rows("SELECT count(*) FROM deals") == [(2,)]


def test_good_tables_have_no_notes(read):
    assert read({"a.csv": ACTIVITIES + "c1,2026-01-01,visit\n"}, activities={"file": "a.csv"}).notes == ()


def test_every_check_is_a_query_that_runs(read, con):
    read()
    for check in integrity.CHECKS:
        assert con.sql(check.query).columns == ["example"]
