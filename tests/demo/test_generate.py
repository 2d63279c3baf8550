import json
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from predictive.demo import AS_OF, Demo, generate
from predictive.errors import ConfigError
from predictive.tables import SCHEMAS

TABLES = ("contacts", "accounts", "activities", "deals", "changes")


def read(demo: Demo) -> dict[str, pd.DataFrame]:
    with duckdb.connect(str(demo.database), read_only=True) as connection:
        return {name: connection.execute(f"FROM {name}").df() for name in TABLES}


def test_the_same_arguments_give_the_same_tables_in_the_same_order(tmp_path: Path):
    first = generate(contacts=400, seed=3, out=tmp_path / "a")
    second = generate(contacts=400, seed=3, out=tmp_path / "b")
    for name, table in read(first).items():
        pd.testing.assert_frame_equal(table, read(second)[name], check_exact=True)
    assert first.truth.read_bytes() == second.truth.read_bytes()


def test_another_seed_gives_other_people_and_another_truth(tmp_path: Path):
    first = generate(contacts=50, seed=3, out=tmp_path / "a")
    second = generate(contacts=50, seed=4, out=tmp_path / "b")
    assert not read(first)["contacts"].equals(read(second)["contacts"])
    assert first.truth.read_bytes() != second.truth.read_bytes()


def test_a_second_run_replaces_everything_that_the_first_left(out: Path):
    generate(contacts=60, seed=0, out=out)
    with duckdb.connect(str(out / "crm.duckdb")) as connection:
        connection.execute("CREATE TABLE contact_scores AS SELECT 1 AS probability")
    (out / "crm.duckdb.wal").write_bytes(b"left by a killed process")
    (out / "crm.duckdb.new").write_bytes(b"half a file")
    demo = generate(contacts=30, seed=0, out=out)
    assert len(read(demo)["contacts"]) == 30
    assert sorted(path.name for path in out.iterdir()) == ["crm.duckdb", "truth.parquet"]
    with duckdb.connect(str(demo.database), read_only=True) as connection:
        assert {name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()} == {
            *TABLES
        }


def test_the_summary_counts_the_rows_that_were_written(demo: Demo):
    tables = read(demo)
    assert (demo.contacts, demo.activities, demo.deals) == tuple(
        len(tables[name]) for name in ("contacts", "activities", "deals")
    )
    assert demo.as_of == AS_OF
    assert demo.database.name == "crm.duckdb"
    assert demo.truth.name == "truth.parquet"


@pytest.mark.parametrize("name", TABLES)
def test_the_tables_follow_the_canonical_schemas(demo: Demo, name: str):
    table = read(demo)[name]
    times = {column: table[column].dt.tz_localize("UTC") for column in table.select_dtypes("datetime")}
    checked = SCHEMAS[name].validate(table.assign(**times))
    assert set(SCHEMAS[name].columns) <= set(checked.columns)


def test_the_smallest_world_works(out: Path):
    demo = generate(contacts=1, seed=0, out=out)
    assert len(read(demo)["contacts"]) == 1


def test_each_step_is_told(out: Path):
    told: list[str] = []
    generate(contacts=20, seed=1, out=out, progress=told.append)
    assert told[0] == "simulating 20 contacts day by day"
    assert str(out / "crm.duckdb") in told[-1]
    assert json.dumps(told).count("futures") == 4


@pytest.mark.parametrize(("contacts", "seed", "where"), [(0, 1, "contacts"), (5, -1, "seed")])
def test_arguments_out_of_range_are_named(out: Path, contacts: int, seed: int, where: str):
    with pytest.raises(ConfigError, match=where):
        generate(contacts=contacts, seed=seed, out=out)
    assert not out.exists()


def test_a_file_where_the_folder_should_be_is_named(tmp_path: Path):
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(ConfigError, match="cannot be made a folder"):
        generate(contacts=5, seed=1, out=file / "below")
    with pytest.raises(ConfigError, match="cannot be made a folder"):
        generate(contacts=5, seed=1, out=file)
