import io
import random
import zipfile

import pandas as pd
import pytest

from predictive.config import FilesSource, TableSource
from predictive.errors import DataError, PredictiveError
from predictive.sources.files import open_files

HEADER = "contact_id;created_at;city;size\n"
ROWS = "c1;2026-01-01;São Paulo;1\nc2;2026-01-02;Málaga;2,5\n"


def parquet(frame):
    out = io.BytesIO()
    frame.to_parquet(out)
    return out.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "latin-1"])
def test_every_usual_encoding_gives_the_same_text(read, rows, encoding):
    tables = read({"contacts.csv": (HEADER + ROWS).encode(encoding)})
    assert rows("SELECT contact_id, city, size FROM contacts") == [("c1", "São Paulo", "1"), ("c2", "Málaga", "2,5")]
    noted = [note for note in tables.notes if "not UTF-8" in note.text]
    assert bool(noted) == (not encoding.startswith("utf-8"))


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("quote", ['"', "'"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_separator_and_quote_are_detected(read, rows, separator, quote, end):
    lines = [
        ["contact_id", "created_at", "text"],
        ["c1", "2026-01-01", "a, b; c\td|e"],
        ["c2", "2026-01-01", "f, g\nh"],
    ]
    text = end.join(separator.join(f"{quote}{value}{quote}" for value in line) for line in lines) + end
    read({"contacts.csv": text})
    assert rows("SELECT contact_id, text FROM contacts") == [("c1", "a, b; c\td|e"), ("c2", "f, g\nh")]


def test_a_file_without_quotes_keeps_apostrophes(read, rows):
    read({"contacts.csv": "contact_id,created_at,town\nc1,2026-01-01,L'Aquila\nc2,2026-01-01,'s-Hertogenbosch\n"})
    assert rows("SELECT town FROM contacts") == [("L'Aquila",), ("'s-Hertogenbosch",)]


def test_a_folder_of_parts_is_one_table(read, rows):
    parts = {"c/1.csv": "contact_id,created_at\na,2026-01-01\n", "c/2.csv": "contact_id,created_at\nb,2026-01-01\n"}
    read({**parts, "c/_SUCCESS": "", "c/.1.csv.crc": "x"}, contacts={"file": "c"})
    assert rows("SELECT contact_id FROM contacts") == [("a",), ("b",)]
    read(parts, contacts={"file": "c/*.csv"})
    assert rows("SELECT contact_id FROM contacts") == [("a",), ("b",)]


@pytest.mark.parametrize(
    ("second", "said"),
    [
        ("contact_id,created_at,city\nb,2026-01-01,x\n", "only one has city"),
        ("created_at,contact_id\n2026-01-01,b\n", "different orders"),
    ],
)
def test_parts_with_other_columns_are_an_error(read, second, said):
    files = {"c/1.csv": "contact_id,created_at\na,2026-01-01\n", "c/2.csv": second}
    with pytest.raises(DataError, match=said) as caught:
        read(files, contacts={"file": "c"})
    assert "c/2.csv" in str(caught.value)
    assert "source.tables.contacts.file" in str(caught.value)


def test_a_folder_of_both_formats_is_an_error(read):
    frame = pd.DataFrame({"contact_id": ["a"], "created_at": ["2026-01-01"]})
    files = {"c/1.csv": "contact_id,created_at\na,2026-01-01\n", "c/2.parquet": parquet(frame)}
    with pytest.raises(DataError, match="both CSV and Parquet"):
        read(files, contacts={"file": "c"})


def test_parquet_keeps_its_types(read, rows):
    frame = pd.DataFrame(
        {
            "contact_id": [7.0, 8.0],  # as pandas writes integers once one was missing
            "created_at": pd.to_datetime(["2026-07-01 12:00", "2026-01-01 12:00"]),
            "seen": pd.to_datetime(["2026-07-01 12:00Z", None]),
            "zip": ["07001", "08001"],
            "digits": ["1", "2"],
            "size": [1.5, float("nan")],
            "flag": [True, None],
            "tags": [["a", "b"], []],
            "nested": [{"a": 1}, {"a": 2}],
        }
    )
    tables = read({"contacts.parquet": parquet(frame)}, contacts={"file": "contacts.parquet"}, timezone="Europe/Madrid")
    stated = {name: kind for name, kind in tables.attributes["contacts"].items() if not name.startswith("tags_")}
    assert stated == {
        "seen": "time",
        "zip": "text",
        "digits": "text",
        "size": "number",
        "flag": "boolean",
    }
    assert [note.where for note in tables.notes if "STRUCT" in note.text] == ["contacts.nested"]
    summer, winter = 1782900000000000, 1767265200000000
    assert rows("SELECT contact_id, created_at, seen, size, flag, tags FROM contacts") == [
        ("7", summer, 1782907200000000, 1.5, True, "a;b"),
        ("8", winter, None, None, None, ""),
    ]


def test_parquet_parts_of_different_number_types_agree(read, rows):
    whole = pd.DataFrame({"contact_id": [1], "created_at": ["2026-01-01"], "n": [1]})
    broken = pd.DataFrame({"contact_id": [2.0], "n": [0.5], "created_at": ["2026-01-01"]})
    read({"c/1.parquet": parquet(whole), "c/2.parquet": parquet(broken)}, contacts={"file": "c"})
    assert rows("SELECT contact_id, n FROM contacts") == [("1", 1.0), ("2", 0.5)]


def test_a_member_of_a_zip_is_read_like_a_file(read, rows):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("all/people.csv", HEADER + ROWS)
        archive.writestr("__MACOSX/people.csv", "what a Mac adds")
    read({"export.zip": out.getvalue()}, contacts={"file": "export.zip/all/people.csv"})
    assert rows("SELECT city FROM contacts") == [("São Paulo",), ("Málaga",)]
    with pytest.raises(DataError, match=r"no file 'people\.csv'; did you mean \"all/people\.csv\"\?"):
        read(contacts={"file": "export.zip/people.csv"})
    with pytest.raises(DataError, match="zip archive: name the file in it"):
        read(contacts={"file": "export.zip"})
    with pytest.raises(DataError, match="not a whole zip archive"):
        read({"export.zip": out.getvalue()[:-30]}, contacts={"file": "export.zip/all/people.csv"})


def test_a_missing_file_names_its_place_in_the_configuration_and_the_nearest(read, tmp_path):
    with pytest.raises(DataError) as caught:
        read(contacts={"file": "contcts.csv"})
    said = str(caught.value)
    assert said.startswith(f"source.tables.contacts.file: {tmp_path / 'contcts.csv'}: no such file")
    assert 'did you mean "contacts.csv"?' in said
    with pytest.raises(DataError, match=r"source\.path: .*nowhere: no such folder"):
        read(path=tmp_path / "nowhere")


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_an_empty_file_is_an_error(read, content):
    with pytest.raises(DataError, match="column names"):
        read({"contacts.csv": content})


def test_a_file_without_rows_is_an_error_for_contacts_only(read):
    with pytest.raises(DataError, match="has no rows"):
        read({"contacts.csv": "contact_id,created_at\n"})
    tables = read({"contacts.csv": "contact_id,created_at\nc1,2026-01-01\n", "deals.csv": "deal_id,contact_id\n"})
    assert tables.deals.collect().shape == (0, 7)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("contact_id,created_at\nc1,2026-01-01\nc2\n", "row 2, line 3 of the file, has 1 fields; the header has 2"),
        ('contact_id,created_at\n"c\n1",2026-01-01\nc2,a,b\n', "row 2, line 4 of the file, has 3 fields"),
        ('contact_id,created_at\n"c\n1",a,b\n', "row 1, line 2 of the file, has 3 fields"),
        ('contact_id,created_at\nc1,2026-01-01\nc2,"2026\n', "beyond the row on line"),
        ("contact_id,created_at\r\nc1,2026-01-01\nc2,2026-01-01\r\n", "two kinds of line ends"),
    ],
)
def test_a_broken_csv_names_the_file_and_the_line(read, text, said):
    with pytest.raises(DataError, match=said) as caught:
        read({"contacts.csv": text})
    assert "contacts.csv: " in str(caught.value)
    assert "2026" not in str(caught.value)


