"""What only the PostgreSQL sink does, and what tables of earlier versions get."""

import pandas as pd
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from predictive.config import PostgresqlSink
from predictive.errors import DataError
from predictive.sinks import open_sink

pytest_plugins = ["tests.servers"]


@pytest.fixture
def sink(postgres):
    return open_sink(PostgresqlSink(kind="postgresql", url=postgres))


def execute(url, *statements):
    with psycopg.connect(url) as connection:
        for statement in statements[:-1]:
            connection.execute(statement)
        cursor = connection.execute(statements[-1])
        return cursor.fetchall() if cursor.description else None


def test_times_are_instants_and_ids_sort_by_their_bytes(sink, postgres, nights):
    nights.write(sink, 0, dict.fromkeys(["b", "a", "Z", "é"], 0.1))
    assert list(sink.read_current()["contact_id"]) == ["Z", "a", "b", "é"]
    query = "SELECT DISTINCT as_of AT TIME ZONE 'Asia/Tokyo', pg_typeof(as_of)::text FROM contact_scores"
    [(at, kind)] = execute(postgres, query)
    assert (f"{at:%Y-%m-%d %H}", kind) == ("2026-11-01 09", "timestamp with time zone")


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0")) | st.text('\\.,"\r\n Nt', max_size=4)
CELLS = st.fixed_dictionaries(
    {
        "override": st.none() | TEXTS,
        "reasons": TEXTS,
        "fit": st.none() | st.floats(allow_nan=False),
        "rule_total": st.floats(allow_nan=False, allow_infinity=False),
        "rule_fit": st.integers(-(2**63), 2**63 - 1),
        "holdout": st.booleans(),
    }
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(CELLS, min_size=1, max_size=4))
def test_any_text_and_any_number_comes_back_as_it_was_written(sink, nights, rows):
    nights.write(sink, nights.runs, {f"c{i}": row for i, row in enumerate(rows)})
    current = sink.read_current()
    for i, row in enumerate(rows):
        for name, given_value in row.items():
            found = current[name].iloc[i]
            assert (None if pd.isna(found) else found) == given_value
            assert type(given_value) is not float or str(found) == str(given_value)  # -0.0 is not 0.0


def test_long_texts_of_many_lines_come_back_whole(sink, nights):
    """More than one block of what is read, with lines that end in the middle of a value."""
    text = "one line, and\n" * 3_000
    nights.write(sink, 0, {f"c{i:03d}": {"reasons": f"{i}{text}"} for i in range(450)})
    current = sink.read_current()
    assert current["reasons"].tolist() == [f"{i}{text}" for i in range(450)]


@pytest.mark.parametrize("broken", ["wrong", "s%2Fecret%40x"])
def test_no_error_tells_the_password(postgres, nights, broken):
    url = postgres.replace("kept%2Fsecret%40all%3Atimes", broken)
    bad = [url, postgres.replace(":" + postgres.rsplit(":", 1)[1].split("/")[0], ":99999"), f"{postgres}?nonsense=1"]
    for address in bad:
        sink = PostgresqlSink(kind="postgresql", url=address)
        assert "kept" not in repr(sink) + repr(open_sink(sink)) + sink.model_dump_json()
        with pytest.raises(DataError) as caught:
            nights.write(open_sink(sink), 0, {"a": 0.1})
        assert not [word for word in ("kept", "ecret", "wrong") if word in str(caught.value)]
        assert caught.value.__cause__ is None


def test_who_may_not_write_is_told_and_nothing_is_there(postgres, postgres_server, nights):
    postgres_server.sql("DO $$BEGIN CREATE ROLE reader LOGIN PASSWORD 'reads'; EXCEPTION WHEN OTHERS THEN END$$")
    name = postgres.rsplit("/", 1)[1]
    url = postgres_server.url(name).replace("scoring:kept%2Fsecret%40all%3Atimes", "reader:reads")
    sink = open_sink(PostgresqlSink(kind="postgresql", url=url))
    with pytest.raises(DataError, match="permission denied for schema public; nothing was written"):
        nights.write(sink, 0, {"a": 0.1})
    assert execute(postgres, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]


def test_a_view_of_the_name_is_refused(sink, postgres, nights):
    execute(postgres, "CREATE VIEW contact_scores AS SELECT 1 AS one")
    with pytest.raises(DataError, match="contact_scores is a view"):
        nights.write(sink, 0, {"a": 0.1})


@pytest.mark.parametrize("kind", ["duckdb", "sqlite", "postgresql"])
def test_tables_of_an_earlier_version_get_what_they_lack_and_keep_what_they_have(kind, new_sink, nights):
    sink = new_sink(kind, table="scores")
    nights.write(sink, 0, {"a": 0.1, "b": 0.1})
    with sink.store.writing(nights.con) as db:
        for suffix, gone in (
            ("", ["left_at"]),
            ("_history", ["undone"]),
            ("_runs", ["seconds", "outcome", "restores", "profile"]),
        ):
            for column in gone:
                db.execute(f'ALTER TABLE {db.full_name(None, "scores" + suffix)} DROP COLUMN "{column}"')
    assert list(sink.read_current()["contact_id"]) == ["a", "b"]
    assert len(sink.read_runs()) == 1
    assert nights.preview(sink, 1, {"a": 0.2, "b": 0.1}).changed == 1
    assert nights.write(sink, 1, {"a": 0.2, "b": 0.1}).unchanged == 1
    assert sink.read_runs()["outcome"].tolist()[1:] == ["written"]
    assert sink.read_history()["undone"].tolist() == [False] * 3
    assert sink.rollback(nights.con, None, run_id="back", now=nights.night(0).scored_at).run_id == "run1"
    assert list(sink.read_current()["probability"]) == [0.1, 0.1]


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_files_of_an_earlier_version_are_read_and_completed(kind, new_sink, nights, folder):
    import duckdb

    sink = new_sink(kind)
    nights.write(sink, 0, {"a": 0.1, "b": 0.1})
    for file, gone in ((folder / "scores_runs.csv", "seconds, outcome, restores, profile"),
                       (next((folder / "scores_history").glob(f"*.{kind}")), "undone")):  # fmt: skip
        query = f"COPY (SELECT * EXCLUDE ({gone}) FROM '{file}') TO '{file}.old' (FORMAT {file.suffix[1:]})"
        duckdb.sql(query)
        (file.parent / (file.name + ".old")).replace(file)
    assert nights.write(sink, 1, {"a": 0.2, "b": 0.1}).changed == 1
    assert sink.read_history()["undone"].tolist() == [False] * 3


def test_history_can_be_read_in_part(new_sink, nights):
    for kind in ("duckdb", "sqlite", "postgresql", "parquet"):
        sink = new_sink(kind)
        for day in range(3):
            nights.write(sink, day, {"a": day / 10})
        whole = sink.read_history()
        part = sink.read_history(columns=["contact_id", "night"], since=whole["night"].iloc[1].to_pydatetime())
        assert part.equals(whole.loc[1:, ["contact_id", "night"]].reset_index(drop=True)), kind
