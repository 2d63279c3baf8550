"""`predictive features`: the list, one contact, the query and the matrix, all of the same numbers."""

import csv

import duckdb
import pyarrow.parquet as pq
import pytest
import yaml

pytest_plugins = ["tests.trained"]


@pytest.fixture(scope="module")
def crm(tmp_path_factory, tiny):
    config = tiny(tmp_path_factory.mktemp("matrix"), contacts=60, snapshots={"every": "month"})
    table = config.with_name("contacts.csv")
    lines = table.read_text(encoding="utf-8").splitlines()
    named = [line.replace(",retail,", ",=1+1,") if i < 20 else line for i, line in enumerate(lines)]
    table.write_text("\n".join(named) + "\n", encoding="utf-8")
    return config


@pytest.fixture(scope="module")
def listed(crm, run):
    return run("features", crm, "--json").json


@pytest.fixture(scope="module")
def matrix(crm, run, tmp_path_factory):
    file = tmp_path_factory.mktemp("out") / "deep" / "matrix.parquet"
    said = run("features", crm, "--out", file, "--json")
    assert said.code == 0, said.err
    assert said.json == {"rows": 60, "features": len(pq.read_schema(file).names) - 2, "file": str(file)}
    assert [f.name for f in file.parent.iterdir()] == ["matrix.parquet"]
    return pq.read_table(file).to_pylist()


def test_the_list_names_every_feature_with_its_side_meaning_and_fill_rate(crm, run, listed, matrix):
    names = [f["name"] for f in listed["features"]]
    assert {"contact_id", "as_of", *names} == set(matrix[0])
    for feature in listed["features"]:
        values = [row[feature["name"]] for row in matrix]
        assert feature["filled"] == pytest.approx(sum(v is not None for v in values) / len(values))
        assert feature["side"] in ("fit", "interest", "context")
        assert feature["description"]
    assert 0 < next(f["filled"] for f in listed["features"] if f["name"] == "size") < 1
    text = run("features", crm).out
    assert text.startswith(f"{len(names)} features as of {listed['as_of']}")
    assert all(f["description"] in text for f in listed["features"])


def test_one_contact_has_the_values_of_the_matrix(crm, run, matrix):
    row = matrix[7]
    found = run("features", crm, "--contact", row["contact_id"], "--json").json
    assert {k: v for k, v in found.items() if k != "as_of"} == {k: v for k, v in row.items() if k != "as_of"}
    assert found["as_of"].startswith("202")
    text = run("features", crm, "--contact", row["contact_id"]).out
    assert text.splitlines()[0].startswith(f"{row['contact_id']}, as of ")
    assert "page_view_count_30d" in text


def test_the_query_is_sql_that_a_person_can_read(crm, run):
    text = run("features", crm, "--sql").out
    assert text.lstrip().lower().startswith(("select", "with"))
    assert duckdb.extract_statements(text)[0].type.name == "SELECT"
    assert '"page_view_count_30d"' in text or "page_view_count_30d" in text


def test_no_spreadsheet_runs_what_is_in_the_csv(crm, run, tmp_path, matrix):
    file = tmp_path / "matrix.csv"
    assert run("features", crm, "--out", file).code == 0
    with file.open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert {row["sector"] for row in rows} == {"'=1+1", "software", "retail", ""}
    by_id = {row["contact_id"]: row for row in matrix}
    for row in rows:
        assert float(row["record_age_days"]) == pytest.approx(by_id[row["contact_id"]]["record_age_days"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--contact", "T0O01"], "there is no contact 'T0O01'; did you mean \"T00"),
        (["--out", "matrix.xlsx"], "--out: matrix.xlsx is neither .parquet nor .csv"),
        (["--as-of", "yesterday-ish"], "--as-of"),
        (["--contact", "T0001", "--as-of", "2020-01-01"], "T0001 has no features at this time: "),
    ],
)
def test_what_cannot_be_done_is_one_clear_error(crm, run, arguments, said):
    found = run("features", crm, *arguments)
    assert found.code == 1
    assert said in found.err
    assert len(found.err.strip().splitlines()) == 1


def test_a_type_that_looks_like_a_change_is_refused(crm, run, tmp_path):
    settings = yaml.safe_load(crm.read_text(encoding="utf-8"))
    settings["source"]["path"] = str(crm.parent)
    query = "SELECT contact_id, occurred_at, '::' || type AS type FROM a"
    settings["source"] |= {"files": {"a": "activities.csv"}}
    settings["source"]["tables"]["activities"] = {"query": query}
    config = tmp_path / "odd.yaml"
    config.write_text(yaml.safe_dump(settings), encoding="utf-8")
    found = run("features", config)
    assert found.code == 1
    assert "begins with '::', which stands for changes of attributes" in found.err