def test_a_broken_file_behind_a_query_is_named(read):
    with pytest.raises(DataError, match=r"x\.csv: row 1, line 2 of the file, has 1 fields"):
        read({"x.csv": "contact_id,created_at\nc1\n"}, views={"x": "x.csv"}, contacts={"query": "SELECT * FROM x"})


def test_a_parquet_file_cut_off_anywhere_is_named(read):
    size = 20_000
    frame = pd.DataFrame({"contact_id": range(size), "created_at": ["2026-01-01"] * size})
    whole = parquet(frame)
    random.seed(7)
    for cut in [0, 3, 4, 11, *random.sample(range(len(whole)), 5), len(whole) - 1]:
        with pytest.raises(DataError, match=r"contacts\.parquet") as caught:
            read({"contacts.parquet": whole[:cut]}, contacts={"file": "contacts.parquet"})
        assert "cut off" in str(caught.value) or "empty" in str(caught.value)


def test_a_damaged_parquet_page_is_named(read):
    frame = pd.DataFrame(
        {"contact_id": [f"contact {i * 7919}" for i in range(5000)], "created_at": ["2026-01-01"] * 5000}
    )
    whole = bytearray(parquet(frame))
    whole[200:400] = bytes(200)
    with pytest.raises(DataError, match=r"contacts\.parquet: not a readable Parquet file"):
        read({"contacts.parquet": bytes(whole)}, contacts={"file": "contacts.parquet"})


def test_columns_that_differ_in_case_only_are_an_error(read):
    with pytest.raises(DataError, match="two columns are named 'CITY'"):
        read({"contacts.csv": "contact_id,created_at,city,CITY\nc1,2026-01-01,a,b\n"})


def test_a_query_sees_text_and_row_numbers_whatever_the_format(read, rows):
    frame = pd.DataFrame({"id": [3, 2, 1], "n": ["1", "?", None], "day": [0, 1, 2]})
    query = """
        WITH types AS (SELECT id, typeof(id) || typeof(n) AS types FROM people)
        SELECT id AS contact_id, DATE '2026-01-01' + CAST(row_number AS INTEGER) AS created_at,
            TRY_CAST(n AS INTEGER) AS n, types
        FROM people JOIN types USING (id)"""
    files = {"p.parquet": parquet(frame), "p.csv": frame.to_csv(index=False)}
    answers = []
    for name in ("p.parquet", "p.csv"):
        read(files, views={"people": name}, contacts={"query": query})
        answers.append(rows("SELECT contact_id, created_at, n, types FROM contacts"))
    day = 86_400_000_000
    first = 1767225600000000
    expected = [("1", 3, None), ("2", 2, None), ("3", 1, 1.0)]
    assert answers[0] == answers[1] == [(i, first + d * day, n, "VARCHARVARCHAR") for i, d, n in expected]


def test_a_query_may_try_to_cast(con, tmp_path):
    # DuckDB 2.0 pushes a bare TRY_CAST into the CSV reader, where it is an error.
    (tmp_path / "p.csv").write_text("id,n\na,1\nb,?\n")
    source = FilesSource(kind="files", path=tmp_path, files={"people": "p.csv"}, tables={})
    with open_files(source, con) as open_table:
        rows = open_table("contacts", TableSource(query="SELECT TRY_CAST(n AS INTEGER) AS n FROM people")).rows
        assert rows.fetchall() == [(1,), (None,)]


def test_a_view_may_have_the_name_of_a_canonical_table(read, rows):
    read(views={"contacts": "contacts.csv"}, contacts={"query": "SELECT * EXCLUDE (row_number) FROM contacts"})
    assert rows("SELECT contact_id FROM contacts") == [("c1",), ("c2",)]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELECT nothing FROM people", "nothing"),
        ("SELEC 1", "syntax error"),
        ("SELECT * FROM nobody", "nobody"),
        ("CREATE TABLE x (a INTEGER)", "write one SELECT"),
        ("SELECT 1; DROP TABLE people", "write one SELECT"),
        ("SELECT id AS contact_id, CAST(mail AS INTEGER) AS created_at FROM people", "cannot be read"),
    ],
)
def test_a_query_that_fails_says_so_without_contact_details(read, query, said):
    with pytest.raises(DataError, match=said) as caught:
        read({"p.csv": "id,mail\n1,jane@example.com\n"}, views={"people": "p.csv"}, contacts={"query": query})
    assert "source.tables.contacts.query" in str(caught.value)
    assert "jane" not in str(caught.value)


def test_nothing_stays_attached_after_an_error(read, rows):
    with pytest.raises(PredictiveError):
        read(contacts={"file": "nowhere.csv"})
    assert rows("SELECT count(*) FROM duckdb_databases() WHERE NOT internal") == [(1,)]
    read()
    assert rows("SELECT count(*) FROM duckdb_databases() WHERE NOT internal") == [(1,)]
